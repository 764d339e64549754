//! `opcode.run`: starts a template, and waits for it a while.
//!
//! Keeps: on disk before the answer; a client that goes away stops nothing.
//! Not here: runs as tasks (`task.rs`).

use std::time::Duration;

use opcode_model::{ErrorCode, RunId};
use opcode_runtime::{EngineError, Role, RunAnswer, RunRequest, Source, Wait};
use serde_json::json;

use super::status::{Detail, of};
use super::{Desk, Page, next_for, param, schema};
use crate::answer::{Answer, Refused};
use crate::args::Args;
use crate::progress::Ear;

pub(super) fn page() -> Page {
    Page {
        name: "opcode.run",
        title: "Run a workflow",
        about: "Start a template and wait for it (default 50s). Answers completed, failed, suspended (a decision is open: see pending_decisions and next) or active (it goes on by itself; ask opcode.status).",
        input: schema(
            &["template_name", "agent_id"],
            json!({
                "template_name": param("string", ""),
                "version": param("string", "default: latest"),
                "params": param("object", "inputs"),
                "agent_id": param("string", ""),
                "wait": param("string", "such as 50s; 0s returns at once"),
                "idempotency_key": param("string", "one run for each key"),
            }),
        ),
        output: &[
            ("workflow_id", "string"),
            ("status", "string"),
            ("error", "object"),
            ("steps", "object"),
            ("pending_decisions", "array"),
            ("next", "string"),
        ],
        hints: [false, true, false, true],
    }
}

pub(super) async fn call(
    desk: &Desk<'_>,
    args: &Args,
    ear: Option<Ear>,
) -> Result<Answer, Refused> {
    let wait = args.wait()?;
    let run = begin(desk, args).await?;
    finish(desk, run, wait, ear).await
}

/// Starts it; it is on disk when this returns.
pub(crate) async fn begin(desk: &Desk<'_>, args: &Args) -> Result<RunId, Refused> {
    desk.may(Role::Agent, "opcode.run")?;
    let claimed = args.needed("agent_id")?;
    let name = args.needed("template_name")?;
    let request = RunRequest {
        source: Source::Template { name, version: args.text("version")? },
        name: None,
        params: args.object("params")?,
        agent_id: desk.caller.acts_as(Some(&claimed))?,
        idempotency_key: args.text("idempotency_key")?,
        wait: Wait::Started,
        trace: desk.trace,
    };
    match desk.engine.run(request).await {
        Ok(RunAnswer::Started(run)) => Ok(run),
        Ok(RunAnswer::Settled(result) | RunAnswer::Ongoing(result)) => Ok(result.workflow_id),
        Err(EngineError::Failure(failure)) if failure.code == ErrorCode::NotFound => {
            Err(super::refused(failure, r#"opcode.query {"resource":"templates"}"#))
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits for a run, telling of its steps; answers where it is then.
pub(crate) async fn finish(
    desk: &Desk<'_>,
    run: RunId,
    wait: Duration,
    ear: Option<Ear>,
) -> Result<Answer, Refused> {
    if !wait.is_zero() {
        let settled = desk.engine.wait(run, Some(wait));
        match ear {
            Some(ear) => ear.tell_until(run, settled).await?,
            None => settled.await?,
        };
    }
    let view = desk.engine.reader().status(run).await?;
    let detail = if desk.is_full { Detail::Full } else { Detail::Default };
    let mut answer = of(desk, &view, detail).await?;
    if let Some(object) = answer.as_object_mut() {
        // The log is for `opcode.status`.
        object.remove("events");
        object.remove("events_cursor");
        if let Some(next) = next_for(&view) {
            object.insert("next".to_owned(), next.into());
        }
    }
    Ok(Answer::Object(answer))
}
