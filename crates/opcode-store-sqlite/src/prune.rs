//! Takes finished runs away, and gives their space back to the disk.
//!
//! Keeps: a run goes whole and with all below it, or not at all; a payload or definition goes with the last
//! that refers to it.
//! Not here: when runs are old enough (`opcode-runtime`), transactions (`writer.rs`).

use opcode_model::RunStatus;
use opcode_store::Pruning;
use rusqlite::{Connection, Result, params};

use crate::fault::ReadError;
use crate::rows::status;

/// Pages given back in one step: 8 MiB, a moment's work.
const PAGES_MAX: i64 = 2_048;

/// Runs that may go, without those below them; and whether there are more than asked for.
pub(crate) fn roots(
    connection: &Connection,
    which: &Pruning,
) -> std::result::Result<(Vec<i64>, bool), ReadError> {
    let moment = connection.unchecked_transaction()?;
    let mut select = moment.prepare_cached(
        "SELECT r.id FROM runs r
         WHERE r.completed_at < CASE r.status WHEN 'completed' THEN ?1 WHEN 'cancelled' THEN ?1
             WHEN 'failed' THEN ?2 END
           AND (?3 OR r.template_name IN (SELECT value FROM json_each(?4)))
           AND (r.template_name IS NULL OR r.template_name NOT IN (SELECT value FROM json_each(?5)))
           AND (r.parent IS NULL OR NOT EXISTS (SELECT 1 FROM runs p WHERE p.uuid = r.parent))
         ORDER BY r.id",
    )?;
    let templates = serde_json::to_string(&which.templates)?;
    let mut rows = select.query(params![
        which.over_before.map(|at| at.0),
        which.failed_before.map(|at| at.0),
        which.templates.is_empty(),
        templates,
        serde_json::to_string(&which.but)?,
    ])?;
    let mut roots = Vec::new();
    while let Some(row) = rows.next()? {
        let root = row.get(0)?;
        if family(&moment, root)?.is_some() {
            if roots.len() == which.limit {
                return Ok((roots, true));
            }
            roots.push(root);
        }
    }
    Ok((roots, false))
}

/// A run and all below it, if all of them are over.
fn family(connection: &Connection, root: i64) -> Result<Option<Vec<(i64, String)>>> {
    let mut select = connection.prepare_cached(
        "WITH RECURSIVE family (id, uuid, status) AS (
           SELECT id, uuid, status FROM runs WHERE id = ?1
           UNION SELECT r.id, r.uuid, r.status FROM family f JOIN runs r ON r.parent = f.uuid)
         SELECT id, uuid, status FROM family",
    )?;
    let mut rows = select.query([root])?;
    let mut family = Vec::new();
    while let Some(row) = rows.next()? {
        // What is no status at all is damage, and stays to be looked at.
        if !status(&row.get::<_, String>(2)?).is_ok_and(RunStatus::is_terminal) {
            return Ok(None);
        }
        family.push((row.get(0)?, row.get(1)?));
    }
    Ok(Some(family))
}

/// Takes them away with all below them, unless one has begun again; says how many went.
pub(crate) fn delete(connection: &Connection, roots: &[i64]) -> Result<u64> {
    let mut gone = 0;
    for root in roots {
        for (id, uuid) in family(connection, *root)?.unwrap_or_default() {
            for table in ["commits", "snapshots", "decisions", "ends"] {
                let sql = format!("DELETE FROM {table} WHERE run = ?1");
                connection.prepare_cached(&sql)?.execute([id])?;
            }
            connection.prepare_cached("DELETE FROM inbox WHERE run = ?1")?.execute([&uuid])?;
            connection.prepare_cached("DELETE FROM runs WHERE id = ?1")?.execute([id])?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// Takes away the payloads and definitions that nobody refers to any more.
pub(crate) fn sweep(connection: &Connection) -> Result<()> {
    // A run comes with its definition in one transaction; so none is without it, before this or after.
    let sql = "DELETE FROM catalog
         WHERE kind = 'definition' AND key NOT IN (SELECT definition FROM runs)";
    connection.execute(sql, [])?;
    let sql = "DELETE FROM payloads WHERE hash NOT IN (
           SELECT e.value FROM commits c, json_each(c.payloads) e WHERE c.payloads IS NOT NULL
           UNION SELECT e.value FROM runs r, json_each(r.payloads) e WHERE r.payloads IS NOT NULL)";
    connection.execute(sql, []).map(drop)
}

/// Gives some free pages back; says whether more of them can be given, and how many bytes there are then.
pub(crate) fn give_back(connection: &Connection) -> Result<(bool, u64)> {
    let figure = |name: &str| -> Result<i64> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let before = figure("freelist_count")?;
    let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_MAX})"))?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    drop(steps);
    let free = figure("freelist_count")?;
    let more = 0 < free && free < before;
    if before > 0 && !more {
        // The file gets shorter when the log has been moved into it; a reader that is in the way only delays that.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok((more, figure("page_count")?.saturating_mul(figure("page_size")?).unsigned_abs()))
}
