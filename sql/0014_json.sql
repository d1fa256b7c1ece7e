-- The store refuses a text that is no JSON object, whoever writes it. `outdial migrate` repairs such texts before.
-- (events.data has no check: it is made of such objects, and MariaDB judges no text of more than 31 levels.)
--
-- Neither server knows IF NOT EXISTS for all of this, so each change is made when it is not there yet.

SET @change = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
    AND table_name = 'contacts' AND constraint_name = 'contacts_json') > 0, 'DO 0',
  'ALTER TABLE contacts ADD CONSTRAINT contacts_json
    CHECK (custom_fields = '''' OR (custom_fields LIKE ''{%'' AND JSON_VALID(custom_fields)))');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
    AND table_name = 'batch_contacts' AND constraint_name = 'batch_contacts_json') > 0, 'DO 0',
  'ALTER TABLE batch_contacts ADD CONSTRAINT batch_contacts_json
    CHECK (custom_fields = '''' OR (custom_fields LIKE ''{%'' AND JSON_VALID(custom_fields)))');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
    AND table_name = 'batch_calls' AND constraint_name = 'batch_calls_json') > 0, 'DO 0',
  'ALTER TABLE batch_calls ADD CONSTRAINT batch_calls_json
    CHECK (metadata = '''' OR (metadata LIKE ''{%'' AND JSON_VALID(metadata)))');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
    AND table_name = 'agents' AND constraint_name = 'agents_json') > 0, 'DO 0',
  'ALTER TABLE agents ADD CONSTRAINT agents_json
    CHECK (settings = '''' OR (settings LIKE ''{%'' AND JSON_VALID(settings)))');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
    AND table_name = 'single_calls' AND constraint_name = 'single_calls_json') > 0, 'DO 0',
  'ALTER TABLE single_calls ADD CONSTRAINT single_calls_json
    CHECK ((variables = '''' OR (variables LIKE ''{%'' AND JSON_VALID(variables)))
      AND (call_settings = '''' OR (call_settings LIKE ''{%'' AND JSON_VALID(call_settings))))');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
