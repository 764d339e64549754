//! What `--watch` shows: on a terminal a tree that moves, with open questions to answer; elsewhere a line for each change.
//!
//! Keeps: the display never scrolls what was said before away; what cannot be answered here is not asked here.
//! Not here: when to look (`follow.rs`), how a tree looks (`show/run.rs`).

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::time::Duration;

use opcode_model::{Event, EventKind, RunId, Seq, Signal, SignalKind, Timestamp, Value};
use opcode_runtime::{Note, StatusView};
use opcode_store::DecisionRow;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::say;
use crate::show;

/// What somebody typed.
pub(crate) enum Answer {
    /// An answer, and for whom.
    Signal(RunId, Box<Signal>),
    /// Nothing that means anything.
    Nothing,
    /// Leave the rest open.
    Leave,
}

/// What is shown while a workflow runs.
pub(crate) enum Screen {
    /// Nothing.
    Dark,
    /// A line for each change.
    Lines(Lines),
    /// A tree that moves.
    Live(Box<Live>),
}

/// A line for each change, of the workflow and all below it.
#[derive(Default)]
pub(crate) struct Lines {
    family: BTreeSet<RunId>,
    began: Option<Timestamp>,
}

/// A tree that moves, and who types below it.
pub(crate) struct Live {
    typed: UnboundedReceiver<String>,
    /// Questions that can be answered, as last seen.
    open: Vec<DecisionRow>,
    remark: Option<String>,
    closed: bool,
}

impl Screen {
    /// The screen for `--watch`, or none.
    pub(crate) fn new(watch: bool) -> Self {
        if !watch {
            return Self::Dark;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Lines::default());
        }
        let (tell, typed) = unbounded_channel();
        let closed = !std::io::stdin().is_terminal();
        if !closed {
            // The thread waits for the terminal until the process ends.
            std::thread::spawn(move || {
                for line in std::io::stdin().lines() {
                    let Ok(line) = line else { return };
                    if tell.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self::Live(Box::new(Live { typed, open: Vec::new(), remark: None, closed }))
    }

    /// Whether it is a tree that moves.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Whether it changes by itself, as time passes.
    pub(crate) fn is_moving(&self) -> bool {
        match self {
            Self::Live(live) => live.open.is_empty(),
            Self::Dark | Self::Lines(_) => false,
        }
    }

    /// How long the display stays as it is, at least.
    pub(crate) fn pause(&self) -> Duration {
        if self.is_live() { Duration::from_millis(100) } else { Duration::ZERO }
    }

    /// Whether somebody can answer here what this workflow asks.
    pub(crate) fn asks(&mut self, view: &StatusView) -> bool {
        let Self::Live(live) = self else { return false };
        if live.closed || view.result.status.is_terminal() || view.decisions.is_empty() {
            return false;
        }
        live.draw(view);
        true
    }

    /// Shows where it is now.
    pub(crate) fn draw(&mut self, view: &StatusView) {
        if let Self::Live(live) = self {
            live.draw(view);
        }
    }

    /// Something was committed.
    pub(crate) fn note(&mut self, run: RunId, note: &Note) {
        for (place, event) in note.commit().events.iter().enumerate() {
            self.event(run, note.run, Seq(note.after.0 + place as u64 + 1), event);
        }
    }

    /// Whether it tells of each change.
    pub(crate) fn tells(&self) -> bool {
        matches!(self, Self::Lines(_))
    }

    /// An event of a workflow was committed, that of `root` or of one below it.
    pub(crate) fn event(&mut self, root: RunId, of: RunId, seq: Seq, event: &Event) {
        if let Self::Lines(lines) = self {
            lines.tell(root, of, seq, event);
        }
    }

    /// Too much was committed to be told one by one.
    pub(crate) fn missed(&self, notes: u64) {
        if let Self::Lines(_) = self {
            say::talk(&format!("      … {notes} changes in between"));
        }
    }

    /// An answer was not taken.
    pub(crate) fn refused(&mut self, why: &str) {
        let remark = format!("not taken: {why}");
        match self {
            Self::Live(live) => live.remark = Some(remark),
            Self::Dark | Self::Lines(_) => say::talk(&remark),
        }
    }

    /// What somebody typed, once they do.
    pub(crate) async fn answer(&mut self) -> Answer {
        let Self::Live(live) = self else { return std::future::pending().await };
        if live.closed {
            return std::future::pending().await;
        }
        match live.typed.recv().await {
            Some(line) => {
                say::typed();
                live.understand(line.trim())
            }
            None => {
                live.closed = true;
                Answer::Leave
            }
        }
    }

    /// Nothing is shown any longer.
    pub(crate) fn clear(&self) {
        say::unlive();
    }
}

impl Lines {
    fn tell(&mut self, root: RunId, of: RunId, seq: Seq, event: &Event) {
        self.family.insert(root);
        if !self.family.contains(&of) {
            return;
        }
        if let EventKind::ChildStarted(_, child) = &event.kind {
            self.family.insert(child.workflow_id);
        }
        let began = *self.began.get_or_insert(event.at);
        let line = show::event::line(seq, event, began, say::err());
        let whose = if of == root { String::new() } else { format!("  (in {of})") };
        say::talk(&(line + &whose));
    }
}

impl Live {
    fn draw(&mut self, view: &StatusView) {
        let paint = say::err();
        let mut lines = vec![show::run::head(view, paint), show::run::progress(view, paint)];
        let mut question = Vec::new();
        self.open.clone_from(&view.decisions);
        if let Some(first) = self.open.first().filter(|_| !self.closed) {
            question.push(String::new());
            question.extend(show::asks::question(first, view, paint));
            question.extend(self.remark.clone());
            question.push(self.prompt(first));
        }
        let room = say::height().saturating_sub(lines.len() + question.len() + 2).max(3);
        let width = say::width() - 1;
        lines.extend(show::table::lines(&show::run::tree(view, room), 2, width, paint));
        let is_prompt = !question.is_empty();
        lines.extend(question);
        say::live(say::Live::new(lines, is_prompt));
    }

    fn prompt(&self, first: &DecisionRow) -> String {
        let more = match self.open.len() {
            1 => String::new(),
            n => format!("{n} open; "),
        };
        let what = if first.request.options.is_empty() { "" } else { "name or number; " };
        let how = say::err().dim(&format!("({more}{what}empty leaves it open)"));
        format!("{} {how}: ", say::err().bold("answer"))
    }

    /// A choice by name or number; anything, where anything may be chosen.
    fn understand(&mut self, typed: &str) -> Answer {
        self.remark = None;
        let Some(first) = self.open.first() else { return Answer::Nothing };
        if typed.is_empty() {
            return Answer::Leave;
        }
        let options = &first.request.options;
        let by_number = typed.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
        let by_name = options.iter().find(|option| option.id.as_ref() == typed);
        let choice = match by_name.or(by_number) {
            Some(option) => option.id.clone(),
            None if options.is_empty() => typed.into(),
            None => {
                let names: Vec<&str> = options.iter().map(|option| option.id.as_ref()).collect();
                self.remark = Some(format!("`{typed}` is none of {}", names.join(", ")));
                return Answer::Nothing;
            }
        };
        let signal = Signal {
            step_id: Some(first.step.path.clone()),
            agent_id: first.request.target_agent.clone(),
            payload: Value::object([("choice", Value::from(choice))]),
            ..Signal::new(SignalKind::Decision)
        };
        Answer::Signal(first.run, Box::new(signal))
    }
}
