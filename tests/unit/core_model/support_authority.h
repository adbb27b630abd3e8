/* tests/unit/core_model/support_authority.h -- a structure of a few people: each says what he says
 * on his own node, having seen what the test says. */
#ifndef ML_TESTS_SUPPORT_AUTHORITY_H
#define ML_TESTS_SUPPORT_AUTHORITY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hlc.h"
#include "core/model/authority.h"
#include "fake_env.h"

enum { PEOPLE = 6, ACTS = 64 };

#define HOUR UINT64_C(3600000)

/* Person n is member n, works on node n, writes with writer n. */
struct fixture {
    struct fake_env fake;
    struct ml_authority *a;
    uint32_t vecs[ACTS][PEOPLE];
    struct ml_cut cuts[ACTS];
    uint32_t seqs[PEOPLE];
    uint64_t now_ms;
    size_t acts;
};

static inline uint32_t seq_in(const void *ctx, const void *vec, uint32_t writer)
{
    (void)ctx;
    return vec == NULL ? 0 : ((const uint32_t *)vec)[writer];
}

/* Everybody's acts up to now: what somebody sees who is in touch. */
static inline const uint32_t *everything(const struct fixture *f)
{
    return f->seqs;
}

/* He says it, having seen `seen` and his own acts; its number among the acts. */
static inline struct ml_ruling say_having_seen(struct fixture *f, uint32_t who,
                                               const uint32_t *seen, struct ml_say say)
{
    struct ml_ruling ruling = {ML_VERDICT_PENDING, ML_REASON_NONE};
    uint32_t *vec = f->vecs[f->acts++];
    memcpy(vec, seen, sizeof(f->seqs));
    vec[who] = f->seqs[who];
    const struct ml_act_in in = {.writer = who,
                                 .seq = ++f->seqs[who],
                                 .hlc = ml_hlc_make(f->now_ms, 0),
                                 .vec = vec,
                                 .says = &say,
                                 .say_count = 1};
    assert_int_equal(ml_authority_add(f->a, &ruling, &in), ML_OK);
    return ruling;
}

static inline struct ml_ruling say(struct fixture *f, uint32_t who, struct ml_say s)
{
    uint32_t seen[PEOPLE];
    memcpy(seen, everything(f), sizeof(seen));
    return say_having_seen(f, who, seen, s);
}

static inline struct ml_say grant(uint32_t member, uint8_t rank)
{
    return (struct ml_say){.kind = ML_SAY_MEMBER, .member = member, .rank = rank};
}

static inline struct ml_say work(uint32_t member)
{
    return (struct ml_say){.kind = ML_SAY_MON, .member = member, .node = member};
}

static inline struct ml_say open_writer(uint32_t member)
{
    return (struct ml_say){.kind = ML_SAY_WRITER, .member = member, .node = member};
}

static inline struct ml_say anything(void)
{
    return (struct ml_say){.kind = ML_SAY_OTHER, .rank = ML_RANK_NODE, .member = ML_NOBODY};
}

/* Cut: all of his governance that is known now. */
static inline struct ml_say deny(struct fixture *f, uint32_t member, ml_denial_mode mode)
{
    struct ml_cut *cut = &f->cuts[f->acts];
    *cut = (struct ml_cut){.writer = member, .seq = f->seqs[member]};
    return (struct ml_say){.kind = ML_SAY_DENIAL,
                           .member = member,
                           .node = ML_NOBODY,
                           .mode = mode,
                           .cuts = cut,
                           .cut_count = 1,
                           .until_ms = f->now_ms + 24 * HOUR};
}

static inline struct ml_say with(struct ml_say s, uint32_t second)
{
    s.seconds[s.second_count++] = second;
    return s;
}

static inline struct ml_say by_root(struct ml_say s)
{
    s.root = true;
    return s;
}

#define ACCEPTED ML_REASON_NONE

static inline void assert_said(struct ml_ruling ruling, ml_reason reason)
{
    assert_int_equal(ruling.reason, reason);
}

static inline ml_reason reason_of_last(struct fixture *f, size_t back)
{
    struct ml_view *v = NULL;
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    ml_reason reason = ml_view_act(v, ml_authority_count(f->a) - 1 - back).reason;
    ml_view_free(v);
    return reason;
}

static inline ml_reason reason_of(struct fixture *f, size_t act)
{
    struct ml_view *v = NULL;
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    ml_reason reason = ml_view_act(v, act).reason;
    ml_view_free(v);
    return reason;
}

static inline uint8_t rank_of(struct fixture *f, uint32_t member)
{
    struct ml_view *v = NULL;
    assert_int_equal(ml_view_of_all(&v, f->a), ML_OK);
    uint8_t rank = ml_view_rank(v, member);
    ml_view_free(v);
    return rank;
}

static inline void take_in(struct fixture *f, uint32_t who, uint8_t rank)
{
    struct ml_say rights = grant(who, rank);
    if (rank == ML_RANK_COORDINATOR) {
        rights = by_root(rights);
    }
    assert_said(say(f, 0, rights), ACCEPTED);
    struct ml_say place = work(who);
    assert_said(say(f, 0, rank == ML_RANK_COORDINATOR ? by_root(place) : place), ACCEPTED);
    assert_said(say(f, who, open_writer(who)), ACCEPTED);
}

/* Another node of a person, with writer 5. */
static inline void take_in_on_another_node(struct fixture *f, uint32_t who)
{
    struct ml_say place = work(who);
    struct ml_say opening = open_writer(who);
    place.node = opening.node = 5;
    assert_said(say(f, 0, place), ACCEPTED);
    assert_said(say(f, 5, opening), ACCEPTED);
}

/* 0 and 1: coordinators; 2: référent; 3 and 4: members; 5: nobody yet. */
static inline int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 3);
    f.now_ms = UINT64_C(1700000000000);
    assert_int_equal(ml_authority_new(&f.a, &f.fake.env, seq_in, NULL), ML_OK);
    const struct ml_say genesis[] = {grant(0, ML_RANK_COORDINATOR), work(0), open_writer(0)};
    struct ml_ruling ruling;
    const struct ml_act_in in = {.writer = 0,
                                 .seq = ++f.seqs[0],
                                 .hlc = ml_hlc_make(f.now_ms, 0),
                                 .says = genesis,
                                 .say_count = 3};
    assert_int_equal(ml_authority_add(f.a, &ruling, &in), ML_OK);
    f.acts = 1;
    take_in(&f, 1, ML_RANK_COORDINATOR);
    take_in(&f, 2, ML_RANK_REFERENT);
    take_in(&f, 3, ML_RANK_MEMBER);
    take_in(&f, 4, ML_RANK_MEMBER);
    *state = &f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    ml_authority_free(f->a);
    return f->fake.live == 0 ? 0 : -1;
}

#endif
