//! Calls of built-in functions.

use std::time::{SystemTime, UNIX_EPOCH};

use regent_core::Value;
use regent_core::builtin::{Builtin, BuiltinError, Call, Operands};
use regent_core::engine::{ErrorCode, PolicyError};

use super::each::Rest;
use super::{Held, Machine, Stop, limits};
use crate::plan::{BuiltinCall, Callee};
use crate::syntax::ast::Span;
use regent_builtins::bounds;

impl<'a> Machine<'a> {
    /// A step that calls a built-in function: whether it holds, or nothing if the rest was run.
    pub(super) fn builtin(
        &mut self,
        call: &'a BuiltinCall,
        span: &'a Span,
        rest: &mut Rest<'_, 'a>,
    ) -> Result<Option<bool>, Stop> {
        let frame = rest.frame;
        if !self.env.functions.is_empty()
            && let Some(mock) = self.env.mock(&Callee::Builtin(call.name.clone())).cloned()
        {
            let args = self.hold_all(&call.args, frame);
            return self.mocked(&mock, &args, call.into.as_ref(), span, rest);
        }
        if &*call.name == "internal.print" {
            return self.print(call, span, frame).map(|()| Some(true));
        }
        let Some(builtin) = &call.builtin else {
            return Err(Stop::error(ErrorCode::EvalInternal, "unsupported built-in", span.location()));
        };
        let mut operands = std::mem::take(&mut self.builtins.operands);
        operands.extend(call.args.iter().map(|operand| self.build(operand, frame)));
        let result = self.invoke_with(&**builtin, &operands, span);
        operands.clear();
        self.builtins.operands = operands;
        let Some(value) = result? else { return Ok(Some(false)) };
        let Some(into) = &call.into else { return Ok(Some(true)) };
        if builtin.declaration().relation {
            let results = value.as_array().unwrap_or_default();
            self.nested(|machine| {
                machine
                    .for_each(results.iter(), |machine, result| rest.with(machine, into, Held::Owned(result.clone())))
            })?;
            return Ok(None);
        }
        Ok(Some(self.matches(into, Held::Owned(value), frame)))
    }

    /// Calls a built-in function.
    pub(super) fn invoke(
        &mut self,
        builtin: &dyn Builtin,
        args: &[Held<'a>],
        span: &Span,
    ) -> Result<Option<Value>, Stop> {
        let operands: Vec<Value> = args.iter().map(|value| Value::clone(value)).collect();
        self.invoke_with(builtin, &operands, span)
    }

    /// Calls a built-in function, unless it is recorded what a non-deterministic one gave for the operands.
    fn invoke_with(&mut self, builtin: &dyn Builtin, operands: &[Value], span: &Span) -> Result<Option<Value>, Stop> {
        let declaration = builtin.declaration();
        if !declaration.nondeterministic || self.builtins.recorded.is_none() {
            return self.run_builtin(builtin, operands, span);
        }
        let given = Value::array(operands.iter().cloned());
        let known = self.builtins.recorded.as_ref().and_then(|all| all.get(&declaration.name, &given));
        if let Some(known) = known {
            return Ok(Some(known.clone()));
        }
        let result = self.run_builtin(builtin, operands, span)?;
        if let (Some(recorded), Some(result)) = (&mut self.builtins.recorded, &result) {
            recorded.put(&declaration.name, given, result.clone());
        }
        Ok(result)
    }

    fn run_builtin(&mut self, builtin: &dyn Builtin, operands: &[Value], span: &Span) -> Result<Option<Value>, Stop> {
        let now = *self.builtins.now.get_or_insert_with(now);
        let mut call = Call {
            now,
            cancel: self.limits.cancel(),
            linger: self.builtins.linger,
            location: &|| span.location(),
            allow_net: self.builtins.network.allow_net.as_deref(),
            fetcher: self.builtins.network.fetcher.as_ref(),
            metrics: self.builtins.metrics,
            caching: self.builtins.caching,
            trace: self.builtins.trace,
            runtime: self.builtins.runtime,
            query: &mut self.builtins.query,
            shared: self.builtins.shared,
        };
        let declaration = builtin.declaration();
        let outcome = builtin.call(Operands::new(operands), &mut call).and_then(|result| {
            result.iter().try_for_each(bounds::result)?;
            Ok(result)
        });
        match outcome {
            // A function that is called for its effect has nothing to give.
            Ok(None) if declaration.result.is_none() => Ok(Some(Value::default())),
            Ok(result) => Ok(result),
            Err(BuiltinError::Operand(text)) => Ok(self.failed(ErrorCode::EvalType, &declaration.name, &text, span)),
            Err(BuiltinError::Failed(text)) => Ok(self.failed(ErrorCode::EvalBuiltin, &declaration.name, &text, span)),
            Err(BuiltinError::Cancelled) => Err(limits::cancelled()),
            Err(BuiltinError::Fatal(text)) => Err(Stop::error(ErrorCode::EvalInternal, text, span.location())),
        }
    }

    /// Remembers the error, if there is room. Whether it counts is known at the end; until then the call is undefined.
    fn failed(&mut self, code: ErrorCode, name: &str, text: &str, span: &Span) -> Option<Value> {
        if self.builtins.errors.len() < self.builtins.most_errors {
            let error = PolicyError::new(code, format!("{name}: {text}"), span.location());
            self.builtins.errors.push(error);
        }
        None
    }
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
