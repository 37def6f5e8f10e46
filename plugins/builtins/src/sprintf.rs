//! `sprintf`: the verbs of Go's `fmt`, over numbers, strings and whatever else as Rego spells it.

mod directive;
mod float;
mod integer;
mod text;

use directive::{Directive, Reader};
pub(super) use float::shortest;
use num_bigint::BigInt;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View};

use super::bounds;
use super::table::{Entry, function};
use crate::spelling::spell;

pub(super) const TABLE: &[Entry] = &[function(
    "sprintf(
        format: string, # string with formatting verbs
        values: array[any] # arguments to format into formatting verbs
    ) => output: string # `format` formatted by the values in `values`",
    "Returns the given string, formatted.",
    sprintf,
)
.categories(&["strings"])];

/// A value as Go would hold it.
#[derive(Debug, Clone, PartialEq)]
enum Argument {
    /// `int`
    Int(i64),
    /// `*big.Int`
    Big(BigInt),
    /// `float64`
    Float(f64),
    /// `string`; also all that is neither a number nor a string, as Rego spells it.
    Text(String),
}

impl Argument {
    fn of(value: &Value) -> Self {
        let View::Number(number) = value.view() else {
            return Self::Text(value.as_str().map_or_else(|| spell(value), str::to_owned));
        };
        let literal = number.to_literal();
        if let Ok(int) = literal.parse() {
            return Self::Int(int);
        }
        if let Ok(big) = literal.parse() {
            return Self::Big(big);
        }
        // What lies beyond all floats stays as it was spelled.
        match literal.parse::<f64>() {
            Ok(float) if float.is_finite() => Self::Float(float),
            _ => Self::Text(literal.into_owned()),
        }
    }

    /// The name of the type in Go, which complaints show.
    fn type_name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Big(_) => "*big.Int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
        }
    }
}

pub(super) fn sprintf(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let format = operands.string(0)?;
    operands.array(1)?.iter().try_for_each(|argument| bounds::written(argument, call.cancel))?;
    let arguments: Vec<Argument> = operands.array(1)?.iter().map(Argument::of).collect();
    let mut reader = Reader::new(format, &arguments);
    let mut out = String::with_capacity(format.len());
    while reader.copy_plain(&mut out) {
        if call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        bounds::text(out.len())?;
        let directive = reader.directive(&mut out);
        print(&mut out, &directive, &arguments);
    }
    print_extra(&mut out, reader.unused());
    Ok(Some(out.into()))
}

/// Fills in what one directive asks for, or says what is wrong with it.
fn print(out: &mut String, directive: &Directive, arguments: &[Argument]) {
    let complain = |out: &mut String, verb: char, what: &str| {
        out.push_str("%!");
        out.push(verb);
        out.push_str(what);
    };
    match *directive {
        Directive::Missing => out.push_str("%!(NOVERB)"),
        Directive::Percent => out.push('%'),
        Directive::BadIndex(verb) => complain(out, verb, "(BADINDEX)"),
        Directive::NoArgument(verb) => complain(out, verb, "(MISSING)"),
        Directive::Verb { verb, argument, ref spec } => print_argument(out, &arguments[argument], verb, spec),
    }
}

/// Flags, width and precision of a directive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are five independent flags")]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%#v`: as Go source would spell it.
    go_syntax: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Spec {
    /// Whether numbers are filled up with zeros; only on the left.
    fn pads_with_zeros(&self) -> bool {
        self.zero && !self.minus
    }

    /// Appends the text, filled up to the width.
    fn pad(&self, out: &mut String, text: &str) {
        let lack = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push_str(text);
        }
        self.fill(out, lack);
        if !self.minus {
            out.push_str(text);
        }
    }

    fn fill(&self, out: &mut String, count: usize) {
        out.extend(std::iter::repeat_n(if self.pads_with_zeros() { '0' } else { ' ' }, count));
    }
}

fn print_argument(out: &mut String, argument: &Argument, verb: char, spec: &Spec) {
    let printed = match argument {
        // `*big.Int` is formatted by itself even where `%T` would show a type.
        _ if verb == 'T' => {
            text::plain(out, argument.type_name(), spec);
            true
        }
        Argument::Int(int) => integer::int(out, *int, verb, spec),
        Argument::Big(big) => integer::big(out, big, verb, spec),
        Argument::Float(float) => float::float(out, *float, verb, spec),
        Argument::Text(string) => text::text(out, string, verb, spec),
    };
    if !printed {
        print_bad_verb(out, argument, verb, spec);
    }
}

/// `%!d(string=x)`: the value follows, under the same flags.
fn print_bad_verb(out: &mut String, argument: &Argument, verb: char, spec: &Spec) {
    out.push_str("%!");
    out.push(verb);
    // Go's big integers complain for themselves, with another name and without flags.
    if let Argument::Big(big) = argument {
        out.push_str("(big.Int=");
        out.push_str(&big.to_string());
    } else {
        out.push('(');
        out.push_str(argument.type_name());
        out.push('=');
        print_argument(out, argument, 'v', spec);
    }
    out.push(')');
}

fn print_extra(out: &mut String, unused: &[Argument]) {
    if unused.is_empty() {
        return;
    }
    out.push_str("%!(EXTRA ");
    for (index, argument) in unused.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(argument.type_name());
        out.push('=');
        print_argument(out, argument, 'v', &Spec::default());
    }
    out.push(')');
}

#[cfg(test)]
mod tests;
