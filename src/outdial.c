/* outdial: what an operator does by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "cli/cli.h"
#include "domain/number_zones.h"
#include "scheduler/simulation.h"

static const char usage[] =
	"Usage: outdial [-c FILE] COMMAND [OPTION]...\n"
	"\n"
	"  migrate        create the tables or bring them up to date\n"
	"  key create     make an API key and print it\n"
	"  key list       show all API keys\n"
	"  key revoke     end an API key\n"
	"  import         load a CSV file of contacts\n"
	"  secrets rekey  seal the secrets of webhooks under the first key of secret_key_file\n"
	"  explain        why a contact is not called now, and when it can be\n"
	"  status         what is going on\n"
	"  pause          hold all campaigns\n"
	"  resume         let go on what `pause` holds\n"
	"  recover        end the calls that a restored database takes for running\n"
	"  simulate       play weeks of a campaign in seconds\n"
	"  check-config   show the configuration in force and test the database\n"
	"\n"
	"  -c FILE        configuration (default: " CONF_FILE ")\n"
	"  --help         show this text; after a command: its options\n"
	"  --version      show the version\n";

static const struct command {
	const char *name, *usage;
	void (*run)(const struct conf *conf, int argc, char **argv);
} commands[] = {
	{ "migrate",
	  "Usage: outdial migrate [--sql DIR]\n"
	  "Creates the tables of Outdial or brings them up to date. Running it again does no harm.\n"
	  "\n"
	  "  --sql DIR   where the numbered SQL files are (default: " SQLDIR ")\n",
	  cli_migrate },
	{ "key create",
	  "Usage: outdial key create --organization NAME [OPTION]...\n"
	  "Makes an API key and prints it, this one time: only its SHA-256 is stored.\n"
	  "\n"
	  "  --organization NAME   whose objects it opens; created when it is new\n"
	  "  --name LABEL          to tell keys apart\n"
	  "  --scopes LIST         of read, write, reports, admin, with commas; or all (default)\n"
	  "  --expires DATE-TIME   ISO 8601; UTC unless it has an offset (default: never)\n",
	  cli_key_create },
	{ "key list",
	  "Usage: outdial key list\n"
	  "Shows every API key, without the keys themselves.\n",
	  cli_key_list },
	{ "key revoke",
	  "Usage: outdial key revoke ID\n"
	  "Ends an API key; within two seconds nobody takes it any more.\n",
	  cli_key_revoke },
	{ "import",
	  "Usage: outdial import FILE --organization NAME (--folder NAME | --batch ID | --do-not-call REASON)\n"
	  "           [--overwrite yes] [--dry-run yes]\n"
	  "Loads a CSV file, as POST /contacts/import, /batch-calls/{id}/contacts/import and /do-not-call/import do.\n"
	  "\n"
	  "  --organization NAME   whose contacts they are\n"
	  "  --folder NAME         into this folder; made when there is none of that name\n"
	  "  --batch ID            into this campaign\n"
	  "  --do-not-call REASON  onto the list of numbers that are never called\n"
	  "  --overwrite yes       a number that is in the folder already is overwritten, not skipped\n"
	  "  --dry-run yes         nothing is written: shows what the import would come to\n",
	  cli_import },
	{ "secrets rekey",
	  "Usage: outdial secrets rekey [--lost keep|replace]\n"
	  "Seals the secrets of all webhooks under the first key of secret_key_file: those under its other keys, and\n"
	  "those that stand in clear from before there were keys. Running it again does no harm.\n"
	  "\n"
	  "  --lost replace   secrets that no key opens are replaced by new ones, for their owners to rotate\n"
	  "                   (default: keep, and fail)\n",
	  cli_secrets_rekey },
	{ "explain",
	  "Usage: outdial explain CAMPAIGN POSITION\n"
	  "Shows every rule that may hold back the contact at that position, as a scheduler judges it, and when the\n"
	  "contact can be called; as GET /batch-calls/{id}/contacts/{position}/why does.\n",
	  cli_explain },
	{ "status",
	  "Usage: outdial status [--json] [--watch]\n"
	  "Shows campaigns by status, calls in flight, webhooks that wait, which programs are alive, and the database's clock.\n"
	  "\n"
	  "  --json    as one JSON object\n"
	  "  --watch   again every two seconds, until it is interrupted\n",
	  cli_status },
	{ "pause",
	  "Usage: outdial pause --all\n"
	  "Pauses every campaign that is scheduled or runs, of all organisations. Calls under way go on.\n",
	  cli_pause },
	{ "resume",
	  "Usage: outdial resume --all\n"
	  "Resumes the campaigns that `outdial pause --all` has paused, and no others.\n",
	  cli_resume },
	{ "recover",
	  "Usage: outdial recover --before DATE-TIME\n"
	  "For a database that was restored from a backup: ends, as failed with the reason `recovered`, the calls that a dialer\n"
	  "had taken before that instant. Else they keep their places until their deadlines. Running it again does no harm.\n"
	  "\n"
	  "  --before DATE-TIME   when the backup was made: ISO 8601; UTC unless it has an offset\n",
	  cli_recover },
	{ "simulate",
	  "Usage: outdial simulate FILE [--database-file FILE] [--sql DIR] [--calls yes]\n"
	  "Plays a campaign against a clock that only moves when something happens, with the scheduler's own planning,\n"
	  "claims and states, and a dialer that does as the script FILE (JSON, - for standard input) says; prints what\n"
	  "happened when. It makes a database of its own beside Outdial's, and drops it at the end. What may stand in\n"
	  "the script is told in outdial(1).\n"
	  "\n"
	  "  --database-file FILE   credentials that may create databases (default: database_file of the configuration)\n"
	  "  --sql DIR              where the numbered SQL files are (default: " SQLDIR ")\n"
	  "  --calls yes            print every call\n",
	  simulate },
	{ "check-config",
	  "Usage: outdial check-config\n"
	  "Shows every setting in force, then connects to the database and tests schema, locking and keys.\n",
	  cli_check_config },
};

/* How many leading arguments are the words of a command's name; 0: they are not. */
static int match(const char *name, int argc, char **argv)
{
	for (int words = 0; words < argc; words++) {
		size_t len = strcspn(name, " ");

		if (strlen(argv[words]) != len || memcmp(argv[words], name, len) != 0)
			return 0;
		if (name[len] == '\0')
			return words + 1;
		name += len + 1;
	}
	return 0;
}

static void run(const struct command *command, const char *conf_file, int argc, char **argv)
{
	static struct conf conf;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(command->usage, stdout);
			return;
		}
	conf = conf_load(conf_file);
	number_zones_load(conf.number_zones_file);
	command->run(&conf, argc, argv);
}

static void say_unknown(int argc, char **argv)
{
	fprintf(stderr, "outdial: there is no command `%s", argv[0]);
	for (int i = 1; i < argc && *argv[i] != '-'; i++)
		fprintf(stderr, " %s", argv[i]);
	fputs("`\n\n", stderr);
}

int main(int argc, char **argv)
{
	const char *conf_file;

	log_for_people();
	conf_file = options_read(&argc, &argv, usage);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		int words = match(commands[i].name, argc, argv);

		if (words > 0) {
			run(&commands[i], conf_file, argc - (words - 1), argv + (words - 1));
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	}
	if (argc > 0)
		say_unknown(argc, argv);
	fputs(usage, stderr);
	return EXIT_FAILURE;
}
