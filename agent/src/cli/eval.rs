//! `regent eval`

mod output;
mod table;

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use regent_bundle::local::LocalTrust;
use regent_core::engine::{
    Answer, Cancel, CompileOptions, Engine, Location, PolicyError, Prints, Query, QueryError, QueryText, RegoVersion,
    Schemas,
};
use regent_core::metrics::Metrics;
use regent_core::value::{Path, decode};
use regent_core::{Registry, Snapshot, Store, Value, yaml};

use super::libraries::Directories;
use super::{capabilities, schemas};
use crate::load_files::{self, LoadError};
use crate::{Files, build};
use output::{Failure, Output, OutputFormat};

/// Evaluate a Rego query.
///
/// Example: regent eval --data policy.rego --input input.json 'data.authz.allow'
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are booleans")]
pub(super) struct Arguments {
    /// The query.
    #[arg(required_unless_present = "stdin")]
    query: Option<String>,
    /// Load policies and data from PATH. May be repeated.
    #[arg(short, long, value_name = "PATH", value_delimiter = ',')]
    data: Vec<String>,
    /// Load a bundle from PATH. May be repeated.
    #[arg(short, long, value_name = "PATH", value_delimiter = ',')]
    bundle: Vec<String>,
    /// Read the input document from FILE.
    #[arg(short, long, value_name = "FILE", conflicts_with = "stdin_input")]
    input: Option<String>,
    /// Read the input document from standard input.
    #[arg(short = 'I', long, conflicts_with = "stdin")]
    stdin_input: bool,
    /// Read the query from standard input.
    #[arg(long, conflicts_with = "query")]
    stdin: bool,
    /// How the answer is shown: json, values, bindings, pretty, raw, discard.
    #[arg(short, long, default_value = "json")]
    format: OutputFormat,
    /// Exit with 1 if the query is undefined.
    #[arg(long)]
    fail: bool,
    /// Exit with 1 if the query is defined.
    #[arg(long)]
    fail_defined: bool,
    /// Import data.PATH into the query. May be repeated.
    #[arg(long, value_name = "REFERENCE", value_delimiter = ',')]
    import: Vec<String>,
    /// Ask from within PACKAGE.
    #[arg(long, value_name = "PACKAGE")]
    package: Option<String>,
    /// Leave out files and directories that match PATTERN. May be repeated.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Show what evaluation cost.
    #[arg(long)]
    metrics: bool,
    /// Treat errors of built-in functions as fatal.
    #[arg(long)]
    strict_builtin_errors: bool,
    /// Show the errors of built-in functions beside the answer.
    #[arg(long, conflicts_with = "strict_builtin_errors")]
    show_builtin_errors: bool,
    /// Check types against the schema of the input in PATH, or against all schemas in a directory.
    #[arg(short, long, value_name = "PATH")]
    schema: Option<String>,
    /// Allow policies only what FILE or a release of OPA offers.
    #[arg(long, value_name = "RELEASE|FILE")]
    capabilities: Option<String>,
    /// Refuse what is unused or deprecated.
    #[arg(short = 'S', long)]
    strict: bool,
    /// Characters after which a value in a table is cut.
    #[arg(long, value_name = "COUNT", default_value_t = 80)]
    pretty_limit: usize,
    /// Give up after TIME, such as 500ms, 10s or 1m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    directories: Directories,
    /// Name of the engine that evaluates.
    #[arg(long, value_name = "NAME", default_value = crate::assembly::DEFAULT_ENGINE)]
    engine: String,
    /// Take modules that do not say otherwise for Rego v0.
    #[arg(long)]
    v0_compatible: bool,
    #[command(flatten)]
    later: Later,
}

/// Flags of OPA's that wait for an engine which can do what they ask for. To call them unknown would be misleading.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are booleans")]
struct Later {
    #[arg(short, long, hide = true)]
    partial: bool,
    #[arg(long, hide = true)]
    coverage: bool,
    #[arg(long, hide = true)]
    profile: bool,
    #[arg(long, hide = true)]
    instrument: bool,
    #[arg(long, hide = true, value_name = "MODE")]
    explain: Option<String>,
    #[arg(short = 'O', long, hide = true, value_name = "LEVEL")]
    optimize: Option<String>,
    // What follows changes no answer.
    #[arg(short, long, hide = true, value_name = "REFERENCE")]
    unknowns: Vec<String>,
    #[arg(long, hide = true)]
    disable_indexing: bool,
    #[arg(long, hide = true)]
    disable_early_exit: bool,
    #[arg(long, hide = true)]
    optimize_store_for_read_speed: bool,
}

impl Later {
    /// The first flag that asks for what there is not.
    fn asked(&self) -> Option<&'static str> {
        let explain = self.explain.as_deref().is_some_and(|mode| mode != "off");
        let flags = [
            ("--partial", self.partial),
            ("--coverage", self.coverage),
            ("--profile", self.profile),
            ("--instrument", self.instrument),
            ("--explain", explain),
            ("--optimize", self.optimize.as_deref().is_some_and(|level| level != "0")),
        ];
        flags.into_iter().find(|(_, asked)| *asked).map(|(flag, _)| flag)
    }
}

impl Arguments {
    /// The dialect of the query, and of modules that do not say otherwise.
    fn rego_version(&self) -> RegoVersion {
        if self.v0_compatible { RegoVersion::V0 } else { RegoVersion::V1 }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..split].parse().map_err(|_| format!("{text:?} is not a time such as 10s"))?;
    let unit = match &text[split..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if number == 0.0 => 1.0,
        _ => return Err(format!("{text:?} has no unit: ms, s, m or h")),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}

pub(super) fn main(mut registry: Registry, arguments: &Arguments) -> ExitCode {
    let refused = match (arguments.later.asked(), arguments.format) {
        (Some(flag), _) => Some(format!("{flag} is not supported yet")),
        (None, OutputFormat::Source) => Some("invalid output format for evaluation".to_owned()),
        _ => None,
    };
    let refused = refused.or_else(|| arguments.directories.load(&mut registry).err());
    if let Some(why) = refused {
        eprintln!("Error: {why}");
        return ExitCode::FAILURE;
    }
    let given = match Given::read(&registry, arguments) {
        Ok(given) => given,
        Err((why, code)) => {
            eprintln!("{why}");
            return code;
        }
    };
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(super::STACK_BYTES).build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("error: cannot start threads: {error}");
                return ExitCode::FAILURE;
            }
        };
    let mut metrics = Metrics::when(arguments.metrics);
    let mut errors = Vec::new();
    let result = runtime.block_on(evaluate(given, arguments, &mut metrics, &mut errors));
    let defined = result.as_ref().is_ok_and(|answer| !answer.rows.is_empty());
    let failed = result.is_err();
    let output = Output { result, errors, metrics: arguments.metrics.then_some(metrics) };
    output.print(arguments.format, arguments.pretty_limit);
    if failed {
        ExitCode::from(2)
    } else if (arguments.fail && !defined) || (arguments.fail_defined && defined) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What evaluation works with, as far as it can be had before policies are loaded.
struct Given {
    engine: Arc<dyn Engine>,
    schemas: Schemas,
}

impl Given {
    /// Reads what the flags name.
    ///
    /// # Errors
    /// What is wrong, and how the program shall end.
    fn read(registry: &Registry, arguments: &Arguments) -> Result<Self, (String, ExitCode)> {
        let mut engine = registry.find_engine(&arguments.engine).map_err(|why| (why, ExitCode::from(2)))?;
        if let Some(name) = &arguments.capabilities {
            let current = engine.capabilities(arguments.rego_version());
            let restricted = current.map_err(|error| error.to_string()).and_then(|current| {
                let named = capabilities::named(name, &current)?;
                engine.with_capabilities(Arc::new(named)).map_err(|error| error.to_string())
            });
            let refused = |why| format!("Error: invalid argument {name:?} for \"--capabilities\" flag: {why}");
            engine = restricted.map_err(|why| (refused(why), ExitCode::FAILURE))?;
        }
        let schemas = arguments.schema.as_deref().map_or(Ok(Schemas::of_annotations()), schemas::load);
        Ok(Self { engine, schemas: schemas.map_err(|why| (why, ExitCode::from(2)))? })
    }
}

async fn evaluate(
    given: Given,
    arguments: &Arguments,
    metrics: &mut Metrics,
    errors: &mut Vec<PolicyError>,
) -> Result<Answer, Failure> {
    let store = load(given, arguments).await?;
    let job = Job {
        snapshot: store.snapshot(),
        query: Query::Text(query(arguments)?),
        input: input(arguments)?,
        strict: arguments.strict_builtin_errors,
        all_errors: arguments.show_builtin_errors,
        measured: metrics.is_on(),
        cancel: Cancel::default(),
    };
    let cancel = job.cancel.clone();
    let running = tokio::task::spawn_blocking(move || job.run());
    let finished = match arguments.timeout {
        None => running.await,
        Some(limit) => tokio::time::timeout(limit, running).await.map_err(|_| {
            cancel.cancel();
            Failure::text(format!("query did not complete within {limit:?}"))
        })?,
    };
    let (answer, measured, failed) = finished.map_err(|panic| Failure::text(panic.to_string()))??;
    metrics.absorb(measured);
    errors.extend(failed);
    Ok(answer)
}

/// One evaluation, on a thread of its own so that it can be given up.
struct Job {
    snapshot: Arc<Snapshot>,
    query: Query,
    input: Option<Value>,
    strict: bool,
    all_errors: bool,
    measured: bool,
    cancel: Cancel,
}

impl Job {
    fn run(self) -> Result<(Answer, Metrics, Vec<PolicyError>), QueryError> {
        let mut metrics = Metrics::when(self.measured);
        let prepared = metrics.time("timer_rego_query_compile_ns", |_| self.snapshot.prepare(&self.query))?;
        let (mut prints, mut errors) = (StandardError, Vec::new());
        let mut evaluation = self.snapshot.evaluation(self.input.as_ref());
        evaluation.strict_builtin_errors = self.strict;
        evaluation.builtin_errors = self.all_errors.then_some(&mut errors);
        evaluation.cancel = &self.cancel;
        evaluation.prints = Some(&mut prints);
        evaluation.metrics = metrics;
        let answer = prepared.evaluate(&mut evaluation)?;
        let metrics = evaluation.metrics;
        Ok((answer, metrics, errors))
    }
}

/// `print` in an evaluated policy goes to standard error.
struct StandardError;

impl Prints for StandardError {
    fn print(&mut self, text: &str, _location: &Location) {
        eprintln!("{text}");
    }
}

async fn load(Given { engine, schemas }: Given, arguments: &Arguments) -> Result<Store, Failure> {
    let runtime = build::runtime(&Value::empty_object(), false, false);
    let schemas = Some(Arc::new(schemas));
    let options = CompileOptions { strict: arguments.strict, runtime, schemas, ..CompileOptions::default() };
    let store = Store::new(engine, options, Value::empty_object())?;
    let files = |paths: &[String], as_bundles| Files {
        paths: paths.to_vec(),
        as_bundles,
        watch: false,
        ignore: arguments.ignore.clone(),
        // As in OPA: who develops a policy has it signed later.
        trust: LocalTrust::Blind,
        rego_version: arguments.rego_version(),
    };
    for files in [files(&arguments.bundle, true), files(&arguments.data, false)] {
        load_files::load(&store, &files, load_files::Contents::default()).await.map_err(|(error, _)| error)?;
    }
    Ok(store)
}

fn query(arguments: &Arguments) -> Result<QueryText, Failure> {
    let text = match &arguments.query {
        Some(text) => text.clone(),
        None => standard_input()?,
    };
    let package = |name: &str| Path::from_dots(name.trim_start_matches("data."));
    Ok(QueryText {
        text,
        version: arguments.rego_version(),
        recognise_rules: false,
        package: arguments.package.as_deref().map(package),
        imports: arguments.import.clone(),
        unsafe_builtins: Vec::new(),
    })
}

fn input(arguments: &Arguments) -> Result<Option<Value>, Failure> {
    let text = if arguments.stdin_input {
        standard_input()?
    } else if let Some(path) = &arguments.input {
        let path = path.strip_prefix("file://").unwrap_or(path);
        std::fs::read_to_string(path).map_err(|error| Failure::text(LoadError::read(path, &error).to_string()))?
    } else {
        return Ok(None);
    };
    // JSON first: it is the common case, and keeps the spelling of every number.
    if let Ok(value) = decode(text.as_bytes()) {
        return Ok(Some(value));
    }
    yaml::parse(&text)
        .map(|(value, _)| Some(value))
        .map_err(|error| Failure::text(format!("unable to parse input: {error}")))
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| Failure::text(format!("standard input: {error}")))?;
    Ok(text)
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Parse(errors) | QueryError::Compile(errors) | QueryError::Evaluation(errors) => {
                Self::Policy(errors)
            }
            other => Self::text(other.to_string()),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(regent_core::store::StoreError::Policy(errors)) => Self::Policy(errors),
            other => Self::Texts(other.texts()),
        }
    }
}

impl From<regent_core::store::StoreError> for Failure {
    fn from(error: regent_core::store::StoreError) -> Self {
        LoadError::Store(error).into()
    }
}
