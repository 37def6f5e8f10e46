//! Digests and message authentication codes, written in hexadecimal.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use regent_core::builtin::{Call, Operands, Outcome};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::hex;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function("crypto.md5(x: string) => y: string", "Gives the MD5 digest of a string.", digest::<Md5>),
    function("crypto.sha1(x: string) => y: string", "Gives the SHA-1 digest of a string.", digest::<Sha1>),
    function("crypto.sha256(x: string) => y: string", "Gives the SHA-256 digest of a string.", digest::<Sha256>),
    function(
        "crypto.hmac.md5(x: string, key: string) => y: string",
        "Gives the HMAC of a string, with MD5.",
        |operands, _| hmac::<Hmac<Md5>>(operands),
    ),
    function(
        "crypto.hmac.sha1(x: string, key: string) => y: string",
        "Gives the HMAC of a string, with SHA-1.",
        |operands, _| hmac::<Hmac<Sha1>>(operands),
    ),
    function(
        "crypto.hmac.sha256(x: string, key: string) => y: string",
        "Gives the HMAC of a string, with SHA-256.",
        |operands, _| hmac::<Hmac<Sha256>>(operands),
    ),
    function(
        "crypto.hmac.sha512(x: string, key: string) => y: string",
        "Gives the HMAC of a string, with SHA-512.",
        |operands, _| hmac::<Hmac<Sha512>>(operands),
    ),
    function(
        "crypto.hmac.equal(mac1: string, mac2: string) => result: boolean",
        "Tells whether two codes are the same, in a time that does not tell where they differ.",
        equal,
    ),
];

fn digest<D: Digest>(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(hex::spell(&D::digest(operands.string(0)?)).into()))
}

fn hmac<M: Mac + KeyInit>(operands: Operands<'_>) -> Outcome {
    let (message, key) = (operands.string(0)?, operands.string(1)?);
    let mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("an HMAC takes keys of any length");
    Ok(Some(hex::spell(&mac.chain_update(message).finalize().into_bytes()).into()))
}

fn equal(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let (a, b) = (operands.string(0)?.as_bytes(), operands.string(1)?.as_bytes());
    let differs = a.iter().zip(b).fold(0, |found, (a, b)| found | (a ^ b));
    Ok(Some((a.len() == b.len() && std::hint::black_box(differs) == 0).into()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_error};

    #[test]
    fn digests_are_those_of_the_bytes() {
        check("crypto.md5", r#"["lorem ipsum"]"#, r#""80a751fde577028640c419000e33eba6""#);
        check("crypto.sha1", r#"["abc"]"#, r#""a9993e364706816aba3e25717850c26c9cd0d89d""#);
        let sha256 = r#""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#;
        check("crypto.sha256", r#"[""]"#, sha256);
        check_error("crypto.md5", "[1]", "operand 1 must be string but got number");
    }

    #[test]
    fn codes_depend_on_message_and_key() {
        check("crypto.hmac.md5", r#"["foo", "bar"]"#, r#""31b6db9e5eb4addb42f1a6ca07367adc""#);
        check("crypto.hmac.sha1", r#"["foo", "bar"]"#, r#""85d155c55ed286a300bd1cf124de08d87e914f3a""#);
        let sha256 = r#""eb90daeb76d4b2571fbdaf94bbb240809faa8fed93ec0c260dd38c3fdf8d963a""#;
        check("crypto.hmac.sha256", r#"["åäöçß🥲♙Ω", "秘密の"]"#, sha256);
        let sha512 = concat!(
            "\"24257d7210582a65c731ec55159c8184cc24c02489453e58587f71f44c23a2d6",
            "1b4b72154a89d17b2d49448a8452ea066f4fc56a2bcead45c088572ffccdb3d8\"",
        );
        check("crypto.hmac.sha512", r#"["foo", "bar"]"#, sha512);
    }

    #[test]
    fn codes_are_compared_as_wholes() {
        check("crypto.hmac.equal", r#"["ab", "ab"]"#, "true");
        check("crypto.hmac.equal", r#"["ab", "ac"]"#, "false");
        check("crypto.hmac.equal", r#"["ab", "abc"]"#, "false");
    }
}
