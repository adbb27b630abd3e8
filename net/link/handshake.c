/* net/link/handshake.c -- see handshake.h.
 *
 *   answer: VERSION -> HEAD -> FIRST -> THIRD -> DONE
 *   dial:   VERSION -> SECOND -> DONE          any -> FAILED
 *
 * What holds: in HEAD and FIRST no memory was taken for this peer; from THIRD on it proved the mac
 * key; in DONE both proved the psk and their static keys. Each state waits for a number of bytes
 * that the kind fixes, so `in` never overflows.
 */
#include "net/link/handshake.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

enum handshake_state {
    HS_VERSION,
    HS_HEAD,
    HS_FIRST,
    HS_SECOND,
    HS_THIRD,
    HS_DONE,
    HS_FAILED,
};

enum {
    HEAD_BYTES = 1 + 4 + (int)ML_LINK_MAC_BYTES + 2,
    LENGTH_BYTES = 2,
    PROLOGUE_BYTES = 13 + 32 + 1 + 4 + 2,
};

static const char prologue_label[] = "maille/link/1";
static const char mac_label[] = "maille/link-mac/1";

/* Bytes of Noise messages 1, 2, 3 with empty payloads. */
static const uint16_t message_bytes[][3] = {
    [ML_LINK_KNOWN] = {48, 48, 64}, /* XKpsk3: e + tag; e + tag; sealed s + tag */
    [ML_LINK_ENROL] = {48, 96, 64}, /* XXpsk3: e + tag; e, sealed s, tag; sealed s + tag */
};

/* --- identities --- */

static void identity_free(struct ml_identity *id)
{
    ml_secret_free(id->noise_static);
    ml_secret_free(id->psk);
    ml_secret_free(id->mac);
    ml_secret_free(id->past_keys);
    ml_secret_free(id->enrol_psk);
    ml_secret_free(id->enrol_mac);
    *id = (struct ml_identity){.epoch = 0};
}

static ml_err secret_copy(struct ml_secret **out, const struct ml_secret *from)
{
    if (from == NULL) {
        return ML_OK;
    }
    return ml_secret_from(out, ml_secret_bytes(from), ml_secret_len(from));
}

static ml_err identity_copy(struct ml_identity *out, const struct ml_link_identity *from)
{
    struct ml_identity id = {
        .org = from->org, .epoch = from->network_epoch, .past_count = from->past_count};
    ML_ASSERT(id.past_count <= ML_NETWORK_PAST_MAX);
    memcpy(id.past_epochs, from->past_epochs, id.past_count * sizeof(id.past_epochs[0]));
    ml_err err = secret_copy(&id.noise_static, from->noise_static);
    err = err == ML_OK ? secret_copy(&id.psk, from->network_psk) : err;
    err = err == ML_OK ? secret_copy(&id.mac, from->network_mac) : err;
    err = err == ML_OK && id.past_count > 0 ? secret_copy(&id.past_keys, from->past_keys) : err;
    err = err == ML_OK ? secret_copy(&id.enrol_psk, from->enrolment_psk) : err;
    err = err == ML_OK ? secret_copy(&id.enrol_mac, from->enrolment_mac) : err;
    if (err != ML_OK) {
        identity_free(&id);
        return err;
    }
    *out = id;
    return ML_OK;
}

static struct ml_identity *identity_at(struct ml_identities *ids, const struct ml_org_id *org)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (memcmp(&ids->items[i].org, org, sizeof(*org)) == 0) {
            return &ids->items[i];
        }
    }
    return NULL;
}

ml_err ml_identities_set(struct ml_identities *ids, const struct ml_link_identity *identity)
{
    struct ml_identity copy;
    struct ml_identity *at = identity_at(ids, &identity->org);
    if (at == NULL && ids->count == ML_IDENTITIES_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = identity_copy(&copy, identity);
    if (err != ML_OK) {
        return err;
    }
    if (at == NULL) {
        at = &ids->items[ids->count++];
    } else {
        identity_free(at);
    }
    *at = copy;
    return ML_OK;
}

void ml_identities_clear(struct ml_identities *ids, const struct ml_org_id *org)
{
    struct ml_identity *at = identity_at(ids, org);
    if (at != NULL) {
        identity_free(at);
        *at = ids->items[--ids->count];
    }
}

void ml_identities_free(struct ml_identities *ids)
{
    while (ids->count > 0) {
        identity_free(&ids->items[--ids->count]);
    }
}

const struct ml_identity *ml_identities_find(const struct ml_identities *ids,
                                             const struct ml_org_id *org)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (memcmp(&ids->items[i].org, org, sizeof(*org)) == 0) {
            return &ids->items[i];
        }
    }
    return NULL;
}

/* --- what both ends compute --- */

struct opening {
    ml_link_kind kind;
    struct ml_org_id org;
    uint32_t epoch;
    const struct ml_secret *noise_static;
    struct ml_slice psk;
    struct ml_slice mac;
    const struct ml_box_pk *remote;
};

static struct ml_slice secret_slice(const struct ml_secret *s)
{
    return s == NULL ? ml_slice(NULL, 0) : ml_slice(ml_secret_bytes(s), ml_secret_len(s));
}

static void opening_prologue(uint8_t out[PROLOGUE_BYTES], const struct ml_handshake *h,
                             const struct opening *o)
{
    uint8_t *p = out;
    memcpy(p, prologue_label, sizeof(prologue_label) - 1);
    p += sizeof(prologue_label) - 1;
    memcpy(p, o->org.b, sizeof(o->org.b));
    p += sizeof(o->org.b);
    *p++ = (uint8_t)o->kind;
    ml_put_u32be(p, o->epoch);
    p += 4;
    *p++ = h->initiator ? h->own_version : h->peer_version;
    *p = h->initiator ? h->peer_version : h->own_version;
}

static void opening_mac(uint8_t out[ML_LINK_MAC_BYTES], const struct ml_handshake *h,
                        const struct opening *o, struct ml_slice first)
{
    uint8_t prologue[PROLOGUE_BYTES];
    opening_prologue(prologue, h, o);
    const struct ml_slice parts[] = {ml_slice(mac_label, sizeof(mac_label) - 1),
                                     ml_slice(prologue, sizeof(prologue)), first};
    ml_hash_parts(out, ML_LINK_MAC_BYTES, o->mac, parts, sizeof(parts) / sizeof(parts[0]));
}

static ml_err opening_noise(struct ml_handshake *h, const struct opening *o)
{
    uint8_t prologue[PROLOGUE_BYTES];
    struct ml_secret *psk = NULL;
    opening_prologue(prologue, h, o);
    ml_err err = ml_secret_from(&psk, o->psk.data, o->psk.len);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_noise_args args = {
        .pattern = o->kind == ML_LINK_KNOWN ? ML_NOISE_XKPSK3 : ML_NOISE_XXPSK3,
        .initiator = h->initiator,
        .prologue = ml_slice(prologue, sizeof(prologue)),
        .local = o->noise_static,
        .remote = o->remote,
        .psk = psk,
    };
    h->kind = o->kind;
    h->org = o->org;
    h->epoch = o->epoch;
    err = ml_noise_new(&h->noise, h->env, &args);
    ml_secret_free(psk);
    return err;
}

static ml_err write_message(struct ml_handshake *h, struct ml_buf *out, unsigned number)
{
    uint16_t len = message_bytes[h->kind][number - 1];
    ml_buf_u16be(out, len);
    size_t before = out->len;
    ml_err err = ml_noise_write(h->noise, out, ml_slice(NULL, 0));
    ML_ASSERT(err != ML_OK || out->len - before == len);
    return out->err != ML_OK ? out->err : err;
}

static ml_err read_message(struct ml_handshake *h, struct ml_slice message)
{
    struct ml_buf payload; /* stays empty: lengths leave no room for one */
    ml_buf_init(&payload, h->env, 0);
    ml_err err = ml_noise_read(h->noise, &payload, message);
    ml_buf_free(&payload);
    return err;
}

/* --- the answering end --- */

static size_t first_bytes(const struct ml_handshake *h)
{
    return HEAD_BYTES + (size_t)ml_get_u16be(h->in + HEAD_BYTES - LENGTH_BYTES);
}

static ml_err answer_head(struct ml_handshake *h)
{
    uint8_t kind = h->in[0];
    if (kind != ML_LINK_KNOWN && kind != ML_LINK_ENROL) {
        return ML_E_MALFORMED;
    }
    if (ml_get_u16be(h->in + HEAD_BYTES - LENGTH_BYTES) != message_bytes[kind][0]) {
        return ML_E_MALFORMED;
    }
    h->kind = (ml_link_kind)kind;
    h->state = HS_FIRST;
    return ML_OK;
}

/* The keys of epoch `nth`: 0 the latest, n the n-th of the past. False: it isn't the one that the
 * peer names. */
static bool known_opening(struct opening *o, const struct ml_identity *id, size_t nth)
{
    o->org = id->org;
    if (nth == 0) {
        o->psk = secret_slice(id->psk);
        o->mac = secret_slice(id->mac);
        return o->epoch == id->epoch;
    }
    const uint8_t *keys = ml_secret_bytes(id->past_keys) + (nth - 1) * ML_NETWORK_PAST_KEYS;
    o->psk = ml_slice(keys, ML_KEY_BYTES);
    o->mac = ml_slice(keys + ML_KEY_BYTES, ML_KEY_BYTES);
    return o->epoch == id->past_epochs[nth - 1];
}

static bool identity_opening(struct opening *o, const struct ml_handshake *h,
                             const struct ml_identity *id, size_t nth)
{
    *o = (struct opening){
        .kind = h->kind, .epoch = ml_get_u32be(h->in + 1), .noise_static = id->noise_static};
    if (h->kind == ML_LINK_KNOWN) {
        return known_opening(o, id, nth);
    }
    o->psk = secret_slice(id->enrol_psk);
    o->mac = secret_slice(id->enrol_mac);
    return nth == 0 && o->psk.len > 0 && o->mac.len > 0 && o->epoch == 0;
}

/* One hash for each epoch that has the number in clear: of one structure there are several only
 * where two made it at once. */
static bool opening_of(struct opening *o, const struct ml_handshake *h,
                       const struct ml_identity *id, struct ml_slice first)
{
    for (size_t nth = 0; nth <= id->past_count; nth++) {
        uint8_t mac[ML_LINK_MAC_BYTES];
        if (!identity_opening(o, h, id, nth)) {
            continue;
        }
        opening_mac(mac, h, o, first);
        if (ml_equal_ct(mac, h->in + 5, sizeof(mac))) {
            return true;
        }
    }
    return false;
}

static ml_err answer_first(struct ml_handshake *h, struct ml_buf *out)
{
    struct ml_slice first = ml_slice(h->in + HEAD_BYTES, message_bytes[h->kind][0]);
    for (size_t i = 0; i < h->ids->count; i++) {
        struct opening o;
        if (!opening_of(&o, h, &h->ids->items[i], first)) {
            continue;
        }
        ml_err err = opening_noise(h, &o);
        h->org = h->ids->items[i].org; /* an enrolment's too: ours to know */
        err = err == ML_OK ? read_message(h, first) : err;
        err = err == ML_OK ? write_message(h, out, 2) : err;
        h->state = HS_THIRD;
        return err;
    }
    return ML_E_FORGED;
}

/* --- the dialling end --- */

static ml_err dial_first(struct ml_handshake *h, struct ml_buf *out)
{
    const struct opening o = {.kind = h->dial.kind,
                              .org = h->dial.org,
                              .epoch = h->dial.epoch,
                              .noise_static = h->secrets[0],
                              .psk = secret_slice(h->secrets[1]),
                              .mac = secret_slice(h->secrets[2]),
                              .remote = h->dial.kind == ML_LINK_KNOWN ? &h->dial.remote : NULL};
    ml_err err = opening_noise(h, &o);
    if (err != ML_OK) {
        return err;
    }
    ml_buf_u8(out, (uint8_t)o.kind);
    ml_buf_u32be(out, o.epoch);
    size_t mac_at = out->len;
    uint8_t mac[ML_LINK_MAC_BYTES] = {0};
    ml_buf_append(out, mac, sizeof(mac));
    size_t first_at = out->len + LENGTH_BYTES;
    err = write_message(h, out, 1);
    if (err != ML_OK) {
        return err;
    }
    opening_mac(mac, h, &o, ml_slice(out->data + first_at, out->len - first_at));
    memcpy(out->data + mac_at, mac, sizeof(mac));
    h->state = HS_SECOND;
    return ML_OK;
}

static ml_err sized_message(const struct ml_handshake *h, unsigned number, struct ml_slice *out)
{
    uint16_t len = message_bytes[h->kind][number - 1];
    *out = ml_slice(h->in + LENGTH_BYTES, len);
    return ml_get_u16be(h->in) == len ? ML_OK : ML_E_MALFORMED;
}

static ml_err dial_second(struct ml_handshake *h, struct ml_buf *out)
{
    struct ml_slice message;
    ml_err err = sized_message(h, 2, &message);
    err = err == ML_OK ? read_message(h, message) : err;
    err = err == ML_OK ? write_message(h, out, 3) : err;
    h->state = HS_DONE;
    return err;
}

static ml_err answer_third(struct ml_handshake *h)
{
    struct ml_slice message;
    ml_err err = sized_message(h, 3, &message);
    err = err == ML_OK ? read_message(h, message) : err;
    h->state = HS_DONE;
    return err;
}

static ml_err both_version(struct ml_handshake *h, struct ml_buf *out)
{
    h->peer_version = h->in[0];
    if (h->peer_version < ML_LINK_VERSION_LEAST) {
        return ML_E_VERSION;
    }
    h->state = HS_HEAD;
    return h->initiator ? dial_first(h, out) : ML_OK;
}

/* Bytes that must be in `in` before the state can go on; HEAD's stay there for FIRST. */
static size_t state_bytes(const struct ml_handshake *h)
{
    switch ((enum handshake_state)h->state) {
    case HS_VERSION:
        return 1;
    case HS_HEAD:
        return HEAD_BYTES;
    case HS_FIRST:
        return first_bytes(h);
    case HS_SECOND:
        return LENGTH_BYTES + (size_t)message_bytes[h->kind][1];
    case HS_THIRD:
        return LENGTH_BYTES + (size_t)message_bytes[h->kind][2];
    case HS_DONE:
    case HS_FAILED:
    default:
        return 0;
    }
}

static ml_err state_run(struct ml_handshake *h, struct ml_buf *out)
{
    switch ((enum handshake_state)h->state) {
    case HS_VERSION:
        return both_version(h, out);
    case HS_HEAD:
        return answer_head(h);
    case HS_FIRST:
        return answer_first(h, out);
    case HS_SECOND:
        return dial_second(h, out);
    case HS_THIRD:
        return answer_third(h);
    case HS_DONE:
    case HS_FAILED:
    default:
        return ML_E_INVALID;
    }
}

/* --- public --- */

void ml_handshake_answer(struct ml_handshake *h, const struct ml_env *env,
                         const struct ml_identities *ids)
{
    *h = (struct ml_handshake){
        .env = env, .ids = ids, .own_version = ML_LINK_VERSION, .state = HS_VERSION};
}

ml_err ml_handshake_dial(struct ml_handshake *h, const struct ml_env *env,
                         const struct ml_handshake_dial *dial)
{
    *h = (struct ml_handshake){.env = env,
                               .dial = *dial,
                               .own_version = ML_LINK_VERSION,
                               .state = HS_VERSION,
                               .initiator = true};
    if (dial->noise_static == NULL || dial->psk == NULL || dial->mac == NULL) {
        return ML_E_INVALID;
    }
    ml_err err = secret_copy(&h->secrets[0], dial->noise_static);
    err = err == ML_OK ? secret_copy(&h->secrets[1], dial->psk) : err;
    err = err == ML_OK ? secret_copy(&h->secrets[2], dial->mac) : err;
    h->dial.noise_static = NULL;
    h->dial.psk = NULL;
    h->dial.mac = NULL;
    if (err != ML_OK) {
        ml_handshake_free(h);
    }
    return err;
}

void ml_handshake_free(struct ml_handshake *h)
{
    for (size_t i = 0; i < sizeof(h->secrets) / sizeof(h->secrets[0]); i++) {
        ml_secret_free(h->secrets[i]);
        h->secrets[i] = NULL;
    }
    ml_noise_free(h->noise);
    h->noise = NULL;
    h->state = HS_FAILED;
}

ml_err ml_handshake_begin(struct ml_handshake *h, struct ml_buf *out)
{
    ml_buf_u8(out, h->own_version);
    return out->err;
}

/* Moves bytes into `in` until there are `need`; false when they ran out. */
static bool handshake_fill(struct ml_handshake *h, size_t need, struct ml_slice in, size_t *used)
{
    ML_ASSERT(need <= sizeof(h->in));
    size_t take = need - h->have < in.len - *used ? need - h->have : in.len - *used;
    if (take > 0) {
        memcpy(h->in + h->have, in.data + *used, take);
    }
    h->have += take;
    *used += take;
    return h->have == need;
}

ml_err ml_handshake_feed(struct ml_handshake *h, struct ml_buf *out, size_t *used,
                         struct ml_slice in)
{
    ml_err err = ML_OK;
    *used = 0;
    while (err == ML_OK && h->state != HS_DONE && handshake_fill(h, state_bytes(h), in, used)) {
        bool keep = h->state == HS_HEAD; /* FIRST needs the head too */
        err = state_run(h, out);
        h->have = keep ? h->have : 0;
    }
    if (err != ML_OK) {
        ml_handshake_free(h);
    }
    return err;
}

bool ml_handshake_done(const struct ml_handshake *h)
{
    return h->state == HS_DONE;
}

bool ml_handshake_knocks(const struct ml_handshake *h)
{
    return h->initiator && h->state == HS_SECOND;
}

bool ml_handshake_known(const struct ml_handshake *h)
{
    return h->state == HS_THIRD || h->state == HS_DONE;
}
