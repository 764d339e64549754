//! A diagram as a picture of lines.
//!
//! Keeps: well-formed whatever strangers wrote; no script, no style, no address in it; readable on any background, because it has its own.
//! Not here: where anything stands (`layout`), how wide words are (`shapes.rs`).

use opcode_model::{Failure, RunStatus, StepStatus};

use super::layout::{self, Area, Frame, Line, Point, Scene, Stroke};
use super::shapes::{FRAME_HEAD, Face, PASSED, Row, SIGN, lane_name, rows, text_width};
use super::sign::{self, Tint};
use super::text::cut;
use super::{Diagram, Kind, Node};

/// Room around everything.
const MARGIN: f64 = 28.0;
/// Columns of the title.
const TITLE_COLUMNS: usize = 90;
/// Columns of what is shown when somebody points at a step.
const TIP_COLUMNS: usize = 300;
/// Fonts of fixed width; the last but one is the one that PNGs are drawn with.
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace";
/// How long an arrow's head is.
const HEAD: f64 = 7.0;
/// How round a corner is.
const ROUND: f64 = 8.0;

const INK: &str = "#17202b";
const SOFT_INK: &str = "#4d5968";
const LINE_INK: &str = "#5b6776";
const ERROR_INK: &str = "#b23a0e";

pub(super) fn write(diagram: &Diagram) -> Result<String, Failure> {
    picture(diagram).map(|picture| picture.text)
}

/// The text of a picture, and how large it is.
pub(super) struct Drawn {
    pub(super) text: String,
    pub(super) width: f64,
    pub(super) height: f64,
}

pub(super) fn picture(diagram: &Diagram) -> Result<Drawn, Failure> {
    let scene = layout::scene(diagram)?;
    let title = cut(&diagram.title, TITLE_COLUMNS);
    let head = if diagram.status.is_some() { 64.0 } else { 44.0 };
    let width = (scene.width.max(text_width(Face::Title, &title)) + 2.0 * MARGIN).ceil();
    let height = (scene.height + head + 2.0 * MARGIN).ceil();
    let name = escaped(&title);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{FONTS}\">\n\
         <title>{name}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let top = MARGIN + 8.0;
    put_text(&mut out, Face::Title, &title, (MARGIN, top), ("start", INK));
    if let Some(status) = diagram.status {
        put_status(&mut out, status, (MARGIN, top + 26.0));
    }
    let (x, y) = (number((width - scene.width) / 2.0), MARGIN + head);
    out += &format!("<g transform=\"translate({x} {y})\">\n");
    put_scene(&mut out, &scene, diagram.status.is_some());
    out += "</g>\n</svg>\n";
    Ok(Drawn { text: out, width, height })
}

/// Frames first, then lines, then steps: what matters most is on top.
fn put_scene(out: &mut String, scene: &Scene<'_>, is_run: bool) {
    for frame in scene.frames.iter().filter(|frame| !is_empty(frame)) {
        put_frame(out, frame);
    }
    for line in &scene.lines {
        put_line(out, line);
    }
    for frame in scene.frames.iter().filter(|frame| is_empty(frame)) {
        put_empty(out, frame);
    }
    for line in scene.lines.iter().filter(|line| line.stroke == Stroke::Fallback) {
        put_label(out, line);
    }
    for (node, area) in &scene.boxes {
        put_node(out, node, *area, is_run);
    }
}

/// Rounded to a tenth of a pixel, so that it is written in few characters and the same everywhere.
fn number(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}

/// Text as XML takes it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&apos;",
            c => out.push(c),
        }
    }
    out
}

/// A line of text whose middle is at this height.
fn put_text(out: &mut String, face: Face, text: &str, (x, y): (f64, f64), look: (&str, &str)) {
    let (anchor, ink) = look;
    let size = face.size();
    let weight = match face {
        Face::Title | Face::Name | Face::Lane => " font-weight=\"bold\"",
        Face::About | Face::Status => "",
    };
    // The middle of small letters is this far above the line they stand on.
    let (x, y) = (number(x), number(y + size * 0.35));
    *out += &format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
         fill=\"{ink}\"{weight}>{}</text>\n",
        escaped(text)
    );
}

/// Where the run is.
fn put_status(out: &mut String, status: RunStatus, (x, y): (f64, f64)) {
    let like = match status {
        RunStatus::Pending => StepStatus::Pending,
        RunStatus::Active => StepStatus::Running,
        RunStatus::Suspended => StepStatus::Suspended,
        RunStatus::Completed => StepStatus::Completed,
        RunStatus::Failed => StepStatus::Failed,
        RunStatus::Cancelled => StepStatus::Skipped,
    };
    let ink = sign::tint(like).line;
    sign::put(out, like, (x + 6.0, y));
    put_text(out, Face::Status, status.text(), (x + SIGN, y), ("start", ink));
}

fn is_empty(frame: &Frame<'_>) -> bool {
    frame.lane.is_none_or(|lane| lane.group.nodes.is_empty())
}

fn rect(area: Area, round: f64, look: &str) -> String {
    let Area { x, y, width, height } = area;
    let (x, y, width, height) = (number(x), number(y), number(width), number(height));
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{}\" {look}/>\n",
        number(round)
    )
}

/// Around a lane, with its name.
fn put_frame(out: &mut String, frame: &Frame<'_>) {
    let Some(lane) = frame.lane else { return };
    let look = "fill=\"#17202b\" fill-opacity=\"0.03\" stroke=\"#9aa6b5\" stroke-dasharray=\"5 4\"";
    *out += &rect(frame.area, 10.0, look);
    let place = (frame.area.x + 14.0, frame.area.y + FRAME_HEAD / 2.0);
    put_text(out, Face::Lane, &lane_name(&lane.key), place, ("start", SOFT_INK));
}

/// A lane in which nothing happens.
fn put_empty(out: &mut String, frame: &Frame<'_>) {
    let name = frame.lane.map_or(PASSED.to_owned(), |lane| lane_name(&lane.key));
    *out += &rect(frame.area, 10.0, "fill=\"#ffffff\" stroke=\"#9aa6b5\" stroke-dasharray=\"5 4\"");
    let (x, y) = middle(frame.area);
    put_text(out, Face::Lane, &name, (x, y), ("middle", SOFT_INK));
}

fn middle(area: Area) -> (f64, f64) {
    (area.x + area.width / 2.0, area.y + area.height / 2.0)
}

fn put_line(out: &mut String, line: &Line) {
    let (ink, dash) = match line.stroke {
        Stroke::Order | Stroke::Inner | Stroke::Again => (LINE_INK, ""),
        Stroke::Hook => (LINE_INK, " stroke-dasharray=\"5 4\""),
        Stroke::Fallback => (ERROR_INK, " stroke-dasharray=\"5 4\""),
    };
    let mut points = line.points.clone();
    points.dedup_by(|a, b| (a.x - b.x).abs() < 0.05 && (a.y - b.y).abs() < 0.05);
    let Some((last, before)) = points.split_last() else { return };
    let Some(before) = before.last() else { return };
    let (dx, dy) = direction(*before, *last, line.is_smooth);
    let tip = *last;
    if line.has_head {
        let end = Point { x: tip.x - dx * HEAD, y: tip.y - dy * HEAD };
        points.pop();
        points.push(end);
    }
    let path = if line.is_smooth { smooth(&points) } else { angular(&points) };
    *out += &format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.4\"{dash}/>\n"
    );
    if line.has_head {
        let (bx, by) = (tip.x - dx * HEAD * 1.3, tip.y - dy * HEAD * 1.3);
        let (sx, sy) = (-dy * HEAD * 0.55, dx * HEAD * 0.55);
        let corners = [(tip.x, tip.y), (bx + sx, by + sy), (bx - sx, by - sy)];
        *out += &format!("<polygon points=\"{}\" fill=\"{ink}\"/>\n", list(&corners));
    }
}

fn list(corners: &[(f64, f64)]) -> String {
    let corner = |(x, y): &(f64, f64)| format!("{},{}", number(*x), number(*y));
    corners.iter().map(corner).collect::<Vec<_>>().join(" ")
}

/// Which way a line goes where it ends.
fn direction(from: Point, to: Point, is_smooth: bool) -> (f64, f64) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    if is_smooth || dx.abs() < dy.abs() { (0.0, dy.signum()) } else { (dx.signum(), 0.0) }
}

/// Through the points, always on its way down (or up).
fn smooth(points: &[Point]) -> String {
    let mut path = String::new();
    let mut before: Option<Point> = None;
    for point in points {
        let (x, y) = (number(point.x), number(point.y));
        match before {
            None => path += &format!("M{x} {y}"),
            Some(from) if (from.x - point.x).abs() < 0.5 => path += &format!(" L{x} {y}"),
            Some(from) => {
                let half = number(f64::midpoint(from.y, point.y));
                path += &format!(" C{} {half} {x} {half} {x} {y}", number(from.x));
            }
        }
        before = Some(*point);
    }
    path
}

/// Through the points in straight lines, with round corners.
fn angular(points: &[Point]) -> String {
    let mut path = String::new();
    for (at, point) in points.iter().enumerate() {
        let (x, y) = (number(point.x), number(point.y));
        let (before, after) = (at.checked_sub(1).and_then(|at| points.get(at)), points.get(at + 1));
        match (before, after) {
            (None, _) => path += &format!("M{x} {y}"),
            (Some(_), None) => path += &format!(" L{x} {y}"),
            (Some(before), Some(after)) => {
                let (a, b) = (towards(*point, *before), towards(*point, *after));
                path += &format!(" L{} {} Q{x} {y} {} {}", a.0, a.1, b.0, b.1);
            }
        }
    }
    path
}

/// A little way from a corner to its neighbour.
fn towards(corner: Point, other: Point) -> (f64, f64) {
    let (dx, dy) = (other.x - corner.x, other.y - corner.y);
    let length = dx.hypot(dy).max(1.0);
    let part = (ROUND / length).min(0.5);
    (number(corner.x + dx * part), number(corner.y + dy * part))
}

/// What a line says, where it first leaves its row.
fn put_label(out: &mut String, line: &Line) {
    let bend = line.points.windows(2).max_by(|a, b| rise(a).total_cmp(&rise(b)));
    let Some([from, to]) = bend else { return };
    let (x, y) = (f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
    let width = text_width(Face::About, "on error") + 8.0;
    let area = Area { x: x - width / 2.0, y: y - 8.0, width, height: 16.0 };
    *out += &rect(area, 4.0, "fill=\"#ffffff\"");
    put_text(out, Face::About, "on error", (x, y), ("middle", ERROR_INK));
}

fn rise(pair: &[Point]) -> f64 {
    pair.first().zip(pair.last()).map_or(0.0, |(a, b)| (a.y - b.y).abs())
}

fn put_node(out: &mut String, node: &Node, area: Area, is_run: bool) {
    let is_terminal = matches!(node.kind, Kind::Start | Kind::End);
    let tint = match node.state {
        Some(state) => sign::tint(state.status),
        None if is_terminal => sign::TERMINAL,
        None if is_run => sign::UNKNOWN,
        None => sign::PLAIN,
    };
    *out += &format!("<g><title>{}</title>\n", escaped(&tip(node)));
    put_shape(out, node.kind, area, &tint);
    for row in rows(node) {
        put_row(out, node, &row, area, &tint);
    }
    *out += "</g>\n";
}

/// What is shown when somebody points at it: what was cut in the box.
fn tip(node: &Node) -> String {
    let said = [node.action.as_deref(), node.about.as_deref(), node.guard.as_deref()];
    let said = said.into_iter().flatten().map(|text| cut(text, TIP_COLUMNS));
    [cut(&node.path, TIP_COLUMNS)].into_iter().chain(said).collect::<Vec<_>>().join(" · ")
}

fn put_row(out: &mut String, node: &Node, row: &Row, area: Area, tint: &Tint) {
    let (x, y) = (area.x + area.width / 2.0, area.y + row.middle);
    let Some(state) = node.state.filter(|_| row.face == Face::Status) else {
        let ink = if row.face == Face::Name { tint.name } else { tint.about };
        return put_text(out, row.face, &row.text, (x, y), ("middle", ink));
    };
    let left = x - row.width() / 2.0;
    sign::put(out, state.status, (left + 6.0, y));
    put_text(out, row.face, &row.text, (left + SIGN, y), ("start", tint.line));
}

fn put_shape(out: &mut String, kind: Kind, area: Area, tint: &Tint) {
    let Area { x, y, width, height } = area;
    let (right, bottom) = (x + width, y + height);
    let (cx, cy) = middle(area);
    let dash = if tint.is_dashed { " stroke-dasharray=\"5 4\"" } else { "" };
    let (fill, line) = (tint.fill, tint.line);
    let look = format!("fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"1.5\"{dash}");
    let polygon =
        |corners: &[(f64, f64)]| format!("<polygon points=\"{}\" {look}/>\n", list(corners));
    *out += &match kind {
        Kind::Action => rect(area, 8.0, &look),
        Kind::Start | Kind::End | Kind::Wait => rect(area, height / 2.0, &look),
        Kind::Condition => polygon(&[(cx, y), (right, cy), (cx, bottom), (x, cy)]),
        Kind::Reasoning => {
            let cut = height / 4.0;
            polygon(&[
                (x + cut, y),
                (right - cut, y),
                (right, cy),
                (right - cut, bottom),
                (x + cut, bottom),
                (x, cy),
            ])
        }
        Kind::Loop | Kind::Parallel => {
            let side = |x: f64| {
                let (x, y, bottom) = (number(x), number(y), number(bottom));
                format!("<path d=\"M{x} {y} V{bottom}\" {look}/>\n")
            };
            rect(area, 4.0, &look) + &side(x + 7.0) + &side(right - 7.0)
        }
    };
}
