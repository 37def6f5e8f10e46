//! One pull: from a reference to the layer, with one token for all of its requests.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use regent_core::Error;
use regent_core::service::{ServiceRequest, ServiceResponse};
use url::Url;

use super::blob;
use super::failure::Failure;
use super::manifest::{LAYER, Layer, Manifest, Named, NoLayer, TYPES};
use super::reference::{Digest, Reference, Version};
use super::token::Challenge;
use crate::credentials::authorization;
use crate::rest::{Proof, RestService, agent_header};
use crate::wire::Arrived;

/// Most bytes of a manifest, as in OPA's library.
const MOST_MANIFEST_BYTES: u64 = 4 << 20;

/// Indexes inside indexes, as in OPA.
const MOST_DEPTH: usize = 4;

/// Most manifests that are looked at to find a layer.
const MOST_MANIFESTS: usize = 64;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// One pull.
pub(super) struct Pull<'a> {
    rest: &'a RestService,
    reference: &'a Reference,
    /// Scheme, host and port of the registry.
    registry: Url,
    limit: Option<Duration>,
    proof: Proof,
}

impl<'a> Pull<'a> {
    /// A pull whose answers' headers may take so long, instead of what the service says.
    pub(super) fn new(
        rest: &'a RestService,
        reference: &'a Reference,
        limit: Option<Duration>,
    ) -> Result<Self, Failure> {
        let url = &rest.config().url;
        let registry = Url::parse(url).and_then(|url| Url::parse(&url.origin().ascii_serialization()));
        let registry = registry.map_err(|error| Failure::reference(url, &error.to_string()))?;
        Ok(Self { rest, reference, registry, limit, proof: Proof::Credentials })
    }

    /// Asks which manifest the reference is for.
    pub(super) async fn resolve(&mut self) -> Result<Named, Failure> {
        let url = self.address("manifests", self.reference.version.as_str());
        let answer = self.ask(Method::HEAD, url, TYPES).await?;
        let text = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let digest = text(CONTENT_DIGEST).filter(|digest| !digest.is_empty()).ok_or(Failure::NoDigest)?;
        let digest = Digest::read(digest).ok_or_else(|| Failure::InvalidDigest(digest.to_owned()))?;
        if let Version::Digest(wanted) = &self.reference.version
            && *wanted != digest
        {
            return Err(Failure::mismatch(wanted, digest.hex()));
        }
        let media_type =
            text(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next()).map(|kind| kind.trim().to_owned());
        Ok(Named { digest, size: None, media_type })
    }

    /// Follows a manifest, or an index through its manifests in their order, to the first layer that is a bundle.
    pub(super) async fn find_layer(&mut self, first: Named) -> Result<Layer, Failure> {
        let mut seen = BTreeSet::new();
        let mut ahead = vec![(first, 0)];
        let mut why = NoLayer::NoLayers;
        while let Some((named, depth)) = ahead.pop() {
            if !seen.insert(named.digest.clone()) {
                continue;
            }
            if seen.len() > MOST_MANIFESTS {
                return Err(Failure::TooMany(MOST_MANIFESTS));
            }
            match Manifest::read(&self.manifest(&named).await?, named.media_type.as_deref())? {
                Manifest::Image(Ok(layer)) => return Ok(layer),
                Manifest::Image(Err(NoLayer::NoLayers)) if depth == 0 => return Err(Failure::NoLayers),
                Manifest::Image(Err(NoLayer::NoTarball)) if depth == 0 => return Err(Failure::NoTarball),
                Manifest::Image(Err(_)) => why = NoLayer::NoTarball,
                Manifest::Index(_) if depth == MOST_DEPTH => return Err(Failure::TooDeep(MOST_DEPTH)),
                Manifest::Index(entries) => ahead.extend(entries.into_iter().rev().map(|entry| (entry, depth + 1))),
            }
        }
        Err(match why {
            NoLayer::NoLayers => Failure::NoLayers,
            NoLayer::NoTarball => Failure::NoTarballInIndex(LAYER),
        })
    }

    async fn manifest(&mut self, named: &Named) -> Result<Vec<u8>, Failure> {
        let url = self.address("manifests", named.digest.as_str());
        let accepted = named.media_type.clone().unwrap_or_else(|| TYPES.to_owned());
        let answer = self.ask(Method::GET, url.clone(), &accepted).await?;
        let most = named.size.unwrap_or(MOST_MANIFEST_BYTES).min(MOST_MANIFEST_BYTES);
        let read = answer.read(usize::try_from(most).unwrap_or(usize::MAX)).await;
        let content = read.map_err(|error| Failure::unanswered(&Method::GET, &url, &error))?;
        blob::check(&content, &named.digest)?;
        Ok(content)
    }

    /// The layer, which is checked while it comes.
    pub(super) async fn blob(
        &mut self,
        layer: &Layer,
        told: impl Fn(Failure) -> Error + Send + 'static,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Failure> {
        let url = self.address("blobs", layer.digest.as_str());
        let answer = self.ask(Method::GET, url, "*/*").await?;
        Ok(blob::checked(answer.body, layer.clone(), told))
    }

    /// Where the registry has something of the repository.
    pub(super) fn address(&self, kind: &str, name: &str) -> Url {
        let mut url = self.registry.clone();
        // Repository, tag and digest have no letter that means something else in a path.
        url.set_path(&format!("/v2/{}/{kind}/{name}", self.reference.repository));
        url
    }

    /// Asks the registry, if need be a second time with a token from where it sends for one. Takes nothing but success.
    async fn ask(&mut self, method: Method, url: Url, accepted: &str) -> Result<ServiceResponse, Failure> {
        let (mut arrived, mut sent) = self.send(&method, &url, accepted).await?;
        if let Some(challenge) = challenge(&arrived) {
            self.proof = Proof::Token(self.token(&challenge).await?);
            (arrived, sent) = self.send(&method, &url, accepted).await?;
        }
        let Arrived { response, is_of_asked } = arrived;
        match response.status {
            StatusCode::OK => Ok(response),
            status => {
                if status == StatusCode::UNAUTHORIZED && is_of_asked {
                    self.rest.refused(&sent);
                }
                Err(Failure::answered(&method, &url, status))
            }
        }
    }

    async fn send(&self, method: &Method, url: &Url, accepted: &str) -> Result<(Arrived, HeaderMap), Failure> {
        let mut request = self.request(method.clone());
        let accepted = HeaderValue::try_from(accepted).map_err(|_| Failure::Manifest("its type is none".to_owned()))?;
        request.headers.insert(header::ACCEPT, accepted);
        let open_headers = request.headers.clone();
        self.rest.add_own_headers(&mut request.headers);
        let sent = self.rest.send_to(url.clone(), request, open_headers, self.proof.clone()).await;
        sent.map_err(|error| Failure::unanswered(method, url, &error))
    }

    /// Gets a token from where the registry sends for one, with the service's credentials if it has any.
    async fn token(&self, challenge: &Challenge) -> Result<HeaderValue, Failure> {
        let url = challenge.address(&self.registry, &self.reference.repository)?;
        let request = self.request(Method::GET);
        let open_headers = request.headers.clone();
        let sent = self.rest.send_to(url, request, open_headers, Proof::Credentials).await;
        let (arrived, sent) = sent.map_err(|error| challenge.failure(error.chain(), None))?;
        if arrived.is_of_asked && arrived.response.status == StatusCode::UNAUTHORIZED {
            self.rest.refused(&sent);
        }
        let token = challenge.token(arrived.response).await?;
        authorization("Bearer", &token).map_err(|error| challenge.failure(error.to_string(), None))
    }

    fn request(&self, method: Method) -> ServiceRequest {
        let mut request = ServiceRequest::new(method, "");
        request.headers.insert(header::USER_AGENT, agent_header());
        request.header_timeout = self.limit;
        request
    }
}

/// What the registry itself wants instead of what it was sent.
fn challenge(arrived: &Arrived) -> Option<Challenge> {
    let is_refusal = arrived.is_of_asked && arrived.response.status == StatusCode::UNAUTHORIZED;
    is_refusal.then(|| Challenge::find(&arrived.response.headers)).flatten()
}
