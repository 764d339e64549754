//! Which row each step of a group stands in: one below the lowest of those that lead to it.
//!
//! Keeps: every edge leads down; a fallback that would lead up is turned round, and said so.
//! Not here: where in its row a step stands (`layout`).

use std::collections::BTreeSet;

use super::{Group, Why};

/// Rows of a group.
#[derive(Debug)]
pub(super) struct Rows {
    /// The row of each step.
    pub(super) of: Vec<usize>,
    /// How many there are.
    pub(super) count: usize,
    /// For each edge, whether it leads up.
    pub(super) leads_up: Vec<bool>,
}

/// Puts the steps of a group into rows.
pub(super) fn rows(group: &Group) -> Rows {
    let place = places(group);
    let leads_up: Vec<bool> =
        group.edges.iter().map(|edge| place[edge.from] >= place[edge.to]).collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); group.nodes.len()];
    for (edge, up) in group.edges.iter().zip(&leads_up) {
        let (upper, lower) = if *up { (edge.to, edge.from) } else { (edge.from, edge.to) };
        below[upper].push(lower);
    }
    let mut order: Vec<usize> = (0..group.nodes.len()).collect();
    order.sort_by_key(|node| place[*node]);
    let mut of = vec![0; group.nodes.len()];
    for node in order {
        for lower in &below[node] {
            of[*lower] = of[*lower].max(of[node] + 1);
        }
    }
    let count = of.iter().max().map_or(0, |last| last + 1);
    Rows { of, count, leads_up }
}

/// Places of the steps in an order that all edges follow, but for fallbacks that close a circle.
fn places(group: &Group) -> Vec<usize> {
    let len = group.nodes.len();
    let mut unmet = vec![0_usize; len];
    let mut needed = vec![0_usize; len];
    let mut after: Vec<Vec<(usize, Why)>> = vec![Vec::new(); len];
    for edge in group.edges.iter().filter(|edge| edge.from != edge.to) {
        unmet[edge.to] += 1;
        needed[edge.to] += usize::from(edge.why == Why::Order);
        after[edge.from].push((edge.to, edge.why));
    }
    let mut place = vec![usize::MAX; len];
    let mut free: BTreeSet<usize> = (0..len).filter(|node| unmet[*node] == 0).collect();
    // Steps that wait for nothing but a fallback's call.
    let mut callable: BTreeSet<usize> = (0..len).filter(|node| needed[*node] == 0).collect();
    let mut next = 0;
    while let Some(node) = free.pop_first().or_else(|| callable.pop_first()) {
        if place[node] != usize::MAX {
            continue;
        }
        place[node] = next;
        next += 1;
        for (to, why) in &after[node] {
            unmet[*to] -= 1;
            needed[*to] -= usize::from(*why == Why::Order);
            if place[*to] != usize::MAX {
                continue;
            }
            if unmet[*to] == 0 {
                free.insert(*to);
            }
            if needed[*to] == 0 {
                callable.insert(*to);
            }
        }
    }
    place
}
