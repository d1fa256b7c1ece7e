-- Numbers that are never called, in any campaign of the organisation.

CREATE TABLE IF NOT EXISTS do_not_call (
  organization_id BIGINT UNSIGNED NOT NULL,
  phone_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  reason VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (organization_id, phone_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
