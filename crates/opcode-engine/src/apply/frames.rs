//! Instances of bodies: the definition's own, branches, iterations, hooks.
//!
//! Keeps: the steps of a frame stand side by side; the roots among them are ready at once.
//! Not here: when a frame is over (`settle.rs`).

use std::sync::Arc;

use opcode_model::{StepIx, Value};

use super::settle;
use crate::run::{Frame, FrameIx, Run, Step, StepState, Todo};
use crate::shape::{BodyIx, NodeIx};

pub(super) fn open_top(run: &mut Run) {
    open(run, None, frame_of(Run::TOP, None, 0));
}

pub(super) fn open_hook(run: &mut Run, hook: &str, body: u32) -> FrameIx {
    open(run, Some(hook), frame_of(BodyIx(body), None, 0))
}

pub(super) fn open_branch(
    run: &mut Run,
    owner: StepIx,
    slot: u32,
    space: &str,
    iter: Option<(Value, u32)>,
) {
    let node = run.node_of(run.step(owner));
    let place = if iter.is_some() { 0 } else { slot as usize };
    let body = run.shape.node(node).bodies[place];
    let prefix = format!("{}.{space}", run.step(owner).path);
    let frame = open(run, Some(&prefix), Frame { iter, ..frame_of(body, Some(owner), slot) });
    if let StepState::Flowing(flow) = &mut run.state.steps[owner.at()].state {
        flow.frames.push(frame);
        flow.open += 1;
    }
    if run.frame(frame).open == 0 {
        settle::frame_is_over(run, frame);
    }
}

pub(super) fn open_iteration(run: &mut Run, owner: StepIx, item: (Value, u32)) {
    let slot = item.1;
    if let StepState::Flowing(flow) = &mut run.state.steps[owner.at()].state {
        flow.looping.next = slot + 1;
    }
    open_branch(run, owner, slot, &format!("iter_{slot}"), Some(item));
    settle::look_at_flow(run, owner);
}

/// A frame before its steps stand in it.
fn frame_of(body: BodyIx, owner: Option<StepIx>, slot: u32) -> Frame {
    let first = StepIx(0);
    let (open, stopping, broken, iter, noted) = (0, 0, None, None, false);
    Frame { body, owner, slot, first, open, stopping, broken, iter, noted }
}

/// Puts the steps of a frame at the end of the run's, the roots among them on the agenda.
fn open(run: &mut Run, prefix: Option<&str>, frame: Frame) -> FrameIx {
    let shape = run.shape.clone();
    let ix = FrameIx(run.state.frames.len() as u32);
    let first = StepIx(run.state.steps.len() as u32);
    let body = frame.body;
    let len = shape.body(body).len;
    run.state.frames.push(Frame { first, open: len, ..frame });
    run.state.steps.reserve(len as usize);
    for (local, node) in shape.nodes_of(body).enumerate() {
        let node = shape.node(NodeIx(node));
        let at = StepIx(first.0 + local as u32);
        let mut generation = 0;
        let path: Arc<str> = match prefix {
            Some(prefix) => {
                let path: Arc<str> = format!("{prefix}.{}", node.id).into();
                if let Some(before) = run.state.paths.insert(path.clone(), at) {
                    // The step around it runs again: wishes made of this path are not forgotten.
                    generation = run.step(before).generation;
                }
                path
            }
            None => node.id.clone(),
        };
        let unmet = node.needs.len() as u32 + u32::from(!node.rescues.is_empty());
        let mut step = new_step(at, ix, path);
        step.generation = generation;
        step.watches = node.rescues.len() as u32;
        if unmet == 0 {
            run.state.agenda.push_back(Todo::Start(at));
        } else {
            step.state = StepState::Waiting { unmet };
        }
        run.state.steps.push(step);
    }
    ix
}

fn new_step(ix: StepIx, frame: FrameIx, path: Arc<str>) -> Step {
    Step {
        ix,
        frame,
        path,
        state: StepState::Ready,
        attempt: 0,
        retries: 0,
        generation: 0,
        started_at: None,
        ended_at: None,
        deadline: None,
        poisoned: false,
        called: false,
        watches: 0,
        rescued: false,
        in_doubt: false,
    }
}
