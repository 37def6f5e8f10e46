//! Certificates made for tests, and tests of reading and verifying them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, SerialNumber, date_time_ymd,
};
use regent_core::value::{Value, encode};
use serde_json::json;

use super::super::base64;
use super::super::keys::tests::{element, rsa_key, rsa_pkcs8};
use super::super::keys::{pem, private, shape};
use super::super::testing::{Query, check, check_error};
use super::certificate::Certificate;

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// The test queries run in 2022.
fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn root() -> Authority {
    CertifiedIssuer::self_signed(authority_params("root"), key()).expect("a root")
}

fn below(parent: &Authority, params: CertificateParams) -> Authority {
    CertifiedIssuer::signed_by(params, key(), parent).expect("an intermediate")
}

fn leaf(parent: &Authority, params: &CertificateParams) -> String {
    params.signed_by(&key(), parent).expect("a leaf").pem()
}

fn server() -> CertificateParams {
    let mut params = params("leaf", &["*.example.com", "10.1.2.3"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn call(name: &str, operands: &serde_json::Value) -> Result<Value, String> {
    let result = Query::new(Value::default()).call(name, &operands.to_string());
    result.map(|value| value.expect("a result")).map_err(|error| error.to_string())
}

/// The common names of the chain; none when there is no valid one.
fn chain(pem: &str, options: &serde_json::Value) -> Result<Vec<String>, String> {
    let result = call("crypto.x509.parse_and_verify_certificates_with_options", &json!([pem, options]))?;
    let chain = result.as_array().expect("a pair")[1].as_array().expect("a chain").to_vec();
    assert_eq!(result.as_array().expect("a pair")[0].as_bool(), Some(!chain.is_empty()));
    let name = |certificate: &Value| certificate.at(["Subject", "CommonName"])?.as_str().map(str::to_owned);
    Ok(chain.iter().map(|certificate| name(certificate).expect("a name")).collect())
}

#[track_caller]
fn check_chain(pem: &str, options: &serde_json::Value, expected: &[&str]) {
    assert_eq!(chain(pem, options), Ok(expected.iter().map(ToString::to_string).collect()), "{options}");
}

#[test]
fn chains_lead_from_the_last_certificate_to_the_first() {
    let root = root();
    let middle = below(&root, authority_params("middle"));
    let other = below(&root, authority_params("other"));
    let leaf = leaf(&middle, &server());
    let whole = format!("{}{}{}{leaf}", root.pem(), other.pem(), middle.pem());
    check_chain(&whole, &json!({}), &["leaf", "middle", "root"]);
    check_chain(&format!("{}{leaf}", root.pem()), &json!({}), &[]);
    check_chain(&format!("{}{leaf}", middle.pem()), &json!({}), &["leaf", "middle"]);
    check_chain(&format!("{leaf}{leaf}"), &json!({}), &["leaf"]);
    check_chain(&leaf, &json!({}), &[]);
    check_chain("", &json!({}), &[]);
    let result = call("crypto.x509.parse_and_verify_certificates", &json!([whole])).expect("a chain");
    let uris = result.as_array().and_then(|pair| pair[1].as_array()?[0].get("URIStrings").cloned());
    assert_eq!(uris, Some(Value::NULL));
    check("crypto.x509.parse_and_verify_certificates", r#"["nope"]"#, "[false,[]]");
}

#[test]
fn what_was_not_signed_by_an_authority_is_not_in_a_chain() {
    let root = root();
    let impostor = CertifiedIssuer::self_signed(authority_params("root"), key()).expect("a root");
    check_chain(&format!("{}{}", root.pem(), leaf(&impostor, &server())), &json!({}), &[]);
    let itself = server().self_signed(&key()).expect("a leaf").pem();
    check_chain(&format!("{}{itself}", root.pem()), &json!({}), &[]);
    let no_authority = below(&root, params("middle", &[]));
    let under = leaf(&no_authority, &server());
    check_chain(&format!("{}{}{under}", root.pem(), no_authority.pem()), &json!({}), &[]);
    let mut cannot_sign = authority_params("middle");
    cannot_sign.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let middle = below(&root, cannot_sign);
    let under = leaf(&middle, &server());
    check_chain(&format!("{}{}{under}", root.pem(), middle.pem()), &json!({}), &[]);
    let mut short = authority_params("short");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let short = below(&root, short);
    let middle = below(&short, authority_params("middle"));
    let under = leaf(&middle, &server());
    check_chain(&format!("{}{}{}{under}", root.pem(), short.pem(), middle.pem()), &json!({}), &[]);
    check_chain(
        &format!("{}{}{}", root.pem(), short.pem(), leaf(&short, &server())),
        &json!({}),
        &["leaf", "short", "root"],
    );
}

#[test]
fn every_certificate_of_a_chain_is_valid_at_the_time() {
    let root = root();
    let mut expired = authority_params("middle");
    expired.not_after = date_time_ymd(2021, 1, 1);
    let middle = below(&root, expired);
    let all = format!("{}{}{}", root.pem(), middle.pem(), leaf(&middle, &server()));
    check_chain(&all, &json!({}), &[]);
    let in_2020 = 1_590_000_000_000_000_000_i64;
    check_chain(&all, &json!({"CurrentTime": in_2020}), &["leaf", "middle", "root"]);
    check_chain(&all, &json!({"CurrentTime": 0}), &[]);
    let mut early = server();
    early.not_before = date_time_ymd(2023, 1, 1);
    check_chain(&format!("{}{}", root.pem(), leaf(&root, &early)), &json!({}), &[]);
}

#[test]
fn a_leaf_is_for_a_host_and_a_use() {
    let root = root();
    let all = format!("{}{}", root.pem(), leaf(&root, &server()));
    for (options, valid) in [
        (json!({"DNSName": "a.example.com"}), true),
        (json!({"DNSName": "\"A.Example.com.\""}), true),
        (json!({"DNSName": "example.com"}), false),
        (json!({"DNSName": "leaf"}), false), // the common name does not count
        (json!({"DNSName": "10.1.2.3"}), true),
        (json!({"DNSName": "[10.1.2.3]"}), true),
        (json!({"DNSName": "10.1.2.4"}), false),
        (json!({"KeyUsages": ["KeyUsageClientAuth"]}), false),
        (json!({"KeyUsages": {"$set": ["KeyUsageClientAuth", "KeyUsageServerAuth"]}}), true),
        (json!({"KeyUsages": ["KeyUsageAny"]}), true),
        (json!({"KeyUsages": [1]}), true),
        (json!({"MaxConstraintComparisons": 1}), true),
    ] {
        check_chain(&all, &options, if valid { &["leaf", "root"] } else { &[] });
    }
    let mut client_authority = authority_params("middle");
    client_authority.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let middle = below(&root, client_authority);
    let under = leaf(&middle, &server());
    check_chain(&format!("{}{}{under}", root.pem(), middle.pem()), &json!({}), &[]);
}

#[test]
fn options_have_to_make_sense() {
    let pem = root().pem();
    for (options, message) in [
        (json!({"DNSName": 1}), "'DNSName' should be a string"),
        (json!({"CurrentTime": "1"}), "'CurrentTime' should be a number"),
        (json!({"CurrentTime": 1.5}), "'CurrentTime' should be a valid int64 number"),
        (json!({"MaxConstraintComparisons": "1"}), "'MaxConstraintComparisons' should be a number"),
        (json!({"MaxConstraintComparisons": 1.5}), "'MaxConstraintComparisons' should be a valid number"),
        (json!({"KeyUsages": "KeyUsageAny"}), "'KeyUsages' should be an Array or Set"),
        (json!({"KeyUsages": ["a", "KeyUsageAny", "b"]}), "invalid entries for 'KeyUsages' found: [a b]"),
        (json!({"Colour": "red"}), "invalid key option"),
    ] {
        assert_eq!(chain(&pem, &options), Err(message.to_owned()));
    }
}

#[test]
fn authorities_are_limited_to_names() {
    let root = root();
    let limited = |permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>| {
        let mut params = authority_params("middle");
        let constraints = NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded };
        params.name_constraints = Some(constraints);
        let middle = below(&root, params);
        format!("{}{}{}", root.pem(), middle.pem(), leaf(&middle, &server()))
    };
    let host = |name: &str| vec![GeneralSubtree::DnsName(name.to_owned())];
    let network = |a: u8| vec![GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([a, 0, 0, 0], 8))];
    let whole = &["leaf", "middle", "root"];
    check_chain(&limited(host("example.com"), vec![]), &json!({}), whole);
    check_chain(&limited(host("example.org"), vec![]), &json!({}), &[]);
    check_chain(&limited(vec![], host("example.com")), &json!({}), &[]);
    check_chain(&limited(network(10), vec![]), &json!({}), whole);
    check_chain(&limited(network(11), vec![]), &json!({}), &[]);
    check_chain(
        &limited([host("example.com"), network(10)].concat(), vec![]),
        &json!({"MaxConstraintComparisons": 1}),
        &[],
    );
}

/// An extension of policies, whose last number is given.
fn extension(number: u64, contents: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, number], contents)
}

/// A policy: 2.5.29.32.0 for any, else one of ours.
fn policy(number: u8) -> Vec<u8> {
    element(6, if number == 0 { &[0x55, 29, 32, 0] } else { std::slice::from_ref(&number) })
}

fn policies(numbers: &[u8]) -> CustomExtension {
    let all: Vec<u8> = numbers.iter().flat_map(|number| element(0x30, &policy(*number))).collect();
    extension(32, element(0x30, &all))
}

/// From now on, or after so many more certificates, there must be a policy.
fn explicit(after: u8) -> CustomExtension {
    extension(36, element(0x30, &element(0x80, &[after])))
}

fn mapping(issuers: u8, subjects: u8) -> CustomExtension {
    let pair = element(0x30, &[policy(issuers), policy(subjects)].concat());
    extension(33, element(0x30, &pair))
}

/// Whether there is a chain of a root, two authorities and a leaf with these extensions.
fn chain_with(first: &[CustomExtension], second: &[CustomExtension], last: &[CustomExtension]) -> bool {
    let with = |mut params: CertificateParams, extensions: &[CustomExtension]| {
        params.custom_extensions = extensions.to_vec();
        params
    };
    let root = root();
    let first = below(&root, with(authority_params("first"), first));
    let second = below(&first, with(authority_params("second"), second));
    let leaf = leaf(&second, &with(server(), last));
    let pem = [root.pem(), first.pem(), second.pem(), leaf].concat();
    let found = chain(&pem, &json!({})).expect("no error");
    assert!(found.is_empty() || found == ["leaf", "second", "first", "root"]);
    !found.is_empty()
}

#[test]
fn where_a_policy_is_asked_for_there_has_to_be_one_all_the_way() {
    assert!(chain_with(&[policies(&[1])], &[], &[policies(&[2])]), "nobody asks");
    assert!(chain_with(&[explicit(0), policies(&[1])], &[policies(&[1, 2])], &[policies(&[1])]));
    assert!(chain_with(&[explicit(0), policies(&[0])], &[policies(&[2])], &[policies(&[2])]));
    assert!(chain_with(&[explicit(0), policies(&[1])], &[policies(&[0])], &[policies(&[1])]));
    assert!(!chain_with(&[explicit(0), policies(&[1])], &[policies(&[1])], &[]));
    assert!(!chain_with(&[explicit(0), policies(&[1])], &[policies(&[1])], &[policies(&[2])]));
    assert!(!chain_with(&[explicit(0), policies(&[1])], &[], &[policies(&[1])]));
    assert!(!chain_with(&[explicit(0)], &[policies(&[1])], &[policies(&[1])]));
    assert!(!chain_with(&[], &[], &[explicit(0)]), "the leaf may ask for itself");
    assert!(chain_with(&[policies(&[1])], &[policies(&[1])], &[explicit(0), policies(&[1])]));
}

#[test]
fn a_policy_may_be_asked_for_some_certificates_later() {
    assert!(!chain_with(&[explicit(1)], &[], &[]));
    assert!(!chain_with(&[explicit(2)], &[], &[]), "the leaf counts");
    assert!(chain_with(&[explicit(3)], &[], &[]));
    assert!(!chain_with(&[], &[explicit(1)], &[]));
    assert!(chain_with(&[], &[explicit(2)], &[]));
}

#[test]
fn policies_go_by_other_names_below_an_authority_that_maps_them() {
    let asked = [explicit(0), policies(&[1])];
    assert!(chain_with(&asked, &[policies(&[1]), mapping(1, 2)], &[policies(&[2])]));
    assert!(!chain_with(&asked, &[policies(&[1]), mapping(1, 2)], &[policies(&[1])]));
    assert!(chain_with(&[explicit(0), policies(&[0])], &[policies(&[0]), mapping(1, 2)], &[policies(&[2])]));
    assert!(!chain_with(&[policies(&[0])], &[policies(&[0]), mapping(0, 2)], &[]), "any has no other name");
    let inhibited = extension(36, element(0x30, &[element(0x80, &[0]), element(0x81, &[0])].concat()));
    assert!(!chain_with(&[inhibited, policies(&[1])], &[policies(&[1]), mapping(1, 2)], &[policies(&[2])]));
}

#[test]
fn what_is_critical_must_be_understood() {
    let strange = |critical| {
        let mut strange = CustomExtension::from_oid_content(&[1, 2, 3], vec![5, 0]);
        strange.set_criticality(critical);
        strange
    };
    assert!(chain_with(&[strange(false)], &[], &[strange(false)]));
    assert!(!chain_with(&[], &[], &[strange(true)]));
    assert!(!chain_with(&[strange(true)], &[], &[]));
}

#[test]
fn an_authority_that_names_itself_does_not_count_for_policies() {
    let root = root();
    let asking = |after| {
        let mut params = authority_params("first");
        params.custom_extensions = vec![explicit(after)];
        let first = below(&root, params);
        let renewed = below(&first, authority_params("first"));
        let pem = [root.pem(), first.pem(), renewed.pem(), leaf(&renewed, &server())].concat();
        chain(&pem, &json!({})).expect("no error").len()
    };
    assert_eq!((asking(2), asking(1)), (4, 0));
}

#[test]
fn the_search_for_a_chain_is_given_up_in_the_end() {
    let root = root();
    let among = |others: usize| {
        let middle = below(&root, authority_params("middle"));
        let others: String = (0..others).map(|_| below(&root, authority_params("middle")).pem()).collect();
        let pem = [root.pem(), others, middle.pem(), leaf(&middle, &server())].concat();
        chain(&pem, &json!({})).expect("no error").len()
    };
    assert_eq!((among(90), among(110)), (3, 0));
}

#[test]
fn any_policy_may_be_none() {
    let none = |after: u8| extension(54, element(2, &[after]));
    assert!(!chain_with(&[explicit(0), policies(&[1]), none(0)], &[policies(&[0])], &[policies(&[1])]));
    assert!(chain_with(&[explicit(0), policies(&[1]), none(1)], &[policies(&[0])], &[policies(&[1])]));
    assert!(!chain_with(&[explicit(0), policies(&[1]), none(1)], &[policies(&[1])], &[policies(&[0])]));
}

#[test]
fn certificates_are_shown_as_go_shows_them() {
    let mut params = params("leaf", &["a.example.com", "10.1.2.3", "::1"]);
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.serial_number = Some(SerialNumber::from(vec![0x01, 0, 0, 0, 0, 0, 0, 0, 0]));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let uri = rcgen::string::Ia5String::try_from("spiffe://example.com/a").expect("ASCII");
    params.subject_alt_names.push(rcgen::SanType::URI(uri));
    let made = params.self_signed(&key()).expect("a certificate");
    let result = call("crypto.x509.parse_certificates", &json!([base64::spell(made.der())])).expect("certificates");
    let shown = &result.as_array().expect("an array")[0];
    for (path, expected) in [
        (&["Raw"][..], encode(&base64::spell(made.der()).into())),
        (&["SerialNumber"], "18446744073709551616".to_owned()),
        (&["Version"], "3".to_owned()),
        (&["SignatureAlgorithm"], "10".to_owned()),
        (&["PublicKeyAlgorithm"], "3".to_owned()),
        (&["PublicKey", "Curve"], "{}".to_owned()),
        (&["NotBefore"], r#""2020-01-01T00:00:00Z""#.to_owned()),
        (&["Subject", "CommonName"], r#""leaf""#.to_owned()),
        (&["Subject", "Organization"], r#"["Example"]"#.to_owned()),
        (&["Subject", "Country"], "null".to_owned()),
        (&["Subject", "ExtraNames"], "null".to_owned()),
        (&["KeyUsage"], "33".to_owned()),
        (&["ExtKeyUsage"], "[2]".to_owned()),
        (&["UnknownExtKeyUsage"], "null".to_owned()),
        (&["IsCA"], "true".to_owned()),
        (&["MaxPathLen"], "0".to_owned()),
        (&["MaxPathLenZero"], "true".to_owned()),
        (&["BasicConstraintsValid"], "true".to_owned()),
        (&["DNSNames"], r#"["a.example.com"]"#.to_owned()),
        (&["IPAddresses"], r#"["10.1.2.3","::1"]"#.to_owned()),
        (&["EmailAddresses"], "null".to_owned()),
        (&["URIStrings"], r#"["spiffe://example.com/a"]"#.to_owned()),
        (&["AuthorityKeyId"], "null".to_owned()),
        (&["Policies"], "null".to_owned()),
        (&["PermittedDNSDomainsCritical"], "false".to_owned()),
    ] {
        assert_eq!(shown.at(path).map(encode), Some(expected), "{path:?}");
    }
    let names = shown.at(["Subject", "Names"]).and_then(Value::as_array).expect("names");
    assert!(names.iter().any(|name| encode(name) == r#"{"Type":[2,5,4,10],"Value":"Example"}"#));
    let uris = shown.get("URIs").and_then(Value::as_array).expect("URIs");
    assert_eq!(uris[0].get("Host").and_then(Value::as_str), Some("example.com"));
    let extensions = shown.get("Extensions").and_then(Value::as_array).expect("extensions");
    assert!(extensions.iter().any(|extension| extension.get("Id").map(encode).as_deref() == Some("[2,5,29,17]")));
    assert_eq!(shown.as_object().map(regent_core::value::Object::len), Some(53), "52 fields of Go, and one of OPA");
}

#[test]
fn certificates_come_in_many_wrappings() {
    let (a, b) = (root(), root());
    let pem = a.pem() + &b.pem();
    let der = base64::spell(&[a.der().as_ref(), b.der()].concat());
    let parse = |text: &str| call("crypto.x509.parse_certificates", &json!([text])).map(|found| encode(&found));
    let expected = parse(&pem);
    assert!(expected.as_ref().is_ok_and(|found| found.starts_with("[{")));
    assert_eq!((parse(&der), parse(&base64::spell(pem.as_bytes()))), (expected.clone(), expected));
    check("crypto.x509.parse_certificates", r#"[""]"#, "[]");
    check_error("crypto.x509.parse_certificates", r#"["YQ=="]"#, "x509: malformed certificate");
    check_error("crypto.x509.parse_certificates", r#"["nope*"]"#, "illegal base64 data at input byte 4");
    let key = json!([key().serialize_pem()]).to_string();
    let message = "PEM block type is 'PRIVATE KEY', expected CERTIFICATE";
    check_error("crypto.x509.parse_certificates", &key, message);
}

#[test]
fn requests_are_shown_with_what_they_ask_for() {
    let made = params("leaf", &["a.example.com"]).serialize_request(&key()).expect("a request");
    let pem = made.pem().expect("PEM");
    let parse = |text: &str| call("crypto.x509.parse_certificate_request", &json!([text]));
    let shown = parse(&pem).expect("a request");
    assert_eq!(shown.at(["Subject", "CommonName"]).and_then(Value::as_str), Some("leaf"));
    assert_eq!(shown.get("DNSNames").map(encode).as_deref(), Some(r#"["a.example.com"]"#));
    assert_eq!(shown.get("Version").map(encode).as_deref(), Some("0"));
    let attributes = shown.get("Attributes").map(encode).expect("attributes");
    assert!(
        attributes.starts_with(r#"[{"Type":[1,2,840,113549,1,9,14],"Value":[[{"Type":[2,5,29,17],"Value":""#),
        "{attributes}"
    );
    assert_eq!(parse(&base64::spell(made.der())), Ok(shown.clone()));
    assert_eq!(parse(&base64::spell(pem.as_bytes())), Ok(shown));
    assert_eq!(
        parse(&base64::spell(&[made.der().as_ref(), &[0]].concat())),
        Err("asn1: syntax error: trailing data".to_owned())
    );
    assert_eq!(parse(""), Err("asn1: syntax error: sequence truncated".to_owned()));
    let wrong = base64::spell(root().pem().as_bytes());
    assert_eq!(parse(&wrong), Err("invalid PEM-encoded certificate signing request".to_owned()));
    let error = parse("YmFkc3RyaW5n").expect_err("no request");
    let start =
        "asn1: structure error: tags don't match (16 vs {class:1 tag:2 length:97 isCompound:true}) {optional:false ";
    assert!(error.starts_with(start) && error.ends_with(" omitEmpty:false} certificateRequest @2"), "{error}");
}

#[test]
fn pairs_belong_together() {
    let parse = |certificate: &str, key: &str| call("crypto.x509.parse_keypair", &json!([certificate, key]));
    let rsa = pem::spell("PRIVATE KEY", &rsa_pkcs8(&rsa_key()));
    let keys = [
        key(),
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key"),
        KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key"),
        KeyPair::from_pem(&rsa).expect("a key"),
    ];
    for key in &keys {
        let made = params("leaf", &[]).self_signed(key).expect("a certificate");
        let pair = parse(&made.pem(), &key.serialize_pem()).expect("a pair");
        assert_eq!(pair.at(["Leaf", "Subject", "CommonName"]).and_then(Value::as_str), Some("leaf"));
        let private = private::pkcs8(key.serialized_der()).expect("a key");
        assert_eq!(pair.get("PrivateKey"), Some(&shape::private(&private)));
        let coded = parse(&base64::spell(made.der()), &base64::spell(key.serialized_der()));
        assert_eq!(coded, Ok(pair));
        let other = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let mismatch = parse(&made.pem(), &other.serialize_pem()).expect_err("no pair");
        let expected =
            ["tls: private key does not match public key", "tls: private key type does not match public key type"];
        assert!(expected.contains(&mismatch.as_str()), "{mismatch}");
    }
    let (certificate, key) = (root().pem(), keys[0].serialize_pem());
    for (certificate, key, message) in [
        (
            &key,
            &key,
            "failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched",
        ),
        (&certificate, &certificate, "found a certificate rather than a key in the PEM for the private key"),
        (&"-----BEGIN ".to_owned(), &key, "failed to find any PEM data in certificate input"),
        (&certificate, &"-----BEGIN ".to_owned(), "failed to find any PEM data in key input"),
        (&certificate, &pem::spell("A PRIVATE KEY", &[1]), "failed to parse private key"),
        (
            &pem::spell("A", &[1]),
            &key,
            "failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: [A]",
        ),
        (
            &certificate,
            &pem::spell("A", &[1]),
            "failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the following types: [A]",
        ),
    ] {
        assert_eq!(parse(certificate, key), Err(format!("tls: {message}")));
    }
    check_error("crypto.x509.parse_keypair", r#"["", 1]"#, "operand 1 must be string but got number");
}

#[test]
fn certificates_signed_in_every_way_verify() {
    let rsa = pem::spell("PRIVATE KEY", &rsa_pkcs8(&rsa_key()));
    let rsa_with = |algorithm| KeyPair::from_pem_and_sign_algo(&rsa, algorithm).expect("a key");
    for key in [
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key"),
        KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key"),
        rsa_with(&rcgen::PKCS_RSA_SHA256),
        rsa_with(&rcgen::PKCS_RSA_SHA384),
        rsa_with(&rcgen::PKCS_RSA_SHA512),
    ] {
        let root = CertifiedIssuer::self_signed(authority_params("root"), key).expect("a root");
        let leaf = server().signed_by(&self::key(), &root).expect("a leaf");
        check_chain(&(root.pem() + &leaf.pem()), &json!({}), &["leaf", "root"]);
        let mut tampered = leaf.der().to_vec();
        let last = tampered.len() - 1;
        tampered[last] ^= 1;
        check_chain(&(root.pem() + &pem::spell("CERTIFICATE", &tampered)), &json!({}), &[]);
    }
}

#[test]
fn hostile_certificates_never_panic() {
    let mut params = server();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(3));
    let permitted = vec![GeneralSubtree::Rfc822Name("a@b".to_owned()), GeneralSubtree::DnsName("c".to_owned())];
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    let certificate = params.self_signed(&key()).expect("a certificate").der().to_vec();
    let request = server().serialize_request(&key()).expect("a request").der().to_vec();
    assert!(Certificate::one(&certificate).is_ok() && super::request::read(&request).is_ok());
    for at in 0..certificate.len() {
        assert!(Certificate::one(&certificate[..at]).is_err(), "cut at {at}");
        for mask in [0x01, 0x80, 0xff] {
            let mut flipped = certificate.clone();
            flipped[at] ^= mask;
            let _ = Certificate::all(&flipped).map(|found| found.iter().map(Certificate::shape).count());
        }
    }
    for at in 0..request.len() {
        assert!(super::request::read(&request[..at]).is_err(), "cut at {at}");
        let mut flipped = request.clone();
        flipped[at] ^= 0xff;
        let _ = super::request::read(&flipped).is_ok();
    }
}
