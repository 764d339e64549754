//! What to run, and how it travels to the helper.
//!
//! Keeps: program and arguments are separate texts from end to end; nothing is joined or split.
//! Not here: running it (`helper/`), asking for it (`exec.rs`).

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use opcode_model::{Object, Value};

/// The variable that carries an attempt's idempotency key into its processes.
pub const IDEMPOTENCY_KEY_ENV: &str = "OPCODE_IDEMPOTENCY_KEY";

/// The first argument of every helper.
pub(crate) const HELPER_WORD: &str = "__exec";

/// What to run.
#[derive(Clone, Debug, Default, PartialEq)]
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
}

/// A spec with the directory of notes, as the helper reads it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub spec: ExecSpec,
    pub attempts_dir: Option<PathBuf>,
    pub grace_ms: u64,
}

/// Longest order the helper accepts; parameters are limited far below.
const FRAME_BYTES_MAX: u32 = 64 << 20;

impl Order {
    /// The order and what to feed to standard input, each with its length before it.
    pub(crate) fn frames(&self, stdin: &[u8]) -> io::Result<Vec<u8>> {
        let text = self.to_value().to_json();
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
        let text = String::from_utf8(frame(from)?).map_err(io::Error::other)?;
        let stdin = frame(from)?;
        let value = Value::from_json(&text).map_err(io::Error::other)?;
        Ok((Self::of_value(&value), stdin))
    }

    fn to_value(&self) -> Value {
        let spec = &self.spec;
        let path = |path: &Option<PathBuf>| {
            Value::from(path.as_ref().map(|path| path.to_string_lossy().into_owned()))
        };
        let env: Object = spec.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Value::object([
            ("program", Value::from(spec.program.as_str())),
            ("args", Value::list(spec.args.iter().map(|arg| arg.as_str().into()))),
            ("cwd", path(&spec.cwd)),
            ("env", env.into()),
            ("key", spec.key.clone().into()),
            ("attempts_dir", path(&self.attempts_dir)),
            ("grace_ms", self.grace_ms.into()),
        ])
    }

    fn of_value(value: &Value) -> Self {
        let text = |name: &str| value.find(name).and_then(Value::as_str);
        let list = value.find("args").and_then(Value::as_list).unwrap_or_default();
        let env = value.find("env").and_then(Value::as_object).cloned().unwrap_or_default();
        let spec = ExecSpec {
            program: text("program").unwrap_or_default().to_owned(),
            args: list.iter().map(Value::to_text).collect(),
            cwd: text("cwd").map(PathBuf::from),
            env: env.iter().map(|(name, value)| (name.to_string(), value.to_text())).collect(),
            key: text("key").map(Arc::from),
        };
        let grace = value.find("grace_ms").and_then(Value::as_i64).unwrap_or_default();
        Self {
            spec,
            attempts_dir: text("attempts_dir").map(PathBuf::from),
            grace_ms: u64::try_from(grace).unwrap_or_default(),
        }
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
        };
        let order = Order { spec, attempts_dir: Some("/x".into()), grace_ms: 2_000 };
        let bytes = order.frames(b"in").unwrap();
        assert_eq!(Order::read(&mut bytes.as_slice()).unwrap(), (order, b"in".to_vec()));
    }
}
