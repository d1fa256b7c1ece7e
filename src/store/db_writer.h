/* Inner side of store/db.h: the host of the list that takes the writes. The processes of one program share this
 * knowledge and move together. So only one node gets writes, even in a cluster whose nodes all accept them. After a
 * fail-over they stay until an earlier host of the list is back. So the programs of all hosts end up on the same node.
 */
#ifndef STORE_DB_WRITER_H
#define STORE_DB_WRITER_H

#include "store/db_connection.h"

/* Returns the host of the list that is tried first. */
size_t db_writer_host(void);

/* Records that the connection was lost. If the host hangs, the next host is tried first. */
void db_writer_lost(const struct db *db, bool hangs);

/* Records that the host of the connection takes the writes. Logs a move, and how long no host took writes. */
void db_writer_found(const struct db *db);

/* Returns whether the other processes use another host than this connection. */
bool db_writer_has_moved(const struct db *db);

/* If every node of the cluster takes writes, one process tests from time to time whether an earlier host of the list is
 * back. */
void db_writer_look_back(const struct db *db);

#endif
