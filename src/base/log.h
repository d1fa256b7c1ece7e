/* One line per event on standard error: the priority for the journal, a text, and key=value pairs. If one kind of line
 * comes more than a hundred times within ten seconds, the further lines are counted and only their number is logged. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL__MAX };

extern const char *const log_level_names[LOG_LEVEL__MAX + 1]; /* NULL-terminated */

void log_set_level(enum log_level level);
/* From now on, lines have no priority even if standard error is no terminal, and lines of level info are left out. */
void log_for_people(void);
/* Appends `request=…` to every line until it is called again; NULL appends nothing. The text is not copied. */
void log_set_request(const char *request_id);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Logs the message and exits with status 1. For faults of the environment: configuration, memory, sockets. */
void fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
