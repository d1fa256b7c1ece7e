-- Replies kept for a day under the key that a client gave with its request.

CREATE TABLE IF NOT EXISTS idempotency_keys (
  organization_id BIGINT UNSIGNED NOT NULL,
  key_hash BINARY(32) NOT NULL,             -- SHA-256 of the client's key
  request_hash BINARY(32) NOT NULL,         -- of method, path, query and body: the same key must ask the same
  request_id VARCHAR(80) CHARACTER SET ascii NOT NULL,
  status SMALLINT NOT NULL,
  body MEDIUMTEXT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (organization_id, key_hash),
  KEY created (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
