-- How often: each number that calls are made from, and each number that is called, across campaigns.

-- A row for each telephony number that has a pace; it is locked by whoever takes a call from it.
CREATE TABLE IF NOT EXISTS number_paces (
  number_id BIGINT UNSIGNED NOT NULL,       -- of phone_numbers
  calls_per_minute INT NOT NULL,
  pace_at DATETIME(6) NOT NULL,             -- no call before this
  PRIMARY KEY (number_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- A row for each organisation that limits how often it calls somebody. It is the lock under which contacts
-- of the organisation are judged by it: those without pay nothing.
CREATE TABLE IF NOT EXISTS contact_limits (
  organization_id BIGINT UNSIGNED NOT NULL,
  limits VARCHAR(1024) CHARACTER SET ascii NOT NULL, -- a JSON array of [attempts, hours]
  rest_hours INT NOT NULL,                  -- after a conversation; 0: none
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The calls to one number, whatever the campaign. (No server takes IF NOT EXISTS here but MariaDB.)
SET @make_index = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'calls' AND index_name = 'called_number') = 0,
  'CREATE INDEX called_number ON calls (organization_id, to_number, called_at)', 'DO 0');
PREPARE make_index FROM @make_index;
EXECUTE make_index;
DEALLOCATE PREPARE make_index;
