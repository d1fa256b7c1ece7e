-- Lists: an index for each order and filter, and one text of a contact that a search looks through.
--
-- Neither server knows IF NOT EXISTS for all of this, so each change is made when it is not there yet.

-- In the order of their making (id) with all that tells whether a contact is sought: a search reads this index
-- and nothing else. LEFT, because an index takes 3,072 bytes.
SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'contacts' AND column_name = 'search_text') > 0, 'DO 0',
  'ALTER TABLE contacts
    ADD COLUMN search_text VARBINARY(3000) GENERATED ALWAYS AS
      (CAST(LEFT(LOWER(CONCAT_WS('' '', phone_number, first_name, last_name, email)), 750) AS BINARY)) STORED,
    DROP KEY organization,
    ADD KEY search (organization_id, id, folder_id, search_text),
    ADD KEY outcome (organization_id, last_call_outcome)');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'contact_folders' AND index_name = 'name') > 0, 'DO 0',
  'ALTER TABLE contact_folders
    ADD KEY name (organization_id, name),
    ADD KEY contact_count (organization_id, contact_count)');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'phone_numbers' AND index_name = 'organization') > 0, 'DO 0',
  'ALTER TABLE phone_numbers ADD KEY organization (organization_id)');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND index_name = 'status') > 0, 'DO 0',
  'ALTER TABLE batch_calls
    ADD KEY status (organization_id, status),
    ADD KEY agent (organization_id, agent_id)');
PREPARE change_table FROM @change;
EXECUTE change_table;

SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'calls' AND index_name = 'batch') > 0, 'DO 0',
  'ALTER TABLE calls
    ADD KEY batch (batch_id, id),
    ADD KEY agent (agent_id, id),
    ADD KEY status (organization_id, status, id)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
