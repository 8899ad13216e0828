-- edge/stream: there while the edge is stopped and was stopped in order: head is exact then.
CREATE TABLE stopped (
  one INTEGER PRIMARY KEY CHECK (one = 1)
);
