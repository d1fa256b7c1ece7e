-- Persons whose data are being erased: a row is there until nothing is left.

CREATE TABLE IF NOT EXISTS person_erasures (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  organization_id BIGINT UNSIGNED NOT NULL,
  phone_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  stage TINYINT NOT NULL,                   -- src/engine/person_erasure.c
  position BIGINT UNSIGNED NOT NULL,        -- how far the stage is
  wake_at DATETIME(6) NOT NULL,             -- later than now: it waits for a call to end
  requested_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY person (organization_id, phone_number),
  KEY wake (wake_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
