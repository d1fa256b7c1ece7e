/* A file of keys that lasts as long as it is loaded. */
#ifndef TESTS_KEY_FILE_H
#define TESTS_KEY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vault.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "8NDl2QF5zZ3MNHwdiNQH4JUZpOiLVLuLgHLwNy+qjf8="

static inline void load_keys(const char *text)
{
	char path[] = "/tmp/outdial-keys-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		fatal("cannot write %s", path);
	vault_load(path);
	unlink(path);
}

#endif
