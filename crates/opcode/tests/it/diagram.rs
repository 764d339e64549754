//! Diagrams on the command line: of a file, a template and a workflow, in each format.
//!
//! Keeps: drawing changes nothing.
//! Not here: how anything is drawn (`opcode-view`), diagrams over MCP and HTTP (`tests/face`).

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::kit::{ASKS, Home, bytes_of};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[test]
fn a_file_is_drawn_without_a_store() {
    let home = Home::new();
    let file = home.file("gate.json", ASKS);
    let ascii = home.opcode(&["diagram", &file]).ended(0).out;
    assert!(ascii.starts_with("=== gate ===\n"), "{ascii}");
    assert!(ascii.contains("│ ask │") && !ascii.contains("[OK]"), "{ascii}");
    let mermaid = home.opcode(&["diagram", &file, "--format", "mermaid"]).ended(0).out;
    assert!(mermaid.starts_with("graph TD\n") && mermaid.contains("ask{{\"ask\"}}"), "{mermaid}");
    let svg = home.feed(&["diagram", "-", "--format", "svg"], ASKS).ended(0).out;
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    home.opcode(&["diagram", &file, "-o", "gate.png"]).ended(0);
    assert!(fs::read(home.path("gate.png")).unwrap().starts_with(PNG));
    home.opcode(&["diagram", &file, "-o", "gate.svg"]).ended(0);
    assert!(fs::read_to_string(home.path("gate.svg")).unwrap().starts_with("<svg "));
    assert!(!home.path("home").exists(), "drawing a file needs no store");
}

#[test]
fn pictures_in_the_docs_are_as_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pictures: Vec<_> = fs::read_dir(root.join("docs/pictures")).unwrap().collect();
    assert!(!pictures.is_empty());
    for picture in pictures {
        let picture = picture.unwrap().path();
        let name = picture.file_stem().unwrap().to_str().unwrap();
        let example = root.join("examples").join(name).join("workflow.json");
        let args = ["diagram", example.to_str().unwrap(), "--format", "svg"];
        let drawn = Home::new().opcode(&args).ended(0).out;
        if std::env::var_os("OPCODE_BLESS").is_some() {
            fs::write(&picture, &drawn).unwrap();
        }
        assert_eq!(fs::read_to_string(&picture).unwrap(), drawn, "{name}; OPCODE_BLESS=1");
    }
}

#[test]
fn a_workflow_is_drawn_with_how_far_it_has_come() {
    let home = Home::new();
    let file = home.file("gate.json", ASKS);
    home.opcode(&["define", &file]).ended(0);
    home.opcode(&["run", "gate", "--name", "ship it"]).ended(3);
    let id = home.workflow();
    let before = bytes_of(&home.path("home"));
    let ascii = home.opcode(&["diagram", &id]).ended(0).out;
    assert!(ascii.starts_with("=== ship it ===\n"), "{ascii}");
    let boxes = ["│ first │\n│ [OK]  │", "│ ask    │\n│ [WAIT] │", "│ last   │\n│ [PEND] │"];
    for part in boxes {
        assert!(ascii.contains(part), "{part} in\n{ascii}");
    }
    let mermaid = home.opcode(&["diagram", &id, "--format", "mermaid"]).ended(0).out;
    assert!(mermaid.contains("    class ask suspended\n"), "{mermaid}");
    let told = home.opcode(&["diagram", &id, "--format", "png", "--json"]).ended(0).json();
    assert_eq!((&told["format"], &told["status"]), (&"png".into(), &"suspended".into()));
    let picture = STANDARD.decode(told["diagram"].as_str().unwrap()).unwrap();
    assert!(picture.starts_with(PNG));
    let told = home.opcode(&["diagram", &id, "-o", "a.mmd", "--json"]).ended(0).json();
    let written = fs::read_to_string(home.path("a.mmd")).unwrap();
    assert_eq!((&told["format"], &told["bytes"]), (&"mermaid".into(), &written.len().into()));
    assert_eq!(written, mermaid);
    let template = home.opcode(&["diagram", "gate", "--version", "v1"]).ended(0).out;
    assert!(template.starts_with("=== gate ===\n") && !template.contains('['), "{template}");
    assert_eq!(before, bytes_of(&home.path("home")), "nothing changed");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let home = Home::new();
    let file = home.file("bad.json", r#"{"steps":[{"id":"a","action":"crypto.hsah"}]}"#);
    let said = home.opcode(&["diagram", &file]).ended(2);
    assert!(said.err.contains("bad.json:1:") && said.err.contains("crypto.hash"), "{said:?}");
    home.opcode(&["run", &home.file("gate.json", ASKS)]).ended(3);
    let said = home.opcode(&["diagram", "gate", "--json"]).ended(2);
    assert_eq!(said.json()["error"]["code"], "NOT_FOUND");
    let said = home.opcode(&["diagram", "gate.json", "--version", "v1"]).ended(2);
    assert!(said.err.contains("only a template has versions"), "{said:?}");
    home.opcode(&["diagram", "00000000-0000-0000-0000-000000000000"]).ended(2);
    let said = home.opcode(&["diagram", "gate.json", "-o", "no/such/folder.svg"]).ended(2);
    assert!(said.err.contains("could not write no/such/folder.svg"), "{said:?}");
    let steps =
        (0..2_001).map(|n| serde_json::json!({"id": format!("s{n}"), "action": "crypto.uuid"}));
    let many = serde_json::json!({"steps": steps.collect::<Vec<_>>()}).to_string();
    home.file("many.json", &many);
    let said = home.opcode(&["diagram", "many.json", "--format", "svg"]).ended(2);
    assert!(
        said.err.contains("[LIMIT_EXCEEDED] steps of a picture is limited to 2000"),
        "{said:?}"
    );
    home.opcode(&["diagram", "many.json"]).ended(0);
}
