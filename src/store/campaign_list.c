#include "store/campaign_list.h"

#include "store/agent_store.h"
#include "store/batch_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define ALL_STATUSES ((1u << BATCH_STATUS__MAX) - 1)

const char *const campaign_sort_names[CAMPAIGN_SORT__MAX + 1] = {
	"created_at", "name", "updated_at", "planned_from", "progress", NULL,
};

static const enum sql_statement lists[CAMPAIGN_SORT__MAX][2] = {
	[CAMPAIGN_SORT_CREATED_AT] = { SQL_CAMPAIGN_LIST_UP, SQL_CAMPAIGN_LIST_DOWN },
	[CAMPAIGN_SORT_NAME] = { SQL_CAMPAIGN_LIST_BY_NAME_UP, SQL_CAMPAIGN_LIST_BY_NAME_DOWN },
	[CAMPAIGN_SORT_UPDATED_AT] = { SQL_CAMPAIGN_LIST_BY_UPDATED_AT_UP, SQL_CAMPAIGN_LIST_BY_UPDATED_AT_DOWN },
	[CAMPAIGN_SORT_PLANNED_FROM] = { SQL_CAMPAIGN_LIST_BY_PLANNED_FROM_UP, SQL_CAMPAIGN_LIST_BY_PLANNED_FROM_DOWN },
	[CAMPAIGN_SORT_PROGRESS] = { SQL_CAMPAIGN_LIST_BY_PROGRESS_UP, SQL_CAMPAIGN_LIST_BY_PROGRESS_DOWN },
};

/* The parameters that describe a page. */
struct question {
	struct db_value organization, agent, search, first, key, id, limit, offset;
	unsigned statuses;
};

static struct db_value key_of(const struct page_key *key, int sort)
{
	switch (sort) {
	case CAMPAIGN_SORT_CREATED_AT: return db_int(key->id);
	case CAMPAIGN_SORT_NAME: return db_text(key->text);
	case CAMPAIGN_SORT_PROGRESS: return db_int(key->number);
	default: return db_instant(key->number);
	}
}

static struct question ask(int64_t organization_id, const struct campaign_filter *filter, int64_t agent_row,
                           const struct page *page)
{
	const struct page_key *after = page->after != NULL ? page->after : &(struct page_key){ .text = "" };

	return (struct question){
		.organization = db_int(organization_id),
		.agent = db_int(agent_row),
		.search = db_text(filter->search),
		.first = db_int(page->after == NULL),
		.key = key_of(after, filter->sort),
		.id = db_int(after->id),
		.limit = page_rows(page),
		.offset = page_offset(page),
		.statuses = filter->statuses != 0 ? filter->statuses : ALL_STATUSES,
	};
}

/* Each state is a part of the statement, with the same parameters. */
static enum db_result query_by_status(struct db *db, const struct campaign_filter *filter, const struct question *q,
                                      struct arena *arena, struct db_rows *rows)
{
	enum { PART = 11 };
	struct db_value args[BATCH_STATUS__MAX * PART + 2];
	struct db_value up_to = db_int(q->limit.i + q->offset.i);
	size_t count = 0;

	for (int status = 0; status < BATCH_STATUS__MAX; status++) {
		const struct db_value part[PART] = {
			q->organization, db_int((q->statuses >> status & 1) != 0),
			q->first,        q->key,
			q->key,          q->id,
			q->agent,        q->agent,
			q->search,       q->search,
			up_to,
		};

		for (size_t i = 0; i < PART; i++)
			args[count++] = part[i];
	}
	args[count++] = q->limit;
	args[count++] = q->offset;
	return db_query(db, lists[filter->sort][filter->descending], args, count, arena, rows);
}

/* Fills in the wanted statuses for IN (?, …); -1 is no status. */
static void fill_statuses(struct db_value *args, unsigned statuses)
{
	for (int status = 0; status < BATCH_STATUS__MAX; status++)
		args[status] = db_int((statuses >> status & 1) != 0 ? status : -1);
}

static enum db_result query_of_agent(struct db *db, const struct question *q, struct arena *arena, struct db_rows *rows)
{
	struct db_value s[BATCH_STATUS__MAX];

	fill_statuses(s, q->statuses);
	return db_query(db, SQL_CAMPAIGN_LIST_OF_AGENT,
	                DB_ARGS(q->organization, q->agent, q->first, q->id, s[0], s[1], s[2], s[3], s[4], s[5], s[6],
	                        q->search, q->search, q->limit, q->offset),
	                arena, rows);
}

static enum db_result query_ids(struct db *db, int64_t organization_id, const struct field_list *ids,
                                struct arena *arena, struct db_rows *rows)
{
	struct rows wanted = rows_of_uuids(ids->items, ids->count, arena);

	return db_query(db, SQL_CAMPAIGN_LIST_OF_IDS, DB_ARGS(rows_value(&wanted), db_int(organization_id)), arena, rows);
}

static enum db_result query(struct db *db, const struct campaign_filter *filter, const struct question *q,
                            struct arena *arena, struct db_rows *rows)
{
	if (filter->ids.count != 0)
		return query_ids(db, q->organization.i, &filter->ids, arena, rows);
	if (q->agent.i != 0 && filter->sort == CAMPAIGN_SORT_CREATED_AT && filter->descending)
		return query_of_agent(db, q, arena, rows);
	return query_by_status(db, filter, q, arena, rows);
}

static struct page_key key_after(const struct batch *last, int sort)
{
	struct page_key key = { .id = last->id, .text = sort == CAMPAIGN_SORT_NAME ? last->config.name : "" };

	if (sort == CAMPAIGN_SORT_UPDATED_AT)
		key.number = last->updated_at_us;
	else if (sort == CAMPAIGN_SORT_PLANNED_FROM)
		key.number = last->planned_from_us;
	else if (sort == CAMPAIGN_SORT_PROGRESS)
		key.number = last->progress;
	return key;
}

enum db_result campaign_count(struct db *db, int64_t organization_id, struct campaign_totals *out)
{
	struct db_value o = db_int(organization_id);
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CAMPAIGN_COUNTS, DB_ARGS(o, o, o, o, o, o, o), arena, &rows);

	*out = (struct campaign_totals){ .are_exact = true };
	for (size_t status = 0; result == DB_OK && status < BATCH_STATUS__MAX; status++) {
		out->of[status] = db_get_int(&rows, 0, status);
		if (out->of[status] > CAMPAIGNS_COUNTED_MAX) {
			out->of[status] = CAMPAIGNS_COUNTED_MAX;
			out->are_exact = false;
		}
	}
	arena_free(arena);
	return result;
}

static enum db_result count(struct db *db, const struct question *q, const struct campaign_totals *totals,
                            struct arena *arena, struct listing *out)
{
	enum sql_statement statement = q->agent.i != 0 ? SQL_CAMPAIGN_COUNT_OF_AGENT : SQL_CAMPAIGN_COUNT;
	struct db_value s[BATCH_STATUS__MAX];

	if (out->total < 0 && q->agent.i == 0 && q->search.len == 0) {
		out->total = 0;
		for (int status = 0; status < BATCH_STATUS__MAX; status++)
			if ((q->statuses >> status & 1) != 0) {
				out->total += totals->of[status];
				out->total_is_lower_bound |= totals->of[status] == CAMPAIGNS_COUNTED_MAX && !totals->are_exact;
			}
	}
	fill_statuses(s, q->statuses);
	return page_count(db, statement,
	                  DB_ARGS(q->organization, s[0], s[1], s[2], s[3], s[4], s[5], s[6], q->agent, q->agent, q->search,
	                          q->search),
	                  arena, out);
}

enum db_result campaign_list(struct db *db, int64_t organization_id, const struct campaign_filter *filter,
                             const struct page *page, struct arena *arena, struct campaign_totals *totals,
                             struct listing *out)
{
	struct batch *campaigns;
	int64_t agent_row;
	size_t found;
	struct db_rows rows;
	struct question q;

	DB_TRY(campaign_count(db, organization_id, totals));
	DB_TRY(agent_find_row(db, organization_id, &filter->agent_id, arena, &agent_row));
	q = ask(organization_id, filter, agent_row, page);
	DB_TRY(query(db, filter, &q, arena, &rows));
	DB_TRY(batch_load(db, &rows, arena, &campaigns, &found));
	page_fill(out, page, campaigns, found, sizeof *campaigns);
	out->has_more = (int64_t)rows.count > page->limit;
	if (out->count != 0)
		out->last = key_after(&campaigns[out->count - 1], filter->sort);
	return count(db, &q, totals, arena, out);
}
