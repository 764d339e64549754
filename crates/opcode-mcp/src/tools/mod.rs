//! The six tools: one file each, with its page and what it does.
//!
//! Keeps: names, parameters and results as the reference has them; what is new beside them is optional.
//! Not here: transports, tasks (`server.rs`, `task.rs`).

mod define;
mod diagram;
mod query;
mod run;
mod signal;
mod status;

use std::sync::Arc;

use opcode_model::{Failure, RunStatus, TraceParent};
use opcode_runtime::{Actor, Caller, Deed, Engine, Role, StatusView};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value as Json, json};

use crate::answer::{Answer, Refused};
use crate::args::Args;
use crate::progress::Ear;
use crate::server::Names;

pub(crate) use run::{begin, finish};
pub(crate) use status::{Detail, of as status_of};

/// What a tool works with.
pub(crate) struct Desk<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) caller: &'a Caller,
    /// Old clients get everything at once.
    pub(crate) is_full: bool,
    /// The trace the call belongs to.
    pub(crate) trace: Option<TraceParent>,
}

impl Desk<'_> {
    /// Whether the caller may do what takes this role; that it may not is written down.
    pub(crate) fn may(&self, role: Role, action: &str) -> Result<(), Failure> {
        self.caller.may(role).inspect_err(|failure| {
            let deed = Deed { action, kind: "tool", id: "", agent: None };
            self.engine.reader().audit().refused(&Actor::new(self.caller, "mcp"), deed, failure);
        })
    }
}

/// What a client is told of a tool.
struct Page {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    input: Json,
    /// What an answer holds, if it is an object.
    output: &'static [(&'static str, &'static str)],
    /// Reads only, destroys, changes nothing when repeated, reaches outside.
    hints: [bool; 4],
}

fn pages() -> [Page; 6] {
    [define::page(), diagram::page(), query::page(), run::page(), signal::page(), status::page()]
}

/// What an object schema says of a parameter.
fn param(kind: &str, about: &str) -> Json {
    match about {
        "" => json!({"type": kind}),
        about => json!({"type": kind, "description": about}),
    }
}

/// An object schema.
fn schema(required: &[&str], properties: Json) -> Json {
    json!({"type": "object", "properties": properties, "required": required})
}

/// The tools, in the order of their names.
pub(crate) fn list(names: Names) -> Vec<Tool> {
    pages().into_iter().map(|page| tool(page, names)).collect()
}

fn tool(page: Page, names: Names) -> Tool {
    let name = match names {
        Names::Dotted => page.name.to_owned(),
        Names::Underscore => page.name.replace('.', "_"),
    };
    let is_object = !page.output.is_empty();
    let properties: Map<String, Json> =
        page.output.iter().map(|(key, kind)| ((*key).to_owned(), json!({"type": kind}))).collect();
    let output = json!({"type": "object", "properties": properties});
    let [reads, destroys, repeats, reaches] = page.hints;
    let hints = ToolAnnotations::new()
        .read_only(reads)
        .destructive(destroys)
        .idempotent(repeats)
        .open_world(reaches);
    let tool = Tool::new(name, page.about, object(page.input))
        .with_title(page.title)
        .with_annotations(hints);
    if is_object { tool.with_raw_output_schema(Arc::new(object(output))) } else { tool }
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Map::new()
        }
    }
}

/// A tool's own name, whichever way it is written.
pub(crate) fn resolve(name: &str) -> Option<&'static str> {
    let bare = name.strip_prefix("opcode.").or_else(|| name.strip_prefix("opcode_"));
    let bare = bare.unwrap_or(name);
    pages().iter().map(|page| page.name).find(|known| known.strip_prefix("opcode.") == Some(bare))
}

/// Calls a tool by its own name.
pub(crate) async fn call(desk: &Desk<'_>, name: &str, args: &Args, ear: Option<Ear>) -> Answer {
    if let Err(failure) = check(name, args) {
        return Answer::Refused(Refused::from(failure).or_next(name));
    }
    let answered = match name {
        "opcode.define" => define::call(desk, args).await,
        "opcode.diagram" => diagram::call(desk, args).await,
        "opcode.query" => query::call(desk, args).await,
        "opcode.run" => run::call(desk, args, ear).await,
        "opcode.signal" => signal::call(desk, args, ear).await,
        _ => status::call(desk, args).await,
    };
    answered.unwrap_or_else(|refused| Answer::Refused(refused.or_next(name)))
}

/// Refuses an argument that is no tool's but nearly that of this one. What is nothing like ours is left to whoever sends it.
pub(crate) fn check(name: &str, args: &Args) -> Result<(), Failure> {
    let page = pages().into_iter().find(|page| page.name == name);
    let known = page.and_then(|page| page.input["properties"].as_object().cloned());
    args.check(&known.unwrap_or_default())
}

/// Whether a tool is told who calls it: what waits for an agent is not for whoever only looks.
pub(crate) fn names_agent(name: &str) -> bool {
    let page = pages().into_iter().find(|page| page.name == name);
    page.is_some_and(|page| page.input["properties"].get("agent_id").is_some())
}

/// The next useful call for a run as it stands; none when it is over and well.
pub(crate) fn next_for(view: &StatusView) -> Option<String> {
    let id = view.run.id;
    if view.run.is_paused() {
        let retry = json!({"workflow_id": id, "signal_type": "retry", "payload": {}});
        return Some(format!("opcode.signal {retry}"));
    }
    if let Some(open) = view.decisions.first() {
        // Nothing that could be sent as it is: whoever answers has to choose.
        let options: Vec<&str> =
            open.request.options.iter().map(|option| option.id.as_ref()).collect();
        let choice = match options.is_empty() {
            true => "<your answer>".to_owned(),
            false => format!("<{}>", options.join(" or ")),
        };
        let (run, step) = (open.run, &open.step.path);
        return Some(format!(
            "opcode.signal {}",
            json!({"workflow_id": run, "signal_type": "decision", "step_id": step, "payload": {"choice": choice}})
        ));
    }
    if let Some(wait) = view.waits.first() {
        let call = json!({"workflow_id": wait.run, "signal_type": "data", "step_id": wait.step_id, "payload": {}});
        return Some(format!("opcode.signal {call}"));
    }
    match view.result.status {
        RunStatus::Active | RunStatus::Pending => {
            Some(format!("opcode.status {}", json!({"workflow_id": id})))
        }
        RunStatus::Suspended => Some(format!(
            "opcode.signal {}",
            json!({"workflow_id": id, "signal_type": "retry", "payload": {}})
        )),
        RunStatus::Failed => {
            Some(format!("opcode.status {}", json!({"workflow_id": id, "detail": "full"})))
        }
        RunStatus::Completed | RunStatus::Cancelled => None,
    }
}

/// A refusal with the next useful call.
fn refused(failure: Failure, next: &str) -> Refused {
    Refused::from(failure).next(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words and marks: more than any tokenizer makes of JSON in English.
    fn tokens(text: &str) -> usize {
        let mut count = 0;
        let mut in_word = 0;
        for c in text.chars() {
            if c.is_alphanumeric() || c == '_' {
                in_word += 1;
                count += usize::from(in_word % 8 == 1);
            } else {
                in_word = 0;
                count += usize::from(!c.is_whitespace());
            }
        }
        count
    }

    #[test]
    fn all_tools_together_cost_a_client_little() {
        let text = serde_json::to_string(&list(Names::Dotted)).unwrap();
        // Two of three marks of JSON share a token with a neighbour; counted here is the worst case.
        let most = tokens(&text) * 2 / 3;
        assert!(most <= 2_000, "{most} tokens, {} bytes", text.len());
    }

    #[test]
    fn every_way_to_write_a_name_leads_to_its_tool() {
        for name in ["opcode.run", "opcode_run", "run"] {
            assert_eq!(resolve(name), Some("opcode.run"));
        }
        assert_eq!(resolve("opcode.walk"), None);
        assert!(list(Names::Underscore).iter().all(|tool| !tool.name.contains('.')));
    }
}
