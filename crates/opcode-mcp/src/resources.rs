//! What can be read by address: workflows, their outputs and logs, templates, decisions, actions.
//!
//! Keeps: what is not there is an error, never empty contents.
//! Not here: lists for people (`tools/query.rs`).

use opcode_model::{RunId, Seq};
use opcode_runtime::{Engine, StatusView, shapes};
use opcode_store::{DecisionFilter, EventFilter, RunFilter};
use opcode_view::{Diagram, Format, Picture};
use rmcp::ErrorData;
use rmcp::model::{
    ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate,
};
use serde_json::{Value as Json, json};

use crate::skill;
use crate::task::fault;

/// Workflows listed at once.
const PAGE: usize = 50;
/// Events read at once.
const EVENTS: usize = 1_000;
/// Events of one answer; those that follow are paged by `opcode.status`.
const EVENTS_MAX: usize = 10_000;

/// Where a workflow's diagram is.
const DIAGRAM: &str = "workflow://{id}/diagram";
/// What the web calls Mermaid.
const MERMAID: &str = "text/vnd.mermaid";

/// The actions, the skill, and the newest workflows.
pub(crate) async fn list(
    engine: &Engine,
    request: Option<PaginatedRequestParams>,
) -> Result<ListResourcesResult, ErrorData> {
    let cursor = request.and_then(|request| request.cursor);
    let offset = match &cursor {
        None => 0,
        Some(cursor) => {
            let wrong =
                |_| ErrorData::invalid_params(format!("cursor `{cursor}` is none of ours"), None);
            cursor.parse().map_err(wrong)?
        }
    };
    let filter = RunFilter { limit: PAGE + 1, offset, ..RunFilter::default() };
    let mut found = engine.reader().workflows(filter).await.map_err(fault)?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let mut listed = Vec::new();
    if offset == 0 {
        listed
            .push(Resource::new("opcode://actions", "actions").with_mime_type("application/json"));
        listed.push(skill::listed());
    }
    listed.extend(found.iter().map(|summary| {
        let row = &summary.row;
        let name = row.name.as_deref().or(row.template_name.as_deref()).unwrap_or("workflow");
        Resource::new(
            format!("workflow://{}", summary.run),
            format!("{name} ({})", row.status.text()),
        )
        .with_mime_type("application/json")
    }));
    let mut result = ListResourcesResult::with_all_items(listed);
    result.next_cursor = more.then(|| (offset + PAGE).to_string());
    Ok(result)
}

/// What addresses look like.
pub(crate) fn templates() -> ListResourceTemplatesResult {
    let all = [
        ("workflow://{id}", "workflow", "a workflow, its steps and what it waits for"),
        ("workflow://{id}/events", "workflow events", "its log, from the beginning"),
        ("workflow://{id}/output", "workflow output", "its whole output"),
        (DIAGRAM, "workflow diagram", "its steps and their status, as Mermaid"),
        ("workflow://{id}/steps/{step}/output", "step output", "the whole output of a step"),
        ("template://{name}/{version}", "template", "a stored definition"),
        ("decision://{id}", "decision", "a question, open or closed"),
    ];
    let all = all.map(|(uri, name, about)| {
        let kind = if uri == DIAGRAM { MERMAID } else { "application/json" };
        ResourceTemplate::new(uri, name).with_description(about).with_mime_type(kind)
    });
    ListResourceTemplatesResult::with_all_items(all.to_vec())
}

/// Reads one.
pub(crate) async fn read(engine: &Engine, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let unknown = || {
        let data = json!({"uri": uri});
        ErrorData::resource_not_found(format!("there is no resource {uri}"), Some(data))
    };
    let (kind, path) = uri.split_once("://").ok_or_else(unknown)?;
    if let Some(id) = path.strip_suffix("/diagram").filter(|_| kind == "workflow") {
        let text = diagram(engine, id).await?.ok_or_else(unknown)?;
        let contents = ResourceContents::text(text, uri).with_mime_type(MERMAID);
        return Ok(ReadResourceResult::new(vec![contents]));
    }
    let found = match (kind, path) {
        ("opcode", "actions") => Some(json!({"actions": engine.reader().actions()})),
        ("skill", _) => return skill::read(uri).ok_or_else(unknown),
        ("workflow", path) => workflow(engine, path).await?,
        ("template", path) => template(engine, path).await?,
        ("decision", id) => decision(engine, id).await?,
        _ => None,
    };
    let text = found.ok_or_else(unknown)?.to_string();
    let contents = ResourceContents::text(text, uri).with_mime_type("application/json");
    Ok(ReadResourceResult::new(vec![contents]))
}

async fn find(engine: &Engine, id: &str) -> Option<StatusView> {
    let run = RunId::parse(&id.to_lowercase())?;
    engine.reader().status(run).await.ok()
}

async fn diagram(engine: &Engine, id: &str) -> Result<Option<String>, ErrorData> {
    let Some(view) = find(engine, id).await else { return Ok(None) };
    let diagram = Diagram::of_run(&view.plan, &view.run, view.summary.row.name.as_deref());
    match diagram.draw(Format::Mermaid).map_err(fault)? {
        Picture::Text(text) => Ok(Some(text)),
        Picture::Png(_) => Ok(None),
    }
}

async fn workflow(engine: &Engine, path: &str) -> Result<Option<Json>, ErrorData> {
    let (id, part) = path.split_once('/').unwrap_or((path, ""));
    let Some(view) = find(engine, id).await else { return Ok(None) };
    Ok(match part {
        "" => Some(shapes::status(&view)),
        "output" => Some(view.result.output.to_serde()),
        "events" => Some(events(engine, view.run.id).await?),
        part => step_output(&view, part),
    })
}

fn step_output(view: &StatusView, part: &str) -> Option<Json> {
    let path = part.strip_prefix("steps/")?.strip_suffix("/output")?;
    view.result.steps.get(path).map(|step| step.output.to_serde())
}

async fn events(engine: &Engine, run: RunId) -> Result<Json, ErrorData> {
    let mut all = Vec::new();
    let mut after = Seq(0);
    loop {
        let filter = EventFilter { run: Some(run), after, limit: EVENTS, ..EventFilter::default() };
        let page = engine.reader().events(filter).await.map_err(fault)?;
        all.extend(page.iter().map(shapes::event));
        match page.last() {
            Some(last) if all.len() >= EVENTS_MAX => {
                let rest = json!({"workflow_id": run, "cursor": last.seq.0.to_string()});
                return Ok(json!({"events": all, "next": format!("opcode.status {rest}")}));
            }
            Some(last) if page.len() == EVENTS => after = last.seq,
            Some(_) | None => return Ok(json!({"events": all})),
        }
    }
}

async fn template(engine: &Engine, path: &str) -> Result<Option<Json>, ErrorData> {
    let (name, version) = path.rsplit_once('/').unwrap_or((path, "latest"));
    let found = engine.reader().templates(Some(name)).await.map_err(fault)?;
    let one = match version {
        "latest" => found.last(),
        version => found.iter().find(|template| template.version.as_ref() == version),
    };
    Ok(one.map(shapes::template))
}

async fn decision(engine: &Engine, id: &str) -> Result<Option<Json>, ErrorData> {
    let run = id.split_once('_').and_then(|(run, _)| RunId::parse(run));
    let Some(run) = run else { return Ok(None) };
    let filter = DecisionFilter { run: Some(run), closed: true, limit: EVENTS };
    let found = engine.reader().decisions(filter).await.map_err(fault)?;
    Ok(found.iter().find(|row| row.request.id.as_ref() == id).map(shapes::decision))
}
