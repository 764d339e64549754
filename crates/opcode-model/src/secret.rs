//! Text that must not be seen: it does not print, and where it goes in is recorded by name only.
//!
//! Keeps: a secret's content is never in an event, a log or an error; only `SecretSlot`s are.
//! Not here: opening secrets (the vault).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Takes out of a text what nobody shall be told.
pub trait Hides: fmt::Debug + Send + Sync {
    /// The text without it; `None` if it has nothing of it.
    fn hidden(&self, text: &str) -> Option<String>;
}

/// A value that `Debug` and `Display` do not show.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `content`.
    pub fn new(content: T) -> Self {
        Self(content)
    }

    /// The content. Every call is a place to audit.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A place in an action's parameters that secrets go into, just before the effect and never earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretSlot {
    /// JSON pointer of the text in the parameters.
    pub pointer: String,
    /// The text in pieces, in order; joined after the secrets are opened, and never scanned again.
    pub pieces: Vec<Piece>,
}

/// One piece of a text with secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// Text as it is.
    Text(Arc<str>),
    /// The content of the secret of this name.
    Secret(Arc<str>),
}

/// Whether a host with its port fits one pattern of each list: where secrets that are bound to hosts may go.
pub fn may_go_to(hosts: &[Vec<String>], host: &str) -> bool {
    hosts.iter().all(|patterns| patterns.iter().any(|pattern| is_like_host(pattern, host)))
}

/// Whether a host with its port fits a pattern; a pattern without a port fits any port.
pub fn is_like_host(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_lowercase(), host.to_lowercase());
    let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    is_like(&pattern, &host) || is_like(&pattern, name)
}

/// Whether a name fits a pattern in which `*` stands for any characters.
pub fn is_like(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, is_match) in [
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acd", false),
            ("a*b*c", "a-b-b-c", true),
            ("*a*", "bab", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(is_like(pattern, name), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn a_host_must_fit_every_list() {
        let hosts = [
            vec!["a.example".to_owned(), "b.example:8443".to_owned()],
            vec!["*.example".to_owned()],
        ];
        assert!(may_go_to(&hosts, "A.example:1") && may_go_to(&hosts, "b.example:8443"));
        assert!(!may_go_to(&hosts, "b.example:443") && !may_go_to(&hosts, "c.example:443"));
        assert!(!may_go_to(&hosts, "a.example.evil:443") && may_go_to(&[], "anything:1"));
    }
}
