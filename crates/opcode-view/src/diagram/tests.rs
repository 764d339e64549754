//! Diagrams as they are written, letter by letter, and what strangers may write into them.
//!
//! Keeps: the reference's example, as the reference writes it.
//! Not here: generated definitions (`layout/tests.rs`).

use opcode_engine::plan;
use opcode_model::action::ParamProblem;
use opcode_model::{Actions, Answer, EffectClass, Failure, StepStatus, Value};
use serde_json::{Value as Json, json};

use super::{Diagram, Format, Group, Picture, StepView};

/// Knows every action.
pub(super) struct AnyAction;

impl Actions for AnyAction {
    fn class(&self, _: &str) -> Option<EffectClass> {
        Some(EffectClass::Pure)
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
    fn check(&self, _: &str, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }
    fn compute(&self, _: &str, _: &Value) -> Result<Answer, Failure> {
        Ok(Answer::Value(Value::Null))
    }
}

fn diagram(definition: &Json) -> Diagram {
    let plan = plan(&Value::from_serde(definition), &AnyAction);
    Diagram::of_plan(&plan.unwrap_or_else(|problems| panic!("{problems:?}")), None)
}

fn text(diagram: &Diagram, format: Format) -> String {
    match diagram.draw(format).unwrap() {
        Picture::Text(text) => text,
        Picture::Png(_) => panic!("{format:?} is text"),
    }
}

/// The reference's example, with its statuses.
fn demo() -> Diagram {
    let mut diagram = diagram(&json!({"metadata": {"name": "Demo"}, "steps": [
        {"id": "fetch-data", "action": "http.get"},
        {"id": "par", "type": "parallel", "depends_on": ["fetch-data"], "config": {"branches": [
            [{"id": "a", "action": "x.y"}, {"id": "b", "action": "x.z"}],
            [{"id": "c", "type": "wait", "config": {"duration": "1s"}}]]}},
        {"id": "lp", "type": "loop", "depends_on": ["fetch-data"], "config": {
            "over": "[1]", "body": [{"id": "h", "action": "crypto.hash"}]}},
        {"id": "w", "type": "wait", "depends_on": ["par"], "config": {"duration": "1s"}},
        {"id": "cond", "type": "condition", "depends_on": ["w"], "config": {
            "expression": "true", "branches": {"true": [{"id": "y", "action": "q.r"}]},
            "default": [{"id": "n", "action": "q.s"}]}},
        {"id": "r", "type": "reasoning", "depends_on": ["cond"], "config": {
            "prompt_context": "?", "options": ["go"]}}]}));
    for (path, status, duration_ms) in [
        ("fetch-data", StepStatus::Completed, 12),
        ("par", StepStatus::Running, 0),
        ("par.branch_0.a", StepStatus::Failed, 0),
        ("lp", StepStatus::Retrying, 0),
        ("w", StepStatus::Scheduled, 0),
        ("cond", StepStatus::Skipped, 0),
        ("r", StepStatus::Suspended, 0),
    ] {
        set(&mut diagram.top, path, StepView { status, times: 1, attempts: 1, duration_ms });
    }
    diagram
}

fn set(group: &mut Group, path: &str, state: StepView) {
    for node in &mut group.nodes {
        if node.path == path {
            node.state = Some(state);
        }
        node.lanes.iter_mut().for_each(|lane| set(&mut lane.group, path, state));
    }
}

const DEMO_ASCII: &str = "\
=== Demo ===

┌───────┐
│ Start │
└───────┘
       │
       ▼
┌────────────┐
│ fetch-data │
│ [OK]       │
│ 12ms       │
└────────────┘
       │
       ▼
┌─────────┐  ┌───────┐
│ lp      │  │ par   │
│ [RETRY] │  │ [RUN] │
└─────────┘  └───────┘
       │
       ▼
┌────────┐
│ w      │
│ [PEND] │
└────────┘
       │
       ▼
┌────────┐
│ cond   │
│ [SKIP] │
└────────┘
       │
       ▼
┌────────┐
│ r      │
│ [WAIT] │
└────────┘
       │
       ▼
┌─────┐
│ End │
└─────┘

--- lp sub-steps ---
  [body]
    h (crypto.hash)

--- par sub-steps ---
  [branch_0]
    a (x.y) [FAIL]
    b (x.z)
    a ─→ b
  [branch_1]
    c

--- cond sub-steps ---
  [true]
    y (q.r)
  [default]
    n (q.s)

--- dependencies ---
  fetch-data ─→ lp
  fetch-data ─→ par
  par ─→ w
  w ─→ cond
  cond ─→ r
";

const DEMO_MERMAID: &str = r##"graph TD
    %% Demo
    __start__(("Start"))
    fetch_data["fetch-data"]
    lp[["lp"]]
    subgraph lp_body["lp: body"]
        lp_body_h["h (crypto.hash)"]
    end
    par[["par"]]
    subgraph par_branch_0["par: branch_0"]
        par_branch_0_a["a (x.y)"]
        par_branch_0_b["b (x.z)"]
        par_branch_0_a --> par_branch_0_b
    end
    subgraph par_branch_1["par: branch_1"]
        par_branch_1_c(["c"])
    end
    w(["w"])
    cond{"cond"}
    subgraph cond_true["cond: true"]
        cond_true_y["y (q.r)"]
    end
    subgraph cond_default["cond: default"]
        cond_default_n["n (q.s)"]
    end
    r{{"r"}}
    __end__(("End"))
    __start__ --> fetch_data
    fetch_data --> lp
    fetch_data --> par
    par --> w
    w --> cond
    cond --> r
    lp --> __end__
    r --> __end__

    classDef completed fill:#2d6a2d,stroke:#1a4a1a,color:#fff
    classDef failed fill:#8b1a1a,stroke:#5c0e0e,color:#fff
    classDef running fill:#1a5276,stroke:#0e3a52,color:#fff
    classDef suspended fill:#b7791a,stroke:#8a5c14,color:#fff
    classDef pending fill:#6b6b6b,stroke:#4a4a4a,color:#fff
    classDef skipped fill:#4a4a4a,stroke:#333,color:#aaa,stroke-dasharray:5 5
    class fetch_data completed
    class par running
    class par_branch_0_a failed
    class w pending
    class cond skipped
    class r suspended
"##;

#[test]
fn the_references_example_is_written_as_the_reference_does() {
    assert_eq!(text(&demo(), Format::Ascii), DEMO_ASCII);
    // Beside what the reference writes, dotted lines lead from a step into what is inside of it.
    let mermaid = text(&demo(), Format::Mermaid);
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        mermaid.lines().partition(|line| line.contains(" -.->"));
    assert_eq!(theirs.join("\n") + "\n", DEMO_MERMAID);
    assert_eq!(
        ours,
        [
            "    lp -.-> lp_body",
            "    par -.-> par_branch_0",
            "    par -.-> par_branch_1",
            "    cond -.->|\"true\"| cond_true",
            "    cond -.->|\"default\"| cond_default",
        ]
    );
}

#[test]
fn rows_that_tell_everything_need_no_list() {
    let diagram = diagram(&json!({"steps": [
        {"id": "b", "action": "x"}, {"id": "a", "action": "x"},
        {"id": "c", "action": "x", "depends_on": ["a", "b"]}]}));
    let ascii = text(&diagram, Format::Ascii);
    assert!(ascii.contains("│ a │  │ b │"), "{ascii}");
    assert!(ascii.starts_with("=== Workflow ===\n") && !ascii.contains("---"), "{ascii}");
}

#[test]
fn attempts_iterations_and_fallbacks_are_told() {
    let mut diagram = diagram(&json!({"steps": [
        {"id": "a", "action": "x", "on_error": {"strategy": "fallback_step", "fallback_step": "b"}},
        {"id": "b", "action": "x"},
        {"id": "l", "type": "loop", "config": {"over": "[1]", "body": [{"id": "i", "action": "x"}]}}]}));
    let status = StepStatus::Retrying;
    set(&mut diagram.top, "a", StepView { status, times: 1, attempts: 3, duration_ms: 0 });
    let status = StepStatus::Completed;
    set(
        &mut diagram.top,
        "l.body.i",
        StepView { status, times: 7, attempts: 1, duration_ms: 1_250 },
    );
    let ascii = text(&diagram, Format::Ascii);
    for part in ["│ attempt 3 │", "i (x) [OK] 1250ms 7 times", "  a ─→ b (on error)"] {
        assert!(ascii.contains(part), "{part} in\n{ascii}");
    }
    let svg = text(&diagram, Format::Svg);
    for part in ["retrying · attempt 3<", "completed · 1.2 s · 7×<", ">on error<"] {
        assert!(svg.contains(part), "{part} in\n{svg}");
    }
    assert!(text(&diagram, Format::Mermaid).contains("a -. \"on error\" .-> b"));
}

#[test]
fn fallbacks_that_close_a_circle_are_drawn_all_the_same() {
    let over = |id: &str| json!({"strategy": "fallback_step", "fallback_step": id});
    let circle = json!({"steps": [
        {"id": "a", "action": "x", "on_error": over("b")},
        {"id": "b", "action": "x", "on_error": over("a")}]});
    let Ok(plan) = plan(&Value::from_serde(&circle), &AnyAction) else { return };
    let diagram = Diagram::of_plan(&plan, None);
    assert_eq!(text(&diagram, Format::Ascii).matches("(on error)").count(), 2);
    assert_eq!(text(&diagram, Format::Svg).matches(">on error<").count(), 2);
}

#[test]
fn what_strangers_write_stays_in_its_box() {
    let evil = "\"]; click a \"javascript:x\"\n</text><script>alert(1)</script>%%{init}%%\u{1b}[2J\u{202e}`**";
    let long = "x".repeat(128);
    let diagram = diagram(&json!({"metadata": {"name": evil}, "steps": [
        {"id": "end", "action": evil}, {"id": long, "action": "x"},
        {"id": "a-b", "action": "x"}, {"id": "a.b", "action": "x"}, {"id": "日本", "action": "x"},
        {"id": "c", "type": "condition", "config": {"expression": "'<>&'", "branches": {
            evil: [{"id": "d", "action": "x"}], "": [{"id": "e", "action": "x"}]}}}]}));
    let (ascii, mermaid, svg) = (
        text(&diagram, Format::Ascii),
        text(&diagram, Format::Mermaid),
        text(&diagram, Format::Svg),
    );
    for text in [&ascii, &mermaid, &svg] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
        assert!(!text.contains('\u{202e}'), "{text}");
    }
    let widest = ascii.lines().map(super::text::columns).max().unwrap();
    assert!(widest <= 100, "{ascii}");
    assert!(ascii.contains(&format!("{}…", "x".repeat(39))), "{ascii}");
    assert!(!svg.contains("<script") && roxmltree::Document::parse(&svg).is_ok(), "{svg}");
    assert!(!mermaid.contains("<script") && !mermaid.contains("\"]; "), "{mermaid}");
    for line in ["    end_2[\"end\"]", "    a_b[\"a-b\"]", "    a_b_2[\"a.b\"]", "    __[\"日本\"]"]
    {
        assert!(mermaid.lines().any(|it| it == line), "{line} in\n{mermaid}");
    }
}

#[test]
fn letters_that_the_font_lacks_are_boxes_in_a_png() {
    let png = |id: &str| {
        diagram(&json!({"steps": [{"id": id, "action": "x"}]})).draw(Format::Png).unwrap()
    };
    assert_eq!(png("日本"), png("中国"));
    assert_ne!(png("日本"), png("日日日"));
    assert_ne!(png("привет"), png("приват"));
}

#[test]
fn a_png_is_one() {
    let Picture::Png(bytes) = demo().draw(Format::Png).unwrap() else { panic!("no PNG") };
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert!(number(16) > 400 && number(20) > 800, "{} x {}", number(16), number(20));
    let ink = resvg::tiny_skia::Pixmap::decode_png(&bytes).unwrap();
    let dark = ink.pixels().iter().filter(|pixel| pixel.red() < 64 && pixel.green() < 64);
    assert!(dark.count() > 500, "there are letters");
    assert_eq!(demo().draw(Format::Png).unwrap(), Picture::Png(bytes));
}
