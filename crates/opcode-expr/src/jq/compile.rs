//! Nodes to operations: every node takes the value on top of the stack and leaves its output there.
//!
//! Keeps: operands are evaluated from the last to the first, as gojq does, so the first varies fastest.
//! Not here: calls and definitions (`calls.rs`), functions the compiler knows itself (`specials.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::Value;

use super::bindings::{Bindings, Meaning};
use super::lexer::Outcome;
use super::op::{Code, Function, Op, Place};
use super::syntax::{
    Entry, Id, Key, Node, Operator, Part, Pattern, Segment, Suffix, SuffixKind, Syntax,
};
use super::terms::empty_object;
use super::trouble::Span;
use crate::error::{CompileError, CompileErrorKind};

/// Turns `syntax` into a program that takes `arguments` as variables.
pub(super) fn compile(syntax: &Syntax, arguments: &[Arc<str>]) -> Outcome<Code> {
    let code = Compiler::new(syntax, arguments, false).program(arguments)?;
    match code.ops.iter().any(|op| matches!(op, Op::PathBegin)) {
        // Where paths are walked, what is no part of one must be set aside.
        true => Compiler::new(syntax, arguments, true).program(arguments),
        false => Ok(code),
    }
}

pub(super) struct Compiler<'a> {
    pub(super) syntax: &'a Syntax,
    pub(super) ops: Vec<Op>,
    spans: Vec<Option<Span>>,
    pub(super) functions: Vec<Function>,
    pub(super) bindings: Bindings<'a>,
    /// The language's own definitions compiled so far, by name and number of arguments.
    pub(super) known: BTreeMap<(&'static str, usize), usize>,
    /// Whether operations come from the source, rather than from the language's own definitions.
    pub(super) from_source: bool,
    span: Span,
    walks: bool,
}

impl<'a> Compiler<'a> {
    fn new(syntax: &'a Syntax, arguments: &'a [Arc<str>], walks: bool) -> Self {
        Self {
            syntax,
            ops: Vec::new(),
            spans: Vec::new(),
            functions: vec![Function::default()],
            bindings: Bindings::new(arguments),
            known: BTreeMap::new(),
            from_source: true,
            span: (0, 0),
            walks,
        }
    }

    fn program(mut self, arguments: &[Arc<str>]) -> Outcome<Code> {
        self.node(self.syntax.root)?;
        self.emit(Op::Return);
        self.mark_last_calls();
        if let Some(main) = self.functions.first_mut() {
            main.slots = self.bindings.slots();
        }
        let builds = !self.ops.iter().all(|op| {
            matches!(op, Op::Field { .. } | Op::Item { .. } | Op::Each { .. } | Op::Return)
        });
        let odd = self.syntax.nodes.iter().any(
            |node| matches!(node, Node::Constant(Value::Float(number)) if !number.is_finite()),
        );
        Ok(Code {
            odd,
            ops: self.ops,
            spans: self.spans,
            functions: self.functions,
            arguments: arguments.to_vec(),
            builds,
        })
    }

    // Operations.

    pub(super) fn emit(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.spans.push(self.from_source.then_some(self.span));
        self.ops.len() - 1
    }

    pub(super) fn here(&self) -> usize {
        self.ops.len()
    }

    /// Makes the jump at `at` lead here.
    pub(super) fn land(&mut self, at: usize) {
        let here = self.here();
        if let Some(
            Op::Jump(to)
            | Op::JumpUnless(to)
            | Op::JumpIf(to)
            | Op::Fork(to)
            | Op::Alternative(to)
            | Op::TryBegin(to),
        ) = self.ops.get_mut(at)
        {
            *to = here;
        }
    }

    pub(super) fn slot(&mut self) -> usize {
        self.bindings.slot()
    }

    pub(super) fn load(&mut self, slot: usize) {
        self.emit(Op::Load(Place { up: 0, slot }));
    }

    /// What `emit` does is no part of a path.
    pub(super) fn aside(&mut self, emit: impl FnOnce(&mut Self) -> Outcome<()>) -> Outcome<()> {
        if !self.walks {
            return emit(self);
        }
        self.emit(Op::AsideBegin);
        emit(self)?;
        self.emit(Op::AsideEnd);
        Ok(())
    }

    /// A node whose output is no part of a path, over a copy of what is in a slot.
    pub(super) fn operand(&mut self, id: Id, input: usize) -> Outcome<()> {
        if let Some(value) = self.constant(id) {
            self.emit(Op::Push(value));
            return Ok(());
        }
        self.load(input);
        self.aside(|c| c.scoped(id))
    }

    /// A node, with what it binds ending with it.
    pub(super) fn scoped(&mut self, id: Id) -> Outcome<()> {
        let mark = self.bindings.mark();
        let sharing = self.bindings.share_from(usize::MAX);
        self.node(id)?;
        self.bindings.share_from(sharing);
        self.bindings.back_to(mark);
        Ok(())
    }

    pub(super) fn fail<T>(&self, message: String) -> Outcome<T> {
        let span = self.span.0 as usize..self.span.1 as usize;
        Err(CompileError::new(message, span).of_kind(CompileErrorKind::Unknown))
    }

    /// The value of a node that is a literal.
    pub(super) fn constant(&self, id: Id) -> Option<Value> {
        match self.syntax.node(id) {
            Node::Constant(value) => Some(value.clone()),
            Node::Object(entries) if entries.is_empty() => Some(empty_object()),
            Node::Array(None) => Some(Value::from(Vec::new())),
            Node::Array(Some(items)) => match self.syntax.node(*items) {
                Node::Comma(items) => {
                    let items: Option<Vec<_>> = items.iter().map(|id| self.scalar(*id)).collect();
                    items.map(Value::from)
                }
                _ => self.scalar(*items).map(|item| Value::list([item])),
            },
            Node::Signs { .. } => self.scalar(id),
            _ => None,
        }
    }

    fn scalar(&self, id: Id) -> Option<Value> {
        match self.syntax.node(id) {
            Node::Constant(value) => Some(value.clone()),
            Node::Signs { negative, operand } => match self.syntax.node(*operand) {
                Node::Constant(value @ (Value::Int(_) | Value::Float(_))) => {
                    let odd = negative.iter().filter(|negative| **negative).count() % 2 == 1;
                    Some(match (odd, value) {
                        (false, value) => value.clone(),
                        (true, Value::Int(whole)) => {
                            whole.checked_neg().map_or(Value::Float(-(*whole as f64)), Value::Int)
                        }
                        (true, other) => Value::Float(-other.as_f64()?),
                    })
                }
                _ => None,
            },
            _ => None,
        }
    }

    // Nodes.

    pub(super) fn node(&mut self, id: Id) -> Outcome<()> {
        let syntax = self.syntax;
        let before = self.span;
        self.span = syntax.span(id);
        if let Some(value) = self.constant(id) {
            self.emit(Op::Constant(value));
            self.span = before;
            return Ok(());
        }
        match syntax.node(id) {
            Node::Identity => {}
            Node::Recurse => self.call("recurse", &[])?,
            Node::Constant(value) => drop(self.emit(Op::Constant(value.clone()))),
            Node::Format(name) => self.format(name)?,
            Node::Text { format, parts } => {
                self.text(format.as_deref().unwrap_or("text"), parts)?;
            }
            Node::Call { name, arguments } => self.call(name, arguments)?,
            Node::Variable(name) => self.variable(name)?,
            Node::Object(entries) => self.object(entries)?,
            Node::Array(None) => {}
            Node::Array(Some(items)) => self.collect(|c| c.scoped(*items))?,
            Node::Signs { negative, operand } => {
                self.node(*operand)?;
                for negative in negative.iter().rev() {
                    self.emit(if *negative { Op::Negate } else { Op::Plus });
                }
            }
            Node::If { arms, otherwise } => self.condition(arms, *otherwise)?,
            Node::Try { body, handler } => self.attempt(*body, *handler)?,
            Node::Reduce { source, pattern, start, update } => {
                self.reduce((*source, pattern), *start, *update)?;
            }
            Node::Foreach { source, pattern, start, update, extract } => {
                self.foreach((*source, pattern), *start, *update, *extract)?;
            }
            Node::Break(name) => match self.bindings.find_label(name) {
                Some(place) => drop(self.emit(Op::Break(place))),
                None => return self.fail(format!("label not defined: ${name}")),
            },
            Node::Postfix { base, suffixes } => self.postfix(*base, suffixes)?,
            Node::Chain { first, rest } => self.chain(*first, rest)?,
            Node::And(items) => self.logic(items, false)?,
            Node::Or(items) => self.logic(items, true)?,
            Node::Alternative(items) => self.alternative(items)?,
            Node::Assign { left, right } => self.assign(*left, *right)?,
            Node::Modify { left, right } => {
                self.modify(*left, |c| c.aside(|c| c.scoped(*right)))?;
            }
            Node::Update { operator, left, right } => self.update(*operator, *left, *right)?,
            Node::Comma(items) => self.comma(items)?,
            Node::Pipe(segments) => self.pipe(segments)?,
        }
        self.span = before;
        Ok(())
    }

    fn pipe(&mut self, segments: &'a [Segment]) -> Outcome<()> {
        let mark = self.bindings.mark();
        for segment in segments {
            match segment {
                Segment::Query(id) => self.node(*id)?,
                Segment::Define(definition) => self.define(definition)?,
                Segment::Label(name) => {
                    let slot = self.slot();
                    self.bindings.bind(Meaning::Label { name: name.clone(), slot });
                    self.emit(Op::Label(slot));
                }
                Segment::Bind { source, patterns } => {
                    self.emit(Op::Duplicate);
                    self.aside(|c| {
                        c.scoped(*source)?;
                        c.bind(patterns)
                    })?;
                }
            }
        }
        self.bindings.back_to(mark);
        Ok(())
    }

    fn comma(&mut self, items: &[Id]) -> Outcome<()> {
        let mut ends = Vec::new();
        let Some((last, before)) = items.split_last() else { return Ok(()) };
        for id in before {
            let fork = self.emit(Op::Fork(0));
            self.scoped(*id)?;
            ends.push(self.emit(Op::Jump(0)));
            self.land(fork);
        }
        self.scoped(*last)?;
        ends.into_iter().for_each(|end| self.land(end));
        Ok(())
    }

    // Bindings.

    /// Takes the top apart by the first pattern that what follows does not fail with.
    fn bind(&mut self, patterns: &[Pattern]) -> Outcome<()> {
        match patterns {
            [pattern] => self.destructure(pattern),
            _ => self.bind_any(patterns),
        }
    }

    fn bind_any(&mut self, patterns: &[Pattern]) -> Outcome<()> {
        let mut names = Vec::new();
        patterns.iter().for_each(|pattern| pattern.variables(&mut names));
        let outer = self.bindings.share_from(self.bindings.mark());
        let slots: Vec<_> = names.into_iter().map(|name| self.variable_slot(name)).collect();
        let (mut ends, count) = (Vec::new(), patterns.len());
        for (at, pattern) in patterns.iter().enumerate() {
            let fork = (at + 1 < count).then(|| self.emit(Op::Alternative(0)));
            for slot in &slots {
                self.emit(Op::Push(Value::Null));
                self.emit(Op::Store(*slot));
            }
            self.destructure(pattern)?;
            if let Some(fork) = fork {
                ends.push(self.emit(Op::Jump(0)));
                self.land(fork);
            }
        }
        ends.into_iter().for_each(|end| self.land(end));
        self.bindings.share_from(outer);
        Ok(())
    }

    /// A new slot for a variable.
    pub(super) fn bind_variable(&mut self, name: &Arc<str>) -> usize {
        let slot = self.slot();
        self.bindings.bind(Meaning::Variable { name: name.clone(), slot });
        slot
    }

    /// Takes the top into a pattern's variables.
    pub(super) fn destructure(&mut self, pattern: &Pattern) -> Outcome<()> {
        match pattern {
            Pattern::Variable(name) => {
                let slot = self.variable_slot(name);
                self.emit(Op::Store(slot));
            }
            Pattern::List(items) => {
                let whole = self.slot();
                self.emit(Op::Store(whole));
                for (at, item) in items.iter().enumerate() {
                    self.load(whole);
                    self.emit(Op::ListItem(Value::from(at)));
                    self.destructure(item)?;
                }
            }
            Pattern::Object(entries) => {
                let whole = self.slot();
                self.emit(Op::Store(whole));
                for (key, value) in entries {
                    match key {
                        Key::Name(name) | Key::Variable(name) => {
                            self.load(whole);
                            self.emit(Op::Field { key: name.clone(), optional: false });
                        }
                        Key::Query(id) => {
                            self.operand(*id, whole)?;
                            self.load(whole);
                            self.emit(Op::Index { optional: false });
                        }
                    }
                    if let Key::Variable(name) = key {
                        let slot = self.variable_slot(name);
                        self.emit(Op::Duplicate);
                        self.emit(Op::Store(slot));
                    }
                    match value {
                        Some(value) => self.destructure(value)?,
                        None => drop(self.emit(Op::Pop)),
                    }
                }
            }
        }
        Ok(())
    }

    /// Where a pattern's variable goes: alternatives share their slots.
    fn variable_slot(&mut self, name: &Arc<str>) -> usize {
        match self.bindings.shared(name) {
            Some(slot) => slot,
            None => self.bind_variable(name),
        }
    }

    fn variable(&mut self, name: &Arc<str>) -> Outcome<()> {
        if let Some(place) = self.bindings.find_variable(name) {
            self.emit(Op::Pop);
            self.emit(Op::Load(place));
            return Ok(());
        }
        if name.as_ref() == "ENV" {
            self.emit(Op::Constant(empty_object()));
            return Ok(());
        }
        let hint = self.bindings.meant_variable(name);
        self.fail(format!("variable not defined: ${name}; {hint}"))
    }

    // Constructions.

    /// The outputs of `emit` as a list.
    pub(super) fn collect(&mut self, emit: impl FnOnce(&mut Self) -> Outcome<()>) -> Outcome<()> {
        let list = self.slot();
        self.emit(Op::ListBegin(list));
        let fork = self.emit(Op::Fork(0));
        emit(self)?;
        self.emit(Op::ListAdd(list));
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::ListEnd(list));
        Ok(())
    }

    fn object(&mut self, entries: &[Entry]) -> Outcome<()> {
        let input = self.slot();
        self.emit(Op::Store(input));
        let mut keys = Vec::with_capacity(entries.len());
        for Entry { key, value } in entries {
            let known = match (key, value) {
                (Key::Variable(name), Some(_)) => {
                    self.emit(Op::Push(Value::Null));
                    self.variable(name)?;
                    None
                }
                (Key::Name(name) | Key::Variable(name), _) => Some(name.clone()),
                (Key::Query(id), _) => {
                    self.operand(*id, input)?;
                    None
                }
            };
            match (key, value) {
                (_, Some(value)) => self.operand(*value, input)?,
                (Key::Name(name), None) => {
                    self.load(input);
                    self.aside(|c| {
                        c.emit(Op::Field { key: name.clone(), optional: false });
                        Ok(())
                    })?;
                }
                (Key::Variable(name), None) => {
                    self.emit(Op::Push(Value::Null));
                    self.variable(&name.clone())?;
                }
                (Key::Query(_), None) => {
                    self.emit(Op::Duplicate);
                    self.load(input);
                    self.aside(|c| {
                        c.emit(Op::Index { optional: false });
                        Ok(())
                    })?;
                }
            }
            keys.push(known);
        }
        self.emit(Op::Object(keys.into()));
        Ok(())
    }

    fn text(&mut self, format: &str, parts: &[Part]) -> Outcome<()> {
        let input = self.slot();
        self.emit(Op::Store(input));
        for part in parts.iter().rev() {
            match part {
                Part::Text(text) => drop(self.emit(Op::Push(Value::String(text.clone())))),
                Part::Query(id) => {
                    self.operand(*id, input)?;
                    self.format(format)?;
                }
            }
        }
        self.emit(Op::Concatenate(parts.len()));
        Ok(())
    }

    /// `@name` on the top.
    fn format(&mut self, name: &str) -> Outcome<()> {
        match super::formats::native(name) {
            Some(native) => drop(self.emit(Op::Native(native))),
            None => {
                let slot = self.slot();
                self.emit(Op::Store(slot));
                self.emit(Op::Push(Value::from(name)));
                self.load(slot);
                self.native("format", 1)?;
            }
        }
        Ok(())
    }

    // Control.

    fn condition(&mut self, arms: &[(Id, Id)], otherwise: Option<Id>) -> Outcome<()> {
        let mut ends = Vec::new();
        for (condition, then) in arms {
            self.emit(Op::Duplicate);
            self.aside(|c| c.scoped(*condition))?;
            let skip = self.emit(Op::JumpUnless(0));
            self.scoped(*then)?;
            ends.push(self.emit(Op::Jump(0)));
            self.land(skip);
        }
        if let Some(otherwise) = otherwise {
            self.scoped(otherwise)?;
        }
        ends.into_iter().for_each(|end| self.land(end));
        Ok(())
    }

    fn attempt(&mut self, body: Id, handler: Option<Id>) -> Outcome<()> {
        let begin = self.emit(Op::TryBegin(0));
        self.scoped(body)?;
        self.emit(Op::TryEnd);
        let end = self.emit(Op::Jump(0));
        self.land(begin);
        match handler {
            Some(handler) => self.scoped(handler)?,
            None => drop(self.emit(Op::Backtrack)),
        }
        self.land(end);
        Ok(())
    }

    fn reduce(&mut self, source: (Id, &Pattern), start: Id, update: Id) -> Outcome<()> {
        let mark = self.bindings.mark();
        let state = self.slot();
        self.emit(Op::Duplicate);
        self.scoped(start)?;
        self.emit(Op::Store(state));
        let fork = self.emit(Op::Fork(0));
        self.scoped(source.0)?;
        self.destructure(source.1)?;
        self.load(state);
        self.scoped(update)?;
        self.emit(Op::Store(state));
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::Pop);
        self.load(state);
        self.bindings.back_to(mark);
        Ok(())
    }

    fn foreach(
        &mut self,
        source: (Id, &Pattern),
        start: Id,
        update: Id,
        extract: Option<Id>,
    ) -> Outcome<()> {
        let mark = self.bindings.mark();
        let state = self.slot();
        self.emit(Op::Duplicate);
        self.scoped(start)?;
        self.emit(Op::Store(state));
        self.scoped(source.0)?;
        self.destructure(source.1)?;
        self.load(state);
        self.scoped(update)?;
        self.emit(Op::Duplicate);
        self.emit(Op::Store(state));
        if let Some(extract) = extract {
            self.scoped(extract)?;
        }
        self.bindings.back_to(mark);
        Ok(())
    }

    // Reading.

    fn postfix(&mut self, base: Id, suffixes: &[Suffix]) -> Outcome<()> {
        let known = |id: Id| matches!(self.constant(id), Some(Value::Int(_) | Value::Float(_)));
        let known: Vec<bool> = suffixes
            .iter()
            .map(|suffix| match &suffix.kind {
                SuffixKind::Field(_) | SuffixKind::Each => true,
                SuffixKind::Index(id) => known(*id),
                SuffixKind::Slice(..) => false,
            })
            .collect();
        if known.iter().any(|known| !known) {
            let input = self.slot();
            self.emit(Op::Store(input));
            for (suffix, known) in suffixes.iter().zip(&known).rev() {
                if !known && !suffix.optional {
                    self.keys(suffix, input)?;
                }
            }
            self.load(input);
            self.scoped(base)?;
            for (suffix, known) in suffixes.iter().zip(&known) {
                if *known || !suffix.optional {
                    self.suffix(suffix, *known);
                    continue;
                }
                // An optional reading is also forgiven what its key does.
                let of = self.slot();
                let begin = self.emit(Op::TryBegin(0));
                self.emit(Op::Store(of));
                self.keys(suffix, input)?;
                self.load(of);
                self.suffix(suffix, false);
                self.emit(Op::TryEnd);
                let end = self.emit(Op::Jump(0));
                self.land(begin);
                self.emit(Op::Backtrack);
                self.land(end);
            }
            return Ok(());
        }
        self.scoped(base)?;
        suffixes.iter().for_each(|suffix| self.suffix(suffix, true));
        Ok(())
    }

    /// Puts on the stack what a suffix needs besides its value.
    fn keys(&mut self, suffix: &Suffix, input: usize) -> Outcome<()> {
        let part = |c: &mut Self, id: &Option<Id>| match id {
            Some(id) => c.operand(*id, input),
            None => {
                c.emit(Op::Push(Value::Null));
                Ok(())
            }
        };
        match &suffix.kind {
            SuffixKind::Field(_) | SuffixKind::Each => Ok(()),
            SuffixKind::Index(id) => self.operand(*id, input),
            SuffixKind::Slice(start, end) => {
                part(self, start)?;
                part(self, end)
            }
        }
    }

    fn suffix(&mut self, suffix: &Suffix, known: bool) {
        let before = self.span;
        self.span = suffix.span;
        let optional = suffix.optional;
        let op = match &suffix.kind {
            SuffixKind::Field(key) => Op::Field { key: key.clone(), optional },
            SuffixKind::Each => Op::Each { optional },
            SuffixKind::Index(id) if known => {
                Op::Item { index: self.constant(*id).unwrap_or_default(), optional }
            }
            SuffixKind::Index(_) => Op::Index { optional },
            SuffixKind::Slice(..) => Op::Slice { optional },
        };
        self.emit(op);
        self.span = before;
    }

    // Operators.

    fn chain(&mut self, first: Id, rest: &[(Operator, Id)]) -> Outcome<()> {
        let constants: Option<Vec<_>> =
            rest.iter().map(|(operator, id)| Some((*operator, self.constant(*id)?))).collect();
        if let Some(constants) = constants {
            self.aside(|c| c.scoped(first))?;
            for (operator, right) in constants {
                self.emit(Op::OperateConstant(operator, right));
            }
            return Ok(());
        }
        let input = self.slot();
        self.emit(Op::Store(input));
        for (_, id) in rest.iter().rev() {
            self.operand(*id, input)?;
        }
        self.operand(first, input)?;
        for (operator, _) in rest {
            self.emit(Op::Operate(*operator));
        }
        Ok(())
    }

    /// `and` until something is false; `or` until something is true.
    fn logic(&mut self, items: &[Id], decisive: bool) -> Outcome<()> {
        let Some((last, before)) = items.split_last() else { return Ok(()) };
        let mut decided = Vec::new();
        for id in before {
            self.emit(Op::Duplicate);
            self.aside(|c| c.scoped(*id))?;
            let jump = if decisive { Op::JumpIf(0) } else { Op::JumpUnless(0) };
            decided.push(self.emit(jump));
        }
        self.aside(|c| c.scoped(*last))?;
        self.emit(Op::ToBool);
        let end = self.emit(Op::Jump(0));
        decided.into_iter().for_each(|jump| self.land(jump));
        self.emit(Op::Constant(Value::Bool(decisive)));
        self.land(end);
        Ok(())
    }

    fn alternative(&mut self, items: &[Id]) -> Outcome<()> {
        let Some((last, before)) = items.split_last() else { return Ok(()) };
        let mut ends = Vec::new();
        for id in before {
            let found = self.slot();
            self.emit(Op::Push(Value::Bool(false)));
            self.emit(Op::Store(found));
            let fork = self.emit(Op::Fork(0));
            self.scoped(*id)?;
            self.emit(Op::Duplicate);
            let skip = self.emit(Op::JumpUnless(0));
            self.emit(Op::Push(Value::Bool(true)));
            self.emit(Op::Store(found));
            ends.push(self.emit(Op::Jump(0)));
            self.land(skip);
            self.emit(Op::Backtrack);
            self.land(fork);
            self.load(found);
            let none = self.emit(Op::JumpUnless(0));
            self.emit(Op::Backtrack);
            self.land(none);
        }
        self.scoped(*last)?;
        ends.into_iter().for_each(|end| self.land(end));
        Ok(())
    }
}
