//! Reads what the tracer wrote: which thread wrote and synced which file, from which line to which.
//!
//! Keeps: a call that was interrupted by another thread's line is one call; calls that failed are left out, but for syncs.
//! Not here: what must be true of it (`acks.rs`, `powercut.rs`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a call did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Wrote these bytes there; at the end, if the call did not say where.
    Write { at: Option<u64>, bytes: Vec<u8> },
    /// Synced the file.
    Sync,
    /// Did not sync the file: what was to be synced is forgotten, though it can still be read.
    FailedSync,
    /// Made the file so long.
    Resize(u64),
}

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) fd: u32,
    pub(crate) path: String,
    pub(crate) deed: Deed,
    /// The line at which it began.
    pub(crate) begun: usize,
    /// The line at which it had ended.
    pub(crate) ended: usize,
}

impl Call {
    /// What was written, as text.
    pub(crate) fn text(&self) -> String {
        match &self.deed {
            Deed::Write { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
            Deed::Sync | Deed::FailedSync | Deed::Resize(_) => String::new(),
        }
    }
}

/// All calls of a log, in the order in which they ended; lines are counted from `first`.
pub(crate) fn read(log: &Path, first: usize) -> (Vec<Call>, usize) {
    let text = fs::read_to_string(log).expect("the tracer's log");
    let (mut calls, mut open) = (Vec::new(), BTreeMap::new());
    let mut last = first;
    for (place, line) in text.lines().enumerate() {
        last = first + place;
        let Some((pid, what)) = line.split_once(' ') else { continue };
        let what = what.trim_start();
        let begun = match what.strip_prefix("<... ") {
            Some(_) => open.remove(pid),
            None => call(what, last),
        };
        let Some(mut call) = begun else { continue };
        call.ended = last;
        let answer = what.rsplit_once(" = ").map_or("", |(_, answer)| answer);
        let is_failure = answer.starts_with('-');
        if what.ends_with("<unfinished ...>") {
            open.insert(pid, call);
        } else if is_failure && call.deed == Deed::Sync {
            calls.push(Call { deed: Deed::FailedSync, ..call });
        } else if !is_failure && !answer.is_empty() {
            calls.push(call);
        }
    }
    (calls, last + 1)
}

/// `pwrite64(12<\x2f…>, "\x37…", 4096, 56) = 4096`
fn call(text: &str, line: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (fd, rest) = rest.split_once('<')?;
    let (path, rest) = rest.split_once('>')?;
    let path = String::from_utf8(unhex(path)).ok()?;
    let bytes = || rest.split('"').nth(1).map(unhex);
    // Whatever follows the bytes, or the file: numbers.
    let after = rest.rsplit('"').next()?.split(") = ").next()?;
    let mut numbers = after.split([',', ' ', ')']).filter_map(|word| word.parse::<u64>().ok());
    let deed = match name {
        "pwrite64" => Deed::Write { bytes: bytes()?, at: numbers.nth(1) },
        "write" => Deed::Write { bytes: bytes()?, at: None },
        "fsync" | "fdatasync" => Deed::Sync,
        "ftruncate" => Deed::Resize(numbers.next()?),
        _ => return None,
    };
    Some(Call { fd: fd.parse().ok()?, path, deed, begun: line, ended: line })
}

/// `\x37\x7f` as bytes.
fn unhex(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.filter_map(|pair| u8::from_str_radix(pair.get(..2)?, 16).ok()).collect()
}
