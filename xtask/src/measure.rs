//! Prints the figures of the code, crate by crate and for all of them, and what is longest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::source::{Measured, Source};

/// How many of the longest files and functions are named.
const NAMED: usize = 8;

/// Figures of a crate, or of all of them.
#[derive(Default)]
struct Figures {
    files: Vec<Measured>,
    functions: Vec<Measured>,
    structs: Vec<Measured>,
    public: usize,
    documented: usize,
    locks: usize,
    code: usize,
    tests: usize,
    without_module_doc: Vec<String>,
}

pub(crate) fn print(root: &Path) -> anyhow::Result<()> {
    let mut all = Figures::default();
    println!("| crate | lines | file p50/p90 | fn p50/p90/p99 | pub docs | locks | fields | test:code |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for folder in crates(root)? {
        let figures = Figures::of(root, &folder)?;
        println!("| {} {figures}", folder.strip_prefix(root)?.display());
        all.add(figures);
    }
    // End-to-end tests are no crate of their own.
    for file in rust_files(&root.join("tests/end_to_end"))?.iter().chain(&rust_files(&root.join("tests/interop"))?) {
        all.tests += fs::read_to_string(file)?.lines().count();
    }
    println!("| **all** {all}\n");
    named("longest files", &mut all.files);
    named("longest functions", &mut all.functions);
    named("widest structs", &mut all.structs);
    println!("files without a module doc: {}\n", all.without_module_doc.join(", "));
    Ok(())
}

/// The folders of crates, by path. Those that only tests use are left out.
fn crates(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("core"), root.join("agent")];
    for entry in fs::read_dir(root.join("plugins"))? {
        let folder = entry?.path();
        if folder.join("Cargo.toml").exists() {
            folders.push(folder);
        }
    }
    folders.sort();
    Ok(folders)
}

impl Figures {
    fn of(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut figures = Self::default();
        for path in rust_files(folder)? {
            let text = fs::read_to_string(&path)?;
            let name = path.strip_prefix(root)?.display().to_string();
            if is_test(path.strip_prefix(folder)?) {
                figures.tests += text.lines().count();
            } else {
                figures.take(&name, Source::read(&text).with_context(|| name.clone())?);
            }
        }
        Ok(figures)
    }

    fn take(&mut self, name: &str, source: Source) {
        self.files.push(Measured { name: name.to_owned(), size: source.lines });
        let within = |sized: Measured| Measured { name: format!("{name} {}", sized.name), ..sized };
        self.functions.extend(source.functions.into_iter().map(within));
        self.structs.extend(source.structs.into_iter().map(within));
        self.public += source.public;
        self.documented += source.documented;
        self.locks += source.locks;
        self.code += source.lines;
        self.tests += source.test_lines;
        if !source.has_module_doc {
            self.without_module_doc.push(name.to_owned());
        }
    }

    fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.functions.extend(other.functions);
        self.structs.extend(other.structs);
        self.public += other.public;
        self.documented += other.documented;
        self.locks += other.locks;
        self.code += other.code;
        self.tests += other.tests;
        self.without_module_doc.extend(other.without_module_doc);
    }
}

/// The cells of a row behind its first.
impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (files, functions) = (&self.files, &self.functions);
        write!(f, "| {} | {} / {} ", self.code, percentile(files, 50), percentile(files, 90))?;
        let [p50, p90, p99] = [50, 90, 99].map(|rank| percentile(functions, rank));
        write!(f, "| {p50} / {p90} / {p99} | {} ", ratio(100 * self.documented, self.public, 0))?;
        let widest = percentile(&self.structs, 100);
        write!(f, "| {} | {widest} | {} |", ratio(1000 * self.locks, self.code, 2), ratio(self.tests, self.code, 2))
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures to look at")]
fn ratio(part: usize, whole: usize, digits: usize) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.digits$}", part as f64 / whole as f64) }
}

/// The size that so many per cent do not exceed.
fn percentile(items: &[Measured], rank: usize) -> usize {
    let mut sizes: Vec<usize> = items.iter().map(|item| item.size).collect();
    sizes.sort_unstable();
    let index = (sizes.len() * rank).div_ceil(100).saturating_sub(1);
    sizes.get(index).copied().unwrap_or_default()
}

fn named(title: &str, items: &mut [Measured]) {
    items.sort_by_key(|item| std::cmp::Reverse(item.size));
    let items: Vec<String> = items.iter().take(NAMED).map(|item| format!("{} {}", item.size, item.name)).collect();
    println!("{title}: {}\n", items.join(", "));
}

fn rust_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file of a crate is only for tests, benchmarks or examples.
fn is_test(path: &Path) -> bool {
    let is_aside = |part: &std::ffi::OsStr| ["tests", "benches", "examples"].iter().any(|name| part == *name);
    path.iter().any(is_aside) || path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_sizes_that_occur() {
        let items: Vec<Measured> = (1..=10).map(|size| Measured { name: String::new(), size }).collect();
        assert_eq!([50, 90, 99, 100].map(|rank| percentile(&items, rank)), [5, 9, 10, 10]);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn tests_are_known_by_their_place() {
        for (path, expected) in
            [("tests/it/main.rs", true), ("src/mask/tests.rs", true), ("src/mask.rs", false), ("examples/a.rs", true)]
        {
            assert_eq!(is_test(Path::new(path)), expected, "{path}");
        }
    }
}
