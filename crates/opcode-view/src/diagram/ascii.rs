//! A diagram as boxes of characters: a row of boxes for each depth, then what is inside of them.
//!
//! Keeps: the boxes, tags and sections of the reference; a row that is too wide for a terminal goes on in another.
//! Not here: which row a step stands in (`order.rs`).

use opcode_model::StepStatus;

use super::order::{Rows, rows};
use super::text::{columns, cut, plain};
use super::{Diagram, Group, Kind, Node, StepView, Why};

/// Columns of a name.
const NAME_COLUMNS: usize = 40;
/// Columns of the title.
const TITLE_COLUMNS: usize = 90;
/// Columns of a row of boxes.
const ROW_COLUMNS: usize = 100;

pub(super) fn write(diagram: &Diagram) -> String {
    let top = &diagram.top;
    let rows = rows(top);
    let mut out = format!("=== {} ===\n", cut(&diagram.title, TITLE_COLUMNS));
    for row in 0..rows.count {
        out.push_str(if row == 0 { "\n" } else { "       │\n       ▼\n" });
        let nodes = top.nodes.iter().zip(&rows.of).filter(|(_, of)| **of == row);
        put_boxes(&mut out, nodes.map(|(node, _)| node));
    }
    put_inner(&mut out, top);
    if !rows_say_it_all(top, &rows) {
        out.push_str("\n--- dependencies ---\n");
        let is_inner = |at: usize| !matches!(top.nodes[at].kind, Kind::Start | Kind::End);
        put_edges(&mut out, "  ", top, is_inner);
    }
    out
}

/// What is said of a status.
fn tag(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Completed => "[OK]",
        StepStatus::Failed => "[FAIL]",
        StepStatus::Running => "[RUN]",
        StepStatus::Suspended => "[WAIT]",
        StepStatus::Skipped => "[SKIP]",
        StepStatus::Pending | StepStatus::Scheduled => "[PEND]",
        StepStatus::Retrying => "[RETRY]",
    }
}

/// The tag, how long it took, and how often it was tried or repeated.
fn marks(state: Option<StepView>) -> Vec<String> {
    let Some(state) = state else { return Vec::new() };
    let mut marks = vec![tag(state.status).to_owned()];
    if state.duration_ms > 0 {
        marks.push(format!("{}ms", state.duration_ms));
    }
    if state.attempts > 1 {
        marks.push(format!("attempt {}", state.attempts));
    }
    if state.times > 1 {
        marks.push(format!("{} times", state.times));
    }
    marks
}

fn put_boxes<'a>(out: &mut String, nodes: impl Iterator<Item = &'a Node>) {
    let mut row: Vec<Vec<String>> = Vec::new();
    let mut used = 0;
    for node in nodes {
        let mut lines = vec![cut(&node.id, NAME_COLUMNS)];
        lines.extend(marks(node.state));
        let width = widest(&lines) + 6;
        if used + width > ROW_COLUMNS {
            put_row(out, &row);
            row.clear();
            used = 0;
        }
        used += width;
        row.push(lines);
    }
    put_row(out, &row);
}

fn widest(lines: &[String]) -> usize {
    lines.iter().map(|line| columns(line)).max().unwrap_or(0)
}

/// One row of boxes, each as high as it has lines.
fn put_row(out: &mut String, boxes: &[Vec<String>]) {
    let height = boxes.iter().map(Vec::len).max().map_or(0, |lines| lines + 2);
    for line in 0..height {
        let cells = boxes.iter().map(|lines| {
            let width = widest(lines);
            let bar = "─".repeat(width + 2);
            match line.checked_sub(1) {
                None => format!("┌{bar}┐"),
                Some(at) if at < lines.len() => {
                    format!("│ {}{} │", lines[at], " ".repeat(width - columns(&lines[at])))
                }
                Some(at) if at == lines.len() => format!("└{bar}┘"),
                Some(_) => " ".repeat(width + 4),
            }
        });
        let cells: Vec<String> = cells.collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
}

/// What is inside of steps, and inside of those.
fn put_inner(out: &mut String, group: &Group) {
    for node in group.nodes.iter().filter(|node| !node.lanes.is_empty()) {
        let about =
            if node.kind == Kind::End { "hooks" } else { &format!("{} sub-steps", node.path) };
        *out += &format!("\n--- {} ---\n", plain(about));
        for lane in &node.lanes {
            *out += &format!("  [{}]\n", cut(&lane.key, NAME_COLUMNS));
            for inner in &lane.group.nodes {
                put_line(out, inner);
            }
            put_edges(out, "    ", &lane.group, |_| true);
        }
        for lane in &node.lanes {
            put_inner(out, &lane.group);
        }
    }
}

fn put_line(out: &mut String, node: &Node) {
    *out += &format!("    {}", cut(&node.id, NAME_COLUMNS));
    if let Some(action) = &node.action {
        *out += &format!(" ({})", cut(action, NAME_COLUMNS));
    }
    for mark in marks(node.state) {
        *out += &format!(" {mark}");
    }
    out.push('\n');
}

/// What leads where, a line each.
fn put_edges(out: &mut String, indent: &str, group: &Group, wanted: impl Fn(usize) -> bool) {
    for edge in group.edges.iter().filter(|edge| wanted(edge.from) && wanted(edge.to)) {
        let name = |at: usize| cut(&group.nodes[at].id, NAME_COLUMNS);
        let why = if edge.why == Why::Fallback { " (on error)" } else { "" };
        *out += &format!("{indent}{} ─→ {}{why}\n", name(edge.from), name(edge.to));
    }
}

/// Whether each step waits for just the row above it, so that the rows tell everything.
fn rows_say_it_all(group: &Group, rows: &Rows) -> bool {
    let is_step = |at: usize| !matches!(group.nodes[at].kind, Kind::Start | Kind::End);
    let mut sizes = vec![0_usize; rows.count];
    for (at, row) in rows.of.iter().enumerate() {
        sizes[*row] += usize::from(is_step(at));
    }
    let inner = || group.edges.iter().filter(|edge| is_step(edge.from) && is_step(edge.to));
    let every: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let to_next = |edge: &&super::Edge| rows.of[edge.to] == rows.of[edge.from] + 1;
    inner().all(|edge| edge.why == Why::Order)
        && inner().filter(to_next).count() == every
        && inner().count() == every
}
