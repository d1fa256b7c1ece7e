/* /contacts: stored contacts, independent of campaigns. */
#ifndef API_CONTACTS_H
#define API_CONTACTS_H

#include "api/request.h"

extern const struct field_table contact_query_fields;

enum db_result contacts_list(struct request *request);
enum db_result contacts_create(struct request *request);
enum db_result contacts_get(struct request *request);
enum db_result contacts_change(struct request *request);
enum db_result contacts_delete(struct request *request);

#endif
