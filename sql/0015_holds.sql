-- What held the next call of a campaign when a scheduler last looked at it: the name of a gate (src/domain/gate.c), and until
-- when. Fixed widths, because the row of a running campaign is written with every look.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'held_by'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN held_by CHAR(20) CHARACTER SET ascii NOT NULL DEFAULT '''',
     ADD COLUMN held_until DATETIME(6) NOT NULL DEFAULT ''9999-12-31''');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
