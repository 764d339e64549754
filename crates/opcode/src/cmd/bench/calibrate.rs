//! What this disk can do, in the same minute as the figures: a figure without it says little.
//!
//! Keeps: a 4 KiB append and its sync, one after the other, as a lone writer would.
//! Not here: what a store makes of it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

/// Syncs measured.
const ROUNDS: usize = 200;
const BLOCK: [u8; 4096] = [7; 4096];

/// What a sync costs here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calibration {
    /// Half of the syncs were quicker, in milliseconds.
    pub(crate) p50_ms: f64,
    /// Syncs a second.
    pub(crate) per_s: f64,
}

/// Appends and syncs in `dir`, and takes its file away again.
pub(crate) fn calibrate(dir: &Path) -> io::Result<Calibration> {
    let path = dir.join(format!("calibration-{}", std::process::id()));
    let measured = measure(&path);
    std::fs::remove_file(&path)?;
    measured
}

fn measure(path: &Path) -> io::Result<Calibration> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    let mut spans = Vec::with_capacity(ROUNDS);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let before = Instant::now();
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        spans.push(before.elapsed().as_secs_f64() * 1e3);
    }
    let per_s = ROUNDS as f64 / begun.elapsed().as_secs_f64();
    spans.sort_by(f64::total_cmp);
    Ok(Calibration { p50_ms: spans[ROUNDS / 2], per_s })
}
