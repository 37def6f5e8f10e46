//! What is drawn by lot, and stays for as long as the query.

use std::collections::HashMap;

use regent_core::builtin::{Call, Operands, Outcome};
use regent_core::value::Value;

use super::operand::integer;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[function(
    "rand.intn(str: string, n: number) => y: number",
    "Draws an integer from 0 up to but without `n`; the same for the same operands within a query.",
    intn,
)
.categories(&["numbers"])
.nondeterministic()];

/// Numbers drawn so far.
#[derive(Default)]
struct Drawn(HashMap<(String, u64), i64>);

fn intn(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (key, bound) = (operands.string(0)?, integer(operands, 1)?.unsigned_abs());
    if bound == 0 {
        return Ok(Some(Value::from(0_i64)));
    }
    let draw = || i64::try_from(rand::random_range(0..bound)).expect("is below 2^63");
    let drawn = call.query.get::<Drawn>().0.entry((key.to_owned(), bound)).or_insert_with(draw);
    Ok(Some(Value::from(*drawn)))
}

#[cfg(test)]
mod tests {
    use regent_core::value::Value;

    use super::super::testing::{Query, check, check_error};

    #[test]
    fn a_query_draws_once_for_each_pair_of_operands() {
        let mut query = Query::new(Value::default());
        let first = query.call("rand.intn", r#"["a", 1000000000]"#);
        assert_eq!(query.call("rand.intn", r#"["a", -1000000000]"#), first);
        assert_ne!(query.call("rand.intn", r#"["b", 1000000000]"#), first);
        check("rand.intn", r#"["a", 0]"#, "0");
        check("rand.intn", r#"["a", 1]"#, "0");
        check_error("rand.intn", r#"["a", 1.5]"#, "operand 2 must be integer number but got floating-point number");
    }
}
