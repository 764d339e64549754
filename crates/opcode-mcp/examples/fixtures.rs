//! Tools, prompts and resources that the protocol's conformance suite asks for, behind the transport that ships.
//!
//! Keeps: what they answer stands in `conformance/fixtures.json`; only what speaks while it works is written here.
//! Not here: opcode's own tools.

#![expect(deprecated, reason = "the suite asks for logging and sampling of older versions")]
#![expect(clippy::print_stdout, reason = "whoever starts it waits for its address")]

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
    CompletionInfo, ContentBlock, CreateMessageRequestParams, ElicitRequestParams,
    ElicitationSchema, GetPromptRequestParams, GetPromptResponse, GetPromptResult, JsonObject,
    ListPromptsResult, ListResourcesResult, ListToolsResult, LoggingLevel,
    LoggingMessageNotificationParam, PaginatedRequestParams, ProgressNotificationParam, Prompt,
    PromptArgument, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams, Tool,
    UnsubscribeRequestParams,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

/// Between two things that a tool says while it works.
const PAUSE: Duration = Duration::from_millis(50);

/// What is answered to what.
fn fixtures() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| {
        let text = include_str!("../../../conformance/fixtures.json");
        let data: Value = serde_json::from_str(text).unwrap_or_default();
        let filled = ["PNG", "WAV"].iter().fold(text.to_owned(), |text, name| {
            let bytes = data[name].as_str().unwrap_or_default();
            text.replace(&format!(": \"{name}\""), &format!(": \"{bytes}\""))
        });
        serde_json::from_str(&filled).unwrap_or_default()
    })
}

fn names(of: &str) -> impl Iterator<Item = (&'static String, &'static Value)> {
    fixtures()[of].as_object().into_iter().flatten()
}

fn broken(cause: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(cause.to_string(), None)
}

fn unknown(what: &str) -> ErrorData {
    ErrorData::invalid_params(format!("there is no {what}"), Some(json!({"uri": what})))
}

fn said(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

#[derive(Clone)]
struct Fixtures;

type Context = RequestContext<RoleServer>;

/// Says three things, with pauses between them.
async fn logs(context: &Context) -> Result<CallToolResult, ErrorData> {
    for text in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(text));
        context.peer.notify_logging_message(message).await.map_err(broken)?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(said("logged three times"))
}

async fn progresses(context: &Context) -> Result<CallToolResult, ErrorData> {
    for done in [0.0, 50.0, 100.0] {
        if let Some(token) = context.meta.get_progress_token() {
            let progress = ProgressNotificationParam::new(token, done).with_total(100.0);
            context.peer.notify_progress(progress).await.map_err(broken)?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(said("done in three parts"))
}

async fn samples(context: &Context, arguments: &JsonObject) -> Result<CallToolResult, ErrorData> {
    let content = json!({"type": "text", "text": arguments.get("prompt")});
    let wish = json!({"messages": [{"role": "user", "content": content}], "maxTokens": 100});
    let wish: CreateMessageRequestParams = serde_json::from_value(wish).map_err(broken)?;
    let answer = context.peer.create_message(wish).await.map_err(broken)?;
    let answer = serde_json::to_value(answer).map_err(broken)?;
    Ok(said(format!("LLM response: {}", answer["content"]["text"].as_str().unwrap_or_default())))
}

/// Shows a form, and says what was answered.
async fn elicits(
    context: &Context,
    form: &Value,
    arguments: &JsonObject,
) -> Result<CallToolResult, ErrorData> {
    let message = arguments.get("message").and_then(Value::as_str).unwrap_or("Please fill this in");
    let schema = form.as_object().cloned().unwrap_or_default();
    let params = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: ElicitationSchema::from_json_schema(schema).map_err(broken)?,
    };
    let answer = context.peer.create_elicitation(params).await.map_err(broken)?;
    let answer = serde_json::to_value(answer).map_err(broken)?;
    let (action, content) = (&answer["action"], &answer["content"]);
    Ok(said(format!("Elicitation completed: action={action}, content={content}")))
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_prompts()
            .build();
        capabilities.logging = Some(JsonObject::default());
        capabilities.completions = Some(JsonObject::default());
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |(name, of): (&String, &Value)| {
            let input = of["input"].as_object().cloned();
            let input = input.unwrap_or_else(|| {
                json!({"type": "object"}).as_object().cloned().unwrap_or_default()
            });
            Tool::new(name.clone(), "a fixture", input)
        };
        Ok(ListToolsResult::with_all_items(names("tools").map(tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        let fixture = &fixtures()["tools"][request.name.as_ref()];
        let arguments = request.arguments.unwrap_or_default();
        let result = match request.name.as_ref() {
            "test_tool_with_logging" => logs(&context).await?,
            "test_tool_with_progress" => progresses(&context).await?,
            "test_sampling" => samples(&context, &arguments).await?,
            _ if fixture["form"].is_object() => {
                elicits(&context, &fixture["form"], &arguments).await?
            }
            _ if fixture["result"].is_object() => {
                let result = &fixture["result"];
                let content = serde_json::from_value(result["content"].clone()).map_err(broken)?;
                match result["isError"] == true {
                    true => CallToolResult::error(content),
                    false => CallToolResult::success(content),
                }
            }
            name => return Err(unknown(name)),
        };
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all = names("resources").map(|(uri, _)| Resource::new(uri.clone(), uri.clone()));
        Ok(ListResourcesResult::with_all_items(all.collect()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let mut found = fixtures()["resources"][&request.uri].clone();
        if found.is_null() {
            return Err(unknown(&request.uri));
        }
        found["uri"] = request.uri.into();
        let contents = serde_json::from_value(found).map_err(broken)?;
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompt = |(name, of): (&String, &Value)| {
            let arguments = of["arguments"].as_array().into_iter().flatten();
            let arguments = arguments.filter_map(Value::as_str);
            let arguments = arguments.map(|name| PromptArgument::new(name).with_required(true));
            Prompt::new(name.clone(), Some("a fixture"), Some(arguments.collect()))
        };
        Ok(ListPromptsResult::with_all_items(names("prompts").map(prompt).collect()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let messages = &fixtures()["prompts"][&request.name]["messages"];
        if messages.is_null() {
            return Err(unknown(&request.name));
        }
        let given = request.arguments.unwrap_or_default();
        let filled = given.iter().fold(messages.to_string(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default())
        });
        let messages = serde_json::from_str(&filled).map_err(broken)?;
        Ok(GetPromptResult::new(messages).into())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: Context,
    ) -> Result<CompleteResult, ErrorData> {
        Ok(CompleteResult::new(CompletionInfo::default()))
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("serving http://{}", listener.local_addr()?);
    let transport = opcode_mcp::transport(|| Fixtures);
    let router = axum::Router::new().route_service("/mcp", transport);
    axum::serve(listener, Arc::new(router).as_ref().clone()).await?;
    Ok(())
}
