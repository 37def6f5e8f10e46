//! Floats in the fewest decimal digits that tell them from their neighbours, spelled as Go spells them.

use num_bigint::BigUint;

use super::float::Float;

/// `0.DIGITS × 10^point`; the digits are ASCII and neither begin nor end with zeros.
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    /// All digits of `number × 2^exponent`.
    fn of(number: &BigUint, exponent: i64) -> Self {
        let digits = if exponent >= 0 {
            number << exponent.unsigned_abs()
        } else {
            number * BigUint::from(5_u8).pow(u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX))
        };
        let digits = digits.to_str_radix(10).into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) + exponent.min(0);
        Self { digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        let length = self.digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
        self.digits.truncate(length);
        self
    }

    fn at(&self, index: usize) -> u8 {
        self.digits.get(index).copied().unwrap_or(b'0')
    }

    fn rounded_down(mut self, length: usize) -> Self {
        self.digits.truncate(length);
        self.trimmed()
    }

    fn rounded_up(mut self, length: usize) -> Self {
        self.digits.truncate(length);
        while let Some(last) = self.digits.pop() {
            if last < b'9' {
                self.digits.push(last + 1);
                return self;
            }
        }
        Self { digits: vec![b'1'], point: self.point + 1 }
    }

    /// Rounded to the nearest, of two equally near ones to the one with an even last digit.
    fn rounded(self, length: usize) -> Self {
        let up = match self.digits.get(length) {
            Some(b'5') if length + 1 == self.digits.len() => length > 0 && self.digits[length - 1] % 2 == 1,
            Some(digit) => *digit >= b'5',
            None => return self,
        };
        if up { self.rounded_up(length) } else { self.rounded_down(length) }
    }

    /// Digits with a point, `120`, `0.012`.
    fn plain(&self, out: &mut String) {
        let whole = usize::try_from(self.point).unwrap_or(0);
        if whole == 0 {
            out.push('0');
        }
        out.extend((0..whole).map(|index| char::from(self.at(index))));
        if self.digits.len() > whole {
            out.push('.');
            out.extend(std::iter::repeat_n('0', usize::try_from(-self.point).unwrap_or(0)));
            out.extend(self.digits[whole..].iter().copied().map(char::from));
        }
    }

    /// One digit before the point and an exponent of at least two digits, `1.2e+06`.
    fn scientific(&self, out: &mut String) {
        use std::fmt::Write as _;
        out.push(char::from(self.at(0)));
        if self.digits.len() > 1 {
            out.push('.');
            out.extend(self.digits[1..].iter().copied().map(char::from));
        }
        let exponent = self.point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
    }

    /// Plain unless very small or more than a million, as Go's verb `%g` without a precision.
    fn general(&self, out: &mut String) {
        if (-4..6).contains(&(self.point - 1)) { self.plain(out) } else { self.scientific(out) }
    }
}

/// The numbers that are read as one float: those between two bounds half-way to its neighbours.
struct Interval {
    lower: Digits,
    float: Digits,
    upper: Digits,
    /// Whether the bounds are read as the float too: what lies half-way between two floats becomes the even one.
    closed: bool,
}

impl Interval {
    /// The interval of a float that is not zero. Like Go's, it reaches equally far in both directions even for powers of
    /// two, whose lower neighbour is nearer.
    fn of(float: Float) -> Self {
        let doubled = BigUint::from(float.mantissa) << 1_u8;
        let digits = |number: &BigUint| Digits::of(number, float.exponent - 1);
        Self {
            lower: digits(&(&doubled - 1_u8)),
            float: digits(&doubled),
            upper: digits(&(&doubled + 1_u8)),
            closed: float.mantissa.is_multiple_of(2),
        }
    }

    /// Whether the float stays in when cut behind that digit, the first in which it can differ from the lower bound.
    fn holds_cut(&self, index: usize) -> bool {
        let at_bound = index + 1 == self.lower.digits.len();
        self.lower.at(index) != self.float.at(index) || self.closed && at_bound
    }

    /// Whether the float stays in when cut and that digit raised. Go's reader of the upper bound is followed to the
    /// letter: where raising gives an excluded bound, no later digit is raised either.
    fn holds_raised(&self, index: usize) -> bool {
        let (digit, bound) = (self.float.at(index), self.upper.at(index));
        let below_bound = digit + 1 < bound || index + 1 < self.upper.digits.len();
        digit != bound && (self.closed || below_bound)
    }

    /// The number of fewest digits; of several the nearest.
    fn shortest(self) -> Digits {
        let ends = (0..self.float.digits.len()).find(|&index| self.holds_cut(index) || self.holds_raised(index));
        let Some(index) = ends else { return self.float };
        match (self.holds_cut(index), self.holds_raised(index)) {
            (true, true) => self.float.rounded(index + 1),
            (true, false) => self.float.rounded_down(index + 1),
            _ => self.float.rounded_up(index + 1),
        }
    }
}

/// The float as OPA spells results of arithmetic: integers in full, others as Go's verb `%g`.
pub(super) fn spelled(float: Float) -> String {
    let mut out = String::from(if float.negative { "-" } else { "" });
    if float.is_zero() {
        out.push('0');
        return out;
    }
    let digits = Interval::of(float).shortest();
    if float.is_integer() {
        digits.plain(&mut out);
    } else {
        digits.general(&mut out);
    }
    out
}

/// A float of 64 bits, neither infinite nor not a number, as Go's verb `%g` spells it.
pub(super) fn spelled_f64(float: f64) -> String {
    let mut out = String::from(if float.is_sign_negative() { "-" } else { "" });
    let shortest = format!("{:e}", float.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    if float == 0.0 {
        out.push('0');
        return out;
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let point = exponent.parse::<i64>().unwrap_or(0) + 1;
    Digits { digits, point }.trimmed().general(&mut out);
    out
}
