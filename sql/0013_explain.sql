-- What those who ask why nothing is called want to know.

-- The latest error of an endpoint; empty while it takes what is sent there.
SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'endpoint_health' AND column_name = 'error'), 'DO 0',
  'ALTER TABLE endpoint_health ADD COLUMN error VARCHAR(255) NOT NULL DEFAULT ''''');
PREPARE change_table FROM @change;
EXECUTE change_table;

-- The calls of a campaign that are under way: by the index of those of the organisation, which names their campaigns.
SET @change = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'calls' AND index_name = 'status' AND column_name = 'batch_id'), 'DO 0',
  'ALTER TABLE calls DROP KEY status, ADD KEY status (organization_id, status, id, batch_id)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
