-- Campaigns that get their contacts from another campaign.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'source_campaign_id'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN source_campaign_id BINARY(16) NOT NULL DEFAULT 0x00000000000000000000000000000000
       COMMENT ''the campaign its contacts were copied from; zeros: none'',
     ADD COLUMN source_statuses INT UNSIGNED NOT NULL DEFAULT 0
       COMMENT ''bit set of src/domain/contact.h: the results of those that were copied; 0: of all''');
PREPARE change_table FROM @change;
EXECUTE change_table;

-- Where its contacts are copied from in the background: a folder, or positions of a campaign.
SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_copies' AND column_name = 'source_id'), 'DO 0',
  'ALTER TABLE batch_copies
     ADD COLUMN source_id BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''of batch_calls; 0: it is a folder'',
     ADD COLUMN statuses INT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''bit set: stored states of contacts to copy'',
     ADD KEY source (source_id)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
