/* /agents: who speaks in the calls, and which webhook places them. */
#ifndef API_AGENTS_H
#define API_AGENTS_H

#include "api/request.h"

extern const struct field_table agent_fields, agent_query_fields;

enum db_result agents_list(struct request *request);
enum db_result agents_create(struct request *request);
enum db_result agents_get(struct request *request);
enum db_result agents_change(struct request *request);
enum db_result agents_delete(struct request *request); /* not while a running campaign calls with it */
enum db_result agents_sync(struct request *request);   /* tells its dialer once more */

#endif
