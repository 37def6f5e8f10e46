//! The API itself: every call goes to the module of its route.

use std::sync::Arc;

use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use regent_core::Host;
use regent_core::engine::{RegoVersion, Unsupported};

use crate::answer::{self, Response};
use crate::body::Limits;
use crate::call::Call;
use crate::config::ServerConfig;
use crate::decide::Decider;
use crate::error::ApiError;
use crate::route::{Refusal, Route};
use crate::{batch, compile, data, health, pages, panics, policies, query, trigger, v0};

/// Which build of the agent this is, as `?provenance` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// The agent's version.
    pub version: String,
    /// The commit that it was built from.
    pub commit: String,
    /// When it was built, in RFC 3339.
    pub timestamp: String,
    /// The machine that built it.
    pub hostname: String,
}

/// OPA's HTTP API over one agent. Clones share it.
#[derive(Clone)]
pub struct Api {
    pub(crate) parts: Arc<ApiContext>,
}

/// What the routes work with.
pub(crate) struct ApiContext {
    pub(crate) host: Host,
    pub(crate) config: ServerConfig,
    pub(crate) limits: Limits,
    pub(crate) build: BuildInfo,
    pub(crate) version: RegoVersion,
    pub(crate) decider: Decider,
}

impl Api {
    /// The API of the agent behind `host`.
    pub fn new(host: Host, config: ServerConfig, build: BuildInfo) -> Self {
        Self::with_rego_version(host, config, build, RegoVersion::default())
    }

    /// As [`Api::new`], for an agent whose clients write policies in the given dialect.
    pub fn with_rego_version(host: Host, config: ServerConfig, build: BuildInfo, version: RegoVersion) -> Self {
        let limits = config.limits();
        let decider = Decider::new(host.clone(), version);
        Self { parts: Arc::new(ApiContext { host, config, limits, build, version, decider }) }
    }

    pub(crate) async fn answer(&self, call: &mut Call) -> Response {
        let (id, route) = (call.id, call.route);
        let answered = panics::caught(dispatch(&self.parts, call)).await;
        let answer =
            answered.map_or_else(|| panics::answer(id, route), |answer| answer.unwrap_or_else(ApiError::into_response));
        match call.promises.kept().await {
            Ok(()) => answer,
            Err(unrecorded) => ApiError::internal(unrecorded.chain()).into_response(),
        }
    }
}

impl ApiContext {
    /// Says that the engine cannot explain its answers.
    pub(crate) fn refuse_explanation(&self) -> ApiError {
        self.unsupported("explanations (the `explain` parameter)")
    }

    /// Says that the engine cannot do something.
    pub(crate) fn unsupported(&self, feature: &str) -> ApiError {
        let engine = self.host.store.engine().name();
        ApiError::invalid_operation(Unsupported { engine, feature: feature.to_owned() }.to_string())
    }
}

async fn dispatch(api: &Arc<ApiContext>, call: &mut Call) -> Result<Response, ApiError> {
    match (call.route, &call.head.method) {
        (Route::Data, &Method::POST) => data::post::answer(api, call).await,
        (Route::Data, &Method::GET) => data::get::answer(api, call),
        (Route::Data, &Method::PUT) => data::put::answer(api, call).await,
        (Route::Data, &Method::PATCH) => data::patch::answer(api, call).await,
        (Route::Data, &Method::DELETE) if call.below().len() > 1 => data::delete::answer(api, call).await,
        (Route::DataV0, &Method::POST) => v0::data(api, call).await,
        (Route::Batch, &Method::POST) => batch::answer(api, call).await,
        (Route::Index, &Method::POST) => v0::index(api, call).await,
        (Route::Index, &Method::GET) => Ok(pages::index()),
        (Route::Policies, &Method::GET) => Ok(policies::list(api, call)),
        (Route::Policy, &Method::GET) => policies::get(api, call),
        (Route::Policy, &Method::PUT) => policies::put(api, call).await,
        (Route::Policy, &Method::DELETE) => policies::delete(api, call).await,
        (Route::Query, &Method::GET) => query::get(api, call),
        (Route::Query, &Method::POST) => query::post(api, call).await,
        (Route::Compile, &Method::POST) | (Route::Filter, &Method::GET | &Method::POST) => {
            compile::answer(api, call).await
        }
        (Route::Config, &Method::GET) => Ok(pages::config(api, call)),
        (Route::Status, &Method::GET) => pages::status(api, call),
        (Route::BundleTrigger, &Method::POST) => trigger::bundle(api, call).await,
        (Route::DiscoveryTrigger, &Method::POST) => trigger::discovery(api, call).await,
        (Route::Health, &Method::GET) => health::answer(api, call),
        (Route::Metrics, &Method::GET | &Method::HEAD) => Ok(pages::metrics(api)),
        (Route::Memory, &Method::GET | &Method::HEAD) => Ok(pages::memory(call)),
        (route, _) => Ok(refuse(route)),
    }
}

fn refuse(route: Route) -> Response {
    match route.refusal() {
        Refusal::NotFound => answer::text(StatusCode::NOT_FOUND, "404 page not found\n"),
        Refusal::Silent => answer::empty(StatusCode::METHOD_NOT_ALLOWED),
        Refusal::Listing(methods) => {
            let mut response = answer::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
            response
        }
    }
}
