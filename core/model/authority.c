/* core/model/authority.c -- see authority.h. Acts and statements in arrays, in the order in which
 * they came; dropping the last one restores what was there before. */
#include "core/model/authority.h"

#include <string.h>

#include "core/model/authority_impl.h"

ml_err ml_authority_new(struct ml_authority **out, const struct ml_env *env,
                        ml_authority_seq_fn seq, const void *ctx)
{
    struct ml_authority *a = ml_alloc(env, sizeof(*a));
    if (a == NULL) {
        return ML_E_NOMEM;
    }
    a->env = env;
    a->seq = seq;
    a->ctx = ctx;
    *out = a;
    return ML_OK;
}

void ml_authority_free(struct ml_authority *a)
{
    if (a != NULL) {
        ml_release(a->env, a->acts);
        ml_release(a->env, a->said);
        ml_release(a->env, a->needs.at);
        ml_release(a->env, a->floors.at);
        ml_release(a->env, a->openings.at);
        ml_release(a->env, a->persons.at);
        ml_release(a->env, a);
    }
}

struct ml_ruling ml_authority_own(const struct ml_authority *a, size_t act)
{
    return a->acts[act].ruling;
}

uint32_t ml_authority_author(const struct ml_authority *a, size_t act, uint8_t *rank)
{
    *rank = a->acts[act].rank;
    return a->acts[act].member;
}

size_t ml_authority_count(const struct ml_authority *a)
{
    return a->act_count;
}

/* Room for `more` of `size` bytes each. */
static ml_err reserve(const struct ml_env *env, void **at, size_t *cap, size_t needed, size_t size)
{
    if (needed <= *cap) {
        return ML_OK;
    }
    size_t grown = *cap == 0 ? 16 : *cap * 2;
    while (grown < needed) {
        grown *= 2;
    }
    void *bigger = ml_resize(env, *at, grown * size);
    if (bigger == NULL) {
        return ML_E_NOMEM;
    }
    *at = bigger;
    *cap = grown;
    return ML_OK;
}

ml_err ml_numbers_push(struct ml_numbers *n, const struct ml_env *env, uint32_t number)
{
    void *at = n->at;
    ml_err err = reserve(env, &at, &n->cap, n->count + 1, sizeof(n->at[0]));
    n->at = at;
    if (err == ML_OK) {
        n->at[n->count++] = number;
    }
    return err;
}

/* So that `index` has a place. */
static ml_err number_up_to(struct ml_numbers *n, const struct ml_env *env, uint32_t index)
{
    ml_err err = ML_OK;
    while (err == ML_OK && index != ML_NOBODY && n->count <= index) {
        err = ml_numbers_push(n, env, ML_NOBODY);
    }
    return err;
}

static bool is_about_person(const struct ml_say *say)
{
    return say->kind == ML_SAY_MEMBER || say->kind == ML_SAY_MON;
}

static ml_err make_room(struct ml_authority *a, const struct ml_act_in *in)
{
    void *acts = a->acts;
    void *said = a->said;
    ml_err err = reserve(a->env, &acts, &a->act_cap, a->act_count + 1, sizeof(a->acts[0]));
    a->acts = acts;
    if (err == ML_OK) {
        err =
            reserve(a->env, &said, &a->said_cap, a->said_count + in->say_count, sizeof(a->said[0]));
        a->said = said;
    }
    if (err == ML_OK) {
        err = number_up_to(&a->openings, a->env, in->writer);
    }
    for (size_t i = 0; i < in->say_count && err == ML_OK; i++) {
        if (is_about_person(&in->says[i])) {
            err = number_up_to(&a->persons, a->env, in->says[i].member);
        }
    }
    return err;
}

static void push_say(struct ml_authority *a, uint32_t act, const struct ml_say *say)
{
    const uint32_t at = (uint32_t)a->said_count++;
    struct ml_said *said = &a->said[at];
    *said = (struct ml_said){.say = *say, .act = act, .before = ML_NOBODY};
    if (is_about_person(say)) {
        said->before = a->persons.at[say->member];
        a->persons.at[say->member] = at;
    } else if (say->kind == ML_SAY_WRITER && a->openings.at[a->acts[act].writer] == ML_NOBODY) {
        a->openings.at[a->acts[act].writer] = at;
    }
}

static void push(struct ml_authority *a, const struct ml_act_in *in)
{
    const uint32_t n = (uint32_t)a->act_count++;
    a->acts[n] = (struct ml_act){
        .writer = in->writer,
        .seq = in->seq,
        .hlc = in->hlc,
        .vec = in->vec,
        .first = a->said_count,
        .count = in->say_count,
        .needs_from = a->needs.count,
        .needs_to = a->needs.count,
        .floors_from = a->floors.count,
        .member = ML_NOBODY,
        .rank = ML_RANK_NODE,
        .ruling = {ML_VERDICT_ACCEPTED, ML_REASON_NONE},
    };
    if (in->refused != ML_REASON_NONE) {
        a->acts[n].ruling = (struct ml_ruling){ML_VERDICT_QUARANTINED, in->refused};
    }
    for (size_t i = 0; i < in->say_count; i++) {
        push_say(a, n, &in->says[i]);
    }
}

void ml_authority_undo(struct ml_authority *a)
{
    if (a->act_count == 0) {
        return;
    }
    const struct ml_act *x = &a->acts[--a->act_count];
    a->needs.count = x->needs_from;
    a->floors.count = x->floors_from;
    while (a->said_count > x->first) {
        const uint32_t at = (uint32_t)--a->said_count;
        const struct ml_said *said = &a->said[at];
        if (is_about_person(&said->say)) {
            a->persons.at[said->say.member] = said->before;
        } else if (a->openings.at[x->writer] == at) {
            a->openings.at[x->writer] = ML_NOBODY;
        }
    }
}

ml_err ml_authority_add(struct ml_authority *a, struct ml_ruling *ruling,
                        const struct ml_act_in *in)
{
    ml_err err = make_room(a, in);
    if (err != ML_OK) {
        return err;
    }
    push(a, in);
    err = ml_authority_rule(a);
    if (err != ML_OK) {
        ml_authority_undo(a);
        return err;
    }
    *ruling = a->acts[a->act_count - 1].ruling;
    return ML_OK;
}
