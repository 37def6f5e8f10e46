//! What of the language a text may use.

use regent_core::engine::{Capabilities, PolicyErrors, RegoVersion};

use super::token::{FUTURE_KEYWORDS, Keywords};

/// Parts of the language that capabilities can withhold. By default all are there.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// The keywords that v0 can import.
    pub(super) keywords: Keywords,
    /// Whether `import rego.v1` means something.
    pub(super) rego_v1_import: bool,
    /// Whether keywords may be parts of references.
    pub(super) keywords_in_refs: bool,
    /// Whether there are template strings.
    pub(super) template_strings: bool,
}

/// Keywords that OPA offers to be imported and that are not here. What is offered does no harm until it is used.
const OF_OPA_ALONE: [&str; 3] = ["and", "not", "or"];

impl Default for Language {
    fn default() -> Self {
        Self { keywords: Keywords::ALL, rego_v1_import: true, keywords_in_refs: true, template_strings: true }
    }
}

impl Language {
    /// What capabilities leave of a dialect; without any, all of it.
    ///
    /// # Errors
    /// When they name unknown keywords, or do not allow for the dialect at all.
    pub fn of(capabilities: Option<&Capabilities>, version: RegoVersion) -> Result<Self, PolicyErrors> {
        let Some(capabilities) = capabilities else { return Ok(Self::default()) };
        let has_v1 = capabilities.has_feature("rego_v1");
        if version == RegoVersion::V1 && !has_v1 {
            return Err(super::plain_error("illegal capabilities: rego_v1 feature required for parsing v1 Rego"));
        }
        let mut keywords = if has_v1 { Keywords::ALL } else { Keywords::default() };
        for name in &capabilities.future_keywords {
            if OF_OPA_ALONE.contains(&&**name) {
                continue;
            }
            if !FUTURE_KEYWORDS.contains(&&**name) {
                return Err(super::plain_error(format!("illegal capabilities: unknown keyword: {name}")));
            }
            keywords.add_only(name);
        }
        Ok(Self {
            keywords,
            rego_v1_import: has_v1 || capabilities.has_feature("rego_v1_import"),
            keywords_in_refs: capabilities.has_feature("keywords_in_refs"),
            template_strings: capabilities.has_feature("template_strings"),
        })
    }
}
