//! The store's secrets, as the faces and the performer see them: who did what to them is written down, contents never.
//!
//! Keeps: each change and each first use in a while has its entry in the audit log; nothing here can tell a content.
//! Not here: sealing (`opcode-vault`), filling in (`fill.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opcode_expr::{Meter, ObjectScope, Template as Params};
use opcode_model::commit::CatalogWrite;
use opcode_model::{ErrorCode, Failure, Object, Value};
use opcode_store::Catalog;
use opcode_vault::{Grant, Opened, Passphrase, Redactor, SecretInfo, Use, Vault};
use zeroize::Zeroizing;

use crate::audit::{Actor, Audit, Deed};
use crate::clock::now;
use crate::fill::filled;
use crate::templates::Templates;

/// What is done once the passphrase has turned out to be wrong.
pub type OnWrong = Arc<dyn Fn(&Failure) + Send + Sync>;

/// The secrets of a store.
#[derive(Clone)]
pub struct Secrets {
    vault: Vault,
    catalog: Arc<dyn Catalog>,
    audit: Audit,
    actor: Option<Arc<Actor>>,
}

/// A secret, and which templates name it.
#[derive(Clone, Debug)]
pub struct SecretUse {
    /// What may be told of it.
    pub info: SecretInfo,
    /// Templates whose latest version names it.
    pub templates: Vec<Arc<str>>,
}

impl Secrets {
    /// Those of a store; without a passphrase they can only be listed.
    pub fn new(catalog: Arc<dyn Catalog>, passphrase: Option<Passphrase>) -> Self {
        let vault = Vault::new(catalog.clone(), passphrase);
        Self { vault, audit: Audit::new(catalog.clone()), catalog, actor: None }
    }

    /// The same, for somebody whose deeds are written into the audit log.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor: Some(Arc::new(actor)), ..self.clone() }
    }

    /// Derives the key beside whatever else goes on. A wrong passphrase is told to `on_wrong`.
    pub(crate) fn begin(&self, on_wrong: OnWrong) {
        if !self.vault.is_configured() {
            return;
        }
        let vault = self.vault.clone();
        tokio::spawn(async move {
            match vault.unlock(now()).await {
                Ok(()) => {}
                Err(failure) if Vault::is_wrong_passphrase(&failure) => on_wrong(&failure),
                Err(failure) => {
                    tracing::error!(%failure, "the vault did not open; it is tried again");
                }
            }
        });
    }

    /// Whether there is a passphrase to open them with.
    pub fn is_configured(&self) -> bool {
        self.vault.is_configured()
    }

    fn did(&self, action: &str, name: &str) -> Vec<CatalogWrite> {
        let deed = Deed { action, kind: "secret", id: name, agent: None };
        self.actor.iter().map(|actor| actor.did(deed)).collect()
    }

    fn noted<T>(&self, action: &str, name: &str, done: Result<T, Failure>) -> Result<T, Failure> {
        done.inspect_err(|failure| {
            if let Some(actor) = &self.actor {
                let id: String = name.chars().take(128).collect();
                let deed = Deed { action, kind: "secret", id: &id, agent: None };
                self.audit.refused(actor, deed, failure);
            }
        })
    }

    /// Does something with the vault to its end, also when whoever asked has gone: what is on disk and what is
    /// remembered of it stay the same.
    async fn whole<T: Send + 'static, F: Future<Output = Result<T, Failure>> + Send + 'static>(
        &self,
        work: impl FnOnce(Vault) -> F,
    ) -> Result<T, Failure> {
        let done = tokio::spawn(work(self.vault.clone())).await;
        done.unwrap_or_else(|cause| Err(Failure::new(ErrorCode::Internal, cause.to_string())))
    }

    /// Sets one; answers its version.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a name or content that cannot be; `VAULT_ERROR` if the vault does not open.
    pub async fn set(&self, name: &str, content: &[u8]) -> Result<u64, Failure> {
        let done = {
            let (also, name) = (self.did("secret.set", name), name.to_owned());
            let content = Zeroizing::new(content.to_vec());
            self.whole(|vault| async move { vault.set(&name, &content, now(), also).await }).await
        };
        self.noted("secret.set", name, done)
    }

    /// Takes one away.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name.
    pub async fn delete(&self, name: &str) -> Result<(), Failure> {
        let done = {
            let (also, name) = (self.did("secret.delete", name), name.to_owned());
            self.whole(|vault| async move { vault.delete(&name, now(), also).await }).await
        };
        self.noted("secret.delete", name, done)
    }

    /// Says anew who may use one; nobody named means anybody.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; `VALIDATION_ERROR` for a grant that says nothing.
    pub async fn grant(&self, name: &str, grants: Vec<Grant>) -> Result<(), Failure> {
        let done = {
            let (also, name) = (self.did("secret.grant", name), name.to_owned());
            self.whole(|vault| async move { vault.grant(&name, grants, now(), also).await }).await
        };
        self.noted("secret.grant", name, done)
    }

    /// Seals all of them with a new key, under another passphrase if one is given; answers how many there are.
    ///
    /// # Errors
    /// `VAULT_ERROR` if the vault, or one of them, does not open.
    pub async fn rotate(&self, passphrase: Option<Passphrase>) -> Result<usize, Failure> {
        let action = if passphrase.is_some() { "vault.rekey" } else { "vault.rotate" };
        let done = {
            let also = self.did(action, "vault");
            self.whole(|vault| async move { vault.rotate(passphrase, now(), also).await }).await
        };
        self.noted(action, "vault", done)
    }

    /// What may be told of all of them, by name.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn list(&self) -> Result<Vec<SecretUse>, Failure> {
        let templates = Templates { catalog: self.catalog.clone(), are_known: true };
        let mut naming: BTreeMap<String, BTreeSet<Arc<str>>> = BTreeMap::new();
        let all = templates.list(None).await?;
        // Versions stand in their order: the latest of each name stays.
        let latest: BTreeMap<_, _> = all.iter().map(|it| (it.name.clone(), it)).collect();
        for template in latest.into_values() {
            for (_, name) in Params::secrets_in(&template.definition) {
                naming.entry(name).or_default().insert(template.name.clone());
            }
        }
        let with_templates = |info: SecretInfo| {
            let templates = naming.remove(&info.name).unwrap_or_default().into_iter().collect();
            SecretUse { info, templates }
        };
        Ok(self.vault.list().await?.into_iter().map(with_templates).collect())
    }

    /// A value with its `${{secrets.NAME}}` filled in, and what takes them out of what comes of it.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for any other expression in it; and as opening goes.
    pub async fn fill(&self, value: &Value, wish: Use<'_>) -> Result<(Value, Redactor), Failure> {
        let names: BTreeSet<Arc<str>> =
            Params::secrets_in(value).into_iter().map(|(_, name)| name.into()).collect();
        let wrong = |why: String| Failure::new(ErrorCode::Validation, why);
        let compiled = Params::compile(value)
            .map_err(|errors| wrong(errors.first().map(ToString::to_string).unwrap_or_default()))?;
        let rendered = compiled
            .render(&ObjectScope::new(&Object::default(), now()), &mut Meter::default())
            .map_err(|error| wrong(format!("only secrets can be filled in here: {error}")))?;
        if names.is_empty() {
            return Ok((rendered.value, Redactor::new([])));
        }
        let opened = self.open(names, wish).await?;
        Ok((filled(&rendered.value, &rendered.secrets, &opened), opened.redactor(&[])))
    }

    /// Opens secrets for an attempt, if it may have them, and writes down that it did.
    pub(crate) async fn open(
        &self,
        names: BTreeSet<Arc<str>>,
        wish: Use<'_>,
    ) -> Result<Opened, Failure> {
        if let Some(name) = names.first().filter(|_| !self.is_configured()) {
            let message = format!("could not open secret `{name}`: no vault is configured");
            return Err(Failure::new(ErrorCode::Vault, message));
        }
        let (action, host) = (wish.action.to_owned(), wish.host.map(str::to_owned));
        let (template, agent) = (wish.template.map(str::to_owned), wish.agent.map(str::to_owned));
        let (workflow_id, wanted) = (wish.workflow_id.to_owned(), names.clone());
        let opening = self.whole(|vault| async move {
            let wish = Use {
                action: &action,
                host: host.as_deref(),
                template: template.as_deref(),
                workflow_id: &workflow_id,
                agent: agent.as_deref(),
            };
            vault.open(wanted, wish, now()).await
        });
        let opened = opening.await;
        let engine = Actor::engine();
        let listed = names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",");
        let deed = |id| Deed { action: "secret.use", kind: "secret", id, agent: wish.agent };
        if let Err(failure) = &opened
            && failure.code == ErrorCode::PermissionDenied
        {
            self.audit.refused(&engine, deed(&listed), failure);
        }
        let opened = opened?;
        let at = now();
        let writes: Vec<CatalogWrite> = names
            .iter()
            .filter_map(|name| Some([self.vault.note_use(name, wish, at)?, engine.did(deed(name))]))
            .flatten()
            .collect();
        if !writes.is_empty() {
            let written = self.catalog.put(writes);
            tokio::spawn(async move {
                if let Err(cause) = written.await {
                    tracing::warn!(%cause, "the use of a secret could not be written down");
                }
            });
        }
        Ok(opened)
    }
}
