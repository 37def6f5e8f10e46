//! `regent generate-secret`

use std::fmt::Write as _;
use std::process::ExitCode;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Make a random secret, such as a master token.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many random bytes it has.
    #[arg(long, value_name = "BYTES", default_value = "32", value_parser = clap::value_parser!(u16).range(1..))]
    size: u16,
    /// How it is written: urlsafe, hex, or bytes as Python writes them.
    #[arg(long, value_name = "FORMAT", default_value = "urlsafe", value_parser = ["urlsafe", "hex", "bytes"])]
    format: String,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let mut bytes = vec![0; usize::from(arguments.size)];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return super::obtain_token::fail("the system gives no random bytes");
    }
    println!("{}", written(&bytes, &arguments.format));
    ExitCode::SUCCESS
}

fn written(bytes: &[u8], format: &str) -> String {
    let mut text = String::new();
    match format {
        "hex" => bytes.iter().for_each(|byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }),
        "bytes" => {
            let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
            text.extend(['b', quote]);
            for byte in bytes {
                match char::from(*byte) {
                    '\n' => text.push_str("\\n"),
                    '\r' => text.push_str("\\r"),
                    '\t' => text.push_str("\\t"),
                    c if c == '\\' || c == quote => text.extend(['\\', c]),
                    c @ ' '..='~' => text.push(c),
                    _ => {
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
            }
            text.push(quote);
        }
        _ => text = BASE64_URL_SAFE_NO_PAD.encode(bytes),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_written_as_python_writes_them() {
        assert_eq!(written(&[0xfb, 0xff, 1], "urlsafe"), "-_8B");
        assert_eq!(written(&[0, 0xab], "hex"), "00ab");
        assert_eq!(written(b"\xe8/\n'\\ \"", "bytes"), r#"b'\xe8/\n\'\\ "'"#);
        assert_eq!(written(b"a'b", "bytes"), r#"b"a'b""#);
    }
}
