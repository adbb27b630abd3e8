/* test_authority_model.c -- every history of a few governance acts, in every order in which they
 * may arrive (issue 4, proof a).
 *
 * Three writers, of given ranks, each say up to so many things, having seen any part of what was
 * said that hangs together. Histories that differ in the names of equals are one. Of each: every
 * order gives the same rulings and ranks; and what stands is asked from outside: nobody denied is
 * heard beyond his cut, nobody raised himself, deny beats what hadn't seen it, Root's word stands.
 *
 * ML_MODEL_DEPTH: acts of the exhaustive part (2). ML_MODEL_SEED, ML_MODEL_RANDOM: histories of six
 * acts drawn by a seed (from 1), and how many (2,000).
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hlc.h"
#include "core/model/authority.h"
#include "fake_env.h"

enum { WRITERS = 3, DEPTH_MAX = 6, SETUP = 7, ACTS_MAX = SETUP + DEPTH_MAX };

struct act {
    uint32_t writer;
    uint32_t seq;
    uint32_t vec[WRITERS];
    struct ml_say say;
    struct ml_cut cut;
};

struct history {
    struct fake_env fake;
    struct act acts[ACTS_MAX];
    unsigned count; /* with the founding */
    uint8_t ranks[WRITERS];
    uint32_t base[WRITERS]; /* numbers after the founding */
};

struct outcome {
    uint8_t own[ACTS_MAX];
    uint8_t all[ACTS_MAX];
    uint8_t rank[WRITERS];
};

static struct {
    uint64_t histories;
    uint64_t orders;
    uint64_t refused;
    uint64_t fell;
} tally;

static const uint8_t casts[][WRITERS] = {{1, 1, 1}, {1, 1, 2}, {1, 2, 2}, {1, 2, 3}, {1, 1, 3}};

static uint32_t seq_in(const void *ctx, const void *vec, uint32_t writer)
{
    (void)ctx;
    return vec == NULL ? 0 : ((const uint32_t *)vec)[writer];
}

/* ---- a history, in one order ---- */

static const struct ml_say genesis[] = {
    {.kind = ML_SAY_MEMBER, .member = 0, .rank = ML_RANK_COORDINATOR},
    {.kind = ML_SAY_MON, .member = 0, .node = 0},
    {.kind = ML_SAY_WRITER, .member = 0, .node = 0},
};

static ml_reason add(struct ml_authority *a, const struct history *h, unsigned i)
{
    const struct act *x = &h->acts[i];
    struct ml_ruling ruling;
    struct ml_say say = x->say;
    if (say.kind == ML_SAY_DENIAL) {
        say.cuts = &x->cut;
        say.cut_count = 1;
    }
    const struct ml_act_in in = {.writer = x->writer,
                                 .seq = x->seq,
                                 .hlc = ml_hlc_make(1000, 0),
                                 .vec = i == 0 ? NULL : x->vec,
                                 .says = i == 0 ? genesis : &say,
                                 .say_count = i == 0 ? 3 : 1};
    assert_int_equal(ml_authority_add(a, &ruling, &in), ML_OK);
    return ruling.reason;
}

static void evaluate(struct history *h, const uint8_t *order, struct outcome *out)
{
    struct ml_authority *a = NULL;
    struct ml_view *v = NULL;
    memset(out, 0, sizeof(*out));
    assert_int_equal(ml_authority_new(&a, &h->fake.env, seq_in, NULL), ML_OK);
    for (unsigned i = 0; i < h->count; i++) {
        out->own[order[i]] = (uint8_t)add(a, h, order[i]);
    }
    assert_int_equal(ml_view_of_all(&v, a), ML_OK);
    for (unsigned i = 0; i < h->count; i++) {
        out->all[order[i]] = (uint8_t)ml_view_act(v, i).reason;
    }
    for (uint32_t m = 0; m < WRITERS; m++) {
        out->rank[m] = ml_view_rank(v, m);
    }
    ml_view_free(v);
    ml_authority_free(a);
    tally.orders++;
}

static bool sees(const struct act *x, const struct act *y)
{
    return x->vec[y->writer] >= y->seq;
}

/* ---- what must hold, asked from outside ---- */

static bool is_act_of(const struct act *x, const struct act *denial)
{
    return x->writer == denial->say.member;
}

/* A denial that holds whatever else is said: by Root, or accepted and never cut. */
static bool is_in_force(const struct act *x, const struct outcome *o, unsigned i)
{
    return x->say.kind == ML_SAY_DENIAL && o->all[i] == ML_REASON_NONE;
}

/* A history that broke a rule, to be read. */
static void tell(const struct history *h, const struct outcome *o)
{
    for (unsigned i = SETUP; i < h->count; i++) {
        const struct act *x = &h->acts[i];
        print_error("%u: writer %u seq %u sees %u %u %u: kind %d member %d rank %u mode %d cut %u "
                    "seconds %u root %d -> own %u, all %u\n",
                    i, x->writer, x->seq, x->vec[0], x->vec[1], x->vec[2], (int)x->say.kind,
                    (int)x->say.member, x->say.rank, (int)x->say.mode, x->cut.seq,
                    x->say.second_count, x->say.root, o->own[i], o->all[i]);
    }
    print_error("ranks at first %u %u %u, now %u %u %u\n", h->ranks[0], h->ranks[1], h->ranks[2],
                o->rank[0], o->rank[1], o->rank[2]);
}

static void hold(bool rule, const struct history *h, const struct outcome *o)
{
    if (!rule) {
        tell(h, o);
    }
    assert_true(rule);
}

static void check_denied(const struct history *h, const struct outcome *o, unsigned d)
{
    const struct act *denial = &h->acts[d];
    const bool alone = !denial->say.root; /* its second signer may have had no right */
    for (unsigned i = SETUP; i < h->count; i++) {
        const struct act *x = &h->acts[i];
        uint32_t cut = denial->cut.seq;
        if (alone && denial->vec[x->writer] > cut) {
            cut = denial->vec[x->writer];
        }
        if (i != d && is_act_of(x, denial) && denial->say.mode == ML_DENIAL_COMPROMISE &&
            !sees(x, denial) && x->seq > cut) {
            hold(o->all[i] != ML_REASON_NONE, h, o);
        }
    }
}

static void check_deny_wins(const struct history *h, const struct outcome *o, unsigned d)
{
    const struct act *denial = &h->acts[d];
    bool again = false;
    for (unsigned i = SETUP; i < h->count; i++) {
        const struct act *x = &h->acts[i];
        again = again || (x->say.kind == ML_SAY_MEMBER && x->say.member == denial->say.member &&
                          o->all[i] == ML_REASON_NONE && sees(x, denial));
    }
    if (!again) {
        hold(o->rank[denial->say.member] == ML_RANK_NODE, h, o);
    }
}

/* His rank was given by somebody else, in an act that counts. */
static void check_given(const struct history *h, const struct outcome *o, uint32_t member)
{
    bool given = o->rank[member] == ML_RANK_NODE || member == 0;
    for (unsigned i = 0; i < h->count && !given; i++) {
        const struct act *x = &h->acts[i];
        given = x->say.kind == ML_SAY_MEMBER && x->say.member == member && x->writer != member &&
                x->say.rank == o->rank[member] && o->all[i] == ML_REASON_NONE;
    }
    hold(given, h, o);
}

static void check_outside(const struct history *h, const struct outcome *o)
{
    for (unsigned i = SETUP; i < h->count; i++) {
        if (is_in_force(&h->acts[i], o, i)) {
            check_denied(h, o, i);
            check_deny_wins(h, o, i);
        }
        if (o->own[i] != ML_REASON_NONE) {
            hold(o->all[i] == o->own[i], h, o); /* what had no right never gets it */
        }
        tally.fell += o->own[i] == ML_REASON_NONE && o->all[i] != ML_REASON_NONE;
    }
    for (uint32_t m = 0; m < WRITERS; m++) {
        check_given(h, o, m);
    }
}

/* ---- every order ---- */

static bool may_come(const struct history *h, const uint8_t *order, unsigned at, unsigned next)
{
    for (unsigned i = 0; i < h->count; i++) {
        bool before = i != next && sees(&h->acts[next], &h->acts[i]);
        for (unsigned k = 0; k < at && before; k++) {
            before = order[k] != i;
        }
        if (before) {
            return false; /* something that it saw isn't here yet */
        }
    }
    return true;
}

/* As deep as there are acts. NOLINTNEXTLINE(misc-no-recursion) */
static void try_orders(struct history *h, const struct outcome *want, uint8_t *order, unsigned at)
{
    if (at == h->count) {
        struct outcome got;
        evaluate(h, order, &got);
        hold(memcmp(&got, want, sizeof(got)) == 0, h, &got);
        return;
    }
    for (unsigned next = SETUP; next < h->count; next++) {
        bool used = false;
        for (unsigned k = SETUP; k < at; k++) {
            used = used || order[k] == next;
        }
        if (!used && may_come(h, order, at, next)) {
            order[at] = (uint8_t)next;
            try_orders(h, want, order, at + 1);
        }
    }
}

static void check_history(struct history *h)
{
    uint8_t order[ACTS_MAX];
    struct outcome first;
    for (unsigned i = 0; i < ACTS_MAX; i++) {
        order[i] = (uint8_t)i;
    }
    evaluate(h, order, &first);
    check_outside(h, &first);
    try_orders(h, &first, order, SETUP);
    tally.histories++;
}

/* ---- what may be said ---- */

enum { SAYINGS = WRITERS * 7 + 2 };

static bool say_of(const struct history *h, struct act *x, unsigned n)
{
    const uint32_t member = n / 7;
    x->cut = (struct ml_cut){.writer = member, .seq = x->vec[member < WRITERS ? member : 0]};
    if (member == WRITERS) {
        x->say = (struct ml_say){.kind = n % 7 == 0 ? ML_SAY_CHECKPOINT : ML_SAY_OTHER,
                                 .rank = ML_RANK_NODE,
                                 .member = ML_NOBODY};
        return true;
    }
    x->say = (struct ml_say){.kind = ML_SAY_DENIAL, .member = member, .node = ML_NOBODY};
    switch (n % 7) {
    case 0:
        x->say = (struct ml_say){.kind = ML_SAY_MEMBER, .member = member, .rank = 2};
        return true;
    case 1:
        x->say = (struct ml_say){.kind = ML_SAY_MEMBER, .member = member, .rank = 3};
        return true;
    case 2:
        x->say.mode = ML_DENIAL_COMPROMISE;
        return true;
    case 3:
        x->say.mode = ML_DENIAL_DEPARTURE;
        return true;
    case 4: /* cut 0, with a second signature */
        x->say.mode = ML_DENIAL_COMPROMISE;
        x->cut.seq = 0;
        x->say.seconds[x->say.second_count++] = WRITERS - x->writer - member;
        return member != x->writer && h->ranks[WRITERS - x->writer - member] < 3;
    case 5:
        x->say.mode = ML_DENIAL_SUSPENSION;
        x->say.until_ms = 5000;
        return true;
    default:
        x->say.mode = ML_DENIAL_COMPROMISE;
        x->say.root = true;
        return x->writer == 0; /* whoever carries Root's word, it is the same */
    }
}

/* Equals are told apart by who first does something. */
static bool is_first_of_equals(const struct history *h, uint32_t writer)
{
    for (uint32_t w = 1; w < writer; w++) {
        if (h->ranks[w] != h->ranks[writer]) {
            continue;
        }
        bool named = false;
        for (unsigned i = SETUP; i < h->count; i++) {
            named = named || h->acts[i].writer == w || h->acts[i].say.member == w;
        }
        if (!named) {
            return false;
        }
    }
    return true;
}

static bool is_within(const uint32_t *a, const uint32_t *b)
{
    bool within = true;
    for (uint32_t w = 0; w < WRITERS; w++) {
        within = within && a[w] <= b[w];
    }
    return within;
}

/* A vector hangs together when it holds what each of its acts saw. */
static bool hangs_together(const struct history *h, const uint32_t *vec)
{
    for (unsigned i = 0; i < h->count; i++) {
        const struct act *x = &h->acts[i];
        if (vec[x->writer] >= x->seq && !is_within(x->vec, vec)) {
            return false;
        }
    }
    return true;
}

static uint32_t last_seq(const struct history *h, uint32_t writer)
{
    uint32_t seq = h->base[writer];
    for (unsigned i = SETUP; i < h->count; i++) {
        seq = h->acts[i].writer == writer ? h->acts[i].seq : seq;
    }
    return seq;
}

/* The vector number `n` of those that this writer's next act may have; false: none such. */
static bool vec_of(const struct history *h, struct act *x, unsigned n)
{
    for (uint32_t w = 0; w < WRITERS; w++) {
        const uint32_t span = last_seq(h, w) - h->base[w] + 1;
        if (w == x->writer) {
            x->vec[w] = last_seq(h, w);
        } else {
            x->vec[w] = h->base[w] + n % span;
            n /= span;
        }
    }
    return n == 0 && hangs_together(h, x->vec);
}

static unsigned vec_count(const struct history *h)
{
    unsigned count = 1;
    for (uint32_t w = 0; w < WRITERS; w++) {
        count *= last_seq(h, w) - h->base[w] + 1;
    }
    return count;
}

static bool has_right(struct history *h)
{
    struct outcome o;
    uint8_t order[ACTS_MAX];
    for (unsigned i = 0; i < ACTS_MAX; i++) {
        order[i] = (uint8_t)i;
    }
    evaluate(h, order, &o);
    return o.own[h->count - 1] == ML_REASON_NONE;
}

/* As deep as there are acts. NOLINTNEXTLINE(misc-no-recursion) */
static void extend(struct history *h, unsigned depth);

/* An act without right says nothing: the history is the one without it.
 * NOLINTNEXTLINE(misc-no-recursion) */
static void extend_by(struct history *h, unsigned depth, uint32_t writer, unsigned vec)
{
    struct act *x = &h->acts[h->count];
    for (unsigned n = 0; n < SAYINGS; n++) {
        memset(x, 0, sizeof(*x));
        x->writer = writer;
        x->seq = last_seq(h, writer) + 1;
        if (!vec_of(h, x, vec) || !say_of(h, x, n)) {
            continue;
        }
        h->count++;
        if (has_right(h)) {
            check_history(h);
            extend(h, depth - 1);
        } else {
            tally.refused++;
        }
        h->count--;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void extend(struct history *h, unsigned depth)
{
    for (uint32_t w = 0; w < WRITERS && depth > 0; w++) {
        for (unsigned vec = 0; vec < vec_count(h) && is_first_of_equals(h, w); vec++) {
            extend_by(h, depth, w, vec);
        }
    }
}

/* ---- where it begins ---- */

static void found_one(struct history *h, uint32_t writer, struct ml_say say)
{
    struct act *x = &h->acts[h->count];
    memset(x, 0, sizeof(*x));
    x->writer = writer;
    memcpy(x->vec, h->base, sizeof(x->vec));
    x->seq = ++h->base[writer];
    x->say = say;
    h->count++;
}

static void found(struct history *h, const uint8_t *ranks)
{
    memset(h, 0, sizeof(*h));
    fake_env_init(&h->fake, 1);
    memcpy(h->ranks, ranks, sizeof(h->ranks));
    found_one(h, 0, genesis[0]);
    for (uint32_t m = 1; m < WRITERS; m++) {
        const bool root = ranks[m] == ML_RANK_COORDINATOR;
        found_one(
            h, 0,
            (struct ml_say){.kind = ML_SAY_MEMBER, .member = m, .rank = ranks[m], .root = root});
        found_one(h, 0, (struct ml_say){.kind = ML_SAY_MON, .member = m, .node = m, .root = root});
        found_one(h, m, (struct ml_say){.kind = ML_SAY_WRITER, .member = m, .node = m});
    }
    assert_int_equal(h->count, SETUP);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void report(const char *what)
{
    printf("%s: %" PRIu64 " histories, %" PRIu64 " orders, %" PRIu64
           " acts without right left out, "
           "%" PRIu64 " acts that fell\n",
           what, tally.histories, tally.orders, tally.refused, tally.fell);
    memset(&tally, 0, sizeof(tally));
}

static void every_short_history_means_one_thing(void **state)
{
    (void)state;
    static struct history h;
    const unsigned depth = (unsigned)setting("ML_MODEL_DEPTH", 2);
    for (size_t i = 0; i < sizeof(casts) / sizeof(casts[0]); i++) {
        found(&h, casts[i]);
        extend(&h, depth < DEPTH_MAX ? depth : DEPTH_MAX);
    }
    assert_true(tally.histories > 1000);
    assert_true(tally.fell > 100);
    report("exhaustive");
}

static uint64_t draw(uint64_t *rng, uint64_t bound)
{
    *rng = *rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*rng >> 33) % bound;
}

static void grow(struct history *h, uint64_t *rng)
{
    struct act *x = &h->acts[h->count];
    memset(x, 0, sizeof(*x));
    x->writer = (uint32_t)draw(rng, WRITERS);
    x->seq = last_seq(h, x->writer) + 1;
    if (vec_of(h, x, (unsigned)draw(rng, vec_count(h))) &&
        say_of(h, x, (unsigned)draw(rng, SAYINGS))) {
        h->count++;
        if (!has_right(h)) {
            h->count--;
        }
    }
}

static void longer_histories_by_seed_mean_one_thing(void **state)
{
    (void)state;
    static struct history h;
    uint64_t rng = setting("ML_MODEL_SEED", 1);
    const uint64_t count = setting("ML_MODEL_RANDOM", 2000);
    for (uint64_t i = 0; i < count; i++) {
        found(&h, casts[draw(&rng, sizeof(casts) / sizeof(casts[0]))]);
        for (unsigned tries = 0; tries < 400 && h.count < ACTS_MAX; tries++) {
            grow(&h, &rng);
        }
        check_history(&h);
    }
    report("by seed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_history_means_one_thing),
        cmocka_unit_test(longer_histories_by_seed_mean_one_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
