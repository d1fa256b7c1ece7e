/* Cells of the CSV files that the API writes. Each cell but the first of a line is written with the comma before it. */
#ifndef API_CSV_CELLS_H
#define API_CSV_CELLS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

/* A text that needs no quotes. */
void csv_put_plain(struct buf *out, const char *text);
/* Any text. It gets an apostrophe in front if a spreadsheet would take it for a formula. */
void csv_put_text(struct buf *out, const char *text);
void csv_put_id(struct buf *out, const struct uuid *id); /* nil: an empty cell */
void csv_put_instant(struct buf *out, int64_t us);       /* none or never: an empty cell */

#endif
