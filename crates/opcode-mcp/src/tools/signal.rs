//! `opcode.signal`: answers a decision, hands in data, cancels, retries or skips; then waits a while.
//!
//! Keeps: on disk before the answer; a second one with the same key changes nothing.
//! Not here: what a signal does (`opcode-engine`).

use opcode_model::{ErrorCode, Signal, SignalKind};
use opcode_runtime::Role;
use serde_json::json;

use super::run::finish;
use super::{Desk, Page, param, schema};
use crate::answer::{Answer, Refused};
use crate::args::Args;
use crate::progress::Ear;

const KINDS: [(&str, SignalKind); 5] = [
    ("decision", SignalKind::Decision),
    ("data", SignalKind::Data),
    ("cancel", SignalKind::Cancel),
    ("retry", SignalKind::Retry),
    ("skip", SignalKind::Skip),
];

pub(super) fn page() -> Page {
    Page {
        name: "opcode.signal",
        title: "Signal a workflow",
        about: "decision: payload {choice, data?} answers step_id. data: any payload, to the wait named signal_name or step_id. cancel, retry, skip: the workflow, or step_id. Waits for what follows like opcode.run.",
        input: schema(
            &["workflow_id", "signal_type", "payload"],
            json!({
                "workflow_id": param("string", ""),
                "signal_type": {"type": "string", "enum": KINDS.map(|(word, _)| word)},
                "payload": param("object", ""),
                "step_id": param("string", ""),
                "signal_name": param("string", ""),
                "agent_id": param("string", ""),
                "reasoning": param("string", ""),
                "wait": param("string", ""),
                "idempotency_key": param("string", ""),
            }),
        ),
        output: &[
            ("ok", "boolean"),
            ("workflow_id", "string"),
            ("signal_type", "string"),
            ("status", "string"),
            ("steps", "object"),
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
    desk.may(Role::Agent, "opcode.signal")?;
    let run = args.workflow("workflow_id")?;
    let wait = args.wait()?;
    let kind = args.needed_word("signal_type", &KINDS)?;
    let claimed = args.text("agent_id")?;
    let payload = args.object("payload")?;
    let named = payload.find("signal").and_then(opcode_model::Value::as_str).map(Into::into);
    let signal = Signal {
        kind,
        step_id: args.text("step_id")?,
        name: args.text("signal_name")?.or(named),
        agent_id: desk.caller.acts_as(claimed.as_deref())?,
        payload,
        reasoning: args.text("reasoning")?,
        id: args.text("idempotency_key")?,
    };
    desk.engine.signal(run, signal).await.map_err(|failure| {
        let next = match failure.message.contains("workflow") && failure.code == ErrorCode::NotFound
        {
            true => r#"opcode.query {"resource":"workflows"}"#.to_owned(),
            false => format!("opcode.status {}", json!({"workflow_id": run})),
        };
        super::refused(failure, &next)
    })?;
    let answer = finish(desk, run, wait, ear).await?;
    Ok(match answer {
        Answer::Object(mut object) => {
            object["ok"] = true.into();
            object["signal_type"] = kind.text().into();
            if kind == SignalKind::Decision {
                object["resumed"] = true.into();
            }
            Answer::Object(object)
        }
        other @ (Answer::Text(_) | Answer::Png(_) | Answer::Refused(_)) => other,
    })
}
