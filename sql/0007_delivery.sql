-- Deliveries wait in the queue of their endpoint, and what is known of an endpoint stands in one narrow row.

-- Whoever publishes puts a delivery into queue 0, and so writes no row that others write too. A scheduler
-- moves it to the queue of its endpoint: what waits for one that is full or gone is in nobody's way.
SET @add_queue = (SELECT IF(COUNT(*) = 0,
  'ALTER TABLE deliveries ADD COLUMN queue BIGINT UNSIGNED NOT NULL DEFAULT 0, ADD KEY queue (queue, wake_at), DROP KEY wake',
  'DO 0') FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'deliveries' AND column_name = 'queue');
PREPARE add_queue FROM @add_queue;
EXECUTE add_queue;
DEALLOCATE PREPARE add_queue;

-- How an endpoint is doing: src/domain/health.h. Only schedulers write it (and PATCH, when one is switched on
-- again); the row is also the lock under which its queue is served.
CREATE TABLE IF NOT EXISTS endpoint_health (
  endpoint_id BIGINT UNSIGNED NOT NULL,
  doubtful TINYINT NOT NULL,                -- slow or failing: shares a small part of the slots
  next_at DATETIME(6) NOT NULL,             -- when to look into its queue
  failures INT UNSIGNED NOT NULL,           -- in a row
  failing_since DATETIME(6) NOT NULL,       -- the first of them
  open_until DATETIME(6) NOT NULL,          -- its circuit is open; then half open, until a webhook is taken
  probe_until DATETIME(6) NOT NULL,         -- half open: one webhook is under way, no other until then
  trial_until DATETIME(6) NOT NULL,         -- half open: one call was claimed to try it, no other until then
  hold_until DATETIME(6) NOT NULL,          -- it asked us to wait
  PRIMARY KEY (endpoint_id),
  KEY turn (doubtful, next_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Campaigns whose dialer asked to slow down: src/domain/pressure.h. The others have no row.
CREATE TABLE IF NOT EXISTS batch_pressure (
  batch_id BIGINT UNSIGNED NOT NULL,
  places INT UNSIGNED NOT NULL,             -- calls at once, for now; 0: nothing is known yet
  taken INT UNSIGNED NOT NULL,              -- calls taken since `places` last changed
  cut_at DATETIME(6) NOT NULL,              -- when `places` was last cut
  PRIMARY KEY (batch_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What came of all tries so far, for the metrics.
CREATE TABLE IF NOT EXISTS webhook_totals (
  result TINYINT NOT NULL,                  -- src/domain/health.h: enum outcome
  webhooks BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (result)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
