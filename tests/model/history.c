/* history.c -- see model.h. */
#include <stdio.h>
#include <string.h>

#include "model.h"

const uint8_t m_casts[M_CASTS][M_WRITERS] = {{1, 1, 1}, {1, 1, 2}, {1, 2, 2},
                                             {1, 2, 3}, {1, 1, 3}, {1, 4, 2}};

/* ---- the founding ---- */

static m_set past_of(const struct m_history *h, const uint32_t *vec)
{
    m_set past = 0;
    for (unsigned i = 0; i < h->count; i++) {
        past |= h->acts[i].seq <= vec[h->acts[i].writer] ? m_one(i) : 0;
    }
    return past;
}

static void found_one(struct m_history *h, uint32_t writer, struct ml_say say)
{
    struct m_act *x = &h->acts[h->count];
    memset(x, 0, sizeof(*x));
    x->writer = writer;
    memcpy(x->vec, h->base, sizeof(x->vec));
    x->past = past_of(h, x->vec);
    x->seq = ++h->base[writer];
    x->ms = M_NOW_MS;
    x->say = say;
    x->saying = M_SAYING_COUNT;
    h->count++;
}

static struct ml_say taking_in(uint32_t member, uint8_t rank)
{
    const bool garant = rank == ML_RANK_GARANT;
    return (struct ml_say){.kind = ML_SAY_MEMBER,
                           .member = member,
                           .rank = garant ? ML_RANK_REFERENT : rank,
                           .garant = garant,
                           .root = garant || rank == ML_RANK_COORDINATOR};
}

void m_found(struct m_history *h, const uint8_t *ranks)
{
    const unsigned sayings = h->sayings;
    const bool clocks = h->clocks;
    const bool no_records = h->no_records;
    memset(h, 0, sizeof(*h));
    h->no_records = no_records;
    h->sayings = sayings;
    h->clocks = clocks;
    memcpy(h->ranks, ranks, sizeof(h->ranks));
    found_one(h, 0, (struct ml_say){.kind = ML_SAY_MEMBER, .rank = 1}); /* and the rest: pure.c */
    for (uint32_t m = 1; m < M_WRITERS; m++) {
        const bool root = ranks[m] == ML_RANK_COORDINATOR;
        found_one(h, 0, taking_in(m, ranks[m]));
        found_one(h, 0, (struct ml_say){.kind = ML_SAY_MON, .member = m, .node = m, .root = root});
        found_one(h, m, (struct ml_say){.kind = ML_SAY_WRITER, .member = m, .node = m});
    }
    h->fixed = h->count;
}

/* ---- one more act ---- */

static uint32_t last_seq(const struct m_history *h, uint32_t writer)
{
    uint32_t seq = h->base[writer];
    for (unsigned i = M_SETUP; i < h->count; i++) {
        seq = h->acts[i].writer == writer ? h->acts[i].seq : seq;
    }
    return seq;
}

static bool hangs_together(const struct m_history *h, m_set past)
{
    bool whole = true;
    for (unsigned i = 0; i < h->count; i++) {
        whole = whole && (!m_has(past, i) || (h->acts[i].past & ~past) == 0);
    }
    return whole;
}

unsigned m_vec_count(const struct m_history *h)
{
    unsigned count = 1;
    for (uint32_t w = 0; w < M_WRITERS; w++) {
        count *= last_seq(h, w) - h->base[w] + 1;
    }
    return count;
}

static bool vec_of(const struct m_history *h, struct m_act *x, unsigned n)
{
    for (uint32_t w = 0; w < M_WRITERS; w++) {
        const uint32_t span = last_seq(h, w) - h->base[w] + 1;
        if (w == x->writer) {
            x->vec[w] = last_seq(h, w);
        } else {
            x->vec[w] = h->base[w] + n % span;
            n /= span;
        }
    }
    x->past = past_of(h, x->vec);
    return n == 0 && hangs_together(h, x->past);
}

/* Records have been written up to number 1 of lane 3 by everybody, and nobody knows of more. */
static void cut_at(struct m_act *x, uint32_t member, bool seen)
{
    x->cuts[0] = (struct ml_cut){.writer = member, .seq = x->vec[member]};
    x->cuts[1] = (struct ml_cut){.writer = member, .lane = 3, .seq = 1};
    x->say.cut_count = seen ? 2 : 0;
}

static void say_denial(struct m_act *x, uint32_t member, ml_denial_mode mode, bool seen)
{
    x->say =
        (struct ml_say){.kind = ML_SAY_DENIAL, .member = member, .node = ML_NOBODY, .mode = mode};
    if (mode == ML_DENIAL_SUSPENSION) {
        x->say.until_ms = M_NOW_MS + M_DAY_MS;
    }
    cut_at(x, member, seen);
}

static void say_checkpoint(struct m_act *x)
{
    x->say = (struct ml_say){.kind = ML_SAY_CHECKPOINT, .cut_count = (size_t)2 * M_WRITERS};
    struct ml_cut *at = x->cuts;
    for (uint32_t w = 0; w < M_WRITERS; w++) {
        *at++ = (struct ml_cut){.writer = w, .seq = x->vec[w]};
        *at++ = (struct ml_cut){.writer = w, .lane = 3, .seq = 1};
    }
}

static void say_member(struct m_act *x, uint32_t member, uint8_t rank)
{
    x->say = (struct ml_say){.kind = ML_SAY_MEMBER, .member = member, .rank = rank};
}

/* Of concurrent ones each has a number of its own: real.c has so many keys, ascending. */
static void say_rotation(struct m_act *x)
{
    x->say = (struct ml_say){.kind = ML_SAY_ROTATE, .member = ML_NOBODY, .node = ML_NOBODY};
    x->say.order[0] = (uint8_t)((x->seq * 5 + x->writer * 7) % M_ROOTS);
}

/* Does his hand count, as he was taken in? */
static bool has_hand(const struct m_history *h, uint32_t member)
{
    return h->ranks[member] <= ML_RANK_REFERENT || h->ranks[member] == ML_RANK_GARANT;
}

/* He promotes himself, and all others sign. */
static bool with_both(const struct m_history *h, struct m_act *x)
{
    bool able = true;
    for (uint32_t m = 0; m < M_WRITERS; m++) {
        if (m != x->writer) {
            x->say.seconds[x->say.second_count++] = m;
            able = able && has_hand(h, m);
        }
    }
    return able;
}

/* The third of them signs too. */
static bool with_third(const struct m_history *h, struct m_act *x, uint32_t member)
{
    if (member == x->writer) {
        return false;
    }
    const uint32_t third = M_WRITERS - x->writer - member;
    x->say.seconds[x->say.second_count++] = third;
    return has_hand(h, third);
}

/* Other keys for Root, and whom Root alone names. */
static bool of_root_say(const struct m_history *h, struct m_act *x, uint32_t member)
{
    if (x->saying == M_GARANT) { /* never in time: there are members */
        x->say = taking_in(member, ML_RANK_GARANT);
        return x->writer == 0 && member == M_WRITERS - 1;
    }
    say_rotation(x);
    if (x->saying == M_ROTATE) {
        x->say.seconds[x->say.second_count++] = member;
        return member != x->writer && h->ranks[member] <= ML_RANK_REFERENT;
    }
    x->say.root = true;
    return member == 0;
}

static bool say_of(const struct m_history *h, struct m_act *x, uint32_t member)
{
    const uint32_t last = M_WRITERS - 1;
    switch (x->saying) {
    case M_GRANT2:
    case M_GRANT3:
        say_member(x, member, x->saying == M_GRANT2 ? 2 : 3);
        return true;
    case M_COMPROMISE:
    case M_ALONE_CUT0:
    case M_TWO_CUT0:
        say_denial(x, member, ML_DENIAL_COMPROMISE, x->saying == M_COMPROMISE);
        return x->saying != M_TWO_CUT0 || with_third(h, x, member);
    case M_DEPARTURE:
    case M_TWO_DEPART:
        say_denial(x, member, ML_DENIAL_DEPARTURE, true);
        return x->saying == M_DEPARTURE || with_third(h, x, member);
    case M_SUSPEND:
        say_denial(x, member, ML_DENIAL_SUSPENSION, true);
        return true;
    case M_ROOT: /* whoever carries Root's word, it is the same */
        say_denial(x, member, ML_DENIAL_COMPROMISE, true);
        x->say.root = true;
        return x->writer == last || (x->writer == 0 && member == last);
    case M_GRANT1:
        say_member(x, member, 1);
        return member == x->writer ? with_both(h, x) : with_third(h, x, member);
    case M_GRANT1_OWN:
        say_member(x, member, 1);
        x->say.seconds[x->say.second_count++] = member;
        return member != x->writer && has_hand(h, member);
    case M_LOST:
        say_denial(x, member, ML_DENIAL_COMPROMISE, true);
        x->say.node = member;
        return true;
    case M_ROLE:
        x->say = (struct ml_say){.kind = ML_SAY_ROLE, .member = member};
        return true;
    case M_ROOT_GRANT:
        say_member(x, member, 2);
        x->say.root = true;
        return x->writer == last || (x->writer == 0 && member == last);
    case M_PLACE:
        x->say = (struct ml_say){.kind = ML_SAY_MON, .member = member, .node = member};
        return true;
    case M_CHECKPOINT:
        say_checkpoint(x);
        return member == 0;
    case M_GARANT:
    case M_ROTATE:
    case M_ROOT_ROTATE:
        return of_root_say(h, x, member);
    case M_OTHER:
    case M_SAYING_COUNT:
        break;
    }
    x->say = (struct ml_say){.kind = ML_SAY_OTHER, .rank = ML_RANK_MEMBER, .member = ML_NOBODY};
    return member == 0;
}

unsigned m_say_count(const struct m_history *h)
{
    return h->sayings * M_WRITERS * (h->clocks ? 2 : 1);
}

bool m_next(struct m_history *h, uint32_t writer, unsigned vec, unsigned say)
{
    struct m_act *x = &h->acts[h->count];
    memset(x, 0, sizeof(*x));
    x->writer = writer;
    x->seq = last_seq(h, writer) + 1;
    x->saying = (enum m_saying)(say % h->sayings);
    say /= h->sayings;
    const uint32_t member = say % M_WRITERS;
    x->ms = M_NOW_MS + (uint64_t)(say / M_WRITERS) * 2 * M_DAY_MS;
    bool fits = vec_of(h, x, vec) && say_of(h, x, member);
    for (unsigned i = 0; i < h->count && fits; i++) { /* no clock goes back on what it saw */
        fits = !m_has(x->past, i) || h->acts[i].ms <= x->ms;
    }
    return fits;
}

static bool is_named(const struct m_history *h, uint32_t who)
{
    bool named = false;
    for (unsigned i = M_SETUP; i < h->count; i++) {
        named = named || h->acts[i].writer == who || h->acts[i].say.member == who;
    }
    return named;
}

/* Equals are told apart by who first does something, or has it done to him. */
static bool is_first_of_equals(const struct m_history *h, uint32_t who, uint32_t writer)
{
    bool first = true;
    for (uint32_t w = 1; w < who && who < M_WRITERS && !is_named(h, who); w++) {
        first = first && (h->ranks[w] != h->ranks[who] || w == writer || is_named(h, w));
    }
    return first;
}

/* The least order by writers: none of the last acts that it didn't see is of a later writer. What
 * is fixed stands first. */
bool m_is_canonical(const struct m_history *h)
{
    const struct m_act *x = &h->acts[h->count];
    for (unsigned i = h->count; i > h->fixed && !m_has(x->past, i - 1); i--) {
        if (h->acts[i - 1].writer > x->writer) {
            return false;
        }
    }
    return is_first_of_equals(h, x->writer, 0) && is_first_of_equals(h, x->say.member, x->writer);
}

static const char *saying_text(enum m_saying saying)
{
    static const char *const texts[] = {
#define X(name, text) text,
        M_SAYINGS(X)
#undef X
    };
    return saying < M_SAYING_COUNT ? texts[saying] : "founding";
}

static void tell_past(m_set past)
{
    for (unsigned k = M_SETUP; k < M_ACTS; k++) {
        if (m_has(past, k)) {
            printf(" %u", k);
        }
    }
}

void m_tell(const struct m_history *h)
{
    printf("ranks %u %u %u\n", h->ranks[0], h->ranks[1], h->ranks[2]);
    for (unsigned i = M_SETUP; i < h->count; i++) {
        const struct m_act *x = &h->acts[i];
        printf("  %u: writer %u seq %u saw", i, x->writer, x->seq);
        tell_past(x->past);
        printf(": %s, of %d%s\n", saying_text(x->saying),
               x->say.member == ML_NOBODY ? -1 : (int)x->say.member,
               x->ms > M_NOW_MS ? ", two days later" : "");
    }
}
