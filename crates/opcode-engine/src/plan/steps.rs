//! Reads bodies and the steps in them, nested to any depth the house allows.
//!
//! Keeps: the steps of one body get neighbouring places; a step that cannot be read still has a place, so the rest is checked too.
//! Not here: the configs of flow steps (`configs.rs`), edges (`check.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use opcode_expr::{Language, Program, References, Template};
use opcode_model::action::{Misfit, ParamProblem};
use opcode_model::limits::{DEFINITION_STEPS_MAX, ID_CHARS_MAX, NESTING_DEPTH_MAX, RETRIES_MAX};
use opcode_model::problem::{Patch, nearest, pointer};
use opcode_model::{Actions, ErrorCode, Object, Problem, Value, Wishes};

use super::reader::{Problems, Reader, uncompiled};
use super::reads::{Looker, Read};
use super::workflow::{INTERRUPTED, RunTimeout};
use super::{ActionPlan, Backoff, ChildPlan, OnError, Retry, StepPlan, WorkPlan, check, isolation};
use crate::shape::{Body, BodyIx, FlowKind, LoopBounds, Node};

const FIELDS: &[&str] = &[
    "id",
    "type",
    "action",
    "params",
    "depends_on",
    "condition",
    "retry",
    "timeout",
    "on_error",
    "on_interrupted",
    "sandbox",
    "limits",
    "config",
    "name",
    "description",
    "metadata",
];

const TYPES: &[(&str, &str)] = &[
    ("action", "action"),
    ("condition", "condition"),
    ("reasoning", "reasoning"),
    ("parallel", "parallel"),
    ("loop", "loop"),
    ("wait", "wait"),
];

/// Everything read so far.
pub(super) struct Steps<'a> {
    pub(super) actions: &'a dyn Actions,
    pub(super) problems: &'a Problems,
    pub(super) run_timeout: RunTimeout,
    pub(super) bodies: Vec<Body>,
    pub(super) nodes: Vec<Node>,
    pub(super) plans: Vec<Option<StepPlan>>,
    /// Where each step stands.
    pub(super) places: Vec<String>,
    /// What expressions read.
    pub(super) reads: Vec<Read>,
    /// Who evaluates the expressions that are read now.
    pub(super) looker: Looker,
    /// The templates its children run.
    pub(super) children: Vec<ChildPlan>,
    /// The inputs that the definition names.
    pub(super) inputs: BTreeSet<String>,
    /// What the workflow wishes for its programs.
    pub(super) wishes: Wishes,
    depth: usize,
    /// How many loops are around what is read.
    pub(super) loops: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        actions: &'a dyn Actions,
        problems: &'a Problems,
        run_timeout: RunTimeout,
        inputs: BTreeSet<String>,
    ) -> Self {
        Self {
            actions,
            problems,
            run_timeout,
            bodies: Vec::new(),
            nodes: Vec::new(),
            plans: Vec::new(),
            places: Vec::new(),
            reads: Vec::new(),
            looker: Looker::Workflow,
            children: Vec::new(),
            inputs,
            wishes: Wishes::default(),
            depth: 0,
            loops: 0,
        }
    }

    fn error(&self, place: &str, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::error(ErrorCode::Validation, place, message).hint(hint));
    }

    pub(super) fn limit(&self, place: &str, what: &str, number: usize) {
        let message = format!("{what} is limited to {number}");
        let hint = "put a part of it in a template of its own and run that with `workflow.run`";
        self.problems.push(Problem::error(ErrorCode::LimitExceeded, place, message).hint(hint));
    }

    /// Reads sibling steps. `top` steps without `depends_on` begin at once; nested ones follow the one before.
    pub(super) fn body(&mut self, path: &str, items: &[Value], top: bool) -> Option<BodyIx> {
        let places = (0..items.len()).map(|i| format!("{path}/{i}")).collect();
        self.body_at(path, items, places, top)
    }

    /// A hook is a body of one step.
    pub(super) fn hook(&mut self, path: &str, step: Value) -> Option<BodyIx> {
        self.body_at(path, &[step], vec![path.to_owned()], true)
    }

    fn body_at(
        &mut self,
        path: &str,
        items: &[Value],
        places: Vec<String>,
        top: bool,
    ) -> Option<BodyIx> {
        if self.depth == NESTING_DEPTH_MAX {
            self.limit(path, "bodies inside bodies", NESTING_DEPTH_MAX);
            return None;
        }
        if self.nodes.len() + items.len() > DEFINITION_STEPS_MAX {
            self.limit(path, "steps of a definition", DEFINITION_STEPS_MAX);
            return None;
        }
        let ix = BodyIx(u32::try_from(self.bodies.len()).ok()?);
        let first = self.nodes.len();
        self.bodies.push(Body {
            first: u32::try_from(first).ok()?,
            len: u32::try_from(items.len()).ok()?,
            ids: BTreeMap::new(),
        });
        for (place, item) in places.iter().zip(items) {
            self.reserve(ix, place, item, items);
        }
        self.depth += 1;
        for (i, (place, item)) in places.iter().zip(items).enumerate() {
            match item.as_object() {
                Some(object) => self.step(first + i, place, object),
                None => {
                    let message = format!("a step is an object, not {}", item.kind());
                    self.error(place, message, "write {\"id\": …, \"action\": …, \"params\": {…}}");
                }
            }
        }
        self.depth -= 1;
        check::edges(self, ix, items, top);
        Some(ix)
    }

    fn reserve(&mut self, body: BodyIx, place: &str, item: &Value, siblings: &[Value]) {
        let id = self.id(place, item.as_object());
        let local = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
            - self.bodies[body.0 as usize].first;
        let ids = &mut self.bodies[body.0 as usize].ids;
        if ids.contains_key(&id) {
            let is_taken = |name: &str| {
                let is_it = |item: &Value| item.find("id").and_then(Value::as_str) == Some(name);
                siblings.iter().any(is_it)
            };
            let free = (2..).map(|n| format!("{id}-{n}")).find(|free| !is_taken(free));
            let problem = Problem::error(
                ErrorCode::Validation,
                format!("{place}/id"),
                format!("duplicate step id `{id}`"),
            )
            .hint("each step of a list needs an id of its own");
            self.problems.push(match free {
                Some(free) => problem.replace_with(free),
                None => problem,
            });
        } else {
            ids.insert(id.clone(), local);
        }
        self.nodes.push(Node {
            id,
            flow: FlowKind::None,
            bodies: Vec::new(),
            bounds: LoopBounds::default(),
            action: None,
            timeout: None,
            wishes: None,
            needs: Vec::new(),
            dependents: Vec::new(),
            fallback: None,
            rescues: Vec::new(),
        });
        self.plans.push(None);
        self.places.push(place.to_owned());
    }

    /// An id: 1 to 128 letters or digits of any script, `_`, `-` and `.`.
    fn id(&self, place: &str, object: Option<&Object>) -> Arc<str> {
        let Some(object) = object else { return "?".into() };
        let reader = Reader { object, path: place, problems: self.problems };
        let Some(id) = reader.text("id") else {
            if reader.value("id").is_none() {
                let hint = "a short name of its own, such as `fetch`";
                self.error(&format!("{place}/id"), "a step needs an `id`", hint);
            }
            return format!("?{place}").into();
        };
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if id.is_empty() || id.chars().count() > ID_CHARS_MAX || !id.chars().all(fits) {
            let mended: String =
                id.chars().map(|c| if fits(c) { c } else { '_' }).take(ID_CHARS_MAX).collect();
            let message = format!(
                "step id `{}` must be 1 to {ID_CHARS_MAX} letters, digits, `_`, `-` or `.`",
                id.escape_debug().take(64).collect::<String>()
            );
            let problem = Problem::error(ErrorCode::Validation, format!("{place}/id"), message)
                .hint("a short name such as `fetch-user_2`");
            self.problems.push(if mended.is_empty() {
                problem
            } else {
                problem.replace_with(mended)
            });
        }
        id.into()
    }

    fn step(&mut self, at: usize, place: &str, object: &Object) {
        let problems = self.problems;
        let reader = Reader { object, path: place, problems };
        let outer = std::mem::replace(&mut self.looker, Looker::Step(at));
        reader.known(FIELDS);
        let kind = if reader.value("type").is_some() {
            reader.word("type", TYPES)
        } else {
            Some("action")
        };
        let guard = reader.program(Language::Cel, "condition");
        self.note_program(reader.at("condition"), guard.as_ref());
        let retry = self.retry(reader);
        let on_error = self.on_error(reader);
        let timeout = reader.duration("timeout").filter(|span| !span.is_zero());
        let on_interrupted = reader.word("on_interrupted", INTERRUPTED);
        let work = match kind {
            Some("action") => self.action(reader),
            Some(kind) => {
                self.idle_fields(reader, kind);
                self.config(at, reader, kind, timeout)
            }
            None => None,
        };
        if let Some(WorkPlan::Action(action)) = &work {
            self.nodes[at].action = Some(action.name.clone());
            self.nodes[at].wishes = self.wishes(reader, &action.name);
        }
        self.nodes[at].timeout = timeout;
        if let (Some(work), Some(on_error)) = (work, on_error) {
            self.plans[at] = Some(StepPlan { guard, work, retry, on_error, on_interrupted });
        }
        self.looker = outer;
    }

    /// What an action step wishes for the programs it runs, over what the workflow wishes.
    fn wishes(&self, reader: Reader<'_>, action: &str) -> Option<Arc<Wishes>> {
        let own = isolation::wishes(reader);
        if self.actions.runs_programs(action) {
            let all = own.or(&self.wishes);
            return (!all.is_empty()).then(|| all.into());
        }
        self.no_program(reader);
        None
    }

    /// Warns about what only a step that runs a program looks at.
    fn no_program(&self, reader: Reader<'_>) {
        for member in ["sandbox", "limits"] {
            if reader.value(member).is_some() {
                let message = format!("this step runs no program; `{member}` is ignored");
                let hint = "it is for steps such as `shell.exec`";
                let problem = Problem::warning(reader.at(member), message);
                self.problems.push(problem.hint(hint).remove());
            }
        }
    }

    /// Warns about what only an action step looks at.
    fn idle_fields(&self, reader: Reader<'_>, kind: &str) {
        self.no_program(reader);
        for member in ["action", "params"] {
            if reader.value(member).is_some() {
                let message =
                    format!("a {kind} step has a `config`, not `{member}`; this is ignored");
                let hint = "move what it needs to `config`, or make it an action step";
                let problem = Problem::warning(reader.at(member), message);
                self.problems.push(problem.hint(hint).remove());
            }
        }
    }

    pub(super) fn note_program(&mut self, place: String, program: Option<&Program>) {
        if let Some(program) = program {
            self.names(&place, program);
            self.note(place, program.references());
        }
    }

    fn note(&mut self, place: String, references: &References) {
        if self.loops == 0 && references.roots.contains("iter") {
            let message = "`iter` means something only inside a loop";
            let hint = "put the step in a loop's `body`, or read `inputs` or `steps` instead";
            self.problems.push(Problem::warning(place.as_str(), message).hint(hint));
        }
        let references = references.clone();
        self.reads.push(Read { place, looker: self.looker, references });
    }

    pub(super) fn note_template(&mut self, place: &str, template: Option<&Template>) {
        for (pointer, references) in template.iter().flat_map(|template| template.references()) {
            self.note(format!("{place}{pointer}"), references);
        }
    }

    fn action(&mut self, reader: Reader<'_>) -> Option<WorkPlan> {
        if reader.value("config").is_some() {
            let place = reader.at("config");
            let message = "an action step has `params`, not `config`; this is ignored";
            let problem = Problem::warning(place, message).hint("move what it needs to `params`");
            self.problems.push(problem.remove());
        }
        let empty = Value::Object(Object::default());
        let params = reader.value("params").unwrap_or(&empty);
        if params.as_object().is_none() {
            let message = format!("`params` must be an object, not {}", params.kind());
            reader.wrong("params", message, "write {\"name\": value, …}");
        }
        let place = reader.at("params");
        let template = reader.template(&place, params, true);
        self.note_template(&place, template.as_ref());
        let Some(name) = reader.text("action") else {
            if reader.value("action").is_none() {
                let place = reader.at("action");
                let hint = "such as `http.get` or `shell.exec`; other steps need a `type`";
                self.error(&place, "an action step needs an `action`", hint);
            }
            return None;
        };
        let Some(class) = self.actions.class(name) else {
            self.unknown_action(&reader.at("action"), name);
            return None;
        };
        self.recorded(&place, name, template.as_ref());
        self.child(&place, name, params);
        let is_object = params.as_object().is_some();
        for problem in is_object.then(|| self.actions.check(name, params)).into_iter().flatten() {
            self.problems.push(misfit(&place, params, problem));
        }
        let program = self.program_of(&place, name, params);
        Some(WorkPlan::Action(ActionPlan { name: name.into(), class, params: template?, program }))
    }

    /// Notes which template a step runs, unless that is put together when it begins.
    fn child(&mut self, place: &str, name: &str, params: &Value) {
        let text = |member: &str| params.find(member).and_then(Value::as_str);
        let (Some(template), "workflow.run") = (text("template_name"), name) else { return };
        let version = text("version");
        if !template.contains("${{") && version.is_none_or(|version| !version.contains("${{")) {
            self.children.push(ChildPlan {
                place: pointer(place, "template_name"),
                template: template.into(),
                version: version.map(Into::into),
            });
        }
    }

    /// The program among an action's parameters, unless it is put together when the step begins.
    fn program_of(&mut self, place: &str, name: &str, params: &Value) -> Option<Program> {
        let (member, language) = self.actions.program(name)?;
        let text = params.find(member)?.as_str().filter(|text| !text.contains("${{"))?;
        let none = Value::Object(Object::default());
        let args = params.find("args").unwrap_or(&none).as_object()?;
        let place = pointer(place, member);
        match Program::compile_loose(language, text, args.keys()) {
            Ok(program) => {
                // With data of its own, a filter reads nothing of the scope.
                if language != Language::Jq || params.find("data").is_none() {
                    self.note_program(place, Some(&program));
                }
                Some(program)
            }
            Err(error) => {
                self.problems.push(uncompiled(ErrorCode::Validation, place, text, error));
                None
            }
        }
    }

    /// Warns about variables that no scope has: reading one is no mistake in these languages, and gives nothing.
    fn names(&self, place: &str, program: &Program) {
        let own: Vec<&str> = match program.language() {
            // Any name may be that of an input, unless the definition says which there are.
            Language::Cel | Language::Expr if self.inputs.is_empty() => return,
            Language::Cel | Language::Expr => {
                self.inputs.iter().map(String::as_str).chain(["data"]).collect()
            }
            Language::Jq => Vec::new(),
        };
        let roots = ["steps", "inputs", "workflow", "context", "iter", "error"];
        let names: BTreeSet<&Arc<str>> =
            program.references().names.iter().map(|(name, _)| name).collect();
        for name in names {
            if own.contains(&&**name) {
                continue;
            }
            let message = format!("nothing here is called `{name}`");
            let meant = nearest(name, own.iter().copied().chain(roots));
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there is {}", [&roots, &own[..]].concat().join(", ")),
            };
            self.problems.push(Problem::warning(place, message).hint(hint));
        }
    }

    /// What the engine itself grants is recorded as it is said, so no secret may be in it.
    fn recorded(&self, place: &str, name: &str, template: Option<&Template>) {
        let secret = template.and_then(|template| template.secrets().next());
        let recorded = name.starts_with("workflow.") || self.actions.program(name).is_some();
        if let Some(secret) = secret.filter(|_| recorded) {
            let message =
                format!("what `{name}` is given is recorded; secret `{secret}` may not be in it");
            self.error(place, message, "give it to the action that uses it, and there only");
        }
    }

    fn unknown_action(&self, place: &str, name: &str) {
        let names = self.actions.names();
        let message = format!("action `{name}` does not exist");
        let problem = Problem::error(ErrorCode::ActionUnavailable, place, message);
        self.problems.push(match nearest(name, names.iter().map(String::as_str)) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")).replace_with(meant),
            None => problem.hint(format!("the actions are {}", names.join(", "))),
        });
    }

    fn retry(&self, reader: Reader<'_>) -> Retry {
        let Some(object) = reader.object("retry") else { return Retry::default() };
        let path = reader.at("retry");
        let reader = Reader { object, path: &path, problems: self.problems };
        reader.known(&["max", "backoff", "delay", "max_delay", "jitter", "retry_on"]);
        let words = [
            ("none", Backoff::Constant),
            ("constant", Backoff::Constant),
            ("linear", Backoff::Linear),
            ("exponential", Backoff::Exponential),
        ];
        let max = reader.count("max", 0, RETRIES_MAX).unwrap_or(0);
        if max > 10 {
            let message = format!("{max} retries may take very long");
            let problem = Problem::warning(format!("{path}/max"), message);
            self.problems
                .push(problem.hint("a `max_delay` and the workflow's `timeout` bound them"));
        }
        let codes = reader.list("retry_on").unwrap_or_default().iter().enumerate();
        let only = codes.filter_map(|(i, code)| {
            let known = code.as_str().and_then(ErrorCode::parse);
            if known.is_none() {
                let known: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.text()).collect();
                let message = format!("no such error code: {code}");
                let place = format!("{path}/retry_on/{i}");
                let problem = Problem::error(ErrorCode::Validation, place, message);
                let meant = code.as_str().and_then(|text| {
                    let mut begin = known.iter().copied().filter(|known| known.starts_with(text));
                    match (begin.next(), begin.next()) {
                        (Some(only), None) => Some(only),
                        _ => nearest(text, known.iter().copied()),
                    }
                });
                self.problems.push(match meant {
                    Some(meant) => {
                        problem.hint(format!("did you mean `{meant}`?")).replace_with(meant)
                    }
                    None => problem.hint("such as TIMEOUT_ERROR or EXECUTION_ERROR"),
                });
            }
            known
        });
        Retry {
            max,
            backoff: reader.word("backoff", &words).unwrap_or_default(),
            delay: reader.duration("delay").unwrap_or_default(),
            max_delay: reader.duration("max_delay"),
            jitter: reader.flag("jitter").unwrap_or_default(),
            only: only.collect(),
        }
    }

    /// `None` if it is there and cannot be read.
    fn on_error(&self, reader: Reader<'_>) -> Option<OnError> {
        if reader.value("on_error").is_none() {
            return Some(OnError::None);
        }
        let object = reader.object("on_error")?;
        let path = reader.at("on_error");
        let reader = Reader { object, path: &path, problems: self.problems };
        reader.known(&["strategy", "fallback_step"]);
        let words = [
            ("ignore", OnError::Ignore),
            ("fail_workflow", OnError::Fail),
            ("fallback_step", OnError::Fallback),
            ("retry", OnError::Retry),
        ];
        let strategy = reader.word("strategy", &words);
        if strategy.is_none() && reader.value("strategy").is_none() {
            let hint = "ignore, fail_workflow, fallback_step or retry";
            reader.wrong("strategy", "`on_error` needs a `strategy`", hint);
        }
        if strategy != Some(OnError::Fallback) && reader.value("fallback_step").is_some() {
            let place = reader.at("fallback_step");
            let message = "`fallback_step` is used only with the strategy `fallback_step`";
            let problem = Problem::warning(place, message);
            self.problems.push(problem.hint("change the strategy, or take it away").remove());
        }
        strategy
    }
}

/// A parameter that does not fit, as a problem of the definition.
fn misfit(base: &str, params: &Value, found: ParamProblem) -> Problem {
    let ParamProblem { path, message, nearest, hint, kind, fix } = found;
    let value = params.pointer(&path).cloned().unwrap_or_default();
    let place = format!("{base}{path}");
    let problem = match kind {
        Misfit::Wrong => Problem::error(ErrorCode::Validation, place, message),
        Misfit::Unread | Misfit::Risky => Problem::warning(place, message),
        Misfit::Spliced | Misfit::Outdated => Problem::barred(place, message),
    };
    let hint = nearest.as_ref().map_or(hint, |meant| format!("did you mean `{meant}`?"));
    let problem = problem.hint(hint);
    match (kind, nearest) {
        (Misfit::Wrong, Some(meant)) => problem.replace_with(meant),
        (Misfit::Unread, Some(meant)) => problem.rename_to(&meant, &value),
        (Misfit::Unread, None) => problem.remove(),
        (Misfit::Wrong, None) | (Misfit::Risky | Misfit::Spliced | Misfit::Outdated, _) => {
            let within = |patch: Patch| Patch { path: format!("{base}{}", patch.path), ..patch };
            Problem { fix: fix.into_iter().map(within).collect(), ..problem }
        }
    }
}
