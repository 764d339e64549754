//! One step with its bodies below it, as one block that stands in a row.
//!
//! Keeps: the step is in the middle of its block, so that lines reach and leave the block there.
//! Not here: what is inside of a body (`mod.rs`), how big a box must be (`../shapes.rs`).

use super::scene::{Area, Frame, Line, Point, Scene, Stroke};
use crate::diagram::shapes::{self, FRAME_HEAD};
use crate::diagram::{Kind, Lane, Node};

/// Room inside of a frame, around its steps.
const PADDING: f64 = 16.0;
/// Room between two frames.
const LANE_GAP: f64 = 22.0;
/// Room between a step and its frames.
const FORK: f64 = 38.0;
/// Room between frames and the point where their lines meet.
const JOIN: f64 = 26.0;
/// How far to the side the line of a loop goes.
const AGAIN: f64 = 20.0;
/// The height of a lane in which nothing happens.
const EMPTY_HEIGHT: f64 = 26.0;

/// Stacks a step and its bodies.
pub(super) fn stack<'a>(
    node: &'a Node,
    lanes: Vec<(&'a Lane, Scene<'a>)>,
    leads_on: bool,
) -> Scene<'a> {
    let (width, height) = shapes::size(node);
    let mut lanes: Vec<Scene<'a>> =
        lanes.into_iter().map(|(lane, body)| framed(lane, body)).collect();
    if may_pass(node) {
        lanes.push(passed());
    }
    let gaps = LANE_GAP * lanes.len().saturating_sub(1) as f64;
    let lanes_width = lanes.iter().map(|lane| lane.width).sum::<f64>() + gaps;
    let lanes_height = lanes.iter().map(|lane| lane.height).fold(0.0, f64::max);
    let aside = aside(&lanes, lanes_width);
    let side = if node.kind == Kind::Loop { 2.0 * AGAIN } else { 0.0 };
    let inner = lanes_width + 2.0 * aside.abs();
    let mut scene = Scene { width: inner.max(width) + side, height, ..Scene::default() };
    let middle = scene.width / 2.0;
    let head = Area { x: middle - width / 2.0, y: 0.0, width, height };
    scene.boxes.push((node, head));
    if lanes.is_empty() {
        return scene;
    }
    let (top, bottom) = (height + FORK, height + FORK + lanes_height);
    let mut left = middle - lanes_width / 2.0 + aside;
    for lane in lanes {
        let (x, end) = (left + lane.width / 2.0, top + lane.height);
        let stroke = if node.kind == Kind::End { Stroke::Hook } else { Stroke::Inner };
        scene.lines.push(fork(Point { x: middle, y: height }, Point { x, y: top }, stroke));
        if leads_on {
            let meet = Point { x: middle, y: bottom + JOIN };
            scene.lines.push(join(Point { x, y: end }, bottom, meet));
        }
        if node.kind == Kind::Loop {
            let right = left + lane.width;
            scene.lines.push(again((right, end), head));
        }
        let wide = lane.width;
        scene.put(lane, left, top);
        left += wide + LANE_GAP;
    }
    scene.height = if leads_on { bottom + JOIN } else { bottom };
    scene
}

/// How far all lanes move so that the middle one of an odd number stands just below its step; not at all, if that is far.
fn aside(lanes: &[Scene<'_>], lanes_width: f64) -> f64 {
    let before = lanes.len() / 2;
    let Some(middle) = lanes.get(before).filter(|_| lanes.len() % 2 == 1) else { return 0.0 };
    let left: f64 = lanes.iter().take(before).map(|lane| lane.width + LANE_GAP).sum();
    let aside = lanes_width / 2.0 - (left + middle.width / 2.0);
    if aside.abs() <= 2.0 * LANE_GAP { aside } else { 0.0 }
}

/// Whether a choice may take none of its branches.
fn may_pass(node: &Node) -> bool {
    let has = |key: &str| node.lanes.iter().any(|lane| lane.key.as_ref() == key);
    node.kind == Kind::Condition && !has("default") && !(has("true") && has("false"))
}

/// A body in its frame.
fn framed<'a>(lane: &'a Lane, body: Scene<'a>) -> Scene<'a> {
    let name = shapes::lane_width(&lane.key);
    let mut scene = Scene::default();
    if body.boxes.is_empty() {
        let area = Area { x: 0.0, y: 0.0, width: name, height: EMPTY_HEIGHT };
        scene.frames.push(Frame { lane: Some(lane), area });
        (scene.width, scene.height) = (name, EMPTY_HEIGHT);
        return scene;
    }
    let width = name.max(body.width + 2.0 * PADDING);
    let height = FRAME_HEAD + body.height + PADDING;
    scene.frames.push(Frame { lane: Some(lane), area: Area { x: 0.0, y: 0.0, width, height } });
    let left = (width - body.width) / 2.0;
    scene.put(body, left, FRAME_HEAD);
    (scene.width, scene.height) = (width, height);
    scene
}

/// The way past all branches.
fn passed<'a>() -> Scene<'a> {
    let width = shapes::lane_width(shapes::PASSED);
    let area = Area { x: 0.0, y: 0.0, width, height: EMPTY_HEIGHT };
    let frames = vec![Frame { lane: None, area }];
    Scene { width, height: EMPTY_HEIGHT, frames, ..Scene::default() }
}

fn fork(from: Point, to: Point, stroke: Stroke) -> Line {
    Line { points: vec![from, to], stroke, has_head: true, is_smooth: true }
}

/// From the end of a lane down to the end of the longest, and there to where all meet.
fn join(from: Point, bottom: f64, meet: Point) -> Line {
    let points = vec![from, Point { x: from.x, y: bottom }, meet];
    Line { points, stroke: Stroke::Inner, has_head: false, is_smooth: true }
}

/// From the end of a loop's body back to its head.
fn again((right, end): (f64, f64), head: Area) -> Line {
    let (edge, y) = (head.x + head.width, head.y + head.height / 2.0);
    let aside = right.max(edge) + AGAIN;
    let low = end - 14.0;
    let points = vec![
        Point { x: right, y: low },
        Point { x: aside, y: low },
        Point { x: aside, y },
        Point { x: edge, y },
    ];
    Line { points, stroke: Stroke::Again, has_head: true, is_smooth: false }
}
