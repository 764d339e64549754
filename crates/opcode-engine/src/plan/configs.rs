//! Reads the `config` of flow, wait and reasoning steps.
//!
//! Keeps: whatever bounds a loop is known before it runs.
//! Not here: actions (`steps.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use opcode_expr::{Language, Meter, Program, Scope, StepView};
use opcode_model::event::ChoiceOption;
use opcode_model::limits::{FAN_OUT_MAX, LOOP_CONCURRENCY_MAX, LOOP_ITERATIONS_MAX};
use opcode_model::problem::pointer;
use opcode_model::time::format_duration;
use opcode_model::{ErrorCode, Problem, Timestamp, Value};

use super::reader::Reader;
use super::reads::Looker;
use super::steps::Steps;
use super::{ConditionPlan, LoopMode, LoopPlan, ParallelPlan, ReasoningPlan, WaitPlan, WorkPlan};
use crate::shape::{BodyIx, FlowKind, LoopBounds};

impl Steps<'_> {
    pub(super) fn config(
        &mut self,
        at: usize,
        step: Reader<'_>,
        kind: &str,
        timeout: Option<Duration>,
    ) -> Option<WorkPlan> {
        if step.value("config").is_none() {
            step.wrong("config", format!("a {kind} step needs a `config`"), shape_of(kind));
        }
        let object = step.object("config")?;
        let path = step.at("config");
        let config = Reader { object, path: &path, problems: self.problems };
        match kind {
            "condition" => self.condition(at, config),
            "loop" => {
                self.loops += 1;
                let read = self.loop_(at, config);
                self.loops -= 1;
                read
            }
            "parallel" => self.parallel(at, config),
            "wait" => self.wait(config),
            _ => self.reasoning(config, timeout),
        }
    }

    fn condition(&mut self, at: usize, config: Reader<'_>) -> Option<WorkPlan> {
        config.known(&["expression", "branches", "default", "engine"]);
        let language = engine(config).unwrap_or(Language::Cel);
        let expression = self.needed_program(config, language, "expression");
        let mut branches = BTreeMap::new();
        let written = config.object("branches");
        if written.is_some_and(|written| written.len() > FAN_OUT_MAX) {
            self.limit(&config.at("branches"), "branches of a step", FAN_OUT_MAX);
            return None;
        }
        for (key, steps) in written.into_iter().flatten() {
            let place = pointer(&config.at("branches"), key);
            let body = self.branch(&place, steps)?;
            branches.insert(key.clone(), self.nodes[at].bodies.len() as u32);
            self.nodes[at].bodies.push(body);
        }
        let default = match config.value("default") {
            Some(steps) => {
                let body = self.branch(&config.at("default"), steps)?;
                self.nodes[at].bodies.push(body);
                Some(self.nodes[at].bodies.len() as u32 - 1)
            }
            None => None,
        };
        self.nodes[at].flow = FlowKind::Condition;
        Some(WorkPlan::Condition(ConditionPlan { expression: expression?, branches, default }))
    }

    fn branch(&mut self, place: &str, steps: &Value) -> Option<BodyIx> {
        match steps.as_list() {
            Some(items) => self.body(place, items, false),
            None => {
                let message = format!("a branch is a list of steps, not {}", steps.kind());
                let problem = Problem::error(ErrorCode::Validation, place, message);
                self.problems.push(match steps.as_object() {
                    Some(_) => problem
                        .hint("put the step in a list")
                        .replace_with(Value::list([steps.clone()])),
                    None => problem.hint("write a list of steps: [{\"id\": …, \"action\": …}]"),
                });
                None
            }
        }
    }

    /// A program that may not be missing.
    fn needed_program(
        &mut self,
        config: Reader<'_>,
        language: Language,
        member: &str,
    ) -> Option<Program> {
        if config.value(member).is_none() {
            let hint = match member {
                "over" => {
                    "an expression that gives a list, such as `steps.fetch.items` or `[1, 2]`"
                }
                "condition" => "an expression that is true or false, such as `iter.index < 5`",
                _ => "an expression whose value names a branch, such as `steps.check.ok`",
            };
            config.wrong(member, format!("`{member}` is missing"), hint);
        }
        let program = config.program(language, member);
        self.note_program(config.at(member), program.as_ref());
        program
    }

    fn loop_(&mut self, at: usize, config: Reader<'_>) -> Option<WorkPlan> {
        let known =
            ["mode", "over", "condition", "body", "max_iter", "concurrency", "break", "engine"];
        config.known(&known);
        self.nodes[at].flow = FlowKind::Loop;
        let body = match config.list("body") {
            Some([]) => {
                config.wrong("body", "a loop needs at least one step in its `body`", BODY);
                None
            }
            Some(items) => self.body(&config.at("body"), items, false),
            None => {
                if config.value("body").is_none() {
                    config.wrong("body", "`body` is missing", BODY);
                }
                None
            }
        };
        let round = body.map_or(self.looker, Looker::Round);
        let mode = self.loop_mode(config, round);
        self.idle_in_loop(config, mode.as_ref());
        let max_iter = config.count("max_iter", 1, LOOP_ITERATIONS_MAX);
        self.bounds(config, mode.as_ref(), max_iter);
        self.looker = round;
        let stop_when = config.program(engine(config).unwrap_or(Language::Cel), "break");
        self.note_program(config.at("break"), stop_when.as_ref());
        let mode = mode?;
        let concurrency = config.count("concurrency", 1, LOOP_CONCURRENCY_MAX).unwrap_or(1);
        if concurrency > 1 && !matches!(mode, LoopMode::ForEach(_)) {
            let message = "only a `for_each` loop can run iterations side by side";
            config.wrong("concurrency", message, "take it away, or loop `over` a list");
        }
        self.nodes[at].bodies.push(body?);
        self.nodes[at].bounds = LoopBounds {
            for_each: matches!(mode, LoopMode::ForEach(_)),
            max_iter: max_iter.unwrap_or(LOOP_ITERATIONS_MAX),
            concurrency,
        };
        let may_cut = max_iter.is_some();
        Some(WorkPlan::Loop(Box::new(LoopPlan { mode, stop_when, may_cut })))
    }

    fn loop_mode(&mut self, config: Reader<'_>, round: Looker) -> Option<LoopMode> {
        let mode = if config.value("mode").is_some() {
            config.word("mode", &[("for_each", 0), ("while", 1), ("until", 2)])?
        } else {
            0
        };
        let language = engine(config);
        if mode == 0 {
            let begins_as_jq = config.value("over").and_then(Value::as_str);
            let begins_as_jq = begins_as_jq.is_some_and(|over| over.trim_start().starts_with('.'));
            let otherwise = if begins_as_jq { Language::Jq } else { Language::Cel };
            let over = self.needed_program(config, language.unwrap_or(otherwise), "over");
            return over.map(LoopMode::ForEach);
        }
        self.looker = round;
        let condition =
            self.needed_program(config, language.unwrap_or(Language::Cel), "condition")?;
        Some(if mode == 1 { LoopMode::While(condition) } else { LoopMode::Until(condition) })
    }

    /// Warns about what this kind of loop does not look at.
    fn idle_in_loop(&self, config: Reader<'_>, mode: Option<&LoopMode>) {
        let (member, hint) = match mode {
            Some(LoopMode::ForEach(_)) => (
                "condition",
                "`break` ends a loop over a list; `while` and `until` have conditions",
            ),
            Some(LoopMode::While(_) | LoopMode::Until(_)) => {
                ("over", "a loop over a list has the mode `for_each`")
            }
            None => return,
        };
        if config.value(member).is_some() {
            let message = format!("`{member}` is not looked at in a loop of this mode");
            self.problems.push(Problem::warning(config.at(member), message).hint(hint).remove());
        }
    }

    fn bounds(&self, config: Reader<'_>, mode: Option<&LoopMode>, max_iter: Option<u32>) {
        match mode {
            Some(LoopMode::ForEach(over)) => {
                if let (Some(max), Some(items)) = (max_iter, constant_len(over))
                    && max as usize > items
                {
                    let message =
                        format!("`max_iter` {max} cannot be reached: `over` has {items} items");
                    let problem = Problem::warning(config.at("max_iter"), message);
                    self.problems
                        .push(problem.hint("lower it, or leave it out").replace_with(items));
                }
            }
            Some(LoopMode::While(_) | LoopMode::Until(_)) if config.value("max_iter").is_none() => {
                let message = "without `max_iter` only the condition ends this loop";
                let hint = "set a `max_iter`: then the loop ends there, with `truncated`";
                self.problems.push(Problem::warning(config.path, message).hint(hint));
            }
            Some(LoopMode::While(_) | LoopMode::Until(_)) | None => {}
        }
    }

    fn parallel(&mut self, at: usize, config: Reader<'_>) -> Option<WorkPlan> {
        config.known(&["branches", "mode"]);
        let race = config.word("mode", &[("all", false), ("race", true)]).unwrap_or_default();
        self.nodes[at].flow = if race { FlowKind::Race } else { FlowKind::All };
        let Some(written) = config.list("branches") else {
            if config.value("branches").is_none() {
                config.wrong("branches", "`branches` is missing", BRANCHES);
            }
            return None;
        };
        if written.is_empty() {
            config.wrong("branches", "a parallel step needs at least one branch", BRANCHES);
        }
        if written.len() > FAN_OUT_MAX {
            self.limit(&config.at("branches"), "branches of a step", FAN_OUT_MAX);
            return None;
        }
        let mut branches = Vec::new();
        for (i, steps) in written.iter().enumerate() {
            branches.push(self.branch(&format!("{}/{i}", config.at("branches")), steps));
        }
        let bodies: Option<Vec<_>> = branches.into_iter().collect();
        self.nodes[at].bodies = bodies?;
        let branches = self.nodes[at].bodies.len() as u32;
        Some(WorkPlan::Parallel(ParallelPlan { branches, race }))
    }

    fn wait(&mut self, config: Reader<'_>) -> Option<WorkPlan> {
        config.known(&["duration", "signal"]);
        let text = config.value("duration").and_then(Value::as_str);
        if text.is_some_and(|text| text.contains("${{")) {
            let place = config.at("duration");
            let template = config.template(&place, config.value("duration")?, false);
            self.note_template(&place, template.as_ref());
            return template.map(|template| WorkPlan::Wait(WaitPlan::Computed(template)));
        }
        let duration = config.duration("duration");
        let signal = config.shared("signal").filter(|name| !name.is_empty());
        if duration.is_some() && signal.is_some() {
            let message = "with a `duration` the `signal` is never waited for";
            let problem = Problem::warning(config.at("signal"), message);
            self.problems.push(problem.hint("wait in two steps, or for one of them").remove());
        }
        if config.value("duration").is_none() && signal.is_none() {
            let place = config.path;
            let message = "a wait step needs a `duration` or a `signal`";
            self.problems.push(
                Problem::error(ErrorCode::Validation, place, message)
                    .hint("`duration` waits for a time such as 30s, `signal` for somebody's word"),
            );
        }
        duration.map(WaitPlan::Span).or(signal.map(WaitPlan::Signal)).map(WorkPlan::Wait)
    }

    fn reasoning(&mut self, config: Reader<'_>, step: Option<Duration>) -> Option<WorkPlan> {
        let known =
            ["prompt_context", "options", "data_inject", "timeout", "fallback", "target_agent"];
        config.known(&known);
        let prompt = config.text("prompt_context").unwrap_or_default();
        let place = config.at("prompt_context");
        let prompt = config.template(&place, &Value::from(prompt), false);
        self.note_template(&place, prompt.as_ref());
        let options = self.options(config);
        let fallback = config.shared("fallback").filter(|id| !id.is_empty());
        if let Some(fallback) = &fallback
            && !options.is_empty()
            && !options.iter().any(|option| option.id == *fallback)
        {
            let message = format!("fallback `{fallback}` is not among the options");
            let problem = Problem::error(ErrorCode::Validation, config.at("fallback"), message);
            let ids = options.iter().map(|option| option.id.as_ref());
            let all = ids.collect::<Vec<_>>().join(", ");
            // Which one is taken when time runs out is for the author to say.
            self.problems.push(problem.hint(format!("the options are {all}")));
        }
        let timeout = config.duration("timeout").filter(|span| !span.is_zero());
        self.longer(config, timeout, step, "step");
        self.longer(config, timeout, self.run_timeout, "workflow");
        Some(WorkPlan::Reasoning(Box::new(ReasoningPlan {
            data_inject: self.data_inject(config),
            prompt: prompt?,
            options,
            timeout,
            fallback,
            target_agent: config.shared("target_agent").filter(|agent| !agent.is_empty()),
        })))
    }

    fn longer(&self, config: Reader<'_>, own: Option<Duration>, of: Option<Duration>, what: &str) {
        if let (Some(own), Some(of)) = (own, of)
            && own > of
            && what == "step"
        {
            let (own, of) = (format_duration(own), format_duration(of));
            let message = format!("reasoning timeout {own} is longer than the {what} timeout {of}");
            let hint = "the shorter one comes first";
            let problem = Problem::warning(config.at("timeout"), message).hint(hint);
            self.problems.push(problem.replace_with(of));
        }
    }

    fn options(&self, config: Reader<'_>) -> Vec<ChoiceOption> {
        let mut options: Vec<ChoiceOption> = Vec::new();
        for (i, option) in config.list("options").unwrap_or_default().iter().enumerate() {
            let place = format!("{}/{i}", config.at("options"));
            let id = option.as_str().or_else(|| option.find("id").and_then(Value::as_str));
            let Some(id) = id.filter(|id| !id.is_empty()) else {
                let message = "an option is {\"id\": …, \"description\": …}";
                let problem = Problem::error(ErrorCode::Validation, place, message);
                self.problems.push(problem.hint("the `id` is what is answered; bare text will do"));
                continue;
            };
            if options.iter().any(|other| other.id.as_ref() == id) {
                let message = format!("duplicate option `{id}`");
                let problem = Problem::error(ErrorCode::Validation, place, message);
                self.problems.push(problem.hint("give each option an id of its own").remove());
            }
            let description = option.find("description").and_then(Value::as_str).map(Into::into);
            options.push(ChoiceOption { id: id.into(), description });
        }
        options
    }

    /// Facts for the one who decides. Bare text that reads as a path is tried as `${{ text }}`.
    fn data_inject(&mut self, config: Reader<'_>) -> Vec<(Arc<str>, opcode_expr::Template, Value)> {
        let mut facts = Vec::new();
        for (key, value) in config.object("data_inject").into_iter().flatten() {
            let place = pointer(&config.at("data_inject"), key);
            let written = match value.as_str() {
                Some(text) if !text.contains("${{") && reads_as_path(text) => {
                    Value::from(format!("${{{{ {text} }}}}"))
                }
                _ => value.clone(),
            };
            if let Some(template) = config.template(&place, &written, false) {
                self.note_template(&place, Some(&template));
                facts.push((key.clone(), template, value.clone()));
            }
        }
        facts
    }
}

const BODY: &str = "write the steps of one iteration: [{\"id\": …, \"action\": …}]";
const BRANCHES: &str = "write a list of lists of steps: [[{\"id\": …}], [{\"id\": …}]]";

/// What a step of that kind is told by.
fn shape_of(kind: &str) -> &'static str {
    match kind {
        "condition" => "{\"expression\": …, \"branches\": {\"true\": [steps], \"false\": [steps]}}",
        "loop" => {
            "{\"over\": …, \"body\": [steps]}, or {\"mode\": \"while\", \"condition\": …, \"body\": [steps]}"
        }
        "parallel" => "{\"branches\": [[steps], [steps]]}",
        "wait" => "{\"duration\": \"30s\"} or {\"signal\": \"name\"}",
        _ => "{\"prompt_context\": …, \"options\": [{\"id\": …}]}",
    }
}

/// The language that `engine` names.
fn engine(config: Reader<'_>) -> Option<Language> {
    config.value("engine")?;
    let languages = [("cel", Language::Cel), ("expr", Language::Expr), ("jq", Language::Jq)];
    config.word("engine", &languages)
}

/// How many items a list written out in the expression has.
fn constant_len(over: &Program) -> Option<usize> {
    let references = over.references();
    if !references.roots.is_empty() || references.dynamic_steps {
        return None;
    }
    let value = over.evaluate(&Nowhere, &mut Meter::default()).ok()?;
    value.as_list().map(<[Value]>::len)
}

/// A scope with nothing in it.
struct Nowhere;

impl Scope for Nowhere {
    fn root(&self, _: &str) -> Option<Value> {
        None
    }
    fn step(&self, _: &str) -> Option<StepView> {
        None
    }
    fn step_ids(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

/// Whether bare text begins with one of the scope's roots and compiles.
fn reads_as_path(text: &str) -> bool {
    let root: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let known = ["steps", "inputs", "workflow", "context", "loop", "iter"];
    known.contains(&root.as_str())
        && text.len() > root.len()
        && (Program::compile(Language::Cel, text).is_ok()
            || opcode_expr::Template::compile(&Value::from(format!("${{{{ {text} }}}}"))).is_ok())
}
