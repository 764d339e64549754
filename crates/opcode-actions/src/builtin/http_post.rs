//! `http.post`: sends something over HTTP, as JSON unless told otherwise.
//!
//! ```json
//! {"action": "http.post", "params": {"url": "https://api.example.com/items", "body": {"n": 1}}}
//! ```
//! gives
//! ```json
//! {"body": null, "content_type": "", "duration_ms": 40, "headers": {}, "status": "204 No Content", "status_code": 204}
//! ```
//!
//! Keeps: the method is POST, whatever `method` says.
//! Not here: everything else, which is `http.request`'s (`http_request.rs`).

use opcode_model::{EffectClass, Outcome};

use super::http_request::{OUTPUT, Params, examine, perform, target};
use crate::action::{Built, Site};
use crate::page::Page;

pub(super) struct HttpPost;

impl Built for HttpPost {
    type Params = Params;
    const PAGE: Page = Page {
        name: "http.post",
        class: EffectClass::Unsafe,
        source: include_str!("http_post.rs"),
        output: OUTPUT,
    };

    fn examine(params: &Params) -> Result<(), String> {
        examine(params)
    }

    fn target(params: &Params) -> Option<String> {
        target(params)
    }

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        perform(Self::PAGE.name, "POST", params, site).await
    }
}
