#include "engine/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/arguments.h"
#include "cli/cli.h"
#include "domain/list_text.h"
#include "domain/phone_country.h"
#include "store/batch_store.h"
#include "store/folder_store.h"
#include "store/key_store.h"

#define PIECE 65536
#define BAR_WIDTH 40
#define BAR_EVERY_US (100 * US_PER_MS)

struct source {
	const char *path;
	FILE *file;
	int64_t size, done;
	int64_t shown_us; /* monotonic: when the bar was drawn last */
	bool has_bar;     /* the output is a terminal */
};

static void check(enum db_result result, struct db *db, const char *what)
{
	if (result == DB_NOT_FOUND)
		fatal("there is no such %s", what);
	cli_check(result, db);
}

static void open_source(struct source *source)
{
	struct stat status;

	source->file = fopen(source->path, "r");
	if (source->file == NULL || fstat(fileno(source->file), &status) != 0)
		fatal("%s: %s", source->path, strerror(errno));
	source->size = status.st_size;
	source->has_bar = source->size > 0 && isatty(STDERR_FILENO);
}

static void draw_bar(struct source *source, const struct import_report *report)
{
	static const char full[BAR_WIDTH + 1] = "########################################";
	int percent = (int)(source->done * 100 / source->size);
	int width = percent * BAR_WIDTH / 100;

	fprintf(stderr, "\r[%.*s%*s] %3d %%  %" PRId64 " contacts", width, full, BAR_WIDTH - width, "", percent,
	        report->imported + report->updated + report->skipped);
	source->shown_us = clock_mono_us();
}

static enum db_result read_all(struct source *source, struct import *import)
{
	char bytes[PIECE];
	size_t len;

	while ((len = fread(bytes, 1, sizeof bytes, source->file)) > 0) {
		DB_TRY(import_push(import, bytes, len));
		source->done += (int64_t)len;
		if (source->has_bar && clock_mono_us() - source->shown_us > BAR_EVERY_US)
			draw_bar(source, import_report(import));
	}
	if (ferror(source->file))
		fatal("%s: %s", source->path, strerror(errno));
	DB_TRY(import_end(import));
	if (source->has_bar)
		draw_bar(source, import_report(import));
	return DB_OK;
}

static void print_bad_rows(const struct import_report *report)
{
	for (size_t i = 0; i < report->detail_count; i++)
		printf("row %" PRId64 ": %s%s%s\n", report->details[i].row, report->details[i].phone,
		       *report->details[i].phone != '\0' ? ": " : "", report->details[i].reason);
	if (report->detail_count == IMPORT_DETAILS_MAX)
		printf("(only the first %d faulty rows are named)\n", IMPORT_DETAILS_MAX);
}

static void print_report(const struct import_report *report)
{
	printf("imported %" PRId64 ", updated %" PRId64 ", skipped %" PRId64 ", errors %" PRId64 "; rows %" PRId64 "\n",
	       report->imported, report->updated, report->skipped, report->errors, report->rows);
	for (size_t i = 0; i < report->column_count; i++)
		printf("column %zu: %s%s%s\n", i + 1, report->columns[i].name, *report->columns[i].name != '\0' ? ": " : "",
		       report->columns[i].used_as);
	print_bad_rows(report);
}

static void run(struct source *source, struct db *db, struct import *import)
{
	const struct import_report *report = import_report(import);
	enum db_result result = read_all(source, import);

	if (source->has_bar)
		fputc('\n', stderr);
	if (result == DB_REFUSED && report->fault != NULL)
		fatal("%s: %s", source->path, report->fault);
	if (result == DB_REFUSED)
		fatal("contacts cannot be added to a campaign that is %s", batch_status_names[report->batch.status]);
	if (result != DB_OK && report->imported + report->updated + report->skipped > 0)
		printf("before that: imported %" PRId64 ", updated %" PRId64 ", skipped %" PRId64 "\n", report->imported,
		       report->updated, report->skipped);
	check(result, db, "folder or campaign: it was deleted meanwhile");
	print_report(report);
	import_free(import);
	fclose(source->file);
}

/* A do-not-call list is loaded completely or not at all, so it is read once before. */
static void check_all_rows(struct source *source, struct db *db, int64_t organization_id,
                           const struct import_options *reading)
{
	struct import *check = import_to_do_not_call(db, organization_id, "");
	const struct import_report *report = import_report(check);
	bool has_bar = source->has_bar;

	source->has_bar = false;
	import_set_options(check, reading);
	import_make_check(check);
	if (read_all(source, check) != DB_OK)
		fatal("%s: %s", source->path, report->fault);
	if (report->errors != 0) {
		print_bad_rows(report);
		fatal("%s: %" PRId64 " of %" PRId64
		      " rows cannot be used, so nothing was loaded: correct the file, or use --partial yes",
		      source->path, report->errors, report->rows);
	}
	if (fseek(source->file, 0, SEEK_SET) != 0)
		fatal("%s cannot be read twice, as a do-not-call list is: use --partial yes", source->path);
	source->has_bar = has_bar;
	source->done = 0;
	import_free(check);
}

static struct import *open_batch(struct db *db, int64_t organization_id, const char *id, struct arena *arena)
{
	struct batch batch;
	struct uuid uuid;

	if (!uuid_parse_id(id, ID_BATCH, &uuid))
		fatal("`%s` is not the id of a campaign", id);
	check(batch_get(db, organization_id, &uuid, arena, &batch), db, "campaign");
	return import_to_batch(db, &batch);
}

static struct import *open_folder(struct db *db, int64_t organization_id, const char *name, bool overwrite,
                                  struct arena *arena)
{
	struct contact_folder folder;
	enum db_result result;

	if (strlen(name) < 1 || strlen(name) > 255)
		fatal("--folder must have 1 to 255 characters");
	result = folder_find(db, organization_id, name, arena, &folder);
	if (result == DB_NOT_FOUND)
		folder = (struct contact_folder){ .name = name };
	else
		check(result, db, "folder");
	return import_to_folder(db, organization_id, &folder, overwrite);
}

static bool is_yes(const char *option, const char *answer)
{
	if (strcmp(answer, "yes") != 0 && strcmp(answer, "no") != 0)
		fatal("--%s must be yes or no, not `%s`", option, answer);
	return strcmp(answer, "yes") == 0;
}

/* "phone=Mobile,name=Kunde" */
static void read_map(char *text, struct contact_map *map)
{
	char *rest = text, *part;

	while ((part = strsep(&rest, ",")) != NULL) {
		char *column = strchr(part, '=');
		int kind = COLUMN_PHONE;

		if (column == NULL || column[1] == '\0')
			fatal("--map must look like phone=Mobile,name=Client");
		*column = '\0';
		while (kind < COLUMN__MAX && strcmp(part, contact_map_names[kind]) != 0)
			kind++;
		if (kind == COLUMN__MAX)
			fatal("--map: there is no `%s`", part);
		map->columns[kind] = column + 1;
	}
}

static void read_options(const char *charset, const char *map, const char *country, struct arena *arena,
                         struct import_options *options)
{
	const char *fault = country != NULL ? phone_country_check(arena, &country) : NULL;

	if (fault != NULL)
		fatal("--country: `%s` %s", country, fault);
	options->default_country = country;
	if (charset != NULL && !list_text_knows(charset))
		fatal("--charset: `%s` is not known", charset);
	options->charset = charset;
	if (map != NULL)
		read_map(arena_strdup(arena, map), &options->map);
}

void cli_import(const struct conf *conf, int argc, char **argv)
{
	const char *organization = NULL, *folder = NULL, *batch = NULL, *reason = NULL, *overwrite = "no", *dry_run = "no",
			   *charset = NULL, *map = NULL, *country = NULL, *partial = "no";
	const struct argument options[] = {
		{ "organization", &organization }, { "folder", &folder },   { "batch", &batch },     { "do-not-call", &reason },
		{ "overwrite", &overwrite },       { "dry-run", &dry_run }, { "charset", &charset }, { "map", &map },
		{ "country", &country },           { "partial", &partial },
	};
	struct source source = { .path = arguments_read(argc, argv, options, sizeof options / sizeof *options, 1)[0] };
	struct db *db = db_new(conf->database_file);
	struct arena *arena = arena_new();
	struct import_options reading = { 0 };
	struct import *import;
	int64_t organization_id;
	bool is_overwriting, is_dry, takes_part;

	if (organization == NULL || (folder != NULL) + (batch != NULL) + (reason != NULL) != 1)
		fatal("give --organization, and one of --folder, --batch and --do-not-call: see --help");
	if (reason != NULL && strlen(reason) > 255)
		fatal("--do-not-call must have at most 255 characters");
	is_overwriting = is_yes("overwrite", overwrite);
	is_dry = is_yes("dry-run", dry_run);
	takes_part = is_yes("partial", partial);
	read_options(charset, map, country, arena, &reading);
	open_source(&source);
	cli_connect(db);
	check(organization_find(db, organization, &organization_id), db, "organisation");
	if (reason != NULL && !takes_part && !is_dry)
		check_all_rows(&source, db, organization_id, &reading);
	import = folder != NULL  ? open_folder(db, organization_id, folder, is_overwriting, arena)
	         : batch != NULL ? open_batch(db, organization_id, batch, arena)
	                         : import_to_do_not_call(db, organization_id, reason);
	import_set_options(import, &reading);
	if (is_dry)
		import_make_dry(import);
	run(&source, db, import);
	arena_free(arena);
	db_free(db);
}
