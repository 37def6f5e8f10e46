//! Functions that policies call.

use std::sync::Arc;

use regent_core::Value;
use regent_core::builtin::{Builtin, BuiltinError, Call, Declaration, Operands, Outcome};
use regent_core::value::{decode, write_json};
use regent_plugin_abi::{self as abi, Ask, Bytes};
use serde::Deserialize;

use crate::answer::{Failure, LIMIT};
use crate::error::Refusal;
use crate::exported::Exported;
use crate::host::in_function;
use crate::instance::Instance;

/// Calls of one function that may run at the same time, unless it is inline.
pub(crate) const CALLS: usize = 16;

/// A function of a library.
pub(crate) struct DynamicBuiltin {
    declaration: Declaration,
    instance: Arc<Instance>,
    ask: Ask,
    inline: bool,
}

/// What a function says of itself.
#[derive(Default, Deserialize)]
struct About {
    #[serde(default)]
    declaration: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    nondeterministic: bool,
}

impl DynamicBuiltin {
    pub(crate) fn new(instance: Arc<Instance>, ask: Ask) -> Result<Self, Refusal> {
        let declaration = declaration(instance.exported())?;
        let inline = instance.exported().has(abi::INLINE);
        Ok(Self { declaration, instance, ask, inline })
    }
}

fn declaration(exported: &Exported) -> Result<Declaration, Refusal> {
    let wrong = |why: String| Refusal::Description { plugin: exported.name.to_owned(), why };
    let about: About = exported.about()?;
    let declaration = Declaration::parse(&about.declaration).map_err(|error| wrong(format!("declaration: {error}")))?;
    if &*declaration.name != exported.name {
        return Err(wrong(format!("declaration: it declares {:?}", declaration.name)));
    }
    let categories = about.categories.iter().map(String::as_str);
    let declaration = declaration.describe(&about.description).categories(categories);
    Ok(if about.nondeterministic { declaration.nondeterministic() } else { declaration })
}

impl Builtin for DynamicBuiltin {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn call(&self, operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
        let json = encode(operands.all());
        let ask = self.ask;
        let question = move |itself, writer: &abi::Writer| {
            // SAFETY: the operands and the writer are there until it returns.
            in_function(|| unsafe { ask(itself, Bytes::of(&json), writer) })
        };
        let answer = if self.inline {
            self.instance.ask_here(LIMIT, question)
        } else {
            let (mut question, mut answer) = (Some(question), Err(Failure::Panicked));
            (call.linger)(&mut || {
                if let Some(question) = question.take() {
                    answer = self.instance.ask_blocking(call.cancel, question);
                }
            });
            answer
        };
        match answer {
            Ok(json) if json.is_empty() => Ok(None),
            Ok(json) => {
                decode(&json).map(Some).map_err(|error| self.failed(&Failure::Garbage(format!("JSON: {error}"))))
            }
            Err(Failure::Said(abi::OPERAND, text)) => Err(BuiltinError::Operand(text)),
            Err(Failure::Abandoned) => Err(BuiltinError::Cancelled),
            Err(failure) => Err(self.failed(&failure)),
        }
    }
}

impl DynamicBuiltin {
    fn failed(&self, failure: &Failure) -> BuiltinError {
        match failure {
            Failure::Said(_, text) => BuiltinError::failed(text.clone()),
            other => BuiltinError::failed(format!("the plugin {} {other}", self.declaration.name)),
        }
    }
}

/// The operands as an array.
fn encode(operands: &[Value]) -> Vec<u8> {
    let mut json = vec![b'['];
    for (at, operand) in operands.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        write_json(&mut json, operand);
    }
    json.push(b']');
    json
}
