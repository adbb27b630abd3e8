/* net/node/write.c -- see write.h. The keys come first and in a bundle of their own: what a record
 * bundle is sealed under is then known to whoever has the log. */
#include "net/node/write.h"

#include <string.h>

#include "net/node/keys.h"
#include "net/node/session.h"

static const struct ml_object_id structure;

/* The care circle of a new patient: the structure's first team. */
static bool first_team(const struct ml_org *org, struct ml_team_id *team)
{
    const struct ml_fact *f = ml_gov_next(ml_log_gov(org->log), NULL, ML_FACT_TEAM, NULL);
    if (f != NULL) {
        *team = f->team;
    }
    return f != NULL;
}

static ml_err patient_open(struct ml_org *org, const struct ml_object_id *patient,
                           struct ml_keys *keys)
{
    struct ml_team_id team = {{0}};
    const bool is_structure = memcmp(patient, &structure, sizeof(*patient)) == 0;
    if (!is_structure && !first_team(org, &team)) {
        return ML_E_NO_KEY;
    }
    return ml_keyring_make_open(ml_session_keyring(org), patient, &team, ml_keys_emit, keys);
}

struct need {
    struct ml_object_id patient;
    uint16_t compartments; /* bit c: ml_compartment c */
};

/* What is missing of one patient: first its opening, then (a turn later, when that is known) the
 * data keys. *again: the openings were missing. */
static ml_err need_emit(struct ml_org *org, const struct need *need, struct ml_keys *keys,
                        bool *again)
{
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST; c++) {
        struct ml_seal_key key;
        if ((need->compartments >> c & 1u) == 0) {
            continue;
        }
        ml_err err =
            ml_keyring_seal_key(ml_session_keyring(org), &need->patient, (ml_compartment)c, &key);
        if (err == ML_E_NOT_FOUND) {
            *again = true;
            return patient_open(org, &need->patient, keys);
        }
        if (err == ML_E_NO_KEY) {
            err = ml_keyring_make_dek(ml_session_keyring(org), &need->patient, (ml_compartment)c,
                                      ml_keys_emit, keys);
        }
        if (err != ML_OK) {
            return err;
        }
    }
    return ML_OK;
}

/* Opens the streams and data keys that these patients lack: of many at once, few bundles. */
static ml_err streams_open(struct ml_org *org, const struct need *needs, size_t count)
{
    bool again = true;
    ml_err err = ML_OK;
    for (unsigned turn = 0; turn < 2 && again && err == ML_OK; turn++) {
        struct ml_keys keys;
        again = false;
        ml_keys_init(&keys, org->node->env);
        for (size_t i = 0; i < count && err == ML_OK; i++) {
            err = need_emit(org, &needs[i], &keys, &again);
        }
        if (err == ML_OK && keys.sizes.len > 0) {
            err = ml_keys_append(org, &keys);
        }
        ml_keys_free(&keys);
    }
    return err;
}

static ml_err items_keys(struct ml_org *org, const struct ml_object_id *patient,
                         struct ml_seal_item *items, uint32_t count)
{
    struct need need = {.patient = *patient};
    for (uint32_t i = 0; i < count; i++) {
        need.compartments = (uint16_t)(need.compartments | 1u << items[i].compartment);
    }
    ml_err err = streams_open(org, &need, 1);
    for (uint32_t i = 0; i < count && err == ML_OK; i++) {
        err = ml_keyring_seal_key(ml_session_keyring(org), patient,
                                  (ml_compartment)items[i].compartment, &items[i].key);
    }
    return err;
}

/* Wire forms of one act, one after the other. */
struct wires {
    struct ml_buf bytes;
    struct ml_buf sizes; /* of size_t */
};

static ml_err wires_append(struct ml_org *org, const struct wires *w)
{
    const size_t *sizes = (const void *)w->sizes.data;
    size_t count = w->sizes.len / sizeof(*sizes);
    const uint8_t *at = w->bytes.data;
    struct ml_slice *slices = ml_alloc_array(org->node->env, count, sizeof(*slices));
    if (slices == NULL) {
        return ML_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        slices[i] = ml_slice(at, sizes[i]);
        at += sizes[i];
    }
    ml_err err = ml_org_append_wires(org, slices, count);
    ml_release(org->node->env, slices);
    return err;
}

static ml_err items_seal(struct ml_org *org, struct ml_seal_item *items, uint32_t count,
                         struct wires *w)
{
    struct ml_author author;
    struct ml_log_next next;
    ml_session_author(org, &author);
    const struct ml_sealer sealer = {.env = org->node->env,
                                     .org = org->id,
                                     .keyring = ml_session_keyring(org),
                                     .node_salt = org->salt_key,
                                     .seed = author.seed};
    ml_err err = ml_log_next_own(org->log, &author.id, ML_LANE_RECORD, &next);
    if (err != ML_OK) {
        return err;
    }
    const uint64_t now = ml_org_hlc(org);
    struct ml_seal_place place = {.writer = author.id,
                                  .seq = next.seq,
                                  .prev = next.prev,
                                  .gctx = next.gctx,
                                  .deps = next.deps,
                                  .dep_count = (uint32_t)next.dep_count,
                                  .hlc = now > next.hlc_min ? now : next.hlc_min};
    for (uint32_t from = 0; err == ML_OK && from < count;) {
        const struct ml_seal_args args = {
            .sealer = &sealer, .place = &place, .items = items, .count = count, .from = from};
        uint32_t taken = 0;
        size_t start = w->bytes.len;
        struct ml_hash hash;
        err = ml_seal_bundle(&args, &w->bytes, &taken, &hash);
        if (err != ML_OK) {
            break;
        }
        const size_t size = w->bytes.len - start;
        ml_buf_append(&w->sizes, &size, sizeof(size));
        from += taken;
        place.seq++;
        place.prev = hash;
        place.dep_count = 0; /* the first one cites; governance stays the same until stored */
        place.hlc += place.hlc < UINT64_MAX;
        err = w->sizes.err;
    }
    return err;
}

ml_err ml_org_write(struct ml_org *org, const struct ml_object_id *patient,
                    struct ml_seal_item *items, uint32_t count)
{
    struct wires w;
    bool opened = false;
    ml_err err = org->behind ? ml_session_catch_up_all(org) : ML_OK;
    if (err == ML_OK) {
        err = ml_session_open_writers(org, &opened);
    }
    if (err != ML_OK || !opened) {
        return err != ML_OK ? err : ML_E_DENIED;
    }
    ml_buf_init(&w.bytes, org->node->env, SIZE_MAX);
    ml_buf_init(&w.sizes, org->node->env, SIZE_MAX);
    err = items_keys(org, patient, items, count);
    if (err == ML_OK) {
        err = items_seal(org, items, count, &w);
    }
    if (err == ML_OK) {
        err = wires_append(org, &w);
    }
    ml_buf_free(&w.bytes);
    ml_buf_free(&w.sizes);
    if (err == ML_OK && ml_session_catch_up_all(org) != ML_OK) {
        /* It is durable, so the answer is yes: a no would have it written twice. */
        ml_logf(org->node->env, ML_LOG_WARN, "write", "stored, shown later");
    }
    return err;
}
