//! What a tool answers: an object for programs and the same as text for models, a picture, or what went wrong.
//!
//! Keeps: a failure names code, cause, cure and the next useful call; nothing from a workflow is ever an instruction.
//! Not here: what is answered (`tools/`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opcode_model::{ErrorCode, Failure, Problem};
use opcode_runtime::EngineError;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value as Json, json};

/// What a tool answers.
pub(crate) enum Answer {
    /// An object.
    Object(Json),
    /// Text that is no JSON.
    Text(String),
    /// The bytes of a PNG.
    Png(Vec<u8>),
    /// What went wrong.
    Refused(Refused),
}

/// What went wrong, in a tool.
pub(crate) struct Refused {
    text: String,
    structured: Json,
}

impl Refused {
    /// The same, with the next useful call.
    pub(crate) fn next(mut self, call: &str) -> Self {
        self.text.push_str("\nnext: ");
        self.text.push_str(call);
        if let Some(object) = self.structured.as_object_mut() {
            object.insert("next".to_owned(), call.into());
        }
        self
    }

    /// The same, with a call that helps after most refusals of its kind, if none was named.
    pub(crate) fn or_next(self, tool: &str) -> Self {
        if self.structured.get("next").is_some() {
            return self;
        }
        let code = self.structured["error"]["code"].as_str().and_then(ErrorCode::parse);
        let call = match code {
            Some(ErrorCode::NotFound | ErrorCode::Conflict) => {
                r#"opcode.query {"resource":"workflows"}"#.to_owned()
            }
            Some(ErrorCode::PermissionDenied) => {
                r#"opcode.query {"resource":"workflows"}, which takes the least rights"#.to_owned()
            }
            Some(_) | None => format!("{tool} again, with what the message asks for"),
        };
        self.next(&call)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let hint = failure.code.hint();
        let text = format!("{failure}\nhint: {hint}");
        let mut error = serde_json::to_value(&failure).unwrap_or_default();
        error["hint"] = hint.into();
        Self { text, structured: json!({"error": error}) }
    }
}

impl From<EngineError> for Refused {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Problems(problems) => problems.into(),
            EngineError::Failure(failure) => failure.into(),
        }
    }
}

impl From<Vec<Problem>> for Refused {
    fn from(problems: Vec<Problem>) -> Self {
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        let code = problems.first().map_or(ErrorCode::Validation, |problem| problem.code);
        let mut text = format!("[{code}] the definition has {errors} error(s)");
        for problem in &problems {
            text.push_str("\n- ");
            text.push_str(&problem.to_string());
            for patch in &problem.fix {
                text.push_str("\n  fix: ");
                text.push_str(&serde_json::to_string(patch).unwrap_or_default());
            }
        }
        let message = format!("the definition has {errors} error(s)");
        Self {
            text,
            structured: json!({"error": {"code": code, "message": message}, "problems": problems}),
        }
    }
}

impl From<Answer> for CallToolResult {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Object(object) => Self::structured(object),
            Answer::Text(text) => Self::success(vec![ContentBlock::text(text)]),
            Answer::Png(bytes) => {
                let data = STANDARD.encode(bytes);
                Self::success(vec![ContentBlock::image(data, "image/png")])
            }
            Answer::Refused(refused) => {
                let mut result = Self::error(vec![ContentBlock::text(refused.text)]);
                result.structured_content = Some(refused.structured);
                result
            }
        }
    }
}
