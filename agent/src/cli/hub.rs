//! `regent hub`

use std::process::ExitCode;

use regent_core::config::Layers;
use regent_core::error::chain;
use regent_core::logging::{Format, Layout, Level, LogLayer};
use regent_update_hub::{Hub, HubConfig, opal_variables};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::layered::Layered;
use super::obtain_token::fail;

/// Start a hub for updates of data.
///
/// Takes the place of opal-server. What it is told is in the section `hub` of the configuration; below that, the variables of an
/// opal-server count: `OPAL_AUTH_PRIVATE_KEY`, `OPAL_DATA_CONFIG_SOURCES` and others.
///
/// Example: regent hub --set hub.addr=0.0.0.0:7002
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    layered: Layered,
    /// The least urgent log lines that are written: debug, info, warn, error.
    #[arg(short, long, value_name = "LEVEL", default_value = "info")]
    log_level: Level,
    /// How log lines are written: text, json, json-pretty.
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    log_format: Format,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let layer = LogLayer::new(arguments.log_format, arguments.log_level, Layout::default(), std::io::stderr);
    // Fails only if the embedding program has set up a log of its own, which then stays.
    let _ = tracing::subscriber::set_global_default(layer.into_subscriber());
    super::run::raise_descriptors();
    let config = match configuration(&arguments.layered) {
        Ok(config) => config,
        Err(why) => return fail(&why),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start threads: {error}")),
    };
    runtime.block_on(serve(config))
}

fn configuration(layered: &Layered) -> Result<HubConfig, String> {
    let variables = opal_variables(|name| std::env::var(name).ok())?;
    let base = Layers::new().value("OPAL_* variables", variables);
    let tree = layered.above(base, None).load().map_err(|errors| errors.to_string())?;
    for warning in tree.warnings() {
        tracing::warn!("{warning}");
    }
    let Some(section) = tree.section_or_empty(&["hub"]) else { return Err("`hub` must be an object".to_owned()) };
    let config = section.parse::<HubConfig>().map_err(|error| error.to_string())?;
    config.validate(&section).map_err(|errors| errors.to_string())?;
    Ok(config)
}

async fn serve(config: HubConfig) -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return fail("cannot listen for signals");
    };
    let hub = match Hub::bind(config).await {
        Ok(hub) => hub,
        Err(error) => return fail(&chain(&error)),
    };
    match hub.local_addr() {
        Ok(addr) => tracing::info!(addr = %addr, "The hub listens."),
        Err(error) => return fail(&error.to_string()),
    }
    let (stop, stopped) = watch::channel(false);
    let wait = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("The hub ends.");
        stop.send_replace(true);
    };
    tokio::join!(hub.serve(stopped), wait);
    ExitCode::SUCCESS
}
