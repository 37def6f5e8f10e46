//! Small policies, as trees that can be made at random and shrunk.
//!
//! Whatever is drawn is a valid policy: variables are named by number, counted from what is bound where they stand, and
//! rules refer only to rules before them.

/// Rules of one package, `made`, each group under one name.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) groups: Vec<Group>,
}

/// The rules of one name.
#[derive(Debug, Clone)]
pub(crate) enum Group {
    /// `p := 1 if …`
    Complete { default: Option<i8>, rules: Vec<(Chain, Vec<Chain>)> },
    /// `p contains x if …`
    Set { of: Kind, rules: Vec<(Any, Vec<Condition>)> },
    /// `p[k] := v if …`
    Object(Vec<(Text, Number, Vec<Condition>)>),
    /// `p(x) := y if …` of a number.
    Function(Vec<(Option<i8>, Number, Vec<Condition>)>),
}

/// A value and when it is given.
pub(crate) type Chain = (i8, Vec<Condition>);

/// What a term is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
}

/// A term of either kind; which one is used depends on where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Any(pub(crate) Number, pub(crate) Text);

/// A number.
#[derive(Debug, Clone)]
pub(crate) enum Number {
    Literal(i8),
    Input(u8),
    Base(u8),
    Var(u8),
    Count(u8),
    Sum(Box<Number>, &'static str, Box<Number>),
}

/// A string.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    Literal(u8),
    Input(u8),
    Base(u8),
    Var(u8),
    Concat(Box<Text>, Box<Text>),
}

/// A condition of a body.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// `a < b`
    Compare(Number, &'static str, Number),
    /// `a == b` of strings.
    Same(Text, Text),
    /// `x in {…}`
    OneOf(Text, Vec<u8>),
    /// `"a" in input.words`, with the third word to be negated.
    Contains(Text),
    /// `some x in input.numbers`
    SomeNumber,
    /// `some i, x in input.words`
    SomeWord,
    /// `input.words[_] == x`
    AnyWord(Text),
    /// `some k, v in input.levels`
    SomeLevel,
    /// `input.numbers == [1, x]`
    Items(Vec<Option<i8>>),
    /// `glob.match("a:*", [":"], input.name)`
    Glob(u8),
    /// `input.flag`
    Flag,
    /// `every x in input.numbers { x < n }`
    Every(&'static str, Number),
    /// `count({x | some x in input.numbers; x < n}) > m`
    Count(&'static str, Number, i8),
    /// An earlier rule.
    Rule(u8, Any),
    /// `not …`, of what binds no variable.
    Not(Box<Condition>),
}
