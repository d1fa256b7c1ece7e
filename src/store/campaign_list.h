/* Lists of campaigns: filters, orders, and how many campaigns are in each state. Every order uses an index that begins
 * with the state, so a list of few states does not read the others. */
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
	CAMPAIGN_SORT_PROGRESS, /* in thousandths, when the scheduler looked last */
	CAMPAIGN_SORT__MAX
};
extern const char *const campaign_sort_names[CAMPAIGN_SORT__MAX + 1]; /* NULL-terminated */

struct campaign_filter {
	unsigned statuses;     /* bit set of enum batch_status; 0: any */
	struct uuid agent_id;  /* nil: any */
	const char *search;    /* a part of the name; "": any */
	struct field_list ids; /* of struct uuid: these campaigns in this order, without another filter; empty: any */
	int sort;              /* enum campaign_sort */
	bool descending;
};

#define CAMPAIGNS_COUNTED_MAX (CAMPAIGNS_COUNTED_ROWS - 1)

/* How many campaigns an organisation has in each state. Counting ends at CAMPAIGNS_COUNTED_MAX for each. */
struct campaign_totals {
	int64_t of[BATCH_STATUS__MAX];
	bool are_exact;
};
enum db_result campaign_count(struct db *db, int64_t organization_id, struct campaign_totals *out);

/* Lists struct batch. The totals do not depend on the filter. DB_NOT_FOUND: the agent does not exist. */
enum db_result campaign_list(struct db *db, int64_t organization_id, const struct campaign_filter *filter,
                             const struct page *page, struct arena *arena, struct campaign_totals *totals,
                             struct listing *out);

#endif
