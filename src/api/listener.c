#include "api/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define BACKLOG 1024
#define SYSTEMD_FIRST_FD 3
#define ENV_OWNS_SOCKET "OUTDIAL_OWNS_SOCKET" /* for the next program after SIGHUP */

static bool bound_here; /* the socket file is ours to remove */

static int systemd_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != getpid())
		return -1;
	if (strcmp(count, "1") != 0)
		fatal("expected one socket from systemd, not %s", count);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	bound_here = getenv(ENV_OWNS_SOCKET) != NULL;
	unsetenv(ENV_OWNS_SOCKET);
	return SYSTEMD_FIRST_FD;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fatal("cannot make a socket: %s", strerror(errno));
	return fd;
}

/* A socket file outlives its server. Only a socket that nobody answers may be replaced. */
static void remove_stale(const struct sockaddr_un *address)
{
	int fd = unix_socket();

	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
		fatal("%s: another server answers there", address->sun_path);
	if (errno != ECONNREFUSED || unlink(address->sun_path) != 0)
		fatal("%s: %s", address->sun_path, strerror(errno));
	close(fd);
}

/* nginx runs as another user. The permissions of the folder decide who may connect. */
static int bind_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *name = (const struct sockaddr *)&address;
	int fd = unix_socket();

	memcpy(address.sun_path, path, strlen(path) + 1); /* conf_load has checked its length */
	if (bind(fd, name, sizeof address) != 0) {
		if (errno != EADDRINUSE)
			fatal("%s: %s", path, strerror(errno));
		remove_stale(&address);
		if (bind(fd, name, sizeof address) != 0)
			fatal("%s: %s", path, strerror(errno));
	}
	if (chmod(path, 0666) != 0 || listen(fd, BACKLOG) != 0)
		fatal("%s: %s", path, strerror(errno));
	bound_here = true;
	return fd;
}

int listener_open(const struct conf *conf)
{
	int fd = systemd_socket();

	return fd >= 0 ? fd : bind_socket(conf->socket);
}

int listener_hand_over(int fd)
{
	char pid[16];

	if (fd != SYSTEMD_FIRST_FD)
		dup2(fd, SYSTEMD_FIRST_FD);
	else
		fcntl(fd, F_SETFD, 0);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	if (bound_here)
		setenv(ENV_OWNS_SOCKET, "yes", 1);
	return SYSTEMD_FIRST_FD;
}

void listener_remove(const struct conf *conf)
{
	if (bound_here)
		unlink(conf->socket);
}
