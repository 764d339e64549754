//! Checks what only a whole body can tell: edges, circles, fallbacks.
//!
//! Keeps: a circle is named step by step; an edge that could never be satisfied is a problem, not a hang.
//! Not here: the steps themselves (`steps.rs`), what their expressions read (`reads.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use opcode_model::problem::nearest;
use opcode_model::{ErrorCode, Problem, Value};

use super::reader::{Problems, Reader};
use super::steps::Steps;
use crate::shape::{BodyIx, FlowKind};

/// Reads `depends_on` and fallbacks of a body's steps into its shape.
pub(super) fn edges(steps: &mut Steps<'_>, body: BodyIx, items: &[Value], top: bool) {
    for (local, item) in items.iter().enumerate() {
        fallback(steps, body, local, item);
    }
    let mut needs: Vec<BTreeSet<u32>> = Vec::with_capacity(items.len());
    for (local, item) in items.iter().enumerate() {
        needs.push(needs_of(steps, body, local, item, top));
    }
    let first = steps.bodies[body.0 as usize].first as usize;
    for (local, needed) in needs.iter().enumerate() {
        steps.nodes[first + local].needs = needed.iter().copied().collect();
        for need in needed {
            let local = u32::try_from(local).unwrap_or(u32::MAX);
            steps.nodes[first + *need as usize].dependents.push(local);
        }
    }
    circles(steps, body);
    collisions(steps, body);
}

fn needs_of(
    steps: &Steps<'_>,
    body: BodyIx,
    local: usize,
    item: &Value,
    top: bool,
) -> BTreeSet<u32> {
    let own = &steps.bodies[body.0 as usize];
    let Some(object) = item.as_object() else { return BTreeSet::new() };
    let place = &steps.places[own.first as usize + local];
    let reader = Reader { object, path: place, problems: steps.problems };
    let Some(written) = reader.list("depends_on") else {
        // A fallback comes when it is called, not when its turn in the list has come.
        let is_fallback = !steps.nodes[own.first as usize + local].rescues.is_empty();
        let before = u32::try_from(local).unwrap_or(0).checked_sub(1);
        return before.filter(|_| !top && !is_fallback).into_iter().collect();
    };
    let mut needs = BTreeSet::new();
    for (i, name) in written.iter().enumerate() {
        let place = format!("{}/{i}", reader.at("depends_on"));
        let Some(name) = name.as_str() else {
            let message = format!("a dependency is a step id, not {}", name.kind());
            let problem = Problem::error(ErrorCode::Validation, place, message);
            steps.problems.push(problem.hint("write the ids of steps beside this one: [\"a\"]"));
            continue;
        };
        match own.ids.get(name) {
            Some(need) if *need as usize == local => {
                let message = format!("step `{name}` depends on itself");
                steps.problems.push(
                    Problem::error(ErrorCode::CycleDetected, place, message)
                        .hint("take this dependency away")
                        .remove(),
                );
            }
            Some(need) if !needs.insert(*need) => {
                let message = format!("step `{name}` is named twice");
                let problem = Problem::error(ErrorCode::Validation, place, message);
                steps.problems.push(problem.hint("once is enough").remove());
            }
            Some(_) => {}
            None => unknown(steps.problems, place, name, own.ids.keys()),
        }
    }
    needs
}

fn unknown<'a>(
    problems: &Problems,
    place: String,
    name: &str,
    ids: impl Iterator<Item = &'a Arc<str>>,
) {
    let ids: Vec<&str> = ids.map(AsRef::as_ref).collect();
    let message = format!("there is no step `{name}` beside this one");
    let problem = Problem::error(ErrorCode::Validation, place, message);
    problems.push(match nearest(name, ids.iter().copied()) {
        Some(meant) => problem.hint(format!("did you mean `{meant}`?")).replace_with(meant),
        None => problem.hint(format!("the steps here are {}", ids.join(", "))),
    });
}

fn fallback(steps: &mut Steps<'_>, body: BodyIx, local: usize, item: &Value) {
    let Some(handler) = item.find("on_error") else { return };
    if handler.find("strategy").and_then(Value::as_str) != Some("fallback_step") {
        return;
    }
    let own = &steps.bodies[body.0 as usize];
    let first = own.first as usize;
    let place = format!("{}/on_error/fallback_step", steps.places[first + local]);
    let name = handler.find("fallback_step").and_then(Value::as_str).unwrap_or_default();
    let wrong = |message: String| {
        let problem = Problem::error(ErrorCode::Validation, place.as_str(), message);
        steps.problems.push(problem.hint("name another step of this list, by its id"));
    };
    match own.ids.get(name).copied() {
        None if name.is_empty() => {
            wrong("the strategy `fallback_step` needs a `fallback_step`".into());
        }
        None => unknown(steps.problems, place, name, own.ids.keys()),
        Some(target) if target as usize == local => {
            wrong(format!("step `{name}` cannot take over for itself"));
        }
        Some(target) => {
            steps.nodes[first + local].fallback = Some(target);
            let local = u32::try_from(local).unwrap_or(u32::MAX);
            steps.nodes[first + target as usize].rescues.push(local);
        }
    }
}

/// Finds one circle and names it. Each step counts twice: where it begins, and where those who wait for it may go on,
/// which is only after the fallback that takes over for it.
fn circles(steps: &Steps<'_>, body: BodyIx) {
    let own = &steps.bodies[body.0 as usize];
    let nodes = &steps.nodes[own.first as usize..(own.first + own.len) as usize];
    let len = own.len;
    let mut after: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); 2 * nodes.len()];
    for (local, node) in nodes.iter().enumerate() {
        let (begins, over) = (local, local + nodes.len());
        let place = u32::try_from(over).unwrap_or(u32::MAX);
        after[begins].insert(place);
        after[begins].extend(node.fallback);
        let waiting = node.dependents.iter().filter(|other| node.fallback != Some(**other));
        after[over].extend(waiting);
        if let Some(target) = node.fallback {
            after[(len + target) as usize].insert(place);
        }
    }
    let Some(mut circle) = find_circle(&after) else { return };
    circle.iter_mut().for_each(|place| *place %= len);
    circle.dedup();
    let names: Vec<&str> = circle.iter().map(|local| nodes[*local as usize].id.as_ref()).collect();
    let place = &steps.places[(own.first + circle[0]) as usize];
    let takes_over =
        circle.windows(2).all(|pair| nodes[pair[0] as usize].fallback == Some(pair[1]));
    let (member, what, hint) = if takes_over {
        ("on_error/fallback_step", "take over for each other", "let one of them fail instead")
    } else {
        ("depends_on", "wait for each other", "remove one of these dependencies")
    };
    let message = format!("steps {what} in a circle: {}", names.join(" → "));
    let place = format!("{place}/{member}");
    steps.problems.push(Problem::error(ErrorCode::CycleDetected, place, message).hint(hint));
}

/// A circle as positions, the first repeated at the end. Depth-first with its own stack.
fn find_circle(after: &[BTreeSet<u32>]) -> Option<Vec<u32>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; after.len()];
    for start in 0..after.len() {
        if marks[start] != Mark::New {
            continue;
        }
        let mut path: Vec<(u32, Vec<u32>)> = vec![];
        let start = u32::try_from(start).ok()?;
        marks[start as usize] = Mark::Open;
        path.push((start, after[start as usize].iter().copied().collect()));
        while let Some((node, rest)) = path.last_mut() {
            let Some(next) = rest.pop() else {
                marks[*node as usize] = Mark::Done;
                path.pop();
                continue;
            };
            match marks[next as usize] {
                Mark::New => {
                    marks[next as usize] = Mark::Open;
                    path.push((next, after[next as usize].iter().copied().collect()));
                }
                Mark::Open => {
                    let from = path.iter().position(|(node, _)| *node == next).unwrap_or(0);
                    let mut circle: Vec<u32> = path[from..].iter().map(|(node, _)| *node).collect();
                    circle.push(next);
                    return Some(circle);
                }
                Mark::Done => {}
            }
        }
    }
    None
}

/// A step whose id begins like the full path of another's sub-steps could be taken for one of them.
fn collisions(steps: &Steps<'_>, body: BodyIx) {
    let own = &steps.bodies[body.0 as usize];
    for (id, local) in &own.ids {
        let parent = id.match_indices('.').map(|(at, _)| &id[..at]).find(|prefix| {
            own.ids.get(*prefix).is_some_and(|other| {
                steps.nodes[(own.first + other) as usize].flow != FlowKind::None
            })
        });
        if let Some(parent) = parent {
            collision(steps, own.first + local, parent);
        }
    }
}

/// The same for the steps of a hook, whose full path begins with its name.
pub(super) fn hook_collisions(steps: &Steps<'_>, hook: &str) {
    let Some(top) = steps.bodies.first() else { return };
    for (id, local) in &top.ids {
        if id.strip_prefix(hook).is_some_and(|rest| rest.starts_with('.')) {
            collision(steps, top.first + local, hook);
        }
    }
}

fn collision(steps: &Steps<'_>, at: u32, parent: &str) {
    let id = &steps.nodes[at as usize].id;
    let place = format!("{}/id", steps.places[at as usize]);
    let message = format!("`{id}` reads like a step inside `{parent}`");
    steps.problems.push(
        Problem::error(ErrorCode::Validation, place, message)
            .hint("give it an id without the dot")
            .replace_with(id.replace('.', "-")),
    );
}
