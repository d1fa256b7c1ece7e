/* The closed set of SQL statements. Their texts stand in store/statements.def. */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

enum sql_statement {
#define SQL(id, text) id,
#include "store/statements.def"
#undef SQL
	SQL__MAX
};

#endif
