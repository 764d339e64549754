//! The shape of a definition: bodies, the steps in them, and who waits for whom. All `apply` ever needs of a plan.
//!
//! Keeps: the steps of one body stand side by side, in written order; positions are local to their body.
//! Not here: what a step does (`plan`), how far a run has come (`run`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use opcode_model::{Value, Wishes};

/// A body: a list of sibling steps. 0 is the definition's own `steps`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct BodyIx(pub u32);

/// A written step, anywhere in the definition.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct NodeIx(pub u32);

/// Bodies, steps, edges, and the time limit of the whole.
#[derive(Debug, Default)]
pub struct Shape {
    /// Every body; the first is the definition's own.
    pub bodies: Vec<Body>,
    /// Every written step; those of one body side by side.
    pub nodes: Vec<Node>,
    /// Whether a failure skips only what depended on it.
    pub branch_mode: bool,
    /// How long a run may be active.
    pub timeout: Option<Duration>,
    /// Whether time spent suspended counts too.
    pub wall: bool,
    /// Context a run begins with.
    pub context: Value,
}

/// Sibling steps.
#[derive(Debug, Default)]
pub struct Body {
    /// The first one's place among all.
    pub first: u32,
    /// How many.
    pub len: u32,
    /// Local position by id.
    pub ids: BTreeMap<Arc<str>, u32>,
}

/// One written step, as far as its siblings care.
#[derive(Debug)]
pub struct Node {
    /// Its id as written.
    pub id: Arc<str>,
    /// Whether it opens bodies, and how they belong together.
    pub flow: FlowKind,
    /// The bodies it opens: branches by place (a condition's in key order, its default last), or a loop's one.
    pub bodies: Vec<BodyIx>,
    /// What bounds it, if it is a loop.
    pub bounds: LoopBounds,
    /// The action it runs, if it runs one.
    pub action: Option<Arc<str>>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How far what it runs is locked in.
    pub wishes: Option<Arc<Wishes>>,
    /// Siblings it waits for.
    pub needs: Vec<u32>,
    /// Siblings that wait for it.
    pub dependents: Vec<u32>,
    /// The sibling that takes over when it fails.
    pub fallback: Option<u32>,
    /// Siblings it takes over for; such a step runs only when one of them fails.
    pub rescues: Vec<u32>,
}

/// What bounds a loop.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopBounds {
    /// Whether items drive it.
    pub for_each: bool,
    /// At most so many iterations.
    pub max_iter: u32,
    /// At most so many at once.
    pub concurrency: u32,
}

/// How a step's bodies belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FlowKind {
    /// It has none.
    None,
    /// One of them runs.
    Condition,
    /// One of them runs again and again.
    Loop,
    /// All of them run.
    All,
    /// All of them run; the first to succeed wins.
    Race,
}

impl Shape {
    /// One body.
    pub fn body(&self, ix: BodyIx) -> &Body {
        &self.bodies[ix.0 as usize]
    }

    /// One step.
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0 as usize]
    }

    /// How many iterations a loop can come to, given its items.
    pub fn iterations(&self, ix: NodeIx, items: &Value) -> u32 {
        let bounds = self.node(ix).bounds;
        let items = items.as_list().map_or(0, <[Value]>::len);
        if bounds.for_each {
            u32::try_from(items).unwrap_or(u32::MAX).min(bounds.max_iter)
        } else {
            bounds.max_iter
        }
    }

    /// The steps of a body.
    pub fn nodes_of(&self, ix: BodyIx) -> Range<u32> {
        let body = self.body(ix);
        body.first..body.first + body.len
    }
}
