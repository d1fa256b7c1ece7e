/* The files for TLS that the configuration names. */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/conf.h"

/* Ends the process when one cannot be used: no certificate in it, or a key of another certificate. */
void tls_require_files(const struct conf *conf);

#endif
