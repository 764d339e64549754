//! The real binary, called as a person or a script would.
//!
//! Keeps: every case has its own store; no command outlives its test.
//! Not here: what is said to it (`play.rs`).

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Reply {
    /// How it ended, where that says something.
    pub(crate) exit: Option<i32>,
    pub(crate) json: Value,
    /// What it told people.
    pub(crate) said: String,
}

/// The binary, with a store of its own.
#[derive(Debug)]
pub(crate) struct Opcode {
    pub(crate) store: PathBuf,
}

impl Opcode {
    /// Runs a command for machines and waits for the workflow, but not for ever.
    pub(crate) fn follow(&self, command: &str, args: &[&str]) -> Reply {
        self.call(command, &[args, &["--wait", "60s"]].concat())
    }

    /// Runs a command for machines.
    pub(crate) fn call(&self, command: &str, args: &[&str]) -> Reply {
        let output = Command::new(env!("CARGO_BIN_EXE_opcode"))
            .arg(command)
            .args(args)
            .arg("--json")
            .arg("--db-path")
            .arg(&self.store)
            .env_remove("OPCODE_FS_ROOTS")
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout);
        Reply {
            exit: Some(output.status.code().unwrap_or(-1)),
            json: serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text)),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
