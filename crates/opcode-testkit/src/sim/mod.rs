//! The simulator: the shipping driver in seeded worlds, with everything going wrong that may.
//!
//! Keeps: one seed, one world, byte for byte; a failing seed is cut down and told as a story.
//! Not here: the meaning of workflows (`stories/`), real stores (`conformance`).

mod actions;
mod dice;
mod judge;
mod mutations;
mod oracle;
mod people;
mod scenario;
mod shell;
mod shrink;
mod store;
mod trace;
mod tree;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use judge::Violation;
pub use mutations::{MUTATIONS, Mutation};
use scenario::Scenario;
use world::World;

/// A bug planted at the boundary between driver and world: the simulator must find each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The store takes a commit wherever the log ends.
    NoPositionCheck,
    /// Effects happen when the commit is asked for.
    ActBeforeCommit,
    /// The shell says that a commit is on disk before it is.
    AnswerBeforeWrite,
    /// Recovery does not say when timers are due.
    TimersForgotten,
    /// Recovery does not load runs with attempts in flight.
    InFlightForgotten,
    /// Recovery does not load runs for which messages wait.
    InboxForgotten,
    /// Messages stay in the inbox after they were applied.
    NothingConsumed,
    /// A commit's messages are not written.
    MessagesLost,
    /// Loading from a snapshot leaves out the next event.
    LoadSkipsAnEvent,
    /// A crash tears a commit in two: events without messages.
    TornCommit,
    /// Answers of a batch come in the wrong order.
    AnswersSwapped,
    /// A refused commit was written all the same.
    RefusedButWritten,
    /// More attempts are let out than there are slots.
    SlotsIgnored,
    /// An attempt's answer is taken for another's.
    AnswersForOthers,
    /// An attempt is performed twice.
    PerformedTwice,
    /// Now and then an attempt is not performed at all.
    PerformForgotten,
}

impl Mutant {
    /// Every planted bug.
    pub const ALL: &'static [Self] = &[
        Self::NoPositionCheck,
        Self::ActBeforeCommit,
        Self::AnswerBeforeWrite,
        Self::TimersForgotten,
        Self::InFlightForgotten,
        Self::InboxForgotten,
        Self::NothingConsumed,
        Self::MessagesLost,
        Self::LoadSkipsAnEvent,
        Self::TornCommit,
        Self::AnswersSwapped,
        Self::RefusedButWritten,
        Self::SlotsIgnored,
        Self::AnswersForOthers,
        Self::PerformedTwice,
        Self::PerformForgotten,
    ];
}

/// What a world came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lived {
    /// A hash of every event of every run, in the order in which they were written.
    pub hash: u64,
    /// Commands the driver gave.
    pub commands: u64,
    /// Events on disk.
    pub events: u64,
}

/// Lives through one seed.
///
/// # Errors
/// The first violation.
pub fn live(seed: u64, mutant: Option<Mutant>) -> Result<Lived, Violation> {
    play(Scenario::of(seed), mutant, false).0
}

/// Lives through one seed and, if a rule was broken, cuts its scenario down and tells the story.
pub fn story(seed: u64, mutant: Option<Mutant>) -> Option<String> {
    let violation = live(seed, mutant).err()?;
    let (scenario, violation) = shrink::shrink(Scenario::of(seed), violation, mutant);
    Some(shrink::tell(scenario, &violation, mutant))
}

/// Everything that happens in one seed's world, line by line.
pub fn trace(seed: u64, mutant: Option<Mutant>) -> String {
    play(Scenario::of(seed), mutant, true).1
}

fn play(
    scenario: Scenario,
    mutant: Option<Mutant>,
    traced: bool,
) -> (Result<Lived, Violation>, String) {
    let mut world = World::new(scenario, mutant, traced);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let lived = lived.unwrap_or_else(|why| {
        let text = why.downcast_ref::<String>().cloned();
        let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation::new("panic", text.unwrap_or_default()))
    });
    let events = world.disk.runs.values().map(|kept| kept.events.len() as u64).sum();
    let (hash, commands) = (world.judge.hash, world.commands);
    let lived = lived.map(|()| Lived { hash, commands, events });
    (lived, world.trace.unwrap_or_default())
}
