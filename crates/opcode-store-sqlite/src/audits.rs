//! The audit log: one chain, only ever added to.
//!
//! Keeps: an entry that was changed, taken out or put in, and a log whose end was cut off, are found.
//! Not here: what is written into it (`opcode-runtime`).

use opcode_model::Timestamp;
use opcode_model::commit::CatalogWrite;
use opcode_store::{CatalogEntry, codec};
use rusqlite::{Connection, OptionalExtension, Result};

use crate::fault::ReadError;

/// The place of its end among the ends of logs; no run has it.
const END: i64 = 0;

/// Its last number and hash.
fn end(connection: &Connection) -> Result<(i64, [u8; 32])> {
    let mut select = connection.prepare_cached("SELECT last, hash FROM ends WHERE run = ?1")?;
    let found = select.query_row([END], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or_default())
}

/// Adds an entry.
pub(crate) fn add(connection: &Connection, write: &CatalogWrite) -> Result<()> {
    let Some(body) = &write.body else { return Ok(()) };
    let (last, before) = end(connection)?;
    let (id, at) = (last + 1, write.at.0);
    let hash = codec::entry(&before, &write.key, at, body);
    connection
        .prepare_cached("INSERT INTO audits (id, key, at, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((id, &*write.key, at, &**body, hash))?;
    connection
        .prepare_cached(
            "INSERT INTO ends (run, last, hash) VALUES (?1, ?2, ?3)
             ON CONFLICT (run) DO UPDATE SET last = excluded.last, hash = excluded.hash",
        )?
        .execute((END, id, hash))?;
    Ok(())
}

/// The newest entries, newest first.
pub(crate) fn newest(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<CatalogEntry>, ReadError> {
    let mut select =
        connection.prepare_cached("SELECT key, body, at FROM audits ORDER BY id DESC LIMIT ?1")?;
    let rows = select.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let at = Timestamp(row.get(2)?);
        Ok(CatalogEntry { key: row.get(0)?, body: row.get(1)?, created_at: at, updated_at: at })
    })?;
    Ok(rows.collect::<Result<_>>()?)
}

/// What is wrong with the chain, if something is; how many entries it has.
pub(crate) fn check(connection: &Connection) -> Result<(u64, Option<String>), ReadError> {
    let mut select =
        connection.prepare("SELECT id, key, at, body, hash FROM audits ORDER BY id")?;
    let mut rows = select.query([])?;
    let (mut last, mut before) = (0_i64, [0; 32]);
    while let Some(row) = rows.next()? {
        let (id, key): (i64, String) = (row.get(0)?, row.get(1)?);
        if id != last + 1 {
            return Ok((last.cast_unsigned(), Some(format!("entry {} is gone", last + 1))));
        }
        let (at, body, hash): (i64, String, [u8; 32]) = (row.get(2)?, row.get(3)?, row.get(4)?);
        if codec::entry(&before, &key, at, &body) != hash {
            return Ok((last.cast_unsigned(), Some(format!("entry {id} was changed"))));
        }
        (last, before) = (id, hash);
    }
    let (known, hash) = end(connection)?;
    let cut = (known, hash) != (last, before);
    let what =
        cut.then(|| format!("it ends at entry {last}; when it was written last, at {known}"));
    Ok((last.cast_unsigned(), what))
}
