//! Opening what is there, refusing what is not ours, and leaving that alone.
//!
//! Keeps: a refused file is the same to the byte, and nothing appears beside it.
//! Not here: damage inside a store (`damage.rs`).

use std::os::unix::fs::PermissionsExt;

use opcode_model::{Position, RunStatus};
use opcode_store::{CommitError, RunFilter, Runs};
use opcode_store_sqlite::{OpenError, SqliteStore};
use opcode_testkit::conformance::{commit_of, logged, run, wait};

use crate::child::{command, said};
use crate::place::{Place, append, history};

#[test]
fn a_second_opener_is_refused() {
    let place = Place::new();
    let store = place.open();
    history(&store, run(1), vec![logged(1, "a", "x")], vec![]);
    let refused = place.try_open().err().unwrap();
    let pid = Some(std::process::id());
    let command_name = "a test".to_owned();
    assert_eq!(refused, OpenError::Held { path: place.database(), pid, command: command_name });
    let child = command(&place, "open", None).output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    let held = format!("in use by process {} (a test)", std::process::id());
    assert!(output.lines().filter_map(said).any(|line| line.contains(&held)), "{output}");
    // The first goes on as if nothing had been.
    let after = wait(store.load(run(1))).unwrap().unwrap().position;
    append(&store, commit_of(run(1), after, vec![logged(2, "a", "y")])).unwrap();
    drop(store);
    let child = command(&place, "open", None).output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(output.lines().filter_map(said).any(|line| line == "opened"), "{output}");
}

#[test]
fn only_its_owner_may_read_a_store() {
    let place = Place::new();
    let store = place.open();
    history(&store, run(1), vec![logged(1, "a", "x")], vec![]);
    for file in ["store.db", "store.db-wal", "store.db-shm", "store.db.lock"] {
        let mode = std::fs::metadata(place.file(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_lock_that_is_about_to_go_is_waited_for() {
    let place = Place::new();
    drop(place.open());
    let left_behind = std::fs::File::open(place.file("store.db.lock")).unwrap();
    left_behind.lock().unwrap();
    let (say, heard) = std::sync::mpsc::channel();
    let opener = std::thread::spawn(move || {
        say.send(place.try_open().map(drop)).unwrap();
    });
    let early = heard.recv_timeout(std::time::Duration::from_millis(50));
    assert!(early.is_err(), "neither opened nor refused while it is held: {early:?}");
    drop(left_behind);
    assert_eq!(heard.recv().unwrap(), Ok(()));
    opener.join().unwrap();
}

#[test]
fn a_newer_schema_is_left_alone() {
    let place = Place::new();
    history(&place.open(), run(1), vec![logged(1, "a", "x")], vec![]);
    let newer = "INSERT INTO schema_version VALUES (99, 'from_the_future', 'then')";
    place.sql().execute_batch(newer).unwrap();
    let before = place.content();
    let refused = place.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
    let refused = SqliteStore::open_read_only(place.database()).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
    let after = place.content();
    let same = |name: &str| {
        let find = |content: &[(String, Vec<u8>)]| {
            content.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes.clone())
        };
        find(&before) == find(&after)
    };
    assert!(same("store.db") && same("store.db-wal"));
}

const ORIGINAL: &str = "
    CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT, applied_at TEXT);
    INSERT INTO schema_version VALUES (1, 'initial_schema', 'then');
    CREATE TABLE workflows (id TEXT PRIMARY KEY, status TEXT NOT NULL);
    CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, workflow_id TEXT NOT NULL);
    CREATE TABLE step_state (workflow_id TEXT, step_id TEXT, PRIMARY KEY (workflow_id, step_id));
    INSERT INTO workflows VALUES ('w', 'active');";

#[test]
fn a_foreign_database_is_left_alone() {
    let wal = format!("PRAGMA journal_mode = WAL; {ORIGINAL}");
    for (statements, is_original) in
        [(ORIGINAL, true), (&wal, true), ("CREATE TABLE songs (name TEXT)", false)]
    {
        let place = Place::new();
        place.sql().execute_batch(statements).unwrap();
        let before = place.content();
        let refused = place.try_open().err().unwrap();
        let path = place.database();
        let expected = match is_original {
            true => OpenError::Original { path },
            false => OpenError::Foreign { path, owner: "another program" },
        };
        assert_eq!(refused, expected);
        assert_eq!(SqliteStore::open_read_only(place.database()).err(), Some(expected));
        assert!(place.content() == before, "{refused}: something changed");
    }
}

#[test]
fn a_foreign_database_in_use_is_left_alone() {
    let place = Place::new();
    let theirs = place.sql();
    theirs.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    theirs.execute_batch(ORIGINAL).unwrap();
    let file = |name| std::fs::read(place.file(name)).unwrap();
    let before = (file("store.db"), file("store.db-wal"));
    let refused = place.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::Original { .. }), "{refused}");
    assert!((file("store.db"), file("store.db-wal")) == before);
    assert!(!place.file("store.db.lock").exists());
    theirs.execute_batch("INSERT INTO workflows VALUES ('x', 'active')").unwrap();
}

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let place = Place::new();
    for bytes in [&b"just some text, longer than a header would have to be"[..], &[0; 8_192]] {
        std::fs::write(place.database(), bytes).unwrap();
        let refused = place.try_open().err().unwrap();
        assert!(matches!(refused, OpenError::NotADatabase { .. }), "{refused}");
        assert_eq!(std::fs::read(place.database()).unwrap(), bytes);
    }
    std::fs::write(place.database(), b"").unwrap();
    std::fs::write(place.file("store.db-wal"), b"left over").unwrap();
    let refused = place.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    let missing = crate::place::open(place.file("no/such/directory.db")).err().unwrap();
    assert!(matches!(missing, OpenError::Unusable { .. }), "{missing}");
}

#[test]
fn reading_needs_no_lock_and_writes_nothing() {
    let place = Place::new();
    let missing = SqliteStore::open_read_only(place.database()).err().unwrap();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing}");
    assert_eq!(place.content(), []);
    let store = place.open();
    let end = history(&store, run(1), vec![logged(1, "a", "x")], vec![]);
    let beside = SqliteStore::open_read_only(place.database()).unwrap();
    assert_eq!(wait(beside.load(run(1))).unwrap().unwrap().position, end);
    let end = append(&store, commit_of(run(1), end, vec![logged(2, "a", "y")])).unwrap();
    assert_eq!(wait(beside.load(run(1))).unwrap().unwrap().position, end);
    let refused = append(&beside, commit_of(run(1), end, vec![logged(3, "a", "z")]));
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    drop(store);
    // Nobody holds it now: what is read is the file alone, and the directory stays as it is.
    let before = place.content();
    assert_eq!(wait(beside.load(run(1))).unwrap().unwrap().position, end);
    assert_eq!(wait(beside.verify()).unwrap().damage, []);
    let active = RunFilter { status: Some(RunStatus::Active), ..RunFilter::default() };
    assert_eq!(wait(beside.workflows(active)).unwrap().len(), 1);
    assert!(place.content() == before);
    // And somebody comes again.
    let store = place.open();
    let end = append(&store, commit_of(run(1), end, vec![logged(3, "a", "z")])).unwrap();
    assert_eq!(wait(beside.load(run(1))).unwrap().unwrap().position, end);
}

#[test]
fn what_a_crash_left_in_the_log_is_there_again() {
    let place = Place::new();
    let store = place.open();
    let end = history(&store, run(1), vec![logged(1, "a", "x")], vec![vec![logged(2, "b", "y")]]);
    let copy = Place::new();
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(place.file(name), copy.file(name)).unwrap();
    }
    let again = copy.open();
    assert_eq!(wait(again.load(run(1))).unwrap().unwrap().position, end);
    assert_eq!(again.note(), None);
    assert!(append(&again, commit_of(run(1), Position::default(), vec![])).is_err());
    append(&again, commit_of(run(1), end, vec![logged(3, "c", "z")])).unwrap();
}

#[test]
fn a_log_that_went_missing_is_noted() {
    let place = Place::new();
    let store = place.open();
    history(&store, run(1), vec![logged(1, "a", "x")], vec![]);
    for zeros in [0, 4_096] {
        let copy = Place::new();
        std::fs::copy(place.database(), copy.database()).unwrap();
        std::fs::write(copy.file("store.db-wal"), vec![0; zeros]).unwrap();
        let older = copy.open();
        assert!(older.note().is_some_and(|note| note.contains("commits are lost")));
        assert!(wait(older.load(run(1))).unwrap().is_none());
        drop(older);
        assert_eq!(copy.open().note(), None);
    }
    drop(store);
    assert_eq!(place.open().note(), None);
}

#[test]
fn a_foreign_log_without_its_index_is_left_alone() {
    let place = Place::new();
    let theirs = place.sql();
    theirs.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    theirs.execute_batch(ORIGINAL).unwrap();
    let copy = Place::new();
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(place.file(name), copy.file(name)).unwrap();
    }
    let before = copy.content();
    let refused = copy.try_open().err().unwrap();
    assert!(matches!(refused, OpenError::Original { .. }), "{refused}");
    // The index may appear; the database and its log are the same.
    let after = copy.content().into_iter().filter(|(name, _)| name != "store.db-shm");
    assert!(after.eq(before), "something changed");
}

#[test]
fn a_reader_that_stays_is_named_at_the_next_start() {
    let place = Place::new();
    let store = place.open();
    let end = history(&store, run(1), vec![logged(1, "a", "x")], vec![]);
    let reader = place.sql();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM commits";
    assert_eq!(reader.query_row(count, [], |row| row.get::<_, i64>(0)), Ok(1));
    let end = append(&store, commit_of(run(1), end, vec![logged(2, "a", "y")])).unwrap();
    drop(store);
    let refused = place.try_open().err().unwrap();
    assert!(refused.hint().contains("another program"), "{refused}");
    drop(reader);
    assert_eq!(wait(place.open().load(run(1))).unwrap().unwrap().position, end);
}
