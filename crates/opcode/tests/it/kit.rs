//! A home for one test, and the binary to call in it.
//!
//! Keeps: nothing of the caller's environment but `PATH` reaches the binary.
//! Not here: what is expected of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;

/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(30);

/// A home for one test.
pub(crate) struct Home {
    dir: TempDir,
    /// Variables the binary is given beside its own.
    pub(crate) env: Vec<(String, String)>,
}

/// What the binary answered.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Its stdout as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }

    /// The same, if it ended like this.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), env: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the store is.
    pub(crate) fn db(&self) -> PathBuf {
        self.path("home/opcode.db")
    }

    /// Writes a file; answers its name.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        name.to_owned()
    }

    /// The binary, to be called here.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opcode"));
        command.args(args).current_dir(self.dir.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("OPCODE_HOME", self.path("home")).envs(self.env.iter().cloned());
        command.stdin(Stdio::null());
        command
    }

    /// Calls it and waits for its end.
    pub(crate) fn opcode(&self, args: &[&str]) -> Said {
        said(&self.command(args).output().unwrap())
    }

    /// Calls it with something on its stdin.
    pub(crate) fn feed(&self, args: &[&str], stdin: &str) -> Said {
        let from = self.path(&self.file("stdin", stdin));
        said(&self.command(args).stdin(File::open(from).unwrap()).output().unwrap())
    }

    /// Starts it; what it says goes to `<name>.out` and `<name>.err`.
    pub(crate) fn start(&self, name: &str, args: &[&str]) -> Started {
        self.spawn(name, Stdio::null(), args)
    }

    /// The same, with a stdin that stays open until it is dropped.
    pub(crate) fn converse(&self, name: &str, args: &[&str]) -> Started {
        self.spawn(name, Stdio::piped(), args)
    }

    fn spawn(&self, name: &str, stdin: Stdio, args: &[&str]) -> Started {
        let to = |end: &str| File::create(self.path(&format!("{name}.{end}"))).unwrap();
        let mut command = self.command(args);
        let child = command.stdin(stdin).stdout(to("out")).stderr(to("err")).spawn().unwrap();
        Started { child, base: self.path(name) }
    }

    /// The only workflow there is, once there is one.
    pub(crate) fn workflow(&self) -> String {
        until("there is a workflow", || {
            let said = self.opcode(&["query", "workflows", "--json"]);
            let all: Json = serde_json::from_str(&said.out).ok()?;
            all["workflows"][0]["id"].as_str().map(str::to_owned)
        })
    }

    /// Waits until a workflow's event of this type and step is on disk.
    pub(crate) fn until_event(&self, id: &str, event: &str, step: &str) {
        until(&format!("{event} of {step} is on disk"), || {
            let said = self.opcode(&["events", id, "--json"]);
            let is_it = |line: &str| {
                let json: Json = serde_json::from_str(line).unwrap();
                json["event_type"] == event && (step.is_empty() || json["step_id"] == step)
            };
            said.out.lines().any(is_it).then_some(())
        });
    }

    /// A workflow's status, beside whoever holds the store.
    pub(crate) fn status(&self, id: &str) -> Json {
        self.opcode(&["status", id, "--json"]).ended(0).json()
    }
}

/// A process on its way.
pub(crate) struct Started {
    pub(crate) child: Child,
    base: PathBuf,
}

impl Started {
    /// What it has said on stderr up to now.
    pub(crate) fn err(&self) -> String {
        fs::read_to_string(self.base.with_extension("err")).unwrap()
    }

    /// Waits until it says something on stderr.
    pub(crate) fn until_says(&self, text: &str) {
        until(&format!("it says `{text}`"), || self.err().contains(text).then_some(()));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Said {
        let status = until("it ends", || self.child.try_wait().unwrap());
        let text = |end: &str| fs::read_to_string(self.base.with_extension(end)).unwrap();
        Said { code: status.code().unwrap_or(-1), out: text("out"), err: text("err") }
    }
}

fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// Waits until something is there.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Everything below a folder, byte by byte.
pub(crate) fn bytes_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                bytes_of(&path)
            } else {
                vec![(path.clone(), fs::read(path).unwrap())]
            }
        })
        .collect();
    found.sort();
    found
}

/// Pure steps only: over at once.
pub(crate) const PURE: &str = r#"{"steps":[
  {"id":"hash","type":"action","action":"crypto.hash","params":{"data":"${{inputs.text}}"}}],
  "inputs":{"text":"a"}}"#;

/// A question between two steps.
pub(crate) const ASKS: &str = r#"{"steps":[
  {"id":"first","type":"action","action":"crypto.hash","params":{"data":"a"}},
  {"id":"ask","type":"reasoning","depends_on":["first"],"config":{"prompt_context":"Ship it?",
    "options":[{"id":"yes","description":"now"},{"id":"no"}]}},
  {"id":"last","type":"action","action":"crypto.hash","depends_on":["ask"],
    "params":{"data":"${{steps.ask.choice}}"}}]}"#;

/// A step that counts how often it ran, then one that waits for a file called `go`.
pub(crate) const SLOW: &str = r#"{"name":"slow","steps":[
  {"id":"count","type":"action","action":"shell.exec","params":{"command":"sh",
    "args":["-c","echo x >> \"$0/counted\"; wc -l < \"$0/counted\"","${{inputs.dir}}"]}},
  {"id":"hold","type":"action","action":"shell.exec","depends_on":["count"],"params":{"command":"sh",
    "args":["-c","until [ -e \"$0/go\" ]; do sleep 0.02; done; echo gone","${{inputs.dir}}"]}},
  {"id":"after","type":"action","action":"crypto.hash","depends_on":["hold"],
    "params":{"data":"${{steps.count.stdout}}"}}]}"#;

impl Home {
    /// Starts `SLOW` here and waits until it holds; answers it and its id.
    pub(crate) fn hold(&self, name: &str, more: &[&str]) -> (Started, String) {
        let file = self.file("slow.json", SLOW);
        let params = self.params();
        let args = [&["run", &file, "--params", &params], more].concat();
        let started = self.start(name, &args);
        let id = self.workflow();
        self.until_event(&id, "step_started", "hold");
        (started, id)
    }

    /// Inputs of `SLOW`.
    pub(crate) fn params(&self) -> String {
        serde_json::json!({"dir": self.dir.path()}).to_string()
    }

    /// Lets `SLOW` go on.
    pub(crate) fn go(&self) {
        self.file("go", "");
    }
}
