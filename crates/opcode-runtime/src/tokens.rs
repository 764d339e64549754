//! Tokens: shown once, kept hashed, each with a role, maybe an agent, maybe an end.
//!
//! Keeps: what is stored lets nobody in; two secrets are compared in constant time.
//! Not here: where a token is looked for (the faces).

use std::sync::Arc;

use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{DefinitionHash, ErrorCode, Failure, Timestamp};
use opcode_store::{Catalog, CatalogError};
use serde::{Deserialize, Serialize};

use crate::audit::{Actor, Deed};
use crate::caller::{Caller, Role};
use crate::clock::now;
use crate::plans::failure;

/// What every token begins with, so that scanners find one that leaked.
const PREFIX: &str = "opc_";

/// The fewest bytes of a token that somebody else chose.
const SEED_BYTES_MIN: usize = 32;

/// The id of a token that somebody else chose: the beginning of its hash.
fn seeded(text: &str) -> Arc<str> {
    let hash = DefinitionHash::of(text).to_string();
    hash.chars().filter(char::is_ascii_hexdigit).take(12).collect::<String>().into()
}

/// What is known of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Its id, which is no secret.
    pub id: Arc<str>,
    /// What people call it.
    pub name: Arc<str>,
    /// What it may do.
    pub role: Role,
    /// The agent it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Arc<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// SHA-256 of its secret.
    hash: String,
}

/// A wish for a token.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// What people call it.
    pub name: Arc<str>,
    /// What it may do.
    pub role: Role,
    /// The agent it is, if it is one.
    pub agent_id: Option<Arc<str>>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// The tokens of a store.
#[derive(Clone)]
pub struct Tokens {
    catalog: Arc<dyn Catalog>,
    actor: Option<Arc<Actor>>,
}

impl Tokens {
    /// Those of a store.
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, actor: None }
    }

    /// The same, for somebody whose deeds are written into the audit log.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor: Some(Arc::new(actor)), ..self.clone() }
    }

    /// Makes one; the text is told this once.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a name or agent that cannot be; `STORE_ERROR` if it cannot be stored.
    pub async fn create(&self, request: TokenRequest) -> Result<(Token, String), Failure> {
        let secret: String = (0..2).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect();
        let id = uuid::Uuid::new_v4().simple().to_string()[..12].into();
        let token = self.keep(request, id, &secret).await?;
        let text = format!("{PREFIX}{}_{secret}", token.id);
        Ok((token, text))
    }

    /// Keeps a text that somebody else chose as the first token, if there is none yet. Whether it was kept.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a text that is too short to be a secret, or looks like one of ours.
    pub async fn seed(&self, text: &str) -> Result<bool, Failure> {
        if text.len() < SEED_BYTES_MIN || text.starts_with(PREFIX) {
            let message = format!(
                "a token of one's own has at least {SEED_BYTES_MIN} characters and does not begin with {PREFIX}"
            );
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        if !self.list().await?.is_empty() {
            return Ok(false);
        }
        let request = TokenRequest {
            name: "first".into(),
            role: Role::Admin,
            agent_id: None,
            expires_at: None,
        };
        self.keep(request, seeded(text), text).await.map(|_| true)
    }

    async fn keep(
        &self,
        request: TokenRequest,
        id: Arc<str>,
        secret: &str,
    ) -> Result<Token, Failure> {
        let TokenRequest { name, role, agent_id, expires_at } = request;
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            let message = "a token's name is 1 to 100 characters";
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        let hash = DefinitionHash::of(secret).to_string();
        let token = Token { id, name, role, agent_id, created_at: now(), expires_at, hash };
        let body = serde_json::to_string(&token)
            .map_err(|cause| Failure::new(ErrorCode::Internal, cause.to_string()))?;
        self.write(token.id.clone(), Some(body.into()), false).await?;
        Ok(token)
    }

    async fn write(
        &self,
        key: Arc<str>,
        body: Option<Arc<str>>,
        replace: bool,
    ) -> Result<(), Failure> {
        let action = if body.is_some() { "token.create" } else { "token.revoke" };
        let deed = Deed { action, kind: "token", id: &key.clone(), agent: None };
        let record = self.actor.as_ref().map(|actor| actor.did(deed));
        let write = CatalogWrite { kind: CatalogKind::Token, key, body, at: now(), replace };
        let writes = std::iter::once(write).chain(record).collect();
        self.catalog.put(writes).await.map_err(|error| match error {
            CatalogError::Taken(id) => {
                Failure::new(ErrorCode::Conflict, format!("token {id} is there already"))
            }
            CatalogError::Fault(fault) => failure(fault),
        })
    }

    /// All of them, by id.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn list(&self) -> Result<Vec<Token>, Failure> {
        let entries = self.catalog.list(CatalogKind::Token, "".into()).await.map_err(failure)?;
        Ok(entries.iter().filter_map(|entry| serde_json::from_str(&entry.body).ok()).collect())
    }

    /// Takes one back.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this id.
    pub async fn revoke(&self, id: &str) -> Result<(), Failure> {
        self.find(id)
            .await?
            .ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no token {id}")))?;
        self.write(id.into(), None, true).await
    }

    async fn find(&self, id: &str) -> Result<Option<Token>, Failure> {
        let found = self.catalog.find(CatalogKind::Token, id.into()).await.map_err(failure)?;
        Ok(found.and_then(|body| serde_json::from_str(&body).ok()))
    }

    /// Who shows this text; nobody, if it is none of ours, taken back, or over.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn caller(&self, text: &str) -> Result<Option<Caller>, Failure> {
        let own = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let own = own.map(|(id, secret)| (id.into(), secret));
        let (id, secret) = own.unwrap_or_else(|| (seeded(text), text));
        let Some(token) = self.find(&id).await? else { return Ok(None) };
        let is_over = token.expires_at.is_some_and(|end| end <= now());
        if is_over || !same(&DefinitionHash::of(secret).to_string(), &token.hash) {
            return Ok(None);
        }
        Ok(Some(Caller {
            name: format!("{} ({})", token.name, token.id).into(),
            role: token.role,
            agent: token.agent_id,
            is_proven: true,
        }))
    }
}

/// Whether two texts are the same, in a time that depends on neither.
fn same(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && differ == 0
}
