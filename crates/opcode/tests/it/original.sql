-- A database of the original OPCODE, as its one migration makes it, with what may stand in it.
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL);
INSERT INTO schema_version VALUES (1, 'initial_schema', '2026-01-01 00:00:00');
CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT NOT NULL,
  type TEXT NOT NULL DEFAULT 'llm' CHECK (type IN ('llm', 'system', 'human', 'service')),
  metadata JSON, created_at TIMESTAMP, last_seen_at TIMESTAMP);
CREATE TABLE workflows (id TEXT PRIMARY KEY, name TEXT, template_name TEXT, template_version TEXT,
  definition JSON NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'completed', 'failed', 'cancelled')),
  agent_id TEXT NOT NULL REFERENCES agents (id), parent_workflow_id TEXT REFERENCES workflows (id),
  input_params JSON, output JSON, error JSON, created_at TIMESTAMP, started_at TIMESTAMP,
  completed_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT,
  workflow_id TEXT NOT NULL REFERENCES workflows (id), step_id TEXT, event_type TEXT NOT NULL, payload JSON,
  agent_id TEXT, timestamp TIMESTAMP, sequence INTEGER NOT NULL, UNIQUE (workflow_id, sequence));
CREATE TABLE step_state (workflow_id TEXT NOT NULL REFERENCES workflows (id), step_id TEXT NOT NULL,
  status TEXT NOT NULL, input JSON, output JSON, error JSON, retry_count INTEGER DEFAULT 0,
  started_at TIMESTAMP, completed_at TIMESTAMP, duration_ms INTEGER, PRIMARY KEY (workflow_id, step_id));
CREATE TABLE workflow_context (workflow_id TEXT PRIMARY KEY REFERENCES workflows (id), agent_id TEXT NOT NULL,
  original_intent TEXT NOT NULL, decisions_log JSON, accumulated_data JSON, agent_notes TEXT,
  created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE pending_decisions (id TEXT PRIMARY KEY, workflow_id TEXT NOT NULL REFERENCES workflows (id),
  step_id TEXT NOT NULL, agent_id TEXT, target_agent_id TEXT, context JSON NOT NULL, options JSON NOT NULL,
  timeout_at TIMESTAMP, fallback TEXT, resolution JSON, resolved_by TEXT, resolved_at TIMESTAMP,
  status TEXT NOT NULL, created_at TIMESTAMP);
CREATE TABLE workflow_templates (name TEXT NOT NULL, version TEXT NOT NULL, description TEXT,
  definition JSON NOT NULL, input_schema JSON, output_schema JSON, triggers JSON, permissions JSON,
  agent_id TEXT NOT NULL, created_at TIMESTAMP, updated_at TIMESTAMP, PRIMARY KEY (name, version));
CREATE TABLE plugins (id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, config JSON NOT NULL,
  status TEXT NOT NULL, last_health_check TIMESTAMP, error_message TEXT, created_at TIMESTAMP);
CREATE TABLE secrets (key TEXT PRIMARY KEY, value BLOB NOT NULL, created_at TIMESTAMP);
CREATE TABLE scheduled_jobs (id TEXT PRIMARY KEY, template_name TEXT NOT NULL, template_version TEXT,
  cron_expression TEXT NOT NULL, params JSON, agent_id TEXT NOT NULL, enabled BOOLEAN NOT NULL DEFAULT 1,
  last_run_at TIMESTAMP, next_run_at TIMESTAMP, last_run_status TEXT, created_at TIMESTAMP);
CREATE TABLE audit_log (id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id TEXT, action TEXT, resource_type TEXT,
  resource_id TEXT, details JSON, timestamp TIMESTAMP);

INSERT INTO agents VALUES
  ('bot', 'Bot', 'llm', '{"team":"a"}', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00.5Z'),
  ('ann', 'Ann', 'human', 'no json', NULL, NULL);

INSERT INTO workflow_templates (name, version, description, definition, input_schema, agent_id, created_at) VALUES
  ('greet', 'v1', 'Says hello',
   '{"steps":[{"id":"hash","action":"crypto.hash","params":{"data":"hello"}}]}', NULL, 'bot', '2026-01-02 03:04:05'),
  ('greet', 'v2', NULL,
   '{"steps":[{"id":"hash","action":"crypto.hash","params":{"data":"${{inputs.who}}"}}]}',
   '{"type":"object","required":["who"]}', 'bot', '2026-01-02T03:04:06Z'),
  ('circle', 'v1', NULL,
   '{"steps":[{"id":"a","action":"nope","depends_on":["b"]},{"id":"b","action":"nope","depends_on":["a"]}]}',
   NULL, 'bot', '2026-01-02T03:04:07Z'),
  ('broken', 'v1', NULL, '{"steps":', NULL, 'bot', NULL),
  ('a@b', 'v1', NULL, '{"steps":[]}', NULL, 'bot', NULL);

INSERT INTO workflows VALUES
  ('11111111-1111-4111-8111-111111111111', 'good', 'greet', 'v2',
   '{"steps":[{"id":"hash","action":"crypto.hash","params":{"data":"x"}},
     {"id":"pick","type":"condition","depends_on":["hash"],"config":{"expression":"inputs.who",
       "branches":{"ann":[{"id":"log","action":"workflow.log","params":{"message":"m"}}]}}},
     {"id":"each","type":"loop","depends_on":["pick"],"config":{"over":"[1,2]","max_iter":5,
       "body":[{"id":"say","action":"workflow.log","params":{"message":"m"}}]}}]}',
   'completed', 'bot', NULL, '{"who":"ann"}', '{"done":true}', NULL, '2026-03-01T10:00:00Z',
   '2026-03-01T10:00:00.1Z', '2026-03-01T10:00:09.9Z', '2026-03-01T10:00:09.9Z'),
  ('22222222-2222-4222-8222-222222222222', 'bad', NULL, NULL,
   '{"steps":[{"id":"a","action":"workflow.fail","params":{"reason":"r"}},
     {"id":"b","action":"workflow.log","params":{"message":"m"},"depends_on":["a"]}]}',
   'failed', 'bot', '11111111-1111-4111-8111-111111111111', NULL, NULL,
   '{"code":"NON_RETRYABLE","message":"step a: non-retryable error: r","step_id":"a"}',
   '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z', '2026-03-02T10:00:01Z', '2026-03-02T10:00:01Z'),
  ('33333333-3333-4333-8333-333333333333', 'off', NULL, NULL,
   '{"steps":[{"id":"w","type":"wait","config":{"signal":"go"}}]}', 'cancelled', 'bot', NULL, NULL, NULL,
   '{"reason":"cancelled via panel"}', '2026-03-03T10:00:00Z', '2026-03-03T10:00:00Z',
   '2026-03-03T10:00:01Z', '2026-03-03T10:00:01Z'),
  ('44444444-4444-4444-8444-444444444444', 'asks', NULL, NULL,
   '{"steps":[{"id":"a","action":"crypto.hash","params":{"data":"x"}},
     {"id":"d","type":"reasoning","depends_on":["a"],"config":{"prompt_context":"p",
       "options":[{"id":"yes"}]}}]}', 'suspended', 'ann', NULL, '{"n":7}', NULL, NULL,
   '2026-03-04T10:00:00Z', '2026-03-04T10:00:00Z', NULL, '2026-03-04T10:00:01Z'),
  ('55555555-5555-4555-8555-555555555555', 'works', NULL, NULL,
   '{"steps":[{"id":"a","action":"crypto.hash","params":{"data":"x"}}]}', 'active', 'ann', NULL, '{}',
   NULL, NULL, '2026-03-05T10:00:00Z', '2026-03-05T10:00:00Z', NULL, '2026-03-05T10:00:01Z'),
  ('66666666-6666-4666-8666-666666666666', 'waits', NULL, NULL,
   '{"steps":[{"id":"a","action":"nope","depends_on":["a"]}]}', 'pending', 'ann', NULL, NULL,
   NULL, NULL, '2026-03-06T10:00:00Z', NULL, NULL, '2026-03-06T10:00:00Z'),
  ('not-a-uuid', 'odd ' || char(0) || ' name', NULL, NULL, 'no json at all', 'completed', 'ann', NULL,
   'inputs' || char(0), '[1,', NULL, 'then', NULL, NULL, NULL),
  ('77777777-7777-4777-8777-777777777777', 'deep', NULL, NULL,
   '{"steps":[{"id":"a","action":"plugin.gone"}]}', 'completed', 'ann', NULL, NULL,
   replace(hex(zeroblob(120)), '00', '[') || replace(hex(zeroblob(120)), '00', ']'),
   NULL, '2026-03-07T10:00:00Z', '2026-03-07T10:00:00Z', '2026-03-07T10:00:01Z', NULL);

INSERT INTO events (workflow_id, step_id, event_type, payload, timestamp, sequence)
SELECT '11111111-1111-4111-8111-111111111111', column1, column2, column3,
  '2026-03-01T10:00:0' || (row_number() OVER () / 3) || 'Z', row_number() OVER ()
FROM (VALUES
  (NULL, 'workflow_started', NULL),
  ('hash', 'step_started', NULL), ('hash', 'step_completed', NULL),
  ('pick', 'step_started', NULL), ('pick', 'condition_evaluated', '{"expression":"inputs.who","result":"ann"}'),
  ('pick.ann.log', 'step_started', NULL), ('pick.ann.log', 'step_completed', NULL), ('pick', 'step_completed', NULL),
  ('each', 'step_started', NULL), ('each', 'loop_iter_started', '{"iteration":0,"item":1}'),
  ('each.iter_0.say', 'step_started', NULL), ('each.iter_0.say', 'step_completed', NULL),
  ('each', 'loop_iter_completed', '{"iteration":0,"item":1}'),
  ('each', 'loop_iter_started', '{"iteration":1,"item":2}'),
  ('each.iter_1.say', 'step_started', NULL), ('each.iter_1.say', 'step_completed', NULL),
  ('each', 'loop_iter_started', '{"iteration":4000000000}'), ('each', 'loop_completed', NULL),
  ('each', 'step_completed', NULL), ('each', 'step_completed', NULL), ('ghost', 'step_started', 'no json'),
  ('hash', 'dag_mutated', '{"k":[1]}'), (NULL, 'workflow_completed', NULL));

INSERT INTO events (workflow_id, step_id, event_type, payload, timestamp, sequence) VALUES
  ('22222222-2222-4222-8222-222222222222', NULL, 'workflow_started', NULL, '2026-03-02T10:00:00Z', 1),
  ('22222222-2222-4222-8222-222222222222', 'a', 'step_started', NULL, '2026-03-02T10:00:00Z', 2),
  ('22222222-2222-4222-8222-222222222222', 'a', 'step_failed', NULL, '2026-03-02T10:00:01Z', 3),
  ('22222222-2222-4222-8222-222222222222', NULL, 'workflow_failed', NULL, '2026-03-02T10:00:01Z', 5),
  ('33333333-3333-4333-8333-333333333333', 'w', 'step_started', NULL, '2026-03-03T10:00:00Z', 1),
  ('33333333-3333-4333-8333-333333333333', 'w', 'wait_started', '{"duration":"","signal":"go"}', NULL, 2),
  ('44444444-4444-4444-8444-444444444444', NULL, 'workflow_started', NULL, '2026-03-04T10:00:00Z', 1),
  ('44444444-4444-4444-8444-444444444444', 'a', 'step_started', NULL, '2026-03-04T10:00:00Z', 2),
  ('44444444-4444-4444-8444-444444444444', 'a', 'step_completed', NULL, '2026-03-04T10:00:00Z', 3),
  ('44444444-4444-4444-8444-444444444444', 'd', 'step_started', NULL, '2026-03-04T10:00:00Z', 4),
  ('44444444-4444-4444-8444-444444444444', 'd', 'decision_requested', '{"prompt_context":"p"}', '2026-03-04T10:00:00Z', 5),
  ('44444444-4444-4444-8444-444444444444', 'd', 'step_suspended', NULL, '2026-03-04T10:00:00Z', 6),
  ('44444444-4444-4444-8444-444444444444', NULL, 'workflow_suspended', NULL, '2026-03-04T10:00:01Z', 7),
  ('55555555-5555-4555-8555-555555555555', 'a', 'step_started', NULL, '2026-03-05T10:00:00Z', 1),
  ('not-a-uuid', 'a', 'step_completed', '{', 'never', 9),
  ('77777777-7777-4777-8777-777777777777', 'a', 'step_completed', NULL, '2026-03-07T10:00:00Z', -3);

WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
INSERT INTO events (workflow_id, event_type, payload, sequence)
SELECT '33333333-3333-4333-8333-333333333333', 'tick', n, 9 + n FROM n;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 50)
INSERT INTO workflows (id, definition, status, agent_id)
SELECT '88888888-8888-4888-8888-888888888888', json_object('steps', json_group_array(
  json_object('id', 's' || n, 'action', 'nope', 'params', json_object('x', '${{steps.none.output}} ${{')))),
  'failed', 'bot' FROM n;

INSERT INTO step_state (workflow_id, step_id, status, input, output, error, started_at, completed_at) VALUES
  ('11111111-1111-4111-8111-111111111111', 'hash', 'completed', NULL, '{"hash":"abc"}', NULL, NULL, NULL),
  ('11111111-1111-4111-8111-111111111111', 'pick', 'completed', NULL, '{"branch":"ann","output":{"logged":true}}', NULL, NULL, NULL),
  ('11111111-1111-4111-8111-111111111111', 'pick.ann.log', 'completed', NULL, '{"logged":true}', NULL, NULL, NULL),
  ('11111111-1111-4111-8111-111111111111', 'each', 'completed', NULL, '{"iterations":2}', NULL, NULL, NULL),
  ('22222222-2222-4222-8222-222222222222', 'a', 'failed', NULL, NULL, '{"error":"r"}', NULL, '2026-03-02T10:00:01Z'),
  ('22222222-2222-4222-8222-222222222222', 'b', 'pending', NULL, NULL, NULL, NULL, NULL),
  ('33333333-3333-4333-8333-333333333333', 'w', 'running', NULL, NULL, NULL, NULL, NULL),
  ('44444444-4444-4444-8444-444444444444', 'a', 'completed', NULL, '{"hash":"abc"}', NULL, NULL, NULL),
  ('44444444-4444-4444-8444-444444444444', 'd', 'suspended', NULL, NULL, NULL, NULL, NULL),
  ('77777777-7777-4777-8777-777777777777', 'a', 'completed', NULL, '1e999', NULL, NULL, NULL);
INSERT INTO workflow_context VALUES ('11111111-1111-4111-8111-111111111111', 'bot', '', NULL, '{"k":"v"}',
  'mind the gap', NULL, NULL);
INSERT INTO pending_decisions (id, workflow_id, step_id, context, options, status) VALUES
  ('44444444-4444-4444-8444-444444444444_d', '44444444-4444-4444-8444-444444444444', 'd', '{}', '[]', 'pending');
INSERT INTO plugins (id, name, type, config, status) VALUES ('p1', 'p', 'mcp', '{}', 'active');
INSERT INTO secrets VALUES
  ('OLD', x'000102030405060708090a0b4cc1d18e931a64914eb59b9dff1846ecb1848e5961d6', '2026-01-01T00:00:00Z'),
  ('no name', x'00', NULL);
INSERT INTO scheduled_jobs (id, template_name, cron_expression, params, agent_id, enabled, next_run_at) VALUES
  ('job', 'greet', '0 9 * * *', '{"who":"ann"}', 'bot', 1, '2026-04-01T09:00:00Z');
