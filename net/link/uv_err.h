/* net/link/uv_err.h -- libuv's codes in our words; the one place that translates them. */
#ifndef ML_NET_UV_ERR_H
#define ML_NET_UV_ERR_H

#include "maille/err.h"

/** 0 or more is OK; UV_E... else. */
ml_err ml_err_from_uv(int status) ML_MUST_CHECK;

#endif
