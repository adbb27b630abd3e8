/* net/client/place.h -- where a home and its socket are (decisions 3 and 4); one rule for the
 * daemon and its clients. */
#ifndef ML_CLIENT_PLACE_H
#define ML_CLIENT_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "maille/err.h"

#define ML_SOCKET_PATH_MAX 108 /* sun_path on Linux, its NUL included */

/** Plain data, but for run_fd: ml_place_free closes it. */
struct ml_place {
    char home[PATH_MAX];             /* absolute, links resolved */
    char run[PATH_MAX];              /* folder of the socket, 0700 */
    char state[PATH_MAX];            /* folder outside the home, for anti-rollback records */
    char socket[ML_SOCKET_PATH_MAX]; /* to bind and connect; through run_fd when too long */
    int run_fd;                      /* -1 unless `socket` needs it */
};

/** The home as the user means it, not yet resolved: `home`, else $MAILLE_HOME, else
 * $XDG_DATA_HOME/maille, else ~/.local/share/maille. LIMIT when too long, INVALID without HOME. */
ml_err ml_place_home(char out[PATH_MAX], const char *home) ML_MUST_CHECK;
/** Resolves the rest. `make`: folders that lack are made, 0700 (the daemon). Errors: NOT_FOUND (no
 * such home), DENIED, READONLY, FULL, LIMIT, IO. */
ml_err ml_place_find(struct ml_place *place, const char *home, bool make) ML_MUST_CHECK;
void ml_place_free(struct ml_place *place);

/** errno in our words. */
ml_err ml_err_from_errno(int code) ML_MUST_CHECK;

#endif
