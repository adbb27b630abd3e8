/* tests/bench/daemon.h -- a real mailled on a folder of the fixture, spoken to through client.h. */
#ifndef ML_BENCH_DAEMON_H
#define ML_BENCH_DAEMON_H

#include "bench.h"
#include "net/demo_nodes.h"

struct bench_daemon {
    struct bench *bench;
    struct demo_node node;
};

/** Starts the mailled beside this program; *ms (NULL allowed) until it has answered a call. */
bool bench_daemon_start(struct bench_daemon *d, struct bench *b, const char *folder, double *ms);
/** Ends it in order; nothing runs: does nothing. */
void bench_daemon_stop(struct bench_daemon *d);
/** *ms (NULL allowed) until the first search was answered. The vault may still catch up. */
bool bench_daemon_unlock(struct bench_daemon *d, double *ms);
/** Takes `params` over (an open map); NULL, and the bench has failed. */
const struct ml_value *bench_daemon_call(struct bench_daemon *d, const char *method,
                                         struct ml_args *params);
/** A line of /proc/PID/status, in MB: "VmRSS", "VmHWM". */
double bench_daemon_mb(const struct bench_daemon *d, const char *line);

/** `b` joins the structure of `a`, whose session is open; both run. */
bool bench_daemon_enrol(struct bench_daemon *a, struct bench_daemon *b);
/** `b` dials `a` and has all of it when this returns, in its vault too; *ms: how long. */
bool bench_daemon_sync(struct bench_daemon *b, struct bench_daemon *a, double *ms);

#endif
