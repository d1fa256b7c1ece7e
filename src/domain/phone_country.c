#include "domain/phone_country.h"

#include <ctype.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define MODULE "outdial-phonenumber.so"

static struct {
	bool was_tried;
	int (*knows)(const char *);
	enum phonenumber_result (*complete)(const char *, const char *, int, char *);
} module;

/* The module is in the folder of the program if it was built there, else where it was installed. */
static void *open_module(void)
{
	char program[PATH_MAX], path[PATH_MAX + sizeof MODULE];
	ssize_t len = readlink("/proc/self/exe", program, sizeof program);
	void *handle;

	while (len > 0 && program[len - 1] != '/')
		len--;
	snprintf(path, sizeof path, "%.*s" MODULE, len > 0 ? (int)len : 0, program);
	handle = *path == '/' ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	return handle != NULL ? handle : dlopen(MODULEDIR "/" MODULE, RTLD_NOW | RTLD_LOCAL);
}

static void load(void)
{
	void *handle;

	if (module.was_tried)
		return;
	module.was_tried = true;
	handle = open_module();
	if (handle == NULL) {
		log_info("numbers cannot be completed by a country: %s", dlerror());
		return;
	}
	module.complete = (enum phonenumber_result(*)(const char *, const char *, int,
	                                              char *))dlsym(handle, "phonenumber_complete");
	module.knows = (int (*)(const char *))dlsym(handle, "phonenumber_knows");
}

const char *phone_country_check(struct arena *arena, const char **country)
{
	const char *given = *country;

	if (strlen(given) != 2 || !isalpha((unsigned char)given[0]) || !isalpha((unsigned char)given[1]))
		return "must be a country in two letters (ISO 3166), such as DE";
	*country = arena_printf(arena, "%c%c", toupper((unsigned char)given[0]), toupper((unsigned char)given[1]));
	load();
	if (module.knows == NULL || module.complete == NULL)
		return "cannot be used: this server was installed without libphonenumber, which has the rules of countries";
	return module.knows(*country) ? NULL : "is not a country whose numbers are known";
}

enum phonenumber_result phone_country_complete(const char *digits, const char *country, bool is_long_enough,
                                               char out[PHONENUMBER_SIZE])
{
	return module.complete(digits, country, is_long_enough, out);
}

bool phone_country_is_loaded(void)
{
	return module.complete != NULL;
}
