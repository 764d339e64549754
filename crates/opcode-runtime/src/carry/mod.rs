//! A run with all below it as one document, and back.
//!
//! Keeps: what comes in is what went out, or it is refused.
//! Not here: files and requests (the faces).

mod document;
mod export;
mod import;

pub use export::Export;
pub use import::{Import, Imported};
