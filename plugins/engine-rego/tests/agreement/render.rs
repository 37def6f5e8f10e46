//! Policies as text.

use std::fmt::Write;

use crate::policy::{Any, Condition, Group, Kind, Number, Policy, Text};
use crate::strategy::{GLOBS, WORDS};

/// The module of a policy.
pub(crate) fn module(policy: &Policy) -> String {
    let mut text = String::from("package made\n");
    for at in 0..policy.groups.len() {
        group(&mut text, at, policy);
    }
    text
}

fn group(text: &mut String, at: usize, policy: &Policy) {
    let earlier = &policy.groups[..at];
    let mut add = |rule: String| writeln!(text, "\n{rule}").expect("a string takes everything");
    match &policy.groups[at] {
        Group::Complete { default, rules } => {
            if let Some(value) = default {
                add(format!("default r{at} := {value}"));
            }
            for ((value, body), elses) in rules {
                let mut rule = format!("r{at} := {value} if {}", Scope::new(earlier).body(body));
                for (value, body) in elses {
                    write!(rule, " else := {value} if {}", Scope::new(earlier).body(body)).expect("as above");
                }
                add(rule);
            }
        }
        Group::Set { of, rules } => {
            for (member, body) in rules {
                let mut scope = Scope::new(earlier);
                let body = scope.body(body);
                add(format!("r{at} contains {} if {body}", scope.any(*of, member)));
            }
        }
        Group::Object(rules) => {
            for (key, value, body) in rules {
                let mut scope = Scope::new(earlier);
                let body = scope.body(body);
                let body = body.trim_end_matches("\n}");
                add(format!("r{at}[key] := {} if {body};\n\tkey := {}\n}}", scope.number(value), scope.text(key)));
            }
        }
        Group::Function(rules) => {
            for (parameter, value, body) in rules {
                let mut scope = Scope::new(earlier);
                let parameter = match parameter {
                    Some(literal) => literal.to_string(),
                    None => scope.bind(Kind::Number),
                };
                let body = scope.body(body);
                add(format!("r{at}({parameter}) := {} if {body}", scope.number(value)));
            }
        }
    }
}

/// What is bound where a term stands.
struct Scope<'p> {
    earlier: &'p [Group],
    numbers: Vec<String>,
    texts: Vec<String>,
    fresh: usize,
}

impl<'p> Scope<'p> {
    fn new(earlier: &'p [Group]) -> Self {
        Self { earlier, numbers: Vec::new(), texts: Vec::new(), fresh: 0 }
    }

    fn name(&mut self) -> String {
        self.fresh += 1;
        format!("v{}", self.fresh)
    }

    fn bind(&mut self, kind: Kind) -> String {
        let name = self.name();
        match kind {
            Kind::Number => self.numbers.push(name.clone()),
            Kind::Text => self.texts.push(name.clone()),
        }
        name
    }

    fn body(&mut self, conditions: &[Condition]) -> String {
        // Regorus takes a parenthesis on the next line for a call.
        let lines: Vec<_> = conditions.iter().map(|condition| format!("\t{}", self.condition(condition))).collect();
        format!("{{\n{}\n}}", lines.join(";\n"))
    }

    fn number(&self, number: &Number) -> String {
        match number {
            Number::Literal(literal) => literal.to_string(),
            Number::Input(at) => pick(&["input.n", "input.m"], *at).to_owned(),
            Number::Base(at) => pick(&["data.base.one", "data.base.two", "data.base.none"], *at).to_owned(),
            Number::Var(at) if self.numbers.is_empty() => (at % 4).to_string(),
            Number::Var(at) => self.numbers[usize::from(*at) % self.numbers.len()].clone(),
            Number::Count(at) => format!("count({})", pick(&["input.numbers", "input.words"], *at)),
            Number::Sum(a, operator, b) => format!("({} {operator} {})", self.number(a), self.number(b)),
        }
    }

    fn text(&self, text: &Text) -> String {
        match text {
            Text::Literal(at) => word(*at),
            Text::Input(at) => pick(&["input.name", "input.role"], *at).to_owned(),
            Text::Base(at) => pick(&["data.base.word", "data.base.none"], *at).to_owned(),
            Text::Var(at) if self.texts.is_empty() => word(*at),
            Text::Var(at) => self.texts[usize::from(*at) % self.texts.len()].clone(),
            Text::Concat(a, b) => format!(r#"concat(":", [{}, {}])"#, self.text(a), self.text(b)),
        }
    }

    fn any(&self, kind: Kind, Any(number, text): &Any) -> String {
        match kind {
            Kind::Number => self.number(number),
            Kind::Text => self.text(text),
        }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::SomeNumber => format!("some {} in input.numbers", self.bind(Kind::Number)),
            Condition::SomeWord => {
                let (index, word) = (self.bind(Kind::Number), self.bind(Kind::Text));
                format!("some {index}, {word} in input.words")
            }
            Condition::SomeLevel => {
                let (key, level) = (self.bind(Kind::Text), self.bind(Kind::Number));
                format!("some {key}, {level} in input.levels")
            }
            Condition::Items(items) => {
                let item =
                    |item: &Option<i8>| item.map_or_else(|| self.bind(Kind::Number), |literal| literal.to_string());
                format!("[{}] = input.numbers", items.iter().map(item).collect::<Vec<_>>().join(", "))
            }
            Condition::Every(operator, number) => {
                let (name, number) = (self.name(), self.number(number));
                format!("every {name} in input.numbers {{ {name} {operator} {number} }}")
            }
            Condition::AnyWord(text) => format!("input.words[_] == {}", self.text(text)),
            Condition::Rule(at, value) => self.rule(*at, value, true),
            Condition::Not(inner) => format!("not {}", self.negatable(inner)),
            closed => self.closed(closed),
        }
    }

    /// A condition, or what is left of it without binding variables.
    fn closed(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Compare(a, operator, b) => format!("{} {operator} {}", self.number(a), self.number(b)),
            Condition::Same(a, b) => format!("{} == {}", self.text(a), self.text(b)),
            Condition::OneOf(text, words) => {
                let words: Vec<_> = words.iter().map(|at| word(*at)).collect();
                format!("{} in {{{}}}", self.text(text), words.join(", "))
            }
            // A wildcard is a variable too, and not bound within a negation.
            Condition::Contains(text) | Condition::AnyWord(text) => format!("{} in input.words", self.text(text)),
            Condition::Glob(at) => format!(r#"glob.match("{}", [":"], input.name)"#, pick(&GLOBS, *at)),
            Condition::Flag => "input.flag".to_owned(),
            Condition::Count(operator, number, least) => {
                let (name, number) = (self.name(), self.number(number));
                format!("count({{{name} | some {name} in input.numbers; {name} {operator} {number}}}) > {least}")
            }
            Condition::Rule(at, value) => self.rule(*at, value, false),
            Condition::SomeNumber | Condition::Items(_) => "2 in input.numbers".to_owned(),
            Condition::SomeWord => "input.words".to_owned(),
            Condition::Every(operator, number) => format!("input.n {operator} {}", self.number(number)),
            Condition::SomeLevel => "input.levels.a".to_owned(),
            Condition::Not(inner) => self.closed(inner),
        }
    }

    /// A condition without calls. OPA makes calls and their operands before it negates, so that what is undefined in them
    /// makes the whole undefined; regorus does not.
    fn negatable(&self, condition: &Condition) -> String {
        match condition {
            Condition::Compare(a, _, b) => format!("{} == {}", self.plain_number(a), self.plain_number(b)),
            Condition::Same(a, b) => format!("{} == {}", self.plain_text(a), self.plain_text(b)),
            Condition::OneOf(text, words) => {
                format!("{} == {}", self.plain_text(text), word(words.first().copied().unwrap_or_default()))
            }
            Condition::Rule(at, Any(number, text)) if !self.earlier.is_empty() => {
                let at = usize::from(*at) % self.earlier.len();
                let number = self.plain_number(number);
                // References within references are calls in this respect.
                let key = |text| if matches!(text, &Text::Var(_)) { self.text(text) } else { word(0) };
                match &self.earlier[at] {
                    Group::Complete { .. } => format!("r{at} == {number}"),
                    Group::Set { of: Kind::Number, .. } => format!("r{at}[1]"),
                    Group::Set { of: Kind::Text, .. } => format!("r{at}[{}]", key(text)),
                    Group::Object(_) => format!("r{at}[{}] == {number}", key(text)),
                    Group::Function(_) => format!("input.n == {number}"),
                }
            }
            _ => "input.flag".to_owned(),
        }
    }

    fn plain_number(&self, number: &Number) -> String {
        match number {
            Number::Sum(..) | Number::Count(_) => "1".to_owned(),
            plain => self.number(plain),
        }
    }

    fn plain_text(&self, text: &Text) -> String {
        match text {
            Text::Concat(..) => word(0),
            plain => self.text(plain),
        }
    }

    /// An earlier rule, of whatever kind it is.
    fn rule(&mut self, at: u8, value: &Any, binding: bool) -> String {
        if self.earlier.is_empty() {
            return "input.flag == true".to_owned();
        }
        let at = usize::from(at) % self.earlier.len();
        match &self.earlier[at] {
            Group::Complete { .. } => format!("r{at} == {}", self.number(&value.0)),
            Group::Set { of, .. } if binding => format!("some {} in r{at}", self.bind(*of)),
            Group::Set { of, .. } => format!("r{at}[{}]", self.any(*of, value)),
            Group::Object(_) if binding => format!("{} := r{at}[{}]", self.bind(Kind::Number), self.text(&value.1)),
            Group::Object(_) => format!("r{at}[{}] > 0", self.text(&value.1)),
            Group::Function(_) => format!("r{at}({}) >= {}", self.number(&value.0), self.number(&value.0)),
        }
    }
}

fn word(at: u8) -> String {
    format!("{:?}", pick(&WORDS, at))
}

fn pick<'w>(words: &[&'w str], at: u8) -> &'w str {
    words[usize::from(at) % words.len()]
}
