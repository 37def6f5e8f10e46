//! The syntax tree, shaped as OPA's is: what the parser makes and the compiler's stages rewrite.

use std::sync::Arc;

use regent_core::Value;
use regent_core::engine::{Location, RegoVersion};

/// The name of a variable. Wildcards are named `$0`, `$1`, …; what the compiler makes is named `__local0__`, ….
pub type Var = Arc<str>;

/// A text that was parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// The name that locations show; empty for a query.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
}

/// A part of a source: where a node comes from.
#[derive(Debug, Clone, Default)]
pub struct Span {
    /// The text it is a part of.
    pub source: Arc<SourceFile>,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
    /// The line of the first byte, from 1.
    pub row: u32,
    /// The column of the first byte, from 1, as OPA counts it.
    pub col: u32,
}

impl Span {
    /// The text of the part.
    pub fn text(&self) -> &str {
        self.source.text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The place as errors show it.
    pub fn location(&self) -> Location {
        Location { file: self.source.name.clone(), row: self.row as usize, col: self.col as usize }
    }
}

/// One Rego file.
#[derive(Debug, Clone)]
pub struct Module {
    /// `package a.b`
    pub package: Package,
    /// The imports in the order of the text.
    pub imports: Vec<Import>,
    /// The rules in the order of the text.
    pub rules: Vec<Rule>,
    /// The metadata blocks in the order of the text.
    pub annotations: Vec<Annotations>,
    /// The comments in the order of the text.
    pub comments: Vec<Comment>,
    /// The dialect it was parsed as, after `import rego.v1` has had its effect.
    pub version: RegoVersion,
}

/// `package a.b`
#[derive(Debug, Clone)]
pub struct Package {
    /// The whole reference, `data.a.b`: a variable followed by strings.
    pub path: Ref,
    /// Where it stands.
    pub span: Span,
}

/// `import data.a.b as c`
#[derive(Debug, Clone)]
pub struct Import {
    /// What is imported: a reference.
    pub path: Term,
    /// The name after `as`.
    pub alias: Option<Var>,
    /// Where it stands.
    pub span: Span,
}

/// A comment, from `#` to the end of its line.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The text after `#`.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// A `# METADATA` block.
#[derive(Debug, Clone)]
pub struct Annotations {
    /// What it speaks of.
    pub scope: AnnotationScope,
    /// The content but `scope`, as `rego.metadata.rule` gives it: authors and related resources as objects, references
    /// of schemas as lists of names. The `compile` section is as written.
    pub content: Value,
    /// Where it stands.
    pub span: Span,
    /// Index into the module's rules of the rule it stands before, if it stands before one.
    pub rule: Option<usize>,
}

/// What a metadata block speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "Rego's words")]
pub enum AnnotationScope {
    Rule,
    Document,
    Package,
    Subpackages,
}

/// One definition of a rule or function.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `default p := 1`
    pub default: bool,
    /// Everything before `if`.
    pub head: Head,
    /// The body; `true` if the text has none.
    pub body: Body,
    /// `else := … if …`: the same rule with the next value and body.
    pub else_branch: Option<Box<Rule>>,
    /// Whether the text has no body of its own.
    pub body_is_generated: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a rule makes.
#[derive(Debug, Clone)]
pub struct Head {
    /// The whole reference as written, `p`, `p.q[x]`, without the package: a variable first.
    pub reference: Ref,
    /// The parameters of a function.
    pub args: Option<Vec<Term>>,
    /// The member of a partial set (`p contains x`) or the key of a partial object (`p[x] := y`, where it is the last
    /// part of the reference too).
    pub key: Option<Term>,
    /// The value after `:=` or `=`; `true` where the text has none and the rule is no partial set.
    pub value: Option<Term>,
    /// Whether the value follows `:=` rather than `=`.
    pub assign: bool,
    /// Whether the value is not in the text.
    pub value_is_generated: bool,
    /// Where it stands.
    pub span: Span,
}

/// A conjunction of expressions.
pub type Body = Vec<Expr>;

/// One expression of a body.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What is said.
    pub kind: ExprKind,
    /// Whether `not` stands before it.
    pub negated: bool,
    /// The `with` modifiers.
    pub with: Vec<With>,
    /// Its place in the body as parsed or as the compiler's stages renumber it.
    pub index: usize,
    /// Whether the compiler made it.
    pub generated: bool,
    /// Where it stands, without the modifiers' text only if OPA leaves it out.
    pub span: Span,
}

/// What an expression says.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A term that has to be neither undefined nor false.
    Term(Term),
    /// A call: the operator, always a reference, then its operands. `x := y` is `assign(x, y)`, `x = y` is `eq(x, y)`,
    /// `x == y` is `equal(x, y)`, `x in y` is `internal.member_2(x, y)`; a call with one operand more than the function
    /// has parameters unifies the last one with the result.
    Call(Vec<Term>),
    /// `some x, y` (variables) or `some x in y` (one call of `internal.member_2` or `internal.member_3`).
    Some(Vec<Term>),
    /// `every k, v in domain { body }`
    Every(Box<Every>),
}

/// `every key, value in domain { body }`
#[derive(Debug, Clone)]
pub struct Every {
    /// The first of two variables.
    pub key: Option<Term>,
    /// The only or second variable.
    pub value: Term,
    /// What is gone through.
    pub domain: Term,
    /// What has to hold for each.
    pub body: Body,
    /// Where it stands.
    pub span: Span,
}

/// `with target as value`
#[derive(Debug, Clone)]
pub struct With {
    /// What is replaced: a reference below `input` or `data`, or a function.
    pub target: Term,
    /// What stands in.
    pub value: Term,
    /// Where it stands.
    pub span: Span,
}

/// A reference: its head (mostly a variable, else a call, a comprehension or a composite), then the keys.
pub type Ref = Vec<Term>;

/// A term and where it stands.
#[derive(Debug, Clone)]
pub struct Term {
    /// What it is.
    pub kind: TermKind,
    /// Where it stands.
    pub span: Span,
}

/// What a term is.
#[derive(Debug, Clone)]
pub enum TermKind {
    /// `null`, a boolean, a number or a string; never a composite.
    Scalar(Value),
    /// A variable.
    Var(Var),
    /// `data.a[x].b`: at least the head; a variable alone is [`TermKind::Var`] unless it is `input` or `data`.
    Ref(Ref),
    /// `[a, b]`
    Array(Vec<Term>),
    /// `{k: v}` in the order of the text.
    Object(Vec<(Term, Term)>),
    /// `{a, b}` in the order of the text.
    Set(Vec<Term>),
    /// `[term | body]`
    ArrayComprehension(Box<Comprehension>),
    /// `{term | body}`
    SetComprehension(Box<Comprehension>),
    /// `{key: value | body}`
    ObjectComprehension(Box<ObjectComprehension>),
    /// A call within a term: the operator, always a reference, then its operands.
    Call(Vec<Term>),
    /// `$"…{x}…"`
    Template(Box<Template>),
}

/// The parts of an array or set comprehension.
#[derive(Debug, Clone)]
pub struct Comprehension {
    /// What is collected.
    pub term: Term,
    /// For which ways to hold.
    pub body: Body,
}

/// The parts of an object comprehension.
#[derive(Debug, Clone)]
pub struct ObjectComprehension {
    /// The key of each entry.
    pub key: Term,
    /// Its value.
    pub value: Term,
    /// For which ways to hold.
    pub body: Body,
}

/// A template string.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its parts in order.
    pub parts: Vec<TemplatePart>,
    /// Whether it is the raw form, between backticks.
    pub raw: bool,
}

/// A part of a template string.
#[derive(Debug, Clone)]
pub enum TemplatePart {
    /// Text, as a string scalar, or another scalar that stood as an expression.
    Text(Term),
    /// `{expression}`
    Expr(Expr),
}

impl Term {
    /// A term of that kind.
    pub fn new(kind: TermKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// A scalar.
    pub fn scalar(value: impl Into<Value>, span: Span) -> Self {
        Self::new(TermKind::Scalar(value.into()), span)
    }

    /// A variable.
    pub fn var(name: impl Into<Var>, span: Span) -> Self {
        Self::new(TermKind::Var(name.into()), span)
    }

    /// The name of a variable.
    pub fn as_var(&self) -> Option<&Var> {
        match &self.kind {
            TermKind::Var(name) => Some(name),
            _ => None,
        }
    }

    /// The text of a string scalar.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            TermKind::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// The parts of a reference.
    pub fn as_ref(&self) -> Option<&[Term]> {
        match &self.kind {
            TermKind::Ref(parts) => Some(parts),
            _ => None,
        }
    }
}
