/* An address that webhooks go to, and how they are signed (Standard Webhooks). */
#ifndef DOMAIN_WEBHOOK_H
#define DOMAIN_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

#define WEBHOOK_SECRET_SIZE 24

struct webhook {
	int64_t id;
	struct uuid uuid;
	const char *url, *description;
	unsigned events; /* bit set of enum event */
	struct { const void *data; size_t len; } secret;
	bool disabled;
	const char *disabled_reason;
	int64_t created_at_us, updated_at_us;
};

/* NULL when webhooks may be sent there, else why not. Names are judged again after resolution. */
const char *webhook_url_fault(const char *url, bool allow_http);

void webhook_secret_text(struct buf *out, const void *secret, size_t len); /* whsec_… */

/* The value of the webhook-signature header: v1,BASE64(HMAC-SHA256(secret, "id.timestamp.body")) */
void webhook_sign(struct buf *out, const void *secret, size_t secret_len, const char *id,
                  int64_t timestamp_s, const char *body, size_t body_len);

#endif
