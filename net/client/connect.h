/* net/client/connect.h -- a connected socket to a home's daemon, started if need be. */
#ifndef ML_CLIENT_CONNECT_H
#define ML_CLIENT_CONNECT_H

#include "maille/client.h"

/** `*fd` is the caller's, non-blocking, close-on-exec. Errors: those of ml_client_open. */
ml_err ml_client_connect(int *fd, const struct ml_client_options *options) ML_MUST_CHECK;

#endif
