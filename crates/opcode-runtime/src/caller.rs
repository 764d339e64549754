//! Who calls: found out once, at the door, and carried with the request.
//!
//! Keeps: with a token, identity comes from it and from nothing else.
//! Not here: finding it out (`opcode-web`'s guard).

use std::sync::Arc;

use opcode_model::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};

/// What somebody may do, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Viewer,
    /// Define, run and answer, as one agent.
    Agent,
    /// The same as any agent.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, least first.
    pub const ALL: [(&'static str, Self); 4] = [
        ("viewer", Self::Viewer),
        ("agent", Self::Agent),
        ("operator", Self::Operator),
        ("admin", Self::Admin),
    ];

    /// Reads its word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(word, _)| *word == text).map(|(_, role)| *role)
    }

    /// Its word.
    pub fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the audit calls it: a token's name, or `local`.
    pub name: Arc<str>,
    /// What it may do.
    pub role: Role,
    /// The agent it is, if its token says so. Nobody else may claim to be that agent, and it may claim to be no other.
    pub agent: Option<Arc<str>>,
    /// Whether a token proves it.
    pub is_proven: bool,
}

impl Caller {
    /// Somebody on this machine, where no token is asked for.
    pub fn local() -> Self {
        Self { name: "local".into(), role: Role::Admin, agent: None, is_proven: false }
    }

    /// Whether it may do what takes this role.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, saying what it would take.
    pub fn may(&self, role: Role) -> Result<(), Failure> {
        if self.role >= role {
            return Ok(());
        }
        let (own, needed) = (self.role.text(), role.text());
        let message =
            format!("this takes the role `{needed}`; the token `{}` is `{own}`", self.name);
        Err(Failure::new(ErrorCode::PermissionDenied, message))
    }

    /// The agent it acts as, given whom it says it is.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` if its token says otherwise.
    pub fn acts_as(&self, claimed: Option<&str>) -> Result<Option<Arc<str>>, Failure> {
        match (&self.agent, claimed.filter(|claimed| !claimed.is_empty())) {
            (None, claimed) => Ok(claimed.map(Into::into)),
            (Some(own), None) => Ok(Some(own.clone())),
            (Some(own), Some(claimed)) if own.as_ref() == claimed => Ok(Some(own.clone())),
            (Some(own), Some(claimed)) => {
                let message =
                    format!("the token `{}` is agent `{own}`, not `{claimed}`", self.name);
                Err(Failure::new(ErrorCode::PermissionDenied, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_with_an_agent_is_that_agent_and_no_other() {
        let own = Caller {
            name: "t".into(),
            role: Role::Agent,
            agent: Some("a".into()),
            is_proven: true,
        };
        assert_eq!(own.acts_as(None).unwrap().as_deref(), Some("a"));
        assert_eq!(own.acts_as(Some("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(own.acts_as(Some("b")).unwrap_err().code, ErrorCode::PermissionDenied);
        assert!(own.may(Role::Viewer).is_ok() && own.may(Role::Operator).is_err());
        assert_eq!(Caller::local().acts_as(Some("b")).unwrap().as_deref(), Some("b"));
    }
}
