-- Callbacks that wait, by campaigns: when the instant of one comes, its contact moves to the first place.

CREATE TABLE IF NOT EXISTS callbacks (
  batch_id BIGINT UNSIGNED NOT NULL,
  position INT UNSIGNED NOT NULL,
  due_at DATETIME(6) NOT NULL,              -- as it stood in due_contacts
  PRIMARY KEY (batch_id, position),
  KEY due (batch_id, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'callback_at'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN callback_at DATETIME(6) NOT NULL DEFAULT ''9999-12-31'' COMMENT ''the first of its callbacks''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
