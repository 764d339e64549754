//! Setting, opening, granting, rotating, and what somebody who writes into the store can do.
//!
//! Keeps: one vault a test.
//! Not here: crashes (`crash.rs`).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{ErrorCode, Timestamp};
use opcode_store::{Catalog, MemoryStore};
use opcode_vault::{Grant, Passphrase, Use, Vault};

pub(crate) const AT: Timestamp = Timestamp(1_000_000);
pub(crate) const WISH: Use<'_> =
    Use { action: "http.get", host: None, template: Some("t"), workflow_id: "w", agent: None };

pub(crate) fn vault(store: &Arc<MemoryStore>, passphrase: &str) -> Vault {
    Vault::new(store.clone(), Some(Passphrase::new(passphrase.into())))
}

/// What a passphrase finds under a name.
pub(crate) async fn content(vault: &Vault, name: &str) -> Result<String, ErrorCode> {
    let opened = vault.open([name.into()], WISH, AT).await.map_err(|failure| failure.code)?;
    Ok(opened.content(name).unwrap().to_owned())
}

async fn body(store: &MemoryStore, kind: CatalogKind, key: &str) -> Arc<str> {
    store.find(kind, key.into()).await.unwrap().unwrap()
}

async fn put(store: &MemoryStore, kind: CatalogKind, key: &str, body: Arc<str>) {
    let write = CatalogWrite { kind, key: key.into(), body: Some(body), at: AT, replace: true };
    store.put(vec![write]).await.unwrap();
}

#[tokio::test]
async fn what_is_set_opens_with_the_passphrase_and_stands_nowhere_in_plain() {
    let store = Arc::new(MemoryStore::default());
    let first = vault(&store, "open sesame");
    assert_eq!(first.set("TOKEN", b"plain-text", AT, vec![]).await.unwrap(), 1);
    assert_eq!(first.set("TOKEN", b"other-text", AT, vec![]).await.unwrap(), 2);
    assert_eq!(content(&vault(&store, "open sesame\n"), "TOKEN").await.unwrap(), "other-text");
    assert_eq!(content(&vault(&store, "wrong"), "TOKEN").await, Err(ErrorCode::Vault));
    for (kind, key) in [(CatalogKind::Secret, "TOKEN"), (CatalogKind::Key, "vault")] {
        let stored = body(&store, kind, key).await;
        assert!(!stored.contains("text") && !stored.contains("sesame"), "{stored}");
        assert!(!stored.contains(&STANDARD.encode("other-text")[..8]), "{stored}");
    }
    let without = Vault::new(store.clone(), None);
    assert_eq!(content(&without, "TOKEN").await, Err(ErrorCode::Vault));
    let told = without.list().await.unwrap();
    assert_eq!((told[0].name.as_str(), told[0].version), ("TOKEN", 2));
}

#[tokio::test]
async fn names_and_contents_that_cannot_be_are_refused() {
    let store = Arc::new(MemoryStore::default());
    let vault = vault(&store, "p");
    for (name, content) in [
        ("", &b"long enough"[..]),
        ("a b", b"long enough"),
        ("1a", b"long enough"),
        ("A", b"abc"),
        ("A", &[0xff; 8]),
        ("A", &[b'x'; (64 << 10) + 1]),
    ] {
        let refused = vault.set(name, content, AT, vec![]).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Validation, "{name} {refused}");
    }
    vault.set("TOKEN", b"content", AT, vec![]).await.unwrap();
    let near = vault.delete("TOKNE", AT, vec![]).await.unwrap_err();
    assert!(near.message.contains("`TOKEN`"), "{near}");
    vault.delete("TOKEN", AT, vec![]).await.unwrap();
    assert_eq!(content(&vault, "TOKEN").await, Err(ErrorCode::Vault));
    assert!(vault.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_that_changed_places_or_came_back_do_not_open() {
    let store = Arc::new(MemoryStore::default());
    let first = vault(&store, "p");
    first.set("A", b"content-a", AT, vec![]).await.unwrap();
    let old = body(&store, CatalogKind::Secret, "A").await;
    first.set("A", b"content-b", AT, vec![]).await.unwrap();
    first.set("B", b"content-c", AT, vec![]).await.unwrap();
    let other = body(&store, CatalogKind::Secret, "B").await;
    for row in [old.clone(), other] {
        put(&store, CatalogKind::Secret, "A", row).await;
        assert_eq!(content(&first, "A").await, Err(ErrorCode::Vault));
    }
    first.delete("A", AT, vec![]).await.unwrap();
    first.set("A", b"content-d", AT, vec![]).await.unwrap();
    put(&store, CatalogKind::Secret, "A", old).await;
    assert_eq!(content(&first, "A").await, Err(ErrorCode::Vault), "a version never comes again");
}

#[tokio::test]
async fn grants_say_who_may() {
    let store = Arc::new(MemoryStore::default());
    let vault = vault(&store, "p");
    vault.set("K", b"content", AT, vec![]).await.unwrap();
    let list = |text: &str| vec![text.to_owned()];
    let grant = Grant { actions: list("http.*"), hosts: list("api.good"), templates: list("t") };
    vault.grant("K", vec![grant], AT, vec![]).await.unwrap();
    let good = Use { host: Some("api.good:443"), ..WISH };
    let opened = vault.open(["K".into()], good, AT).await.unwrap();
    assert_eq!(opened.hosts(), [["api.good".to_owned()]]);
    for wish in [
        Use { host: Some("api.evil:443"), ..good },
        Use { host: None, ..good },
        Use { action: "shell.exec", ..good },
        Use { template: Some("other"), ..good },
        Use { template: None, ..good },
    ] {
        let refused = vault.open(["K".into()], wish, AT).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::PermissionDenied, "{wish:?}");
    }
    vault.set("K", b"content 2", AT, vec![]).await.unwrap();
    assert_eq!(vault.list().await.unwrap()[0].grants.len(), 1, "a new content keeps its grants");
    vault.grant("K", vec![], AT, vec![]).await.unwrap();
    assert!(vault.open(["K".into()], WISH, AT).await.unwrap().hosts().is_empty());
}

#[tokio::test]
async fn a_use_is_noted_once_in_a_while() {
    let store = Arc::new(MemoryStore::default());
    let vault = vault(&store, "p");
    vault.set("K", b"content", AT, vec![]).await.unwrap();
    let note = vault.note_use("K", WISH, AT).unwrap();
    store.put(vec![note]).await.unwrap();
    assert!(vault.note_use("K", WISH, Timestamp(AT.0 + 59_999)).is_none());
    assert!(vault.note_use("K", Use { action: "fs.write", ..WISH }, AT).is_some());
    let told = vault.list().await.unwrap().remove(0).last_use.unwrap();
    assert_eq!(
        (told.at, told.template.as_deref(), told.action.as_str()),
        (AT, Some("t"), "http.get")
    );
    assert!(vault.note_use("K", WISH, Timestamp(AT.0 + 60_000)).is_some());
}

#[tokio::test]
async fn what_the_original_sealed_is_sealed_anew_when_it_is_used() {
    // As in `derive.rs`: made with Python, as the original's vault does it.
    let sealed = STANDARD.decode("AAECAwQFBgcICQoLTMHRjpMaZJFOtZud/xhG7LGEjllh1g==").unwrap();
    let store = Arc::new(MemoryStore::default());
    let first = vault(&store, "correct horse");
    first.adopt_legacy("OLD", &sealed, AT).await.unwrap();
    let before = body(&store, CatalogKind::Secret, "OLD").await;
    assert_eq!(content(&first, "OLD").await.unwrap(), "legacy");
    let after = body(&store, CatalogKind::Secret, "OLD").await;
    assert_ne!(before, after);
    assert_eq!(content(&vault(&store, "correct horse"), "OLD").await.unwrap(), "legacy");

    first.adopt_legacy("UNUSED", &sealed, AT).await.unwrap();
    let new = Passphrase::new(b"new".to_vec());
    assert_eq!(first.rotate(Some(new), AT, vec![]).await.unwrap(), 2);
    assert_eq!(content(&vault(&store, "new"), "UNUSED").await.unwrap(), "legacy");
    assert_eq!(content(&vault(&store, "correct horse"), "OLD").await, Err(ErrorCode::Vault));
}

#[tokio::test]
async fn a_rotation_that_could_not_be_undone_is_refused() {
    let store = Arc::new(MemoryStore::default());
    let first = vault(&store, "p");
    first.set("A", b"content-a", AT, vec![]).await.unwrap();
    first.set("B", b"content-b", AT, vec![]).await.unwrap();
    for unfit in [b"\n\n".to_vec(), vec![b'x'; 4_097]] {
        let refused = first.rotate(Some(Passphrase::new(unfit)), AT, vec![]).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Validation);
    }
    let damaged = body(&store, CatalogKind::Secret, "B").await;
    put(&store, CatalogKind::Secret, "A", damaged).await;
    let refused = first.rotate(None, AT, vec![]).await.unwrap_err();
    assert!(refused.message.contains("`A`"), "{refused}");
    for vault in [first, vault(&store, "p")] {
        assert_eq!(content(&vault, "B").await.unwrap(), "content-b");
        vault.set("C", b"content-c", AT, vec![]).await.unwrap();
    }
}
