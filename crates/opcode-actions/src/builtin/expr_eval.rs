//! `expr.eval`: evaluates an expression of the Expr language over all the step can see.
//!
//! ```json
//! {"action": "expr.eval", "params": {"expression": "filter(data, .score >= 0.8) | map(.id)", "data": [{"id": "a", "score": 0.9}, {"id": "b", "score": 0.1}]}}
//! ```
//! gives
//! ```json
//! {"result": ["a"]}
//! ```
//!
//! Keeps: variables are `steps`, `inputs`, `workflow`, `context` and `iter`, each input by its own name, and `data`; an unknown one is `nil`.
//! Not here: the language (`opcode-expr`), the run it looks at (`opcode-engine`).

use opcode_model::{Answer, EffectClass, Evaluation, Failure, Language, NativeCall, Object, Value};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::Built;
use crate::page::Page;
use crate::params::Text;

pub(super) struct ExprEval;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The expression.
    expression: Text,
    /// What the variable `data` holds.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    data: Option<Value>,
}

impl Built for ExprEval {
    type Params = Params;
    const PAGE: Page = Page {
        name: "expr.eval",
        class: EffectClass::Pure,
        source: include_str!("expr_eval.rs"),
        output: &[("result", "what the expression gives")],
    };
    const PROGRAM: Option<(&'static str, Language)> = Some(("expression", Language::Expr));

    fn compute(params: Params) -> Result<Answer, Failure> {
        Ok(Answer::Native(Box::new(NativeCall::Evaluate(Evaluation {
            language: Language::Expr,
            source: params.expression.0.into(),
            data: params.data,
            args: Object::default(),
        }))))
    }
}
