//! A workflow with its steps, as a tree.
//!
//! Keeps: steps in the order in which the run came to know them, nested ones below theirs; many of a kind are counted.
//! Not here: what it waits for (`asks.rs`).

use std::collections::BTreeMap;

use opcode_engine::{Run, Step, StepState, WorkPlan};
use opcode_model::result::{RunResult, StepResult};
use opcode_model::{RunStatus, StepStatus};
use opcode_runtime::StatusView;

use crate::say::Paint;
use crate::show::age::{ago, ahead, now, span};
use crate::show::table::{Cell, Tone, lines};
use crate::show::{asks, count};

/// Nested steps below one step that are shown one by one.
const NESTED_MAX: usize = 12;

/// Everything about a workflow.
pub(crate) fn report(view: &StatusView, paint: Paint) -> String {
    let mut text = vec![head(view, paint)];
    let rows = tree(view, usize::MAX);
    if !rows.is_empty() {
        text.push(String::new());
        text.extend(lines(&rows, 2, crate::say::width(), paint));
    }
    text.extend(end(&view.result, paint));
    text.extend(asks::lines_of(view, paint));
    text.join("\n")
}

/// One line: status, name, id, time.
pub(crate) fn head(view: &StatusView, paint: Paint) -> String {
    let (result, row) = (&view.result, &view.summary.row);
    let status = tinted(result.status, paint);
    let name = row.name.as_deref().unwrap_or("unnamed");
    let version = match (&row.template_name, &row.template_version) {
        (Some(template), Some(version)) if template.as_ref() == name => format!(" {version}"),
        (Some(template), Some(version)) => format!(" ({template} {version})"),
        (Some(_) | None, _) => String::new(),
    };
    let time = match result.completed_at {
        Some(ended) => format!("in {}", span(ended.since(result.started_at))),
        None => format!("began {}", ago(result.started_at)),
    };
    let mut line = format!("{status}  {}{version}", paint.bold(name));
    line += &format!("  {}  {}", result.workflow_id, paint.dim(&time));
    line
}

/// A workflow's status in a table.
pub(crate) fn status_cell(status: RunStatus) -> Cell {
    let tone = match status {
        RunStatus::Completed => Tone::Good,
        RunStatus::Failed | RunStatus::Cancelled => Tone::Bad,
        RunStatus::Suspended => Tone::Held,
        RunStatus::Pending | RunStatus::Active => Tone::Bold,
    };
    Cell::toned(status.text(), tone)
}

fn tinted(status: RunStatus, paint: Paint) -> String {
    match status {
        RunStatus::Completed => paint.green(status.text()),
        RunStatus::Failed | RunStatus::Cancelled => paint.red(status.text()),
        RunStatus::Suspended => paint.yellow(status.text()),
        RunStatus::Pending | RunStatus::Active => paint.cyan(status.text()),
    }
}

/// The output or the error.
fn end(result: &RunResult, paint: Paint) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(error) = &result.error {
        text.push(String::new());
        text.push(format!("{} [{}] {}", paint.red("error:"), error.code, error.message));
    }
    if !result.output.is_null() {
        let pretty = serde_json::to_string_pretty(&result.output).unwrap_or_default();
        text.push(String::new());
        text.push(format!("{} {pretty}", paint.dim("output:")));
    }
    text
}

/// A bar and a count of steps that are over.
pub(crate) fn progress(view: &StatusView, paint: Paint) -> String {
    const WIDTH: usize = 24;
    let steps = &view.run.state.steps;
    let over = steps.iter().filter(|step| step.status().is_terminal()).count();
    let filled = (over * WIDTH).checked_div(steps.len()).unwrap_or(0);
    let bar = format!("[{}{}]", paint.green(&"#".repeat(filled)), ".".repeat(WIDTH - filled));
    format!("{bar} {over}/{}", count(steps.len(), "step"))
}

/// Steps as rows: name, what it does, status, time or reason. At most `max` rows.
pub(crate) fn tree(view: &StatusView, max: usize) -> Vec<Vec<Cell>> {
    let below = children(&view.run);
    let mut rows = Vec::new();
    branch(view, &below, None, 0, &mut rows);
    if rows.len() > max {
        // The last rows are where things happen; earlier ones are over.
        let hidden = rows.len() + 1 - max;
        rows.drain(..hidden);
        let note = format!("… {} above", count(hidden, "line"));
        rows.insert(0, vec![Cell::toned(note, Tone::Dim)]);
    }
    rows
}

type Below<'a> = BTreeMap<Option<&'a str>, Vec<&'a Step>>;

/// Steps by the step around them.
fn children(run: &Run) -> Below<'_> {
    let mut below: Below<'_> = BTreeMap::new();
    for step in &run.state.steps {
        let owner = run.frame(step.frame).owner.map(|owner| run.step(owner).path.as_ref());
        below.entry(owner).or_default().push(step);
    }
    below
}

fn branch(
    view: &StatusView,
    below: &Below<'_>,
    owner: Option<&str>,
    depth: usize,
    rows: &mut Vec<Vec<Cell>>,
) {
    let Some(steps) = below.get(&owner) else { return };
    let is_many = owner.is_some() && steps.len() > NESTED_MAX;
    let mut quiet: BTreeMap<StepStatus, usize> = BTreeMap::new();
    for step in steps {
        let status = step.status();
        let is_quiet =
            matches!(status, StepStatus::Completed | StepStatus::Skipped | StepStatus::Pending);
        if is_many && is_quiet {
            *quiet.entry(status).or_default() += 1;
            continue;
        }
        rows.push(row(view, step, owner, depth));
        branch(view, below, Some(&step.path), depth + 1, rows);
    }
    for (status, n) in quiet {
        let name = format!("{}… {}", "  ".repeat(depth), count(n, "step"));
        rows.push(vec![Cell::toned(name, Tone::Dim), Cell::default(), step_cell(status)]);
    }
}

fn row(view: &StatusView, step: &Step, owner: Option<&str>, depth: usize) -> Vec<Cell> {
    let name = match owner {
        Some(owner) => step.path.strip_prefix(owner).unwrap_or(&step.path).trim_start_matches('.'),
        None => &step.path,
    };
    let result = view.result.steps.get(&step.path);
    vec![
        Cell::from(format!("{}{name}", "  ".repeat(depth))),
        Cell::toned(kind(view, step), Tone::Dim),
        step_cell(step.status()),
        Cell::number(result.map(time).unwrap_or_default()),
        Cell::toned(detail(step, result), Tone::Dim),
    ]
}

fn step_cell(status: StepStatus) -> Cell {
    let tone = match status {
        StepStatus::Completed => Tone::Good,
        StepStatus::Failed => Tone::Bad,
        StepStatus::Suspended | StepStatus::Retrying => Tone::Held,
        StepStatus::Running => Tone::Bold,
        StepStatus::Pending | StepStatus::Scheduled | StepStatus::Skipped => Tone::Dim,
    };
    Cell::toned(status.text(), tone)
}

fn kind(view: &StatusView, step: &Step) -> String {
    match &view.plan.step(view.run.node_of(step)).work {
        WorkPlan::Action(action) => action.name.to_string(),
        WorkPlan::Condition(_) => "condition".to_owned(),
        WorkPlan::Loop(_) => "loop".to_owned(),
        WorkPlan::Parallel(_) => "parallel".to_owned(),
        WorkPlan::Wait(_) => "wait".to_owned(),
        WorkPlan::Reasoning(_) => "reasoning".to_owned(),
    }
}

fn time(step: &StepResult) -> String {
    let has_ended = matches!(step.status, StepStatus::Completed | StepStatus::Failed);
    if has_ended { span(std::time::Duration::from_millis(step.duration_ms)) } else { String::new() }
}

fn detail(step: &Step, result: Option<&StepResult>) -> String {
    let retried = match step.retries {
        0 => String::new(),
        n => format!("after {}", count(n as usize, "retry").replace("retrys", "retries")),
    };
    match &step.state {
        StepState::Failed { error } => format!("[{}] {}", error.code, error.message),
        StepState::Skipped { .. } => {
            result.and_then(|it| it.reason.as_deref()).unwrap_or_default().replace('_', " ")
        }
        StepState::Backoff { until, error, .. } => {
            format!("again {}: [{}] {}", ahead(*until), error.code, error.message)
        }
        StepState::Asking { request, .. } => format!("asks: {}", request.prompt_context),
        StepState::Sleeping { until, .. } => format!("until {until}, {}", ahead(*until)),
        StepState::Listening { signal } if signal.is_empty() => "waits for a signal".to_owned(),
        StepState::Listening { signal } => format!("waits for the signal {signal}"),
        StepState::InChild(child) => format!("runs {}", child.run),
        StepState::Performing(_) => {
            let since = step.started_at.map(|from| span(now().since(from)));
            since.map(|span| format!("for {span}")).unwrap_or_default()
        }
        StepState::Stopping { .. } => "stopping".to_owned(),
        StepState::Done { .. } => retried,
        StepState::Waiting { .. }
        | StepState::Ready
        | StepState::Begun
        | StepState::Computing { .. }
        | StepState::Flowing(_) => String::new(),
    }
}
