/* /agents: agents, which speak in the calls, and their webhooks, which place the calls. */
#ifndef API_AGENTS_H
#define API_AGENTS_H

#include "api/request.h"

extern const struct field_table agent_fields, agent_query_fields;

enum db_result agents_list(struct request *request);
enum db_result agents_create(struct request *request);
enum db_result agents_get(struct request *request);
enum db_result agents_change(struct request *request);
enum db_result agents_delete(struct request *request); /* not while a running campaign uses it */
enum db_result agents_sync(struct request *request);   /* sends agent.sync again */

#endif
