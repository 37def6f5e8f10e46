//! Signatures made by AWS's key service, which never gives the key away.

use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use regent_signing::base64;
use regent_signing::keys::der::{self, Der};
use regent_signing::keys::hash::Hash;
use serde::Deserialize;
use serde_json::json;

use crate::credentials::asker::{Question, address};
use crate::credentials::aws::{self, Chain, Surroundings};
use crate::credentials::failure::Failure;

/// How the service signs, on which curve.
#[derive(Clone, Copy)]
pub(super) struct Algorithm {
    /// As the service calls it.
    name: &'static str,
    /// As tokens call it.
    pub(super) token_name: &'static str,
    hash: Hash,
    /// Bytes of each of a signature's two numbers.
    size: usize,
}

/// A key of the service.
pub(super) struct KmsKey {
    /// Its name, alias or ARN.
    pub(super) name: String,
    pub(super) algorithm: Algorithm,
    pub(super) chain: Chain,
    pub(super) surroundings: Surroundings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    signature: String,
}

impl Algorithm {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "ECDSA_SHA_256" => Some(Self { name: "ECDSA_SHA_256", token_name: "ES256", hash: Hash::Sha256, size: 32 }),
            "ECDSA_SHA_384" => Some(Self { name: "ECDSA_SHA_384", token_name: "ES384", hash: Hash::Sha384, size: 48 }),
            "ECDSA_SHA_512" => Some(Self { name: "ECDSA_SHA_512", token_name: "ES512", hash: Hash::Sha512, size: 66 }),
            _ => None,
        }
    }
}

impl KmsKey {
    /// The signature of a message, in the form that tokens have.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let keys = self.chain.keys().await?;
        let region = &keys.region;
        let endpoint = self.surroundings.variable("AWS_ENDPOINT_URL_KMS");
        let url = address(&endpoint.unwrap_or_else(|| format!("https://kms.{region}.amazonaws.com/")))?;
        let body = json!({
            "KeyId": self.name,
            "Message": base64::spell(&self.algorithm.hash.digest(message)),
            "MessageType": "DIGEST",
            "SigningAlgorithm": self.algorithm.name,
        });
        let mut question = Question { method: Method::POST, body: body.to_string().into_bytes(), ..Question::get(url) };
        let headers = &mut question.headers;
        headers.insert(HeaderName::from_static("x-amz-target"), HeaderValue::from_static("TrentService.Sign"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        aws::sign(&question.method, &question.url, headers, &question.body, ("kms", self.chain.version), &keys)?;
        let body = self.surroundings.ask(question, "kms sign digest").await;
        let body = body.map_err(|failure| failure.within("kms: failed to sign digest"))?;
        let answer: Option<Answer> = serde_json::from_slice(&body).ok();
        let der = answer.and_then(|answer| base64::standard_bytes(&answer.signature).ok());
        let signature = der.and_then(|der| self.numbers(&der));
        signature.ok_or_else(|| Failure::protocol("kms: failed to sign digest: answer holds no signature"))
    }

    /// Both numbers of a signature, one after the other.
    fn numbers(&self, der: &[u8]) -> Option<Vec<u8>> {
        let mut pair = Der::new(der).read(der::SEQUENCE)?;
        let mut out = Vec::with_capacity(2 * self.algorithm.size);
        for _ in 0..2 {
            let number = pair.bytes(der::INTEGER)?;
            let start = number.iter().position(|byte| *byte != 0)?;
            let number = &number[start..];
            out.resize(out.len() + self.algorithm.size.checked_sub(number.len())?, 0);
            out.extend_from_slice(number);
        }
        pair.is_empty().then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use regent_kit::{ClientAuth, ControlPlane, Fault, Received};
    use regent_signing::base64;
    use regent_signing::keys::hash::Hash;
    use serde_json::{Value, json};

    use crate::credentials::testing::{Guarded, refusal};

    /// Numbers of 32 and of 31 bytes, the first of which needs a zero before it.
    fn signature() -> (Vec<u8>, Vec<u8>) {
        let (r, s) = ([0xff; 32], [0x11; 31]);
        let der = [&[0x30, 68, 2, 33, 0][..], &r, &[2, 31], &s].concat();
        (der, [&r[..], &[0], &s].concat())
    }

    fn assertion(request: &Received) -> String {
        let mut fields = url::form_urlencoded::parse(&request.body).into_owned();
        fields.find(|(name, _)| name == "client_assertion").expect("an assertion").1
    }

    #[tokio::test]
    async fn aws_signs_assertions() {
        let (tokens, kms) = (ControlPlane::start_tls(ClientAuth::None).await, ControlPlane::start().await);
        tokens.fail_always("/token", Some(Fault::Body(r#"{"access_token": "t", "token_type": "bearer"}"#.into())));
        let config = format!(
            "oauth2: {{token_url: '{}/token', aws_kms: {{name: alias/me, algorithm: ECDSA_SHA_256}}, \
             aws_signing: {{service: kms, environment_credentials: {{}}}}}}",
            tokens.url()
        );
        let url = kms.url();
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AK"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_KMS", &*url),
        ];
        let guarded = Guarded::by(&config, variables).await;
        let (der, raw) = signature();
        for (fault, expected) in [
            (
                Fault::Status(400),
                "kms: failed to sign digest: kms sign digest HTTP request returned unexpected status: 400",
            ),
            (Fault::Body("{}".into()), "kms: failed to sign digest: answer holds no signature"),
            (Fault::Body(r#"{"Signature": "MAA="}"#.into()), "kms: failed to sign digest: answer holds no signature"),
        ] {
            kms.fail_next("/", fault);
            let error = guarded.authorization().await.expect_err("no signature");
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(tokens.requests().is_empty());
        kms.fail_next("/", Fault::Body(json!({"Signature": base64::spell(&der)}).to_string().into()));
        assert_eq!(guarded.authorization().await, Ok("Bearer t".to_owned()));

        let assertion = assertion(&tokens.requests()[0]);
        let (message, signed) = assertion.rsplit_once('.').expect("a signature");
        assert_eq!(base64::url_bytes(signed).ok(), Some(raw));
        let header = base64::url_bytes(message.split('.').next().expect("a header")).expect("base64");
        assert_eq!(header, br#"{"alg":"ES256","typ":"JWT"}"#);
        let asked = kms.requests().pop().expect("a question");
        let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
        let digest = base64::spell(&Hash::Sha256.digest(message.as_bytes()));
        let expected = json!({
            "KeyId": "alias/me", "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"
        });
        assert_eq!((body, asked.header("x-amz-target")), (expected, Some("TrentService.Sign")));
        let authorization = asked.header("authorization").unwrap_or_default();
        assert!(authorization.contains("/eu-west-1/kms/aws4_request,SignedHeaders=accept-encoding;content-type;host;"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let check = |more: &str, expected: &str| {
            let error = refusal(&format!("oauth2: {{token_url: 'https://x', {more}}}"));
            assert!(error.contains(expected), "{error}");
        };
        let kms = "aws_signing: {service: kms, environment_credentials: {}}";
        check("aws_kms: {}", "aws_kms and aws_signing required");
        check("aws_kms: {}, aws_signing: {}", r#"cannot use SignDigest with aws service "s3""#);
        check(&format!("aws_kms: {{algorithm: RSA}}, {kms}"), "unsupported sign algorithm RSA");
        let none = "aws_kms: {algorithm: ECDSA_SHA_512}, aws_signing: {service: KMS}";
        check(none, "a AWS credential service must be specified when S3 signing is enabled");
        check("azure_keyvault: {}, aws_kms: {}", "can only use one of client_secret");
    }
}
