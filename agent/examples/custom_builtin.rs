//! A program that embeds the agent and adds a function that policies can call.
//!
//! ```rego
//! allow if acme.domain(input.user.email) == "example.com"
//! ```
//!
//! Run it as the stock agent is run: `cargo run --example custom_builtin -- eval 'acme.domain("ann@example.com")'`

use std::process::ExitCode;
use std::sync::Arc;

use regent::core::builtin::{Builtin, BuiltinError, Call, Declaration, Operands, Outcome};

/// `acme.domain`: the part of an address behind the `@`.
struct Domain(Declaration);

impl Domain {
    fn new() -> Self {
        let declaration = Declaration::parse("acme.domain(address: string) => domain: string");
        Self(declaration.expect("the declaration is well-formed").describe("Returns the domain of an address."))
    }
}

impl Builtin for Domain {
    fn declaration(&self) -> &Declaration {
        &self.0
    }

    fn call(&self, operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
        let address = operands.string(0)?;
        let (_, domain) = address.rsplit_once('@').ok_or_else(|| BuiltinError::failed("the address has no @"))?;
        Ok(Some(domain.to_lowercase().into()))
    }
}

fn main() -> ExitCode {
    regent::Agent::stock().with(|registry| registry.builtin(Arc::new(Domain::new()))).main()
}
