-- What all processes count together, for the metrics: they add to it about once a second.
-- (webhook_totals is not used any more. It stays while programs of before may still run.)
CREATE TABLE IF NOT EXISTS figures (
  figure SMALLINT UNSIGNED NOT NULL,        -- src/store/figures.h: enum figure
  slot SMALLINT UNSIGNED NOT NULL,          -- its series times FIGURE_SLOTS, and the place in it
  counted BIGINT NOT NULL,
  PRIMARY KEY (figure, slot)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
