//! `print`.

use regent_core::Value;
use regent_core::engine::ErrorCode;

use super::{Flow, Machine, Stop};
use crate::plan::BuiltinCall;
use crate::syntax::ast::Span;

/// Most lines that one call of `print` gives: each operand may have several values, and all combinations are shown.
const MAX_LINES: usize = 100_000;

impl<'a> Machine<'a> {
    /// `internal.print([…])`: an operand is a scalar or the set of its values, which is empty if it is undefined.
    pub(super) fn print(&mut self, call: &'a BuiltinCall, span: &Span, frame: usize) -> Flow {
        if self.prints.is_none() {
            return Ok(());
        }
        let Some(operands) = call.args.first().map(|operand| self.build(operand, frame)) else { return Ok(()) };
        let mut lines = vec![String::new()];
        for (at, operand) in operands.as_array().unwrap_or_default().iter().enumerate() {
            let texts = texts(operand).map_err(|kind| {
                Stop::error(ErrorCode::EvalInternal, format!("illegal argument type: {kind}"), span.location())
            })?;
            let separator = if at == 0 { "" } else { " " };
            let with =
                |line: &String| texts.iter().map(move |text| format!("{line}{separator}{text}")).collect::<Vec<_>>();
            lines = lines.iter().flat_map(with).take(MAX_LINES).collect();
        }
        let location = span.location();
        self.prints.get_or_insert_default().extend(lines.into_iter().map(|line| (line, location.clone())));
        Ok(())
    }
}

/// What is shown of an operand.
fn texts(operand: &Value) -> Result<Vec<String>, &'static str> {
    match operand.as_set() {
        Some(values) if values.is_empty() => Ok(vec!["<undefined>".to_owned()]),
        Some(values) => Ok(values.iter().map(text).collect()),
        None if operand.as_array().is_some() || operand.as_object().is_some() => Err(operand.type_name()),
        None => Ok(vec![text(operand)]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| regent_builtins::spelling::spell(value), str::to_owned)
}
