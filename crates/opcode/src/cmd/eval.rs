//! `opcode eval`: evaluates one expression, or one after the other as they are typed.
//!
//! Keeps: no store is opened; a mistake is shown at its place in the text.
//! Not here: the languages (`opcode-expr`).

use std::io::{BufRead, IsTerminal, stdin};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, ValueEnum};
use opcode_expr::{Given, Language, Meter, ObjectScope, Program, STACK_BYTES, Scope, StepView};
use opcode_model::{ErrorCode, Object, Timestamp, Value};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::say;
use crate::show::age::now;
use crate::source::{self, Written};
use crate::trouble::Trouble;

#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// The expression
    #[arg(value_name = "EXPR", required_unless_present = "interactive")]
    expression: Option<String>,
    /// Its language: cel, expr or jq
    #[arg(long, value_name = "LANG", hide_possible_values = true, default_value = "cel")]
    lang: Lang,
    /// JSON, `-` is stdin: jq's `.`; elsewhere `data` and its members by name
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// JSON: variables as a step sees them (steps, inputs, workflow, iter, …)
    #[arg(long, value_name = "FILE")]
    scope: Option<String>,
    /// Expr: take whole numbers for integers, as a workflow does
    #[arg(long)]
    lenient: bool,
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

/// What expr-lang refuses, because numbers from JSON are floats there, and a workflow takes.
const LENIENT: &str =
    "`expr.eval` takes it: there a whole number counts as an integer; try `--lenient`";

/// What expressions are evaluated over.
struct Desk {
    lang: Lang,
    lenient: bool,
    variables: Object,
    data: Option<Value>,
    patience: Arc<Patience>,
}

/// The variables, and `data` as one more name for what was given: where all variables are walked, that is none of them.
struct Visible<'a> {
    variables: ObjectScope<'a>,
    data: Option<&'a Value>,
}

impl Scope for Visible<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        let data = || self.data.filter(|_| name == "data").cloned();
        self.variables.root(name).or_else(data)
    }

    fn step(&self, id: &str) -> Option<StepView> {
        self.variables.step(id)
    }

    fn step_ids(&self) -> Vec<Arc<str>> {
        self.variables.step_ids()
    }

    fn now(&self) -> Timestamp {
        self.variables.now()
    }

    fn root_names(&self) -> Vec<Arc<str>> {
        self.variables.root_names()
    }
}

/// What is wrong with an expression, and where.
struct Wrong {
    code: ErrorCode,
    message: String,
    hint: Option<String>,
    span: Range<usize>,
    exit: Exit,
}

/// What the keyboard says to an evaluation.
#[derive(Default)]
struct Patience {
    evaluating: AtomicBool,
    is_over: AtomicBool,
}

impl Patience {
    /// Gives up on the evaluation that is going on; `false` if there is none.
    fn give_up(&self) -> bool {
        let evaluating = self.evaluating.load(Ordering::Relaxed);
        self.is_over.store(evaluating, Ordering::Relaxed);
        evaluating
    }
}

pub(crate) async fn run(args: EvalArgs) -> Result<Exit, Trouble> {
    let patience = Arc::new(Patience::default());
    let (say, mut done) = tokio::sync::oneshot::channel();
    let own = patience.clone();
    // Nobody waits for the answer of one that was left.
    let work = move || drop(say.send(work(&args, own)));
    let fault = |cause: std::io::Error| Trouble::fault(format!("could not start: {cause}"));
    // Listened to before there is a prompt to answer with it.
    let mut interrupts = signal(SignalKind::interrupt()).map_err(fault)?;
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).map_err(fault)?;
    loop {
        tokio::select! {
            done = &mut done => {
                return done.unwrap_or_else(|_| Err(Trouble::fault("evaluating died")));
            }
            _ = interrupts.recv() => {
                if !patience.give_up() {
                    return Ok(Exit::Interrupted);
                }
            }
        }
    }
}

fn work(args: &EvalArgs, patience: Arc<Patience>) -> Result<Exit, Trouble> {
    let read = |file: &Option<String>| file.as_deref().map(source::json).transpose();
    let (data, scope) = (read(&args.data)?, read(&args.scope)?);
    let variables = variables(scope, data.as_ref())?;
    let desk = Desk { lang: args.lang, lenient: args.lenient, variables, data, patience };
    match &args.expression {
        Some(expression) => Ok(desk.answer(expression, args.json)),
        None => desk.talk(),
    }
}

/// The scope's variables, then the members of `data`.
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
        let variables = ObjectScope::new(&self.variables, now());
        let scope = Visible { variables, data: self.data.as_ref() };
        let program = self.compile(expression, &scope)?;
        let patience = self.patience.clone();
        let interrupt = move || patience.is_over.load(Ordering::Relaxed);
        let (mut outputs, mut meter) = (Vec::new(), Meter::default().with_interrupt(interrupt));
        let mut emit = |output| {
            outputs.push(output);
            ControlFlow::Continue(())
        };
        self.patience.evaluating.store(true, Ordering::Relaxed);
        let evaluated = match &self.data {
            Some(input) if program.language() == Language::Jq => {
                let given = Given { input, args: &[], now: scope.now() };
                program.outputs(given, &mut meter, &mut emit)
            }
            Some(_) | None => program.outputs_in(&scope, &[], &mut meter, &mut emit),
        };
        self.patience.evaluating.store(false, Ordering::Relaxed);
        self.patience.is_over.store(false, Ordering::Relaxed);
        match evaluated {
            Ok(()) => Ok(outputs),
            Err(error) => {
                let (code, span) = (error.to_failure().code, error.span);
                Err(Wrong { code, message: error.message, hint: None, span, exit: Exit::Failed })
            }
        }
    }

    fn compile(&self, expression: &str, scope: &Visible<'_>) -> Result<Program, Wrong> {
        let language = self.lang.language();
        let loose = || Program::compile_loose(language, expression, [].iter());
        let compiled = match (self.lang, self.lenient) {
            (Lang::Expr, false) => Program::compile_exact(language, expression, scope),
            (Lang::Expr, true) | (Lang::Cel | Lang::Jq, _) => loose(),
        };
        compiled.map_err(|error| {
            let in_a_workflow = matches!(self.lang, Lang::Expr) && loose().is_ok();
            let hint = in_a_workflow.then(|| LENIENT.to_owned());
            let (hint, span) = (error.hint.clone().or(hint), error.span.clone());
            let code = error.to_failure(expression).code;
            Wrong { code, message: error.message, hint, span, exit: Exit::Refused }
        })
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
            say::hint(
                "an expression a line; `:cel`, `:expr` and `:jq` change the language, `:q` ends",
            );
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
        let Self { code, message, hint, span, .. } = self;
        say::error(&format!("[{code}] {message}"));
        if let Some(excerpt) = Written::new("expression", expression).marked(span) {
            say::talk(&excerpt);
        }
        if let Some(hint) = hint {
            say::hint(hint);
        }
        if as_json {
            let place = json!({"start": span.start, "end": span.end});
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
