//! What a program's `.` is at its beginning: a value, or a workflow's scope that is built only as far as it is read.
//!
//! Keeps: `.inputs.x` and `.steps.id.x` ask for one value; all of it is built only where it is used as a whole.
//! Not here: what a scope contains (the engine implements `Scope`).

use std::sync::Arc;

use opcode_model::{Object, Value};

use super::context::Context;
use super::machine::Slot;
use super::trouble::Outcome;
use crate::scope::Scope;

/// The members of the root besides `steps`, where they exist.
pub(super) const ROOTS: [&str; 6] = ["inputs", "workflow", "context", "iter", "loop", "error"];

/// A part of the scope that has not been built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootKey {
    All,
    Steps,
}

/// What `.` is at the beginning.
pub(super) enum Root<'a> {
    Value(Value),
    Scope { scope: &'a dyn Scope, all: Option<Value>, steps: Option<Value> },
}

impl<'a> Root<'a> {
    pub(super) fn of_scope(scope: &'a dyn Scope) -> Self {
        Self::Scope { scope, all: None, steps: None }
    }

    /// What goes onto the stack.
    pub(super) fn input(&self) -> Slot {
        match self {
            Self::Value(value) => Slot::Value(value.clone()),
            Self::Scope { .. } => Slot::Root(RootKey::All),
        }
    }

    /// One member.
    pub(super) fn field(&self, of: RootKey, key: &str) -> Slot {
        let Self::Scope { scope, .. } = self else { return Slot::default() };
        match (of, key) {
            (RootKey::All, "steps") => Slot::Root(RootKey::Steps),
            (RootKey::All, key) => {
                let known = ROOTS.contains(&key).then(|| scope.root(key)).flatten();
                Slot::Value(known.unwrap_or_default())
            }
            (RootKey::Steps, id) => {
                Slot::Value(scope.step(id).and_then(|view| view.output).unwrap_or_default())
            }
        }
    }

    /// The whole, built once.
    pub(super) fn build(&mut self, key: RootKey, context: &mut Context<'_>) -> Outcome<Value> {
        let (scope, built) = match self {
            Self::Value(value) => return Ok(value.clone()),
            Self::Scope { scope, all, steps } => match key {
                RootKey::All => (*scope, all),
                RootKey::Steps => (*scope, steps),
            },
        };
        if let Some(value) = built {
            return Ok(value.clone());
        }
        let value = match key {
            RootKey::All => {
                let steps = self.build(RootKey::Steps, context)?;
                let known = |name: &&str| Some((Arc::from(*name), scope.root(name)?));
                let mut pairs: Vec<_> = ROOTS.iter().filter_map(known).collect();
                pairs.push(("steps".into(), steps));
                Value::Object(Object::from_pairs(pairs))
            }
            RootKey::Steps => {
                let ids = scope.step_ids();
                context.steps(ids.len() as u64 * 2)?;
                context.pairs(ids.len())?;
                let output = |id: Arc<str>| Some((scope.step(&id)?.output?, id));
                let pairs = ids.into_iter().filter_map(output).map(|(value, id)| (id, value));
                Value::Object(Object::from_pairs(pairs.collect()))
            }
        };
        if let Self::Scope { all, steps, .. } = self {
            match key {
                RootKey::All => *all = Some(value.clone()),
                RootKey::Steps => *steps = Some(value.clone()),
            }
        }
        Ok(value)
    }
}
