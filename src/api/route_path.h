/* The paths of the route table: literal text with holes. */
#ifndef API_ROUTE_PATH_H
#define API_ROUTE_PATH_H

#include "api/request.h"

/* Returns whether the path of the request matches, and sets the members of the request that belong to the holes. */
bool route_path_matches(const char *route, struct request *request);

/* Checks that only <id>, <position> and <phone> are holes, and that a request has room for them. */
bool route_path_is_good(const char *path);

#endif
