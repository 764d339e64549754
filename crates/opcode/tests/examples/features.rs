//! What of the language a definition uses, as short words such as `step:loop` or `backoff:linear`.
//!
//! Keeps: only what is written counts, wherever it stands.
//! Not here: which words must be covered (`main.rs`).

use std::collections::BTreeSet;

use serde_json::Value;

/// The features of one file, a wrapper or a bare definition.
pub(crate) fn of(file: &Value) -> BTreeSet<String> {
    let mut found = Found::default();
    found.members("wrapper", file, &["input_schema", "output_schema"]);
    let definition = file.get("definition").unwrap_or(file);
    let plain = [
        "inputs",
        "context",
        "output",
        "output_schema",
        "on_complete",
        "on_error",
        "sandbox",
        "limits",
    ];
    found.members("workflow", definition, &plain);
    found.words("workflow", definition, &["on_timeout", "timeout_scope", "failure_mode"]);
    found.texts(definition);
    found.steps(definition.get("steps"), 0);
    for hook in ["on_complete", "on_error"] {
        if let Some(step) = definition.get(hook) {
            found.step(step, 0);
        }
    }
    found.0
}

#[derive(Default)]
struct Found(BTreeSet<String>);

impl Found {
    fn add(&mut self, kind: &str, word: &str) {
        self.0.insert(format!("{kind}:{word}"));
    }

    /// Members that are there.
    fn members(&mut self, kind: &str, object: &Value, members: &[&str]) {
        for member in members.iter().filter(|member| object.get(member).is_some()) {
            self.add(kind, member);
        }
    }

    /// Members that hold one word of a few.
    fn words(&mut self, kind: &str, object: &Value, members: &[&str]) {
        for member in members {
            if let Some(word) = object.get(member).and_then(Value::as_str) {
                self.add(kind, &format!("{member}={word}"));
            }
        }
    }

    fn steps(&mut self, steps: Option<&Value>, depth: usize) {
        for step in steps.and_then(Value::as_array).into_iter().flatten() {
            self.step(step, depth);
        }
    }

    fn step(&mut self, step: &Value, depth: usize) {
        let kind = step.get("type").and_then(Value::as_str).unwrap_or("action");
        self.add("step", kind);
        self.members("step", step, &["condition", "timeout", "limits"]);
        self.words("step", step, &["on_interrupted"]);
        if let Some(strategy) = step.pointer("/on_error/strategy").and_then(Value::as_str) {
            self.add("on_error", strategy);
        }
        if let Some(retry) = step.get("retry") {
            let backoff = retry.get("backoff").and_then(Value::as_str).unwrap_or("none");
            self.add("backoff", backoff);
            self.members("retry", retry, &["max_delay", "jitter", "retry_on"]);
        }
        if step.get("action").and_then(Value::as_str) == Some("workflow.run") {
            self.add("child", if depth > 0 { "in a body" } else { "at the top" });
        }
        let Some(config) = step.get("config") else { return };
        match kind {
            "reasoning" => self.reasoning(config, depth),
            "wait" => self.wait(config),
            "loop" => self.loop_(config, depth),
            "parallel" => {
                let mode = config.get("mode").and_then(Value::as_str).unwrap_or("all");
                self.add("parallel", mode);
                for branch in config.get("branches").and_then(Value::as_array).into_iter().flatten()
                {
                    self.steps(Some(branch), depth + 1);
                }
            }
            _ => {
                self.members("condition", config, &["default"]);
                self.steps(config.get("default"), depth + 1);
                let branches = config.get("branches").and_then(Value::as_object);
                for branch in branches.into_iter().flat_map(|branches| branches.values()) {
                    self.steps(Some(branch), depth + 1);
                }
            }
        }
    }

    fn reasoning(&mut self, config: &Value, depth: usize) {
        self.add("decision", if config.get("options").is_some() { "options" } else { "free form" });
        self.members("decision", config, &["target_agent", "data_inject", "timeout", "fallback"]);
        if depth > 0 {
            self.add("decision", "nested");
        }
    }

    fn wait(&mut self, config: &Value) {
        match config.get("duration").and_then(Value::as_str) {
            Some(text) if text.contains("${{") => self.add("wait", "computed"),
            Some(_) => self.add("wait", "duration"),
            None => self.add("wait", "signal"),
        }
    }

    fn loop_(&mut self, config: &Value, depth: usize) {
        let mode = config.get("mode").and_then(Value::as_str).unwrap_or("for_each");
        self.add("loop", mode);
        self.members("loop", config, &["break", "concurrency", "max_iter"]);
        self.steps(config.get("body"), depth + 1);
    }

    /// How texts use `${{ }}`: a whole value, within text, or as it is.
    fn texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let bare = text.replace("$${{", "");
                if bare != *text {
                    self.add("text", "literal");
                }
                if bare.starts_with("${{")
                    && bare.ends_with("}}")
                    && bare.matches("${{").count() == 1
                {
                    self.add("text", "typed");
                } else if bare.contains("${{") {
                    self.add("text", "within text");
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.texts(item)),
            Value::Object(members) => members.values().for_each(|member| self.texts(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
