/* The closed set of SQL statements. Their texts are in store/statements.def. */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include "store/constants.h"
#include "store/tables.h"

enum sql_statement {
#define SQL(id, text) id,
#define READ(id, list, text) id,
#include "store/statements.def"
#undef SQL
#undef READ
	SQL__MAX
};

#endif
