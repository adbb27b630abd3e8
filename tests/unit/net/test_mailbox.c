/* tests/unit/net/test_mailbox.c -- letters arrive once, in order, on the reader's thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/link/worker.h"

enum { LETTERS = 1000, SENDERS = 4 };

struct note {
    struct ml_letter letter; /* first */
    unsigned *seen;
    unsigned number;
    unsigned *canceled;
    uv_thread_t *opened_on;
};

struct fixture {
    uv_loop_t loop;
    struct ml_mailbox mb;
    unsigned seen;
    unsigned canceled;
    uv_thread_t opened_on;
};

static void note_open(struct ml_letter *letter, bool canceled)
{
    struct note *n = (struct note *)letter;
    if (canceled) {
        ++*n->canceled;
    } else {
        assert_int_equal(*n->seen % LETTERS, n->number);
        ++*n->seen;
        *n->opened_on = uv_thread_self();
    }
    free(n);
}

static struct note *note_new(struct fixture *f, unsigned number)
{
    struct note *n = calloc(1, sizeof(*n));
    assert_non_null(n);
    *n = (struct note){.letter = {.open = note_open},
                       .seen = &f->seen,
                       .number = number,
                       .canceled = &f->canceled,
                       .opened_on = &f->opened_on};
    return n;
}

static void send_all(void *arg)
{
    struct fixture *f = arg;
    for (unsigned i = 0; i < LETTERS; i++) {
        ml_mailbox_post(&f->mb, &note_new(f, i)->letter);
    }
}

static void on_closed(struct ml_mailbox *mb, void *user)
{
    (void)mb;
    *(bool *)user = true;
}

/* --- a loop's mailbox --- */

static int setup_loop(void **state)
{
    static struct fixture f;
    f = (struct fixture){.seen = 0};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    assert_int_equal(ml_mailbox_init_loop(&f.mb, &f.loop), ML_OK);
    *state = &f;
    return 0;
}

static void close_loop(struct fixture *f)
{
    bool closed = false;
    ml_mailbox_close_loop(&f->mb, on_closed, &closed);
    assert_false(closed); /* never from inside the call */
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_true(closed);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void a_loop_opens_letters_of_another_thread_in_order(void **state)
{
    struct fixture *f = *state;
    uv_thread_t sender;
    assert_int_equal(uv_thread_create(&sender, send_all, f), 0);
    while (f->seen < LETTERS) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_thread_join(&sender);
    uv_thread_t self = uv_thread_self();
    assert_true(uv_thread_equal(&self, &f->opened_on));
    close_loop(f);
    assert_int_equal(f->canceled, 0);
}

static void one_wake_up_opens_at_most_a_batch(void **state)
{
    struct fixture *f = *state;
    send_all(f);
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_in_range(f->seen, 1, ML_MAILBOX_BATCH_MAX);
    while (f->seen < LETTERS) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    close_loop(f);
}

static void closing_cancels_what_is_left(void **state)
{
    struct fixture *f = *state;
    send_all(f);
    close_loop(f);
    assert_int_equal(f->seen, 0);
    assert_int_equal(f->canceled, LETTERS);
}

/* --- a thread's mailbox --- */

struct worked {
    struct fixture f;
    unsigned steps;
    unsigned ends;
    uint64_t next_ms;
    uv_sem_t stepped;
};

static uint64_t worked_step(void *ctx)
{
    struct worked *w = ctx;
    w->steps++;
    uv_sem_post(&w->stepped);
    return w->next_ms;
}

static void worked_end(void *ctx)
{
    ((struct worked *)ctx)->ends++;
}

static void worker_start(struct ml_worker *worker, struct worked *w, uint64_t next_ms)
{
    *w = (struct worked){.next_ms = next_ms};
    assert_int_equal(uv_sem_init(&w->stepped, 0), 0);
    const struct ml_worker_calls calls = {.step = worked_step, .end = worked_end, .ctx = w};
    assert_int_equal(ml_worker_start(worker, &calls), ML_OK);
}

static void a_worker_does_all_that_was_posted_before_it_stops(void **state)
{
    (void)state;
    struct ml_worker worker;
    struct worked w;
    worker_start(&worker, &w, UINT64_MAX);
    for (unsigned i = 0; i < LETTERS; i++) {
        ml_mailbox_post(&worker.mailbox, &note_new(&w.f, i)->letter);
    }
    ml_worker_stop(&worker);
    ml_mailbox_post(&worker.mailbox, &note_new(&w.f, 0)->letter); /* too late */
    ml_worker_join(&worker);
    assert_int_equal(w.f.seen, LETTERS);
    assert_int_equal(w.f.canceled, 1);
    assert_int_equal(w.ends, 1);
    uv_sem_destroy(&w.stepped);
}

static void a_worker_steps_again_when_its_time_has_come(void **state)
{
    (void)state;
    struct ml_worker worker;
    struct worked w;
    worker_start(&worker, &w, 1);
    for (unsigned i = 0; i < 5; i++) { /* no letter comes: time alone wakes it */
        uv_sem_wait(&w.stepped);
    }
    ml_worker_stop(&worker);
    ml_worker_join(&worker);
    assert_true(w.steps >= 5);
    uv_sem_destroy(&w.stepped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_loop_opens_letters_of_another_thread_in_order, setup_loop),
        cmocka_unit_test_setup(one_wake_up_opens_at_most_a_batch, setup_loop),
        cmocka_unit_test_setup(closing_cancels_what_is_left, setup_loop),
        cmocka_unit_test(a_worker_does_all_that_was_posted_before_it_stops),
        cmocka_unit_test(a_worker_steps_again_when_its_time_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
