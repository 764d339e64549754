//! The table of transitions: what each event makes of the step it is about, as the stories show it.
//!
//! Keeps: a changed cell changes the committed file, so that a reviewer sees it. `cargo story --bless` writes it anew.
//! Not here: why (the stories).

use std::fs;
use std::path::Path;

use opcode_testkit::story::{Transitions, check};

#[test]
fn the_table_of_transitions_is_as_committed() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = Transitions::default();
    for entry in fs::read_dir(home.join("stories")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "story") {
            let text = fs::read_to_string(&path).unwrap();
            seen.extend(&check("", &text, "").seen);
        }
    }
    let kept = home.join("tests/snapshots/transitions.txt");
    let committed = fs::read_to_string(&kept).unwrap();
    assert_eq!(committed, seen.table(), "a cell changed; look at it, then `cargo story --bless`");
}
