//! What a workflow waits for, with the exact commands that go on with it.
//!
//! Keeps: a command shown here can be pasted as it is.
//! Not here: asking at a prompt (`live.rs`).

use opcode_model::RunId;
use opcode_model::event::DecisionKind;
use opcode_runtime::{StatusView, WaitView};
use opcode_store::DecisionRow;

use crate::cli::{quoted, same_store};
use crate::say::Paint;
use crate::show::age::ahead;
use crate::show::table::{Cell, Tone, lines};

/// Questions, and waits, that are told in full.
const QUESTIONS_SHOWN: usize = 10;
/// Options that are told with their command.
const OPTIONS_SHOWN: usize = 10;

/// Questions and waits, one paragraph each.
pub(crate) fn lines_of(view: &StatusView, paint: Paint) -> Vec<String> {
    let mut text = Vec::new();
    for decision in view.decisions.iter().take(QUESTIONS_SHOWN) {
        text.push(String::new());
        text.extend(question(decision, view, paint));
        text.extend(answers(decision, paint));
    }
    let more = view.decisions.len().saturating_sub(QUESTIONS_SHOWN);
    if more > 0 {
        let list = format!("{} query decisions", same_store());
        text.push(paint.dim(&format!("and {more} more: `{list}` lists them")));
    }
    for wait in view.waits.iter().take(QUESTIONS_SHOWN) {
        text.push(String::new());
        text.extend(listens(wait, view, paint));
    }
    if view.run.is_paused() {
        text.push(String::new());
        text.push(paint.yellow("its time limit suspended it"));
        text.push(paint.dim("give it as much time again with:"));
        text.push(format!("  {} signal {} retry", same_store(), view.run.id));
    }
    text
}

/// What is asked, and what may be chosen.
pub(crate) fn question(decision: &DecisionRow, view: &StatusView, paint: Paint) -> Vec<String> {
    let request = &decision.request;
    let mut text = Vec::new();
    let whose = whose(decision.run, view);
    let prompt = match request.prompt_context.trim() {
        "" => "what shall be done?",
        prompt => prompt,
    };
    let head = format!("{}{whose} asks:", decision.step.path);
    let mut prompt = prompt.lines();
    text.push(format!("{} {}", paint.yellow(&head), prompt.next().unwrap_or_default()));
    text.extend(prompt.map(|line| format!("  {line}")));
    if !request.data_inject.is_null() {
        text.push(format!("  {}", paint.dim(&request.data_inject.to_json())));
    }
    let rows = request.options.iter().map(|option| {
        let meaning = option.description.as_deref().unwrap_or_default();
        vec![Cell::toned(option.id.as_ref(), Tone::Bold), Cell::from(meaning)]
    });
    text.extend(lines(&rows.collect::<Vec<_>>(), 2, crate::say::width(), paint));
    let mut facts = Vec::new();
    if let Some(agent) = &request.target_agent {
        facts.push(format!("{agent} must answer"));
    }
    if let Some(until) = request.timeout_at {
        let then = request.fallback.as_deref().map(|choice| format!(", then {choice}"));
        facts.push(format!("time runs out {}{}", ahead(until), then.unwrap_or_default()));
    }
    if !facts.is_empty() {
        text.push(format!("  {}", paint.dim(&facts.join("; "))));
    }
    text
}

fn answers(decision: &DecisionRow, paint: Paint) -> Vec<String> {
    let request = &decision.request;
    let step = quoted(&decision.step.path);
    let begin = format!("{} signal {} decision {step}", same_store(), decision.run);
    let end = match &request.target_agent {
        Some(agent) => format!(" --agent {}", quoted(agent)),
        None => String::new(),
    };
    let mut text = vec![paint.dim("answer with:")];
    if request.options.is_empty() {
        text.push(format!("  {begin} 'YOUR ANSWER'{end}"));
    }
    let in_doubt = request.kind == DecisionKind::InDoubt;
    for option in request.options.iter().take(OPTIONS_SHOWN) {
        // Whoever says that it happened says what came of it.
        let data = if in_doubt && option.id.as_ref() == "done" { " --data '{}'" } else { "" };
        text.push(format!("  {begin} {}{data}{end}", quoted(&option.id)));
    }
    text
}

/// The step that opened the run, and the run, if it is not the one that was asked for.
fn whose(run: RunId, view: &StatusView) -> String {
    match view.opened_by.get(&run) {
        Some(step) => format!(" (in {step}, workflow {run})"),
        None => String::new(),
    }
}

fn listens(wait: &WaitView, view: &StatusView, paint: Paint) -> Vec<String> {
    let whose = whose(wait.run, view);
    let (head, flag) = if wait.signal.is_empty() {
        let head = format!("{}{whose} waits for a signal", wait.step_id);
        (head, format!("--step {}", quoted(&wait.step_id)))
    } else {
        let head = format!("{}{whose} waits for the signal {}", wait.step_id, wait.signal);
        (head, format!("--name {}", quoted(&wait.signal)))
    };
    let command = format!("{} signal {} data {flag}", same_store(), wait.run);
    let mut text = vec![paint.yellow(&head)];
    if let Some(until) = wait.until {
        let resume = format!("{} resume", same_store());
        let facts = format!("time runs out {}; `{resume}` then goes on", ahead(until));
        text.push(format!("  {}", paint.dim(&facts)));
    }
    text.extend([paint.dim("send it with:"), format!("  {command} --payload '{{}}'")]);
    text
}
