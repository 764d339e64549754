//! The actions of stories: a handful that need no world, with every effect class among them.
//!
//! Keeps: names and effect classes as the real ones have them, so that a story reads like a workflow.
//! Not here: the real actions (`opcode-actions`).

use opcode_model::action::{Misfit, NativeCall, ParamProblem};
use opcode_model::problem::nearest;
use opcode_model::{Actions, Answer, EffectClass, ErrorCode, Evaluation, Failure, Language, Value};

/// Every action a story may use, sorted, with its class.
const ACTIONS: &[(&str, EffectClass)] = &[
    ("crypto.uuid", EffectClass::Idempotent),
    ("echo", EffectClass::Pure),
    ("expr.eval", EffectClass::Pure),
    ("fail", EffectClass::Pure),
    ("http.get", EffectClass::Idempotent),
    ("http.post", EffectClass::Unsafe),
    ("noop", EffectClass::Pure),
    ("shell.exec", EffectClass::Unsafe),
    ("transform.jq", EffectClass::Pure),
    ("workflow.context", EffectClass::Pure),
    ("workflow.emit", EffectClass::Pure),
    ("workflow.log", EffectClass::Pure),
    ("workflow.notify", EffectClass::Pure),
    ("workflow.run", EffectClass::Pure),
];

/// The actions of stories: `noop`, `echo`, `fail`, `http.get`, `http.post`, `shell.exec`, `crypto.uuid`, `expr.eval`,
/// `transform.jq`, `workflow.*`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoryActions;

impl Actions for StoryActions {
    fn class(&self, name: &str) -> Option<EffectClass> {
        ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, class)| *class)
    }

    fn names(&self) -> Vec<String> {
        ACTIONS.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        let known: &[&str] = match name {
            "http.get" | "http.post" => &["url", "body", "headers"],
            "shell.exec" => &["command", "args"],
            _ => return Vec::new(),
        };
        let given = params.as_object().into_iter().flatten();
        let mut problems: Vec<ParamProblem> = given
            .filter(|(key, _)| !known.contains(&key.as_ref()))
            .map(|(key, _)| ParamProblem {
                path: format!("/{key}"),
                message: format!("`{name}` has no parameter `{key}`"),
                nearest: nearest(key, known.iter().copied()).map(str::to_owned),
                hint: format!("it has {}", known.join(", ")),
                kind: Misfit::Unread,
                fix: Vec::new(),
            })
            .collect();
        if params.find(known[0]).is_some_and(|value| value.as_str().is_none()) {
            let (path, message) = (format!("/{}", known[0]), format!("`{}` is text", known[0]));
            let hint = "put it in quotes".to_owned();
            problems.push(ParamProblem {
                path,
                message,
                nearest: None,
                hint,
                kind: Misfit::Wrong,
                fix: Vec::new(),
            });
        }
        problems
    }

    fn runs_programs(&self, name: &str) -> bool {
        name == "shell.exec"
    }

    fn program(&self, name: &str) -> Option<(&'static str, Language)> {
        match name {
            "expr.eval" => Some(("expression", Language::Expr)),
            "transform.jq" => Some(("filter", Language::Jq)),
            _ => None,
        }
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        match name {
            "noop" => Ok(Answer::Value(Value::object([("ok", true)]))),
            "echo" => Ok(Answer::Value(params.clone())),
            "fail" => Err(failure(params)),
            _ => Ok(Answer::Native(Box::new(native(name, params)))),
        }
    }
}

/// The failure that parameters of `fail` describe.
fn failure(params: &Value) -> Failure {
    let code = params.find("code").and_then(Value::as_str).and_then(ErrorCode::parse);
    let message = text(params, "message").unwrap_or_else(|| "failed on purpose".into());
    Failure::new(code.unwrap_or(ErrorCode::Execution), message)
}

fn text(params: &Value, key: &str) -> Option<std::sync::Arc<str>> {
    params.find(key).and_then(Value::as_str).map(Into::into)
}

fn evaluation(language: Language, source: &str, params: &Value) -> NativeCall {
    NativeCall::Evaluate(Evaluation {
        language,
        source: text(params, source).unwrap_or_default(),
        data: params.find("data").cloned(),
        args: params.find("args").and_then(Value::as_object).cloned().unwrap_or_default(),
    })
}

fn native(name: &str, params: &Value) -> NativeCall {
    let value = |key: &str| params.find(key).cloned().unwrap_or_default();
    let words = |key: &str| text(params, key).unwrap_or_default();
    match name {
        "expr.eval" => evaluation(Language::Expr, "expression", params),
        "transform.jq" => evaluation(Language::Jq, "filter", params),
        "workflow.run" => NativeCall::RunChild {
            template: words("template"),
            version: text(params, "version"),
            params: value("params"),
        },
        "workflow.log" => NativeCall::Log {
            level: text(params, "level").unwrap_or_else(|| "info".into()),
            message: words("message"),
            data: value("data"),
        },
        "workflow.emit" => {
            NativeCall::Emit { event_type: words("event_type"), payload: value("payload") }
        }
        "workflow.notify" => NativeCall::Notify { message: words("message"), data: value("data") },
        _ if words("action").as_ref() == "update" => NativeCall::UpdateContext {
            workflow_id: text(params, "workflow_id"),
            data: value("data"),
            agent_notes: text(params, "agent_notes"),
        },
        _ => NativeCall::ReadContext { workflow_id: text(params, "workflow_id") },
    }
}
