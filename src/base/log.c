#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

#define FLOODS 64
#define FLOOD_SECONDS 10
#define FLOOD_LINES 100

const char *const log_level_names[LOG_LEVEL__MAX + 1] = { "error", "warning", "info", "debug", NULL };

/* syslog priorities as the journal reads them at the start of a line */
static const char *const prefixes[LOG_LEVEL__MAX] = { "<3>", "<4>", "<6>", "<7>" };

static enum log_level log_level = LOG_LEVEL_INFO;
static bool has_priorities = true;
static const char *log_request;

void log_set_level(enum log_level level)
{
	log_level = level;
}

void log_for_people(void)
{
	has_priorities = false;
}

void log_set_request(const char *request_id)
{
	log_request = request_id;
}

/* A line is written by one write(2), so that the lines of several processes on one descriptor do not mix. */
static void __attribute__((format(printf, 2, 0))) write_line(enum log_level level, const char *format, va_list args)
{
	char line[2048];
	int len, more;

	len = snprintf(line, sizeof line, "%s", has_priorities && !isatty(STDERR_FILENO) ? prefixes[level] : "");
	more = vsnprintf(line + len, sizeof line - (size_t)len - 64, format, args);
	if (more > (int)sizeof line - len - 65)
		more = (int)sizeof line - len - 65;
	len += more > 0 ? more : 0;
	utf8_blank_controls(line);
	if (log_request != NULL)
		len += snprintf(line + len, sizeof line - (size_t)len - 1, " request=%.48s", log_request);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* there is no other place to report this */
}

/* Kinds of lines that come too often. A kind is known by the address of its format. */
static struct flood {
	const char *format;
	time_t window;
	int lines;
} floods[FLOODS];

static time_t now_in_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void say_left_out(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, format, args);
	va_end(args);
}

/* Returns true after FLOOD_LINES lines of the same kind within a window. The rest are counted, and the count is logged
 * later. */
static bool floods_the_log(enum log_level level, const char *format)
{
	struct flood *flood = &floods[((uintptr_t)format >> 3) % FLOODS];
	time_t window = now_in_seconds() / FLOOD_SECONDS;

	if (flood->format != format || flood->window != window) {
		if (flood->format != NULL && flood->lines > FLOOD_LINES)
			say_left_out(level, "%d lines like “%.60s” were left out", flood->lines - FLOOD_LINES, flood->format);
		*flood = (struct flood){ .format = format, .window = window };
	}
	return ++flood->lines > FLOOD_LINES;
}

/* A person who runs a command wants to see errors, not progress. */
static bool is_wanted(enum log_level level)
{
	return level <= log_level && (has_priorities || level != LOG_LEVEL_INFO);
}

#define DEFINE_LOG(name, level) \
	void name(const char *format, ...) \
	{ \
		va_list args; \
\
		if (!is_wanted(level) || ((level) != LOG_LEVEL_DEBUG && floods_the_log(level, format))) \
			return; \
		va_start(args, format); \
		write_line(level, format, args); \
		va_end(args); \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_LEVEL_ERROR, format, args);
	va_end(args);
	exit(EXIT_FAILURE);
}
