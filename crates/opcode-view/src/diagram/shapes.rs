//! What stands in a box and how big the box must be for it.
//!
//! Keeps: every line of text fits the shape it stands in, at any font of fixed width.
//! Not here: colours (`svg.rs`), where a box stands (`layout`).

use super::text::{columns, cut};
use super::{Kind, Node, StepView};
use opcode_model::StepStatus;

/// What a condition without a default does when no branch fits.
pub(super) const PASSED: &str = "otherwise";
/// Room for a frame's name.
pub(super) const FRAME_HEAD: f64 = 32.0;

/// Width of a column in a font of one pixel.
const COLUMN: f64 = 0.603;
/// Columns of a name, and of what stands below it.
const NAME_COLUMNS: usize = 32;
const ABOUT_COLUMNS: usize = 34;
/// Room around text.
const PAD_X: f64 = 14.0;
const PAD_Y: f64 = 10.0;
/// A box is no narrower.
const WIDTH_MIN: f64 = 96.0;
/// Room for the sign of a status.
pub(super) const SIGN: f64 = 18.0;

/// How a line of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// A name.
    Name,
    /// What is said below.
    About,
    /// How far it has come; a sign stands before it.
    Status,
    /// The name of a lane.
    Lane,
    /// What the whole is called.
    Title,
}

impl Face {
    pub(super) fn size(self) -> f64 {
        match self {
            Self::Title => 17.0,
            Self::Name => 13.0,
            Self::About | Self::Status | Self::Lane => 11.0,
        }
    }

    fn height(self) -> f64 {
        self.size() + 5.0
    }
}

/// Pixels that a text takes.
pub(super) fn text_width(face: Face, text: &str) -> f64 {
    columns(text) as f64 * face.size() * COLUMN
}

/// A line of text in a box: its look, its words, how far down its middle is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) face: Face,
    pub(super) text: String,
    pub(super) middle: f64,
}

impl Row {
    pub(super) fn width(&self) -> f64 {
        let sign = if self.face == Face::Status { SIGN } else { 0.0 };
        text_width(self.face, &self.text) + sign
    }
}

/// Width and height of a step's box.
pub(super) fn size(node: &Node) -> (f64, f64) {
    let rows = rows(node);
    let height = height(node, &rows);
    let needs = rows.iter().map(|row| {
        let away = (row.middle - height / 2.0).abs() + row.face.size() / 2.0;
        let inside = row.width() + 2.0 * PAD_X;
        match node.kind {
            // The farther from the middle, the narrower a diamond.
            Kind::Condition => (row.width() + PAD_X) / (1.0 - 2.0 * away / height),
            Kind::Reasoning | Kind::Wait => inside + height / 2.0,
            Kind::Loop | Kind::Parallel => inside + 12.0,
            Kind::Action | Kind::Start | Kind::End => inside,
        }
    });
    let is_terminal = matches!(node.kind, Kind::Start | Kind::End);
    let least = if is_terminal { 64.0 } else { WIDTH_MIN };
    (needs.fold(least, f64::max).ceil(), height)
}

fn height(node: &Node, rows: &[Row]) -> f64 {
    let text = rows.iter().map(|row| row.face.height()).sum::<f64>();
    if node.kind == Kind::Condition { (text * 1.9 + 14.0).ceil() } else { text + 2.0 * PAD_Y - 4.0 }
}

/// What stands in a step's box. In a diamond the name is in the middle, where there is room.
pub(super) fn rows(node: &Node) -> Vec<Row> {
    let row = |face, text: String| Row { face, text, middle: 0.0 };
    let name = row(Face::Name, cut(&node.id, NAME_COLUMNS));
    let about = node.action.as_deref().or(node.about.as_deref());
    let about = about.map(|text| row(Face::About, cut(text, ABOUT_COLUMNS)));
    let guard = node.guard.as_ref().map(|guard| format!("if {guard}"));
    let guard = guard.map(|text| row(Face::About, cut(&text, ABOUT_COLUMNS)));
    let status = node.state.map(|state| row(Face::Status, status(state)));
    let mut rows: Vec<Row> = if node.kind == Kind::Condition {
        let about = about.map(|it| Row { text: cut(&it.text, 24), ..it });
        let guard = guard.map(|it| Row { text: cut(&it.text, 18), ..it });
        guard.into_iter().chain(status).chain([name]).chain(about).collect()
    } else {
        [name].into_iter().chain(about).chain(guard).chain(status).collect()
    };
    let text = rows.iter().map(|row| row.face.height()).sum::<f64>();
    let mut top = (height(node, &rows) - text) / 2.0;
    for row in &mut rows {
        row.middle = top + row.face.height() / 2.0;
        top += row.face.height();
    }
    rows
}

/// How far a step has come, in words: shape, word and colour say the same.
fn status(state: StepView) -> String {
    let is_asking = state.status == StepStatus::Suspended;
    let word = if is_asking { "waiting" } else { state.status.text() };
    let mut text = word.to_owned();
    if state.duration_ms > 0 {
        text += &format!(" · {}", span(state.duration_ms));
    }
    if state.attempts > 1 {
        text += &format!(" · attempt {}", state.attempts);
    }
    if state.times > 1 {
        text += &format!(" · {}×", state.times);
    }
    text
}

/// A span of time as people say it.
fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// The name of a lane as it is shown.
pub(super) fn lane_name(key: &str) -> String {
    cut(if key.is_empty() { "(empty)" } else { key }, NAME_COLUMNS)
}

/// Width of a frame that shows only its name.
pub(super) fn lane_width(key: &str) -> f64 {
    text_width(Face::Lane, &lane_name(key)) + 2.0 * PAD_X
}
