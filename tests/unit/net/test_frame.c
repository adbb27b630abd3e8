/* tests/unit/net/test_frame.c -- frames as bytes: sizes, rekeying, what a peer may not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "fake_env.h"
#include "net/link/frame.h"

struct fixture {
    struct fake_env fake;
    struct ml_frame_writer writer;
    struct ml_frame_reader reader;
    struct ml_noise_cipher *rogue; /* the writer's key: a peer that breaks the rules */
    struct ml_buf wire;
    unsigned messages;
    size_t bytes;
};

static int setup(void **state)
{
    static struct fixture f;
    static const uint8_t key[ML_KEY_BYTES] = {9};
    struct ml_noise_cipher *ends[2] = {NULL, NULL};
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 1);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_noise_cipher_new(&ends[0], &f.fake.env, key, 0), ML_OK);
    assert_int_equal(ml_noise_cipher_new(&ends[1], &f.fake.env, key, 0), ML_OK);
    assert_int_equal(ml_noise_cipher_new(&f.rogue, &f.fake.env, key, 0), ML_OK);
    ml_frame_writer_init(&f.writer, &f.fake.env, ends[0], 1u << 20);
    ml_frame_reader_init(&f.reader, &f.fake.env, ends[1]);
    ml_buf_init(&f.wire, &f.fake.env, 1u << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_frame_writer_free(&f->writer);
    ml_frame_reader_free(&f->reader);
    ml_noise_cipher_free(f->rogue);
    ml_buf_free(&f->wire);
    return f->fake.live == 0 ? 0 : -1;
}

static ml_err on_message(void *user, struct ml_slice message)
{
    struct fixture *f = user;
    f->messages++;
    f->bytes += message.len;
    return ML_OK;
}

/* Seals what waits into one frame and opens it; its size on the wire. */
static size_t across(struct fixture *f)
{
    size_t len = 0;
    ml_buf_clear(&f->wire);
    assert_int_equal(ml_frame_seal(&f->writer, &f->wire), ML_OK);
    assert_int_equal(ml_frame_length(&len, ml_buf_slice(&f->wire)), ML_OK);
    assert_int_equal(len, f->wire.len);
    assert_int_equal(ml_frame_open(&f->reader, f->wire.data, len, on_message, f), ML_OK);
    return len;
}

static void put(struct fixture *f, uint8_t first, size_t len)
{
    static uint8_t message[ML_MSG_BYTES_MAX];
    memset(message, first, len);
    assert_int_equal(ml_frame_put(&f->writer, ml_slice(message, len)), ML_OK);
}

static void a_hello_makes_a_frame_of_exactly_64_bytes(void **state)
{
    struct fixture *f = *state;
    put(f, ML_MSG_VERSION, ML_HELLO_BYTES);
    assert_int_equal(across(f), 64);
    assert_int_equal(f->messages, 1);
    assert_int_equal(f->bytes, 46);
}

static void lengths_show_in_steps_of_64_bytes_only(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(across(f), 64); /* nothing to say: a sign of life */
    for (size_t len = 1; len <= 300; len++) {
        put(f, 0x20, len);
        size_t wire = across(f);
        assert_int_equal(wire % 64, 0);
        assert_in_range(wire, len + 2 + 4 + 16, len + 2 + 4 + 16 + 63);
    }
    assert_int_equal(f->messages, 300);
}

static void several_messages_share_a_frame(void **state)
{
    struct fixture *f = *state;
    put(f, 0x20, 10);
    put(f, ML_MSG_VERSION, ML_HELLO_BYTES);
    put(f, 0x20, 20);
    across(f);
    assert_int_equal(f->messages, 3);
    assert_int_equal(f->bytes, 76);
}

static void a_message_spans_frames(void **state)
{
    struct fixture *f = *state;
    put(f, 0x20, ML_MSG_BYTES_MAX);
    unsigned frames = 0;
    while (ml_frame_waiting(&f->writer) > 0) {
        assert_true(across(f) <= ML_FRAME_BYTES_MAX);
        frames++;
    }
    assert_int_equal(frames, 5);
    assert_int_equal(f->messages, 1);
    assert_int_equal(f->bytes, ML_MSG_BYTES_MAX);
}

static void both_ends_rekey_at_the_same_frame(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < ML_FRAME_REKEY; i++) {
        across(f);
    }
    uint8_t frame[64] = {0, 62};
    uint8_t *body = frame + ML_FRAME_HEAD;
    for (unsigned i = 0; i <= ML_FRAME_REKEY; i++) { /* who forgets to rekey ... */
        memset(body, 0, 46);
        body[0] = 0xff;
        assert_int_equal(ml_noise_seal(f->rogue, body, ml_slice(body, 46), ml_slice(frame, 2)),
                         ML_OK);
    }
    assert_int_equal(ml_frame_open(&f->reader, frame, 64, on_message, f), ML_E_FORGED);
    put(f, 0x20, 5);
    across(f); /* ... is not understood; who does, is */
    assert_int_equal(f->messages, 1);
}

static void lengths_that_no_frame_has_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t head[2];
        ml_err err;
    } cases[] = {
        {{0, 62}, ML_OK},              /* 64 */
        {{0, 61}, ML_E_MALFORMED},     /* no multiple of 64 */
        {{0, 0}, ML_E_MALFORMED},      /* 2 */
        {{0xff, 0xbe}, ML_OK},         /* 65,472: the largest */
        {{0xff, 0xfe}, ML_E_MALFORMED} /* 65,536 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = 9;
        assert_int_equal(ml_frame_length(&len, ml_slice(cases[i].head, 2)), cases[i].err);
        assert_int_equal(len, 0); /* not all there */
    }
}

/* One frame with this plaintext, from a peer that holds the key. */
static ml_err rogue(struct fixture *f, const void *plain, size_t len)
{
    uint8_t frame[64] = {0, 62};
    uint8_t *body = frame + ML_FRAME_HEAD;
    memcpy(body, plain, len);
    assert_int_equal(ml_noise_seal(f->rogue, body, ml_slice(body, 46), ml_slice(frame, 2)), ML_OK);
    return ml_frame_open(&f->reader, frame, 64, on_message, f);
}

static void padding_that_is_not_zero_is_refused(void **state)
{
    assert_int_equal(rogue(*state, "\xff\0\0\1", 4), ML_E_MALFORMED);
}

static void a_record_of_no_kind_is_refused(void **state)
{
    assert_int_equal(rogue(*state, "\x10", 1), ML_E_MALFORMED);
}

static void an_empty_message_is_refused(void **state)
{
    assert_int_equal(rogue(*state, "\xfe\0\0\0", 4), ML_E_MALFORMED);
}

static void a_message_over_the_limit_is_refused_by_its_length(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(rogue(f, "\xfe\4\0\0", 4), ML_OK); /* 262,144: to be continued */
    uint8_t over[4] = {0xfe, 4, 0, 1};
    ml_frame_reader_free(&f->reader);
    static const uint8_t key[ML_KEY_BYTES] = {9};
    struct ml_noise_cipher *again = NULL;
    assert_int_equal(ml_noise_cipher_new(&again, &f->fake.env, key, 1), ML_OK);
    ml_frame_reader_init(&f->reader, &f->fake.env, again);
    assert_int_equal(rogue(f, over, sizeof(over)), ML_E_LIMIT);
}

static void a_changed_bit_anywhere_is_seen(void **state)
{
    struct fixture *f = *state;
    put(f, 0x20, 20);
    assert_int_equal(ml_frame_seal(&f->writer, &f->wire), ML_OK);
    for (size_t i = 0; i < 64; i++) {
        uint8_t frame[64];
        memcpy(frame, f->wire.data, 64);
        frame[i] ^= 1;
        assert_int_equal(ml_frame_open(&f->reader, frame, 64, on_message, f), ML_E_FORGED);
    }
    assert_int_equal(f->messages, 0);
    assert_int_equal(ml_frame_open(&f->reader, f->wire.data, 64, on_message, f), ML_OK);
}

static void the_queue_ends_at_its_limit_and_stays_whole(void **state)
{
    struct fixture *f = *state;
    static uint8_t message[ML_MSG_BYTES_MAX + 1] = {0x20};
    for (unsigned i = 0; i < 3; i++) {
        put(f, 0x20, ML_MSG_BYTES_MAX);
    }
    size_t waiting = ml_frame_waiting(&f->writer);
    assert_int_equal(ml_frame_put(&f->writer, ml_slice(message, ML_MSG_BYTES_MAX)), ML_E_LIMIT);
    assert_int_equal(ml_frame_put(&f->writer, ml_slice(message, sizeof(message))), ML_E_LIMIT);
    assert_int_equal(ml_frame_put(&f->writer, ml_slice(message, 0)), ML_E_INVALID);
    assert_int_equal(ml_frame_waiting(&f->writer), waiting);
    put(f, 0x20, 100); /* a small one still fits */
    while (ml_frame_waiting(&f->writer) > 0) {
        across(f);
    }
    assert_int_equal(f->messages, 4);
}

static void a_failed_allocation_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static const uint8_t message[100] = {0x20};
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_frame_put(&f->writer, ml_slice(message, 100)), ML_E_NOMEM);
    assert_int_equal(ml_frame_waiting(&f->writer), 0);
    put(f, 0x20, 100);
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_frame_seal(&f->writer, &f->wire), ML_E_NOMEM);
    across(f);
    assert_int_equal(f->messages, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_hello_makes_a_frame_of_exactly_64_bytes),
        T(lengths_show_in_steps_of_64_bytes_only),
        T(several_messages_share_a_frame),
        T(a_message_spans_frames),
        T(both_ends_rekey_at_the_same_frame),
        T(lengths_that_no_frame_has_are_refused),
        T(padding_that_is_not_zero_is_refused),
        T(a_record_of_no_kind_is_refused),
        T(an_empty_message_is_refused),
        T(a_message_over_the_limit_is_refused_by_its_length),
        T(a_changed_bit_anywhere_is_seen),
        T(the_queue_ends_at_its_limit_and_stays_whole),
        T(a_failed_allocation_changes_nothing),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
