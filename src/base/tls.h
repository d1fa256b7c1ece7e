/* Checks the TLS files that the configuration names. */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/conf.h"

/* Ends the process if a file cannot be used: it has no certificate, or the key belongs to another certificate. */
void tls_require_files(const struct conf *conf);

#endif
