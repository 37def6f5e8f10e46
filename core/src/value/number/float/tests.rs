use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};
use proptest::prelude::*;

use super::Float;

/// A fraction, exactly; the denominator is positive.
#[derive(Clone, Debug)]
struct Fraction(BigInt, BigInt);

impl Fraction {
    fn of(float: Float) -> Self {
        let magnitude = BigUint::from(float.mantissa);
        let power = BigUint::from(1_u8) << float.exponent.unsigned_abs();
        let (over, under) =
            if float.exponent < 0 { (magnitude, power) } else { (magnitude * power, BigUint::from(1_u8)) };
        Self(BigInt::from_biguint(if float.negative { Sign::Minus } else { Sign::Plus }, over), under.into())
    }

    fn minus(&self, other: &Self) -> Self {
        Self(&self.0 * &other.1 - &other.0 * &self.1, &self.1 * &other.1)
    }

    fn distance(&self, other: &Self) -> Self {
        let Self(over, under) = self.minus(other);
        Self(over.magnitude().clone().into(), under)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.minus(other).0.cmp(&BigInt::ZERO)
    }
}

/// The floats next to one, on either side.
fn neighbours(float: Float) -> [Float; 2] {
    let up = match float.mantissa.checked_add(1) {
        Some(mantissa) => Float { mantissa, ..float },
        None => Float { mantissa: 1 << 63, exponent: float.exponent + 1, ..float },
    };
    let down = if float.mantissa == 1 << 63 {
        Float { mantissa: u64::MAX, exponent: float.exponent - 1, ..float }
    } else {
        Float { mantissa: float.mantissa - 1, ..float }
    };
    [up, down]
}

fn assert_nearest(float: Float, exact: &Fraction) {
    if float.is_zero() {
        assert_eq!(exact.0, BigInt::ZERO);
        return;
    }
    assert!(float.mantissa >> 63 == 1, "{float:?} is normal");
    let distance = Fraction::of(float).distance(exact);
    for neighbour in neighbours(float) {
        match distance.order(&Fraction::of(neighbour).distance(exact)) {
            Ordering::Less => {}
            Ordering::Equal => assert_eq!(float.mantissa % 2, 0, "{float:?} is the even one"),
            Ordering::Greater => panic!("{neighbour:?} is nearer than {float:?}"),
        }
    }
}

/// Floats whose mantissas have few bits often, so that sums end half-way between others.
fn floats() -> impl Strategy<Value = Float> {
    (any::<bool>(), any::<u64>(), 0_u32..64, -140_i64..140).prop_map(|(negative, bits, cut, exponent)| {
        let float = Float::of_integer(negative, u128::from(bits >> cut << cut | 1 << 63));
        Float { exponent, ..float }
    })
}

proptest! {
    #[test]
    fn results_are_the_nearest_floats(a in floats(), b in floats()) {
        let (x, y) = (Fraction::of(a), Fraction::of(b));
        assert_nearest(a.add(b), &Fraction(&x.0 * &y.1 + &y.0 * &x.1, &x.1 * &y.1));
        assert_nearest(a.mul(b), &Fraction(&x.0 * &y.0, &x.1 * &y.1));
        let sign = if b.negative { -1 } else { 1 };
        assert_nearest(a.div(b), &Fraction(&x.0 * &y.1 * sign, &x.1 * &y.0 * sign));
    }

    #[test]
    fn literals_are_read_as_the_nearest_floats(
        negative in any::<bool>(),
        digits in "[1-9][0-9]{0,60}",
        exponent in prop_oneof![-30_i32..30, -2000_i32..2000],
    ) {
        let float = Float::of(&format!("{}{digits}e{exponent}", if negative { "-" } else { "" }));
        let digits = BigInt::parse_bytes(digits.as_bytes(), 10).expect("digits") * if negative { -1 } else { 1 };
        let power = BigInt::from(10).pow(exponent.unsigned_abs());
        let exact = if exponent < 0 { Fraction(digits, power) } else { Fraction(digits * power, 1.into()) };
        assert_nearest(float, &exact);
    }

    #[test]
    fn what_is_spelled_out_reads_as_the_same_float(float in floats(), exponent in prop_oneof![-140_i64..140, -5000_i64..5000]) {
        // Go takes the neighbours of powers of two to be equally far away, which makes their spelling too short.
        let float = Float { exponent, mantissa: float.mantissa.max(1 << 63 | 1), ..float };
        let spelled = super::super::shortest::spelled(float);
        prop_assert_eq!(Float::of(&spelled), float, "{}", spelled);
    }
}

#[test]
fn the_shortest_spelling_has_no_digit_too_many() {
    for text in ["0.1", "0.3", "1.1", "123.456", "1e-07", "0.33333333333333333334", "5e-324", "-99999", "1.5e-07"] {
        assert_eq!(super::super::shortest::spelled(Float::of(text)), text);
    }
    assert_eq!(super::super::shortest::spelled(Float::of("36893488147419103232")), "36893488147419103230");
}

#[test]
fn what_is_out_of_range_becomes_the_largest_or_zero() {
    let huge = "9".repeat(100_000);
    for large in ["1e30000", "1e999999999999999999999", &huge] {
        let float = Float::of(large);
        assert_eq!((float.mantissa, float.add(float)), (u64::MAX, float), "{large:.20}");
        assert!(Float::of(&format!("-{large}")).negative);
    }
    assert!(Float::of("1e-30000").is_zero() && Float::of("-1e-99999999999999999999").is_zero());
    let tiny = format!("0.{}1e100000", "0".repeat(100_000));
    assert_eq!(Float::of(&tiny), Float::of("0.1"));
}
