//! How workflows look. Today: diagrams of a definition or a run, as text, as Mermaid, as SVG and as PNG.
//!
//! Keeps: no clock, no IO; the same definition and run give the same bytes; what strangers wrote never gets out of its box.
//! Not here: where definitions and runs come from (`opcode-runtime`), who may see them (the faces).

pub mod diagram;

pub use diagram::{Diagram, Format, Picture};
