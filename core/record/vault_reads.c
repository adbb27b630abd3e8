/* core/record/vault_reads.c -- what the matrix lets the vault's member read, where that is finer
 * than a compartment's key (docs/habilitation.md).
 *
 * Happy path: each catch-up asks governance for the scopes of all classes. An object of a class
 * that he may not read gets no row: of its bundles the ingest number is kept, with the object's id
 * and type, and nothing of what is inside. Where the scopes are others than those that the tables
 * were made with, the projection starts again: a wider right brings back what a narrower one took,
 * and nothing is left of what it no longer covers.
 *
 * Invariant: outside of a transaction no object that the matrix closes has a row.
 */
#include <stddef.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/vault_int.h"

static const char rights_key[] = "rights";
static const char teams_key[] = "rights.teams";

/* Classes of which a record may hold anything. */
static uint64_t classes_of(const struct ml_schema *schema)
{
    uint64_t classes = 0;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *e = schema->entities[i];
        classes |= e->is_shared ? 0 : UINT64_C(1) << e->data_class;
    }
    return classes;
}

static uint64_t bits_of(const struct ml_scopes *s, ml_scope from, ml_scope to)
{
    uint64_t bits = 0;
    for (unsigned class = 1; class <= ML_MATRIX_CLASS_MAX; class ++) {
        const bool in = s->of[class] >= from && s->of[class] <= to;
        bits |= in ? UINT64_C(1) << class : 0;
    }
    return bits;
}

struct asking {
    const struct ml_vault *v;
    const struct ml_gov *gov;
    struct vault_rights *out;
    struct ml_right_question q;
};

/* Whoever may read for the patients of his teams may read here: other teams' keys aren't his. */
static struct vault_reads ask(struct asking *a, const struct ml_team_id *team, ml_step_cb *each)
{
    const uint64_t classes = classes_of(a->v->schema);
    struct ml_scopes s;
    struct vault_reads r;
    a->q.team = team;
    a->q.right = ML_RIGHT_READ;
    ml_right_scopes(&s, a->gov, &a->q, each, a->out);
    r.all = bits_of(&s, ML_SCOPE_TEAM, ML_SCOPE_ALL) & classes;
    r.own = bits_of(&s, ML_SCOPE_OWN, ML_SCOPE_OWN) & classes;
    a->q.right = ML_RIGHT_SEE;
    ml_right_scopes(&s, a->gov, &a->q, NULL, NULL);
    r.see = bits_of(&s, ML_SCOPE_TEAM, ML_SCOPE_ALL) & classes;
    return r;
}

static void team_add(struct vault_rights *r, const struct ml_team_id *team)
{
    uint64_t i = 0;
    while (i < r->count && memcmp(r->in[i].team.b, team->b, sizeof(team->b)) != 0) {
        i++;
    }
    if (i == r->count && i < ML_ROLE_TEAMS_MAX) {
        r->in[r->count++].team = *team;
    }
}

/* Teams that a role of his names. */
static void step_take(void *user, const struct ml_step *step)
{
    struct ml_list_walk walk;
    struct ml_team_id team;
    if (step->kind != ML_STEP_GIVEN && step->kind != ML_STEP_REPLACES) {
        return;
    }
    ml_list_walk(&walk, &step->fact->teams);
    while (ml_team_next(&walk, &team)) {
        team_add(user, &team);
    }
}

static void rights_ask(const struct ml_vault *v, const struct ml_gov *gov, struct vault_rights *out)
{
    static const struct ml_team_id none;
    struct asking a = {
        .v = v,
        .gov = gov,
        .out = out,
        .q = {.member = v->member, .ms = v->env->wall_ms(v->env->ctx)},
    };
    memset(out, 0, sizeof(*out));
    (void)ask(&a, NULL, step_take);
    out->anywhere = ask(&a, &none, NULL);
    for (uint64_t i = 0; i < out->count; i++) {
        const struct ml_team_id team = out->in[i].team;
        out->in[i].reads = ask(&a, &team, NULL);
    }
}

static bool is_same_read(const struct vault_reads *a, const struct vault_reads *b)
{
    return a->all == b->all && a->own == b->own;
}

/* What he may only know of changes no table. */
static bool are_same(const struct vault_rights *a, const struct vault_rights *b)
{
    bool same = a->count == b->count && is_same_read(&a->anywhere, &b->anywhere);
    for (uint64_t i = 0; same && i < a->count; i++) {
        same = memcmp(&a->in[i].team, &b->in[i].team, sizeof(a->in[i].team)) == 0 &&
               is_same_read(&a->in[i].reads, &b->in[i].reads);
    }
    return same;
}

/* NOT_FOUND: the tables were made with none. */
static ml_err rights_load(struct ml_vault *v, struct vault_rights *out)
{
    const size_t head = offsetof(struct vault_rights, in);
    memset(out, 0, sizeof(*out));
    ml_err err = ml_vault_meta_get(v, rights_key, out, head);
    if (err == ML_OK && out->count > ML_ROLE_TEAMS_MAX) {
        return ML_E_CORRUPT;
    }
    if (err == ML_OK && out->count > 0) {
        err = ml_vault_meta_get(v, teams_key, out->in, out->count * sizeof(out->in[0]));
    }
    return err;
}

static ml_err rights_save(struct ml_vault *v)
{
    const struct vault_rights *r = v->rights;
    ml_err err = ml_vault_meta_put(v, rights_key, r, offsetof(struct vault_rights, in));
    return err == ML_OK && r->count > 0
               ? ml_vault_meta_put(v, teams_key, r->in, r->count * sizeof(r->in[0]))
               : err;
}

ml_err ml_vault_reads_look(struct ml_vault *v, const struct ml_log *log)
{
    const struct ml_gov *gov = ml_log_gov(log);
    struct vault_rights before;
    if (gov == NULL) {
        return ML_OK;
    }
    ml_err err = rights_load(v, &before);
    const bool known = err == ML_OK;
    if (!known && err != ML_E_NOT_FOUND) {
        return err;
    }
    v->rights_row = PATIENT_NOBODY;
    if (ml_gov_member(gov, &v->member) == NULL) { /* who was denied keeps what he had, no more */
        *v->rights = before;
        return ML_OK;
    }
    rights_ask(v, gov, v->rights);
    if (known && memcmp(&before, v->rights, sizeof(before)) == 0) {
        return ML_OK;
    }
    if ((v->state.record_cursor > 0 || v->state.key_cursor > 0) &&
        !(known && are_same(&before, v->rights))) {
        v->remap = true;
        v->erase = true;
    }
    return rights_save(v);
}

/* ---- of one patient ---- */

static ml_err team_join(void *user, const struct ml_patient_link *link)
{
    struct ml_vault *v = user;
    struct vault_reads *here = &v->rights_here;
    for (uint64_t i = 0; i < v->rights->count; i++) {
        const struct vault_reads *in = &v->rights->in[i].reads;
        if (memcmp(v->rights->in[i].team.b, link->team.b, sizeof(link->team.b)) == 0) {
            here->all |= in->all;
            here->own |= in->own;
            here->see |= in->see;
        }
    }
    return ML_OK;
}

ml_err ml_vault_reads_of(struct ml_vault *v, int64_t row, const struct ml_object_id *patient,
                         struct vault_reads *out)
{
    ml_err err = ML_OK;
    if (v->rights->count == 0) {
        *out = v->rights->anywhere;
        return ML_OK;
    }
    if (v->rights_row == PATIENT_NOBODY || v->rights_row != row) {
        v->rights_row = PATIENT_NOBODY;
        v->rights_here = v->rights->anywhere;
        err = v->key_store.link_each(v, patient, team_join, v);
        v->rights_row = err == ML_OK ? row : PATIENT_NOBODY;
    }
    *out = v->rights_here;
    return err;
}

/* ---- what isn't shown ---- */

ml_err ml_vault_keep(struct ml_vault *v, int64_t patient, const struct ml_change *change,
                     uint64_t n)
{
    struct ml_stmt *st = v->st[ST_KEPT_PUT];
    ml_stmt_bind_int(st, 1, patient);
    ml_stmt_bind_int(st, 2, change->entity);
    ml_stmt_bind_blob(st, 3, change->object.b, sizeof(change->object.b));
    ml_stmt_bind_int(st, 4, (int64_t)n);
    return ml_stmt_run(st);
}

static void bind_kept(struct ml_stmt *st, int64_t patient, const struct ml_object_id *object)
{
    ml_stmt_bind_int(st, 1, patient);
    if (object != NULL) {
        ml_stmt_bind_blob(st, 2, object->b, sizeof(object->b));
    }
}

ml_err ml_vault_kept_release(struct ml_vault *v, int64_t patient, const struct ml_object_id *object)
{
    bind_kept(v->st[ST_KEPT_READY], patient, object);
    ml_err err = ml_stmt_run(v->st[ST_KEPT_READY]);
    if (err == ML_OK && ml_db_changes(v->db) > 0) {
        v->retry = true;
        v->wait_any = true;
        bind_kept(v->st[ST_KEPT_DROP], patient, object);
        err = ml_stmt_run(v->st[ST_KEPT_DROP]);
    }
    return err;
}
