//! Problems of a definition, each where it stands.
//!
//! Keeps: code, place, cause and cure of every one; the worst first.
//! Not here: finding them.

use opcode_model::Problem;
use opcode_model::problem::Patch;

use crate::say;
use crate::show::{count, cut};
use crate::source::Written;

/// More are counted, not shown.
const SHOWN_MAX: usize = 20;

/// Tells all of them.
pub(crate) fn tell(problems: &[Problem], written: Option<&Written>) {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| problem.severity);
    for problem in sorted.iter().take(SHOWN_MAX) {
        tell_one(problem, written);
    }
    let rest = sorted.len().saturating_sub(SHOWN_MAX);
    if rest > 0 {
        say::talk(&format!("… and {}; --json shows all", count(rest, "more problem")));
    }
}

fn tell_one(problem: &Problem, written: Option<&Written>) {
    let pointer = if problem.path.is_empty() { "/" } else { &problem.path };
    let at = written.map(|written| (written, written.line_column(&problem.path)));
    let place = match &at {
        Some((written, at)) => {
            format!("{}:{}:{} ({pointer})", written.name(), at.line, at.column)
        }
        None => pointer.to_owned(),
    };
    if problem.is_error() {
        say::error(&format!("[{}] {place}: {}", problem.code, problem.message));
    } else {
        let word = say::err().yellow("warning:");
        say::talk(&format!("{word} {place}: {}", problem.message));
    }
    if let Some(excerpt) = at.and_then(|(written, at)| written.excerpt(at)) {
        say::talk(&excerpt);
    }
    match &problem.hint {
        Some(hint) => say::hint(hint),
        None => problem.fix.iter().for_each(|patch| say::hint(&cure(patch))),
    }
}

fn cure(patch: &Patch) -> String {
    let value = patch.value.as_ref().map(|value| cut(&value.to_json(), 60)).unwrap_or_default();
    match patch.op {
        "remove" => format!("remove {}", patch.path),
        "add" => format!("add {} {value}", patch.path),
        _ => format!("put {value} there"),
    }
}

/// A problem for machines, with line and column where they are known.
pub(crate) fn to_json(problem: &Problem, written: Option<&Written>) -> serde_json::Value {
    let mut json = serde_json::to_value(problem).unwrap_or_default();
    if let (Some(written), Some(object)) = (written, json.as_object_mut()) {
        let at = written.line_column(&problem.path);
        object.insert("line".to_owned(), at.line.into());
        object.insert("column".to_owned(), at.column.into());
    }
    json
}
