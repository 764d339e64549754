//! What people, agents and other runs say to a run.
//!
//! Keeps: the reference's five signal types and their fields.
//! Not here: what a signal does (`opcode-engine`'s `decide/signal.rs`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::ids::{RunId, StepRef};
use crate::status::RunStatus;
use crate::value::Value;

/// What a signal wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalKind {
    /// Answer a question.
    Decision,
    /// Hand data to a wait, now or before it comes.
    Data,
    /// Cancel the run, or withdraw one question.
    Cancel,
    /// Try again: a step in back-off, in doubt or failed; or a run its time limit suspended.
    Retry,
    /// Skip a step that waits.
    Skip,
}

impl SignalKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Decision, Self::Data, Self::Cancel, Self::Retry, Self::Skip];

    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Data => "data",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Skip => "skip",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.text() == text)
    }
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What it wants.
    #[serde(rename = "type")]
    pub kind: SignalKind,
    /// Which step, by full path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Arc<str>>,
    /// The name a wait listens for (`data`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Who says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Arc<str>>,
    /// `{choice, data}` of a decision, or any data.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Arc<str>>,
    /// The sender's own name for this signal; a second one with the same id changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
}

impl Signal {
    /// A bare signal.
    pub fn new(kind: SignalKind) -> Self {
        Self {
            kind,
            step_id: None,
            name: None,
            agent_id: None,
            payload: Value::Null,
            reasoning: None,
            id: None,
        }
    }
}

/// What one run says to another, in the transaction that records why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub from: RunId,
    /// To whom.
    pub to: RunId,
    /// The parent's step, on both ends.
    pub step: StepRef,
    /// What.
    pub body: MessageBody,
}

/// What parents and children say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "lowercase")]
pub enum MessageBody {
    /// Parent to child: begin.
    Start(Box<ChildStart>),
    /// Parent to child: end.
    Cancel {
        /// Why.
        reason: Arc<str>,
    },
    /// Child to parent: this is how it ended.
    Finished {
        /// How.
        status: RunStatus,
        /// Its output.
        output: Value,
        /// What failed.
        error: Option<Failure>,
    },
    /// Child to parent: a decision is open and nothing else moves here.
    Suspended,
    /// Child to parent: moving again.
    Resumed,
}

/// What a child begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildStart {
    /// Template to run.
    pub template: Arc<str>,
    /// Version, or the latest when it starts.
    pub version: Option<Arc<str>>,
    /// Inputs.
    pub params: Value,
    /// Whose run it is.
    pub agent_id: Option<Arc<str>>,
    /// How many workflows it stands inside of.
    pub depth: u32,
    /// The trace its parent belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Arc<str>>,
}
