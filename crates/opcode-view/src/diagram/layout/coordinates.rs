//! How far to the right each item stands: as near as may be to the middle of those it is linked with.
//!
//! Keeps: items of a row stay in their order and do not overlap; the leftmost edge is at zero.
//! Not here: the order (`crossings.rs`), how far down (`mod.rs`).

use super::grid::Grid;

/// Times that all rows are looked at, down and up.
const PASSES: usize = 10;
/// Room between two steps.
const STEP_GAP: f64 = 30.0;
/// Room beside a line that passes.
const LINE_GAP: f64 = 14.0;
/// How much more a line wants to be straight than a step wants to be in the middle.
const LINE_WEIGHT: f64 = 6.0;

/// The middle of each item.
pub(super) fn centres(grid: &Grid) -> Vec<f64> {
    let mut centres = vec![0.0; grid.items.len()];
    for row in &grid.rows {
        let offsets = offsets(grid, row);
        let half = offsets.last().map_or(0.0, |last| last / 2.0);
        for (item, offset) in row.iter().zip(&offsets) {
            centres[*item] = offset - half;
        }
    }
    for pass in 0..PASSES {
        let is_last = pass + 1 == PASSES;
        let rows: Vec<&Vec<usize>> =
            if pass % 2 == 0 { grid.rows.iter().collect() } else { grid.rows.iter().rev().collect() };
        for row in rows {
            settle(grid, row, &mut centres, (pass % 2 == 0 || is_last, pass % 2 == 1 || is_last));
        }
    }
    let left = |(item, centre): (usize, &f64)| centre - grid.items[item].width / 2.0;
    let leftmost = centres.iter().enumerate().map(left).fold(f64::INFINITY, f64::min);
    centres.iter().map(|centre| centre - leftmost).collect()
}

/// Where the items of a row stand if they stand as close as they may, the first at zero.
fn offsets(grid: &Grid, row: &[usize]) -> Vec<f64> {
    let mut at = 0.0;
    let mut offsets = Vec::with_capacity(row.len());
    for (place, item) in row.iter().enumerate() {
        if let Some(before) = place.checked_sub(1) {
            let (a, b) = (grid.items[row[before]], grid.items[*item]);
            let gap = if a.is_line || b.is_line { LINE_GAP } else { STEP_GAP };
            at += f64::midpoint(a.width, b.width) + gap;
        }
        offsets.push(at);
    }
    offsets
}

/// Moves the items of a row towards those above, below, or both: the least sum of squares that keeps order and distance.
fn settle(grid: &Grid, row: &[usize], centres: &mut [f64], (above, below): (bool, bool)) {
    let offsets = offsets(grid, row);
    // Stretches of items that stand as close as they may: their wish, its weight, and how many they are.
    let mut stretches: Vec<(f64, f64, usize)> = Vec::new();
    for (item, offset) in row.iter().zip(&offsets) {
        let (wish, weight) = wish(grid, *item, centres, (above, below));
        let mut stretch = (wish - offset, weight, 1);
        while let Some(before) = stretches.pop_if(|before| before.0 > stretch.0) {
            let weight = before.1 + stretch.1;
            let mean = (before.0 * before.1 + stretch.0 * stretch.1) / weight;
            stretch = (mean, weight, before.2 + stretch.2);
        }
        stretches.push(stretch);
    }
    let starts = stretches.iter().flat_map(|(start, _, len)| std::iter::repeat_n(*start, *len));
    for ((item, offset), start) in row.iter().zip(&offsets).zip(starts) {
        centres[*item] = start + offset;
    }
}

/// Where an item wants to stand, and how much.
fn wish(grid: &Grid, item: usize, centres: &[f64], (above, below): (bool, bool)) -> (f64, f64) {
    let own = grid.items[item];
    let links = |wanted: bool, links: &[usize]| -> (f64, f64) {
        let links = if wanted { links } else { &[] };
        links.iter().fold((0.0, 0.0), |(sum, weight), other| {
            let is_straight = own.is_line || grid.items[*other].is_line;
            let pull = if is_straight { LINE_WEIGHT } else { 1.0 };
            (sum + centres[*other] * pull, weight + pull)
        })
    };
    let (up, down) = (links(above, &grid.above[item]), links(below, &grid.below[item]));
    let weight = up.1 + down.1;
    if weight == 0.0 { (centres[item], 0.1) } else { ((up.0 + down.0) / weight, weight) }
}
