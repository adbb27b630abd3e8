/* test_node_rotate.c -- the structure's sheets are replaced (rules B16, ADR 0029): by two who lead,
 * or by the old sheets where one leads alone; then the new ones make Root on every node, and the
 * old ones nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/codec/keyop.h"
#include "core/crypto/box.h"
#include "core/crypto/share.h"
#include "core/store/log.h"
#include "net/node/org.h"
#include "net/node/root.h"
#include "support_story.h"

enum { LINE_SIZE = 128, NEED = 2, COUNT = 3, COORDINATOR = 1, MEMBER = 3 };
enum { CHIEF, REFERENT, NURSE, NODES };

struct sheets {
    char line[COUNT][LINE_SIZE]; /* two of the three make Root */
};

struct fixture {
    struct cluster c;
    unsigned nodes;
    struct sheets old;
    struct sheets fresh;
};

static void plan_put(struct story_request *r)
{
    ml_args_key(r->args, "need");
    ml_args_int(r->args, NEED);
    ml_args_key(r->args, "count");
    ml_args_int(r->args, COUNT);
}

static void sheets_take(const struct story_request *r, struct sheets *out)
{
    const struct ml_value *v = ml_value_at(story_get(r, "shares"), 0);
    for (size_t i = 0; i < COUNT; i++, v = ml_value_next(v)) {
        snprintf(out->line[i], LINE_SIZE, "%s", ml_value_text(ml_value_get(v, "line"), ""));
        assert_string_not_equal(out->line[i], "");
    }
}

static int setup_alone(void **state)
{
    static struct fixture f;
    struct story_request r;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 43);
    cluster_start(&f.c, CHIEF);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    plan_put(&r);
    story_must(&r, story_send(&r, &f.c, CHIEF, "org.found"), "org.found");
    sheets_take(&r, &f.old);
    story_end(&r);
    f.nodes = 1;
    *state = &f;
    return 0;
}

static void heard(struct fixture *f)
{
    cluster_run(&f->c, 400000);
    for (unsigned n = 0; n < f->nodes; n++) {
        story_unlock(&f->c, n);
    }
}

static int setup(void **state)
{
    int rc = setup_alone(state);
    struct fixture *f = *state;
    story_join_ranked(&f->c, CHIEF, REFERENT, "Paul Noël", 2);
    story_join(&f->c, CHIEF, NURSE, "Inès Leroy", 60);
    f->nodes = NODES;
    heard(f);
    return rc;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->c.fake.fail_alloc = 0;
    cluster_free(&f->c);
    return 0;
}

struct answer {
    ml_err err;
    char text[64]; /* of the error */
    bool counts;
    int missing;
};

/* Two sheets each of these sets; `one`: one of the first. */
static struct answer typed(struct fixture *f, unsigned n, const char *method,
                           const struct sheets *const *sets, bool promote)
{
    struct answer a;
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "shares");
    ml_args_list(r.args);
    for (size_t i = 0; sets[i] != NULL; i++) {
        ml_args_text(r.args, sets[i]->line[2]);
        ml_args_text(r.args, sets[i]->line[0]);
    }
    ml_args_end(r.args);
    ml_args_key(r.args, "promote");
    ml_args_bool(r.args, promote);
    a.err = story_send(&r, &f->c, n, method);
    snprintf(a.text, sizeof(a.text), "%s",
             a.err == ML_OK ? "" : ml_value_text(story_get(&r, "text"), ""));
    a.counts = ml_value_bool(story_get(&r, "counts"), false);
    a.missing = (int)ml_value_int(story_get(&r, "missing"), -1);
    story_end(&r);
    return a;
}

static struct answer rotated(struct fixture *f, unsigned n, const struct sheets *one,
                             const struct sheets *other)
{
    const struct sheets *const sets[] = {one, other, NULL};
    return typed(f, n, "org.rotate", sets, false);
}

static struct answer recovered(struct fixture *f, unsigned n, const struct sheets *one,
                               bool promote)
{
    const struct sheets *const sets[] = {one, NULL};
    return typed(f, n, "org.recover", sets, promote);
}

static void refused(struct answer a, const char *text)
{
    assert_int_not_equal(a.err, ML_OK);
    assert_string_equal(a.text, text);
}

static void takes(struct answer a, bool counts)
{
    if (a.err != ML_OK) {
        fail_msg("%s %s", ml_err_name(a.err), a.text);
    }
    assert_int_equal(a.counts, counts);
}

/* New sheets; nothing is written. */
static void cut(struct fixture *f, unsigned n, struct sheets *out)
{
    struct story_request r;
    story_ask(&r);
    plan_put(&r);
    story_must(&r, story_send(&r, &f->c, n, "org.rotate"), "org.rotate");
    sheets_take(&r, out);
    story_end(&r);
}

static bool cosigned(struct fixture *f, unsigned n)
{
    struct story_request r;
    char proposal[72];
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "governance.proposals"), "governance.proposals");
    const struct ml_value *p = ml_value_at(story_get(&r, "proposals"), 0);
    assert_string_equal(ml_value_text(ml_value_get(p, "text"), ""), "proposal.14");
    snprintf(proposal, sizeof(proposal), "%s", ml_value_text(ml_value_get(p, "proposal"), ""));
    story_end(&r);
    story_ask(&r);
    story_put(&r, "proposal", proposal);
    story_must(&r, story_send(&r, &f->c, n, "governance.cosign"), "governance.cosign");
    const bool counts = ml_value_bool(story_get(&r, "counts"), false);
    story_end(&r);
    return counts;
}

static int rank_of(struct fixture *f, unsigned n, const char *name)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, &f->c, n, "member.list"), "member.list");
    const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0);
    while (m != NULL && strcmp(ml_value_text(ml_value_get(m, "name"), ""), name) != 0) {
        m = ml_value_next(m);
    }
    const int rank = (int)ml_value_int(ml_value_get(m, "rank"), 0);
    story_end(&r);
    return rank;
}

static void same_state(struct fixture *f)
{
    struct story_proof first;
    for (unsigned n = 0; n < f->nodes; n++) {
        struct story_proof p;
        story_verify(&f->c, n, &p);
        first = n == 0 ? p : first;
        assert_string_equal(p.state_hash, first.state_hash);
        assert_int_equal(p.pending, 0);
    }
}

/* ---- by a majority ---- */

static void two_who_lead_replace_the_sheets(void **state)
{
    struct fixture *f = *state;
    cut(f, CHIEF, &f->fresh);
    takes(recovered(f, CHIEF, &f->old, false), false); /* nothing has changed yet */
    struct answer a = rotated(f, CHIEF, &f->fresh, NULL);
    takes(a, false);
    assert_int_equal(a.missing, 1);
    heard(f);
    refused(recovered(f, NURSE, &f->fresh, true), "share.proposed");
    assert_true(cosigned(f, REFERENT));
    heard(f);
    for (unsigned n = 0; n < NODES; n++) {
        refused(recovered(f, n, &f->old, false), "share.old");
        takes(recovered(f, n, &f->fresh, false), false);
    }
    /* The old ones make nobody a coordinator any more; the new ones do, without a leader. */
    refused(recovered(f, NURSE, &f->old, true), "share.old");
    assert_int_equal(rank_of(f, NURSE, "Inès Leroy"), MEMBER);
    cluster_stop(&f->c, CHIEF);
    takes(recovered(f, NURSE, &f->fresh, true), false);
    assert_int_equal(rank_of(f, NURSE, "Inès Leroy"), COORDINATOR);
    cluster_start(&f->c, CHIEF);
    heard(f);
    assert_int_equal(rank_of(f, REFERENT, "Inès Leroy"), COORDINATOR);
    assert_int_equal(rank_of(f, CHIEF, "Inès Leroy"), COORDINATOR);
    same_state(f);
}

/* Whoever was away with the old sheets says a word of that Root without knowing. */
static void a_word_of_the_old_root_meanwhile_is_void(void **state)
{
    struct fixture *f = *state;
    cut(f, CHIEF, &f->fresh);
    takes(rotated(f, CHIEF, &f->fresh, NULL), false);
    heard(f);
    story_pause(&f->c, NURSE, true);
    takes(recovered(f, NURSE, &f->old, true), false);
    assert_int_equal(rank_of(f, NURSE, "Inès Leroy"), COORDINATOR);
    assert_true(cosigned(f, REFERENT));
    story_pause(&f->c, NURSE, false);
    heard(f);
    for (unsigned n = 0; n < NODES; n++) {
        assert_int_equal(rank_of(f, n, "Inès Leroy"), MEMBER);
    }
    same_state(f);
}

/* Twice: the second set replaces the first, and neither old one comes back. */
static void sheets_that_were_replaced_never_come_back(void **state)
{
    struct fixture *f = *state;
    struct sheets third;
    cut(f, CHIEF, &f->fresh);
    takes(rotated(f, CHIEF, &f->fresh, NULL), false);
    heard(f);
    assert_true(cosigned(f, REFERENT));
    heard(f);
    refused(rotated(f, CHIEF, &f->old, NULL), "share.old");
    cut(f, REFERENT, &third);
    takes(rotated(f, REFERENT, &third, NULL), false);
    heard(f);
    assert_true(cosigned(f, CHIEF));
    heard(f);
    refused(recovered(f, NURSE, &f->fresh, false), "share.old");
    refused(rotated(f, REFERENT, &f->fresh, NULL), "share.old");
    takes(recovered(f, NURSE, &third, false), false);
    same_state(f);
}

/* ---- where one leads alone ---- */

static void the_old_sheets_sign_for_the_new_ones(void **state)
{
    struct fixture *f = *state;
    cut(f, CHIEF, &f->fresh);
    refused(rotated(f, CHIEF, &f->fresh, NULL), "rotate.alone");
    takes(recovered(f, CHIEF, &f->old, false), false);
    takes(rotated(f, CHIEF, &f->fresh, &f->old), true);
    refused(recovered(f, CHIEF, &f->old, false), "share.old");
    takes(recovered(f, CHIEF, &f->fresh, false), false);
}

/* Each allocation fails in turn: one set is in force, and the other isn't. */
static void a_rotation_that_fails_leaves_one_set(void **state)
{
    struct fixture *f = *state;
    bool done = false;
    cut(f, CHIEF, &f->fresh);
    for (long nth = 1; !done; nth++) {
        f->c.fake.fail_alloc = nth;
        const struct answer a = rotated(f, CHIEF, &f->fresh, &f->old);
        const bool spared = fake_spared(&f->c.fake);
        const bool fresh = recovered(f, CHIEF, &f->fresh, false).err == ML_OK;
        const bool old = recovered(f, CHIEF, &f->old, false).err == ML_OK;
        assert_true(fresh != old);
        assert_true(a.err != ML_OK || fresh);
        done = spared || fresh;
    }
}

/* ---- what is sealed to Root ---- */

static struct ml_secret *secret_of(const struct sheets *sheets)
{
    struct ml_secret *share[NEED] = {NULL};
    struct ml_secret *secret = NULL;
    struct ml_share_error error;
    for (size_t i = 0; i < NEED; i++) {
        assert_int_equal(ml_share_read(&share[i], ml_slice_str(sheets->line[i]), &error), ML_OK);
    }
    assert_int_equal(
        ml_share_join(&secret, NULL, (const struct ml_secret *const *)share, NEED, &error), ML_OK);
    for (size_t i = 0; i < NEED; i++) {
        ml_secret_free(share[i]);
    }
    return secret;
}

static bool opens(const struct ml_root_keys *root, const struct ml_org *org, struct ml_slice sealed,
                  const struct ml_box_pk *pair)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    uint8_t key[32];
    const size_t len = ml_break_glass_ad(ad, &org->id, pair);
    return ml_open_anon(key, sealed, root->box, ml_slice(ad, len)) == ML_OK;
}

/* If the op has a half for Root: does it open by that one? What comes later stands over it. */
static void half_take(const struct ml_root_keys *root, struct ml_org *org, const struct ml_keyop *k,
                      bool of[16])
{
    if (k->type == ML_KEYOP_KEK_EPOCH && k->u.kek_epoch.break_glass_recovery.len > 0) {
        of[k->u.kek_epoch.compartment] =
            opens(root, org, k->u.kek_epoch.break_glass_recovery, &k->u.kek_epoch.break_glass);
    } else if (k->type == ML_KEYOP_PAIR_GRANT && k->u.pair_grant.recovery.len > 0) {
        of[0] = opens(root, org, k->u.pair_grant.recovery, &k->u.pair_grant.pair);
    }
}

static void halves_of(const struct ml_root_keys *root, struct ml_org *org, struct ml_slice body,
                      bool of[16])
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    struct ml_keyop k;
    ml_body_walk(&walk, body);
    while (ml_body_next(&walk, &op)) {
        if (!op.shredded && ml_keyop_decode(&k, op.sealed, NULL) == ML_OK && k.known) {
            half_take(root, org, &k, of);
        }
    }
}

/* Of every op of lane 1, in order. */
static void halves(const struct ml_root_keys *root, struct ml_org *org, bool of[16])
{
    struct ml_log_entry e;
    memset(of, 0, 16 * sizeof(*of));
    for (uint64_t n = 0; ml_log_after(org->log, n, ML_LOG_LANE(ML_LANE_KEYS), &e) == ML_OK;) {
        n = e.n;
        halves_of(root, org, e.body.bytes, of);
    }
}

/* Each group's present epoch and the emergency pair, at once; none of them for the old one. */
static void what_is_sealed_to_root_is_for_the_new_one(void **state)
{
    struct fixture *f = *state;
    const struct sheets *const sets[] = {&f->old, &f->fresh};
    bool of[2][2][16]; /* before and after; by the old one, by the new one */
    cut(f, CHIEF, &f->fresh);
    for (unsigned after = 0; after < 2; after++) {
        for (unsigned by = 0; by < 2; by++) {
            struct ml_root_keys root;
            struct ml_secret *secret = secret_of(sets[by]);
            assert_int_equal(ml_root_open(&root, secret), ML_OK);
            halves(&root, cluster_org(&f->c, CHIEF), of[after][by]);
            ml_root_close(&root);
            ml_secret_free(secret);
        }
        if (after == 0) {
            takes(rotated(f, CHIEF, &f->fresh, &f->old), true);
        }
    }
    unsigned sealed = 0;
    for (unsigned i = 0; i < 16; i++) {
        assert_false(of[0][1][i]);
        assert_false(of[1][0][i]);
        assert_int_equal(of[1][1][i], of[0][0][i]);
        sealed += of[0][0][i];
    }
    assert_true(of[0][0][0]); /* the pair */
    assert_true(sealed > 3);
}

/* ---- refusals ---- */

static void what_makes_no_sense_is_refused_with_the_reason(void **state)
{
    struct fixture *f = *state;
    struct sheets more;
    struct sheets half;
    cut(f, CHIEF, &f->fresh);
    cut(f, CHIEF, &more);
    refused(rotated(f, CHIEF, &f->old, NULL), "rotate.present");
    const struct sheets *const three[] = {&f->fresh, &f->old, &more, NULL};
    refused(typed(f, CHIEF, "org.rotate", three, false), "share.sets");
    half = f->fresh;
    snprintf(half.line[2], LINE_SIZE, "%s", half.line[0]);
    refused(rotated(f, CHIEF, &half, NULL), "share.twice");
    snprintf(half.line[2], LINE_SIZE, "%s", more.line[2]); /* one of each */
    refused(rotated(f, CHIEF, &half, NULL), "share.too_few");
    refused(rotated(f, NURSE, &f->fresh, NULL), "rank.referent");
    takes(rotated(f, CHIEF, &f->fresh, NULL), false);
    refused(rotated(f, CHIEF, &f->fresh, NULL), "rotate.proposed");
}

/* A référent who works nowhere yet is one of two, and can't sign. */
static void who_cant_sign_is_told_beforehand(void **state)
{
    struct fixture *f = *state;
    char member[40];
    const int job[2] = {10, 2};
    struct story_request r;
    story_member(&f->c, CHIEF, "Paul Noël", job, member);
    story_ask(&r);
    assert_int_equal(story_send(&r, &f->c, CHIEF, "org.rotate"), ML_E_DENIED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "rotate.few");
    story_end(&r);
    takes(recovered(f, CHIEF, &f->old, false), false);
}

int main(void)
{
#define T(test)     cmocka_unit_test_setup_teardown(test, setup, teardown)
#define ALONE(test) cmocka_unit_test_setup_teardown(test, setup_alone, teardown)
    const struct CMUnitTest tests[] = {
        T(two_who_lead_replace_the_sheets),
        T(a_word_of_the_old_root_meanwhile_is_void),
        T(sheets_that_were_replaced_never_come_back),
        ALONE(the_old_sheets_sign_for_the_new_ones),
        ALONE(a_rotation_that_fails_leaves_one_set),
        ALONE(what_is_sealed_to_root_is_for_the_new_one),
        T(what_makes_no_sense_is_refused_with_the_reason),
        ALONE(who_cant_sign_is_told_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
