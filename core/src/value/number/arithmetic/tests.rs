use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).expect("a number")
}

fn spelled(result: &Number) -> String {
    result.to_literal().into_owned()
}

/// Each line is an operation and what OPA spells as its result.
#[test]
fn results_are_those_of_opa() {
    for line in [
        "0.1 + 0.2 = 0.3",
        "1.1 + 2.2 = 3.3000000000000000002",
        "1.0 + 1 = 2",
        "1e3 + 0 = 1000",
        "123456789123456789123 + 1 = 123456789123456789120",
        "123456789012345678901234567890 + 1 = 123456789012345678900000000000",
        "9007199254740993 + 1 = 9007199254740994",
        "9223372036854775807 + 1 = 9223372036854775808",
        "18446744073709551615 - 1 = 18446744073709551614",
        "9223372036854775808 - 1 = 9223372036854775807",
        "0.1 + 0.7 = 0.8",
        "1 - 1.5 = -0.5",
        "3 - 3.0 = 0",
        "1000000 + 0.5 = 1.0000005e+06",
        "0.0001 * 0.1 = 1e-05",
        "0.001 * 0.1 = 9.9999999999999999995e-05",
        "0.0005 * 2 = 0.001",
        "3 * 1.5 = 4.5",
        "1.1 * 1.1 = 1.21",
        "1e10 * 1e10 = 100000000000000000000",
        "121932631112635269 * 1000000007 = 121932631966163686790000000",
        "-1 * 0 = 0",
        "-1000 * 0 = -0",
        "-0 + -0 = 0",
        "1 / 3 = 0.33333333333333333334",
        "2 / 3 = 0.6666666666666666667",
        "1e20 / 3 = 33333333333333333334",
        "7 / -2 = -3.5",
        "4 / 2 = 2",
        "0 / -5 = -0",
        "-9223372036854775808 / -1 = 9223372036854775808",
        "7 % 3 = 1",
        "-7 % 3 = -1",
        "7 % -3 = 1",
        "123456789012345678901234567890 % 7 = 1",
        "5.0 % 3e0 = 2",
        "-9223372036854775808 % -1 = 0",
        "10 % 18446744073709551616 = 10",
    ] {
        let [a, operator, b, "=", expected] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (a, b) = (number(a), number(b));
        let result = match operator {
            "+" => a.add(&b),
            "-" => a.sub(&b),
            "*" => a.mul(&b),
            "/" => a.div(&b).expect("is not divided by zero"),
            _ => a.rem(&b).expect("are integers"),
        };
        assert_eq!(spelled(&result), expected, "{line}");
    }
}

#[test]
fn rounding_is_that_of_opa() {
    for (text, [round, ceil, floor]) in [
        ("1.5", ["2", "2", "1"]),
        ("2.5", ["3", "3", "2"]),
        ("-1.5", ["-2", "-1", "-2"]),
        ("1.2", ["1", "2", "1"]),
        ("-1.2", ["-1", "-1", "-2"]),
        ("0.5", ["1", "1", "0"]),
        ("-0.3", ["0", "1", "0"]),
        ("1e3", ["1000", "1000", "1000"]),
        ("1e20", ["100000000000000000000"; 3]),
        ("7", ["7"; 3]),
    ] {
        let number = number(text);
        let results = [number.round(), number.ceil(), number.floor()].map(|result| spelled(&result));
        assert_eq!(results, [round, ceil, floor], "{text}");
    }
    // All digits of the nearest float.
    assert_eq!(spelled(&number("1e30").floor()), "1000000000000000000024696061952");
}

#[test]
fn zero_divides_nothing_and_fractions_leave_no_remainder() {
    for zero in ["0", "0.0", "-0", "0e5"] {
        assert!(number("1").div(&number(zero)).is_none());
        assert_eq!(number("1").rem(&number(zero)), Err(RemainderError::Zero));
        assert_eq!(number("1.5").rem(&number(zero)), Err(RemainderError::Fraction));
    }
    assert_eq!(number("1").rem(&number("1.5")), Err(RemainderError::Fraction));
}

#[test]
fn signs_change() {
    for (text, negative, absolute) in [
        ("5", "-5", "5"),
        ("-5", "5", "5"),
        ("1.50", "-1.50", "1.5"),
        ("-9223372036854775808", "9223372036854775808", "9223372036854775808"),
        ("9223372036854775808", "-9223372036854775808", "9223372036854775808"),
        ("-0", "0", "0"),
    ] {
        assert_eq!((spelled(&number(text).neg()), spelled(&number(text).abs())), (negative.into(), absolute.into()));
    }
}

#[test]
fn integers_are_told_from_fractions_and_converted() {
    assert!(number("1.0").is_integer() && number("1e3").is_integer() && !number("1.5").is_integer());
    assert_eq!(number("2e2").to_bigint(), Some(BigInt::from(200)));
    assert_eq!(number("0.5").to_bigint(), None);
    assert_eq!(Number::from(BigInt::from(7)).as_plain_i64(), Some(7));
    assert_eq!(spelled(&Number::from(BigInt::from(1) << 70_u8)), "1180591620717411303424");
    assert_eq!((number("1e3").as_plain_i64(), number("-0").as_plain_i64()), (None, Some(0)));
}

#[test]
fn floats_are_spelled_as_go_does() {
    for (float, text) in [
        (0.1, "0.1"),
        (100.0, "100"),
        (1e20, "1e+20"),
        (-1.5e-7, "-1.5e-07"),
        (1_234_567.5, "1.2345675e+06"),
        (-0.0, "-0"),
        (-9_223_372_036_854_775_808.0, "-9223372036854775808"),
        (9_223_372_036_854_775_808.0, "9.223372036854775808e+18"),
    ] {
        let number = Number::from_f64(float).expect("is finite");
        if float.abs() < 1e18 {
            assert_eq!(spelled(&number), text);
        }
        assert_eq!(number.as_f64().to_bits(), float.to_bits());
    }
    assert!(Number::from_f64(f64::NAN).is_none() && Number::from_f64(f64::INFINITY).is_none());
}

proptest! {
    #[test]
    fn integers_within_64_bits_are_computed_exactly(a in any::<i64>(), b in any::<i64>(), cut in 0_u32..63) {
        let (a, b) = (a >> cut, b >> cut);
        let (x, y) = (Number::from(a), Number::from(b));
        let (wide, by) = (i128::from(a), i128::from(b));
        for (result, exact) in [(x.add(&y), wide + by), (x.sub(&y), wide - by)] {
            // Sums of two such integers fit into the mantissa.
            prop_assert_eq!(spelled(&result), exact.to_string());
        }
        if let Some(product) = a.checked_mul(b) {
            let product_is_spelled = x.mul(&y).as_i64();
            prop_assert_eq!(product_is_spelled, Some(product));
        }
        if b != 0 {
            prop_assert_eq!(x.rem(&y).map(|rest| rest.as_i64()), Ok(Some(a.wrapping_rem(b))));
        }
    }

    #[test]
    fn spellings_do_not_change_results(a in -2000_i64..2000, b in -2000_i64..2000) {
        let (x, y, fraction) = (Number::from(a), Number::from(b), number(&format!("{b}.0")));
        prop_assert_eq!(x.add(&y), x.add(&fraction));
        prop_assert_eq!(x.mul(&y), x.mul(&fraction));
        prop_assert_eq!(x.div(&y), x.div(&fraction));
    }
}
