-- An attempt that no dialer answered waits in the plan, as the same attempt. Its call stays queued without `expires_at`.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'due_contacts' AND column_name = 'waits'), 'DO 0',
  'ALTER TABLE due_contacts
     ADD COLUMN waits TINYINT NOT NULL DEFAULT 0 COMMENT ''1: the contact''''s last call waits here, to be asked for again''');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'waiting'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN waiting INT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''calls that wait in the plan; they are not in `claimed`'' AFTER claimed');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
