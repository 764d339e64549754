//! The vault of a store: secrets set, opened for an attempt, listed without their contents, sealed anew.
//!
//! Keeps: the key is derived once, beside everything else, and only who needs it waits; each change is one write or, in
//! a rotation, writes of which every prefix opens.
//! Not here: the audit log (whoever calls hands its entry in), filling contents in (`opcode-runtime`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::problem::nearest;
use opcode_model::{ErrorCode, Failure, Timestamp, Value};
use opcode_store::{Catalog, CatalogEntry, CatalogError, Fault};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::derive::{PASSPHRASE_BYTES_MAX, Passphrase};
use crate::grant::{Grant, Use, permitting};
use crate::header::{Header, Locked, Unlocked};
use crate::redact::Redactor;
use crate::row::{LastUse, Row, SecretInfo, check_name};

/// Bytes of a content.
const CONTENT_BYTES_MAX: usize = 64 << 10;
/// Shorter ones could not be told apart from other text.
const CONTENT_BYTES_MIN: usize = 4;
/// Secrets of one store.
const SECRETS_MAX: usize = 10_000;
/// Grants of one secret.
const GRANTS_MAX: usize = 32;
/// How often a use of one kind is written down.
const USE_NOTED_MS: i64 = 60_000;
/// Where the vault's own row is.
const HEADER: &str = "vault";
/// Says in a failure's details that the passphrase is another one.
const WRONG_PASSPHRASE: &str = "wrong_passphrase";
/// What stands before a secret's name where its last use is.
const USES: &str = "secret-use/";

/// The secrets of a store. Clones are the same vault.
#[derive(Clone)]
pub struct Vault {
    catalog: Arc<dyn Catalog>,
    passphrase: Arc<Mutex<Option<Passphrase>>>,
    /// Held while it is changed, too, so that changes follow one another.
    unlocked: Arc<tokio::sync::Mutex<Option<Arc<Unlocked>>>>,
    noted: Arc<Mutex<BTreeMap<String, Timestamp>>>,
}

/// The secrets of one attempt, open. Wiped when it is let go of.
pub struct Opened {
    contents: BTreeMap<Arc<str>, Zeroizing<String>>,
    /// For each secret that is bound to hosts, those.
    hosts: Vec<Vec<String>>,
}

impl Opened {
    /// One secret's content.
    pub fn content(&self, name: &str) -> Option<&str> {
        self.contents.get(name).map(|content| content.as_str())
    }

    /// Finds them in what comes of the attempt, and what was made of them.
    pub fn redactor(&self, made: &[String]) -> Redactor {
        let contents = self.contents.values().map(|content| content.as_str());
        Redactor::new(contents.chain(made.iter().map(String::as_str)))
    }

    /// The hosts they may go to: `host:port` must fit one pattern of each list.
    pub fn hosts(&self) -> &[Vec<String>] {
        &self.hosts
    }
}

fn sorry(message: impl Into<Arc<str>>) -> Failure {
    Failure::new(ErrorCode::Vault, message)
}

fn fault(fault: Fault) -> Failure {
    let code = if fault.storage_full { ErrorCode::StorageFull } else { ErrorCode::Store };
    Failure::new(code, format!("could not {fault}"))
}

fn written(error: CatalogError) -> Failure {
    match error {
        CatalogError::Taken(key) => {
            Failure::new(ErrorCode::Conflict, format!("`{key}` is there already"))
        }
        CatalogError::Fault(cause) => fault(cause),
    }
}

fn no_dice(cause: crate::key::NoDice) -> Failure {
    sorry(format!("could not seal: {cause}"))
}

fn locked(cause: Locked) -> Failure {
    let is_wrong = cause == Locked::Wrong;
    let details = Value::object([(WRONG_PASSPHRASE, Value::from(is_wrong))]);
    sorry(format!("could not open the vault: {cause}")).with_details(details)
}

fn replace(kind: CatalogKind, key: &str, body: Option<String>, at: Timestamp) -> CatalogWrite {
    CatalogWrite { kind, key: key.into(), body: body.map(Into::into), at, replace: true }
}

fn row_write(name: &str, row: &Row, at: Timestamp) -> Result<CatalogWrite, Failure> {
    let body = serde_json::to_string(row).map_err(|cause| sorry(cause.to_string()))?;
    Ok(replace(CatalogKind::Secret, name, Some(body), at))
}

fn header_write(vault: &Unlocked, at: Timestamp) -> Result<CatalogWrite, Failure> {
    let header = vault.header().map_err(no_dice)?;
    let body = serde_json::to_string(&header).map_err(|cause| sorry(cause.to_string()))?;
    Ok(replace(CatalogKind::Key, HEADER, Some(body), at))
}

/// Slow work, on a thread of its own that nobody waits for when the process ends.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let (answer, told) = oneshot::channel();
    let spawned = std::thread::Builder::new().name("vault".into()).spawn(move || {
        // Whoever asked may have stopped waiting.
        drop(answer.send(work()));
    });
    spawned.map_err(|cause| sorry(format!("could not start a thread: {cause}")))?;
    told.await.map_err(|_| sorry("a thread of the vault died"))
}

impl Vault {
    /// The vault of a store. Without a passphrase it can only be listed.
    pub fn new(catalog: Arc<dyn Catalog>, passphrase: Option<Passphrase>) -> Self {
        let passphrase = passphrase.filter(|it| !it.is_empty());
        Self {
            catalog,
            passphrase: Arc::new(Mutex::new(passphrase)),
            unlocked: Arc::default(),
            noted: Arc::default(),
        }
    }

    fn passphrase(&self) -> Option<Passphrase> {
        self.passphrase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a failure says that the passphrase is not this vault's.
    pub fn is_wrong_passphrase(failure: &Failure) -> bool {
        failure.details.find(WRONG_PASSPHRASE).and_then(Value::as_bool) == Some(true)
    }

    /// Whether there is a passphrase.
    pub fn is_configured(&self) -> bool {
        self.passphrase().is_some()
    }

    /// Derives the key, and makes the vault if there is none yet.
    ///
    /// # Errors
    /// `VAULT_ERROR` if there is no passphrase, or it is not this vault's.
    pub async fn unlock(&self, at: Timestamp) -> Result<(), Failure> {
        self.open_up(&mut *self.unlocked.lock().await, at).await.map(drop)
    }

    async fn open_up(
        &self,
        place: &mut Option<Arc<Unlocked>>,
        at: Timestamp,
    ) -> Result<Arc<Unlocked>, Failure> {
        if let Some(unlocked) = place {
            return Ok(unlocked.clone());
        }
        let passphrase = self.passphrase().ok_or_else(|| sorry("no vault is configured"))?;
        let stored = self.catalog.find(CatalogKind::Key, HEADER.into()).await.map_err(fault)?;
        let mut unlocked = match stored {
            Some(body) => {
                let header: Header =
                    serde_json::from_str(&body).map_err(|_| locked(Locked::Damaged))?;
                aside(move || header.open(&passphrase)).await?.map_err(locked)?
            }
            None => {
                let fresh = aside(move || Unlocked::fresh(&passphrase)).await?.map_err(no_dice)?;
                let write = CatalogWrite { replace: false, ..header_write(&fresh, at)? };
                self.catalog.put(vec![write]).await.map_err(written)?;
                fresh
            }
        };
        if unlocked.is_rotating() {
            match self.finish_rotation(&unlocked, at).await {
                Ok(done) => unlocked = done,
                // Both keys stay; what opens with one of them goes on opening.
                Err(failure) => tracing::warn!(%failure, "a rotation is not finished yet"),
            }
        }
        let unlocked = Arc::new(unlocked);
        *place = Some(unlocked.clone());
        Ok(unlocked)
    }

    async fn row(&self, name: &str) -> Result<Row, Failure> {
        let found = self.catalog.find(CatalogKind::Secret, name.into()).await.map_err(fault)?;
        let Some(body) = found else { return Err(self.missing(name).await) };
        serde_json::from_str(&body).map_err(|_| sorry(format!("secret `{name}` is damaged")))
    }

    async fn missing(&self, name: &str) -> Failure {
        let known = self.catalog.list(CatalogKind::Secret, "".into()).await.unwrap_or_default();
        let meant = nearest(name, known.iter().map(|entry| entry.key.as_ref()));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        Failure::new(ErrorCode::NotFound, format!("there is no secret `{name}`{meant}"))
    }

    async fn reveal(
        &self,
        vault: &Unlocked,
        name: &str,
        row: &Row,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let changed =
            |why: crate::key::Shut| sorry(format!("secret `{name}` does not open: {why}"));
        if row.key != 0 {
            return row.open(vault, name).map_err(changed);
        }
        if vault.version(name) != 0 {
            return Err(changed(crate::key::Shut));
        }
        let passphrase = self.passphrase().ok_or_else(|| sorry("no vault is configured"))?;
        let sealed = STANDARD.decode(&row.sealed);
        let sealed = sealed.map_err(|_| sorry(format!("secret `{name}` is damaged")))?;
        aside(move || passphrase.legacy_key().open(b"", &sealed)).await?.map_err(changed)
    }

    /// Opens secrets for an attempt, if it may have them.
    ///
    /// # Errors
    /// `VAULT_ERROR` if one does not open or is not there; `PERMISSION_DENIED` if it is not granted.
    pub async fn open(
        &self,
        names: impl IntoIterator<Item = Arc<str>>,
        wish: Use<'_>,
        at: Timestamp,
    ) -> Result<Opened, Failure> {
        let unlocked = self.open_up(&mut *self.unlocked.lock().await, at).await?;
        let mut opened = Opened { contents: BTreeMap::new(), hosts: Vec::new() };
        for name in names {
            let row = self.row(&name).await.map_err(|failure| Failure {
                code: if failure.code == ErrorCode::NotFound {
                    ErrorCode::Vault
                } else {
                    failure.code
                },
                ..failure
            })?;
            let permitting = permitting(&name, &row.grants, wish)?;
            if !permitting.is_empty() && permitting.iter().all(|grant| !grant.hosts.is_empty()) {
                opened
                    .hosts
                    .push(permitting.iter().flat_map(|grant| grant.hosts.clone()).collect());
            }
            let content = self.reveal(&unlocked, &name, &row).await?;
            let text = std::str::from_utf8(&content)
                .map_err(|_| sorry(format!("secret `{name}` is not text")))?;
            let text = Zeroizing::new(text.to_owned());
            if row.key == 0 {
                self.adopt(&name, at).await?;
            }
            opened.contents.insert(name, text);
        }
        Ok(opened)
    }

    /// Seals a secret of the original system as one of ours.
    async fn adopt(&self, name: &str, at: Timestamp) -> Result<(), Failure> {
        let mut place = self.unlocked.lock().await;
        let unlocked = self.open_up(&mut place, at).await?;
        let row = self.row(name).await?;
        if row.key == 0 {
            let content = self.reveal(&unlocked, name, &row).await?;
            let (grants, set_at) = (row.grants, row.set_at);
            let change = Change { name, content: &content, grants, set_at, also: Vec::new() };
            self.write(&mut place, &unlocked, change, at).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        place: &mut Option<Arc<Unlocked>>,
        unlocked: &Unlocked,
        change: Change<'_>,
        at: Timestamp,
    ) -> Result<u64, Failure> {
        let Change { name, content, grants, set_at, also } = change;
        let next = unlocked.with_next(name);
        let row = Row::seal(&next, name, content, grants, set_at).map_err(no_dice)?;
        let mut writes = vec![row_write(name, &row, at)?, header_write(&next, at)?];
        writes.extend(also);
        self.catalog.put(writes).await.map_err(written)?;
        *place = Some(Arc::new(next));
        Ok(row.version)
    }

    /// Sets a secret; answers its version. Grants stay as they are.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a name or content that cannot be; `VAULT_ERROR` if the vault does not open.
    pub async fn set(
        &self,
        name: &str,
        content: &[u8],
        at: Timestamp,
        also: Vec<CatalogWrite>,
    ) -> Result<u64, Failure> {
        check_name(name)?;
        let is_fit = (CONTENT_BYTES_MIN..=CONTENT_BYTES_MAX).contains(&content.len());
        if !is_fit || std::str::from_utf8(content).is_err() {
            let message = format!(
                "a secret is {CONTENT_BYTES_MIN} to {CONTENT_BYTES_MAX} bytes of text; this has {}",
                content.len()
            );
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        let mut place = self.unlocked.lock().await;
        let unlocked = self.open_up(&mut place, at).await?;
        let grants = match self.row(name).await {
            Ok(row) => row.grants,
            Err(failure) if failure.code == ErrorCode::NotFound => {
                let known =
                    self.catalog.list(CatalogKind::Secret, "".into()).await.map_err(fault)?;
                if known.len() >= SECRETS_MAX {
                    return Err(Failure::limit("secrets of a store", SECRETS_MAX as i64));
                }
                Vec::new()
            }
            Err(failure) => return Err(failure),
        };
        let change = Change { name, content, grants, set_at: at, also };
        self.write(&mut place, &unlocked, change, at).await
    }

    /// Takes a secret away, its sealed content with it.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name.
    pub async fn delete(
        &self,
        name: &str,
        at: Timestamp,
        also: Vec<CatalogWrite>,
    ) -> Result<(), Failure> {
        let _held = self.unlocked.lock().await;
        self.row(name).await?;
        let mut writes = vec![
            replace(CatalogKind::Secret, name, None, at),
            replace(CatalogKind::Key, &format!("{USES}{name}"), None, at),
        ];
        writes.extend(also);
        self.catalog.put(writes).await.map_err(written)
    }

    /// Says anew who may use a secret; nobody named means anybody.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of this name; `VALIDATION_ERROR` for a grant that says nothing.
    pub async fn grant(
        &self,
        name: &str,
        grants: Vec<Grant>,
        at: Timestamp,
        also: Vec<CatalogWrite>,
    ) -> Result<(), Failure> {
        grants.iter().try_for_each(Grant::check)?;
        if grants.len() > GRANTS_MAX {
            return Err(Failure::limit("grants of a secret", GRANTS_MAX as i64));
        }
        let _held = self.unlocked.lock().await;
        let row = Row { grants, ..self.row(name).await? };
        let writes = std::iter::once(row_write(name, &row, at)?).chain(also).collect();
        self.catalog.put(writes).await.map_err(written)
    }

    /// What may be told of all secrets, by name.
    ///
    /// # Errors
    /// `STORE_ERROR` if they cannot be read.
    pub async fn list(&self) -> Result<Vec<SecretInfo>, Failure> {
        let entries = self.catalog.list(CatalogKind::Secret, "".into()).await.map_err(fault)?;
        let uses = self.catalog.list(CatalogKind::Key, USES.into()).await.map_err(fault)?;
        let last_use = |name: &str| {
            let found = uses.iter().find(|entry| entry.key.strip_prefix(USES) == Some(name))?;
            serde_json::from_str(&found.body).ok()
        };
        let info = |entry: &CatalogEntry| {
            let row: Row = serde_json::from_str(&entry.body).ok()?;
            Some(SecretInfo {
                name: entry.key.to_string(),
                version: row.version,
                created_at: entry.created_at,
                set_at: row.set_at,
                last_use: last_use(&entry.key),
                grants: row.grants,
            })
        };
        Ok(entries.iter().filter_map(info).collect())
    }

    /// What to write of a use, unless one of its kind was written a moment ago.
    pub fn note_use(&self, name: &str, wish: Use<'_>, at: Timestamp) -> Option<CatalogWrite> {
        let kind = format!("{name}|{}|{}", wish.action, wish.template.unwrap_or_default());
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, last| at.0 - last.0 < USE_NOTED_MS);
        if noted.contains_key(&kind) {
            return None;
        }
        noted.insert(kind, at);
        let last = LastUse {
            at,
            workflow_id: wish.workflow_id.to_owned(),
            template: wish.template.map(str::to_owned),
            action: wish.action.to_owned(),
        };
        let body = serde_json::to_string(&last).ok()?;
        Some(replace(CatalogKind::Key, &format!("{USES}{name}"), Some(body), at))
    }

    /// Seals every secret with a new key, and the key with another passphrase if one is given. A process that dies in the
    /// middle leaves a vault that opens with exactly one of the two, and the next one finishes.
    ///
    /// # Errors
    /// `VAULT_ERROR` if the vault does not open, or one of its secrets does not.
    pub async fn rotate(
        &self,
        passphrase: Option<Passphrase>,
        at: Timestamp,
        also: Vec<CatalogWrite>,
    ) -> Result<usize, Failure> {
        if passphrase.as_ref().is_some_and(|new| !new.is_fit()) {
            let message = format!("a passphrase is 1 to {PASSPHRASE_BYTES_MAX} bytes");
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        let mut place = self.unlocked.lock().await;
        let unlocked = self.open_up(&mut place, at).await?;
        let rows = self.rows().await?;
        // One that does not open now would not open later either, and would be in the way of everything.
        for (name, row) in &rows {
            self.reveal(&unlocked, name, row).await?;
        }
        // What the original system sealed opens with the old passphrase alone.
        for (name, row) in rows.iter().filter(|(_, row)| row.key == 0) {
            let unlocked = self.open_up(&mut place, at).await?;
            let content = self.reveal(&unlocked, name, row).await?;
            let (grants, set_at) = (row.grants.clone(), row.set_at);
            let change = Change { name, content: &content, grants, set_at, also: Vec::new() };
            self.write(&mut place, &unlocked, change, at).await?;
        }
        let before = self.open_up(&mut place, at).await?.as_ref().clone();
        let given = passphrase.clone();
        let made = aside(move || match given {
            Some(passphrase) => before.under(&passphrase)?.with_new_key(),
            None => before.with_new_key(),
        });
        let next = made.await?.map_err(no_dice)?;
        let mut writes = vec![header_write(&next, at)?];
        writes.extend(also);
        self.catalog.put(writes).await.map_err(written)?;
        if passphrase.is_some() {
            *self.passphrase.lock().unwrap_or_else(PoisonError::into_inner) = passphrase;
        }
        *place = Some(Arc::new(next.clone()));
        *place = Some(Arc::new(self.finish_rotation(&next, at).await?));
        Ok(rows.len())
    }

    /// Seals with the newest key what an older one sealed, then forgets that one.
    async fn finish_rotation(&self, vault: &Unlocked, at: Timestamp) -> Result<Unlocked, Failure> {
        for (name, row) in self.rows().await? {
            if row.key == 0 || row.key == vault.newest().0 {
                continue;
            }
            let content = self.reveal(vault, &name, &row).await?;
            let row = Row::seal(vault, &name, &content, row.grants, row.set_at).map_err(no_dice)?;
            self.catalog.put(vec![row_write(&name, &row, at)?]).await.map_err(written)?;
        }
        let done = vault.with_newest_key();
        self.catalog.put(vec![header_write(&done, at)?]).await.map_err(written)?;
        Ok(done)
    }

    async fn rows(&self) -> Result<Vec<(Arc<str>, Row)>, Failure> {
        let entries = self.catalog.list(CatalogKind::Secret, "".into()).await.map_err(fault)?;
        let read = |entry: CatalogEntry| {
            let row = serde_json::from_str(&entry.body);
            row.map(|row| (entry.key.clone(), row))
                .map_err(|_| sorry(format!("secret `{}` is damaged", entry.key)))
        };
        entries.into_iter().map(read).collect()
    }

    /// Takes over a secret as the original system sealed it; it is sealed anew when it is first used.
    ///
    /// # Errors
    /// `CONFLICT` if there is one of this name.
    pub async fn adopt_legacy(
        &self,
        name: &str,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<(), Failure> {
        let sealed = STANDARD.encode(sealed);
        let row = Row { key: 0, version: 0, sealed, set_at: at, grants: Vec::new() };
        let write = CatalogWrite { replace: false, ..row_write(name, &row, at)? };
        self.catalog.put(vec![write]).await.map_err(written)
    }
}

/// A secret about to be written.
struct Change<'a> {
    name: &'a str,
    content: &'a [u8],
    grants: Vec<Grant>,
    set_at: Timestamp,
    /// Written with it.
    also: Vec<CatalogWrite>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = Value::list(self.contents.keys().map(|name| Value::from(name.as_ref())));
        write!(f, "[opened {}]", names.to_json())
    }
}
