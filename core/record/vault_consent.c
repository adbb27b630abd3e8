/* core/record/vault_consent.c -- statements of patients: kept as they come in lane 1, opened when
 * their key is there, loaded to be weighed.
 *
 * A row holds the sealed op until it opens, then its plaintext and whose it is. What never opens
 * though its key is held is dropped: anybody can write it.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/record/consents.h"
#include "core/record/vault_int.h"

struct arrival {
    uint8_t bundle[16];
    uint8_t writer[16];
    uint8_t team[16];
    int64_t index;
    int64_t hlc;
    int64_t counts;
};

static ml_err row_put(struct ml_vault *v, const struct arrival *a, struct ml_slice op,
                      struct ml_slice plain, int64_t patient)
{
    struct ml_stmt *st = v->st[ST_CONSENT_PUT];
    ml_stmt_bind_blob(st, 1, a->bundle, sizeof(a->bundle));
    ml_stmt_bind_int(st, 2, a->index);
    ml_stmt_bind_blob(st, 3, a->writer, sizeof(a->writer));
    ml_stmt_bind_int(st, 4, a->hlc);
    ml_stmt_bind_int(st, 5, a->counts);
    if (op.len > 0) {
        ml_stmt_bind_blob(st, 6, op.data, op.len);
    }
    if (plain.len > 0) {
        ml_stmt_bind_blob(st, 7, plain.data, plain.len);
    }
    ml_stmt_bind_int(st, 8, patient);
    ml_stmt_bind_blob(st, 9, a->team, sizeof(a->team));
    return ml_stmt_run(st);
}

/* Opens it, or keeps it until that can be. */
static ml_err take(struct ml_vault *v, const struct arrival *a, const struct ml_keyop *op)
{
    struct ml_buf plain;
    struct ml_consent c;
    int64_t patient = PATIENT_NOBODY;
    ml_buf_init(&plain, v->env, ML_SEALED_BYTES_MAX);
    ml_err err = ml_keyring_open_consent(v->keyring, &op->u.consent, &plain);
    const bool readable =
        err == ML_OK && ml_consent_decode(&c, ml_buf_slice(&plain), NULL) == ML_OK;
    if (readable) {
        v->heard += c.kind != ML_CONSENT_RECEIPT;
        err = ml_vault_patient(v, &c.patient, true, &patient);
        if (err == ML_OK) {
            err = row_put(v, a, ml_slice(NULL, 0), ml_buf_slice(&plain), patient);
        }
        if (err == ML_OK) {
            err = ml_vault_veil_dirty(v, patient);
        }
    } else if (err == ML_E_NO_KEY) {
        err = row_put(v, a, op->raw, ml_slice(NULL, 0), PATIENT_NOBODY);
    } else if (err == ML_E_FORGED) {
        err = row_put(v, a, ml_slice(NULL, 0), ml_slice(NULL, 0), PATIENT_NOBODY);
    }
    ml_wipe(plain.data, plain.len);
    ml_buf_free(&plain);
    return err;
}

uint64_t ml_vault_heard(const struct ml_vault *v)
{
    return v->heard;
}

ml_err ml_vault_consent_put(struct ml_vault *v, const struct ml_log *log,
                            const struct ml_log_entry *entry, uint8_t index,
                            const struct ml_keyop *op)
{
    struct arrival a = {.index = index,
                        .hlc = (int64_t)entry->header.hlc,
                        .counts = ml_log_op_counts(log, entry, index)};
    memcpy(a.bundle, entry->hash.b, sizeof(a.bundle));
    memcpy(a.writer, entry->header.writer.b, sizeof(a.writer));
    memcpy(a.team, op->u.consent.team.b, sizeof(a.team));
    return take(v, &a, op);
}

static bool fixed(struct ml_stmt *st, int column, uint8_t out[16])
{
    const struct ml_slice blob = ml_stmt_blob(st, column);
    if (blob.len != 16) {
        return false;
    }
    memcpy(out, blob.data, 16);
    return true;
}

static bool arrival_read(struct ml_stmt *st, struct arrival *a)
{
    a->index = ml_stmt_int(st, 1);
    a->hlc = ml_stmt_int(st, 3);
    a->counts = ml_stmt_int(st, 4);
    return fixed(st, 0, a->bundle) && fixed(st, 2, a->writer);
}

/* The next one after `a` that couldn't be opened, into v->packed. */
static ml_err sealed_next(struct ml_vault *v, struct arrival *a, bool *row)
{
    struct ml_stmt *st = v->st[ST_CONSENT_SEALED];
    ml_stmt_bind_blob(st, 1, a->bundle, sizeof(a->bundle));
    ml_stmt_bind_int(st, 2, a->index);
    ml_err err = ml_stmt_step(st, row);
    if (err == ML_OK && *row) {
        const struct ml_slice op = ml_stmt_blob(st, 5);
        ml_buf_clear(&v->packed);
        ml_buf_append(&v->packed, op.data, op.len);
        err = arrival_read(st, a) ? v->packed.err : ML_E_CORRUPT;
    }
    ml_stmt_reset(st);
    return err;
}

ml_err ml_vault_consent_retry(struct ml_vault *v)
{
    struct arrival a = {.index = -1};
    bool row = true;
    ml_err err = ML_OK;
    while (err == ML_OK && row) {
        struct ml_keyop op;
        err = sealed_next(v, &a, &row);
        if (err == ML_OK && row) {
            err = ml_keyop_decode(&op, ml_buf_slice(&v->packed), NULL) == ML_OK ? take(v, &a, &op)
                                                                                : ML_E_CORRUPT;
        }
    }
    return err;
}

ml_err ml_vault_decided(struct ml_vault *v, struct ml_object_id *patient)
{
    struct ml_stmt *st = v->st[ST_CONSENT_WHOSE];
    bool row = false;
    ml_stmt_bind_blob(st, 1, patient->b, sizeof(patient->b));
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK) {
        err = !row ? ML_E_NOT_FOUND : fixed(st, 0, patient->b) ? ML_OK : ML_E_CORRUPT;
    }
    ml_stmt_reset(st);
    return err;
}

/* ---- all of one patient ---- */

static ml_err team_collect(void *user, const struct ml_patient_link *link)
{
    struct ml_consents *c = user;
    if (c->team_count < ML_KEYRING_LINKS_MAX) {
        c->teams[c->team_count++] = link->team;
    }
    return ML_OK;
}

static ml_err fact_grow(struct ml_consents *c)
{
    if (c->count % 16 != 0) {
        return ML_OK;
    }
    struct ml_consent_fact *facts =
        ml_resize(c->env, c->facts, (c->count + 16) * sizeof(*c->facts));
    if (facts == NULL) {
        return ML_E_NOMEM;
    }
    c->facts = facts;
    struct ml_writer_id *writers =
        ml_resize(c->env, c->writers, (c->count + 16) * sizeof(*c->writers));
    if (writers == NULL) {
        return ML_E_NOMEM;
    }
    c->writers = writers;
    return ML_OK;
}

/* Its bytes go into c->bytes behind their length; decoded once nothing moves any more. */
static ml_err fact_add(struct ml_consents *c, const struct ml_gov *gov, struct ml_stmt *st)
{
    struct arrival a;
    const struct ml_slice plain = ml_stmt_blob(st, 5);
    const bool whole = arrival_read(st, &a) && fixed(st, 6, a.team);
    ml_err err = whole ? fact_grow(c) : ML_E_CORRUPT;
    if (err != ML_OK) {
        return err;
    }
    struct ml_consent_fact *f = &c->facts[c->count];
    *f = (struct ml_consent_fact){.hlc = (uint64_t)a.hlc, .counts = a.counts != 0};
    memcpy(f->team.b, a.team, sizeof(f->team.b));
    memcpy(f->at.bundle.b, a.bundle, sizeof(f->at.bundle.b));
    f->at.index = (uint8_t)a.index;
    memcpy(c->writers[c->count].b, a.writer, sizeof(a.writer));
    const struct ml_fact *opening = gov == NULL ? NULL : ml_gov_opening(gov, &c->writers[c->count]);
    if (opening != NULL) {
        f->author = opening->member;
    }
    c->count++;
    ml_buf_u32be(&c->bytes, (uint32_t)plain.len);
    ml_buf_append(&c->bytes, plain.data, plain.len);
    return c->bytes.err;
}

static ml_err facts_decode(struct ml_consents *c)
{
    size_t at = 0;
    for (size_t i = 0; i < c->count; i++) {
        const uint32_t len = ml_get_u32be(c->bytes.data + at);
        const struct ml_slice plain = ml_slice(c->bytes.data + at + 4, len);
        c->facts[i].id = ml_consent_id_of(plain);
        if (ml_consent_decode(&c->facts[i].said, plain, NULL) != ML_OK) {
            return ML_E_CORRUPT;
        }
        at += 4 + (size_t)len;
    }
    return ML_OK;
}

/* What is weighed first, then the receipts, each in their order. */
static void receipts_last(struct ml_consents *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct ml_consent_fact f = c->facts[i];
        const struct ml_writer_id writer = c->writers[i];
        if (f.said.kind == ML_CONSENT_RECEIPT) {
            continue;
        }
        memmove(&c->facts[c->weighed + 1], &c->facts[c->weighed],
                (i - c->weighed) * sizeof(*c->facts));
        memmove(&c->writers[c->weighed + 1], &c->writers[c->weighed],
                (i - c->weighed) * sizeof(*c->writers));
        c->facts[c->weighed] = f;
        c->writers[c->weighed] = writer;
        c->weighed++;
    }
}

static ml_err facts_load(struct ml_consents *c, struct ml_vault *v, const struct ml_gov *gov,
                         int64_t patient)
{
    struct ml_stmt *st = v->st[ST_CONSENT_OF];
    bool row = false;
    ml_err err = ML_OK;
    ml_stmt_bind_int(st, 1, patient);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        err = fact_add(c, gov, st);
        if (err != ML_OK) {
            ml_stmt_reset(st);
            break;
        }
    }
    return err == ML_OK ? facts_decode(c) : err;
}

ml_err ml_consents_load(struct ml_consents *out, struct ml_vault *v, const struct ml_gov *gov,
                        const struct ml_object_id *patient)
{
    int64_t row = PATIENT_NOBODY;
    *out = (struct ml_consents){.env = v->env};
    ml_buf_init(&out->bytes, v->env, SIZE_MAX);
    ml_err err = ml_vault_patient(v, patient, false, &row);
    if (err == ML_OK) {
        err = facts_load(out, v, gov, row);
    }
    if (err == ML_OK || err == ML_E_NOT_FOUND) {
        err = v->key_store.link_each(v, patient, team_collect, out);
    }
    if (err == ML_OK) {
        receipts_last(out);
        err = ml_consent_set_new(&out->set, v->env, out->facts, out->weighed);
    }
    return err;
}

void ml_consents_free(struct ml_consents *c)
{
    ml_consent_set_free(c->set);
    ml_release(c->env, c->facts);
    ml_release(c->env, c->writers);
    ml_wipe(c->bytes.data, c->bytes.len);
    ml_buf_free(&c->bytes);
    c->set = NULL;
    c->facts = NULL;
    c->writers = NULL;
}
