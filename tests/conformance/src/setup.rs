//! From text to a snapshot that can be asked.

use std::sync::Arc;

use regent_core::Store;
use regent_core::engine::{CompileOptions, Engine, RegoVersion, Source};
use regent_core::store::Snapshot;
use regent_core::value::Value;

/// The state of a store with this base data and these modules, which are named `test-0.rego` and so on.
///
/// # Errors
/// What the store says when the modules do not compile or get in the way of the data.
#[expect(clippy::missing_panics_doc, reason = "there is always a runtime")]
pub fn snapshot<S: AsRef<str>>(engine: &Arc<dyn Engine>, data: Value, modules: &[S]) -> Result<Arc<Snapshot>, String> {
    let options = CompileOptions { overlap: true, ..CompileOptions::default() };
    let store = Store::new(engine.clone(), options, data).map_err(|error| error.to_string())?;
    let source = |(index, text): (usize, &S)| {
        let name: Arc<str> = format!("test-{index}.rego").into();
        Source {
            id: name.clone(),
            file: name,
            text: text.as_ref().into(),
            version: RegoVersion::V1,
            broken: Vec::new(),
        }
    };
    let sources: Vec<_> = modules.iter().enumerate().map(source).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let written = runtime.block_on(store.write(move |transaction| {
        for source in sources {
            let module = transaction.parse(source)?;
            transaction.put_policy(module);
        }
        Ok(())
    }));
    written.map_err(|error| error.to_string())?;
    Ok(store.snapshot())
}
