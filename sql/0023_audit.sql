-- Who changed what, and when: changes of campaigns, and what administrators did.

CREATE TABLE IF NOT EXISTS audit_log (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  organization_id BIGINT UNSIGNED NOT NULL,
  object TINYINT NOT NULL,                  -- src/store/audit_store.h
  action TINYINT NOT NULL,                  -- the same
  object_id BINARY(16) NOT NULL,
  key_id BIGINT UNSIGNED NOT NULL,          -- of api_keys; 0: Outdial itself
  from_status TINYINT NOT NULL,             -- of a campaign, src/domain/batch.h; -1: none
  to_status TINYINT NOT NULL,
  happened_at DATETIME(6) NOT NULL,
  reason VARCHAR(255) NOT NULL,
  changes MEDIUMTEXT NOT NULL,              -- a JSON object or empty
  PRIMARY KEY (id),
  KEY object (organization_id, object, object_id, id),
  KEY organization (organization_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
