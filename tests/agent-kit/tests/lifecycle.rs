//! The suite finds plugins that break their promises.

use regent_agent_kit::lifecycle;
use regent_core::config::{ConfigErrors, Section};
use regent_core::plugin::{Inbox, Known, Plugin, PluginConfig, Signal};
use regent_core::status::State;
use regent_core::{Error, ErrorKind, Host, Registry};

/// How a plugin misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Vice {
    None,
    ReportsWhenBuilt,
    CannotBeBuilt,
    RefusesItsConfiguration,
    Silent,
}

#[derive(Debug, Clone, PartialEq, serde::Deserialize, schemars::JsonSchema)]
struct Config {
    vice: Vice,
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        match self.vice {
            Vice::RefusesItsConfiguration => Err(section.error("vice", "is bad").into()),
            _ => Ok(()),
        }
    }
}

struct Toy(Vice, Host);

impl Plugin for Toy {
    const NAME: &'static str = "toy";
    type Config = Config;

    fn build(config: Config, host: Host) -> Result<Self, Error> {
        match config.vice {
            Vice::CannotBeBuilt => return Err(Error::new(ErrorKind::Refused, "no")),
            Vice::ReportsWhenBuilt => host.report(State::Ok, None),
            _ => {}
        }
        Ok(Self(config.vice, host))
    }

    async fn run(self, mut inbox: Inbox<Config>) -> Result<(), Error> {
        if self.0 != Vice::Silent {
            self.1.report(State::Ok, None);
        }
        while !matches!(inbox.recv().await, Signal::Stop(_)) {}
        Ok(())
    }
}

async fn suite(vice: &str) {
    let register = |registry: &mut Registry| registry.plugin::<Toy>();
    lifecycle(register, "toy", &format!("plugins: {{toy: {{vice: {vice}}}}}")).await;
}

#[tokio::test]
async fn a_plugin_without_vice_passes() {
    suite("none").await;
}

#[tokio::test]
#[should_panic(expected = "a check leaves something behind")]
async fn building_has_no_effects() {
    suite("reports_when_built").await;
}

#[tokio::test]
#[should_panic(expected = "again and again")]
async fn what_is_checked_can_be_built() {
    suite("cannot_be_built").await;
}

#[tokio::test]
#[should_panic(expected = "again and again")]
async fn the_configuration_is_taken() {
    suite("refuses_its_configuration").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "in time")]
async fn a_plugin_says_that_it_works() {
    suite("silent").await;
}
