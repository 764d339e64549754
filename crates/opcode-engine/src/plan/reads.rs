//! Warns about what expressions read and hardly mean: steps and inputs that nobody has, outputs that are not there yet or
//! stand inside another step, divisions that cut.
//!
//! Keeps: only what is sure to fail, or to hang on chance, is warned of; a fix never closes a circle.
//! Not here: edges as written (`check.rs`), how a run looks names up (`run/scope.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opcode_expr::{References, StepReference};
use opcode_model::problem::nearest;
use opcode_model::{Problem, Value};

use super::WorkPlan;
use super::reader::Problems;
use super::steps::Steps;
use crate::shape::{BodyIx, FlowKind};

/// Paths that a hint names.
const PATHS_MAX: usize = 3;

/// Who evaluates an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looker {
    /// The workflow, when its steps have ended.
    Workflow,
    /// A step, before it begins.
    Step(usize),
    /// A loop that looks back at a round of its body.
    Round(BodyIx),
}

/// An expression's references, where it stands and who evaluates it.
pub(super) struct Read {
    pub(super) place: String,
    pub(super) looker: Looker,
    pub(super) references: References,
}

/// Warns about all of a definition's expressions.
pub(super) fn check(steps: &Steps<'_>) {
    let ids: BTreeMap<&str, FlowKind> =
        steps.nodes.iter().map(|node| (node.id.as_ref(), node.flow)).collect();
    let known = |name: &str| {
        ids.contains_key(name)
            || name.match_indices('.').any(|(at, _)| ids.contains_key(&name[..at]))
    };
    let mut order = Order::of(steps);
    for read in &steps.reads {
        let mut seen = BTreeSet::new();
        for reference in &read.references.steps {
            match reference.resolve(known) {
                (name, false) => no_step(steps.problems, &read.place, name, ids.keys().copied()),
                (_, true) if reference.status_only => {}
                (_, true) if seen.insert(&reference.ids) => order.check(read, reference),
                (_, true) => {}
            }
        }
        inputs(steps, read);
        for division in &read.references.divisions {
            let message = "dividing two integers drops the remainder";
            let hint = format!("write `{}` if the fraction matters", division.suggestion);
            steps.problems.push(Problem::warning(read.place.as_str(), message).hint(hint));
        }
    }
}

fn no_step<'a>(
    problems: &Problems,
    place: &str,
    name: &str,
    ids: impl Iterator<Item = &'a str> + Clone,
) {
    let problem = Problem::warning(place, format!("no step is called `{name}`"));
    problems.push(match nearest(name, ids.clone()) {
        Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
        None => {
            let all = ids.collect::<Vec<_>>().join(", ");
            problem.hint(format!("the steps of this workflow are {all}"))
        }
    });
}

fn inputs(steps: &Steps<'_>, read: &Read) {
    for (name, _) in &read.references.inputs {
        let names = || steps.inputs.iter().map(String::as_str);
        let is_known = names().any(|known| known == &**name);
        if let (false, Some(meant)) = (is_known, nearest(name, names())) {
            let message = format!("no input is called `{name}`");
            let problem = Problem::warning(read.place.as_str(), message);
            steps.problems.push(problem.hint(format!("did you mean `{meant}`?")));
        }
    }
}

/// Who waits for whom, and who stands inside whom.
struct Order<'s, 'a> {
    steps: &'s Steps<'a>,
    /// The body of each step.
    homes: Vec<BodyIx>,
    /// The step that opens each body.
    owners: Vec<Option<usize>>,
    /// What fixes so far add to a step's `depends_on`.
    added: BTreeMap<usize, Vec<usize>>,
    /// The steps that have ended when a step begins, of the last step asked for.
    ended: Option<(usize, BTreeSet<usize>)>,
}

impl<'s, 'a> Order<'s, 'a> {
    fn of(steps: &'s Steps<'a>) -> Self {
        let mut homes = vec![BodyIx(0); steps.nodes.len()];
        for (ix, body) in (0..).zip(&steps.bodies) {
            homes[body.first as usize..(body.first + body.len) as usize].fill(BodyIx(ix));
        }
        let mut owners = vec![None; steps.bodies.len()];
        for (at, node) in steps.nodes.iter().enumerate() {
            node.bodies.iter().for_each(|body| owners[body.0 as usize] = Some(at));
        }
        Self { steps, homes, owners, added: BTreeMap::new(), ended: None }
    }

    /// The steps around, from the inside out: each body in sight with the step of it that looks, if one does.
    fn around(&self, looker: Looker) -> Vec<(BodyIx, Option<usize>)> {
        let mut inner = match looker {
            Looker::Workflow => Some((BodyIx(0), None)),
            Looker::Step(at) => Some((self.homes[at], Some(at))),
            Looker::Round(body) => Some((body, None)),
        };
        let mut around = Vec::new();
        while let Some((body, at)) = inner {
            around.push((body, at));
            inner = self.owners[body.0 as usize].map(|owner| (self.homes[owner], Some(owner)));
        }
        // A hook sees the workflow's own steps by their full paths.
        if around.last().is_some_and(|(body, _)| body.0 != 0) {
            around.push((BodyIx(0), None));
        }
        around
    }

    fn check(&mut self, read: &Read, reference: &StepReference) {
        let around = self.around(read.looker);
        let in_sight = reference.ids.iter().find_map(|id| {
            around.iter().find_map(|(body, at)| {
                let body = &self.steps.bodies[body.0 as usize];
                Some(((body.first + body.ids.get(id)?) as usize, *at))
            })
        });
        match in_sight {
            Some((_, None)) => {}
            Some((target, Some(at))) if target == at => self.itself(read, at),
            Some((target, Some(at))) => {
                if !self.has_ended(target, at) {
                    self.not_yet(read, target, at);
                }
            }
            None => self.hidden(read, reference),
        }
    }

    /// A step that has bodies may mean a step inside them.
    fn itself(&self, read: &Read, at: usize) {
        let node = &self.steps.nodes[at];
        if node.flow == FlowKind::None {
            let message =
                format!("step `{}` reads its own output, which is not there yet", node.id);
            let hint = "read another step, or `inputs`";
            self.steps.problems.push(Problem::warning(read.place.as_str(), message).hint(hint));
        }
    }

    /// The steps that a step waits for itself, and, once that is over, those that took its place or that it took over for.
    fn before(&self, at: usize, is_over: bool) -> impl Iterator<Item = usize> {
        let node = &self.steps.nodes[at];
        let first = self.steps.bodies[self.homes[at].0 as usize].first;
        let siblings = node.needs.iter().chain(&node.rescues);
        let siblings = siblings.chain(node.fallback.as_ref().filter(|_| is_over));
        let added = self.added.get(&at).into_iter().flatten().copied();
        siblings.map(move |local| (first + local) as usize).chain(added)
    }

    fn waits_of(&self, at: usize) -> BTreeSet<usize> {
        let mut ended = BTreeSet::new();
        let mut open: Vec<usize> = self.before(at, false).collect();
        while let Some(next) = open.pop() {
            if ended.insert(next) {
                open.extend(self.before(next, true));
            }
        }
        ended
    }

    /// Whether one sibling has ended when the other begins, as the definition is written.
    fn has_ended(&mut self, target: usize, at: usize) -> bool {
        if self.ended.as_ref().is_none_or(|(of, _)| *of != at) {
            self.ended = Some((at, self.waits_of(at)));
        }
        let added = self.added.get(&at).is_some_and(|added| added.contains(&target));
        !added && self.ended.as_ref().is_some_and(|(_, ended)| ended.contains(&target))
    }

    fn not_yet(&mut self, read: &Read, target: usize, at: usize) {
        let nodes = &self.steps.nodes;
        let (name, wanted) = (&nodes[at].id, &nodes[target].id);
        let own = format!("{}/depends_on", self.steps.places[at]);
        if self.steps.problems.any_error_in(&own) {
            return;
        }
        let who = match read.looker {
            Looker::Step(reader) if reader == at => format!("step `{name}`"),
            Looker::Step(_) | Looker::Round(_) | Looker::Workflow => {
                format!("a step inside `{name}`")
            }
        };
        let message = format!("{who} reads `steps.{wanted}`, but `{name}` does not wait for it");
        let problem = Problem::warning(read.place.as_str(), message);
        if self.waits_of(target).contains(&at) {
            let hint = format!("`{wanted}` begins only after `{name}`: put `{name}` behind it");
            return self.steps.problems.push(problem.hint(hint));
        }
        let added = self.added.entry(at).or_default();
        if !added.contains(&target) {
            added.push(target);
        }
        let first = self.steps.bodies[self.homes[at].0 as usize].first;
        let needs = nodes[at].needs.iter().map(|local| (first + local) as usize);
        let all = needs.chain(added.iter().copied()).map(|at| Value::from(nodes[at].id.clone()));
        let hint = format!("add `{wanted}` to the `depends_on` of `{name}`");
        self.steps.problems.push(problem.hint(hint).add(own, Value::list(all)));
    }

    /// The step is there, but inside another that is not around the one who looks.
    fn hidden(&self, read: &Read, reference: &StepReference) {
        let nodes = &self.steps.nodes;
        let is_known = |id: &&Arc<str>| nodes.iter().any(|node| node.id == **id);
        let Some(id) = reference.ids.iter().find(is_known) else { return };
        let around = self.around(read.looker);
        let named = (0..nodes.len()).filter(|at| nodes[*at].id == *id);
        let ways = named.filter_map(|at| self.way_to(at, &around)).take(PATHS_MAX);
        let (paths, givers): (Vec<String>, BTreeSet<String>) = ways.unzip();
        if !paths.is_empty() {
            let message =
                format!("step `{id}` stands inside another and goes by its full path here");
            let givers = givers.into_iter().collect::<Vec<_>>().join(" or ");
            let hint = format!(
                "read {}; what the last step there gives is in {givers} too",
                paths.join(" or ")
            );
            self.steps.problems.push(Problem::warning(read.place.as_str(), message).hint(hint));
        }
    }

    /// How a step inside another is read: by its path, or through what the outermost step that hides it gives.
    fn way_to(&self, at: usize, around: &[(BodyIx, Option<usize>)]) -> Option<(String, String)> {
        let mut path = self.steps.nodes[at].id.to_string();
        let (mut home, mut hider) = (self.homes[at], at);
        while let Some(owner) = self.owners[home.0 as usize] {
            if !around.iter().any(|(body, _)| *body == home) {
                hider = owner;
            }
            path = format!("{}.{}.{path}", self.steps.nodes[owner].id, self.space(owner, home)?);
            home = self.homes[owner];
        }
        let hider = &self.steps.nodes[hider];
        let member = match hider.flow {
            FlowKind::None => return None,
            FlowKind::Condition | FlowKind::Race => "output",
            FlowKind::Loop => "results",
            FlowKind::All => "branches",
        };
        // What a hook runs goes by no path before the workflow is over.
        let giver = format!("`steps.{}.{member}`", hider.id);
        (home.0 == 0).then(|| (format!("`steps['{path}']`"), giver))
    }

    /// What stands in a path between a step and a step of one of its bodies.
    fn space(&self, owner: usize, body: BodyIx) -> Option<String> {
        let node = &self.steps.nodes[owner];
        let slot = (0..).zip(&node.bodies).find(|(_, own)| **own == body)?.0;
        match (&self.steps.plans[owner].as_ref()?.work, node.flow) {
            (_, FlowKind::Loop) => Some("iter_N".to_owned()),
            (_, FlowKind::All | FlowKind::Race) => Some(format!("branch_{slot}")),
            (WorkPlan::Condition(plan), _) => {
                let key = plan.branches.iter().find(|(_, own)| **own == slot);
                Some(key.map_or_else(|| "default".to_owned(), |(key, _)| key.to_string()))
            }
            _ => None,
        }
    }
}
