//! How much memory a JSON document takes once it is read: `cargo run --release --example resident -- FILE`.

#![expect(clippy::print_stdout, reason = "is what it is for")]

use std::time::Instant;

use regent_core::value::{Value, decode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: resident FILE")?;
    let before = resident()?;
    let json = std::fs::read(&file)?;
    let size = json.len();
    let start = Instant::now();
    let value = decode(&json)?;
    let decoded = start.elapsed();
    drop(json);
    let held = resident()?.saturating_sub(before);
    println!("{size} bytes of JSON, {held} bytes resident, read in {decoded:?}");

    let start = Instant::now();
    let entries = value.as_object().and_then(|object| object.values().find_map(Value::as_object));
    if let Some(entries) = entries {
        let found = entries.keys().filter(|key| entries.get(key).is_some()).count();
        println!("{found} keys found in {:?}, the index being made", start.elapsed());
        println!("{} bytes resident with the index", resident()?.saturating_sub(before));
    }
    let start = Instant::now();
    drop(value);
    println!("dropped in {:?}", start.elapsed());
    Ok(())
}

/// Bytes of memory that the process holds.
fn resident() -> Result<usize, Box<dyn std::error::Error>> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    Ok(pages.split(' ').nth(1).ok_or("no second field")?.parse::<usize>()? * 4096)
}
