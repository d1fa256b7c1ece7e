#include "base/wake.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/crypto.h"

#define LISTENERS 8 /* schedulers of one installation on this host that are woken */

/* Returns the length of the address. The name begins with a zero byte, so it is not a file. */
static socklen_t make_address(struct sockaddr_un *address, const char *database_file, int nth)
{
	uint8_t hash[SHA256_SIZE];
	int len;

	crypto_sha256(database_file, strlen(database_file), hash);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "outdial-%02x%02x%02x%02x%02x%02x%02x%02x-%d",
	               hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7], nth);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int wake_listen(const char *database_file)
{
	int fd = open_socket();

	for (int nth = 0; fd >= 0 && nth < LISTENERS; nth++) {
		struct sockaddr_un address;
		socklen_t len = make_address(&address, database_file, nth);

		if (bind(fd, (const struct sockaddr *)&address, len) == 0)
			return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool wake_clear(int fd)
{
	bool any = false;
	char byte;

	while (recv(fd, &byte, sizeof byte, 0) >= 0)
		any = true;
	return any;
}

void wake_send(const char *database_file)
{
	static int fd = -1;

	if (fd < 0)
		fd = open_socket();
	for (int nth = 0; fd >= 0 && nth < LISTENERS; nth++) {
		struct sockaddr_un address;
		socklen_t len = make_address(&address, database_file, nth);

		sendto(fd, "", 1, MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
	}
}
