//! The agent with the sink, as its feature `kafka` makes it: the tests run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    regent::Agent::stock().with(regent_kafka_sink::register).main()
}
