//! The load runs, side by side in one run: what an edge costs beside nginx, how fast its hits become
//! conversions beside a plain `COPY`, whether that lasts, and a year of a program. Real servers on loopback, all on this machine
//! together with the load; ends by itself.
//!
//! `cargo bench --bench side_by_side [-- SECTION…]`, or `make bench ONLY=…`, which installs nginx and wrk
//! first. Prints Markdown.

#![allow(clippy::float_arithmetic)] // Figures of a measurement, not money.

mod floor;
mod growth;
mod latency;
mod machine;
mod memory;
mod open_loop;
mod settling;
mod spread;
mod stage;
mod together;
mod wrk;
mod year;

/// Times that each measure is taken.
const REPETITIONS: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What can be asked for by name; all of it, in this order, when nothing is.
const SECTIONS: [&str; 9] =
    ["pixel", "click", "connection", "latency", "memory", "settle", "growth", "together", "year"];

fn main() -> Result<()> {
    // `cargo test --benches` only asks whether it can be built.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let asked: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(unknown) = asked.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
        return Err(format!("there is no section {unknown}, but {}", SECTIONS.join(", ")).into());
    }
    machine::allow_many_files()?;
    println!("{}\n", machine::describe());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for section in SECTIONS {
        if asked.is_empty() || asked.iter().any(|name| name == section) {
            runtime.block_on(run(section))?;
        }
    }
    Ok(())
}

async fn run(section: &str) -> Result<()> {
    match section {
        "pixel" => floor::pixel().await,
        "click" => floor::click().await,
        "connection" => floor::connection().await,
        "latency" => latency::run().await,
        "memory" => memory::run().await,
        "settle" => settling::run().await,
        "growth" => growth::run().await,
        "together" => together::run().await,
        _ => year::run().await,
    }
}

/// A whole number from the environment, for shorter runs.
fn setting(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => Ok(text.parse().map_err(|e| format!("{name}: {e}"))?),
        _ => Ok(default),
    }
}
