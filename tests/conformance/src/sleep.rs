//! A function that OPA's cases call and OPA itself does not have.

use std::time::Duration;

use regent_core::Value;
use regent_core::builtin::{Builtin, BuiltinError, Call, Declaration, Operands, Outcome};

/// `test.sleep("10ms")`: waits.
pub struct Sleep(Declaration);

impl Default for Sleep {
    fn default() -> Self {
        Self(Declaration::parse("test.sleep(duration: string) => null").expect("a signature"))
    }
}

impl Builtin for Sleep {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        let text = operands.string(0)?;
        let milliseconds = text.strip_suffix("ms").and_then(|number| number.parse().ok());
        let wait = milliseconds.ok_or_else(|| BuiltinError::operand(0, "must be a number of milliseconds"))?;
        std::thread::sleep(Duration::from_millis(wait));
        Ok(Some(Value::NULL))
    }
}
