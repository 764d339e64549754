//! The schema, version by version.
//!
//! Keeps: one transaction a version; a version once released never changes; views and tables move together.
//! Not here: what is in the tables (`write.rs`, `read.rs`).

use rusqlite::Connection;

/// The versions, oldest first: name and statements. The number is the place, from 1.
const VERSIONS: &[(&str, &str)] = &[
    ("packed_commits", include_str!("schema/0001_packed_commits.sql")),
    ("ends", include_str!("schema/0002_ends.sql")),
    ("audits", include_str!("schema/0003_audits.sql")),
    ("apart", include_str!("schema/0004_apart.sql")),
];

/// The newest version this program knows.
pub(crate) const NEWEST: u32 = VERSIONS.len() as u32;

/// Marks the file as ours: `OPCD`.
pub(crate) const APPLICATION_ID: i32 = 0x4f50_4344;

/// Brings the schema from where it is to the newest version.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    work.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (
           version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL
         );",
    )?;
    let current = version(&work)?;
    for (place, (name, statements)) in VERSIONS.iter().enumerate().skip(current as usize) {
        work.execute_batch(statements)?;
        work.execute(
            "INSERT INTO schema_version (version, name, applied_at)
             VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            (place as i64 + 1, name),
        )?;
    }
    if current == 0 {
        work.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    work.commit()
}

/// The version the schema has now.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection
        .query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))
}
