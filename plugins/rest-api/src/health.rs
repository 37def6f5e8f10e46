//! Whether the agent is well: its plugins, its bundles, and rules below `data.system.health`.

use http::StatusCode;
use regent_core::engine::{Answer, Query};
use regent_core::status::{BundleStatus, Freshness, Report, State};
use regent_core::value::Path;
use regent_core::{Snapshot, Value};

use crate::answer::{self, Json, Response};
use crate::call::Call;
use crate::context::ApiContext;
use crate::decide::aside;
use crate::error::ApiError;
use crate::params::Params;
use crate::reference;

/// Plugins without which bundles cannot be active.
const BUNDLE_PLUGINS: [&str; 2] = ["discovery", "bundle"];

/// Says whether the agent, or one aspect of it that a rule defines, is well. Not recorded as a decision.
///
/// # Errors
/// When no rule can have that name.
pub(crate) fn answer(api: &ApiContext, call: &Call) -> Result<Response, ApiError> {
    let snapshot = api.host.store.snapshot();
    let report = api.host.status.report();
    let rule = call.below().trim_matches('/');
    let health = if rule.is_empty() {
        of_agent(&snapshot, &report, call.params())
    } else {
        let path = reference::document(&format!("system/health/{rule}"));
        of_rule(&snapshot, &report, path.map_err(|error| ApiError::invalid_parameter(error.to_string()))?)
    };
    Ok(match health {
        Ok(()) => answer::fields(Vec::new(), false),
        Err(why) => {
            let body = Json::Object(vec![("error", Json::from(why))]);
            answer::json(StatusCode::INTERNAL_SERVER_ERROR, &body, false)
        }
    })
}

fn of_agent(snapshot: &Snapshot, report: &Report, params: Params<'_>) -> Result<(), String> {
    let anything = Query::Document(Path::new(["system", "version", "version"]));
    snapshot.ask(&anything, None).map_err(|_| "unable to perform evaluation")?;
    let wants_bundles = params.flag("bundles") || params.flag("bundle");
    if wants_bundles && !all_ok(report, |name| BUNDLE_PLUGINS.contains(&name)) {
        return Err("one or more bundles are not activated".to_owned());
    }
    let excluded: Vec<_> = params.all("exclude-plugin").collect();
    let counts = |name: &str| !excluded.iter().any(|other| other == name);
    if params.flag("plugins") && !all_ok(report, counts) {
        return Err("one or more plugins are not up".to_owned());
    }
    Ok(())
}

fn all_ok(report: &Report, counts: impl Fn(&str) -> bool) -> bool {
    report.plugins.iter().all(|(name, plugin)| !counts(name) || plugin.state == State::Ok)
}

fn of_rule(snapshot: &Snapshot, report: &Report, path: Path) -> Result<(), String> {
    let shown = reference::shown(&path);
    let answer = aside(|| snapshot.ask(&Query::Document(path), Some(&input(report))));
    let answer = answer.map_err(|error| error.to_string())?;
    match Answer::into_document(answer) {
        Some(healthy) if healthy.as_bool() == Some(true) => Ok(()),
        Some(_) => Err(format!("health check ({shown}) returned unexpected value")),
        None => Err(format!("health check ({shown}) was undefined")),
    }
}

fn input(report: &Report) -> Value {
    let states = report.plugins.iter().map(|(name, plugin)| (name, plugin.state.as_str()));
    let mut fields = vec![("plugin_state", Value::object(states)), ("plugins_ready", report.was_ready.into())];
    let bundles: Vec<_> = report.bundles.iter().filter_map(|(name, bundle)| Some((name, aged(bundle)?))).collect();
    if !bundles.is_empty() {
        fields.push(("bundles", Value::object(bundles)));
    }
    Value::object(fields)
}

/// How old a bundle is, and its revision; none if it has no limit.
fn aged(bundle: &BundleStatus) -> Option<Value> {
    let age = bundle.freshness.filter(Freshness::is_limited)?.fields();
    let revision = bundle.active_revision.as_ref().map(|revision| ("active_revision", Value::from(revision.as_str())));
    Some(Value::object(age.chain(revision)))
}
