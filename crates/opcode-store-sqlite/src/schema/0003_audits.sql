-- What was done, and what was refused: only ever added to. Each hash covers the one before, `ends` (run 0) has the last.
CREATE TABLE audits (
  id   INTEGER PRIMARY KEY,
  key  TEXT NOT NULL UNIQUE,
  at   INTEGER NOT NULL,
  body TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;

CREATE VIEW audit_log AS
SELECT id, body ->> 'agent_id' AS agent_id, body ->> 'action' AS action,
  body ->> 'resource_type' AS resource_type, body ->> 'resource_id' AS resource_id,
  body AS details,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS timestamp
FROM audits;
