//! What bundles own: activation puts their roots in place, deactivation clears them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::StoreError;
use super::data::{self, Patch};
use super::ownership::require_disjoint;
use super::snapshot::ActiveBundle;
use super::transaction::Transaction;
use crate::engine::Module;
use crate::value::{Path, Value};

/// What a bundle brings when it is activated. Clones share what is large.
#[derive(Clone)]
pub struct BundleContent {
    /// The bundle's name in the configuration.
    pub name: Arc<str>,
    /// Revision, roots and `ETag`.
    pub bundle: ActiveBundle,
    /// The manifest as policies may read it below `data.system.bundles`.
    pub manifest: Value,
    /// What it holds.
    pub payload: BundlePayload,
}

/// What a bundle holds.
#[derive(Clone)]
pub enum BundlePayload {
    /// All of it: what its roots held before goes.
    Snapshot {
        /// Base data; what lies outside the roots is not taken.
        data: Value,
        /// The modules.
        modules: Vec<Arc<dyn Module>>,
    },
    /// Changes to base data, applied one after the other. [`PatchOp::Add`](super::PatchOp::Add) makes missing parents.
    Delta(Vec<Patch>),
}

impl Transaction {
    /// Puts bundles in place of their older versions, all at once: what the old and the new roots held goes, what is
    /// outside stays. Those that only bring changes are changed.
    ///
    /// # Errors
    /// When roots overlap with those of another bundle, or a change does not fit what is there.
    pub fn activate(&mut self, contents: Vec<BundleContent>) -> Result<(), StoreError> {
        self.check_known_input();
        for content in &contents {
            match content.payload {
                BundlePayload::Snapshot { .. } => self.erase(&content.name),
                BundlePayload::Delta(_) => self.require_same_shape(content)?,
            }
            self.bundles.insert(content.name.clone(), content.bundle.clone());
        }
        require_disjoint(&self.bundles)?;
        contents.into_iter().try_for_each(|content| self.fill(content))
    }

    /// Refuses changes to a bundle that come with other roots or other compiled policies than it has.
    fn require_same_shape(&self, content: &BundleContent) -> Result<(), StoreError> {
        let Some(known) = self.bundles.get(&content.name) else { return Ok(()) };
        let manifest = self.data.at(["system", "bundles", &*content.name, "manifest"]);
        let roots = |bundle: &ActiveBundle| bundle.roots.iter().cloned().collect::<BTreeSet<_>>();
        if roots(known) == roots(&content.bundle)
            && manifest.and_then(|known| known.get("wasm")) == content.manifest.get("wasm")
        {
            return Ok(());
        }
        let name = &content.name;
        Err(StoreError::Bundle(format!(
            "delta bundle '{name}' has wasm resolvers or manifest roots that are different from those in the store"
        )))
    }

    /// Removes a bundle with everything under its roots.
    pub fn deactivate(&mut self, name: &str) {
        self.erase(name);
    }

    fn fill(&mut self, content: BundleContent) -> Result<(), StoreError> {
        let BundleContent { name, bundle, manifest, payload } = content;
        match payload {
            BundlePayload::Snapshot { data, modules } => {
                self.clear_roots(&bundle.roots);
                self.fill_roots(&bundle.roots, &data)?;
                for module in modules {
                    self.put_policy(module);
                }
            }
            BundlePayload::Delta(changes) => {
                for change in changes {
                    self.data = data::change(&self.data, change)?;
                }
            }
        }
        let etag = Value::from(bundle.etag.as_deref().unwrap_or_default());
        let system = Value::object([("manifest", manifest), ("etag", etag)]);
        self.put(&Path::new(["system", "bundles", &name]), system)
    }

    fn fill_roots(&mut self, roots: &[Path], data: &Value) -> Result<(), StoreError> {
        for root in roots {
            let Some(value) = data.at(root.segments()) else {
                continue;
            };
            match root.segments() {
                [] => self.put_entries(value)?,
                [key] => self.put_entries(&Value::object([(&**key, value.clone())]))?,
                _ => self.put(root, value.clone())?,
            }
        }
        Ok(())
    }

    fn erase(&mut self, name: &str) {
        let Some(old) = self.bundles.remove(name) else { return };
        self.clear_roots(&old.roots);
        self.data = self.data.without(&["system", "bundles", name]);
        self.data_changed = true;
    }

    fn clear_roots(&mut self, roots: &[Path]) {
        for root in roots {
            match root.segments() {
                [] => {
                    let system = self.data.get("system").cloned();
                    self.data = Value::object(system.map(|system| ("system", system)));
                    self.remove_entry("system");
                }
                [key] => self.remove_entry(key),
                deeper => self.data = self.data.without(deeper),
            }
            let before = self.policies.len();
            self.policies.retain(|_, module| !module.package().is_within(root));
            self.policies_changed |= self.policies.len() != before;
            self.data_changed = true;
        }
    }
}
