-- Organisations that move from one installation (a cell) to another.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'organizations' AND column_name = 'place'), 'DO 0',
  'ALTER TABLE organizations
     ADD COLUMN place TINYINT NOT NULL DEFAULT 0 COMMENT ''src/store/organization_store.h'',
     ADD COLUMN cell VARCHAR(16) CHARACTER SET ascii NOT NULL DEFAULT '''' COMMENT ''where it goes or went to, or comes from''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
