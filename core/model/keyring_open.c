/* core/model/keyring_open.c -- making key ops of patients: openings, DEKs and their wraps.
 *
 * Happy path: PATIENT_OPEN seals the patient's link secret to a team; a DEK is drawn, and wrapped
 * for each team that has the link, and for break-glass. A team whose KEK its maker hasn't gets a
 * new one as a deposit. As in keyring_make.c, nothing is remembered here.
 *
 * Failures: an error leaves the keyring as it was; ops already emitted are whole and harmless
 * (wraps of a DEK that nothing was sealed with).
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/model/keyring_int.h"

/* ---- openings ---- */

static bool open_in_team(const struct patient_links *links, const struct ml_team_id *team)
{
    for (size_t i = 0; i < links->count; i++) {
        if (memcmp(links->link[i].team.b, team->b, sizeof(team->b)) == 0) {
            return true;
        }
    }
    return false;
}

/* The link secret to seal: the patient's own when there is one, else a new one. */
static ml_err link_for(struct ml_keyring *k, struct ml_patient_link *link)
{
    struct patient_links links;
    ml_err err = ml_keyring_links(k, &link->patient, &links);
    if (err == ML_E_NOT_FOUND) {
        k->env->random(k->env->ctx, link->secret, sizeof(link->secret));
        return ML_OK;
    }
    if (err != ML_OK) {
        return err;
    }
    struct ml_stream_id stream;
    size_t chosen = 0;
    err = open_in_team(&links, &link->team)
              ? ML_E_EXISTS
              : ml_keyring_stream_of(&links, ML_COMPARTMENT_ADMIN, &stream, &chosen);
    if (err == ML_OK) {
        memcpy(link->secret, links.link[chosen].secret, sizeof(link->secret));
    }
    ml_keyring_links_wipe(&links);
    return err;
}

static ml_err emit_open(struct ml_keyring *k, const struct ml_patient_link *link,
                        const struct key_epoch *e, ml_keyop_cb *emit, void *user)
{
    uint8_t plain[sizeof(link->patient.b) + ML_LINK_BYTES];
    uint8_t ct[sizeof(plain) + ML_AEAD_TAG_BYTES];
    uint8_t ad[ML_KEYOP_AD_MAX];
    struct ml_keyop op = {.type = ML_KEYOP_PATIENT_OPEN};
    struct ml_patient_open *open = &op.u.patient_open;
    open->team = link->team;
    open->sealed.key = e->kek;
    k->env->random(k->env->ctx, open->sealed.nonce, sizeof(open->sealed.nonce));
    memcpy(plain, link->patient.b, sizeof(link->patient.b));
    memcpy(plain + sizeof(link->patient.b), link->secret, ML_LINK_BYTES);
    size_t ad_len = ml_patient_open_ad(ad, &k->org, open);
    ml_aead_seal(ct, ml_slice(plain, sizeof(plain)), ml_slice(ad, ad_len), open->sealed.nonce,
                 ml_secret_bytes(e->wrap_key));
    open->sealed.ct = ml_slice(ct, sizeof(ct));
    ml_wipe(plain, sizeof(plain));
    return ml_keyring_emit(k, &op, emit, user);
}

static ml_err make_open(struct ml_keyring *k, struct ml_patient_link *link,
                        ml_compartment compartment, ml_keyop_cb *emit, void *user)
{
    const struct key_epoch *e = ml_keyring_sealing(k, &link->team, (uint8_t)compartment);
    if (e == NULL || e->wrap_key == NULL) {
        return ML_E_NO_KEY;
    }
    ml_err err = link_for(k, link);
    return err == ML_OK ? emit_open(k, link, e, emit, user) : err;
}

ml_err ml_keyring_make_open(struct ml_keyring *k, const struct ml_object_id *patient,
                            const struct ml_team_id *team, ml_keyop_cb *emit, void *user)
{
    if (ml_object_id_is_zero(patient)) {
        return ML_E_NO_KEY;
    }
    struct ml_patient_link link = {.patient = *patient, .team = *team};
    ml_err err = make_open(k, &link, ML_COMPARTMENT_ADMIN, emit, user);
    ml_wipe(&link, sizeof(link));
    return err;
}

ml_err ml_keyring_make_structure(struct ml_keyring *k, ml_keyop_cb *emit, void *user)
{
    struct ml_patient_link link = {.patient = {{0}}};
    ml_err err = make_open(k, &link, ML_COMPARTMENT_ANNUAIRE, emit, user);
    ml_wipe(&link, sizeof(link));
    return err;
}

/* ---- openings under later keys ---- */

/* Kept among the break-glass wraps, of which too only that they are there is asked: the link's
 * admin stream, the KEK in the place of a DEK, and the team. */
static ml_err mark_of(struct ml_bg_wrap *mark, const struct ml_patient_link *link,
                      const struct ml_key_id *kek)
{
    struct ml_secret *secret = NULL;
    ml_err err = ml_secret_from(&secret, link->secret, ML_LINK_BYTES);
    *mark = (struct ml_bg_wrap){.dek = *kek};
    if (err == ML_OK) {
        mark->stream = ml_stream_id_derive(secret, ML_COMPARTMENT_ADMIN);
        memcpy(mark->break_glass.b, link->team.b, sizeof(link->team.b));
    }
    ml_secret_free(secret);
    return err;
}

ml_err ml_keyring_mark_open(struct ml_keyring *k, const struct ml_patient_link *link,
                            const struct ml_key_id *kek)
{
    struct ml_bg_wrap mark;
    ml_err err = mark_of(&mark, link, kek);
    return err == ML_OK ? k->store->bg_put(k->store->ctx, &mark) : err;
}

/* For the members of `team`, which is the link's or another one of his: who is in one knows of the
 * others, and gives them what he writes. The epoch that seals may be an earlier one than that which
 * he was opened under: who came meanwhile left, and who comes back never held the later one. */
static ml_err reopen_one(struct ml_keyring *k, const struct ml_patient_link *link,
                         const struct ml_team_id *team, const struct key_emitter *to)
{
    const bool structure = ml_object_id_is_zero(&link->patient);
    const struct key_epoch *e =
        ml_keyring_sealing(k, team, structure ? ML_COMPARTMENT_ANNUAIRE : ML_COMPARTMENT_ADMIN);
    struct ml_bg_wrap mark;
    bool has = false;
    if (e == NULL || e->wrap_key == NULL) {
        return ML_OK;
    }
    ml_err err = mark_of(&mark, link, &e->kek);
    if (err == ML_OK) {
        err = k->store->bg_has(k->store->ctx, &mark, &has);
    }
    return err == ML_OK && !has ? emit_open(k, link, e, to->emit, to->user) : err;
}

static bool is_first_of_team(const struct patient_links *links, size_t at)
{
    size_t i = 0;
    while (memcmp(links->link[i].team.b, links->link[at].team.b, sizeof(links->link[i].team.b)) !=
           0) {
        i++;
    }
    return i == at;
}

ml_err ml_keyring_make_reopen(struct ml_keyring *k, const struct ml_object_id *patient,
                              ml_keyop_cb *emit, void *user)
{
    const struct key_emitter to = {emit, user};
    struct patient_links links;
    ml_err err = ml_keyring_links(k, patient, &links);
    for (size_t i = 0; err == ML_OK && i < links.count * links.count; i++) {
        const struct ml_team_id *team = &links.link[i % links.count].team;
        const bool first = is_first_of_team(&links, i % links.count);
        err = first ? reopen_one(k, &links.link[i / links.count], team, &to) : ML_OK;
    }
    ml_keyring_links_wipe(&links);
    return err;
}

/* ---- DEKs ---- */

/* One stream whose DEKs are made or wrapped; job_end frees it. */
struct dek_job {
    struct patient_links links;
    size_t chosen; /* the link whose stream this is */
    struct ml_stream_id stream;
    uint8_t compartment;
    bool fresh; /* of a DEK that nobody else has */
    struct stream_wraps wraps;
    struct key_emitter to;
};

void ml_keyring_wrap(const struct ml_keyring *k, struct ml_dek_wrap *wrap, const uint8_t *dek,
                     const struct key_epoch *e)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    wrap->kek = e->kek;
    k->env->random(k->env->ctx, wrap->nonce, sizeof(wrap->nonce));
    size_t ad_len = ml_dek_wrap_ad(ad, &k->org, wrap);
    ml_aead_seal(wrap->ct, ml_slice(dek, ML_KEY_BYTES), ml_slice(ad, ad_len), wrap->nonce,
                 ml_secret_bytes(e->wrap_key));
}

static ml_err emit_wrap(struct ml_keyring *k, const struct ml_seal_key *key, const uint8_t *dek,
                        const struct key_epoch *e, const struct key_emitter *to)
{
    struct ml_keyop op = {.type = ML_KEYOP_DEK_WRAP};
    op.u.dek_wrap.stream = key->stream;
    op.u.dek_wrap.dek = key->dek;
    ml_keyring_wrap(k, &op.u.dek_wrap, dek, e);
    return ml_keyring_emit(k, &op, to->emit, to->user);
}

static ml_err emit_bg_wrap(struct ml_keyring *k, const struct ml_seal_key *key, const uint8_t *dek,
                           const struct key_epoch *e, const struct key_emitter *to)
{
    uint8_t ad[ML_KEYOP_AD_MAX];
    bool has = false;
    struct ml_keyop op = {.type = ML_KEYOP_BG_WRAP};
    struct ml_bg_wrap *wrap = &op.u.bg_wrap;
    wrap->stream = key->stream;
    wrap->dek = key->dek;
    wrap->break_glass = e->break_glass;
    ml_err err = e->has_break_glass ? k->store->bg_has(k->store->ctx, wrap, &has) : ML_OK;
    if (err != ML_OK || has || !e->has_break_glass) {
        return err;
    }
    size_t ad_len = ml_bg_wrap_ad(ad, &k->org, wrap);
    err = ml_seal_anon(wrap->sealed, ml_slice(dek, ML_KEY_BYTES), &e->break_glass,
                       ml_slice(ad, ad_len), k->env);
    return err == ML_OK ? ml_keyring_emit(k, &op, to->emit, to->user) : err;
}

/* Is any wrap of this DEK for this group, whatever the epoch? A DEK isn't carried into a new epoch
 * of a group that had it: who was left out of that epoch knows it (rules A8). */
static bool group_has(const struct ml_keyring *k, const struct stream_wraps *wraps,
                      const struct ml_key_id *dek, const struct key_epoch *group)
{
    for (size_t i = 0; i < wraps->count; i++) {
        const struct ml_dek_wrap *w = &wraps->wrap[i].wrap;
        const struct key_epoch *e = ml_keyring_epoch_of_kek(k, &w->kek);
        if (e != NULL && memcmp(w->dek.b, dek->b, sizeof(dek->b)) == 0 &&
            e->compartment == group->compartment &&
            memcmp(e->team.b, group->team.b, sizeof(e->team.b)) == 0) {
            return true;
        }
    }
    return false;
}

static ml_err emit_for_team(struct ml_keyring *k, const struct dek_job *job,
                            const struct ml_seal_key *key, const uint8_t *dek,
                            const struct key_epoch *e)
{
    ml_err err = ML_OK;
    if (e->wrap_key == NULL) {
        err = ml_keyring_emit_deposit(k, key, dek, e, &job->to);
    } else if (!group_has(k, &job->wraps, &key->dek, e)) {
        err = emit_wrap(k, key, dek, e, &job->to);
    }
    return err == ML_OK ? emit_bg_wrap(k, key, dek, e, &job->to) : err;
}

/* Wraps `dek` for each team that shares the stream's link and lacks it: a fresh one for all of
 * them, else for those whose KEK is held (who has the others' gives them theirs). */
static ml_err emit_for_teams(struct ml_keyring *k, const struct dek_job *job,
                             const struct ml_key_id *id, const uint8_t *dek)
{
    const struct ml_seal_key key = {job->stream, *id};
    const struct audience audience = {&job->links, job->chosen, job->compartment};
    bool held = false;
    ml_err err = ML_OK;
    for (size_t i = 0; i < job->links.count && err == ML_OK; i++) {
        const struct ml_team_id *team = &job->links.link[i].team;
        if (!ml_keyring_in_audience(&audience, i) ||
            ml_keyring_is_empty(k, team, job->compartment)) {
            continue;
        }
        const struct key_epoch *e = ml_keyring_sealing(k, team, job->compartment);
        const bool opens = e != NULL && e->wrap_key != NULL;
        held = held || opens;
        if (opens || (job->fresh && e != NULL)) {
            err = emit_for_team(k, job, &key, dek, e);
        } else if (job->fresh) {
            err = ML_E_NO_KEY;
        }
    }
    return err == ML_OK && !held ? ML_E_NO_KEY : err;
}

static ml_err job_begin(struct ml_keyring *k, struct dek_job *job,
                        const struct ml_object_id *patient)
{
    ml_err err = ml_keyring_links(k, patient, &job->links);
    if (err != ML_OK) {
        return err;
    }
    err = ml_keyring_stream_of(&job->links, job->compartment, &job->stream, &job->chosen);
    if (err == ML_OK) {
        err = ml_keyring_wraps(k, &job->stream, &job->wraps);
    }
    if (err != ML_OK) {
        ml_keyring_links_wipe(&job->links);
    }
    return err;
}

static void job_end(struct ml_keyring *k, struct dek_job *job)
{
    ml_release(k->env, job->wraps.wrap);
    ml_keyring_links_wipe(&job->links);
}

ml_err ml_keyring_emit_glass(struct ml_keyring *k, const struct ml_exception *who,
                             const struct ml_seal_key *key, const uint8_t *dek,
                             const struct key_emitter *to)
{
    struct dek_job job = {.compartment = (uint8_t)who->compartment, .to = *to};
    ml_err err = job_begin(k, &job, &who->patient);
    const struct audience audience = {&job.links, job.chosen, job.compartment};
    for (size_t i = 0; err == ML_OK && i < job.links.count; i++) {
        const struct ml_team_id *team = &job.links.link[i].team;
        const struct key_epoch *e = ml_keyring_sealing(k, team, job.compartment);
        if (e != NULL && ml_keyring_in_audience(&audience, i)) {
            err = emit_bg_wrap(k, key, dek, e, to);
        }
    }
    job_end(k, &job);
    return err;
}

ml_err ml_keyring_make_dek(struct ml_keyring *k, const struct ml_object_id *patient,
                           ml_compartment compartment, ml_keyop_cb *emit, void *user)
{
    struct dek_job job = {.compartment = (uint8_t)compartment, .fresh = true, .to = {emit, user}};
    struct ml_secret *dek = NULL;
    ml_err err = job_begin(k, &job, patient);
    if (err != ML_OK) {
        return err;
    }
    err = ml_secret_new(&dek, ML_KEY_BYTES);
    if (err == ML_OK) {
        k->env->random(k->env->ctx, ml_secret_writable(dek), ML_KEY_BYTES);
        struct ml_key_id id = ml_key_id_of(dek);
        err = emit_for_teams(k, &job, &id, ml_secret_bytes(dek));
    }
    ml_secret_free(dek);
    job_end(k, &job);
    return err;
}

/* Has wrap `i` a DEK that an earlier wrap has too? */
static bool seen_before(const struct stream_wraps *wraps, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (memcmp(wraps->wrap[j].wrap.dek.b, wraps->wrap[i].wrap.dek.b,
                   sizeof(struct ml_key_id)) == 0) {
            return true;
        }
    }
    return false;
}

static ml_err emit_missing(struct ml_keyring *k, const struct dek_job *job,
                           const struct ml_key_id *id)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    ml_err err = ml_keyring_dek(k, &job->stream, id, &info, &dek);
    if (err == ML_OK) {
        err = emit_for_teams(k, job, id, dek);
    }
    return err == ML_E_NO_KEY ? ML_OK : err; /* not ours to add */
}

ml_err ml_keyring_make_missing(struct ml_keyring *k, const struct ml_object_id *patient,
                               ml_compartment compartment, ml_keyop_cb *emit, void *user)
{
    struct dek_job job = {.compartment = (uint8_t)compartment, .to = {emit, user}};
    ml_err err = job_begin(k, &job, patient);
    if (err != ML_OK) {
        return err;
    }
    for (size_t i = 0; i < job.wraps.count && err == ML_OK; i++) {
        if (!seen_before(&job.wraps, i)) {
            err = emit_missing(k, &job, &job.wraps.wrap[i].wrap.dek);
        }
    }
    for (size_t i = 0; i < k->exception_count && err == ML_OK; i++) {
        if (ml_keyring_excepts_first(k, i, &job.stream, &job.wraps)) {
            err = emit_missing(k, &job, &k->exceptions[i].dek);
        }
    }
    job_end(k, &job);
    return err;
}
