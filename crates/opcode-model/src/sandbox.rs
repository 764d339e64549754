//! What a step wishes for the program it runs: how far it is locked in, and how much it may use.
//!
//! Keeps: a wish that was not made is `None`, so that workflow and server can lay theirs under it.
//! Not here: what a machine can really do about it (`opcode-sandbox`), reading wishes from a definition (`opcode-engine`).

use std::path::{Component, Path};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far a program is locked in, weakest first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// It may even gain rights through set-user-id programs.
    None,
    /// The host's files and the user's rights; it gains none, and dies whole.
    #[default]
    Process,
    /// Namespaces of its own, a read-only view of the system, few system calls; what the machine lacks is named.
    Isolated,
    /// The same, and nothing may be lacking.
    Strict,
}

impl Profile {
    /// Every profile, weakest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Process, Self::Isolated, Self::Strict];

    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Process => "process",
            Self::Isolated => "isolated",
            Self::Strict => "strict",
        }
    }
}

/// How much a program and everything it starts may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How long it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_time: Option<Duration>,
    /// How long it may compute, all processes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_time: Option<Duration>,
    /// Hundredths of one processor it may use at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
    /// Bytes of memory, all processes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes and threads at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u32>,
    /// Bytes it may write to its standard output and error together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
}

impl Limits {
    /// These, and where none is set, those.
    #[must_use]
    pub fn or(self, under: Self) -> Self {
        Self {
            wall_time: self.wall_time.or(under.wall_time),
            cpu_time: self.cpu_time.or(under.cpu_time),
            cpu_percent: self.cpu_percent.or(under.cpu_percent),
            memory_bytes: self.memory_bytes.or(under.memory_bytes),
            pids: self.pids.or(under.pids),
            output_bytes: self.output_bytes.or(under.output_bytes),
        }
    }

    /// The smaller of each.
    #[must_use]
    pub fn within(self, most: Self) -> Self {
        fn least<T: Ord>(one: Option<T>, most: Option<T>) -> Option<T> {
            match (one, most) {
                (Some(one), Some(most)) => Some(one.min(most)),
                (one, most) => one.or(most),
            }
        }
        Self {
            wall_time: least(self.wall_time, most.wall_time),
            cpu_time: least(self.cpu_time, most.cpu_time),
            cpu_percent: least(self.cpu_percent, most.cpu_percent),
            memory_bytes: least(self.memory_bytes, most.memory_bytes),
            pids: least(self.pids, most.pids),
            output_bytes: least(self.output_bytes, most.output_bytes),
        }
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a step wishes, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// How far it is locked in.
    pub profile: Option<Profile>,
    /// Whether it reaches the host's network; only where it would not anyhow.
    pub network: Option<bool>,
    /// Paths it sees beside the system's.
    pub read: Option<Arc<[Arc<str>]>>,
    /// Paths it may change.
    pub write: Option<Arc<[Arc<str>]>>,
    /// How much it may use.
    pub limits: Limits,
}

impl Wishes {
    /// These, and where none was made, those.
    #[must_use]
    pub fn or(self, under: &Self) -> Self {
        Self {
            profile: self.profile.or(under.profile),
            network: self.network.or(under.network),
            read: self.read.or_else(|| under.read.clone()),
            write: self.write.or_else(|| under.write.clone()),
            limits: self.limits.or(under.limits),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a path begins at the root and goes only down from there, at least once.
pub fn is_plain_path(path: &Path) -> bool {
    let mut parts = path.components();
    let begins = parts.next() == Some(Component::RootDir);
    let mut below = parts.peekable();
    begins && below.peek().is_some() && below.all(|it| matches!(it, Component::Normal(_)))
}

/// Reads bytes as people write them: `1048576`, `64MiB`, `2 GB`; a bare `K`, `M` or `G` is binary.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1048576", Some(1 << 20)),
            ("64MiB", Some(64 << 20)),
            (" 64 mib ", Some(64 << 20)),
            ("64m", Some(64 << 20)),
            ("2GB", Some(2_000_000_000)),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1.5G", None),
            ("99999999999T", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn wishes_lie_over_each_other_and_limits_only_shrink() {
        let workflow = Wishes {
            profile: Some(Profile::Isolated),
            limits: Limits { pids: Some(9), memory_bytes: Some(7), ..Limits::default() },
            ..Wishes::default()
        };
        let step = Wishes {
            network: Some(true),
            limits: Limits { pids: Some(3), ..Limits::default() },
            ..Wishes::default()
        };
        let both = step.or(&workflow);
        assert_eq!((both.profile, both.network), (Some(Profile::Isolated), Some(true)));
        assert_eq!((both.limits.pids, both.limits.memory_bytes), (Some(3), Some(7)));
        let server = Limits { pids: Some(5), memory_bytes: Some(2), ..Limits::default() };
        let held = both.limits.within(server);
        assert_eq!((held.pids, held.memory_bytes), (Some(3), Some(2)));
    }
}
