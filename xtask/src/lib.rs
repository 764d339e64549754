//! The house's own automation: `tidy` checks, `gen` writes what is listed, `ci` runs everything in order.
//!
//! Keeps: `std` and a TOML reader, nothing else, so that it builds in seconds.
//! Not here: anything that ships.

pub mod ci;
pub mod generate;
pub mod house;
pub mod markdown;
pub mod mcp;
pub mod rust;
pub mod say;
pub mod tidy;
