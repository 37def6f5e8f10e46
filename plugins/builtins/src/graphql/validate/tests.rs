//! What is said of queries that do not fit.

use regent_core::engine::Cancel;

use super::super::budget::Budget;
use super::super::parser;
use super::super::problem::Fault;
use super::super::schema::Schema;
use super::validate;

const SCHEMA: &str = "
    type Query { user(id: ID!, role: Role): User node: Node pets: [Pet!] find(by: Filter, one: One): User count: Int }
    type Mutation { rename(name: String = \"x\", size: [Int]): User }
    type Subscription { renamed: User removed: User }
    interface Node { id: ID! }
    type User implements Node { id: ID! name: String friends: [User] age: Int }
    type Dog implements Node { id: ID! name: String! barks: Boolean }
    type Cat { meows: Boolean }
    union Pet = Dog | Cat
    enum Role { ADMIN GUEST }
    input Filter { name: String! age: Int ratio: Float alive: Boolean = true tag: Tag }
    input One @oneOf { a: Int b: Int }
    scalar Tag
    directive @note(text: String!) on FIELD
    directive @many repeatable on FIELD
";

/// Less than a call may make, so that tests end soon.
const STEPS: usize = 1 << 18;

fn problems(query: &str) -> Result<Vec<String>, Fault> {
    let cancel = Cancel::default();
    let document = parser::schema(SCHEMA, &mut Budget::new(&cancel))?;
    let schema = Schema::new(document, &mut Budget::new(&cancel))?;
    let query = parser::query(query, &mut Budget::new(&cancel))?;
    let problems = validate(&schema, &query, &mut Budget::of(&cancel, STEPS))?;
    Ok(problems.into_iter().map(|problem| problem.message).collect())
}

/// The query has just these problems, in this order.
#[track_caller]
fn check(query: &str, expected: &[&str]) {
    let found = problems(query).unwrap_or_else(|fault| panic!("{query}: {fault:?}"));
    assert_eq!(found, expected, "{query}");
}

/// The query cannot be looked at.
#[track_caller]
fn check_too_much(query: &str, expected: &str) {
    match problems(query) {
        Err(Fault::Problem(problem)) => assert_eq!(problem.message, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_fits_is_left_in_peace() {
    check(
        "query Q($id: ID!, $f: Filter = {name: \"a\"}, $on: Boolean!) {
            user(id: $id, role: ADMIN) { ...U friends { name @include(if: $on) @many @many } }
            find(by: $f, one: {a: 1}) { __typename }
            pets { ... on Dog { name @note(text: \"x\") } ... on Cat { meows } ... { __typename } }
            node { id ... on User { name } }
        }
        fragment U on User { id name }",
        &[],
    );
    check("", &[]);
}

#[test]
fn fields_and_what_may_have_been_meant() {
    check("{ cound }", &["Cannot query field \"cound\" on type \"Query\". Did you mean \"count\" or \"find\"?"]);
    check(
        "{ node { name } }",
        &[
            "Cannot query field \"name\" on type \"Node\". Did you mean to use an inline fragment on \"Dog\" or \"User\"?",
        ],
    );
    check(
        "{ pets { id } }",
        &["Cannot query field \"id\" on type \"Pet\". Did you mean to use an inline fragment on \"Node\" or \"Dog\"?"],
    );
    check(
        "{ count { x } }",
        &[
            "Cannot query field \"x\" on type \"Int\".",
            "Field \"count\" must not have a selection since type \"Int\" has no subfields.",
        ],
    );
    check(
        "{ node }",
        &["Field \"node\" of type \"Node\" must have a selection of subfields. Did you mean \"node { ... }\"?"],
    );
}

#[test]
fn arguments_and_directives() {
    check(
        "{ user(idd: 1, id: 1, id: 2) { id } }",
        &[
            "Unknown argument \"idd\" on field \"Query.user\". Did you mean \"id\"?",
            "There can be only one argument named \"id\".",
        ],
    );
    check("{ user { id } }", &["Field \"user\" argument \"id\" of type \"ID!\" is required, but it was not provided."]);
    check(
        "{ count @note @nope count @skip(if: true, of: 1) @skip(if: true) }",
        &[
            "Directive \"@note\" argument \"text\" of type \"String!\" is required, but it was not provided.",
            "Unknown directive \"@nope\".",
            "Unknown argument \"of\" on directive \"@skip\". Did you mean \"if\"?",
            "The directive \"@skip\" can only be used once at this location.",
        ],
    );
    check("query @many { count }", &["Directive \"@many\" may not be used on QUERY."]);
}

#[test]
fn fragments() {
    check("{ ...Gone }", &["Unknown fragment \"Gone\"."]);
    check(
        "{ count } fragment F on Usr { id } fragment F on Role { x }",
        &[
            "Unknown type \"Usr\". Did you mean \"User\"?",
            "Fragment \"F\" is never used.",
            "Cannot query field \"x\" on type \"Role\".",
            "Fragment \"F\" cannot condition on non composite type \"Role\".",
            "Fragment \"F\" is never used.",
            "There can be only one fragment named \"F\".",
        ],
    );
    check(
        "{ user(id: 1) { ... on Cat { meows } ...D ... on Role { x } ... on Gone { x } } } fragment D on Dog { id }",
        &[
            "Fragment cannot be spread here as objects of type \"User\" can never be of type \"Cat\".",
            "Fragment \"D\" cannot be spread here as objects of type \"User\" can never be of type \"Dog\".",
            "Cannot query field \"x\" on type \"Role\".",
            "Fragment cannot condition on non composite type \"Role\".",
            "Unknown type \"Gone\".",
        ],
    );
    check(
        "{ node { ...A } } fragment A on Node { ...B } fragment B on Node { ...A ...B }",
        &["Cannot spread fragment \"A\" within itself via \"B\".", "Cannot spread fragment \"B\" within itself."],
    );
}

#[test]
fn operations_and_variables() {
    check(
        "query Q($a: Int, $a: Int, $b: User, $c: Gone) { count } query Q { count } { count }",
        &[
            "Unknown type \"Gone\".",
            "Variable \"$a\" is never used in operation \"Q\".",
            "Variable \"$a\" is never used in operation \"Q\".",
            "Variable \"$b\" is never used in operation \"Q\".",
            "Variable \"$c\" is never used in operation \"Q\".",
            "There can be only one variable named \"$a\".",
            "Variable \"$b\" cannot be non-input type \"User\".",
            "There can be only one operation named \"Q\".",
            "This anonymous operation must be the only defined operation.",
        ],
    );
    check("{ user(id: $id) { id } }", &["Variable \"$id\" is not defined."]);
    check(
        "subscription S { renamed { id } ...R __typename } fragment R on Subscription { removed { id } }",
        &[
            "Subscription \"S\" must select only one top level field.",
            "Subscription \"S\" must not select an introspection top level field.",
        ],
    );
    let query = "query Q($id: ID, $n: Int) { user(id: $id) { id } find(one: {a: $n}) { id } }";
    check(
        query,
        &[
            "Variable \"$id\" of type \"ID\" used in position expecting type \"ID!\".",
            "Variable \"$n\" is of type \"Int\" but must be non-nullable to be used for OneOf Input Object \"One\".",
        ],
    );
}

#[test]
fn values() {
    check(
        "mutation { rename(name: 1, size: [1.5, 99999999999999999999, null]) { id } }",
        &[
            "String cannot represent a non string value: 1",
            "Int cannot represent non-integer value: 1.5",
            "Int cannot represent non 32-bit signed integer value: 99999999999999999999",
            "Expected value of type \"[Int]\", found [1.5,99999999999999999999,null].",
        ],
    );
    check(
        "{ user(id: null, role: GUESS) { id } }",
        &[
            "Expected value of type \"ID!\", found null.",
            "Value \"GUESS\" does not exist in \"Role\" enum. Did you mean the enum value \"GUEST\"?",
        ],
    );
    check(
        "{ user(id: 1.5, role: \"ADMIN\") { id } }",
        &[
            "ID cannot represent a non-string and non-integer value: 1.5",
            "Enum \"Role\" cannot represent non-enum value: \"ADMIN\". Did you mean the enum value \"ADMIN\"?",
        ],
    );
    check(
        "{ find(by: {nam: 1, age: RED, ratio: true, alive: 1, tag: [{x: 1}], age: 1}, one: {}) { id } }",
        &[
            "Int cannot represent non-integer value: RED",
            "Float cannot represent non numeric value: true",
            "Boolean cannot represent a non boolean value: 1",
            "There can be only one input field named \"age\".",
            "Field \"Filter.name\" of required type \"String!\" was not provided.",
            "Field \"nam\" is not defined by type \"Filter\". Did you mean \"name\" or \"tag\"?",
            "OneOf Input Object \"One\" must specify exactly one key.",
        ],
    );
}

#[test]
fn fields_of_one_name_must_be_the_same() {
    let again = "Use different aliases on the fields to fetch both if this was intentional.";
    check(
        "{ a: count a: node { id } }",
        &[&format!("Fields \"a\" conflict because \"count\" and \"node\" are different fields. {again}")],
    );
    check(
        "{ user(id: 1) { id } user(id: 2) { id } }",
        &[&format!("Fields \"user\" conflict because they have differing arguments. {again}")],
    );
    check(
        "{ pets { ... on Dog { x: name } ... on Cat { x: meows } } }",
        &[&format!("Fields \"x\" conflict because they return conflicting types \"String!\" and \"Boolean\". {again}")],
    );
    check(
        "{ u: user(id: 1) { x: id y: id } ...F } fragment F on Query { u: user(id: 1) { x: name ...G } } fragment G on User { y: age }",
        &[&format!(
            "Fields \"u\" conflict because subfields \"x\" conflict because \"id\" and \"name\" are different fields \
             and subfields \"y\" conflict because \"id\" and \"age\" are different fields. {again}"
        )],
    );
}

#[test]
fn introspection_goes_so_deep() {
    check("{ __schema { types { fields { type { fields { name } } } } } }", &[]);
    check(
        "{ __type(name: \"A\") { fields { type { ...T } } } } fragment T on __Type { interfaces { possibleTypes { name } } }",
        &["Maximum introspection depth exceeded"],
    );
}

#[test]
fn work_ends() {
    let deep = format!("{{ user(id: 1) {}{{ id }} {} }}", "{ friends ".repeat(150), "}".repeat(150));
    check(&deep, &[]);
    check_too_much(&format!("{}count{}", "{ x ".repeat(300), "}".repeat(300)), "document is nested too deeply");
    check_too_much(&format!("{{ f(a: {}) }}", "[".repeat(300)), "document is nested too deeply");
    check_too_much(&format!("query ($a: {}) {{ f }}", "[".repeat(300)), "document is nested too deeply");

    // Each fragment spreads the next, deeper than the stack would bear.
    let chain: Vec<String> = (0..5000).map(|n| format!("fragment F{n} on Query {{ ...F{} }}", n + 1)).collect();
    let chain = chain.concat();
    check_too_much(
        &format!("{{ ...F0 }} {chain} fragment F5000 on Query {{ count }}"),
        "document is nested too deeply",
    );

    // Each fragment spreads the next twice.
    let bomb: Vec<String> = (0..60)
        .map(|n| format!("fragment F{n} on __Schema {{ a: types {{ ofType {{ kind }} }} ...F{m} ...F{m} }}", m = n + 1))
        .collect();
    let bomb = bomb.concat();
    let bomb = format!("{{ __schema {{ ...F0 }} }} {bomb} fragment F60 on __Schema {{ types {{ kind }} }}");
    check_too_much(&bomb, "document is too complex");

    // As many fields of one name as can be compared with one another.
    let same = format!("{{ {} }}", "x: count y: count ".repeat(500));
    check_too_much(&same, "document is too complex");

    // Complaints end when there are enough.
    let wrong: Vec<String> = (0..2000).map(|n| format!("{}{n} ", "x".repeat(200))).collect();
    let wrong = format!("{{ {} }}", wrong.concat());
    let found = problems(&wrong).map(|found| found.iter().map(String::len).sum::<usize>());
    assert!(
        found.as_ref().is_ok_and(|length| (super::MOST_COMPLAINTS..super::MOST_COMPLAINTS + 500).contains(length)),
        "{found:?}"
    );
}

#[test]
fn nobody_waits() {
    let cancel = Cancel::default();
    cancel.cancel();
    assert!(matches!(parser::query("{ a }", &mut Budget::new(&cancel)), Err(Fault::Cancelled)));
}
