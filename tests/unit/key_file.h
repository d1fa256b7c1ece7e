/* A file of keys without a name. It disappears with the process, even if the keys are refused and the process ends. */
#ifndef TESTS_KEY_FILE_H
#define TESTS_KEY_FILE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vault.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "8NDl2QF5zZ3MNHwdiNQH4JUZpOiLVLuLgHLwNy+qjf8="

static inline void load_keys(const char *text)
{
	static int number = 100; /* each text has a path of its own, because a process reads a file of settings once */
	ssize_t len = (ssize_t)strlen(text);
	char path[64] = "/tmp/outdial-keys-XXXXXX";
	int file = mkstemp(path), fd = fcntl(file, F_DUPFD, number++);

	unlink(path);
	close(file);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		fatal("cannot write the keys");
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
	vault_load(path);
	close(fd);
}

#endif
