//! What one file of Rust holds, as far as it is measured.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Field, Signature, Visibility};

/// Something with a name and a size: a function in lines, a struct in fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) size: usize,
}

/// Figures of one file, tests left out but for their lines.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Lines of code and comments.
    pub(crate) lines: usize,
    /// Lines of modules and functions that only tests have.
    pub(crate) test_lines: usize,
    pub(crate) functions: Vec<Measured>,
    pub(crate) structs: Vec<Measured>,
    /// Public items, fields and methods.
    pub(crate) public: usize,
    /// Those of them that have a doc comment.
    pub(crate) documented: usize,
    /// Uses of `Arc<Mutex<…>>` and `Arc<RwLock<…>>`.
    pub(crate) locks: usize,
    /// Whether the file opens with a doc comment of its own.
    pub(crate) has_module_doc: bool,
}

impl Source {
    /// Reads a file's text.
    pub(crate) fn read(text: &str) -> syn::Result<Self> {
        let file = syn::parse_file(text)?;
        let mut source = Self { lines: text.lines().count(), has_module_doc: has_doc(&file.attrs), ..Self::default() };
        source.visit_file(&file);
        source.lines -= source.test_lines;
        Ok(source)
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        let size = lines(signature.span(), block.span());
        self.functions.push(Measured { name: signature.ident.to_string(), size });
    }

    fn item(&mut self, visibility: &Visibility, attributes: &[Attribute]) {
        if matches!(visibility, Visibility::Public(_)) {
            self.public += 1;
            self.documented += usize::from(has_doc(attributes));
        }
    }
}

impl<'a> Visit<'a> for Source {
    fn visit_item(&mut self, item: &'a syn::Item) {
        use syn::Item::{Const, Enum, Fn, Macro, Mod, Static, Struct, Trait, Type, Union};
        let attributes = match item {
            Const(item) => &item.attrs,
            Enum(item) => &item.attrs,
            Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            Macro(item) => &item.attrs,
            Mod(item) => &item.attrs,
            Static(item) => &item.attrs,
            Struct(item) => &item.attrs,
            Trait(item) => &item.attrs,
            Type(item) => &item.attrs,
            Union(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if is_for_tests(attributes) {
            self.test_lines += lines(item.span(), item.span());
            return;
        }
        match item {
            Const(item) => self.item(&item.vis, attributes),
            Enum(item) => self.item(&item.vis, attributes),
            Fn(item) => self.item(&item.vis, attributes),
            Static(item) => self.item(&item.vis, attributes),
            Struct(item) => {
                self.item(&item.vis, attributes);
                self.structs.push(Measured { name: item.ident.to_string(), size: item.fields.len() });
            }
            Trait(item) => self.item(&item.vis, attributes),
            Type(item) => self.item(&item.vis, attributes),
            // A module that is a file has its doc there.
            Mod(item) if item.content.is_some() => self.item(&item.vis, attributes),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        if is_for_tests(&function.attrs) {
            self.test_lines += lines(function.span(), function.span());
            return;
        }
        self.item(&function.vis, &function.attrs);
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_field(&mut self, field: &'a Field) {
        // A field that is known by its place only has nothing to be documented at.
        if field.ident.is_some() {
            self.item(&field.vis, &field.attrs);
        }
        visit::visit_field(self, field);
    }

    fn visit_path_segment(&mut self, segment: &'a syn::PathSegment) {
        if segment.ident == "Arc"
            && let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
            && let Some(syn::GenericArgument::Type(syn::Type::Path(inner))) = arguments.args.first()
            && let Some(last) = inner.path.segments.last()
        {
            self.locks += usize::from(last.ident == "Mutex" || last.ident == "RwLock");
        }
        visit::visit_path_segment(self, segment);
    }
}

fn has_doc(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

/// Lines from the start of one place to the end of another.
fn lines(from: Span, to: Span) -> usize {
    to.end().line + 1 - from.start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_apart() {
        let text = "\
//! What it is.

/// Documented.
pub struct Wide {
    /// So is this.
    pub a: u8,
    pub b: Arc<Mutex<u8>>,
    c: std::sync::Arc<std::sync::RwLock<u8>>,
}

impl Wide {
    pub fn bare(
        &self,
    ) {
    }
}

pub(crate) fn one() {}

#[cfg(test)]
mod tests {
    pub fn lost() {}
}
";
        let source = Source::read(text).expect("Rust");
        let sized = |name: &str, size| Measured { name: name.to_owned(), size };
        assert_eq!((source.lines, source.test_lines), (19, 4));
        assert_eq!(source.functions, [sized("bare", 4), sized("one", 1)]);
        assert_eq!(source.structs, [sized("Wide", 3)]);
        assert_eq!((source.public, source.documented), (4, 2));
        assert_eq!(source.locks, 2);
        assert!(source.has_module_doc);
    }
}
