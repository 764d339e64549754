//! What a picture is made of, and where it stands.
//!
//! Keeps: places are in pixels from the scene's own corner, down and to the right.
//! Not here: colours and words (`../svg.rs`).

use crate::diagram::{Lane, Node};

/// A place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::diagram) struct Point {
    pub(in crate::diagram) x: f64,
    pub(in crate::diagram) y: f64,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::diagram) struct Area {
    pub(in crate::diagram) x: f64,
    pub(in crate::diagram) y: f64,
    pub(in crate::diagram) width: f64,
    pub(in crate::diagram) height: f64,
}

/// What a line says by its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagram) enum Stroke {
    /// One after the other.
    Order,
    /// One in place of the other.
    Fallback,
    /// From a step into its branches, and back together.
    Inner,
    /// From the end of a loop's body to its beginning.
    Again,
    /// From the end to a hook.
    Hook,
}

/// A line through some points.
#[derive(Clone, Debug)]
pub(in crate::diagram) struct Line {
    pub(in crate::diagram) points: Vec<Point>,
    pub(in crate::diagram) stroke: Stroke,
    /// Whether it ends in an arrow's head.
    pub(in crate::diagram) has_head: bool,
    /// Whether it leaves and reaches each point downwards, rather than in right angles.
    pub(in crate::diagram) is_smooth: bool,
}

/// A frame around a lane, or the name of one in which nothing happens.
#[derive(Clone, Debug)]
pub(in crate::diagram) struct Frame<'a> {
    pub(in crate::diagram) lane: Option<&'a Lane>,
    pub(in crate::diagram) area: Area,
}

/// Everything, placed.
#[derive(Clone, Debug, Default)]
pub(in crate::diagram) struct Scene<'a> {
    pub(in crate::diagram) width: f64,
    pub(in crate::diagram) height: f64,
    pub(in crate::diagram) boxes: Vec<(&'a Node, Area)>,
    pub(in crate::diagram) frames: Vec<Frame<'a>>,
    pub(in crate::diagram) lines: Vec<Line>,
}

impl<'a> Scene<'a> {
    /// Puts another scene into this one, which grows as needed.
    pub(super) fn put(&mut self, other: Self, x: f64, y: f64) {
        self.width = self.width.max(x + other.width);
        self.height = self.height.max(y + other.height);
        let shift = |area: Area| Area { x: area.x + x, y: area.y + y, ..area };
        self.boxes.extend(other.boxes.into_iter().map(|(node, area)| (node, shift(area))));
        let frames = other.frames.into_iter();
        self.frames.extend(frames.map(|frame| Frame { area: shift(frame.area), ..frame }));
        self.lines.extend(other.lines.into_iter().map(|mut line| {
            for point in &mut line.points {
                *point = Point { x: point.x + x, y: point.y + y };
            }
            line
        }));
    }
}
