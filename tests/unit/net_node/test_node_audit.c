/* test_node_audit.c -- reading traces (SEC.5): the auditor finds everybody's, anybody else his own;
 * reading leaves an entry; what is taken away is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ids.h"
#include "core/codec/trace.h"
#include "net/node/call.h"
#include "net/node/org.h"
#include "net/node/trace.h"
#include "support_story.h"

enum { SHEETS = 3 };

struct fixture {
    struct cluster c;
    char sheet[SHEETS][1024];
    char member[2][40]; /* who is on node 0, 1 */
    char patient[40];
};

static void whoami(struct fixture *f, unsigned n)
{
    const struct ml_org *org = f->c.nodes[n].node->orgs;
    char hex[ML_ID_HEX_SIZE];
    ml_hex_encode(hex, org->session->member.b, sizeof(org->session->member.b));
    snprintf(f->member[n], sizeof(f->member[n]), "%s", hex);
}

static void found(struct fixture *f)
{
    struct story_request r;
    uint8_t token[32];
    cluster_start(&f->c, 0);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    story_must(&r, story_send(&r, &f->c, 0, "org.found"), "org.found");
    const char *hex = ml_value_text(story_get(&r, "token"), "");
    assert_int_equal(ml_hex_decode(token, sizeof(token), hex, strlen(hex)), ML_OK);
    cluster_keep_token(&f->c, 0, ml_slice(token, sizeof(token)));
    for (unsigned i = 0; i < SHEETS; i++) {
        const struct ml_value *share = ml_value_at(story_get(&r, "shares"), i);
        snprintf(f->sheet[i], sizeof(f->sheet[i]), "%s",
                 ml_value_text(ml_value_get(share, "line"), ""));
    }
    story_end(&r);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 31);
    found(&f);
    whoami(&f, 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cluster_free(&f->c);
    return 0;
}

static void joined(struct fixture *f, int role)
{
    story_join(&f->c, 0, 1, "Léa Morin", role);
    story_synced(&f->c, 1);
    whoami(f, 1);
}

static ml_err grant(struct fixture *f, unsigned by, const char *member, bool sheets)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", member);
    if (sheets) {
        ml_args_key(r.args, "shares");
        ml_args_list(r.args);
        for (unsigned i = 0; i < SHEETS; i++) {
            ml_args_text(r.args, f->sheet[i]);
        }
        ml_args_end(r.args);
    }
    const ml_err err = story_send(&r, &f->c, by, "trace.grant");
    story_end(&r);
    return err;
}

struct answer {
    int items;
    int of_patient;
    int by[2];
    int refused;
    int doubtful;
    int with_purpose;
    int with_object;
    bool all;
    bool more;
    int64_t next;
    int64_t closed;
};

static void item_count(const struct fixture *f, const struct ml_value *i, struct answer *a)
{
    const char *member = ml_value_text(ml_value_get(ml_value_get(i, "actor"), "member"), "");
    a->items++;
    a->of_patient += strcmp(ml_value_text(ml_value_get(i, "patient"), ""), f->patient) == 0;
    a->by[0] += strcmp(member, f->member[0]) == 0;
    a->by[1] += strcmp(member, f->member[1]) == 0;
    a->refused += strcmp(ml_value_text(ml_value_get(i, "result"), ""), "refused") == 0;
    a->doubtful += ml_value_bool(ml_value_get(i, "doubtful"), true);
    a->with_purpose += ml_value_get(i, "purpose") != NULL;
    a->with_object += ml_value_get(i, "object") != NULL;
}

/* `key` and `value` may be NULL; `after` is where the search goes on. */
static ml_err search(struct fixture *f, unsigned n, const char *const pairs[4], int64_t after,
                     struct answer *a)
{
    struct story_request r;
    memset(a, 0, sizeof(*a));
    story_ask(&r);
    for (unsigned i = 0; i < 4 && pairs != NULL && pairs[i] != NULL; i += 2) {
        story_put(&r, pairs[i], pairs[i + 1]);
    }
    ml_args_key(r.args, "after");
    ml_args_int(r.args, after);
    ml_args_key(r.args, "limit");
    ml_args_int(r.args, pairs == NULL ? 3 : 500);
    const ml_err err = story_send(&r, &f->c, n, "trace.search");
    for (const struct ml_value *i = ml_value_at(story_get(&r, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        item_count(f, i, a);
    }
    a->all = ml_value_bool(story_get(&r, "all"), false);
    a->more = ml_value_bool(story_get(&r, "more"), false);
    a->next = ml_value_int(story_get(&r, "next"), -1);
    a->closed = ml_value_int(story_get(&r, "closed"), -1);
    story_end(&r);
    return err;
}

static void show(struct fixture *f, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_must(&r, story_send(&r, &f->c, n, "patient.show"), "patient.show");
    story_end(&r);
}

static ml_err use(struct fixture *f, const char *method, const char *use)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_put(&r, "object", f->patient);
    story_put(&r, "use", use);
    const ml_err err = story_send(&r, &f->c, 0, method);
    story_end(&r);
    return err;
}

#define OF(...) ((const char *const[4]){__VA_ARGS__})

/* SEC.4: paper and files are no mere reading. */
static void what_is_printed_or_exported_is_traced_as_that(void **state)
{
    static const char *const methods[] = {"patient.show", "timeline.list", "record.show",
                                          "document.show", "consent.show"};
    struct fixture *f = *state;
    struct answer a;
    const int count = sizeof(methods) / sizeof(methods[0]);
    story_patient(&f->c, 0, f->patient);
    for (int i = 0; i < count; i++) {
        assert_int_equal(use(f, methods[i], "print"), ML_OK);
        assert_int_equal(use(f, methods[i], "export"), ML_OK);
        assert_int_equal(use(f, methods[i], "read"), ML_E_INVALID);
        assert_int_equal(use(f, methods[i], "write"), ML_E_INVALID);
        assert_int_equal(use(f, methods[i], "soin"), ML_E_INVALID);
    }
    assert_int_equal(search(f, 0, OF("patient", f->patient, "action", "print"), 0, &a), ML_OK);
    assert_int_equal(a.items, count);
    assert_int_equal(a.by[0], count);
    assert_int_equal(a.with_object, count);
    assert_int_equal(search(f, 0, OF("patient", f->patient, "action", "export"), 0, &a), ML_OK);
    assert_int_equal(a.items, count);
    assert_int_equal(search(f, 0, OF("patient", f->patient, "action", "read"), 0, &a), ML_OK);
    assert_int_equal(a.items, 0);
    assert_int_equal(use(f, "trace.search", "print"), ML_OK); /* looking at traces is that alone */
    assert_int_equal(search(f, 0, OF("action", "audit"), 0, &a), ML_OK);
    assert_int_equal(a.items, 5); /* this one too */
}

static void everybody_finds_his_own(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    story_patient(&f->c, 0, f->patient);
    show(f, 0);
    show(f, 0);
    assert_int_equal(search(f, 0, OF("patient", f->patient, "action", "read"), 0, &a), ML_OK);
    assert_int_equal(a.items, 2);
    assert_int_equal(a.by[0], 2);
    assert_int_equal(a.doubtful, 0);
    assert_false(a.all);
    assert_int_equal(search(f, 0, OF("action", "write", "patient", f->patient), 0, &a), ML_OK);
    assert_int_equal(a.items, 1); /* the op is its own trace */
    assert_int_equal(search(f, 0, OF("action", "read", "to", "2001-01-01"), 0, &a), ML_OK);
    assert_int_equal(a.items, 0);
    assert_int_equal(search(f, 0, OF("action", "read", "from", "2001-01-01"), 0, &a), ML_OK);
    assert_int_equal(a.items, 2);
    assert_int_equal(search(f, 0, OF("action", "dance"), 0, &a), ML_E_INVALID);
    assert_int_equal(search(f, 0, OF("result", "none"), 0, &a), ML_E_INVALID);
}

static void reading_traces_is_traced(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    assert_int_equal(search(f, 0, OF("action", "audit"), 0, &a), ML_OK);
    assert_int_equal(a.items, 1); /* itself */
    assert_int_equal(search(f, 0, OF("action", "audit"), 0, &a), ML_OK);
    assert_int_equal(a.items, 2);
}

static void what_others_did_is_the_auditors(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    char other[40];
    joined(f, 60);
    story_patient(&f->c, 0, f->patient);
    story_synced(&f->c, 1);
    show(f, 1);
    cluster_run(&f->c, 31000);
    story_patient(&f->c, 1, other); /* traces ride along */
    story_synced(&f->c, 1);
    assert_int_equal(search(f, 0, OF("action", "read"), 0, &a), ML_OK);
    assert_int_equal(a.by[1], 0); /* a coordinator without the key */
    assert_true(a.closed > 0);
    assert_int_equal(search(f, 1, OF("action", "write"), 0, &a), ML_OK);
    assert_int_equal(a.by[0], 0); /* what others wrote neither */
    assert_true(a.by[1] > 0);
    assert_int_equal(search(f, 1, OF("member", f->member[0]), 0, &a), ML_E_DENIED);
    assert_int_equal(search(f, 1, OF("result", "refused"), 0, &a), ML_OK);
    assert_int_equal(a.refused, 1); /* the attempt itself */

    assert_int_equal(grant(f, 0, f->member[0], false), ML_E_NO_KEY);
    assert_int_equal(grant(f, 0, f->member[1], true), ML_E_DENIED); /* no coordinator, no matrix */
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    assert_int_equal(grant(f, 0, f->member[0], false), ML_E_EXISTS);
    assert_int_equal(search(f, 0, OF("patient", f->patient, "action", "read"), 0, &a), ML_OK);
    assert_true(a.all);
    assert_int_equal(a.by[1], 1); /* who read this record */
    assert_int_equal(a.closed, 0);
    assert_int_equal(a.doubtful, 0);
}

static void the_key_alone_is_not_enough(void **state)
{
    struct fixture *f = *state;
    struct story_request r;
    struct answer a;
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, 0, "right.adopt"), "right.adopt");
    story_end(&r);
    assert_int_equal(search(f, 0, OF("action", "govern"), 0, &a), ML_OK);
    assert_false(a.all); /* a doctor reads his own, whatever he holds */
    assert_int_equal(grant(f, 0, f->member[0], false), ML_E_DENIED);
}

static void a_search_goes_on_where_it_ended(void **state)
{
    struct fixture *f = *state;
    struct answer a = {.more = true};
    int found_ones = 0;
    story_patient(&f->c, 0, f->patient);
    for (unsigned i = 0; i < 10; i++) {
        show(f, 0);
        cluster_run(&f->c, 31000);
    }
    int64_t after = 0;
    for (unsigned calls = 0; a.more && calls < 100; calls++) {
        assert_int_equal(search(f, 0, NULL, after, &a), ML_OK);
        assert_true(a.items <= 64);
        found_ones += a.of_patient;
        assert_true(a.next > after || !a.more);
        after = a.next;
    }
    assert_false(a.more);
    assert_int_equal(found_ones, 11); /* ten readings, one writing */
}

/* ---- proof ---- */

struct proof {
    bool intact;
    int64_t gaps;
    int64_t entries;
};

static void verify(struct fixture *f, unsigned n, struct proof *p)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "trace.verify"), "trace.verify");
    p->intact = ml_value_bool(story_get(&r, "intact"), false);
    p->gaps = ml_value_int(story_get(&r, "gap_count"), -1);
    p->entries = ml_value_int(story_get(&r, "entries"), -1);
    story_end(&r);
}

static void whole_traces_are_proved(void **state)
{
    struct fixture *f = *state;
    struct proof p;
    joined(f, 60);
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    story_patient(&f->c, 0, f->patient);
    show(f, 0);
    cluster_run(&f->c, 31000);
    show(f, 0);
    story_synced(&f->c, 1);
    verify(f, 0, &p);
    assert_true(p.intact);
    assert_int_equal(p.gaps, 0);
    assert_true(p.entries > 3);
}

static void a_journal_that_was_taken_away_leaves_a_gap(void **state)
{
    struct fixture *f = *state;
    struct proof p;
    struct answer a;
    char path[512];
    char id[ML_HEX_SIZE(32)];
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    ml_hex_encode(id, f->c.nodes[0].node->orgs->id.b, 32);
    snprintf(path, sizeof(path), "%s/%s/trace.journal", f->c.nodes[0].home, id);
    cluster_stop(&f->c, 0);
    assert_int_equal(unlink(path), 0);
    cluster_start(&f->c, 0);
    story_unlock(&f->c, 0);
    verify(f, 0, &p);
    assert_false(p.intact);
    assert_int_equal(p.gaps, 1);
    assert_int_equal(search(f, 0, OF("action", "audit", "result", "failed"), 0, &a), ML_OK);
    assert_int_equal(a.items, 1); /* the node says so itself */
}

static void unlocked_again(struct fixture *f, unsigned n)
{
    cluster_stop(&f->c, n);
    cluster_start(&f->c, n);
    story_unlock(&f->c, n);
    cluster_run(&f->c, 61000);
}

/* Traces end by themselves (ADR 0026): what is missing for that isn't told, what was taken away is.
 */
static void what_is_over_is_no_gap_and_a_gap_is_one(void **state)
{
    struct fixture *f = *state;
    struct proof p;
    char path[512];
    char id[ML_HEX_SIZE(32)];
    char other[40];
    joined(f, 60);
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    story_patient(&f->c, 0, f->patient);
    show(f, 0);
    cluster_run(&f->c, 61000);
    f->c.fake.wall_ms += UINT64_C(400) * 86400 * 1000;
    for (unsigned n = 2; n-- > 0;) { /* she first, so that he sees it */
        unlocked_again(f, n);
        story_patient(&f->c, n, other);
        cluster_run(&f->c, 61000);
    }
    unlocked_again(f, 0);
    verify(f, 0, &p);
    assert_true(p.intact);
    assert_int_equal(p.gaps, 0);
    ml_hex_encode(id, f->c.nodes[0].node->orgs->id.b, 32);
    snprintf(path, sizeof(path), "%s/%s/trace.journal", f->c.nodes[0].home, id);
    show(f, 0);
    cluster_stop(&f->c, 0);
    assert_int_equal(unlink(path), 0);
    cluster_start(&f->c, 0);
    story_unlock(&f->c, 0);
    verify(f, 0, &p);
    assert_false(p.intact);
    assert_int_equal(p.gaps, 1);
}

/* Which of a node's methods might take an entry away? */
static void nothing_erases_a_trace(void **state)
{
    (void)state;
    const struct ml_method *m = NULL;
    for (size_t i = 0; (m = ml_method_at(i)) != NULL; i++) {
        if (strncmp(m->name, "trace.", 6) == 0) {
            assert_true(strcmp(m->name, "trace.search") == 0 ||
                        strcmp(m->name, "trace.verify") == 0 ||
                        strcmp(m->name, "trace.grant") == 0);
        }
    }
}

/* Whatever fails, the key is handed or it isn't: never half. */
static void a_grant_at_any_failed_allocation_is_whole_or_none(void **state)
{
    struct fixture *f = *state;
    ml_err err = ML_OK;
    bool spared = false;
    long n = 0;
    while (!spared) {
        f->c.fake.fail_alloc = ++n;
        err = grant(f, 0, f->member[0], true);
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM || err == ML_E_EXISTS);
        assert_true(spared || n < 3000);
    }
    assert_true(n > 20);
    assert_int_equal(grant(f, 0, f->member[0], false), ML_E_EXISTS);
}

/* From where the last one ended, so that each reads as much as the one before. */
static void a_search_at_any_failed_allocation_fails_or_finds_all(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    bool spared = false;
    long n = 0;
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    while (!spared) {
        const int64_t after = (int64_t)ml_log_last(f->c.nodes[0].node->orgs->log);
        f->c.fake.fail_alloc = ++n;
        const ml_err err = search(f, 0, OF("action", "audit"), after, &a);
        spared = fake_spared(&f->c.fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(err != ML_OK || a.items >= 1); /* itself */
        assert_true(spared || n < 2000);
    }
    assert_true(n > 10);
}

/* Each attempt leaves an entry for the next to prove: as far as the first hundred. */
static void a_proof_at_a_failed_allocation_fails_or_is_whole(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(grant(f, 0, f->member[0], true), ML_OK);
    for (long n = 1; n <= 100; n++) {
        struct story_request r;
        story_ask(&r);
        f->c.fake.fail_alloc = n;
        const ml_err err = story_send(&r, &f->c, 0, "trace.verify");
        f->c.fake.fail_alloc = 0;
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(err != ML_OK || ml_value_bool(story_get(&r, "intact"), false));
        story_end(&r);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(everybody_finds_his_own),
        T(what_is_printed_or_exported_is_traced_as_that),
        T(reading_traces_is_traced),
        T(what_others_did_is_the_auditors),
        T(the_key_alone_is_not_enough),
        T(a_search_goes_on_where_it_ended),
        T(whole_traces_are_proved),
        T(a_journal_that_was_taken_away_leaves_a_gap),
        T(what_is_over_is_no_gap_and_a_gap_is_one),
        T(nothing_erases_a_trace),
        T(a_search_at_any_failed_allocation_fails_or_finds_all),
        T(a_proof_at_a_failed_allocation_fails_or_is_whole),
        T(a_grant_at_any_failed_allocation_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
