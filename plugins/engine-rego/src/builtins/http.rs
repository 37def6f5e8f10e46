//! Requests to other services.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};

use super::table::{Entry, function};
use crate::NAME;

pub(super) const TABLE: &[Entry] = &[function(
    "http.send(request: object[string: any]) => response: object[any: any]",
    "Sends a request to a service and gives what it answers.",
    send,
)
.nondeterministic()];

/// Stops the query: were the call merely undefined, a policy that relies on it would decide without anyone noticing.
fn send(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    operands.object(0)?;
    Err(BuiltinError::Fatal(format!("http.send: not supported yet by engine {NAME}")))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check_error;

    #[test]
    fn a_request_says_that_it_is_not_sent() {
        check_error("http.send", r#"[{"method": "get"}]"#, "http.send: not supported yet by engine rego");
        check_error("http.send", "[1]", "operand 1 must be object but got number");
    }
}
