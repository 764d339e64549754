//! What is wrong with a definition: found all at once, each with a place and, where there is one, a fix.
//!
//! Keeps: a problem points with a JSON pointer; a fix is a JSON Patch (RFC 6902) a machine can apply.
//! Not here: how problems are found (`opcode-engine`'s `plan`).

use std::fmt;

use serde::Serialize;

use crate::error::ErrorCode;
use crate::value::Value;

/// Whether a problem forbids running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The definition cannot run.
    Error,
    /// It runs where it was taken in before; it is not taken in any more.
    #[serde(rename = "error")]
    Barred,
    /// It can run, but probably not as meant.
    Warning,
}

/// One operation of a JSON Patch (RFC 6902).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Patch {
    /// `add`, `replace` or `remove`.
    pub op: &'static str,
    /// JSON pointer to what changes.
    pub path: String,
    /// The new value, except for `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// One problem of a definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// Whether it forbids running.
    pub severity: Severity,
    /// The kind of failure.
    pub code: ErrorCode,
    /// JSON pointer (RFC 6901) to the place, `""` for the whole.
    pub path: String,
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// A change that cures it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<Patch>,
}

impl Problem {
    /// An error at `path`.
    pub fn error(code: ErrorCode, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            path: path.into(),
            message: message.into(),
            hint: None,
            fix: Vec::new(),
        }
    }

    /// A warning at `path`.
    pub fn warning(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(ErrorCode::Validation, path, message) }
    }

    /// The same problem with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem with a cure: replace what stands at its place.
    #[must_use]
    pub fn replace_with(mut self, value: impl Into<Value>) -> Self {
        self.fix =
            vec![Patch { op: "replace", path: self.path.clone(), value: Some(value.into()) }];
        self
    }

    /// The same problem with a cure: give the member at its place this name, its value as it is.
    #[must_use]
    pub fn rename_to(mut self, name: &str, value: &Value) -> Self {
        let base = self.path.rsplit_once('/').map_or("", |(base, _)| base);
        let path = pointer(base, name);
        self.fix = vec![
            Patch { op: "remove", path: self.path.clone(), value: None },
            Patch { op: "add", path, value: Some(value.clone()) },
        ];
        self
    }

    /// The same problem with a cure: take away what stands at its place.
    #[must_use]
    pub fn remove(mut self) -> Self {
        self.fix = vec![Patch { op: "remove", path: self.path.clone(), value: None }];
        self
    }

    /// The same problem with a cure: add a member.
    #[must_use]
    pub fn add(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fix = vec![Patch { op: "add", path: path.into(), value: Some(value.into()) }];
        self
    }

    /// A problem at `path` that only a definition taken in before may have.
    pub fn barred(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Barred, ..Self::warning(path, message) }
    }

    /// Whether it forbids taking the definition in.
    pub fn is_barred(&self) -> bool {
        self.severity == Severity::Barred
    }

    /// Whether it forbids running.
    pub fn forbids_running(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Whether it is more than a warning.
    pub fn is_error(&self) -> bool {
        self.severity != Severity::Warning
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "/" } else { &self.path };
        write!(f, "{} at {place}: {}", self.code, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

/// Joins a JSON pointer and one more member, escaped as RFC 6901 asks.
pub fn pointer(base: &str, member: &str) -> String {
    format!("{base}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// Of `candidates`, the one nearest to `name`, if any is near enough to be what was meant and no other is as near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = name.chars().count();
    let allowed = (letters / 3).max(1).min(letters.saturating_sub(1));
    let mut found: Option<(usize, &str)> = None;
    let mut is_alone = true;
    for candidate in candidates {
        let distance = edits(name, candidate);
        let best = found.map_or(allowed, |(best, _)| best);
        if distance < best || (distance == best && found.is_none()) {
            (found, is_alone) = (Some((distance, candidate)), true);
        } else if distance == best && found.is_some_and(|(_, other)| other != candidate) {
            is_alone = false;
        }
    }
    found.filter(|_| is_alone).map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance (Levenshtein with neighbours swapped for 1), ignoring case.
fn edits(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.to_lowercase().chars().take(200).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = above[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let actions = ["http.get", "http.post", "shell.exec"];
        assert_eq!(nearest("htp.get", actions), Some("http.get"));
        assert_eq!(nearest("shell.exe", actions), Some("shell.exec"));
        assert_eq!(nearest("quite.else", actions), None);
        assert_eq!(nearest("hots", ["host", "cos"]), Some("host"), "neighbours swapped");
        assert_eq!(nearest("foo", ["cos"]), None);
        assert_eq!(nearest("c", ["a", "b"]), None, "nothing of it is left");
        assert_eq!(nearest("ac", ["ab", "ad"]), None, "as near as each other");
        assert_eq!(nearest("ac", ["ab", "abc", "ab", "ac"]), Some("ac"));
    }

    #[test]
    fn pointers_escape_their_members() {
        assert_eq!(pointer("/a", "b/c~d"), "/a/b~1c~0d");
    }
}
