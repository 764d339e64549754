//! A run's events in memory, in the pieces in which they were committed.
//!
//! Keeps: a piece is shared with the commit that brought it; nothing is copied on the way in.
//! Not here: runs, lists (`memory.rs`).

use std::sync::Arc;

use opcode_model::{Event, Seq};

/// A run's events, in order.
#[derive(Default)]
pub(crate) struct Pieces(Vec<Piece>);

/// What one commit brought.
struct Piece {
    /// How many events stand before it.
    before: u64,
    events: Arc<Vec<Event>>,
}

impl Piece {
    fn end(&self) -> Seq {
        Seq(self.before + self.events.len() as u64)
    }

    fn numbered(&self) -> impl DoubleEndedIterator<Item = (Seq, &Event)> {
        let first = self.before + 1;
        let placed = self.events.iter().enumerate();
        placed.map(move |(at, event)| (Seq(first + at as u64), event))
    }
}

impl Pieces {
    /// The last event's number.
    pub(crate) fn end(&self) -> Seq {
        self.0.last().map_or(Seq(0), Piece::end)
    }

    /// Adds what a commit brought; the place where it stands.
    pub(crate) fn push(&mut self, events: Arc<Vec<Event>>) -> usize {
        self.0.push(Piece { before: self.end().0, events });
        self.0.len() - 1
    }

    /// All events after a number.
    pub(crate) fn after(&self, seq: Seq) -> impl Iterator<Item = (Seq, &Event)> {
        let first = self.0.partition_point(|piece| piece.end() <= seq);
        let near = self.0[first..].iter().flat_map(Piece::numbered);
        near.skip_while(move |(at, _)| *at <= seq)
    }

    /// What one commit brought, newest first.
    pub(crate) fn newest_of(&self, piece: usize) -> impl Iterator<Item = (Seq, &Event)> {
        self.0.get(piece).into_iter().flat_map(|piece| piece.numbered().rev())
    }
}
