#include "api/results.h"

#include <string.h>

#include "api/auth.h"
#include "api/page.h"
#include "api/replica.h"
#include "api/reply.h"
#include "api/results_csv.h"
#include "base/clock.h"
#include "base/progress.h"
#include "domain/results_token.h"
#include "store/batch_contact_list.h"
#include "store/batch_store.h"

#define ROWS_PER_PART 1000

/* The position of an export. Contacts that are added meanwhile are not in it. */
struct export_job {
	int64_t organization_id;
	struct batch batch;
	struct batch_contact_filter filter;
	struct results_csv csv;
	bool has_header;
	int64_t position; /* rows up to here are written */
	bool is_done;
};

/* The number of contacts in some states is not known. Rows are deleted only after their campaign. So if the
 * campaign is still there after the last part, all rows were read. */
static enum db_result judge_end(struct request *request, const struct export_job *export, struct arena *arena)
{
	struct batch now;

	if (!export->is_done || export->filter.statuses == 0)
		return DB_OK;
	return batch_get(request->db, export->organization_id, &export->batch.uuid, arena, &now);
}

/* Positions are dense: when a part of all contacts is too short, the campaign was deleted meanwhile. */
static bool is_deleted(const struct export_job *export, const struct listing *listing)
{
	return export->filter.statuses == 0 && listing->count < ROWS_PER_PART &&
	       export->position + (int64_t)listing->count < export->batch.counts.total;
}

static enum db_result put_contacts(struct export_job *export, struct arena *arena, struct buf *out,
                                   const struct listing *listing)
{
	const struct batch_contact *contacts = listing->items;

	if (is_deleted(export, listing))
		return DB_NOT_FOUND;
	for (size_t i = 0; i < listing->count && contacts[i].position <= export->batch.counts.total; i++) {
		results_csv_row(&export->csv, arena, out, &contacts[i]);
		export->position = contacts[i].position;
	}
	export->is_done = !listing->has_more || export->position >= export->batch.counts.total;
	return DB_OK;
}

/* The names of custom fields become columns, so all contacts are looked through before the first row: a part at a time.
 */
static enum db_result find_names(struct request *request, struct export_job *export)
{
	struct arena *arena = arena_new();
	enum db_result result = DB_OK;

	for (int64_t at = 0; at < export->batch.counts.total && result == DB_OK; at += ROWS_PER_PART) {
		const char **objects;
		size_t count = 0;

		result = batch_contacts_custom_fields(request->db, &export->batch, at, at + ROWS_PER_PART, arena, &objects,
		                                      &count);
		for (size_t i = 0; i < count; i++)
			results_csv_learn(&export->csv, request->arena, arena, objects[i]);
		arena_reset(arena);
		progress_note();
	}
	arena_free(arena);
	return result;
}

static enum db_result begin(struct request *request, struct export_job *export)
{
	export->has_header = true;
	if (export->csv.excel)
		DB_TRY(find_names(request, export));
	results_csv_header(&export->csv, &request->reply->body);
	return DB_OK;
}

static enum db_result next_part(struct request *request, void *parts)
{
	struct export_job *export = parts;
	struct page_key after = { .id = export->position, .text = "" };
	struct page page = { .limit = ROWS_PER_PART, .after = &after };
	struct arena *arena;
	struct listing listing;
	enum db_result result;

	if (!export->has_header)
		return begin(request, export);
	if (export->is_done || export->batch.counts.total == 0)
		return DB_OK;
	arena = arena_new();
	result = batch_contacts_list(request->db, &export->batch, &export->filter, &page, arena, &listing);
	if (result == DB_OK)
		result = put_contacts(export, arena, &request->reply->body, &listing);
	if (result == DB_OK)
		result = judge_end(request, export, arena);
	arena_free(arena);
	return result;
}

struct selection {
	unsigned status; /* bit set of enum contact_status; 0: all */
	bool excel;      /* as spreadsheets take it */
};

static const struct selection selection_initial = { 0 };

#define SELECTION_FIELDS \
	FIELD(struct selection, status, CHOICES, .min = 1, .max = CONTACT_STATUS__MAX, .choices = contact_status_names), \
		FIELD(struct selection, excel, BOOL)
FIELD_TABLE(results_query, struct selection, &selection_initial, SELECTION_FIELDS);
FIELD_TABLE(results_link_fields, struct selection, &selection_initial, SELECTION_FIELDS);

struct link_query {
	const char *token;
	bool excel;
};

static const struct link_query link_initial = { .token = "" };

FIELD_TABLE(results_link_query, struct link_query, &link_initial,
            FIELD(struct link_query, token, STRING, .min = 1, .max = 200), FIELD(struct link_query, excel, BOOL));

static enum db_result send_results(struct request *request, int64_t organization_id, const struct uuid *batch_id,
                                   const struct selection *selection)
{
	struct export_job *export = arena_alloc(request->arena, sizeof *export);
	char id[UUID_TEXT];

	replica_choose(request, organization_id);
	*export = (struct export_job){
		.organization_id = organization_id,
		.csv.excel = selection->excel,
		.filter = { .statuses = selection->status, .phone_number = "", .search = "" },
	};
	DB_TRY(batch_get(request->db, organization_id, batch_id, request->arena, &export->batch));
	DB_TRY(reply_in_parts(request, "text/csv; charset=utf-8; header=present", next_part, export));
	uuid_format(&export->batch.uuid, id);
	reply_header(request, "Content-Disposition",
	             arena_printf(request->arena, "attachment; filename=\"results-%s.csv\"", id));
	return DB_OK;
}

enum db_result batch_results(struct request *request)
{
	const struct selection *selection = request->query;

	return send_results(request, request->key.organization_id, &request->ids[0],
	                    selection != NULL ? selection : &selection_initial);
}

enum db_result batch_results_link(struct request *request)
{
	const struct selection *selection = request->input;
	struct results_grant grant = {
		.organization_id = request->key.organization_id,
		.expires_at_us = clock_now_us() + RESULTS_TOKEN_LIFE_US,
		.statuses = selection->status,
	};
	char token[RESULTS_TOKEN_TEXT];
	struct batch batch;
	struct json *json;

	DB_TRY(batch_get(request->db, grant.organization_id, &request->ids[0], request->arena, &batch));
	grant.batch_id = batch.uuid;
	results_token_text(&grant, token);
	json = reply_begin_object(request, 200);
	reply_secret(request, "url",
	             arena_printf(request->arena, "%s/api/public/v1/results.csv?token=%s%s", request->conf->public_url,
	                          token, selection->excel ? "&excel=true" : ""));
	json_instant(json, "expires_at", grant.expires_at_us);
	return reply_end_object(request);
}

/* Does not take it from the token, because an organisation has another number after a move. */
static enum db_result find_organization(struct request *request, const struct uuid *batch_id)
{
	enum db_result result = batch_organization(request->db, batch_id, &request->key.organization_id);

	if (result == DB_NOT_FOUND)
		return auth_refuse_unknown(request, result);
	DB_TRY(result);
	return auth_require_here(request);
}

enum db_result results_by_link(struct request *request)
{
	const struct link_query *query = request->query;
	struct results_grant grant;

	if (query == NULL || *query->token == '\0')
		return page_refuse(request, "token", "is required");
	if (!results_token_read(query->token, &grant))
		return reply_refuse(request, ERROR_UNAUTHORIZED, "This is not a link to results.");
	if (grant.expires_at_us <= clock_now_us())
		return reply_refuse(request, ERROR_UNAUTHORIZED, "This link has expired: it was valid for a minute.");
	DB_TRY(find_organization(request, &grant.batch_id));
	return send_results(request, request->key.organization_id, &grant.batch_id,
	                    &(struct selection){ grant.statuses, query->excel });
}
