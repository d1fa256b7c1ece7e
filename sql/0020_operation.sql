-- What the operation of many processes needs.

-- Where locks are local to one of several hosts that take writes, each lock that guards a rule writes its row here.
CREATE TABLE IF NOT EXISTS guards (
  kind TINYINT UNSIGNED NOT NULL,           -- enum db_guard
  id BIGINT UNSIGNED NOT NULL,
  turn INT UNSIGNED NOT NULL,
  PRIMARY KEY (kind, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The processes that are alive, as they tell every few seconds; a row that is a day old is removed.
CREATE TABLE IF NOT EXISTS processes (
  id BINARY(16) NOT NULL,
  kind TINYINT UNSIGNED NOT NULL,           -- enum process_kind
  host VARCHAR(255) CHARACTER SET ascii NOT NULL,
  pid INT UNSIGNED NOT NULL,
  version VARCHAR(32) CHARACTER SET ascii NOT NULL,
  started_at DATETIME(6) NOT NULL,
  seen_at DATETIME(6) NOT NULL,
  turn_us BIGINT UNSIGNED NOT NULL,         -- the longest turn of a scheduler since it told the last time
  PRIMARY KEY (id),
  KEY seen_at (seen_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Which key the secrets of webhooks are sealed under: every program must have it.
CREATE TABLE IF NOT EXISTS service_key (
  one TINYINT UNSIGNED NOT NULL,            -- 1: there is one row
  key_id BINARY(4) NOT NULL,
  PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Each file of sql/ has a row of its own, with a checksum of what was applied.
SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'schema_version' AND column_name = 'checksum'), 'DO 0',
  'ALTER TABLE schema_version ADD COLUMN checksum CHAR(64) CHARACTER SET ascii NOT NULL DEFAULT ''''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;

-- What a lock of a campaign writes, where that is needed.
SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'turn'), 'DO 0',
  'ALTER TABLE batch_calls ADD COLUMN turn INT UNSIGNED NOT NULL DEFAULT 0');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
