//! Runs a program: forwards until an output, and backwards to the last fork for the next one.
//!
//! Keeps: every stack is on the heap and paid for, so recursion ends at the meter and never at the native stack.
//! Not here: forks and going back (`forks.rs`), functions (`natives.rs`).

use std::sync::Arc;

use opcode_model::Value;

use super::compare::is_true;
use super::context::Context;
use super::forks::{Fork, Kind};
use super::natives::Native;
use super::op::{Argument, Code, Function, Op, Place};
use super::paths::field;
use super::root::{Root, RootKey};
use super::syntax::Operator;
use super::tower::Tower;
use super::trouble::{Cause, Outcome, Span};
use super::update::Draft;

/// Operations for one step of the meter.
const OPS_PER_STEP: u32 = 6;

/// What lies on the stack.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Value(Value),
    /// A function, and the frame it sees.
    Closure {
        function: usize,
        frame: u32,
    },
    /// A part of the scope that has not been built.
    Root(RootKey),
}

impl Default for Slot {
    fn default() -> Self {
        Self::Value(Value::Null)
    }
}

/// What a frame's slot holds.
#[derive(Debug, Default)]
pub(super) enum Variable {
    #[default]
    Empty,
    Slot(Slot),
    List(Vec<Value>),
    Draft(Box<Draft>),
    Label(u64),
    Mark(usize),
}

/// A call that has not returned.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    /// Where its slots begin.
    base: usize,
    /// Where the caller goes on.
    back: usize,
    caller: u32,
    /// The frame that the function was defined in.
    outer: u32,
}

/// A step of the path being walked.
#[derive(Clone, Debug)]
pub(super) enum Walked {
    /// Where a walk begins: the value, and how deep the walk around it was set aside.
    Begin(Value, u32),
    /// A key, and the value under it.
    Key(Value, Value),
}

impl Default for Walked {
    fn default() -> Self {
        Self::Begin(Value::Null, 0)
    }
}

/// What an operation leads to.
pub(super) enum Flow {
    Next,
    Jump(usize),
    Back,
    /// The top is an output.
    Output,
}

/// One evaluation.
pub(super) struct Machine<'a> {
    code: &'a Code,
    pub(super) context: Context<'a>,
    root: Root<'a>,
    pub(super) at: usize,
    ticks: u32,
    pub(super) stack: Tower<Slot>,
    pub(super) frames: Tower<Frame>,
    pub(super) walked: Tower<Walked>,
    /// How many `Aside`s are open: above 0, no path is walked.
    pub(super) aside: u32,
    variables: Vec<Variable>,
    /// Where the next frame's slots begin.
    pub(super) free: usize,
    pub(super) forks: Vec<Fork>,
    /// As many forks as there ever were at once: more are charged.
    pub(super) forks_paid: usize,
    labels: u64,
    is_fresh: bool,
    /// The bytes of the source where something failed last.
    pub(super) failed_at: Span,
}

impl<'a> Machine<'a> {
    /// Ready to run over `input`, with the values of the program's arguments.
    pub(super) fn new(
        code: &'a Code,
        mut context: Context<'a>,
        root: Root<'a>,
        arguments: &[Value],
    ) -> Outcome<Self> {
        let main = code.functions.first().copied().unwrap_or_default();
        let (mut stack, mut frames) = (Tower::new(), Tower::new());
        stack.push(root.input(), context.meter)?;
        let outer = frames.top_index();
        frames.push(Frame { base: 0, back: 0, caller: outer, outer }, context.meter)?;
        context.items(main.slots)?;
        let mut variables: Vec<_> =
            arguments.iter().map(|value| Variable::Slot(Slot::Value(value.clone()))).collect();
        variables.resize_with(main.slots, Variable::default);
        Ok(Self {
            code,
            context,
            root,
            at: main.entry,
            ticks: 0,
            stack,
            frames,
            walked: Tower::new(),
            aside: 0,
            variables,
            free: main.slots,
            forks: Vec::new(),
            forks_paid: 0,
            labels: 0,
            is_fresh: true,
            failed_at: (0, 0),
        })
    }

    /// The next output.
    pub(super) fn output(&mut self) -> Outcome<Option<Value>> {
        let mut flow: Outcome<Flow> = match std::mem::take(&mut self.is_fresh) {
            true => Ok(Flow::Jump(self.at)),
            false => Ok(Flow::Back),
        };
        loop {
            match flow {
                Ok(Flow::Next) => self.at += 1,
                Ok(Flow::Jump(to)) => self.at = to,
                Ok(Flow::Output) => return self.pop().map(Some),
                Ok(Flow::Back) | Err(_) => {
                    let failure = flow.err();
                    if let Some(cause) = &failure {
                        // Going back leaves the place.
                        self.failed_at = self.span();
                        if cause.is_final() {
                            return failure.map_or(Ok(None), Err);
                        }
                    }
                    if !self.go_back(failure)? {
                        return Ok(None);
                    }
                }
            }
            flow = self.tick().and_then(|()| self.step());
        }
    }

    fn tick(&mut self) -> Outcome<()> {
        if self.ticks == 0 {
            self.context.steps(1)?;
            self.ticks = OPS_PER_STEP;
        }
        self.ticks -= 1;
        Ok(())
    }

    /// The bytes of the source it is at: of the innermost call that the source itself makes.
    fn span(&self) -> Span {
        let own = |at: usize| self.code.spans.get(at).copied().flatten();
        let mut found = own(self.at);
        let mut frame = self.frames.last();
        while let (None, Some(Frame { back, caller, .. })) = (found, frame) {
            found = own(back.saturating_sub(1));
            frame = self.frames.get(*caller);
        }
        found.unwrap_or_default()
    }

    fn push(&mut self, value: Value) -> Outcome<()> {
        self.push_slot(Slot::Value(value))
    }

    pub(super) fn push_slot(&mut self, slot: Slot) -> Outcome<()> {
        Ok(self.stack.push(slot, self.context.meter)?)
    }

    fn pop(&mut self) -> Outcome<Value> {
        let slot = self.stack.pop();
        self.value(slot)
    }

    pub(super) fn value(&mut self, slot: Slot) -> Outcome<Value> {
        match slot {
            Slot::Value(value) => Ok(value),
            Slot::Root(key) => self.root.build(key, &mut self.context),
            Slot::Closure { .. } => Ok(Value::Null),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one flat match over every operation")]
    fn step(&mut self) -> Outcome<Flow> {
        let code = self.code;
        let Some(op) = code.ops.get(self.at) else { return Ok(Flow::Back) };
        match op {
            Op::Push(value) => self.push(value.clone())?,
            Op::Constant(value) => {
                self.stack.pop();
                self.push(value.clone())?;
            }
            Op::Pop => drop(self.stack.pop()),
            Op::Duplicate => {
                let slot = self.stack.last().cloned().unwrap_or_default();
                self.push_slot(slot)?;
            }
            Op::Swap => {
                let (top, below) = (self.stack.pop(), self.stack.pop());
                self.push_slot(top)?;
                self.push_slot(below)?;
            }
            Op::Load(place) => {
                let slot = self.slot(*place);
                self.push_slot(slot)?;
            }
            Op::Store(slot) => {
                let top = self.stack.pop();
                self.set(*slot, Variable::Slot(top));
            }
            Op::ToBool => {
                let value = self.pop()?;
                self.push(is_true(&value).into())?;
            }
            Op::Not => {
                let value = self.pop()?;
                self.push((!is_true(&value)).into())?;
            }
            Op::Field { key, optional } => return self.read_field(key, *optional),
            Op::Item { index, optional } => {
                let of = self.pop()?;
                return self.read(of, index.clone(), *optional);
            }
            Op::ListItem(index) => match self.pop()? {
                of @ (Value::Null | Value::List(_)) => return self.read(of, index.clone(), false),
                other => return Err(super::paths::wrong_array(&other)),
            },
            Op::Index { optional } => {
                let of = self.stack.pop();
                let key = self.pop()?;
                if let (Slot::Root(_), Value::String(key)) = (&of, &key) {
                    self.push_slot(of)?;
                    return self.read_field(key, *optional);
                }
                let of = self.value(of)?;
                return self.read(of, key, *optional);
            }
            Op::Slice { optional } => return self.read_slice(*optional),
            Op::Each { optional } => return self.each(*optional),
            Op::Operate(operator) => return self.operate(*operator),
            Op::OperateConstant(operator, right) => {
                let left = self.pop()?;
                let value = self.context.operate(*operator, &left, right)?;
                self.push(value)?;
            }
            Op::Negate => {
                let value = self.pop()?;
                let value = self.context.negate(&value)?;
                self.push(value)?;
            }
            Op::Plus => match self.pop()? {
                number @ (Value::Int(_) | Value::Float(_)) => self.push(number)?,
                other => return Err(Cause::wanted("cannot plus", &other)),
            },
            Op::Concatenate(count) => self.concatenate(*count)?,
            Op::Object(keys) => self.object(keys)?,
            Op::ListBegin(slot) => self.set(*slot, Variable::List(Vec::new())),
            Op::ListAdd(slot) => self.add_to_list(*slot)?,
            Op::ListEnd(slot) => {
                let Variable::List(items) = self.take(*slot) else { return Ok(Flow::Back) };
                self.stack.pop();
                self.push(Value::from(items))?;
            }
            Op::Call { function, up, arguments } => {
                return self.call(*function, *up, arguments);
            }
            Op::CallLast { function, up } => return self.call_last(*function, *up),
            Op::CallArgument(place) => {
                let Slot::Closure { function, frame } = self.slot(*place) else {
                    return Ok(Flow::Next);
                };
                return self.enter(function, frame, self.at + 1);
            }
            Op::Return => return self.leave(),
            Op::Native(native) => self.native(native)?,
            Op::GetPath => return self.get_path(),
            Op::Range => return self.range(),
            Op::Jump(to) => return Ok(Flow::Jump(*to)),
            Op::JumpUnless(to) => {
                if !is_true(&self.pop()?) {
                    return Ok(Flow::Jump(*to));
                }
            }
            Op::JumpIf(to) => {
                if is_true(&self.pop()?) {
                    return Ok(Flow::Jump(*to));
                }
            }
            Op::Fork(to) => self.fork(Kind::Plain(*to))?,
            Op::Alternative(to) => self.fork(Kind::OnFailure(*to))?,
            Op::TryBegin(to) => self.fork(Kind::Try(*to))?,
            Op::TryEnd => self.fork(Kind::TryEnd)?,
            Op::Backtrack => return Ok(Flow::Back),
            Op::Label(slot) => {
                self.labels += 1;
                self.set(*slot, Variable::Label(self.labels));
                self.fork(Kind::Label(self.labels))?;
            }
            Op::Break(place) => {
                let label = match self.variable(self.frames.top_index(), *place) {
                    Some(Variable::Label(label)) => *label,
                    _ => 0,
                };
                return Err(Box::new(Cause::Break(label)));
            }
            Op::Mark(slot) => self.set(*slot, Variable::Mark(self.forks.len())),
            Op::Cut(slot) => {
                if let Variable::Mark(count) = self.take(*slot) {
                    self.forks.truncate(count);
                    self.set(*slot, Variable::Mark(count));
                }
            }
            Op::AsideBegin => self.aside += 1,
            Op::AsideEnd => self.aside = self.aside.saturating_sub(1),
            Op::PathBegin => {
                let top = self.pop()?;
                self.push(top.clone())?;
                self.walked.push(Walked::Begin(top, self.aside), self.context.meter)?;
                self.aside = 0;
            }
            Op::PathEnd => self.end_path()?,
            Op::DraftBegin(slot) => {
                let value = self.pop()?;
                self.set(*slot, Variable::Draft(Box::new(Draft::Whole(value))));
            }
            Op::DraftRead(draft, path) => self.with_draft(*draft, *path, Self::read_draft)?,
            Op::DraftWrite(draft, path) => self.with_draft(*draft, *path, Self::write_draft)?,
            Op::DraftDelete(draft, path) => self.with_draft(*draft, *path, Self::cut_draft)?,
            Op::DraftEnd(slot) => {
                let Variable::Draft(draft) = self.take(*slot) else { return Ok(Flow::Back) };
                self.stack.pop();
                let value = draft.close(&mut self.context)?;
                self.context.nest(&value)?;
                self.push(value)?;
            }
        }
        Ok(Flow::Next)
    }

    fn read_field(&mut self, key: &Arc<str>, optional: bool) -> Outcome<Flow> {
        let of = self.stack.pop();
        if let Slot::Root(root) = of {
            let slot = self.root.field(root, key);
            self.push_slot(slot)?;
            return Ok(Flow::Next);
        }
        let of = self.value(of)?;
        if !self.is_walking() {
            return match field(&of, key) {
                Ok(value) => self.push(value).map(|()| Flow::Next),
                Err(_) if optional => Ok(Flow::Back),
                Err(cause) => Err(cause),
            };
        }
        self.read(of, Value::String(key.clone()), optional)
    }

    /// `of[key]`, as a part of the path if one is walked.
    fn read(&mut self, of: Value, key: Value, optional: bool) -> Outcome<Flow> {
        let value = match self.context.index(&of, &key) {
            Ok(value) => value,
            Err(cause) if optional && !cause.is_final() => return Ok(Flow::Back),
            Err(cause) => return Err(cause),
        };
        self.walk(&of, [key], &value)?;
        self.push(value)?;
        Ok(Flow::Next)
    }

    fn read_slice(&mut self, optional: bool) -> Outcome<Flow> {
        let (of, end, start) = (self.pop()?, self.pop()?, self.pop()?);
        let value = match self.context.slice(&of, &start, &end) {
            Ok(value) => value,
            Err(cause) if optional && !cause.is_final() => return Ok(Flow::Back),
            Err(cause) => return Err(cause),
        };
        if self.is_walking() {
            let key = Value::object([("start", start), ("end", end)]);
            self.walk(&of, [key], &value)?;
        }
        self.push(value)?;
        Ok(Flow::Next)
    }

    /// Whether what is read now is a part of a path.
    pub(super) fn is_walking(&self) -> bool {
        self.aside == 0 && !self.walked.is_empty()
    }

    /// Adds keys to the path, if one is walked; it must have come to `of`.
    pub(super) fn walk(
        &mut self,
        of: &Value,
        keys: impl IntoIterator<Item = Value>,
        value: &Value,
    ) -> Outcome<()> {
        if self.is_walking() {
            self.on_path(of, "invalid path")?;
            for key in keys {
                self.walked.push(Walked::Key(key, value.clone()), self.context.meter)?;
            }
        }
        Ok(())
    }

    /// Refuses a value that is not the one the path has come to.
    pub(super) fn on_path(&self, value: &Value, what: &'static str) -> Outcome<()> {
        let (Walked::Begin(come_to, _) | Walked::Key(_, come_to)) =
            self.walked.last().cloned().unwrap_or_default();
        if is_same(value, &come_to) {
            return Ok(());
        }
        Err(Box::new(Cause::NoPath(what, value.clone())))
    }

    fn end_path(&mut self) -> Outcome<()> {
        let value = self.pop()?;
        self.on_path(&value, "invalid path")?;
        let mut keys = Vec::new();
        loop {
            match self.walked.pop() {
                Walked::Key(key, _) => keys.push(key),
                Walked::Begin(_, aside) => {
                    self.aside = aside;
                    break;
                }
            }
        }
        keys.reverse();
        self.context.items(keys.len() + 1)?;
        self.push(Value::from(keys))
    }

    fn get_path(&mut self) -> Outcome<Flow> {
        let (of, path) = (self.pop()?, self.pop()?);
        let value = self.context.get_path(&of, &path)?;
        if let Value::List(keys) = &path {
            self.walk(&of, keys.iter().cloned(), &value)?;
        }
        self.push(value)?;
        Ok(Flow::Next)
    }

    fn operate(&mut self, operator: Operator) -> Outcome<Flow> {
        let (left, right) = (self.pop()?, self.pop()?);
        let value = self.context.operate(operator, &left, &right)?;
        self.push(value)?;
        Ok(Flow::Next)
    }

    fn concatenate(&mut self, count: usize) -> Outcome<()> {
        let mut text = String::new();
        for _ in 0..count {
            let part = self.pop()?;
            let part = part.as_str().unwrap_or_default();
            self.context.bytes(part.len())?;
            text += part;
        }
        self.push(Value::from(text))
    }

    fn object(&mut self, keys: &[Option<Arc<str>>]) -> Outcome<()> {
        self.context.pairs(keys.len() + 1)?;
        let mut pairs = Vec::with_capacity(keys.len());
        for key in keys.iter().rev() {
            let value = self.pop()?;
            self.context.nest(&value)?;
            let key = match key {
                Some(key) => key.clone(),
                None => match self.pop()? {
                    Value::String(key) => key,
                    other => return Err(Cause::wanted(super::paths::KEY, &other)),
                },
            };
            pairs.push((key, value));
        }
        pairs.reverse();
        self.push(Value::Object(opcode_model::Object::from_pairs(pairs)))
    }

    fn native(&mut self, native: &'static Native) -> Outcome<()> {
        let input = match native.ignores_input {
            true => {
                self.stack.pop();
                Value::Null
            }
            false => self.pop()?,
        };
        let mut arguments = [Value::Null, Value::Null, Value::Null];
        for argument in arguments.iter_mut().take(native.arity) {
            *argument = self.pop()?;
        }
        let arguments = arguments.get(..native.arity).unwrap_or_default();
        self.context.steps(1)?;
        let value = (native.run)(&mut self.context, &input, arguments)?;
        if native.nests {
            self.context.nestings += 2;
            self.context.nest(&value)?;
        }
        self.push(value)
    }

    // Frames and slots.

    /// The frame so many levels out.
    fn frame(&self, up: u32) -> u32 {
        self.frame_from(self.frames.top_index(), up)
    }

    fn frame_from(&self, mut index: u32, up: u32) -> u32 {
        for _ in 0..up {
            index = self.frames.get(index).map_or(super::tower::NONE, |frame| frame.outer);
        }
        index
    }

    fn variable(&self, frame: u32, place: Place) -> Option<&Variable> {
        let frame = self.frames.get(self.frame_from(frame, place.up))?;
        self.variables.get(frame.base + place.slot)
    }

    fn slot_from(&self, frame: u32, place: Place) -> Slot {
        match self.variable(frame, place) {
            Some(Variable::Slot(slot)) => slot.clone(),
            _ => Slot::default(),
        }
    }

    fn slot(&self, place: Place) -> Slot {
        self.slot_from(self.frames.top_index(), place)
    }

    fn own(&mut self, slot: usize) -> Option<&mut Variable> {
        let base = self.frames.last()?.base;
        self.variables.get_mut(base + slot)
    }

    fn set(&mut self, slot: usize, variable: Variable) {
        if let Some(own) = self.own(slot) {
            *own = variable;
        }
    }

    fn take(&mut self, slot: usize) -> Variable {
        self.own(slot).map(std::mem::take).unwrap_or_default()
    }

    fn add_to_list(&mut self, slot: usize) -> Outcome<()> {
        let value = self.pop()?;
        self.context.nest(&value)?;
        self.context.meter.bytes(size_of::<Value>())?;
        if let Some(Variable::List(items)) = self.own(slot) {
            items.push(value);
        }
        Ok(())
    }

    fn call(&mut self, function: usize, up: u32, arguments: &[Argument]) -> Outcome<Flow> {
        let (here, given) = (self.frames.top_index(), self.free);
        let flow = self.enter(function, self.frame(up), self.at + 1)?;
        for (at, argument) in arguments.iter().enumerate() {
            let closure = match argument {
                Argument::Closure(function) => Slot::Closure { function: *function, frame: here },
                Argument::Passed(place) => self.slot_from(here, *place),
            };
            if let Some(variable) = self.variables.get_mut(given + at) {
                *variable = Variable::Slot(closure);
            }
        }
        Ok(flow)
    }

    /// A call in place of the frame that makes it.
    fn call_last(&mut self, function: usize, up: u32) -> Outcome<Flow> {
        let outer = self.frame(up);
        let is_free = self.frames.top_is_free();
        let frame = self.frames.pop();
        if is_free {
            self.free = frame.base;
        }
        self.frames.cut_to(frame.caller);
        self.enter(function, outer, frame.back)
    }

    fn enter(&mut self, function: usize, outer: u32, back: usize) -> Outcome<Flow> {
        let Function { entry, slots } =
            self.code.functions.get(function).copied().unwrap_or_default();
        let caller = self.frames.top_index();
        let frame = Frame { base: self.free, back, caller, outer };
        self.frames.push(frame, self.context.meter)?;
        self.free += slots;
        if let Some(more) = self.free.checked_sub(self.variables.len()) {
            self.context.meter.bytes(more * size_of::<Variable>())?;
            self.variables.resize_with(self.free, Variable::default);
        }
        Ok(Flow::Jump(entry))
    }

    fn leave(&mut self) -> Outcome<Flow> {
        let is_free = self.frames.top_is_free();
        let frame = self.frames.pop();
        if is_free {
            self.free = frame.base;
        }
        self.frames.cut_to(frame.caller);
        if self.frames.is_empty() {
            return Ok(Flow::Output);
        }
        Ok(Flow::Jump(frame.back))
    }

    // Values being written to.

    fn with_draft(
        &mut self,
        draft: usize,
        path: usize,
        work: impl FnOnce(&mut Self, &mut Draft, &[Value]) -> Outcome<()>,
    ) -> Outcome<()> {
        let Variable::Draft(mut open) = self.take(draft) else { return Ok(()) };
        let path = self.slot(Place { up: 0, slot: path });
        let path = self.value(path)?;
        let outcome = work(self, &mut open, path.as_list().unwrap_or_default());
        self.set(draft, Variable::Draft(open));
        outcome
    }

    fn read_draft(&mut self, draft: &mut Draft, path: &[Value]) -> Outcome<()> {
        let value = draft.get(&mut self.context, path)?;
        self.push(value)
    }

    fn write_draft(&mut self, draft: &mut Draft, path: &[Value]) -> Outcome<()> {
        let value = self.pop()?;
        draft.set(&mut self.context, path, &value)
    }

    fn cut_draft(&mut self, draft: &mut Draft, path: &[Value]) -> Outcome<()> {
        draft.delete(&mut self.context, path)
    }
}

/// Whether two values are one and the same: the same list, not one like it.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Object(a), Value::Object(b)) => {
            std::ptr::eq(a.iter().as_slice(), b.iter().as_slice())
        }
        (Value::List(_) | Value::Object(_), _) | (_, Value::List(_) | Value::Object(_)) => false,
        (Value::Float(a), Value::Float(b)) => a == b || a.is_nan() && b.is_nan(),
        (a, b) => a == b,
    }
}
