//! `regent plugin new`

use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// Write a crate for a plugin of one's own, which builds and has a test.
///
/// It is a crate with an agent that has the plugin, or, with --library, one that makes a shared library for any agent.
///
/// Example: regent plugin new acme-audit --kind sink
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The name of the crate and, with `_` for `-`, of the plugin.
    name: String,
    /// What it is to be.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Make a shared library, for --plugin-dir and `plugin_libraries`.
    #[arg(long)]
    library: bool,
    /// Where Regent's source lies; without it the one that this program was built from, if it is there, or else the
    /// registry's version.
    #[arg(long, value_name = "DIRECTORY")]
    source: Option<PathBuf>,
    /// Where the crate's folder is made.
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    into: PathBuf,
}

/// What a plugin can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Takes the records of decisions.
    Sink,
    /// Gets data that updates speak of.
    Fetcher,
    /// Tells whether a signed bundle may be believed.
    Verifier,
    /// A function that policies call.
    Builtin,
    /// Proves to services who the agent is.
    Credential,
    /// Anything with a life.
    Plugin,
}

impl Kind {
    fn template(self, library: bool) -> &'static str {
        match (self, library) {
            (Self::Sink, false) => include_str!("templates/crate/sink.rs.txt"),
            (Self::Fetcher, false) => include_str!("templates/crate/fetcher.rs.txt"),
            (Self::Verifier, false) => include_str!("templates/crate/verifier.rs.txt"),
            (Self::Builtin, false) => include_str!("templates/crate/builtin.rs.txt"),
            (Self::Credential, false) => include_str!("templates/crate/credential.rs.txt"),
            (Self::Plugin, false) => include_str!("templates/crate/plugin.rs.txt"),
            (Self::Sink, true) => include_str!("templates/library/sink.rs.txt"),
            (Self::Fetcher, true) => include_str!("templates/library/fetcher.rs.txt"),
            (Self::Verifier, true) => include_str!("templates/library/verifier.rs.txt"),
            (Self::Builtin, true) => include_str!("templates/library/builtin.rs.txt"),
            (Self::Credential, true) => include_str!("templates/library/credential.rs.txt"),
            (Self::Plugin, true) => include_str!("templates/library/plugin.rs.txt"),
        }
    }
}

pub(super) fn main(arguments: &Arguments) -> Result<(), String> {
    let Arguments { name, kind, library, source, into } = arguments;
    let names = Names::of(name)?;
    let source = match source {
        Some(source) => Some(source.canonicalize().map_err(|error| format!("{}: {error}", source.display()))?),
        None => Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).and_then(|path| path.canonicalize().ok()),
    };
    let fill = |template: &str| names.fill(template, source.as_deref());
    let folder = into.join(name);
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir(&folder).map_err(failed)?;
    std::fs::create_dir(folder.join("src")).map_err(failed)?;
    let write = |file: &str, template: &str| std::fs::write(folder.join(file), fill(template)).map_err(failed);
    write("src/lib.rs", kind.template(*library))?;
    if *library {
        write("Cargo.toml", include_str!("templates/library/Cargo.toml.txt"))?;
    } else {
        write("src/main.rs", include_str!("templates/crate/main.rs.txt"))?;
        write("Cargo.toml", include_str!("templates/crate/Cargo.toml.txt"))?;
    }
    println!("{name} is made; try `cargo test` in it.");
    Ok(())
}

/// Names that a crate cannot have, or not beside what the templates use.
const TAKEN: &str = "\
    abstract alloc as async await become box break bytes const continue core crate do dyn else enum \
    extern false final fn for gen http if impl in let loop macro match mod move mut override priv \
    proc_macro pub ref regent return schemars self serde static std struct super test tokio tracing \
    trait true try type typeof unsafe use";

/// The name as it is written in different places.
struct Names<'a> {
    /// `acme-audit`
    package: &'a str,
    /// `acme_audit`
    module: String,
    /// `AcmeAudit`
    type_name: String,
    /// `acme.audit`
    function: String,
}

impl<'a> Names<'a> {
    fn of(package: &'a str) -> Result<Self, String> {
        let words: Vec<&str> = package.split(['-', '_']).collect();
        let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let begins = package.starts_with(|first: char| first.is_ascii_lowercase());
        if !begins || words.contains(&"") || !words.iter().all(is_word) {
            return Err(format!("{package:?} is no name: take small letters and digits, in words such as acme-audit"));
        }
        if TAKEN.split(' ').any(|taken| taken == package) {
            return Err(format!("{package:?} means something else in Rust: take a name such as acme-{package}"));
        }
        let capital = |word: &&str| [&word[..1].to_ascii_uppercase(), &word[1..]].concat();
        let type_name = words.iter().map(capital).collect();
        let function = match &words[1..] {
            [] => format!("{package}.call"),
            rest => format!("{}.{}", words[0], rest.join("_")),
        };
        Ok(Self { package, module: words.join("_"), type_name, function })
    }

    fn fill(&self, template: &str, source: Option<&Path>) -> String {
        let dependency = |folder: &str| match source {
            Some(source) => format!("{{ path = {:?} }}", source.join(folder).display().to_string()),
            None => format!("{:?}", env!("CARGO_PKG_VERSION")),
        };
        template
            .replace("%crate%", self.package)
            .replace("%module%", &self.module)
            .replace("%name%", &self.module)
            .replace("%type%", &self.type_name)
            .replace("%function%", &self.function)
            .replace("%regent%", &dependency("agent"))
            .replace("%sdk%", &dependency("plugins/dynamic/sdk"))
    }
}
