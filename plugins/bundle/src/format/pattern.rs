//! Patterns of paths as Go's `path.Match` reads them: `*` and `?` do not cross slashes, and there is no `**`.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// `*`: any text without a slash.
    Any,
    /// `?`: one character but a slash.
    One,
    /// The character itself.
    Literal(char),
    /// `[a-z]` or `[^a-z]`.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// The pattern; nothing if it is malformed, which then matches nothing.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            pieces.push(match character {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => Piece::Literal(rest.next()?),
                '[' => {
                    let negated = rest.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                        let low = bound(&mut rest)?;
                        let high = if rest.next_if_eq(&'-').is_some() { bound(&mut rest)? } else { low };
                        ranges.push((low, high));
                    }
                    Piece::Class { negated, ranges }
                }
                literal => Piece::Literal(literal),
            });
        }
        Some(Self(pieces))
    }

    /// Whether it matches the whole path.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        let (mut piece, mut at) = (0, 0);
        // Where to go on when the last `*` takes one more character. Earlier ones need not: what they could take, it can.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.0.get(piece) {
                Some(Piece::Any) => {
                    retry = Some((piece + 1, at));
                    piece += 1;
                    continue;
                }
                Some(one) if path.get(at).is_some_and(|character| one.takes(*character)) => {
                    (piece, at) = (piece + 1, at + 1);
                    continue;
                }
                None if at == path.len() => return true,
                _ => {}
            }
            match &mut retry {
                Some((next, from)) if path.get(*from).is_some_and(|character| *character != '/') => {
                    *from += 1;
                    (piece, at) = (*next, *from);
                }
                _ => return false,
            }
        }
    }
}

impl Piece {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => character != '/',
            Self::Literal(literal) => *literal == character,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&character)) != *negated
            }
        }
    }
}

/// One end of a range.
fn bound(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '\\' => rest.next(),
        '-' | ']' => None,
        character => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most of these are in the tests of Go's `path` package, which say the same.
    #[test]
    fn patterns_match_as_those_of_go() {
        for (pattern, path, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "z", false),
            ("*x", "xxx", true),
            ("**", "a/b", false),
            ("**/data.json", "a/data.json", true),
            ("**/data.json", "a/b/data.json", false),
            ("*.rego", ".rego", true),
            ("", "", true),
            ("", "a", false),
            ("{a,b}", "a", false),
            ("[!a]", "b", false),
            ("[!a]", "!", true),
        ] {
            let found = Pattern::new(pattern).is_some_and(|pattern| pattern.matches(path));
            assert_eq!(found, expected, "{pattern} {path}");
        }
        for malformed in ["[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "\\"] {
            assert_eq!(Pattern::new(malformed), None, "{malformed}");
        }
    }
}
