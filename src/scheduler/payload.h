/* What a dialer is told of a call. */
#ifndef SCHEDULER_PAYLOAD_H
#define SCHEDULER_PAYLOAD_H

#include "base/buf.h"
#include "domain/agent.h"
#include "domain/batch.h"
#include "domain/contact.h"
#include "domain/health.h"
#include "store/db.h"

/* A row of SQL_DISPATCH_LOAD; the texts are the row's. */
struct requested_call {
	struct uuid id, batch_id;
	int64_t attempt, tries, position, called_at_us, expires_at_us;
	const char *to_number, *from_number;
	int batch_status; /* enum batch_status; -1: a single call */
	bool do_not_call;
	struct agent agent;
	struct contact_input contact; /* of a campaign's call */
	const char *variables, *call_settings; /* of a single call */
	int64_t endpoint;
	struct uuid endpoint_id;
	bool disabled;        /* the endpoint */
	struct health health; /* its */
	int64_t batch_row;    /* 0: a single call */
	bool pressed;         /* its dialer asked the campaign to slow down */
	const char *url;
	struct db_value secret;
};

struct requested_call requested_call_from_row(const struct db_rows *rows, size_t r);

void payload_call_requested(struct buf *out, const struct requested_call *call, const char *public_url);

/* The frame of every webhook: {"id","type","timestamp","data"}; `data` is JSON. */
void payload_frame(struct buf *out, const struct uuid *id, const char *type, int64_t timestamp_us,
                   const char *data);

#endif
