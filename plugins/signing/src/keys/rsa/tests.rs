use num_bigint::BigUint;

use super::super::hash::Hash;
use super::super::private::PrivateKey;
use super::super::tests::{rsa_key, rsa_of};
use super::{Padding, Private, Public, Salt, encoding};

const ANY: Padding = Padding::Pss(Salt::Any);
const USUAL: Padding = Padding::Pss(Salt::AsDigest);

fn private(key: &PrivateKey) -> &Private {
    let PrivateKey::Rsa(key) = key else { panic!("not an RSA key") };
    key
}

/// A key of the primes 2^`bits` - `below`, as far as tests need it.
fn key(bits: u32, below: [u32; 2], exponent: u32) -> (Public, BigUint) {
    key_of(&below.map(|below| (BigUint::from(1_u32) << bits) - below), exponent)
}

fn key_of(primes: &[BigUint; 2], exponent: u32) -> (Public, BigUint) {
    let order: BigUint = primes.iter().map(|prime| prime - 1_u32).product();
    let public = Public { modulus: primes.iter().product(), exponent: exponent.into() };
    let private = public.exponent.modinv(&order).expect("the exponent has an inverse");
    (public, private)
}

/// Signs, in a way that keeps no secret.
fn signed((public, private): &(Public, BigUint), encoded: &[u8]) -> Vec<u8> {
    let signature = BigUint::from_bytes_be(encoded).modpow(private, &public.modulus).to_bytes_be();
    let size = usize::try_from(public.modulus.bits().div_ceil(8)).expect("a size");
    [vec![0; size - signature.len()], signature].concat()
}

/// The digest with salt: RFC 8017, section 9.1.1.
fn pss(hash: Hash, message: &[u8], salt: &[u8], bits: u64) -> Vec<u8> {
    let size = usize::try_from((bits - 1).div_ceil(8)).expect("a size");
    let seed = hash.digest(&[&[0; 8][..], &hash.digest(message), salt].concat());
    let filling = vec![0; size - salt.len() - seed.len() - 2];
    let block = [&filling[..], &[1], salt].concat();
    let mut masked: Vec<u8> = block.iter().zip(encoding::mask(hash, &seed)).map(|(byte, mask)| byte ^ mask).collect();
    masked[0] &= 0xff >> (8 * u64::try_from(size).expect("a size") - (bits - 1));
    [&masked[..], &seed, &[0xbc]].concat()
}

fn pkcs1(message: &[u8], size: usize) -> Vec<u8> {
    let info = [0x30, 49, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32];
    let digest = Hash::Sha256.digest(message);
    [&[0, 1][..], &vec![0xff; size - 3 - info.len() - digest.len()], &[0], &info, &digest].concat()
}

#[test]
fn signatures_with_any_salt_verify_where_any_will_do() {
    let key = key(1024, [105, 179], 65_537);
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let usual = hash.digest(b"").len();
        let most = 256 - usual - 2;
        for length in [0, 8, usual, most] {
            let signature = signed(&key, &pss(hash, b"message", &vec![7; length], 2048));
            assert!(key.0.verifies(ANY, hash, b"message", &signature), "{hash:?} {length}");
            assert_eq!(key.0.verifies(USUAL, hash, b"message", &signature), length == usual, "{hash:?} {length}");
            assert!(!key.0.verifies(ANY, hash, b"another message", &signature));
            assert!(!key.0.verifies(Padding::Pkcs1, hash, b"message", &signature));
            assert!(!key.0.verifies(ANY, hash, b"message", &signature[1..]), "truncated");
            assert!(!key.0.verifies(ANY, hash, b"message", &[&[0], &signature[..]].concat()), "longer");
        }
    }
}

#[test]
fn what_ring_signs_verifies() {
    let key = rsa_key();
    let key = private(&key);
    let strange = rsa_of(1397, 3177);
    for padding in [Padding::Pkcs1, USUAL] {
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let mut signature = key.sign(padding, hash, b"message").expect("a signature");
            assert!(key.public.verifies(padding, hash, b"message", &signature), "{padding:?} {hash:?}");
            assert!(!private(&strange).public.verifies(padding, hash, b"message", &signature));
            signature[100] ^= 1;
            assert!(!key.public.verifies(padding, hash, b"message", &signature), "{padding:?} {hash:?}");
        }
    }
}

#[test]
fn every_byte_of_what_is_signed_counts() {
    let key = key(512, [569, 629], 65_537);
    let salted = pss(Hash::Sha256, b"message", &[7; 32], 1024);
    let plain = pkcs1(b"message", 128);
    assert!(key.0.verifies(Padding::Pkcs1, Hash::Sha256, b"message", &signed(&key, &plain)));
    for (padding, encoded) in [(ANY, &salted), (USUAL, &salted), (Padding::Pkcs1, &plain)] {
        for position in (0..encoded.len()).step_by(7).chain([0, 1, encoded.len() - 1]) {
            let mut forged = encoded.clone();
            forged[position] ^= 1;
            // A number as large as the modulus would be another one.
            if BigUint::from_bytes_be(&forged) < key.0.modulus {
                assert!(!key.0.verifies(padding, Hash::Sha256, b"message", &signed(&key, &forged)), "{position}");
            }
        }
    }
    // The same digest with more behind it, and with less filling.
    let mut behind = [&plain[40..], &[0; 40]].concat();
    behind[..2].copy_from_slice(&[0, 1]);
    assert!(!key.0.verifies(Padding::Pkcs1, Hash::Sha256, b"message", &signed(&key, &behind)));
}

#[test]
fn bits_that_stand_for_nothing_are_zero() {
    let forged = |key: &(Public, BigUint), padding, encoded: &[u8]| {
        assert!(BigUint::from_bytes_be(encoded) < key.0.modulus);
        key.0.verifies(padding, Hash::Sha256, b"message", &signed(key, encoded))
    };
    let even = key(512, [569, 629], 65_537);
    let mut salted = pss(Hash::Sha256, b"message", &[7; 32], 1024);
    assert!(forged(&even, ANY, &salted));
    salted[0] |= 0x80;
    assert!(!forged(&even, ANY, &salted));
    // The digest is a byte shorter than this modulus.
    let one = || BigUint::from(1_u32);
    let odd = key_of(&[(one() << 512) - 569_u32, (one() << 513) - 445_u32], 65_537);
    assert_eq!(odd.0.modulus.bits(), 1025);
    let salted = pss(Hash::Sha256, b"message", &[7; 32], 1025);
    assert!(forged(&odd, ANY, &salted));
    assert!(!forged(&odd, ANY, &[&[1][..], &salted].concat()));
    // A number that is another one modulo the modulus.
    let plain = signed(&odd, &pkcs1(b"message", 129));
    assert!(odd.0.verifies(Padding::Pkcs1, Hash::Sha256, b"message", &plain));
    let beyond = (BigUint::from_bytes_be(&plain) + &odd.0.modulus).to_bytes_be();
    assert_eq!(beyond.len(), 129);
    assert!(!odd.0.verifies(Padding::Pkcs1, Hash::Sha256, b"message", &beyond));
}

#[test]
fn keys_are_of_the_sizes_and_with_the_exponents_that_go_takes() {
    // 2^512 - 569 and 2^512 - 629 are prime; so are 2^511 - 187 and 2^511 - 339.
    let verifies = |bits: u32, below, exponent| {
        let key = key(bits, below, exponent);
        let size = usize::try_from(key.0.modulus.bits().div_ceil(8)).expect("a size");
        let plain = key.0.verifies(Padding::Pkcs1, Hash::Sha256, b"m", &signed(&key, &pkcs1(b"m", size)));
        let bits = key.0.modulus.bits();
        let salted = pss(Hash::Sha256, b"m", b"salt", bits);
        (bits, plain, key.0.verifies(ANY, Hash::Sha256, b"m", &signed(&key, &salted)))
    };
    assert_eq!(verifies(512, [569, 629], 65_537), (1024, true, true));
    assert_eq!(verifies(511, [187, 339], 65_537), (1022, false, false), "too small");
    assert_eq!(verifies(1024, [105, 179], 7), (2048, true, true));
    assert_eq!(verifies(1024, [105, 179], 0x7fff_ffff), (2048, true, true));
    assert_eq!(verifies(1024, [105, 179], 0x8000_0003), (2048, false, false), "too large an exponent");
    let (public, _) = key(1024, [105, 179], 65_537);
    let one = Public { exponent: 1_u32.into(), ..public.clone() };
    assert!(!one.verifies(Padding::Pkcs1, Hash::Sha256, b"m", &pkcs1(b"m", 256)), "signs everything");
}

#[test]
fn large_keys_verify_up_to_a_bound() {
    // Nobody needs the primes to check: with the exponent 3, a small enough cube is its own signature's cube.
    let of = |bits: u32| Public { modulus: (BigUint::from(1_u32) << bits) - 1_u32, exponent: 3_u32.into() };
    assert!(of(16_384).opened(&[vec![0; 2047], vec![2]].concat()).is_some_and(|opened| opened.last() == Some(&8)));
    assert!(of(16_385).opened(&[vec![0; 2048], vec![2]].concat()).is_none());
}
