//! `azure_managed_identity`: a token from the identity service of a machine or an App Service in Azure, asked for at
//! each request, as in OPA: the service keeps tokens itself.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::AUTHORIZATION;
use regent_core::Error;
use regent_core::config::{ConfigErrors, Secret, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};
use serde::Deserialize;

use super::asker::{Answer, Asker, Question, Way, address};
use super::failure::Failure;
use super::{authorization, given, is_registry, refused};
use crate::environment::Environment;

const MACHINE_ENDPOINT: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const MACHINE_API: &str = "2018-02-01";
const APP_SERVICE_API: &str = "2019-08-01";
const STORAGE: &str = "https://storage.azure.com/";

/// How long a token may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Makes [`ManagedIdentity`] credentials.
pub(crate) struct AzureManagedIdentityFactory(pub(crate) Environment);

/// Which identity, from where, as it is written.
#[derive(Deserialize)]
pub(super) struct WrittenIdentity {
    endpoint: Option<String>,
    api_version: Option<String>,
    /// What the token is for.
    pub(super) resource: Option<String>,
    object_id: Option<String>,
    client_id: Option<String>,
    mi_res_id: Option<String>,
    use_app_service_msi: Option<bool>,
}

/// Which identity, from where.
pub(super) struct ManagedIdentity {
    written: WrittenIdentity,
    environment: Environment,
    asker: Asker,
}

#[derive(Deserialize)]
struct Token {
    access_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Complaint {
    error: Option<String>,
    error_description: Option<String>,
}

impl CredentialFactory for AzureManagedIdentityFactory {
    fn kind(&self) -> &'static str {
        "azure_managed_identity"
    }

    fn build(&self, section: &Section, service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        if is_registry(service) {
            return Err(refused(section, "azure managed identities auth: OCI service not supported"));
        }
        Ok(Arc::new(ManagedIdentity::new(section.parse::<WrittenIdentity>()?, &self.0)))
    }
}

impl ManagedIdentity {
    pub(super) fn new(written: WrittenIdentity, environment: &Environment) -> Self {
        Self { written, environment: environment.clone(), asker: Asker::new(Way::Near, LIMIT) }
    }

    fn question(&self) -> Result<Question, Failure> {
        let written = &self.written;
        let configured = given(written.endpoint.clone());
        let announced = self.environment.get("IDENTITY_ENDPOINT").filter(|_| configured.is_none());
        let is_app_service = written.use_app_service_msi.unwrap_or_default() || announced.is_some();
        let endpoint = configured.or(announced).unwrap_or_else(|| MACHINE_ENDPOINT.to_owned());
        let mut url = address(&endpoint)?;
        let api = if is_app_service { APP_SERVICE_API } else { MACHINE_API };
        url.query_pairs_mut()
            .append_pair("api-version", &given(written.api_version.clone()).unwrap_or_else(|| api.to_owned()))
            .append_pair("resource", &given(written.resource.clone()).unwrap_or_else(|| STORAGE.to_owned()));
        let who =
            [("object_id", &written.object_id), ("client_id", &written.client_id), ("mi_res_id", &written.mi_res_id)];
        for (name, value) in who {
            if let Some(value) = given(value.clone()) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        if is_app_service {
            let missing = "azure managed identities auth: IDENTITY_HEADER env var not found";
            let header = self.environment.get("IDENTITY_HEADER").ok_or_else(|| Failure::config(missing))?;
            Question::get(url).with("x-identity-header", &header)
        } else {
            Question::get(url).with("metadata", "true")
        }
    }

    /// A token that holds now.
    pub(super) async fn token(&self) -> Result<Secret, Failure> {
        let question = self.question()?;
        let address = question.url.to_string();
        let asked = self.asker.ask(question).await;
        let answer = asked.map_err(|failure| failure.within("error retrieving azure token"))?;
        if answer.status != StatusCode::OK {
            return Err(refusal(&answer, &address));
        }
        // serde's own words would quote what it found.
        let token = serde_json::from_slice::<Token>(&answer.body).ok().and_then(|token| token.access_token);
        let token = token.filter(|token| !token.expose().is_empty());
        token.ok_or_else(|| Failure::protocol(format!("answer of {address} is no JSON object with a token")))
    }
}

fn refusal(answer: &Answer, address: &str) -> Failure {
    let complaint = serde_json::from_slice::<Complaint>(&answer.body);
    let complaint = complaint.unwrap_or(Complaint { error: None, error_description: Some(answer.excerpt()) });
    let (error, description) = (complaint.error.unwrap_or_default(), complaint.error_description.unwrap_or_default());
    let status = answer.status.as_u16();
    Failure::unavailable(format!("{status} {error} retrieving azure token from {address}: {description}"))
}

impl CredentialProvider for ManagedIdentity {
    fn prepare<'a>(&'a self, _url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let token = self.token().await?;
            request.headers.insert(AUTHORIZATION, authorization("Bearer", &token)?);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use regent_kit::{ControlPlane, Fault};

    use super::super::testing::{Guarded, connect};

    const TOKEN: &str = r#"{"access_token": "t1", "expires_in": "3599", "token_type": "Bearer"}"#;

    #[tokio::test]
    async fn a_machine_has_an_identity() {
        let identity = ControlPlane::start().await;
        identity.fail_always("/token", Some(Fault::Body(TOKEN.into())));
        let more = "object_id: o, client_id: c, mi_res_id: m, resource: 'https://r/'";
        let config = format!("azure_managed_identity: {{endpoint: '{}/token', {more}}}", identity.url());
        let guarded = Guarded::by(&config, [("IDENTITY_ENDPOINT", "http://nowhere"), ("IDENTITY_HEADER", "h")]).await;
        for _ in 0..2 {
            assert_eq!(guarded.authorization().await, Ok("Bearer t1".to_owned()));
        }
        let [asked, _] = &identity.requests()[..] else { panic!("each request asks") };
        let query = "api-version=2018-02-01&resource=https%3A%2F%2Fr%2F&object_id=o&client_id=c&mi_res_id=m";
        assert_eq!(asked.path, format!("/token?{query}"));
        assert_eq!((asked.header("metadata"), asked.header("x-identity-header")), (Some("true"), None));
    }

    #[tokio::test]
    async fn an_app_service_says_where_its_identity_is() {
        let identity = ControlPlane::start().await;
        identity.fail_always("/msi", Some(Fault::Body(TOKEN.into())));
        let endpoint = format!("{}/msi", identity.url());
        let variables = [("IDENTITY_ENDPOINT", &*endpoint), ("IDENTITY_HEADER", "s3cret")];
        let guarded = Guarded::by("azure_managed_identity: {}", variables).await;
        assert_eq!(guarded.authorization().await, Ok("Bearer t1".to_owned()));
        let asked = &identity.requests()[0];
        assert_eq!(asked.path, "/msi?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com%2F");
        assert_eq!((asked.header("metadata"), asked.header("x-identity-header")), (None, Some("s3cret")));

        let guarded = Guarded::by("azure_managed_identity: {}", [("IDENTITY_ENDPOINT", &*endpoint)]).await;
        let error = guarded.authorization().await.expect_err("no header");
        assert_eq!(error, "azure managed identities auth: IDENTITY_HEADER env var not found");
    }

    #[tokio::test]
    async fn what_the_identity_service_does_wrong_fails_the_request_and_passes() {
        let identity = ControlPlane::start().await;
        let (url, query) = (identity.url(), "api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F");
        let guarded = Guarded::by(&format!("azure_managed_identity: {{endpoint: '{url}/token'}}"), []).await;
        let faults = [
            (Fault::Status(429), format!("429  retrieving azure token from {url}/token?{query}: ")),
            (Fault::Body("{}".into()), format!("answer of {url}/token?{query} is no JSON object with a token")),
            (Fault::Body("<".into()), format!("answer of {url}/token?{query} is no JSON object with a token")),
            (Fault::Reset, "error retrieving azure token: no answer".to_owned()),
        ];
        for (fault, expected) in faults {
            identity.fail_next("/token", fault);
            let error = guarded.authorization().await.expect_err("no token");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert!(guarded.server.requests().is_empty(), "nothing is sent without a token");
        identity.fail_next("/token", Fault::Body(TOKEN.into()));
        assert_eq!(guarded.authorization().await, Ok("Bearer t1".to_owned()));
    }

    #[test]
    fn complaints_are_told_in_opas_words() {
        let body = br#"{"error": "invalid_request", "error_description": "Identity not found"}"#.to_vec();
        let answer = super::Answer { status: http::StatusCode::BAD_REQUEST, body };
        let expected = "400 invalid_request retrieving azure token from http://x: Identity not found";
        assert_eq!(super::refusal(&answer, "http://x").to_string(), expected);
    }

    #[test]
    fn registries_are_refused() {
        let config = "services: {acme: {url: 'http://x', type: oci, credentials: {azure_managed_identity: {}}}}";
        let error = connect(config, []).err().expect("a refusal");
        assert!(error.starts_with("azure managed identities auth: OCI service not supported"), "{error}");
    }
}
