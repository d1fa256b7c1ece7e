/* Preloaded into a program: its clocks are ahead by the seconds in the file CLOCK_AHEAD. The first number is for the
 * clock that goes on while the host sleeps, the second for the time of day. A change of the file takes effect at once,
 * in all its processes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_s;

__attribute__((constructor)) static void find_file(void)
{
	const char *path = getenv("CLOCK_AHEAD");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 2 * sizeof *ahead_s, PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (at != MAP_FAILED)
		ahead_s = at;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int result = (int)syscall(SYS_clock_gettime, id, ts);

	if (result == 0 && ahead_s != NULL && (id == CLOCK_BOOTTIME || id == CLOCK_REALTIME))
		ts->tv_sec += ahead_s[id == CLOCK_REALTIME];
	return result;
}
