//! Loss of power: the files as they may be on disk at any moment, made from what was written and synced.
//!
//! Keeps: what was synced is there; of what was not, each 512-byte sector is there or not, by the dice; a new length too.
//! Not here: what the process says of a disk that fails (`disk.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::dice::Dice;
use crate::gate::Gated;
use crate::history::History;
use crate::ledger::Ledger;
use crate::place::Place;
use crate::running::Running;
use crate::strace::{Tracer, recording};
use crate::trace::{Call, Deed, read};
use crate::work;

/// Images of each record, unless told otherwise.
const IMAGES: u64 = 300;
/// One image in so many is opened by the real binary.
const OPENED_EVERY: u64 = 25;
const SECTOR: usize = 512;
/// The database and its log.
const FILES: [&str; 2] = ["opcode.db", "opcode.db-wal"];

/// What was recorded.
struct Record {
    place: Place,
    /// The files when the recording began, all of it synced.
    begin: BTreeMap<&'static str, Vec<u8>>,
    calls: Vec<Call>,
    lines: usize,
}

impl Record {
    /// Some runs, one after the other, all of them of one store.
    fn of_runs(durability: &str) -> Self {
        let place = Place::new();
        let definition = place.definition("chain", &work::chain(&place.effects(), false));
        let words = ["run", definition.as_str(), "--durability", durability];
        let first = place.call(&words);
        assert!(first.status.success(), "{first:?}");
        fs::remove_file(place.effects()).expect("effects");
        let mut record = Self { begin: files(&place), place, calls: Vec::new(), lines: 0 };
        for _ in 0..4 {
            record.add(&words);
        }
        record
    }

    /// A run that meets a sync that fails, then whoever goes on with it, then one more.
    fn of_a_failed_sync(failing: u32) -> Self {
        let gated = Gated::start();
        let log = gated.place.file("failing");
        let tracer = Tracer::record(&gated.place, gated.running.pid, &log, failing);
        let begin = files(&gated.place);
        let (place, running) = gated.open();
        let ended = running.end();
        tracer.end();
        let mut record = Self { begin, place, calls: Vec::new(), lines: 0 };
        record.read(&log);
        assert!(record.has_failed() || ended.status.success(), "{ended:?}");
        let definition =
            record.place.definition("chain", &work::chain(&record.place.effects(), false));
        record.add(&["resume"]);
        record.add(&["run", &definition]);
        record
    }

    /// Runs a command to its end and writes down what it does.
    fn add(&mut self, words: &[&str]) {
        let log = self.place.file(&format!("trace-{}", self.lines));
        let mut command = self.place.command(&recording(&log), words);
        let ended = Running::start(&mut command, &self.place.talk()).end();
        assert!(ended.status.success(), "{ended:?}");
        self.read(&log);
    }

    fn read(&mut self, log: &Path) {
        let (more, lines) = read(log, self.lines);
        self.calls.extend(more);
        self.lines = lines;
    }

    fn has_failed(&self) -> bool {
        self.calls.iter().any(|call| call.deed == Deed::FailedSync)
    }

    /// What was told and done before a moment: results, and the keys of effects.
    fn facts(&self, until: usize) -> (Ledger, BTreeSet<String>) {
        let (mut ledger, mut keys) = (Ledger::default(), BTreeSet::new());
        for call in self.calls.iter().filter(|call| call.begun <= until) {
            if call.fd == 1 && call.text().contains("\"workflow_id\":") {
                ledger.heard(&[call.text()]);
            } else if call.path.ends_with("/effects") {
                keys.extend(call.text().split_whitespace().next_back().map(str::to_owned));
            }
        }
        (ledger, keys)
    }

    /// Puts the files into a place as they may be on disk if the power goes at a moment.
    fn image(&self, until: usize, dice: &mut Dice, place: &Place) {
        let keep = dice.below(101);
        for (name, begin) in &self.begin {
            let mut file = begin.clone();
            let ending = format!("/{name}");
            let mine = |it: &&Call| it.path.ends_with(&ending) && it.begun <= until;
            let mut pending: Vec<&Call> = Vec::new();
            for call in self.calls.iter().filter(mine) {
                let is_over = call.ended <= until;
                let before = |write: &mut &Call| write.ended <= call.begun;
                match &call.deed {
                    Deed::Sync if is_over => {
                        pending.extract_if(.., before).for_each(|it| whole(&mut file, &it.deed));
                    }
                    Deed::FailedSync if is_over => {
                        let lost = pending.extract_if(.., before);
                        lost.for_each(|it| parts(&mut file, &it.deed, keep, dice));
                    }
                    Deed::Sync | Deed::FailedSync => {}
                    Deed::Write { .. } | Deed::Resize(_) => pending.push(call),
                }
            }
            pending.into_iter().for_each(|it| parts(&mut file, &it.deed, keep, dice));
            fs::write(place.file(name), file).expect("an image");
        }
    }

    /// What an image lost that was told or done before.
    fn lost(&self, until: usize, image: &Place) -> Vec<String> {
        let (ledger, keys) = self.facts(until);
        let found = History::try_read(&image.db());
        let found = found.unwrap_or_else(|error| panic!("line {until}: {error}"));
        let mut lost = ledger.wrongs(&found);
        lost.extend(keys.difference(&found.intents()).map(|key| format!("the intent of {key}")));
        lost
    }

    /// Makes images at random moments; tells what was lost.
    fn losses(&self, images: u64, dice: &mut Dice) -> Vec<String> {
        let mut losses = Vec::new();
        for n in 1..=images {
            let until = dice.below(self.lines as u64) as usize;
            let place = Place::new();
            self.image(until, dice, &place);
            let lost = self.lost(until, &place);
            if !lost.is_empty() {
                losses.push(format!("image {n} at line {until}: {lost:?}"));
            } else if n % OPENED_EVERY == 0 {
                self.go_on(until, &place);
            }
        }
        losses
    }

    /// The real binary goes on from an image.
    fn go_on(&self, until: usize, image: &Place) {
        image.resume();
        let history = History::read(&image.db());
        assert_eq!(self.facts(until).0.wrongs(&history), Vec::<String>::new());
        let verified = image.call(&["verify"]);
        assert!(verified.status.success(), "{verified:?}");
    }
}

/// The files as they are now.
fn files(place: &Place) -> BTreeMap<&'static str, Vec<u8>> {
    FILES.map(|name| (name, fs::read(place.file(name)).unwrap_or_default())).into()
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn whole(file: &mut Vec<u8>, deed: &Deed) {
    match deed {
        Deed::Write { at, bytes } => put(file, at.expect("a place") as usize, bytes),
        Deed::Resize(length) => file.resize(*length as usize, 0),
        Deed::Sync | Deed::FailedSync => {}
    }
}

fn parts(file: &mut Vec<u8>, deed: &Deed, keep: u64, dice: &mut Dice) {
    match deed {
        Deed::Write { at, bytes } => {
            let at = at.expect("a place") as usize;
            for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                if dice.percent(keep) {
                    put(file, at + n * SECTOR, sector);
                }
            }
        }
        Deed::Resize(_) if dice.percent(keep) => whole(file, deed),
        Deed::Resize(_) | Deed::Sync | Deed::FailedSync => {}
    }
}

/// How many images are asked for.
fn images() -> u64 {
    std::env::var("OPCODE_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(IMAGES)
}

#[test]
fn a_loss_of_power_takes_nothing_that_was_told_or_done() {
    let losses = Record::of_runs("disk").losses(images(), &mut Dice::fresh("power cut"));
    assert!(losses.is_empty(), "{}", losses.join("\n"));
}

#[test]
fn a_loss_of_power_after_a_failed_sync_takes_nothing_either() {
    let mut dice = Dice::fresh("power cut after a failed sync");
    let mut failing = 1;
    loop {
        let record = Record::of_a_failed_sync(failing);
        if !record.has_failed() {
            break;
        }
        let losses = record.losses(images() / 3, &mut dice);
        assert!(losses.is_empty(), "after sync {failing}:\n{}", losses.join("\n"));
        failing += 1;
    }
    assert!(failing > 5, "{failing}");
}

/// So that it is known that an image can lose something.
#[test]
fn a_loss_of_power_takes_the_last_of_it_at_the_weaker_level() {
    let mut dice = Dice::fresh("power cut at level process");
    let losses = Record::of_runs("process").losses(images(), &mut dice);
    assert!(!losses.is_empty());
}
