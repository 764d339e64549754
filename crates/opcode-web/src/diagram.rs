//! Diagrams of workflows and templates: `GET …/diagram?format=ascii|mermaid|svg|png`.
//!
//! Keeps: a picture in a browser can load nothing, run nothing, and is no page of ours.
//! Not here: how anything is drawn (`opcode-view`).

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use opcode_runtime::Source;
use opcode_view::{Diagram, Format};
use serde::Deserialize;

use crate::Web;
use crate::api::{Answer, Looks, invalid, workflow_id};
use crate::refusal::Refusal;

/// What a browser may do with a picture: show it.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// How it is wished.
#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    format: Option<String>,
    version: Option<Arc<str>>,
    include_status: Option<bool>,
}

type Given = Result<Query<Wish>, QueryRejection>;

fn read(given: Given) -> Result<(Wish, Format), Refusal> {
    let Query(wish) = given.map_err(|rejection| invalid(rejection.body_text()))?;
    let word = wish.format.as_deref().unwrap_or("svg");
    let format = Format::parse(word)
        .ok_or_else(|| invalid(format!("format is ascii, mermaid, svg or png, not `{word}`")))?;
    Ok((wish, format))
}

pub(crate) async fn of_workflow(
    State(web): State<Web>,
    _: Looks,
    Path(id): Path<String>,
    given: Given,
) -> Answer {
    let (wish, format) = read(given)?;
    let view = web.engine.reader().status(workflow_id(&id)?).await?;
    let name = view.summary.row.name.as_deref();
    let diagram = match wish.include_status.unwrap_or(true) {
        true => Diagram::of_run(&view.plan, &view.run, name),
        false => Diagram::of_plan(&view.plan, name),
    };
    answer(&diagram, format)
}

pub(crate) async fn of_template(
    State(web): State<Web>,
    _: Looks,
    Path(name): Path<String>,
    given: Given,
) -> Answer {
    let (wish, format) = read(given)?;
    let source = Source::Template { name: name.as_str().into(), version: wish.version };
    let (plan, _) = web.engine.reader().plan(&source).await?;
    answer(&Diagram::of_plan(&plan, Some(&name)), format)
}

fn answer(diagram: &Diagram, format: Format) -> Answer {
    let head = [
        ("content-type", format.media_type()),
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
    ];
    Ok((head, diagram.draw(format)?.into_bytes()).into_response())
}
