//! `http.get`: fetches something over HTTP.
//!
//! ```json
//! {"action": "http.get", "params": {"url": "https://api.example.com/items/7"}}
//! ```
//! gives
//! ```json
//! {"body": {"id": 7}, "content_type": "application/json", "duration_ms": 31, "headers": {"Content-Type": "application/json"}, "status": "200 OK", "status_code": 200}
//! ```
//!
//! Keeps: the method is GET, whatever `method` says.
//! Not here: everything else, which is `http.request`'s (`http_request.rs`).

use opcode_model::{EffectClass, Outcome};

use super::http_request::{OUTPUT, Params, examine, perform, target};
use crate::action::{Built, Site};
use crate::page::Page;

pub(super) struct HttpGet;

impl Built for HttpGet {
    type Params = Params;
    const PAGE: Page = Page {
        name: "http.get",
        class: EffectClass::Idempotent,
        source: include_str!("http_get.rs"),
        output: OUTPUT,
    };

    fn examine(params: &Params) -> Result<(), String> {
        examine(params)
    }

    fn target(params: &Params) -> Option<String> {
        target(params)
    }

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        perform(Self::PAGE.name, "GET", params, site).await
    }
}
