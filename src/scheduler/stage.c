#include "scheduler/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/zone.h"
#include "store/agent_store.h"
#include "store/batch_contact_store.h"
#include "store/batch_store.h"
#include "store/do_not_call_store.h"
#include "store/key_store.h"
#include "store/migrate.h"
#include "store/number_store.h"
#include "store/webhook_store.h"

/* The stage of this process, which is removed at exit. */
static const char *scratch_option_file;
static char scratch_name[64];

static void run_on_server(const char *what, const char *rest)
{
	struct db *db = db_new(scratch_option_file);
	char sql[128];

	snprintf(sql, sizeof sql, "%s DATABASE %s%s", what, scratch_name, rest);
	if (db_ready(db) != DB_OK || db_run_text(db, sql) != DB_OK) {
		log_error("%s: %s", sql, db_last_error(db));
		_exit(EXIT_FAILURE);
	}
	db_free(db);
}

static void drop_scratch(void)
{
	db_divert(NULL);
	run_on_server("DROP", "");
}

static void create_scratch(const char *option_file)
{
	uint64_t random_bits;

	crypto_random(&random_bits, sizeof random_bits);
	snprintf(scratch_name, sizeof scratch_name, "outdial_simulation_%016" PRIx64, random_bits);
	scratch_option_file = option_file;
	run_on_server("CREATE", " CHARACTER SET utf8mb4");
	atexit(drop_scratch);
	db_divert(scratch_name);
}

void stage_require(const struct stage *stage, enum db_result result)
{
	if (result != DB_OK)
		fatal("the database failed: result %d, %s", (int)result, db_last_error(stage->db));
}

int64_t stage_instant(const struct stage *stage, const struct when *when)
{
	return when->is_wall ? zone_wall_to_utc(stage->timezone, when->us) : when->us;
}

static struct uuid add_dialer(struct stage *stage, const struct script *script)
{
	struct webhook webhook = {
		.uuid = uuid_new(),
		.url = "https://dialer.invalid/",
		.description = "",
		.secret = { "", 0 },
		.disabled_reason = "",
	};
	struct agent agent = agent_initial;

	agent.uuid = uuid_new();
	agent.name = "Simulation";
	agent.status = AGENT_ACTIVE;
	agent.max_call_duration_seconds = script->max_call_seconds + 3600;
	stage_require(stage, webhook_insert(stage->db, stage->organization_id, &webhook));
	stage_require(stage, agent_insert(stage->db, stage->organization_id, &agent, webhook.id));
	return agent.uuid;
}

static struct field_list add_numbers(struct stage *stage, int64_t count)
{
	struct uuid *ids = arena_alloc(stage->arena, (size_t)count * sizeof *ids);

	for (int64_t i = 0; i < count; i++) {
		char text[16];
		struct phone_number number = { .uuid = ids[i] = uuid_new(), .phone_number = text, .friendly_name = "" };

		snprintf(text, sizeof text, "+1800555%04d", (int)i);
		stage_require(stage, number_insert(stage->db, stage->organization_id, &number));
	}
	return (struct field_list){ ids, (size_t)count };
}

/* The actions of users, each in its own transaction. */
struct deed {
	enum db_result (*carry_out)(struct db *, struct campaign_request *);
	struct campaign_request *request;
};

static enum db_result carry_out(struct db *db, void *context)
{
	const struct deed *deed = context;

	return deed->carry_out(db, deed->request);
}

static enum db_result act(struct stage *stage, enum db_result (*action)(struct db *, struct campaign_request *),
                          struct campaign_request *request)
{
	struct deed deed = { action, request };

	request->organization_id = stage->organization_id;
	request->uuid = stage->batch_id;
	request->now_us = clock_now_us();
	request->arena = stage->arena;
	return db_transact(stage->db, DB_ONCE, carry_out, &deed);
}

static struct batch_config read_campaign(const struct script *script, uint64_t *given, struct arena *arena)
{
	struct batch_config config = *(const struct batch_config *)batch_fields.initial;
	struct faults faults = { .arena = arena };

	script_require("campaign",
	               field_read(&batch_fields, FIELD_CHANGE, script->campaign, strlen(script->campaign), &config, given,
	                          &faults),
	               &faults);
	if (config.name == NULL || *config.name == '\0')
		config.name = "Simulation";
	batch_config_settle(&config, &batch_fields, *given, &faults);
	script_require("campaign", FIELD_OK, &faults);
	return config;
}

static void add_people(struct stage *stage, const struct script_people *people, int64_t count)
{
	while (count > 0) {
		size_t part = count < BATCH_MAX_CONTACTS_INLINE ? (size_t)count : BATCH_MAX_CONTACTS_INLINE;
		struct contact_input *list = arena_alloc(stage->arena, part * sizeof *list);
		struct campaign_request request = { .table = &contacts_fields };

		for (size_t i = 0; i < part; i++)
			list[i] = (struct contact_input){
				.phone_number = arena_printf(stage->arena, "%s%07" PRId64, people->phone_prefix, stage->next_person++),
				.first_name = "",
				.last_name = "",
				.email = "",
				.timezone = people->timezone,
				.custom_fields = "",
			};
		request.config.contacts = (struct field_list){ list, part };
		stage_require(stage, act(stage, campaign_add_contacts, &request));
		count -= (int64_t)part;
	}
}

static void add_campaign(struct stage *stage, const struct script *script, struct batch_config config)
{
	const struct script_people *people = script->people.items;
	struct campaign_request create = { .table = &batch_fields }, schedule = { .table = &schedule_fields };

	config.agent_id = add_dialer(stage, script);
	config.phone_number_ids = add_numbers(stage, script->numbers);
	create.config = config;
	stage->batch_id = uuid_new();
	stage_require(stage, act(stage, campaign_create, &create));
	stage->batch_row = create.batch.id;
	for (size_t i = 0; i < script->people.count; i++)
		add_people(stage, &people[i], people[i].count);
	stage_require(stage, act(stage, campaign_schedule, &schedule));
}

struct stage stage_open(const char *option_file, const char *sql_folder, const struct script *script,
                        struct arena *arena)
{
	struct stage stage = { .arena = arena };
	struct key key = { .uuid = uuid_new(), .name = "", .organization_name = "Simulation" };
	uint8_t hash[SHA256_SIZE] = { 0 };
	uint64_t given;
	struct batch_config config = read_campaign(script, &given, arena);
	FILE *nowhere;

	stage.timezone = config.timezone;
	create_scratch(option_file);
	clock_stand(stage_instant(&stage, &script->starts_at));
	nowhere = fopen("/dev/null", "w");
	migrate(option_file, sql_folder, nowhere);
	fclose(nowhere);
	stage.db = db_new(option_file);
	key.created_at_us = clock_now_us();
	stage_require(&stage, key_create(stage.db, &key, hash));
	stage.organization_id = key.organization_id;
	add_campaign(&stage, script, config);
	return stage;
}

void stage_close(struct stage *stage)
{
	db_free(stage->db);
}

static const char *change(struct stage *stage, const char *changes, struct campaign_request *request)
{
	struct faults faults = { .arena = stage->arena };

	request->table = &batch_fields;
	script_require("changes",
	               field_read(&batch_fields, FIELD_CHANGE, changes, strlen(changes), &request->config, &request->given,
	                          &faults),
	               &faults);
	return act(stage, campaign_change, request) == DB_OK ? NULL : "refused";
}

static const char *suppress(struct stage *stage, int64_t position)
{
	struct batch batch = stage_batch(stage, stage->arena);
	struct batch_contact contact;
	int64_t added;

	if (batch_contact_get(stage->db, &batch, position, stage->arena, &contact) != DB_OK)
		return "there is no such contact";
	stage_require(stage, do_not_call_add(stage->db, stage->organization_id, &contact.who.phone_number, 1, "",
	                                     clock_now_us(), &added));
	return NULL;
}

const char *stage_act(struct stage *stage, const struct script *script, const struct script_action *action)
{
	static enum db_result (*const deeds[])(struct db *, struct campaign_request *) = {
		[SCRIPT_PAUSE] = campaign_pause, [SCRIPT_RESUME] = campaign_resume, [SCRIPT_CANCEL] = campaign_cancel
	};
	struct campaign_request request = { 0 };

	switch (action->deed) {
	case SCRIPT_CHANGE: return change(stage, action->changes, &request);
	case SCRIPT_ADD: add_people(stage, script->people.items, action->count); return NULL;
	case SCRIPT_SUPPRESS: return suppress(stage, action->count);
	default: return act(stage, deeds[action->deed], &request) == DB_OK ? NULL : "refused in this state";
	}
}

struct batch stage_batch(struct stage *stage, struct arena *arena)
{
	struct batch batch;

	stage_require(stage, batch_get_row(stage->db, stage->batch_row, arena, &batch));
	return batch;
}
