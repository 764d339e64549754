//! What somebody was told: from then on it must be true for ever.
//!
//! Keeps: a fact is written down only after it was told, and never taken back.
//! Not here: what must be true whether told or not (`history.rs`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::history::{Event, History};

/// Acknowledged facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Runs that began, with how they ended if that was told.
    runs: BTreeMap<String, Option<String>>,
    /// The run of each idempotency key.
    keys: BTreeMap<String, String>,
    /// Answers that were taken: run, step, choice.
    answers: Vec<(String, String, String)>,
    /// Events that were seen.
    seen: BTreeMap<String, Vec<Event>>,
}

impl Ledger {
    /// A run was acknowledged, or its result was told.
    pub(crate) fn told(&mut self, answer: &Value) -> Option<String> {
        let run = answer["workflow_id"].as_str()?.to_owned();
        let entry = self.runs.entry(run.clone()).or_default();
        let status = answer["status"].as_str();
        let status = status.filter(|status| ["completed", "failed", "cancelled"].contains(status));
        if let Some(status) = status {
            *entry = Some(status.to_owned());
        }
        Some(run)
    }

    /// Lines that were read from a process, each of them an answer.
    pub(crate) fn heard(&mut self, lines: &[String]) -> Vec<String> {
        let answers = lines.iter().filter_map(|line| serde_json::from_str(line).ok());
        answers.filter_map(|answer: Value| self.told(&answer)).collect()
    }

    /// A key has its run, now and ever.
    pub(crate) fn keyed(&mut self, key: &str, run: &str) {
        let first = self.keys.entry(key.to_owned()).or_insert_with(|| run.to_owned());
        assert_eq!(first, run, "two runs for the key {key}");
    }

    /// An answer to a question was taken.
    pub(crate) fn answered(&mut self, run: &str, step: &str, choice: &str) {
        self.answers.push((run.to_owned(), step.to_owned(), choice.to_owned()));
    }

    /// How many runs were acknowledged.
    pub(crate) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Compares what was told with what is on disk; what is on disk is seen from now on.
    pub(crate) fn check(&mut self, now: &History) {
        let wrong = self.wrongs(now);
        assert!(wrong.is_empty(), "acknowledged, and lost:\n{}", wrong.join("\n"));
        self.seen.clone_from(&now.runs);
    }

    /// What was told and is not true.
    pub(crate) fn wrongs(&self, now: &History) -> Vec<String> {
        let mut wrong = Vec::new();
        for (run, ended) in &self.runs {
            let Some(events) = now.runs.get(run) else {
                wrong.push(format!("run {run}"));
                continue;
            };
            let kind = ended.as_ref().map(|ended| format!("workflow_{ended}"));
            if let Some(kind) = kind.filter(|kind| !events.iter().any(|it| it.kind == *kind)) {
                wrong.push(format!("run {run}: {kind}"));
            }
        }
        for (run, step, choice) in &self.answers {
            let is_answer = |event: &&Event| {
                event.kind == "decision_resolved" && event.step.as_ref() == Some(step)
            };
            let events = now.runs.get(run).map_or(&[][..], Vec::as_slice);
            let has = |event: &Event| {
                let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
                payload["choice"].as_str() == Some(choice)
            };
            if !events.iter().filter(is_answer).any(has) {
                wrong.push(format!("run {run}: the answer {choice} to {step}"));
            }
        }
        for (run, seen) in &self.seen {
            let now = now.runs.get(run).map_or(&[][..], Vec::as_slice);
            let differs = seen.iter().enumerate().find(|(at, event)| now.get(*at) != Some(event));
            if let Some((_, event)) = differs {
                wrong
                    .push(format!("run {run}: event {} ({}) that was seen", event.seq, event.kind));
            }
        }
        wrong
    }
}
