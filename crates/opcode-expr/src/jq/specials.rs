//! Functions that are neither values' nor definitions: control, and what is fastest in place.
//!
//! Keeps: an argument of theirs is compiled where it stands, without a call.
//! Not here: functions of values (`natives.rs`).

use opcode_model::Value;

use super::compile::Compiler;
use super::lexer::Outcome;
use super::op::Op;
use super::syntax::Id;
use super::terms::empty_object;

/// Their names and numbers of arguments.
pub(super) const NAMES: [(&str, usize); 22] = [
    ("empty", 0),
    ("not", 0),
    ("env", 0),
    ("input_filename", 0),
    ("builtins", 0),
    ("map", 1),
    ("select", 1),
    ("map_values", 1),
    ("del", 1),
    ("path", 1),
    ("first", 1),
    ("last", 1),
    ("isempty", 1),
    ("add", 1),
    ("range", 1),
    ("range", 2),
    ("range", 3),
    ("sort_by", 1),
    ("group_by", 1),
    ("unique_by", 1),
    ("min_by", 1),
    ("max_by", 1),
];

impl Compiler<'_> {
    /// Compiles a call if it is one of these.
    pub(super) fn special(&mut self, name: &str, arguments: &[Id]) -> Outcome<bool> {
        match (name, arguments) {
            ("empty", []) => drop(self.emit(Op::Backtrack)),
            ("not", []) => drop(self.emit(Op::Not)),
            ("env", []) => drop(self.emit(Op::Constant(empty_object()))),
            // The input is no file.
            ("input_filename", []) => drop(self.emit(Op::Constant(Value::Null))),
            ("builtins", []) => {
                let names = super::calls::names().into_iter().map(Value::from);
                self.emit(Op::Constant(Value::list(names)));
            }
            ("map", [f]) => self.collect(|c| {
                c.emit(Op::Each { optional: false });
                c.scoped(*f)
            })?,
            ("select", [condition]) => {
                self.emit(Op::Duplicate);
                self.aside(|c| c.scoped(*condition))?;
                let pass = self.emit(Op::JumpIf(0));
                self.emit(Op::Backtrack);
                self.land(pass);
            }
            ("map_values", [f]) => self.map_values(*f)?,
            ("del", [paths]) => {
                let (draft, path) = (self.slot(), self.slot());
                self.each_path(draft, path, *paths, |c| {
                    c.emit(Op::DraftDelete(draft, path));
                    Ok(())
                })?;
            }
            ("path", [f]) => self.path(*f)?,
            ("first", [f]) => {
                let mark = self.slot();
                self.emit(Op::Mark(mark));
                self.scoped(*f)?;
                self.emit(Op::Cut(mark));
            }
            ("last", [f]) => self.last(*f)?,
            ("isempty", [f]) => self.is_empty(*f)?,
            ("add", [f]) => {
                self.aside(|c| c.collect(|c| c.scoped(*f)))?;
                self.native("add", 0)?;
            }
            ("range", [end]) => self.range(None, *end, None)?,
            ("range", [start, end]) => self.range(Some(*start), *end, None)?,
            ("range", [start, end, step]) => self.range(Some(*start), *end, Some(*step))?,
            ("sort_by", [f]) => self.by("_sort_by", *f)?,
            ("group_by", [f]) => self.by("_group_by", *f)?,
            ("unique_by", [f]) => self.by("_unique_by", *f)?,
            ("min_by", [f]) => self.by("_min_by", *f)?,
            ("max_by", [f]) => self.by("_max_by", *f)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `.[] |= f`.
    fn map_values(&mut self, f: Id) -> Outcome<()> {
        let (draft, path, mark) = (self.slot(), self.slot(), self.slot());
        self.emit(Op::Duplicate);
        self.emit(Op::DraftBegin(draft));
        let end = self.emit(Op::Fork(0));
        self.emit(Op::PathBegin);
        self.emit(Op::Each { optional: false });
        self.emit(Op::PathEnd);
        self.emit(Op::Store(path));
        self.emit(Op::Mark(mark));
        let none = self.emit(Op::Fork(0));
        self.emit(Op::DraftRead(draft, path));
        self.aside(|c| c.scoped(f))?;
        self.emit(Op::DraftWrite(draft, path));
        self.emit(Op::Cut(mark));
        self.emit(Op::Backtrack);
        self.land(none);
        self.emit(Op::DraftDelete(draft, path));
        self.emit(Op::Backtrack);
        self.land(end);
        self.emit(Op::DraftEnd(draft));
        Ok(())
    }

    /// The last output, if there is one.
    fn last(&mut self, f: Id) -> Outcome<()> {
        let (found, value) = (self.slot(), self.slot());
        self.emit(Op::Push(Value::Bool(false)));
        self.emit(Op::Store(found));
        let fork = self.emit(Op::Fork(0));
        self.aside(|c| c.scoped(f))?;
        self.emit(Op::Store(value));
        self.emit(Op::Push(Value::Bool(true)));
        self.emit(Op::Store(found));
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::Pop);
        self.load(found);
        let some = self.emit(Op::JumpIf(0));
        self.emit(Op::Backtrack);
        self.land(some);
        self.load(value);
        Ok(())
    }

    fn is_empty(&mut self, f: Id) -> Outcome<()> {
        let mark = self.slot();
        self.emit(Op::Mark(mark));
        let none = self.emit(Op::Fork(0));
        self.aside(|c| c.scoped(f))?;
        self.emit(Op::Cut(mark));
        self.emit(Op::Constant(Value::Bool(false)));
        let end = self.emit(Op::Jump(0));
        self.land(none);
        self.emit(Op::Constant(Value::Bool(true)));
        self.land(end);
        Ok(())
    }

    /// Numbers from `start` to before `end`; `start` varies slowest.
    fn range(&mut self, start: Option<Id>, end: Id, step: Option<Id>) -> Outcome<()> {
        let input = self.slot();
        self.emit(Op::Duplicate);
        self.emit(Op::Store(input));
        match start {
            Some(start) => self.operand(start, input)?,
            None => drop(self.emit(Op::Push(Value::Int(0)))),
        }
        self.operand(end, input)?;
        match step {
            Some(step) => self.operand(step, input)?,
            None => drop(self.emit(Op::Push(Value::Int(1)))),
        }
        self.emit(Op::Range);
        Ok(())
    }

    /// A function of a list and of a list of what `f` gives for each item.
    fn by(&mut self, native: &str, f: Id) -> Outcome<()> {
        self.emit(Op::Duplicate);
        self.aside(|c| {
            c.collect(|c| {
                c.emit(Op::Each { optional: false });
                c.collect(|c| c.scoped(f))
            })
        })?;
        self.emit(Op::Swap);
        self.native(native, 1)
    }
}
