#include "api/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "api/csv_cells.h"
#include "api/page.h"
#include "api/reply.h"
#include "domain/ledger_fields.h"
#include "engine/ledger_export.h"
#include "store/ledger_store.h"

#define ROWS_PER_PART 500

struct selection {
	struct page page;
	const char *number;
	struct when from, to;
};

static const struct selection selection_initial = {
	.page = PAGE_INITIAL, .number = "", .from = { .us = INSTANT_NONE }, .to = { .us = INSTANT_NEVER }
};

#define PERIOD FIELD(struct selection, from, WHEN), FIELD(struct selection, to, WHEN)
FIELD_TABLE(ledger_query, struct selection, &selection_initial, PAGE_FIELDS(struct selection),
            FIELD(struct selection, number, PHONE), PERIOD);
FIELD_TABLE(ledger_csv_query, struct selection, &selection_initial, FIELD(struct selection, number, PHONE), PERIOD);
FIELD_TABLE(ledger_export_query, struct selection, &selection_initial, FIELD(struct selection, number, PHONE), PERIOD);

static const struct selection *selection_of(const struct request *request)
{
	return request->query != NULL ? request->query : &selection_initial;
}

static void write_decision(struct json *json, const void *item)
{
	const struct ledger_decided *decided = item;
	struct buf what = { 0 };

	buf_add(&what, decided->what.data, decided->what.len);
	json_text(json, "phone_number", decided->phone_number);
	json_raw(json, "decision", buf_text(&what));
	json_int(json, "block", decided->seq);
	json_instant(json, "sealed_at", decided->sealed_at_us);
	json_add_string(json, "hash", decided->hash);
	buf_free(&what);
}

enum db_result ledger_page(struct request *request)
{
	struct selection *selection = request->query;
	struct ledger_filter filter = { selection->number, selection->from.us, selection->to.us };
	struct listing listing;

	DB_TRY(page_begin(request, &selection->page));
	DB_TRY(ledger_list(request->db, request->key.organization_id, &filter, &selection->page, request->arena, &listing));
	return page_reply(request, &selection->page, &listing, write_decision);
}

static const char csv_header[] =
	"at,phone_number,decision,rule,status,reason,by,campaign_id,position,attempt,call_id,agent_id,"
	"from_number,planned_at,begins_at,until,timezone,local_time,window_until,calls_of_day,"
	"max_calls_per_day,contact_limits,do_not_call_version,key_id,block,hash\r\n";

static void put_count(struct buf *out, int64_t count)
{
	if (count < 0)
		csv_put_plain(out, "");
	else
		buf_printf(out, ",%" PRId64, count);
}

static void put_decision(struct buf *out, const struct ledger_decided *decided, const struct ledger_what *what)
{
	char at[32];

	instant_format_iso(what->at.us, at);
	buf_puts(out, at);
	csv_put_plain(out, decided->phone_number);
	csv_put_plain(out, what->decision);
	csv_put_plain(out, what->rule);
	csv_put_plain(out, what->status);
	csv_put_text(out, what->reason);
	csv_put_plain(out, what->by);
	csv_put_id(out, &what->campaign_id);
	put_count(out, what->position);
	put_count(out, what->attempt);
	csv_put_id(out, &what->call_id);
	csv_put_id(out, &what->agent_id);
	csv_put_plain(out, what->from);
	csv_put_instant(out, what->planned_at.us);
	csv_put_instant(out, what->begins_at.us);
	csv_put_instant(out, what->until.us);
	csv_put_plain(out, what->timezone);
	csv_put_plain(out, what->local_time);
	csv_put_instant(out, what->window_until.us);
	put_count(out, what->calls_of_day);
	put_count(out, what->max_calls_per_day);
	csv_put_plain(out, what->contact_limits);
	put_count(out, what->do_not_call_version);
	csv_put_id(out, &what->key_id);
	put_count(out, decided->seq);
	csv_put_plain(out, decided->hash);
	buf_puts(out, "\r\n");
}

/* The position of a CSV file that is being written. */
struct csv_export {
	int64_t organization_id;
	struct ledger_filter filter;
	struct page_key after;
	bool has_begun, is_done;
};

static enum db_result put_page(struct csv_export *export, struct buf *out, const struct listing *listing,
                               struct arena *arena)
{
	const struct ledger_decided *decided = listing->items;
	struct ledger_what what;

	for (size_t i = 0; i < listing->count; i++)
		if (ledger_what_read(decided[i].what.data, decided[i].what.len, arena, &what))
			put_decision(out, &decided[i], &what);
		else
			return DB_ERROR; /* the block was tampered with: no file is better than a file that hides this */
	export->after = listing->last;
	export->is_done = !listing->has_more;
	return DB_OK;
}

static enum db_result next_csv(struct request *request, void *parts)
{
	struct csv_export *export = parts;
	struct page_key after = export->after;
	struct page page = { .limit = ROWS_PER_PART, .after = export->has_begun ? &after : NULL };
	struct arena *arena;
	struct listing listing;
	enum db_result result;

	if (export->is_done)
		return DB_OK;
	arena = arena_new();
	result = ledger_list(request->db, export->organization_id, &export->filter, &page, arena, &listing);
	if (result == DB_OK)
		result = put_page(export, &request->reply->body, &listing, arena);
	export->after.text = arena_strdup(request->arena, result == DB_OK && listing.count != 0 ? listing.last.text : "");
	export->has_begun = true;
	arena_free(arena);
	return result;
}

enum db_result ledger_csv(struct request *request)
{
	const struct selection *selection = selection_of(request);
	struct csv_export *export = arena_alloc(request->arena, sizeof *export);

	*export = (struct csv_export){
		.organization_id = request->key.organization_id,
		.filter = { selection->number, selection->from.us, selection->to.us },
	};
	DB_TRY(reply_in_parts(request, "text/csv; charset=utf-8; header=present", next_csv, export));
	reply_header(request, "Content-Disposition", "attachment; filename=\"ledger.csv\"");
	buf_puts(&request->reply->body, csv_header);
	return DB_OK;
}

static enum db_result next_proof(struct request *request, void *parts)
{
	return ledger_export_next(request->db, parts, &request->reply->body);
}

enum db_result ledger_proof(struct request *request)
{
	const struct selection *selection = selection_of(request);
	struct ledger_export *export = arena_alloc(request->arena, sizeof *export);
	enum db_result result;

	*export = (struct ledger_export){
		.organization_id = request->key.organization_id,
		.phone_number = selection->number,
		.from_us = selection->from.us,
		.to_us = selection->to.us,
	};
	result = ledger_export_begin(request->db, export);
	if (result != DB_OK && result != DB_NOT_FOUND) /* without a chain the file is empty */
		return result;
	DB_TRY(reply_in_parts(request, "application/x-ndjson", next_proof, export));
	reply_header(request, "Content-Disposition", "attachment; filename=\"ledger.jsonl\"");
	return DB_OK;
}
