#include "api/worker.h"

#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/log.h"
#include "base/signals.h"

static bool send_buf(const struct buf *buf, FCGX_Stream *out)
{
	return FCGX_PutStr(buf_text(buf), (int)buf->len, out) == (int)buf->len;
}

/* All of a reply in parts, or as much of it as there is a reader for. */
static enum db_result send_parts(struct request *request, FCGX_Stream *out)
{
	struct reply *reply = request->reply;

	for (;;) {
		buf_reset(&reply->body);
		DB_TRY(reply->next(request, reply->parts));
		if (reply->body.len == 0 || !send_buf(&reply->body, out))
			return DB_OK;
	}
}

/* False: what was sent is not whole. */
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

static void answer(struct request *request, FCGX_Request *connection)
{
	request_receive(request, connection->envp, connection->in);
	log_set_request(request->id);
	route_answer(request);
	log_debug("%s %s: %d", method_names[request->method], request->path, request->reply->status);
	if (send_reply(request, connection->out))
		FCGX_Finish_r(connection);
	else
		FCGX_Free(connection, 1); /* without a proper end nginx breaks off too, so that the client learns of it */
	auth_note_use(request->db);
	log_set_request(NULL);
	arena_reset(request->arena);
}

/* A tenth less for some, so that workers started together do not all retire at once. */
static int64_t share_of_requests(const struct conf *conf)
{
	return conf->worker_requests - random() % (conf->worker_requests / 10 + 1);
}

void worker_run(const struct conf *conf, int listen_fd)
{
	struct reply reply = { 0 };

	db_be_patient(DB_FOR_REQUESTS);
	struct request request = {
		.arena = arena_new(), .db = db_new(conf->database_file), .conf = conf, .reply = &reply,
	};
	FCGX_Request connection;

	srandom((unsigned)getpid());
	signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is no other fault than a full disk */
	if (FCGX_Init() != 0 || FCGX_InitRequest(&connection, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		fatal("cannot set up FastCGI");
	for (int64_t left = share_of_requests(conf); left > 0 && !signals_stop_requested(); left--) {
		if (FCGX_Accept_r(&connection) == 0)
			answer(&request, &connection);
		else if (errno != EINTR)
			fatal("cannot accept requests: %s", strerror(errno));
	}
	FCGX_Free(&connection, 1);
	buf_free(&reply.headers);
	buf_free(&reply.body);
	db_free(request.db);
	arena_free(request.arena);
}
