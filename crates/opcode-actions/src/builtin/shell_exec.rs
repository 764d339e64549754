//! `shell.exec`: runs a program and gives its output; everything it started ends with it.
//!
//! ```json
//! {"action": "shell.exec", "params": {"command": "echo", "args": ["{\"n\": 1}"]}}
//! ```
//! gives
//! ```json
//! {"duration_ms": 2, "exit_code": 0, "killed": false, "stderr": "", "stdout": {"n": 1}, "stdout_raw": "{\"n\": 1}\n"}
//! ```
//!
//! Keeps: a clean environment; no shell unless asked for; a non-zero status completes the step. What isolation was in
//! force beside the usual is in the output, or in the details of the failure.
//! Not here: holding the process tree (`opcode-sandbox`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use opcode_model::action::{Misfit, ParamProblem};
use opcode_model::limits::{OUTPUT_BYTES_MAX, VALUE_DEPTH_MAX};
use opcode_model::time::format_duration;
use opcode_model::{EffectClass, ErrorCode, Failure, Limits, Object, Outcome, Value};
use opcode_sandbox::policy::{Mechanism, Plan};
use opcode_sandbox::{
    Captured, ExecEnd, ExecFault, ExecLimits, ExecOutcome, ExecSpec, Hit, IDEMPOTENCY_KEY_ENV, WORK,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::action::{Built, Site};
use crate::limit::{cancelled, timed_out};
use crate::page::Page;
use crate::params::{Span, Text};
use crate::splice::spliced;

pub(super) struct ShellExec;

const NAME: &str = "shell.exec";
/// Names the trace an attempt belongs to, as OpenTelemetry's tools read it.
const TRACEPARENT: &str = "TRACEPARENT";
/// How long a program may run unless its author says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of output that are left for everything but the streams.
const SLACK: usize = 64 << 10;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Params {
    /// The program: a path, or a name looked for in `PATH`. With `shell`, a script.
    command: Text,
    /// Its arguments, each one as it is.
    #[serde(default)]
    args: Vec<Text>,
    /// Variables beside `PATH`, `HOME`, `LANG` and `TMPDIR`.
    #[serde(default)]
    env: BTreeMap<String, Text>,
    /// Where to run it.
    cwd: Option<Text>,
    /// The same as `cwd`.
    workdir: Option<Text>,
    /// What it reads from standard input.
    stdin: Option<Text>,
    /// When it is killed; `30s` unless this or the step's `limits.wall_time` is given. The step completes with `killed: true`.
    timeout: Option<Span>,
    /// Run `/bin/sh -c` with the command and its arguments joined by spaces.
    #[serde(default)]
    shell: bool,
    /// It goes on when the server ends, by whatever cause; the next attempt of the step, after a restart, waits for it.
    #[serde(default)]
    detach: bool,
}

impl Built for ShellExec {
    type Params = Params;
    const PAGE: Page = Page {
        name: NAME,
        class: EffectClass::Unsafe,
        source: include_str!("shell_exec.rs"),
        output: &[
            ("duration_ms", "how long it ran"),
            ("exit_code", "its status; -1 if a signal ended it"),
            ("killed", "whether `timeout` ended it"),
            ("stderr", "standard error, as text"),
            ("stdout", "standard output: the value if all of it is JSON, else the text"),
            ("stdout_raw", "standard output, as text"),
            ("truncated", "`true`, only if a stream was cut"),
            (
                "isolation",
                "what was asked for, what was in force, what was lacking; only beside the usual",
            ),
        ],
    };

    const RUNS_PROGRAMS: bool = true;

    fn risks(params: &Value) -> Vec<ParamProblem> {
        let mut risks = shown_to_others(params);
        risks.extend(spliced(params));
        risks
    }

    fn target(params: &Params) -> Option<String> {
        Some(params.command.0.clone())
    }

    async fn perform(params: Params, site: Site<'_>) -> Outcome {
        let wishes = site.call.wishes.as_deref().cloned().unwrap_or_default();
        let demand = site.world.config().rules.demand(&wishes).map_err(|ungranted| {
            Failure::new(ErrorCode::Isolation, format!("{NAME}: {ungranted}"))
        })?;
        let plan = Box::pin(site.world.exec().plan(demand)).await;
        let plan = Arc::new(plan.map_err(|fault| failure(&fault))?);
        let record = plan.record();
        let outcome = Box::pin(run(params, &site, plan)).await;
        match (outcome, record) {
            (Ok(Value::Object(output)), Some(record)) => {
                Ok(output.with("isolation", record).into())
            }
            (Err(failure), Some(record)) => {
                let details = failure.details.as_object().cloned().unwrap_or_default();
                Err(failure.with_details(details.with("isolation", record).into()))
            }
            (outcome, _) => outcome,
        }
    }
}

/// Each text of the command line, with its place.
fn words(params: &Value) -> impl Iterator<Item = (String, &Value)> {
    let command = params.find("command").map(|command| ("/command".to_owned(), command));
    let args = params.find("args").and_then(Value::as_list).unwrap_or_default().iter();
    let args = (0..).zip(args).map(|(at, arg)| (format!("/args/{at}"), arg));
    command.into_iter().chain(args)
}

/// Which time limit is the nearest, and what its end means.
enum Due {
    /// The action's own: the step completes with `killed`.
    Own(Duration),
    /// The step's `timeout`.
    Step(Duration),
    /// The `wall_time` of its `limits`.
    Wall(Duration),
}

impl Due {
    fn of(own: Option<Duration>, step: Option<Duration>, wall: Option<Duration>) -> Self {
        // Who sets a limit of his own needs no other.
        let own = own.or_else(|| wall.is_none().then_some(TIMEOUT));
        let all = [step.map(Self::Step), wall.map(Self::Wall), own.map(Self::Own)];
        // Of two alike, the first counts.
        let nearest = all.into_iter().flatten().min_by_key(Self::span);
        nearest.unwrap_or(Self::Own(TIMEOUT))
    }

    fn span(&self) -> Duration {
        match self {
            Self::Own(span) | Self::Step(span) | Self::Wall(span) => *span,
        }
    }
}

async fn run(params: Params, site: &Site<'_>, plan: Arc<Plan>) -> Outcome {
    let own = params.timeout.as_ref().map(|span| span.0);
    let due = Due::of(own, site.call.timeout, plan.limits.wall_time);
    let limits = ExecLimits {
        timeout: Some(due.span()),
        capture_bytes_max: site.world.config().capture_bytes_max,
        ..ExecLimits::default()
    };
    let stdin = params.stdin.clone().unwrap_or_default().0;
    let (held, detach) = (plan.limits, params.detach);
    let spec = spec(params, site, plan)?;
    let (exec, stdin) = (site.world.exec(), stdin.as_bytes());
    let run = async {
        match detach {
            true => exec.run_detached(&spec, stdin, &limits, &site.stop).await,
            false => exec.run(&spec, stdin, &limits, &site.stop).await,
        }
    };
    let outcome = Box::pin(run).await.map_err(|fault| failure(&fault))?;
    match (outcome.end, due) {
        (ExecEnd::Stopped, _) => Err(cancelled(NAME)),
        (ExecEnd::TimedOut, Due::Step(span)) => Err(timed_out(NAME, span)),
        (ExecEnd::TimedOut, Due::Wall(span)) => {
            let most = format_duration(span);
            Err(limited(ErrorCode::Timeout, "wall_time", most.as_str().into(), &most))
        }
        (ExecEnd::TimedOut, Due::Own(_)) => Ok(output(-1, true, outcome)),
        (ExecEnd::Limited(hit), _) => Err(used_up(hit, &held)),
        (ExecEnd::Signalled(_), _) => Ok(output(-1, false, outcome)),
        (ExecEnd::Exited(status), _) => Ok(output(status.into(), false, outcome)),
    }
}

/// A program was killed because it had used up what it may.
fn used_up(hit: Hit, limits: &Limits) -> Failure {
    let bytes = |most: Option<u64>| {
        let most = most.unwrap_or_default();
        (Value::from(i64::try_from(most).unwrap_or(i64::MAX)), format!("{most} bytes"))
    };
    let (value, most) = match hit {
        Hit::Memory => bytes(limits.memory_bytes),
        Hit::Output => bytes(limits.output_bytes),
        Hit::CpuTime => {
            let most = format_duration(limits.cpu_time.unwrap_or_default());
            (most.as_str().into(), most)
        }
        Hit::Pids => {
            let most = limits.pids.unwrap_or_default();
            (most.into(), format!("{most} processes and threads"))
        }
    };
    limited(ErrorCode::LimitExceeded, hit.text(), value, &most)
}

fn limited(code: ErrorCode, limit: &str, value: Value, most: &str) -> Failure {
    Failure::new(code, format!("{NAME}: killed, because `{limit}` is limited to {most}"))
        .with_details(Value::object([("limit", Value::from(limit)), ("value", value)]))
}

/// Everybody on the machine can list the arguments of programs.
fn shown_to_others(params: &Value) -> Vec<ParamProblem> {
    let names_secret =
        |text: &Value| text.as_str().is_some_and(|text| text.contains("${{secrets."));
    let shown = words(params).filter(|(_, text)| names_secret(text));
    let risk = |path| ParamProblem {
        path,
        message: "everybody on this machine can see a program's arguments, secrets among them"
            .to_owned(),
        nearest: None,
        hint: "give it in `env`, such as {\"KEY\": \"${{secrets.KEY}}\"}, or in `stdin`".to_owned(),
        kind: Misfit::Risky,
        fix: Vec::new(),
    };
    shown.map(|(path, _)| risk(path)).collect()
}

fn spec(params: Params, site: &Site<'_>, plan: Arc<Plan>) -> Result<ExecSpec, Failure> {
    let (config, call) = (site.world.config(), site.call);
    let mut env: BTreeMap<String, String> = [
        ("PATH", &config.path),
        ("HOME", &config.home),
        ("LANG", &config.lang),
        ("TMPDIR", &config.tmpdir),
    ]
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .into();
    if plan.has(Mechanism::Namespaces) {
        env.insert("HOME".to_owned(), WORK.to_owned());
        env.insert("TMPDIR".to_owned(), "/tmp".to_owned());
    }
    env.extend(config.shell_env.clone());
    env.extend(params.env.into_iter().map(|(name, value)| (name, value.0)));
    for (name, value) in [
        (IDEMPOTENCY_KEY_ENV, &call.idempotency_key),
        ("OPCODE_WORKFLOW_ID", &call.workflow_id),
        ("OPCODE_STEP_ID", &call.step_id),
    ] {
        env.insert(name.to_owned(), value.to_string());
    }
    if let Some(trace) = &call.trace {
        env.insert(TRACEPARENT.to_owned(), trace.to_string());
    }
    let mut args: Vec<String> = params.args.into_iter().map(|arg| arg.0).collect();
    let mut program = params.command.0;
    if params.shell {
        args.insert(0, program);
        args = vec!["-c".to_owned(), args.join(" ")];
        program = "/bin/sh".to_owned();
    }
    let cwd = match params.cwd.or(params.workdir).filter(|dir| !dir.0.is_empty()) {
        Some(dir) => Some(
            site.world
                .roots()
                .directory(&dir.0)
                .map_err(|denial| denial.failure(NAME, "cwd path denied"))?,
        ),
        None => None,
    };
    Ok(ExecSpec { program, args, cwd, env, key: Some(call.idempotency_key.clone()), plan })
}

fn failure(fault: &ExecFault) -> Failure {
    let code = match fault {
        ExecFault::Missing { .. } | ExecFault::Start { .. } | ExecFault::Lost => {
            ErrorCode::Execution
        }
        ExecFault::Helper { .. }
        | ExecFault::Lock(_)
        | ExecFault::Refused(_)
        | ExecFault::Earlier(_) => ErrorCode::Isolation,
    };
    Failure::new(code, format!("{NAME}: {fault}"))
}

fn output(exit_code: i64, killed: bool, outcome: ExecOutcome) -> Value {
    let mut cut = outcome.stdout.truncated() || outcome.stderr.truncated();
    let (mut stdout, mut stderr) = (text(outcome.stdout), text(outcome.stderr));
    // Standard output is given twice, and what is no UTF-8 grows: two full streams may not fit one step's output.
    if 2 * stdout.len() + stderr.len() > OUTPUT_BYTES_MAX - SLACK {
        for stream in [&mut stdout, &mut stderr] {
            let whole = stream.len();
            stream.truncate(stream.floor_char_boundary((OUTPUT_BYTES_MAX - SLACK) / 3));
            cut |= stream.len() < whole;
        }
    }
    let raw = Value::from(stdout);
    let parsed = raw.as_str().and_then(|text| Value::from_json(text).ok());
    let parsed = parsed.filter(|value| value.depth(VALUE_DEPTH_MAX + 1) <= VALUE_DEPTH_MAX);
    let millis = i64::try_from(outcome.duration.as_millis()).unwrap_or(i64::MAX);
    let output: Object = [
        ("duration_ms", Value::from(millis)),
        ("exit_code", exit_code.into()),
        ("killed", killed.into()),
        ("stderr", stderr.into()),
        ("stdout", parsed.unwrap_or_else(|| raw.clone())),
        ("stdout_raw", raw),
    ]
    .into_iter()
    .collect();
    Value::Object(if cut { output.with("truncated", true.into()) } else { output })
}

fn text(stream: Captured) -> String {
    String::from_utf8(stream.bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
