//! Statuses as the outside names them.
//!
//! Keeps: the reference's words, and which are final.
//! Not here: the engine's richer states (`opcode-engine`).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every status.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the word.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|status| status.text() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.text())
            }
        }
    };
}

statuses! {
    /// Where a run is.
    RunStatus {
        /// Known, not begun.
        Pending = "pending",
        /// Going on, or waiting for time or a signal.
        Active = "active",
        /// Waiting for somebody to decide or to resume it.
        Suspended = "suspended",
        /// Done.
        Completed = "completed",
        /// Failed.
        Failed = "failed",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}

statuses! {
    /// Where a step is.
    StepStatus {
        /// Not begun.
        Pending = "pending",
        /// About to begin.
        Scheduled = "scheduled",
        /// Going on.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Failed.
        Failed = "failed",
        /// Will not run, or not go on.
        Skipped = "skipped",
        /// Waiting for a decision.
        Suspended = "suspended",
        /// Waiting before another attempt.
        Retrying = "retrying",
    }
}

impl RunStatus {
    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::Pending | Self::Active | Self::Suspended => false,
        }
    }
}

impl StepStatus {
    /// Whether nothing can follow.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Skipped => true,
            Self::Pending | Self::Scheduled | Self::Running | Self::Suspended | Self::Retrying => {
                false
            }
        }
    }
}
