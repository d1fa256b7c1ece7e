/* RFC 4180 with a header row. Spreadsheets run what they take for a formula: a text that begins like one gets an
 * apostrophe in front, which they show as text. Telephone numbers begin with "+" and are left alone. */
#include "api/results.h"

#include <inttypes.h>
#include <string.h>

#include "api/reply.h"
#include "base/instant.h"
#include "store/batch_contact_store.h"
#include "store/batch_store.h"

#define ROWS_PER_PART 1000

static const char header[] =
	"position,contact_id,phone_number,first_name,last_name,email,timezone,status,call_status,scheduled_at,"
	"call_id,from_number,called_at,ended_at,duration_seconds,cost,attempts,outcome,error_reason,custom_fields\r\n";

/* Where the export stands. Contacts added meanwhile are not in it. */
struct export {
	struct batch batch;
	int64_t position; /* rows up to here are written */
};

/* Each field but the first is written with the comma before it. */
static void put_plain(struct buf *out, const char *text)
{
	buf_putc(out, ',');
	buf_puts(out, text);
}

static void put_text(struct buf *out, const char *text)
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

static void put_id(struct buf *out, const struct uuid *id)
{
	char text[UUID_TEXT] = "";

	if (!uuid_is_nil(id))
		uuid_format(id, text);
	put_plain(out, text);
}

static void put_instant(struct buf *out, int64_t us)
{
	char text[32] = "";

	if (us != INSTANT_NONE && us != INSTANT_NEVER)
		instant_format_iso(us, text);
	put_plain(out, text);
}

static void put_cost(struct buf *out, int64_t ten_thousandths)
{
	if (ten_thousandths < 0)
		put_plain(out, "");
	else
		buf_printf(out, ",%" PRId64 ".%04d", ten_thousandths / 10000, (int)(ten_thousandths % 10000));
}

static void put_call(struct buf *out, const struct batch_contact *contact)
{
	put_id(out, &contact->call_id);
	put_plain(out, contact->from_number);
	put_instant(out, contact->called_at_us);
	put_instant(out, contact->ended_at_us);
	if (contact->duration_seconds < 0)
		put_plain(out, "");
	else
		buf_printf(out, ",%" PRId64, contact->duration_seconds);
	put_cost(out, contact->cost_ten_thousandths);
	buf_printf(out, ",%" PRId64, contact->attempts);
	put_text(out, contact->outcome);
	put_text(out, contact->status == CONTACT_SKIPPED ? skip_reason_names[contact->skip_reason]
	                                                  : contact->end_reason);
}

static void put_contact(struct buf *out, const struct batch_contact *contact)
{
	buf_printf(out, "%" PRId64, contact->position);
	put_id(out, &contact->contact_id);
	put_plain(out, contact->who.phone_number);
	put_text(out, contact->who.first_name);
	put_text(out, contact->who.last_name);
	put_text(out, contact->who.email);
	put_text(out, contact->who.timezone);
	put_plain(out, contact_status_names[contact->status]);
	put_plain(out, contact->call_status < 0 ? "" : call_status_names[contact->call_status]);
	put_instant(out, contact->scheduled_at_us);
	put_call(out, contact);
	put_text(out, contact->who.custom_fields);
	buf_puts(out, "\r\n");
}

/* Positions are dense: fewer rows than expected mean that the campaign was deleted meanwhile. */
static enum db_result put_contacts(struct export *export, int64_t count, struct buf *out,
                                   const struct listing *listing)
{
	const struct batch_contact *contacts = listing->items;

	if ((int64_t)listing->count < count)
		return DB_NOT_FOUND;
	for (size_t i = 0; i < listing->count; i++)
		put_contact(out, &contacts[i]);
	export->position += count;
	return DB_OK;
}

static enum db_result next_part(struct request *request, void *parts)
{
	struct export *export = parts;
	int64_t left = export->batch.counts.total - export->position;
	struct page page = { .limit = left < ROWS_PER_PART ? left : ROWS_PER_PART, .offset = export->position };
	struct arena *arena;
	struct listing listing;
	enum db_result result;

	if (left == 0)
		return DB_OK;
	arena = arena_new();
	result = batch_contacts_list(request->db, &export->batch, -1, &page, arena, &listing);
	if (result == DB_OK)
		result = put_contacts(export, page.limit, &request->reply->body, &listing);
	arena_free(arena);
	return result;
}

enum db_result batch_results(struct request *request)
{
	struct export *export = arena_alloc(request->arena, sizeof *export);
	char id[UUID_TEXT];

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &export->batch));
	DB_TRY(reply_in_parts(request, "text/csv; charset=utf-8; header=present", next_part, export));
	uuid_format(&export->batch.uuid, id);
	reply_header(request, "Content-Disposition",
	             arena_printf(request->arena, "attachment; filename=\"results-%s.csv\"", id));
	buf_puts(&request->reply->body, header);
	return DB_OK;
}
