/* The audit log: who changed what, and when. A row is written in the transaction of the change. It has the actor of
 * this process: a request's key and address, or the operator at the command line. */
#ifndef STORE_AUDIT_STORE_H
#define STORE_AUDIT_STORE_H

#include <stdint.h>

#include "base/uuid.h"
#include "store/db.h"
#include "store/page.h"

/* The numbers of both enums are stored, so new members are added at the end. */
enum audit_object {
	AUDIT_CAMPAIGN,
	AUDIT_AGENT,
	AUDIT_NUMBER,
	AUDIT_WEBHOOK,
	AUDIT_DELIVERY,
	AUDIT_FOLDER,
	AUDIT_CONTACT,
	AUDIT_DO_NOT_CALL,
	AUDIT_CALL,
	AUDIT_KEY,
	AUDIT_ORGANIZATION,
	AUDIT_PERSON,
	AUDIT_INSTALLATION, /* of no organisation */
	AUDIT_OBJECT__MAX
};

enum audit_action {
	AUDIT_CREATED,
	AUDIT_CHANGED,
	AUDIT_MOVED, /* to another state */
	AUDIT_DELETED,
	AUDIT_IMPORTED,
	AUDIT_ADDED,
	AUDIT_REMOVED,
	AUDIT_ASSIGNED,
	AUDIT_UNASSIGNED,
	AUDIT_SECRET_RENEWED,
	AUDIT_TESTED,
	AUDIT_SENT_AGAIN,
	AUDIT_SYNCED,
	AUDIT_REVOKED,
	AUDIT_CANCELLED,
	AUDIT_LINKED, /* a link was created that opens it without a key */
	AUDIT_EXPORTED,
	AUDIT_ERASED,
	AUDIT_MIGRATED,
	AUDIT_REKEYED,
	AUDIT_RECOVERED,
	AUDIT_PAUSED,
	AUDIT_RESUMED,
	AUDIT_ACTION__MAX
};

extern const char *const audit_object_names[AUDIT_OBJECT__MAX + 1]; /* NULL-terminated */
extern const char *const audit_action_names[AUDIT_ACTION__MAX + 1];

struct audit_entry {
	int64_t id, organization_id; /* 0: of the installation */
	int object, action;
	struct uuid object_id;
	int from_status, to_status; /* of a campaign; -1: none */
	int64_t happened_at_us;
	const char *reason, *changes; /* changes: a JSON object or "" */
	bool is_by_itself;            /* not stored: Outdial itself makes the change, whatever the actor */
	/* The actor; audit_write sets these members. */
	int64_t key_row; /* 0: no key */
	const char *address, *operator_name;
	/* Read beside them. */
	struct uuid key_id;
	const char *key_name, *organization_name;
};

/* Sets the actor of this process. At first there is none, which means Outdial itself. The texts are not copied. */
struct audit_actor {
	int64_t key_row;
	const char *address, *operator_name; /* "": none */
};
void audit_act_as(const struct audit_actor *actor); /* NULL: there is no actor */

enum db_result audit_write(struct db *db, const struct audit_entry *entry);

/* Sets the changes of an entry that was written before. DB_NOT_FOUND: there is no such entry, as after a transaction
 * that was given up. */
enum db_result audit_set_changes(struct db *db, int64_t id, const struct uuid *object_id, const char *changes);

/* The changes of the states and settings of a campaign, newest first; of struct audit_entry. */
enum db_result audit_list_of(struct db *db, int64_t organization_id, enum audit_object object, const struct uuid *id,
                             const struct page *page, struct arena *arena, struct listing *out);

struct audit_filter {
	int object, action;            /* -1: any */
	struct uuid object_id, key_id; /* nil: any */
	int64_t since_us, until_us;    /* from, to before */
};

/* Newest first; of struct audit_entry. organization_id 0: of all organisations and of the installation. */
enum db_result audit_list(struct db *db, int64_t organization_id, const struct audit_filter *filter,
                          const struct page *page, struct arena *arena, struct listing *out);

#endif
