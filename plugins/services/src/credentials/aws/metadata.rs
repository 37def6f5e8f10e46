//! Keys of the role that a machine (EC2, by the second version of its metadata service) or a container (ECS, EKS) has.

use jiff::Timestamp;
use regent_core::config::Secret;
use regent_core::service::BoxFuture;
use serde::Deserialize;
use std::path::Path;

use super::{Keys, MARGIN, Provider, Surroundings, ask, until};
use crate::credentials::asker::{Question, address};
use crate::credentials::failure::{Failure, read_file};
use crate::credentials::fresh::{Fresh, Lasting};
use crate::credentials::given;

const MACHINE: &str = "http://169.254.169.254";
const CONTAINER: &str = "http://169.254.170.2";
const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

#[derive(Deserialize)]
pub(crate) struct WrittenMetadata {
    pub(super) aws_region: Option<String>,
    iam_role: Option<String>,
}

pub(super) struct FromMetadata {
    written: WrittenMetadata,
    surroundings: Surroundings,
    keys: Fresh<Keys>,
}

/// Where the keys are.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Of a machine: needs a token of the service itself.
    Machine {
        token: String,
        keys: String,
    },
    Container(String),
    /// With a token of the environment.
    Guarded(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    /// Only machines have it.
    code: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret>,
    token: Option<Secret>,
    expiration: Option<Timestamp>,
}

impl FromMetadata {
    pub(super) fn new(written: WrittenMetadata, surroundings: Surroundings) -> Self {
        Self { written, surroundings, keys: Fresh::new(MARGIN) }
    }

    fn place(&self) -> Result<Place, Failure> {
        let environment = &self.surroundings.environment;
        if let Some(role) = given(self.written.iam_role.clone()) {
            let machine = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| MACHINE.to_owned());
            let machine = machine.trim_end_matches('/');
            return Ok(Place::Machine {
                token: format!("{machine}/latest/api/token"),
                keys: format!("{machine}/latest/meta-data/iam/security-credentials/{role}"),
            });
        }
        let relative = environment.find(RELATIVE).map(|path| Place::Container(format!("{CONTAINER}{path}")));
        let place = relative.or_else(|| environment.find(FULL).map(Place::Guarded));
        place.ok_or_else(|| Failure::config("metadata endpoint cannot be determined from settings and environment"))
    }

    async fn question(&self) -> Result<Question, Failure> {
        match self.place()? {
            Place::Container(url) => Ok(Question::get(address(&url)?)),
            Place::Guarded(url) => Question::get(address(&url)?).with("authorization", &self.token().await?),
            Place::Machine { token, keys } => {
                let put = Question { method: http::Method::PUT, ..Question::get(address(&token)?) };
                let put = put.with("x-aws-ec2-metadata-token-ttl-seconds", "60")?;
                let token = ask(&self.surroundings.near, put, "metadata token").await?;
                let token = String::from_utf8_lossy(&token);
                Question::get(address(&keys)?).with("x-aws-ec2-metadata-token", token.trim())
            }
        }
    }

    /// The token that a container is given.
    async fn token(&self) -> Result<String, Failure> {
        let environment = &self.surroundings.environment;
        if let Some(path) = environment.find("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            let read = read_file("token file", Path::new(&path)).await;
            return read.map_err(|error| error.within("failed to read ECS metadata authorization token from file"));
        }
        let missing = || Failure::config("unable to get ECS metadata authorization token");
        environment.find("AWS_CONTAINER_AUTHORIZATION_TOKEN").ok_or_else(missing)
    }

    async fn fetch(&self) -> Result<Lasting<Keys>, Failure> {
        let body = ask(&self.surroundings.near, self.question().await?, "metadata").await?;
        // The parser's words would quote what it found.
        let unreadable = || Failure::protocol("failed to parse credential response from metadata service");
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let code = answer.code.unwrap_or_default();
        if given(self.written.iam_role.clone()).is_some() && code != "Success" {
            return Err(Failure::unavailable(format!("metadata service query did not succeed: {code}")));
        }
        let keys = Keys {
            access_key: answer.access_key_id.ok_or_else(unreadable)?,
            secret_key: answer.secret_access_key.ok_or_else(unreadable)?,
            session_token: answer.token.unwrap_or_default(),
            region: self.surroundings.region(self.written.aws_region.as_deref())?,
        };
        Ok(until(keys, answer.expiration.unwrap_or_default()))
    }
}

impl Provider for FromMetadata {
    fn keys(&self) -> BoxFuture<'_, Result<Keys, Failure>> {
        Box::pin(self.keys.get(self.fetch()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_opas() {
        let place = |role: Option<&str>, variables: [(&str, &str); 2]| {
            let written = WrittenMetadata { aws_region: None, iam_role: role.map(str::to_owned) };
            FromMetadata::new(written, Surroundings::new(variables.into())).place().map_err(|error| error.to_string())
        };
        let machine = Place::Machine {
            token: "http://169.254.169.254/latest/api/token".to_owned(),
            keys: "http://169.254.169.254/latest/meta-data/iam/security-credentials/role".to_owned(),
        };
        let both = [(RELATIVE, "/creds"), (FULL, "http://x/y")];
        assert_eq!(place(Some("role"), both), Ok(machine));
        assert_eq!(place(None, both), Ok(Place::Container("http://169.254.170.2/creds".to_owned())));
        assert_eq!(place(None, [("A", ""), (FULL, "http://x/y")]), Ok(Place::Guarded("http://x/y".to_owned())));
        let missing = "metadata endpoint cannot be determined from settings and environment";
        assert_eq!(place(Some(""), [("A", ""), ("B", "")]), Err(missing.to_owned()));
    }
}
