//! jq as gojq understands it, over the values of a run, with a meter.
//!
//! Keeps: every stack of an evaluation is on the heap and metered; no clock, no environment, no other input than `.`.
//! Not here: which action or condition is written in jq.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value that is not listed is of the wrong type, a node or operation that is not listed is none of the wanted"
)]

mod arith;
mod bindings;
mod calls;
pub(crate) mod catalog;
mod compare;
mod compile;
mod context;
mod dates;
mod forks;
mod formats;
mod json;
mod lexer;
mod lists;
mod machine;
mod math;
mod natives;
mod op;
mod parse;
mod paths;
mod pattern;
mod references;
mod root;
mod specials;
mod syntax;
mod terms;
mod text;
mod tower;
mod trouble;
mod update;
mod writing;

use std::ops::ControlFlow;
use std::sync::Arc;

use opcode_model::limits::BUILT_DEPTH_MAX;
use opcode_model::{Object, Timestamp, Value};

use self::context::Context;
use self::lexer::Outcome;
use self::machine::Machine;
pub(crate) use self::op::Code;
use self::root::Root;
use self::trouble::Cause;
use crate::error::EvalError;
use crate::meter::{Exhausted, Meter};
use crate::pattern::Met;
use crate::program::Given;
use crate::references::References;
use crate::scope::Scope;

/// Compiles `source`, which may use `arguments` as variables.
pub(crate) fn compile(source: &str, arguments: &[Arc<str>]) -> Outcome<(Code, References)> {
    let syntax = parse::parse(source)?;
    let code = compile::compile(&syntax, arguments)?;
    Ok((code, references::references(&syntax)))
}

/// What a program is evaluated with.
pub(crate) struct Call<'a> {
    pub(crate) code: &'a Code,
    pub(crate) source: &'a Arc<str>,
    pub(crate) meter: &'a mut Meter,
}

/// The output over a whole scope: one value as it is, several as a list, none as null.
pub(crate) fn evaluate(call: Call<'_>, scope: &dyn Scope) -> Result<Value, EvalError> {
    let mut outputs = Vec::new();
    let root = Root::of_scope(scope);
    run(call, root, scope.now(), &[], &mut |value| {
        outputs.push(value);
        ControlFlow::Continue(())
    })?;
    Ok(match outputs.len() {
        0 | 1 => outputs.pop().unwrap_or_default(),
        _ => Value::from(outputs),
    })
}

/// Every output over a value, as it comes.
pub(crate) fn outputs(
    call: Call<'_>,
    given: &Given<'_>,
    emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), EvalError> {
    let arguments = arguments(call.code, given.args);
    run(call, Root::Value(given.input.clone()), given.now, &arguments, emit)
}

/// Every output over a whole scope, as it comes.
pub(crate) fn outputs_in(
    call: Call<'_>,
    scope: &dyn Scope,
    args: &[(Arc<str>, Value)],
    emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), EvalError> {
    let arguments = arguments(call.code, args);
    run(call, Root::of_scope(scope), scope.now(), &arguments, emit)
}

/// The values of the names a program was compiled with.
fn arguments(code: &Code, args: &[(Arc<str>, Value)]) -> Vec<Value> {
    let value = |name: &Arc<str>| {
        let found = args.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    code.arguments.iter().map(value).collect()
}

fn run(
    call: Call<'_>,
    root: Root<'_>,
    now: Timestamp,
    arguments: &[Value],
    emit: &mut dyn FnMut(Value) -> ControlFlow<()>,
) -> Result<(), EvalError> {
    let Call { code, source, meter } = call;
    let context = Context { meter, now, odd: code.odd, nestings: 0, met: Met::default() };
    let mut machine = match Machine::new(code, context, root, arguments) {
        Ok(machine) => machine,
        Err(cause) => return Err(cause.explain(source, (0, 0))),
    };
    loop {
        let output = machine.output().and_then(|output| match output {
            Some(value) => deliver(&mut machine.context, code, value).map(Some),
            None => Ok(None),
        });
        match output {
            Ok(Some(value)) => {
                if emit(value).is_break() {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            Err(cause) if matches!(*cause, Cause::Halt(None)) => return Ok(()),
            Err(cause) => return Err(cause.explain(source, machine.failed_at)),
        }
    }
}

/// An output for the world outside. What was built here is charged as if written out, since parts may be shared without end.
fn deliver(context: &mut Context<'_>, code: &Code, value: Value) -> Result<Value, Box<Cause>> {
    if !code.builds || !matches!(value, Value::List(_) | Value::Object(_)) {
        return Ok(if context.odd { plain(&value) } else { value });
    }
    let weight = context.weigh([&value])?;
    context.bytes(weight)?;
    if value.depth(BUILT_DEPTH_MAX + 1) > BUILT_DEPTH_MAX {
        let value = BUILT_DEPTH_MAX as u64;
        return Err(Exhausted { which: "the nesting of a value", value }.into());
    }
    Ok(if context.odd { plain(&value) } else { value })
}

/// A value without numbers that JSON cannot say: not-a-number is null, an infinity the largest number.
fn plain(value: &Value) -> Value {
    match value {
        Value::Float(number) if number.is_nan() => Value::Null,
        Value::Float(number) => Value::Float(number.clamp(f64::MIN, f64::MAX)),
        Value::List(items) => Value::list(items.iter().map(plain)),
        Value::Object(object) => Value::Object(Object::from_pairs(
            object.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        )),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::String(_) | Value::Bytes(_) => {
            value.clone()
        }
    }
}
