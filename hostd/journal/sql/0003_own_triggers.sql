-- Triggers of their own: documents with `trigger: name`. Their cursor and pause are rows of `triggers`, workflow empty.
CREATE TABLE own_triggers (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    document BLOB NOT NULL,
    source BLOB NOT NULL,
    applied_at_ms INTEGER NOT NULL,
    principal TEXT NOT NULL,
    PRIMARY KEY (namespace, name)
) WITHOUT ROWID;
