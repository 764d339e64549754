//! Every action says what it does, and its example is true.
//!
//! Keeps: a file under `builtin/` whose header does not hold fails here.
//! Not here: what actions do besides their example.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use opcode_actions::{Action, Registry};
use opcode_expr::{Given, Meter, Program};
use opcode_model::action::{Actions, Answer};
use opcode_model::{EffectClass, Evaluation, Language, NativeCall, Timestamp, Value};

use crate::kit::json;

#[test]
fn all_actions_are_there_sorted() {
    let registry = Registry::builtin();
    let names = [
        "assert.contains",
        "assert.equals",
        "assert.matches",
        "assert.schema",
        "crypto.hash",
        "crypto.hmac",
        "crypto.uuid",
        "expr.eval",
        "fs.append",
        "fs.copy",
        "fs.delete",
        "fs.list",
        "fs.move",
        "fs.read",
        "fs.stat",
        "fs.write",
        "http.get",
        "http.post",
        "http.request",
        "shell.exec",
        "transform.jq",
        "workflow.context",
        "workflow.emit",
        "workflow.fail",
        "workflow.log",
        "workflow.notify",
        "workflow.run",
    ];
    assert_eq!(registry.names(), names);
    assert!(registry.find("no.such").is_none());
    assert_eq!(registry.class("no.such"), None);
    assert_eq!(
        registry.compute("no.such", &Value::Null).unwrap_err().code.text(),
        "ACTION_UNAVAILABLE"
    );
}

#[test]
fn effect_classes_are_as_promised() {
    let registry = Registry::builtin();
    for action in registry.iter() {
        let wanted = match action.name() {
            "http.get" | "fs.read" | "fs.list" | "fs.stat" | "fs.write" | "fs.copy" => {
                EffectClass::Idempotent
            }
            "http.post" | "http.request" | "fs.append" | "fs.delete" | "fs.move" | "shell.exec" => {
                EffectClass::Unsafe
            }
            _ => EffectClass::Pure,
        };
        assert_eq!(action.class(), wanted, "{}", action.name());
    }
}

#[test]
fn every_example_fits_its_action() {
    for action in Registry::builtin().iter() {
        let (page, name) = (action.page().unwrap(), action.name());
        let (step, output) = (json(&page.before()), json(&page.after()));
        assert!(!action.summary().is_empty(), "{name} has no summary");
        assert_eq!(step.find("action").and_then(Value::as_str), Some(name));
        let params = step.find("params").cloned().unwrap_or_default();
        assert_eq!(action.check(&params), [], "{name}");
        let known: BTreeSet<&str> = page.output.iter().map(|(member, _)| *member).collect();
        for member in output.as_object().unwrap().keys() {
            let free = known.contains("…") || known.is_empty();
            assert!(free || known.contains(member.as_ref()), "{name} does not tell of {member}");
        }
        if action.class() == EffectClass::Pure {
            assert_example_is_true(action, &params, &output);
        }
    }
}

fn assert_example_is_true(action: &dyn Action, params: &Value, output: &Value) {
    match action.compute(params) {
        Ok(Answer::Value(value)) if action.name() == "crypto.uuid" => {
            let length = |value: &Value| value.find("uuid").and_then(Value::as_str).map(str::len);
            assert_eq!(length(&value), length(output));
        }
        Ok(Answer::Value(value)) => assert_eq!(&value, output, "{}", action.name()),
        Ok(Answer::Native(call)) => {
            if let NativeCall::Evaluate(evaluation) = call.as_ref() {
                assert_eq!(&evaluated(evaluation), output, "{}", action.name());
            } else {
                assert!(action.name().starts_with("workflow."));
            }
        }
        Err(failure) => assert_eq!(&failure.to_value(), output, "{}", action.name()),
    }
}

/// What the engine makes of an expression and its data.
fn evaluated(evaluation: &Evaluation) -> Value {
    let Evaluation { language, source, data, args } = evaluation;
    let program = Program::compile_loose(*language, source, args.keys()).unwrap();
    let data = data.clone().unwrap_or_default();
    let input = if *language == Language::Jq { data } else { Value::object([("data", data)]) };
    let given = Given { input: &input, args: args.iter().as_slice(), now: Timestamp(0) };
    let mut outputs = Vec::new();
    let mut emit = |output| {
        outputs.push(output);
        ControlFlow::Continue(())
    };
    program.outputs(given, &mut Meter::default(), &mut emit).unwrap();
    assert_eq!(outputs.len(), 1);
    Value::object([("result", outputs.remove(0))])
}

#[test]
fn every_parameter_is_described() {
    let schemas = Registry::builtin().schemas();
    for (name, schema) in schemas.as_object().unwrap() {
        assert_eq!(schema["type"], "object", "{name}");
        for (param, one) in schema["properties"].as_object().into_iter().flatten() {
            assert!(one["description"].is_string(), "{name} {param} {one}");
            assert!(!one.to_string().contains("null"), "{name} {param} {one}");
        }
    }
    assert_eq!(schemas["fs.write"]["required"], serde_json::json!(["path", "content"]));
    assert_eq!(schemas["shell.exec"]["properties"]["timeout"]["format"], "duration");
    assert_eq!(
        schemas["http.get"]["properties"]["auth"]["properties"]["type"]["enum"],
        serde_json::json!(["bearer", "basic", "api_key"])
    );
}

#[test]
fn the_reference_shows_what_the_files_say() {
    let text = Registry::builtin().reference_markdown();
    for line in [
        "## crypto.hash",
        "The digest of a text, in lower-case hex.",
        "Effect: pure; computed in line.",
        "| `data` | text | yes | What to hash. |",
        "| `algorithm` | `sha256` `sha512` `sha384` `md5` `sha1` |  | Which digest; `sha256` unless given. |",
        "| `hash` | the digest, in lower-case hex |",
        "| `args` | array of text |  | Its arguments, each one as it is. |",
        "{\"action\": \"fs.stat\", \"params\": {\"path\": \"/srv/data/note.txt\"}}",
    ] {
        assert!(text.lines().any(|there| there == line), "{line}\n{text}");
    }
}

#[test]
fn the_reference_lists_the_members_of_a_parameter_after_it() {
    let text = Registry::builtin().reference_markdown();
    let auth = text.split("| `auth` |").nth(1).unwrap();
    let next = auth.lines().nth(1).unwrap();
    assert!(next.starts_with("| `auth.type` | `bearer` `basic` `api_key` | yes |"), "{next}");
}
