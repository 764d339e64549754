//! How file actions reach files: by handle, beneath the allowed roots.
//!
//! Keeps: what is checked is what is opened; there is no moment between the two.
//! Not here: the actions (`builtin/fs_*.rs`).

mod glob;
mod guard;
mod roots;
mod tree;

pub(crate) use glob::{Glob, matches_each};
pub use roots::FileRules;
pub(crate) use roots::{Access, Denial, Place, Roots};
pub(crate) use tree::{Node, copy_file, copy_tree, read_dir, remove_tree};
