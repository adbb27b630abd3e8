/* net/link/worker.h -- one thread that owns an object, works through its mailbox and, between
 * batches, asks its object what time-driven work is due. The org thread is one.
 */
#ifndef ML_NET_WORKER_H
#define ML_NET_WORKER_H

#include <stdbool.h>
#include <uv.h>

#include "net/link/mailbox.h"

struct ml_worker_calls {
    /** After each batch, on the worker: does what is due, returns ms until it wants to be asked
     * again (0: at once, there is more to do; UINT64_MAX: only when a letter comes). */
    uint64_t (*step)(void *ctx);
    /** Once, on the worker, after the last letter: free what belongs to the thread. May be NULL. */
    void (*end)(void *ctx);
    void *ctx;
};

/** Caller-allocated; stays in place until ml_worker_join returned. */
struct ml_worker {
    struct ml_mailbox mailbox; /* post to it from any thread */
    /* private */
    struct ml_worker_calls calls;
    uv_thread_t thread;
};

/** Errors: NOMEM, IO. */
ml_err ml_worker_start(struct ml_worker *w, const struct ml_worker_calls *calls) ML_MUST_CHECK;

/** No more letters; what was posted before is still done. Any thread but the worker's own. */
void ml_worker_stop(struct ml_worker *w);
/** Waits for the worker to end, and frees its mailbox. After ml_worker_stop. */
void ml_worker_join(struct ml_worker *w);

#endif
