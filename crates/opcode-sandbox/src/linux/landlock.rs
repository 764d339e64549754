//! What of the files a program may reach, held by the kernel on the files themselves.
//!
//! Keeps: what an older kernel cannot hold is left out; the probe tells which version there is.
//! Not here: what is mounted where (`root.rs`).

use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};

/// The newest version whose rights are asked for.
const NEWEST: ABI = ABI::V6;

/// What may be reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    /// Files that may be read and run.
    pub read: Vec<PathBuf>,
    /// Files that may be changed.
    pub write: Vec<PathBuf>,
    /// Whether TCP is refused.
    pub no_tcp: bool,
}

/// From here on, this process and what it starts reach nothing else. Answers which version holds it.
pub(crate) fn confine(reach: &Reach) -> io::Result<String> {
    let done = restrict(reach).map_err(io::Error::other)?;
    match (done.ruleset, done.landlock) {
        (RulesetStatus::NotEnforced, _) => Err(io::Error::other("this kernel has no Landlock")),
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let version = kernel_abi.unwrap_or(effective_abi as i32);
            Ok(format!("version {version}"))
        }
        (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => {
            Err(io::Error::other("this kernel has no Landlock"))
        }
    }
}

fn restrict(reach: &Reach) -> Result<RestrictionStatus, landlock::RulesetError> {
    // What is written is not by that made to be run or read as a device.
    let change = AccessFs::from_all(NEWEST) & !AccessFs::IoctlDev;
    let there = |paths: &[PathBuf]| -> Vec<PathBuf> {
        paths.iter().filter(|path| Path::exists(path)).cloned().collect()
    };
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    let rules = match reach.no_tcp {
        true => rules.handle_access(AccessNet::from_all(NEWEST))?,
        false => rules,
    };
    rules
        .create()?
        .add_rules(path_beneath_rules(there(&reach.read), AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(there(&reach.write), change))?
        .restrict_self()
}
