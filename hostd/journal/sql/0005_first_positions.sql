-- Where a subscription begins: the highest number of an event when the version was activated, or the trigger applied.
-- -1 = not known (written before this was kept). Times do not tell: after the wall clock went back they fall.
ALTER TABLE workflows ADD COLUMN activated_event INTEGER NOT NULL DEFAULT -1;
ALTER TABLE own_triggers ADD COLUMN applied_event INTEGER NOT NULL DEFAULT -1;
