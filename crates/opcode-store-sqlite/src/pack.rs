//! Commits made ready on the caller's side, so that the one writer only binds and steps.
//!
//! Keeps: JSON, hashes and compression are done before the queue.
//! Not here: the statements (`write.rs`).

use std::collections::HashMap;

use opcode_model::commit::{Commit, DecisionChange, Position};
use opcode_model::{Message, RunId, Seq};
use opcode_store::codec::{self, CodecError, Link, Packed};
use opcode_store::row::PackedRow;

/// What the writer needs of one commit beside the commit itself.
pub(crate) struct PackedCommit {
    /// The run's id as text.
    pub(crate) uuid: String,
    /// Where its log must end before it.
    pub(crate) before: Position,
    /// Where it ends after it.
    pub(crate) after: Position,
    /// Its row in the log; `None` without events.
    pub(crate) events: Option<Packed>,
    /// The run's row.
    pub(crate) row: Option<PackedRow>,
    /// Its decisions, in order.
    pub(crate) decisions: Vec<PackedDecision>,
    /// Its messages, in order: to whom, and the whole as JSON.
    pub(crate) messages: Vec<(String, String)>,
    /// The snapshot's hash.
    pub(crate) seal: Option<[u8; 32]>,
}

/// The JSON columns of a decision.
pub(crate) enum PackedDecision {
    /// Put: step and request.
    Opened(String, String),
    /// Closed: the resolution, if there is one.
    Closed(Option<String>),
}

/// Packs a batch. A commit that follows another of its run in the batch cannot know the head it goes on from; it comes
/// with a head of zeros, and continues the chain of the first that ends where it begins.
pub(crate) fn pack_batch(batch: &[Commit]) -> Vec<Result<PackedCommit, CodecError>> {
    let mut ends: HashMap<(RunId, Seq), Position> = HashMap::new();
    let mut packed = Vec::with_capacity(batch.len());
    for commit in batch {
        let mut before = commit.after;
        if before.seq != Seq(0) && before.head == [0; 32] {
            before = ends.get(&(commit.run, before.seq)).copied().unwrap_or(before);
        }
        let one = pack(commit, before);
        // A batch of one, the common case, needs no book.
        if let (Ok(one), true) = (&one, batch.len() > 1) {
            ends.entry((commit.run, one.after.seq)).or_insert(one.after);
        }
        packed.push(one);
    }
    packed
}

fn pack(commit: &Commit, before: Position) -> Result<PackedCommit, CodecError> {
    let mut after = Position { seq: commit.last(), head: before.head };
    let mut events = None;
    if !commit.events.is_empty() {
        let packed = codec::pack(&commit.events)?;
        let link = Link {
            run: commit.run,
            first: Seq(before.seq.0 + 1),
            last: after.seq,
            body: packed.body.as_bytes(),
            payloads: packed.payloads.as_deref().map(str::as_bytes),
        };
        after.head = codec::chain(&before.head, link);
        events = Some(packed);
    }
    let message = |message: &Message| -> Result<_, CodecError> {
        Ok((message.to.to_string(), serde_json::to_string(message)?))
    };
    let seal = |text: &std::sync::Arc<str>| codec::seal(commit.run, after, text);
    Ok(PackedCommit {
        uuid: commit.run.to_string(),
        before,
        after,
        events,
        row: commit.row.as_deref().map(PackedRow::pack).transpose()?,
        decisions: commit.decisions.iter().map(pack_decision).collect::<Result<_, _>>()?,
        messages: commit.messages.iter().map(message).collect::<Result<_, _>>()?,
        seal: commit.snapshot.as_ref().map(seal),
    })
}

fn pack_decision(change: &DecisionChange) -> Result<PackedDecision, CodecError> {
    Ok(match change {
        DecisionChange::Opened { step, request, at: _ } => PackedDecision::Opened(
            serde_json::to_string(step)?,
            serde_json::to_string(request.as_ref())?,
        ),
        DecisionChange::Closed { resolution, .. } => {
            PackedDecision::Closed(resolution.as_deref().map(serde_json::to_string).transpose()?)
        }
    })
}
