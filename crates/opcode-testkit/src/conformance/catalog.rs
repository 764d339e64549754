//! Things by kind and key, written alone or in a commit.
//!
//! Keeps: all or nothing; a thing that may not be replaced stays.
//! Not here: what the things are.

use opcode_model::Timestamp;
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_store::{CatalogEntry, CatalogError};

use super::fixtures::{begin, run, take};
use super::{Case, Store, wait};

pub(super) const CASES: &[Case] = &[
    ("a thing is found under its kind and key", found),
    ("things are listed by prefix in key order", listed),
    ("a call writes all or nothing", all_or_nothing),
    ("writes ride in a commit", riding),
];

const KINDS: [CatalogKind; 9] = [
    CatalogKind::Definition,
    CatalogKind::Template,
    CatalogKind::Agent,
    CatalogKind::Secret,
    CatalogKind::Token,
    CatalogKind::Schedule,
    CatalogKind::Plugin,
    CatalogKind::Quota,
    CatalogKind::Key,
];

fn write(key: &str, body: Option<&str>, at: i64, replace: bool) -> CatalogWrite {
    let (kind, body) = (CatalogKind::Template, body.map(Into::into));
    CatalogWrite { kind, key: key.into(), body, at: Timestamp(at), replace }
}

fn find(store: &dyn Store, key: &str) -> Option<String> {
    let found = wait(store.find(CatalogKind::Template, key.into()));
    found.unwrap_or_else(|fault| panic!("could not {fault}")).map(|body| body.to_string())
}

fn list(store: &dyn Store, prefix: &str) -> Vec<CatalogEntry> {
    let found = wait(store.list(CatalogKind::Template, prefix.into()));
    found.unwrap_or_else(|fault| panic!("could not {fault}"))
}

fn found(store: &dyn Store) {
    for (n, kind) in KINDS.into_iter().enumerate() {
        let body = Some(n.to_string().into());
        let (key, at) = ("same key".into(), Timestamp(1));
        assert_eq!(
            wait(store.put(vec![CatalogWrite { kind, key, body, at, replace: false }])),
            Ok(())
        );
    }
    for (n, kind) in KINDS.into_iter().enumerate() {
        let found = wait(store.find(kind, "same key".into()));
        assert_eq!(found, Ok(Some(n.to_string().into())), "{kind:?}");
        assert_eq!(wait(store.find(kind, "another".into())), Ok(None));
    }
    assert_eq!(wait(store.put(vec![write("same key", Some("new"), 5, true)])), Ok(()));
    let (created_at, updated_at) = (Timestamp(1), Timestamp(5));
    let entry = CatalogEntry { key: "same key".into(), body: "new".into(), created_at, updated_at };
    assert_eq!(list(store, ""), [entry]);
    assert_eq!(wait(store.put(vec![write("same key", None, 6, false)])), Ok(()));
    assert_eq!(find(store, "same key"), None);
    assert_eq!(wait(store.put(vec![])), Ok(()));
}

fn listed(store: &dyn Store) {
    let keys = ["b@1", "a@2", "a@10", "é", "a%", "A", "a", "b_"];
    let writes = keys.iter().map(|key| write(key, Some(key), 1, false)).collect();
    assert_eq!(wait(store.put(writes)), Ok(()));
    let keys = |prefix| -> Vec<String> {
        list(store, prefix).iter().map(|entry| entry.key.to_string()).collect()
    };
    assert_eq!(keys(""), ["A", "a", "a%", "a@10", "a@2", "b@1", "b_", "é"]);
    assert_eq!(keys("a@"), ["a@10", "a@2"]);
    assert_eq!(keys("a%"), ["a%"]);
    assert_eq!(keys("z"), Vec::<String>::new());
}

fn all_or_nothing(store: &dyn Store) {
    assert_eq!(wait(store.put(vec![write("a", Some("1"), 1, false)])), Ok(()));
    let writes = vec![write("b", Some("1"), 2, false), write("a", Some("2"), 2, false)];
    assert_eq!(wait(store.put(writes)), Err(CatalogError::Taken("a".into())));
    assert_eq!((find(store, "a").as_deref(), find(store, "b")), (Some("1"), None));
    // The same content is no conflict, and nothing changes by it.
    assert_eq!(wait(store.put(vec![write("a", Some("1"), 3, false)])), Ok(()));
    assert_eq!(list(store, "a")[0].updated_at, Timestamp(1));
    // The writes of one call see each other.
    let writes = vec![write("c", Some("1"), 4, false), write("c", Some("2"), 4, false)];
    assert_eq!(wait(store.put(writes)), Err(CatalogError::Taken("c".into())));
    let writes = vec![write("a", None, 5, false), write("a", Some("2"), 5, false)];
    assert_eq!(wait(store.put(writes)), Ok(()));
    assert_eq!(find(store, "a").as_deref(), Some("2"));
}

fn riding(store: &dyn Store) {
    assert_eq!(wait(store.put(vec![write("kept", Some("old"), 1, false)])), Ok(()));
    let mut carrying = begin(run(1));
    carrying.catalog = vec![
        write("kept", Some("new"), 2, false),
        write("fresh", Some("1"), 2, false),
        write("fresh", Some("2"), 3, true),
        write("gone", Some("1"), 2, true),
        write("gone", None, 3, true),
    ];
    take(store, carrying);
    assert_eq!(find(store, "kept").as_deref(), Some("old"));
    assert_eq!(find(store, "fresh").as_deref(), Some("2"));
    assert_eq!(find(store, "gone"), None);
}
