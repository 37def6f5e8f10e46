//! The stock agent and one more sink.

use std::process::ExitCode;

fn main() -> ExitCode {
    regent::Agent::stock().with(acme_tcp_sink::register).main()
}
