/* The attempts to call a number, by which contact limits are judged. Each number costs the same, however many calls it
 * had: of more than CONTACT_LIMIT_ATTEMPTS_MAX attempts the latest are read. */
#ifndef ENGINE_CONTACT_ATTEMPTS_H
#define ENGINE_CONTACT_ATTEMPTS_H

#include "domain/contact_limit.h"
#include "store/db.h"

/* A number that is to be called. If a call to it is only requested again, this call does not count. */
struct limited_number {
	const char *phone_number;
	struct uuid except; /* the call that is requested again; nil: none */
};

/* Finds the instant from which each of the numbers may be called under the limits. */
enum db_result contact_attempts_free_at(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                        const struct limited_number *asked, size_t count, int64_t now_us,
                                        struct arena *arena, int64_t *free_at_us);

/* The same for one number, with the limit that holds it. */
enum db_result contact_attempts_hold(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                     const struct limited_number *asked, int64_t now_us, struct arena *arena,
                                     int64_t *free_at_us, struct contact_limit_hold *hold);

#endif
