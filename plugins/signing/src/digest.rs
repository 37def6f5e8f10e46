//! The digests of a bundle's files: of their bytes, or of what they hold where white space and the order of keys do not
//! matter.

use md5::Md5;
use regent_core::signing::SigningError;
use regent_core::value::{Value, View, encode};
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use crate::hex;

/// A kind of digest, by the names that signatures use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileDigest {
    /// `MD5`
    Md5,
    /// `SHA-1`
    Sha1,
    /// `SHA-224`
    Sha224,
    /// `SHA-256`, which signatures are made with.
    #[default]
    Sha256,
    /// `SHA-384`
    Sha384,
    /// `SHA-512`
    Sha512,
    /// `SHA-512-224`
    Sha512To224,
    /// `SHA-512-256`
    Sha512To256,
}

impl FileDigest {
    const ALL: [Self; 8] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha512To224,
        Self::Sha512To256,
    ];

    /// The kind of that name.
    ///
    /// # Errors
    /// `unsupported hashing algorithm: SHA256`
    pub fn of_name(name: &str) -> Result<Self, SigningError> {
        let found = Self::ALL.into_iter().find(|digest| digest.name() == name);
        found.ok_or_else(|| SigningError::new(format!("unsupported hashing algorithm: {name}")))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512To224 => "SHA-512-224",
            Self::Sha512To256 => "SHA-512-256",
        }
    }

    /// A digest to be fed.
    pub fn start(self) -> Feeding {
        Feeding(match self {
            Self::Md5 => Box::<Md5>::default(),
            Self::Sha1 => Box::<Sha1>::default(),
            Self::Sha224 => Box::<Sha224>::default(),
            Self::Sha256 => Box::<Sha256>::default(),
            Self::Sha384 => Box::<Sha384>::default(),
            Self::Sha512 => Box::<Sha512>::default(),
            Self::Sha512To224 => Box::<Sha512_224>::default(),
            Self::Sha512To256 => Box::<Sha512_256>::default(),
        })
    }

    /// The digest of the bytes, in hexadecimal.
    pub fn of_bytes(self, bytes: &[u8]) -> String {
        let mut digest = self.start();
        digest.feed(bytes);
        digest.finish()
    }

    /// The digest of what a file holds, in hexadecimal: compact JSON with sorted keys, its numbers as they are written.
    pub fn of_value(self, value: &Value) -> String {
        let mut digest = self.start();
        walk(value, &mut digest);
        digest.finish()
    }
}

/// A digest that takes its content piece by piece.
pub struct Feeding(Box<dyn DynDigest>);

impl Feeding {
    /// Takes the next piece.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces, in hexadecimal.
    ///
    /// # Panics
    /// Never: the digest is given as much room as it asks for.
    pub fn finish(mut self) -> String {
        let mut out = vec![0; self.0.output_size()];
        self.0.finalize_into_reset(&mut out).expect("as much room as it asks for");
        hex::spell(&out)
    }
}

/// Whether a file is taken for what it holds and not for its bytes. OPA takes `data.yml` for its bytes.
pub fn is_structured(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    matches!(name, "data.json" | "data.yaml" | ".manifest")
}

fn walk(value: &Value, digest: &mut Feeding) {
    match value.view() {
        View::Object(entries) => {
            let mut before: &[u8] = b"{";
            for (key, value) in entries {
                digest.feed(before);
                string(key.as_str().unwrap_or_default(), digest);
                digest.feed(b":");
                walk(value, digest);
                before = b",";
            }
            digest.feed(if entries.is_empty() { b"{}" } else { b"}" });
        }
        View::Array(items) => {
            let mut before: &[u8] = b"[";
            for item in items {
                digest.feed(before);
                walk(item, digest);
                before = b",";
            }
            digest.feed(if items.is_empty() { b"[]" } else { b"]" });
        }
        View::String(text) => string(text, digest),
        _ => digest.feed(encode(value).as_bytes()),
    }
}

/// A string as Go writes it that leaves HTML alone.
fn string(text: &str, digest: &mut Feeding) {
    digest.feed(b"\"");
    let mut from = 0;
    for (at, character) in text.char_indices() {
        let escaped = match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(character)),
            _ => continue,
        };
        digest.feed(&text.as_bytes()[from..at]);
        digest.feed(escaped.as_bytes());
        from = at + character.len_utf8();
    }
    digest.feed(&text.as_bytes()[from..]);
    digest.feed(b"\"");
}

#[cfg(test)]
mod tests {
    use regent_core::value::decode;

    use super::*;

    #[test]
    fn all_eight_digests_have_their_values() {
        let expected = [
            ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
            ("SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "SHA-384",
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                "SHA-512",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
                 454d4423643ce80e2a9ac94fa54ca49f",
            ),
            ("SHA-512-224", "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
            ("SHA-512-256", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ];
        for (name, digest) in expected {
            assert_eq!(FileDigest::of_name(name).expect("known").of_bytes(b"abc"), digest, "{name}");
        }
        for unknown in ["SHA256", "sha-256", "", "SHA-3"] {
            let error = FileDigest::of_name(unknown).expect_err("unknown").to_string();
            assert_eq!(error, format!("unsupported hashing algorithm: {unknown}"));
        }
    }

    #[test]
    fn values_are_compact_json_with_numbers_as_they_are_written() {
        let canonical = |text: &str, expected: &str| {
            let value = decode(text.as_bytes()).expect("JSON");
            assert_eq!(FileDigest::Sha256.of_value(&value), FileDigest::Sha256.of_bytes(expected.as_bytes()), "{text}");
        };
        canonical(r#"{ "b" : [ ], "a": {}, "c": [1, null,true] }"#, r#"{"a":{},"b":[],"c":[1,null,true]}"#);
        for number in ["1.0", "1", "1e2", "1E+2", "-0", "0.10", "12345678901234567890123", "1.50"] {
            canonical(&format!(" {number} "), number);
        }
        canonical(r#"{"<&>": "<&>"}"#, r#"{"<&>":"<&>"}"#);
        let escapes = "\"\\u2028\\u2029<>&\\u007f\\u0001\\b\\f\\n\\r\\t\\\"\\\\\\/é\\u00e9\\ud83d\\ude00\"";
        canonical(escapes, "\"\\u2028\\u2029<>&\u{7f}\\u0001\\b\\f\\n\\r\\t\\\"\\\\/éé😀\"");
    }

    #[test]
    fn only_some_names_are_structured() {
        for path in ["data.json", "a/data.yaml", ".manifest", "a/.manifest"] {
            assert!(is_structured(path), "{path}");
        }
        for path in ["data.yml", "patch.json", "x.json", "a.rego", "mydata.json", "data.json/x"] {
            assert!(!is_structured(path), "{path}");
        }
    }
}
