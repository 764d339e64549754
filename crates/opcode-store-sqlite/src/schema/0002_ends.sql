-- Where each run's log ends, written with every commit: a log whose end was cut off is found.
CREATE TABLE ends (
  run  INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;
INSERT INTO ends (run, last, hash)
  SELECT c.run, c.last, c.hash FROM commits c
  WHERE c.first = (SELECT max(d.first) FROM commits d WHERE d.run = c.run);
