/* net/node/secrets.c -- see secrets.h.
 *
 *   node section                          member section
 *   +---------+-------------------+       +---------+---------------+
 *   | 1       | version, 2        |       | 1       | version, 1    |
 *   | 16      | node id           |       | 32      | mon sign seed |
 *   | 4       | network epoch, be |       | 32      | mon box       |
 *   | 32      | Noise static      |       | 32      | writer seed   |
 *   | 32      | node writer seed  |       +---------+---------------+
 *   | 32      | network secret    |
 *   | 1       | n contacts        |       contact: node id 16, Noise key 32,
 *   | n       | contacts          |       length u8, address
 *   +---------+-------------------+
 */
#include "net/node/secrets.h"

#include <string.h>

enum {
    SECTION_VERSION = 1,
    NODE_VERSION = 2,
    CONTACT_HEAD = 16 + 32 + 1,
    KEY_BYTES = 32,
    NODE_ID_AT = 1,
    EPOCH_AT = NODE_ID_AT + 16,
    NODE_KEYS_AT = EPOCH_AT + 4,
    NODE_BYTES = NODE_KEYS_AT + 3 * KEY_BYTES,
    MEMBER_KEYS_AT = 1,
    MEMBER_BYTES = MEMBER_KEYS_AT + 3 * KEY_BYTES,
};

/* Three keys stand one after the other in both sections. */
static void keys_write(uint8_t *at, const struct ml_secret *const keys[3])
{
    for (size_t i = 0; i < 3; i++) {
        memcpy(at + i * KEY_BYTES, ml_secret_bytes(keys[i]), KEY_BYTES);
    }
}

static ml_err keys_read(struct ml_secret *keys[3], const uint8_t *at)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < 3 && err == ML_OK; i++) {
        err = ml_secret_from(&keys[i], at + i * KEY_BYTES, KEY_BYTES);
    }
    if (err != ML_OK) {
        for (size_t i = 0; i < 3; i++) {
            ml_secret_free(keys[i]);
        }
    }
    return err;
}

static ml_err section_new(struct ml_secret **out, size_t len, uint8_t version)
{
    ml_err err = ml_secret_new(out, len);
    if (err == ML_OK) {
        uint8_t *bytes = ml_secret_writable(*out);
        bytes[0] = version;
    }
    return err;
}

/* ---- contacts ---- */

static size_t contacts_len(const struct ml_node_secrets *s)
{
    size_t len = 1;
    for (size_t i = 0; i < s->contact_count; i++) {
        len += CONTACT_HEAD + strlen(s->contacts[i].address);
    }
    return len;
}

static void contacts_write(uint8_t *at, const struct ml_node_secrets *s)
{
    *at++ = s->contact_count;
    for (size_t i = 0; i < s->contact_count; i++) {
        const struct ml_known_node *c = &s->contacts[i];
        const size_t len = strlen(c->address);
        memcpy(at, c->node.b, sizeof(c->node.b));
        memcpy(at + 16, c->noise.b, sizeof(c->noise.b));
        at[CONTACT_HEAD - 1] = (uint8_t)len;
        memcpy(at + CONTACT_HEAD, c->address, len);
        at += CONTACT_HEAD + len;
    }
}

static bool contacts_read(struct ml_node_secrets *out, struct ml_slice in)
{
    size_t at = 1;
    if (in.len < 1 || in.data[0] > ML_CONTACTS_MAX) {
        return false;
    }
    out->contact_count = in.data[0];
    for (size_t i = 0; i < out->contact_count; i++) {
        struct ml_known_node *c = &out->contacts[i];
        if (in.len - at < CONTACT_HEAD ||
            in.len - at - CONTACT_HEAD < in.data[at + CONTACT_HEAD - 1]) {
            return false;
        }
        const size_t len = in.data[at + CONTACT_HEAD - 1];
        memcpy(c->node.b, in.data + at, sizeof(c->node.b));
        memcpy(c->noise.b, in.data + at + 16, sizeof(c->noise.b));
        memcpy(c->address, in.data + at + CONTACT_HEAD, len);
        c->address[len] = '\0';
        at += CONTACT_HEAD + len;
    }
    return at == in.len;
}

ml_err ml_node_secrets_encode(struct ml_secret **out, const struct ml_node_secrets *s)
{
    struct ml_secret *section = NULL;
    ml_err err = section_new(&section, NODE_BYTES + contacts_len(s), NODE_VERSION);
    if (err != ML_OK) {
        return err;
    }
    uint8_t *at = ml_secret_writable(section);
    memcpy(at + NODE_ID_AT, s->node.b, sizeof(s->node.b));
    ml_put_u32be(at + EPOCH_AT, s->network_epoch);
    const struct ml_secret *const keys[3] = {s->noise, s->writer, s->network};
    keys_write(at + NODE_KEYS_AT, keys);
    contacts_write(at + NODE_BYTES, s);
    *out = section;
    return ML_OK;
}

ml_err ml_node_secrets_decode(struct ml_node_secrets *out, const struct ml_secret *bytes)
{
    struct ml_secret *keys[3] = {NULL, NULL, NULL};
    struct ml_node_secrets found = {.contact_count = 0};
    const uint8_t *at = ml_secret_bytes(bytes);
    const size_t len = ml_secret_len(bytes);
    if (len > 0 && at[0] > NODE_VERSION) {
        return ML_E_UNSUPPORTED; /* authenticated: a later program's, no damage */
    }
    if (len <= NODE_BYTES || at[0] != NODE_VERSION ||
        !contacts_read(&found, ml_slice(at + NODE_BYTES, len - NODE_BYTES))) {
        return ML_E_CORRUPT;
    }
    ml_err err = keys_read(keys, at + NODE_KEYS_AT);
    if (err != ML_OK) {
        return err;
    }
    *out = found;
    memcpy(out->node.b, at + NODE_ID_AT, sizeof(out->node.b));
    out->network_epoch = ml_get_u32be(at + EPOCH_AT);
    out->noise = keys[0];
    out->writer = keys[1];
    out->network = keys[2];
    return ML_OK;
}

ml_err ml_member_secrets_encode(struct ml_secret **out, const struct ml_member_secrets *s)
{
    struct ml_secret *section = NULL;
    ml_err err = section_new(&section, MEMBER_BYTES, SECTION_VERSION);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_secret *const keys[3] = {s->mon_sign, s->mon_box, s->writer};
    keys_write(ml_secret_writable(section) + MEMBER_KEYS_AT, keys);
    *out = section;
    return ML_OK;
}

ml_err ml_member_secrets_decode(struct ml_member_secrets *out, const struct ml_secret *bytes)
{
    struct ml_secret *keys[3] = {NULL, NULL, NULL};
    const uint8_t *at = ml_secret_bytes(bytes);
    const bool newer = ml_secret_len(bytes) > 0 && at[0] > SECTION_VERSION;
    ml_err err = newer ? ML_E_UNSUPPORTED : ML_E_CORRUPT;
    if (ml_secret_len(bytes) == MEMBER_BYTES && at[0] == SECTION_VERSION) {
        err = keys_read(keys, at + MEMBER_KEYS_AT);
    }
    if (err == ML_OK) {
        *out = (struct ml_member_secrets){keys[0], keys[1], keys[2]};
    }
    return err;
}

void ml_node_secrets_free(struct ml_node_secrets *s)
{
    ml_secret_free(s->noise);
    ml_secret_free(s->writer);
    ml_secret_free(s->network);
    *s = (struct ml_node_secrets){0};
}

void ml_member_secrets_free(struct ml_member_secrets *s)
{
    ml_secret_free(s->mon_sign);
    ml_secret_free(s->mon_box);
    ml_secret_free(s->writer);
    *s = (struct ml_member_secrets){0};
}
