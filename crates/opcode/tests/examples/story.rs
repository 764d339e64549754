//! What `story.json` beside an example says: what is given, what is done, what comes of it.
//!
//! Keeps: a word nobody reads is an error, so that no expectation is lost by a slip of the pen.
//! Not here: doing it (`play.rs`), comparing (`check.rs`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::server::Routes;

/// All cases of one example.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Story {
    pub(crate) cases: Vec<Case>,
    /// Warnings that `define` may give, by their place.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
}

/// One run from its start to its end. `$SERVER` and `$DIR` stand for the server and an empty folder of the case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Templates to define first, by name.
    #[serde(default)]
    pub(crate) templates: BTreeMap<String, String>,
    #[serde(default = "nothing")]
    pub(crate) params: Value,
    /// Files that are there beforehand.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) routes: Routes,
    /// What `opcode run` answers.
    pub(crate) run: Expect,
    #[serde(default)]
    pub(crate) acts: Vec<Act>,
    /// How often each route was asked in the end.
    #[serde(default)]
    pub(crate) served: BTreeMap<String, usize>,
    /// The body of the last request to a route.
    #[serde(default)]
    pub(crate) received: BTreeMap<String, Value>,
    /// Routes all of whose requests bear one idempotency key.
    #[serde(default)]
    pub(crate) same_key: Vec<String>,
    /// Files in the end; `*` stands for any text.
    #[serde(default)]
    pub(crate) files_after: BTreeMap<String, String>,
}

/// What a command answers. What is not named is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    pub(crate) status: Option<String>,
    /// The error's code: of the run, or of the refusal if there is no status.
    pub(crate) error: Option<String>,
    /// The whole output; `"*"` stands for any value.
    pub(crate) output: Option<Value>,
    pub(crate) steps: BTreeMap<String, String>,
    pub(crate) took_at_least_ms: BTreeMap<String, u64>,
}

/// Something said to the run; without a signal, the run is only waited for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Act {
    /// The signal's type.
    pub(crate) signal: Option<String>,
    step: Option<String>,
    choice: Option<String>,
    name: Option<String>,
    payload: Option<Value>,
    reason: Option<String>,
    agent: Option<String>,
    /// The signal goes to the child whose decision is open.
    #[serde(default)]
    pub(crate) in_child: bool,
    pub(crate) expect: Option<Expect>,
}

impl Act {
    /// What follows `opcode signal ID`.
    pub(crate) fn words(&self) -> Vec<String> {
        let kind = self.signal.as_deref().unwrap_or_default();
        let payload = self.payload.as_ref().map(Value::to_string);
        let (place, step) =
            if kind == "data" { (None, &self.step) } else { (self.step.clone(), &None) };
        let flags = [
            ("--name", &self.name),
            ("--step", step),
            ("--payload", &payload),
            ("--reason", &self.reason),
            ("--agent", &self.agent),
        ];
        let flags =
            flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value.clone()?]));
        let words = [Some(kind.to_owned()), place, self.choice.clone()];
        words.into_iter().flatten().chain(flags.flatten()).collect()
    }
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// An example: its folder and what is in it.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) story: Story,
}

/// Where the examples are.
pub(crate) fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Every example there is, by name.
pub(crate) fn all() -> Vec<Example> {
    let entries = fs::read_dir(home()).expect("the folder of examples");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.into_iter().map(read).collect()
}

fn read(folder: PathBuf) -> Example {
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let story = json(&folder.join("story.json"));
    let story = serde_json::from_value(story).unwrap_or_else(|error| panic!("{name}: {error}"));
    Example { name, folder, story }
}

/// A file of JSON.
pub(crate) fn json(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
