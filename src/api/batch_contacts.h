/* /batch-calls/<id>/contacts: the contacts of a campaign. */
#ifndef API_BATCH_CONTACTS_H
#define API_BATCH_CONTACTS_H

#include "api/request.h"

extern const struct field_table batch_contacts_query;

enum db_result batch_contacts_page(struct request *request);
enum db_result batch_contacts_append(struct request *request);
enum db_result batch_contacts_get(struct request *request);
enum db_result batch_contacts_remove(struct request *request);
enum db_result batch_contacts_remove_all(struct request *request);

#endif
