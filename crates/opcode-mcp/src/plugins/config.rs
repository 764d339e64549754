//! What an operator says of a plugin: how it is reached, how it is locked in, how long it may be silent.
//!
//! Keeps: what is unknown or does not fit is an error at its place; secrets stand here by name alone.
//! Not here: starting it (`connect.rs`), what it offers (`card.rs`).

use std::time::Duration;

use axum::http::Uri;
use opcode_engine::server_wishes;
use opcode_model::problem::{nearest, pointer};
use opcode_model::time::parse_duration;
use opcode_model::{ErrorCode, Failure, Object, Problem, Value, Wishes};

/// How long a call may be silent, unless the operator says otherwise.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest silence there is.
const SILENCE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Characters of a name.
const NAME_CHARS_MAX: usize = 64;

/// Every word of a plugin's entry.
const WORDS: [&str; 12] = [
    "args",
    "command",
    "cwd",
    "description",
    "env",
    "headers",
    "limits",
    "sandbox",
    "timeout",
    "trust_changes",
    "type",
    "url",
];

/// What an operator says of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginConfig {
    pub(super) reached: Reached,
    pub(super) wishes: Wishes,
    /// How long a call may go without an answer or a word of progress.
    pub(super) silence: Duration,
    /// Whether what it offers anew, or otherwise than before, is taken as it comes.
    pub(super) trusts_changes: bool,
    /// All of it, as it was written.
    pub(super) written: Value,
}

/// How a plugin is reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reached {
    /// A program of ours, over its standard streams.
    Program(Program),
    /// A server, over Streamable HTTP.
    Server {
        /// Where.
        url: String,
        /// Headers of each request; their contents may name secrets.
        headers: Object,
    },
}

/// A program to start.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    pub command: String,
    pub args: Vec<String>,
    /// Variables beside the usual; their contents may name secrets.
    pub env: Object,
    pub cwd: Option<String>,
}

impl PluginConfig {
    /// Reads an entry, such as `{"command": "mcp-server", "args": ["--stdio"]}` or `{"url": "https://…"}`.
    ///
    /// # Errors
    /// The first thing that is wrong, at its place.
    pub fn read(value: &Value) -> Result<Self, Problem> {
        let Some(object) = value.as_object() else {
            return Err(wrong("", "a plugin is an object").hint(EXAMPLE));
        };
        let mut names = object.iter().map(|(name, _)| name);
        if let Some(name) = names.find(|name| !WORDS.contains(&name.as_ref())) {
            let hint = nearest(name, WORDS).map(|meant| format!("did you mean `{meant}`?"));
            let hint = hint.unwrap_or_else(|| format!("there are {}", WORDS.join(", ")));
            return Err(wrong(&pointer("", name), "there is no such word").hint(hint));
        }
        let silence = match text(object, "timeout")? {
            Some(text) => parse_duration(&text)
                .ok()
                .filter(|span| !span.is_zero() && *span <= SILENCE_MAX)
                .ok_or_else(|| wrong("/timeout", "a span from 1ms to 24h is needed"))?,
            None => SILENCE,
        };
        let trusts_changes = match object.find("trust_changes") {
            None => false,
            Some(Value::Bool(trusts)) => *trusts,
            Some(_) => return Err(wrong("/trust_changes", "true or false is needed")),
        };
        let wishes = server_wishes(value)
            .map_err(|problems| problems.into_iter().next().unwrap_or_else(|| wrong("", "?")))?
            .wishes;
        let reached = reached(object)?;
        if matches!(reached, Reached::Server { .. }) && !wishes.is_empty() {
            return Err(wrong("/url", "only a program can be locked in")
                .hint("leave out `sandbox` and `limits`"));
        }
        Ok(Self { reached, wishes, silence, trusts_changes, written: value.clone() })
    }

    /// Whether it is a program of ours.
    pub(super) fn is_program(&self) -> bool {
        matches!(self.reached, Reached::Program(_))
    }

    /// How it is reached, in a word.
    pub(super) fn transport(&self) -> &'static str {
        if self.is_program() { "stdio" } else { "http" }
    }
}

const EXAMPLE: &str = r#"write {"command": "program", "args": []} or {"url": "https://…/mcp"}"#;

fn reached(object: &Object) -> Result<Reached, Problem> {
    let (command, url) = (text(object, "command")?, text(object, "url")?);
    match (command, url) {
        (Some(command), None) if !command.is_empty() => {
            let args = match object.find("args") {
                None => Vec::new(),
                Some(list) => texts(list)
                    .ok_or_else(|| wrong("/args", "a list of texts without NUL is needed"))?,
            };
            bare("/command", &command)?;
            for (at, arg) in args.iter().enumerate() {
                bare(&format!("/args/{at}"), arg)?;
            }
            let env = pairs(object, "env", is_variable)?;
            let cwd = text(object, "cwd")?;
            Ok(Reached::Program(Program { command, args, env, cwd }))
        }
        (None, Some(url)) => {
            let uri = url.parse::<Uri>().ok();
            let is_fit = uri.is_some_and(|uri| {
                let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
                is_http && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
            });
            if !is_fit {
                return Err(wrong("/url", "an http or https URL without a password is needed"));
            }
            bare("/url", &url)?;
            let headers = pairs(object, "headers", is_header)?;
            Ok(Reached::Server { url, headers })
        }
        (Some(_), Some(_)) => {
            Err(wrong("/url", "it has a `command` and a `url`").hint("leave one out"))
        }
        (None | Some(_), None) => Err(wrong("", "it has no `command` and no `url`").hint(EXAMPLE)),
    }
}

fn wrong(path: &str, message: &str) -> Problem {
    Problem::error(ErrorCode::Validation, path, message)
}

/// Everybody on the machine can list the words of a program, and errors show a URL.
fn bare(place: &str, text: &str) -> Result<(), Problem> {
    if !text.contains("${{") {
        return Ok(());
    }
    Err(wrong(place, "nothing is filled in here").hint("secrets go into `env` or `headers`"))
}

fn text(object: &Object, name: &str) -> Result<Option<String>, Problem> {
    match object.find(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.contains('\0') => Ok(Some(text.to_string())),
        Some(_) => Err(wrong(&pointer("", name), "a text is needed")),
    }
}

fn texts(list: &Value) -> Option<Vec<String>> {
    let word = |item: &Value| item.as_str().filter(|it| !it.contains('\0')).map(str::to_owned);
    list.as_list()?.iter().map(word).collect()
}

/// An object of texts whose names are fit.
fn pairs(object: &Object, name: &str, is_fit: fn(&str) -> bool) -> Result<Object, Problem> {
    let at = pointer("", name);
    let Some(value) = object.find(name) else { return Ok(Object::default()) };
    let found = value.as_object().ok_or_else(|| wrong(&at, "an object of texts is needed"))?;
    for (key, value) in found {
        let place = pointer(&at, key);
        if !is_fit(key) {
            return Err(wrong(&place, "this cannot be a name here"));
        }
        if value.as_str().is_none_or(|text| text.contains('\0')) {
            return Err(wrong(&place, "a text is needed"));
        }
    }
    Ok(found.clone())
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// A header's name; those of the protocol itself are not the operator's.
fn is_header(name: &str) -> bool {
    let own = ["accept", "mcp-session-id", "mcp-protocol-version", "last-event-id", "host"];
    let is_token = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    is_token && !own.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Whether a plugin may be called this.
///
/// # Errors
/// `VALIDATION_ERROR`, saying what a name is.
pub(super) fn check_name(name: &str, taken: &[String]) -> Result<(), Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let failure = |message: String| Err(Failure::new(ErrorCode::Validation, message));
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(is_plain) {
        let message = "a plugin's name is 1 to 64 letters, digits, `-` and `_`";
        return failure(message.to_owned());
    }
    let is_ours = |action: &String| action.split_once('.').is_some_and(|(of, _)| of == name);
    if taken.iter().any(is_ours) {
        return failure(format!("`{name}` is the name of actions of our own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PluginConfig, Problem> {
        PluginConfig::read(&Value::from_json(text).unwrap())
    }

    #[test]
    fn entries_as_other_clients_have_them_are_read() {
        let program = read(
            r#"{"type": "stdio", "command": "npx", "args": ["-y", "x"], "env": {"K": "${{secrets.K}}"},
                "sandbox": "isolated", "limits": {"memory": "64MiB"}, "timeout": "5s"}"#,
        )
        .unwrap();
        assert!(program.is_program() && !program.wishes.is_empty());
        assert_eq!(program.silence, Duration::from_secs(5));
        let server =
            read(r#"{"url": "https://x/mcp", "headers": {"Authorization": "Bearer x"}}"#).unwrap();
        assert_eq!(server.transport(), "http");
    }

    #[test]
    fn what_does_not_fit_is_told_at_its_place() {
        for (text, place) in [
            ("[]", ""),
            ("{}", ""),
            (r#"{"comand": "x"}"#, "/comand"),
            (r#"{"command": "x", "url": "http://x"}"#, "/url"),
            (r#"{"command": "x", "args": [1]}"#, "/args"),
            (r#"{"command": "x", "env": {"A=B": "c"}}"#, "/env/A=B"),
            (r#"{"command": "x", "env": {"A": 1}}"#, "/env/A"),
            (r#"{"command": "x", "sandbox": "locked"}"#, "/sandbox"),
            (r#"{"command": "x", "timeout": "soon"}"#, "/timeout"),
            (r#"{"url": "ftp://x"}"#, "/url"),
            (r#"{"url": "http://x\\.y/z"}"#, "/url"),
            (r#"{"url": "http://x/?k=${{secrets.K}}"}"#, "/url"),
            (r#"{"command": "x", "args": ["--token", "${{secrets.K}}"]}"#, "/args/1"),
            (r#"{"url": "http://me:secret@x"}"#, "/url"),
            (r#"{"url": "http://x", "sandbox": "strict"}"#, "/url"),
            (
                r#"{"url": "http://x", "headers": {"Mcp-Session-Id": "x"}}"#,
                "/headers/Mcp-Session-Id",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().path, place, "{text}");
        }
    }

    #[test]
    fn no_plugin_takes_the_place_of_our_own_actions() {
        let taken = ["http.get".to_owned()];
        assert!(check_name("github", &taken).is_ok() && check_name("htt", &taken).is_ok());
        for name in ["http", "", "a.b", "a b", &"x".repeat(65)] {
            assert!(check_name(name, &taken).is_err(), "{name}");
        }
    }
}
