-- The highest version that any durable key had when it went: a key that begins anew goes on above it.
-- What keys of an older file had is not known any more; their versions rose with its positions, about, or not as far.
INSERT INTO meta SELECT 'kv_floor', max(
    coalesce((SELECT max(pos) FROM records), 0),
    coalesce((SELECT value FROM meta WHERE name = 'next_pos'), 0),
    coalesce((SELECT max(version) FROM kv), 0));
