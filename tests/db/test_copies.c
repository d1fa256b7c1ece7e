/* Contacts of a folder, or of another campaign, are copied to a campaign in chunks, while the source changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "scene.h"
#include "store/batch_store.h"
#include "store/folder_store.h"

#define AT_ONCE 10000 /* contacts that are copied when the campaign is created */
#define REST 1500

static int64_t add_folder(struct scene *scene, const char *name, struct uuid *id)
{
	struct contact_folder folder = { .uuid = uuid_new(), .name = name, .description = "" };

	assert_ok(folder_insert(scene->fixture->db, scene->fixture->organization_id, &folder));
	*id = folder.uuid;
	return folder.id;
}

/* Adds `count` contacts with consecutive numbers. */
static void fill_folder(struct scene *scene, int64_t folder, int first, int count)
{
	for (int made = 0; made < count; made += 500)
		ask("INSERT INTO contacts (uuid, organization_id, folder_id, phone_number, first_name, last_name, email,"
		    " timezone, custom_fields, last_call_outcome, last_called_at, created_at, updated_at)"
		    " SELECT UNHEX(REPLACE(UUID(), '-', '')), %lld, %lld, CONCAT('+4940', %d + n), '', '', '', '', '', -1,"
		    " '1000-01-01', '2026-06-01', '2026-06-01' FROM (SELECT a.d + 10 * b.d + 100 * c.d AS n FROM"
		    " (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6"
		    " UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a,"
		    " (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6"
		    " UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b, (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3"
		    " UNION SELECT 4) c) s WHERE n < %d ORDER BY n",
		    (long long)scene->fixture->organization_id, (long long)folder, 1000000 + first + made, count - made);
}

static enum db_result copy_step(struct db *db, void *context)
{
	struct scene *scene = context;
	struct batch batch;

	DB_TRY(batch_lock(db, scene->fixture->organization_id, &scene->batch_id, scene->fixture->arena, &batch));
	return batch.work == BATCH_WORK_COPY ? campaign_copy(db, &batch, clock_now_us()) : DB_OK;
}

static void copy_in_child(struct scene *scene)
{
	struct db *db = db_new(fixture_option_file());
	enum db_result result = db_transact(db, DB_ONCE, copy_step, scene);

	db_free(db);
	_exit(result == DB_OK ? 0 : 1);
}

/* Changes the folder after the contacts of a chunk were counted, and before they are copied. The lock of the table
 * delays the copying. */
static void change_folder_within_a_step(struct scene *scene, void (*change)(int64_t folder), int64_t folder)
{
	MYSQL *lock = send_query("LOCK TABLES batch_contacts WRITE");
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		copy_in_child(scene);
	wait_for_session("metadata lock");
	change(folder);
	mysql_close(lock);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Copies and plans the rest. Checks that each contact has a position, and that each waiting contact is planned. */
static void finish(struct scene *scene, int64_t expected)
{
	struct batch batch = scene_batch(scene);
	long long id = scene->batch;

	for (int step = 0; step < 10 && batch.work == BATCH_WORK_COPY; step++, batch = scene_batch(scene))
		assert_ok(db_transact(scene->fixture->db, DB_ONCE, copy_step, scene));
	scene_plan(scene);
	batch = scene_batch(scene);
	assert_int_equal(batch.counts.total, expected);
	assert_int_equal(ask("SELECT MAX(position) FROM batch_contacts WHERE batch_id = %lld", id), expected);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld", id), batch.counts.pending);
	scene_check_sums(scene);
}

static void start_of_folder(struct scene *scene, const struct uuid *folder)
{
	scene->config.contact_source = CONTACT_SOURCE_FOLDER;
	scene->config.contact_folder_id = *folder;
	scene_start(scene, 0);
	assert_int_equal(scene_batch(scene).work, BATCH_WORK_COPY);
}

static void some_leave(int64_t folder)
{
	ask("DELETE FROM contacts WHERE folder_id = %lld AND phone_number BETWEEN '+49401010100' AND '+49401010106'",
	    (long long)folder);
}

static void some_join(int64_t folder)
{
	ask("UPDATE contacts SET folder_id = %lld WHERE phone_number BETWEEN '+49401020000' AND '+49401020004'",
	    (long long)folder);
}

static void contacts_that_leave_meanwhile_are_not_counted(void **state)
{
	struct scene *scene = *state;
	struct uuid folder_id;
	int64_t folder = add_folder(scene, "leave", &folder_id);

	fill_folder(scene, folder, 0, AT_ONCE + REST);
	start_of_folder(scene, &folder_id);
	change_folder_within_a_step(scene, some_leave, folder);
	finish(scene, AT_ONCE + REST - 7);
}

static void contacts_that_join_meanwhile_are_counted(void **state)
{
	struct scene *scene = *state;
	struct uuid folder_id, other_id;
	int64_t folder = add_folder(scene, "join", &folder_id), other = add_folder(scene, "other", &other_id);

	fill_folder(scene, folder, 0, AT_ONCE + 500);
	fill_folder(scene, other, 20000, 5);
	fill_folder(scene, folder, AT_ONCE + 500, REST - 500);
	start_of_folder(scene, &folder_id);
	change_folder_within_a_step(scene, some_join, folder);
	finish(scene, AT_ONCE + REST + 5);
}

static void set_statuses(struct scene *scene, enum contact_status status, int first, int last)
{
	ask("UPDATE batch_contacts SET status = %d WHERE batch_id = %lld AND position BETWEEN %d AND %d", status,
	    (long long)scene->batch, first, last);
}

/* Some contacts get another result before they are copied, and some after. */
static void results_that_change_meanwhile_are_those_of_the_copy(void **state)
{
	struct scene *scene = *state, source;

	scene_create(scene, AT_ONCE + 3 * REST);
	set_statuses(scene, CONTACT_BUSY, 1, AT_ONCE + 2 * REST);
	ask("UPDATE batch_counters SET busy = %d WHERE batch_id = %lld", AT_ONCE + 2 * REST, (long long)scene->batch);
	source = *scene;
	scene->config.contact_source = CONTACT_SOURCE_CAMPAIGN;
	scene->config.source_campaign_id = scene->batch_id;
	scene->config.source_statuses = 1u << CONTACT_BUSY;
	scene_start(scene, 0);
	assert_int_equal(scene_batch(scene).counts.total, AT_ONCE);
	set_statuses(&source, CONTACT_COMPLETED, AT_ONCE + 1, AT_ONCE + 7);
	set_statuses(&source, CONTACT_BUSY, AT_ONCE + 2 * REST + 1, AT_ONCE + 2 * REST + 5);
	assert_ok(db_transact(scene->fixture->db, DB_ONCE, copy_step, scene));
	set_statuses(&source, CONTACT_COMPLETED, 1, AT_ONCE + 9);
	finish(scene, AT_ONCE + 2 * REST - 7 + 5);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(contacts_that_leave_meanwhile_are_not_counted),
		SCENE_TEST(contacts_that_join_meanwhile_are_counted),
		SCENE_TEST(results_that_change_meanwhile_are_those_of_the_copy),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
