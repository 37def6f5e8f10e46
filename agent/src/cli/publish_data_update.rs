//! `regent publish-data-update`

use std::process::ExitCode;

use regent_core::config::Secret;
use regent_data_updates::model::{DataUpdate, Entry, SaveMethod, operations};
use regent_data_updates::publisher::Publisher;
use serde_json::value::RawValue;

use super::obtain_token::{fail, finish, variable};
use super::verifying::secret;

/// Tell an OPAL server or a hub that data has changed.
///
/// Examples:
///
/// - `regent publish-data-update "$TOKEN" --src-url http://billing/users -t users --dst-path /users`
/// - `regent publish-data-update "$TOKEN" --data '{"ann": {}}' --dst-path /users`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A token of type `datasource`; that in `OPAL_CLIENT_TOKEN` if absent.
    #[arg(value_parser = secret)]
    token: Option<Secret>,
    /// The server; that in `OPAL_SERVER_URL`, or else that of this machine, if absent.
    #[arg(long, value_name = "URL")]
    server_url: Option<String>,
    /// Where the server takes updates.
    #[arg(long, value_name = "PATH", default_value = "/data/config")]
    server_route: String,
    /// Why, for people who read the log.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// A list of entries, in JSON; a single one is added to it.
    #[arg(short, long, value_name = "JSON")]
    entries: Option<String>,
    /// Where agents fetch the data of a single entry.
    #[arg(long, value_name = "URL")]
    src_url: Option<String>,
    /// A topic of a single entry, again for each; `policy_data` if absent.
    #[arg(short, long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,
    /// The data of a single entry, in JSON, in place of an address.
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    /// How agents fetch a single entry, in JSON: `{"headers": {"authorization": "..."}}`.
    #[arg(long, value_name = "JSON")]
    src_config: Option<String>,
    /// Where the data of a single entry lies below `data`; everything, if absent.
    #[arg(long, value_name = "PATH", default_value = "")]
    dst_path: String,
    /// How a single entry is written: PUT, or PATCH for a list of operations (RFC 6902).
    #[arg(long, value_name = "METHOD", default_value = "PUT", value_parser = ["PUT", "PATCH"])]
    save_method: String,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let update = match arguments.update() {
        Ok(update) => update,
        Err(why) => return fail(&why),
    };
    let server = variable(arguments.server_url.as_deref(), "OPAL_SERVER_URL")
        .unwrap_or_else(|| super::obtain_token::SERVER.to_owned());
    let token = arguments
        .token
        .clone()
        .filter(|token| !token.expose().is_empty())
        .or_else(|| variable(None, "OPAL_CLIENT_TOKEN").map(Secret::new));
    finish(async {
        let publisher = Publisher::new(&server, token)?.at_route(&arguments.server_route);
        publisher.publish(&update).await?;
        Ok("Event Published Successfully".to_owned())
    })
}

impl Arguments {
    fn update(&self) -> Result<DataUpdate, String> {
        let mut entries = match &self.entries {
            Some(json) => serde_json::from_str::<Vec<Entry>>(json).map_err(|error| format!("--entries: {error}"))?,
            None => Vec::new(),
        };
        entries.extend(self.entry()?);
        if entries.is_empty() {
            return Err(
                "there is nothing to publish: give --entries, or --src-url or --data of a single entry".to_owned()
            );
        }
        Ok(DataUpdate { reason: Some(self.reason.clone()), ..DataUpdate::of(entries) })
    }

    /// The single entry that the other flags make, if they make one.
    fn entry(&self) -> Result<Option<Entry>, String> {
        let url = self.src_url.clone().filter(|url| !url.is_empty());
        let data = self.data.as_deref().map(|json| raw("--data", json)).transpose()?;
        if url.is_none() && data.is_none() {
            return Ok(None);
        }
        let save_method = if self.save_method == "PATCH" { SaveMethod::Patch } else { SaveMethod::Put };
        match &data {
            Some(data) if save_method == SaveMethod::Patch => {
                operations(data.get().as_bytes()).map_err(|why| format!("--{why}"))?;
            }
            Some(data) if !data.get().starts_with(['{', '[']) => {
                return Err("--data: must be an object or an array".to_owned());
            }
            _ => {}
        }
        let config = raw("--src-config", self.src_config.as_deref().unwrap_or("{}"))?;
        if !config.get().starts_with('{') {
            return Err("--src-config: must be an object".to_owned());
        }
        let mut entry = Entry {
            url: url.unwrap_or_default(),
            config: Some(config),
            dst_path: self.dst_path.clone(),
            save_method,
            data,
            ..Entry::default()
        };
        if !self.topics.is_empty() {
            entry.topics.clone_from(&self.topics);
        }
        Ok(Some(entry))
    }
}

fn raw(flag: &str, json: &str) -> Result<Box<RawValue>, String> {
    serde_json::from_str(json).map_err(|error| format!("{flag}: {error}"))
}
