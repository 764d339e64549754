//! The vault's own row: how its key comes from the passphrase, the keys sealed with that one, and which version each
//! secret has.
//!
//! Keeps: a wrong passphrase is told before anything is opened with it; an older row of a secret, put back by hand, is
//! noticed; a new passphrase and a new key each change in one write.
//! Not here: the secrets' rows (`row.rs`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::derive::{Passphrase, Recipe};
use crate::key::{KEY_BYTES, Key, NoDice};

/// Under which name the list of versions is sealed.
const VERSIONS: &[u8] = b"opcode vault 1 versions";

/// The row as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    recipe: Recipe,
    /// Each key that seals secrets, sealed with the passphrase's.
    keys: BTreeMap<u32, String>,
    /// Each secret's last version, also of those that are gone, sealed with the newest key.
    versions: String,
}

/// What a passphrase opens.
#[derive(Clone)]
pub(crate) struct Unlocked {
    recipe: Recipe,
    master: Key,
    keys: BTreeMap<u32, Key>,
    versions: BTreeMap<String, u64>,
}

/// Why a header does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Locked {
    /// The passphrase is another one.
    #[error("the passphrase is not this vault's")]
    Wrong,
    /// It was changed by hand, or by a later version.
    #[error("the vault's own row is damaged")]
    Damaged,
}

fn key_name(id: u32) -> Vec<u8> {
    format!("opcode vault 1 key {id}").into_bytes()
}

impl Header {
    /// Opens it.
    pub(crate) fn open(&self, passphrase: &Passphrase) -> Result<Unlocked, Locked> {
        let master = self.recipe.key(passphrase).ok_or(Locked::Damaged)?;
        let mut keys = BTreeMap::new();
        for (id, sealed) in &self.keys {
            let sealed = STANDARD.decode(sealed).map_err(|_| Locked::Damaged)?;
            let bytes = master.open(&key_name(*id), &sealed).map_err(|_| Locked::Wrong)?;
            let bytes: [u8; KEY_BYTES] =
                bytes.as_slice().try_into().map_err(|_| Locked::Damaged)?;
            keys.insert(*id, Key::of(bytes));
        }
        let newest = keys.values().next_back().ok_or(Locked::Damaged)?;
        let sealed = STANDARD.decode(&self.versions).map_err(|_| Locked::Damaged)?;
        let listed = newest.open(VERSIONS, &sealed).map_err(|_| Locked::Damaged)?;
        let versions = serde_json::from_slice(&listed).map_err(|_| Locked::Damaged)?;
        Ok(Unlocked { recipe: self.recipe.clone(), master, keys, versions })
    }
}

impl Unlocked {
    /// A new vault, with its first key.
    pub(crate) fn fresh(passphrase: &Passphrase) -> Result<Self, NoDice> {
        let (recipe, master) = Recipe::fresh(passphrase)?;
        let keys = BTreeMap::from([(1, Key::fresh()?)]);
        Ok(Self { recipe, master, keys, versions: BTreeMap::new() })
    }

    /// The row to store.
    pub(crate) fn header(&self) -> Result<Header, NoDice> {
        let seal = |(id, key): (&u32, &Key)| {
            let sealed = self.master.seal(&key_name(*id), key.bytes())?;
            Ok((*id, STANDARD.encode(sealed)))
        };
        let keys = self.keys.iter().map(seal).collect::<Result<_, NoDice>>()?;
        let listed = serde_json::to_vec(&self.versions).map_err(|_| NoDice)?;
        let (_, newest) = self.newest();
        let versions = STANDARD.encode(newest.seal(VERSIONS, &listed)?);
        Ok(Header { recipe: self.recipe.clone(), keys, versions })
    }

    /// The key that seals from now on. There is always one.
    pub(crate) fn newest(&self) -> (u32, &Key) {
        self.keys.last_key_value().map_or((0, &self.master), |(id, key)| (*id, key))
    }

    pub(crate) fn key(&self, id: u32) -> Option<&Key> {
        self.keys.get(&id)
    }

    /// Whether an older key is still there: its secrets are not all sealed anew.
    pub(crate) fn is_rotating(&self) -> bool {
        self.keys.len() > 1
    }

    /// The same under another passphrase.
    pub(crate) fn under(&self, passphrase: &Passphrase) -> Result<Self, NoDice> {
        let (recipe, master) = Recipe::fresh(passphrase)?;
        Ok(Self { recipe, master, ..self.clone() })
    }

    /// The same with one more key.
    pub(crate) fn with_new_key(&self) -> Result<Self, NoDice> {
        let mut next = self.clone();
        next.keys.insert(self.newest().0 + 1, Key::fresh()?);
        Ok(next)
    }

    /// The same with the newest key alone.
    pub(crate) fn with_newest_key(&self) -> Self {
        let mut next = self.clone();
        next.keys.retain(|id, _| *id == self.newest().0);
        next
    }

    /// A secret's last version; 0 if there never was one.
    pub(crate) fn version(&self, name: &str) -> u64 {
        self.versions.get(name).copied().unwrap_or_default()
    }

    /// The same with the next version of a secret.
    pub(crate) fn with_next(&self, name: &str) -> Self {
        let mut next = self.clone();
        next.versions.insert(name.to_owned(), self.version(name) + 1);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_opens_with_its_passphrase_alone_and_keeps_its_keys_under_another() {
        let (old, new) = (Passphrase::new(b"old".to_vec()), Passphrase::new(b"new".to_vec()));
        let first = Unlocked::fresh(&old).unwrap().with_next("A");
        let sealed = first.newest().1.seal(b"n", b"text").unwrap();
        let header = first.header().unwrap();
        assert_eq!(header.open(&new).err(), Some(Locked::Wrong));
        let moved = header.open(&old).unwrap().with_new_key().unwrap().under(&new).unwrap();
        let opened = moved.header().unwrap().open(&new).unwrap();
        assert_eq!((opened.newest().0, opened.version("A"), opened.is_rotating()), (2, 1, true));
        assert_eq!(opened.key(1).unwrap().open(b"n", &sealed).unwrap().as_slice(), b"text");
        assert!(!opened.with_newest_key().is_rotating());
    }
}
