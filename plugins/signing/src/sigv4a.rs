//! Signatures of requests to AWS, version 4A: for any region, with a key pair derived from the keys of version 4.
//!
//! Whoever checks them knows only the public key. Requests are described as in [`sigv4`](crate::sigv4); of the
//! credentials, the region does not count. As in OPA, each request is signed for all regions, with the digest of its
//! body in a header whatever the service is.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature as EcdsaSignature, SigningKey};
use sha2::{Digest, Sha256};

use crate::hex;
use crate::sigv4::{Credentials, IGNORED, Request, Signature};

const ALGORITHM: &str = "AWS4-ECDSA-P256-SHA256";

/// The order of the curve less two, which keys have to be below before one is added.
const ORDER_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// Signs a request. None if no key can be derived, which of all keys of AWS happens to none.
pub fn sign(request: &Request<'_>, credentials: &Credentials<'_>, time: Timestamp) -> Option<Signature> {
    let key = derive(credentials.access_key, credentials.secret_key)?;
    let payload = payload(request);
    let headers = added(request, credentials, &payload, time);
    let (text, names) = text(request, credentials, &headers, &payload, time);
    let signature: EcdsaSignature = key.sign(text.as_bytes());
    let signature = hex::spell(signature.to_der().as_bytes());
    let credential = format!("{}/{}", credentials.access_key, scope(credentials, time));
    let authorization = format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}");
    Some(Signature { authorization, headers })
}

/// The private key: a number that an HMAC gives (NIST SP 800-108, counter mode), brought into the range of keys
/// (FIPS 186-4, B.4.2).
fn derive(access_key: &str, secret_key: &str) -> Option<SigningKey> {
    let secret = format!("AWS4A{secret_key}");
    for counter in 1..=u8::MAX {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes());
        let mac = mac.expect("an HMAC takes keys of any length");
        let mac = mac.chain_update(1_u32.to_be_bytes()).chain_update(ALGORITHM).chain_update([0]);
        let mac = mac.chain_update(access_key).chain_update([counter]).chain_update(256_u32.to_be_bytes());
        let mut number: [u8; 32] = mac.finalize().into_bytes().into();
        if number < ORDER_LESS_TWO {
            add_one(&mut number);
            return SigningKey::from_slice(&number).ok();
        }
    }
    None
}

fn add_one(number: &mut [u8; 32]) {
    for byte in number.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return;
        }
    }
}

fn payload(request: &Request<'_>) -> String {
    request.payload.map_or("UNSIGNED-PAYLOAD".to_owned(), |body| hex::spell(&Sha256::digest(body)))
}

fn scope(credentials: &Credentials<'_>, time: Timestamp) -> String {
    format!("{}/{}/aws4_request", time.strftime("%Y%m%d"), credentials.service)
}

/// The headers that are added to the request.
fn added(
    request: &Request<'_>,
    credentials: &Credentials<'_>,
    payload: &str,
    time: Timestamp,
) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("host", request.host.to_owned()),
        ("x-amz-content-sha256", payload.to_owned()),
        ("x-amz-date", time.strftime("%Y%m%dT%H%M%SZ").to_string()),
        ("x-amz-region-set", "*".to_owned()),
    ];
    if !credentials.session_token.is_empty() {
        headers.push(("x-amz-security-token", credentials.session_token.to_owned()));
    }
    headers
}

/// The text that is signed, and the names of the headers in it.
fn text(
    request: &Request<'_>,
    credentials: &Credentials<'_>,
    added: &[(&'static str, String)],
    payload: &str,
    time: Timestamp,
) -> (String, String) {
    let signed = signed_headers(request, added);
    let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let lines = signed.iter().fold(String::new(), |lines, (name, value)| lines + name + ":" + value + "\n");
    let path = if request.path.is_empty() { "/" } else { request.path };
    let (method, query) = (request.method, sorted(request.query));
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");
    let (time, scope) = (time.strftime("%Y%m%dT%H%M%SZ"), scope(credentials, time));
    (format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex::spell(&Sha256::digest(canonical.as_bytes()))), names)
}

/// The headers by their names in lower case, without needless spaces. What is added wins over what the request has.
fn signed_headers(request: &Request<'_>, added: &[(&'static str, String)]) -> BTreeMap<String, String> {
    let mut signed = BTreeMap::<String, String>::new();
    if let Some(length) = request.payload.map(<[u8]>::len).filter(|length| *length > 0) {
        signed.insert("content-length".to_owned(), length.to_string());
    }
    for (name, value) in request.headers {
        let (name, value) = (name.to_lowercase(), value.split(' ').filter(|word| !word.is_empty()));
        let value = value.collect::<Vec<_>>().join(" ");
        let is_ours = name == "content-length" || added.iter().any(|(added, _)| *added == name);
        if is_ours || IGNORED.contains(&&*name) {
            continue;
        }
        signed.entry(name).and_modify(|values| *values = format!("{values},{value}")).or_insert(value);
    }
    signed.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    signed
}

/// The query with its parameters in order. They are taken as they are escaped.
fn sorted(query: &str) -> String {
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.replace('+', "%20"))
        .map(|parameter| if parameter.contains('=') { parameter } else { parameter + "=" })
        .collect();
    parameters.sort_unstable();
    parameters.join("&")
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;

    use super::*;

    const CREDENTIALS: Credentials<'_> = Credentials {
        access_key: "AKISORANDOMAASORANDOM",
        secret_key: "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom",
        session_token: "",
        region: "us-west-2",
        service: "service",
    };

    /// The pair of the tests of AWS's own clients.
    #[test]
    fn keys_are_derived_as_aws_derives_them() {
        let key = derive(CREDENTIALS.access_key, CREDENTIALS.secret_key).expect("a key");
        let point = key.verifying_key().to_sec1_point(false);
        let spelled = hex::spell(point.as_bytes());
        let x = "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb";
        let y = "0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0";
        assert_eq!(spelled, format!("04{x}{y}"));
    }

    #[test]
    fn adding_one_carries() {
        let mut number = [0xff; 32];
        number[0] = 7;
        add_one(&mut number);
        let mut expected = [0; 32];
        expected[0] = 8;
        assert_eq!(number, expected);
    }

    #[test]
    fn what_is_signed_is_what_opa_signs_and_verifies_with_the_public_key() {
        let headers = [("X-Own", "a   b "), ("user-agent", "x"), ("x-own", "c"), ("prefer", "modes=snapshot")];
        let request = Request {
            method: "POST",
            host: "acme:8080",
            path: "/a%20b",
            query: "x=1&a=2+3&flag",
            headers: &headers,
            payload: Some(b"body"),
        };
        let time = "2020-06-06T00:00:00Z".parse().expect("a time");
        let credentials = Credentials { session_token: "t0ken", ..CREDENTIALS };
        let signature = sign(&request, &credentials, time).expect("a signature");
        let digest = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
        let names =
            "content-length;host;prefer;x-amz-content-sha256;x-amz-date;x-amz-region-set;x-amz-security-token;x-own";
        let start = format!(
            "AWS4-ECDSA-P256-SHA256 Credential=AKISORANDOMAASORANDOM/20200606/service/aws4_request, \
             SignedHeaders={names}, Signature="
        );
        let signed = signature.authorization.strip_prefix(&start).expect("the form of version 4A");
        let canonical = format!(
            "POST\n/a%20b\na=2%203&flag=&x=1\ncontent-length:4\nhost:acme:8080\nprefer:modes=snapshot\n\
             x-amz-content-sha256:{digest}\nx-amz-date:20200606T000000Z\nx-amz-region-set:*\n\
             x-amz-security-token:t0ken\nx-own:a b,c\n\n{names}\n{digest}"
        );
        let hash = hex::spell(&Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-ECDSA-P256-SHA256\n20200606T000000Z\n20200606/service/aws4_request\n{hash}");
        let der = hex::bytes(signed).expect("hexadecimal digits");
        let key = derive(CREDENTIALS.access_key, CREDENTIALS.secret_key).expect("a key");
        let key: VerifyingKey = *key.verifying_key();
        let verified = key.verify(text.as_bytes(), &EcdsaSignature::from_der(&der).expect("a signature"));
        assert!(verified.is_ok(), "{text}");
        let shown: Vec<_> = signature.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let expected = [
            ("host", "acme:8080"),
            ("x-amz-content-sha256", digest),
            ("x-amz-date", "20200606T000000Z"),
            ("x-amz-region-set", "*"),
            ("x-amz-security-token", "t0ken"),
        ];
        assert_eq!(shown, expected);
    }
}
