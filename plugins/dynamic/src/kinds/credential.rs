//! Credentials for services.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use regent_core::config::{ConfigErrors, Section};
use regent_core::engine::Cancel;
use regent_core::service::{BoxFuture, ClientIdentity, CredentialFactory, CredentialProvider, ServiceRequest};
use regent_core::{Error, ErrorKind};
use regent_plugin_abi::{Bytes, Credential, Status, Writer};
use serde::Deserialize;
use serde_json::json;

use super::config::Config;
use crate::attached::Attached;
use crate::exported::Exported;
use crate::instance::Instance;

/// Requests for which one instance may be asked at the same time.
const THREADS: usize = 16;

/// Makes credentials of a library's kind.
pub(crate) struct DynamicCredential {
    pub(crate) exported: Arc<Exported>,
    pub(crate) attached: Attached,
    pub(crate) functions: Credential,
}

impl CredentialFactory for DynamicCredential {
    fn kind(&self) -> &'static str {
        self.exported.name
    }

    fn build(&self, section: &Section, _: &Section) -> Result<Arc<dyn CredentialProvider>, ConfigErrors> {
        let config = Config::checked(&self.exported, section)?.json;
        let instance = Instance::create(&self.exported, self.attached.clone(), config, THREADS);
        let instance = instance.map_err(|failure| section.error("", failure.to_string()))?;
        Ok(Arc::new(Provider { instance, functions: self.functions }))
    }
}

struct Provider {
    instance: Arc<Instance>,
    functions: Credential,
}

impl CredentialProvider for Provider {
    fn prepare<'a>(&'a self, url: &'a str, request: &'a mut ServiceRequest) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let about = json!({"method": request.method.as_str(), "url": url, "headers": list(&request.headers)});
            let (about, body, prepare) = (about.to_string(), request.body.clone(), self.functions.prepare);
            let question = move |itself: *mut c_void, writer: &Writer| -> Status {
                let Some(prepare) = prepare else { return regent_plugin_abi::FAILED };
                // SAFETY: all arguments are there until it returns.
                unsafe { prepare(itself, Bytes::of(about.as_bytes()), Bytes::of(&body), writer) }
            };
            let name = self.instance.exported().name;
            let answer = self.instance.ask(question).await.map_err(|failure| failure.into_error(name))?;
            add(&mut request.headers, &answer).map_err(|why| {
                Error::new(ErrorKind::Protocol, format!("the plugin {name} answered what are no headers"))
                    .caused_by(why)
            })
        })
    }

    fn refused(&self, sent: &HeaderMap) {
        let Some(refused) = self.functions.refused else { return };
        let (headers, instance) = (json!(list(sent)).to_string(), self.instance.clone());
        let told = move |itself: *mut c_void, _: &Writer| {
            // SAFETY: the headers are there until it returns.
            unsafe { refused(itself, Bytes::of(headers.as_bytes())) };
            regent_plugin_abi::OK
        };
        // Nobody waits for that; the next question does, behind it.
        tokio::spawn(async move { instance.ask(told).await });
    }

    fn client_identity(&self) -> Result<Option<ClientIdentity>, Error> {
        let Some(identity) = self.functions.identity else { return Ok(None) };
        let name = self.instance.exported().name;
        // SAFETY: the writer is there until it returns.
        let question = move |itself: *mut c_void, writer: &Writer| unsafe { identity(itself, writer) };
        let answer = self.instance.ask_blocking(Cancel::never(), question);
        let answer = answer.map_err(|failure| failure.into_error(name))?;
        if answer.is_empty() {
            return Ok(None);
        }
        let Identity { certificates, private_key } = serde_json::from_slice(&answer).map_err(|_| {
            // The cause might show what it has read, which is a key.
            Error::new(ErrorKind::Protocol, format!("the plugin {name} answered what is no certificate with its key"))
        })?;
        Ok(Some(ClientIdentity { certificates: certificates.into_bytes(), private_key: private_key.into_bytes() }))
    }
}

/// A certificate and its key, as plugins write them.
#[derive(Deserialize)]
struct Identity {
    certificates: String,
    private_key: String,
}

fn list(headers: &HeaderMap) -> Vec<(&str, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn add(headers: &mut HeaderMap, answer: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let given: BTreeMap<String, String> = serde_json::from_slice(answer)?;
    for (name, value) in given {
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::try_from(name)?, value);
    }
    Ok(())
}
