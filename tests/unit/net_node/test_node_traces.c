/* test_node_traces.c -- what the node itself tells the auditor: refusals, failed unlocks, and the
 * exchanges of a day, summed up once (SEC.4, rules B23, decisions 16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/trace.h"
#include "core/crypto/aead.h"
#include "core/crypto/box.h"
#include "core/crypto/words.h"
#include "net/node/org.h"
#include "net/node/root.h"
#include "net/node/tally.h"
#include "support_story.h"

enum { DAY_MS = 86400000, FOUND_MAX = 64 };

struct found {
    struct ml_trace_entry entry;
    char context[ML_TRACE_TEXT_MAX + 1];
};

struct fixture {
    struct cluster c;
    struct ml_secret *structure; /* the auditor's key hangs on it */
    struct found found[FOUND_MAX];
    size_t count;
};

static void found_by_founder(struct fixture *f)
{
    struct story_request r;
    uint8_t token[32];
    struct ml_words_error wrong;
    cluster_start(&f->c, 0);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    story_must(&r, story_send(&r, &f->c, 0, "org.found"), "org.found");
    const char *words = ml_value_text(story_get(&r, "structure_words"), "");
    assert_int_equal(
        ml_words_decode(&f->structure, ML_STRUCTURE_SECRET_BYTES, ml_slice_str(words), &wrong),
        ML_OK);
    const char *hex = ml_value_text(story_get(&r, "token"), "");
    assert_int_equal(ml_hex_decode(token, sizeof(token), hex, strlen(hex)), ML_OK);
    cluster_keep_token(&f->c, 0, ml_slice(token, sizeof(token)));
    story_end(&r);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 23);
    found_by_founder(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_secret_free(f->structure);
    cluster_free(&f->c);
    return 0;
}

static struct ml_org *org_of(struct fixture *f)
{
    return f->c.nodes[0].node->orgs;
}

/* ---- the auditor reads lane 2 ---- */

static void key_open(uint8_t key[ML_AEAD_KEY_BYTES], struct fixture *f,
                     const struct ml_dict_entry *dict, struct ml_slice deposit_op)
{
    struct ml_trace_deposit deposit;
    struct ml_root_keys root;
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    ml_trace_context(context, &org_of(f)->id, &dict->key);
    assert_int_equal(ml_trace_deposit_decode(&deposit, deposit_op, NULL), ML_OK);
    assert_int_equal(ml_root_open(&root, f->structure), ML_OK);
    assert_int_equal(ml_open_anon(key, ml_slice(deposit.audit, sizeof(deposit.audit)), root.audit,
                                  ml_slice(context, sizeof(context))),
                     ML_OK);
    ml_root_close(&root);
}

static void entry_read(struct fixture *f, const uint8_t *key, const struct ml_header *header,
                       const struct ml_body_walk *walk, struct ml_slice sealed)
{
    static uint8_t plain[ML_BODY_BYTES_MAX];
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    struct ml_dict_entry dict;
    struct ml_list_walk entries;
    ml_list_walk(&entries, &header->dictionary);
    assert_true(ml_dict_next(&entries, &dict));
    ml_op_ad(ad, &org_of(f)->id, header, (uint8_t)walk->index, &dict);
    ml_op_nonce(nonce, &header->salt, (uint8_t)walk->index);
    assert_int_equal(ml_aead_open(plain, sealed, ml_slice(ad, sizeof(ad)), nonce, key), ML_OK);
    assert_true(f->count < FOUND_MAX);
    struct found *out = &f->found[f->count++];
    const struct ml_slice bytes = ml_slice(plain, sealed.len - ML_AEAD_TAG_BYTES);
    assert_int_equal(ml_trace_entry_decode(&out->entry, bytes, NULL), ML_OK);
    snprintf(out->context, sizeof(out->context), "%.*s", (int)out->entry.context.len,
             (const char *)out->entry.context.data);
}

static void bundle_read(struct fixture *f, const struct ml_log_entry *e)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    struct ml_dict_entry dict;
    struct ml_list_walk entries;
    uint8_t key[ML_AEAD_KEY_BYTES];
    ml_list_walk(&entries, &e->header.dictionary);
    assert_true(ml_dict_next(&entries, &dict));
    ml_body_walk(&walk, e->body.bytes);
    assert_true(ml_body_next(&walk, &op));
    key_open(key, f, &dict, op.sealed);
    while (ml_body_next(&walk, &op)) {
        entry_read(f, key, &e->header, &walk, op.sealed);
    }
}

/* Every entry of one action that stands in lane 2. */
static size_t audit(struct fixture *f, ml_trace_action action)
{
    struct ml_log_entry e;
    f->count = 0;
    for (uint64_t n = 0; ml_log_after(org_of(f)->log, n, 1u << ML_LANE_TRACE, &e) == ML_OK;
         n = e.n) {
        bundle_read(f, &e);
    }
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->found[i].entry.action == action) {
            f->found[kept++] = f->found[i];
        }
    }
    f->count = kept;
    return kept;
}

static bool is_by_node(const struct found *e)
{
    static const struct ml_member_id nobody;
    return memcmp(&e->entry.actor, &nobody, sizeof(nobody)) == 0;
}

/* ---- refusals and failed unlocks ---- */

static void a_call_from_another_session_is_traced_at_once(void **state)
{
    struct fixture *f = *state;
    struct cluster_node *node = &f->c.nodes[0];
    const size_t token_len = node->token_len;
    node->token_len = 0;
    node->posix_session = 4242;
    assert_int_equal(story_try_find(&f->c, 0), ML_E_LOCKED);
    node->token_len = token_len;
    cluster_run(&f->c, 1000); /* not 30 s */
    assert_int_equal(audit(f, ML_TRACE_READ), 1);
    assert_int_equal(f->found[0].entry.result, ML_TRACE_REFUSED);
    assert_string_equal(f->found[0].context, "patient.find");
    assert_true(is_by_node(&f->found[0]));
}

static void a_failed_unlock_of_an_open_structure_is_traced_at_once(void **state)
{
    struct fixture *f = *state;
    const struct ml_member_id member = org_of(f)->session->member;
    assert_int_equal(story_try_unlock(&f->c, 0, "une autre phrase entière"), ML_E_WRONG_KEY);
    cluster_run(&f->c, 1000);
    audit(f, ML_TRACE_UNLOCK);
    const struct found *last = &f->found[f->count - 1];
    assert_int_equal(last->entry.result, ML_TRACE_REFUSED);
    assert_true(is_by_node(last));
    assert_memory_equal(last->entry.object.b, member.b, sizeof(member.b)); /* who was claimed */
}

/* The journal's key is not there before the first unlock: counted in a file, told afterwards. */
static void failed_unlocks_of_a_closed_structure_are_told_by_the_next_one(void **state)
{
    struct fixture *f = *state;
    cluster_stop(&f->c, 0);
    cluster_start(&f->c, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(story_try_unlock(&f->c, 0, "une autre phrase entière"), ML_E_WRONG_KEY);
    }
    cluster_stop(&f->c, 0); /* the file outlives the process */
    cluster_start(&f->c, 0);
    const uint64_t wall = f->c.fake.wall_ms;
    cluster_run(&f->c, 5000);
    story_unlock(&f->c, 0);
    cluster_run(&f->c, 1000);
    audit(f, ML_TRACE_UNLOCK);
    unsigned told = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->found[i].entry.result == ML_TRACE_REFUSED) {
            told++;
            assert_int_equal(f->found[i].entry.count, 3);
            assert_true(f->found[i].entry.wall_ms <= wall);
        }
    }
    assert_int_equal(told, 1);
    cluster_stop(&f->c, 0);
    cluster_start(&f->c, 0);
    story_unlock(&f->c, 0);
    cluster_run(&f->c, 1000);
    audit(f, ML_TRACE_UNLOCK);
    for (size_t i = 0; i < f->count; i++) {
        told -= f->found[i].entry.result == ML_TRACE_REFUSED;
    }
    assert_int_equal(told, 0); /* once */
}

/* ---- exchanges ---- */

static void to_midnight(struct fixture *f)
{
    const uint64_t left = DAY_MS - f->c.fake.wall_ms % DAY_MS;
    f->c.fake.wall_ms += left - 500; /* the machine slept */
    cluster_run(&f->c, 61000);
}

static void joined(struct fixture *f)
{
    story_join(&f->c, 0, 1, "Léa Morin", 60);
    story_synced(&f->c, 1);
}

static void exchanges_are_summed_up_once_a_day(void **state)
{
    struct fixture *f = *state;
    char patient[40];
    joined(f);
    story_patient(&f->c, 1, patient);
    story_synced(&f->c, 1);
    story_pause(&f->c, 1, true);
    story_pause(&f->c, 1, false);
    story_synced(&f->c, 1);
    cluster_run(&f->c, 31000);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), 0); /* not before the day is over */
    to_midnight(f);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), 1);
    assert_true(is_by_node(&f->found[0]));
    assert_true(f->found[0].entry.count >= 2);
    assert_int_equal((f->found[0].entry.wall_ms + 1) % DAY_MS, 0);
    assert_null(strstr(f->found[0].context, "in 0 bundles"));
    assert_null(strstr(f->found[0].context, "out 0 bundles"));
    cluster_run(&f->c, 60000);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), 1);
}

static void a_day_without_exchange_says_nothing(void **state)
{
    struct fixture *f = *state;
    to_midnight(f);
    to_midnight(f);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), 0);
}

static void a_day_that_ended_while_the_node_was_off_is_told_at_the_next_opening(void **state)
{
    struct fixture *f = *state;
    joined(f);
    cluster_stop(&f->c, 1);
    cluster_stop(&f->c, 0);
    f->c.fake.wall_ms += 3 * (uint64_t)DAY_MS;
    cluster_start(&f->c, 0);
    story_unlock(&f->c, 0);
    cluster_run(&f->c, 61000);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), 1);
}

/* The tally as it stands on disk before or after the entry was written. */
static void crash_at(struct fixture *f, uint64_t closing, size_t told)
{
    struct ml_buf value;
    ml_buf_init(&value, &f->c.fake.env, 4096);
    joined(f);
    cluster_stop(&f->c, 1);
    cluster_run(&f->c, 31000);
    assert_int_equal(ml_log_setting_get(org_of(f)->log, "trace.exchange", &value), ML_OK);
    f->c.fake.wall_ms += DAY_MS;
    cluster_run(&f->c, 61000);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), 1);
    /* As a crash left it: `closing` is the place that the entry has, or one that nothing has. */
    ml_put_u64be(value.data, closing);
    assert_int_equal(ml_log_setting_put(org_of(f)->log, "trace.exchange", ml_buf_slice(&value)),
                     ML_OK);
    ml_buf_free(&value);
    struct ml_org *org = org_of(f);
    ml_release(&f->c.fake.env, org->tally); /* what is in memory dies with the process */
    org->tally = NULL;
    assert_int_equal(ml_tally_open(org), ML_OK);
    cluster_run(&f->c, 61000);
    assert_int_equal(audit(f, ML_TRACE_EXCHANGE), told);
}

static void a_crash_after_the_entry_tells_no_day_twice(void **state)
{
    crash_at(*state, 1, 1);
}

static void a_crash_before_the_entry_tells_the_day_again(void **state)
{
    crash_at(*state, UINT64_MAX, 2); /* the first one stands for itself: it was never written */
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_call_from_another_session_is_traced_at_once),
        T(a_failed_unlock_of_an_open_structure_is_traced_at_once),
        T(failed_unlocks_of_a_closed_structure_are_told_by_the_next_one),
        T(exchanges_are_summed_up_once_a_day),
        T(a_day_without_exchange_says_nothing),
        T(a_day_that_ended_while_the_node_was_off_is_told_at_the_next_opening),
        T(a_crash_after_the_entry_tells_no_day_twice),
        T(a_crash_before_the_entry_tells_the_day_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
