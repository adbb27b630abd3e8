/* net/link/mailbox.h -- how one thread speaks to another: a locked queue of letters and a way to
 * wake who reads it.
 *
 * A letter is the first member of a bigger struct that its sender allocates; posting gives it away.
 * Its `open` runs once, on the reader's thread, with no lock held, and owns it from then on. What
 * is still in a mailbox when it is freed is opened with canceled = true, so that nothing leaks.
 *
 * Two readers exist: an event loop (woken by uv_async) and a plain thread (woken by a condition).
 * Posting never allocates, so it cannot fail; each sender bounds what it has in flight (calls per
 * session, credits per link), and ML_MAILBOX_BATCH_MAX bounds what one wake-up may do.
 */
#ifndef ML_NET_MAILBOX_H
#define ML_NET_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "maille/err.h"

#define ML_MAILBOX_BATCH_MAX 256u /* letters opened before the reader looks at its other work */

struct ml_letter;
/** Owns `letter` from now on. `canceled`: the mailbox is going away, only free things. */
typedef void ml_letter_cb(struct ml_letter *letter, bool canceled);

struct ml_letter {
    ml_letter_cb *open;
    struct ml_letter *next; /* private */
};

/** Caller-allocated; must stay in place until its free (loop: until `closed` ran). */
struct ml_mailbox {
    /* private */
    uv_mutex_t lock;
    uv_cond_t waiting;
    uv_async_t async;
    void (*closed)(struct ml_mailbox *mb, void *user);
    void *user;
    struct ml_letter *head, *tail;
    bool on_loop;
    bool shut;
};

/** A mailbox that `loop` opens by itself. Loop thread. Errors: NOMEM, IO (no descriptor left). */
ml_err ml_mailbox_init_loop(struct ml_mailbox *mb, uv_loop_t *loop) ML_MUST_CHECK;
/** Cancels what is left; `closed` (may be NULL) runs later, on the loop, last. Loop thread. */
void ml_mailbox_close_loop(struct ml_mailbox *mb, void (*closed)(struct ml_mailbox *, void *),
                           void *user);

/** A mailbox that a thread of ours reads. Errors: NOMEM, IO. */
ml_err ml_mailbox_init_thread(struct ml_mailbox *mb) ML_MUST_CHECK;
/** Cancels what is left and frees; no thread may still post or wait. */
void ml_mailbox_free_thread(struct ml_mailbox *mb);

/** Any thread. After ml_mailbox_shut the letter is opened here and now, canceled. */
void ml_mailbox_post(struct ml_mailbox *mb, struct ml_letter *letter);

/** From now on nothing is taken in, and a waiting reader wakes. Any thread. */
void ml_mailbox_shut(struct ml_mailbox *mb);

/**
 * Reader of a thread mailbox: opens up to ML_MAILBOX_BATCH_MAX letters. With none there, waits for
 * one up to `timeout_ms` (UINT64_MAX: for ever). False once it is shut and empty.
 */
bool ml_mailbox_drain(struct ml_mailbox *mb, uint64_t timeout_ms);

#endif
