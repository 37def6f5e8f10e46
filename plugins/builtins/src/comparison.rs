//! Comparisons: any two values can be compared, whatever their types.

use std::cmp::Ordering;

use regent_core::builtin::{Call, Operands, Outcome};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function("eq(any, any) => boolean", "", equal).infix("="),
    function("assign(any, any) => boolean", "", equal).infix(":="),
    function("equal(x: any, y: any) => result: boolean # whether `x` equals `y`", "", equal)
        .infix("==")
        .categories(&["comparison"]),
    function("neq(x: any, y: any) => result: boolean # whether `x` differs from `y`", "", unequal)
        .infix("!=")
        .categories(&["comparison"]),
    function("lt(x: any, y: any) => result: boolean # whether `x` comes before `y`", "", less)
        .infix("<")
        .categories(&["comparison"]),
    function("lte(x: any, y: any) => result: boolean # whether `x` comes before `y` or equals it", "", less_or_equal)
        .infix("<=")
        .categories(&["comparison"]),
    function("gt(x: any, y: any) => result: boolean # whether `x` comes after `y`", "", greater)
        .infix(">")
        .categories(&["comparison"]),
    function("gte(x: any, y: any) => result: boolean # whether `x` comes after `y` or equals it", "", greater_or_equal)
        .infix(">=")
        .categories(&["comparison"]),
];

fn compare(operands: Operands<'_>, holds: fn(Ordering) -> bool) -> Outcome {
    Ok(Some(holds(operands.any(0).cmp(operands.any(1))).into()))
}

fn equal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    compare(operands, Ordering::is_eq)
}

fn unequal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    compare(operands, Ordering::is_ne)
}

fn less(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    compare(operands, Ordering::is_lt)
}

fn less_or_equal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    compare(operands, Ordering::is_le)
}

fn greater(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    compare(operands, Ordering::is_gt)
}

fn greater_or_equal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    compare(operands, Ordering::is_ge)
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn values_of_all_types_compare() {
        check(&[
            ("equal", "[1, 1.0]", "true"),
            ("equal", "[[1], [1.0]]", "true"),
            ("neq", "[1, \"1\"]", "true"),
            ("lt", "[null, false]", "true"),
            ("lt", "[[9], {}]", "true"),
            ("lte", "[2, 2]", "true"),
            ("gt", "[{\"$set\": []}, {\"a\": 1}]", "true"),
            ("gte", "[\"a\", \"b\"]", "false"),
        ]);
    }
}
