-- The ids of agents that were deleted: their campaigns and calls keep naming them.
CREATE TABLE IF NOT EXISTS deleted_agents (
  id BIGINT UNSIGNED NOT NULL,              -- as it was in agents
  uuid BINARY(16) NOT NULL,
  organization_id BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
