//! `opcode.query`: lists workflows, events, templates, decisions, agents and actions.
//!
//! Keeps: pages with a cursor; lists never carry large values.
//! Not here: one workflow in full (`status.rs`).

use opcode_model::{ErrorCode, Failure, RunStatus, Seq, Timestamp, Value};
use opcode_runtime::{Role, shapes};
use opcode_store::{DecisionFilter, EventFilter, RunFilter};
use serde_json::{Value as Json, json};

use super::{Desk, Page, param, schema};
use crate::answer::{Answer, Refused};
use crate::args::Args;
use crate::bounds::bound_event;

/// Things listed unless told otherwise.
const LIMIT: usize = 50;
/// Things listed at most.
const LIMIT_MAX: usize = 1_000;

/// What lists can be narrowed by.
const FILTERS: [&str; 9] = [
    "status",
    "agent_id",
    "template_name",
    "workflow_id",
    "step_id",
    "event_type",
    "name",
    "since",
    "limit",
];

#[derive(Clone, Copy)]
enum Resource {
    Workflows,
    Events,
    Templates,
    Decisions,
    Agents,
    Actions,
}

const RESOURCES: [(&str, Resource); 6] = [
    ("workflows", Resource::Workflows),
    ("events", Resource::Events),
    ("templates", Resource::Templates),
    ("decisions", Resource::Decisions),
    ("agents", Resource::Agents),
    ("actions", Resource::Actions),
];

pub(super) fn page() -> Page {
    Page {
        name: "opcode.query",
        title: "List workflows, events, templates, decisions, agents, actions",
        about: "List what there is, newest first. filter: status, agent_id, template_name, since, limit (workflows); workflow_id, step_id, event_type, since, limit (events); name (templates, actions).",
        input: schema(
            &["resource"],
            json!({
                "resource": {"type": "string", "enum": RESOURCES.map(|(word, _)| word)},
                "filter": param("object", ""),
                "cursor": param("string", ""),
            }),
        ),
        output: &[("cursor", "string")],
        hints: [true, false, true, false],
    }
}

/// What is asked for.
struct Ask {
    filter: Value,
    limit: usize,
    offset: usize,
}

impl Ask {
    fn read(args: &Args) -> Result<Self, Failure> {
        let filter = args.object("filter")?;
        let names = filter.as_object().into_iter().flat_map(opcode_model::Object::iter);
        if let Some((name, _)) = names.clone().find(|(name, _)| !FILTERS.contains(&&**name)) {
            let message = format!("filter.{name} is none; there are {}", FILTERS.join(", "));
            return Err(Failure::new(ErrorCode::Validation, message));
        }
        let limit = Args::new(as_map(&filter)).count("limit")?;
        let cursor = args.text("cursor")?;
        let offset = cursor.map_or(Ok(0), |cursor| cursor.parse()).map_err(|_| {
            Failure::new(ErrorCode::Validation, "cursor is none of ours; leave it out to begin")
        })?;
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(LIMIT).min(LIMIT_MAX);
        Ok(Self { filter, limit, offset })
    }

    fn text(&self, name: &str) -> Option<std::sync::Arc<str>> {
        let text = self.filter.find(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(Into::into)
    }

    fn since(&self) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.text("since") else { return Ok(None) };
        let message = format!("filter.since `{text}` is not a moment such as 2026-11-20T15:41:07Z");
        Timestamp::parse(&text)
            .map(Some)
            .ok_or_else(|| Failure::new(ErrorCode::Validation, message))
    }

    /// The page of a list, and the cursor for the next.
    fn page<T>(&self, mut items: Vec<T>, key: &str, show: impl Fn(&T) -> Json) -> Json {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let mut answer = json!({key: items.iter().map(show).collect::<Vec<_>>()});
        if more {
            answer["cursor"] = (self.offset + self.limit).to_string().into();
        }
        answer
    }
}

fn as_map(value: &Value) -> Option<serde_json::Map<String, Json>> {
    value.to_serde().as_object().cloned()
}

pub(super) async fn call(desk: &Desk<'_>, args: &Args) -> Result<Answer, Refused> {
    desk.may(Role::Viewer, "opcode.query")?;
    let resource = args.needed_word("resource", &RESOURCES)?;
    let ask = Ask::read(args)?;
    Ok(Answer::Object(match resource {
        Resource::Workflows => workflows(desk, &ask).await?,
        Resource::Events => events(desk, &ask).await?,
        Resource::Templates => templates(desk, &ask).await?,
        Resource::Decisions => decisions(desk, &ask).await?,
        Resource::Agents => agents(desk, &ask).await?,
        Resource::Actions => actions(desk, &ask),
    }))
}

async fn workflows(desk: &Desk<'_>, ask: &Ask) -> Result<Json, Failure> {
    let status = match ask.text("status") {
        None => None,
        Some(word) => Some(RunStatus::parse(&word).ok_or_else(|| {
            let message = format!("filter.status `{word}` is no status; pending, active, suspended, completed, failed or cancelled");
            Failure::new(ErrorCode::Validation, message)
        })?),
    };
    let filter = RunFilter {
        status,
        agent_id: ask.text("agent_id"),
        template_name: ask.text("template_name"),
        since: ask.since()?,
        limit: ask.limit + 1,
        offset: ask.offset,
        ..RunFilter::default()
    };
    let found = desk.engine.reader().workflows(filter).await?;
    Ok(ask.page(found, "workflows", |summary| {
        let mut row = shapes::workflow(summary);
        if let Some(object) = row.as_object_mut().filter(|_| !desk.is_full) {
            // What was put in and what came out is told by `opcode.status`.
            object.remove("output");
            object.remove("input_params");
        }
        row
    }))
}

async fn events(desk: &Desk<'_>, ask: &Ask) -> Result<Json, Failure> {
    let run = match ask.text("workflow_id") {
        None => None,
        Some(id) => Some(opcode_model::RunId::parse(&id.to_lowercase()).ok_or_else(|| {
            let message = format!("filter.workflow_id `{id}` is not a workflow id (a UUID)");
            Failure::new(ErrorCode::Validation, message)
        })?),
    };
    let filter = EventFilter {
        run,
        step_id: ask.text("step_id"),
        event_type: ask.text("event_type"),
        since: ask.since()?,
        after: Seq(if run.is_some() { ask.offset as u64 } else { 0 }),
        limit: ask.limit + 1,
    };
    let mut found = desk.engine.reader().events(filter).await?;
    let more = found.len() > ask.limit;
    found.truncate(ask.limit);
    let mut answer = json!({"events": found.iter().map(|record| {
        let mut event = shapes::event(record);
        if !desk.is_full {
            bound_event(&mut event);
        }
        event
    }).collect::<Vec<_>>()});
    if let Some(last) = found.last().filter(|_| more && run.is_some()) {
        answer["cursor"] = last.seq.0.to_string().into();
    }
    Ok(answer)
}

async fn templates(desk: &Desk<'_>, ask: &Ask) -> Result<Json, Failure> {
    let name = ask.text("name");
    let mut found = desk.engine.reader().templates(name.as_deref()).await?;
    if let Some(agent) = ask.text("agent_id") {
        found.retain(|template| template.agent_id.as_ref() == Some(&agent));
    }
    let found: Vec<_> = found.into_iter().rev().skip(ask.offset).collect();
    let is_whole = desk.is_full || name.is_some();
    Ok(ask.page(found, "templates", |template| {
        let mut row = shapes::template(template);
        if let Some(object) = row.as_object_mut().filter(|_| !is_whole) {
            object.remove("definition");
        }
        row
    }))
}

async fn decisions(desk: &Desk<'_>, ask: &Ask) -> Result<Json, Failure> {
    let run = ask.text("workflow_id").and_then(|id| opcode_model::RunId::parse(&id));
    let closed = ask.text("status").is_some_and(|status| status.as_ref() != "pending");
    let filter = DecisionFilter { run, closed, limit: ask.offset + ask.limit + 1 };
    let found = desk.engine.reader().decisions(filter).await?;
    let found: Vec<_> = found.into_iter().skip(ask.offset).collect();
    Ok(ask.page(found, "decisions", shapes::decision))
}

async fn agents(desk: &Desk<'_>, ask: &Ask) -> Result<Json, Failure> {
    let found = desk.engine.reader().agents().await?;
    let found: Vec<_> = found.into_iter().skip(ask.offset).collect();
    Ok(ask.page(found, "agents", |agent| agent.clone()))
}

fn actions(desk: &Desk<'_>, ask: &Ask) -> Json {
    let name = ask.text("name");
    let pages = desk.engine.reader().actions();
    let found = pages.into_iter().filter(|page| {
        name.as_ref()
            .is_none_or(|name| page["name"].as_str().is_some_and(|it| it.contains(&**name)))
    });
    let found: Vec<_> = found.skip(ask.offset).collect();
    ask.page(found, "actions", |page| {
        let mut page = page.clone();
        if let Some(object) = page.as_object_mut().filter(|_| name.is_none()) {
            object.remove("params");
        }
        page
    })
}
