//! What a database of the original OPCODE holds, row by row, for whoever takes it over.
//!
//! Keeps: what stands in a column comes as it stands there; nothing is written.
//! Not here: what the rows mean (`opcode-runtime`), where they are read (`opcode-store-sqlite`).

use opcode_model::{Object, Value};

use crate::contract::Fault;

/// A database of the original OPCODE.
pub trait Original: Send + Sync {
    /// Every workflow: its place in the table and its id, in the order they were made.
    fn workflows(&self) -> Result<Vec<(i64, Value)>, Fault>;

    /// The rows of a table, column by column; those alone where `column` is this value, if one is named. None of a
    /// table that is not there. What is no UTF-8 comes as bytes.
    fn rows(
        &self,
        table: &'static str,
        column: Option<(&'static str, &Value)>,
    ) -> Result<Vec<Object>, Fault>;
}
