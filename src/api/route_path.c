#include "api/route_path.h"

#include <stdlib.h>
#include <string.h>

#define ID_TEXT_MAX 48 /* a UUID and its prefix */
#define PHONE_TEXT_MAX 32

/* Returns the prefix of an id in a path, which follows from the text before its hole; NULL: there is none. */
static const char *prefix_of(const char *path, const char *hole)
{
	static const struct {
		const char *before, *prefix;
	} types[] = {
		{ "/agents/", ID_AGENT },     { "/numbers/", ID_NUMBER },    { "/contacts/", ID_CONTACT },
		{ "/folders/", ID_FOLDER },   { "/batch-calls/", ID_BATCH }, { "/calls/", ID_CALL },
		{ "/webhooks/", ID_WEBHOOK }, { "/keys/", ID_KEY },          { "/deliveries/", "" },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t len = strlen(types[i].before);

		if ((size_t)(hole - path) >= len && memcmp(hole - len, types[i].before, len) == 0)
			return types[i].prefix;
	}
	return NULL;
}

static bool match_id(const char *text, size_t len, const char *prefix, struct uuid *id)
{
	char copy[ID_TEXT_MAX];

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return uuid_parse_id(copy, prefix, id);
}

static bool match_position(const char *text, size_t len, int64_t *position)
{
	if (len == 0 || len > 10 || *text == '0' || strspn(text, "0123456789") < len)
		return false;
	*position = strtoll(text, NULL, 10);
	return *position <= UINT32_MAX;
}

static bool match_phone(struct arena *arena, const char *text, size_t len, const char **phone_number)
{
	*phone_number = arena_strndup(arena, text, len < PHONE_TEXT_MAX ? len : PHONE_TEXT_MAX);
	return phone_is_e164(*phone_number);
}

/* Sets the members of the request that belong to the hole. */
static bool match_hole(const char *route, const char *hole, const char *text, size_t len, struct request *request,
                       size_t *ids)
{
	switch (hole[2]) { /* of <id>, <phone> or <position> */
	case 'd': return match_id(text, len, prefix_of(route, hole), &request->ids[(*ids)++]);
	case 'h': return match_phone(request->arena, text, len, &request->phone_number);
	default: return match_position(text, len, &request->position);
	}
}

bool route_path_matches(const char *route, struct request *request)
{
	const char *pattern = route, *path = request->path;
	size_t ids = 0;

	while (*pattern != '\0') {
		if (*pattern != '<') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");

		if (!match_hole(route, pattern, path, len, request, &ids))
			return false;
		path += len;
		pattern = strchr(pattern, '>') + 1;
	}
	return *path == '\0';
}

bool route_path_is_good(const char *path)
{
	int ids = 0, others = 0, holes = 0;

	for (const char *hole = strchr(path, '<'); hole != NULL; hole = strchr(hole + 1, '<')) {
		ids += strncmp(hole, "<id>", 4) == 0;
		others += strncmp(hole, "<position>", 10) == 0 || strncmp(hole, "<phone>", 7) == 0;
		holes++;
		if (hole[-1] != '/' || (hole[2] == 'd' && prefix_of(path, hole) == NULL))
			return false;
	}
	return ids + others == holes && ids <= REQUEST_HOLES_MAX && others <= 1;
}
