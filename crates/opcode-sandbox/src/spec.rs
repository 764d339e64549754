//! What to run, and how it travels to the helper.
//!
//! Keeps: program and arguments are separate texts from end to end; nothing is joined or split.
//! Not here: running it (`helper/`), asking for it (`exec.rs`).

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::Plan;

/// The variable that carries an attempt's idempotency key into its processes.
pub const IDEMPOTENCY_KEY_ENV: &str = "OPCODE_IDEMPOTENCY_KEY";

/// The first argument of every helper.
pub(crate) const HELPER_WORD: &str = "__exec";

/// What to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// A path, or a name to look for in the `PATH` of `env`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where; the helper's own directory when absent.
    pub cwd: Option<PathBuf>,
    /// All of its environment.
    pub env: BTreeMap<String, String>,
    /// Names the attempt: no two with one key run at once.
    pub key: Option<Arc<str>>,
    /// What is in force for it.
    pub plan: Arc<Plan>,
}

/// What the helper is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Run something.
    Run(Run),
    /// Find out what this machine can do.
    Probe,
}

/// A spec with all that stands around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub spec: ExecSpec,
    pub attempts_dir: Option<PathBuf>,
    pub grace_ms: u64,
    pub input: Input,
    /// Whether it goes on when nobody is left who asked for it.
    pub detached: Option<Detached>,
}

/// What a helper must know that is on its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Detached {
    /// When the program is killed.
    pub timeout: Option<Duration>,
}

/// Where the program's standard input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Input {
    /// From the order itself.
    Order,
    /// From the other end of its standard output, which is a socket.
    Output,
}

/// Longest order the helper accepts; parameters are limited far below.
const FRAME_BYTES_MAX: u32 = 64 << 20;

impl Order {
    /// The same, for a helper that is on its own.
    pub(crate) fn detached(self, timeout: Option<Duration>) -> Self {
        match self {
            Self::Run(run) => Self::Run(Run { detached: Some(Detached { timeout }), ..run }),
            Self::Probe => Self::Probe,
        }
    }

    /// The order and what to feed to standard input, each with its length before it.
    pub(crate) fn frames(&self, stdin: &[u8]) -> io::Result<Vec<u8>> {
        let text = serde_json::to_string(self)?;
        let mut bytes = Vec::with_capacity(text.len() + stdin.len() + 8);
        for part in [text.as_bytes(), stdin] {
            let length = u32::try_from(part.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
            let length = length.ok_or_else(|| io::Error::other("standard input is too long"))?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part);
        }
        Ok(bytes)
    }

    /// Reads what [`Order::frames`] wrote.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<(Self, Vec<u8>)> {
        let text = frame(from)?;
        Ok((serde_json::from_slice(&text)?, frame(from)?))
    }
}

fn frame(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other("an order is too long"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_arrives_as_it_was_sent() {
        let spec = ExecSpec {
            program: "printf".into(),
            args: vec!["a b".into(), String::new(), "\"\n'".into()],
            cwd: Some("/".into()),
            env: [("A".to_owned(), "=1".to_owned())].into(),
            key: Some("k".into()),
            plan: Arc::default(),
        };
        let input = Input::Order;
        let order = Order::Run(Run {
            spec,
            attempts_dir: Some("/x".into()),
            grace_ms: 2_000,
            input,
            detached: None,
        });
        let bytes = order.frames(b"in").unwrap();
        assert_eq!(Order::read(&mut bytes.as_slice()).unwrap(), (order, b"in".to_vec()));
    }
}
