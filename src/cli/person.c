#include <stdio.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/field.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/vault.h"
#include "cli/cli.h"
#include "domain/person.h"
#include "engine/person_erasure.h"
#include "engine/person_export.h"
#include "store/organization_store.h"

struct wanted {
	const char *phone_number, *organization;
	int waiting; /* organisations in which something is under way */
};

static struct db *begin(const struct conf *conf, int argc, char **argv, struct wanted *wanted)
{
	const struct argument options[] = { { "organization", &wanted->organization } };
	struct db *db;

	wanted->organization = "";
	wanted->phone_number = *arguments_read(argc, argv, options, 1, 1);
	if (!phone_is_e164(wanted->phone_number))
		fatal("`%s` is not a number such as +493012345678", wanted->phone_number);
	db = db_new(conf->database_file);
	cli_connect(db);
	return db;
}

static void check_person(enum db_result result, struct db *db, const struct wanted *wanted)
{
	if (result == DB_NOT_FOUND)
		fatal("there is no organisation `%s`", wanted->organization);
	cli_check(result, db);
}

static enum db_result export_one(struct db *db, int64_t organization_id, const char *name, void *context)
{
	const struct wanted *wanted = context;
	struct arena *arena = arena_new();
	struct buf text = { 0 };
	struct json json = json_to(&text);
	enum db_result result;

	json_begin_object(&json, NULL);
	json_add_string(&json, "organization", name);
	result = person_export(db, organization_id, wanted->phone_number, arena, &json, "person");
	if (result == DB_OK) {
		json_end(&json);
		result = cli_audit_person(db, organization_id, wanted->phone_number, AUDIT_EXPORTED);
	}
	if (result == DB_OK)
		puts(text.data);
	buf_free(&text);
	arena_free(arena);
	return result;
}

void cli_person_export(const struct conf *conf, int argc, char **argv)
{
	struct wanted wanted = { .waiting = 0 };
	struct db *db = begin(conf, argc, argv, &wanted);

	vault_load(conf->secret_key_file);
	check_person(person_in_organizations(db, wanted.organization, export_one, &wanted), db, &wanted);
	db_free(db);
}

struct erasure_order {
	const struct wanted *wanted;
	int64_t organization_id;
};

static enum db_result order_erasure_in(struct db *db, void *context)
{
	const struct erasure_order *order = context;
	const char *phone_number = order->wanted->phone_number;

	DB_TRY(organization_enter(db, order->organization_id));
	DB_TRY(person_erasure_request(db, order->organization_id, phone_number, clock_now_us()));
	return cli_audit_person(db, order->organization_id, phone_number, AUDIT_ERASED);
}

static enum db_result order_erasure(struct db *db, int64_t organization_id, const char *name, void *context)
{
	struct erasure_order order = { context, organization_id };
	enum db_result result = db_transact(db, DB_REPEATABLE, order_erasure_in, &order);

	if (result != DB_REFUSED)
		return result;
	log_warning("the organisation `%s` is in another cell, or on its way: nothing is erased in it here", name);
	return DB_OK;
}

static enum db_result find_waiting(struct db *db, int64_t organization_id, const char *name, void *context)
{
	struct wanted *wanted = context;
	int64_t since_us;

	(void)name;
	DB_TRY(person_erasure_find(db, organization_id, wanted->phone_number, &since_us));
	wanted->waiting += since_us != INSTANT_NONE;
	return DB_OK;
}

/* Erases what can be erased now. Schedulers may do the same at this time, and erase calls that are under way later. */
static enum db_result erase_now(struct db *db)
{
	bool more = true;

	while (more) {
		enum db_result result = person_erasure_step(db, clock_now_us(), &more);

		if (result == DB_CONFLICT) /* a scheduler has locked it: try again */
			more = true;
		else
			DB_TRY(result);
	}
	return DB_OK;
}

void cli_person_erase(const struct conf *conf, int argc, char **argv)
{
	struct wanted wanted = { .waiting = 0 };
	struct db *db = begin(conf, argc, argv, &wanted);

	vault_load(conf->secret_key_file);
	check_person(person_in_organizations(db, wanted.organization, order_erasure, &wanted), db, &wanted);
	check_person(erase_now(db), db, &wanted);
	check_person(person_in_organizations(db, wanted.organization, find_waiting, &wanted), db, &wanted);
	if (wanted.waiting == 0)
		puts("erased");
	else
		puts("erased, except calls that are under way: schedulers erase them when they have ended");
	db_free(db);
}
