//! Tests of the expression door: conformance, interpolation, hostile texts, properties.
//!
//! Keeps: one binary; every module a topic.
//! Not here: how the engine builds a scope.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod catalog;
mod cel;
mod cel_check;
mod cel_conversions;
mod cel_language;
mod conformance;
mod hostile;
mod interpolation;
mod properties;
mod scope;
