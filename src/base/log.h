/* One line per event on standard error: priority prefix for the journal, a text, key=value pairs. A kind of line that
 * comes more than a hundred times in ten seconds is counted, and the count told. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL__MAX };

extern const char *const log_level_names[LOG_LEVEL__MAX + 1]; /* NULL-terminated */

void log_set_level(enum log_level level);
void log_for_people(void); /* no priorities, also where standard error is no terminal, and no lines of level info */
/* Appended to every line as `request=…` until changed; NULL for none. The text is not copied. */
void log_set_request(const char *request_id);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The environment is wrong (configuration, memory, socket): say so and exit with status 1. */
void fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
