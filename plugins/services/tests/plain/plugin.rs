//! Credentials that a plugin brings.

use std::sync::Arc;

use http::HeaderValue;
use regent_core::config::{ConfigErrors, Section};
use regent_core::service::{BoxFuture, CredentialFactory, CredentialProvider, ServiceRequest};
use regent_core::{Error, Registry};
use regent_kit::ControlPlane;

use crate::common::{get, try_acme_with};

/// Puts a word of its section, and its service's name, into a header.
struct Words;

impl CredentialFactory for Words {
    fn kind(&self) -> &'static str {
        "words"
    }

    fn build(&self, section: &Section, service: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        match section.value().get("word").map(|word| word.as_str().map(str::to_owned)) {
            Some(None) => Err(section.error("word", "is no word").into()),
            word => Ok(Arc::new(Word(format!(
                "{} for {}",
                word.flatten().unwrap_or_else(|| "nothing".to_owned()),
                service.name()
            )))),
        }
    }
}

struct Word(String);

impl CredentialProvider for Word {
    fn prepare<'a>(&'a self, _url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            request.headers.insert("x-word", HeaderValue::try_from(&self.0).expect("a fit word"));
            Ok(())
        })
    }
}

pub(crate) fn add(registry: &mut Registry) {
    registry.credential(Arc::new(Words));
}

/// The header that a service with these credentials sees.
async fn seen(credentials: &str, rest: &str) -> Result<String, String> {
    let server = ControlPlane::start().await;
    let config = format!("services: {{acme: {{url: '{}', credentials: {credentials}}}}}\n{rest}", server.url());
    get(&*try_acme_with(&config, add).await?, "x").await?;
    Ok(server.requests()[0].header("x-word").unwrap_or_default().to_owned())
}

#[tokio::test]
async fn credentials_of_a_plugin_are_chosen_by_its_name() {
    let section = "plugins: {words: {word: open}}";
    assert_eq!(seen("{plugin: words}", section).await, Ok("open for services.acme".to_owned()));
    assert_eq!(seen("{plugin: words}", "").await, Ok("nothing for services.acme".to_owned()));
    assert_eq!(seen("{plugin: words}", "plugins: {words: null}").await, Ok("nothing for services.acme".to_owned()));
    assert_eq!(seen("{words: {word: in place}}", section).await, Ok("in place for services.acme".to_owned()));
    let beside = "{bearer: {token: t}, plugin: words}";
    assert_eq!(seen(beside, section).await, Ok("open for services.acme".to_owned()));
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_refused_in_opas_words() {
    let check = async |credentials: &str, rest: &str, expected: &str| {
        let error = seen(credentials, rest).await.expect_err("a refusal");
        assert!(error.starts_with(expected), "{error}");
    };
    check("{plugin: other}", "", r#"auth plugin "other" not found"#).await;
    check("{plugin: bearer}", "plugins: {}", r#"auth plugin "bearer" not found"#).await;
    check("{plugin: [words]}", "", "services.acme.credentials.plugin: invalid type").await;
    check("{plugin: words}", "plugins: {words: {word: 1}}", "plugins.words.word: is no word").await;
    check("{plugin: words}", "plugins: {others: {}}", r#"plugin "others" not registered"#).await;
}
