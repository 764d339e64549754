//! Gives up every capability, for good.
//!
//! Keeps: also what a later `exec` could give back: the bounding set is emptied first.
//! Not here: `no_new_privs` (`helper/`).

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// From here on, this process and what it starts have no capability.
pub(crate) fn drop_all() -> io::Result<()> {
    for number in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // Beyond the last one this kernel knows.
            Err(Errno::INVAL) => break,
            // Without the right to it there is nothing in the set that could be gained either.
            Err(Errno::PERM) => break,
            Err(error) => return Err(error.into()),
        }
    }
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(())
}
