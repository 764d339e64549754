-- Version 1. Tables hold what the engine writes; views show it under the names people know.

-- One row a start. `closed` is 0 while somebody serves, and stays 0 when that ends without a word.
CREATE TABLE boots (
  id         INTEGER PRIMARY KEY,
  pid        INTEGER NOT NULL,
  command    TEXT NOT NULL,
  version    TEXT NOT NULL,
  started_at TEXT NOT NULL,
  closed     INTEGER NOT NULL
) STRICT;

-- Small columns first: lists need not read the pages that large values spill to.
CREATE TABLE runs (
  id               INTEGER PRIMARY KEY,
  uuid             TEXT NOT NULL UNIQUE,
  status           TEXT NOT NULL,
  due_at           INTEGER,
  open_decisions   INTEGER NOT NULL,
  in_flight        INTEGER NOT NULL,
  definition       TEXT NOT NULL,
  created_at       INTEGER NOT NULL,
  completed_at     INTEGER,
  updated_at       INTEGER NOT NULL,
  last_seq         INTEGER NOT NULL,
  head             BLOB NOT NULL,
  name             TEXT,
  template_name    TEXT,
  template_version TEXT,
  agent_id         TEXT,
  parent           TEXT,
  parent_step      TEXT,
  payloads         TEXT,
  error            TEXT,
  inputs           TEXT,
  output           TEXT
) STRICT;
CREATE INDEX runs_open ON runs (due_at) WHERE status IN ('pending', 'active', 'suspended');
CREATE INDEX runs_children ON runs (parent) WHERE parent IS NOT NULL;

CREATE TABLE commits (
  id       INTEGER PRIMARY KEY,
  run      INTEGER NOT NULL,
  first    INTEGER NOT NULL,
  last     INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  payloads TEXT,
  body     TEXT NOT NULL,
  UNIQUE (run, first)
) STRICT;

CREATE TABLE payloads (
  hash TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE snapshots (
  run  INTEGER PRIMARY KEY,
  seq  INTEGER NOT NULL,
  head BLOB NOT NULL,
  hash BLOB NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE inbox (
  id   INTEGER PRIMARY KEY,
  run  TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_run ON inbox (run);

CREATE TABLE decisions (
  id          INTEGER PRIMARY KEY,
  run         INTEGER NOT NULL,
  decision    TEXT NOT NULL,
  status      TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  resolved_at INTEGER,
  step        TEXT NOT NULL,
  request     TEXT NOT NULL,
  resolution  TEXT,
  UNIQUE (run, decision)
) STRICT;
CREATE INDEX decisions_open ON decisions (created_at) WHERE status = 'pending';

CREATE TABLE catalog (
  kind       TEXT NOT NULL,
  key        TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  body       TEXT NOT NULL,
  UNIQUE (kind, key)
) STRICT;

CREATE VIEW workflows AS
SELECT r.uuid AS id, r.name, r.template_name, r.template_version,
  (SELECT c.body FROM catalog c WHERE c.kind = 'definition' AND c.key = r.definition) AS definition,
  r.status, r.agent_id, r.parent AS parent_workflow_id,
  coalesce(r.inputs, 'sha256:' || (r.payloads ->> 'inputs')) AS input_params,
  coalesce(r.output, 'sha256:' || (r.payloads ->> 'output')) AS output,
  coalesce(r.error, 'sha256:' || (r.payloads ->> 'error')) AS error,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.created_at / 1000.0, 'unixepoch') AS created_at,
  CASE WHEN r.status <> 'pending'
    THEN strftime('%Y-%m-%dT%H:%M:%fZ', r.created_at / 1000.0, 'unixepoch') END AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.completed_at / 1000.0, 'unixepoch') AS completed_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM runs r;

-- A payload that stands apart shows as `sha256:…`, which no JSON payload can be.
CREATE VIEW events AS
SELECT c.id * 1048576 + e.key AS id,
  r.uuid AS workflow_id,
  json_extract(e.value, '$[3]') AS step_id,
  json_extract(e.value, '$[1]') AS event_type,
  coalesce(json_extract(e.value, '$[4]'), 'sha256:' || json_extract(c.payloads, '$."' || e.key || '"')) AS payload,
  r.agent_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(e.value, '$[0]') / 1000.0, 'unixepoch') AS timestamp,
  c.first + e.key AS sequence
FROM runs r
JOIN commits c ON c.run = r.id
JOIN json_each(CASE WHEN json_valid(c.body) THEN c.body ELSE '[]' END) e;

-- The last event that says where a step is decides; `max` picks that event's columns.
CREATE VIEW step_state AS
WITH marks AS (
  SELECT e.*, CASE event_type
      WHEN 'step_started' THEN 'running'
      WHEN 'step_completed' THEN 'completed'
      WHEN 'step_ignored' THEN 'completed'
      WHEN 'step_failed' THEN 'failed'
      WHEN 'step_skipped' THEN 'skipped'
      WHEN 'step_suspended' THEN 'suspended'
      WHEN 'decision_resolved' THEN 'running'
      WHEN 'step_retrying' THEN 'retrying'
      WHEN 'step_reset' THEN 'scheduled'
    END AS status
  FROM events e WHERE step_id IS NOT NULL
),
latest AS (
  SELECT workflow_id, step_id, max(sequence) AS sequence, status, payload, timestamp
  FROM marks WHERE status IS NOT NULL GROUP BY workflow_id, step_id
),
begun AS (
  SELECT workflow_id, step_id, min(timestamp) AS started_at,
    max(coalesce(json_extract(CASE WHEN json_valid(payload) THEN payload END, '$.attempt'), 1)) - 1 AS retry_count
  FROM marks WHERE event_type = 'step_started' GROUP BY workflow_id, step_id
),
begun_last AS (
  SELECT workflow_id, step_id, max(sequence) AS sequence, payload
  FROM marks WHERE event_type = 'step_started' GROUP BY workflow_id, step_id
)
SELECT l.workflow_id, l.step_id, l.status,
  CASE WHEN json_valid(i.payload) THEN i.payload -> '$.input' ELSE i.payload END AS input,
  CASE WHEN l.status = 'completed'
    THEN CASE WHEN json_valid(l.payload) THEN l.payload -> '$.output' ELSE l.payload END END AS output,
  CASE WHEN l.status IN ('failed', 'retrying')
    THEN CASE WHEN json_valid(l.payload) THEN l.payload -> '$.error' ELSE l.payload END END AS error,
  coalesce(b.retry_count, 0) AS retry_count,
  b.started_at,
  CASE WHEN l.status IN ('completed', 'failed', 'skipped') THEN l.timestamp END AS completed_at,
  CASE WHEN l.status IN ('completed', 'failed', 'skipped')
    THEN CAST(round((julianday(l.timestamp) - julianday(b.started_at)) * 86400000) AS INTEGER) END AS duration_ms
FROM latest l
LEFT JOIN begun b ON b.workflow_id = l.workflow_id AND b.step_id = l.step_id
LEFT JOIN begun_last i ON i.workflow_id = l.workflow_id AND i.step_id = l.step_id;

CREATE VIEW pending_decisions AS
SELECT d.decision AS id, r.uuid AS workflow_id, json_extract(d.step, '$[1]') AS step_id, r.agent_id,
  json_extract(d.request, '$.target_agent') AS target_agent_id,
  d.request AS context,
  coalesce(json_extract(d.request, '$.options'), '[]') AS options,
  json_extract(d.request, '$.timeout_at') AS timeout_at,
  json_extract(d.request, '$.fallback') AS fallback,
  d.resolution,
  json_extract(d.resolution, '$.resolved_by') AS resolved_by,
  strftime('%Y-%m-%dT%H:%M:%fZ', d.resolved_at / 1000.0, 'unixepoch') AS resolved_at,
  d.status,
  strftime('%Y-%m-%dT%H:%M:%fZ', d.created_at / 1000.0, 'unixepoch') AS created_at
FROM decisions d JOIN runs r ON r.id = d.run;

CREATE VIEW workflow_templates AS
WITH t AS (
  SELECT key, created_at, updated_at, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body
  FROM catalog WHERE kind = 'template'
)
SELECT coalesce(body ->> '$.name', substr(key, 1, instr(key, '@') - 1)) AS name,
  coalesce(body ->> '$.version', substr(key, instr(key, '@') + 1)) AS version,
  body ->> '$.description' AS description,
  body ->> '$.definition' AS definition,
  body ->> '$.input_schema' AS input_schema,
  body ->> '$.output_schema' AS output_schema,
  body ->> '$.triggers' AS triggers,
  body ->> '$.permissions' AS permissions,
  body ->> '$.agent_id' AS agent_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at
FROM t;

CREATE VIEW agents AS
WITH a AS (
  SELECT key, created_at, updated_at, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body
  FROM catalog WHERE kind = 'agent'
)
SELECT key AS id, body ->> '$.name' AS name, coalesce(body ->> '$.type', 'llm') AS type,
  body ->> '$.metadata' AS metadata,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  coalesce(body ->> '$.last_seen_at', strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch')) AS last_seen_at
FROM a;
