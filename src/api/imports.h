/* CSV files: POST /contacts/import, /batch-calls/{id}/contacts/import and /do-not-call/import. They come as
 * text/csv, or as the part `file` of multipart/form-data. */
#ifndef API_IMPORTS_H
#define API_IMPORTS_H

#include "api/request.h"

/* The fields of query parameters, or of the parts of a form. */
extern const struct field_table import_fields, batch_import_fields, suppression_import_fields;

enum db_result imports_to_folder(struct request *request);
enum db_result imports_to_batch(struct request *request);
enum db_result imports_to_do_not_call(struct request *request);

#endif
