//! Makes a diagram of a plan.
//!
//! Keeps: each written step once; in a group, steps stand as the definition has them, at the top in an order in which they could run.
//! Not here: where anything is drawn (`layout`).

use std::collections::VecDeque;
use std::sync::Arc;

use opcode_engine::{BodyIx, LoopMode, NodeIx, Plan, Run, WaitPlan, WorkPlan};

use super::{Diagram, Edge, Group, Kind, Lane, Node, StepView, Why, overlay};

/// The definition's own steps.
const TOP: BodyIx = BodyIx(0);

/// Reads a plan, with what the run has come to.
struct Builder<'a> {
    plan: &'a Plan,
    states: Vec<Option<StepView>>,
}

pub(super) fn diagram(plan: &Plan, name: Option<&str>, run: Option<&Run>) -> Diagram {
    let own = plan.name.as_deref();
    let title = if run.is_some() { name.or(own) } else { own.or(name) };
    let states = run.map(|run| overlay::of(plan, run)).unwrap_or_default();
    Diagram {
        title: title.unwrap_or("Workflow").to_owned(),
        status: run.map(Run::status),
        top: Builder { plan, states }.top(),
    }
}

impl Builder<'_> {
    /// The definition's own steps between Start and End.
    fn top(&self) -> Group {
        let written = self.group(TOP, "");
        let order = runnable(&written);
        let mut place = vec![0; order.len()];
        for (at, node) in order.iter().enumerate() {
            place[*node] = at + 1;
        }
        let end = order.len() + 1;
        let mut edges: Vec<Edge> = written
            .edges
            .iter()
            .map(|edge| Edge { from: place[edge.from], to: place[edge.to], why: edge.why })
            .collect();
        edges.sort_by_key(|edge| (edge.why == Why::Fallback, edge.from, edge.to));
        let (mut is_led_to, mut leads_on) = (vec![false; end], vec![false; end]);
        for edge in &edges {
            is_led_to[edge.to] = true;
            leads_on[edge.from] |= edge.why == Why::Order;
        }
        let order_edge = |from, to| Edge { from, to, why: Why::Order };
        let first = (1..end).filter(|at| !is_led_to[*at]).map(|at| order_edge(0, at));
        let last = (1..end).filter(|at| !leads_on[*at]).map(|at| order_edge(at, end));
        let edges = first.chain(edges.iter().copied()).chain(last).collect();
        let mut taken: Vec<Option<Node>> = written.nodes.into_iter().map(Some).collect();
        let mut nodes = vec![terminal("__start__", "Start", Kind::Start)];
        nodes.extend(order.into_iter().filter_map(|node| taken[node].take()));
        nodes.push(Node { lanes: self.hooks(), ..terminal("__end__", "End", Kind::End) });
        Group { nodes, edges }
    }

    fn hooks(&self) -> Vec<Lane> {
        let hooks = [("on_complete", self.plan.on_complete), ("on_error", self.plan.on_error)];
        let lane = |(key, body): (&str, Option<BodyIx>)| Some(self.lane(key, body?, key));
        hooks.into_iter().filter_map(lane).collect()
    }

    fn lane(&self, key: &str, body: BodyIx, space: &str) -> Lane {
        Lane { key: key.into(), group: self.group(body, space) }
    }

    /// Bodies stand inside bodies only so deep as `plan` lets them.
    fn group(&self, body: BodyIx, space: &str) -> Group {
        let shape = &self.plan.shape;
        let mut group = Group::default();
        for (at, ix) in shape.nodes_of(body).map(NodeIx).enumerate() {
            let node = shape.node(ix);
            let to = at;
            let needs = node.needs.iter().map(|need| (*need as usize, to, Why::Order));
            let fallback = node.fallback.map(|target| (to, target as usize, Why::Fallback));
            let edges = needs.chain(fallback);
            group.edges.extend(edges.map(|(from, to, why)| Edge { from, to, why }));
            group.nodes.push(self.node(ix, space));
        }
        group
    }

    fn node(&self, ix: NodeIx, space: &str) -> Node {
        let (id, step) = (&self.plan.shape.node(ix).id, self.plan.step(ix));
        let path = if space.is_empty() { id.to_string() } else { format!("{space}.{id}") };
        let (kind, action, about) = look(&step.work);
        Node {
            kind,
            action,
            about,
            guard: step.guard.as_ref().map(|guard| guard.source().to_owned()),
            lanes: self.lanes(ix, &path),
            state: self.states.get(ix.0 as usize).copied().flatten(),
            id: id.clone(),
            path,
        }
    }

    fn lanes(&self, ix: NodeIx, path: &str) -> Vec<Lane> {
        let bodies = &self.plan.shape.node(ix).bodies;
        let name = |place: usize| -> Arc<str> {
            match &self.plan.step(ix).work {
                WorkPlan::Condition(choice) => {
                    let mut named = choice.branches.iter();
                    let key = named.find(|(_, at)| **at as usize == place).map(|(key, _)| key);
                    key.cloned().unwrap_or_else(|| "default".into())
                }
                WorkPlan::Loop(_) => "body".into(),
                WorkPlan::Parallel(_)
                | WorkPlan::Action(_)
                | WorkPlan::Wait(_)
                | WorkPlan::Reasoning(_) => format!("branch_{place}").into(),
            }
        };
        let lane = |(place, body): (usize, &BodyIx)| {
            let key = name(place);
            self.lane(&key, *body, &format!("{path}.{key}"))
        };
        let mut lanes: Vec<Lane> = bodies.iter().enumerate().map(lane).collect();
        // Yes before no, as people say it.
        lanes.sort_by_key(|lane| lane.key.as_ref() != "true");
        lanes
    }
}

fn terminal(path: &str, id: &str, kind: Kind) -> Node {
    Node {
        path: path.to_owned(),
        id: id.into(),
        kind,
        action: None,
        about: None,
        guard: None,
        lanes: Vec::new(),
        state: None,
    }
}

/// What a step is, the action it runs, and what there is to say about it.
fn look(work: &WorkPlan) -> (Kind, Option<Arc<str>>, Option<String>) {
    match work {
        WorkPlan::Action(action) => (Kind::Action, Some(action.name.clone()), None),
        WorkPlan::Condition(choice) => {
            (Kind::Condition, None, Some(choice.expression.source().to_owned()))
        }
        WorkPlan::Loop(repeat) => {
            let (word, program) = match &repeat.mode {
                LoopMode::ForEach(items) => ("for each", items),
                LoopMode::While(condition) => ("while", condition),
                LoopMode::Until(condition) => ("until", condition),
            };
            (Kind::Loop, None, Some(format!("{word} {}", program.source())))
        }
        WorkPlan::Parallel(parallel) => {
            let about = if parallel.race { "first wins" } else { "all" };
            (Kind::Parallel, None, Some(about.to_owned()))
        }
        WorkPlan::Wait(wait) => {
            let about = match wait {
                WaitPlan::Span(span) => opcode_model::time::format_duration(*span),
                WaitPlan::Computed(_) => "a computed time".to_owned(),
                WaitPlan::Signal(name) if name.is_empty() => "a signal".to_owned(),
                WaitPlan::Signal(name) => format!("signal {name}"),
            };
            (Kind::Wait, None, Some(about))
        }
        WorkPlan::Reasoning(question) => {
            let choices: Vec<&str> = question.options.iter().map(|it| it.id.as_ref()).collect();
            let about =
                if choices.is_empty() { "free answer".to_owned() } else { choices.join(" / ") };
            (Kind::Reasoning, None, Some(about))
        }
    }
}

/// Places of a group's steps in an order in which they could run: by depth, and by name where several could.
fn runnable(group: &Group) -> Vec<usize> {
    let mut unmet = vec![0_usize; group.nodes.len()];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); group.nodes.len()];
    for edge in group.edges.iter().filter(|edge| edge.why == Why::Order) {
        unmet[edge.to] += 1;
        after[edge.from].push(edge.to);
    }
    let by_name = |places: &mut Vec<usize>| places.sort_by_key(|at| &group.nodes[*at].id);
    let mut first: Vec<usize> = (0..unmet.len()).filter(|at| unmet[*at] == 0).collect();
    by_name(&mut first);
    let mut queue = VecDeque::from(first);
    let mut order = Vec::new();
    while let Some(at) = queue.pop_front() {
        order.push(at);
        by_name(&mut after[at]);
        for next in &after[at] {
            unmet[*next] -= 1;
            if unmet[*next] == 0 {
                queue.push_back(*next);
            }
        }
    }
    order
}
