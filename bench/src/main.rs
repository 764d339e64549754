//! Scenarios over a real store that need a process of their own: `cargo run --release -p bench -- NAME [DIR]`.
//!
//! Keeps: each prints one line a figure, the durability level beside it.
//! Not here: workflows a second (`opcode bench`), the engine without a disk (`benches/engine.rs`).

#![expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]

mod scenarios;
mod served;

use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "all".to_owned());
    let temp = tempfile::tempdir()?;
    let dir = args.next().map_or_else(|| temp.path().to_owned(), PathBuf::from);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match name.as_str() {
            "append" => scenarios::append(&dir).await,
            "replay" => scenarios::replay(&dir).await,
            "skewed" => scenarios::skewed(&dir).await,
            "sleepers" => scenarios::sleepers(&dir, 100_000).await,
            "fill" => scenarios::fill(&dir, 10_000).await,
            "move" => scenarios::moves(&dir).await,
            "recovery" => scenarios::recovery(&dir),
            "start" => scenarios::start(&dir),
            "served" => served::served(&dir),
            "all" => {
                for (place, name) in
                    ["append", "replay", "skewed", "sleepers", "recovery", "start", "served"]
                        .into_iter()
                        .enumerate()
                {
                    let dir = dir.join(place.to_string());
                    std::fs::create_dir_all(&dir)?;
                    let own = std::env::current_exe()?;
                    let done = std::process::Command::new(own).arg(name).arg(&dir).status()?;
                    if !done.success() {
                        return Err(format!("{name} ended with {done}").into());
                    }
                }
                Ok(())
            }
            other => Err(format!("no scenario `{other}`").into()),
        }
    })
}
