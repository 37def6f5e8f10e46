//! Whether two simple patterns have a text in common. They know `.`, `[a-z]`, `\` and after each of them `*` or `+`.

use regent_core::builtin::BuiltinError;
use regent_core::engine::Cancel;

/// What one character may be, and how often it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    symbol: Symbol,
    /// Whether it may be missing.
    optional: bool,
    /// Whether it may come again.
    repeated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Symbol {
    Any,
    /// Ranges with both ends.
    Of(Vec<(char, char)>),
}

impl Symbol {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Of(ours), Self::Of(theirs)) => {
                ours.iter().any(|(low, high)| theirs.iter().any(|(from, to)| low <= to && from <= high))
            }
            _ => true,
        }
    }
}

fn invalid(position: usize, what: &str) -> BuiltinError {
    BuiltinError::failed(format!("pos:{position}:{what}: the input provided is invalid"))
}

/// The characters of a pattern, each with whether it is escaped.
struct Characters {
    all: Vec<char>,
    at: usize,
}

impl Characters {
    fn next(&mut self) -> Result<Option<(char, bool)>, BuiltinError> {
        let Some(character) = self.all.get(self.at).copied() else {
            return Ok(None);
        };
        if character != '\\' {
            self.at += 1;
            return Ok(Some((character, false)));
        }
        let Some(escaped) = self.all.get(self.at + 1).copied() else {
            return Err(invalid(self.at, "input ends with a \\ (escape) character"));
        };
        self.at += 2;
        Ok(Some((escaped, true)))
    }
}

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Result<Vec<Token>, BuiltinError> {
    let mut characters = Characters { all: text.chars().collect(), at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    let mut flagged = true;
    while let Some((character, escaped)) = characters.next()? {
        if !escaped && matches!(character, '*' | '+') {
            let Some(last) = tokens.last_mut().filter(|_| !flagged) else {
                let what = format!("flag '{character}' must be preceded by a non-flag");
                return Err(invalid(characters.at, &what));
            };
            last.optional = character == '*';
            last.repeated = true;
            flagged = true;
            continue;
        }
        let symbol = match character {
            '.' if !escaped => Symbol::Any,
            '[' if !escaped => Symbol::Of(parse_set(&mut characters)?),
            ']' if !escaped => return Err(invalid(characters.at, "set-close ']' with no preceding '['")),
            _ => Symbol::Of(vec![(character, character)]),
        };
        tokens.push(Token { symbol, optional: false, repeated: false });
        flagged = false;
    }
    Ok(tokens)
}

fn parse_set(characters: &mut Characters) -> Result<Vec<(char, char)>, BuiltinError> {
    let mut ranges = Vec::new();
    let mut previous = None;
    while let Some((character, escaped)) = characters.next()? {
        match character {
            ']' if !escaped => return Ok(ranges),
            '-' if !escaped => {
                let at = characters.at;
                let Some(low) = previous.take() else {
                    return Err(invalid(at, "range character '-' must be preceded by a Unicode character"));
                };
                let high = match characters.next()? {
                    Some((']' | '-', false)) => {
                        return Err(invalid(
                            characters.at,
                            "range character '-' cannot be followed by a special symbol",
                        ));
                    }
                    Some((high, _)) => high,
                    None => return Err(invalid(at, "range character '-' must be followed by a Unicode character")),
                };
                if high < low {
                    let what = format!("range is out of order: '{high}' comes before '{low}' in Unicode");
                    return Err(invalid(characters.at, &what));
                }
                ranges.push((low, high));
            }
            _ => {
                ranges.push((character, character));
                previous = Some(character);
            }
        }
    }
    Err(invalid(characters.at, "found [ without matching ]"))
}

/// Whether some text of at least one character matches both patterns; two empty patterns agree as well.
pub(super) fn is_nonempty(one: &[Token], other: &[Token], cancel: &Cancel) -> Result<bool, BuiltinError> {
    if one.is_empty() && other.is_empty() {
        return Ok(true);
    }
    let width = other.len() + 1;
    // Pairs of positions that some common text leads to: first without a character taken, then with one at least.
    let index = |i: usize, j: usize, taken: bool| (i * width + j) * 2 + usize::from(taken);
    let mut seen = vec![false; (one.len() + 1) * width * 2];
    let mut open = vec![(0, 0, false)];
    let mut steps = 0_usize;
    while let Some((i, j, taken)) = open.pop() {
        if std::mem::replace(&mut seen[index(i, j, taken)], true) {
            continue;
        }
        steps += 1;
        if steps.is_multiple_of(1024) && cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        let (left, right) = (one.get(i), other.get(j));
        if left.is_none() && right.is_none() && taken {
            return Ok(true);
        }
        if left.is_some_and(|token| token.optional) {
            open.push((i + 1, j, taken));
        }
        if right.is_some_and(|token| token.optional) {
            open.push((i, j + 1, taken));
        }
        if let (Some(left), Some(right)) = (left, right)
            && left.symbol.overlaps(&right.symbol)
        {
            let stays = |token: &Token| if token.repeated { &[true, false][..] } else { &[false] };
            for stay_left in stays(left) {
                for stay_right in stays(right) {
                    open.push((i + usize::from(!stay_left), j + usize::from(!stay_right), true));
                }
            }
        }
    }
    Ok(false)
}
