//! The order of terms. OPA keeps the members of sets and the entries of objects in it, each once. So a stage that changes
//! some puts them in this order again, for the next one to meet them in it.

use crate::syntax::ast::{Term, TermKind};
use crate::syntax::order::compare;

/// Puts the members of a set, or the entries of an object by their keys, in order. Of equal ones the first stays; of
/// entries with equal keys, with the value of the last.
pub(super) fn restore(term: &mut Term) {
    match &mut term.kind {
        TermKind::Set(items) if !items.is_sorted_by(|a, b| compare(a, b).is_lt()) => {
            items.sort_by(compare);
            items.dedup_by(|later, first| compare(later, first).is_eq());
        }
        TermKind::Object(entries) if !entries.is_sorted_by(|a, b| compare(&a.0, &b.0).is_lt()) => {
            entries.sort_by(|a, b| compare(&a.0, &b.0));
            entries.dedup_by(keep_last_value);
        }
        _ => {}
    }
}

fn keep_last_value(later: &mut (Term, Term), first: &mut (Term, Term)) -> bool {
    let same = compare(&later.0, &first.0).is_eq();
    if same {
        std::mem::swap(&mut later.1, &mut first.1);
    }
    same
}
