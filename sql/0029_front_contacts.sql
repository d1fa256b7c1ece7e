-- Contacts that are called before the others.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_contacts' AND column_name = 'front'), 'DO 0',
  'ALTER TABLE batch_contacts ADD COLUMN front TINYINT NOT NULL DEFAULT 0 COMMENT ''1: added at the front''');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'front_from'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN front_from INT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the first such position; 0: there is none''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
