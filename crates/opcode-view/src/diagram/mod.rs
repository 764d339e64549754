//! A diagram: the steps of a definition, what each waits for, and, for a run, how far it has come.
//!
//! Keeps: one model and one layering for every format; every step is in it once, however deep it stands.
//! Not here: how it is made from a plan (`build.rs`), how a format writes it (`ascii.rs`, `mermaid.rs`, `svg.rs`, `png.rs`).

mod ascii;
mod build;
mod layout;
mod mermaid;
mod order;
mod overlay;
mod png;
mod shapes;
mod sign;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use opcode_engine::{Plan, Run};
use opcode_model::{Failure, RunStatus, StepStatus};

/// A diagram.
#[derive(Clone, Debug)]
pub struct Diagram {
    /// What it is called.
    pub title: String,
    /// Where the run is, if it is one of a run.
    pub status: Option<RunStatus>,
    /// Start, the definition's own steps in an order in which they could run, and End with the hooks.
    pub top: Group,
}

/// Steps that stand side by side, and what leads from one to the other.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The steps.
    pub nodes: Vec<Node>,
    /// What leads where.
    pub edges: Vec<Edge>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Node {
    /// Full path: `outer.branch_0.inner`.
    pub path: String,
    /// Its id as written.
    pub id: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// The action it runs, if it runs one.
    pub action: Option<Arc<str>>,
    /// What it decides by, loops over or waits for, in a few words.
    pub about: Option<String>,
    /// The guard that must be true for it to run.
    pub guard: Option<String>,
    /// Its branches or its body.
    pub lanes: Vec<Lane>,
    /// How far it has come, if the run knows of it.
    pub state: Option<StepView>,
}

/// What a step is, and so its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Where it begins.
    Start,
    /// Where it ends.
    End,
    /// An action.
    Action,
    /// A choice between branches.
    Condition,
    /// A body that is repeated.
    Loop,
    /// Branches side by side.
    Parallel,
    /// A wait for time or a signal.
    Wait,
    /// A question.
    Reasoning,
}

/// A branch, a loop's body or a hook.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its name: the branch key, `default`, `branch_0`, `body`, `on_error`.
    pub key: Arc<str>,
    /// Its steps.
    pub group: Group,
}

/// What leads from one step to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The earlier one's place in its group.
    pub from: usize,
    /// The later one's place.
    pub to: usize,
    /// Why it leads there.
    pub why: Why,
}

/// Why an edge leads where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The later one waits for the earlier.
    Order,
    /// The later one takes over when the earlier fails.
    Fallback,
}

/// How far a step has come. A step that stood in many iterations is told as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Where it is; the worst of many.
    pub status: StepStatus,
    /// How often it stood in an iteration.
    pub times: u32,
    /// Attempts begun; the most of many.
    pub attempts: u32,
    /// From its start to its end, if it has ended; the sum of many.
    pub duration_ms: u64,
}

/// How a diagram is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Boxes of characters.
    Ascii,
    /// Text that Mermaid draws.
    Mermaid,
    /// A picture of lines.
    Svg,
    /// A picture of pixels.
    Png,
}

/// A diagram in some format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Text.
    Text(String),
    /// The bytes of a PNG.
    Png(Vec<u8>),
}

impl Format {
    /// What the web calls it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ascii | Self::Mermaid => "text/plain; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }

    /// Reads the word for it; `image` is the reference's for PNG.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "ascii" => Some(Self::Ascii),
            "mermaid" => Some(Self::Mermaid),
            "svg" => Some(Self::Svg),
            "png" | "image" => Some(Self::Png),
            _ => None,
        }
    }
}

impl Picture {
    /// The bytes of it.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Png(bytes) => bytes,
        }
    }
}

impl Diagram {
    /// Of a definition. It is called as the definition says; else as told here; else `Workflow`.
    pub fn of_plan(plan: &Plan, name: Option<&str>) -> Self {
        build::diagram(plan, name, None)
    }

    /// Of a run. It is called as told here; else as its definition says.
    pub fn of_run(plan: &Plan, run: &Run, name: Option<&str>) -> Self {
        build::diagram(plan, name, Some(run))
    }

    /// In this format.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if there is more of it than a picture can show; the texts show everything.
    pub fn draw(&self, format: Format) -> Result<Picture, Failure> {
        Ok(match format {
            Format::Ascii => Picture::Text(ascii::write(self)),
            Format::Mermaid => Picture::Text(mermaid::write(self)),
            Format::Svg => Picture::Text(svg::write(self)?),
            Format::Png => Picture::Png(png::write(self)?),
        })
    }
}

impl Group {
    /// Every step of it and below it, as often as it stands there.
    pub fn len_all(&self) -> usize {
        let lanes = self.nodes.iter().flat_map(|node| &node.lanes);
        self.nodes.len() + lanes.map(|lane| lane.group.len_all()).sum::<usize>()
    }
}
