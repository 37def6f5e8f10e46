//! Upper and lower case, character by character: each becomes exactly one, as in Go and unlike in full Unicode.

/// The text in lower case.
pub(crate) fn lower(text: &str) -> String {
    text.chars().map(lower_of).collect()
}

/// The text in upper case.
pub(super) fn upper(text: &str) -> String {
    text.chars().map(upper_of).collect()
}

fn lower_of(character: char) -> char {
    let mut mapped = character.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        // The only letter whose full lower case is two characters: İ.
        _ if character == '\u{130}' => 'i',
        _ => character,
    }
}

fn upper_of(character: char) -> char {
    let mut mapped = character.to_uppercase();
    if let (Some(one), None) = (mapped.next(), mapped.next()) {
        return one;
    }
    // Greek letters with an iota below have a single capital beside the spelled-out one.
    let distance = match character {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(character) + distance).unwrap_or(character)
}
