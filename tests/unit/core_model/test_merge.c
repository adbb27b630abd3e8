/* tests/unit/core_model/test_merge.c -- merge.c against an oracle written another way.
 *
 * The oracle knows no walk: it closes an adjacency matrix (Warshall) and then reads each rule of
 * docs/merge.md as a sentence over all pairs. Histories are drawn at random and given to both in
 * random orders, with repetitions and unknown references; for small ones every order is tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/merge.h"
#include "fake_env.h"

enum { NODES_MAX = 24, SEEN_MAX = 4, SMALL = 6 };

struct version {
    struct ml_version_id id;
    struct ml_version_id seen[SEEN_MAX];
    uint32_t seen_count;
    bool counts;
    bool member;
    ml_life_act act;
};

struct history {
    struct version v[NODES_MAX];
    size_t count;
};

struct answer {
    ml_version_rank ranks[NODES_MAX];
    ml_version_rank lives[NODES_MAX];
    struct ml_life_outcome life;
};

static struct ml_version_id vid(uint8_t bundle, uint8_t index)
{
    return (struct ml_version_id){{{bundle}}, index};
}

static void draw(struct history *h, struct fake_env *f, size_t count)
{
    memset(h, 0, sizeof(*h));
    h->count = count;
    for (size_t i = 0; i < count; i++) {
        struct version *v = &h->v[i];
        v->id = vid((uint8_t)(fake_below(f, 250)), (uint8_t)i); /* ids in no order of time */
        v->counts = fake_below(f, 4) != 0;
        v->member = fake_below(f, 3) != 0;
        v->act = (ml_life_act)(fake_below(f, 2) == 0 ? 0 : fake_below(f, 4));
        v->seen_count = (uint32_t)fake_below(f, SEEN_MAX + 1);
        for (uint32_t j = 0; j < v->seen_count; j++) {
            bool known = i > 0 && fake_below(f, 8) != 0;
            v->seen[j] = known ? h->v[fake_below(f, i)].id : vid(255, (uint8_t)j);
        }
    }
}

typedef bool matrix[NODES_MAX][NODES_MAX];

static bool names(const struct version *v, const struct ml_version_id *id)
{
    bool found = false;
    for (uint32_t j = 0; j < v->seen_count; j++) {
        found |= ml_version_id_compare(&v->seen[j], id) == 0;
    }
    return found;
}

/* past[i][j]: j is in the past of i. */
static void close_past(const struct history *h, matrix past)
{
    size_t n = h->count;
    for (size_t cell = 0; cell < n * n; cell++) {
        past[cell / n][cell % n] = names(&h->v[cell / n], &h->v[cell % n].id);
    }
    for (size_t step = 0; step < n * n * n; step++) {
        size_t k = step / n / n, i = step / n % n, j = step % n;
        past[i][j] |= past[i][k] && past[k][j];
    }
}

static ml_version_rank oracle_rank(const struct history *h, matrix past, size_t i, bool lives)
{
    bool replaced = false;
    for (size_t w = 0; w < h->count; w++) {
        bool member = lives ? h->v[w].act != ML_ACT_EDIT : h->v[w].member;
        replaced |= h->v[w].counts && member && past[w][i];
    }
    if (!(lives ? h->v[i].act != ML_ACT_EDIT : h->v[i].member)) {
        return ML_RANK_APART;
    }
    if (replaced) {
        return ML_RANK_REPLACED;
    }
    return h->v[i].counts ? ML_RANK_HEAD : ML_RANK_GREYED;
}

static bool head_of(const struct history *h, const struct answer *a, ml_life_act act)
{
    bool found = false;
    for (size_t i = 0; i < h->count; i++) {
        found |= a->lives[i] == ML_RANK_HEAD && h->v[i].act == act;
    }
    return found;
}

/* Is there a counting edit that is in the past of no removing head? */
static bool fresh_edit(const struct history *h, const struct answer *a, matrix past)
{
    bool fresh = false;
    for (size_t i = 0; i < h->count; i++) {
        bool known = false;
        for (size_t w = 0; w < h->count; w++) {
            known |= a->lives[w] == ML_RANK_HEAD && h->v[w].act != ML_ACT_ADD && past[w][i];
        }
        fresh |= h->v[i].act == ML_ACT_EDIT && h->v[i].counts && !known;
    }
    return fresh;
}

static void oracle(const struct history *h, struct answer *a)
{
    matrix past = {{false}};
    bool something = false;
    close_past(h, past);
    for (size_t i = 0; i < h->count; i++) {
        something |= h->v[i].counts;
        a->ranks[i] = oracle_rank(h, past, i, false);
        a->lives[i] = oracle_rank(h, past, i, true);
    }
    bool archive = head_of(h, a, ML_ACT_ARCHIVE);
    bool voided = head_of(h, a, ML_ACT_VOID);
    bool kept = head_of(h, a, ML_ACT_ADD) || fresh_edit(h, a, past);
    bool gone = something && (archive || voided) && !kept;
    a->life.life = gone ? (voided ? ML_LIFE_VOIDED : ML_LIFE_ARCHIVED) : ML_LIFE_PRESENT;
    a->life.life = something ? a->life.life : ML_LIFE_GREYED;
    a->life.conflict = something && (archive || voided) && (kept || (archive && voided));
}

/* Gives the history to merge.c in the order `order` (with repetitions if longer); the answer is
 * put back in the history's own order. */
static void ask(const struct history *h, const size_t *order, size_t given, struct fake_env *f,
                struct answer *a)
{
    struct ml_merge_node nodes[2 * NODES_MAX] = {{.seen = NULL}};
    bool member[2 * NODES_MAX];
    ml_life_act acts[2 * NODES_MAX];
    ml_version_rank ranks[2 * NODES_MAX], lives[2 * NODES_MAX];
    struct ml_merge_graph *g = NULL;
    for (size_t i = 0; i < given; i++) {
        const struct version *v = &h->v[order[i]];
        nodes[i] = (struct ml_merge_node){v->seen, v->seen_count, v->id, v->counts};
        member[i] = v->member;
        acts[i] = v->act;
    }
    assert_int_equal(ml_merge_graph_new(&g, &f->env, nodes, given), ML_OK);
    ml_merge_heads(g, member, ranks);
    a->life = ml_merge_life(g, acts, lives);
    ml_merge_graph_free(g);
    bool told[NODES_MAX] = {false};
    for (size_t i = 0; i < given; i++) {
        if (told[order[i]]) {
            assert_int_equal(ranks[i], ML_RANK_APART); /* a repetition adds nothing */
            assert_int_equal(lives[i], ML_RANK_APART);
            continue;
        }
        told[order[i]] = true;
        a->ranks[order[i]] = ranks[i];
        a->lives[order[i]] = lives[i];
    }
}

static void same_answer(const struct history *h, const struct answer *a, const struct answer *b)
{
    for (size_t i = 0; i < h->count; i++) {
        assert_int_equal(a->ranks[i], b->ranks[i]);
        assert_int_equal(a->lives[i], b->lives[i]);
    }
    assert_int_equal(a->life.life, b->life.life);
    assert_int_equal(a->life.conflict, b->life.conflict);
}

static void shuffle(size_t *order, size_t count, struct fake_env *f)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)fake_below(f, i);
        size_t t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

static void random_histories_agree_with_the_oracle(void **state)
{
    struct fake_env f;
    (void)state;
    fake_env_init(&f, 20260921);
    for (int round = 0; round < 20000; round++) {
        struct history h;
        struct answer want, got;
        size_t order[2 * NODES_MAX];
        draw(&h, &f, (size_t)fake_below(&f, NODES_MAX + 1));
        memset(&want, 0, sizeof(want));
        memset(&got, 0, sizeof(got));
        oracle(&h, &want);
        for (size_t i = 0; i < h.count; i++) {
            order[i] = i;
            order[h.count + i] = (size_t)fake_below(&f, h.count);
        }
        size_t given = h.count + (size_t)fake_below(&f, h.count + 1); /* idempotent */
        shuffle(order, h.count, &f);                                  /* commutative */
        ask(&h, order, given, &f, &got);
        same_answer(&h, &want, &got);
    }
    assert_int_equal(f.live, 0);
}

static bool next_permutation(size_t *p, size_t n)
{
    size_t i = n - 1;
    while (i > 0 && p[i - 1] >= p[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    size_t j = n - 1;
    while (p[j] <= p[i - 1]) {
        j--;
    }
    size_t t = p[i - 1];
    p[i - 1] = p[j];
    p[j] = t;
    for (j = n - 1; i < j; i++, j--) {
        t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
    return true;
}

static void every_order_of_small_histories_gives_one_answer(void **state)
{
    struct fake_env f;
    (void)state;
    fake_env_init(&f, 42);
    for (int round = 0; round < 30; round++) {
        struct history h;
        struct answer want, got;
        size_t order[SMALL] = {0, 1, 2, 3, 4, 5};
        draw(&h, &f, SMALL);
        oracle(&h, &want);
        do {
            ask(&h, order, SMALL, &f, &got);
            same_answer(&h, &want, &got);
        } while (next_permutation(order, SMALL));
    }
    assert_int_equal(f.live, 0);
}

/* Named cases: what the random ones mean. */

static struct ml_life_outcome life_of(const struct history *h, struct answer *a)
{
    struct fake_env f;
    size_t order[NODES_MAX];
    fake_env_init(&f, 1);
    for (size_t i = 0; i < h->count; i++) {
        order[i] = i;
    }
    ask(h, order, h->count, &f, a);
    assert_int_equal(f.live, 0);
    return a->life;
}

static struct version version(uint8_t n, ml_life_act act, uint8_t seen_a, uint8_t seen_b)
{
    struct version v = {.id = vid(n, 0), .counts = true, .member = true, .act = act};
    if (seen_a != 0) {
        v.seen[v.seen_count++] = vid(seen_a, 0);
    }
    if (seen_b != 0) {
        v.seen[v.seen_count++] = vid(seen_b, 0);
    }
    return v;
}

static void an_edit_beats_the_archive_that_had_not_seen_it(void **state)
{
    struct history h = {.v = {version(1, ML_ACT_ADD, 0, 0), version(2, ML_ACT_EDIT, 1, 0),
                              version(3, ML_ACT_ARCHIVE, 1, 0)},
                        .count = 3};
    struct answer a;
    (void)state;
    struct ml_life_outcome out = life_of(&h, &a);
    assert_int_equal(out.life, ML_LIFE_PRESENT);
    assert_true(out.conflict);
    h.v[2].seen[h.v[2].seen_count++] = vid(2, 0); /* now it had */
    out = life_of(&h, &a);
    assert_int_equal(out.life, ML_LIFE_ARCHIVED);
    assert_false(out.conflict);
}

static void a_quarantined_version_replaces_nothing_but_paths_lead_through_it(void **state)
{
    struct history h = {.v = {version(1, ML_ACT_EDIT, 0, 0), version(2, ML_ACT_EDIT, 1, 0),
                              version(3, ML_ACT_EDIT, 2, 0)},
                        .count = 2};
    struct answer a;
    (void)state;
    h.v[1].counts = false;
    life_of(&h, &a);
    assert_int_equal(a.ranks[0], ML_RANK_HEAD);
    assert_int_equal(a.ranks[1], ML_RANK_GREYED);
    h.count = 3; /* its successor counts */
    life_of(&h, &a);
    assert_int_equal(a.ranks[0], ML_RANK_REPLACED);
    assert_int_equal(a.ranks[1], ML_RANK_REPLACED);
    assert_int_equal(a.ranks[2], ML_RANK_HEAD);
}

static void restoring_one_of_two_archives_is_a_conflict(void **state)
{
    struct history h = {.v = {version(1, ML_ACT_ADD, 0, 0), version(2, ML_ACT_ARCHIVE, 1, 0),
                              version(3, ML_ACT_VOID, 1, 0), version(4, ML_ACT_ADD, 2, 0)},
                        .count = 3};
    struct answer a;
    (void)state;
    struct ml_life_outcome out = life_of(&h, &a);
    assert_int_equal(out.life, ML_LIFE_VOIDED);
    assert_true(out.conflict);
    h.count = 4;
    out = life_of(&h, &a);
    assert_int_equal(out.life, ML_LIFE_PRESENT);
    assert_true(out.conflict);
    h.v[3].seen[h.v[3].seen_count++] = vid(3, 0);
    out = life_of(&h, &a);
    assert_int_equal(out.life, ML_LIFE_PRESENT);
    assert_false(out.conflict);
}

static struct ml_merge_head head(uint8_t n, const char *value, ml_stance stance, uint8_t weight)
{
    return (struct ml_merge_head){vid(n, 0), ml_slice_str(value), stance, weight};
}

static void check(ml_merge_kind kind, const struct ml_merge_head *heads, size_t count,
                  struct ml_merge_outcome want)
{
    struct ml_merge_head turned[3];
    for (size_t turn = 0; turn < count; turn++) { /* the order of the heads is no matter */
        for (size_t i = 0; i < count; i++) {
            turned[i] = heads[(i + turn) % count];
        }
        struct ml_merge_outcome got = ml_merge_decide(kind, turned, count);
        assert_int_equal(got.conflict, want.conflict);
        if (want.shown == ML_MERGE_NONE) {
            assert_int_equal(got.shown, ML_MERGE_NONE);
        } else {
            assert_int_equal(ml_version_id_compare(&turned[got.shown].id, &heads[want.shown].id),
                             0);
        }
    }
}

static void two_doses_stand_side_by_side(void **state)
{
    const struct ml_merge_head two[] = {head(1, "5 mg", ML_STANCE_PLAIN, 0),
                                        head(2, "10 mg", ML_STANCE_PLAIN, 0)};
    const struct ml_merge_head same[] = {head(2, "5 mg", ML_STANCE_PLAIN, 0),
                                         head(1, "5 mg", ML_STANCE_PLAIN, 0),
                                         head(3, "5 mg", ML_STANCE_PLAIN, 0)};
    (void)state;
    check(ML_KIND_SAME, two, 2, (struct ml_merge_outcome){ML_MERGE_NONE, true});
    check(ML_KIND_SAME, same, 3, (struct ml_merge_outcome){1, false});
    check(ML_KIND_SAME, same, 1, (struct ml_merge_outcome){0, false});
    struct ml_merge_outcome none = ml_merge_decide(ML_KIND_SAME, NULL, 0);
    assert_int_equal(none.shown, ML_MERGE_NONE);
    assert_false(none.conflict);
}

static void an_assertion_is_shown_before_a_refutation(void **state)
{
    const struct ml_merge_head heads[] = {head(1, "refuted", ML_STANCE_REFUTE, 0),
                                          head(2, "known", ML_STANCE_ASSERT, 0),
                                          head(3, "sure", ML_STANCE_ASSERT, 0)};
    (void)state;
    check(ML_KIND_ASSERT, heads, 1, (struct ml_merge_outcome){0, false});
    check(ML_KIND_ASSERT, heads, 2, (struct ml_merge_outcome){1, true});
    check(ML_KIND_ASSERT, heads, 3, (struct ml_merge_outcome){ML_MERGE_NONE, true});
}

static void a_denial_is_shown_before_an_allowance(void **state)
{
    const struct ml_merge_head heads[] = {head(1, "allow", ML_STANCE_PLAIN, 0),
                                          head(2, "deny", ML_STANCE_DENY, 0),
                                          head(3, "allow", ML_STANCE_PLAIN, 0)};
    (void)state;
    check(ML_KIND_DENY, heads, 3, (struct ml_merge_outcome){1, true});
}

static void done_is_shown_before_cancelled(void **state)
{
    (void)state;
    const struct ml_merge_head heads[] = {head(1, "cancelled", ML_STANCE_PLAIN, 2),
                                          head(2, "done", ML_STANCE_PLAIN, 3),
                                          head(3, "licorne", ML_STANCE_PLAIN, 0)};
    check(ML_KIND_STATE, heads, 3, (struct ml_merge_outcome){1, true});
}

static void a_graph_survives_any_failed_alloc(void **state)
{
    struct ml_merge_node node = {.id = vid(1, 0), .counts = true};
    struct ml_merge_graph *g = NULL;
    struct fake_env f;
    (void)state;
    fake_env_init(&f, 1);
    for (long nth = 1;; nth++) {
        f.fail_alloc = nth;
        ml_err err = ml_merge_graph_new(&g, &f.env, &node, 1);
        const bool spared = fake_spared(&f);
        if (err == ML_OK) {
            assert_true(spared);
            assert_true(nth > 5);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(g);
        assert_int_equal(f.live, 0);
    }
    ml_merge_graph_free(g);
    ml_merge_graph_free(NULL);
    assert_int_equal(f.live, 0);
}

static void too_many_versions_are_refused(void **state)
{
    struct fake_env f;
    struct ml_merge_graph *g = NULL;
    (void)state;
    fake_env_init(&f, 1);
    struct ml_merge_node *nodes = ml_alloc_array(&f.env, ML_MERGE_VERSIONS_MAX + 1, sizeof(*nodes));
    assert_non_null(nodes);
    assert_int_equal(ml_merge_graph_new(&g, &f.env, nodes, ML_MERGE_VERSIONS_MAX + 1), ML_E_LIMIT);
    assert_int_equal(ml_merge_graph_new(&g, &f.env, nodes, ML_MERGE_VERSIONS_MAX), ML_OK);
    ml_merge_graph_free(g);
    ml_release(&f.env, nodes);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_agree_with_the_oracle),
        cmocka_unit_test(every_order_of_small_histories_gives_one_answer),
        cmocka_unit_test(an_edit_beats_the_archive_that_had_not_seen_it),
        cmocka_unit_test(a_quarantined_version_replaces_nothing_but_paths_lead_through_it),
        cmocka_unit_test(restoring_one_of_two_archives_is_a_conflict),
        cmocka_unit_test(two_doses_stand_side_by_side),
        cmocka_unit_test(an_assertion_is_shown_before_a_refutation),
        cmocka_unit_test(a_denial_is_shown_before_an_allowance),
        cmocka_unit_test(done_is_shown_before_cancelled),
        cmocka_unit_test(a_graph_survives_any_failed_alloc),
        cmocka_unit_test(too_many_versions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
