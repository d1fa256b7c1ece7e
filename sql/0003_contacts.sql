-- People who may be called, kept apart from campaigns, in folders.

CREATE TABLE IF NOT EXISTS contact_folders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  name VARCHAR(255) NOT NULL,
  description VARCHAR(1000) NOT NULL,
  contact_count INT UNSIGNED NOT NULL,      -- changed in the transactions that add and remove contacts
  purge_at DATETIME(6) NOT NULL,            -- never, unless it was deleted: its contacts leave in the background
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  KEY organization (organization_id),
  KEY purge_at (purge_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- A number stands once in a folder; folder 0 holds those without one.
CREATE TABLE IF NOT EXISTS contacts (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  folder_id BIGINT UNSIGNED NOT NULL,
  phone_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  first_name VARCHAR(255) NOT NULL,
  last_name VARCHAR(255) NOT NULL,
  email VARCHAR(320) NOT NULL,
  timezone VARCHAR(64) CHARACTER SET ascii NOT NULL,
  custom_fields MEDIUMTEXT NOT NULL,        -- a JSON object or empty
  last_call_outcome TINYINT NOT NULL,       -- a call's final status; -1: never called
  last_called_at DATETIME(6) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  UNIQUE KEY number_in_folder (organization_id, folder_id, phone_number),
  KEY organization (organization_id),
  KEY folder (organization_id, folder_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
