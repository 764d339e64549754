//! Reads the definition itself: its own fields, then its steps, then what only the whole can tell.
//!
//! Keeps: every problem of a definition is found in one pass over it.
//! Not here: steps (`steps.rs`), their configs (`configs.rs`), the graph (`check.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use opcode_model::limits::{DEFINITION_BYTES_MAX, VALUE_DEPTH_MAX};
use opcode_model::problem::nearest;
use opcode_model::{Actions, DefinitionHash, ErrorCode, Object, OnInterrupted, Problem, Value};

use super::reader::{Problems, Reader};
use super::schema::SchemaError;
use super::steps::Steps;
use super::{OnTimeout, Plan, Schema, check, isolation, reads};
use crate::shape::Shape;

const FIELDS: &[&str] = &[
    "steps",
    "inputs",
    "input_schema",
    "output_schema",
    "output",
    "timeout",
    "on_timeout",
    "timeout_scope",
    "on_complete",
    "on_error",
    "on_interrupted",
    "failure_mode",
    "sandbox",
    "limits",
    "metadata",
    "context",
    "name",
    "description",
];

/// The least a definition is.
const SHAPE: &str = "a definition is {\"steps\": [{\"id\": …, \"action\": …}]}";

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Words of `on_interrupted`.
pub(super) const INTERRUPTED: &[(&str, OnInterrupted)] =
    &[("retry", OnInterrupted::Retry), ("fail", OnInterrupted::Fail), ("ask", OnInterrupted::Ask)];

pub(super) fn read(definition: &Value, actions: &dyn Actions) -> Result<Plan, Vec<Problem>> {
    let object = definition.as_object().ok_or_else(|| {
        let message = format!("a definition is an object with `steps`, not {}", definition.kind());
        vec![Problem::error(ErrorCode::Validation, "", message).hint(SHAPE)]
    })?;
    if definition.depth(VALUE_DEPTH_MAX * 2) >= VALUE_DEPTH_MAX * 2 {
        return Err(vec![limit("nesting of a definition", VALUE_DEPTH_MAX * 2 - 1)]);
    }
    let text = definition.to_json();
    if text.len() > DEFINITION_BYTES_MAX {
        return Err(vec![limit("bytes of a definition", DEFINITION_BYTES_MAX)]);
    }
    let problems = Problems::default();
    let plan = Reader { object, path: "", problems: &problems };
    let plan = read_object(plan, actions, text.into());
    let mut found = problems.into_vec();
    found.sort_by_key(|problem| problem.severity);
    match plan {
        Some(plan) if !found.iter().any(Problem::forbids_running) => {
            Ok(Plan { warnings: found, ..plan })
        }
        _ => Err(found),
    }
}

fn limit(what: &str, number: usize) -> Problem {
    Problem::error(ErrorCode::LimitExceeded, "", format!("{what} is limited to {number}"))
        .hint("put a part of it in a template of its own, and large data in files")
}

fn read_object(reader: Reader<'_>, actions: &dyn Actions, text: Arc<str>) -> Option<Plan> {
    if is_wrapper(reader) {
        let problem = Problem::error(ErrorCode::Validation, "/steps", "`steps` is missing");
        reader
            .problems
            .push(problem.hint("the definition stands in its member `definition`: hand in that"));
        return None;
    }
    reader.known(FIELDS);
    let branch_mode = reader.word("failure_mode", &[("workflow", false), ("branch", true)]);
    let wall = reader.word("timeout_scope", &[("active", false), ("wall", true)]);
    let words =
        [("fail", OnTimeout::Fail), ("suspend", OnTimeout::Suspend), ("cancel", OnTimeout::Cancel)];
    let on_timeout = reader.word("on_timeout", &words);
    let timeout = reader.duration("timeout");
    let mut steps = Steps::new(actions, reader.problems, timeout, inputs(reader));
    steps.wishes = isolation::wishes(reader);
    let top = read_steps(reader, &mut steps);
    let on_complete = hook(reader, "on_complete", &mut steps);
    let on_error = hook(reader, "on_error", &mut steps);
    let output = reader.value("output").and_then(|value| reader.template("/output", value, false));
    steps.note_template("/output", output.as_ref());
    reads::check(&steps);
    let metadata = reader.object("metadata");
    let title = metadata.and_then(|metadata| metadata.find("name")).and_then(Value::as_str);
    top.then(|| Plan {
        hash: DefinitionHash::of(&text),
        text,
        name: title.map(Into::into).or_else(|| reader.shared("name")),
        inputs: reader.object("inputs").cloned().unwrap_or_default(),
        input_schema: schema(reader, "input_schema"),
        output_schema: schema(reader, "output_schema"),
        output,
        on_timeout: on_timeout.unwrap_or_default(),
        on_interrupted: reader.word("on_interrupted", INTERRUPTED).unwrap_or_default(),
        on_complete,
        on_error,
        children: steps.children,
        warnings: Vec::new(),
        shape: Arc::new(Shape {
            bodies: steps.bodies,
            nodes: steps.nodes,
            branch_mode: branch_mode.unwrap_or_default(),
            timeout: timeout.filter(|span| !span.is_zero()),
            wall: wall.unwrap_or_default(),
            context: Value::Object(reader.object("context").cloned().unwrap_or_default()),
        }),
        steps: steps.plans.into_iter().flatten().collect(),
    })
}

/// Whether it is a file as the command line takes it, with the definition inside.
fn is_wrapper(reader: Reader<'_>) -> bool {
    let inside = reader.value("definition").and_then(|definition| definition.find("steps"));
    inside.is_some() && reader.value("steps").is_none()
}

fn read_steps(reader: Reader<'_>, steps: &mut Steps<'_>) -> bool {
    match reader.list("steps") {
        Some([]) => reader.wrong("steps", "a workflow needs at least one step", SHAPE),
        Some(items) => return steps.body("/steps", items, true).is_some(),
        None if reader.value("steps").is_none() => {
            let problem =
                Problem::error(ErrorCode::Validation, "/steps", "`steps` is missing").hint(SHAPE);
            reader.problems.push(problem);
        }
        None => {}
    }
    false
}

fn hook(reader: Reader<'_>, member: &str, steps: &mut Steps<'_>) -> Option<crate::shape::BodyIx> {
    let hook = reader.object(member)?;
    let named =
        if hook.find("id").is_some() { hook.clone() } else { hook.with("id", Value::from("hook")) };
    if hook.find("depends_on").is_some() {
        let place = format!("/{member}/depends_on");
        let problem = Problem::warning(place, "a hook depends on nothing; this is ignored");
        reader.problems.push(problem.hint("a hook begins when the workflow is over").remove());
    }
    let bare: Object =
        named.iter().filter(|(key, _)| key.as_ref() != "depends_on").cloned().collect();
    check::hook_collisions(steps, member);
    steps.hook(&format!("/{member}"), Value::Object(bare))
}

/// The inputs that have a default or a place in the schema.
fn inputs(reader: Reader<'_>) -> BTreeSet<String> {
    let schema = reader.value("input_schema").and_then(|schema| schema.find("properties"));
    let declared = [reader.value("inputs"), schema].into_iter().flatten();
    declared
        .filter_map(Value::as_object)
        .flat_map(Object::keys)
        .map(|key| key.to_string())
        .collect()
}

fn schema(reader: Reader<'_>, member: &str) -> Option<Schema> {
    let value = reader.value(member)?;
    match Schema::compile(value) {
        Ok(schema) => Some(schema),
        Err(SchemaError { pointer, cause }) => {
            let place = format!("{}{pointer}", reader.at(member));
            let message = format!("not a JSON Schema: {cause}");
            let problem = Problem::error(ErrorCode::Validation, place, message);
            let word = value.pointer(&pointer).and_then(Value::as_str);
            let is_type = pointer.ends_with("/type");
            reader.problems.push(
                match word.filter(|_| is_type).and_then(|it| nearest(it, TYPES)) {
                    Some(meant) => {
                        problem.hint(format!("did you mean `{meant}`?")).replace_with(meant)
                    }
                    None if is_type => {
                        problem.hint(format!("a type is one of {}", TYPES.join(", ")))
                    }
                    None => problem.hint(
                        "JSON Schema 2020-12, such as {\"type\": \"object\", \"properties\": {…}}",
                    ),
                },
            );
            None
        }
    }
}

/// How long a run may be active, for messages of steps.
pub(super) type RunTimeout = Option<Duration>;
