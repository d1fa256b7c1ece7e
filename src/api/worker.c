#include "api/worker.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/board.h"
#include "api/prefork.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/signals.h"
#include "domain/phone_country.h"
#include "store/outage.h"

#define RESERVE_POLL_MS 200

static bool send_buf(const struct buf *buf, FCGX_Stream *out)
{
	return FCGX_PutStr(buf_text(buf), (int)buf->len, out) == (int)buf->len;
}

/* Sends all of a reply in parts, or as much as the client reads. */
static enum db_result send_parts(struct request *request, FCGX_Stream *out)
{
	struct reply *reply = request->reply;

	for (;;) {
		buf_reset(&reply->body);
		DB_TRY(reply->next(request, reply->parts));
		if (!auth_was_here(request))
			return DB_REFUSED;
		if (reply->body.len == 0 || !send_buf(&reply->body, out))
			return DB_OK;
		progress_note();
	}
}

/* Returns false if the reply was not sent completely. */
static bool send_reply(struct request *request, FCGX_Stream *out)
{
	struct reply *reply = request->reply;
	struct buf head = { 0 };
	enum db_result result = DB_OK;

	reply_head(request, &head);
	if (send_buf(&head, out) && send_buf(&reply->body, out) && reply->next != NULL)
		result = send_parts(request, out);
	buf_free(&head);
	if (result != DB_OK)
		log_error("%s broke off with database result %d", request->path, (int)result);
	return result == DB_OK;
}

static int route_number(const struct request *request)
{
	return request->route != NULL ? (int)(request->route - routes) : (int)route_count;
}

/* FCGX_Finish_r waits until nginx has closed the connection, because a socket that is closed with unread bytes may lose
 * the reply. A connection that is detached is closed at once. */
static void finish(struct request *request, FCGX_Request *connection)
{
	if (request_is_read(request))
		FCGX_Detach(connection);
	FCGX_Finish_r(connection);
}

static void answer(struct request *request, FCGX_Request *connection)
{
	int64_t began_us = clock_mono_us();

	request_receive(request, connection->envp, connection->in);
	log_set_request(request->id);
	route_answer(request);
	log_debug("%s %s: %d", method_names[request->method], request->path, request->reply->status);
	if (send_reply(request, connection->out))
		finish(request, connection);
	else
		FCGX_Free(connection, 1); /* without a proper end nginx breaks off too, so that the client notices */
	for (size_t i = 0; request->reply->status < 400 && i < sizeof request->reports / sizeof *request->reports; i++)
		atomic_fetch_add(&board->reports[i], request->reports[i]);
	board_count_request(route_number(request), request->reply->status, clock_mono_us() - began_us);
	auth_note_use(request->writer);
	log_set_request(NULL);
	arena_reset(request->arena);
}

/* Up to a tenth less, so that workers that started together do not retire together. */
static int64_t share_of_requests(const struct conf *conf)
{
	return conf->worker_requests - random() % (conf->worker_requests / 10 + 1);
}

/* The reserve worker takes a request only while all others may be waiting for the database. It does not wait for the
 * database itself. */
static void wait_for_outage(int listen_fd)
{
	struct pollfd fd = { .fd = listen_fd, .events = POLLIN };

	while (!signals_stop_requested() &&
	       !((outage_is_on() || outage_stops_writes()) && poll(&fd, 1, RESERVE_POLL_MS) > 0))
		if (!outage_is_on() && !outage_stops_writes())
			nanosleep(&(struct timespec){ .tv_nsec = RESERVE_POLL_MS * US_PER_MS * 1000 }, NULL);
}

/* Metadata of telephone numbers take more memory than the rest of a worker. A worker that has loaded them is replaced.
 */
static bool is_to_end(void)
{
	return signals_stop_requested() || phone_country_is_loaded();
}

static void take_requests(struct request *request, int listen_fd, bool is_reserve, struct board_worker *slot)
{
	FCGX_Request connection;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&connection, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		fatal("cannot set up FastCGI");
	for (int64_t left = share_of_requests(request->conf); left > 0 && !is_to_end(); left--) {
		if (is_reserve)
			wait_for_outage(listen_fd);
		if (signals_stop_requested())
			break;
		if (FCGX_Accept_r(&connection) == 0) {
			progress_note();
			atomic_store(&slot->busy_since_us, clock_mono_us());
			answer(request, &connection);
			atomic_store(&slot->busy_since_us, 0);
		} else if (errno != EINTR)
			fatal("cannot accept requests: %s", strerror(errno));
	}
	FCGX_Free(&connection, 1);
}

void worker_run(const struct conf *conf, int listen_fd, int number)
{
	struct reply reply = { 0 };

	struct request request = {
		.arena = arena_new(), .writer = db_new(conf->database_file), .conf = conf, .reply = &reply
	};
	struct board_worker *slot = &board->workers[number];
	bool is_reserve = number == prefork_reserve(conf);

	if (is_reserve)
		prctl(PR_SET_NAME, "outdial-reserve");
	if (*conf->read_database_file != '\0')
		request.reader = db_new_reader(conf->read_database_file);
	request.worker = slot;
	db_be_patient(DB_FOR_REQUESTS);
	progress_keep_at(&slot->progress_at_us);
	srandom((unsigned)getpid());
	signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is treated like a full disk */
	take_requests(&request, listen_fd, is_reserve, slot);
	buf_free(&reply.headers);
	buf_free(&reply.body);
	db_free(request.reader);
	db_free(request.writer);
	arena_free(request.arena);
}
