/* /people: what is stored of one person, by telephone number. */
#ifndef API_PEOPLE_H
#define API_PEOPLE_H

#include "api/request.h"

enum db_result people_export(struct request *request);
enum db_result people_erase(struct request *request);

#endif
