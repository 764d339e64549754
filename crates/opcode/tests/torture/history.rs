//! What is on disk, and what must be true of it whatever happened.
//!
//! Keeps: read with SQLite alone, not with the code that wrote it; from a copy, so that nothing is changed by looking.
//! Not here: what was promised to somebody (`ledger.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use opcode_model::{RunId, idempotency_key};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::place::Place;
use crate::work;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) step: Option<String>,
    pub(crate) payload: String,
}

/// All events, by run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) runs: BTreeMap<String, Vec<Event>>,
}

/// A decision that is open.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) run: String,
    pub(crate) step: String,
}

const ENDS: [&str; 3] = ["workflow_completed", "workflow_failed", "workflow_cancelled"];

/// A copy of a store that nobody serves, recovered by SQLite.
struct Copy {
    connection: Connection,
    _dir: TempDir,
}

impl Copy {
    fn of(db: &Path) -> rusqlite::Result<Self> {
        let dir = TempDir::new().expect("a folder");
        let name = db.file_name().expect("a name").to_string_lossy();
        for ending in ["", "-wal", "-journal"] {
            let file = format!("{name}{ending}");
            let from = db.with_file_name(&file);
            if from.exists() {
                fs::copy(from, dir.path().join(file)).expect("a copy");
            }
        }
        Ok(Self { connection: Connection::open(dir.path().join(&*name))?, _dir: dir })
    }

    /// Whether its tables were made. A process may have been killed before.
    fn is_made(&self) -> rusqlite::Result<bool> {
        let made = "SELECT count(*) FROM sqlite_schema WHERE name IN ('events', 'runs')";
        Ok(self.connection.query_row(made, [], |row| row.get::<_, i64>(0))? == 2)
    }
}

impl History {
    /// Reads it. A store that was never made is empty.
    pub(crate) fn read(db: &Path) -> Self {
        Self::try_read(db).unwrap_or_else(|error| panic!("{}: {error}", db.display()))
    }

    /// The same, for a store that may be damaged.
    pub(crate) fn try_read(db: &Path) -> rusqlite::Result<Self> {
        let mut history = Self::default();
        if !db.exists() {
            return Ok(history);
        }
        let copy = Copy::of(db)?;
        if !copy.is_made()? {
            return Ok(history);
        }
        let connection = &copy.connection;
        let mut runs = connection.prepare("SELECT uuid FROM runs")?;
        for run in runs.query_map([], |row| row.get::<_, String>(0))? {
            history.runs.insert(run?, Vec::new());
        }
        let mut events = connection.prepare(
            "SELECT workflow_id, sequence, event_type, step_id, coalesce(payload, 'null')
             FROM events ORDER BY workflow_id, sequence",
        )?;
        let mut rows = events.query([])?;
        while let Some(row) = rows.next()? {
            let event = Event {
                seq: row.get(1)?,
                kind: row.get(2)?,
                step: row.get(3)?,
                payload: row.get(4)?,
            };
            history.runs.entry(row.get(0)?).or_default().push(event);
        }
        Ok(history)
    }

    /// Decisions that are open.
    pub(crate) fn questions(db: &Path) -> Vec<Question> {
        let copy = Copy::of(db).expect("the database opens");
        if !copy.is_made().expect("a schema") {
            return Vec::new();
        }
        let text = "SELECT workflow_id, step_id FROM pending_decisions WHERE status = 'pending'";
        let mut statement = copy.connection.prepare(text).expect("the view is there");
        let rows = statement
            .query_map([], |row| Ok(Question { run: row.get(0)?, step: row.get(1)? }))
            .expect("open decisions");
        rows.collect::<Result<_, _>>().expect("open decisions")
    }

    /// Whether a run is over.
    pub(crate) fn is_over(&self, run: &str) -> bool {
        let events = self.runs.get(run).map_or(&[][..], Vec::as_slice);
        events.iter().any(|event| ENDS.contains(&event.kind.as_str()))
    }

    /// Runs that are not over.
    pub(crate) fn unfinished(&self) -> Vec<&String> {
        self.runs.keys().filter(|run| !self.is_over(run)).collect()
    }

    /// Keys of all attempts that are on disk.
    pub(crate) fn intents(&self) -> BTreeSet<String> {
        self.runs.iter().flat_map(|(run, events)| Steps::follow(run, events).started).collect()
    }

    /// Everything that must be true of events and effects; what is not, in words.
    pub(crate) fn wrongs(&self, place: &Place) -> Vec<String> {
        let effects = Effects::read(&place.effects());
        let mut wrong = Vec::new();
        for (run, events) in &self.runs {
            let mut told = |what: String| wrong.push(format!("run {run}: {what}"));
            sequence(events, &mut told);
            Steps::follow(run, events).check(&effects, &mut told);
        }
        let known = self.intents();
        for (key, marks) in &effects.by_key {
            if !known.contains(key) {
                wrong.push(format!("{marks:?} happened without an intent on disk"));
            }
        }
        wrong
    }

    /// Panics if anything is wrong.
    pub(crate) fn check(&self, place: &Place) {
        let wrong = self.wrongs(place);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Sequences are 1..n, and nothing follows the end.
fn sequence(events: &[Event], told: &mut impl FnMut(String)) {
    if events.is_empty() {
        told("a run without events".to_owned());
    }
    for (place, event) in events.iter().enumerate() {
        if event.seq != place as i64 + 1 {
            return told(format!("event {} stands at place {}", event.seq, place + 1));
        }
    }
    let mut ends = events.iter().filter(|event| ENDS.contains(&event.kind.as_str()));
    if let (Some(end), Some(other)) = (ends.next(), ends.next()) {
        told(format!("ended twice: {} and {}", end.seq, other.seq));
    }
}

/// Effects as the outside saw them: how often each key came, and from where.
struct Effects {
    by_key: BTreeMap<String, Vec<String>>,
}

impl Effects {
    fn read(path: &Path) -> Self {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            let key = line.split_whitespace().next_back().unwrap_or_default();
            by_key.entry(key.to_owned()).or_default().push(line.to_owned());
        }
        Self { by_key }
    }

    fn count(&self, key: &str) -> usize {
        self.by_key.get(key).map_or(0, Vec::len)
    }
}

/// What a run's events say of its steps.
struct Steps {
    /// Keys of attempts that began.
    started: BTreeSet<String>,
    /// Steps and keys, how often they completed.
    completed: BTreeMap<(String, String), u32>,
    /// Those that say how their program ended.
    ran: Vec<((String, String), i64)>,
    /// Keys of steps that may not be repeated by us.
    careful: Vec<(String, String)>,
}

impl Steps {
    fn follow(run: &str, events: &[Event]) -> Self {
        let id = RunId::parse(run).expect("a workflow id");
        let mut generations: BTreeMap<&str, u32> = BTreeMap::new();
        let (mut started, mut completed) = (BTreeSet::new(), BTreeMap::new());
        let (mut careful, mut ran) = (Vec::new(), Vec::new());
        for event in events {
            let Some(step) = event.step.as_deref() else { continue };
            let generation = generations.entry(step).or_default();
            let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
            match event.kind.as_str() {
                "step_reset" => *generation = payload["generation"].as_u64().unwrap_or(0) as u32,
                "step_started" => {
                    let key = idempotency_key(id, step, *generation);
                    if work::is_careful(step) {
                        careful.push((step.to_owned(), key.clone()));
                    }
                    started.insert(key);
                }
                "step_completed" => {
                    let place = (step.to_owned(), idempotency_key(id, step, *generation));
                    let exit = payload["output"]["exit_code"].as_i64();
                    ran.extend(exit.map(|exit| (place.clone(), exit)));
                    *completed.entry(place).or_default() += 1;
                }
                _ => {}
            }
        }
        Self { started, completed, ran, careful }
    }

    fn check(&self, effects: &Effects, told: &mut impl FnMut(String)) {
        for ((step, _), times) in &self.completed {
            if *times > 1 {
                told(format!("step {step} completed {times} times in one generation"));
            }
        }
        for ((step, key), exit) in &self.ran {
            if *exit != 0 {
                told(format!("step {step} completed with a program that ended with {exit}"));
            }
            if effects.count(key) == 0 {
                told(format!("step {step} completed without its effect"));
            }
        }
        for (step, key) in &self.careful {
            if effects.count(key) > 1 {
                told(format!(
                    "step {step} happened {} times in one generation",
                    effects.count(key)
                ));
            }
        }
    }
}
