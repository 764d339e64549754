//! Evaluates on a stack as small as a worker's.
//!
//! Keeps: any error but a limit is a failure.
//! Not here: what is evaluated (`hostile.rs`, `expr_hostile.rs`).

use opcode_expr::{CompileErrorKind, EvalErrorKind, Language, Meter, Program};
use opcode_model::Value;

use crate::scope::Fixture;

/// Compiles and evaluates on a thread with the stack that a worker has.
pub(crate) fn evaluate(language: Language, source: String) -> Result<Value, String> {
    let work = move || {
        let program = Program::compile(language, &source).map_err(|error| {
            assert_eq!(error.kind, CompileErrorKind::Limit, "{}", error.message);
            error.message
        })?;
        let fixture = Fixture::default()
            .root(
                "inputs",
                &format!(r#"{{"list":[{}0],"text":"{}"}}"#, "1,".repeat(999), "a".repeat(9999)),
            )
            .done("s", "{}");
        program.evaluate(&fixture, &mut Meter::default()).map_err(|error| {
            assert!(matches!(error.kind, EvalErrorKind::Limit { .. }), "{error}");
            error.to_failure().message.to_string()
        })
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap();
    thread.join().unwrap()
}
