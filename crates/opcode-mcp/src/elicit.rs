//! Decisions put to whoever sits before the client: as a form in its session, or as a round of the same call.
//!
//! Keeps: a workflow waits whether anybody answers or not; what is sealed into a round is ours, that caller's and that tool's.
//! Not here: runs as tasks (`task.rs`), what an answer does (`opcode-engine`).

use std::sync::Arc;
use std::time::Duration;

use opcode_model::{Failure, RunId};
use opcode_runtime::Role;
use opcode_store::DecisionRow;
use rmcp::model::{
    CallToolResponse, CallToolResult, ElicitationCapability, InputRequiredResult, InputResponses,
    RequestStateCodec, SealOptions,
};
use rmcp::service::{ElicitationMode, RequestContext};
use rmcp::{ErrorData, RoleServer};

use crate::answer::Answer;
use crate::args::Args;
use crate::progress::Ear;
use crate::task::{accepted, fault, form, pass_on, questions, refused};
use crate::tools::{Desk, finish};

/// How long somebody may look at a form.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a round may take.
const ROUND: Duration = Duration::from_secs(24 * 3600);
/// Forms shown for one call.
const FORMS_MAX: usize = 10;
/// What the key for rounds is for.
const KEY: &str = "mcp-request-state";

/// Whether a request belongs to a session, over which its client can be told and asked things.
pub(crate) fn is_session(context: &RequestContext<RoleServer>) -> bool {
    let parts = context.extensions.get::<axum::http::request::Parts>();
    let over_http = parts.is_some_and(|parts| !parts.headers.contains_key("mcp-session-id"));
    context.meta.client_capabilities().is_none() && !over_http
}

/// How a client can be asked.
enum Way {
    /// A form in its session.
    Form,
    /// Another round of the call.
    Round,
    /// Not at all.
    None,
}

fn way(context: &RequestContext<RoleServer>) -> Way {
    if let Some(capabilities) = context.meta.client_capabilities() {
        let takes_forms = |it: &ElicitationCapability| it.form.is_some() || it.url.is_none();
        return match capabilities.elicitation.as_ref().is_some_and(takes_forms) {
            true => Way::Round,
            false => Way::None,
        };
    }
    let modes = context.peer.supported_elicitation_modes();
    match is_session(context) && modes.contains(&ElicitationMode::Form) {
        true => Way::Form,
        false => Way::None,
    }
}

/// One call that may end with a question.
pub(crate) struct Asking<'a> {
    pub(crate) desk: &'a Desk<'a>,
    pub(crate) context: &'a RequestContext<RoleServer>,
    pub(crate) tool: &'static str,
    pub(crate) args: &'a Args,
    /// Whom the caller acts as.
    pub(crate) agent: Option<Arc<str>>,
}

impl Asking<'_> {
    /// Puts the questions of a suspended run, if the client can be asked; else answers as it is.
    pub(crate) async fn ask(&self, answer: Answer) -> Result<CallToolResponse, ErrorData> {
        let mut answer = answer;
        if !matches!(self.tool, "opcode.run" | "opcode.signal") {
            return Ok(CallToolResult::from(answer).into());
        }
        for _ in 0..FORMS_MAX {
            let Some(run) = suspended(&answer) else { break };
            let open = self.open(run).await?;
            match way(self.context) {
                Way::None => break,
                Way::Round if open.is_empty() => break,
                Way::Round => return self.round(run, &open).await,
                Way::Form => match self.put(&open).await? {
                    true => answer = self.go_on(run, None).await,
                    false => break,
                },
            }
        }
        Ok(CallToolResult::from(answer).into())
    }

    /// Questions that are for this agent, or for anybody.
    async fn open(&self, run: RunId) -> Result<Vec<DecisionRow>, ErrorData> {
        let view = self.desk.engine.reader().status(run).await.map_err(fault)?;
        let is_ours = |row: &DecisionRow| {
            row.request.target_agent.is_none() || row.request.target_agent == self.agent
        };
        Ok(view.decisions.into_iter().filter(is_ours).collect())
    }

    async fn go_on(&self, run: RunId, ear: Option<Ear>) -> Answer {
        let wait = match self.args.wait() {
            Ok(wait) => wait,
            Err(failure) => return Answer::Refused(failure.into()),
        };
        finish(self.desk, run, wait, ear).await.unwrap_or_else(Answer::Refused)
    }

    /// Shows the first question; whether it was answered.
    async fn put(&self, open: &[DecisionRow]) -> Result<bool, ErrorData> {
        let Some((row, form)) = open.iter().find_map(|row| Some((row, form(row)?))) else {
            return Ok(false);
        };
        let peer = &self.context.peer;
        let asked = peer.create_elicitation_with_timeout(form.params, Some(PATIENCE)).await;
        let answer = match asked {
            Ok(answer) => serde_json::to_value(answer).unwrap_or_default(),
            Err(cause) => {
                tracing::debug!(%cause, "nobody answered a form");
                return Ok(false);
            }
        };
        let Some(signal) = accepted(row, &answer, self.agent.as_ref()) else { return Ok(false) };
        self.desk.engine.signal(row.run, signal).await.map_err(refused)?;
        Ok(true)
    }

    async fn round(&self, run: RunId, open: &[DecisionRow]) -> Result<CallToolResponse, ErrorData> {
        let bound = self.bound();
        let options = SealOptions::new().associated_data(bound.as_bytes()).ttl(ROUND);
        let state = self.codec().await?.seal_with(run.to_string().as_bytes(), &options);
        Ok(InputRequiredResult::new(Some(questions(open)), Some(state)).into())
    }

    /// Takes what was answered in a round, and goes on with its run.
    pub(crate) async fn next_round(
        &self,
        state: &str,
        answers: &InputResponses,
        ear: Option<Ear>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.desk.may(Role::Agent, self.tool).map_err(refused)?;
        let bound = self.bound();
        let sealed = self.codec().await?.open_with(state, bound.as_bytes());
        let run = sealed.ok().and_then(|text| RunId::parse(std::str::from_utf8(&text).ok()?));
        let Some(run) = run else {
            let message = "requestState is none of ours, or over; opcode.status says where it is";
            return Err(ErrorData::invalid_params(message, None));
        };
        let open = self.open(run).await?;
        let answered = pass_on(self.desk.engine, &open, answers, self.agent.as_ref()).await?;
        let answer = self.go_on(run, ear).await;
        // Who answered nothing is asked again; who declined is not.
        let declined = answers.values().any(|answer| answer["action"] != "accept");
        if declined && answered > 0 {
            return Ok(CallToolResult::from(answer).into());
        }
        Box::pin(self.ask(answer)).await
    }

    /// What a round is bound to beside its run.
    fn bound(&self) -> String {
        let agent = self.agent.as_deref().unwrap_or_default();
        format!("{}\n{}\n{agent}", self.tool, self.desk.caller.name)
    }

    async fn codec(&self) -> Result<RequestStateCodec, ErrorData> {
        let key = self.desk.engine.reader().keys().find(KEY).await.map_err(fault)?;
        let unfit = |cause: rmcp::model::RequestStateError| {
            fault(Failure::new(opcode_model::ErrorCode::Internal, cause.to_string()))
        };
        RequestStateCodec::try_new(key).map_err(unfit)
    }
}

/// The run of an answer that says it is suspended.
fn suspended(answer: &Answer) -> Option<RunId> {
    let Answer::Object(object) = answer else { return None };
    let id = object["workflow_id"].as_str().filter(|_| object["status"] == "suspended")?;
    RunId::parse(id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn only_a_suspended_run_asks() {
        let id = "01a1ffac-da0f-74f9-9ace-5f1e1fb86c53";
        let of = |status: &str| Answer::Object(json!({"workflow_id": id, "status": status}));
        assert_eq!(suspended(&of("suspended")), RunId::parse(id));
        assert_eq!(suspended(&of("active")), None);
        assert_eq!(suspended(&Answer::Object(Json::Null)), None);
    }
}
