//! A small billing service that tells agents who has paid: `cargo run --example billing_service -- http://localhost:7002 TOKEN`.
//!
//! Each line that it reads is a payment (`ann 12.50`) or the end of a subscription (`ann -`). It publishes what has changed to an
//! OPAL server or a hub; a policy finds it at `data.billing.users.ann` in its next decision. Without a token for servers that
//! want none.

#![expect(clippy::print_stdout, reason = "it is a program of the command line")]

use std::io::BufRead as _;

use regent_core::config::Secret;
use regent_data_updates::model::{DataUpdate, Entry};
use regent_data_updates::publisher::Publisher;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "http://localhost:7002".to_owned());
    let publisher = Publisher::new(&server, arguments.next().map(Secret::new))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let Some((user, amount)) = line.split_once(' ') else { continue };
        let account = match amount.parse::<f64>() {
            Ok(amount) => json!({"has_paid": true, "amount": amount}),
            Err(_) => json!({"has_paid": false}),
        };
        // Small news is told as it is; for large documents `Entry::fetched` names where agents get them.
        let mut entry = Entry::inline(format!("/billing/users/{user}"), &account);
        entry.topics = vec!["billing".to_owned()];
        let update = DataUpdate { reason: Some(format!("{user} has paid, or stopped to")), ..DataUpdate::of([entry]) };
        publisher.publish(&update).await?;
        println!("published: {user}");
    }
    Ok(())
}
