//! Definitions of a given shape.
//!
//! Keeps: no parameters, no expressions unless the shape needs them.
//! Not here: running them.

use opcode_model::Value;

fn step(id: &str, action: &str, after: &[&str], params: Value) -> Value {
    Value::object([
        ("id", Value::from(id)),
        ("action", Value::from(action)),
        ("depends_on", Value::list(after.iter().map(|id| Value::from(*id)))),
        ("params", params),
    ])
}

fn nothing() -> Value {
    Value::Object(opcode_model::Object::default())
}

fn workflow(steps: impl IntoIterator<Item = Value>) -> Value {
    Value::object([("steps", Value::list(steps))])
}

/// `steps` steps side by side.
pub fn parallel(steps: usize, action: &str) -> Value {
    workflow((0..steps).map(|i| step(&format!("s{i}"), action, &[], nothing())))
}

/// `steps` steps one after the other.
pub fn chain(steps: usize, action: &str) -> Value {
    workflow((0..steps).map(|i| {
        let before = i.checked_sub(1).map(|i| format!("s{i}"));
        let before: Vec<&str> = before.iter().map(String::as_str).collect();
        step(&format!("s{i}"), action, &before, nothing())
    }))
}

/// A loop over `inputs.items` of one pure step.
pub fn pure_loop(iterations: usize) -> Value {
    let body = Value::list([step("b", "noop", &[], nothing())]);
    let config = Value::object([
        ("over", Value::from("inputs.items")),
        ("max_iter", Value::from(iterations)),
        ("body", body),
    ]);
    workflow([Value::object([
        ("id", Value::from("l")),
        ("type", Value::from("loop")),
        ("config", config),
    ])])
}

/// `steps` steps in rows of ten, each after up to three of the row before it and one of the row before that.
pub fn woven(steps: usize, action: &str) -> Value {
    workflow((0..steps).map(|i| {
        let row = i / 10 * 10;
        let mut after: Vec<usize> = (0..1 + i % 3)
            .filter_map(|n| Some(row.checked_sub(10)? + (i * 7 + n * 3) % 10))
            .collect();
        after.extend(row.checked_sub(20).map(|above| above + (i * 3) % 10));
        let after: Vec<String> = after.iter().map(|step| format!("s{step}")).collect();
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        step(&format!("s{i}"), action, &after, nothing())
    }))
}

/// A wait of an hour.
pub fn sleeper() -> Value {
    let config = Value::object([("duration", "1h")]);
    workflow([Value::object([
        ("id", Value::from("w")),
        ("type", Value::from("wait")),
        ("config", config),
    ])])
}

/// A quick chain of five beside one slow step, joined at the end. With a barrier a level, the chain would wait for the
/// slow step after its first link. The critical path is `slow_ms`, or five times `quick_ms`, whichever is longer.
pub fn skewed(quick_ms: u32, slow_ms: u32) -> Value {
    let ms = |ms: u32| Value::object([("ms", ms)]);
    workflow([
        step("slow", "take", &[], ms(slow_ms)),
        step("q0", "take", &[], ms(quick_ms)),
        step("q1", "take", &["q0"], ms(quick_ms)),
        step("q2", "take", &["q1"], ms(quick_ms)),
        step("q3", "take", &["q2"], ms(quick_ms)),
        step("q4", "take", &["q3"], ms(quick_ms)),
        step("join", "noop", &["slow", "q4"], nothing()),
    ])
}
