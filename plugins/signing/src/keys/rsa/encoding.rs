//! What a digest is filled up to before it is signed with RSA: RFC 8017, section 9.

use super::super::hash::Hash;
use super::Salt;

/// Whether the bytes, the digest's algorithm and the digest filled up as PKCS #1 v1.5 has it, are those of the digest.
pub(super) fn is_pkcs1(hash: Hash, digest: &[u8], encoded: &[u8]) -> bool {
    // `DigestInfo` up to the digest: SHA-256, 384 and 512 have the numbers 1 to 3 in their family.
    let (number, size) = match hash {
        Hash::Sha256 => (1, 32),
        Hash::Sha384 => (2, 48),
        Hash::Sha512 => (3, 64),
    };
    let info = [0x30, 17 + size, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, number, 5, 0, 4, size];
    let tail = [&[0][..], &info, digest].concat();
    // No key is so small that there would be less than the eight bytes of filling that have to be.
    let Some(filling) = encoded.len().checked_sub(2 + tail.len()) else { return false };
    // To make what it should be and compare that leaves nothing to be read wrongly.
    encoded == [&[0, 1][..], &vec![0xff; filling], &tail].concat()
}

/// Whether the bytes are the digest with salt, as PSS has it. `bits` are those of the modulus.
pub(super) fn is_pss(hash: Hash, salt: Salt, digest: &[u8], encoded: &[u8], bits: u64) -> bool {
    pss(hash, salt, digest, encoded, bits).is_some()
}

fn pss(hash: Hash, salt: Salt, digest: &[u8], encoded: &[u8], bits: u64) -> Option<()> {
    let holds = |truth: bool| truth.then_some(());
    // One bit less than the modulus has; a byte that is too many for that is zero.
    let size = usize::try_from((bits - 1).div_ceil(8)).ok()?;
    let (above, encoded) = encoded.split_at_checked(encoded.len().checked_sub(size)?)?;
    holds(above.iter().all(|byte| *byte == 0))?;
    let (encoded, [0xbc]) = encoded.split_last_chunk()? else { return None };
    let (masked, seed) = encoded.split_at_checked(encoded.len().checked_sub(digest.len())?)?;
    let unused = u32::try_from(8 * u64::try_from(size).ok()? - (bits - 1)).ok()?;
    let used = 0xff_u8 >> unused;
    holds(*masked.first()? & !used == 0)?;
    let mut block: Vec<u8> = masked.iter().zip(mask(hash, seed)).map(|(byte, mask)| byte ^ mask).collect();
    block[0] &= used;
    let filling = block.iter().position(|byte| *byte != 0)?;
    holds(block[filling] == 1)?;
    let salted = &block[filling + 1..];
    holds(salt == Salt::Any || salted.len() == digest.len())?;
    holds(hash.digest(&[&[0; 8], digest, salted].concat()) == seed)
}

/// The bytes without end that MGF1 makes of a seed.
pub(super) fn mask(hash: Hash, seed: &[u8]) -> impl Iterator<Item = u8> {
    (0_u32..).flat_map(move |counter| hash.digest(&[seed, &counter.to_be_bytes()[..]].concat()))
}
