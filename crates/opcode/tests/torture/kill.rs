//! `kill -9` at any moment, hundreds of times, on one database.
//!
//! Keeps: the moment is drawn from a printed seed; what was said until then is in the ledger.
//! Not here: killing at one certain write (`points.rs`).

use std::time::Instant;

use crate::dice::Dice;
use crate::history::History;
use crate::ledger::Ledger;
use crate::place::Place;
use crate::running::{PATIENCE, Running};
use crate::work;

/// Kills, unless told otherwise.
const KILLS: u64 = 300;
/// Kills between two looks at everything.
const ROUND: u64 = 20;
/// Rounds of answers and resuming after which all must be over.
const SETTLING_MAX: u32 = 10;

/// The store under torture, and what it has promised.
struct Victim {
    place: Place,
    definition: String,
    ledger: Ledger,
    dice: Dice,
    asked: u64,
    /// A run that was asked for and not acknowledged.
    unanswered: Option<u64>,
}

#[test]
fn killed_at_any_moment_it_loses_nothing_it_promised() {
    let kills = std::env::var("OPCODE_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let place = Place::new();
    let definition = place.definition("everything", &work::everything(&place.effects()));
    let dice = Dice::fresh("torture");
    let ledger = Ledger::default();
    let mut victim = Victim { place, definition, ledger, dice, asked: 0, unanswered: None };
    let begun = Instant::now();
    for n in 1..=kills {
        victim.strike();
        if n % ROUND == 0 || n == kills {
            victim.settle();
        }
    }
    let runs = victim.ledger.runs();
    let events: usize = History::read(&victim.place.db()).runs.values().map(Vec::len).sum();
    eprintln!("torture: {kills} kills, {runs} runs, {events} events in {:?}", begun.elapsed());
    assert!(runs > 0 && events > runs);
}

impl Victim {
    /// Starts something, and kills it.
    fn strike(&mut self) {
        match self.dice.below(100) {
            0..45 => self.run(true),
            45..65 => self.run(false),
            65..75 => self.watch_result(),
            75..90 => self.resume(),
            _ => self.answer(),
        }
    }

    /// A run in the background: killed soon after it was acknowledged, or before.
    fn run(&mut self, acknowledged: bool) {
        let number = self.unanswered.take().unwrap_or_else(|| {
            self.asked += 1;
            self.asked
        });
        // The same key, the same wish.
        let key = format!("key-{number}");
        let params = if number.is_multiple_of(5) { r#"{"ask": true}"# } else { "{}" };
        let words = ["run", &self.definition, "--detached", "--params", params];
        let running = self.place.start(&[&words[..], &["--idempotency-key", &key]].concat());
        let lines = self.kill(running, acknowledged);
        match self.ledger.heard(&lines).first() {
            Some(run) => self.ledger.keyed(&key, run),
            None => self.unanswered = Some(number),
        }
    }

    /// A run whose result is waited for: killed while it runs, or after it has told.
    fn watch_result(&mut self) {
        let running = self.place.start(&["run", &self.definition]);
        let by = Instant::now() + self.dice.millis(500);
        self.kill_at(running, by);
    }

    /// Killed while it opens the store, recovers, and goes on.
    fn resume(&mut self) {
        let running = self.place.start(&["resume"]);
        let by = Instant::now() + self.dice.millis(150);
        self.kill_at(running, by);
    }

    /// Answers a question, if one is open.
    fn answer(&mut self) {
        if !self.place.db().exists() {
            return;
        }
        let questions = History::questions(&self.place.db());
        if questions.is_empty() {
            return self.resume();
        }
        let question = self.dice.pick(&questions).clone();
        self.answer_one(&question.run, &question.step);
    }

    fn answer_one(&mut self, run: &str, step: &str) {
        let choices: &[&str] =
            if step == "question" { &["yes", "no"] } else { &["retry", "retry", "fail"] };
        let choice = *self.dice.pick(choices);
        let running = self.place.start(&["signal", run, "decision", step, choice, "--detached"]);
        let lines = self.kill(running, true);
        let taken = self.ledger.heard(&lines);
        assert_eq!(taken, [run], "the answer {choice} to {step} was not taken: {lines:?}");
        self.ledger.answered(run, step, choice);
    }

    /// Kills it a moment after its first word, or after its start; gives all it said.
    fn kill(&mut self, mut running: Running, acknowledged: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if acknowledged {
            let line = running.line(Instant::now() + PATIENCE);
            lines.push(line.unwrap_or_else(|| panic!("no word: {}", running.said())));
            running.ends_by(Instant::now() + self.dice.millis(60));
        } else {
            running.ends_by(Instant::now() + self.dice.millis(100));
        }
        lines.extend(running.kill().lines);
        lines
    }

    fn kill_at(&mut self, mut running: Running, by: Instant) {
        running.ends_by(by);
        self.ledger.heard(&running.kill().lines);
    }

    /// Looks at what is there, lets everything finish, and looks again.
    fn settle(&mut self) {
        self.place.is_deserted();
        self.look();
        for _ in 0..SETTLING_MAX {
            self.place.resume();
            let history = self.look();
            let questions = History::questions(&self.place.db());
            if history.unfinished().is_empty() {
                assert!(questions.is_empty(), "open questions of runs that are over");
                break;
            }
            assert!(!questions.is_empty(), "not over, and nobody is asked: {history:#?}");
            for question in questions {
                self.answer_one(&question.run, &question.step);
            }
        }
        assert_eq!(self.look().unfinished(), Vec::<&String>::new());
        self.place.is_deserted();
        let verified = self.place.call(&["verify"]);
        assert!(verified.status.success(), "{verified:?}");
    }

    fn look(&mut self) -> History {
        let history = History::read(&self.place.db());
        history.check(&self.place);
        self.ledger.check(&history);
        history
    }
}
