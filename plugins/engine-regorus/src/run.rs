//! One evaluation by regorus.
//!
//! regorus cannot be interrupted from outside, but it can be given a time limit. So an evaluation gets a short one
//! first; when that is over and somebody still waits for the answer, it starts again with four times as much, aside from
//! the thread's other work. A client that has gone is noticed at the latest when four times the time has passed that it
//! waited, or within the first limit.
//! Most evaluations end long before that limit; those that do not pay with up to 4/3 of their time. Nothing is done
//! twice that anyone could see: policies have no side effects here, and prints count from the last start alone.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use regent_core::engine::{ErrorCode, Evaluation, Location, PolicyError, PolicyErrors, QueryError};
use regorus::utils::limits::ExecutionTimerConfig;

use crate::convert::{ConvertError, to_regorus};
use crate::program::LinkedData;
use crate::{errors, program};

/// The first time limit.
const FIRST_LIMIT: Duration = Duration::from_millis(50);

/// How many expressions regorus evaluates between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::new(1_000).expect("is not zero");

/// Lets regorus work on the evaluation's snapshot and input. The work is repeated when it takes long.
pub(crate) fn run<T: Send>(
    evaluation: &mut Evaluation<'_>,
    work: impl Fn(&mut regorus::Engine) -> Result<T, String> + Sync,
) -> Result<T, QueryError> {
    let linked = program::linked(evaluation.linked)?;
    let input = evaluation.input.map(to_regorus).transpose().map_err(|error| unconvertible(&error))?;
    let input = input.unwrap_or(regorus::Value::Undefined);
    let mut metrics = std::mem::take(&mut evaluation.metrics);
    let result = metrics.time("timer_rego_query_eval_ns", |_| repeat(evaluation, linked, &input, work));
    evaluation.metrics = metrics;
    result
}

fn repeat<T: Send>(
    evaluation: &mut Evaluation<'_>,
    linked: &LinkedData,
    input: &regorus::Value,
    work: impl Fn(&mut regorus::Engine) -> Result<T, String> + Sync,
) -> Result<T, QueryError> {
    let mut limit = FIRST_LIMIT;
    loop {
        if evaluation.cancel.is_cancelled() {
            return Err(cancelled());
        }
        let mut engine = linked.engine(evaluation.strict_builtin_errors)?;
        engine.set_input(input.clone());
        engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: CHECK_INTERVAL });
        let start = Instant::now();
        let mut result = Err(String::new());
        let mut attempt = || result = on_stack(linked.stack, || errors::guarded(|| work(&mut engine)));
        if limit == FIRST_LIMIT {
            attempt();
        } else {
            (evaluation.linger)(&mut attempt);
        }
        // Beyond the limit no result counts: regorus takes the end of time within a function for undefined.
        if start.elapsed() < limit {
            deliver_prints(evaluation, &mut engine);
            return result.map_err(|text| failed(&text));
        }
        limit *= 4;
    }
}

/// Runs the work here, or on a thread with a stack of the given size.
fn on_stack<T: Send>(size: Option<usize>, work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    let Some(size) = size else { return work() };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(size).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| format!("internal error: no thread for a deep evaluation: {error}"))?;
        thread.join().expect("panics are caught within")
    })
}

/// Errors that OPA finds when it compiles a query are compile errors here too, even if regorus finds them later.
fn failed(text: &str) -> QueryError {
    let error = errors::policy_error(text, ErrorCode::EvalBuiltin);
    match error.code {
        ErrorCode::Compile | ErrorCode::Type | ErrorCode::UnsafeVar | ErrorCode::Recursion => {
            QueryError::Compile(error.into())
        }
        _ => QueryError::Evaluation(error.into()),
    }
}

fn cancelled() -> QueryError {
    let error = PolicyError::new(ErrorCode::EvalCancel, "caller cancelled query execution", None);
    QueryError::Evaluation(error.into())
}

/// The error for a value that regorus cannot take or gives.
pub(crate) fn unconvertible(error: &ConvertError) -> QueryError {
    internal(format!("regorus cannot represent a value: {error}"))
}

/// An error that no policy is to blame for.
pub(crate) fn internal(message: String) -> QueryError {
    QueryError::Evaluation(PolicyErrors::one(PolicyError::new(ErrorCode::EvalInternal, message, None)))
}

fn deliver_prints(evaluation: &mut Evaluation<'_>, engine: &mut regorus::Engine) {
    let Some(receiver) = &mut evaluation.prints else { return };
    for line in engine.take_prints().unwrap_or_default() {
        let (location, text) = read_print(&line);
        receiver.print(text, &location);
    }
}

/// Takes `file:line: text` apart. regorus tells no column.
fn read_print(line: &str) -> (Location, &str) {
    let place = |at: usize| {
        let (file, row) = line[..at].rsplit_once(':')?;
        let file = if file == errors::QUERY_FILE { "" } else { file };
        let location = Location { file: file.into(), row: row.parse().ok()?, col: 1 };
        Some((location, &line[at + 2..]))
    };
    let mut separators = line.match_indices(": ").map(|(at, _)| at);
    separators.find_map(place).unwrap_or((Location::default(), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_tell_where_they_come_from() {
        let (location, text) = read_print("c: d/x.rego:12: value: 3:4: z");
        assert_eq!(location.to_string(), "c: d/x.rego:12");
        assert_eq!(text, "value: 3:4: z");
        assert_eq!(&*read_print("<query.rego>:1: x").0.file, "");
    }
}
