/* net/node/write.c -- see write.h. The keys come first and in a bundle of their own: what a record
 * bundle is sealed under is then known to whoever has the log. */
#include "net/node/write.h"

#include <string.h>

#include "core/model/keyring_deposit.h"
#include "net/node/exchange.h"
#include "net/node/exclude.h"
#include "net/node/glass_second.h"
#include "net/node/keys.h"
#include "net/node/session.h"
#include "net/node/team.h"

struct need {
    struct ml_object_id patient;
    uint16_t compartments;  /* bit c: ml_compartment c */
    struct ml_team_id team; /* where he is opened, if he isn't yet */
};

/* The key of a new op: of the patient's groups, or of each member where he leaves somebody out. */
static ml_err key_of(struct ml_org *org, const struct ml_exclude_at *at, struct ml_seal_key *key)
{
    bool any = false;
    ml_err err = ml_exclude_any(org, at, &any);
    if (err != ML_OK || any) {
        return err != ML_OK ? err : ml_exclude_key(org, at, key);
    }
    return ml_keyring_seal_key(ml_session_keyring(org), at->patient, at->compartment, key);
}

/* NOT_FOUND: the patient isn't open yet. */
static ml_err key_make(struct ml_org *org, const struct ml_exclude_at *at, struct ml_keys *keys)
{
    bool any = false;
    struct ml_seal_key key;
    ml_err err = ml_exclude_any(org, at, &any);
    if (err != ML_OK || any) {
        return err != ML_OK ? err : ml_exclude_emit(org, at, keys);
    }
    err = ml_keyring_seal_key(ml_session_keyring(org), at->patient, at->compartment, &key);
    return err == ML_E_NO_KEY ? ml_keyring_make_dek(ml_session_keyring(org), at->patient,
                                                    at->compartment, ml_keys_emit, keys)
                              : err;
}

/* What is missing of one patient: first its opening, then (a turn later, when that is known) the
 * data keys. *again: the openings were missing. */
static ml_err need_emit(struct ml_org *org, const struct need *need, struct ml_keys *keys,
                        bool *again)
{
    ml_err known =
        ml_keyring_make_reopen(ml_session_keyring(org), &need->patient, ml_keys_emit, keys);
    if (known != ML_OK && known != ML_E_NOT_FOUND) {
        return known;
    }
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST; c++) {
        const struct ml_exclude_at at = {&need->patient, (ml_compartment)c};
        if ((need->compartments >> c & 1u) == 0) {
            continue;
        }
        ml_err err = key_make(org, &at, keys);
        if (err == ML_E_NOT_FOUND) {
            *again = true;
            return ml_keyring_make_open(ml_session_keyring(org), &need->patient, &need->team,
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

/* ---- what its author can't read ---- */

struct deposits {
    unsigned made; /* bit c: of compartment c */
    struct ml_seal_key key[ML_COMPARTMENT_LAST + 1];
};

static void deposits_drop(struct ml_org *org, struct deposits *d)
{
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST; c++) {
        if ((d->made >> c & 1u) != 0) {
            ml_keyring_drop(ml_session_keyring(org), &d->key[c]);
        }
    }
    d->made = 0;
}

static ml_err deposits_make(struct ml_org *org, const struct need *need, struct deposits *d)
{
    struct ml_keys keys;
    ml_err err = ML_OK;
    ml_keys_init(&keys, org->node->env);
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        const struct ml_exclude_at at = {&need->patient, (ml_compartment)c};
        struct ml_deposit deposit = {.keys = &keys};
        if ((need->compartments >> c & 1u) == 0) {
            continue;
        }
        err = ml_exclude_deposit(org, &at, &deposit);
        if (err == ML_OK) {
            d->key[c] = deposit.key;
            d->made |= 1u << c;
        }
    }
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

/* Who is no member any more reads nobody's name either. */
static bool is_member(const struct ml_org *org)
{
    const struct ml_keys_place at = {NULL, 0, 1u << ML_COMPARTMENT_ANNUAIRE};
    return ml_keys_closed(org, &at) == 0;
}

static ml_err item_key(struct ml_org *org, const struct ml_exclude_at *at, const struct deposits *d,
                       struct ml_seal_key *key)
{
    if ((d->made >> at->compartment & 1u) != 0) {
        *key = d->key[at->compartment];
        return ML_OK;
    }
    return key_of(org, at, key);
}

/* Which compartments are closed to him in the patient's teams, or in the one that this act opens
 * him in: what he writes there he deposits. */
static ml_err closed_in(struct ml_org *org, struct need *need, const struct ml_team_id *team,
                        unsigned *closed)
{
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    ml_err err = ml_team_of_patient(org, &need->patient, teams, &count);
    if (err == ML_OK && count == 0) {
        err = team != NULL ? ML_OK : ml_team_default(org, &need->team);
        need->team = team != NULL ? *team : need->team;
        teams[0] = need->team;
        count = 1;
    }
    const struct ml_keys_place at = {teams, count, need->compartments};
    *closed = err == ML_OK ? ml_keys_closed(org, &at) : 0;
    return err;
}

static ml_err what_keys(struct ml_org *org, const struct ml_object_id *patient,
                        const struct ml_write *what, struct deposits *deposits)
{
    struct need need = {.patient = *patient};
    unsigned closed = 0;
    for (uint32_t i = 0; i < what->count; i++) {
        need.compartments = (uint16_t)(need.compartments | 1u << what->items[i].compartment);
    }
    for (uint32_t i = 0; i < what->blob_count; i++) {
        need.compartments = (uint16_t)(need.compartments | 1u << what->blobs[i].compartment);
    }
    ml_err err = ml_keys_ready(org, need.compartments | 1u << ML_COMPARTMENT_ADMIN);
    if (err == ML_OK && !is_member(org)) {
        return ML_E_DENIED;
    }
    err = err == ML_OK ? closed_in(org, &need, what->team, &closed) : err;
    struct need filed = need;
    filed.compartments = (uint16_t)closed;
    need.compartments = (uint16_t)(need.compartments & ~closed);
    if (err == ML_OK && need.compartments != 0) {
        err = streams_open(org, &need, 1);
    }
    if (err == ML_OK && (need.compartments >> ML_COMPARTMENT_SENSITIVE & 1u) != 0) {
        err = ml_glass_share(org, patient);
    }
    if (err == ML_OK && filed.compartments != 0) {
        err = deposits_make(org, &filed, deposits);
    }
    for (uint32_t i = 0; i < what->count && err == ML_OK; i++) {
        struct ml_seal_item *item = &what->items[i];
        const struct ml_exclude_at at = {patient, (ml_compartment)item->compartment};
        item->deposit = (deposits->made >> item->compartment & 1u) != 0;
        err = item_key(org, &at, deposits, &item->key);
    }
    for (uint32_t i = 0; i < what->blob_count && err == ML_OK; i++) {
        struct ml_blob *blob = &what->blobs[i];
        const struct ml_exclude_at at = {patient, (ml_compartment)blob->compartment};
        blob->deposit = (deposits->made >> blob->compartment & 1u) != 0;
        err = item_key(org, &at, deposits, &blob->key);
    }
    return err;
}

/* Wire forms of one act, one after the other. */
struct wires {
    struct ml_buf bytes;
    struct ml_buf sizes; /* of size_t */
};

static ml_err wires_ended(struct wires *w, size_t start)
{
    const size_t size = w->bytes.len - start;
    ml_buf_append(&w->sizes, &size, sizeof(size));
    return w->sizes.err;
}

/* `tell`: each outcome goes there, for the exchange, once all is durable; NULL: it is durable. */
static ml_err wires_append(struct ml_org *org, const struct wires *w, struct ml_own_outcomes *tell)
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
    ml_err err = tell == NULL ? ml_org_append_wires(org, slices, count)
                              : ml_org_append_part(org, slices, count, tell);
    ml_release(org->node->env, slices);
    return err;
}

/* Where the next own bundle of a lane goes, and who seals it. */
static ml_err place_next(struct ml_org *org, uint8_t lane, struct ml_sealer *sealer,
                         struct ml_seal_place *place)
{
    struct ml_author author;
    struct ml_log_next next;
    ml_session_author(org, &author);
    ml_err err = ml_log_next_own(org->log, &author.id, lane, &next);
    if (err != ML_OK) {
        return err;
    }
    *sealer = (struct ml_sealer){.env = org->node->env,
                                 .org = org->id,
                                 .keyring = ml_session_keyring(org),
                                 .node_salt = org->salt_key,
                                 .seed = author.seed};
    *place = (struct ml_seal_place){.writer = author.id,
                                    .seq = next.seq,
                                    .prev = next.prev,
                                    .gctx = next.gctx,
                                    .deps = next.deps,
                                    .dep_count = (uint32_t)next.dep_count,
                                    .hlc = ml_org_hlc(org)};
    place->hlc = place->hlc < next.hlc_min ? next.hlc_min : place->hlc;
    return ML_OK;
}

/* The first one cites; governance stays the same until all are stored. */
static void place_move(struct ml_seal_place *place, const struct ml_hash *hash)
{
    place->seq++;
    place->prev = *hash;
    place->dep_count = 0;
    place->hlc += place->hlc < UINT64_MAX;
}

static ml_err items_seal(struct ml_org *org, struct ml_seal_item *items, uint32_t count,
                         struct wires *w)
{
    struct ml_sealer sealer;
    struct ml_seal_place place;
    ml_err err = place_next(org, ML_LANE_RECORD, &sealer, &place);
    for (uint32_t from = 0; err == ML_OK && from < count;) {
        const struct ml_seal_args args = {
            .sealer = &sealer, .place = &place, .items = items, .count = count, .from = from};
        uint32_t taken = 0;
        size_t start = w->bytes.len;
        struct ml_hash hash;
        err = ml_seal_bundle(&args, &w->bytes, &taken, &hash);
        if (err == ML_OK) {
            from += taken;
            place_move(&place, &hash);
            err = wires_ended(w, start);
        }
    }
    return err;
}

/* ---- large values ---- */

static ml_err chunk_put(void *user, const struct ml_hash *hash, struct ml_slice sealed)
{
    const struct ml_org *org = user;
    bool stored = false;
    return ml_log_put_chunk(org->log, hash, sealed, ML_CHUNK_OWN, &stored);
}

static ml_err blobs_seal(struct ml_org *org, const struct ml_write *what, struct wires *w)
{
    struct ml_sealer sealer;
    struct ml_seal_place place;
    struct ml_dep deps[ML_BUNDLE_DEPS_MAX]; /* chunks go into the log meanwhile */
    ml_err err = place_next(org, ML_LANE_BLOB, &sealer, &place);
    if (err == ML_OK) {
        memcpy(deps, place.deps, place.dep_count * sizeof(deps[0]));
        place.deps = deps;
    }
    for (uint32_t from = 0; err == ML_OK && from < what->blob_count;) {
        const struct ml_seal_blobs_args args = {.sealer = &sealer,
                                                .place = &place,
                                                .blobs = what->blobs,
                                                .count = what->blob_count,
                                                .from = from,
                                                .each = chunk_put,
                                                .user = org};
        uint32_t taken = 0;
        size_t start = w->bytes.len;
        struct ml_hash hash;
        err = ml_seal_blobs(&args, &w->bytes, &taken, &hash);
        if (err == ML_OK) {
            from += taken;
            place_move(&place, &hash);
            err = wires_ended(w, start);
        }
    }
    return err;
}

/* Chunks and manifests, then the record ops that name them; what is stored is told in `tell`. */
static ml_err blobs_and_items(struct ml_org *org, const struct ml_write *what, struct wires *w,
                              struct ml_own_outcomes *tell)
{
    ml_err err = blobs_seal(org, what, w);
    if (err == ML_OK) {
        err = wires_append(org, w, tell);
    }
    ml_buf_clear(&w->bytes);
    ml_buf_clear(&w->sizes);
    if (err == ML_OK && what->placed != NULL) {
        err = what->placed(what->user);
    }
    if (err == ML_OK && what->count > 0) {
        err = items_seal(org, what->items, what->count, w);
        err = err == ML_OK ? wires_append(org, w, tell) : err;
    }
    return err;
}

/* One transaction, one fsync; the exchange hears of it when it is durable. */
static ml_err write_blobs(struct ml_org *org, const struct ml_write *what, struct wires *w)
{
    struct ml_own_outcomes tell;
    ml_buf_init(&tell.outcomes, org->node->env, SIZE_MAX);
    ml_err err = ml_log_begin(org->log);
    if (err == ML_OK) {
        err = blobs_and_items(org, what, w, &tell);
        err = err == ML_OK ? ml_log_commit(org->log) : err;
    }
    if (err == ML_OK) {
        ml_org_tell(org, &tell);
        ml_exchange_chunks(org);
    } else {
        ml_log_abort(org->log);
    }
    ml_buf_free(&tell.outcomes);
    return err;
}

ml_err ml_org_write_all(struct ml_org *org, const struct ml_object_id *patient,
                        const struct ml_write *what)
{
    struct wires w;
    struct deposits deposits = {0};
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
    err = what_keys(org, patient, what, &deposits);
    if (err == ML_OK && what->blob_count > 0) {
        err = write_blobs(org, what, &w);
    } else if (err == ML_OK) {
        err = items_seal(org, what->items, what->count, &w);
        err = err == ML_OK ? wires_append(org, &w, NULL) : err;
    }
    ml_buf_free(&w.bytes);
    ml_buf_free(&w.sizes);
    deposits_drop(org, &deposits); /* before the vault sees it */
    if (err == ML_OK && ml_session_catch_up_all(org) != ML_OK) {
        /* It is durable, so the answer is yes: a no would have it written twice. */
        ml_logf(org->node->env, ML_LOG_WARN, "write", "stored, shown later");
    }
    return err;
}

ml_err ml_org_write(struct ml_org *org, const struct ml_object_id *patient,
                    struct ml_seal_item *items, uint32_t count)
{
    const struct ml_write what = {.items = items, .count = count};
    return ml_org_write_all(org, patient, &what);
}
