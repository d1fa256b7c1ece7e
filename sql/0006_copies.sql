-- Campaigns whose contacts are being copied from a folder in the background: how far that is.

CREATE TABLE IF NOT EXISTS batch_copies (
  batch_id BIGINT UNSIGNED NOT NULL,
  folder_id BIGINT UNSIGNED NOT NULL,
  after_id BIGINT UNSIGNED NOT NULL,        -- contacts up to here are copied …
  last_id BIGINT UNSIGNED NOT NULL,         -- … and this is the last: those that come later are not meant
  PRIMARY KEY (batch_id),
  KEY folder (folder_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
