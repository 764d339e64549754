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
/// How much more an item wants to stand below the only one it follows than in the middle of several: so lines are straight.
const STRAIGHT: f64 = 8.0;

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
        let rows: Vec<&Vec<usize>> = if pass % 2 == 0 {
            grid.rows.iter().collect()
        } else {
            grid.rows.iter().rev().collect()
        };
        for row in rows {
            settle(grid, row, &mut centres, (pass % 2 == 0 || is_last, pass % 2 == 1 || is_last));
        }
    }
    straighten(grid, &mut centres);
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
    let pull = |upper, lower| if is_only(grid, upper, lower) { STRAIGHT } else { 1.0 };
    let up = grid.above[item].iter().filter(|_| above).map(|upper| (*upper, pull(*upper, item)));
    let down = grid.below[item].iter().filter(|_| below).map(|lower| (*lower, pull(item, *lower)));
    let (sum, weight) = up.chain(down).fold((0.0, 0.0), |(sum, weight), (other, pull)| {
        (sum + centres[other] * pull, weight + pull)
    });
    if weight == 0.0 { (centres[item], 0.1) } else { (sum / weight, weight) }
}

/// Whether these two are linked with each other below and above, and with nothing else there.
fn is_only(grid: &Grid, upper: usize, lower: usize) -> bool {
    grid.below[upper].len() == 1 && grid.above[lower].len() == 1
}

/// Puts what follows one after the other in a straight line, as far as there is room for that.
fn straighten(grid: &Grid, centres: &mut [f64]) {
    // For each item its neighbours, and how near it may come to them.
    let mut beside = vec![(None, None); grid.items.len()];
    for row in &grid.rows {
        let offsets = offsets(grid, row);
        for (pair, at) in row.windows(2).zip(offsets.windows(2)) {
            beside[pair[0]].1 = Some((pair[1], at[1] - at[0]));
            beside[pair[1]].0 = Some((pair[0], at[1] - at[0]));
        }
    }
    for first in 0..grid.items.len() {
        let mut stretch = Vec::new();
        let mut room = (f64::NEG_INFINITY, f64::INFINITY);
        for item in chain(grid, first) {
            let left = beside[item].0.map(|(left, away): (usize, f64)| centres[left] + away);
            let right = beside[item].1.map(|(right, away): (usize, f64)| centres[right] - away);
            let own = (left.unwrap_or(f64::NEG_INFINITY), right.unwrap_or(f64::INFINITY));
            let both = (room.0.max(own.0), room.1.min(own.1));
            if both.0 <= both.1 {
                room = both;
            } else {
                align(&stretch, room, centres);
                stretch.clear();
                room = own;
            }
            stretch.push(item);
        }
        align(&stretch, room, centres);
    }
}

/// Puts items in a straight line, within this room.
fn align(stretch: &[usize], room: (f64, f64), centres: &mut [f64]) {
    let mean = stretch.iter().map(|item| centres[*item]).sum::<f64>() / stretch.len() as f64;
    if room.0 <= room.1 {
        stretch.iter().for_each(|item| centres[*item] = mean.max(room.0).min(room.1));
    }
}

/// The items that follow this one, each the only one to follow and the only one followed; none, if it is not the first.
fn chain(grid: &Grid, first: usize) -> Vec<usize> {
    if grid.above[first].iter().any(|upper| is_only(grid, *upper, first)) {
        return Vec::new();
    }
    let next = |item: &usize| {
        let lower = *grid.below[*item].first()?;
        is_only(grid, *item, lower).then_some(lower)
    };
    std::iter::successors(Some(first), next).collect()
}
