//! Reads one JSON object of a definition, member by member, gathering every problem on the way.
//!
//! Keeps: reading goes on after a problem; each problem points at its place; unknown members warn with the nearest name.
//! Not here: which members there are (`workflow.rs`, `steps.rs`, `configs.rs`).

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use opcode_expr::{CompileError, CompileErrorKind, Language, Program, Template};
use opcode_model::problem::{nearest, pointer};
use opcode_model::time::parse_duration;
use opcode_model::{ErrorCode, Object, Problem, Value};

/// What a span looks like.
const DURATION: &str = "write numbers with units: 300ms, 90s, 1m30s, 2h";

/// What authors write who know other systems, and what it is called here.
const SYNONYMS: &[(&str, &str)] = &[
    ("action", "uses"),
    ("action", "task"),
    ("action", "tool"),
    ("params", "with"),
    ("params", "args"),
    ("params", "arguments"),
    ("params", "input"),
    ("depends_on", "needs"),
    ("depends_on", "dependencies"),
    ("depends_on", "after"),
    ("condition", "if"),
    ("condition", "when"),
    ("condition", "expression"),
    ("expression", "condition"),
    ("max", "max_attempts"),
    ("max", "max_retries"),
    ("max", "attempts"),
    ("max", "retries"),
    ("max", "limit"),
    ("delay", "initial_delay"),
    ("delay", "interval"),
    ("max_delay", "max_interval"),
    ("retry_on", "codes"),
    ("branches", "cases"),
    ("branches", "steps"),
    ("body", "steps"),
    ("body", "do"),
    ("over", "items"),
    ("over", "foreach"),
    ("break", "stop_when"),
    ("max_iter", "max_iterations"),
    ("concurrency", "max_concurrency"),
    ("prompt_context", "prompt"),
    ("prompt_context", "question"),
    ("options", "choices"),
    ("data_inject", "data"),
    ("fallback_step", "step"),
    ("fallback_step", "fallback"),
    ("fail_workflow", "fail"),
    ("ignore", "continue"),
    ("cel", "javascript"),
    ("inputs", "params"),
    ("steps", "tasks"),
    ("steps", "nodes"),
];

/// What was meant by a name that is not known here.
fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let is_it = |(word, synonym): &&(&str, &str)| *synonym == name && known.contains(word);
    let synonym = SYNONYMS.iter().find(is_it).map(|(word, _)| *word);
    let synonym = synonym.and_then(|word| known.iter().copied().find(|known| *known == word));
    synonym.or_else(|| nearest(name, known.iter().copied()))
}

/// How many retries so many attempts are.
fn retries(name: &str, value: &Value) -> Option<i64> {
    let attempts = value.as_i64().filter(|_| name.ends_with("attempts"))?;
    Some(attempts.saturating_sub(1).max(0))
}

/// Where all problems of one definition gather.
#[derive(Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub(super) fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// Whether something at that place, or below it, is wrong.
    pub(super) fn any_error_in(&self, place: &str) -> bool {
        let below = |path: &str| {
            path.strip_prefix(place).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'/', ..]))
        };
        self.0.borrow().iter().any(|problem| problem.forbids_running() && below(&problem.path))
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

    /// Notes an error at a member, and what to do about it.
    pub(super) fn wrong(&self, member: &str, message: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::error(ErrorCode::Validation, self.at(member), message);
        self.problems.push(problem.hint(hint));
    }

    /// A member that is there and not null.
    pub(super) fn value(&self, member: &str) -> Option<&'a Value> {
        self.object.find(member).filter(|value| !value.is_null())
    }

    /// Warns about members nobody reads.
    pub(super) fn known(&self, members: &[&str]) {
        for (key, value) in self.object {
            if members.contains(&key.as_ref()) {
                continue;
            }
            if self.path.is_empty() && key.as_ref() == "triggers" {
                let message = "there are no triggers yet; this is ignored";
                let hint = "start it with `opcode run` or `opcode.run`";
                self.problems.push(Problem::warning(self.at(key), message).hint(hint));
                continue;
            }
            let problem =
                Problem::warning(self.at(key), format!("unknown field `{key}` is ignored"));
            self.problems.push(match meant(key, members) {
                Some(meant) => {
                    let is_free = self.object.find(meant).is_none();
                    let problem = problem.hint(format!("did you mean `{meant}`?"));
                    match retries(key, value).filter(|_| meant == "max") {
                        Some(retries) if is_free => problem
                            .hint("did you mean `max`? It counts what follows the first attempt")
                            .rename_to(meant, &retries.into()),
                        None if is_free => problem.rename_to(meant, value),
                        Some(_) | None => problem.remove(),
                    }
                }
                None => {
                    problem.hint(format!("the fields here are {}", members.join(", "))).remove()
                }
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
            let message = format!("`{member}` must be {kind}, not {}", value.kind());
            self.wrong(member, message, format!("write {}", example(kind)));
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

    /// A list. One item that stands alone is shown how to be one.
    pub(super) fn list(&self, member: &str) -> Option<&'a [Value]> {
        let value = self.value(member)?;
        let list = value.as_list();
        if list.is_none() {
            let message = format!("`{member}` must be a list, not {}", value.kind());
            let problem = Problem::error(ErrorCode::Validation, self.at(member), message);
            let problem = problem.hint(format!("write {}", example("a list")));
            let items: Vec<Value> = match value.as_object() {
                Some(object) if object.find("id").is_none() => {
                    object.iter().map(|(_, item)| item.clone()).collect()
                }
                Some(_) | None => vec![value.clone()],
            };
            self.problems.push(match items.is_empty() {
                true => problem,
                false => problem.replace_with(Value::list(items)),
            });
        }
        list
    }

    /// A whole number from `low` to `high`.
    pub(super) fn count(&self, member: &str, low: u32, high: u32) -> Option<u32> {
        let quoted = self.value(member).and_then(Value::as_str).and_then(|it| it.parse().ok());
        if let Some(number) = quoted.filter(|number| (low..=high).contains(number)) {
            let message = format!("`{member}` must be a whole number, not text");
            let problem = Problem::error(ErrorCode::Validation, self.at(member), message);
            self.problems.push(problem.hint("take away the quotes").replace_with(number));
            return None;
        }
        let number = self.typed(member, "a whole number", Value::as_i64)?;
        match u32::try_from(number).ok().filter(|n| (low..=high).contains(n)) {
            Some(n) => Some(n),
            None => {
                let nearest = if number < i64::from(low) { low } else { high };
                let message = format!("`{member}` must be from {low} to {high}, not {number}");
                self.problems.push(
                    Problem::error(ErrorCode::Validation, self.at(member), message)
                        .hint(format!("the nearest that is allowed is {nearest}"))
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
            )
            .hint(DURATION);
            // A number may be seconds or milliseconds: only its author knows.
            self.problems.push(problem);
            return None;
        };
        match parse_duration(text) {
            Ok(span) if !span.is_zero() && span.as_millis() == 0 => {
                let message = format!("`{text}` is shorter than a millisecond");
                self.wrong(member, message, "the shortest is 1ms");
                None
            }
            Ok(span) => Some(span),
            Err(error) => {
                let message = format!("`{text}` is not a duration: {error}");
                let problem = Problem::error(ErrorCode::Validation, self.at(member), message);
                let problem = problem.hint(DURATION);
                self.problems.push(match mended(text) {
                    Some(span) => problem.replace_with(span),
                    None => problem,
                });
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
        self.problems.push(match meant(text, &names) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")).replace_with(meant),
            None => problem.hint("leave it out for the default, or write one of these words"),
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
                self.problems.push(uncompiled(ErrorCode::Validation, self.at(member), text, error));
                None
            }
        }
    }

    /// A value whose texts may hold `${{ … }}`.
    pub(super) fn template(&self, path: &str, value: &Value, secrets: bool) -> Option<Template> {
        let forbidden = if secrets { Vec::new() } else { Template::secrets_in(value) };
        for (place, name) in forbidden {
            let message = format!("secret `{name}` may stand only in an action's parameters");
            let hint = "give it to the action that needs it: `${{secrets.NAME}}` there";
            let problem = Problem::error(ErrorCode::Validation, format!("{path}{place}"), message);
            self.problems.push(problem.hint(hint));
        }
        match Template::compile(value) {
            Ok(template) => Some(template),
            Err(errors) => {
                for error in errors {
                    let place = format!("{path}{}", error.pointer);
                    let text = value.pointer(&error.pointer).and_then(Value::as_str);
                    let text = text.unwrap_or_default();
                    let problem = uncompiled(ErrorCode::Interpolation, place, text, error.error);
                    self.problems.push(problem);
                }
                None
            }
        }
    }
}

/// What is wrong with an expression's text, and the text that would be right, where that can be told.
pub(super) fn uncompiled(
    code: ErrorCode,
    place: String,
    source: &str,
    error: CompileError,
) -> Problem {
    let code = match error.kind {
        CompileErrorKind::Limit => ErrorCode::LimitExceeded,
        CompileErrorKind::Syntax
        | CompileErrorKind::Unknown
        | CompileErrorKind::Type
        | CompileErrorKind::Secret => code,
    };
    let mut problem = Problem::error(code, place, error.to_string());
    problem.hint = error.hint.or_else(|| Some(near(source, error.span.start)));
    match error.replacement {
        Some(source) => problem.replace_with(source),
        None => problem,
    }
}

/// Where in a source something is wrong, and the text around it.
fn near(source: &str, at: usize) -> String {
    const AROUND: usize = 24;
    let before = source.get(..at).unwrap_or(source);
    let place = before.chars().count() + 1;
    let skipped = before.chars().count().saturating_sub(AROUND);
    let shown: String = source.chars().skip(skipped).take(2 * AROUND).collect();
    format!("look at character {place}, in `{}`", shown.trim())
}

/// A span that was written almost right: a unit may be a word.
fn mended(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let unit = match unit.trim() {
        "sec" | "secs" | "second" | "seconds" => "s",
        "millis" | "msec" | "millisecond" | "milliseconds" => "ms",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => {
            let hours = number.parse::<u32>().ok()?.checked_mul(24)?;
            return Some(format!("{hours}h"));
        }
        _ => return None,
    };
    let span = format!("{number}{unit}");
    parse_duration(&span).is_ok().then_some(span)
}

/// How a value of that kind is written.
fn example(kind: &str) -> &'static str {
    match kind {
        "text" => "text in quotes: \"…\"",
        "true or false" => "true or false, without quotes",
        "an object" => "an object: {\"key\": …}",
        "a list" => "a list: [ … ]",
        _ => "a whole number, without quotes",
    }
}
