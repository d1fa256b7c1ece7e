-- What is known of webhooks that were sent, and the ways to look through them.

-- Every try of a delivery, and what came back.
CREATE TABLE IF NOT EXISTS delivery_tries (
  delivery_id BIGINT UNSIGNED NOT NULL,
  tried_at DATETIME(6) NOT NULL,
  duration_ms INT UNSIGNED NOT NULL,
  response_code SMALLINT NOT NULL,          -- 0: no answer, see error
  error VARCHAR(255) NOT NULL,              -- empty: it was taken
  excerpt VARCHAR(500) NOT NULL,            -- of the answer's body
  PRIMARY KEY (delivery_id, tried_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Every time that a dialer did not take a call.
CREATE TABLE IF NOT EXISTS call_tries (
  call_id BINARY(16) NOT NULL,
  tried_at DATETIME(6) NOT NULL,
  duration_ms INT UNSIGNED NOT NULL,
  response_code SMALLINT NOT NULL,
  error VARCHAR(255) NOT NULL,
  excerpt VARCHAR(500) NOT NULL,
  PRIMARY KEY (call_id, tried_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Indexes. (MySQL has no IF NOT EXISTS for them.)

-- Who subscribed to what: asked with every report.
SET @sql = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
  AND table_name = 'webhook_endpoints' AND index_name = 'subscriptions'), 'DO 0',
  'ALTER TABLE webhook_endpoints ADD KEY subscriptions (organization_id, disabled, events)');
PREPARE statement FROM @sql;
EXECUTE statement;

-- What happened in an organisation since a time.
SET @sql = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
  AND table_name = 'events' AND index_name = 'organization_created'), 'DO 0',
  'ALTER TABLE events ADD KEY organization_created (organization_id, created_at)');
PREPARE statement FROM @sql;
EXECUTE statement;

-- The deliveries of an endpoint that failed.
SET @sql = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
  AND table_name = 'deliveries' AND index_name = 'endpoint_status'), 'DO 0',
  'ALTER TABLE deliveries ADD KEY endpoint_status (endpoint_id, status)');
PREPARE statement FROM @sql;
EXECUTE statement;
DEALLOCATE PREPARE statement;
