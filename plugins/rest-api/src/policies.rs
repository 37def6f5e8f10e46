//! The Policy API: modules are listed, read, stored and removed below `/v1/policies`.

use std::sync::Arc;
use std::time::Instant;

use percent_encoding::percent_decode_str;
use regent_core::Snapshot;
use regent_core::engine::{Module, Source};
use regent_core::metrics::Metrics;
use regent_core::store::{StoreError, Transaction};

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::nanoseconds;
use crate::error::ApiError;

/// All modules.
pub(crate) fn list(api: &ApiContext, call: &Call) -> Response {
    let snapshot = api.host.store.snapshot();
    let modules = snapshot.policies().values().map(|module| shown(&snapshot, &**module)).collect();
    answer::fields(vec![("result", Json::Array(modules))], call.is_pretty())
}

/// One module.
pub(crate) fn get(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let snapshot = api.host.store.snapshot();
    let id = id(call);
    let module = snapshot.policies().get(&*id).ok_or_else(|| ApiError::of_data(&StoreError::PolicyNotFound(id)))?;
    Ok(answer::fields(vec![("result", shown(&snapshot, &**module))], call.is_pretty()))
}

/// Stores a module in place of the one with the same id. The same text again changes nothing.
pub(crate) async fn put(api: &ApiContext, call: &mut Call) -> Result<Response, ApiError> {
    let mut metrics = Metrics::when(call.params().flag("metrics"));
    let id: Arc<str> = id(call).into();
    let started = Instant::now();
    let body = call.sent_body(api.limits).await?;
    metrics.add("timer_server_read_bytes_ns", nanoseconds(started));
    let (text, broken) = Source::lossy(body);
    let source = Source { file: id.clone(), id, text, version: api.version, broken };
    let stored = api.host.store.write_measured(metrics, move |transaction| store(transaction, source)).await;
    let ((), metrics) = stored.map_err(ApiError::of_put_policy)?;
    Ok(changed(call, &metrics))
}

/// Does nothing if the module is there already.
fn store(transaction: &mut Transaction, source: Source) -> Result<(), StoreError> {
    if let Some(old) = transaction.policies().get(&source.id).cloned() {
        transaction.require_unowned(old.package())?;
        if old.source().text == source.text {
            return Ok(());
        }
    }
    let module = transaction.parse(source)?;
    transaction.require_unowned(module.package())?;
    transaction.put_policy(module);
    Ok(())
}

/// Removes a module, unless others need it.
pub(crate) async fn delete(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let metrics = Metrics::when(call.params().flag("metrics"));
    let id = id(call);
    let removed = api.host.store.write_measured(metrics, move |transaction| {
        if let Some(module) = transaction.policies().get(&*id).cloned() {
            transaction.require_unowned(module.package())?;
        }
        transaction.remove_policy(&id)
    });
    let ((), metrics) = removed.await.map_err(ApiError::of_delete_policy)?;
    Ok(changed(call, &metrics))
}

fn id(call: &Call) -> String {
    let escaped = call.below();
    percent_decode_str(escaped.strip_prefix('/').unwrap_or(escaped)).decode_utf8_lossy().into_owned()
}

fn shown(snapshot: &Snapshot, module: &dyn Module) -> Json {
    let source = module.source();
    let mut fields = vec![("id", Json::from(source.id.clone())), ("raw", Json::from(source.text.clone()))];
    // An engine without a syntax tree of OPA's shape leaves it out.
    fields.extend(snapshot.ast(&source.id).ok().map(|ast| ("ast", ast)));
    Json::Object(fields)
}

fn changed(call: &Call, metrics: &Metrics) -> Response {
    let metrics = metrics.is_on().then(|| ("metrics", Json::from(metrics.to_value())));
    answer::fields(metrics.into_iter().collect(), call.is_pretty())
}
