//! Who may use a secret: which action, towards which host, in which template.
//!
//! Keeps: without a grant, any action of any template may; with grants, one of them must fit in all it names.
//! Not here: who may change grants (the faces).

use opcode_model::secret::{is_like, is_like_host};
use opcode_model::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};

/// Patterns of one grant.
const PATTERNS_MAX: usize = 32;
/// Characters of a pattern.
const PATTERN_CHARS_MAX: usize = 256;

/// One permission. An empty list permits everything of its kind; `*` in a pattern stands for any characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Actions, such as `http.*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Hosts that HTTP actions may carry it to, such as `api.example.com` or `*.example.com:8443`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
}

/// A use that somebody wants to make of a secret.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// Which action.
    pub action: &'a str,
    /// `host:port`, if it goes to one that is known.
    pub host: Option<&'a str>,
    /// Which template, if the workflow has one.
    pub template: Option<&'a str>,
    /// Which workflow.
    pub workflow_id: &'a str,
    /// As which agent.
    pub agent: Option<&'a str>,
}

impl Grant {
    /// Whether it says anything that can be understood.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, saying what is wrong.
    pub fn check(&self) -> Result<(), Failure> {
        let wrong = |message: String| Err(Failure::new(ErrorCode::Validation, message));
        let all = [&self.actions, &self.hosts, &self.templates];
        if all.iter().all(|patterns| patterns.is_empty()) {
            return wrong("a grant names an action, a host or a template".to_owned());
        }
        if all.iter().any(|patterns| patterns.len() > PATTERNS_MAX) {
            return wrong(format!("a grant has at most {PATTERNS_MAX} patterns of a kind"));
        }
        let is_fit = |pattern: &&String| {
            !pattern.is_empty()
                && pattern.len() <= PATTERN_CHARS_MAX
                && !pattern.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/')
        };
        match all.into_iter().flatten().find(|pattern| !is_fit(pattern)) {
            Some(pattern) => {
                wrong(format!("{pattern:?} is no pattern like `http.*` or `api.example.com`"))
            }
            None => Ok(()),
        }
    }

    fn permits(&self, wish: Use<'_>) -> bool {
        let fits = |patterns: &[String], name: Option<&str>, is_fit: fn(&str, &str) -> bool| {
            patterns.is_empty()
                || name.is_some_and(|name| patterns.iter().any(|pattern| is_fit(pattern, name)))
        };
        fits(&self.actions, Some(wish.action), is_like)
            && fits(&self.hosts, wish.host, is_like_host)
            && fits(&self.templates, wish.template, is_like)
    }
}

/// Which of a secret's grants permit a use; all of none, if it has none.
///
/// # Errors
/// `PERMISSION_DENIED`, saying what was wished for.
pub(crate) fn permitting<'a>(
    name: &str,
    grants: &'a [Grant],
    wish: Use<'_>,
) -> Result<Vec<&'a Grant>, Failure> {
    let found: Vec<&Grant> = grants.iter().filter(|grant| grant.permits(wish)).collect();
    if grants.is_empty() || !found.is_empty() {
        return Ok(found);
    }
    let to = wish.host.map(|host| format!(" to {host}")).unwrap_or_default();
    let of = wish.template.map(|template| format!(" of template `{template}`"));
    let of = of.unwrap_or_else(|| " of a definition without a template".to_owned());
    let message = format!(
        "secret `{name}` is not granted for {}{to}{of}; `opcode secrets grant` widens it",
        wish.action
    );
    Err(Failure::new(ErrorCode::PermissionDenied, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(actions: &[&str], hosts: &[&str], templates: &[&str]) -> Grant {
        let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        Grant { actions: owned(actions), hosts: owned(hosts), templates: owned(templates) }
    }

    fn wish<'a>(action: &'a str, host: Option<&'a str>, template: Option<&'a str>) -> Use<'a> {
        Use { action, host, template, workflow_id: "w", agent: None }
    }

    #[test]
    fn a_grant_permits_what_fits_all_it_names() {
        let web = grant(&["http.*"], &["api.example.com", "*.example.org:8443"], &[]);
        for (action, host, is_permitted) in [
            ("http.get", Some("api.example.com:443"), true),
            ("http.get", Some("API.example.com:8080"), true),
            ("http.get", Some("a.example.org:8443"), true),
            ("http.get", Some("a.example.org:443"), false),
            ("http.get", Some("evil-api.example.com:443"), false),
            ("http.get", Some("api.example.com.evil:443"), false),
            ("http.get", None, false),
            ("shell.exec", Some("api.example.com:443"), false),
        ] {
            assert_eq!(web.permits(wish(action, host, None)), is_permitted, "{action} {host:?}");
        }
        let one = grant(&[], &[], &["deploy"]);
        assert!(one.permits(wish("shell.exec", None, Some("deploy"))));
        assert!(!one.permits(wish("shell.exec", None, None)));
        let denied = permitting("K", &[web, one], wish("shell.exec", None, Some("x"))).unwrap_err();
        assert_eq!(denied.code, ErrorCode::PermissionDenied);
        assert!(permitting("K", &[], wish("shell.exec", None, None)).unwrap().is_empty());
    }

    #[test]
    fn a_grant_that_says_nothing_is_none() {
        assert!(Grant::default().check().is_err());
        assert!(grant(&[""], &[], &[]).check().is_err());
        assert!(grant(&[], &["https://api.example.com"], &[]).check().is_err());
        assert!(grant(&["http.*"], &["*.example.com:8443"], &["t"]).check().is_ok());
    }
}
