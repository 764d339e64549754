//! Rows of items: the steps of a group, and a place in every row that a line only passes.
//!
//! Keeps: a link leads from one row to the next.
//! Not here: which order is good (`crossings.rs`), how far apart (`coordinates.rs`).

use crate::diagram::Group;
use crate::diagram::order::rows;

/// Room a passing line takes.
const LINE_WIDTH: f64 = 10.0;

/// A step, or where a line passes a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) row: usize,
    pub(super) width: f64,
    pub(super) is_line: bool,
}

/// The items an edge passes, from above to below.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) items: Vec<usize>,
    pub(super) leads_up: bool,
}

/// Items in rows. The first items are the steps of the group.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) items: Vec<Item>,
    /// The items of each row, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// For each item, those of the row above that lead to it.
    pub(super) above: Vec<Vec<usize>>,
    /// For each item, those of the row below that it leads to.
    pub(super) below: Vec<Vec<usize>>,
    /// For each edge of the group.
    pub(super) routes: Vec<Route>,
}

impl Grid {
    /// Nothing, if it takes more than so many lines.
    pub(super) fn new(group: &Group, widths: &[f64], lines_max: usize) -> Option<Self> {
        let rows = rows(group);
        let mut grid = Self {
            items: Vec::new(),
            rows: vec![Vec::new(); rows.count],
            above: Vec::new(),
            below: Vec::new(),
            routes: Vec::new(),
        };
        for (row, width) in rows.of.iter().zip(widths) {
            grid.push(Item { row: *row, width: *width, is_line: false });
        }
        let mut lines = 0;
        for (edge, leads_up) in group.edges.iter().zip(rows.leads_up) {
            let (from, to) = if leads_up { (edge.to, edge.from) } else { (edge.from, edge.to) };
            let (first, last) = (rows.of[from], rows.of[to]);
            lines += last - first;
            if lines > lines_max {
                return None;
            }
            let mut items = vec![from];
            for row in first + 1..last {
                items.push(grid.push(Item { row, width: LINE_WIDTH, is_line: true }));
            }
            items.push(to);
            for pair in items.windows(2) {
                grid.below[pair[0]].push(pair[1]);
                grid.above[pair[1]].push(pair[0]);
            }
            grid.routes.push(Route { items, leads_up });
        }
        Some(grid)
    }

    fn push(&mut self, item: Item) -> usize {
        let ix = self.items.len();
        self.rows[item.row].push(ix);
        self.items.push(item);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        ix
    }

    /// Links from row to row.
    pub(super) fn lines(&self) -> usize {
        self.below.iter().map(Vec::len).sum()
    }
}
