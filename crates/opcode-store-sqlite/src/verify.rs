//! Looks at every byte the engine ever wrote: chains, gaps, rows, payloads, snapshots, definitions.
//!
//! Keeps: damage in one place hides none in another; whatever the bytes say, the answer is a report.
//! Not here: repair.

use std::collections::BTreeSet;

use opcode_model::commit::Position;
use opcode_model::{DefinitionHash, Message, RunId, Seq};
use opcode_store::{Damage, Report, codec};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::audits;
use crate::fault::ReadError;
use crate::load::cut;
use crate::rows::{COMMIT_COLUMNS, RUN_COLUMNS, read_commit, run_id, run_row};

/// Checks everything, in one transaction.
pub(crate) fn verify(connection: &Connection) -> Result<Report, ReadError> {
    let moment = connection.unchecked_transaction()?;
    let mut report = Report::default();
    report.attempt("the database", |report| check_pages(&moment, report));
    for id in surrogates(&moment, &mut report) {
        check_run(&moment, id, &mut report);
    }
    report.attempt("the definitions", |report| check_definitions(&moment, report));
    report.attempt("the messages", |report| check_messages(&moment, report));
    report.attempt("the audit log", |report| {
        let (entries, wrong) = audits::check(&moment)?;
        report.audits = entries;
        wrong
            .into_iter()
            .for_each(|what| report.found(None, None, format!("the audit log: {what}")));
        Ok(())
    });
    report.attempt("what runs refer to", |report| check_references(&moment, report));
    Ok(report)
}

/// How a check adds to a report.
trait Finding {
    fn found(&mut self, run: Option<RunId>, seq: Option<Seq>, what: String);
    fn attempt(&mut self, what: &str, check: impl FnOnce(&mut Self) -> Result<(), ReadError>);
}

impl Finding for Report {
    fn found(&mut self, run: Option<RunId>, seq: Option<Seq>, what: String) {
        self.damage.push(Damage { run, seq, what });
    }

    fn attempt(&mut self, what: &str, check: impl FnOnce(&mut Self) -> Result<(), ReadError>) {
        if let Err(error) = check(self) {
            self.found(None, None, format!("{what} cannot be read to the end: {error}"));
        }
    }
}

fn check_pages(connection: &Connection, report: &mut Report) -> Result<(), ReadError> {
    let mut check = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let line =
            String::from_utf8_lossy(row.get_ref(0)?.as_bytes().unwrap_or_default()).into_owned();
        if line != "ok" {
            report.found(None, None, line);
        }
    }
    Ok(())
}

/// Every run that has a row or a log.
fn surrogates(connection: &Connection, report: &mut Report) -> BTreeSet<i64> {
    let mut ids = BTreeSet::new();
    for (what, sql) in [
        ("the runs", "SELECT id FROM runs ORDER BY id"),
        ("the logs", "SELECT DISTINCT run FROM commits ORDER BY run"),
    ] {
        report.attempt(what, |_| {
            let mut select = connection.prepare(sql)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                ids.insert(row.get(0)?);
            }
            Ok(())
        });
    }
    ids
}

fn check_run(connection: &Connection, id: i64, report: &mut Report) {
    report.runs += 1;
    let uuid = connection
        .prepare_cached("SELECT uuid FROM runs WHERE id = ?1")
        .and_then(|mut select| select.query_row([id], |row| row.get::<_, String>(0)).optional());
    let run = match uuid.map_err(ReadError::from).map(|uuid| uuid.map(|uuid| run_id(&uuid))) {
        Ok(Some(Ok(run))) => run,
        Ok(None) => return check_orphans(connection, id, report),
        Ok(Some(Err(error))) => return report.found(None, None, format!("run {id}: {error}")),
        Err(error) => return report.found(None, None, format!("run {id}: {error}")),
    };
    let written = check_row(connection, id)
        .inspect_err(|error| report.found(Some(run), None, format!("its row: {error}")));
    let mut log = Log { run, end: Position::default(), written: written.ok() };
    let known = report.damage.len();
    if let Err(error) = log.check(connection, id, report) {
        report.found(Some(run), Some(Seq(log.end.seq.0 + 1)), error.to_string());
    }
    if report.damage.len() == known {
        match cut(connection, id, log.end) {
            Ok(None) => {}
            Ok(Some(what)) => report.found(Some(run), Some(Seq(log.end.seq.0 + 1)), what),
            Err(error) => report.found(Some(run), None, error.to_string()),
        }
    }
    if let Err(error) = check_snapshot(connection, id, run) {
        report.found(Some(run), None, format!("its snapshot: {error}"));
    }
}

/// Reads all of a run's row; answers where the row says the log was when it was written.
fn check_row(connection: &Connection, id: i64) -> Result<Position, ReadError> {
    let sql = format!("SELECT {RUN_COLUMNS}, last_seq, head FROM runs WHERE id = ?1");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([id])?;
    let row = rows.next()?.ok_or_else(|| ReadError::damaged("it is gone"))?;
    run_row(connection, row)?;
    Ok(Position { seq: Seq(row.get::<_, i64>(19)?.cast_unsigned()), head: row.get(20)? })
}

/// A log on the way from its first row to its last.
struct Log {
    run: RunId,
    end: Position,
    /// Where the run's row says the log was; `None` once that is found true, or cannot be told.
    written: Option<Position>,
}

impl Log {
    fn check(
        &mut self,
        connection: &Connection,
        id: i64,
        report: &mut Report,
    ) -> Result<(), ReadError> {
        let sql =
            format!("SELECT {COMMIT_COLUMNS} FROM commits c WHERE c.run = ?1 ORDER BY c.first");
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query([id])?;
        self.meet_row();
        while let Some(row) = rows.next()? {
            self.check_commit(connection, row, report);
            self.meet_row();
        }
        if let Some(Position { seq, .. }) = self.written {
            let what = if seq > self.end.seq {
                format!("the log ends at event {}, its row says {}", self.end.seq.0, seq.0)
            } else {
                format!("the log does not have the hash that its row has for event {}", seq.0)
            };
            report.found(Some(self.run), Some(Seq(self.end.seq.0.min(seq.0) + 1)), what);
        }
        Ok(())
    }

    fn meet_row(&mut self) {
        self.written = self.written.filter(|written| *written != self.end);
    }

    fn check_commit(&mut self, connection: &Connection, row: &Row<'_>, report: &mut Report) {
        let expected = Seq(self.end.seq.0 + 1);
        let commit = match read_commit(row) {
            Ok(commit) => commit,
            Err(error) => return report.found(Some(self.run), Some(expected), error.to_string()),
        };
        match commit.follow(connection, self.run, &mut self.end) {
            Ok(events) => report.events += events.len() as u64,
            Err(error) => {
                report.found(Some(self.run), Some(expected), error.to_string());
                // Go on from what this row says of itself, so that damage further on is found too.
                self.end = Position { seq: commit.last, head: commit.hash };
            }
        }
    }
}

fn check_snapshot(connection: &Connection, id: i64, run: RunId) -> Result<(), ReadError> {
    let mut select =
        connection.prepare_cached("SELECT seq, head, hash, body FROM snapshots WHERE run = ?1")?;
    let mut rows = select.query([id])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let at = Position { seq: Seq(row.get::<_, i64>(0)?.cast_unsigned()), head: row.get(1)? };
    if codec::seal(run, at, &row.get::<_, String>(3)?) == row.get::<_, [u8; 32]>(2)? {
        return Ok(());
    }
    Err(ReadError::damaged("it does not match its hash; loading folds all events instead"))
}

fn check_orphans(connection: &Connection, id: i64, report: &mut Report) {
    report.attempt("an orphaned log", |report| {
        let mut select = connection
            .prepare_cached("SELECT first FROM commits c WHERE c.run = ?1 ORDER BY c.first")?;
        let mut rows = select.query([id])?;
        while let Some(row) = rows.next()? {
            let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
            report.found(None, Some(seq), format!("events belong to run {id}, which has no row"));
        }
        Ok(())
    });
}

/// What belongs together and stands in different tables, and what must be JSON.
const REFERENCES: [(&str, &str); 4] = [
    (
        "SELECT uuid, 'its definition ' || definition || ' is missing' FROM runs r
         WHERE definition <> printf('%064d', 0) AND NOT EXISTS
           (SELECT 1 FROM catalog c WHERE c.kind = 'definition' AND c.key = r.definition)",
        "the definitions of runs",
    ),
    (
        "SELECT uuid, 'it has ' || open || ' open decisions, its row says ' || open_decisions FROM
           (SELECT uuid, open_decisions, (SELECT count(*) FROM decisions d
              WHERE d.run = r.id AND d.status = 'pending') AS open FROM runs r)
         WHERE open <> open_decisions",
        "the decisions of runs",
    ),
    (
        "SELECT NULL, 'decision ' || decision || ' belongs to run ' || run || ', which has no row'
         FROM decisions WHERE run NOT IN (SELECT id FROM runs)",
        "the runs of decisions",
    ),
    (
        "SELECT NULL, kind || ' ' || key || ' is not JSON' FROM catalog
         WHERE kind <> 'definition' AND NOT json_valid(body)",
        "the catalog",
    ),
];

fn check_references(connection: &Connection, report: &mut Report) -> Result<(), ReadError> {
    for (sql, what) in REFERENCES {
        report.attempt(what, |report| {
            let mut select = connection.prepare_cached(sql)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let run = row.get::<_, Option<String>>(0)?;
                let run = run.as_deref().and_then(|uuid| run_id(uuid).ok());
                report.found(run, None, row.get(1)?);
            }
            Ok(())
        });
    }
    Ok(())
}

fn check_definitions(connection: &Connection, report: &mut Report) -> Result<(), ReadError> {
    let mut select =
        connection.prepare_cached("SELECT key, body FROM catalog WHERE kind = 'definition'")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key =
            String::from_utf8_lossy(row.get_ref(0)?.as_bytes().unwrap_or_default()).into_owned();
        let body = row.get_ref(1)?.as_bytes().unwrap_or_default();
        let hash = codec::text(body).map(|body| DefinitionHash::of(body).to_string());
        if hash.is_ok_and(|hash| hash == key) {
            continue;
        }
        report.found(None, None, format!("definition {key} does not match its hash"));
    }
    Ok(())
}

fn check_messages(connection: &Connection, report: &mut Report) -> Result<(), ReadError> {
    let mut select = connection.prepare_cached("SELECT id, run, body FROM inbox ORDER BY id")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let run = run_id(&row.get::<_, String>(1)?).ok();
        let body = row.get::<_, String>(2)?;
        let message = serde_json::from_str::<Message>(&body);
        if run.is_none() || message.is_err() {
            let what = format!("message {} cannot be read", row.get::<_, i64>(0)?);
            report.found(run, None, what);
        }
    }
    Ok(())
}
