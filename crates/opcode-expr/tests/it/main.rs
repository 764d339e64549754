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
mod expr;
mod expr_conformance;
mod expr_hostile;
mod expr_properties;
mod hostile;
mod interpolation;
mod interrupt;
mod jq;
mod jq_conformance;
mod jq_hostile;
mod jq_properties;
mod neighbours;
mod properties;
mod scope;
mod small_stack;
