//! Measuring: `opcode bench` names every figure, and leaves nothing behind.
//!
//! Keeps: no figure is judged here; a loaded machine must not fail a test.
//! Not here: published figures (`docs/benchmarks.md`).

use std::fs;

use crate::kit::Home;

const FIGURES: [&str; 7] = [
    "workflows_per_s",
    "p50_ms",
    "p99_ms",
    "commits_per_workflow",
    "events_per_s",
    "fsync_p50_ms",
    "fsync_per_s",
];

#[test]
fn figures_have_names_and_a_level() {
    for (kind, level) in [("pure", "disk"), ("effect", "process")] {
        let home = Home::new();
        fs::create_dir(home.path("bench")).unwrap();
        let args = ["bench", "--clients", "2", "--steps", "3", "--seconds", "200ms", "--json"];
        let more = ["--dir", "bench", "--kind", kind, "--durability", level];
        let said = home.opcode(&[&args[..], &more[..]].concat()).ended(0).json();
        for figure in FIGURES {
            assert!(said[figure].as_f64().is_some_and(|n| n > 0.0), "{figure} in {said}");
        }
        assert_eq!(said["durability"], level);
        assert_eq!(fs::read_dir(home.path("bench")).unwrap().count(), 0, "something is left");
    }
}

#[test]
fn a_place_that_cannot_be_used_is_refused() {
    let home = Home::new();
    let file = home.file("file", "");
    home.opcode(&["bench", "--seconds", "200ms", "--dir", &file]).ended(2);
}
