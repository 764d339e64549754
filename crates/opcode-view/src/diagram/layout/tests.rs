//! Generated definitions, laid out and written in every format.
//!
//! Keeps: whatever is generated, no box overlaps another, no line goes through a box, and every step is in every format once.
//! Not here: what a diagram looks like letter by letter (`../tests.rs`).

use std::collections::BTreeSet;

use opcode_engine::plan;
use opcode_model::limits::{DIAGRAM_LINES_MAX, DIAGRAM_PIXELS_MAX, DIAGRAM_STEPS_MAX};
use opcode_model::{ErrorCode, StepStatus, Value};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Area, Line, Scene, scene};
use crate::diagram::tests::AnyAction;
use crate::diagram::{Diagram, Format, Group, Picture, StepView};

/// A step before it has an id: which siblings before it it waits for, and what it is.
#[derive(Clone, Debug)]
struct Seed {
    needs: Vec<prop::sample::Index>,
    has_needs: bool,
    fallback: Option<prop::sample::Index>,
    guard: bool,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Action,
    Wait,
    Ask,
    Loop(Vec<Seed>),
    Parallel(Vec<Vec<Seed>>),
    Condition(Vec<(String, Vec<Seed>)>, bool),
}

fn seeds(depth: u32, size: usize) -> BoxedStrategy<Vec<Seed>> {
    let leaf = prop_oneof![5 => Just(Work::Action), 1 => Just(Work::Wait), 1 => Just(Work::Ask)];
    let work = if depth == 0 {
        leaf.boxed()
    } else {
        let inner = || seeds(depth - 1, 4);
        prop_oneof![
            6 => leaf,
            1 => inner().prop_map(Work::Loop),
            1 => prop::collection::vec(inner(), 1..4).prop_map(Work::Parallel),
            1 => (prop::collection::vec(("\\PC{0,12}|true|false", inner()), 1..3), any::<bool>())
                .prop_map(|(branches, default)| Work::Condition(branches, default)),
        ]
        .boxed()
    };
    let seed = (
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        any::<bool>(),
        prop::option::weighted(0.1, any::<prop::sample::Index>()),
        prop::bool::weighted(0.2),
        work,
    )
        .prop_map(|(needs, has_needs, fallback, guard, work)| Seed {
            needs,
            has_needs,
            fallback,
            guard,
            work,
        });
    prop::collection::vec(seed, 1..size).boxed()
}

/// Steps in JSON; every id is used once in the whole definition.
fn steps(seeds: &[Seed], next: &mut usize) -> Json {
    let ids: Vec<String> = seeds
        .iter()
        .map(|_| {
            *next += 1;
            format!("s{next}x")
        })
        .collect();
    let mut all = Vec::new();
    for (at, seed) in seeds.iter().enumerate() {
        let mut step = json!({"id": ids[at]});
        if seed.has_needs {
            let before = &ids[..at];
            let needs: BTreeSet<&String> = match before {
                [] => BTreeSet::new(),
                before => seed.needs.iter().map(|index| index.get(before)).collect(),
            };
            step["depends_on"] = json!(needs);
        }
        if seed.guard {
            step["condition"] = "inputs.a < 3 && inputs.b != '<&\"]]>'".into();
        }
        // The last step of a list may take over for one before it that nothing but the order leads to.
        if let Some(target) = seed.fallback.filter(|_| at + 1 < ids.len()) {
            let target = target.get(&ids[at + 1..]);
            step["on_error"] = json!({"strategy": "fallback_step", "fallback_step": target});
        }
        write(&mut step, &seed.work, next);
        all.push(step);
    }
    all.into()
}

fn write(step: &mut Json, work: &Work, next: &mut usize) {
    match work {
        Work::Action => step["action"] = "do.it".into(),
        Work::Wait => (step["type"], step["config"]) = ("wait".into(), json!({"duration": "3s"})),
        Work::Ask => {
            let config = json!({"prompt_context": "?", "options": ["a", "b"]});
            (step["type"], step["config"]) = ("reasoning".into(), config);
        }
        Work::Loop(body) => {
            let config = json!({"over": "inputs.items", "body": steps(body, next)});
            (step["type"], step["config"]) = ("loop".into(), config);
        }
        Work::Parallel(branches) => {
            let branches: Vec<Json> = branches.iter().map(|body| steps(body, next)).collect();
            (step["type"], step["config"]) = ("parallel".into(), json!({"branches": branches}));
        }
        Work::Condition(branches, default) => {
            let mut config = json!({"expression": "inputs.mode", "branches": {}});
            for (key, body) in branches {
                config["branches"][key] = steps(body, next);
            }
            if *default {
                config["default"] = json!([]);
            }
            (step["type"], step["config"]) = ("condition".into(), config);
        }
    }
}

/// A diagram of generated steps, and how many steps are in it, if `plan` takes them.
fn diagram(seeds: &[Seed], title: &str) -> Option<Diagram> {
    let mut next = 0;
    let definition = json!({"metadata": {"name": title}, "steps": steps(seeds, &mut next)});
    let plan = plan(&Value::from_serde(&definition), &AnyAction).ok()?;
    Some(Diagram::of_plan(&plan, None))
}

fn ids(group: &Group) -> Vec<String> {
    let lanes = group.nodes.iter().flat_map(|node| &node.lanes);
    let own = group.nodes.iter().map(|node| node.id.to_string());
    own.chain(lanes.flat_map(|lane| ids(&lane.group))).collect()
}

/// Gives each step a state of some kind.
fn colour(group: &mut Group, n: &mut usize) {
    for node in &mut group.nodes {
        *n += 1;
        let status = StepStatus::ALL[*n % StepStatus::ALL.len()];
        let duration_ms = (*n as u64 * 977) % 100_000;
        let view = StepView { status, times: *n as u32 % 3, attempts: *n as u32 % 4, duration_ms };
        node.state = (!n.is_multiple_of(9)).then_some(view);
        node.lanes.iter_mut().for_each(|lane| colour(&mut lane.group, n));
    }
}

fn overlap(a: &Area, b: &Area) -> bool {
    a.x + 0.1 < b.x + b.width
        && b.x + 0.1 < a.x + a.width
        && a.y + 0.1 < b.y + b.height
        && b.y + 0.1 < a.y + a.height
}

fn holds(outer: &Area, inner: &Area) -> bool {
    outer.x <= inner.x + 0.1
        && outer.y <= inner.y + 0.1
        && inner.x + inner.width <= outer.x + outer.width + 0.1
        && inner.y + inner.height <= outer.y + outer.height + 0.1
}

/// Places all along a line.
fn along(line: &Line) -> Vec<(f64, f64)> {
    let mut places = Vec::new();
    for pair in line.points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        for step in 0..=20 {
            let t = f64::from(step) / 20.0;
            let (mut across, mut down) = (t, t);
            if line.is_smooth {
                // A cubic curve whose ends are vertical.
                across = t * t * (3.0 - 2.0 * t);
                down = 1.5 * t * (1.0 - t) + t * t * t;
            }
            places.push((a.x + (b.x - a.x) * across, a.y + (b.y - a.y) * down));
        }
    }
    places
}

fn check_scene(scene: &Scene<'_>) -> Result<(), TestCaseError> {
    let whole = Area { x: 0.0, y: 0.0, width: scene.width, height: scene.height };
    for (at, (node, area)) in scene.boxes.iter().enumerate() {
        prop_assert!(holds(&whole, area), "{} is inside", node.path);
        for (other, beside) in &scene.boxes[at + 1..] {
            prop_assert!(!overlap(area, beside), "{} and {} overlap", node.path, other.path);
        }
        for frame in &scene.frames {
            let apart = holds(&frame.area, area) || !overlap(&frame.area, area);
            prop_assert!(apart, "{} stands across a frame", node.path);
        }
        let inner = Area {
            x: area.x + 1.0,
            y: area.y + 1.0,
            width: area.width - 2.0,
            height: area.height - 2.0,
        };
        for line in &scene.lines {
            for (x, y) in along(line) {
                let spot = Area { x, y, width: 0.2, height: 0.2 };
                prop_assert!(!overlap(&inner, &spot), "a line goes through {}", node.path);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_overlaps_and_nothing_is_lost(
        seeds in seeds(3, 9),
        title in "\\PC{0,40}|.{0,40}",
        with_states in any::<bool>(),
    ) {
        let Some(mut diagram) = diagram(&seeds, &title) else { return Ok(()) };
        if with_states {
            colour(&mut diagram.top, &mut 0);
        }
        check_scene(&scene(&diagram).unwrap())?;
        let ids = ids(&diagram.top);
        prop_assert_eq!(diagram.top.len_all(), ids.len());
        let text = |format| match diagram.draw(format).unwrap() {
            Picture::Text(text) => text,
            Picture::Png(_) => String::new(),
        };
        let (ascii, mermaid, svg) =
            (text(Format::Ascii), text(Format::Mermaid), text(Format::Svg));
        let document = roxmltree::Document::parse(&svg).unwrap();
        let bold: Vec<&str> = document
            .descendants()
            .filter(|node| node.attribute("font-size") == Some("13"))
            .filter_map(|node| node.text())
            .collect();
        for id in &ids {
            let boxed = format!("│ {id} ");
            let is_listed = |line: &str| line.trim_start().starts_with(id) && !line.contains("─→");
            let named = |line: &&str| line.contains(&boxed) || is_listed(line);
            prop_assert_eq!(ascii.lines().filter(named).count(), 1, "{} in\n{}", id, &ascii);
            let quoted = [format!("\"{id}\""), format!("\"{id} (")];
            let times: usize = quoted.iter().map(|quoted| mermaid.matches(quoted).count()).sum();
            prop_assert_eq!(times, 1, "{} in\n{}", id, &mermaid);
            prop_assert_eq!(bold.iter().filter(|it| *it == id).count(), 1, "{}", id);
        }
        for line in ascii.lines().chain(mermaid.lines()).chain(svg.lines()) {
            prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
        }
        prop_assert!(mermaid.lines().all(|line| line.matches('"').count().is_multiple_of(2)));
        prop_assert_eq!(&svg, &text(Format::Svg));
    }
}

#[test]
fn what_no_picture_can_show_is_refused_and_its_texts_are_not() {
    let step = |n: usize, needs: usize| {
        let needs: Vec<String> = (0..needs).map(|n| format!("s{n}")).collect();
        json!({"id": format!("s{n}"), "action": "do.it", "depends_on": needs})
    };
    let wide: Vec<Json> = (0..1_900).map(|n| step(n, 0)).collect();
    let many: Vec<Json> = (0..2_001).map(|n| step(n, 0)).collect();
    let dense: Vec<Json> = (0..400).map(|n| step(n, n)).collect();
    for (steps, refused, what, limit) in [
        (wide, Format::Png, "pixels of a PNG", DIAGRAM_PIXELS_MAX),
        (many, Format::Svg, "steps of a picture", DIAGRAM_STEPS_MAX),
        (dense, Format::Svg, "lines of a picture", DIAGRAM_LINES_MAX),
    ] {
        let plan = plan(&Value::from_serde(&json!({"steps": steps})), &AnyAction).unwrap();
        let diagram = Diagram::of_plan(&plan, None);
        let failure = diagram.draw(refused).unwrap_err();
        assert_eq!(failure.code, ErrorCode::LimitExceeded);
        let message = format!("{what} is limited to {limit}");
        assert!(failure.message.starts_with(&message), "{failure}");
        for text in [Format::Ascii, Format::Mermaid] {
            assert!(diagram.draw(text).is_ok());
        }
    }
}
