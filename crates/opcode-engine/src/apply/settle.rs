//! What the end of a step means for the steps that wait for it and for the body it stands in.
//!
//! Keeps: O(1) for each edge; what becomes ready is put on the agenda, in order, and nothing else is decided.
//! Not here: what is done with the agenda (`decide`).

use std::sync::Arc;

use opcode_model::event::SkipReason;
use opcode_model::{Failure, StepIx, Value};

use crate::run::{Flow, FrameIx, Run, Step, StepState, Todo};
use crate::shape::FlowKind;

/// How an end reads for those who waited.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    /// Go on.
    Satisfied,
    /// What you needed failed.
    Poisoned,
}

/// A step has come to its end.
pub(super) fn settle(run: &mut Run, ix: StepIx) {
    let shape = run.shape.clone();
    let step = run.step(ix);
    let (frame, rescued, error) = (step.frame, step.rescued, step.error().cloned());
    if let Some(target) = shape.node(run.node_of(step)).fallback {
        watch(run, ix, run.sibling(run.step(ix), target), rescued);
    }
    if let Some(told) = verdict(run, ix) {
        tell(run, ix, told);
    }
    if let Some(error) = error.filter(|_| !rescued) {
        break_frame(run, frame, &error);
    }
    let frame_now = &mut run.state.frames[frame.0 as usize];
    frame_now.open -= 1;
    if frame_now.open == 0 {
        frame_is_over(run, frame);
    }
}

/// How a step's end reads for those who wait; `None` while it, or the fallback that takes over for it, goes on.
fn verdict(run: &Run, ix: StepIx) -> Option<Told> {
    let step = run.step(ix);
    match &step.state {
        StepState::Failed { .. } if step.rescued => {
            let target = run.shape.node(run.node_of(step)).fallback?;
            verdict(run, run.sibling(step, target))
        }
        StepState::Failed { .. }
        | StepState::Skipped { reason: SkipReason::DependencyFailed, .. } => Some(Told::Poisoned),
        StepState::Done { .. } | StepState::Skipped { .. } => Some(Told::Satisfied),
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Performing(_)
        | StepState::Stopping { .. }
        | StepState::Backoff { .. }
        | StepState::Asking { .. }
        | StepState::Sleeping { .. }
        | StepState::Listening { .. }
        | StepState::Flowing(_)
        | StepState::InChild(_) => None,
    }
}

/// Tells those who wait for a step, and for the steps it took over for.
fn tell(run: &mut Run, ix: StepIx, told: Told) {
    if told == Told::Poisoned && !run.shape.branch_mode {
        return;
    }
    let shape = run.shape.clone();
    let node = shape.node(run.node_of(run.step(ix)));
    for local in &node.dependents {
        if run.step(ix).rescued && Some(*local) == node.fallback {
            continue;
        }
        let dependent = run.sibling(run.step(ix), *local);
        run.state.steps[dependent.at()].poisoned |= told == Told::Poisoned;
        release(run, dependent);
    }
    for local in &node.rescues {
        let original = run.sibling(run.step(ix), *local);
        if run.step(original).rescued && run.step(original).is_settled() {
            tell(run, original, told);
        }
    }
}

/// One thing a step waited for is done.
fn release(run: &mut Run, ix: StepIx) {
    let state = &mut run.state.steps[ix.at()].state;
    if let StepState::Waiting { unmet } = state {
        *unmet -= 1;
        if *unmet == 0 {
            *state = StepState::Ready;
            run.state.agenda.push_back(Todo::Start(ix));
        }
    }
}

/// The end of a step, as its fallback sees it: called, or one less to watch.
fn watch(run: &mut Run, original: StepIx, target: StepIx, rescued: bool) {
    let step = &mut run.state.steps[target.at()];
    step.watches = step.watches.saturating_sub(1);
    let not_needed = step.watches == 0 && !step.called;
    if !rescued {
        if not_needed && matches!(step.state, StepState::Waiting { .. }) {
            step.state = StepState::Ready;
            run.state.agenda.push_back(Todo::Start(target));
        }
        return;
    }
    if !std::mem::replace(&mut step.called, true) {
        release(run, target);
    }
    let node = run.shape.node(run.node_of(run.step(original)));
    if node.fallback.is_some_and(|local| node.dependents.contains(&local)) {
        release(run, target);
    }
}

fn break_frame(run: &mut Run, ix: FrameIx, error: &Arc<Failure>) {
    let branch_mode = run.shape.branch_mode;
    let frame = &mut run.state.frames[ix.0 as usize];
    frame.broken.get_or_insert_with(|| error.clone());
    if !branch_mode {
        run.state.agenda.push_front(Todo::Cancel(ix));
    }
}

/// Every step of a frame has come to its end.
pub(super) fn frame_is_over(run: &mut Run, ix: FrameIx) {
    let frame = run.frame(ix);
    let (broken, slot) = (frame.broken.clone(), frame.slot);
    let Some(owner) = frame.owner else {
        run.state.agenda.push_front(Todo::Outcome);
        return;
    };
    let StepState::Flowing(flow) = &mut run.state.steps[owner.at()].state else { return };
    if flow.frames.get(flow_place(flow, slot)) != Some(&ix) {
        return;
    }
    flow.open -= 1;
    if let Some(error) = &broken {
        flow.broken.get_or_insert_with(|| error.clone());
        flow.looping.noted += 1;
        run.state.frames[ix.0 as usize].noted = true;
    } else if flow.kind == FlowKind::Race && flow.winner.is_none() && flow.stopping.is_none() {
        flow.winner = Some(slot);
    } else if flow.kind == FlowKind::Loop && flow.stopping.is_none() {
        run.state.agenda.push_back(Todo::Iteration(ix));
    }
    look_at_flow(run, owner);
}

/// Where among a flow's frames the one of `slot` stands.
fn flow_place(flow: &Flow, slot: u32) -> usize {
    if flow.kind == FlowKind::Condition { 0 } else { slot as usize }
}

/// Puts a step with bodies on the agenda, if it has something to decide; what ends its other bodies comes
/// before anything else begins in them.
pub(super) fn look_at_flow(run: &mut Run, ix: StepIx) {
    if !run.flow_is_ready(ix) {
        return;
    }
    let urgent = |flow: &Flow| flow.winner.is_some() || run.must_stop(flow);
    if run.step(ix).flow().is_some_and(urgent) {
        run.state.agenda.push_front(Todo::Flow(ix));
    } else {
        run.state.agenda.push_back(Todo::Flow(ix));
    }
}

/// An iteration is over and taken note of.
pub(super) fn note_iteration(run: &mut Run, owner: StepIx, iteration: u32, last: bool) {
    let StepState::Flowing(flow) = &run.step(owner).state else { return };
    let Some(ix) = flow.frames.get(iteration as usize).copied() else { return };
    let output = run.frame_output(ix);
    run.state.frames[ix.0 as usize].noted = true;
    if let StepState::Flowing(flow) = &mut run.state.steps[owner.at()].state {
        let place = iteration as usize;
        if flow.looping.results.len() <= place {
            flow.looping.results.resize(place + 1, Value::Null);
        }
        flow.looping.results[place] = output;
        flow.looping.ended |= last;
        flow.looping.noted += 1;
    }
    look_at_flow(run, owner);
}

/// Somebody said: run it again. Steps that were skipped because it failed wait again.
pub(super) fn revive(run: &mut Run, ix: StepIx, generation: u32) {
    let failed = run.step(ix).is_settled();
    run.state.resets = run.state.resets.max(generation);
    run.change(ix, |step| {
        step.state = StepState::Ready;
        step.generation = generation;
        step.retries = 0;
        step.deadline = None;
        step.ended_at = None;
    });
    run.state.agenda.push_back(Todo::Start(ix));
    if failed {
        reopen(run, ix);
        await_again(run, ix);
        mend(run, run.step(ix).frame);
    }
}

/// One more step of a body is open; if it was over, so is the body, and the step around it has one more to wait for.
fn reopen(run: &mut Run, ix: StepIx) {
    let frame = &mut run.state.frames[run.state.steps[ix.at()].frame.0 as usize];
    frame.open += 1;
    let (was_over, owner) = (frame.open == 1, frame.owner);
    let was_noted = was_over && std::mem::take(&mut frame.noted);
    let Some(owner) = owner.filter(|_| was_over) else { return };
    if let StepState::Flowing(flow) = &mut run.state.steps[owner.at()].state {
        flow.open += 1;
        flow.looping.noted -= u32::from(was_noted);
    }
}

/// Looks again at what broke a body, and the step around it.
fn mend(run: &mut Run, ix: FrameIx) {
    let failed = run.steps_of(run.frame(ix)).find_map(|ix| {
        let step = run.step(ix);
        step.error().filter(|_| !step.rescued).cloned()
    });
    run.state.frames[ix.0 as usize].broken = failed;
    let Some(owner) = run.frame(ix).owner else { return };
    let Some(flow) = run.step(owner).flow() else { return };
    let over = flow.frames.iter().map(|ix| run.frame(*ix)).filter(|frame| frame.open == 0);
    let broken = over.filter_map(|frame| frame.broken.clone()).next();
    if let StepState::Flowing(flow) = &mut run.state.steps[owner.at()].state {
        flow.broken = broken;
    }
}

/// Steps that were skipped because it failed wait again, and so do their fallbacks.
fn await_again(run: &mut Run, ix: StepIx) {
    let shape = run.shape.clone();
    let mut revived = vec![ix];
    while let Some(ix) = revived.pop() {
        let node = shape.node(run.node_of(run.step(ix)));
        if let Some(target) = node.fallback {
            let target = run.sibling(run.step(ix), target);
            watch_again(run, target);
        }
        for local in &node.dependents {
            let dependent = run.sibling(run.step(ix), *local);
            let skipped = matches!(
                run.step(dependent).state,
                StepState::Skipped { reason: SkipReason::DependencyFailed, .. }
            );
            let waits =
                matches!(run.step(dependent).state, StepState::Ready | StepState::Waiting { .. });
            if skipped {
                reopen(run, dependent);
                revived.push(dependent);
            }
            if skipped || waits {
                wait_anew(run, dependent);
            }
        }
    }
}

/// A fallback that was not needed may be needed after all.
fn watch_again(run: &mut Run, target: StepIx) {
    run.state.steps[target.at()].watches += 1;
    let reason = SkipReason::NotNeeded;
    if matches!(run.step(target).state, StepState::Skipped { reason: r, .. } if r == reason) {
        reopen(run, target);
        wait_anew(run, target);
    }
}

/// Counts again what a step waits for.
fn wait_anew(run: &mut Run, ix: StepIx) {
    let shape = run.shape.clone();
    let step = run.step(ix);
    let node = shape.node(run.node_of(step));
    let mut unmet = u32::from(!node.rescues.is_empty() && !step.called);
    let mut poisoned = false;
    for local in &node.needs {
        let need = run.sibling(step, *local);
        let is_mine = node.rescues.contains(local) && run.step(need).rescued;
        let told = if is_mine { Some(Told::Satisfied) } else { verdict(run, need) };
        unmet += u32::from(told.is_none());
        poisoned |= told == Some(Told::Poisoned);
    }
    run.change(ix, |step| {
        step.poisoned = poisoned;
        step.ended_at = None;
        step.state = if unmet == 0 { StepState::Ready } else { StepState::Waiting { unmet } };
    });
    if unmet == 0 {
        run.state.agenda.push_back(Todo::Start(ix));
    }
}

impl Run {
    /// Whether a step with bodies has something to decide.
    pub(crate) fn flow_is_ready(&self, ix: StepIx) -> bool {
        let step = self.step(ix);
        let Some(flow) = step.flow() else { return false };
        if flow.stopping.is_some() {
            return flow.open == 0;
        }
        match flow.kind {
            FlowKind::None => false,
            FlowKind::Condition => flow.open == 0 && !flow.frames.is_empty(),
            FlowKind::All => !flow.frames.is_empty() && (flow.open == 0 || self.must_stop(flow)),
            FlowKind::Race => !flow.frames.is_empty() && (flow.open == 0 || flow.winner.is_some()),
            FlowKind::Loop => self.loop_is_ready(step, flow),
        }
    }

    /// Whether a broken branch ends the others.
    pub(crate) fn must_stop(&self, flow: &Flow) -> bool {
        flow.broken.is_some() && !self.shape.branch_mode
    }

    fn loop_is_ready(&self, step: &Step, flow: &Flow) -> bool {
        let node = self.node_of(step);
        let all_noted = flow.looping.noted as usize == flow.frames.len();
        if self.must_stop(flow) {
            return true;
        }
        let more = !flow.looping.ended
            && flow.looping.next < self.shape.iterations(node, &flow.looping.items);
        if more {
            let concurrency = self.shape.node(node).bounds.concurrency;
            flow.open < concurrency && (concurrency > 1 || all_noted)
        } else {
            flow.open == 0 && all_noted
        }
    }

    /// The output of a frame: that of its last step, in written order, that completed.
    pub(crate) fn frame_output(&self, ix: FrameIx) -> Value {
        let frame = self.frame(ix);
        let last = self.steps_of(frame).rev().find_map(|ix| self.step(ix).output());
        last.cloned().unwrap_or_default()
    }

    /// Drops what no longer holds from the front of the agenda.
    pub(crate) fn tidy_agenda(&mut self) {
        while let Some(todo) = self.state.agenda.front() {
            if self.still_holds(*todo) {
                break;
            }
            self.state.agenda.pop_front();
        }
    }

    fn still_holds(&self, todo: Todo) -> bool {
        match todo {
            Todo::Start(ix) => matches!(self.step(ix).state, StepState::Ready),
            Todo::Cancel(ix) => {
                let frame = self.frame(ix);
                frame.broken.is_some() && frame.open > frame.stopping
            }
            Todo::Iteration(ix) => {
                let frame = self.frame(ix);
                let owner = frame.owner.map(|owner| self.step(owner));
                !frame.noted
                    && owner.and_then(Step::flow).is_some_and(|flow| {
                        flow.stopping.is_none() && flow.frames.get(frame.slot as usize) == Some(&ix)
                    })
            }
            Todo::Flow(ix) => self.flow_is_ready(ix),
            Todo::Outcome => {
                let over = |ix: FrameIx| self.frame(ix).open == 0;
                !self.is_terminal() && over(FrameIx(0)) && self.state.hook.is_none_or(over)
            }
        }
    }
}
