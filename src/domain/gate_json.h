/* What a gate judges by, for whoever asks why. */
#ifndef DOMAIN_GATE_JSON_H
#define DOMAIN_GATE_JSON_H

#include "base/json.h"
#include "domain/gate.h"

/* An object. */
void gate_write_facts(struct json *json, const char *key, enum gate gate, const struct gate_facts *facts);

#endif
