//! Opening: look first, take the lock, migrate, checkpoint, one synced boot commit.
//!
//! Keeps: a file that is not ours, or newer than us, stays as it is to the byte; what a failed sync left behind is
//! on disk for certain before anything is served.
//! Not here: the threads that serve (`store.rs`).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use opcode_store::Durability;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::backup::is_kept;
use crate::lock::{self, Lock};
use crate::migrations;
use crate::original::original_as;

/// SQLite before 3.51.3 could lose a write-ahead log's tail when it was reset.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// What is said when the file is there and the log that belongs to it is not.
const LOG_GONE: &str = "the store was not closed, and its write-ahead log is not beside it any more: whoever opens it \
    with another program, `sqlite3` for one, has that program move the log into the database, and nothing is lost; if \
    nobody did, the last commits are lost";
/// Boots that are remembered.
const BOOTS_KEPT: i64 = 1_000;

/// Where a store is and how safe it shall be.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The database file. Its directory must be there.
    pub path: PathBuf,
    /// `Disk`, or `Process` for less waiting and less safety. `Memory` counts as `Process`.
    pub durability: Durability,
    /// What holds the store, for whoever is refused because of it.
    pub command_name: String,
}

/// Why a store could not be opened.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by {}", path.display(), holder(*pid, command))]
    Held {
        /// The database.
        path: PathBuf,
        /// Who has it, if it said so.
        pid: Option<u32>,
        /// What that process is.
        command: String,
    },
    /// A newer program wrote it. It is left as it is.
    #[error("{} has schema version {found}; this program knows versions up to {known}", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Another program's database. It is left as it is.
    #[error("{} is a database of {owner}", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
        /// Whose it is.
        owner: &'static str,
    },
    /// The original OPCODE's database, or one that is being taken over. It is left as it is.
    #[error("{} is a database of the original OPCODE", path.display())]
    Original {
        /// The database.
        path: PathBuf,
    },
    /// Not a database at all.
    #[error("{} is not a database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A directory, where a file should be.
    #[error("{} is a directory", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
    },
    /// A path that leads to no file and to no place for one.
    #[error("{} cannot be reached: {cause}", path.display())]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// A database that cannot be read.
    #[error("{} is damaged: {cause}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// There is nothing to read.
    #[error("there is no store at {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The place cannot be used.
    #[error("{} cannot be used: {cause}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
        /// What to do.
        hint: &'static str,
    },
    /// SQLite itself is too old to be trusted.
    #[error("SQLite {0} is too old; 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
}

fn holder(pid: Option<u32>, command: &str) -> String {
    pid.map_or_else(|| command.to_owned(), |pid| format!("process {pid} ({command})"))
}

impl OpenError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Held { .. } => "talk to that process, or stop it first",
            Self::Newer { .. } => "use the newer program, or another path",
            Self::Foreign { .. } => "choose another path; nothing was changed in this one",
            Self::Original { .. } => {
                "the first command that writes, such as `opcode serve`, takes it over and keeps it as it is beside the store"
            }
            Self::NotADatabase { .. } => "check the path; nothing was changed in the file",
            Self::Directory { .. } => "name a file in it",
            Self::Unreachable { .. } => "check the path and its permissions",
            Self::Damaged { .. } => "restore a backup beside it and open that",
            Self::Missing { .. } => "check the path, or start the engine once",
            Self::Unusable { hint, .. } => hint,
            Self::OldSqlite(_) => "build with the bundled SQLite",
        }
    }
}

/// A store whose file is ours, migrated, and safe to write to.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) lock: Lock,
    /// What a person should know of what was found.
    pub(crate) note: Option<&'static str>,
}

pub(crate) fn open(config: &SqliteConfig) -> Result<Opened, OpenError> {
    check_version()?;
    let path = &config.path;
    // A held lock answers before the file is touched; a file that is not ours gets no lock file.
    let mut lock = None;
    if lock::lock_path(path).exists() {
        lock = Some(lock::take(path, &config.command_name)?);
    }
    look(path)?;
    let lock = match lock {
        Some(lock) => lock,
        None => lock::take(path, &config.command_name)?,
    };
    let had_wal = has_wal(path);
    let booted = boot(config).map_err(|error| explain(path, &error))?;
    let note = (booted.unclosed && !had_wal).then_some(LOG_GONE);
    if let Some(note) = note {
        tracing::warn!(path = %path.display(), "{note}");
    }
    Ok(Opened { connection: booted.connection, lock, note })
}

pub(crate) fn check_version() -> Result<(), OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    Ok(())
}

struct Booted {
    connection: Connection,
    /// Whether the one before ended without closing.
    unclosed: bool,
}

fn boot(config: &SqliteConfig) -> rusqlite::Result<Booted> {
    let mut connection = writable(&config.path, Durability::Disk)?;
    migrations::migrate(&mut connection)?;
    // Before the log is emptied, or a boot that ends right after that would look like a log that went missing.
    let unclosed = close_boot(&connection)?;
    if !truncate_wal(&connection)? {
        let what = "a reader keeps the write-ahead log from being emptied".to_owned();
        return Err(failure(rusqlite::ffi::SQLITE_BUSY, what));
    }
    // Frames that a failed sync left in the page cache may be what the checkpoint has read. This commit is synced by
    // itself, so nothing that follows stands behind a hole.
    connection.execute(
        "INSERT INTO boots (pid, command, version, started_at, closed)
         VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 0)",
        (std::process::id(), &config.command_name, env!("CARGO_PKG_VERSION")),
    )?;
    connection
        .execute("DELETE FROM boots WHERE id <= (SELECT max(id) FROM boots) - ?1", [BOOTS_KEPT])?;
    // Copied and not emptied: from here to the close the log is never empty, so that its loss shows.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    synchronous(&connection, config.durability)?;
    Ok(Booted { connection, unclosed })
}

/// Says that whoever served does so no more. Whether somebody did.
pub(crate) fn close_boot(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.execute("UPDATE boots SET closed = 1 WHERE closed = 0", [])? > 0)
}

/// A connection that writes.
pub(crate) fn writable(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    make_private(path);
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    // SQLite answers before it has written the switch; so all rows are asked for, and then the mode again. Where the
    // switch fails it stays with what it had, and nothing less than a write-ahead log will do for us.
    let modes = connection
        .prepare("PRAGMA journal_mode = WAL")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" || modes != ["wal"] {
        let what = format!("no write-ahead log here, but `{mode}`: is it a network file system?");
        return Err(failure(rusqlite::ffi::SQLITE_IOERR, what));
    }
    connection.execute_batch(&format!(
        "PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {};
         PRAGMA cache_size = -16000;
         PRAGMA temp_store = MEMORY;",
        crate::checkpoint::WAL_BYTES_KEPT
    ))?;
    synchronous(&connection, durability)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes the file, if it is not there, so that only its owner may read it; SQLite makes those beside it alike.
fn make_private(path: &Path) {
    let made = File::options().write(true).create_new(true).mode(0o600).open(path);
    if let Err(cause) = made {
        // It is there, or SQLite says better why it cannot be.
        tracing::debug!(%cause, "the database was not made anew");
    }
}

fn synchronous(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let level = match durability {
        Durability::Disk => "FULL",
        Durability::Process | Durability::Memory => "NORMAL",
    };
    connection.execute_batch(&format!("PRAGMA synchronous = {level}; PRAGMA fullfsync = 1;"))
}

fn failure(code: i32, what: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(what))
}

/// Moves the whole write-ahead log into the database and empties it. `false` if a reader is in the way.
pub(crate) fn truncate_wal(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "PRAGMA wal_checkpoint(TRUNCATE)",
        [],
        |row| Ok(row.get::<_, i64>(0)? == 0),
    )
}

/// A connection that only reads, and sees what a live writer writes.
/// Without a write-ahead log there is no live writer; then nothing beside the database is needed or made.
pub(crate) fn readable(path: &Path) -> rusqlite::Result<Connection> {
    let mode = if has_wal(path) { "mode=ro" } else { "immutable=1" };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path, mode), flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Whether there is a write-ahead log that begins like one.
fn has_wal(path: &Path) -> bool {
    const MAGIC: [[u8; 4]; 2] = [[0x37, 0x7f, 0x06, 0x82], [0x37, 0x7f, 0x06, 0x83]];
    let mut begin = [0; 4];
    let read = File::open(beside(path, "-wal")).and_then(|mut wal| wal.read_exact(&mut begin));
    read.is_ok() && MAGIC.contains(&begin)
}

/// The file of that ending beside the database.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn uri(path: &Path, mode: &str) -> String {
    let escaped =
        path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?{mode}")
}

/// What is at a path, found out without changing it. `None` is a place for a new store. Where a log lies without its
/// index, SQLite makes the index; it stays, for to take it away from somebody who came meanwhile would be worse.
pub(crate) fn look(path: &Path) -> Result<Option<u32>, OpenError> {
    let size = match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => return Err(OpenError::Directory { path: path.to_owned() }),
        Ok(file) => file.len(),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => 0,
        Err(cause) => {
            let (path, cause) = (path.to_owned(), cause.to_string());
            return Err(OpenError::Unreachable { path, cause });
        }
    };
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    if size == 0 && has_log {
        let cause = "the file is empty, but its write-ahead log is not".to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), cause });
    }
    // Once it is kept, what stands here is about to be replaced, and its log may be gone already.
    if matches!(is_kept(path, &original_as(path)), Ok(true)) {
        return Err(OpenError::Original { path: path.to_owned() });
    }
    if size == 0 {
        return Ok(None);
    }
    let seen = readable(path).and_then(|connection| {
        let tables = tables(&connection)?;
        let ours = ["boots", "runs", "commits"].iter().all(|name| tables.contains_key(*name));
        let version = if ours { Some(migrations::version(&connection)?) } else { None };
        Ok((tables, version))
    });
    let (tables, version) = seen.map_err(|error| explain(path, &error))?;
    let is_table = |name: &&str| tables.get(*name).is_some_and(|kind| kind == "table");
    match version {
        Some(found) if found > migrations::NEWEST => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: migrations::NEWEST })
        }
        Some(found) => Ok(Some(found)),
        None if tables.is_empty() => Ok(None),
        None if ["workflows", "events", "step_state"].iter().all(is_table) => {
            Err(OpenError::Original { path: path.to_owned() })
        }
        None => Err(OpenError::Foreign { path: path.to_owned(), owner: "another program" }),
    }
}

fn tables(connection: &Connection) -> rusqlite::Result<std::collections::BTreeMap<String, String>> {
    let mut statement = connection.prepare("SELECT name, type FROM sqlite_schema")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn explain(path: &Path, error: &rusqlite::Error) -> OpenError {
    let (path, cause) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            let hint = "check that the directory is there and may be written to";
            OpenError::Unusable { path, cause, hint }
        }
        Some(ErrorCode::DiskFull) => {
            OpenError::Unusable { path, cause, hint: "free space on this disk and start again" }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let hint = "another program has this file open; end it and start again";
            OpenError::Unusable { path, cause, hint }
        }
        Some(ErrorCode::SystemIoFailure) => {
            OpenError::Unusable { path, cause, hint: "check the disk (the system's log says more)" }
        }
        _ => OpenError::Damaged { path, cause },
    }
}
