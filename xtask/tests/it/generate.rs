//! Pages that are written from what they describe.

use xtask::generate::{arrows, errors, events, limits};
use xtask::house::House;
use xtask::markdown::with_block;

#[test]
fn an_arrow_that_follows_from_others_is_not_drawn() {
    let root = "[workspace.metadata.arrows]\nopcode-a = []\nopcode-b = [\"opcode-a\"]\n\
                opcode-c = [\"opcode-a\", \"opcode-b\"]\nopcode = [\"*\"]\nxtask = []\n\
                [workspace.metadata.rings]\npure = [\"opcode-a\"]\n";
    let drawn = arrows::diagram(&root.parse().unwrap());
    let lines: Vec<&str> =
        drawn.lines().filter(|line| line.contains("-->")).map(str::trim).collect();
    assert_eq!(lines, ["opcode --> opcode-c", "opcode-b --> opcode-a", "opcode-c --> opcode-b"]);
    assert!(drawn.contains("class opcode-a pure"));
}

#[test]
fn a_block_is_replaced_and_nothing_else() {
    let page = "before\n<!-- gen:arrows -->\nold\n<!-- /gen -->\nafter\n";
    let new = with_block(page, "arrows", "new\n").unwrap();
    assert_eq!(new, page.replace("old", "new"));
    assert_eq!(with_block(page, "other", ""), None);
}

fn model(file: &str, text: &str) -> House {
    let path = format!("crates/opcode-model/src/{file}");
    House::of([(path.as_str(), text)])
}

#[test]
fn a_row_of_the_error_table_becomes_a_row_of_the_page() {
    let table = "\nerror_codes! {\n    /// Not now.\n    Busy = \"BUSY\", 503, true, \"wait, then try; a | b\";\n}\n";
    let page = errors::page(&model("error.rs", table)).unwrap();
    assert!(page.text.ends_with("| `BUSY` | 503 | yes | Not now. | wait, then try; a \\| b |\n"));
    let broken = table.replace(" = ", " : ");
    assert!(errors::page(&model("error.rs", &broken)).unwrap_err().contains("could not read"));
    assert!(errors::page(&House::default()).is_err());
}

#[test]
fn limits_are_worked_out_and_shown_with_their_unit() {
    let source = "/// Of this.\npub const A_BYTES_MAX: usize = 64 << 10;\n/// Of that,\n/// and more.\npub const B_MAX: u32 = 2 * 1_000;\npub const C_MS_MAX: i64 = 50;\n";
    let page = limits::page(&model("limits.rs", source)).unwrap();
    let rows = "| `a_bytes_max` | 64 KiB | Of this. |\n| `b_max` | 2,000 | Of that, and more. |\n| `c_ms_max` | 50 ms |  |\n";
    assert!(page.text.ends_with(rows), "{}", page.text);
    let odd = model("limits.rs", "pub const A: usize = size_of::<u8>();\n");
    assert!(limits::page(&odd).unwrap_err().contains("could not read"));
    assert!(limits::page(&House::default()).is_err());
}

const EVENTS: &str = r#"
events! {
    run {
        RunStarted(Box<Started>) = "run_started",
        RunResumed(Nothing) = "run_resumed",
    }
    step {
    }
}

payload! {
    /// It began.
    Started {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Arc<str>>,
        /// What it is.
        #[serde(rename = "type")]
        kind: Kind,
    }
}

/// Kinds.
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One.
    FirstKind,
    /// Two.
    Other,
}
"#;

#[test]
fn an_event_is_shown_with_what_it_carries() {
    let page = events::page(&model("event.rs", EVENTS)).unwrap();
    let section = "### `run_started`\n\nIt began.\n\n- *`name`* (text): Its title.\n- `type` (`first_kind`, `other`): What it is.\n";
    assert!(page.text.contains(section), "{}", page.text);
    assert!(page.text.contains("### `run_resumed`\n\nCarries nothing.\n"));
    let lost = EVENTS.replace("Box<Started>", "Box<Gone>");
    assert!(events::page(&model("event.rs", &lost)).unwrap_err().contains("payload Gone"));
}
