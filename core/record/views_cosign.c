/* core/record/views_cosign.c -- what waits for a signature beside its author's (cosign.h).
 *
 * Happy path: the object's versions that stand are those that are head of a register or of its
 * life; one that its author couldn't write alone waits until a version that counts signs it: names
 * it in `seen`, by somebody whose signature does.
 */
#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/model/cosign.h"
#include "core/record/views_int.h"

struct weighing {
    struct ml_vault *v;
    struct ml_object *o;
    const struct ml_gov *gov;
    bool *stands; /* count */
};

static const struct ml_gov *gov_of(const struct ml_vault *v)
{
    const bool knows = v->names != NULL && v->names->gov != NULL;
    return knows ? v->names->gov(v->names->ctx) : NULL;
}

static ml_err wrote_of(const struct weighing *w, uint32_t i, struct ml_cosign_wrote *out)
{
    struct ml_stmt *st = w->v->st[ST_BUNDLE_GET];
    bool row = false;
    *out = (struct ml_cosign_wrote){.class = w->o->entity->data_class,
                                    .ms = ml_hlc_ms(w->o->versions[i].hlc)};
    ml_stmt_bind_int(st, 1, (int64_t)w->o->versions[i].n);
    ml_err err = ml_stmt_step(st, &row);
    const struct vault_author *author =
        err == ML_OK && row ? ml_vault_author_of(w->v, ml_stmt_int(st, 0)) : NULL;
    if (author != NULL) {
        out->member = author->member;
    }
    ml_stmt_reset(st);
    return err;
}

static ml_err slot_weigh(void *user, uint16_t slot, const struct ml_field *first)
{
    struct weighing *w = user;
    struct ml_register r;
    (void)first;
    ml_err err = ml_object_register(w->o, slot, &r);
    for (uint32_t i = 0; err == ML_OK && i < w->o->count; i++) {
        w->stands[i] = w->stands[i] || r.ranks[i] == ML_RANK_HEAD;
    }
    if (err == ML_OK) {
        ml_register_free(w->o, &r);
    }
    return err;
}

static bool names(const struct ml_obj_version *signature, const struct ml_version_id *id)
{
    uint32_t i = 0;
    while (i < signature->seen_count && ml_version_id_compare(&signature->seen[i], id) != 0) {
        i++;
    }
    return i < signature->seen_count;
}

static ml_err is_signed(const struct weighing *w, uint32_t at, const struct ml_cosign *cosign,
                        const struct ml_cosign_wrote *wrote, bool *yes)
{
    ml_err err = ML_OK;
    *yes = false;
    for (uint32_t s = 0; err == ML_OK && !*yes && s < w->o->count; s++) {
        const struct ml_obj_version *signature = &w->o->versions[s];
        struct ml_cosign_wrote by;
        if (signature->change.type != ML_CHANGE_COSIGN || signature->grey != ML_GREY_NONE ||
            !names(signature, &w->o->versions[at].id)) {
            continue;
        }
        err = wrote_of(w, s, &by);
        *yes = err == ML_OK && ml_cosign_is_by(w->gov, cosign, wrote, &by);
    }
    return err;
}

static ml_err version_weigh(const struct weighing *w, uint32_t i, struct ml_view_unsigned *out)
{
    struct ml_cosign_wrote wrote;
    struct ml_cosign cosign;
    bool is = false;
    ml_err err = wrote_of(w, i, &wrote);
    if (err != ML_OK) {
        return err;
    }
    ml_cosign_of(&cosign, w->gov, &wrote);
    if (cosign.waits) {
        err = is_signed(w, i, &cosign, &wrote, &is);
    }
    if (err == ML_OK && cosign.waits && !is) {
        *out = (struct ml_view_unsigned){
            .waits = true, .author = wrote.member, .supervisor = cosign.supervisor};
    }
    return err;
}

static ml_err stands_weigh(struct weighing *w)
{
    for (uint32_t i = 0; i < w->o->count; i++) {
        w->stands[i] = w->o->lives[i] == ML_RANK_HEAD;
    }
    return ml_entity_slots(w->o->entity, slot_weigh, w);
}

ml_err ml_view_weigh_unsigned(struct ml_vault *v, struct ml_object *o, struct ml_view_unsigned *out)
{
    struct weighing w = {.v = v, .o = o, .gov = gov_of(v)};
    *out = (struct ml_view_unsigned){.waits = false};
    if (w.gov == NULL || !ml_cosign_any(w.gov)) {
        return ML_OK;
    }
    w.stands = ml_alloc_array(v->env, o->count, sizeof(*w.stands));
    ml_err err = w.stands == NULL ? ML_E_NOMEM : stands_weigh(&w);
    for (uint32_t i = 0; err == ML_OK && i < o->count && !out->waits; i++) {
        if (w.stands[i] && o->versions[i].change.type != ML_CHANGE_COSIGN &&
            o->versions[i].grey == ML_GREY_NONE) {
            err = version_weigh(&w, i, out);
        }
    }
    ml_release(v->env, w.stands);
    return err;
}

ml_err ml_view_unsigned(struct ml_vault *v, const struct ml_object_id *patient,
                        const struct ml_object_id *object, struct ml_view_unsigned *out)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    int64_t row = 0;
    uint16_t entity = 0;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_vault_find_object(v, patient, object, &row, &entity);
    if (err == ML_OK) {
        err = ml_view_load(v, row, &o, &packed);
    }
    if (err == ML_OK) {
        err = ml_view_weigh_unsigned(v, o, out);
    }
    ml_object_free(o);
    ml_buf_free(&packed);
    return err;
}

bool ml_view_may_cosign(const struct ml_vault *v, const struct ml_entity *entity,
                        const struct ml_view_unsigned *what, const struct ml_member_id *signer)
{
    const struct ml_gov *gov = gov_of(v);
    const uint64_t ms = v->env->wall_ms(v->env->ctx);
    const struct ml_cosign cosign = {.waits = true, .supervisor = what->supervisor};
    const struct ml_cosign_wrote wrote = {.member = what->author, .class = entity->data_class};
    const struct ml_cosign_wrote by = {.member = *signer, .class = entity->data_class, .ms = ms};
    return gov != NULL && ml_cosign_is_by(gov, &cosign, &wrote, &by);
}
