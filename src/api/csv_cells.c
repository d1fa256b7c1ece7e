#include "api/csv_cells.h"

#include <string.h>

#include "base/instant.h"

void csv_put_plain(struct buf *out, const char *text)
{
	buf_putc(out, ',');
	buf_puts(out, text);
}

void csv_put_text(struct buf *out, const char *text)
{
	bool is_formula = *text != '\0' && strchr("=+-@\t\r", *text) != NULL;

	buf_putc(out, ',');
	if (strpbrk(text, ",\"\r\n") == NULL) {
		buf_puts(out, is_formula ? "'" : "");
		buf_puts(out, text);
		return;
	}
	buf_puts(out, is_formula ? "\"'" : "\"");
	for (size_t len; *text != '\0'; text += len) {
		len = strcspn(text, "\"");
		buf_add(out, text, len);
		if (text[len] == '"') {
			buf_puts(out, "\"\"");
			len++;
		}
	}
	buf_putc(out, '"');
}

void csv_put_id(struct buf *out, const struct uuid *id)
{
	char text[UUID_TEXT] = "";

	if (!uuid_is_nil(id))
		uuid_format(id, text);
	csv_put_plain(out, text);
}

void csv_put_instant(struct buf *out, int64_t us)
{
	char text[32] = "";

	if (us != INSTANT_NONE && us != INSTANT_NEVER)
		instant_format_iso(us, text);
	csv_put_plain(out, text);
}
