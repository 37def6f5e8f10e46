//! Keys of a role, from AWS's token service: for other keys, or for a token by which the environment vouches.

use std::path::Path;

use jiff::Timestamp;
use regent_core::config::Secret;
use regent_core::service::BoxFuture;
use serde::Deserialize;

use super::chain::WrittenSource;
use super::{Keys, MARGIN, Provider, Surroundings, Version, ask, required, sign, until};
use crate::credentials::asker::{Question, address};
use crate::credentials::failure::{Failure, read_file};
use crate::credentials::fresh::{Fresh, Lasting};
use crate::credentials::given;

/// The name of a session, unless the configuration gives one.
const SESSION: &str = "open-policy-agent";

/// What both ways to a role have in the configuration.
#[derive(Deserialize)]
pub(crate) struct WrittenRole {
    aws_region: Option<String>,
    session_name: Option<String>,
    aws_domain: Option<String>,
    /// Only for keys; else the environment names the role.
    iam_role_arn: Option<String>,
    /// Only for keys: whose.
    pub(super) aws_signing: Option<Box<WrittenSource>>,
}

/// What vouches for the agent.
pub(super) enum Voucher {
    /// Keys, and how the question is signed with them.
    Keys(Box<dyn Provider>, Version),
    /// The token whose file the environment names.
    WebIdentity,
}

/// A role that is assumed.
pub(super) struct AssumedRole {
    written: WrittenRole,
    voucher: Voucher,
    surroundings: Surroundings,
    keys: Fresh<Keys>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "AssumeRoleResult", alias = "AssumeRoleWithWebIdentityResult")]
    result: AnswerResult,
}

#[derive(Deserialize)]
struct AnswerResult {
    #[serde(rename = "Credentials")]
    credentials: AnswerKeys,
}

/// Plain texts, since nothing in XML says that a text is one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: Timestamp,
}

impl AssumedRole {
    pub(super) fn new(written: WrittenRole, voucher: Voucher, surroundings: Surroundings) -> Self {
        Self { written, voucher, surroundings, keys: Fresh::new(MARGIN) }
    }

    async fn fetch(&self) -> Result<Lasting<Keys>, Failure> {
        let environment = &self.surroundings.environment;
        let session = given(self.written.session_name.clone()).unwrap_or_else(|| SESSION.to_owned());
        let question = match &self.voucher {
            Voucher::Keys(source, version) => {
                let region = self.surroundings.region(self.written.aws_region.as_deref())?;
                let role = self.surroundings.configured_or("AWS_ROLE_ARN", self.written.iam_role_arn.as_deref())?;
                let fields = [("Action", "AssumeRole"), ("RoleSessionName", &*session), ("RoleArn", &*role)];
                let mut question = self.question(&region, &fields)?;
                let Question { method, url, headers, body } = &mut question;
                sign(method, url, headers, body, ("sts", *version), &source.keys().await?)?;
                question
            }
            Voucher::WebIdentity => {
                let role = required(environment, "AWS_ROLE_ARN")?;
                let path = required(environment, "AWS_WEB_IDENTITY_TOKEN_FILE")?;
                let region = self.surroundings.region(self.written.aws_region.as_deref())?;
                let token = read_file("token file", Path::new(&path)).await;
                let token = token.map_err(|error| error.within("unable to read web token for sts HTTP request"))?;
                let action = ("Action", "AssumeRoleWithWebIdentity");
                let who = [action, ("RoleSessionName", &*session), ("RoleArn", &*role), ("WebIdentityToken", &*token)];
                self.question(&region, &who)?
            }
        };
        self.read(&ask(&self.surroundings.out, question, "STS").await?)
    }

    fn question(&self, region: &str, fields: &[(&str, &str)]) -> Result<Question, Failure> {
        let fields: Vec<_> = fields.iter().copied().chain([("Version", "2011-06-15")]).collect();
        Ok(Question::form(address(&self.address(region))?, &fields))
    }

    fn address(&self, region: &str) -> String {
        let environment = &self.surroundings.environment;
        environment.get("AWS_ENDPOINT_URL_STS").unwrap_or_else(|| {
            let domain = given(self.written.aws_domain.clone()).or_else(|| environment.get("AWS_DOMAIN"));
            let domain = domain.unwrap_or_else(|| "amazonaws.com".to_owned());
            format!("https://sts.{}.{}", region.to_lowercase(), domain.to_lowercase())
        })
    }

    fn read(&self, body: &[u8]) -> Result<Lasting<Keys>, Failure> {
        // The parser's words would quote what it found.
        let unreadable = || Failure::protocol("failed to parse credential response from STS service");
        let answer: Answer = quick_xml::de::from_reader(body).map_err(|_| unreadable())?;
        let given = answer.result.credentials;
        let keys = Keys {
            access_key: given.access_key_id,
            secret_key: Secret::new(given.secret_access_key),
            session_token: Secret::new(given.session_token),
            region: self.surroundings.region(self.written.aws_region.as_deref())?,
        };
        Ok(until(keys, given.expiration))
    }
}

impl Provider for AssumedRole {
    fn keys(&self) -> BoxFuture<'_, Result<Keys, Failure>> {
        Box::pin(self.keys.get(self.fetch()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_that_of_the_region_and_domain() {
        let address = |domain: Option<&str>, variables: [(&str, &str); 1]| {
            let aws_domain = domain.map(str::to_owned);
            let written =
                WrittenRole { aws_region: None, session_name: None, aws_domain, iam_role_arn: None, aws_signing: None };
            AssumedRole::new(written, Voucher::WebIdentity, Surroundings::new(variables.into())).address("EU-West-1")
        };
        let domain = [("AWS_DOMAIN", "Amazonaws.com.cn")];
        assert_eq!(address(None, [("A", "")]), "https://sts.eu-west-1.amazonaws.com");
        assert_eq!(address(None, domain), "https://sts.eu-west-1.amazonaws.com.cn");
        assert_eq!(address(Some("example.com"), domain), "https://sts.eu-west-1.example.com");
        assert_eq!(address(Some("a"), [("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")]), "http://127.0.0.1:1");
    }
}
