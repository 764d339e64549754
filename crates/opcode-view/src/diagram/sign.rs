//! The colours and signs of statuses.
//!
//! Keeps: a sign, a word and a colour say the same, so that none of them is needed; text has a contrast of 4.9 at least.
//! Not here: where they stand (`svg.rs`).

use opcode_model::StepStatus;

/// Colours of a box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tint {
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) is_dashed: bool,
}

/// A step of a definition.
pub(super) const PLAIN: Tint = solid("#f5f7f9", "#6b7785");
/// Where it begins and ends.
pub(super) const TERMINAL: Tint =
    Tint { name: "#ffffff", about: "#ffffff", ..solid("#434f5e", "#434f5e") };
/// A step that the run does not know of: its branch was not taken, or not yet.
pub(super) const UNKNOWN: Tint = Tint { is_dashed: true, ..faint("#ffffff", "#9aa6b5") };

const fn solid(fill: &'static str, line: &'static str) -> Tint {
    Tint { fill, line, name: "#17202b", about: "#4d5968", is_dashed: false }
}

const fn faint(fill: &'static str, line: &'static str) -> Tint {
    Tint { fill, line, name: "#58636f", about: "#58636f", is_dashed: false }
}

/// The colours of a status.
pub(super) fn tint(status: StepStatus) -> Tint {
    match status {
        StepStatus::Completed => solid("#e6f4ee", "#00734f"),
        StepStatus::Failed => solid("#fdece5", "#b23a0e"),
        StepStatus::Running => solid("#e7f0fd", "#0a58ca"),
        StepStatus::Suspended => solid("#fbf1d9", "#7a5200"),
        StepStatus::Retrying => solid("#f1eafb", "#6b3fb8"),
        StepStatus::Pending | StepStatus::Scheduled => {
            Tint { is_dashed: true, ..solid("#ffffff", "#58636f") }
        }
        StepStatus::Skipped => Tint { is_dashed: true, ..faint("#eef1f4", "#58636f") },
    }
}

/// What a status looks like: a circle with a tick, an octagon with a cross, and so on.
pub(super) fn put(out: &mut String, status: StepStatus, (x, y): (f64, f64)) {
    let drawn = match status {
        StepStatus::Completed => "<circle r=\"5.4\"/><path d=\"M-2.6 .3L-.7 2.2L2.8-1.9\"/>",
        StepStatus::Failed => {
            "<path d=\"M-2.3-5.5H2.3L5.5-2.3V2.3L2.3 5.5H-2.3L-5.5 2.3V-2.3Z\"/>\
             <path d=\"M-2-2L2 2M2-2L-2 2\"/>"
        }
        StepStatus::Running => "<circle r=\"5.4\"/><path d=\"M-1.5-2.4L2.5 0L-1.5 2.4Z\"/>",
        StepStatus::Suspended => {
            "<path d=\"M0-6L6 0L0 6L-6 0Z\"/><path d=\"M-1.3-1.8V1.8M1.3-1.8V1.8\"/>"
        }
        StepStatus::Retrying => "<path d=\"M3.8-3.6A5.2 5.2 0 1 0 5.2 .6M4.4-6.2V-3.2H1.4\"/>",
        StepStatus::Skipped => "<circle r=\"5.4\"/><path d=\"M-2.6 0H2.6\"/>",
        StepStatus::Pending | StepStatus::Scheduled => {
            "<circle r=\"5.4\" stroke-dasharray=\"2.2 2\"/>"
        }
    };
    let ink = tint(status).line;
    let (x, y) = ((x * 10.0).round() / 10.0, (y * 10.0).round() / 10.0);
    *out += &format!(
        "<g transform=\"translate({x} {y})\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.4\">\
         {drawn}</g>\n"
    );
}
