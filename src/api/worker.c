#include "api/worker.h"

#include <errno.h>
#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/reply.h"
#include "api/route.h"
#include "base/log.h"
#include "base/signals.h"

static void send_reply(const struct request *request, FCGX_Stream *out)
{
	const struct buf *body = &request->reply->body;
	struct buf head = { 0 };

	reply_head(request, &head);
	FCGX_PutStr(head.data, (int)head.len, out);
	FCGX_PutStr(buf_text(body), (int)body->len, out);
	buf_free(&head);
}

static void answer(struct request *request, FCGX_Request *connection)
{
	request_receive(request, connection->envp, connection->in);
	log_set_request(request->id);
	route_answer(request);
	log_debug("%s %s: %d", method_names[request->method], request->path, request->reply->status);
	send_reply(request, connection->out);
	FCGX_Finish_r(connection);
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
	struct request request = {
		.arena = arena_new(), .db = db_new(conf->database_file), .conf = conf, .reply = &reply,
	};
	FCGX_Request connection;

	srandom((unsigned)getpid());
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
