//! The grammar of `--set` and `--set-file`: `a.b[1]=x,c={y,z}`.
//!
//! An argument is read into assignments first and applied to a tree afterwards. The quirks are OPA's, because scripts
//! rely on them: `null` is an empty object, `1.5` and `007` are strings, `{}` is a list of one empty string.

use std::iter::Peekable;
use std::str::Chars;

use crate::value::Value;

const MAX_INDEX: i64 = 65_536;
const MAX_STEPS: usize = super::MAX_DEPTH;

/// One step towards the place that is set.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// What one `keypath=value` asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Assignment {
    pub(super) path: Vec<Step>,
    pub(super) value: Value,
}

impl Assignment {
    /// The keys that lead to the first list on the way, if there is one.
    pub(super) fn list_path(&self) -> Option<Vec<&str>> {
        let keys: Vec<&str> = self.keys().collect();
        (keys.len() < self.path.len()).then_some(keys)
    }

    /// The keys before the first index.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map_while(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }

    /// The tree with the assignment carried out. What stands in the way is replaced, gaps in lists become null.
    pub(super) fn apply(&self, tree: &Value) -> Value {
        assign(Some(tree), &self.path, &self.value)
    }
}

fn assign(current: Option<&Value>, path: &[Step], new: &Value) -> Value {
    match path {
        [] => new.clone(),
        [Step::Key(key), rest @ ..] => {
            let entries = current.and_then(Value::as_object).cloned().unwrap_or_default();
            let below = assign(entries.get_str(key), rest, new);
            entries.with(key.as_str().into(), below).into()
        }
        [Step::Index(index), rest @ ..] => {
            let mut items = current.and_then(Value::as_array).unwrap_or_default().to_vec();
            items.resize(items.len().max(index + 1), Value::NULL);
            items[*index] = assign(Some(&items[*index]), rest, new);
            items.into()
        }
    }
}

/// The type of an unquoted word.
pub(super) fn typed(word: &str) -> Value {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    match word {
        _ if is("true") => true.into(),
        _ if is("false") => false.into(),
        _ if is("null") => Value::empty_object(),
        "0" => 0_i64.into(),
        _ if word.starts_with('0') => word.into(),
        _ => word.parse::<i64>().map_or_else(|_| word.into(), Value::from),
    }
}

/// Reads an argument. `convert` makes the value of each word: its type for `--set`, a file's content for `--set-file`.
pub(super) fn parse(
    argument: &str,
    convert: &dyn Fn(&str) -> Result<Value, String>,
) -> Result<Vec<Assignment>, String> {
    let mut reader = Reader { rest: argument.chars().peekable(), convert };
    let mut assignments = Vec::new();
    while reader.rest.peek().is_some() {
        let path = reader.path()?;
        let value = reader.value()?;
        assignments.push(Assignment { path, value });
    }
    Ok(assignments)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    convert: &'a dyn Fn(&str) -> Result<Value, String>,
}

impl Reader<'_> {
    /// The text up to one of the stops, and the stop; none at the end. A backslash takes away a character's meaning.
    fn until(&mut self, stops: &str) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(next) = self.rest.next() {
            match next {
                '\\' => text.extend(self.rest.next()),
                stop if stops.contains(stop) => return (text, Some(stop)),
                other => text.push(other),
            }
        }
        (text, None)
    }

    /// Everything up to the `=` that belongs to it.
    fn path(&mut self) -> Result<Vec<Step>, String> {
        let mut path = Vec::new();
        let mut first_of_map = None;
        loop {
            let (name, stop) = self.until("=[,.");
            let stop = match (stop, &first_of_map) {
                (Some(','), _) => return Err(format!("key {name:?} has no value (cannot end with ,)")),
                (None, Some(map)) => return Err(format!("key map {map:?} has no value")),
                (None, None) => return Err(format!("key {name:?} has no value")),
                (Some(_), Some(map)) if name.is_empty() => return Err(format!("key map {map:?} has no value")),
                (Some(_), None) if name.is_empty() => return Err("a key is missing before its value".to_owned()),
                (Some(stop), _) => stop,
            };
            push(&mut path, Step::Key(name.clone()))?;
            match stop {
                '=' => return Ok(path),
                '.' => first_of_map = first_of_map.or(Some(name)),
                _ if self.indexes(&mut path, &name)? => return Ok(path),
                _ => first_of_map = None,
            }
        }
    }

    /// One index after the other, from behind the first `[`. Whether `=` ended them; a dot otherwise.
    fn indexes(&mut self, path: &mut Vec<Step>, name: &str) -> Result<bool, String> {
        loop {
            let (text, Some(_)) = self.until("]") else {
                return Err("error parsing index: EOF".to_owned());
            };
            push(path, Step::Index(index(&text)?))?;
            let (text, stop) = self.until("[.=");
            if !text.is_empty() {
                return Err(format!("unexpected data at end of array index: {text:?}"));
            }
            match stop {
                Some('=') => return Ok(true),
                Some('.') => return Ok(false),
                Some(_) => {}
                None => return Err(format!("key {name:?} has no value")),
            }
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.rest.next_if_eq(&'{').is_some() {
            return self.list();
        }
        match self.until(",").0.as_str() {
            "" => Ok("".into()),
            word => (self.convert)(word),
        }
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            let (word, Some(stop)) = self.until(",}") else {
                return Err("list must terminate with '}'".to_owned());
            };
            items.push((self.convert)(&word)?);
            if stop == '}' {
                self.rest.next_if_eq(&',');
                return Ok(Value::array(items));
            }
        }
    }
}

fn push(path: &mut Vec<Step>, step: Step) -> Result<(), String> {
    if path.len() >= MAX_STEPS {
        return Err(format!("value name nested level is greater than maximum supported nested level of {MAX_STEPS}"));
    }
    path.push(step);
    Ok(())
}

fn index(text: &str) -> Result<usize, String> {
    let index = text.parse::<i64>().map_err(|error| {
        let why = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("error parsing index: strconv.Atoi: parsing {text:?}: {why}")
    })?;
    if index > MAX_INDEX {
        return Err(format!("index of {index} is greater than maximum supported index of {MAX_INDEX}"));
    }
    usize::try_from(index).map_err(|_| format!("negative {index} index not allowed"))
}

#[cfg(test)]
mod tests;
