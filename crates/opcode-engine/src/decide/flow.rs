//! Steps with bodies: what the end of a body means, and what comes next.
//!
//! Keeps: losers and rest are stopped and awaited before the step itself ends; results stand in order.
//! Not here: bookkeeping (`apply/settle.rs`), how a body begins (`apply/frames.rs`).

use opcode_model::event::{EventKind, Iteration, Nothing, SkipReason, StepCompleted, Stopping};
use opcode_model::limits::{BUILT_DEPTH_MAX, LOOP_ITERATIONS_MAX, OUTPUT_BYTES_MAX};
use opcode_model::{Failure, StepIx, Value};

use super::begin::{skip, too_many};
use super::cancel::stop_frames;
use super::draft::{Draft, truth};
use super::step_failed::fail_step;
use crate::plan::{LoopMode, LoopPlan, WorkPlan};
use crate::run::{Flow, FrameIx};
use crate::shape::FlowKind;

/// A step with bodies has something to decide.
pub(super) fn look(draft: &mut Draft<'_>, ix: StepIx) {
    let Some(flow) = draft.step(ix).flow() else { return };
    if let Some((because, error)) = &flow.stopping {
        return match (error, flow.winner) {
            (Some(error), _) => fail_step(draft, ix, error.clone()),
            (None, Some(_)) if *because == SkipReason::RaceLost => won(draft, ix, flow),
            (None, _) => skip(draft, ix, *because, None),
        };
    }
    let fails = match flow.kind {
        FlowKind::Condition | FlowKind::All => flow.open == 0 || draft.run.must_stop(flow),
        FlowKind::Loop => draft.run.must_stop(flow),
        FlowKind::None | FlowKind::Race => false,
    };
    if let Some(error) = flow.broken.as_deref().filter(|_| fails) {
        return broken(draft, ix, flow, error.clone());
    }
    match flow.kind {
        FlowKind::None => {}
        FlowKind::Condition => condition_over(draft, ix, flow),
        FlowKind::All => all_over(draft, ix, flow),
        FlowKind::Race => race(draft, ix, flow),
        FlowKind::Loop => go_round(draft, ix, flow),
    }
}

/// A body broke: the others stop first, then the step fails.
fn broken(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow, error: Failure) {
    if flow.open == 0 {
        return fail_step(draft, ix, error);
    }
    let name = draft.name(ix);
    let stopping = Stopping { because: SkipReason::SiblingFailed, error: Some(error) };
    draft.emit(EventKind::StepStopping(name, Box::new(stopping)));
    stop_frames(draft, &flow.frames, SkipReason::SiblingFailed);
}

fn complete(draft: &mut Draft<'_>, ix: StepIx, output: Value) {
    if output.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
        return fail_step(draft, ix, Failure::limit("nesting of an output", BUILT_DEPTH_MAX));
    }
    if output.weight(OUTPUT_BYTES_MAX) > OUTPUT_BYTES_MAX {
        return fail_step(draft, ix, Failure::limit("bytes of a step's output", OUTPUT_BYTES_MAX));
    }
    let name = draft.name(ix);
    draft.emit(EventKind::StepCompleted(name, StepCompleted { output }));
}

fn condition_over(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow) {
    let output = flow.frames.first().map(|frame| draft.run.frame_output(*frame));
    let pairs = [("branch", Value::from(flow.key.clone())), ("output", output.unwrap_or_default())];
    complete(draft, ix, Value::object(pairs));
}

fn all_over(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow) {
    let outputs = flow.frames.iter().map(|frame| draft.run.frame_output(*frame));
    let output = [("mode", Value::from("all")), ("branches", Value::list(outputs))];
    let name = draft.name(ix);
    draft.emit(EventKind::ParallelCompleted(name, Nothing));
    complete(draft, ix, Value::object(output));
}

fn race(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow) {
    match (flow.winner, flow.open) {
        (Some(_), 0) => won(draft, ix, flow),
        (Some(_), _) => {
            let name = draft.name(ix);
            let stopping = Stopping { because: SkipReason::RaceLost, error: None };
            draft.emit(EventKind::StepStopping(name, Box::new(stopping)));
            stop_frames(draft, &flow.frames, SkipReason::RaceLost);
        }
        (None, _) => {
            let error = flow.broken.as_deref().cloned();
            let none = || Failure::new(opcode_model::ErrorCode::StepFailed, "no branch won");
            fail_step(draft, ix, error.unwrap_or_else(none));
        }
    }
}

fn won(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow) {
    let winner = flow.winner.unwrap_or_default();
    let output = draft.run.frame_output(flow.frames[winner as usize]);
    let output = [("mode", Value::from("race")), ("winner", winner.into()), ("output", output)];
    let name = draft.name(ix);
    draft.emit(EventKind::ParallelCompleted(name, Nothing));
    complete(draft, ix, Value::object(output));
}

/// Whether another iteration may begin.
fn more(draft: &Draft<'_>, ix: StepIx, flow: &Flow) -> bool {
    let node = draft.run.node_of(draft.step(ix));
    let all = draft.run.shape.iterations(node, &flow.looping.items);
    !flow.looping.ended && flow.looping.next < all
}

fn go_round(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow) {
    let WorkPlan::Loop(plan) = &draft.plan_of(ix).work else { return };
    match another(draft, ix, flow, plan) {
        Ok(Next::Iteration) => iterate(draft, ix, flow),
        Ok(Next::End { cut }) => match flow.broken.as_deref() {
            Some(error) => broken(draft, ix, flow, error.clone()),
            None => complete_loop(draft, ix, &flow.looping.results, cut),
        },
        Err(failure) => broken(draft, ix, flow, failure),
    }
}

/// How a loop goes on.
enum Next {
    Iteration,
    /// It ends; `cut` if `max_iter` ended it before its time.
    End {
        cut: bool,
    },
}

fn another(draft: &Draft<'_>, ix: StepIx, flow: &Flow, plan: &LoopPlan) -> Result<Next, Failure> {
    if flow.looping.ended {
        return Ok(Next::End { cut: false });
    }
    let wanted = match &plan.mode {
        LoopMode::ForEach(_) => {
            let items = flow.looping.items.as_list().map_or(0, <[Value]>::len);
            items > flow.looping.next as usize
        }
        LoopMode::While(condition) => says(draft, ix, flow, condition)?,
        LoopMode::Until(_) => true,
    };
    match (wanted, more(draft, ix, flow)) {
        (false, _) => Ok(Next::End { cut: false }),
        (true, true) => Ok(Next::Iteration),
        (true, false) if plan.may_cut => Ok(Next::End { cut: true }),
        (true, false) => Err(Failure::limit("iterations of a loop", LOOP_ITERATIONS_MAX)),
    }
}

fn iterate(draft: &mut Draft<'_>, ix: StepIx, flow: &Flow) {
    let next = flow.looping.next;
    let node = draft.run.shape.node(draft.run.node_of(draft.step(ix)));
    let steps = draft.run.shape.body(node.bodies[0]).len as usize;
    if let Some(failure) = too_many(draft, steps) {
        return broken(draft, ix, flow, failure);
    }
    let item = flow.looping.items.as_list().and_then(|items| items.get(next as usize));
    let item = item.cloned().unwrap_or_default();
    let name = draft.name(ix);
    let iteration = Iteration { iteration: next, item, last: false };
    draft.emit(EventKind::LoopIterStarted(name, iteration));
}

/// The condition before an iteration: `iter.index` is the one that would begin, short ids are the last one's steps.
fn says(
    draft: &Draft<'_>,
    ix: StepIx,
    flow: &Flow,
    condition: &opcode_expr::Program,
) -> Result<bool, Failure> {
    let mut scope = draft.scope(ix);
    scope.iter = Some((Value::Null, flow.looping.next));
    scope.frame = flow.frames.last().copied().unwrap_or(scope.frame);
    let value = draft.evaluate(&scope, condition);
    truth(&value.map_err(|error| error.to_failure())?, "a loop's condition")
}

/// An iteration is over: does another follow?
pub(super) fn iteration_over(draft: &mut Draft<'_>, frame: FrameIx) {
    let (owner, slot) = (draft.run.frame(frame).owner, draft.run.frame(frame).slot);
    let Some(ix) = owner else { return };
    let WorkPlan::Loop(plan) = &draft.plan_of(ix).work else { return };
    let ends = match &plan.mode {
        LoopMode::Until(condition) => inside(draft, frame, condition),
        LoopMode::ForEach(_) | LoopMode::While(_) => Ok(false),
    };
    let breaks = match &plan.stop_when {
        Some(condition) => inside(draft, frame, condition),
        None => Ok(false),
    };
    match ends.and_then(|ends| breaks.map(|breaks| ends || breaks)) {
        Ok(last) => {
            let item = draft.run.frame(frame).iter.clone().map(|iter| iter.0).unwrap_or_default();
            let name = draft.name(ix);
            let iteration = Iteration { iteration: slot, item, last };
            draft.emit(EventKind::LoopIterCompleted(name, iteration));
        }
        Err(failure) => {
            let Some(flow) = draft.step(ix).flow() else { return };
            broken(draft, ix, flow, failure);
        }
    }
}

/// A condition that looks back at the iteration that just ended, its steps by short id.
fn inside(
    draft: &Draft<'_>,
    frame: FrameIx,
    condition: &opcode_expr::Program,
) -> Result<bool, Failure> {
    let value = draft.evaluate_in(frame, condition).map_err(|error| error.to_failure())?;
    truth(&value, "a loop's condition")
}

pub(super) fn complete_loop(draft: &mut Draft<'_>, ix: StepIx, results: &[Value], cut: bool) {
    let results = Value::list(results.iter().cloned());
    let count = results.as_list().map_or(0, <[Value]>::len);
    let mut output = vec![("iterations", Value::from(count)), ("results", results)];
    if cut {
        output.push(("truncated", Value::Bool(true)));
    }
    let name = draft.name(ix);
    draft.emit(EventKind::LoopCompleted(name, Nothing));
    complete(draft, ix, Value::object(output));
}
