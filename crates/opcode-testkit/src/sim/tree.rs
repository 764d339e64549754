//! Definitions as trees: what the generator draws, the oracle reads, shrinking cuts, and `plan` is given as JSON.
//!
//! Keeps: a step needs only steps before it; ids are unique in a definition.
//! Not here: drawing (`scenario.rs`).

use opcode_model::Value;

/// A definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Def {
    pub(crate) steps: Vec<Node>,
    pub(crate) branch_mode: bool,
    /// The run's limit in milliseconds, and what happens then.
    pub(crate) timeout: Option<(i64, &'static str)>,
    pub(crate) on_complete: Option<Box<Node>>,
    pub(crate) on_error: Option<Box<Node>>,
}

/// A step.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) id: String,
    /// Earlier siblings it waits for; in a nested body `None` is the one before it.
    pub(crate) needs: Option<Vec<String>>,
    pub(crate) guard: Option<bool>,
    pub(crate) retry: u32,
    pub(crate) on_error: OnError,
    pub(crate) timeout: Option<i64>,
    pub(crate) interrupted: Option<&'static str>,
    pub(crate) kind: Kind,
}

/// What else happens when a step fails.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnError {
    None,
    Ignore,
    /// This later sibling takes over.
    Fallback(String),
}

/// The work of a step.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Pure { v: i64, of: Option<String>, iter: bool },
    Broken,
    Note,
    Outside(Outside),
    Child { template: String },
    Condition { key: &'static str, branches: Vec<(&'static str, Vec<Node>)> },
    Loop { times: u32, counted: bool, concurrency: u32, body: Vec<Node> },
    All { branches: Vec<Vec<Node>> },
    Race { branches: Vec<Vec<Node>> },
    Wait { ms: i64 },
    Listen { name: &'static str },
    Ask { timeout: Option<i64>, fallback: bool },
}

/// An outside action: how it will answer is written in its parameters, so that a crash does not change it.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    pub(crate) once: bool,
    /// So many recorded failures before it succeeds.
    pub(crate) fails: u32,
    /// Fails in a way no retry cures.
    pub(crate) fatal: bool,
    pub(crate) ms: i64,
    pub(crate) v: i64,
    pub(crate) of: Option<String>,
    pub(crate) iter: bool,
}

impl Def {
    /// As the author would write it.
    pub(crate) fn to_value(&self) -> Value {
        let mut pairs = vec![("steps", body(&self.steps))];
        if self.branch_mode {
            pairs.push(("failure_mode", "branch".into()));
        }
        if let Some((ms, then)) = self.timeout {
            pairs.push(("timeout", millis(ms)));
            pairs.push(("on_timeout", then.into()));
        }
        for (name, hook) in [("on_complete", &self.on_complete), ("on_error", &self.on_error)] {
            pairs.extend(hook.as_ref().map(|node| (name, node.to_value())));
        }
        Value::object(pairs)
    }
}

fn body(nodes: &[Node]) -> Value {
    Value::list(nodes.iter().map(Node::to_value))
}

fn millis(ms: i64) -> Value {
    format!("{ms}ms").into()
}

impl Node {
    fn to_value(&self) -> Value {
        let mut pairs: Vec<(&str, Value)> = vec![("id", self.id.as_str().into())];
        if let Some(needs) = &self.needs {
            let needs = needs.iter().map(|id| Value::from(id.as_str()));
            pairs.push(("depends_on", Value::list(needs)));
        }
        if let Some(guard) = self.guard {
            pairs.push(("condition", if guard { "1 < 2" } else { "1 > 2" }.into()));
        }
        if self.retry > 0 {
            let retry = [("max", Value::from(self.retry)), ("delay", millis(200))];
            pairs.push(("retry", Value::object(retry)));
        }
        match &self.on_error {
            OnError::None => {}
            OnError::Ignore => {
                pairs.push(("on_error", Value::object([("strategy", "ignore")])));
            }
            OnError::Fallback(id) => {
                let handler = [("strategy", "fallback_step"), ("fallback_step", id)];
                pairs.push(("on_error", Value::object(handler)));
            }
        }
        pairs.extend(self.timeout.map(|ms| ("timeout", millis(ms))));
        pairs.extend(self.interrupted.map(|policy| ("on_interrupted", policy.into())));
        self.kind.write(&mut pairs);
        Value::object(pairs)
    }

    /// The bodies of a step, in the order of their places.
    pub(crate) fn bodies_mut(&mut self) -> Vec<&mut Vec<Self>> {
        match &mut self.kind {
            Kind::Condition { branches, .. } => branches.iter_mut().map(|(_, b)| b).collect(),
            Kind::All { branches } | Kind::Race { branches } => branches.iter_mut().collect(),
            Kind::Loop { body, .. } => vec![body],
            Kind::Pure { .. }
            | Kind::Broken
            | Kind::Note
            | Kind::Outside(_)
            | Kind::Child { .. }
            | Kind::Wait { .. }
            | Kind::Listen { .. }
            | Kind::Ask { .. } => Vec::new(),
        }
    }
}

impl Kind {
    fn write(&self, pairs: &mut Vec<(&str, Value)>) {
        let (kind, config) = match self {
            Self::Pure { v, of, iter } => {
                return action(pairs, "sim.echo", said(*v, of.as_ref(), *iter));
            }
            Self::Broken => return action(pairs, "sim.broken", Vec::new()),
            Self::Note => {
                return action(pairs, "workflow.log", vec![("message", "hello".into())]);
            }
            Self::Child { template } => {
                return action(pairs, "workflow.run", vec![("template", template.as_str().into())]);
            }
            Self::Outside(outside) => {
                let name = if outside.once { "sim.once" } else { "sim.again" };
                let mut params = said(outside.v, outside.of.as_ref(), outside.iter);
                params.push(("fails", outside.fails.into()));
                params.push(("fatal", outside.fatal.into()));
                params.push(("ms", outside.ms.into()));
                return action(pairs, name, params);
            }
            Self::Condition { key, branches } => ("condition", condition(key, branches)),
            Self::Loop { times, counted, concurrency, body } => {
                ("loop", looped(*times, *counted, *concurrency, body))
            }
            Self::All { branches } => ("parallel", parallel("all", branches)),
            Self::Race { branches } => ("parallel", parallel("race", branches)),
            Self::Wait { ms } => ("wait", vec![("duration", millis(*ms))]),
            Self::Listen { name } => ("wait", vec![("signal", (*name).into())]),
            Self::Ask { timeout, fallback } => ("reasoning", question(*timeout, *fallback)),
        };
        pairs.push(("type", kind.into()));
        pairs.push(("config", Value::object(config)));
    }
}

fn action(pairs: &mut Vec<(&str, Value)>, name: &str, params: Vec<(&str, Value)>) {
    pairs.push(("action", name.into()));
    pairs.push(("params", Value::object(params)));
}

fn said(v: i64, of: Option<&String>, iter: bool) -> Vec<(&'static str, Value)> {
    let mut params = vec![("v", Value::from(v))];
    params.extend(of.map(|id| ("of", Value::from(format!("${{{{ steps.{id}.v }}}}")))));
    if iter {
        params.push(("i", "${{ iter.index }}".into()));
    }
    params
}

fn condition(key: &str, branches: &[(&'static str, Vec<Node>)]) -> Vec<(&'static str, Value)> {
    let named = branches.iter().filter(|(name, _)| *name != "default");
    let named = named.map(|(name, nodes)| (*name, body(nodes)));
    let mut config =
        vec![("expression", Value::from(format!("'{key}'"))), ("branches", Value::object(named))];
    let default = branches.iter().find(|(name, _)| *name == "default");
    config.extend(default.map(|(_, nodes)| ("default", body(nodes))));
    config
}

fn looped(
    times: u32,
    counted: bool,
    concurrency: u32,
    nodes: &[Node],
) -> Vec<(&'static str, Value)> {
    let mut config = vec![("body", body(nodes))];
    if counted {
        config.push(("mode", "while".into()));
        config.push(("condition", format!("iter.index < {times}").into()));
        config.push(("max_iter", times.max(10).into()));
    } else {
        let items: Vec<String> = (0..times).map(|n| n.to_string()).collect();
        config.push(("over", format!("[{}]", items.join(",")).into()));
        config.push(("concurrency", concurrency.into()));
    }
    config
}

fn parallel(mode: &str, branches: &[Vec<Node>]) -> Vec<(&'static str, Value)> {
    vec![("mode", mode.into()), ("branches", Value::list(branches.iter().map(|nodes| body(nodes))))]
}

fn question(timeout: Option<i64>, fallback: bool) -> Vec<(&'static str, Value)> {
    let option = |id: &str| Value::object([("id", id)]);
    let mut config = vec![
        ("prompt_context", Value::from("which?")),
        ("options", Value::list([option("yes"), option("no")])),
    ];
    config.extend(timeout.map(|ms| ("timeout", millis(ms))));
    if fallback {
        config.push(("fallback", "no".into()));
    }
    config
}

impl Node {
    /// A sibling is gone.
    pub(crate) fn forget(&mut self, gone: &str) {
        if let Some(needs) = &mut self.needs {
            needs.retain(|id| id != gone);
        }
        if self.on_error == OnError::Fallback(gone.to_owned()) {
            self.on_error = OnError::None;
        }
        if let Kind::Pure { of, .. } | Kind::Outside(Outside { of, .. }) = &mut self.kind {
            *of = of.take().filter(|id| id != gone);
        }
    }
}
