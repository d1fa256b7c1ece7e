-- Which endpoint an attempt was first sent to: it is sent there again, whatever dialer the agent has by then. 0: it was
-- not sent yet, or before this column was there.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'calls' AND column_name = 'endpoint_id'), 'DO 0',
  'ALTER TABLE calls ADD COLUMN endpoint_id BIGINT UNSIGNED NOT NULL DEFAULT 0');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
