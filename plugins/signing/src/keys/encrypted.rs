//! Private keys that are encrypted in the way of old OpenSSL: their block says in `DEK-Info` how.
//!
//! Nobody should encrypt keys like this any more: the key comes from a single round of MD5, and a wrong passphrase is only
//! found out by chance. It is here because OPA takes such keys.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, InnerIvInit, KeyInit, KeyIvInit, KeySizeUser};
use des::{Des, TdesEde3};
use md5::{Digest as _, Md5};

use super::pem::Block;
use crate::error::KeyError;
use crate::hex;

const HEADER: &str = "DEK-Info";

/// How many bytes of the initialization vector salt the key.
const SALT: usize = 8;

/// Whether the block says that it is encrypted.
pub fn is_encrypted(block: &Block<'_>) -> bool {
    block.header(HEADER).is_some()
}

/// What the block holds once it is decrypted.
///
/// # Errors
/// In Go's words: when it does not say how it is encrypted, or the passphrase is wrong.
pub fn decrypt(block: &Block<'_>, passphrase: &[u8]) -> Result<Vec<u8>, KeyError> {
    let fail = |why: &str| KeyError::new(format!("x509: {why}"));
    let how = block.header(HEADER).ok_or_else(|| fail("no DEK-Info header in block"))?;
    let (cipher, vector) = how.split_once(',').ok_or_else(|| fail("malformed DEK-Info header"))?;
    let open = match cipher {
        "DES-CBC" => open::<Decryptor<Des>>,
        "DES-EDE3-CBC" => open::<Decryptor<TdesEde3>>,
        "AES-128-CBC" => open::<Decryptor<Aes128>>,
        "AES-192-CBC" => open::<Decryptor<Aes192>>,
        "AES-256-CBC" => open::<Decryptor<Aes256>>,
        _ => return Err(fail("unknown encryption mode")),
    };
    let vector = hex::bytes(vector).ok_or_else(|| fail("malformed DEK-Info header"))?;
    open(&block.bytes, passphrase, &vector).map_err(fail)
}

fn open<C>(sealed: &[u8], passphrase: &[u8], vector: &[u8]) -> Result<Vec<u8>, &'static str>
where
    C: BlockModeDecrypt + KeyIvInit + InnerIvInit,
    C::Inner: KeyInit,
{
    let salt = vector.get(..SALT).ok_or("incorrect IV size")?;
    let key = derived(passphrase, salt, <C as KeySizeUser>::key_size());
    let cipher = C::new_from_slices(&key, vector).map_err(|_| "incorrect IV size")?;
    let size = C::block_size();
    if sealed.is_empty() || !sealed.len().is_multiple_of(size) {
        return Err("encrypted PEM data is not a multiple of the block size");
    }
    let mut content = sealed.to_vec();
    let plain = cipher.decrypt_padded::<Pkcs7>(&mut content).map_err(|_| "decryption password incorrect")?;
    Ok(plain.to_vec())
}

/// The key: digests of passphrase and salt, each of them over the one before too.
fn derived(passphrase: &[u8], salt: &[u8], size: usize) -> Vec<u8> {
    let (mut key, mut last) = (Vec::new(), Vec::new());
    while key.len() < size {
        last = Md5::new().chain_update(&last).chain_update(passphrase).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(size);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{pem, private};

    /// What one key becomes with the passphrase `hunter2`, for each cipher, by `openssl ec`.
    const SEALED: [(&str, &str); 5] = [
        (
            "DES-CBC,D0C83A6904DF048B",
            "SJNqie8FOW4HK2dxvTVDmqVkmOMqozTb7+b1+oNs+ppyRXxYNqVdmErvyCrlgLPSaU9tz8IXP3UlA04ie5xOaCfwi8LwOV0qRnbEwHKMmCPSYh0L\
             hwaxYcPn6bt802aWGqq+ZI/Pp08bk6xiwEq2oCRyfgOUM/EVqqOQHoJcSBM=",
        ),
        (
            "DES-EDE3-CBC,CAF9F9AF75A465C3",
            "mMa7yHs4cEEs2wFke06KzyyGvUO8rR3Wp7Zsb7FK8ZZ0dnbozIpxsceVvFkWFBleNYsdAwB/hq1is3h5unWqDDANZQxLQlQ/4465oBloZPR5GG9d\
             Qsp92a1hPsOxWUqjUoyH9X+aOPHBJhONojN4tMg6x8toWGuN1LfKLfKvnEE=",
        ),
        (
            "AES-128-CBC,490B09E22BF28D06475B3CEF8C0D076C",
            "6uK5V/IIc2BvgVEdSQLRZVHXs2y6JmWdvfuLF3nfAawtEI+0LGiApPOlOcvGuyO6bL4rXTm0SRvsFQE8jOqLe5iihbPWDe0vLHhnKj0MOIHp8whY\
             oRL/Pxr5t++AJ6mhf+FacNqfjTQQhTIl4A87AVHbSAj896KiEVkSM4k6T0Q=",
        ),
        (
            "AES-192-CBC,41A549929B0DAA615B6F9B8658AFADF7",
            "BbYlCT4UXaRJbX3uPlw2nH2KYJMnSVBL+qebIvWjLeQ71FY5UNpk9r4HHrDy1j084RnRn7H4sC72/NZI7PKqD1syJYJMDe3E1YOeC9ckxRHkBF1R\
             AX6DnXQTSiO74CEpL75x4lL9LiMMMNOlSKCpFDyf7b/ea1/A2EZMDI+LVEE=",
        ),
        (
            "AES-256-CBC,E2ADD3ADAE71F1DA959D2432E733B65E",
            "KZyeTXeIGudUtF4/JWG8jQeHAwlVsy44TdYEjq8KlrQKC2C+XvbOWAaQpglKknx+UPcNhxUZEln7gLrjEoWHoCufczgR+ZLOrJ2nzx0J7tNfuDpR\
             GI6ohB+ghjR9iccGAKZVLG3gtYHw/X/lJpSxPuiHioSD/atd8ErEYEH/THc=",
        ),
    ];

    const KEY: &str = "3077020101042012e1d993357e4f6947490c28ab563dfc425838a174ae1d56cc3eda80b135149fa00a06082a8648ce3d030107\
                       a14403420004fd35efe2ec6f2c9a27de9ba3c25cd036775e0b44a3da871e394d9810cad07704c7e30421eeca19d6b45640e64cac\
                       6cacda20adae6541e7dfca1501ddf472c992";

    fn text(how: &str, content: &str) -> String {
        let label = "EC PRIVATE KEY-----";
        format!("-----BEGIN {label}\nProc-Type: 4,ENCRYPTED\nDEK-Info: {how}\n\n{content}\n-----END {label}\n")
    }

    fn decrypted(text: &str, passphrase: &str) -> Result<Vec<u8>, String> {
        let (block, _) = pem::first(text).expect("a block");
        decrypt(&block, passphrase.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_that_openssl_encrypted_are_decrypted() {
        for (how, content) in SEALED {
            let key = decrypted(&text(how, content), "hunter2").expect(how);
            assert_eq!(hex::spell(&key), KEY, "{how}");
            assert!(private::sec1(&key).is_ok());
            // With another passphrase the padding may be right by chance, the key is not.
            assert_ne!(decrypted(&text(how, content), "hunter3").as_deref(), Ok(&key[..]), "{how}");
        }
    }

    #[test]
    fn what_cannot_be_decrypted_is_told_in_gos_words() {
        let content = SEALED[4].1;
        let vector = "E2ADD3ADAE71F1DA959D2432E733B65E";
        for (text, expected) in [
            (text(&format!("AES-256-CBC,{vector}"), content), "decryption password incorrect"),
            (text(vector, content), "malformed DEK-Info header"),
            (text("AES-256-CBC,xy", content), "malformed DEK-Info header"),
            (text(&format!("AES-256-GCM,{vector}"), content), "unknown encryption mode"),
            (text(&format!("AES-256-CBC,{}", &vector[2..]), content), "incorrect IV size"),
            (text("AES-256-CBC,E2", content), "incorrect IV size"),
            (text(&format!("DES-CBC,{vector}"), content), "incorrect IV size"),
            (
                text(&format!("AES-256-CBC,{vector}"), &content[..20]),
                "encrypted PEM data is not a multiple of the block size",
            ),
            (text(&format!("AES-256-CBC,{vector}"), ""), "encrypted PEM data is not a multiple of the block size"),
            (text("", content).replace("DEK-Info", "Other"), "no DEK-Info header in block"),
        ] {
            assert_eq!(decrypted(&text, "wrong"), Err(format!("x509: {expected}")), "{text}");
        }
    }
}
