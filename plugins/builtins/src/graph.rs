//! Graphs: objects with the neighbours of each vertex, in an array or a set.

use std::collections::BTreeSet;

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::Cancel;
use regent_core::value::{Object, Set, Value, View};

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "graph.reachable(
            graph: object[any: any<array[any], set[any]>], # the neighbours of each vertex
            initial: any<array[any], set[any]> # the vertices to start from
        ) => output: set[any] # the vertices of `graph` that edges lead to from there, the first ones among them",
        "The vertices that can be reached in a directed graph.",
        reachable,
    ),
    function(
        "graph.reachable_paths(
            graph: object[any: any<array[any], set[any]>], # the neighbours of each vertex
            initial: any<array[any], set[any]> # the vertices to start from
        ) => output: set[array[any]] # paths from there on, each as long as it goes without a circle",
        "The paths that can be taken in a directed graph.",
        reachable_paths,
    ),
];

/// The graph and where to start.
fn graph(operands: Operands<'_>) -> Result<(&Object, Vec<&Value>), BuiltinError> {
    let graph = operands.object(0)?;
    let initial = vertices(operands.any(1)).ok_or_else(|| operands.must_be(1, "{array, set}"))?;
    Ok((graph, initial))
}

fn vertices(collection: &Value) -> Option<Vec<&Value>> {
    match collection.view() {
        View::Array(items) => Some(items.iter().collect()),
        View::Set(members) => Some(members.iter().collect()),
        _ => None,
    }
}

/// The neighbours of a vertex of the graph.
fn neighbours<'a>(graph: &'a Object, vertex: &Value) -> Option<Vec<&'a Value>> {
    graph.get(vertex).map(|edges| vertices(edges).unwrap_or_default())
}

fn check(cancel: &Cancel) -> Result<(), BuiltinError> {
    if cancel.is_cancelled() { Err(BuiltinError::Cancelled) } else { Ok(()) }
}

fn reachable(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (graph, mut open) = graph(operands)?;
    let mut reached = BTreeSet::new();
    while let Some(vertex) = open.pop() {
        check(call.cancel)?;
        if reached.contains(vertex) {
            continue;
        }
        if let Some(neighbours) = neighbours(graph, vertex) {
            reached.insert(vertex);
            open.extend(neighbours.into_iter().filter(|neighbour| !reached.contains(neighbour)));
        }
    }
    Ok(Some(reached.into_iter().cloned().collect::<Set>().into()))
}

fn reachable_paths(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let (graph, initial) = graph(operands)?;
    let mut paths = BTreeSet::new();
    for vertex in initial {
        match neighbours(graph, vertex) {
            Some(neighbours) if neighbours.is_empty() => {
                paths.insert(vec![vertex]);
            }
            // Vertices that one way passed through are met again only by ways that start elsewhere.
            Some(neighbours) => neighbours.into_iter().try_for_each(|neighbour| {
                Ways { graph, cancel: call.cancel, path: vec![vertex], passed: BTreeSet::from([vertex]) }
                    .follow(neighbour, &mut paths)
            })?,
            None => {}
        }
    }
    Ok(Some(paths.into_iter().map(|path| Value::array(path.into_iter().cloned())).collect::<Set>().into()))
}

/// The ways on from a path.
struct Ways<'a> {
    graph: &'a Object,
    cancel: &'a Cancel,
    path: Vec<&'a Value>,
    passed: BTreeSet<&'a Value>,
}

impl<'a> Ways<'a> {
    /// Goes on to the vertex and from there wherever it is possible, and notes the path wherever it is not.
    fn follow(mut self, first: &'a Value, paths: &mut BTreeSet<Vec<&'a Value>>) -> Result<(), BuiltinError> {
        // One list of vertices still to be tried for each step after the first.
        let mut open = vec![vec![first].into_iter()];
        while let Some(level) = open.last_mut() {
            check(self.cancel)?;
            let Some(vertex) = level.next() else {
                open.pop();
                self.path.pop();
                continue;
            };
            if open.len() > 1 {
                if self.passed.contains(vertex) {
                    paths.insert(self.path.clone());
                    continue;
                }
                self.passed.extend(self.path.last());
            }
            match neighbours(self.graph, vertex) {
                Some(neighbours) => {
                    self.path.push(vertex);
                    if neighbours.is_empty() {
                        paths.insert(self.path.clone());
                    }
                    open.push(neighbours.into_iter());
                }
                None => {
                    paths.insert(self.path.clone());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::check;
    use super::super::testing::Query;
    use super::*;

    #[test]
    fn vertices_are_reached_along_edges() {
        let graph = r#"{"a": ["b", "c"], "b": {"$set": ["d"]}, "c": ["x"], "d": ["a"], "e": [], "f": null}"#;
        check(&[
            ("graph.reachable", r#"[{}, ["a"]]"#, r#"{"$set": []}"#),
            ("graph.reachable", &format!("[{graph}, [\"a\"]]"), r#"{"$set": ["a", "b", "c", "d"]}"#),
            ("graph.reachable", &format!(r#"[{graph}, {{"$set": ["e", "f"]}}]"#), r#"{"$set": ["e", "f"]}"#),
        ]);
    }

    #[test]
    fn paths_end_where_nothing_is_new() {
        let cases = [
            (r#"{}, ["a"]"#, "[]"),
            (r#"{"a": []}, ["a", "z"]"#, r#"[["a"]]"#),
            (r#"{"a": ["b"], "b": ["c"], "c": ["a"]}, ["a"]"#, r#"[["a", "b", "c"]]"#),
            (r#"{"a": ["a"]}, ["a"]"#, r#"[["a", "a"]]"#),
            (r#"{"a": ["b", "c"], "b": ["c"], "c": []}, ["a"]"#, r#"[["a", "b", "c"], ["a", "c"]]"#),
            (r#"{"a": ["b"], "b": ["nonexistent"]}, ["a", "b"]"#, r#"[["a", "b"], ["b"]]"#),
        ];
        for (operands, expected) in cases {
            let (operands, expected) = (format!("[{operands}]"), format!(r#"{{"$set": {expected}}}"#));
            check(&[("graph.reachable_paths", &operands, &expected)]);
        }
    }

    #[test]
    fn a_vertex_that_was_passed_is_not_passed_again() {
        let graph = r#"{"one": ["two", "five"], "two": ["four"], "three": [""], "four": ["three"],
            "five": ["seven", "six"], "six": ["nine", "seven"], "seven": ["eight"], "eight": ["three"], "nine": [""]}"#;
        let expected = r#"{"$set": [["one", "five", "seven", "eight", "three"], ["one", "five", "six"],
            ["one", "five", "six", "nine"], ["one", "two", "four", "three"]]}"#;
        check(&[("graph.reachable_paths", &format!(r#"[{graph}, ["one"]]"#), expected)]);
    }

    #[test]
    fn operands_are_a_graph_and_vertices() {
        let vertices = "type error: operand 2 must be {array, set} but got string";
        check(&[
            ("graph.reachable", "[1, []]", "type error: operand 1 must be object but got number"),
            ("graph.reachable", "[{}, \"a\"]", vertices),
            ("graph.reachable_paths", "[{}, \"a\"]", vertices),
        ]);
    }

    #[test]
    fn long_chains_need_no_stack_and_end_with_the_query() {
        let chain = Value::object((0..20_000).map(|n| (n.to_string(), Value::array([(n + 1).to_string()]))));
        let operands = format!("[{chain}, [\"0\"]]");
        let paths = Query::new(Value::default()).call("graph.reachable_paths", &operands);
        assert_eq!(paths.expect("no error").expect("defined").as_set().map(Set::len), Some(1));
        for name in ["graph.reachable", "graph.reachable_paths"] {
            assert_eq!(Query::cancelled().call(name, &operands), Err(BuiltinError::Cancelled));
        }
    }
}
