//! `settings.json` in our home: what stands for flags that nobody gives.
//!
//! Keeps: flags win over the environment, that over this file; a setting that is unknown or wrong is an error at its line.
//! Not here: what a setting means (`cli.rs` and the commands).

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::{Command, ValueEnum};
use opcode_model::problem::{nearest, pointer};
use opcode_model::{Object, Problem, Value};
use opcode_runtime::{Quotas, Retention, days};

use crate::cli::DurabilityArg;
use crate::cmd::serve::{NamesArg, listen_at};
use crate::source::{self, Written};
use crate::trouble::Trouble;
use crate::{isolation, logs, plugins, wire};

/// One setting: its name, which is that of its flag, and what it takes.
struct Key {
    name: &'static str,
    takes: Takes,
}

/// What a setting takes.
enum Takes {
    /// A text that is fit.
    Text(fn(&str) -> Result<(), String>),
    /// Several.
    Texts,
    /// A whole number, at most this.
    Number(i64),
    /// Yes or no.
    Switch,
    /// Something with members of its own; an error has a place below it.
    Whole(fn(&Value) -> Result<(), Problem>),
}

const fn key(name: &'static str, takes: Takes) -> Key {
    Key { name, takes }
}

/// Every setting there is.
const KEYS: [Key; 25] = [
    key("listen_addr", Takes::Text(|text| listen_at(text).map(drop))),
    key("allowed_hosts", Takes::Texts),
    key("base_url", Takes::Text(|text| wire::base_url(text).map(drop))),
    key("tool_names", Takes::Text(|text| NamesArg::from_str(text, false).map(drop))),
    key("panel", Takes::Switch),
    key("db_path", Takes::Text(given)),
    key("durability", Takes::Text(|text| DurabilityArg::from_str(text, false).map(drop))),
    key("pool_size", Takes::Number(100_000)),
    key("fs_roots", Takes::Texts),
    key("fs_read_roots", Takes::Texts),
    key("fs_deny", Takes::Texts),
    key("deny_private", Takes::Switch),
    key("lenient_shell", Takes::Switch),
    key("vault_key_file", Takes::Text(given)),
    key("sandbox", Takes::Whole(|value| isolation::sandbox(value).map(drop))),
    key("limits", Takes::Whole(|value| isolation::limits(value).map(drop))),
    key("shell_env", Takes::Texts),
    key("plugins", Takes::Whole(|value| plugins::entries(value).map(drop))),
    key("quotas", Takes::Whole(|value| Quotas::read(value).map(drop))),
    key("keep", Takes::Text(|text| days(text).map(drop))),
    key("keep_failed", Takes::Text(|text| days(text).map(drop))),
    key("retention", Takes::Whole(|value| Retention::read(value).map(drop))),
    key("log_level", Takes::Text(|text| logs::level(text).map(drop))),
    key("log_format", Takes::Text(|text| logs::Format::from_str(text, false).map(drop))),
    key("update_url", Takes::Text(given)),
];

fn given(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(()) }
}

/// What is wrong with a setting, and where below it.
#[derive(Debug)]
struct Wrong {
    below: String,
    why: String,
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self { below: String::new(), why }
    }
}

impl Key {
    /// The words a command line would have.
    fn words(&self, value: &Value) -> Result<Vec<String>, Wrong> {
        match (&self.takes, value) {
            (Takes::Text(check), Value::String(text)) => {
                check(text)?;
                Ok(vec![text.to_string()])
            }
            (Takes::Texts, Value::List(items)) => {
                let word = |item: &Value| item.as_str().map(str::to_owned);
                let words = items.iter().map(word).collect::<Option<_>>();
                words.ok_or_else(|| self.wanted().into())
            }
            (Takes::Number(max), Value::Int(number)) if (1..=*max).contains(number) => {
                Ok(vec![number.to_string()])
            }
            (Takes::Switch, Value::Bool(is_on)) => Ok(vec![is_on.to_string()]),
            (Takes::Whole(check), value) => match check(value) {
                Ok(()) => Ok(vec![value.to_json()]),
                Err(problem) => {
                    let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                    Err(Wrong { below: problem.path, why: problem.message + &hint })
                }
            },
            _ => Err(self.wanted().into()),
        }
    }

    fn wanted(&self) -> String {
        match self.takes {
            Takes::Text(_) => "a text is needed".to_owned(),
            Takes::Texts => "a list of texts is needed".to_owned(),
            Takes::Number(max) => format!("a whole number from 1 to {max} is needed"),
            Takes::Switch => "true or false is needed".to_owned(),
            Takes::Whole(_) => "an object is needed".to_owned(),
        }
    }
}

/// What the file says, in the words of the command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings(Vec<(&'static str, Vec<String>)>);

impl Settings {
    /// Reads the file; without one, nothing is set.
    ///
    /// # Errors
    /// At its place, what is not JSON, not a setting, or not what it takes.
    pub(crate) fn read() -> Result<Self, Trouble> {
        let Some(path) = path().filter(|path| path.exists()) else { return Ok(Self::default()) };
        let (value, written) = source::written(&path.to_string_lossy())?;
        let Some(object) = value.as_object() else {
            return Err(told(&written, "", "settings are one JSON object", ""));
        };
        Self::of(object).map_err(|(name, wrong)| {
            let names = KEYS.iter().map(|key| key.name);
            let hint = match &wrong {
                Some(_) => "mend it, or take it out".to_owned(),
                None => match nearest(&name, names.clone()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
                },
            };
            let what = wrong.unwrap_or_else(|| "there is no such setting".to_owned().into());
            let place = pointer("", &name) + &what.below;
            told(&written, &place, &format!("`{name}`: {}", what.why), &hint)
        })
    }

    /// An error is a name, and what is wrong with its value if the name itself is known.
    fn of(object: &Object) -> Result<Self, (String, Option<Wrong>)> {
        let words = |(name, value): &(std::sync::Arc<str>, Value)| {
            let key = KEYS.iter().find(|key| *key.name == **name);
            let key = key.ok_or_else(|| (name.to_string(), None))?;
            let words = key.words(value).map_err(|why| (name.to_string(), Some(why)))?;
            Ok((key.name, words))
        };
        object.iter().map(words).collect::<Result<_, _>>().map(Self)
    }

    /// What one setting says.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.words(name)?.first().map(String::as_str)
    }

    fn words(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, words)| words.as_slice())
    }

    /// Puts them where the command line has its own defaults, so that flags and environment still win.
    pub(crate) fn lay_under(&self, command: Command) -> Command {
        let takes = |command: &Command, name: &str| {
            command.get_arguments().any(|argument| argument.get_id() == name)
        };
        let under = self.0.iter().filter(|(_, words)| !words.is_empty());
        let command = under.fold(command, |command, (name, words)| {
            if !takes(&command, name) {
                return command;
            }
            command.mut_arg(name, |argument| argument.default_values(words))
        });
        command.mut_subcommands(|inner| self.lay_under(inner))
    }
}

fn told(written: &Written, pointer: &str, what: &str, hint: &str) -> Trouble {
    let at = written.line_column(pointer);
    let place = format!("{}:{}:{}", written.name(), at.line, at.column);
    Trouble::usage(format!("{place}: {what}")).hint(hint)
}

/// Where the file is, if there is a home.
pub(crate) fn path() -> Option<PathBuf> {
    wire::home().map(|home| home.join("settings.json"))
}

/// Changes some settings of the file and keeps the others; answers where it is.
///
/// # Errors
/// If what is there is broken, or a value is not what its setting takes; nothing is written then.
pub(crate) fn change(changes: &[(&str, Value)]) -> Result<PathBuf, Trouble> {
    let path = path().ok_or_else(|| Trouble::usage("there is no home directory"))?;
    Settings::read()?;
    let known = if path.exists() { source::json(&path.to_string_lossy())? } else { Value::Null };
    let known = known.as_object().cloned().unwrap_or_default();
    let kept = known.iter().filter(|(name, _)| !changes.iter().any(|(new, _)| *new == &**name));
    let kept = kept.map(|(name, value)| (name.to_string(), value.clone()));
    let new = changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let all = Value::object(kept.chain(new).collect::<Vec<_>>());
    let whole = all.as_object().cloned().unwrap_or_default();
    Settings::of(&whole).map_err(|(name, wrong)| {
        let why = wrong.map(|wrong| wrong.why).unwrap_or_default();
        Trouble::usage(format!("`{name}`: {why}"))
    })?;
    let text = serde_json::to_string_pretty(&all).map_err(std::io::Error::other);
    text.and_then(|text| write(&path, &text))
        .map_err(|cause| Trouble::fault(format!("could not write {}: {cause}", path.display())))?;
    Ok(path)
}

/// A reader sees the old text or the new one, and nobody but us sees either.
pub(crate) fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    // What lies there is of nobody who wrote well, and may lead elsewhere.
    if let Err(cause) = std::fs::remove_file(&new)
        && cause.kind() != std::io::ErrorKind::NotFound
    {
        return Err(cause);
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create_new(true).write(true).mode(0o600).open(&new)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_setting_is_a_flag_of_some_command() {
        fn has(command: &Command, name: &str) -> bool {
            command.get_arguments().any(|argument| argument.get_id() == name)
                || command.get_subcommands().any(|inner| has(inner, name))
        }
        for key in &KEYS {
            assert!(has(&Cli::command(), key.name), "{}", key.name);
        }
    }
}
