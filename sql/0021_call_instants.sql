-- When a dialer took a call, when it was answered, and when it was last reported on; and an index of the numbers that calls
-- are made from. Calls that were made before know none of these instants.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'calls' AND column_name = 'reported_at'), 'DO 0',
  'ALTER TABLE calls
     ADD COLUMN dispatched_at DATETIME(6) NOT NULL DEFAULT ''1000-01-01'',
     ADD COLUMN answered_at DATETIME(6) NOT NULL DEFAULT ''1000-01-01'',
     ADD COLUMN reported_at DATETIME(6) NOT NULL DEFAULT ''1000-01-01''');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'calls' AND index_name = 'made_from'), 'DO 0',
  'ALTER TABLE calls ADD KEY made_from (organization_id, from_number, id)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
