/* Lists of campaigns: filters, orders, and how many there are in each state. Every order goes by an index that begins
 * with the state, so a list of few states never reads the others. */
#ifndef STORE_CAMPAIGN_LIST_H
#define STORE_CAMPAIGN_LIST_H

#include "domain/batch.h"
#include "store/db.h"
#include "store/page.h"

enum campaign_sort {
	CAMPAIGN_SORT_CREATED_AT,
	CAMPAIGN_SORT_NAME,
	CAMPAIGN_SORT_UPDATED_AT,
	CAMPAIGN_SORT_PLANNED_FROM,
	CAMPAIGN_SORT_PROGRESS, /* in thousandths, as of the scheduler's last look */
	CAMPAIGN_SORT__MAX
};
extern const char *const campaign_sort_names[CAMPAIGN_SORT__MAX + 1]; /* NULL-terminated */

struct campaign_filter {
	unsigned statuses;     /* bit set of enum batch_status; 0: any */
	struct uuid agent_id;  /* nil: any */
	const char *search;    /* a part of the name; "": any */
	struct field_list ids; /* of struct uuid: these, in their order, and no other filter; empty: any */
	int sort;              /* enum campaign_sort */
	bool descending;
};

#define CAMPAIGNS_COUNTED_MAX 10000 /* as in SQL_CAMPAIGN_COUNTS */

/* How many campaigns an organisation has in each state; at most CAMPAIGNS_COUNTED_MAX of each are counted. */
struct campaign_totals {
	int64_t of[BATCH_STATUS__MAX];
	bool are_exact;
};
enum db_result campaign_count(struct db *db, int64_t organization_id, struct campaign_totals *out);

/* Lists struct batch. The totals are those of campaign_count, whatever the filter; they are what a list without search and
 * agent has. DB_NOT_FOUND: the agent does not exist. */
enum db_result campaign_list(struct db *db, int64_t organization_id, const struct campaign_filter *filter,
                             const struct page *page, struct arena *arena, struct campaign_totals *totals,
                             struct listing *out);

#endif
