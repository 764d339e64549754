//! `workflow.run`: runs another template as a child and gives its output.
//!
//! ```json
//! {"action": "workflow.run", "params": {"template_name": "resize", "params": {"width": 200}}}
//! ```
//! gives
//! ```json
//! {"path": "out/small.png"}
//! ```
//!
//! Keeps: the child's failure is this step's failure; a child without a version takes the latest when it starts.
//! Not here: starting and watching the child (`opcode-engine`).

use opcode_model::{Answer, EffectClass, Failure, NativeCall, Object, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct WorkflowRun;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The template to run.
    template_name: Text,
    /// Its version; the latest unless given.
    version: Option<Text>,
    /// The child's inputs.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    params: Object,
}

impl Built for WorkflowRun {
    type Params = Params;
    const PAGE: Page = Page {
        name: "workflow.run",
        class: EffectClass::Pure,
        source: include_str!("workflow_run.rs"),
        output: &[("…", "the child's own output, as it is")],
    };

    fn compute(params: Params) -> Result<Answer, Failure> {
        Ok(Answer::Native(Box::new(NativeCall::RunChild {
            template: params.template_name.0.into(),
            version: params.version.map(|version| version.0.into()),
            params: Value::Object(params.params),
        })))
    }
}
