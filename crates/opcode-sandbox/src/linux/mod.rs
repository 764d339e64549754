//! What Linux has to lock a program in, one mechanism a file, and the way through all of them.
//!
//! Keeps: a mechanism either holds or says what the system said.
//! Not here: which are wanted (`policy.rs`).

pub(crate) mod caps;
pub(crate) mod cgroup;
pub(crate) mod enter;
pub(crate) mod landlock;
pub(crate) mod meter;
pub(crate) mod rlimits;
pub(crate) mod root;
pub(crate) mod seccomp;
pub(crate) mod sys;
