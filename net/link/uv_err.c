/* net/link/uv_err.c -- see uv_err.h. */
#include "net/link/uv_err.h"

#include <uv.h>

ml_err ml_err_from_uv(int status)
{
    if (status >= 0) {
        return ML_OK;
    }
    switch (status) {
    case UV_ENOMEM:
        return ML_E_NOMEM;
    case UV_ECANCELED:
        return ML_E_CANCELED;
    case UV_ETIMEDOUT:
        return ML_E_TIMEOUT;
    case UV_ECONNREFUSED:
    case UV_ECONNRESET:
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
    case UV_EPIPE:
    case UV_EOF:
        return ML_E_UNREACHABLE;
    case UV_EADDRINUSE:
    case UV_EEXIST:
        return ML_E_EXISTS;
    case UV_EACCES:
    case UV_EPERM:
        return ML_E_DENIED;
    case UV_EMFILE:
    case UV_ENFILE:
        return ML_E_LIMIT;
    case UV_EINVAL:
    case UV_EADDRNOTAVAIL:
        return ML_E_INVALID;
    default:
        return ML_E_IO;
    }
}
