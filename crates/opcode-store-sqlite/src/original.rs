//! A database of the original OPCODE: read, and replaced by the store that was made of it.
//!
//! Keeps: its file and its log are never written and stay under another name; a crash at any point leaves what the next
//! attempt begins with.
//! Not here: what its rows become (`opcode-runtime`).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use opcode_model::{Object, Value};
use opcode_store::{Durability, Fault, Original, Report};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use crate::backup::{CopyError, fault, is_kept, keep, remove, sync_folder};
use crate::lock::{self, Lock};
use crate::open::{
    OpenError, SqliteConfig, beside, close_boot, look, readable, truncate_wal, writable,
};
use crate::store::SqliteStore;
use crate::verify::verify;

/// Where the original's database is kept that a store took the place of.
pub fn original_as(path: &Path) -> PathBuf {
    beside(path, ".original")
}

/// A store on its way into the place of a database of the original OPCODE. Nobody else opens either meanwhile.
pub struct Takeover {
    store: PathBuf,
    /// Where the database is: at the place of the store, or kept already by an attempt that was cut off.
    source: PathBuf,
    command_name: String,
    /// Of the database and its log: so that whoever goes on writing there is noticed.
    before: [Stamp; 2],
    _lock: Lock,
}

/// How large a file is and when it was written to, if it is there.
type Stamp = Option<(u64, SystemTime)>;

impl Takeover {
    /// Begins, if it is a database of the original OPCODE that is at this place.
    ///
    /// # Errors
    /// If somebody else holds the place, or another original is kept beside it.
    pub fn begin(store: &Path, command_name: &str) -> Result<Option<Self>, CopyError> {
        let is_original = || matches!(look(store), Err(OpenError::Original { .. }));
        if !is_original() {
            return Ok(None);
        }
        let lock = lock::take(store, command_name)?;
        if !is_original() {
            return Ok(None);
        }
        let kept = original_as(store);
        let source = if is_kept(store, &kept)? { kept } else { store.to_owned() };
        refuse_journal(&source)?;
        let before = stamps(&source);
        let (store, command_name) = (store.to_owned(), command_name.to_owned());
        let begun = Self { store, source, command_name, before, _lock: lock };
        begun.clear()?;
        Ok(Some(begun))
    }

    /// Its rows.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn original(&self) -> Result<impl Original + use<>, Fault> {
        let rows = readable(&self.source).map_err(|cause| fault(&self.source, cause))?;
        Ok(Rows(std::sync::Mutex::new(rows)))
    }

    /// The store to be filled, empty. It must be closed and let go of before [`Takeover::finish`].
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn draft(&self) -> Result<SqliteStore, OpenError> {
        // Nobody trusts it before it is whole; then it is synced.
        let (durability, command_name) = (Durability::Process, self.command_name.clone());
        SqliteStore::open(SqliteConfig { path: self.path(), durability, command_name })
    }

    /// Checks the store that was filled and puts it in its place. Where the original's database is now.
    ///
    /// # Errors
    /// If it is damaged, or somebody wrote to the original's database meanwhile. Nothing is replaced then.
    pub fn finish(self) -> Result<PathBuf, CopyError> {
        let (draft, kept) = (self.path(), original_as(&self.store));
        let report = settle(&draft).map_err(|cause| fault(&draft, cause))?;
        if !report.damage.is_empty() {
            return Err(CopyError::Damaged { path: draft, report });
        }
        File::open(&draft).and_then(|it| it.sync_all()).map_err(|cause| fault(&draft, cause))?;
        if stamps(&self.source) != self.before {
            let command = "another program that writes to it".to_owned();
            return Err(OpenError::Held { path: self.store.clone(), pid: None, command }.into());
        }
        // The log first: once the database is kept, so is all of it.
        for ending in ["-wal", ""] {
            if self.source == self.store {
                keep(&beside(&self.store, ending), &beside(&kept, ending))?;
            }
        }
        sync_folder(&self.store)?;
        // A log that is left beside another database would be played into it.
        for path in [beside(&self.store, "-wal"), beside(&self.store, "-shm")] {
            remove(&path)?;
        }
        fs::rename(&draft, &self.store).map_err(|cause| fault(&self.store, cause))?;
        sync_folder(&self.store)?;
        self.clear()?;
        remove(&beside(&kept, "-shm"))?;
        Ok(kept)
    }

    fn path(&self) -> PathBuf {
        beside(&self.store, ".migrating")
    }

    /// Takes away what an attempt that was cut off has left.
    fn clear(&self) -> Result<(), Fault> {
        let endings = ["", "-wal", "-shm", "-journal", ".lock"];
        endings.iter().try_for_each(|ending| remove(&beside(&self.path(), ending)))
    }
}

/// A database whose last change is half undone can be read only by who may write to it.
fn refuse_journal(path: &Path) -> Result<(), OpenError> {
    if fs::metadata(beside(path, "-journal")).is_ok_and(|journal| journal.len() > 0) {
        let cause = "its last change was cut off".to_owned();
        let hint = "open it once with the original OPCODE, end that, and try again";
        return Err(OpenError::Unusable { path: path.to_owned(), cause, hint });
    }
    Ok(())
}

fn stamps(path: &Path) -> [Stamp; 2] {
    let stamp = |ending| {
        let file = fs::metadata(beside(path, ending)).ok()?;
        Some((file.len(), file.modified().ok()?))
    };
    [stamp(""), stamp("-wal")]
}

/// Moves the log of a closed store into it, and checks all of it.
fn settle(draft: &Path) -> Result<Report, Box<dyn std::error::Error>> {
    let connection = writable(draft, Durability::Disk)?;
    close_boot(&connection)?;
    truncate_wal(&connection)?;
    drop(connection);
    Ok(verify(&readable(draft)?)?)
}

/// The rows of one database.
struct Rows(std::sync::Mutex<Connection>);

impl Rows {
    fn ask<T>(
        &self,
        doing: &str,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Fault> {
        let connection = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        job(&connection).map_err(|cause| Fault::new(format!("read the original's {doing}"), cause))
    }
}

impl Original for Rows {
    fn workflows(&self) -> Result<Vec<(i64, Value)>, Fault> {
        self.ask("workflows", |connection| {
            let mut select =
                connection.prepare("SELECT rowid, id FROM workflows ORDER BY rowid")?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, value(row.get_ref(1)?)));
            select.query_map([], row)?.collect()
        })
    }

    fn rows(
        &self,
        table: &'static str,
        column: Option<(&'static str, &Value)>,
    ) -> Result<Vec<Object>, Fault> {
        self.ask(table, |connection| {
            let known = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
            if connection.query_row(known, [table], |_| Ok(())).optional()?.is_none() {
                return Ok(Vec::new());
            }
            let clause = column.map(|(name, _)| format!(" WHERE {name} = ?1")).unwrap_or_default();
            let mut select =
                connection.prepare_cached(&format!("SELECT * FROM {table}{clause}"))?;
            let names: Vec<String> = select.column_names().map(str::to_owned).collect();
            let wanted = column.map(|(_, value)| bound(value));
            let row = |row: &Row<'_>| {
                let cell = |(at, name)| Ok((name, value(row.get_ref(at)?)));
                names
                    .iter()
                    .map(String::as_str)
                    .enumerate()
                    .map(cell)
                    .collect::<rusqlite::Result<Object>>()
            };
            select.query_map(params_from_iter(wanted), row)?.collect()
        })
    }
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Float(number),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => text.into(),
            Err(_) => Value::Bytes(text.into()),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
    }
}

fn bound(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Int(number) => ValueRef::Integer(*number),
        Value::Float(number) => ValueRef::Real(*number),
        Value::String(text) => ValueRef::Text(text.as_bytes()),
        // Text that is no UTF-8.
        Value::Bytes(bytes) => ValueRef::Text(bytes),
        // No column holds these.
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => ValueRef::Null,
    })
}
