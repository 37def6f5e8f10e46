//! The builder: an agent is a registry of parts.

use std::process::ExitCode;

use regent_core::Registry;

use crate::running::{Running, StartError};
use crate::{RunOptions, cli, stock};

/// An agent in the making.
pub struct Agent {
    registry: Registry,
}

impl Agent {
    /// The stock agent: every plugin of [`stock::register`].
    pub fn stock() -> Self {
        Self::empty().with(stock::register)
    }

    /// An agent without any part.
    pub fn empty() -> Self {
        Self { registry: Registry::default() }
    }

    /// Adds what the function registers.
    #[must_use]
    pub fn with(mut self, register: impl FnOnce(&mut Registry)) -> Self {
        register(&mut self.registry);
        self
    }

    /// Runs the command line of this process to its end.
    pub fn main(self) -> ExitCode {
        cli::main(self.registry, std::env::args_os())
    }

    /// Starts the agent in the present Tokio runtime, which must be a multi-threaded one.
    ///
    /// # Errors
    /// What is wrong with the options; nothing runs then.
    pub async fn start(self, options: RunOptions) -> Result<Running, StartError> {
        Running::start(self.registry, options).await
    }
}
