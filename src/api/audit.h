/* The audit log: who changed what, and when. The row of a route in the route table names its change, and
 * audit_finish writes it into the log in the transaction of the change. Handlers add what only they know. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "api/request.h"

extern const struct field_table audit_query;

/* For handlers. audit_say_id names the changed object, if it is not the first object of the path. The other functions
 * give the changed fields, or a figure, a text or an id instead. A further call replaces the call before. */
void audit_say_id(struct request *request, const struct uuid *id);
void audit_say_changes(struct request *request, const struct field_table *table, const void *before, const void *after);
void audit_say_count(struct request *request, const char *name, int64_t count);
void audit_say_text(struct request *request, const char *name, const char *text);
void audit_say_other(struct request *request, const char *name, const struct uuid *id);

/* Writes the entry after the handler, in its transaction. A PATCH that changed no field writes no entry. */
enum db_result audit_finish(struct request *request);

enum db_result batch_calls_history(struct request *request);
enum db_result audit_list_all(struct request *request);

#endif
