//! `regent obtain-token`

use std::process::ExitCode;
use std::time::Duration;

use regent_core::config::Secret;
use regent_data_updates::publisher::{PeerType, PublishError, Publisher, TokenRequest};

use super::verifying::secret;

/// The server if neither a flag nor a variable names one.
pub(super) const SERVER: &str = "http://localhost:7002";

/// Have an OPAL server or a hub make a token.
///
/// Example: regent obtain-token "$MASTER" --type datasource --ttl 30 days
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The server's master token; that in `OPAL_MASTER_TOKEN` if absent.
    #[arg(value_parser = secret)]
    master_token: Option<Secret>,
    /// The server; that in `OPAL_SERVER_URL`, or else that of this machine, if absent.
    #[arg(long, value_name = "URL")]
    server_url: Option<String>,
    /// Who it is for: client, datasource or listener.
    #[arg(long, value_name = "TYPE", default_value = "client", value_parser = peer_type)]
    r#type: PeerType,
    /// How long it is good for: a number, and microseconds, milliseconds, seconds, minutes, hours, days or weeks.
    #[arg(long, value_names = ["N", "UNIT"], num_args = 2, default_values = ["365", "days"])]
    ttl: Vec<String>,
    /// What it says beside that, in JSON: `{"permitted_topics": ["users"]}`.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    claims: String,
    /// Print the token alone; the default.
    #[arg(long, overrides_with = "no_just_the_token")]
    just_the_token: bool,
    /// Print the server's whole answer.
    #[arg(long, overrides_with = "just_the_token")]
    no_just_the_token: bool,
}

fn peer_type(text: &str) -> Result<PeerType, &'static str> {
    let all = [PeerType::Client, PeerType::Datasource, PeerType::Listener];
    all.into_iter().find(|kind| kind.as_str() == text).ok_or("must be client, datasource or listener")
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let master = arguments
        .master_token
        .clone()
        .filter(|token| !token.expose().is_empty())
        .or_else(|| variable(None, "OPAL_MASTER_TOKEN").map(Secret::new));
    let Some(master) = master else {
        return fail("the master token is missing: give it, or set OPAL_MASTER_TOKEN");
    };
    let wanted = match arguments.wanted() {
        Ok(wanted) => wanted,
        Err(why) => return fail(&why),
    };
    let server = variable(arguments.server_url.as_deref(), "OPAL_SERVER_URL").unwrap_or_else(|| SERVER.to_owned());
    finish(async {
        let answer = Publisher::new(&server, None)?.obtain_token(&master, &wanted).await?;
        let token = answer["token"].as_str().unwrap_or_default();
        Ok(if arguments.no_just_the_token { answer.to_string() } else { token.to_owned() })
    })
}

impl Arguments {
    fn wanted(&self) -> Result<TokenRequest, String> {
        let claims = serde_json::from_str(&self.claims).map_err(|error| format!("--claims: {error}"))?;
        Ok(TokenRequest { peer_type: self.r#type, ttl: duration(&self.ttl)?, claims })
    }
}

/// A number and a unit.
fn duration(parts: &[String]) -> Result<Duration, String> {
    let [number, unit] = parts else { return Err("--ttl: must be a number and a unit, such as 30 days".to_owned()) };
    let number: f64 = number.parse().map_err(|_| format!("--ttl: {number:?} is no number"))?;
    let seconds = match unit.as_str() {
        "microseconds" => 1e-6,
        "milliseconds" => 1e-3,
        "seconds" => 1.0,
        "minutes" => 60.0,
        "hours" => 3_600.0,
        "days" => 86_400.0,
        "weeks" => 604_800.0,
        _ => return Err(format!("--ttl: {unit:?} is no unit; microseconds … weeks are")),
    };
    Duration::try_from_secs_f64(number * seconds).map_err(|_| format!("--ttl: {number} {unit} is no lifetime"))
}

/// What a flag says, or else a variable of the environment that is not empty.
pub(super) fn variable(flag: Option<&str>, name: &str) -> Option<String> {
    flag.map(str::to_owned).or_else(|| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// Does something that talks to a server, and prints what comes of it.
pub(super) fn finish(work: impl Future<Output = Result<String, PublishError>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(work) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&regent_core::error::chain(&error)),
    }
}

pub(super) fn fail(why: &str) -> ExitCode {
    eprintln!("Error: {why}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_numbers_and_units() {
        let read = |number: &str, unit: &str| duration(&[number.to_owned(), unit.to_owned()]);
        assert_eq!(read("90", "minutes"), Ok(Duration::from_mins(90)));
        assert_eq!(read("1.5", "weeks"), Ok(Duration::from_hours(252)));
        for (number, unit) in [("x", "days"), ("3", "fortnights"), ("-1", "days"), ("1e300", "weeks")] {
            assert!(read(number, unit).is_err_and(|why| why.starts_with("--ttl: ")), "{number} {unit}");
        }
    }
}
