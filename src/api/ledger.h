/* The ledger of decisions: the decisions about a number, as JSON and CSV; and the ledger with its proof. */
#ifndef API_LEDGER_H
#define API_LEDGER_H

#include "api/request.h"

extern const struct field_table ledger_query, ledger_csv_query, ledger_export_query;

enum db_result ledger_page(struct request *request);
enum db_result ledger_csv(struct request *request);
enum db_result ledger_proof(struct request *request);

#endif
