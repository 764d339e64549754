//! Orders the items of each row so that few lines cross: each goes to the middle of those it is linked with, again and again.
//!
//! Keeps: ties stay as they were, so the same group is always drawn the same way; the best order seen is taken.
//! Not here: how far apart items stand (`coordinates.rs`).

use super::grid::Grid;

/// Times that all rows are looked at, down and up.
const SWEEPS: usize = 8;

/// Orders the rows of a grid.
pub(super) fn lessen(grid: &mut Grid) {
    let mut best = (count(grid), grid.rows.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        let rows: Vec<usize> = if down {
            (1..grid.rows.len()).collect()
        } else {
            (0..grid.rows.len()).rev().collect()
        };
        let mut place = places(grid);
        for row in rows {
            order(grid, row, down, &mut place);
        }
        let crossings = count(grid);
        if crossings < best.0 {
            best = (crossings, grid.rows.clone());
        }
    }
    grid.rows = best.1;
}

/// The place of each item in its row.
fn places(grid: &Grid) -> Vec<usize> {
    let mut place = vec![0; grid.items.len()];
    for row in &grid.rows {
        for (at, item) in row.iter().enumerate() {
            place[*item] = at;
        }
    }
    place
}

/// Orders one row by where those above (or below) stand.
fn order(grid: &mut Grid, row: usize, down: bool, place: &mut [usize]) {
    let links = if down { &grid.above } else { &grid.below };
    let middle = |item: usize| {
        let linked = &links[item];
        if linked.is_empty() {
            return place[item] as f64;
        }
        linked.iter().map(|other| place[*other] as f64).sum::<f64>() / linked.len() as f64
    };
    let mut keyed: Vec<(f64, usize)> =
        grid.rows[row].iter().map(|item| (middle(*item), *item)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, (_, item)) in keyed.iter().enumerate() {
        place[*item] = at;
    }
    grid.rows[row] = keyed.into_iter().map(|(_, item)| item).collect();
}

/// Crossings of lines between all rows and their next.
fn count(grid: &Grid) -> u64 {
    let place = places(grid);
    grid.rows.windows(2).map(|pair| between(grid, &pair[0], pair[1].len(), &place)).sum()
}

/// Crossings below one row: pairs of links whose ends stand the other way round, counted with a tree of sums.
fn between(grid: &Grid, upper: &[usize], lower: usize, place: &[usize]) -> u64 {
    let mut seen = vec![0_u64; lower + 1];
    let (mut all, mut crossings) = (0, 0);
    for item in upper {
        let mut ends: Vec<usize> = grid.below[*item].iter().map(|to| place[*to] + 1).collect();
        ends.sort_unstable();
        for end in &ends {
            let (mut at, mut before) = (*end, 0);
            while at > 0 {
                before += seen[at];
                at &= at - 1;
            }
            crossings += all - before;
        }
        for end in ends {
            all += 1;
            let mut at = end;
            while at <= lower {
                seen[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
    }
    crossings
}
