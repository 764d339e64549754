//! `opcode eval`: evaluates one expression, or one after the other as they are typed.
//!
//! Keeps: no store is opened; a mistake is shown at its place in the text.
//! Not here: the languages (`opcode-expr`).

use std::io::{BufRead, IsTerminal, stdin};
use std::ops::{ControlFlow, Range};

use clap::{Args, ValueEnum};
use opcode_expr::{Given, Language, Meter, ObjectScope, Program, STACK_BYTES};
use opcode_model::{Failure, Object, Value};
use serde_json::json;

use crate::exit::Exit;
use crate::show::age::now;
use crate::source::{self, Written};
use crate::trouble::Trouble;
use crate::say;

#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// The expression
    #[arg(value_name = "EXPR", required_unless_present = "interactive")]
    expression: Option<String>,
    /// Its language
    #[arg(long, value_name = "LANG", default_value = "cel")]
    lang: Lang,
    /// Data in JSON, `-` is stdin: jq's first `.`; elsewhere `data`, and its members by name
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// A JSON object of variables, as a step sees them: steps, inputs, workflow, context, iter
    #[arg(long, value_name = "FILE")]
    scope: Option<String>,
    /// Ask for expressions, and evaluate one after the other
    #[arg(short, long, conflicts_with = "expression")]
    interactive: bool,
    /// Print the answer as one JSON object
    #[arg(long, conflicts_with = "interactive")]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    Cel,
    Expr,
    Jq,
}

impl Lang {
    fn language(self) -> Language {
        match self {
            Self::Cel => Language::Cel,
            Self::Expr => Language::Expr,
            Self::Jq => Language::Jq,
        }
    }
}

/// What expressions are evaluated over.
struct Desk {
    lang: Lang,
    variables: Object,
    data: Option<Value>,
}

/// What is wrong with an expression, and where.
struct Wrong {
    failure: Failure,
    message: String,
    hint: Option<String>,
    span: Range<usize>,
    exit: Exit,
}

pub(crate) fn run(args: EvalArgs) -> Result<Exit, Trouble> {
    let desk = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || work(&args));
    let fault = |cause: std::io::Error| Trouble::fault(format!("could not start: {cause}"));
    let done = desk.map_err(fault)?.join();
    done.unwrap_or_else(|_| Err(Trouble::fault("evaluating died")))
}

fn work(args: &EvalArgs) -> Result<Exit, Trouble> {
    let read = |file: &Option<String>| file.as_deref().map(source::json).transpose();
    let (data, scope) = (read(&args.data)?, read(&args.scope)?);
    let desk = Desk { lang: args.lang, variables: variables(scope, data.as_ref())?, data };
    match &args.expression {
        Some(expression) => Ok(desk.answer(expression, args.json)),
        None => desk.talk(),
    }
}

/// The scope's variables, then `data` and its members.
fn variables(scope: Option<Value>, data: Option<&Value>) -> Result<Object, Trouble> {
    let scope = match scope {
        None => Object::default(),
        Some(Value::Object(variables)) => variables,
        Some(other) => {
            let message = format!("a scope is an object of variables, not {}", other.kind());
            return Err(Trouble::usage(message));
        }
    };
    let members = data.and_then(Value::as_object).cloned().unwrap_or_default();
    let members = match data {
        Some(data) if members.find("data").is_none() => members.with("data", data.clone()),
        Some(_) | None => members,
    };
    Ok(members.merged(&scope))
}

impl Desk {
    /// Evaluates one, and says what came of it.
    fn answer(&self, expression: &str, as_json: bool) -> Exit {
        match self.outputs(expression) {
            Ok(outputs) if as_json => {
                say::json(&shaped(outputs));
                Exit::Completed
            }
            Ok(outputs) => {
                outputs.iter().for_each(|output| say::data(&pretty(output)));
                Exit::Completed
            }
            Err(wrong) => {
                wrong.tell(expression, as_json);
                wrong.exit
            }
        }
    }

    fn outputs(&self, expression: &str) -> Result<Vec<Value>, Wrong> {
        let language = self.lang.language();
        let none = Object::default();
        let program = Program::compile_loose(language, expression, none.keys()).map_err(|error| {
            let (hint, span) = (error.hint.clone(), error.span.clone());
            let failure = error.to_failure(expression);
            Wrong { failure, message: error.message, hint, span, exit: Exit::Refused }
        })?;
        let scope = ObjectScope::new(&self.variables, now());
        let given = Given { scope: &scope, input: self.data.as_ref(), args: &none };
        let mut outputs = Vec::new();
        let evaluated = program.outputs(given, &mut Meter::default(), &mut |output| {
            outputs.push(output);
            ControlFlow::Continue(())
        });
        match evaluated {
            Ok(()) => Ok(outputs),
            Err(error) => {
                let (failure, span) = (error.to_failure(), error.span);
                Err(Wrong { failure, message: error.message, hint: None, span, exit: Exit::Failed })
            }
        }
    }

    /// Takes expressions line by line.
    fn talk(mut self) -> Result<Exit, Trouble> {
        let is_person = stdin().is_terminal();
        let prompt = |lang: Lang| {
            if is_person {
                say::prompt(&format!("{}> ", name(lang)));
            }
        };
        if is_person {
            say::hint("an expression a line; `:cel`, `:expr` and `:jq` change the language, `:q` ends");
        }
        prompt(self.lang);
        for line in stdin().lock().lines() {
            let line = line.map_err(|cause| Trouble::usage(format!("could not read: {cause}")))?;
            match line.trim() {
                "" => {}
                ":q" | ":quit" | ":exit" => break,
                ":cel" => self.lang = Lang::Cel,
                ":expr" => self.lang = Lang::Expr,
                ":jq" => self.lang = Lang::Jq,
                other if other.starts_with(':') && !matches!(self.lang, Lang::Jq) => {
                    say::hint("`:cel`, `:expr`, `:jq` or `:q`");
                }
                expression => drop(self.answer(expression, false)),
            }
            prompt(self.lang);
        }
        Ok(Exit::Completed)
    }
}

impl Wrong {
    fn tell(&self, expression: &str, as_json: bool) {
        let Self { failure, message, hint, span, .. } = self;
        say::error(&format!("[{}] {message}", failure.code));
        if let Some(excerpt) = Written::new("expression", expression).marked(span) {
            say::talk(&excerpt);
        }
        if let Some(hint) = hint {
            say::hint(hint);
        }
        if as_json {
            let place = json!({"start": span.start, "end": span.end});
            let (code, hint) = (failure.code, hint.as_deref());
            let error = json!({"code": code, "message": message, "hint": hint, "span": place});
            say::json(&json!({ "error": error }));
        }
    }
}

fn name(lang: Lang) -> &'static str {
    match lang {
        Lang::Cel => "cel",
        Lang::Expr => "expr",
        Lang::Jq => "jq",
    }
}

/// One output is the `result`, several are the `results`.
fn shaped(mut outputs: Vec<Value>) -> Value {
    let several = outputs.len() > 1;
    Value::object([match several {
        true => ("results", Value::list(outputs)),
        false => ("result", outputs.pop().unwrap_or_default()),
    }])
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_text())
}
