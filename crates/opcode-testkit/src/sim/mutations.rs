//! Bugs planted in the sources of driver and verbs: one text for another, in a copy of the workspace.
//!
//! Keeps: nothing of it is in what ships; a text that no longer occurs exactly once is an error, so none of them rots.
//! Not here: copying, building, hunting (`bin/sim_mutants.rs`), bugs at the boundary (`mod.rs`).

/// One bug.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What it breaks.
    pub name: &'static str,
    /// Where, from the workspace's root.
    pub file: &'static str,
    /// What stands there.
    pub from: &'static str,
    /// What stands there with the bug.
    pub to: &'static str,
}

const LIVE: &str = "crates/opcode-driver/src/live.rs";
const DRIVER: &str = "crates/opcode-driver/src/driver.rs";
const WRITES: &str = "crates/opcode-driver/src/writes.rs";
const SLOTS: &str = "crates/opcode-driver/src/slots.rs";
const FINISHED: &str = "crates/opcode-engine/src/decide/finished.rs";
const INTERRUPTED: &str = "crates/opcode-engine/src/decide/interrupted.rs";
const BEGIN: &str = "crates/opcode-engine/src/decide/begin.rs";
const SIGNAL: &str = "crates/opcode-engine/src/decide/signal.rs";
const SETTLE: &str = "crates/opcode-engine/src/apply/settle.rs";
const NATIVE: &str = "crates/opcode-engine/src/decide/native.rs";

macro_rules! mutations {
    ($($name:literal in $file:ident: $from:literal => $to:literal;)*) => {
        /// Every planted bug.
        pub const MUTATIONS: &[Mutation] =
            &[$(Mutation { name: $name, file: $file, from: $from, to: $to },)*];
    };
}

mutations! {
    "a crash is not looked into" in LIVE:
        "live.interrupted = live.run.state.in_flight > 0;" => "live.interrupted = false;";
    "a crash is looked into after timers" in LIVE:
        "if self.interrupted {" =>
        "if self.interrupted && !self.run.is_ready() && self.run.due_at().is_none_or(|it| it > now) {";
    "pure work is forgotten on load" in LIVE:
        "live.compute.extend(outstanding(&live.run).compute);" => "";
    "messages are never consumed" in LIVE:
        "self.staged.consumed.extend(inbox);" => "drop(inbox);";
    "messages are heard twice" in LIVE:
        "if self.delivered.is_none_or(|last| id > last) {" => "if true {";
    "replies do not wait for their commit" in LIVE:
        "if !self.staged.events.is_empty() || !self.staged.consumed.is_empty() {" => "if false {";
    "replies do not wait for the commit on its way" in LIVE:
        "match &mut self.flying {\n            Some(flying) => {\n                flying.replies.extend(replies);\n                Vec::new()" =>
        "match &mut self.flying {\n            Some(_) => {\n                replies";
    "a run leaves memory while its inbox is read" in DRIVER:
        "                    self.keep(run);\n" => "";
    "timers are not set" in DRIVER:
        ".filter(|_| wakes)" => ".filter(|_| wakes && false)";
    "a load that failed is not made again" in DRIVER:
        "self.try_again(Again::Load(run));" => "";
    "a run that lost its race is not loaded again" in WRITES:
        "                    self.commands.push_back(Command::Stop(key));\n                }\n                self.load(run, None);" =>
        "                    self.commands.push_back(Command::Stop(key));\n                }";
    "a refused commit is not made again" in WRITES:
        "self.try_again(Again::Commit(batch));" => "let _ = batch;";
    "attempts are not told to stop" in WRITES:
        "            self.stop(key);\n" => "            drop(key);\n";
    "slots are not counted" in SLOTS:
        "self.closed || self.running.len() >= self.limit" => "self.closed";
    "a stopped attempt still goes out" in SLOTS:
        "line.is_some_and(|line| line.remove(&(key.step, key.attempt)))" =>
        "line.is_some_and(|line| line.contains(&(key.step, key.attempt)))";
    "answers of earlier attempts count" in FINISHED:
        "let awaited = draft.run.find(ix).filter(|step| step.attempt == attempt);\n    let because" =>
        "let awaited = draft.run.find(ix);\n    let because";
    "what may have happened is done again" in INTERRUPTED:
        "draft.plan_of(ix).on_interrupted.unwrap_or(draft.plan.on_interrupted)" =>
        "OnInterrupted::Retry";
    "running again keeps the old key" in BEGIN:
        "idempotency_key(draft.run.id, &step.path, draft.run.generation(step))" =>
        "idempotency_key(draft.run.id, &step.path, 0)";
    "a signal's id is not remembered" in SIGNAL:
        "signal.id.as_ref().is_some_and(|id| draft.run.state.seen.contains(id))" => "false";
    "results stand in the order they came" in SETTLE:
        "let place = iteration as usize;" => "let place = flow.looping.noted as usize;";
    "a retried body finds its old child" in NATIVE:
        "        &step.ix.0.to_string(),\n" => "";
}
