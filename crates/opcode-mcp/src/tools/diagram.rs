//! `opcode.diagram`: draws a template, or a run with how far it has come.
//!
//! Keeps: a picture is image content, the rest is text; nothing of a run is in the drawing of a template.
//! Not here: how anything is drawn (`opcode-view`).

use opcode_model::{ErrorCode, Failure};
use opcode_runtime::{EngineError, Role, Source};
use opcode_view::{Diagram, Format, Picture};
use serde_json::json;

use super::{Desk, Page, param, schema};
use crate::answer::{Answer, Refused};
use crate::args::Args;

const FORMATS: [(&str, Format); 4] = [
    ("ascii", Format::Ascii),
    ("mermaid", Format::Mermaid),
    ("svg", Format::Svg),
    ("image", Format::Png),
];

pub(super) fn page() -> Page {
    Page {
        name: "opcode.diagram",
        title: "Draw a workflow",
        about: "Draw a template, or a workflow with the status of its steps. image is a PNG.",
        input: schema(
            &["format"],
            json!({
                "format": {"type": "string", "enum": FORMATS.map(|(word, _)| word)},
                "template_name": param("string", ""),
                "version": param("string", ""),
                "workflow_id": param("string", ""),
                "include_status": param("boolean", "default: true"),
            }),
        ),
        output: &[],
        hints: [true, false, true, false],
    }
}

pub(super) async fn call(desk: &Desk<'_>, args: &Args) -> Result<Answer, Refused> {
    desk.may(Role::Viewer, "opcode.diagram")?;
    let format = args.needed_word("format", &FORMATS)?;
    let diagram = find(desk, args).await?;
    Ok(match diagram.draw(format)? {
        Picture::Text(text) => Answer::Text(text),
        Picture::Png(bytes) => Answer::Png(bytes),
    })
}

/// What is to be drawn; a workflow, if both are named.
async fn find(desk: &Desk<'_>, args: &Args) -> Result<Diagram, Refused> {
    let reader = desk.engine.reader();
    if args.find("workflow_id").is_some() {
        let run = args.workflow("workflow_id")?;
        let wants_status = args.find("include_status").is_none() || args.flag("include_status")?;
        let view = reader.status(run).await.map_err(|failure| {
            super::refused(failure, r#"opcode.query {"resource":"workflows"}"#)
        })?;
        let name = view.summary.row.name.as_deref();
        return Ok(match wants_status {
            true => Diagram::of_run(&view.plan, &view.run, name),
            false => Diagram::of_plan(&view.plan, name),
        });
    }
    let Some(name) = args.text("template_name")? else {
        let message = "at least one of template_name or workflow_id is required";
        return Err(Failure::new(ErrorCode::Validation, message).into());
    };
    let version = args.text("version")?.filter(|version| version.as_ref() != "latest");
    let source = Source::Template { name: name.clone(), version };
    let (plan, _) = reader.plan(&source).await.map_err(|error| match error {
        EngineError::Failure(failure) if failure.code == ErrorCode::NotFound => {
            super::refused(failure, r#"opcode.query {"resource":"templates"}"#)
        }
        other @ (EngineError::Failure(_) | EngineError::Problems(_)) => other.into(),
    })?;
    Ok(Diagram::of_plan(&plan, Some(&name)))
}
