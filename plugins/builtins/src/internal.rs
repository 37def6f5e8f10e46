//! Functions that are part of the language. The evaluator runs them itself, because they look at how a policy is run; only
//! where it does not are these called.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function("print(rest...: any)", "", unsupported),
    function("internal.print(array[set[any]])", "", ignored),
    function("internal.test_case(array[any])", "", ignored),
    function(
        "trace(note: string # what to say\n) => result: boolean # always `true`",
        "Puts a note into the explanation of a query.",
        trace,
    )
    .categories(&["tracing"]),
    function(
        "rego.metadata.chain() => chain: array[any] # the annotations of the rule and of what it lies in, from the inside out",
        "The annotations that apply to a rule, each with the path of what has them.",
        metadata_chain,
    ),
    function(
        "rego.metadata.rule() => output: any # the annotations of the rule",
        "The annotations of a rule.",
        metadata_rule,
    ),
];

/// The compiler puts `internal.print` in the place of `print`.
fn unsupported(_: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Err(BuiltinError::Fatal("unsupported built-in".to_owned()))
}

fn ignored(_: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(true.into()))
}

fn trace(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    operands.string(0)?;
    Ok(Some(true.into()))
}

/// The compiler puts the annotations in the place of a call; there are none in a query.
fn outside_of_rules(name: &str) -> Outcome {
    Err(BuiltinError::failed(format!("the {name} function must only be called within the scope of a rule")))
}

fn metadata_chain(_: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    outside_of_rules("rego.metadata.chain")
}

fn metadata_rule(_: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    outside_of_rules("rego.metadata.rule")
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn what_the_evaluator_leaves_to_them_is_checked() {
        check(&[
            ("trace", "[\"a\"]", "true"),
            ("trace", "[1]", "type error: operand 1 must be string but got number"),
            ("internal.print", "[[]]", "true"),
            (
                "rego.metadata.rule",
                "[]",
                "error: the rego.metadata.rule function must only be called within the scope of a rule",
            ),
        ]);
    }
}
