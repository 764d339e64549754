//! Cutting a failing scenario down to what matters, and telling it.
//!
//! Keeps: every cut still breaks the same rule.
//! Not here: playing (`world.rs`).

use std::fmt::Write as _;

use super::judge::Violation;
use super::scenario::{Faults, Scenario};
use super::tree::{Def, Node, OnError};
use super::{Mutant, play};

/// The last lines of what happened are told.
const LINES_MAX: usize = 120;
/// How many cuts are tried.
const TRIES_MAX: usize = 3_000;

/// Cuts greedily until no cut keeps the rule broken.
pub(crate) fn shrink(
    mut scenario: Scenario,
    mut violation: Violation,
    mutant: Option<Mutant>,
) -> (Scenario, Violation) {
    let (mut tries, mut again) = (0, true);
    while std::mem::take(&mut again) {
        let mut at = 0;
        while let Some(smaller) = cut(&scenario, at)
            && tries < TRIES_MAX
        {
            tries += 1;
            match smaller.map(|smaller| (play(smaller.clone(), mutant, false).0, smaller)) {
                Some((Err(found), smaller)) if found.rule == violation.rule => {
                    (scenario, violation, again) = (smaller, found, true);
                }
                _ => at += 1,
            }
        }
    }
    (scenario, violation)
}

/// The `n`-th way to make a scenario smaller, if it does; `None` when there are no more.
fn cut(scenario: &Scenario, mut n: usize) -> Option<Option<Scenario>> {
    let mut smaller = scenario.clone();
    if n < smaller.says.len() {
        smaller.says.remove(n);
        return Some(Some(smaller));
    }
    n -= smaller.says.len();
    if n < smaller.faults.crashes.len() {
        smaller.faults.crashes.remove(n);
        return Some(Some(smaller));
    }
    n -= smaller.faults.crashes.len();
    let runs = if smaller.runs.len() > 1 { smaller.runs.len() } else { 0 };
    if n < runs {
        smaller.runs.remove(n);
        smaller.says.retain(|(_, say)| say.run != n);
        for (_, say) in &mut smaller.says {
            say.run -= usize::from(say.run > n);
        }
        return Some(Some(smaller));
    }
    n -= runs;
    if n < FAULTS {
        quiet(&mut smaller.faults, n);
        return Some((smaller.faults != scenario.faults).then_some(smaller));
    }
    cut_defs(scenario, n - FAULTS).map(Some)
}

const FAULTS: usize = 14;

/// Turns one fault off.
fn quiet(faults: &mut Faults, n: usize) {
    match n {
        0 => faults.full = None,
        1 => faults.lost = 0,
        2 => faults.write_ms = 0,
        3 => faults.answer_ms = 0,
        4 => faults.read_ms = 0,
        5 => faults.read_fails = 0,
        6 => faults.finish_ms = 0,
        7 => faults.echo = 0,
        8 => faults.hang = 0,
        9 => faults.mangled = 0,
        10 => faults.silent = false,
        11 => faults.busy = 0,
        12 => faults.snapshot_every = 5_000,
        _ => faults.idle_max = 100,
    }
}

fn cut_defs(scenario: &Scenario, mut n: usize) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    let wanted = smaller.runs.iter_mut().map(|wanted| &mut wanted.def);
    for def in wanted.chain(smaller.templates.values_mut()) {
        if cut_def(def, &mut n) {
            return Some(smaller);
        }
    }
    None
}

/// Makes the `n`-th cut of a definition, or counts those there are.
fn cut_def(def: &mut Def, n: &mut usize) -> bool {
    for hook in [&mut def.on_complete, &mut def.on_error] {
        if hook.is_some() && take(n) {
            *hook = None;
            return true;
        }
    }
    if def.timeout.is_some() && take(n) {
        def.timeout = None;
        return true;
    }
    cut_body(&mut def.steps, n, true)
}

fn take(n: &mut usize) -> bool {
    let now = *n == 0;
    *n = n.wrapping_sub(1);
    now
}

fn cut_body(nodes: &mut Vec<Node>, n: &mut usize, keep_one: bool) -> bool {
    for at in 0..nodes.len() {
        if !(keep_one && nodes.len() == 1) && take(n) {
            let gone = nodes.remove(at).id;
            for node in nodes {
                node.forget(&gone);
            }
            return true;
        }
        let node = &mut nodes[at];
        let adorned = node.guard.is_some()
            || node.retry > 0
            || node.timeout.is_some()
            || node.on_error != OnError::None;
        if adorned && take(n) {
            (node.guard, node.retry, node.timeout, node.on_error) = (None, 0, None, OnError::None);
            return true;
        }
        if node.bodies_mut().into_iter().any(|body| cut_body(body, n, true)) {
            return true;
        }
    }
    false
}

/// The story of a broken rule.
pub(crate) fn tell(scenario: Scenario, violation: &Violation, mutant: Option<Mutant>) -> String {
    let mut text = String::new();
    let mut line = |what: std::fmt::Arguments<'_>| {
        let written = writeln!(text, "{what}");
        debug_assert!(written.is_ok(), "text takes all");
    };
    line(format_args!("seed {}: {violation}", scenario.seed));
    line(format_args!("replay: cargo sim --seed {}", scenario.seed));
    line(format_args!("faults {:?}", scenario.faults));
    for (name, def) in &scenario.templates {
        line(format_args!("template {name}\n  {}", def.to_value().to_json()));
    }
    for (ix, wanted) in scenario.runs.iter().enumerate() {
        let (at, json) = (wanted.at, wanted.def.to_value().to_json());
        line(format_args!("run {ix} at +{at}ms keyed={} watch={}", wanted.keyed, wanted.watch));
        line(format_args!("  {json}"));
    }
    for (at, say) in &scenario.says {
        line(format_args!("say at +{at}ms {say:?}"));
    }
    let trace = play(scenario, mutant, true).1;
    let lines: Vec<&str> = trace.lines().collect();
    let from = lines.len().saturating_sub(LINES_MAX);
    for shown in &lines[from..] {
        line(format_args!("{shown}"));
    }
    text
}
