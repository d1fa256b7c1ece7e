/* /contacts/folders */
#ifndef API_FOLDERS_H
#define API_FOLDERS_H

#include "api/request.h"

extern const struct field_table folder_query_fields;

enum db_result folders_list(struct request *request);
enum db_result folders_create(struct request *request);
enum db_result folders_get(struct request *request);
enum db_result folders_change(struct request *request);
enum db_result folders_delete(struct request *request);

#endif
