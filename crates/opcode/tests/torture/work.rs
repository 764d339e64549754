//! The workflows under torture: shell steps that leave a mark, and everything else a workflow can wait for.
//!
//! Keeps: the step's own name tells what may be expected of it.
//! Not here: running them.

use std::path::Path;

use serde_json::{Value, json};

fn last_part(step: &str) -> &str {
    step.rsplit('.').next().unwrap_or(step)
}

/// Whether the step may not be repeated unless somebody says so.
pub(crate) fn is_careful(step: &str) -> bool {
    ["once", "doubt"].contains(&last_part(step))
}

/// A shell step that leaves a mark, then does the rest.
fn mark(id: &str, effects: &Path, rest: &str) -> Value {
    let effects = effects.display();
    let mark = r#"echo "$OPCODE_WORKFLOW_ID $OPCODE_STEP_ID $OPCODE_IDEMPOTENCY_KEY""#;
    json!({
        "id": id,
        "action": "shell.exec",
        "params": {"shell": true, "command": format!("{mark} >> '{effects}'; {rest}")},
    })
}

fn with(mut step: Value, more: &Value) -> Value {
    let (step_fields, more) = (step.as_object_mut().expect("a step"), more.as_object());
    step_fields.extend(more.expect("fields").clone());
    step
}

/// Everything at once: branches, a retry, a wait, a loop, a question if `ask` says so.
pub(crate) fn everything(effects: &Path) -> Value {
    let (once, doubt) = (careful("once", effects, "fail"), careful("doubt", effects, "ask"));
    // The first try hangs with a process in a session of its own, until its time is up. Each run has its own script:
    // a circuit that opens after a few such tries concerns no other run.
    let tried = ": ${{ workflow.run_id }}; t=\"$HOME/tried-$OPCODE_IDEMPOTENCY_KEY\"; [ -e \"$t\" ] || { : > \"$t\"; setsid sleep 500 & sleep 500; }";
    let flaky = with(
        mark("flaky", effects, tried),
        &json!({"timeout": "150ms", "retry": {"max": 200, "backoff": "constant", "delay": "5ms"},
                // On a machine so busy that five tries in a row run out of time, the circuit opens.
                "on_error": {"strategy": "ignore"}}),
    );
    json!({
        "inputs": {"ask": false},
        "steps": [
            {"id": "fan", "type": "parallel", "config": {"mode": "all", "branches": [
                [mark("a", effects, "true"), mark("b", effects, "true")],
                [once],
                [flaky],
            ]}},
            with(doubt, &json!({"depends_on": ["fan"]})),
            {"id": "nap", "type": "wait", "depends_on": ["fan"], "config": {"duration": "15ms"}},
            {"id": "loop", "type": "loop", "depends_on": ["nap"], "config": {
                "mode": "for_each", "over": "[1, 2, 3]", "concurrency": 2,
                "body": [mark("each", effects, "true")],
            }},
            {"id": "question", "type": "reasoning", "depends_on": ["nap"], "condition": "inputs.ask",
             "config": {"prompt_context": "Go on?", "options": [{"id": "yes"}, {"id": "no"}]}},
            with(mark("last", effects, "true"), &json!({"depends_on": ["loop", "doubt", "question"]})),
        ],
    })
}

fn careful(id: &str, effects: &Path, policy: &str) -> Value {
    let more = json!({"on_interrupted": policy, "on_error": {"strategy": "ignore"}});
    with(mark(id, effects, "true"), &more)
}

/// Waits at the gate, with a process beside it that nobody waits for.
const GATE: &str =
    r#"[ -e "$HOME/open" ] || { setsid sleep 500 & read x < "$HOME/gate" || true; }"#;

/// A step that stands at the gate, is not repeated after a restart, and may fail.
pub(crate) fn hanging(effects: &Path) -> Value {
    let more = json!({"on_interrupted": "fail", "on_error": {"strategy": "ignore"}});
    json!({"steps": [with(mark("once", effects, GATE), &more)]})
}

/// One after the other: a gate that waits for the test, then marks that follow each other.
pub(crate) fn chain(effects: &Path, gated: bool) -> Value {
    let gate = mark("gate", effects, if gated { GATE } else { "true" });
    json!({"steps": [
        gate,
        with(mark("a", effects, "true"), &json!({"depends_on": ["gate"]})),
        with(careful("once", effects, "fail"), &json!({"depends_on": ["a"]})),
        {"id": "nap", "type": "wait", "depends_on": ["once"], "config": {"duration": "1ms"}},
        with(mark("last", effects, "true"), &json!({"depends_on": ["nap"]})),
    ]})
}
