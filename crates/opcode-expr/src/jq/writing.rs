//! Assignments: what is written goes into a draft of the input, path by path, and the draft is the output.
//!
//! Keeps: the right side is evaluated over the input, never over what was written; of `|=`, the first output counts.
//! Not here: the draft (`update.rs`).

use super::compile::Compiler;
use super::lexer::Outcome;
use super::op::Op;
use super::syntax::{Id, Operator};

impl Compiler<'_> {
    pub(super) fn assign(&mut self, left: Id, right: Id) -> Outcome<()> {
        let (value, draft, path) = (self.slot(), self.slot(), self.slot());
        self.emit(Op::Duplicate);
        self.aside(|c| c.scoped(right))?;
        self.emit(Op::Store(value));
        self.each_path(draft, path, left, |c| {
            c.load(value);
            c.emit(Op::DraftWrite(draft, path));
            Ok(())
        })
    }

    /// Replaces what is at each path by the first output of `emit`; deletes it if there is none.
    pub(super) fn modify(
        &mut self,
        left: Id,
        emit: impl FnOnce(&mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        let (draft, path, mark) = (self.slot(), self.slot(), self.slot());
        self.each_path(draft, path, left, |c| {
            c.emit(Op::Mark(mark));
            let fork = c.emit(Op::Fork(0));
            c.emit(Op::DraftRead(draft, path));
            emit(c)?;
            c.emit(Op::DraftWrite(draft, path));
            c.emit(Op::Cut(mark));
            c.emit(Op::Backtrack);
            c.land(fork);
            c.emit(Op::DraftDelete(draft, path));
            Ok(())
        })
    }

    pub(super) fn update(&mut self, operator: Operator, left: Id, right: Id) -> Outcome<()> {
        let (operand, old) = (self.slot(), self.slot());
        self.emit(Op::Duplicate);
        self.aside(|c| c.scoped(right))?;
        self.emit(Op::Store(operand));
        self.modify(left, |c| {
            c.emit(Op::Store(old));
            c.load(operand);
            c.load(old);
            c.emit(Op::Operate(operator));
            Ok(())
        })
    }

    /// Does something with a draft of the top for each path, and puts the draft in place of the top.
    pub(super) fn each_path(
        &mut self,
        draft: usize,
        path: usize,
        paths: Id,
        emit: impl FnOnce(&mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        self.emit(Op::Duplicate);
        self.emit(Op::DraftBegin(draft));
        let fork = self.emit(Op::Fork(0));
        self.path(paths)?;
        self.emit(Op::Store(path));
        emit(self)?;
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::DraftEnd(draft));
        Ok(())
    }

    /// The paths of a node in place of the top.
    pub(super) fn path(&mut self, id: Id) -> Outcome<()> {
        self.emit(Op::PathBegin);
        self.scoped(id)?;
        self.emit(Op::PathEnd);
        Ok(())
    }
}
