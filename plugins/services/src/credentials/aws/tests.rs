//! Each provider against a server that plays AWS, and what is signed with what it gives.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan as _};
use regent_kit::{ControlPlane, Fault, Received};
use regent_signing::sigv4;
use serde_json::json;

use crate::credentials::testing::{Guarded, refusal};

const KEYS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s3cret"), ("AWS_REGION", "eu-west-1")];

/// Names of the signed headers, if the signature is right for keys `AK` and `s3cret` in region `eu-west-1`.
fn signed(request: &Received, server: &str, service: &str, token: &str) -> String {
    let authorization = request.header("authorization").expect("a signature");
    let names = authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next()).expect("names");
    let added = ["host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];
    let own = names.split(';').filter(|name| !added.contains(name));
    let headers: Vec<_> = own.map(|name| (name, request.header(name).expect("what is signed is sent"))).collect();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let described = sigv4::Request {
        method: request.method.as_str(),
        host: server.strip_prefix("http://").expect("an address"),
        path,
        query,
        headers: &headers,
        payload: Some(&request.body),
    };
    let keys = sigv4::Credentials {
        access_key: "AK",
        secret_key: "s3cret",
        session_token: token,
        region: "eu-west-1",
        service,
    };
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", request.header("x-amz-date").expect("a time"));
    let time = time.and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC)).expect("a time").timestamp();
    let expected = sigv4::sign(&described, &keys, time);
    assert_eq!(authorization, expected.authorization);
    for (name, value) in &expected.headers {
        assert_eq!(request.header(name), Some(&**value), "{name}");
    }
    names.to_owned()
}

/// What is signed of a request for S3 with keys that do not last.
async fn signs_with_token(guarded: &Guarded, token: &str) {
    let request = guarded.ask().await.expect("a signed request");
    let names = signed(&request, &guarded.server.url(), "s3", token);
    assert_eq!(names, "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-own");
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("the file is written");
    path.display().to_string()
}

/// An answer of a metadata service.
fn metadata(token: &str, end: Timestamp) -> Fault {
    let answer = json!({
        "Code": "Success", "AccessKeyId": "AK", "SecretAccessKey": "s3cret", "Token": token, "Expiration": end.to_string()
    });
    Fault::Body(answer.to_string().into())
}

/// An answer of the token service.
fn sts(action: &str, token: &str) -> Fault {
    let end = in_seconds(3600);
    let text = format!(
        r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
  <AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser>
  <Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>
  <SessionToken>{token}</SessionToken><Expiration>{end}</Expiration></Credentials>
</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"#
    );
    Fault::Body(text.into())
}

fn in_seconds(seconds: i64) -> Timestamp {
    Timestamp::now() + seconds.seconds()
}

fn form(request: &Received) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

#[tokio::test]
async fn all_set_headers_are_signed_with_the_keys_of_the_environment() {
    let guarded = Guarded::by("s3_signing: {environment_credentials: {}}", KEYS).await;
    let request = guarded.ask().await.expect("a signed request");
    let names = signed(&request, &guarded.server.url(), "s3", "");
    assert_eq!(names, "content-type;host;x-amz-content-sha256;x-amz-date;x-own");
    assert_eq!(request.header("accept-encoding"), Some("gzip"), "which proxies may change");

    let [id, key, region] = KEYS;
    let variables = [id, key, region, ("AWS_SECURITY_TOKEN", "old"), ("AWS_SESSION_TOKEN", "")];
    signs_with_token(&Guarded::by("s3_signing: {environment_credentials: {}}", variables).await, "old").await;

    let guarded = Guarded::by("s3_signing: {service: Execute-API, environment_credentials: {}}", KEYS).await;
    let request = guarded.ask().await.expect("a signed request");
    let names = signed(&request, &guarded.server.url(), "execute-api", "");
    assert_eq!(names, "content-type;host;x-amz-date;x-own");
    assert_eq!(request.header("x-amz-content-sha256"), None);
}

#[tokio::test]
async fn version_4a_signs_for_all_regions() {
    let signed = "AWS4-ECDSA-P256-SHA256 Credential=AK/";
    let config = "s3_signing: {signature_version: 4a, environment_credentials: {}}";
    let request = Guarded::by(config, KEYS).await.ask().await.expect("a signed request");
    let authorization = request.header("authorization").unwrap_or_default();
    let names = "content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-region-set;x-own";
    assert!(authorization.starts_with(signed), "{authorization}");
    assert!(authorization.contains(&format!("/s3/aws4_request, SignedHeaders={names}, Signature=30")));
    assert_eq!(request.header("x-amz-region-set"), Some("*"));
    for name in names.split(';') {
        assert!(request.header(name).is_some(), "{name} is signed and not sent");
    }

    let aws = ControlPlane::start().await;
    let endpoint = aws.url();
    let [id, key, region] = KEYS;
    let variables = [id, key, region, ("AWS_ROLE_ARN", "arn"), ("AWS_ENDPOINT_URL_STS", &*endpoint)];
    let source = "aws_signing: {signature_version: 4a, environment_credentials: {}}";
    aws.fail_next("/", sts("AssumeRole", "t1"));
    let guarded = Guarded::by(&format!("s3_signing: {{assume_role_credentials: {{{source}}}}}"), variables).await;
    signs_with_token(&guarded, "t1").await;
    assert!(aws.requests()[0].header("authorization").is_some_and(|header| header.starts_with(signed)));
}

#[tokio::test]
async fn a_profile_is_read_again_for_each_request() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join(".aws")).expect("a directory");
    let path = write(&directory.path().join(".aws"), "credentials", "[default]\naws_access_key_id = AK\n");
    let home = directory.path().display().to_string();
    let variables = [("HOME", &*home), ("AWS_REGION", "eu-west-1")];
    let guarded = Guarded::by("s3_signing: {profile_credentials: {}}", variables).await;
    let error = guarded.ask().await.expect_err("no key");
    let missing = format!(r#"profile "default" in credentials file {path} does not contain "aws_secret_access_key""#);
    let failed = "failed to get aws credentials: all AWS credential providers failed: 1 error occurred:";
    assert_eq!(error, format!("{failed} {missing}"));
    let keys = "aws_access_key_id = AK\naws_secret_access_key = s3cret\n";
    for token in ["t1", "t2"] {
        let text = format!("# mine\n[default]\n{keys}aws_session_token={token}\n[other]\naws_access_key_id=X\n");
        std::fs::write(&path, text).expect("the file is written");
        signs_with_token(&guarded, token).await;
    }

    let named = write(directory.path(), "named", &format!("[team]\n{keys}aws_session_token = t3\n"));
    let config = "s3_signing: {profile_credentials: {aws_region: eu-west-1}}";
    let variables = [("AWS_SHARED_CREDENTIALS_FILE", &*named), ("AWS_PROFILE", "team")];
    signs_with_token(&Guarded::by(config, variables).await, "t3").await;
    let error = Guarded::by(&format!("s3_signing: {{profile_credentials: {{path: '{named}'}}}}"), []).await.ask().await;
    let expected = format!("{failed} failed to get profile: section \"default\" does not exist");
    assert_eq!(error.err(), Some(expected));
    let error = Guarded::by("s3_signing: {profile_credentials: {profile: team}}", variables).await.ask().await;
    assert_eq!(error.err(), Some(format!("{failed} no AWS_REGION set in environment or configuration")));
    let error = Guarded::by("s3_signing: {profile_credentials: {path: /nowhere}}", []).await.ask().await;
    let expected = format!("{failed} failed to read credentials file: cannot read credentials file /nowhere");
    assert!(error.as_ref().is_err_and(|error| error.starts_with(&expected)), "{error:?}");
}

#[tokio::test]
async fn a_machine_gives_the_keys_of_its_role() {
    let aws = ControlPlane::start().await;
    let (token, role) = ("/latest/api/token", "/latest/meta-data/iam/security-credentials/role");
    aws.fail_always(token, Some(Fault::Body("imds\n".into())));
    aws.fail_always(role, Some(metadata("t1", in_seconds(3600))));
    let config = "s3_signing: {metadata_credentials: {aws_region: eu-west-1, iam_role: role}}";
    let guarded = Guarded::by(config, [("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*format!("{}/", aws.url()))]).await;
    let answers = join_all((0..8).map(|_| guarded.ask())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    signs_with_token(&guarded, "t1").await;
    let [first, second] = &aws.requests()[..] else { panic!("asked once for all: {:?}", aws.requests()) };
    assert_eq!((first.method.as_str(), first.path.as_str()), ("PUT", token));
    assert_eq!(first.header("x-aws-ec2-metadata-token-ttl-seconds"), Some("60"));
    assert_eq!((second.path.as_str(), second.header("x-aws-ec2-metadata-token")), (role, Some("imds")));
}

#[tokio::test]
async fn keys_are_renewed_five_minutes_before_their_end() {
    let aws = ControlPlane::start().await;
    let config = "s3_signing: {metadata_credentials: {aws_region: eu-west-1}}";
    let url = format!("{}/creds", aws.url());
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container")];
    let guarded = Guarded::by(config, variables).await;
    for token in ["t1", "t2"] {
        aws.fail_always("/creds", Some(metadata(token, in_seconds(290))));
        signs_with_token(&guarded, token).await;
    }
    aws.fail_always("/creds", Some(metadata("t3", in_seconds(303))));
    signs_with_token(&guarded, "t3").await;
    aws.fail_always("/creds", Some(metadata("t4", in_seconds(3600))));
    let patience = Instant::now() + Duration::from_mins(1);
    while guarded.ask().await.expect("an answer").header("x-amz-security-token") == Some("t3") {
        assert!(Instant::now() < patience, "the keys are never renewed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signs_with_token(&guarded, "t4").await;
    assert_eq!(aws.requests().len(), 4);
    assert!(aws.requests().iter().all(|request| request.header("authorization") == Some("container")));
}

#[tokio::test]
async fn a_container_may_have_its_token_in_a_file() {
    let aws = ControlPlane::start().await;
    aws.fail_always("/creds", Some(metadata("t1", in_seconds(3600))));
    let directory = tempfile::tempdir().expect("a directory");
    let token = write(directory.path(), "token", "from-file\n");
    let config = "s3_signing: {metadata_credentials: {aws_region: eu-west-1}}";
    let url = format!("{}/creds", aws.url());
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url);
    let guarded = Guarded::by(config, [full, ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token)]).await;
    signs_with_token(&guarded, "t1").await;
    assert_eq!(aws.requests()[0].header("authorization"), Some("from-file"));
    let error = Guarded::by(config, [full]).await.ask().await.expect_err("no token");
    assert!(error.ends_with("1 error occurred: unable to get ECS metadata authorization token"), "{error}");
}

#[tokio::test]
async fn what_the_metadata_service_does_wrong_fails_the_request_and_passes() {
    let aws = ControlPlane::start().await;
    let (token, role) = ("/latest/api/token", "/latest/meta-data/iam/security-credentials/role");
    let config = "s3_signing: {metadata_credentials: {aws_region: eu-west-1, iam_role: role}}";
    let guarded = Guarded::by(config, [("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*aws.url())]).await;
    let fails = async |expected: &str| {
        let error = guarded.ask().await.expect_err("no keys");
        assert!(error.contains(&format!("1 error occurred: {expected}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    };
    aws.fail_next(token, Fault::Status(403));
    fails("metadata token HTTP request returned unexpected status: 403 Forbidden").await;
    aws.fail_always(token, Some(Fault::Body("imds".into())));
    aws.fail_next(role, Fault::Reset);
    fails("metadata HTTP request failed: no answer").await;
    aws.fail_next(role, Fault::Status(500));
    fails("metadata HTTP request returned unexpected status: 500 Internal Server Error").await;
    let unreadable = "failed to parse credential response from metadata service";
    for body in ["hunter2", r#"{"SecretAccessKey": 1, "Token": "hunter2"}"#, r#"{"Code": "Success"}"#] {
        aws.fail_next(role, Fault::Body(body.into()));
        fails(unreadable).await;
    }
    aws.fail_next(role, Fault::Body(r#"{"Code": "AssumeRoleUnauthorizedAccess"}"#.into()));
    fails("metadata service query did not succeed: AssumeRoleUnauthorizedAccess").await;
    assert!(guarded.server.requests().is_empty(), "nothing is sent without keys");
    aws.fail_next(role, metadata("t1", in_seconds(3600)));
    signs_with_token(&guarded, "t1").await;
}

#[tokio::test]
async fn a_role_is_assumed_for_the_token_of_a_web_identity() {
    let aws = ControlPlane::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let token = directory.path().join("token").display().to_string();
    let (url, config) = (aws.url(), "s3_signing: {web_identity_credentials: {aws_region: eu-west-1}}");
    let variables =
        [("AWS_ENDPOINT_URL_STS", &*url), ("AWS_ROLE_ARN", "arn:role"), ("AWS_WEB_IDENTITY_TOKEN_FILE", &token)];
    let guarded = Guarded::by(config, variables).await;
    let error = guarded.ask().await.expect_err("there is no token yet");
    assert!(error.contains("unable to read web token for sts HTTP request: cannot read token file"), "{error}");
    write(directory.path(), "token", "web.identity\n");
    aws.fail_next("/", Fault::Status(403));
    let error = guarded.ask().await.expect_err("refused");
    assert!(error.ends_with("STS HTTP request returned unexpected status: 403 Forbidden"), "{error}");
    aws.fail_next("/", Fault::Body("<a>hunter2</a>".into()));
    let error = guarded.ask().await.expect_err("no keys");
    assert!(error.ends_with("failed to parse credential response from STS service"), "{error}");
    aws.fail_next("/", sts("AssumeRoleWithWebIdentity", "t1"));
    for _ in 0..2 {
        signs_with_token(&guarded, "t1").await;
    }
    let asked = aws.requests();
    let expected = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", "arn:role"),
        ("RoleSessionName", "open-policy-agent"),
        ("Version", "2011-06-15"),
        ("WebIdentityToken", "web.identity"),
    ];
    assert_eq!(form(&asked[2]), expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!((asked.len(), asked[2].header("authorization")), (3, None));

    for (missing, text) in
        [(1, "no AWS_ROLE_ARN set in environment"), (2, "no AWS_WEB_IDENTITY_TOKEN_FILE set in environment")]
    {
        let mut variables = variables;
        variables[missing].1 = "";
        let error = Guarded::by(config, variables).await.ask().await.expect_err("not enough");
        assert!(error.ends_with(text), "{error}");
    }
    let error = Guarded::by("s3_signing: {web_identity_credentials: {}}", variables).await.ask().await;
    let text = "no AWS_REGION set in environment or configuration";
    assert!(error.as_ref().is_err_and(|error| error.ends_with(text)), "{error:?}");
}

#[tokio::test]
async fn a_role_is_assumed_with_other_keys() {
    let aws = ControlPlane::start().await;
    aws.fail_always("/", Some(sts("AssumeRole", "t1")));
    let url = aws.url();
    let [id, key, region] = KEYS;
    let variables = [id, key, region, ("AWS_ENDPOINT_URL_STS", &url), ("AWS_ROLE_ARN", "another")];
    let more = "iam_role_arn: 'arn:role', session_name: mine, aws_signing: {environment_credentials: {}}";
    let guarded = Guarded::by(&format!("s3_signing: {{assume_role_credentials: {{{more}}}}}"), variables).await;
    for _ in 0..2 {
        signs_with_token(&guarded, "t1").await;
    }
    let [asked] = &aws.requests()[..] else { panic!("one question is enough") };
    let expected =
        [("Action", "AssumeRole"), ("RoleArn", "arn:role"), ("RoleSessionName", "mine"), ("Version", "2011-06-15")];
    assert_eq!(form(asked), expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(signed(asked, &aws.url(), "sts", ""), "content-type;host;x-amz-date");
}

/// A home with a login whose token holds for so many seconds.
fn home(seconds: i64) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    let aws = home.path().join(".aws");
    std::fs::create_dir_all(aws.join("sso/cache")).expect("a directory");
    let config = "[profile team]\nsso_session = work\nsso_account_id = 42\nsso_role_name = reader\n\
                  region = eu-west-1\n[sso-session work]\nsso_start_url = https://x\n";
    write(&aws, "config", config);
    let login = json!({
        "startUrl": "https://x", "region": "eu-west-1", "accessToken": "login1",
        "expiresAt": in_seconds(seconds).to_string(), "registrationExpiresAt": in_seconds(3600).to_string(),
        "refreshToken": "again", "clientId": "client", "clientSecret": "hunter2",
    });
    // The SHA-1 of `work`.
    write(&aws.join("sso/cache"), "e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json", &login.to_string());
    home
}

/// An answer for a login.
fn role_keys(token: &str) -> Fault {
    let end = in_seconds(3600).as_millisecond();
    let keys = json!({"accessKeyId": "AK", "secretAccessKey": "s3cret", "sessionToken": token, "expiration": end});
    Fault::Body(json!({"roleCredentials": keys}).to_string().into())
}

#[tokio::test]
async fn a_login_gives_keys_and_is_renewed() {
    let (aws, oidc) = (ControlPlane::start().await, ControlPlane::start().await);
    let config = "s3_signing: {sso_credentials: {profile: team}}";
    aws.fail_always("/federation/credentials", Some(role_keys("t1")));
    let by = async |home: &tempfile::TempDir| {
        let home = home.path().display().to_string();
        let (sso, oidc) = (aws.url(), oidc.url());
        let urls = [("AWS_ENDPOINT_URL_SSO", &*sso), ("AWS_ENDPOINT_URL_SSO_OIDC", &*oidc), ("HOME", &*home)];
        Guarded::by(config, urls).await
    };
    let valid = home(600);
    let guarded = by(&valid).await;
    for _ in 0..2 {
        signs_with_token(&guarded, "t1").await;
    }
    let [asked] = &aws.requests()[..] else { panic!("one question is enough") };
    assert_eq!(asked.path, "/federation/credentials?account_id=42&role_name=reader");
    assert_eq!(asked.header("authorization"), Some("Bearer login1"));
    assert!(oidc.requests().is_empty());

    let ended = home(-1);
    let guarded = by(&ended).await;
    oidc.fail_next("/token", Fault::Status(400));
    let error = guarded.ask().await.expect_err("no login");
    assert!(
        error.contains("failed to refresh token: SSO token HTTP request returned unexpected status: 400"),
        "{error}"
    );
    let renewed = json!({"accessToken": "login2", "refreshToken": "once more", "expiresIn": 600});
    oidc.fail_next("/token", Fault::Body(renewed.to_string().into()));
    signs_with_token(&guarded, "t1").await;
    assert_eq!(aws.requests()[1].header("authorization"), Some("Bearer login2"));
    let sent: serde_json::Value = serde_json::from_slice(&oidc.requests()[1].body).expect("JSON");
    let expected = json!({
        "clientId": "client", "clientSecret": "hunter2", "refreshToken": "again", "grantType": "refresh_token"
    });
    assert_eq!(sent, expected);

    let nobody = tempfile::tempdir().expect("a directory");
    let error = by(&nobody).await.ask().await.expect_err("no login");
    assert!(error.contains("failed to load session: cannot read config file"), "{error}");
}

#[tokio::test]
async fn providers_are_tried_in_opas_order() {
    let aws = ControlPlane::start().await;
    let url = format!("{}/creds", aws.url());
    let config = "s3_signing: {metadata_credentials: {aws_region: eu-west-1}, profile_credentials: {path: /nowhere}, \
                  environment_credentials: {}}";
    let container = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "c")];
    let guarded = Guarded::by(config, container).await;
    aws.fail_next("/creds", Fault::Status(404));
    let error = guarded.ask().await.expect_err("no keys");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[0], "failed to get aws credentials: all AWS credential providers failed: 3 errors occurred:");
    assert_eq!(lines[1], "no AWS_ACCESS_KEY_ID set in environment");
    assert!(lines[2].starts_with("failed to read credentials file: "), "{error}");
    assert_eq!(lines[3], "metadata HTTP request returned unexpected status: 404 Not Found");
    aws.fail_next("/creds", metadata("t1", in_seconds(3600)));
    signs_with_token(&guarded, "t1").await;

    let [id, key, region] = KEYS;
    let guarded = Guarded::by(config, [id, key, region, container[0], container[1]]).await;
    guarded.ask().await.expect("the environment has keys");
    assert_eq!(aws.requests().len(), 2, "nobody else is asked");
    for (missing, name) in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"].into_iter().enumerate() {
        let mut variables = KEYS;
        variables[missing].1 = "";
        let error = Guarded::by("s3_signing: {environment_credentials: {}}", variables).await.ask().await;
        assert!(
            error.as_ref().is_err_and(|error| error.ends_with(&format!("no {name} set in environment"))),
            "{error:?}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_in_opas_words() {
    let check = |section: &str, expected: &str| {
        let error = refusal(&format!("s3_signing: {{{section}}}"));
        assert!(error.contains(expected), "{error}");
    };
    check("", "a AWS credential service must be specified when S3 signing is enabled");
    check("metadata_credentials: {}", "at least aws_region must be specified for AWS metadata credential service");
    let text = "a AWS signing plugin must be specified when AssumeRole credential provider is enabled";
    check("assume_role_credentials: {}", text);
    let text = "unsupported AWS signing plugin with AssumeRole credential provider";
    check("assume_role_credentials: {aws_signing: {}}", text);
    let text = r#"aws service "ecr" must be used with service type "oci""#;
    check("service: ECR, environment_credentials: {}", text);
}
