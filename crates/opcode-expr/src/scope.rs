//! What an expression can see: borrowed, lazy, never copied as a whole.
//!
//! Keeps: only what an expression names is looked up.
//! Not here: where the values live.

use std::sync::Arc;

use opcode_model::{Object, StepStatus, Timestamp, Value};

/// What an expression can see.
pub trait Scope {
    /// A root other than `steps`: `inputs`, `workflow`, `context`, `iter` (also asked as `loop`), `error` in a hook.
    /// `None` if it does not exist here (`iter` outside a loop).
    fn root(&self, name: &str) -> Option<Value>;

    /// A step by full path, or by short id among siblings. `None` if the run knows no such step.
    fn step(&self, id: &str) -> Option<StepView>;

    /// Ids of the steps that have an output, sorted; for messages and for walking `steps` as a map.
    fn step_ids(&self) -> Vec<Arc<str>>;

    /// The moment of the input; what `now` means.
    fn now(&self) -> Timestamp;

    /// Names of the roots that exist, other than `steps`; for a language that can walk all of them.
    fn root_names(&self) -> Vec<Arc<str>> {
        let known = ["context", "error", "inputs", "iter", "workflow"];
        known.into_iter().filter(|name| self.root(name).is_some()).map(Arc::from).collect()
    }
}

/// The keys of an object as variables, beneath those of another scope if there is one.
#[derive(Clone, Copy)]
pub struct ObjectScope<'a> {
    variables: &'a Object,
    now: Timestamp,
    over: Option<&'a dyn Scope>,
}

impl<'a> ObjectScope<'a> {
    /// The keys of `variables`, and nothing else; its `steps`, if it has any, count as completed.
    pub fn new(variables: &'a Object, now: Timestamp) -> Self {
        Self { variables, now, over: None }
    }

    /// The variables of `scope`, and the keys of `variables` it does not have.
    pub fn beneath(variables: &'a Object, scope: &'a dyn Scope) -> Self {
        Self { variables, now: scope.now(), over: Some(scope) }
    }

    fn steps(&self) -> Option<&Object> {
        self.variables.find("steps").and_then(Value::as_object)
    }
}

impl Scope for ObjectScope<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        let found = self.over.and_then(|scope| scope.root(name));
        found.or_else(|| self.variables.find(name).cloned())
    }

    fn step(&self, id: &str) -> Option<StepView> {
        match self.over {
            Some(scope) => scope.step(id),
            None => self.steps()?.find(id).map(|output| StepView {
                status: StepStatus::Completed,
                output: Some(output.clone()),
                error: None,
            }),
        }
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        match self.over {
            Some(scope) => scope.step_ids(),
            None => self.steps().into_iter().flat_map(Object::keys).cloned().collect(),
        }
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn root_names(&self) -> Vec<Arc<str>> {
        let mut names = self.over.map(Scope::root_names).unwrap_or_default();
        names.extend(self.variables.keys().filter(|key| key.as_ref() != "steps").cloned());
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A step as an expression sees it.
#[derive(Clone, Debug)]
pub struct StepView {
    /// Where it is.
    pub status: StepStatus,
    /// Its output, if it completed.
    pub output: Option<Value>,
    /// Its failure, if it failed.
    pub error: Option<Value>,
}
