-- Lists of campaigns in many orders. The index of each begins with the state, and holds the name and the agent, so that a
-- filter reads nothing else.

SET @change = IF(EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'batch_calls' AND index_name = 'by_progress'), 'DO 0',
  'ALTER TABLE batch_calls
     ADD COLUMN progress SMALLINT UNSIGNED NOT NULL DEFAULT 0,
     DROP KEY status, DROP KEY organization, DROP KEY agent,
     ADD KEY agent (organization_id, agent_id, id, status, name),
     ADD KEY status (organization_id, status, id, agent_id, name),
     ADD KEY by_name (organization_id, status, name, id, agent_id),
     ADD KEY by_updated_at (organization_id, status, updated_at, id, agent_id, name),
     ADD KEY by_planned_from (organization_id, status, planned_from, id, agent_id, name),
     ADD KEY by_progress (organization_id, status, progress, id, agent_id, name)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;

-- Thousandths of the contacts that are done; 4 and above: the campaign is over.
UPDATE batch_calls b JOIN batch_counters c ON c.batch_id = b.id SET b.progress = IF(b.status >= 4, 1000,
    (c.completed + c.failed + c.voicemail + c.no_answer + c.busy + c.cancelled + c.skipped) * 1000 DIV b.total_contacts)
  WHERE b.progress = 0 AND b.total_contacts > 0;
