//! A reference interpreter: what a plain run comes to, said as plainly as possible.
//!
//! Keeps: it knows nothing of events, commits, crashes or time; it walks the tree once.
//! Not here: races, time limits, signals that change a course, attempts in doubt: there, only invariants hold.

use std::collections::BTreeMap;

use opcode_model::{ErrorCode, Failure, RunStatus, StepStatus, Value};

use super::tree::{Def, Kind, Node, OnError, Outside};

/// What a run must come to.
#[derive(Debug)]
pub(crate) struct Prediction {
    pub(crate) status: RunStatus,
    /// Each step by full path; `None` where it depends on who was first.
    pub(crate) steps: Option<BTreeMap<String, (StepStatus, Value)>>,
    pub(crate) output: Option<Value>,
}

/// Templates by name.
pub(crate) type Templates = BTreeMap<String, Def>;

/// Predicts a run.
pub(crate) fn predict(def: &Def, templates: &Templates) -> Prediction {
    let mut oracle =
        Oracle { templates, branch_mode: def.branch_mode, steps: BTreeMap::new(), exact: true };
    let top = oracle.body(&def.steps, "", true, None);
    let (status, hook) = match &top.broken {
        None => (RunStatus::Completed, &def.on_complete),
        Some(_) => (RunStatus::Failed, &def.on_error),
    };
    if let Some(hook) = hook {
        let prefix = if top.broken.is_none() { "on_complete." } else { "on_error." };
        oracle.body(std::slice::from_ref(hook), prefix, true, None);
    }
    let last = def.steps.iter().zip(&top.ends).filter(|(node, _)| {
        !def.steps.iter().any(|other| other.needs.iter().flatten().any(|id| *id == node.id))
    });
    let outputs = last.filter_map(|(node, end)| Some((node.id.as_str(), end.output()?.clone())));
    let output = top.broken.is_none().then(|| Value::object(outputs));
    let output = output.filter(|_| oracle.exact);
    Prediction { status, steps: oracle.exact.then_some(oracle.steps), output }
}

struct Oracle<'a> {
    templates: &'a Templates,
    branch_mode: bool,
    steps: BTreeMap<String, (StepStatus, Value)>,
    exact: bool,
}

/// How a step ended.
#[derive(Clone)]
enum End {
    Done(Value),
    Failed(Failure),
    Skipped,
    /// What it needed failed.
    Poisoned,
}

impl End {
    fn output(&self) -> Option<&Value> {
        if let Self::Done(output) = self { Some(output) } else { None }
    }
}

/// How a body ended.
struct Ends {
    ends: Vec<End>,
    broken: Option<Failure>,
}

impl Ends {
    /// The output of the last step, in written order, that completed.
    fn output(&self) -> Value {
        self.ends.iter().rev().find_map(End::output).cloned().unwrap_or_default()
    }
}

impl Oracle<'_> {
    fn body(&mut self, nodes: &[Node], prefix: &str, top: bool, iter: Option<u32>) -> Ends {
        let mut body = Ends { ends: Vec::new(), broken: None };
        for (at, node) in nodes.iter().enumerate() {
            let before: Vec<usize> = match &node.needs {
                Some(needs) => {
                    let place = |id: &String| nodes.iter().position(|other| other.id == *id);
                    needs.iter().filter_map(place).collect()
                }
                None if top || at == 0 => Vec::new(),
                None => vec![at - 1],
            };
            let bad = |at: &usize| matches!(body.ends[*at], End::Failed(_) | End::Poisoned);
            let path = format!("{prefix}{}", node.id);
            let end = if before.iter().any(bad) {
                End::Poisoned
            } else if node.guard == Some(false) {
                End::Skipped
            } else {
                self.step(node, &path, iter, &|id| {
                    let at = nodes.iter().position(|other| other.id == id)?;
                    body.ends.get(at)?.output()?.find("v").cloned()
                })
            };
            if let End::Failed(failure) = &end {
                // Without branches the rest is stopped wherever it stands; with two failures, who is first?
                self.exact &= self.branch_mode && body.broken.is_none();
                body.broken.get_or_insert_with(|| failure.clone());
            }
            self.note(&path, &end);
            body.ends.push(end);
        }
        body
    }

    fn note(&mut self, path: &str, end: &End) {
        let (status, output) = match end {
            End::Done(output) => (StepStatus::Completed, output.clone()),
            End::Failed(_) => (StepStatus::Failed, Value::Null),
            End::Skipped | End::Poisoned => (StepStatus::Skipped, Value::Null),
        };
        self.steps.insert(path.to_owned(), (status, output));
    }

    fn step(
        &mut self,
        node: &Node,
        path: &str,
        iter: Option<u32>,
        sibling: &dyn Fn(&str) -> Option<Value>,
    ) -> End {
        match self.work(node, path, iter, sibling) {
            Ok(output) => End::Done(output),
            Err(failure) => {
                let failure = failure.in_step(&path.into());
                if node.on_error == OnError::Ignore {
                    let output = [("ignored", Value::Bool(true)), ("error", failure.to_value())];
                    return End::Done(Value::object(output));
                }
                End::Failed(failure)
            }
        }
    }

    fn work(
        &mut self,
        node: &Node,
        path: &str,
        iter: Option<u32>,
        sibling: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<Value, Failure> {
        let said = |v: i64, of: &Option<String>, counts: bool| {
            let mut pairs = vec![("v", Value::from(v))];
            pairs.extend(of.as_ref().and_then(|id| Some(("of", sibling(id)?))));
            pairs.extend(iter.filter(|_| counts).map(|i| ("i", Value::from(i))));
            Value::object(pairs)
        };
        match &node.kind {
            Kind::Pure { v, of, iter } => Ok(said(*v, of, *iter)),
            Kind::Broken => Err(broken()),
            Kind::Note => Ok(Value::object([("logged", true)])),
            Kind::Outside(Outside { fatal: true, .. }) => Err(refused()),
            Kind::Outside(outside) if outside.fails > node.retry => Err(failed()),
            Kind::Outside(Outside { v, of, iter, .. }) => Ok(said(*v, of, *iter)),
            Kind::Child { template } => self.child(template),
            Kind::Condition { key, branches } => self.condition(path, key, branches, iter),
            Kind::Loop { times, body, .. } => self.looped(path, *times, body),
            Kind::All { branches } => self.all(path, branches, iter),
            Kind::Wait { ms } => Ok(Value::object([("waited", *ms)])),
            Kind::Listen { name } => {
                Ok(Value::object([("signal", Value::from(*name)), ("payload", heard(path))]))
            }
            Kind::Ask { .. } => Ok(Value::object([
                ("choice", Value::from("yes")),
                ("reasoning", Value::Null),
                ("data", Value::Null),
                ("resolved_by", Value::from("bot")),
            ])),
            Kind::Race { .. } => {
                self.exact = false;
                Ok(Value::Null)
            }
        }
    }

    fn child(&mut self, template: &str) -> Result<Value, Failure> {
        let Some(def) = self.templates.get(template) else {
            self.exact = false;
            return Err(refused());
        };
        let child = predict(def, self.templates);
        self.exact &= child.steps.is_some() && child.status == RunStatus::Completed;
        match child.status {
            RunStatus::Completed => Ok(child.output.unwrap_or_default()),
            RunStatus::Pending
            | RunStatus::Active
            | RunStatus::Suspended
            | RunStatus::Failed
            | RunStatus::Cancelled => Err(failed()),
        }
    }

    fn condition(
        &mut self,
        path: &str,
        key: &str,
        branches: &[(&'static str, Vec<Node>)],
        iter: Option<u32>,
    ) -> Result<Value, Failure> {
        let taken = branches.iter().find(|(name, _)| *name == key && key != "default");
        let taken = taken.or_else(|| branches.iter().find(|(name, _)| *name == "default"));
        let Some((name, nodes)) = taken else {
            let output = [("branch", Value::from(key)), ("skipped", Value::Bool(true))];
            return Ok(Value::object(output));
        };
        if nodes.is_empty() {
            return Ok(Value::object([("branch", *name)]));
        }
        let body = self.body(nodes, &format!("{path}.{name}."), false, iter);
        let output = [("branch", Value::from(*name)), ("output", body.output())];
        body.broken.map_or(Ok(Value::object(output)), Err)
    }

    fn looped(&mut self, path: &str, times: u32, nodes: &[Node]) -> Result<Value, Failure> {
        let (mut results, mut broken) = (Vec::new(), None);
        for i in 0..times {
            let body = self.body(nodes, &format!("{path}.iter_{i}."), false, Some(i));
            results.push(body.output());
            if let Some(failure) = body.broken {
                self.exact &= broken.is_none();
                broken.get_or_insert(failure);
                if !self.branch_mode {
                    break;
                }
            }
        }
        let output = [("iterations", Value::from(results.len())), ("results", results.into())];
        broken.map_or(Ok(Value::object(output)), Err)
    }

    fn all(
        &mut self,
        path: &str,
        branches: &[Vec<Node>],
        iter: Option<u32>,
    ) -> Result<Value, Failure> {
        let (mut outputs, mut broken) = (Vec::new(), None);
        for (at, nodes) in branches.iter().enumerate() {
            let body = self.body(nodes, &format!("{path}.branch_{at}."), false, iter);
            outputs.push(body.output());
            if let Some(failure) = body.broken {
                self.exact &= broken.is_none();
                broken.get_or_insert(failure);
            }
        }
        let output = [("mode", Value::from("all")), ("branches", outputs.into())];
        broken.map_or(Ok(Value::object(output)), Err)
    }
}

/// What the world says to a listening step.
pub(crate) fn heard(path: &str) -> Value {
    Value::object([("for", path)])
}

/// A failure that a retry may cure.
pub(crate) fn failed() -> Failure {
    Failure::new(ErrorCode::Execution, "the world said no")
}

/// A failure that no retry cures.
pub(crate) fn refused() -> Failure {
    Failure::new(ErrorCode::Validation, "the world will never say yes")
}

/// What the broken pure action says.
pub(crate) fn broken() -> Failure {
    Failure::new(ErrorCode::AssertionFailed, "two is not three")
}
