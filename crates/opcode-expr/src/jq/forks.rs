//! Going back: to the last fork that has more to give, or that catches what failed.
//!
//! Keeps: an error raised after a `try` has given an output is not that `try`'s to catch.
//! Not here: going forwards (`machine.rs`).

use std::cmp::Ordering;

use opcode_model::Value;

use super::machine::{Flow, Machine, Slot, Walked};
use super::syntax::Operator;
use super::tower::Saved;
use super::trouble::{Cause, Outcome};

/// A state to go back to, and what to do there.
#[derive(Debug)]
pub(super) struct Fork {
    kind: Kind,
    at: usize,
    stack: Saved,
    frames: Saved,
    walked: Saved,
    free: usize,
    aside: u32,
}

/// What a fork does when gone back to.
#[derive(Debug)]
pub(super) enum Kind {
    /// Goes on elsewhere.
    Plain(usize),
    /// Goes on elsewhere if something failed.
    OnFailure(usize),
    /// Goes on elsewhere with the error, unless that was raised after `TryEnd`.
    Try(usize),
    TryEnd,
    /// Stops a `break` of this number.
    Label(u64),
    /// Gives the next item of a list or object.
    Items(Value, usize),
    /// Gives the next number.
    Range {
        next: Value,
        end: Value,
        step: Value,
    },
}

impl Machine<'_> {
    pub(super) fn fork(&mut self, kind: Kind) -> Outcome<()> {
        if self.forks.len() >= self.forks_paid {
            self.context.meter.bytes(size_of::<Fork>())?;
            self.forks_paid = self.forks.len() + 1;
        }
        let fork = Fork {
            kind,
            at: self.at,
            stack: self.stack.save(),
            frames: self.frames.save(),
            walked: self.walked.save(),
            free: self.free,
            aside: self.aside,
        };
        self.forks.push(fork);
        Ok(())
    }

    /// Goes back, with a failure or because something is exhausted; `false` if there is nowhere to go.
    /// A failure that nobody catches is given back.
    pub(super) fn go_back(&mut self, mut failure: Option<Box<Cause>>) -> Outcome<bool> {
        let mut passed_ends = 0_u32;
        while let Some(fork) = self.forks.pop() {
            self.stack.restore(fork.stack);
            self.frames.restore(fork.frames);
            self.walked.restore(fork.walked);
            (self.free, self.aside, self.at) = (fork.free, fork.aside, fork.at);
            match (fork.kind, failure.take()) {
                (Kind::Plain(to), None) => {
                    self.at = to;
                    return Ok(true);
                }
                (Kind::Items(of, at), None) => {
                    self.give_item(of, at)?;
                    self.at += 1;
                    return Ok(true);
                }
                (Kind::Range { next, end, step }, None) => {
                    if self.give_number(next, end, step)? {
                        self.at += 1;
                        return Ok(true);
                    }
                }
                (Kind::TryEnd, Some(cause)) => {
                    passed_ends += 1;
                    failure = Some(cause);
                }
                (Kind::Try(_), Some(cause)) if passed_ends > 0 => {
                    passed_ends -= 1;
                    failure = Some(cause);
                }
                (Kind::Try(_) | Kind::OnFailure(_), Some(cause))
                    if matches!(*cause, Cause::Break(_)) =>
                {
                    failure = Some(cause);
                }
                (Kind::Try(to), Some(cause)) => {
                    self.stack.pop();
                    self.push_slot(Slot::Value(cause.caught()))?;
                    self.at = to;
                    return Ok(true);
                }
                (Kind::OnFailure(to), Some(_)) => {
                    self.at = to;
                    return Ok(true);
                }
                (Kind::Label(label), Some(cause)) => {
                    if !matches!(*cause, Cause::Break(wanted) if wanted == label) {
                        failure = Some(cause);
                    }
                }
                (_, cause) => failure = cause,
            }
        }
        match failure {
            Some(cause) => Err(cause),
            None => Ok(false),
        }
    }

    /// `.[]`.
    pub(super) fn each(&mut self, optional: bool) -> Outcome<Flow> {
        let slot = self.stack.pop();
        let of = self.value(slot)?;
        let is_empty = match &of {
            Value::List(items) => items.is_empty(),
            Value::Object(object) => object.is_empty(),
            _ if optional => return Ok(Flow::Back),
            _ => return Err(Cause::wanted("cannot iterate over", &of)),
        };
        if self.is_walking() {
            self.on_path(&of, "invalid path on iterating")?;
        }
        if is_empty {
            return Ok(Flow::Back);
        }
        self.give_item(of, 0)?;
        Ok(Flow::Next)
    }

    /// Puts an item on the stack, and comes back for the next if there is one.
    fn give_item(&mut self, of: Value, at: usize) -> Outcome<()> {
        let (key, item, len) = match &of {
            Value::List(items) => (None, items.get(at).cloned().unwrap_or_default(), items.len()),
            Value::Object(object) => {
                let pair = object.iter().nth(at);
                let (key, item) = pair.cloned().unwrap_or_else(|| ("".into(), Value::Null));
                (Some(key), item, object.len())
            }
            _ => (None, Value::Null, 0),
        };
        if at + 1 < len {
            self.fork(Kind::Items(of, at + 1))?;
        }
        if self.is_walking() {
            let key = key.map_or_else(|| Value::from(at), Value::String);
            self.walked.push(Walked::Key(key, item.clone()), self.context.meter)?;
        }
        self.push_slot(Slot::Value(item))
    }

    /// `range`.
    pub(super) fn range(&mut self) -> Outcome<Flow> {
        let mut numbers = [Value::Null, Value::Null, Value::Null];
        for number in &mut numbers {
            let slot = self.stack.pop();
            *number = self.value(slot)?;
            if number.as_f64().is_none() {
                return Err(Cause::apply("range", number));
            }
        }
        self.stack.pop();
        let [step, end, next] = numbers;
        Ok(if self.give_number(next, end, step)? { Flow::Next } else { Flow::Back })
    }

    fn give_number(&mut self, next: Value, end: Value, step: Value) -> Outcome<bool> {
        let direction = self.context.order(&step, &Value::Int(0))?;
        let remaining = self.context.order(&end, &next)?;
        if direction == Ordering::Equal || direction != remaining {
            return Ok(false);
        }
        let after = self.context.operate(Operator::Add, &next, &step)?;
        self.fork(Kind::Range { next: after, end, step })?;
        self.push_slot(Slot::Value(next))?;
        Ok(true)
    }
}
