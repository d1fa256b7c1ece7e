/* The commands of `outdial`. Each gets the configuration and its own arguments (argv[0] is the last word of its
 * name). If it fails, it ends the process with a message. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/conf.h"
#include "store/audit_store.h"

/* Connects to the database, which also sets the clock; and ends the process if its answer is a failure. */
struct db;
void cli_connect(struct db *db);
void cli_check(enum db_result result, const struct db *db);

/* Returns a text for a terminal, without control characters. */
const char *cli_printable(struct arena *arena, const char *text);

/* Makes the user of this process the actor in the audit log. */
void cli_act_as_operator(void);

/* An entry of the audit log about the whole installation, before the work; and its figures, after it. */
int64_t cli_audit_begin(struct db *db, enum audit_action action, const char *changes);
void cli_audit_end(struct db *db, int64_t row, const char *changes);
/* An entry about the stored data of a person, who is identified by a mark. */
enum db_result cli_audit_person(struct db *db, int64_t organization_id, const char *phone_number,
                                enum audit_action action);

void cli_migrate(const struct conf *conf, int argc, char **argv);
void cli_key_create(const struct conf *conf, int argc, char **argv);
void cli_key_list(const struct conf *conf, int argc, char **argv);
void cli_key_revoke(const struct conf *conf, int argc, char **argv);
void cli_import(const struct conf *conf, int argc, char **argv);
void cli_secrets_rekey(const struct conf *conf, int argc, char **argv);
void cli_explain(const struct conf *conf, int argc, char **argv);
void cli_ledger_show(const struct conf *conf, int argc, char **argv);
void cli_ledger_export(const struct conf *conf, int argc, char **argv);
void cli_ledger_erase(const struct conf *conf, int argc, char **argv);
void cli_ledger_verify(const struct conf *conf, int argc, char **argv);
void cli_status(const struct conf *conf, int argc, char **argv);
void cli_recover(const struct conf *conf, int argc, char **argv);
void cli_pause(const struct conf *conf, int argc, char **argv);
void cli_resume(const struct conf *conf, int argc, char **argv);
void cli_person_export(const struct conf *conf, int argc, char **argv);
void cli_person_erase(const struct conf *conf, int argc, char **argv);
void cli_organization_list(const struct conf *conf, int argc, char **argv);
void cli_organization_move(const struct conf *conf, int argc, char **argv);
void cli_organization_delete(const struct conf *conf, int argc, char **argv);
void cli_audit(const struct conf *conf, int argc, char **argv);
void cli_check_config(const struct conf *conf, int argc, char **argv);

#endif
