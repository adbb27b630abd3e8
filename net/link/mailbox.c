/* net/link/mailbox.c -- see mailbox.h.
 *
 * Posting appends under the lock, then wakes. Reading takes the whole list under the lock, cut at
 * the batch limit, and opens the letters outside it: a letter may post again, to any mailbox.
 * Invariant: tail is NULL exactly when head is. A shut mailbox takes nothing more in.
 */
#include "net/link/mailbox.h"

#include "core/base/assert.h"
#include "net/link/uv_err.h"

#define MAILBOX_WAIT_MAX_MS 86400000u /* a day: keeps the sum of nanoseconds far from its end */

static struct ml_letter *mailbox_take(struct ml_mailbox *mb, size_t max)
{
    struct ml_letter *first = mb->head;
    struct ml_letter *last = first;
    for (size_t n = 1; last != NULL && last->next != NULL && n < max; n++) {
        last = last->next;
    }
    if (last != NULL) {
        mb->head = last->next;
        last->next = NULL;
    }
    if (mb->head == NULL) {
        mb->tail = NULL;
    }
    return first;
}

static void letters_open(struct ml_letter *letter, bool canceled)
{
    while (letter != NULL) {
        struct ml_letter *next = letter->next;
        letter->next = NULL;
        letter->open(letter, canceled); /* may free it */
        letter = next;
    }
}

static void mailbox_cancel_all(struct ml_mailbox *mb)
{
    ml_mailbox_shut(mb);
    uv_mutex_lock(&mb->lock);
    struct ml_letter *left = mailbox_take(mb, SIZE_MAX);
    uv_mutex_unlock(&mb->lock);
    letters_open(left, true);
}

static void mailbox_on_async(uv_async_t *async)
{
    struct ml_mailbox *mb = async->data;
    uv_mutex_lock(&mb->lock);
    struct ml_letter *batch = mailbox_take(mb, ML_MAILBOX_BATCH_MAX);
    bool more = mb->head != NULL;
    uv_mutex_unlock(&mb->lock);
    if (more) {
        uv_async_send(async);
    }
    letters_open(batch, false);
}

static ml_err mailbox_init(struct ml_mailbox *mb)
{
    *mb = (struct ml_mailbox){.on_loop = false};
    ml_err err = ml_err_from_uv(uv_mutex_init(&mb->lock));
    if (err != ML_OK) {
        return err;
    }
    err = ml_err_from_uv(uv_cond_init(&mb->waiting));
    if (err != ML_OK) {
        uv_mutex_destroy(&mb->lock);
    }
    return err;
}

static void mailbox_destroy(struct ml_mailbox *mb)
{
    uv_cond_destroy(&mb->waiting);
    uv_mutex_destroy(&mb->lock);
}

static void mailbox_on_closed(uv_handle_t *handle)
{
    struct ml_mailbox *mb = handle->data;
    mailbox_destroy(mb);
    if (mb->closed != NULL) {
        mb->closed(mb, mb->user); /* may free mb: nothing may follow */
    }
}

ml_err ml_mailbox_init_loop(struct ml_mailbox *mb, uv_loop_t *loop)
{
    ml_err err = mailbox_init(mb);
    if (err != ML_OK) {
        return err;
    }
    mb->on_loop = true;
    mb->async.data = mb;
    err = ml_err_from_uv(uv_async_init(loop, &mb->async, mailbox_on_async));
    if (err != ML_OK) {
        mailbox_destroy(mb);
    }
    return err;
}

void ml_mailbox_close_loop(struct ml_mailbox *mb, void (*closed)(struct ml_mailbox *, void *),
                           void *user)
{
    ML_ASSERT(mb->on_loop);
    mb->closed = closed;
    mb->user = user;
    mailbox_cancel_all(mb);
    uv_close((uv_handle_t *)&mb->async, mailbox_on_closed);
}

ml_err ml_mailbox_init_thread(struct ml_mailbox *mb)
{
    return mailbox_init(mb);
}

void ml_mailbox_free_thread(struct ml_mailbox *mb)
{
    ML_ASSERT(!mb->on_loop);
    mailbox_cancel_all(mb);
    mailbox_destroy(mb);
}

void ml_mailbox_post(struct ml_mailbox *mb, struct ml_letter *letter)
{
    letter->next = NULL;
    uv_mutex_lock(&mb->lock);
    bool taken = !mb->shut;
    if (taken && mb->tail != NULL) {
        mb->tail->next = letter;
    } else if (taken) {
        mb->head = letter;
    }
    if (taken) {
        mb->tail = letter;
        if (mb->on_loop) { /* inside the lock, so that the handle can't close between */
            uv_async_send(&mb->async);
        } else {
            uv_cond_signal(&mb->waiting);
        }
    }
    uv_mutex_unlock(&mb->lock);
    if (!taken) {
        letter->open(letter, true);
    }
}

void ml_mailbox_shut(struct ml_mailbox *mb)
{
    uv_mutex_lock(&mb->lock);
    mb->shut = true;
    uv_cond_broadcast(&mb->waiting);
    uv_mutex_unlock(&mb->lock);
}

static void mailbox_wait(struct ml_mailbox *mb, uint64_t timeout_ms)
{
    if (timeout_ms == UINT64_MAX) {
        while (mb->head == NULL && !mb->shut) {
            uv_cond_wait(&mb->waiting, &mb->lock);
        }
        return;
    }
    uint64_t wait_ms = timeout_ms < MAILBOX_WAIT_MAX_MS ? timeout_ms : MAILBOX_WAIT_MAX_MS;
    uint64_t deadline_ns = uv_hrtime() + wait_ms * 1000000u;
    while (mb->head == NULL && !mb->shut) {
        uint64_t now_ns = uv_hrtime();
        if (now_ns >= deadline_ns ||
            uv_cond_timedwait(&mb->waiting, &mb->lock, deadline_ns - now_ns) == UV_ETIMEDOUT) {
            return;
        }
    }
}

bool ml_mailbox_drain(struct ml_mailbox *mb, uint64_t timeout_ms)
{
    ML_ASSERT(!mb->on_loop);
    uv_mutex_lock(&mb->lock);
    mailbox_wait(mb, timeout_ms);
    struct ml_letter *batch = mailbox_take(mb, ML_MAILBOX_BATCH_MAX);
    bool open = batch != NULL || !mb->shut;
    uv_mutex_unlock(&mb->lock);
    letters_open(batch, false);
    return open;
}
