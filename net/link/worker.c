/* net/link/worker.c -- see worker.h. */
#include "net/link/worker.h"

#include "net/link/uv_err.h"

static void worker_run(void *arg)
{
    struct ml_worker *w = arg;
    uint64_t wait_ms = 0;
    while (ml_mailbox_drain(&w->mailbox, wait_ms)) {
        wait_ms = w->calls.step(w->calls.ctx);
    }
    if (w->calls.end != NULL) {
        w->calls.end(w->calls.ctx);
    }
}

ml_err ml_worker_start(struct ml_worker *w, const struct ml_worker_calls *calls)
{
    w->calls = *calls;
    ml_err err = ml_mailbox_init_thread(&w->mailbox);
    if (err != ML_OK) {
        return err;
    }
    err = ml_err_from_uv(uv_thread_create(&w->thread, worker_run, w));
    if (err != ML_OK) {
        ml_mailbox_free_thread(&w->mailbox);
    }
    return err;
}

void ml_worker_stop(struct ml_worker *w)
{
    ml_mailbox_shut(&w->mailbox);
}

void ml_worker_join(struct ml_worker *w)
{
    uv_thread_join(&w->thread);
    ml_mailbox_free_thread(&w->mailbox);
}
