-- Several calling windows, and windows that are read in the zones of the contacts. Where the clock stands in them is
-- worked out when it is asked for: an update of the tz database then counts at once.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND column_name = 'calling_windows'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN calling_windows VARCHAR(2048) CHARACTER SET ascii NOT NULL DEFAULT '''' AFTER working_days,
     ADD COLUMN respect_contact_timezone TINYINT NOT NULL DEFAULT 0 AFTER excluded_dates,
     DROP COLUMN span_from, DROP COLUMN span_until');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;

-- While a campaign that respects the zones of its contacts is planned: who is still to be planned, by groups of contacts
-- that are in the same zones.
CREATE TABLE IF NOT EXISTS batch_zones (
  batch_id BIGINT UNSIGNED NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  zones VARCHAR(4096) CHARACTER SET ascii NOT NULL, -- names, a space between two; empty: nobody knows
  waiting INT UNSIGNED NOT NULL,                    -- its rows of unplanned_contacts
  PRIMARY KEY (batch_id, slot)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS unplanned_contacts (
  batch_id BIGINT UNSIGNED NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  position INT UNSIGNED NOT NULL,
  attempt TINYINT UNSIGNED NOT NULL,                -- as in due_contacts
  PRIMARY KEY (batch_id, slot, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
