//! What people hand in: definitions and values, from files, from stdin, from the command line.
//!
//! Keeps: whoever wrote it is told line and column, with the line itself beside it.
//! Not here: whether a definition is any good (`opcode-runtime`).

use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use opcode_model::limits::{JSON_DEPTH_MAX, TEXT_BYTES_MAX};
use opcode_model::{Problem, Value};
use opcode_runtime::{BESIDE, Document};
use serde_json::json;

use crate::once;
use crate::place::{LineColumn, line_column, locate};
use crate::say;
use crate::trouble::Trouble;

/// Longer lines are not shown.
const LINE_CHARS_MAX: usize = 120;

/// What to do about a text that is not JSON.
const CURE: &str =
    "mend the text at the mark; JSON has no comments, no trailing commas, and each key once";

/// A text as it was written, and what to call it.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    name: Arc<str>,
    text: Arc<str>,
    /// Where in the text the definition stands, and which of its members stand beside it.
    wrapper: Option<[bool; BESIDE.len()]>,
}

/// A definition, and the text it stands in.
pub(crate) struct Source {
    pub(crate) document: Document,
    pub(crate) written: Written,
}

impl Source {
    /// What to call it: as it says itself, or as its file is called.
    pub(crate) fn title(&self, file: &str) -> Option<Arc<str>> {
        let definition = &self.document.definition;
        let title = definition.find("metadata").and_then(|metadata| metadata.find("name"));
        let own = || title.or(definition.find("name")).and_then(Value::as_str).map(Into::into);
        let stem = || Path::new(file).file_stem()?.to_str().map(Into::into);
        let called = || if file == "-" { None } else { stem() };
        self.document.name.clone().or_else(own).or_else(called)
    }
}

/// A text that is not JSON.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    written: Written,
    at: LineColumn,
    cause: String,
}

impl Written {
    pub(crate) fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into(), wrapper: None }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Pointers into the definition become pointers into the text.
    pub(crate) fn place(&self, problems: &mut [Problem]) {
        let Some(beside) = self.wrapper else { return };
        let place = |path: &mut String| {
            let stands = |(member, beside): (&str, bool)| {
                let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(member));
                beside && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !BESIDE.into_iter().zip(beside).any(stands) {
                path.insert_str(0, "/definition");
            }
        };
        for problem in problems {
            place(&mut problem.path);
            for patch in &mut problem.fix {
                place(&mut patch.path);
            }
        }
    }

    /// Line and column of what a pointer names.
    pub(crate) fn line_column(&self, pointer: &str) -> LineColumn {
        line_column(&self.text, locate(&self.text, pointer))
    }

    /// The line with a mark below the column; nothing, if the line is too long to be read.
    pub(crate) fn excerpt(&self, at: LineColumn) -> Option<String> {
        let line = self.text.lines().nth(at.line - 1)?.replace('\t', " ");
        let indent = line.len() - line.trim_start().len();
        let shown = line.trim();
        if shown.is_empty() || shown.chars().count() > LINE_CHARS_MAX {
            return None;
        }
        let mark = " ".repeat((at.column - 1).saturating_sub(indent));
        Some(format!("    {shown}\n    {mark}^"))
    }

    /// The line in which a span of bytes begins, with marks below the span.
    pub(crate) fn marked(&self, span: &Range<usize>) -> Option<String> {
        let excerpt = self.excerpt(line_column(&self.text, span.start))?;
        let marked = self.text.get(span.clone()).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count();
        Some(excerpt + &"^".repeat(marked.saturating_sub(1)))
    }

    fn value(&self) -> Result<Value, Trouble> {
        let value = Value::from_json(&self.text);
        value.and_then(|value| once::check(&self.text).map(|()| value)).map_err(|error| {
            let cause = error.to_string();
            let cause = cause.rsplit_once(" at line ").map_or(cause.as_str(), |(cause, _)| cause);
            if cause == "recursion limit exceeded" {
                let name = self.name();
                return Trouble::limit(&format!("nesting of {name}"), JSON_DEPTH_MAX);
            }
            let at = LineColumn { line: error.line().max(1), column: error.column().max(1) };
            let cause = cause.to_owned();
            Trouble::Syntax(SyntaxError { written: self.clone(), at, cause })
        })
    }
}

impl SyntaxError {
    /// Tells people.
    pub(crate) fn tell(&self) {
        let LineColumn { line, column } = self.at;
        let name = self.written.name();
        say::error(&format!("[VALIDATION_ERROR] {name}:{line}:{column}: not JSON: {}", self.cause));
        if let Some(excerpt) = self.written.excerpt(self.at) {
            say::talk(&excerpt);
        }
        say::hint(CURE);
    }

    /// Tells machines.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        json!({
            "severity": "error",
            "code": "VALIDATION_ERROR",
            "path": "",
            "message": format!("{} is not JSON: {}", self.written.name(), self.cause),
            "line": self.at.line,
            "column": self.at.column,
            "hint": CURE,
        })
    }
}

/// Whether a word names a file, or can only be meant as one.
pub(crate) fn is_file(word: &str) -> bool {
    let exists = Path::new(word).metadata().is_ok_and(|found| !found.is_dir());
    word == "-" || exists || word.contains('/') || word.ends_with(".json")
}

/// Reads a definition from a file; `-` is stdin.
pub(crate) fn definition(file: &str) -> Result<Source, Trouble> {
    let mut written = text(file)?;
    let value = written.value()?;
    let definition = value.find("definition");
    if let Some(own) = definition {
        let beside = |key: &str| {
            let given = value.find(key).is_some_and(|schema| !schema.is_null());
            given && own.find(key).is_none()
        };
        written.wrapper = Some(BESIDE.map(beside));
    }
    Ok(Source { document: Document::read(&value), written })
}

/// Reads a value from a file; `-` is stdin.
pub(crate) fn json(file: &str) -> Result<Value, Trouble> {
    written(file).map(|(value, _)| value)
}

/// The same, with the text it stands in.
pub(crate) fn written(file: &str) -> Result<(Value, Written), Trouble> {
    let written = text(file)?;
    Ok((written.value()?, written))
}

/// Reads a value given on the command line: JSON, or `@FILE` with JSON in it. `flag` is what to call it.
pub(crate) fn value(flag: &str, given: &str) -> Result<Value, Trouble> {
    match given.strip_prefix('@') {
        Some(file) => text(file)?.value(),
        None => Written::new(flag, given).value(),
    }
}

fn text(file: &str) -> Result<Written, Trouble> {
    let (name, bytes) = match file {
        "-" => ("stdin", read(std::io::stdin().lock())),
        file => (file, std::fs::File::open(file).and_then(read)),
    };
    let bytes = bytes.map_err(|cause| unreadable(file, &cause))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Written::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let place = line_column(&text, at);
            let (line, column) = (place.line, place.column);
            Err(Trouble::usage(format!("{name}:{line}:{column}: not UTF-8 text"))
                .hint("save the file as UTF-8"))
        }
    }
}

fn read(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

fn unreadable(file: &str, cause: &std::io::Error) -> Trouble {
    if cause.kind() == std::io::ErrorKind::NotFound {
        let missing = Trouble::not_found(format!("there is no file {file}"));
        return match neighbour(file) {
            Some(meant) => missing.hint(format!("did you mean {meant}?")),
            None => missing.hint("check the path"),
        };
    }
    if cause.kind() == std::io::ErrorKind::FileTooLarge {
        return Trouble::limit(&format!("bytes of {file}"), TEXT_BYTES_MAX);
    }
    Trouble::usage(format!("could not read {file}: {cause}"))
        .hint("check the file and its permissions")
}

/// The file beside it that was probably meant.
fn neighbour(file: &str) -> Option<String> {
    let path = Path::new(file);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> = entries
        .take(10_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let wanted = path.file_name()?.to_str()?;
    let meant = opcode_model::problem::nearest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(meant).display().to_string())
}
