//! Takes out of what a plugin says what nobody shall be told: its own secrets, those of the calls it works on, the
//! query of its URL, and what could play tricks on a terminal.
//!
//! Keeps: what is cut is cleaned before; a call's secrets are looked for some time after it, too.
//! Not here: what is said (`listener.rs`, `connect.rs`), how secrets are found (`opcode-vault`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opcode_model::Value;
use opcode_model::secret::Hides;
use opcode_runtime::Redactor;
use serde_json::Value as Json;

/// How long after a call its secrets are looked for.
const AFTER: Duration = Duration::from_secs(300);
/// Calls whose secrets are looked for.
const CALLS_MAX: usize = 256;
/// Bytes of one text that are looked through; no more is told of any.
const BYTES_MAX: usize = 64 << 10;

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Cleaner(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    own: Option<Arc<Redactor>>,
    /// The plugin's URL as it is, and as it may be told.
    url: Option<(String, String)>,
    calls: VecDeque<(Option<Instant>, Arc<dyn Hides>)>,
}

/// A call's secrets are looked for while this lives, and some time after.
pub(super) struct Looking<'a>(&'a Cleaner, Arc<dyn Hides>);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        let mut known = self.0.known();
        let own = known.calls.iter_mut().find(|(_, hides)| Arc::ptr_eq(hides, &self.1));
        if let Some((until, _)) = own {
            *until = Some(Instant::now() + AFTER);
        }
    }
}

impl Cleaner {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The plugin's own secrets.
    pub(super) fn set_own(&self, redactor: Arc<Redactor>) {
        self.known().own = Some(redactor);
    }

    /// Where the plugin is; what stands behind `?` may be a secret.
    pub(super) fn set_url(&self, url: &str) {
        let told = url.split_once('?').map(|(told, _)| (url.to_owned(), format!("{told}?…")));
        self.known().url = told;
    }

    /// Looks for a call's secrets, too.
    pub(super) fn look_for(&self, hides: Arc<dyn Hides>) -> Looking<'_> {
        let (mut known, now) = (self.known(), Instant::now());
        known.calls.retain(|(until, _)| until.is_none_or(|until| until > now));
        if known.calls.len() >= CALLS_MAX {
            known.calls.pop_front();
        }
        known.calls.push_back((None, hides.clone()));
        Looking(self, hides)
    }

    /// A text as it may be told.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = text[..text.floor_char_boundary(BYTES_MAX)].to_owned();
        let known = self.known();
        if let Some((url, told)) = &known.url {
            text = text.replace(url, told);
        }
        let own = known.own.as_deref().map(|own| own as &dyn Hides);
        let calls = known.calls.iter().map(|(_, hides)| hides.as_ref());
        for hides in own.into_iter().chain(calls) {
            text = hides.hidden(&text).unwrap_or(text);
        }
        text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
    }

    /// What a call answers without the plugin's own secrets; the call's are taken out by who made it.
    pub(super) fn value(&self, value: Value) -> Value {
        match self.known().own.clone() {
            Some(own) => own.value(value),
            None => value,
        }
    }

    /// The same, and no more than so many characters of it.
    pub(super) fn cut(&self, text: &str, chars: usize) -> String {
        self.clean(text).chars().take(chars).collect()
    }

    /// JSON as it may be told, keys too.
    pub(super) fn json(&self, value: Json) -> Json {
        match value {
            Json::String(text) => self.clean(&text).into(),
            Json::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Json::Object(members) => {
                let pair = |(name, value): (String, Json)| (self.clean(&name), self.json(value));
                members.into_iter().map(pair).collect()
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn own_secrets_those_of_calls_and_queries_are_taken_out() {
        let cleaner = Cleaner::default();
        cleaner.set_own(Arc::new(Redactor::new(["own-secret"])));
        cleaner.set_url("http://x/mcp?key=literal");
        let looking = cleaner.look_for(Arc::new(Redactor::new(["step-secret"])));
        let said = "own-secret step-secret at http://x/mcp?key=literal \u{1b}[31m";
        assert_eq!(cleaner.clean(said), "[secret] [secret] at http://x/mcp?…  [31m");
        drop(looking);
        assert_eq!(cleaner.clean("late step-secret"), "late [secret]");
        let told = cleaner.json(json!({"own-secret": ["a step-secret", 1]}));
        assert_eq!(told, json!({"[secret]": ["a [secret]", 1]}));
        // What is cut is cleaned before, so that no half of a secret is left.
        assert_eq!(cleaner.cut("xx own-secret", 6), "xx [se");
    }
}
