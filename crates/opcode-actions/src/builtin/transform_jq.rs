//! `transform.jq`: runs a jq filter over data, or over all the step can see.
//!
//! ```json
//! {"action": "transform.jq", "params": {"filter": "map(select(.price < $max).name)", "data": [{"name": "pen", "price": 2}, {"name": "desk", "price": 90}], "args": {"max": 10}}}
//! ```
//! gives
//! ```json
//! {"result": ["pen"]}
//! ```
//!
//! Keeps: one output is the `result`, several are the `results`, none is a `result` of null.
//! Not here: the language (`opcode-expr`), the run it looks at (`opcode-engine`).

use opcode_model::{Answer, EffectClass, Evaluation, Failure, Language, NativeCall, Object, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::{Text, given};

pub(super) struct TransformJq;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The filter.
    filter: Text,
    /// What `.` is at first; unless given, an object of `steps`, `inputs`, `workflow`, `context` and `iter`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "serde_json::Value")]
    data: Option<Value>,
    /// Values the filter has as `$name`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    args: Object,
}

impl Built for TransformJq {
    type Params = Params;
    const PAGE: Page = Page {
        name: "transform.jq",
        class: EffectClass::Pure,
        source: include_str!("transform_jq.rs"),
        output: &[
            ("result", "the output, if there is one; null if there is none"),
            ("results", "the outputs, if there are several"),
        ],
    };
    const NULLABLE: &'static [&'static str] = &["data"];
    const PROGRAM: Option<(&'static str, Language)> = Some(("filter", Language::Jq));

    fn compute(params: Params) -> Result<Answer, Failure> {
        Ok(Answer::Native(Box::new(NativeCall::Evaluate(Evaluation {
            language: Language::Jq,
            source: params.filter.0.into(),
            data: params.data,
            args: params.args,
        }))))
    }
}
