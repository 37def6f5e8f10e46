//! The API itself: every call goes to the module of its route.

use std::sync::Arc;

use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use regent_core::Host;
use regent_core::engine::RegoVersion;

use crate::answer::{self, Response};
use crate::call::Call;
use crate::config::ServerConfig;
use crate::context::{ApiContext, BuildInfo};
use crate::decide::Decider;
use crate::error::ApiError;
use crate::route::{Refusal, Route};
use crate::{batch, compile, data, health, pages, panics, policies, query, trigger, v0};

/// OPA's HTTP API over one agent. Clones share it.
#[derive(Clone)]
pub struct Api {
    pub(crate) context: Arc<ApiContext>,
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
        Self { context: Arc::new(ApiContext { host, config, limits, build, version, decider }) }
    }

    pub(crate) async fn answer(&self, call: &mut Call) -> Response {
        let (id, route) = (call.id, call.route);
        let answered = panics::caught(dispatch(&self.context, call)).await;
        let answer =
            answered.map_or_else(|| panics::answer(id, route), |answer| answer.unwrap_or_else(ApiError::into_response));
        match call.acks.all().await {
            Ok(()) => answer,
            Err(unrecorded) => ApiError::internal(unrecorded.chain()).into_response(),
        }
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
