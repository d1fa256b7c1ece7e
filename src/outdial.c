/* outdial: the command line of the operator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "cli/cli.h"
#include "domain/calling_hours.h"
#include "domain/number_zones.h"
#include "scheduler/simulation.h"
#include "store/ledger_store.h"
#include "store/outage.h"

/* clang-format off */
static const char usage[] =
	"Usage: outdial [-c FILE] COMMAND [OPTION]...\n"
	"\n"
	"  migrate        create the tables, or bring them up to date\n"
	"  key create     create an API key and print it\n"
	"  key list       list all API keys\n"
	"  key revoke     revoke an API key\n"
	"  import         load a CSV file of contacts\n"
	"  secrets rekey  seal the secrets of webhooks with the first key of secret_key_file\n"
	"  explain        show why a contact is not called now, and when it can be called\n"
	"  ledger show    show every decision to call a number or not\n"
	"  ledger export  print the decisions with their proof\n"
	"  ledger erase   erase a number from the decisions about it\n"
	"  ledger verify  check that the ledger was not changed\n"
	"  status         show campaigns, calls, webhooks and programs\n"
	"  pause          pause all campaigns\n"
	"  resume         resume the campaigns that `pause` has paused\n"
	"  recover        end the calls that were under way in a restored backup\n"
	"  audit          show who changed what, and when\n"
	"  person export  print what is stored of one person\n"
	"  person erase   erase what is stored of one person\n"
	"  organization list    list all organisations, and the cell of each\n"
	"  organization move    move an organisation to another cell\n"
	"  organization delete  delete what is left here of an organisation that was moved\n"
	"  simulate       simulate weeks of a campaign in seconds\n"
	"  check-config   print the settings in force, and test the database\n"
	"\n"
	"  -c FILE        the configuration (default: " CONF_FILE ")\n"
	"  --help         show this text; after a command: its options\n"
	"  --version      show the version\n";
/* clang-format on */

static const struct command {
	const char *name, *usage;
	void (*run)(const struct conf *conf, int argc, char **argv);
} commands[] = {
	{ "migrate",
	  "Usage: outdial migrate [--sql DIR]\n"
	  "Creates the tables of Outdial, or brings them up to date. Running it again does no harm.\n"
	  "\n"
	  "  --sql DIR   the folder of the numbered SQL files (default: " SQLDIR ")\n",
	  cli_migrate },
	{ "key create",
	  "Usage: outdial key create --organization NAME [OPTION]...\n"
	  "Creates an API key and prints it. It cannot be shown again, because only its SHA-256 is stored.\n"
	  "\n"
	  "  --organization NAME   the organisation of the key; it is created if it does not exist\n"
	  "  --name LABEL          a label for the key\n"
	  "  --scopes LIST         some of read, write, reports, admin, with commas between them; or all (default)\n"
	  "  --expires DATE-TIME   when the key expires: ISO 8601, UTC unless it has an offset (default: never)\n",
	  cli_key_create },
	{ "key list",
	  "Usage: outdial key list\n"
	  "Lists all API keys: their ids, states, scopes and labels. The keys themselves are not shown.\n",
	  cli_key_list },
	{ "key revoke",
	  "Usage: outdial key revoke ID\n"
	  "Revokes an API key. This takes effect within two seconds.\n",
	  cli_key_revoke },
	{ "import",
	  "Usage: outdial import FILE --organization NAME (--folder NAME | --batch ID | --do-not-call REASON)\n"
	  "           [--overwrite yes] [--dry-run yes] [--charset NAME] [--map FIELD=COLUMN,...] [--country CODE]\n"
	  "           [--partial yes]\n"
	  "Loads a CSV file, as POST /contacts/import, /batch-calls/{id}/contacts/import and /do-not-call/import do.\n"
	  "\n"
	  "  --organization NAME   the organisation of the contacts\n"
	  "  --folder NAME         load into this folder, which is created if it does not exist\n"
	  "  --batch ID            load into this campaign\n"
	  "  --do-not-call REASON  add the numbers to the do-not-call list; the reason may be empty\n"
	  "  --overwrite yes       overwrite contacts whose numbers are in the folder already (default: skip them)\n"
	  "  --dry-run yes         write nothing, and show what the import would do\n"
	  "  --charset NAME        the charset of the file, such as windows-1252\n"
	  "  --map FIELD=COLUMN    the columns to use, such as phone=Mobile,name=Client\n"
	  "  --country CODE        the country of numbers that do not begin with + or 00, such as DE\n"
	  "  --partial yes         load a do-not-call list without its faulty rows (default: load nothing of it)\n",
	  cli_import },
	{ "secrets rekey",
	  "Usage: outdial secrets rekey [--lost keep|replace]\n"
	  "Seals the secrets of all webhooks with the first key of secret_key_file: secrets that are sealed with another\n"
	  "key, and secrets that are stored in clear because there was no key yet. Running it again does no harm.\n"
	  "\n"
	  "  --lost replace   replace secrets that no key opens by new secrets, which their owners must rotate\n"
	  "                   (default: keep them, and fail)\n",
	  cli_secrets_rekey },
	{ "explain",
	  "Usage: outdial explain CAMPAIGN POSITION\n"
	  "Shows why the contact at this position of the campaign with this id is not called now, and when it can be\n"
	  "called: every rule, as a scheduler judges it. GET /batch-calls/{id}/contacts/{position}/why does the same.\n",
	  cli_explain },
	{ "ledger show",
	  "Usage: outdial ledger show NUMBER --organization NAME [--from DATE-TIME] [--to DATE-TIME]\n"
	  "Shows every decision to call the number or not: time, rule, local time and outcome. Then shows who started,\n"
	  "paused and changed the campaigns.\n"
	  "\n"
	  "  --organization NAME   the organisation of the ledger\n"
	  "  --from DATE-TIME      only decisions since then: ISO 8601, UTC unless it has an offset\n"
	  "  --to DATE-TIME        only decisions before then\n",
	  cli_ledger_show },
	{ "ledger export",
	  "Usage: outdial ledger export --organization NAME [--number NUMBER] [--from DATE-TIME] [--to DATE-TIME]\n"
	  "Prints the ledger with its proof: a line of JSON for each block, which examples/ledger/verify.py verifies\n"
	  "without the database. Decisions that the options do not select are in it as digests only.\n"
	  "\n"
	  "  --organization NAME   the organisation of the ledger\n"
	  "  --number NUMBER       only decisions about this number\n"
	  "  --from DATE-TIME      only decisions since then: ISO 8601, UTC unless it has an offset\n"
	  "  --to DATE-TIME        only decisions before then\n",
	  cli_ledger_export },
	{ "ledger erase",
	  "Usage: outdial ledger erase NUMBER --organization NAME\n"
	  "Erases a number from the decisions about it, when no law requires this proof any more. The chain stays whole.\n"
	  "\n"
	  "  --organization NAME   the organisation of the ledger\n",
	  cli_ledger_erase },
	{ "ledger verify",
	  "Usage: outdial ledger verify [--organization NAME [--head HEAD]]\n"
	  "Follows the ledger of each organisation from its first block to its head, and prints the head. Fails if a\n"
	  "decision was changed, added, moved or removed.\n"
	  "\n"
	  "  --organization NAME   only the ledger of this organisation\n"
	  "  --head HEAD           a head that this command printed or a scheduler logged before: fails if it is not in\n"
	  "                        the chain\n",
	  cli_ledger_verify },
	{ "status",
	  "Usage: outdial status [--json] [--watch]\n"
	  "Shows campaigns by status, calls in flight, webhooks that wait, which programs are alive, how long the oldest\n"
	  "work has waited, and how far the database's clock is ahead of this host's clock.\n"
	  "\n"
	  "  --json    print one JSON object\n"
	  "  --watch   repeat every two seconds, until it is interrupted\n",
	  cli_status },
	{ "pause",
	  "Usage: outdial pause --all\n"
	  "Pauses all campaigns that are scheduled or active, of all organisations. Calls under way go on.\n",
	  cli_pause },
	{ "resume",
	  "Usage: outdial resume --all\n"
	  "Resumes the campaigns that `outdial pause --all` has paused, and no others.\n",
	  cli_resume },
	{ "recover",
	  "Usage: outdial recover --before DATE-TIME\n"
	  "For a database that was restored from a backup. Ends the calls that a dialer had accepted before that instant,\n"
	  "as failed with the reason `recovered`. Without this command they keep their places until their deadlines.\n"
	  "Running it again does no harm.\n"
	  "\n"
	  "  --before DATE-TIME   when the backup was made: ISO 8601, UTC unless it has an offset\n",
	  cli_recover },
	{ "audit",
	  "Usage: outdial audit [--json] [OPTION]...\n"
	  "Shows who changed what, and when, newest first: through the API, and at the command line.\n"
	  "\n"
	  "  --organization NAME   only changes of this organisation\n"
	  "  --object KIND         only changes of such objects: campaign, key, webhook, installation, ...\n"
	  "  --id ID               only changes of this object\n"
	  "  --action ACTION       only such changes: created, changed, deleted, ...\n"
	  "  --key ID              only changes with this API key\n"
	  "  --after DATE-TIME     only changes since then: ISO 8601, UTC unless it has an offset\n"
	  "  --before DATE-TIME    only changes before then\n"
	  "  --limit NUMBER        how many entries at most (default: 100)\n"
	  "  --json                print each entry as a JSON object on a line of its own\n",
	  cli_audit },
	{ "person export",
	  "Usage: outdial person export NUMBER [--organization NAME]\n"
	  "Prints what is stored of the person with this telephone number: a JSON object on a line for each organisation.\n"
	  "\n"
	  "  --organization NAME   only in this organisation\n",
	  cli_person_export },
	{ "person erase",
	  "Usage: outdial person erase NUMBER [--organization NAME]\n"
	  "Erases what is stored of the person with this telephone number, and removes the person from all campaigns.\n"
	  "Schedulers erase the data of calls that are under way when these have ended. The do-not-call list and the\n"
	  "ledger keep the number.\n"
	  "\n"
	  "  --organization NAME   only in this organisation\n",
	  cli_person_erase },
	{ "organization list",
	  "Usage: outdial organization list\n"
	  "Lists all organisations, and where each is: here, in another cell, or on its way.\n",
	  cli_organization_list },
	{ "organization move",
	  "Usage: outdial organization move NAME --to FILE [--dry-run yes | --undo yes]\n"
	  "Moves an organisation with all it has to another installation (cell). Its campaigns must be paused, and its\n"
	  "calls must have ended. During the move, requests to the organisation are refused with 503, and after it with\n"
	  "421 and the name of the other cell. If the move breaks off, run the command again, or undo the move.\n"
	  "\n"
	  "  --to FILE      the configuration of the other cell; its secret_key_file must have our keys too\n"
	  "  --dry-run yes  only show whether the organisation can be moved\n"
	  "  --undo yes     give up a move that broke off: the organisation stays here\n",
	  cli_organization_move },
	{ "organization delete",
	  "Usage: outdial organization delete NAME\n"
	  "Deletes what is left here of an organisation that was moved to another cell. Its name and its keys stay, so\n"
	  "that replies can name the other cell.\n",
	  cli_organization_delete },
	{ "simulate",
	  "Usage: outdial simulate FILE [--database-file FILE] [--sql DIR] [--calls yes]\n"
	  "Simulates a campaign with a clock that moves only when something happens, and prints what happens and when. It\n"
	  "uses the scheduler's code for planning, claims and states. The script FILE (JSON, - for standard input) says\n"
	  "what dialer and users do; outdial(1) describes it. The command creates a database, and drops it at the end.\n"
	  "\n"
	  "  --database-file FILE   credentials that may create databases (default: database_file of the configuration)\n"
	  "  --sql DIR              the folder of the numbered SQL files (default: " SQLDIR ")\n"
	  "  --calls yes            print every call\n",
	  simulate },
	{ "check-config",
	  "Usage: outdial check-config\n"
	  "Prints every setting in force, then connects to the database and tests schema, locking and keys.\n",
	  cli_check_config },
};

/* Returns how many arguments the name of the command takes; 0: it is not this command. */
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
	ledger_switch(conf.ledger);
	calling_hours_load(conf.calling_hours_file);
	cli_act_as_operator();
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
	outage_log_nothing(); /* each command says itself that the database does not answer */
	conf_file = options_read(&argc, &argv, usage);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		int words = match(commands[i].name, argc, argv);

		if (words > 0) {
			argv[words - 1] = strdup(commands[i].name); /* messages begin with the whole name */
			run(&commands[i], conf_file, argc - (words - 1), argv + (words - 1));
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	}
	if (argc > 0)
		say_unknown(argc, argv);
	fputs(usage, stderr);
	return EXIT_FAILURE;
}
