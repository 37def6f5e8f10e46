//! In which styles a text can be written.

/// A style of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What a text contains that styles cannot take.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are findings that do not depend on each other")]
struct Findings {
    /// It would be taken for something else than a scalar.
    indicators: bool,
    lines: bool,
    unprintable: bool,
    space_at_edge: bool,
    break_at_edge: bool,
    space_at_end: bool,
    space_before_break: bool,
    space_after_break: bool,
}

pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn is_blank(character: Option<char>) -> bool {
    character.is_none_or(|character| matches!(character, ' ' | '\t' | '\0') || is_break(character))
}

fn examine(text: &str) -> Findings {
    let mut found = Findings { indicators: text.starts_with("---") || text.starts_with("..."), ..Findings::default() };
    let mut previous = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let at_edge = previous.is_none() || next.is_none();
        found.indicators |= match character {
            '#' => is_blank(previous),
            ':' => is_blank(next),
            '?' | '-' if previous.is_none() => is_blank(next),
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                previous.is_none()
            }
            _ => false,
        };
        found.unprintable |= !is_printable(character);
        if character == ' ' {
            found.space_at_edge |= at_edge;
            found.space_at_end |= next.is_none();
            found.space_after_break |= previous.is_some_and(is_break);
        } else if is_break(character) {
            found.lines = true;
            found.break_at_edge |= at_edge;
            found.space_before_break |= previous == Some(' ');
        }
        previous = Some(character);
    }
    found
}

/// The style that a text is written in: the wanted one, or the next that can take it. A key is written on one line.
pub(super) fn choose(text: &str, wanted: Style, key: bool) -> Style {
    let found = examine(text);
    let spoiled = found.space_before_break || found.unprintable;
    let mut style = if key && found.lines { Style::Double } else { wanted };
    let edges = found.space_at_edge || found.break_at_edge;
    if style == Style::Plain && (edges || spoiled || found.lines || found.indicators || found.space_after_break) {
        style = Style::Single;
    }
    if style == Style::Single && (spoiled || found.space_after_break) {
        style = Style::Double;
    }
    if style == Style::Literal && (spoiled || found.space_at_end || key) {
        style = Style::Double;
    }
    style
}
