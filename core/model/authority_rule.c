/* core/model/authority_rule.c -- an act's own right, at its own vector (R1, R7; rules B13-B16).
 *
 * Happy path: the first act founds the structure -> each later one's author is found: who opened
 * its writer, does he work there, of what rank -> every statement is allowed to that rank on its
 * subject, alone or with a second signature -> what it rested on is kept, so that a view can see it
 * fall. One statement without authority quarantines the act: it has one verdict.
 */
#include "core/base/hlc.h"
#include "core/model/authority_impl.h"

struct judging {
    struct ml_authority *a;
    struct ml_view *v; /* at the act's vector: without the act itself */
    struct ml_act *act;
    ml_err err;
};

static void refuse(struct judging *j, ml_reason reason)
{
    if (j->act->ruling.verdict == ML_VERDICT_ACCEPTED) {
        j->act->ruling = (struct ml_ruling){ML_VERDICT_QUARANTINED, reason};
    }
}

/* ---- what it rests on ---- */

static void need_push(struct judging *j, uint32_t number)
{
    if (j->err == ML_OK) {
        j->err = ml_numbers_push(&j->a->needs, j->a->env, number);
    }
}

static size_t group_open(struct judging *j)
{
    need_push(j, 0);
    return j->a->needs.count - 1;
}

static void group_add(struct judging *j, size_t group, uint32_t act)
{
    need_push(j, act);
    if (j->err == ML_OK) {
        j->a->needs.at[group]++;
    }
}

static void need_one(struct judging *j, uint32_t act)
{
    size_t group = group_open(j);
    group_add(j, group, act);
}

/* For what is he asked: by himself a garant may next to nothing, his hand counts as a référent's.
 */
typedef enum ml_use {
    USE_HAND,
    USE_ACT,
} ml_use;

static uint8_t rank_given(const struct ml_say *grant, ml_use use)
{
    return grant->garant && use == USE_ACT ? ML_RANK_GARANT : grant->rank;
}

/* Did it see every standing grant of him that gives less than `rank`? */
static bool replaces_lower(const struct judging *j, const struct ml_said *grant, uint8_t rank,
                           ml_use use)
{
    const struct ml_authority *a = j->a;
    for (uint32_t i = ml_authority_last_of(a, grant->say.member); i != ML_NOBODY;
         i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MEMBER && rank_given(&s->say, use) > rank &&
            ml_view_stands(j->v, s) && !ml_authority_holds(a, a->acts[grant->act].vec, s->act)) {
            return false;
        }
    }
    return true;
}

/* One of his grants must go on counting that gives him this rank or a better one, whichever of the
 * others fall: none that gives less comes to stand then. */
static void need_rank(struct judging *j, uint32_t member, uint8_t rank, ml_use use)
{
    const struct ml_authority *a = j->a;
    size_t group = group_open(j);
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MEMBER && rank_given(&s->say, use) <= rank &&
            ml_view_stands(j->v, s) && replaces_lower(j, s, rank, use)) {
            group_add(j, group, s->act);
        }
    }
}

/* What put him below `rank` and is in the place of this grant, or beside it. */
static void add_lower(struct judging *j, size_t group, const struct ml_said *high, uint8_t rank)
{
    const struct ml_authority *a = j->a;
    for (uint32_t i = ml_authority_last_of(a, high->say.member); i != ML_NOBODY;
         i = a->said[i].before) {
        const struct ml_said *low = &a->said[i];
        if (low->say.kind == ML_SAY_MEMBER && low->say.rank > rank &&
            ml_view_counts(j->v, low->act) &&
            !ml_authority_holds(a, a->acts[high->act].vec, low->act)) {
            group_add(j, group, low->act);
        }
    }
}

/* Of each grant that put him at this rank or above, one that set it aside must go on counting, or
 * it falls itself: else somebody lowered by a grant that falls could be removed by who was his
 * equal all along. */
static void need_lower(struct judging *j, uint32_t member, uint8_t rank)
{
    const struct ml_authority *a = j->a;
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *high = &a->said[i];
        if (high->say.kind != ML_SAY_MEMBER || high->say.rank > rank ||
            !ml_view_counts(j->v, high->act)) {
            continue;
        }
        const size_t group = group_open(j);
        add_lower(j, group, high, rank);
        if (j->err == ML_OK && j->a->needs.at[group] == 0) {
            j->a->needs.count = group; /* what set it aside is a denial */
        } else {
            group_add(j, group, high->act | ML_NEED_NOT);
        }
    }
}

static void need_enrolment(struct judging *j, uint32_t member, uint32_t node)
{
    const struct ml_authority *a = j->a;
    size_t group = group_open(j);
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MON && s->say.node == node && ml_view_stands(j->v, s)) {
            group_add(j, group, s->act);
        }
    }
}

/* ---- who ---- */

struct signer {
    uint32_t member; /* ML_NOBODY: a node's own writer */
    uint32_t node;
    uint8_t rank;
};

/* Whose writer is it, and may he act? What that rests on becomes a need, of his rank as far as
 * `enough` of it is asked for. False: a stranger, or somebody denied. */
static bool find_signer(struct judging *j, struct signer *out, uint32_t writer, uint8_t enough,
                        ml_use use)
{
    const struct ml_authority *a = j->a;
    const uint32_t at = ml_number_of(&a->openings, writer);
    if (at == ML_NOBODY) {
        return false;
    }
    const struct ml_said *opening = &a->said[at];
    const bool own = opening->act + 1 == a->act_count;
    *out = (struct signer){opening->say.member, opening->say.node, ML_RANK_NODE};
    if (!own && !ml_view_counts(j->v, opening->act)) {
        return false;
    }
    if (!own) {
        need_one(j, opening->act);
    }
    if (out->member == ML_NOBODY) {
        return true; /* that somebody works there, its co-signature says */
    }
    if (!ml_view_works(j->v, out->member, out->node)) {
        return false;
    }
    out->rank =
        use == USE_ACT ? ml_view_acting(j->v, out->member) : ml_view_rank(j->v, out->member);
    need_rank(j, out->member, out->rank > enough ? out->rank : enough, use);
    need_enrolment(j, out->member, out->node);
    return true;
}

static bool is_same_decision(const struct ml_said *s, const struct ml_say *say)
{
    return s->say.decision == say->decision &&
           (say->kind != ML_SAY_DENIAL || s->stratum == ML_STRATUM_TWO);
}

/* Does it decide otherwise about the same person, or the same once more? */
static bool is_about_it(const struct ml_say *s, const struct ml_say *say)
{
    if (say->kind == ML_SAY_ROTATE) {
        return s->kind == ML_SAY_ROTATE;
    }
    if (say->kind == ML_SAY_OTHER) {
        return s->kind == ML_SAY_OTHER && s->second; /* a matrix that takes two */
    }
    if (s->member != say->member || s->member == ML_NOBODY) {
        return false;
    }
    return say->kind == ML_SAY_DENIAL ? s->kind == ML_SAY_MEMBER
                                      : s->kind == ML_SAY_DENIAL || s->kind == say->kind;
}

/* Said by who had seen the place where this was said first: it has been answered. */
static bool is_overtaken_by(const struct ml_authority *a, const struct ml_said *s,
                            const struct ml_say *say)
{
    return say->first_seq != 0 && is_about_it(&s->say, say) &&
           a->seq(a->ctx, a->acts[s->act].vec, say->first_writer) >= say->first_seq;
}

/* A proposal is said again until somebody is heard with it, or with something else by which he
 * answered it, and not by who had seen that: copied hands are nobody's then. */
static bool is_done(const struct judging *j, const struct ml_say *say)
{
    const struct ml_authority *a = j->a;
    for (size_t i = 0; i < a->said_count && say->decision != 0; i++) {
        const struct ml_said *s = &a->said[i];
        if (a->acts[s->act].ruling.verdict == ML_VERDICT_ACCEPTED &&
            ml_authority_holds(a, j->act->vec, s->act) &&
            (is_same_decision(s, say) || is_overtaken_by(a, s, say))) {
            return true;
        }
    }
    return false;
}

/* Rules B16: another member's than the actor and the subject, of rank 2 or better or a garant's. */
static unsigned count_seconds(struct judging *j, const struct ml_say *say)
{
    uint32_t counted[ML_SECONDS];
    unsigned count = 0;
    const size_t given = is_done(j, say) ? 0 : say->second_count;
    for (size_t i = 0; i < given; i++) {
        struct signer second;
        const size_t needs = j->a->needs.count;
        bool fits = find_signer(j, &second, say->seconds[i], ML_RANK_REFERENT, USE_HAND) &&
                    second.rank <= ML_RANK_REFERENT && second.member != j->act->member &&
                    second.member != say->member;
        for (unsigned k = 0; k < count && fits; k++) {
            fits = counted[k] != second.member;
        }
        if (fits) {
            counted[count++] = second.member;
        } else {
            j->a->needs.count = needs; /* it rests on nothing of this one */
        }
    }
    return count;
}

/* ---- what ---- */

/* The statement of this act that makes him a member; NULL: none does. */
static const struct ml_said *made_here(const struct judging *j, uint32_t member)
{
    const struct ml_authority *a = j->a;
    for (uint32_t i = ml_authority_last_of(a, member); i != ML_NOBODY; i = a->said[i].before) {
        const struct ml_said *s = &a->said[i];
        if (s->act + 1 == a->act_count && s->say.kind == ML_SAY_MEMBER) {
            return s;
        }
    }
    return NULL;
}

/* His rank as the act's author saw it, or as an earlier statement of the act gives it. */
static uint8_t rank_of_subject(const struct judging *j, uint32_t member)
{
    const struct ml_said *here = made_here(j, member);
    return here != NULL ? here->say.rank : ml_view_rank(j->v, member);
}

/* More than half of those of rank 2 or better, at least two (rules B16): without Root they make a
 * new coordinator, and another Root. */
static bool has_majority(struct judging *j, const struct ml_say *say)
{
    const unsigned hands = 1 + count_seconds(j, say);
    return j->act->rank <= ML_RANK_REFERENT && hands >= 2 && 2 * hands > ml_view_leaders(j->v);
}

/* Did it see anybody taken in but the founder and garants? By who had the right, whatever became of
 * it: the founding is over. */
static bool has_members(const struct judging *j)
{
    const struct ml_authority *a = j->a;
    for (size_t i = 0; i < a->said_count; i++) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_MEMBER && !s->say.garant && s->say.member != a->acts[0].member &&
            a->acts[s->act].ruling.verdict == ML_VERDICT_ACCEPTED && s->act + 1 < a->act_count &&
            ml_authority_holds(a, j->act->vec, s->act)) {
            return true;
        }
    }
    return false;
}

/* Named at founding: by a coordinator, with Root, where there is nobody yet but garants. */
static void rule_garant(struct judging *j, const struct ml_say *say)
{
    const bool may = say->root && j->act->rank == ML_RANK_COORDINATOR &&
                     say->member != j->a->acts[0].member && !has_members(j);
    if (!may) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    }
}

/* Nobody gives himself a rank, nor takes one from his equal: he ranks above both what the subject
 * has, or had before he was denied, and what he gets, which leaves those of rank 2 or better. Root
 * gives any, also to who carries its word: the only coordinator is gone. */
static void rule_member(struct judging *j, const struct ml_say *say)
{
    const uint8_t now = ml_view_rank_spared(j->v, say->member, ML_DENIAL_COMPROMISE);
    bool may = false;
    if (say->rank == ML_RANK_COORDINATOR) {
        may = say->root || (say->member != j->act->member && has_majority(j, say));
    } else {
        may = say->root || (j->act->rank < say->rank && j->act->rank < now);
        need_lower(j, say->member, say->root ? 0 : j->act->rank);
    }
    if (!may) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    }
}

static void rule_mon(struct judging *j, const struct ml_say *say)
{
    const uint8_t rank = rank_of_subject(j, say->member);
    const bool own = say->member == j->act->member && j->act->rank == ML_RANK_COORDINATOR;
    const bool lower = rank < ML_RANK_NODE && j->act->rank < rank;
    need_lower(j, say->member, own || say->root ? 0 : j->act->rank);
    if (made_here(j, say->member) == NULL) { /* there is no place for who is no member */
        need_rank(j, say->member, ML_RANK_MEMBER, USE_HAND);
    }
    const bool may = j->act->rank <= ML_RANK_REFERENT && (own || lower);
    if (!may && !(say->root && rank < ML_RANK_NODE)) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    }
}

static bool is_short_suspension(const struct judging *j, const struct ml_say *say)
{
    return say->mode == ML_DENIAL_SUSPENSION &&
           say->until_ms <= ml_hlc_ms(j->act->hlc) + ML_SUSPEND_MS;
}

/* Rules B14: checkpoints that count where it is said. What the subject says of himself binds nobody
 * who removes him. */
static void keep_floors(struct judging *j, struct ml_said *denial)
{
    struct ml_authority *a = j->a;
    denial->floors_from = a->floors.count;
    for (size_t i = 0; i < a->said_count && j->err == ML_OK; i++) {
        const struct ml_said *s = &a->said[i];
        if (s->say.kind == ML_SAY_CHECKPOINT && ml_view_counts(j->v, s->act) &&
            a->acts[s->act].member != denial->say.member) {
            j->err = ml_numbers_push(&a->floors, a->env, (uint32_t)i);
        }
    }
    denial->floors_to = a->floors.count;
}

/* R7: alone against who ranks below; against an equal with a second signature, or for a while. Who
 * is denied already ranks as before: a suspension of an equal opens no way to revoke him alone. */
static void rule_denial(struct judging *j, struct ml_said *said)
{
    const struct ml_say *say = &said->say;
    const uint8_t actor = j->act->rank;
    const uint8_t subject = ml_view_rank_spared(j->v, say->member, ML_DENIAL_COMPROMISE);
    keep_floors(j, said);
    if (say->root) {
        said->stratum = ML_STRATUM_ROOT;
    } else if (say->member == j->act->member) {
        said->stratum = ML_STRATUM_SELF;
        if (say->node == ML_NOBODY) {
            refuse(j, ML_REASON_NO_AUTHORITY);
        }
    } else if (actor > ML_RANK_REFERENT || subject < actor) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    } else if (count_seconds(j, say) > 0) {
        need_lower(j, say->member, actor - 1);
        said->stratum = ML_STRATUM_TWO;
    } else {
        said->stratum = actor == ML_RANK_COORDINATOR ? ML_STRATUM_COORDINATOR : ML_STRATUM_REFERENT;
        const bool brief = is_short_suspension(j, say);
        if (subject == actor && !brief) {
            refuse(j, ML_REASON_NO_AUTHORITY);
        }
        need_lower(j, say->member, brief ? actor - 1 : actor);
    }
}

/* Nobody gives himself a role, nor his equal one: not alone. */
static void rule_role(struct judging *j, const struct ml_say *say)
{
    const uint8_t actor = j->act->rank;
    const bool alone = actor < rank_of_subject(j, say->member); /* who is never his own better */
    if (!say->root && (actor > ML_RANK_REFERENT || (!alone && count_seconds(j, say) == 0))) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    }
    need_lower(j, say->member, alone && !say->root ? actor : 0);
}

/* Alone in its act: nothing cuts it, nor what would stand beside it. Where nobody could sign beside
 * its author, the Root that goes does. */
static void rule_rotate(struct judging *j, const struct ml_say *say)
{
    const bool lone = j->act->rank <= ML_RANK_REFERENT && ml_view_leaders(j->v) < 2;
    if (j->act->count != 1 || !(lone ? say->root : has_majority(j, say))) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    }
}

static void rule_other(struct judging *j, const struct ml_say *say)
{
    const bool own =
        say->member != ML_NOBODY && say->member == j->act->member && j->act->rank != ML_RANK_GARANT;
    const bool ranks = own || j->act->rank <= say->rank;
    if (!ranks || (say->second && !say->root && count_seconds(j, say) == 0)) {
        refuse(j, ML_REASON_NO_AUTHORITY);
    }
}

static void rule_say(struct judging *j, struct ml_said *said)
{
    const struct ml_say *say = &said->say;
    switch (say->kind) {
    case ML_SAY_MEMBER:
        if (say->garant) {
            rule_garant(j, say);
        } else {
            rule_member(j, say);
        }
        break;
    case ML_SAY_MON:
        rule_mon(j, say);
        break;
    case ML_SAY_DENIAL:
        rule_denial(j, said);
        break;
    case ML_SAY_ROLE:
        rule_role(j, say);
        break;
    case ML_SAY_CHECKPOINT:
        if (j->act->rank > ML_RANK_REFERENT) {
            refuse(j, ML_REASON_NO_AUTHORITY);
        }
        break;
    case ML_SAY_ROTATE:
        rule_rotate(j, say);
        break;
    case ML_SAY_OTHER:
        rule_other(j, say);
        break;
    case ML_SAY_WRITER: /* its co-signature was checked, and its author is who it says */
        break;
    }
}

/* The rank that this takes of its author; one that subjects are measured by: all that he has. */
static uint8_t rank_asked(const struct ml_say *say, uint32_t author)
{
    const bool own = say->member != ML_NOBODY && say->member == author;
    switch (say->kind) {
    case ML_SAY_MEMBER:
        return say->root && !say->garant ? ML_RANK_MEMBER : ML_RANK_COORDINATOR;
    case ML_SAY_MON:
    case ML_SAY_ROLE:
        return say->root ? ML_RANK_MEMBER : ML_RANK_COORDINATOR;
    case ML_SAY_DENIAL:
        return say->root || own ? ML_RANK_MEMBER : ML_RANK_COORDINATOR;
    case ML_SAY_CHECKPOINT:
    case ML_SAY_ROTATE:
        return ML_RANK_REFERENT;
    case ML_SAY_OTHER:
        return own || say->rank > ML_RANK_MEMBER ? ML_RANK_MEMBER : say->rank;
    case ML_SAY_WRITER:
        break;
    }
    return ML_RANK_MEMBER;
}

static uint8_t rank_of_act(const struct judging *j)
{
    const struct ml_authority *a = j->a;
    const uint32_t opening = ml_number_of(&a->openings, j->act->writer);
    const uint32_t author = opening == ML_NOBODY ? ML_NOBODY : a->said[opening].say.member;
    uint8_t enough = ML_RANK_MEMBER;
    for (size_t i = 0; i < j->act->count; i++) {
        const uint8_t asked = rank_asked(&a->said[j->act->first + i].say, author);
        enough = asked < enough ? asked : enough;
    }
    return enough;
}

static void rule_act(struct judging *j)
{
    struct signer author;
    if (!find_signer(j, &author, j->act->writer, rank_of_act(j), USE_ACT)) {
        refuse(j, ML_REASON_NOT_ENROLLED);
    } else {
        j->act->member = author.member;
        j->act->rank = author.rank;
    }
    for (size_t i = 0; i < j->act->count && j->err == ML_OK; i++) {
        rule_say(j, &j->a->said[j->act->first + i]);
    }
    j->act->needs_to = j->a->needs.count;
}

/* The genesis: by whoever it names. */
static void found(struct ml_authority *a, struct ml_act *act)
{
    const struct ml_said *s = &a->said[act->first];
    for (size_t i = 0; i < act->count; i++) {
        if (s[i].say.kind == ML_SAY_MEMBER) {
            act->member = s[i].say.member;
            act->rank = s[i].say.rank;
        }
    }
}

ml_err ml_authority_rule(struct ml_authority *a)
{
    struct judging j = {.a = a, .act = &a->acts[a->act_count - 1]};
    if (a->act_count == 1) {
        found(a, j.act);
        return ML_OK;
    }
    j.err = ml_view_at(&j.v, a, j.act->vec);
    if (j.err == ML_OK) {
        rule_act(&j);
        ml_view_free(j.v);
    }
    return j.err;
}
