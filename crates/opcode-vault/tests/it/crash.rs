//! A rotation that dies after any of its writes leaves a vault that opens with exactly one of the two passphrases.
//!
//! Keeps: the store takes so many writes and then none, as a killed process would have left it.
//! Not here: the store's own crashes (`opcode-store-sqlite`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_store::{Catalog, CatalogEntry, CatalogError, Fault, MemoryStore, Pending};
use opcode_vault::{Passphrase, Vault};

use crate::keeping::{AT, content, vault};

/// A store that dies after so many writes.
struct Mortal {
    store: Arc<MemoryStore>,
    left: AtomicUsize,
}

impl Catalog for Mortal {
    fn find(&self, kind: CatalogKind, key: Arc<str>) -> Pending<Result<Option<Arc<str>>, Fault>> {
        self.store.find(kind, key)
    }

    fn put(&self, writes: Vec<CatalogWrite>) -> Pending<Result<(), CatalogError>> {
        let lives = |left: usize| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lives) {
            Ok(_) => self.store.put(writes),
            Err(_) => Box::pin(std::future::ready(Err(CatalogError::Taken("dead".into())))),
        }
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: Arc<str>,
    ) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.store.list(kind, prefix)
    }

    fn newest(&self, kind: CatalogKind, limit: usize) -> Pending<Result<Vec<CatalogEntry>, Fault>> {
        self.store.newest(kind, limit)
    }

    fn audited(&self) -> Pending<Result<(u64, Option<String>), Fault>> {
        self.store.audited()
    }
}

const NAMES: [&str; 3] = ["A", "B", "C"];

#[tokio::test]
async fn a_rotation_killed_after_any_write_opens_with_one_of_the_two() {
    let mut opened_with_new = Vec::new();
    // A header, three secrets, a header: the last round lets the rotation through.
    for writes in 0..=5 {
        let store = Arc::new(MemoryStore::default());
        let first = vault(&store, "old");
        for name in NAMES {
            first.set(name, format!("content-{name}").as_bytes(), AT, vec![]).await.unwrap();
        }
        let mortal = Arc::new(Mortal { store: store.clone(), left: AtomicUsize::new(writes) });
        let doomed = Vault::new(mortal, Some(Passphrase::new(b"old".to_vec())));
        let new = Passphrase::new(b"new".to_vec());
        assert_eq!(doomed.rotate(Some(new), AT, vec![]).await.is_ok(), writes == 5);

        let mut which = Vec::new();
        for passphrase in ["old", "new"] {
            let next = vault(&store, passphrase);
            if next.unlock(AT).await.is_ok() {
                which.push(passphrase);
                for name in NAMES {
                    assert_eq!(content(&next, name).await.unwrap(), format!("content-{name}"));
                }
            }
        }
        assert_eq!(which.len(), 1, "after {writes} writes it opens with {which:?}");
        opened_with_new.push(which[0] == "new");
    }
    assert_eq!(opened_with_new, [false, true, true, true, true, true]);
}
