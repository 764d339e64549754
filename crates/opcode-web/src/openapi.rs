//! The API described for programs: OpenAPI 3.1, made of the very list that the routes are made of.
//!
//! Keeps: a route that is not described cannot be added; bodies are described by the types that read them.
//! Not here: what an operation does (`api.rs`). Format: <https://spec.openapis.org/oas/v3.1.0>.

use axum::Json;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use opcode_model::RunStatus;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::Web;
use crate::api::operations;

/// One thing that can be done.
pub(crate) struct Operation {
    method: &'static str,
    pub(crate) path: &'static str,
    about: &'static str,
    query: Vec<&'static str>,
    headers: &'static [&'static str],
    body: Option<Value>,
    gives: Value,
    pub(crate) handler: MethodRouter<Web>,
}

impl Operation {
    fn new(
        method: &'static str,
        path: &'static str,
        about: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        let (query, headers, body) = (Vec::new(), &[][..], None);
        Self { method, path, about, query, headers, body, gives: Value::Null, handler }
    }

    /// Reads.
    pub(crate) fn get(path: &'static str, about: &'static str, handler: MethodRouter<Web>) -> Self {
        Self::new("get", path, about, handler)
    }

    /// Makes.
    pub(crate) fn post(
        path: &'static str,
        about: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        Self::new("post", path, about, handler)
    }

    /// Sets.
    pub(crate) fn put(path: &'static str, about: &'static str, handler: MethodRouter<Web>) -> Self {
        Self::new("put", path, about, handler)
    }

    /// Takes back.
    pub(crate) fn delete(
        path: &'static str,
        about: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        Self::new("delete", path, about, handler)
    }

    /// What may stand behind the question mark.
    pub(crate) fn query(mut self, names: &[&'static str]) -> Self {
        self.query.extend(names);
        self
    }

    /// What may stand in the head.
    pub(crate) fn headers(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    /// The body that is read.
    pub(crate) fn takes<T: JsonSchema>(mut self) -> Self {
        let schema = serde_json::to_value(schemars::schema_for!(T)).ok();
        self.body = schema.map(|schema| json!({"application/json": {"schema": schema}}));
        self
    }

    /// A text that is read.
    pub(crate) fn takes_text(mut self, kind: &str) -> Self {
        self.body = Some(json!({kind: {"schema": {"type": "string"}}}));
        self
    }

    /// The members of the object that is answered, each with its type; one without may be anything.
    pub(crate) fn gives(mut self, members: &[(&str, &str)]) -> Self {
        let of = |(name, kind): &(&str, &str)| {
            let schema = if kind.is_empty() { json!({}) } else { json!({"type": kind}) };
            ((*name).to_owned(), schema)
        };
        let members: Map<String, Value> = members.iter().map(of).collect();
        let schema = json!({"type": "object", "properties": members});
        self.gives = json!({"application/json": {"schema": schema}});
        self
    }

    /// A text or picture that is answered.
    pub(crate) fn gives_text(mut self, kind: &str) -> Self {
        self.gives = json!({kind: {"schema": {"type": "string"}}});
        self
    }

    fn described(&self) -> Value {
        let in_path = self.path.split(['{', '}']).skip(1).step_by(2);
        let needed = |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
        let may_be =
            |place, name: &&str| json!({"name": name, "in": place, "schema": schema_of(name)});
        let parameters: Vec<Value> = in_path
            .map(needed)
            .chain(self.query.iter().map(|name| may_be("query", name)))
            .chain(self.headers.iter().map(|name| may_be("header", name)))
            .collect();
        let mut described = json!({
            "summary": self.about,
            "operationId": self.id(),
            "parameters": parameters,
            "responses": {
                "2XX": {"description": "done, or on its way", "content": self.gives},
                "default": {"$ref": "#/components/responses/refused"},
            },
        });
        if let Some(body) = &self.body {
            described["requestBody"] = json!({"required": true, "content": body});
        }
        described
    }

    /// Its name in generated clients: the method, and the words of the path.
    fn id(&self) -> String {
        let path = self.path.trim_start_matches("/api/v1");
        let words = path.split(['/', '{', '}']).filter(|word| !word.is_empty());
        std::iter::once(self.method).chain(words).collect::<Vec<_>>().join("_")
    }
}

/// What one of the query takes.
fn schema_of(name: &str) -> Value {
    match name {
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}),
        "status" => {
            let words: Vec<&str> = RunStatus::ALL.iter().map(|status| status.text()).collect();
            json!({"type": "string", "description": format!("of a workflow: {}; of a decision: pending or all", words.join(", "))})
        }
        "since" => json!({"type": "string", "format": "date-time"}),
        "as_interrupted" => json!({"type": "boolean", "default": false}),
        "include_status" => json!({"type": "boolean", "default": true}),
        "format" => json!({"enum": ["svg", "png", "ascii", "mermaid"], "default": "svg"}),
        "cursor" => json!({"type": "string", "description": "as the page before answered it"}),
        _ => json!({"type": "string"}),
    }
}

/// The whole description.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.described();
    }
    let error = json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "hint": {"type": "string"},
            "pointer": {"type": "string", "description": "JSON pointer into the definition"},
            "details": {},
        },
    });
    let refused = json!({"type": "object", "required": ["error"], "properties": {
        "error": error,
        "problems": {"type": "array", "items": {"type": "object"}},
    }});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "opcode",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Durable JSON workflows. Writes are JSON; a server that other machines can reach asks for a bearer token.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"refused": {
                "description": "refused: why, and what to do about it",
                "content": {"application/json": {"schema": refused}},
            }},
        },
        "security": [{}, {"token": []}],
    })
}

pub(crate) async fn served() -> Response {
    Json(document()).into_response()
}
