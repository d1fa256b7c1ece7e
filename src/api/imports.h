/* CSV files of contacts: POST /contacts/import and POST /batch-calls/{id}/contacts/import. They come as
 * text/csv, or as the part `file` of multipart/form-data. */
#ifndef API_IMPORTS_H
#define API_IMPORTS_H

#include "api/request.h"

extern const struct field_table import_fields; /* query parameters, or parts of the form */

enum db_result imports_to_folder(struct request *request);
enum db_result imports_to_batch(struct request *request);

#endif
