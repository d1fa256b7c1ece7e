-- The index of a search stands in the order of the list, newest first, so that it is read forward. Backward, MariaDB looks
-- up the row of every entry whenever a prepared statement runs again on a table that another one used for other columns.

SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'contacts' AND index_name = 'search' AND column_name = 'id' AND collation = 'D') > 0, 'DO 0',
  'ALTER TABLE contacts
    DROP KEY search,
    ADD KEY search (organization_id, id DESC, folder_id, search_text)');
PREPARE change_table FROM @change;
EXECUTE change_table;
DEALLOCATE PREPARE change_table;
