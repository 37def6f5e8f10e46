//! Prepared queries.

use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::{Answer, Evaluation, PolicyErrors, PreparedQuery, QueryError};
use regent_core::metrics::Metrics;

use crate::eval::{Context, Machine, Stop};
use crate::plan::QueryPlan;
use crate::state::ProgramState;

/// What is wanted of a query.
type Ask<T> = for<'a> fn(&mut Machine<'a>, &'a QueryPlan) -> Result<T, Stop>;

/// A query that is ready to be evaluated.
pub(crate) struct RegoQuery {
    plan: QueryPlan,
    state: Arc<ProgramState>,
}

impl RegoQuery {
    pub(crate) fn new(plan: QueryPlan, state: Arc<ProgramState>) -> Self {
        Self { plan, state }
    }

    fn timed<T: Default>(&self, evaluation: &mut Evaluation<'_>, ask: Ask<T>) -> Result<T, QueryError> {
        let mut metrics = std::mem::take(&mut evaluation.metrics);
        let result = metrics.time("timer_rego_query_eval_ns", |metrics| self.run(evaluation, metrics, ask));
        evaluation.metrics = metrics;
        result
    }

    fn run<T: Default>(
        &self,
        evaluation: &mut Evaluation<'_>,
        metrics: &mut Metrics,
        ask: Ask<T>,
    ) -> Result<T, QueryError> {
        let mut machine = Machine::new(Context {
            plan: &self.state.plan,
            data: evaluation.data,
            input: evaluation.input,
            shared: &self.state.shared,
            runtime: &self.state.runtime,
            cancel: evaluation.cancel,
            linger: evaluation.linger,
            all_errors: evaluation.builtin_errors.is_some(),
            prints: evaluation.prints.is_some(),
            metrics,
            recorded: evaluation.recorded.as_mut(),
            caching: evaluation.caching,
            network: &self.state.network,
            trace: evaluation.trace,
        });
        let result = ask(&mut machine, &self.plan);
        machine.measure();
        if let Some(prints) = &mut evaluation.prints {
            for (text, location) in machine.take_prints() {
                prints.print(&text, &location);
            }
        }
        let failed = |error| QueryError::Evaluation(PolicyErrors::one(error));
        // An error of a built-in function outranks what came of it.
        let mut errors = machine.take_builtin_errors();
        if evaluation.strict_builtin_errors && !errors.is_empty() {
            return Err(failed(errors.swap_remove(0)));
        }
        if let Some(wanted) = &mut evaluation.builtin_errors {
            wanted.append(&mut errors);
        }
        match result {
            Ok(result) => Ok(result),
            Err(Stop::Error(error)) => Err(failed(*error)),
            Err(Stop::Exit) => Ok(T::default()),
        }
    }
}

impl PreparedQuery for RegoQuery {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Answer, QueryError> {
        self.timed(evaluation, |machine, plan| machine.query(plan)).map(|rows| Answer { rows })
    }

    fn document(&self, evaluation: &mut Evaluation<'_>) -> Result<Option<Value>, QueryError> {
        self.timed(evaluation, |machine, plan| machine.first_value(plan))
    }
}
