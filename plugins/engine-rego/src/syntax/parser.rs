//! From tokens to the syntax tree.
//!
//! The parser goes the ways OPA's goes, wrong ones included: it tries, and comes back to a saved place when that did not
//! work, because which errors are reported depends on it. A method that parses something returns nothing when it cannot;
//! why is among the errors then, mostly.

mod body;
mod composite;
mod error;
mod from_body;
mod head;
mod infix;
mod literal;
mod module;
mod reference;
mod rule;
mod some;
mod statement;
mod template;
mod term;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use regent_core::engine::PolicyError;

pub(super) use module::{Statement, Statements, assemble, parse_statements};

use self::error::Trail;
use super::ast::{Comment, Expr, ExprKind, SourceFile, Span, Term};
use super::depth::deeper;
use super::language::Language;
use super::scanner::{Literal, Scanned, Scanner};
use super::token::{Keywords, Token};

/// How deep terms, bodies and chains of operators and of `else` may nest, counted together. OPA allows about ten
/// thousand; this much is never written, and lets whatever goes through the tree recurse.
const MAX_DEPTH: usize = 1_000;

/// A token's place.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    offset: usize,
    end: usize,
    row: u32,
    col: u32,
}

/// Where the parser is: all that a return to a saved place brings back.
#[derive(Debug, Clone)]
struct State {
    scanner: Scanner,
    token: Token,
    literal: Literal,
    /// Of the token.
    place: Place,
    /// The end of the token before, white space apart.
    last_end: usize,
    /// Whether a line feed lies between that and the token.
    skipped_newline: bool,
    /// How many wildcards have got their names.
    wildcards: usize,
    /// How many of the parser's comments came before the token.
    comments: usize,
    /// What went wrong on the way here.
    errors: Trail,
    /// What the next error shall suggest.
    hints: Vec<&'static str>,
    /// How deep the term, body or list that was parsed last nests.
    depth: usize,
}

/// What the parser is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct ParserOptions {
    /// Whether the dialect is v1.
    pub(super) v1: bool,
    /// The keywords known from the start.
    pub(super) keywords: Keywords,
    /// Whether there are no rules, only bodies.
    pub(super) skip_rules: bool,
    /// Whether `# METADATA` means anything.
    pub(super) annotations: bool,
    /// What of the language the text may use.
    pub(super) language: Language,
}

/// A parser on its way through one text.
struct Parser {
    source: Arc<SourceFile>,
    options: ParserOptions,
    state: State,
    /// How many terms and bodies are being parsed within another.
    nesting: usize,
    /// A term that was parsed before the parser came back to its start, and the state behind it.
    ready: Option<(Term, State)>,
    /// Where no comprehension is, though it looks so: found out once, lest nested attempts double with each level.
    no_comprehension: HashSet<usize>,
    /// Where terms begin that do not parse, with the token there, which may be taken for a name or not; and where the
    /// parser was when that was clear.
    failed: HashMap<(usize, Token), State>,
    /// The error that ends everything: the text nests too deep.
    too_deep: Option<PolicyError>,
    /// Whether this tries how the text would read with all keywords.
    trying_future: bool,
    comments: Vec<Comment>,
}

impl Parser {
    /// A parser at the first token.
    fn new(source: Arc<SourceFile>, illegal: &[usize], options: ParserOptions) -> Self {
        let scanner = Scanner::new(Arc::clone(&source.text), Rc::from(illegal), options.keywords);
        let state = State {
            scanner,
            token: Token::Illegal,
            literal: Literal::None,
            place: Place::default(),
            last_end: 0,
            skipped_newline: false,
            wildcards: 0,
            comments: 0,
            errors: Trail::default(),
            hints: Vec::new(),
            depth: 0,
        };
        let mut parser = Self {
            source,
            options,
            state,
            nesting: 0,
            ready: None,
            no_comprehension: HashSet::new(),
            failed: HashMap::new(),
            too_deep: None,
            trying_future: false,
            comments: Vec::new(),
        };
        parser.scan();
        parser
    }

    fn save(&self) -> State {
        self.state.clone()
    }

    fn restore(&mut self, state: State) {
        self.state = state;
    }

    /// Goes back to where a term begins that has been parsed already; parsing it again will cost nothing.
    fn restore_before(&mut self, start: State, term: Term) {
        let behind = std::mem::replace(&mut self.state, start);
        self.ready = Some((term, behind));
    }

    fn token(&self) -> Token {
        self.state.token
    }

    fn place(&self) -> Place {
        self.state.place
    }

    fn literal(&self) -> &str {
        self.state.scanner.literal(&self.state.literal)
    }

    /// To the next token that is neither white space nor a comment.
    fn scan(&mut self) {
        self.advance(true, Scanner::scan);
    }

    /// To the next token that is no comment.
    fn scan_space(&mut self) {
        self.advance(false, Scanner::scan);
    }

    /// Behind the `}` in a template string.
    fn scan_template(&mut self, raw: bool) {
        self.advance(false, |scanner| scanner.scan_template(raw));
    }

    fn advance(&mut self, skip_space: bool, scan: impl Fn(&mut Scanner) -> Scanned) {
        if self.token() != Token::Whitespace {
            self.state.last_end = self.place().end;
            self.state.skipped_newline = false;
        }
        loop {
            let scanned = scan(&mut self.state.scanner);
            let Scanned { token, offset, end, row, col, literal, errors } = scanned;
            self.state.place = Place { offset, end, row, col };
            self.state.literal = literal;
            self.state.token = if errors.is_empty() { token } else { Token::Illegal };
            for message in errors {
                self.error(self.place(), message);
            }
            match self.state.token {
                Token::Whitespace => {
                    self.state.skipped_newline |= self.literal() == "\n";
                    if !skip_space {
                        return;
                    }
                }
                Token::Comment => self.keep_comment(),
                _ => return,
            }
        }
    }

    fn keep_comment(&mut self) {
        let text = self.literal().get(1..).unwrap_or_default().into();
        let span = self.span(self.place());
        self.comments.truncate(self.state.comments);
        self.comments.push(Comment { text, span });
        self.state.comments = self.comments.len();
    }

    /// The span of a token.
    fn span(&self, place: Place) -> Span {
        self.span_of(place, place.offset, place.end)
    }

    /// The span from a token to where the last one ended.
    fn span_since(&self, place: Place) -> Span {
        self.span_of(place, place.offset, self.state.last_end)
    }

    /// A span that is shown at one place and whose text may lie elsewhere.
    fn span_of(&self, place: Place, start: usize, end: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let source = Arc::clone(&self.source);
        Span { source, start: offset(start), end: offset(end), row: place.row, col: place.col }
    }

    /// A span with another text.
    fn with_text(&self, span: &Span, start: usize, end: usize) -> Span {
        self.span_of(Place { row: span.row, col: span.col, ..Place::default() }, start, end)
    }

    /// Whether the token is a keyword that may be part of a reference.
    fn is_key(&self) -> bool {
        self.options.language.keywords_in_refs && self.token().is_keyword()
    }

    /// Whether the token is a keyword directly before `.` or `[`, and so a name.
    fn at_keyword_of_reference(&mut self) -> bool {
        if !self.is_key() {
            return false;
        }
        let here = self.save();
        self.scan_space();
        let next = self.token();
        self.restore(here);
        matches!(next, Token::Dot | Token::LBrack)
    }

    /// As [`Self::at_keyword_of_reference`]; then the token is taken as a name.
    fn take_keyword_of_reference(&mut self) -> bool {
        let found = self.at_keyword_of_reference();
        if found {
            self.state.token = Token::Ident;
        }
        found
    }

    /// Parses as if all keywords were known, and comes back; says whether that gave what is looked for.
    fn would_parse<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>, wanted: impl FnOnce(&T) -> bool) -> bool {
        let here = self.save();
        let ready = self.ready.take();
        let no_comprehension = std::mem::take(&mut self.no_comprehension);
        let failed = std::mem::take(&mut self.failed);
        self.trying_future = true;
        self.state.scanner.keywords = Keywords::ALL;
        let found = parse(self).is_some_and(|parsed| wanted(&parsed));
        self.trying_future = false;
        self.no_comprehension = no_comprehension;
        self.failed = failed;
        self.ready = ready;
        self.restore(here);
        found
    }

    /// Whether a hint about a keyword of the future may help: v0 only, and not within the attempt that finds out.
    fn may_hint(&self) -> bool {
        !self.options.v1 && !self.trying_future
    }

    /// Goes one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.nesting >= MAX_DEPTH {
            self.error_too_deep();
        }
        if self.too_deep.is_some() {
            return None;
        }
        self.nesting += 1;
        let parsed = deeper(|| parse(self));
        self.nesting -= 1;
        parsed
    }

    /// Notes that what was parsed last lies this deep, and whether that is too deep.
    fn set_depth(&mut self, depth: usize) -> bool {
        self.state.depth = depth;
        if depth > MAX_DEPTH {
            self.error_too_deep();
        }
        depth <= MAX_DEPTH
    }
}

/// `true` as a body.
fn true_body(term: Span, expr: Span) -> Vec<Expr> {
    vec![expression(ExprKind::Term(Term::scalar(true, term)), expr)]
}

/// An expression without modifiers, the first of its body.
fn expression(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, negated: false, with: Vec::new(), index: 0, generated: false, span }
}

/// Puts an expression behind the others.
pub(super) fn append(body: &mut Vec<Expr>, mut expr: Expr) {
    expr.index = body.len();
    body.push(expr);
}
