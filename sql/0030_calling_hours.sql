-- The hours in which an organisation calls: new campaigns that give none get these.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'organizations' AND column_name = 'calling_windows'), 'DO 0',
  'ALTER TABLE organizations
     ADD COLUMN calling_windows VARCHAR(2048) CHARACTER SET ascii NOT NULL DEFAULT ''''
       COMMENT ''as in batch_calls: [[days, start, end], …], or empty'',
     ADD COLUMN hours_changed_at DATETIME(6) NOT NULL DEFAULT ''1000-01-01''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
