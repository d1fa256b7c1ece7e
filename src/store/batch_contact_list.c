#include "store/batch_contact_list.h"

#include "base/instant.h"
#include "store/statements.h"

#define BIT(status) (1u << (status))
#define WAITING (BIT(CONTACT_PENDING) | BIT(CONTACT_SCHEDULED))
#define ALL_STATUSES (BIT(CONTACT_STATUS__MAX) - 1)

const char *const batch_contact_sort_names[BATCH_CONTACT_SORT__MAX + 1] = { "position", "scheduled_at", NULL };

/* The meaning of a filter in the tables. All waiting contacts are stored alike. */
struct wanted {
	unsigned stored; /* bit set of the stored statuses of the other contacts */
	bool planned, unplanned;
};

/* When the plan of a campaign is written, every waiting contact is planned. In a draft none is. */
static bool plan_is_written(const struct batch *batch)
{
	return batch->status != BATCH_DRAFT && batch->work == BATCH_WORK_DISPATCH &&
	       batch->plan_position == batch->counts.total;
}

static struct wanted wanted_of(const struct batch *batch, unsigned statuses)
{
	bool is_over = batch_is_over(batch->status);
	unsigned planned = is_over ? BIT(CONTACT_CANCELLED) : BIT(CONTACT_SCHEDULED);
	unsigned unplanned = is_over ? BIT(CONTACT_CANCELLED) : BIT(CONTACT_PENDING);
	struct wanted wanted = {
		.stored = statuses & ~WAITING,
		.planned = (statuses & planned) != 0,
		.unplanned = (statuses & unplanned) != 0,
	};

	if (!is_over && batch->status == BATCH_DRAFT)
		wanted.planned = wanted.unplanned;
	if (!is_over && plan_is_written(batch))
		wanted.unplanned = wanted.planned;
	return wanted;
}

/* The condition of CONTACTS_FOUND, and the position to begin after. */
struct range {
	struct db_value above, up_to, stored, alike, waiting, planned, search;
};

static struct range range_of(const struct wanted *wanted, const struct batch_contact_filter *filter, int64_t above)
{
	bool has_search = *filter->search != '\0';

	return (struct range){
		.above = db_int(above),
		.up_to = db_int(has_search ? above + BATCH_CONTACTS_SEARCHED_MAX : INT64_MAX),
		.stored = db_int(wanted->stored),
		.alike = db_int(wanted->planned == wanted->unplanned),
		.waiting = db_int(wanted->planned),
		.planned = db_int(wanted->planned),
		.search = db_text(filter->search),
	};
}

static enum db_result find(struct db *db, const struct batch *batch, const struct batch_contact_filter *filter,
                           const struct wanted *wanted, const struct page *page, struct arena *arena,
                           struct db_rows *rows)
{
	struct range r = range_of(wanted, filter, page_above(page).i);
	struct db_value id = db_int(batch->id), number = db_text(filter->phone_number);

	if (*filter->phone_number != '\0')
		return db_query(db, SQL_CONTACT_PAGE_OF_NUMBER,
		                DB_ARGS(id, number, r.above, r.up_to, r.stored, r.alike, r.waiting, r.planned, r.search,
		                        r.search, page_rows(page), page_offset(page)),
		                arena, rows);
	return db_query(db, SQL_CONTACT_PAGE_FOUND,
	                DB_ARGS(id, r.above, r.up_to, r.stored, r.alike, r.waiting, r.planned, r.search, r.search,
	                        page_rows(page), page_offset(page)),
	                arena, rows);
}

static enum db_result count_found(struct db *db, const struct batch *batch, const struct batch_contact_filter *filter,
                                  const struct wanted *wanted, struct arena *arena, struct listing *out)
{
	struct range r = range_of(wanted, filter, 0);
	struct db_value id = db_int(batch->id), number = db_text(filter->phone_number);

	if (*filter->phone_number != '\0')
		return page_count(db, SQL_CONTACT_COUNT_OF_NUMBER,
		                  DB_ARGS(id, number, r.above, r.up_to, r.stored, r.alike, r.waiting, r.planned, r.search,
		                          r.search),
		                  arena, out);
	return page_count(db, SQL_CONTACT_COUNT_FOUND,
	                  DB_ARGS(id, r.above, r.up_to, r.stored, r.alike, r.waiting, r.planned, r.search, r.search), arena,
	                  out);
}

static bool is_narrowed(const struct batch_contact_filter *filter)
{
	return *filter->phone_number != '\0' || *filter->search != '\0';
}

static enum db_result query_page(struct db *db, const struct batch *batch, const struct batch_contact_filter *filter,
                                 const struct wanted *wanted, const struct page *page, struct arena *arena,
                                 struct db_rows *rows)
{
	struct db_value id = db_int(batch->id), after = page_above(page);
	struct db_value limit = page_rows(page), offset = page_offset(page);
	bool waits = wanted->planned || wanted->unplanned;

	if (wanted->stored == 0 && !waits)
		return DB_OK;
	if (is_narrowed(filter))
		return find(db, batch, filter, wanted, page, arena, rows);
	if (filter->statuses == 0) /* positions are dense */
		return db_query(db, SQL_CONTACT_PAGE, DB_ARGS(id, db_int(after.i + offset.i), limit), arena, rows);
	if (wanted->stored == BIT(CONTACT_IN_PROGRESS) && !waits)
		return db_query(db, SQL_CONTACT_PAGE_IN_FLIGHT,
		                DB_ARGS(db_int(batch->organization_id), id, after, limit, offset), arena, rows);
	if (wanted->stored == 0 && wanted->planned && batch->status != BATCH_DRAFT &&
	    (!wanted->unplanned || plan_is_written(batch)))
		return db_query(db, SQL_CONTACT_PAGE_PLANNED, DB_ARGS(id, after, limit, offset), arena, rows);
	return find(db, batch, filter, wanted, page, arena, rows);
}

static enum db_result query_by_instant(struct db *db, const struct batch *batch, const struct page *page,
                                       struct arena *arena, struct db_rows *rows)
{
	int64_t after_us = page->after != NULL ? page->after->number : INSTANT_NONE;

	if (batch_is_over(batch->status))
		return DB_OK;
	return db_query(db, SQL_CONTACT_PAGE_BY_INSTANT,
	                DB_ARGS(db_int(batch->id), db_instant(after_us), page_rows(page), page_offset(page)), arena, rows);
}

static enum db_result count_planned(struct db *db, const struct batch *batch, struct arena *arena, struct listing *out)
{
	if (batch->status == BATCH_DRAFT || batch_is_over(batch->status))
		out->total = 0;
	else if (plan_is_written(batch))
		out->total = batch->counts.pending;
	return page_count(db, SQL_CONTACT_COUNT_PLANNED, DB_ARGS(db_int(batch->id)), arena, out);
}

static enum db_result count_waiting(struct db *db, const struct batch *batch, unsigned statuses, struct arena *arena,
                                    struct listing *out)
{
	int64_t waiting = batch->counts.pending;

	if ((statuses & WAITING) == 0) {
		out->total = 0;
		return DB_OK;
	}
	if ((statuses & WAITING) == WAITING) {
		out->total = waiting;
		return DB_OK;
	}
	DB_TRY(count_planned(db, batch, arena, out));
	if ((statuses & BIT(CONTACT_PENDING)) != 0)
		out->total = waiting > out->total ? waiting - out->total : 0;
	return DB_OK;
}

/* The campaign's counters are used. Only while its plan is being written are the planned contacts counted. */
static enum db_result count_by_status(struct db *db, const struct batch *batch, unsigned statuses, struct arena *arena,
                                      struct listing *out)
{
	const struct batch_counts *counts = &batch->counts;
	const int64_t totals[CONTACT_STATUS__MAX] = {
		[CONTACT_IN_PROGRESS] = counts->in_progress, [CONTACT_COMPLETED] = counts->completed,
		[CONTACT_FAILED] = counts->failed,           [CONTACT_VOICEMAIL] = counts->voicemail,
		[CONTACT_NO_ANSWER] = counts->no_answer,     [CONTACT_BUSY] = counts->busy,
		[CONTACT_CANCELLED] = counts->cancelled,     [CONTACT_SKIPPED] = counts->skipped,
	};

	DB_TRY(count_waiting(db, batch, statuses, arena, out));
	for (int status = 0; status < CONTACT_STATUS__MAX; status++)
		if ((statuses & BIT(status)) != 0)
			out->total += totals[status];
	return DB_OK;
}

/* The next page of a search begins after the contacts that this page has looked at. */
static void bound_search(const struct batch *batch, const struct page *page, struct listing *out)
{
	int64_t end = page_above(page).i + BATCH_CONTACTS_SEARCHED_MAX;

	if (batch->counts.total > BATCH_CONTACTS_SEARCHED_MAX)
		out->total_is_lower_bound = true;
	if (out->has_more || batch->counts.total <= end)
		return;
	out->has_more = true;
	out->last = (struct page_key){ .id = end, .text = "" };
}

static enum db_result count(struct db *db, const struct batch *batch, const struct batch_contact_filter *filter,
                            const struct wanted *wanted, const struct page *page, struct arena *arena,
                            struct listing *out)
{
	if (out->total >= 0 && page->after == NULL)
		return DB_OK;
	if (is_narrowed(filter))
		return count_found(db, batch, filter, wanted, arena, out);
	if (filter->sort == BATCH_CONTACT_SORT_SCHEDULED_AT)
		return count_planned(db, batch, arena, out);
	return count_by_status(db, batch, filter->statuses != 0 ? filter->statuses : ALL_STATUSES, arena, out);
}

enum db_result batch_contacts_list(struct db *db, const struct batch *batch, const struct batch_contact_filter *filter,
                                   const struct page *page, struct arena *arena, struct listing *out)
{
	struct wanted wanted = wanted_of(batch, filter->statuses != 0 ? filter->statuses : ALL_STATUSES);
	struct db_rows rows = { 0 };
	struct batch_contact *items;

	if (filter->sort == BATCH_CONTACT_SORT_SCHEDULED_AT)
		DB_TRY(query_by_instant(db, batch, page, arena, &rows));
	else
		DB_TRY(query_page(db, batch, filter, &wanted, page, arena, &rows));
	items = DB_STRUCTS(&rows, struct batch_contact);
	for (size_t r = 0; r < rows.count; r++)
		batch_contact_derive_status(batch, &items[r]);
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last = (struct page_key){
			.id = items[out->count - 1].position,
			.number = items[out->count - 1].scheduled_at_us,
			.text = "",
		};
	DB_TRY(count(db, batch, filter, &wanted, page, arena, out));
	if (*filter->search != '\0')
		bound_search(batch, page, out);
	return DB_OK;
}

enum db_result batch_contacts_custom_fields(struct db *db, const struct batch *batch, int64_t after, int64_t up_to,
                                            struct arena *arena, const char ***out, size_t *count)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CONTACTS_CUSTOM_FIELDS, DB_ARGS(db_int(batch->id), db_int(after), db_int(up_to)), arena,
	                &rows));
	*out = arena_alloc(arena, (rows.count + 1) * sizeof **out);
	*count = rows.count;
	for (size_t r = 0; r < rows.count; r++)
		(*out)[r] = db_get_text(&rows, r, 0);
	return DB_OK;
}
