//! Figures in the text form of Prometheus.
//!
//! Keeps: labels are bounded (statuses, actions); never a workflow's id.
//! Not here: single runs (`api.rs`).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use opcode_model::event::Breaker;
use opcode_model::{Effect, EventKind, RunId, StepIx, Timestamp};
use opcode_runtime::{Engine, Note};
use tokio::sync::broadcast::error::RecvError;

/// Upper bounds of durations, in seconds.
const BOUNDS: [f64; 10] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0];
/// Steps whose begin is remembered.
const OPEN_MAX: usize = 100_000;

/// What has been counted since the start.
pub(crate) struct Metrics(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    ended: BTreeMap<&'static str, u64>,
    started: u64,
    commits: u64,
    events: u64,
    retries: u64,
    notes_missed: u64,
    breakers: BTreeMap<&'static str, u64>,
    /// Where each breaker stands that is not closed.
    troubled: BTreeMap<(Arc<str>, Arc<str>), &'static str>,
    open: BTreeMap<(RunId, StepIx), (Arc<str>, Timestamp)>,
    durations: BTreeMap<(Arc<str>, &'static str), Histogram>,
}

#[derive(Default)]
struct Histogram {
    below: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// Counts from now on.
    pub(crate) fn watch(engine: &Engine) -> Self {
        let counts = Arc::new(Mutex::new(Counts::default()));
        let (mut notes, counting) = (engine.hub().listen(), counts.clone());
        tokio::spawn(async move {
            loop {
                let heard = notes.recv().await;
                let mut counts = counting.lock().unwrap_or_else(PoisonError::into_inner);
                match heard {
                    Ok(note) => counts.take(&note),
                    Err(RecvError::Lagged(missed)) => counts.notes_missed += missed,
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Self(counts)
    }

    /// All figures as text.
    pub(crate) async fn text(&self, engine: &Engine) -> String {
        let about = engine.reader().about();
        let (running, in_memory) = (engine.running().await, engine.in_memory().await);
        let waiting = engine.waiting().await as f64;
        let open = engine.reader().open().await.unwrap_or_default();
        let mut by_status: BTreeMap<&str, usize> = BTreeMap::new();
        let mut timers = 0;
        for run in &open {
            *by_status.entry(run.status.text()).or_default() += 1;
            timers += usize::from(run.due_at.is_some());
        }
        let filter = opcode_store::DecisionFilter { limit: 10_000, ..Default::default() };
        let decisions = engine.reader().decisions(filter).await.unwrap_or_default().len();
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Text::default();
        text.head("opcode_build_info", "gauge", "Version of this program.");
        text.row("opcode_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        text.head("opcode_workflows", "gauge", "Workflows that are not over, by status.");
        for (status, count) in by_status {
            text.row("opcode_workflows", &[("status", status)], count as f64);
        }
        text.one("opcode_workflows_in_memory", "gauge", "Workflows in memory.", in_memory as f64);
        text.one("opcode_actions_running", "gauge", "Outside effects in flight.", running as f64);
        text.one(
            "opcode_actions_waiting",
            "gauge",
            "Outside effects that wait for a slot.",
            waiting,
        );
        text.one(
            "opcode_decisions_open",
            "gauge",
            "Questions nobody answered yet.",
            decisions as f64,
        );
        text.one(
            "opcode_timers",
            "gauge",
            "Workflows that wait for a time.",
            f64::from(timers as u32),
        );
        let disk = "Commits to the disk; a group counts once.";
        text.one("opcode_store_commits_total", "counter", disk, about.commits as f64);
        let name = "opcode_store_commit_seconds_total";
        let took = about.commit_time.as_secs_f64();
        text.one(name, "counter", "Time those took, the sync of each among it.", took);
        let ended = counts.ended.values().sum::<u64>().max(1);
        let each = about.commits as f64 / ended as f64;
        let name = "opcode_store_commits_per_workflow";
        text.one(name, "gauge", "Commits to the disk for each workflow that is over.", each);
        counts.write(&mut text);
        text.0
    }
}

impl Counts {
    fn take(&mut self, note: &Note) {
        self.commits += 1;
        let at = note.commit().events.last().map(|event| event.at);
        for effect in &note.commit().effects {
            if let Effect::Perform(perform) = effect
                && let Some(at) = at
                && self.open.len() < OPEN_MAX
            {
                let key = (note.run, perform.step.ix);
                self.open.entry(key).or_insert((perform.action.clone(), at));
            }
        }
        for event in note.commit().events.iter() {
            self.events += 1;
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the others are counted as events only"
            )]
            match &event.kind {
                EventKind::WorkflowStarted(_) => self.started += 1,
                EventKind::WorkflowCompleted(_) => *self.ended.entry("completed").or_default() += 1,
                EventKind::WorkflowFailed(_) => *self.ended.entry("failed").or_default() += 1,
                EventKind::WorkflowCancelled(_) => *self.ended.entry("cancelled").or_default() += 1,
                EventKind::CircuitBreakerOpen(_, breaker) => self.breaker(breaker, "open"),
                EventKind::CircuitBreakerHalfOpen(_, breaker) => self.breaker(breaker, "half_open"),
                EventKind::CircuitBreakerClosed(_, breaker) => self.breaker(breaker, "closed"),
                EventKind::StepRetrying(..) => self.retries += 1,
                EventKind::StepCompleted(step, _) => {
                    self.ended(note, step.ix, event.at, "completed");
                }
                EventKind::StepFailed(step, _) => self.ended(note, step.ix, event.at, "failed"),
                _ => {}
            }
        }
    }

    fn breaker(&mut self, breaker: &Breaker, state: &'static str) {
        *self.breakers.entry(state).or_default() += 1;
        let key = (breaker.action.clone(), breaker.target.clone());
        if state == "closed" {
            self.troubled.remove(&key);
        } else if self.troubled.len() < OPEN_MAX {
            self.troubled.insert(key, state);
        }
    }

    fn ended(&mut self, note: &Note, step: StepIx, at: Timestamp, how: &'static str) {
        let Some((action, began)) = self.open.remove(&(note.run, step)) else { return };
        let seconds = at.since(began).as_secs_f64();
        let histogram = self.durations.entry((action, how)).or_default();
        histogram.count += 1;
        histogram.sum += seconds;
        for (bound, below) in BOUNDS.iter().zip(&mut histogram.below) {
            *below += u64::from(seconds <= *bound);
        }
    }

    fn write(&self, text: &mut Text) {
        text.one(
            "opcode_workflows_started_total",
            "counter",
            "Workflows begun.",
            self.started as f64,
        );
        text.head("opcode_workflows_ended_total", "counter", "Workflows over, by status.");
        for (status, count) in &self.ended {
            text.row("opcode_workflows_ended_total", &[("status", status)], *count as f64);
        }
        text.one("opcode_commits_total", "counter", "Commits of workflows.", self.commits as f64);
        text.one("opcode_events_total", "counter", "Events committed.", self.events as f64);
        text.one("opcode_step_retries_total", "counter", "Retries begun.", self.retries as f64);
        let missed = "Notes these figures missed.";
        text.one("opcode_notes_missed_total", "counter", missed, self.notes_missed as f64);
        text.head("opcode_breakers", "gauge", "Circuit breakers that are not closed, by state.");
        for state in ["open", "half_open"] {
            let count = self.troubled.values().filter(|known| **known == state).count();
            text.row("opcode_breakers", &[("state", state)], count as f64);
        }
        text.head("opcode_breaker_changes_total", "counter", "Changes of circuit breakers.");
        for (state, count) in &self.breakers {
            text.row("opcode_breaker_changes_total", &[("state", state)], *count as f64);
        }
        text.head(
            "opcode_step_duration_seconds",
            "histogram",
            "From the begin of an outside step to its end.",
        );
        for ((action, how), histogram) in &self.durations {
            let labels = [("action", action.as_ref()), ("status", *how)];
            for (bound, below) in BOUNDS.iter().zip(&histogram.below) {
                let bound = bound.to_string();
                let labels = [labels[0], labels[1], ("le", bound.as_str())];
                text.row("opcode_step_duration_seconds_bucket", &labels, *below as f64);
            }
            let most = [labels[0], labels[1], ("le", "+Inf")];
            text.row("opcode_step_duration_seconds_bucket", &most, histogram.count as f64);
            text.row("opcode_step_duration_seconds_sum", &labels, histogram.sum);
            text.row("opcode_step_duration_seconds_count", &labels, histogram.count as f64);
        }
    }
}

/// Text in the making.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap_or_default();
    }

    fn row(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let escaped =
            |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.0, "{name}{labels} {value}").unwrap_or_default();
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        self.row(name, &[], value);
    }
}
