-- The journal's tables. A table that grows with runs has keys that rise with time, or partial indexes; the keys that
-- callers choose (run key, request id, event id, label, blob digest) are the only ones that do not.

CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- One row a decision. `batch` stands on the first row of a batch only: msgpack [number, rows, chain].
-- A batch without records has a mark instead: run 0, seq = its number.
-- `namespace` stands on the first row of a run only: with the records it is all that a lost run index is rebuilt from.
CREATE TABLE records (
    pos INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    principal TEXT NOT NULL,
    namespace TEXT,
    batch BLOB,
    append_id INTEGER,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX records_run ON records (run, seq);
CREATE UNIQUE INDEX records_append ON records (append_id) WHERE append_id IS NOT NULL;

-- `labels` is a JSON object or empty; the table of the same name is the index over it.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    run_id BLOB NOT NULL,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    key TEXT NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    labels TEXT NOT NULL,
    trigger TEXT NOT NULL,
    parent TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    owes INTEGER NOT NULL
);
CREATE UNIQUE INDEX runs_run_id ON runs (run_id);
CREATE INDEX runs_workflow ON runs (namespace, workflow);
CREATE INDEX runs_key ON runs (namespace, workflow, key) WHERE key <> '';
CREATE INDEX runs_open ON runs (run) WHERE state < 10 OR owes;
CREATE INDEX runs_due ON runs (due_at_ms) WHERE due_at_ms > 0;
CREATE INDEX runs_unhappy ON runs (run) WHERE state > 10;
CREATE INDEX runs_parent ON runs (parent) WHERE parent <> '';

CREATE TABLE labels (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (namespace, name, value, run)
) WITHOUT ROWID;

CREATE TABLE blobs (
    blob INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    digest BLOB NOT NULL,
    content_type TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX blobs_digest ON blobs (digest, namespace);
CREATE TABLE blob_refs (run INTEGER NOT NULL, blob INTEGER NOT NULL, PRIMARY KEY (run, blob)) WITHOUT ROWID;
CREATE INDEX blob_refs_blob ON blob_refs (blob);

CREATE TABLE snapshots (
    run INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    ver INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
);

-- Tables below that are pruned by age have a number that rises with time, so that the old lie together.
CREATE TABLE request_ids (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    verb TEXT NOT NULL,
    request_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    reference BLOB NOT NULL
);
CREATE UNIQUE INDEX request_ids_id ON request_ids (request_id, verb, namespace);

CREATE TABLE dedup (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    scope TEXT NOT NULL,
    event_id TEXT NOT NULL,
    run_ids TEXT NOT NULL
);
CREATE UNIQUE INDEX dedup_event ON dedup (namespace, scope, event_id);

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    trigger TEXT NOT NULL,
    event_id TEXT NOT NULL,
    body BLOB NOT NULL,
    outcome TEXT NOT NULL,
    run_ids TEXT NOT NULL
);
CREATE INDEX events_namespace ON events (namespace);

CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    trigger TEXT NOT NULL,
    event_id TEXT NOT NULL,
    body BLOB NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX dead_letters_namespace ON dead_letters (namespace);

CREATE TABLE versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    digest BLOB NOT NULL,
    document BLOB NOT NULL,
    source BLOB NOT NULL,
    description TEXT NOT NULL,
    registered_at_ms INTEGER NOT NULL,
    principal TEXT NOT NULL,
    UNIQUE (namespace, workflow, version)
);

CREATE TABLE workflows (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    active TEXT NOT NULL,
    activated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, workflow)
) WITHOUT ROWID;

CREATE TABLE triggers (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    name TEXT NOT NULL,
    uses TEXT NOT NULL,
    cursor BLOB NOT NULL,
    paused INTEGER NOT NULL,
    pause_reason TEXT NOT NULL,
    fired INTEGER NOT NULL,
    last_fired_at_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, workflow, name)
) WITHOUT ROWID;

CREATE TABLE obligations (
    number INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
);
