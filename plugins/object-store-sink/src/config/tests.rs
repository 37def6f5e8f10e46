use regent_core::config::Layers;

use super::*;

fn checked(yaml: &str) -> Result<Config, String> {
    let tree =
        Layers::new().text("base.yaml", &format!("plugins: {{object_store_sink: {yaml}}}")).load().expect("YAML");
    let section = tree.section(&["plugins", "object_store_sink"]).expect("the section");
    let mut config = section.parse::<Config>().map_err(|error| error.to_string())?;
    config.validate(&section, &Known::default()).map_err(|errors| errors.to_string())?;
    Ok(config)
}

#[test]
fn what_is_wrong_is_named_with_the_remedy() {
    let table = [
        ("{}", "missing field `url`"),
        ("{url: decisions}", "url: cannot be read: relative URL without a base (from base.yaml)"),
        ("{url: 'http://a/b'}", "url: must begin with `s3://`, `gs://`, `az://` or `file:///`"),
        ("{url: 's3:///b'}", "url: must name a bucket or container: `s3://NAME`"),
        ("{url: 's3://u:p@a/b'}", "url: must hold nothing but store and folder; credentials have keys of their own"),
        ("{url: 's3://a/b?c=d'}", "url: must hold nothing but store and folder"),
        ("{url: 's3://a//b'}", "url: does not hold a folder"),
        ("{url: 'file://host/b'}", "url: must have three slashes and a folder"),
        ("{url: 'file:///'}", "url: must have three slashes and a folder"),
        ("{url: 's3://a', partition: '%'}", "partition: must be a text with fields such as `%Y`"),
        ("{url: 's3://a', partition: '../x'}", "partition: must be names of folders"),
        ("{url: 's3://a', max_object_bytes: 0}", "max_object_bytes: "),
        ("{url: 's3://a', azure: {account: b}}", "azure: is for `az://`, which `url` does not begin with"),
        ("{url: 'file:///a', aws: {region: b}}", "aws: is for `s3://`"),
        ("{url: 's3://a', aws: {access_key_id: b}}", "aws: needs both of `access_key_id` and `secret_access_key`"),
        ("{url: 'az://a', azure: {access_key: b, sas_token: c}}", "azure: takes one of `access_key`, `sas_token`"),
        ("{url: 'gs://a', gcp: {credentials: b, credentials_file: c}}", "gcp: takes one of"),
    ];
    for (yaml, expected) in table {
        let found = checked(yaml).expect_err(yaml);
        assert!(found.contains(expected), "{yaml}: {found}");
    }
}

#[test]
fn a_url_leads_to_a_store_and_a_folder() {
    for (url, cloud, bucket, prefix) in [
        ("s3://logs", Cloud::Aws, "logs", ""),
        ("s3://logs/a/b/", Cloud::Aws, "logs", "a/b"),
        ("gs://logs/a", Cloud::Gcp, "logs", "a"),
        ("az://logs/a%20b", Cloud::Azure, "logs", "a b"),
        ("file:///var/log", Cloud::File, "", "var/log"),
    ] {
        let config = checked(&format!("{{url: '{url}'}}")).expect("sound");
        assert_eq!((config.cloud(), &config.bucket()[..], config.layout().prefix.as_ref()), (cloud, bucket, prefix));
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = checked("{url: 's3://a', aws: {access_key_id: i, secret_access_key: hunter2, session_token: hunter2}}");
    let azure = checked("{url: 'az://a', azure: {access_key: hunter2}}");
    let sas = checked("{url: 'az://a', azure: {sas_token: hunter2}}");
    let application = checked("{url: 'az://a', azure: {client_secret: hunter2}}");
    let gcp = checked("{url: 'gs://a', gcp: {credentials: hunter2}}");
    let shown = [shown, azure, sas, application, gcp].map(|config| format!("{:?}", config.expect("sound")));
    assert!(!shown.concat().contains("hunter2"), "{shown:?}");
    let wrong = checked("{url: 's3://a', aws: {access_key_id: i, secret_access_key: 271828}}").expect_err("a number");
    assert!(!wrong.contains("271828"), "{wrong}");
}
