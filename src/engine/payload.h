/* What a dialer receives about a call. */
#ifndef ENGINE_PAYLOAD_H
#define ENGINE_PAYLOAD_H

#include "base/buf.h"
#include "base/json.h"
#include "store/dispatch_store.h"

/* Writes an object: what a dialer receives about a call. */
void payload_write_call(struct json *json, const char *key, const struct requested_call *call, const char *public_url);

void payload_call_requested(struct buf *out, const struct requested_call *call, const char *public_url);

/* Writes the frame of every webhook: {"id","type","timestamp","data"}; `data` is JSON. */
void payload_frame(struct buf *out, const struct uuid *id, const char *type, int64_t timestamp_us, const char *data);

#endif
