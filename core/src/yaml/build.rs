//! From the events of the YAML parser to a value.
//!
//! Works with a stack of its own instead of recursion, so depth costs memory only up to the bound.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::scalar::{self, Scalar, Tag};
use super::{Document, MAX_ALIASED, MAX_DEPTH, MAX_WARNINGS, YamlError};
use crate::value::{Value, View};

/// Why there is no document, with what a repair needs to know. Places are counted in characters.
pub(super) struct Failure {
    pub(super) error: YamlError,
    /// Where the parser stumbled.
    pub(super) index: usize,
    /// A place before that, outside of all brackets.
    pub(super) settled: usize,
}

/// Builds the first document of the text.
pub(super) fn build(text: &str, watched: Option<&str>) -> Result<Document, Failure> {
    let mut builder = Builder { watched: watched.map(str::to_owned), ..Builder::default() };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (mark, message) = match event {
            Ok((Event::DocumentEnd | Event::StreamEnd, _)) => break,
            Ok((event, span)) => match builder.take(event, span) {
                Ok(()) => continue,
                Err(message) => (span.start, message),
            },
            Err(error) => (*error.marker(), phrase(error.info())),
        };
        let settled = builder.stack.iter().find_map(|frame| frame.bracket).unwrap_or(builder.settled);
        return Err(Failure { error: error_at(text, mark, message), index: mark.index(), settled });
    }
    Ok(Document { value: builder.root.unwrap_or_default(), warnings: builder.warnings, order: builder.order })
}

/// The library's message as Go's parser words it: what is wrong, without what was being read.
fn phrase(info: &str) -> String {
    let what = if info.starts_with("while ") { info.split_once(", ").map_or(info, |(_, what)| what) } else { info };
    what.strip_prefix("expected ").map_or_else(|| what.to_owned(), |rest| format!("did not find expected {rest}"))
}

/// An error that is only seen at the end of the text is reported at its last line with content.
fn error_at(text: &str, mark: Marker, message: String) -> YamlError {
    let last = text.trim_end().lines().count().max(1);
    YamlError { line: mark.line().clamp(1, last), column: mark.col() + 1, message }
}

/// A value with what bounds need to know of it.
#[derive(Clone)]
struct Node {
    value: Value,
    nodes: usize,
    height: usize,
}

impl Node {
    fn leaf(value: Value) -> Self {
        Self { value, nodes: 1, height: 0 }
    }
}

enum Key {
    Name(String),
    /// `<<`: what follows is merged into the object.
    Merge,
}

enum Content {
    List(Vec<Value>),
    /// With each entry whether the object itself gave it, or a merge.
    Map {
        entries: BTreeMap<String, (Value, bool)>,
        key: Option<Key>,
    },
}

/// A collection that is not finished.
struct Frame {
    content: Content,
    anchor: usize,
    nodes: usize,
    height: usize,
    /// Where its bracket is, if it has one.
    bracket: Option<usize>,
}

#[derive(Default)]
struct Builder {
    root: Option<Value>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    /// Where the latest event ended.
    settled: usize,
    watched: Option<String>,
    order: Vec<String>,
    warnings: Vec<String>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), String> {
        self.settled = span.end.index();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = scalar_tag(style, tag.as_deref());
                self.scalar(&text, style, tag, anchor, span)
            }
            Event::SequenceStart(anchor, _) => self.open(Content::List(Vec::new()), anchor, span),
            Event::MappingStart(anchor, _) => {
                self.open(Content::Map { entries: BTreeMap::new(), key: None }, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Tag, anchor: usize, span: Span) -> Result<(), String> {
        let scalar = scalar::resolve(text, tag)?;
        if !self.wants_key() {
            return self.add(Node::leaf(scalar.into_value()?), anchor);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Node::leaf(scalar.clone().into_value()?));
        }
        if text == "<<" && style == ScalarStyle::Plain {
            self.set_key(Key::Merge);
            return Ok(());
        }
        if matches!(scalar, Scalar::Bool(_)) && !matches!(text, "true" | "false") {
            let key = scalar.clone().into_key()?;
            self.warn(span, format_args!("key `{text}` is read as `{key}`, quote it to keep it as it is"));
        }
        self.name(scalar.into_key()?, span);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), String> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err("anchor value contains itself".to_owned());
        };
        self.aliased = self.aliased.saturating_add(node.nodes);
        if self.aliased > MAX_ALIASED {
            return Err("document contains excessive aliasing".to_owned());
        }
        if !self.wants_key() {
            return self.add(node, 0);
        }
        let key = match node.value.view() {
            View::String(text) => text.to_string(),
            View::Bool(_) | View::Number(_) => crate::value::encode(&node.value),
            _ => return Err("invalid map key".to_owned()),
        };
        self.name(key, span);
        Ok(())
    }

    fn open(&mut self, content: Content, anchor: usize, span: Span) -> Result<(), String> {
        if self.wants_key() {
            return Err("invalid map key".to_owned());
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        // Only brackets have an extent; indentation has none.
        let bracket = (!span.is_empty()).then_some(span.start.index());
        self.stack.push(Frame { content, anchor, nodes: 1, height: 1, bracket });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let frame = self.stack.pop().expect("the parser ends only what it began");
        let value = match frame.content {
            Content::List(items) => Value::array(items),
            Content::Map { entries, .. } => Value::object(entries.into_iter().map(|(key, (value, _))| (key, value))),
        };
        self.add(Node { value, nodes: frame.nodes, height: frame.height }, frame.anchor)
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if self.stack.len() + node.height > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node.value);
            return Ok(());
        };
        frame.nodes = frame.nodes.saturating_add(node.nodes);
        frame.height = frame.height.max(node.height + 1);
        match &mut frame.content {
            Content::List(items) => items.push(node.value),
            Content::Map { entries, key } => match key.take().expect("a value follows its key") {
                Key::Name(name) => {
                    entries.insert(name, (node.value, true));
                }
                Key::Merge => merge(entries, &node.value)?,
            },
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { content: Content::Map { key: None, .. }, .. }))
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame { content: Content::Map { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(new);
        }
    }

    fn name(&mut self, name: String, span: Span) {
        let Some(Frame { content: Content::Map { entries, .. }, .. }) = self.stack.last() else {
            return;
        };
        if entries.get(&name).is_some_and(|(_, own)| *own) {
            self.warn(span, format_args!("key `{name}` is given more than once, the last one counts"));
        } else if self.in_watched() {
            self.order.push(name.clone());
        }
        self.set_key(Key::Name(name));
    }

    fn in_watched(&self) -> bool {
        let [Frame { content: Content::Map { key: Some(Key::Name(above)), .. }, .. }, _] = &self.stack[..] else {
            return false;
        };
        self.watched.as_ref() == Some(above)
    }

    fn warn(&mut self, span: Span, what: std::fmt::Arguments<'_>) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(format!("line {}: {what}", span.start.line()));
        }
    }
}

/// The entries of one object or several are set; among several the earlier ones win. As in Go's reader, a merge wins
/// over the keys above it and loses to those below.
fn merge(entries: &mut BTreeMap<String, (Value, bool)>, source: &Value) -> Result<(), String> {
    let sources = source.as_array().unwrap_or(std::slice::from_ref(source));
    for source in sources.iter().rev() {
        let Some(object) = source.as_object() else {
            return Err("map merge requires map or sequence of maps as the value".to_owned());
        };
        for (key, value) in object {
            let key = key.as_str().expect("keys of YAML objects are strings");
            entries.insert(key.to_owned(), (value.clone(), false));
        }
    }
    Ok(())
}

fn scalar_tag(style: ScalarStyle, tag: Option<&saphyr_parser::Tag>) -> Tag {
    match tag {
        None if style == ScalarStyle::Plain => Tag::Untyped,
        None => Tag::Str,
        Some(tag) if tag.is_yaml_core_schema() => Tag::named(&tag.suffix),
        Some(tag) if format!("{}{}", tag.handle, tag.suffix) == "!" => Tag::Untyped,
        // A tag written out in full, `!<tag:yaml.org,2002:int>`.
        Some(tag) => tag.suffix.strip_prefix("tag:yaml.org,2002:").map_or(Tag::Str, Tag::named),
    }
}
