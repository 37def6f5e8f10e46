//! Sets: union, intersection, difference.

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Set, Value};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "and(
            x: set[any], # a set
            y: set[any] # another set
        ) => z: set[any] # what is in both",
        "The members that two sets have in common.",
        and,
    )
    .infix("&")
    .categories(&["sets"]),
    function("or(x: set[any], y: set[any]) => z: set[any] # what is in either", "The members of two sets.", or)
        .infix("|")
        .categories(&["sets"]),
    function(
        "intersection(xs: set[set[any]] # sets\n) => y: set[any] # what is in all of them",
        "The members that all the sets have in common.",
        intersection,
    )
    .categories(&["sets"]),
    function(
        "union(xs: set[set[any]] # sets\n) => y: set[any] # what is in any of them",
        "The members of all the sets.",
        union,
    )
    .categories(&["sets"]),
    function("set_diff(set[any], set[any]) => set[any]", "", set_diff).deprecated(),
];

/// The members of `a` that are not in `b`.
pub(super) fn difference(a: &Set, b: &Set) -> Set {
    a.iter().filter(|member| !b.contains(member)).cloned().collect()
}

fn common(a: &Set, b: &Set) -> Set {
    let (small, large) = if b.len() < a.len() { (b, a) } else { (a, b) };
    small.iter().filter(|member| large.contains(member)).cloned().collect()
}

fn and(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(common(operands.set(0)?, operands.set(1)?).into()))
}

fn or(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(operands.set(0)?.iter().chain(operands.set(1)?).cloned().collect::<Set>().into()))
}

fn set_diff(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(difference(operands.set(0)?, operands.set(1)?).into()))
}

fn intersection(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let mut sets = operands.set(0)?.iter().map(as_set);
    let first = sets.next().transpose()?.cloned().unwrap_or_default();
    Ok(Some(sets.try_fold(first, |all, one| Ok::<_, BuiltinError>(common(&all, one?)))?.into()))
}

fn union(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let sets = operands.set(0)?.iter().map(as_set).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(sets.into_iter().flatten().cloned().collect::<Set>().into()))
}

/// A member of the first operand, which must be a set itself.
fn as_set(value: &Value) -> Result<&Set, BuiltinError> {
    Operands::new(std::slice::from_ref(value)).set(0)
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;

    #[test]
    fn sets_are_combined() {
        let (a, b) = (r#"{"$set": [1, 2, 3]}"#, r#"{"$set": [2.0, 4]}"#);
        let both = format!("[{a}, {b}]");
        let inner = format!(r#"[{{"$set": [{a}, {b}]}}]"#);
        check(&[
            ("and", &both, r#"{"$set": [2.0]}"#),
            ("or", &both, r#"{"$set": [1, 2, 3, 4]}"#),
            ("set_diff", &both, r#"{"$set": [1, 3]}"#),
            ("intersection", &inner, r#"{"$set": [2.0]}"#),
            ("union", &inner, r#"{"$set": [1, 2, 3, 4]}"#),
            ("intersection", r#"[{"$set": []}]"#, r#"{"$set": []}"#),
            ("union", r#"[{"$set": []}]"#, r#"{"$set": []}"#),
        ]);
    }

    #[test]
    fn what_is_no_set_is_an_error() {
        check(&[
            ("and", r#"[{"$set": []}, []]"#, "type error: operand 2 must be set but got array"),
            ("union", r#"[{"$set": [1]}]"#, "type error: operand 1 must be set but got number"),
            ("intersection", "[{}]", "type error: operand 1 must be set but got object"),
        ]);
    }
}
