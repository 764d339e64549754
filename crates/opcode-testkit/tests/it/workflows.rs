//! Random definitions: nested flows, retries, guards, fallbacks, waits, questions, children, both failure modes.
//!
//! Keeps: they end by themselves once everything is answered.
//! Not here: random worlds (`properties.rs`).

use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// The extras of one step.
#[derive(Clone, Debug)]
struct Extras {
    retry: u8,
    delay: bool,
    timeout: bool,
    on_error: u8,
    guard: u8,
    needs: Option<u8>,
    interrupted: u8,
}

fn extras() -> impl Strategy<Value = Extras> {
    let needs = prop_oneof![Just(None), any::<u8>().prop_map(Some)];
    (0..6_u8, any::<bool>(), prop::bool::weighted(0.3), 0..10_u8, 0..9_u8, needs, 0..6_u8).prop_map(
        |(retry, delay, timeout, on_error, guard, needs, interrupted)| Extras {
            retry,
            delay,
            timeout,
            on_error,
            guard,
            needs,
            interrupted,
        },
    )
}

/// What a step does, without id and extras.
fn leaf() -> impl Strategy<Value = Json> {
    prop_oneof![
        2 => Just(json!({"action": "noop"})),
        1 => Just(json!({"action": "fail"})),
        1 => Just(json!({"action": "fail", "params": {"code": "VALIDATION_ERROR"}})),
        3 => Just(json!({"action": "http.get", "params": {"url": "u"}})),
        3 => Just(json!({"action": "shell.exec"})),
        2 => Just(json!({"action": "workflow.run", "params": {"template": "t"}})),
        1 => Just(json!({"action": "workflow.context", "params": {"action": "update", "data": {"k": 1}}})),
        1 => Just(json!({"type": "wait", "config": {"duration": "1s"}})),
        1 => Just(json!({"type": "wait", "config": {"signal": "go"}})),
        1 => Just(json!({"type": "reasoning", "config": {"prompt_context": "p"}})),
        1 => Just(json!({"type": "reasoning", "config": {"timeout": "2s", "fallback": "no",
            "options": [{"id": "yes"}, {"id": "no"}]}})),
        1 => Just(json!({"type": "reasoning", "config": {"timeout": "1s"}})),
    ]
}

/// Gives the steps of a body their ids and extras.
fn body(steps: Vec<(Json, Extras)>) -> Json {
    let len = steps.len();
    let steps = steps.into_iter().enumerate().map(|(i, (mut step, extras))| {
        step["id"] = json!(format!("s{i}"));
        decorate(&mut step, &extras, i, len);
        step
    });
    Json::Array(steps.collect())
}

fn decorate(step: &mut Json, extras: &Extras, i: usize, len: usize) {
    if extras.retry < 2 {
        let delay = if extras.delay { "1s" } else { "0s" };
        step["retry"] = json!({"max": extras.retry + 1, "delay": delay});
    }
    if extras.timeout {
        step["timeout"] = json!("3s");
    }
    match extras.on_error {
        0 => step["on_error"] = json!({"strategy": "ignore"}),
        1 => step["on_error"] = json!({"strategy": "fail_workflow"}),
        2 | 3 if i + usize::from(extras.on_error) - 1 < len => {
            let target = format!("s{}", i + usize::from(extras.on_error) - 1);
            step["on_error"] = json!({"strategy": "fallback_step", "fallback_step": target});
        }
        _ => {}
    }
    match extras.guard {
        0 => step["condition"] = json!("false"),
        1 => step["condition"] = json!("steps.s0.ok == true"),
        2 => step["condition"] = json!("1 + 1"),
        _ => {}
    }
    if let Some(needs) = extras.needs {
        let needs = (0..i).filter(|n| needs & (1 << n) != 0).map(|n| json!(format!("s{n}")));
        step["depends_on"] = Json::Array(needs.collect());
    }
    match extras.interrupted {
        0 => step["on_interrupted"] = json!("ask"),
        1 => step["on_interrupted"] = json!("fail"),
        _ => {}
    }
}

fn bodies(step: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    prop::collection::vec((step, extras()), 1..4).prop_map(body).boxed()
}

fn nested(step: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    let inner = bodies(step);
    let many = prop::collection::vec(inner.clone(), 1..4);
    prop_oneof![
        (many, any::<bool>()).prop_map(|(branches, race)| {
            let mode = if race { "race" } else { "all" };
            json!({"type": "parallel", "config": {"mode": mode, "branches": branches}})
        }),
        (inner.clone(), inner.clone(), 0..3_u8).prop_map(|(a, b, key)| {
            json!({"type": "condition", "config": {"expression": format!("{key}"),
                "branches": {"0": a}, "default": b}})
        }),
        (inner.clone(), 0..5_u8).prop_map(|(body, kind)| {
            json!({"type": "loop", "config": match kind {
                0 => json!({"over": "[1,2,3]", "body": body}),
                1 => json!({"over": "[1,2,3]", "concurrency": 2, "body": body}),
                2 => json!({"mode": "while", "condition": "iter.index < 2", "max_iter": 3, "body": body}),
                3 => json!({"mode": "until", "condition": "iter.index >= 1", "max_iter": 3, "body": body}),
                _ => json!({"over": "[1,2,3,4]", "concurrency": 3, "break": "iter.index == 1", "body": body}),
            }})
        }),
        inner.prop_map(|b| json!({"type": "parallel", "config": {"branches": [b, []]}})),
    ]
    .boxed()
}

/// A definition.
pub(crate) fn definition() -> impl Strategy<Value = Json> {
    let step = leaf().boxed().prop_recursive(3, 24, 4, nested);
    let hook = || prop_oneof![2 => Just(Json::Null), 1 => leaf(), 1 => Just(json!({"action":"shell.exec"}))];
    let steps = prop::collection::vec((step, extras()), 1..5).prop_map(body);
    (steps, any::<bool>(), 0..8_u8, hook(), hook()).prop_map(
        |(steps, branch, limit, complete, error)| {
            let mut all = json!({"steps": steps});
            if branch {
                all["failure_mode"] = json!("branch");
            }
            if limit < 4 {
                all["timeout"] = json!("4s");
                all["on_timeout"] =
                    json!(["fail", "suspend", "cancel", "suspend"][usize::from(limit)]);
                all["timeout_scope"] = json!(if limit == 3 { "wall" } else { "active" });
            }
            if complete.is_object() {
                all["on_complete"] = complete;
            }
            if error.is_object() {
                all["on_error"] = error;
            }
            all
        },
    )
}
