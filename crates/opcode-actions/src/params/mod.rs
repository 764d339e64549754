//! From what an author wrote under `params` to the typed parameters of an action.
//!
//! Keeps: a wrong parameter is named, with what was expected; `null` is the same as absent, but for those in `nullable`.
//! Not here: the parameters themselves (each action's own file).

mod schema;
mod text;
mod walk;

pub(crate) use schema::Schema;
pub(crate) use text::{Mode, Pattern, Span, Text, scalar_text};

use opcode_model::action::{Misfit, ParamProblem};
use opcode_model::problem::pointer;
use opcode_model::{ErrorCode, Failure, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// The parameter that a message of ours is about.
fn named(message: &str) -> Option<&str> {
    message.strip_prefix("param '")?.split('\'').next()
}

/// What is wrong with parameters beyond their schema, as far as they are written out.
pub(crate) fn examine<P: DeserializeOwned>(
    nullable: &[&str],
    params: &Value,
    look: fn(&P) -> Result<(), String>,
) -> Option<ParamProblem> {
    let is_literal = !params.to_json().contains("${{");
    let wrong = match P::deserialize(walk::Params(params, nullable)) {
        Ok(typed) => look(&typed).err()?,
        Err(error) if is_literal => error.to_string(),
        Err(_) => return None,
    };
    let path = named(&wrong).map_or_else(String::new, |name| pointer("", name));
    let hint = "see what it takes: the page of this action in docs/reference/actions.md".to_owned();
    Some(ParamProblem {
        path,
        message: wrong,
        nearest: None,
        hint,
        kind: Misfit::Wrong,
        fix: Vec::new(),
    })
}

/// A member that is there, whatever it is.
pub(crate) fn given<'de, D: Deserializer<'de>>(member: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(member).map(Some)
}

/// Reads typed parameters, or says which one is wrong and what was expected.
pub(crate) fn read<P: DeserializeOwned>(
    action: &str,
    schema: &Schema,
    nullable: &[&str],
    params: &Value,
) -> Result<P, Failure> {
    let missing = schema.required().find(|name| params.find(name).is_none());
    let wrong = match (missing, P::deserialize(walk::Params(params, nullable))) {
        (None, Ok(typed)) => return Ok(typed),
        (None, Err(error)) => error.to_string(),
        (Some(name), _) => format!("missing required param '{name}'"),
    };
    let found = schema.problems(params).into_iter().find(|problem| problem.kind == Misfit::Wrong);
    let (message, path) = match found {
        Some(problem) => (problem.message, problem.path),
        None => {
            let path = named(&wrong).map_or_else(String::new, |name| pointer("", name));
            (wrong, path)
        }
    };
    let details = Value::object([("param", Value::from(path))]);
    Err(Failure::new(ErrorCode::Validation, format!("{action}: {message}")).with_details(details))
}
