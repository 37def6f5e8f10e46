//! From a discovery bundle to the text of a configuration.

use regent_bundle::LoadError;
use regent_core::Host;
use regent_core::engine::{Query, QueryText};
use regent_core::store::{BundleContent, BundlePayload, Transaction};
use regent_core::value::encode;

/// Evaluates the bundle by itself, beside everything that is active, and gives the configuration as JSON.
pub(crate) async fn configuration(host: &Host, content: BundleContent, query: &str) -> Result<String, LoadError> {
    let BundlePayload::Snapshot { data, modules } = content.payload else {
        return Err(LoadError::Refused("a discovery bundle has to be whole, got a delta bundle".to_owned()));
    };
    let store = host.store.sibling()?;
    let fill = move |transaction: &mut Transaction| {
        transaction.put_entries(&data)?;
        for module in modules {
            transaction.put_policy(module);
        }
        Ok(())
    };
    store.write(fill).await?;
    let query = Query::Text(QueryText { text: query.to_owned(), ..QueryText::default() });
    let snapshot = store.snapshot();
    let job = tokio::task::spawn_blocking(move || snapshot.ask(&query, None));
    let answer = job.await?.map_err(|error| LoadError::Refused(error.to_string()))?;
    let undefined = || LoadError::Refused("undefined configuration".to_owned());
    answer.into_document().as_ref().map(encode).ok_or_else(undefined)
}
