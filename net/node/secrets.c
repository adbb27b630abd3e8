/* net/node/secrets.c -- see secrets.h.
 *
 *   node section                          member section
 *   +---------+-------------------+       +---------+---------------+
 *   | 1       | version, 1        |       | 1       | version, 1    |
 *   | 16      | node id           |       | 32      | mon sign seed |
 *   | 4       | network epoch, be |       | 32      | mon box       |
 *   | 32      | Noise static      |       | 32      | writer seed   |
 *   | 32      | node writer seed  |       +---------+---------------+
 *   | 32      | network secret    |
 *   +---------+-------------------+
 */
#include "net/node/secrets.h"

#include <string.h>

enum {
    SECTION_VERSION = 1,
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

static ml_err section_check(const struct ml_secret *bytes, size_t len)
{
    bool fits = ml_secret_len(bytes) == len && ml_secret_bytes(bytes)[0] == SECTION_VERSION;
    return fits ? ML_OK : ML_E_CORRUPT;
}

static ml_err section_new(struct ml_secret **out, size_t len)
{
    ml_err err = ml_secret_new(out, len);
    if (err == ML_OK) {
        uint8_t *bytes = ml_secret_writable(*out);
        bytes[0] = SECTION_VERSION;
    }
    return err;
}

ml_err ml_node_secrets_encode(struct ml_secret **out, const struct ml_node_secrets *s)
{
    struct ml_secret *section = NULL;
    ml_err err = section_new(&section, NODE_BYTES);
    if (err != ML_OK) {
        return err;
    }
    uint8_t *at = ml_secret_writable(section);
    memcpy(at + NODE_ID_AT, s->node.b, sizeof(s->node.b));
    ml_put_u32be(at + EPOCH_AT, s->network_epoch);
    const struct ml_secret *const keys[3] = {s->noise, s->writer, s->network};
    keys_write(at + NODE_KEYS_AT, keys);
    *out = section;
    return ML_OK;
}

ml_err ml_node_secrets_decode(struct ml_node_secrets *out, const struct ml_secret *bytes)
{
    struct ml_secret *keys[3] = {NULL, NULL, NULL};
    ml_err err = section_check(bytes, NODE_BYTES);
    if (err == ML_OK) {
        err = keys_read(keys, ml_secret_bytes(bytes) + NODE_KEYS_AT);
    }
    if (err != ML_OK) {
        return err;
    }
    const uint8_t *at = ml_secret_bytes(bytes);
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
    ml_err err = section_new(&section, MEMBER_BYTES);
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
    ml_err err = section_check(bytes, MEMBER_BYTES);
    if (err == ML_OK) {
        err = keys_read(keys, ml_secret_bytes(bytes) + MEMBER_KEYS_AT);
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
