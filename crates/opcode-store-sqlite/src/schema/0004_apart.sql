-- Who refers to which payload, without reading every row: pruning asks.
CREATE INDEX commits_apart ON commits (payloads) WHERE payloads IS NOT NULL;
CREATE INDEX runs_apart ON runs (payloads) WHERE payloads IS NOT NULL;
