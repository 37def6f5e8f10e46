//! Frames of HTTP/2.

/// What a client begins with, without any settings.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

pub(crate) const HEADERS: u8 = 1;
pub(crate) const RESET: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GO_AWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The header block of a GET for a path of less than 127 bytes.
pub(crate) fn get(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).expect("short");
    // `:method: GET` and `:scheme: http` from the static table, `:path` and `:authority` with values of their own.
    [&[0x82, 0x86, 0x04, length], path.as_bytes(), &[0x01, 1, b'x']].concat()
}

/// The beginning of the head of an answer with status 200.
pub(crate) const OK: u8 = 0x88;

/// The frames in what a server said: their types and payloads.
pub(crate) fn parse(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while bytes.len() >= 9 {
        let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        frames.push((bytes[3], bytes.get(9..9 + length).unwrap_or_default()));
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    frames
}

/// The types of the frames in what a server said.
pub(crate) fn kinds(bytes: &[u8]) -> Vec<u8> {
    parse(bytes).into_iter().map(|(kind, _)| kind).collect()
}
