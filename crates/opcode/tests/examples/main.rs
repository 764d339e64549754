//! Every folder in `examples/` is played through the real binary, as its `story.json` says.
//!
//! Keeps: an example that is not documented, not played or not clean does not pass; nor does a feature nobody shows.
//! Not here: what the language means (the engine's stories).

mod check;
mod cli;
mod features;
mod play;
mod server;
mod story;

use std::collections::BTreeSet;
use std::fs;
use std::thread;

/// What the examples must show between them.
const SHOWN: &[&str] = &[
    "backoff:constant",
    "backoff:exponential",
    "backoff:linear",
    "backoff:none",
    "child:in a body",
    "condition:default",
    "decision:data_inject",
    "decision:fallback",
    "decision:free form",
    "decision:nested",
    "decision:options",
    "decision:target_agent",
    "decision:timeout",
    "loop:break",
    "loop:concurrency",
    "loop:for_each",
    "loop:max_iter",
    "loop:until",
    "loop:while",
    "on_error:fail_workflow",
    "on_error:fallback_step",
    "on_error:ignore",
    "on_error:retry",
    "parallel:all",
    "parallel:race",
    "retry:jitter",
    "retry:max_delay",
    "retry:retry_on",
    "step:action",
    "step:condition",
    "step:limits",
    "step:loop",
    "step:on_interrupted=ask",
    "step:parallel",
    "step:reasoning",
    "step:timeout",
    "step:wait",
    "text:literal",
    "text:typed",
    "text:within text",
    "wait:computed",
    "wait:duration",
    "wait:signal",
    "workflow:context",
    "workflow:failure_mode=branch",
    "workflow:inputs",
    "workflow:limits",
    "workflow:on_complete",
    "workflow:on_error",
    "workflow:on_timeout=cancel",
    "workflow:on_timeout=fail",
    "workflow:on_timeout=suspend",
    "workflow:output",
    "workflow:output_schema",
    "workflow:sandbox",
    "workflow:timeout_scope=active",
    "wrapper:input_schema",
];

/// Plays everything, each example in a thread of its own, and tells of all that differs at once.
#[test]
fn every_example_does_what_its_story_says() {
    let examples = story::all();
    let wrong: Vec<String> = thread::scope(|scope| {
        let players: Vec<_> = examples
            .iter()
            .map(|example| {
                scope.spawn(move || {
                    let cases = example.story.cases.iter();
                    let told = cases.map(|case| {
                        let wrong = play::case(example, case).into_iter();
                        wrong.map(|wrong| format!("{} / {}: {wrong}", example.name, case.name))
                    });
                    told.flatten().collect::<Vec<_>>()
                })
            })
            .collect();
        players.into_iter().flat_map(|player| player.join().expect("it was played")).collect()
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_example_has_warnings_but_those_it_names() {
    let told = story::all().into_iter().flat_map(|example| {
        let wrong = play::warnings(&example).into_iter();
        wrong.map(move |wrong| format!("{}: {wrong}", example.name))
    });
    let wrong: Vec<String> = told.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_examples_show_the_whole_language() {
    let used: BTreeSet<String> = story::all().iter().flat_map(play::features).collect();
    let missing: Vec<_> = SHOWN.iter().filter(|feature| !used.contains(**feature)).collect();
    assert!(missing.is_empty(), "no example shows {missing:?}");
}

#[test]
fn every_example_is_explained_and_listed() {
    let index = fs::read_to_string(story::home().join("README.md")).expect("the index");
    for example in story::all() {
        let page = fs::read_to_string(example.folder.join("README.md"));
        let page = page.unwrap_or_else(|error| panic!("{}/README.md: {error}", example.name));
        let command = format!("opcode run examples/{}/workflow.json", example.name);
        assert!(page.contains(&command), "{} does not say `{command}`", example.name);
        let link = format!("]({}/README.md)", example.name);
        assert!(index.contains(&link), "the index does not link {}", example.name);
        assert!(!example.story.cases.is_empty(), "{} plays nothing", example.name);
    }
}
