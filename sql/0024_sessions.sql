-- Keys of sessions: they end with the key that made them, their parent.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'api_keys' AND column_name = 'parent_id'), 'DO 0',
  'ALTER TABLE api_keys
     ADD COLUMN parent_id BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''of api_keys; 0: it is no key of a session'',
     DROP KEY organization,
     ADD KEY organization (organization_id, parent_id, id),
     ADD KEY parent (parent_id, expires_at),
     ADD KEY expires_at (expires_at)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
