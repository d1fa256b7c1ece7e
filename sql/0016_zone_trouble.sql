-- A campaign that waits because a time zone cannot be read on its scheduler's host: which one, and why.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'zone_trouble'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN zone_trouble VARCHAR(255) CHARACTER SET ascii NOT NULL DEFAULT '''' AFTER status_reason');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
