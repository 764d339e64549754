//! The engine's tests that are not stories: properties over random workflows, and the table of transitions.

mod breakers;
mod limits;
mod properties;
mod sim;
mod transitions;
mod workflows;
