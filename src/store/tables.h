/* Columns that are written as they are read, said once: C(kind, column, member), where kind is COLUMN or INSTANT.
 * Statements make parts of their texts from a list (AS_NAME, AS_MARK and AS_SET of statements.def). Stores make
 * columns of it, to read with and for db_members: OF_AGENT(kind, name, member) kind##_AS(struct agent, name, member), */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H

#define AGENT_TABLE(C)                                              \
	C(COLUMN, name, name)                                       \
	C(COLUMN, description, description)                         \
	C(COLUMN, voice_id, voice_id)                               \
	C(COLUMN, system_prompt, system_prompt)                     \
	C(COLUMN, greeting, greeting)                               \
	C(COLUMN, language_hint, language_hint)                     \
	C(COLUMN, settings, settings)                               \
	C(COLUMN, max_call_seconds, max_call_duration_seconds)      \
	C(COLUMN, status, status)                                   \
	C(COLUMN, status_reason, status_reason)                     \
	C(INSTANT, updated_at, updated_at_us)

#define WEBHOOK_TABLE(C)                            \
	C(COLUMN, url, url)                         \
	C(COLUMN, description, description)         \
	C(COLUMN, events, events)                   \
	C(COLUMN, disabled, disabled)               \
	C(COLUMN, disabled_reason, disabled_reason)

#define FOLDER_TABLE(C)                     \
	C(COLUMN, name, name)               \
	C(COLUMN, description, description)

#endif
