-- Calling again: what a campaign says of single outcomes, and what a person asked for.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'retry_rules'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN retry_rules VARCHAR(255) CHARACTER SET ascii NOT NULL DEFAULT ''''
       COMMENT ''[[outcome, minutes, attempts], …] or empty''');
PREPARE change_table FROM @change;
EXECUTE change_table;

-- Calls that ended before know neither of these.
SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'calls' AND column_name = 'retry_at'), 'DO 0',
  'ALTER TABLE calls
     ADD COLUMN retry_at DATETIME(6) NOT NULL DEFAULT ''1000-01-01''
       COMMENT ''the next attempt is not before; 1000-01-01: none follows'',
     ADD COLUMN call_back_at DATETIME(6) NOT NULL DEFAULT ''1000-01-01''
       COMMENT ''the person asked to be called then; the same as retry_at, if that is done''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
