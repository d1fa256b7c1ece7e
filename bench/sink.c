/* A receiver of webhooks that costs as little as possible, so that a measurement shows the cost of the sender: every
 * POST is answered at once with the same status and body, over connections that are kept.
 *
 * sink PORT STATUS BODY LOG
 *
 * After SIGTERM, LOG gets one line per POST in the order of arrival: the webhook-id and the
 * microseconds UTC since the epoch. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST (64 * 1024)
#define ID_SIZE 40
#define MAX_EVENTS 256

struct connection {
	int fd;
	size_t have;
	char data[MAX_REQUEST + 1];
};

struct arrival {
	char id[ID_SIZE];
	int64_t at_us;
};

static struct arrival *arrivals;
static size_t arrival_count, arrival_room;
static char answer[4096];
static size_t answer_len;
static volatile sig_atomic_t stop_requested;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void request_stop(int number)
{
	(void)number;
	stop_requested = 1;
}

/* Returns the value of a header, in a head that ends with a NUL. NULL: there is no such header. */
static const char *header(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

static void note_arrival(const char *id)
{
	struct timespec now;
	struct arrival *arrival;

	if (arrival_count == arrival_room) {
		arrival_room = arrival_room == 0 ? 65536 : arrival_room * 2;
		arrivals = realloc(arrivals, arrival_room * sizeof *arrivals);
		if (arrivals == NULL)
			fail("sink: arrivals");
	}
	clock_gettime(CLOCK_REALTIME, &now);
	arrival = &arrivals[arrival_count++];
	arrival->at_us = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
	snprintf(arrival->id, sizeof arrival->id, "%.*s", (int)strcspn(id, "\r"), id);
}

/* The length of the first request if it is there in full, else 0. */
static size_t first_request(struct connection *connection)
{
	char *end;
	const char *length, *id;
	size_t size;

	connection->data[connection->have] = '\0';
	end = strstr(connection->data, "\r\n\r\n");
	if (end == NULL)
		return 0;
	end[2] = '\0'; /* the headers end here; the byte is restored below if the body is not complete yet */
	length = header(connection->data, "Content-Length");
	size = (size_t)(end - connection->data) + 4 + (length != NULL ? strtoul(length, NULL, 10) : 0);
	id = header(connection->data, "webhook-id");
	if (size <= connection->have && id != NULL)
		note_arrival(id);
	end[2] = '\r';
	return size <= connection->have ? size : 0;
}

/* Returns false if the connection has ended. */
static bool serve(struct connection *connection)
{
	ssize_t got = read(connection->fd, connection->data + connection->have, MAX_REQUEST - connection->have);
	size_t size;

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	connection->have += (size_t)got;
	while ((size = first_request(connection)) != 0) {
		if (write(connection->fd, answer, answer_len) != (ssize_t)answer_len)
			return false;
		connection->have -= size;
		memmove(connection->data, connection->data + size, connection->have);
	}
	return connection->have < MAX_REQUEST;
}

static void take_connections(int epoll_fd, int listen_fd)
{
	int fd;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *connection = malloc(sizeof *connection);
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };

		if (connection == NULL)
			fail("sink: connection");
		connection->fd = fd;
		connection->have = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
			fail("sink: epoll_ctl");
	}
}

static int listen_on(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) != 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
		fail("sink: listen");
	return fd;
}

static void run(int listen_fd)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event listening = { .events = EPOLLIN, .data.ptr = NULL }, events[MAX_EVENTS];

	if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listening) != 0)
		fail("sink: epoll");
	while (!stop_requested) {
		int count = epoll_wait(epoll_fd, events, MAX_EVENTS, 1000);

		for (int i = 0; i < count; i++) {
			struct connection *connection = events[i].data.ptr;

			if (connection == NULL) {
				take_connections(epoll_fd, listen_fd);
			} else if (!serve(connection)) {
				close(connection->fd);
				free(connection);
			}
		}
	}
}

static void write_log(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		fail(path);
	for (size_t i = 0; i < arrival_count; i++)
		fprintf(file, "%s %lld\n", arrivals[i].id, (long long)arrivals[i].at_us);
	if (fclose(file) != 0)
		fail(path);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = request_stop };
	struct rlimit files;

	if (argc != 5) {
		fprintf(stderr, "usage: sink PORT STATUS BODY LOG\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	answer_len = (size_t)snprintf(answer, sizeof answer,
	                              "HTTP/1.1 %s OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	                              argv[2], strlen(argv[3]), argv[3]);
	if (answer_len >= sizeof answer) {
		fprintf(stderr, "sink: the body is too long\n");
		return 2;
	}
	run(listen_on(atoi(argv[1])));
	write_log(argv[4]);
	return 0;
}
