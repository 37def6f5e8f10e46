//! Keeps a key: stamps lists, and tells whether a stamp is right. `acme-key-process SOCKET KEY_FILE`

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

use ring::hmac::{HMAC_SHA256, Key, sign, verify};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(socket), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err(std::io::Error::other("expected SOCKET and KEY_FILE"));
    };
    let key = Key::new(HMAC_SHA256, &std::fs::read(key)?);
    for connection in UnixListener::bind(socket)?.incoming() {
        // Who asks badly, or goes away, gets no answer.
        let _ = connection.and_then(|connection| answer(&key, connection));
    }
    Ok(())
}

fn answer(key: &Key, mut connection: UnixStream) -> std::io::Result<()> {
    let mut question = String::new();
    BufReader::new(connection.try_clone()?).read_line(&mut question)?;
    let question = question.trim_end_matches('\n');
    let said = if let Some(list) = question.strip_prefix("stamp ") {
        hex(sign(key, list.as_bytes()).as_ref())
    } else if let Some((stamp, list)) = question.strip_prefix("check ").and_then(|rest| rest.split_once(' ')) {
        let is_right = bytes(stamp).is_some_and(|stamp| verify(key, list.as_bytes(), &stamp).is_ok());
        (if is_right { "right" } else { "wrong" }).to_owned()
    } else {
        "what?".to_owned()
    };
    writeln!(connection, "{said}")
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
