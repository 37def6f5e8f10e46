//! `type: oci`: bundles pulled from a registry (OCI distribution, Docker Registry API v2).
//!
//! A reference (`registry/repository:tag`, `registry/repository@sha256:…`) is asked for like the path of any other
//! service. The answer is the first layer of type [`manifest::LAYER`]; its `ETag` is the layer's digest in hexadecimal,
//! and it is "not modified" if the request names that one. As in OPA, the host is that of the service's URL, whatever
//! registry the reference names, and anything but `GET` goes out as plain HTTP.
//!
//! Nothing is believed that does not have the digest and the size that were promised: a manifest that of its name, a
//! layer those of its manifest. Only what has been checked to its end comes to an end without an error.
//!
//! Ours and not a library's: `oci-client` makes its own HTTP clients, so our TLS, credentials that change with each
//! request (files, metadata services, ECR, plugins) and limits of time and size would not reach it.
//!
//! [`reference`] reads references, [`manifest`] finds the layer, [`pull`] is one pull with its token, [`blob`] checks
//! what comes.

mod blob;
mod failure;
mod manifest;
mod pull;
mod reference;
mod token;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use regent_core::Error;
use regent_core::service::{BoxFuture, Service, ServiceRequest, ServiceResponse};

use crate::rest::RestService;
use failure::Failure;
use manifest::Layer;
use pull::Pull;
use reference::{Digest, Reference};

/// Most references of which is remembered where they led. Forgetting one costs a request.
const MOST_KNOWN: usize = 256;

/// A registry.
pub(crate) struct Registry {
    rest: RestService,
    /// Where references led last, so that an unchanged manifest is not fetched again. A lock, because any number of
    /// bundles are asked for at once; it is held for a look, never while waiting.
    known: Mutex<BTreeMap<String, Known>>,
}

/// Where a reference led.
#[derive(Clone)]
struct Known {
    manifest: Digest,
    layer: Layer,
}

impl Registry {
    pub(crate) fn new(rest: RestService) -> Self {
        Self { rest, known: Mutex::default() }
    }

    async fn get(&self, request: &ServiceRequest) -> Result<ServiceResponse, Failure> {
        let name = request.path.trim_matches('/');
        let reference = Reference::read(name)?;
        let mut pull = Pull::new(&self.rest, &reference, request.header_timeout)?;
        let head = pull.resolve().await?;
        let layer = if let Some(layer) = self.known_layer(name, &head.digest) {
            layer
        } else {
            let manifest = head.digest.clone();
            let layer = pull.find_layer(head).await?;
            self.remember(name, Known { manifest, layer: layer.clone() });
            layer
        };
        let etag = HeaderValue::try_from(layer.digest.hex()).expect("hexadecimal digits are fit for a header");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/gzip"))]);
        headers.insert(ETAG, etag.clone());
        if request.headers.get(IF_NONE_MATCH) == Some(&etag) {
            let body = Box::pin(futures_util::stream::empty());
            return Ok(ServiceResponse { status: StatusCode::NOT_MODIFIED, headers, body });
        }
        let told_of = request.path.clone();
        let body = pull.blob(&layer, move |failure: Failure| failure.told_of(&told_of)).await?;
        Ok(ServiceResponse { status: StatusCode::OK, headers, body })
    }

    fn known_layer(&self, name: &str, manifest: &Digest) -> Option<Layer> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|known| known.manifest == *manifest).map(|known| known.layer.clone())
    }

    fn remember(&self, name: &str, found: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(name.to_owned(), found);
    }
}

impl Service for Registry {
    fn send(&self, request: ServiceRequest) -> BoxFuture<'_, Result<ServiceResponse, Error>> {
        if request.method != Method::GET {
            return self.rest.send(request);
        }
        Box::pin(async move { self.get(&request).await.map_err(|failure| failure.told_of(&request.path)) })
    }

    fn address(&self, path: &str) -> String {
        let manifest = Reference::read(path.trim_matches('/')).and_then(|reference| {
            let pull = Pull::new(&self.rest, &reference, None)?;
            Ok(pull.address("manifests", reference.version.as_str()).into())
        });
        manifest.unwrap_or_else(|_| self.rest.address(path))
    }

    fn may_hold(&self) -> bool {
        false
    }
}
