//! Signatures of requests to AWS, version 4.
//!
//! Knows neither Rego nor a client of HTTP: who sends a request describes it and adds what comes out to its headers.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::hex;

/// Headers that proxies may change on the way.
pub(crate) const IGNORED: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];

/// Who signs, and for where.
pub struct Credentials<'a> {
    /// The name of the key.
    pub access_key: &'a str,
    /// The key.
    pub secret_key: &'a str,
    /// Of credentials that do not last; else empty.
    pub session_token: &'a str,
    /// The region that the request goes to.
    pub region: &'a str,
    /// The service that it goes to: `s3`.
    pub service: &'a str,
}

/// What is signed of a request.
pub struct Request<'a> {
    /// As it is sent.
    pub method: &'a str,
    /// With the port if the URL has one.
    pub host: &'a str,
    /// Escaped as it is sent.
    pub path: &'a str,
    /// Without `?`, as it is sent.
    pub query: &'a str,
    /// Names may be repeated.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; without one it is not signed.
    pub payload: Option<&'a [u8]>,
}

/// What is added to a request.
pub struct Signature {
    /// The header `Authorization`.
    pub authorization: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

/// Signs a request.
pub fn sign(request: &Request<'_>, credentials: &Credentials<'_>, time: Timestamp) -> Signature {
    let day = time.strftime("%Y%m%d").to_string();
    let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let digest = |bytes: &[u8]| hex::spell(&Sha256::digest(bytes));
    let payload = request.payload.map_or("UNSIGNED-PAYLOAD".to_owned(), digest);

    let mut headers = vec![("host", request.host.to_owned()), ("x-amz-date", time.clone())];
    if ["s3", "glacier"].contains(&credentials.service) {
        headers.push(("x-amz-content-sha256", payload.clone()));
    }
    if !credentials.session_token.is_empty() {
        headers.push(("x-amz-security-token", credentials.session_token.to_owned()));
    }

    let signed = signed_headers(request.headers, &headers);
    let names = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
    let lines = signed.iter().fold(String::new(), |lines, (name, value)| lines + name + ":" + value + "\n");
    let Request { method, path, query, .. } = request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");

    let Credentials { access_key, secret_key, region, service, .. } = credentials;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", digest(canonical.as_bytes()));
    let key = [&*day, region, service, "aws4_request"]
        .iter()
        .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| code(&key, part));
    let signature = hex::spell(&code(&key, &text));
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}");
    Signature { authorization, headers }
}

/// The headers by their names in lower case. What a request has itself counts.
fn signed_headers(own: &[(&str, &str)], added: &[(&'static str, String)]) -> BTreeMap<String, String> {
    let mut signed = BTreeMap::new();
    for (name, value) in own {
        let name = name.to_lowercase();
        if IGNORED.contains(&&*name) {
            continue;
        }
        signed
            .entry(name)
            .and_modify(|values: &mut String| {
                values.push(',');
                values.push_str(value);
            })
            .or_insert_with(|| (*value).to_owned());
    }
    for (name, value) in added {
        signed.entry((*name).to_owned()).or_insert_with(|| value.clone());
    }
    signed
}

fn code(key: &[u8], text: &str) -> Vec<u8> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("an HMAC takes keys of any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `get-vanilla` and its kin of AWS's own test suite, which has other spaces in the header.
    #[test]
    fn signatures_are_those_of_aws() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE",
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            session_token: "",
            region: "us-east-1",
            service: "service",
        };
        let time: Timestamp = "2015-08-30T12:36:00Z".parse().expect("a time");
        let signature = |method, headers: &[(&str, &str)]| {
            let request =
                Request { method, host: "example.amazonaws.com", path: "/", query: "", headers, payload: Some(b"") };
            let authorization = sign(&request, &credentials, time).authorization;
            authorization.rsplit_once('=').expect("a signature").1.to_owned()
        };
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(signature("GET", &[]), vanilla);
        assert_eq!(signature("GET", &[("User-Agent", "x"), ("authorization", "y")]), vanilla);
        let post = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c";
        assert_eq!(signature("POST", &[("My-Header1", "value1")]), post);
        let twice = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea";
        let values = ["value2", "value2", "value1"].map(|value| ("My-Header1", value));
        assert_eq!(signature("GET", &values), twice);
    }

    #[test]
    fn bodies_and_tokens_have_headers_of_their_own() {
        let mut credentials =
            Credentials { access_key: "a", secret_key: "s", session_token: "t", region: "r", service: "s3" };
        let request = Request { method: "PUT", host: "h", path: "/", query: "", headers: &[], payload: None };
        let signature = sign(&request, &credentials, Timestamp::UNIX_EPOCH);
        let shown: Vec<_> = signature.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let expected = [
            ("host", "h"),
            ("x-amz-date", "19700101T000000Z"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-amz-security-token", "t"),
        ];
        assert_eq!(shown, expected);
        assert!(signature.authorization.starts_with("AWS4-HMAC-SHA256 Credential=a/19700101/r/s3/aws4_request,"));
        (credentials.service, credentials.session_token) = ("ecr", "");
        assert_eq!(sign(&request, &credentials, Timestamp::UNIX_EPOCH).headers.len(), 2);
    }
}
