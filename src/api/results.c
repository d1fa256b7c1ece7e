/* RFC 4180 with a header row. Spreadsheets run what they take for a formula: a text that begins like one gets an
 * apostrophe in front, which they show as text. Telephone numbers begin with "+" and are left alone. */
#include "api/results.h"

#include <inttypes.h>
#include <string.h>

#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/instant.h"
#include "domain/results_token.h"
#include "store/batch_contact_list.h"
#include "store/batch_store.h"

#define ROWS_PER_PART 1000

static const char header[] =
	"position,contact_id,phone_number,first_name,last_name,email,timezone,status,call_status,scheduled_at,"
	"call_id,from_number,called_at,ended_at,duration_seconds,cost,attempts,outcome,error_reason,custom_fields\r\n";

/* Where the export stands. Contacts added meanwhile are not in it. */
struct export {
	int64_t organization_id;
	struct batch batch;
	struct batch_contact_filter filter;
	int64_t position; /* rows up to here are written */
	bool is_done;
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
	put_text(out, batch_contact_reason(contact));
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

/* Of contacts in some states nobody knows how many there are. Rows go only after the campaign has gone, so a campaign that
 * is still there after the last part had all of them. */
static enum db_result judge_end(struct request *request, const struct export *export, struct arena *arena)
{
	struct batch now;

	if (!export->is_done || export->filter.statuses == 0)
		return DB_OK;
	return batch_get(request->db, export->organization_id, &export->batch.uuid, arena, &now);
}

/* Positions are dense: when a part of all contacts is too short, the campaign was deleted meanwhile. */
static bool is_deleted(const struct export *export, const struct listing *listing)
{
	return export->filter.statuses == 0 && listing->count < ROWS_PER_PART &&
	       export->position + (int64_t)listing->count < export->batch.counts.total;
}

static enum db_result put_contacts(struct export *export, struct buf *out, const struct listing *listing)
{
	const struct batch_contact *contacts = listing->items;

	if (is_deleted(export, listing))
		return DB_NOT_FOUND;
	for (size_t i = 0; i < listing->count && contacts[i].position <= export->batch.counts.total; i++) {
		put_contact(out, &contacts[i]);
		export->position = contacts[i].position;
	}
	export->is_done = !listing->has_more || export->position >= export->batch.counts.total;
	return DB_OK;
}

static enum db_result next_part(struct request *request, void *parts)
{
	struct export *export = parts;
	struct page_key after = { .id = export->position, .text = "" };
	struct page page = { .limit = ROWS_PER_PART, .after = &after };
	struct arena *arena;
	struct listing listing;
	enum db_result result;

	if (export->is_done || export->batch.counts.total == 0)
		return DB_OK;
	arena = arena_new();
	result = batch_contacts_list(request->db, &export->batch, &export->filter, &page, arena, &listing);
	if (result == DB_OK)
		result = put_contacts(export, &request->reply->body, &listing);
	if (result == DB_OK)
		result = judge_end(request, export, arena);
	arena_free(arena);
	return result;
}

struct selection {
	unsigned status; /* bit set of enum contact_status; 0: all */
};

static const struct selection selection_initial = { 0 };

#define STATUS_FIELD \
	FIELD(struct selection, status, CHOICES, .min = 1, .max = CONTACT_STATUS__MAX, .choices = contact_status_names)
FIELD_TABLE(results_query, struct selection, &selection_initial, STATUS_FIELD);
FIELD_TABLE(results_link_fields, struct selection, &selection_initial, STATUS_FIELD);

struct link_query {
	const char *token;
};

static const struct link_query link_initial = { .token = "" };

FIELD_TABLE(results_link_query, struct link_query, &link_initial,
            FIELD(struct link_query, token, STRING, .min = 1, .max = 200));

static enum db_result send_results(struct request *request, int64_t organization_id, const struct uuid *batch_id,
                                   unsigned statuses)
{
	struct export *export = arena_alloc(request->arena, sizeof *export);
	char id[UUID_TEXT];

	*export = (struct export){ .organization_id = organization_id, .filter = { .statuses = statuses, .phone_number = "", .search = "" } };
	DB_TRY(batch_get(request->db, organization_id, batch_id, request->arena, &export->batch));
	DB_TRY(reply_in_parts(request, "text/csv; charset=utf-8; header=present", next_part, export));
	uuid_format(&export->batch.uuid, id);
	reply_header(request, "Content-Disposition",
	             arena_printf(request->arena, "attachment; filename=\"results-%s.csv\"", id));
	buf_puts(&request->reply->body, header);
	return DB_OK;
}

enum db_result batch_results(struct request *request)
{
	const struct selection *selection = request->query;

	return send_results(request, request->key.organization_id, &request->ids[0],
	                    selection != NULL ? selection->status : 0);
}

enum db_result batch_results_link(struct request *request)
{
	const struct selection *selection = request->input;
	struct results_grant grant = {
		.organization_id = request->key.organization_id, .expires_at_us = clock_now_us() + RESULTS_TOKEN_LIFE_US,
		.statuses = selection->status,
	};
	char token[RESULTS_TOKEN_TEXT];
	struct batch batch;
	struct json *json;

	DB_TRY(batch_get(request->db, grant.organization_id, &request->ids[0], request->arena, &batch));
	grant.batch_id = batch.uuid;
	results_token_text(&grant, token);
	json = reply_begin(request, 200);
	json_begin_object(json, "data");
	reply_secret(request, "url", arena_printf(request->arena, "%s/api/public/v1/results.csv?token=%s",
	                                          request->conf->public_url, token));
	json_instant(json, "expires_at", grant.expires_at_us);
	json_end(json);
	return reply_end(request);
}

enum db_result results_by_link(struct request *request)
{
	const struct link_query *query = request->query;
	struct results_grant grant;

	if (query == NULL || *query->token == '\0')
		return page_refuse(request, "token", "is required");
	if (!results_token_read(query->token, &grant))
		return reply_refuse(request, ERROR_UNAUTHORIZED, "This is not an address of results.");
	if (grant.expires_at_us <= clock_now_us())
		return reply_refuse(request, ERROR_UNAUTHORIZED, "This address was good for a minute, and has expired.");
	return send_results(request, grant.organization_id, &grant.batch_id, grant.statuses);
}
