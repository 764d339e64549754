//! Where processes run: a helper that keeps a whole process tree in hand, and the side that asks it to.
//!
//! Keeps: nothing a run started outlives it, and nothing outlives the process that would repeat it.
//! Not here: what to run and what its output means (`opcode-actions`).

mod capture;
mod detached;
mod exec;
mod helper;
mod linux;
mod note;
mod peer;
pub mod policy;
mod probe;
mod procfs;
mod session;
mod spec;
mod stop;
mod word;

pub use capture::Captured;
pub use exec::{Exec, ExecEnd, ExecFault, ExecLimits, ExecOutcome};
pub use helper::helper_main;
pub use linux::meter::Hit;
pub use linux::root::WORK;
pub use note::{ensure_all_dead, ensure_dead};
pub use peer::is_no_step;
pub use session::{Held, Session};
pub use spec::{ExecSpec, IDEMPOTENCY_KEY_ENV};
pub use stop::{Stop, Stopper};

/// Sees to it that no program of ours inherits a descriptor that is open now.
///
/// # Errors
/// What the system says.
pub fn close_on_exec() -> std::io::Result<()> {
    linux::sys::close_on_exec()
}
