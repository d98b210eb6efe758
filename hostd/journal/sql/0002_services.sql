-- Topics of published events, durable keys of plugins, progress of attempts, the audit, retention of single runs.

-- `total`: bytes of all events up to this one, ever. The last minus the first is what is kept.
ALTER TABLE events ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
CREATE INDEX events_topic ON events (namespace, topic) WHERE topic <> '';
CREATE INDEX events_published ON events (namespace, number, topic) WHERE topic <> '';

CREATE TABLE event_totals (number INTEGER PRIMARY KEY, total INTEGER NOT NULL);
INSERT INTO event_totals SELECT number, sum(length(body) + 200) OVER (ORDER BY number) FROM events;
UPDATE events SET total = (SELECT total FROM event_totals WHERE event_totals.number = events.number);
DROP TABLE event_totals;

CREATE TABLE kv (
    number INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE UNIQUE INDEX kv_key ON kv (namespace, key);
CREATE INDEX kv_expires ON kv (expires_at_ms) WHERE expires_at_ms > 0;

CREATE TABLE progress (
    run INTEGER NOT NULL,
    step INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, step)
) WITHOUT ROWID;

-- `details` is a JSON object or empty.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    principal TEXT NOT NULL,
    verb TEXT NOT NULL,
    resource TEXT NOT NULL,
    details BLOB NOT NULL
);
CREATE INDEX audit_namespace ON audit (namespace);

-- How long a run and its logs are kept after its end; 0 = as long as the operator says.
ALTER TABLE runs ADD COLUMN keep_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN keep_logs_ms INTEGER NOT NULL DEFAULT 0;
