//! The handler set behind every transport.
//!
//! Keeps: what each call does is in its tool; here is only who asks and in which way the answer goes back.
//! Not here: transports (`lib.rs`, `sse.rs`), tools (`tools/`).

use std::sync::Arc;

use opcode_model::TraceParent;
use opcode_runtime::{Actor, Caller, Engine, Role};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams,
    CompleteRequestParams, CompleteResult, CreateTaskResult, GetPromptRequestParams,
    GetPromptResponse, GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult,
    Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListSkillsResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, UpdateTaskParams,
};
use rmcp::model::{SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::args::Args;
use crate::elicit::{self, Asking};
use crate::progress::Ear;
use crate::sessions::{Session, Sessions};
use crate::subscribe::{ADDRESSES_MAX, Watch, run_of};
use crate::tools::Desk;
use crate::{prompts, resources, skill, task, tools};

/// What every client is told at first; Claude Code cuts it at 2,048 characters.
const INSTRUCTIONS: &str = include_str!("instructions.md");

/// How tools are listed; either way is understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// `opcode.run`.
    #[default]
    Dotted,
    /// `opcode_run`, for hosts that refuse dots.
    Underscore,
}

/// An engine, as MCP clients see it.
#[derive(Clone)]
pub struct Face {
    pub(crate) engine: Engine,
    names: Names,
    /// Who calls, where no request says so.
    caller: Option<Caller>,
    is_full: bool,
    sessions: Sessions,
    session: Arc<Session>,
}

impl Face {
    /// A face of an engine. Over HTTP, who calls is found in the request; without one nobody is let in.
    pub fn new(engine: Engine, names: Names) -> Self {
        let sessions = Sessions::begin(&engine);
        let session = Arc::default();
        Self { engine, names, caller: None, is_full: false, sessions, session }
    }

    /// The same for one more session.
    #[must_use]
    pub(crate) fn of_a_session(&self) -> Self {
        Self { session: Arc::default(), ..self.clone() }
    }

    /// The same for a transport that has one caller for all its requests.
    #[must_use]
    pub fn for_caller(mut self, caller: Caller) -> Self {
        self.caller = Some(caller);
        self
    }

    /// The same for old clients, that expect everything at once.
    #[must_use]
    pub(crate) fn in_full(mut self) -> Self {
        self.is_full = true;
        self
    }

    /// Who calls.
    pub(crate) fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        let parts = context.extensions.get::<axum::http::request::Parts>();
        let found = parts.and_then(|parts| parts.extensions.get::<Caller>()).cloned();
        found
            .or_else(|| self.caller.clone())
            .ok_or_else(|| ErrorData::invalid_request("who calls is not known", None))
    }

    /// Notes which agent a session speaks for, so that it can be told things.
    async fn meet(&self, agent: Option<&Arc<str>>, context: &RequestContext<RoleServer>) {
        if let Some(agent) = agent.filter(|_| elicit::is_session(context))
            && self.session.is_news(agent)
        {
            self.sessions.meet(agent, &context.peer, &self.session).await;
        }
    }

    /// What a call works with.
    fn desk<'a>(&self, engine: &'a Engine, caller: &'a Caller) -> Desk<'a> {
        Desk { engine, caller, is_full: self.is_full, trace: None }
    }

    fn names(&self, context: &RequestContext<RoleServer>) -> Names {
        let parts = context.extensions.get::<axum::http::request::Parts>();
        let query = parts.and_then(|parts| parts.uri.query()).unwrap_or_default();
        let wished = query.split('&').find_map(|pair| pair.strip_prefix("names="));
        match wished {
            Some("underscore") => Names::Underscore,
            Some("dotted") => Names::Dotted,
            Some(_) | None => self.names,
        }
    }
}

/// The trace a call belongs to: as its `_meta` says, or the HTTP request it came in.
fn trace(context: &RequestContext<RoleServer>) -> Option<TraceParent> {
    let said = context.meta.get("traceparent").and_then(|value| value.as_str());
    let parts = context.extensions.get::<axum::http::request::Parts>();
    let header = || parts?.headers.get("traceparent")?.to_str().ok();
    said.or_else(header).and_then(TraceParent::parse)
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_prompts()
            .enable_tasks()
            .enable_skills()
            .build();
        capabilities.logging = Some(rmcp::model::JsonObject::default());
        capabilities.completions = Some(rmcp::model::JsonObject::default());
        ServerConfig::new(capabilities)
            .with_server_info(
                Implementation::new("opcode", env!("CARGO_PKG_VERSION")).with_title("opcode"),
            )
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::list(self.names(&context))))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = self.caller(&context)?;
        let Some(name) = tools::resolve(&request.name) else {
            let message = format!("tool '{}' not found", request.name);
            return Err(ErrorData::invalid_params(message, None));
        };
        let engine = self.engine.by(Actor::new(&caller, "mcp"));
        let desk = Desk { trace: trace(&context), ..self.desk(&engine, &caller) };
        let args = Args::new(request.arguments);
        // Said with the request: clients of older sessions name the extension too, and cannot read a task.
        let wants_task = context.meta.client_capabilities().is_some_and(|it| it.supports_tasks());
        if name == "opcode.run" && wants_task {
            let begun = match tools::check(name, &args) {
                Ok(()) => tools::begin(&desk, &args).await,
                Err(failure) => Err(failure.into()),
            };
            return Ok(match begun {
                Ok(run) => {
                    let view = self.engine.reader().status(run).await.map_err(task::fault)?;
                    CallToolResponse::Task(CreateTaskResult::new(task::of(&view)))
                }
                Err(refused) => {
                    CallToolResult::from(crate::answer::Answer::Refused(refused)).into()
                }
            });
        }
        let agent = args.text("agent_id").ok().flatten();
        let agent = caller.acts_as(agent.as_deref()).unwrap_or_default();
        if caller.role >= Role::Agent && tools::names_agent(name) {
            self.meet(agent.as_ref(), &context).await;
        }
        let token = context.meta.get_progress_token();
        let ear = token.map(|token| Ear::new(&self.engine, context.peer.clone(), token));
        let asking = Asking { desk: &desk, context: &context, tool: name, args: &args, agent };
        if let Some(state) = &request.request_state {
            let answers = request.input_responses.unwrap_or_default();
            return asking.next_round(state, &answers, ear).await;
        }
        let answer = tools::call(&desk, name, &args, ear).await;
        asking.ask(answer).await
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        let known = requested.resource_subscriptions.iter().flatten();
        let known = known.filter(|uri| run_of(uri).is_some()).take(ADDRESSES_MAX).cloned();
        Some(SubscriptionFilter::builder().resource_subscriptions(known).build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let uris = context.accepted().resource_subscriptions.clone().unwrap_or_default();
        let mut watch = Watch::new(&self.engine, uris);
        loop {
            let changed = tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = watch.next() => changed,
            };
            let Some(changed) = changed else { return Ok(()) };
            for uri in changed {
                if context.sink().notify_resource_updated(uri).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.caller(&context)?;
        let uri = request.uri;
        if run_of(&uri).is_none() {
            let message = format!("{uri} never changes, or there is no such thing");
            return Err(ErrorData::resource_not_found(message, None));
        }
        if self.session.watch(&self.engine, context.peer, uri) {
            return Ok(());
        }
        let message = format!("a session subscribes to at most {ADDRESSES_MAX} addresses");
        Err(ErrorData::invalid_params(message, None))
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.session.unwatch(&request.uri);
        Ok(())
    }

    #[expect(deprecated, reason = "sessions of older versions say so how much they hear")]
    async fn set_level(
        &self,
        request: rmcp::model::SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !elicit::is_session(&context) {
            return Err(ErrorData::method_not_found::<rmcp::model::SetLevelRequestMethod>());
        }
        self.session.set_level(request.level);
        Ok(())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.caller(&context)?;
        resources::list(&self.engine, request).await
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.caller(&context)?;
        Ok(resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.caller(&context)?;
        resources::read(&self.engine, &request.uri).await.map(Into::into)
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        self.caller(&context)?;
        Ok(ListSkillsResult::with_all_items(vec![skill::whole()]))
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        self.caller(&context)?;
        skill::get(&request.uri)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::list()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.caller(&context)?;
        prompts::get(&self.engine, request).await.map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.caller(&context)?;
        prompts::complete(&self.engine, request).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let caller = self.caller(&context)?;
        let view = task::find(&self.engine, &request.task_id).await?;
        let engine = self.engine.by(Actor::new(&caller, "mcp"));
        let desk = self.desk(&engine, &caller);
        Ok(GetTaskResult::new(task::detailed(&desk, &view).await?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let caller = self.caller(&context)?;
        let engine = self.engine.by(Actor::new(&caller, "mcp"));
        task::update(&self.desk(&engine, &caller), request).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let caller = self.caller(&context)?;
        let engine = self.engine.by(Actor::new(&caller, "mcp"));
        task::cancel(&self.desk(&engine, &caller), &request.task_id).await
    }
}
