//! Where everything of a diagram stands.
//!
//! Keeps: boxes of one group never overlap, whatever leads where; a step's bodies stand below it, in frames of their own.
//! Not here: rows (`../order.rs`), how anything looks (`../svg.rs`).

mod block;
mod coordinates;
mod crossings;
mod grid;
mod scene;
#[cfg(test)]
mod tests;

use opcode_model::Failure;
use opcode_model::limits::{DIAGRAM_LINES_MAX, DIAGRAM_STEPS_MAX};

pub(super) use scene::{Area, Frame, Line, Point, Scene, Stroke};

use super::{Diagram, Edge, Group, Node, Why};
use grid::Grid;

/// Room between a row and the next, at least.
const ROW_GAP: f64 = 38.0;
/// What more there is where lines go far to the side.
const ROW_GAP_MORE: f64 = 42.0;

/// Lays a diagram out.
///
/// # Errors
/// `LIMIT_EXCEEDED` if it has more steps or lines than a picture can show.
pub(super) fn scene(diagram: &Diagram) -> Result<Scene<'_>, Failure> {
    let steps = diagram.top.len_all().saturating_sub(2);
    if steps > DIAGRAM_STEPS_MAX {
        return Err(Failure::limit("steps of a picture", DIAGRAM_STEPS_MAX));
    }
    Layout { lines_left: DIAGRAM_LINES_MAX }.group(&diagram.top)
}

/// Lays groups out, with so many lines left to spend.
struct Layout {
    lines_left: usize,
}

impl Layout {
    /// Groups stand inside groups only so deep as `plan` lets them.
    fn group<'a>(&mut self, group: &'a Group) -> Result<Scene<'a>, Failure> {
        let mut leads_on = vec![false; group.nodes.len()];
        for edge in &group.edges {
            leads_on[edge.from] = true;
        }
        let mut blocks = Vec::with_capacity(group.nodes.len());
        for (node, leads_on) in group.nodes.iter().zip(leads_on) {
            blocks.push(self.block(node, leads_on)?);
        }
        let widths: Vec<f64> = blocks.iter().map(|block| block.width).collect();
        let Some(mut grid) = Grid::new(group, &widths, self.lines_left) else {
            return Err(Failure::limit("lines of a picture", DIAGRAM_LINES_MAX));
        };
        self.lines_left -= grid.lines();
        crossings::lessen(&mut grid);
        let centres = coordinates::centres(&grid);
        Ok(assemble(group, blocks, &grid, &centres))
    }

    /// A step with its bodies.
    fn block<'a>(&mut self, node: &'a Node, leads_on: bool) -> Result<Scene<'a>, Failure> {
        let mut lanes = Vec::with_capacity(node.lanes.len());
        for lane in &node.lanes {
            lanes.push((lane, self.group(&lane.group)?));
        }
        Ok(block::stack(node, lanes, leads_on))
    }
}

/// Puts blocks where they belong and draws what leads from one to the other.
fn assemble<'a>(group: &Group, blocks: Vec<Scene<'a>>, grid: &Grid, centres: &[f64]) -> Scene<'a> {
    let bands = bands(grid, &blocks, centres);
    let heights: Vec<f64> = blocks.iter().map(|block| block.height).collect();
    let mut scene = Scene::default();
    for (edge, route) in group.edges.iter().zip(&grid.routes) {
        let points = points(route, grid, centres, &bands, &heights);
        scene.lines.push(line(edge, points, route.leads_up));
    }
    for (at, block) in blocks.into_iter().enumerate() {
        let left = centres[at] - block.width / 2.0;
        let top = bands[grid.items[at].row].0;
        scene.put(block, left, top);
    }
    scene
}

/// Top and bottom of each row.
fn bands(grid: &Grid, blocks: &[Scene<'_>], centres: &[f64]) -> Vec<(f64, f64)> {
    let mut top = 0.0;
    let mut bands = Vec::with_capacity(grid.rows.len());
    for row in &grid.rows {
        let heights = row.iter().filter_map(|item| blocks.get(*item)).map(|block| block.height);
        let bottom = top + heights.fold(0.0, f64::max);
        bands.push((top, bottom));
        let aside = |item: &usize| {
            let below = grid.below[*item].iter();
            below.map(|to| (centres[*item] - centres[*to]).abs()).fold(0.0, f64::max)
        };
        let farthest = row.iter().map(aside).fold(0.0, f64::max);
        top = bottom + ROW_GAP + (farthest / 12.0).min(ROW_GAP_MORE);
    }
    bands
}

/// The way of an edge from the bottom of the upper step to the top of the lower one.
fn points(
    route: &grid::Route,
    grid: &Grid,
    centres: &[f64],
    bands: &[(f64, f64)],
    heights: &[f64],
) -> Vec<Point> {
    let mut points = Vec::new();
    let last = route.items.len() - 1;
    for (at, item) in route.items.iter().enumerate() {
        let (x, (top, bottom)) = (centres[*item], bands[grid.items[*item].row]);
        if at > 0 {
            points.push(Point { x, y: top });
        }
        if at == 0 {
            points.push(Point { x, y: top + heights[*item] });
        }
        if at < last {
            points.push(Point { x, y: bottom });
        }
    }
    points
}

fn line(edge: &Edge, mut points: Vec<Point>, leads_up: bool) -> Line {
    if leads_up {
        points.reverse();
    }
    let stroke = match edge.why {
        Why::Order => Stroke::Order,
        Why::Fallback => Stroke::Fallback,
    };
    Line { points, stroke, has_head: true, is_smooth: true }
}
