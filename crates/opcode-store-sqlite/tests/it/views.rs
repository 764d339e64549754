//! What a person sees with `sqlite3`: the reference's names, one row an event.
//!
//! Keeps: names and columns; gapless sequences; times in RFC 3339.
//! Not here: what the engine reads (the common suite).

use std::sync::Arc;

use opcode_model::commit::{CatalogKind, CatalogWrite, DecisionChange};
use opcode_model::event::{
    DecisionKind, DecisionRequest, EventKind, Nothing, RetryAttempt, SkipReason, StepFailed,
    StepSkipped, StepStarted, Work,
};
use opcode_model::limits::PAYLOAD_INLINE_BYTES_MAX;
use opcode_model::{
    DefinitionHash, ErrorCode, Event, Failure, Position, RunStatus, Timestamp, Value,
};
use opcode_store::{Catalog, Runs};
use opcode_testkit::conformance::{commit_of, completed, row, run, step, wait};

use crate::place::{Place, append};

fn at(ms: i64, kind: EventKind) -> Event {
    Event { at: Timestamp(ms), kind }
}

fn started(ms: i64, path: &str, attempt: u32) -> Event {
    let input = Value::object([("url", "x")]);
    let (work, secrets) = (Work::Perform, vec![]);
    let started = StepStarted { work, attempt, input, secrets, deadline: None };
    at(ms, EventKind::StepStarted(step(1, path), started))
}

fn failed(ms: i64, path: &str) -> Event {
    let error = Failure::new(ErrorCode::Timeout, "late");
    at(ms, EventKind::StepFailed(step(2, path), Box::new(StepFailed { error })))
}

fn skipped(ms: i64, path: &str) -> Event {
    let skipped = StepSkipped { reason: SkipReason::Guard, detail: None };
    at(ms, EventKind::StepSkipped(step(3, path), skipped))
}

fn filled() -> Place {
    let place = Place::new();
    let store = place.open();
    let definition = r#"{"steps":[]}"#;
    let hash = DefinitionHash::of(definition);
    let write = |kind, key: &str, body: &str| CatalogWrite {
        kind,
        key: key.into(),
        body: Some(body.into()),
        at: Timestamp(1_500),
        replace: true,
    };
    let mut first = commit_of(
        run(1),
        Position::default(),
        vec![at(1_000, EventKind::WorkflowResumed(Nothing)), started(2_000, "fetch", 1)],
    );
    let mut columns = row(RunStatus::Suspended, 1_000);
    columns.agent_id = Some("ada".into());
    columns.definition = hash;
    columns.inputs = Value::object([("n", 1)]);
    columns.template_name = Some("deploy".into());
    first.row = Some(Box::new(columns));
    first.catalog = vec![write(CatalogKind::Definition, &hash.to_string(), definition)];
    let request = DecisionRequest {
        id: "d1".into(),
        kind: DecisionKind::Reasoning,
        prompt_context: "which?".into(),
        data_inject: Value::Null,
        options: vec![],
        fallback: Some("b".into()),
        target_agent: Some("bob".into()),
        timeout_at: Some(Timestamp(9_000)),
    };
    let (asking, asked) = (step(5, "ask"), Arc::new(request));
    first.decisions =
        vec![DecisionChange::Opened { step: asking, request: asked, at: Timestamp(3) }];
    let end = append(&store, first).unwrap();
    let retry = RetryAttempt {
        step_id: "fetch".into(),
        attempt: 1,
        max_attempts: 3,
        error: "late".into(),
        retryable: true,
    };
    let large = "x".repeat(PAYLOAD_INLINE_BYTES_MAX);
    let events = vec![
        at(2_500, EventKind::StepRetryAttempt(step(1, "fetch"), Box::new(retry))),
        started(3_000, "fetch", 2),
        completed(4_250, "fetch", Value::object([("ok", true)])),
        started(4_300, "save", 1),
        failed(4_301, "save"),
        skipped(4_302, "loop.iter_0.rest"),
        started(4_303, "big", 1),
        completed(4_304, "big", large.as_str()),
    ];
    append(&store, commit_of(run(1), end, events)).unwrap();
    let template = r#"{"name":"deploy","version":"v1","description":"d","definition":{"steps":[]},"agent_id":"ada"}"#;
    let writes = vec![
        write(CatalogKind::Template, "deploy@v1", template),
        write(CatalogKind::Agent, "ada", r#"{"name":"Ada","type":"human","metadata":{"a":1}}"#),
    ];
    wait(store.put(writes)).unwrap();
    wait(store.close()).unwrap();
    place
}

/// Rows as text, columns parted by `|`.
fn rows(place: &Place, sql: &str) -> Vec<String> {
    use rusqlite::types::Value as Cell;
    let connection = place.sql();
    let mut select = connection.prepare(sql).unwrap();
    let width = select.column_count();
    let cell = |cell: Cell| match cell {
        Cell::Null => "-".to_owned(),
        Cell::Integer(n) => n.to_string(),
        Cell::Real(f) => f.to_string(),
        Cell::Text(text) => text,
        Cell::Blob(bytes) => format!("{bytes:?}"),
    };
    let line = |row: &rusqlite::Row<'_>| {
        let cells: Vec<_> = (0..width).map(|at| cell(row.get_unwrap(at))).collect();
        Ok(cells.join("|"))
    };
    select.query_map([], line).unwrap().map(Result::unwrap).collect()
}

#[test]
fn views_have_the_names_people_know() {
    let place = filled();
    let expected = [
        (
            "workflows",
            "id name template_name template_version definition status agent_id parent_workflow_id input_params output error created_at started_at completed_at updated_at",
        ),
        ("events", "id workflow_id step_id event_type payload agent_id timestamp sequence"),
        (
            "step_state",
            "workflow_id step_id status input output error retry_count started_at completed_at duration_ms",
        ),
        (
            "pending_decisions",
            "id workflow_id step_id agent_id target_agent_id context options timeout_at fallback resolution resolved_by resolved_at status created_at",
        ),
        (
            "workflow_templates",
            "name version description definition input_schema output_schema triggers permissions agent_id created_at updated_at",
        ),
        ("agents", "id name type metadata created_at last_seen_at"),
        ("schema_version", "version name applied_at"),
    ];
    let connection = place.sql();
    for (view, columns) in expected {
        let select = connection.prepare(&format!("SELECT * FROM {view}")).unwrap();
        let names: Vec<_> = select.column_names().collect();
        assert_eq!(names.join(" "), columns, "{view}");
    }
}

#[test]
fn events_are_one_row_each() {
    let place = filled();
    let sql = format!(
        "SELECT sequence, event_type, step_id, agent_id, timestamp, length(payload) < 200 AND payload
         NOT LIKE 'sha256:%' FROM events WHERE workflow_id = '{}' ORDER BY sequence",
        run(1)
    );
    assert_eq!(
        rows(&place, &sql),
        [
            "1|workflow_resumed|-|ada|1970-01-01T00:00:01.000Z|-",
            "2|step_started|fetch|ada|1970-01-01T00:00:02.000Z|1",
            "3|step_retry_attempt|fetch|ada|1970-01-01T00:00:02.500Z|1",
            "4|step_started|fetch|ada|1970-01-01T00:00:03.000Z|1",
            "5|step_completed|fetch|ada|1970-01-01T00:00:04.250Z|1",
            "6|step_started|save|ada|1970-01-01T00:00:04.300Z|1",
            "7|step_failed|save|ada|1970-01-01T00:00:04.301Z|1",
            "8|step_skipped|loop.iter_0.rest|ada|1970-01-01T00:00:04.302Z|1",
            "9|step_started|big|ada|1970-01-01T00:00:04.303Z|1",
            "10|step_completed|big|ada|1970-01-01T00:00:04.304Z|0",
        ]
    );
    assert_eq!(rows(&place, "SELECT count(DISTINCT id) FROM events"), ["10"]);
    let payload = "SELECT payload FROM events WHERE sequence = 5";
    assert_eq!(rows(&place, payload), [r#"{"output":{"ok":true}}"#]);
}

#[test]
fn steps_are_folded() {
    let place = filled();
    let sql =
        "SELECT step_id, status, input, substr(output, 1, 11), error, retry_count, started_at,
         completed_at, duration_ms FROM step_state ORDER BY step_id";
    assert_eq!(rows(&place, sql), [
        r#"big|completed|{"url":"x"}|sha256:LARGE|-|0|1970-01-01T00:00:04.303Z|1970-01-01T00:00:04.304Z|1"#
            .replace("LARGE", &rows(&place, "SELECT substr(hash, 1, 4) FROM payloads")[0]),
        r#"fetch|completed|{"url":"x"}|{"ok":true}|-|1|1970-01-01T00:00:02.000Z|1970-01-01T00:00:04.250Z|2250"#.to_owned(),
        r#"loop.iter_0.rest|skipped|-|-|-|0|-|1970-01-01T00:00:04.302Z|-"#.to_owned(),
        r#"save|failed|{"url":"x"}|-|{"code":"TIMEOUT_ERROR","message":"late"}|0|1970-01-01T00:00:04.300Z|1970-01-01T00:00:04.301Z|1"#.to_owned(),
    ]);
}

#[test]
fn runs_decisions_templates_and_agents_are_readable() {
    let place = filled();
    let workflow = format!(
        r#"{}|deploy|{{"steps":[]}}|suspended|ada|{{"n":1}}|-|1970-01-01T00:00:01.000Z|1970-01-01T00:00:01.000Z|-"#,
        run(1)
    );
    let sql = "SELECT id, template_name, definition, status, agent_id, input_params, output,
         created_at, started_at, completed_at FROM workflows";
    assert_eq!(rows(&place, sql), [workflow]);
    let sql =
        "SELECT id, step_id, agent_id, target_agent_id, options, timeout_at, fallback, status,
         created_at, context ->> 'prompt_context' FROM pending_decisions";
    let decision =
        "d1|ask|ada|bob|[]|1970-01-01T00:00:09.000Z|b|pending|1970-01-01T00:00:00.003Z|which?";
    assert_eq!(rows(&place, sql), [decision]);
    let sql = "SELECT name, version, description, definition, agent_id, created_at FROM workflow_templates";
    assert_eq!(rows(&place, sql), [r#"deploy|v1|d|{"steps":[]}|ada|1970-01-01T00:00:01.500Z"#]);
    let sql = "SELECT id, name, type, metadata, created_at FROM agents";
    assert_eq!(rows(&place, sql), [r#"ada|Ada|human|{"a":1}|1970-01-01T00:00:01.500Z"#]);
}
