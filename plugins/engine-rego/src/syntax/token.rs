//! The tokens of Rego.

use super::ast::Import;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Token {
    Illegal,
    Eof,
    Whitespace,
    Ident,
    Comment,
    Package,
    Import,
    As,
    Default,
    Else,
    Not,
    Some,
    With,
    Null,
    True,
    False,
    In,
    Every,
    Contains,
    If,
    Number,
    String,
    TemplatePart,
    TemplateEnd,
    RawTemplatePart,
    RawTemplateEnd,
    LBrack,
    RBrack,
    LBrace,
    RBrace,
    LParen,
    RParen,
    Comma,
    Colon,
    Add,
    Sub,
    Mul,
    Quo,
    Rem,
    And,
    Or,
    Unify,
    Equal,
    Assign,
    Neq,
    Gt,
    Lt,
    Gte,
    Lte,
    Dot,
    Semicolon,
}

impl Token {
    /// The token as errors name it; for an operator the function it stands for.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Illegal => "illegal",
            Self::Eof => "eof",
            Self::Whitespace => "whitespace",
            Self::Ident => "identifier",
            Self::Comment => "comment",
            Self::Package => "package",
            Self::Import => "import",
            Self::As => "as",
            Self::Default => "default",
            Self::Else => "else",
            Self::Not => "not",
            Self::Some => "some",
            Self::With => "with",
            Self::Null => "null",
            Self::True => "true",
            Self::False => "false",
            Self::In => "in",
            Self::Every => "every",
            Self::Contains => "contains",
            Self::If => "if",
            Self::Number => "number",
            Self::String => "string",
            Self::TemplatePart => "template-string-part",
            Self::TemplateEnd => "template-string-end",
            Self::RawTemplatePart => "raw-template-string-part",
            Self::RawTemplateEnd => "raw-template-string-end",
            Self::LBrack => "[",
            Self::RBrack => "]",
            Self::LBrace => "{",
            Self::RBrace => "}",
            Self::LParen => "(",
            Self::RParen => ")",
            Self::Comma => ",",
            Self::Colon => ":",
            Self::Add => "plus",
            Self::Sub => "minus",
            Self::Mul => "mul",
            Self::Quo => "div",
            Self::Rem => "rem",
            Self::And => "and",
            Self::Or => "or",
            Self::Unify => "eq",
            Self::Equal => "equal",
            Self::Assign => "assign",
            Self::Neq => "neq",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::Gte => "gte",
            Self::Lte => "lte",
            Self::Dot => ".",
            Self::Semicolon => ";",
        }
    }

    /// Whether the token is a keyword of its own right; a keyword of the future is only where it was imported.
    pub(super) fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Package
                | Self::Import
                | Self::As
                | Self::Default
                | Self::Else
                | Self::Not
                | Self::Some
                | Self::With
                | Self::Null
                | Self::True
                | Self::False
                | Self::In
                | Self::Every
                | Self::Contains
                | Self::If
        )
    }

    /// The keyword of that spelling which every dialect knows.
    fn old_keyword(text: &str) -> Option<Self> {
        Some(match text {
            "package" => Self::Package,
            "import" => Self::Import,
            "as" => Self::As,
            "default" => Self::Default,
            "else" => Self::Else,
            "not" => Self::Not,
            "some" => Self::Some,
            "with" => Self::With,
            "null" => Self::Null,
            "true" => Self::True,
            "false" => Self::False,
            _ => return None,
        })
    }
}

/// The keywords that v0 has to import, as the text spells them, sorted.
pub(crate) const FUTURE_KEYWORDS: [&str; 4] = ["contains", "every", "if", "in"];

/// Which of the keywords that v0 has to import are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Keywords {
    known: [bool; FUTURE_KEYWORDS.len()],
}

impl Keywords {
    /// All of them.
    pub(super) const ALL: Self = Self { known: [true; FUTURE_KEYWORDS.len()] };

    /// Whether one of them is known.
    pub(super) fn knows(self, keyword: &str) -> bool {
        FUTURE_KEYWORDS.iter().zip(self.known).any(|(name, known)| known && *name == keyword)
    }

    /// Makes those of another list known, too.
    pub(super) fn add_all(&mut self, others: Self) {
        self.known.iter_mut().zip(others.known).for_each(|(known, other)| *known |= other);
    }

    /// Makes one known; `every` brings `in` along. False for what is no such keyword.
    pub(super) fn add(&mut self, keyword: &str) -> bool {
        let is_known = self.add_only(keyword);
        if keyword == "every" {
            self.add_only("in");
        }
        is_known
    }

    /// Makes just one known. False for what is no such keyword.
    pub(super) fn add_only(&mut self, keyword: &str) -> bool {
        let at = FUTURE_KEYWORDS.iter().position(|known| *known == keyword);
        at.inspect(|at| self.known[*at] = true).is_some()
    }

    /// Makes known what an import brings.
    pub(super) fn add_import(&mut self, import: &Import) {
        let [root, rest @ ..] = import.path.as_ref().unwrap_or_default() else {
            return;
        };
        match (root.as_var().map(|name| &**name), rest) {
            (Some("rego"), [version]) if version.as_text() == Some("v1") => *self = Self::ALL,
            (Some("future"), [keywords]) if keywords.as_text() == Some("keywords") => *self = Self::ALL,
            (Some("future"), [_, keyword]) => {
                self.add(keyword.as_text().unwrap_or_default());
            }
            _ => {}
        }
    }

    /// The token for a name.
    pub(super) fn token(self, name: &str) -> Token {
        if let Some(token) = Token::old_keyword(name) {
            return token;
        }
        let token = match name {
            "in" => Token::In,
            "every" => Token::Every,
            "contains" => Token::Contains,
            "if" => Token::If,
            _ => return Token::Ident,
        };
        if self.knows(name) { token } else { Token::Ident }
    }
}

/// Whether a name is a keyword of a dialect.
pub(super) fn is_keyword(name: &str, v1: bool) -> bool {
    Token::old_keyword(name).is_some() || (v1 && FUTURE_KEYWORDS.contains(&name))
}
