-- Who changed what, for all administrative actions: from which address, or which operator of the host. For the lists:
-- by time, by key, by object; and by age alone, for what leaves. The program before this leaves the new columns empty.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'audit_log' AND column_name = 'address'), 'DO 0',
  'ALTER TABLE audit_log
     ADD COLUMN address VARCHAR(45) CHARACTER SET ascii NOT NULL DEFAULT '''' COMMENT ''of the client; empty: none'',
     ADD COLUMN operator_name VARCHAR(255) NOT NULL DEFAULT '''' COMMENT ''user@host of the command line; empty: none'',
     DROP KEY organization,
     ADD KEY organization (organization_id, happened_at, id),
     ADD KEY by_key (organization_id, key_id, happened_at, id),
     ADD KEY by_object (organization_id, object_id, happened_at, id),
     ADD KEY happened_at (happened_at)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
