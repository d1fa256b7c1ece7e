/* The description of the API for machines, docs/openapi.yaml, as JSON. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include <stddef.h>

extern const char openapi_document[];
extern const size_t openapi_document_len;

#endif
