//! The elliptic curves of NIST, with any digest: ring pairs each curve with one digest only, and lacks P-521.

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};

use super::der::Oid;

/// A curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Known, so that certificates with it can be read, but nothing can be verified with it.
    P224,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    /// The curve that keys in DER name.
    pub fn of_oid(oid: &Oid) -> Option<Self> {
        match oid.arcs() {
            [1, 3, 132, 0, 33] => Some(Self::P224),
            [1, 2, 840, 10045, 3, 1, 7] => Some(Self::P256),
            [1, 3, 132, 0, 34] => Some(Self::P384),
            [1, 3, 132, 0, 35] => Some(Self::P521),
            _ => None,
        }
    }

    /// The curve that keys in JSON name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::P224 => "P-224",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// How many bytes a coordinate has.
    pub fn size(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The point with the coordinates, each as many bytes as the curve has.
    pub fn point(self, x: &[u8], y: &[u8]) -> Option<Point> {
        Point::read(self, &[vec![4], padded(x, self.size())?, padded(y, self.size())?].concat())
    }

    /// The point that belongs to the private number.
    pub fn public(self, private: &[u8]) -> Option<Point> {
        let private = padded(private, self.size())?;
        let bytes = match self {
            Self::P224 => return None,
            Self::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&private).ok()?;
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }
            Self::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&private).ok()?;
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }
            Self::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(&private).ok()?;
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }
        };
        Point::read(self, &bytes)
    }

    /// Signs a digest: both numbers, each as many bytes as the curve has. The same digest gives the same signature.
    pub fn sign(self, private: &[u8], digest: &[u8]) -> Option<Vec<u8>> {
        let private = padded(private, self.size())?;
        match self {
            Self::P224 => None,
            Self::P256 => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::SigningKey::from_slice(&private).ok()?.sign_prehash(digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P384 => {
                let signature: p384::ecdsa::Signature =
                    p384::ecdsa::SigningKey::from_slice(&private).ok()?.sign_prehash(digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P521 => {
                let signature: p521::ecdsa::Signature =
                    p521::ecdsa::SigningKey::from_slice(&private).ok()?.sign_prehash(digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
        }
    }
}

/// A point on a curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The curve that it is on.
    pub curve: Curve,
    /// A 4 and both coordinates.
    bytes: Vec<u8>,
}

impl Point {
    /// Reads a 4 and both coordinates. Nothing when the point is not on the curve.
    pub fn read(curve: Curve, bytes: &[u8]) -> Option<Self> {
        let on_curve = match curve {
            Curve::P224 => true,
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok(),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok(),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(bytes).is_ok(),
        };
        let uncompressed = bytes.first() == Some(&4) && bytes.len() == 2 * curve.size() + 1;
        (on_curve && uncompressed).then(|| Self { curve, bytes: bytes.to_vec() })
    }

    /// The coordinates, each as many bytes as the curve has.
    pub fn coordinates(&self) -> (&[u8], &[u8]) {
        self.bytes[1..].split_at(self.curve.size())
    }

    /// Whether the two numbers, in any number of bytes, sign the digest.
    pub fn verifies(&self, digest: &[u8], r: &[u8], s: &[u8]) -> bool {
        self.check(digest, r, s).is_some()
    }

    fn check(&self, digest: &[u8], r: &[u8], s: &[u8]) -> Option<()> {
        let size = self.curve.size();
        let signature = [padded(r, size)?, padded(s, size)?].concat();
        match self.curve {
            Curve::P224 => None,
            Curve::P256 => {
                let signature = p256::ecdsa::Signature::from_slice(&signature).ok()?;
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.bytes).ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Curve::P384 => {
                let signature = p384::ecdsa::Signature::from_slice(&signature).ok()?;
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&self.bytes).ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
            Curve::P521 => {
                let signature = p521::ecdsa::Signature::from_slice(&signature).ok()?;
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&self.bytes).ok()?;
                key.verify_prehash(digest, &signature).ok()
            }
        }
    }
}

/// The number in as many bytes as asked for, if it fits.
pub fn padded(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let digits = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    let zeros = size.checked_sub(digits.len())?;
    Some([vec![0; zeros], digits.to_vec()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_signs_digests_of_any_length() {
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let private = [7; 24];
            let public = curve.public(&private).expect("a point");
            for digest in [&[1; 20][..], &[2; 32], &[3; 48], &[4; 64]] {
                let signature = curve.sign(&private, digest).expect("a signature");
                let (r, s) = signature.split_at(curve.size());
                assert!(public.verifies(digest, r, s), "{curve:?}, {} bytes", digest.len());
                assert!(public.verifies(digest, &[&[0, 0], r].concat(), s), "zeros in front do not matter");
                assert!(!public.verifies(digest, s, r) && !public.verifies(&[5; 32], r, s));
                assert!(!public.verifies(digest, &[1; 80], s) && !public.verifies(digest, &[], &[]));
            }
            assert_eq!(curve.sign(&private, &[1; 32]), curve.sign(&private, &[1; 32]));
        }
    }

    #[test]
    fn only_points_on_the_curve_are_taken() {
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let public = curve.public(&[9]).expect("a point");
            let (x, y) = public.coordinates();
            assert_eq!(curve.point(x, y).as_ref(), Some(&public));
            assert_eq!(curve.point(y, x), None);
            assert_eq!(curve.point(&[], &[]), None);
            assert_eq!(curve.point(&[1; 67], y), None);
            assert_eq!((curve.public(&[]), curve.public(&[0xff; 66])), (None, None));
        }
    }
}
