//! A run that stands at a gate, so that what comes behind it can be done to at leisure.
//!
//! Keeps: nothing is written by the process while it stands there, and the gate stays open once it was opened.
//! Not here: what is done to it (`points.rs`, `disk.rs`).

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use rustix::fs::{FileType, Mode};
use serde_json::Value;

use crate::history::History;
use crate::ledger::Ledger;
use crate::place::Place;
use crate::running::{Ended, PATIENCE, Running};
use crate::work;

/// A run at the gate.
pub(crate) struct Gated {
    pub(crate) place: Place,
    pub(crate) running: Running,
    gate: File,
}

impl Gated {
    /// Starts one, and waits until it stands there.
    pub(crate) fn start() -> Self {
        Self::of(|effects| work::chain(effects, true))
    }

    /// The same, with this workflow.
    pub(crate) fn of(definition: impl FnOnce(&Path) -> Value) -> Self {
        let place = Place::new();
        Self::start_as(place, env!("CARGO_BIN_EXE_opcode"), definition)
    }

    /// The same, with this program.
    pub(crate) fn start_as(
        place: Place,
        program: impl AsRef<OsStr>,
        definition: impl FnOnce(&Path) -> Value,
    ) -> Self {
        let mode = Mode::RUSR | Mode::WUSR;
        let path = place.file("gate");
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, mode, 0).expect("a fifo");
        let definition = place.definition("gated", &definition(&place.effects()));
        let mut command = Command::new(program);
        place.call_on(&mut command, &place.db(), &["run", &definition]);
        let running = Running::start(&mut command, &place.talk());
        // Opening ends when somebody reads.
        let (opened, gate) = channel();
        thread::spawn(move || opened.send(OpenOptions::new().write(true).open(path)));
        let gate = gate.recv_timeout(PATIENCE);
        let gate = gate.unwrap_or_else(|_| panic!("not at the gate: {}", running.said()));
        Self { gate: gate.expect("the gate"), place, running }
    }

    /// Opens the gate.
    pub(crate) fn open(self) -> (Place, Running) {
        File::create(self.place.file("open")).expect("a mark that it is open");
        drop(self.gate);
        (self.place, self.running)
    }

    /// Kills it at the gate, which is open for whoever comes after.
    pub(crate) fn kill(self) -> Place {
        File::create(self.place.file("open")).expect("a mark that it is open");
        self.running.kill();
        self.place.is_deserted();
        self.place
    }
}

/// After whatever happened: what was told is there, the rest goes on, and all is well.
pub(crate) fn aftermath(place: &Place, ended: &Ended) {
    place.is_deserted();
    let mut ledger = Ledger::default();
    ledger.heard(&ended.lines);
    ledger.check(&History::read(&place.db()));
    place.resume();
    let history = History::read(&place.db());
    history.check(place);
    ledger.check(&history);
    assert_eq!(history.unfinished(), Vec::<&String>::new(), "{ended:?}");
    let definition = place.definition("after", &work::chain(&place.effects(), false));
    let after = place.call(&["run", &definition]);
    assert!(after.status.success(), "a run after {ended:?}: {after:?}");
    ledger.heard(&after.lines);
    let history = History::read(&place.db());
    history.check(place);
    ledger.check(&history);
    let verified = place.call(&["verify"]);
    assert!(verified.status.success(), "{verified:?}");
    place.is_deserted();
}
