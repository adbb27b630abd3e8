/* net/client/limits.h -- limits of the local socket as the client sees them. */
#ifndef ML_CLIENT_LIMITS_H
#define ML_CLIENT_LIMITS_H

#include "core/codec/rpc_limits.h"

#endif
