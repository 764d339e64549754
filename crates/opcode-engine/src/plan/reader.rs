//! Reads one JSON object of a definition, member by member, gathering every problem on the way.
//!
//! Keeps: reading goes on after a problem; each problem points at its place; unknown members warn with the nearest name.
//! Not here: which members there are (`workflow.rs`, `steps.rs`, `configs.rs`).

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use opcode_expr::{CompileError, CompileErrorKind, Language, Program, Template};
use opcode_model::problem::{nearest, pointer};
use opcode_model::time::{format_duration, parse_duration};
use opcode_model::{ErrorCode, Object, Problem, Value};

/// Where all problems of one definition gather.
#[derive(Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// One object of the definition, at one place.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) object: &'a Object,
    pub(super) path: &'a str,
    pub(super) problems: &'a Problems,
}

impl<'a> Reader<'a> {
    /// The place of a member.
    pub(super) fn at(&self, member: &str) -> String {
        pointer(self.path, member)
    }

    /// Notes an error at a member.
    pub(super) fn wrong(&self, member: &str, message: impl Into<String>) {
        self.problems.push(Problem::error(ErrorCode::Validation, self.at(member), message));
    }

    /// A member that is there and not null.
    pub(super) fn value(&self, member: &str) -> Option<&'a Value> {
        self.object.find(member).filter(|value| !value.is_null())
    }

    /// Warns about members nobody reads.
    pub(super) fn known(&self, members: &[&str]) {
        for key in self.object.keys().filter(|key| !members.contains(&key.as_ref())) {
            let problem =
                Problem::warning(self.at(key), format!("unknown field `{key}` is ignored"));
            self.problems.push(match nearest(key, members.iter().copied()) {
                Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
                None => problem.remove(),
            });
        }
    }

    fn typed<T>(
        &self,
        member: &str,
        kind: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(member)?;
        let read = read(value);
        if read.is_none() {
            self.wrong(member, format!("`{member}` must be {kind}, not {}", value.kind()));
        }
        read
    }

    pub(super) fn text(&self, member: &str) -> Option<&'a str> {
        self.typed(member, "text", Value::as_str)
    }

    pub(super) fn shared(&self, member: &str) -> Option<Arc<str>> {
        self.text(member).map(Into::into)
    }

    pub(super) fn flag(&self, member: &str) -> Option<bool> {
        self.typed(member, "true or false", Value::as_bool)
    }

    pub(super) fn object(&self, member: &str) -> Option<&'a Object> {
        self.typed(member, "an object", Value::as_object)
    }

    pub(super) fn list(&self, member: &str) -> Option<&'a [Value]> {
        self.typed(member, "a list", Value::as_list)
    }

    /// A whole number from `low` to `high`.
    pub(super) fn count(&self, member: &str, low: u32, high: u32) -> Option<u32> {
        let number = self.typed(member, "a whole number", Value::as_i64)?;
        match u32::try_from(number).ok().filter(|n| (low..=high).contains(n)) {
            Some(n) => Some(n),
            None => {
                let nearest = if number < i64::from(low) { low } else { high };
                let message = format!("`{member}` must be from {low} to {high}, not {number}");
                self.problems.push(
                    Problem::error(ErrorCode::Validation, self.at(member), message)
                        .replace_with(nearest),
                );
                None
            }
        }
    }

    /// A span in Go's notation.
    pub(super) fn duration(&self, member: &str) -> Option<Duration> {
        let value = self.value(member)?;
        let Some(text) = value.as_str() else {
            let problem = Problem::error(
                ErrorCode::Validation,
                self.at(member),
                format!("`{member}` must be a duration such as \"30s\", not {}", value.kind()),
            );
            self.problems.push(match value.as_i64().and_then(|n| u64::try_from(n).ok()) {
                Some(seconds) => {
                    problem.replace_with(format_duration(Duration::from_secs(seconds)))
                }
                None => problem,
            });
            return None;
        };
        match parse_duration(text) {
            Ok(span) if !span.is_zero() && span.as_millis() == 0 => {
                self.wrong(member, format!("`{text}` is shorter than a millisecond"));
                None
            }
            Ok(span) => Some(span),
            Err(error) => {
                self.wrong(member, format!("`{text}` is not a duration: {error}"));
                None
            }
        }
    }

    /// One word of a few.
    pub(super) fn word<T: Copy>(&self, member: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(member)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{member}` must be one of {}, not `{text}`", names.join(", "));
        let problem = Problem::error(ErrorCode::Validation, self.at(member), message);
        self.problems.push(match nearest(text, names) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")).replace_with(meant),
            None => problem,
        });
        None
    }

    /// An expression. One wrapped whole in `${{ }}` is taken as meant.
    pub(super) fn program(&self, language: Language, member: &str) -> Option<Program> {
        let text = self.text(member)?;
        let bare = text.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
        match Program::compile(language, bare.map_or(text, str::trim)) {
            Ok(program) => Some(program),
            Err(error) => {
                self.problems.push(uncompiled(ErrorCode::Validation, self.at(member), error));
                None
            }
        }
    }

    /// A value whose texts may hold `${{ … }}`.
    pub(super) fn template(&self, path: &str, value: &Value, secrets: bool) -> Option<Template> {
        match Template::compile(value) {
            Ok(template) => {
                if !secrets && let Some(name) = template.secrets().next() {
                    let message =
                        format!("secret `{name}` may stand only in an action's parameters");
                    self.problems.push(Problem::error(ErrorCode::Validation, path, message));
                }
                Some(template)
            }
            Err(errors) => {
                for error in errors {
                    let place = format!("{path}{}", error.pointer);
                    let problem = uncompiled(ErrorCode::Interpolation, place, error.error);
                    self.problems.push(problem);
                }
                None
            }
        }
    }
}

/// What is wrong with an expression's text, and the text that would be right, where that can be told.
pub(super) fn uncompiled(code: ErrorCode, place: String, error: CompileError) -> Problem {
    let code = match error.kind {
        CompileErrorKind::Limit => ErrorCode::LimitExceeded,
        CompileErrorKind::Syntax
        | CompileErrorKind::Unknown
        | CompileErrorKind::Type
        | CompileErrorKind::Secret => code,
    };
    let mut problem = Problem::error(code, place, error.to_string());
    problem.hint = error.hint;
    match error.replacement {
        Some(source) => problem.replace_with(source),
        None => problem,
    }
}
