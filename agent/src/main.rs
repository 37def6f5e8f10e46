//! The `regent` binary: the stock agent's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    regent::Agent::stock().main()
}
