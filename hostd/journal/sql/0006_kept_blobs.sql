-- 1: an action of the run kept the blob, and it counts towards what the run may keep; 0: a value of the run is it or names it.
ALTER TABLE blob_refs ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
