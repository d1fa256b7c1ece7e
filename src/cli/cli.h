/* The commands of `outdial`. Each gets the configuration and its own arguments (argv[0] is the last word
 * of its name), and ends the process with a message when it cannot do its work. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/conf.h"

void cli_migrate(const struct conf *conf, int argc, char **argv);
void cli_key_create(const struct conf *conf, int argc, char **argv);
void cli_key_list(const struct conf *conf, int argc, char **argv);
void cli_key_revoke(const struct conf *conf, int argc, char **argv);
void cli_import(const struct conf *conf, int argc, char **argv);
void cli_secrets_rekey(const struct conf *conf, int argc, char **argv);
void cli_explain(const struct conf *conf, int argc, char **argv);
void cli_status(const struct conf *conf, int argc, char **argv);
void cli_recover(const struct conf *conf, int argc, char **argv);
void cli_pause(const struct conf *conf, int argc, char **argv);
void cli_resume(const struct conf *conf, int argc, char **argv);
void cli_check_config(const struct conf *conf, int argc, char **argv);

#endif
