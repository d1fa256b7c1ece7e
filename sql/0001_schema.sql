-- Outdial's tables. Runs unchanged on MariaDB 10.11 and on MySQL 9; running it twice does no harm.
--
-- Instants are DATETIME(6) in UTC. A column that a later step fills is NOT NULL and of fixed width with a
-- sentinel, because a row that grows costs many times the redo of one that is overwritten:
--   '1000-01-01' not set, '9999-12-31' never. Sixteen zero bytes: no such object.
-- Public ids are UUIDv7 as BINARY(16); internal keys are BIGINT. No foreign key leaves a hot row.

CREATE TABLE IF NOT EXISTS schema_version (
  version INT NOT NULL,
  applied_at DATETIME(6) NOT NULL,
  PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who may ----------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS organizations (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  name VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS api_keys (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  name VARCHAR(255) NOT NULL,
  hash BINARY(32) NOT NULL,                 -- SHA-256 of the key; the key itself is stored nowhere
  scopes INT UNSIGNED NOT NULL,             -- bit set, see src/domain/scope.h
  expires_at DATETIME(6) NOT NULL,
  revoked_at DATETIME(6) NOT NULL,
  last_used_at DATETIME(6) NOT NULL,        -- to within a minute
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  UNIQUE KEY hash (hash),
  KEY organization (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What there is ----------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS webhook_endpoints (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  url VARCHAR(2048) NOT NULL,
  description VARCHAR(1000) NOT NULL,
  events INT UNSIGNED NOT NULL,             -- bit set, see src/domain/event.h
  secret VARBINARY(64) NOT NULL,
  disabled TINYINT NOT NULL,
  disabled_reason VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  KEY organization (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS agents (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  name VARCHAR(255) NOT NULL,
  description TEXT NOT NULL,
  voice_id VARCHAR(255) NOT NULL,
  system_prompt MEDIUMTEXT NOT NULL,
  greeting TEXT NOT NULL,
  language_hint VARCHAR(35) NOT NULL,
  settings MEDIUMTEXT NOT NULL,             -- a JSON object, handed to the dialer as it came
  max_call_seconds INT UNSIGNED NOT NULL,   -- a call without a report ends after this long
  webhook_id BIGINT UNSIGNED NOT NULL,      -- its dialer; 0: none yet
  sync_delivery_id BIGINT UNSIGNED NOT NULL DEFAULT 0, -- its latest agent.sync; 0: none yet
  status TINYINT NOT NULL,                  -- src/domain/agent.h
  status_reason VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  KEY organization (organization_id),
  KEY webhook (webhook_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS phone_numbers (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  phone_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  provider_type TINYINT NOT NULL,
  friendly_name VARCHAR(255) NOT NULL,
  inbound_agent_id BIGINT UNSIGNED NOT NULL,
  outbound_agent_id BIGINT UNSIGNED NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  UNIQUE KEY number_of_organization (organization_id, phone_number),
  KEY outbound_agent (outbound_agent_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Campaigns --------------------------------------------------------------------------------------

-- What is wanted and the state. The row is also the lock under which a campaign is planned and its
-- contacts are claimed, which makes the caps exact with any number of schedulers.
CREATE TABLE IF NOT EXISTS batch_calls (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  agent_id BIGINT UNSIGNED NOT NULL,
  name VARCHAR(255) NOT NULL,
  status TINYINT NOT NULL,                  -- src/domain/batch.h
  status_reason VARCHAR(255) NOT NULL,
  phone_rotation_strategy TINYINT NOT NULL,
  contact_source TINYINT NOT NULL,
  contact_folder_id BINARY(16) NOT NULL,    -- the folder its contacts were copied from; zeros: none
  has_contact_ids TINYINT NOT NULL,         -- some of its contacts are copies of rows of `contacts`
  schedule_type TINYINT NOT NULL,
  scheduled_at DATETIME(6) NOT NULL,
  timezone VARCHAR(64) CHARACTER SET ascii NOT NULL,
  window_start SMALLINT NOT NULL,           -- minutes of the local day; -1: whole day
  window_end SMALLINT NOT NULL,
  working_days TINYINT UNSIGNED NOT NULL,   -- bit 0 is Monday
  excluded_dates VARCHAR(4096) CHARACTER SET ascii NOT NULL, -- a JSON array of local dates
  max_concurrent_calls INT NOT NULL,
  max_calls_per_day INT NOT NULL,           -- 0: no cap
  calls_per_minute INT NOT NULL,            -- 0: no pacing
  retry_failed TINYINT NOT NULL,
  max_retry_attempts TINYINT NOT NULL,
  retry_on INT UNSIGNED NOT NULL,           -- bit set of call outcomes
  retry_delay_minutes INT NOT NULL,
  metadata MEDIUMTEXT NOT NULL,             -- a JSON object or empty
  total_contacts INT UNSIGNED NOT NULL,     -- also the highest position
  called INT UNSIGNED NOT NULL,             -- contacts claimed at least once
  claimed BIGINT UNSIGNED NOT NULL,         -- attempts claimed; only grows, only claimers write it
  -- What a scheduler does next for this campaign, and when it should look: src/domain/batch.h
  work TINYINT NOT NULL,
  wake_at DATETIME(6) NOT NULL,
  capped TINYINT NOT NULL,                  -- all places taken: a call that ends must wake the campaign
  low_water DATETIME(6) NOT NULL,           -- no waiting contact is due before this
  -- The stretch of callable time that `day` and `day_calls` (the ledger of the daily cap) belong to.
  span_from DATETIME(6) NOT NULL,
  span_until DATETIME(6) NOT NULL,
  day INT NOT NULL,                         -- local civil day, days since 1970-01-01
  day_calls INT UNSIGNED NOT NULL,
  pace_at DATETIME(6) NOT NULL,             -- with pacing: no call before this
  -- Where planning goes on.
  plan_position INT UNSIGNED NOT NULL,      -- contacts up to here are planned
  plan_next DATETIME(6) NOT NULL,
  plan_day INT NOT NULL,
  plan_day_calls INT UNSIGNED NOT NULL,
  planned_from DATETIME(6) NOT NULL,
  planned_until DATETIME(6) NOT NULL,
  started_at DATETIME(6) NOT NULL,
  completed_at DATETIME(6) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid),
  KEY work (work, wake_at),
  KEY organization (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How far. One narrow row, changed in the transaction that ends calls; everything in it only grows.
CREATE TABLE IF NOT EXISTS batch_counters (
  batch_id BIGINT UNSIGNED NOT NULL,
  done BIGINT UNSIGNED NOT NULL,            -- attempts ended; claimed - done are in progress
  completed INT UNSIGNED NOT NULL,          -- contacts per final status
  failed INT UNSIGNED NOT NULL,
  voicemail INT UNSIGNED NOT NULL,
  no_answer INT UNSIGNED NOT NULL,
  busy INT UNSIGNED NOT NULL,
  cancelled INT UNSIGNED NOT NULL,
  skipped INT UNSIGNED NOT NULL,
  PRIMARY KEY (batch_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What its ended calls add up to: by the quarter of an hour they were placed in, and by how they ended. Quarters,
-- because the local days and hours of every zone are made of whole ones.
CREATE TABLE IF NOT EXISTS batch_quarters (
  batch_id BIGINT UNSIGNED NOT NULL,
  quarter INT UNSIGNED NOT NULL,            -- of an hour, since 1970-01-01 UTC
  status TINYINT NOT NULL,                  -- src/domain/call.h
  calls INT UNSIGNED NOT NULL,
  timed INT UNSIGNED NOT NULL,              -- of these, the ones whose duration was reported
  seconds BIGINT UNSIGNED NOT NULL,
  cost DECIMAL(20,4) NOT NULL,
  PRIMARY KEY (batch_id, quarter, status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- And by what their dialers said of them. Free text: what comes after the first few hundred counts as one.
CREATE TABLE IF NOT EXISTS batch_reasons (
  batch_id BIGINT UNSIGNED NOT NULL,
  kind TINYINT NOT NULL,                    -- 0: outcome, 1: end_reason
  reason VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  calls INT UNSIGNED NOT NULL,
  PRIMARY KEY (batch_id, kind, reason)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The numbers a campaign calls from, in the order of the request.
CREATE TABLE IF NOT EXISTS batch_numbers (
  batch_id BIGINT UNSIGNED NOT NULL,
  slot SMALLINT UNSIGNED NOT NULL,
  number_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (batch_id, slot)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who. Written at import and when something happened to the contact, not when it is planned: whether a
-- waiting contact is `pending`, `scheduled` or `cancelled` follows from the campaign and from due_contacts.
CREATE TABLE IF NOT EXISTS batch_contacts (
  batch_id BIGINT UNSIGNED NOT NULL,
  position INT UNSIGNED NOT NULL,
  phone_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  first_name VARCHAR(255) NOT NULL,
  last_name VARCHAR(255) NOT NULL,
  email VARCHAR(320) NOT NULL,
  timezone VARCHAR(64) CHARACTER SET ascii NOT NULL,
  custom_fields MEDIUMTEXT NOT NULL,        -- a JSON object or empty
  contact_id BINARY(16) NOT NULL,           -- the contact it was copied from; zeros: given with the campaign
  status TINYINT NOT NULL,                  -- src/domain/contact.h
  skip_reason TINYINT NOT NULL,             -- src/domain/contact.h; 0 unless skipped
  attempts TINYINT UNSIGNED NOT NULL,
  call_id BINARY(16) NOT NULL,              -- the latest attempt
  PRIMARY KEY (batch_id, position),
  KEY phone (batch_id, phone_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who waits for when: only contacts that wait. Planning inserts, claiming deletes, pausing touches nothing.
-- No two contacts of a campaign share an instant: planned ones stand on whole milliseconds, retries between.
CREATE TABLE IF NOT EXISTS due_contacts (
  batch_id BIGINT UNSIGNED NOT NULL,
  due_at DATETIME(6) NOT NULL,
  position INT UNSIGNED NOT NULL,
  attempt TINYINT UNSIGNED NOT NULL,        -- the attempt it waits for: 1, or a retry
  PRIMARY KEY (batch_id, due_at),
  UNIQUE KEY contact (batch_id, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What happened: one row per attempt.
CREATE TABLE IF NOT EXISTS calls (
  id BINARY(16) NOT NULL,                   -- UUIDv7: rows stay in the order of their making
  organization_id BIGINT UNSIGNED NOT NULL,
  agent_id BIGINT UNSIGNED NOT NULL,
  batch_id BIGINT UNSIGNED NULL,            -- NULL: a single call
  position INT UNSIGNED NOT NULL,
  attempt TINYINT UNSIGNED NOT NULL,
  status TINYINT NOT NULL,                  -- src/domain/call.h
  tries TINYINT UNSIGNED NOT NULL,          -- how often the dialer was asked
  -- When a scheduler must look again: the lease of a dispatch under way, its next try, or the deadline
  -- of a call that the dialer took; never for an ended call.
  wake_at DATETIME(6) NOT NULL,
  to_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  from_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
  scheduled_at DATETIME(6) NOT NULL,
  called_at DATETIME(6) NOT NULL,           -- when it was claimed
  expires_at DATETIME(6) NOT NULL,          -- the dialer must have taken it by then
  max_seconds INT UNSIGNED NOT NULL,        -- once taken, it must be reported ended within this
  ended_at DATETIME(6) NOT NULL,
  duration_seconds INT NOT NULL,            -- -1: not reported
  cost DECIMAL(14,4) NOT NULL,              -- -1: not reported
  outcome VARCHAR(64) NOT NULL,
  end_reason VARCHAR(255) NOT NULL,
  recording_url VARCHAR(2048) NOT NULL,
  transcript_url VARCHAR(2048) NOT NULL,
  summary TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY attempt (batch_id, position, attempt),
  KEY wake (wake_at),
  KEY organization (organization_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What a client asked for with a single call; campaigns' calls have it from their contact.
CREATE TABLE IF NOT EXISTS single_calls (
  call_id BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  variables MEDIUMTEXT NOT NULL,            -- a JSON object
  call_settings MEDIUMTEXT NOT NULL,        -- a JSON object
  PRIMARY KEY (call_id),
  KEY organization (organization_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What to tell whom: written in the transaction that changes the state ----------------------------

CREATE TABLE IF NOT EXISTS events (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid BINARY(16) NOT NULL,                 -- the webhook-id of every try
  organization_id BIGINT UNSIGNED NOT NULL,
  type TINYINT NOT NULL,                    -- src/domain/event.h
  data MEDIUMTEXT NOT NULL,                 -- a JSON object
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS deliveries (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  event_id BIGINT UNSIGNED NOT NULL,
  endpoint_id BIGINT UNSIGNED NOT NULL,
  agent_id BIGINT UNSIGNED NOT NULL,        -- of an agent.sync: the agent that its outcome decides on; else 0
  status TINYINT NOT NULL,                  -- src/domain/event.h
  tries TINYINT UNSIGNED NOT NULL,
  wake_at DATETIME(6) NOT NULL,             -- next try, or the lease of one under way
  response_code SMALLINT NOT NULL,
  error VARCHAR(255) NOT NULL,
  PRIMARY KEY (id),
  KEY wake (wake_at),
  KEY event (event_id),
  KEY endpoint (endpoint_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
