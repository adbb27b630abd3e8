/* tests/tools/noise_vectors/main.c -- runs Noise test vectors in cacophony's JSON form.
 *
 *   noise_vectors FILE.json...
 *
 * Each vector of a supported protocol is run twice, as initiator and as responder, against the
 * bytes of the file (never against ourselves): what that end writes must be the file's ciphertext,
 * what it reads must give the file's payload, and the handshake hash must be the file's. The last
 * line is "N passed, N failed". Exit: 0 all passed and at least one ran; 1 else; 2 usage.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/crypto/noise.h"

enum { KEY = 32, MESSAGE_MAX = 65535 };

struct counts {
    unsigned passed;
    unsigned failed;
    unsigned skipped;
};

/* Randomness is the vector's ephemeral key, once. */
struct vector_env {
    struct ml_env env;
    uint8_t ephemeral[KEY];
    unsigned draws;
};

/* One end of one vector. */
struct side {
    struct vector_env random;
    struct ml_noise *noise;
    struct ml_noise_cipher *send;
    struct ml_noise_cipher *receive;
    bool initiator;
    const char *why; /* what went wrong first */
};

static void vector_random(void *ctx, void *buf, size_t len)
{
    struct vector_env *v = ctx;
    v->draws++;
    memset(buf, 0, len);
    memcpy(buf, v->ephemeral, len < KEY ? len : KEY);
}

static int nibble(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* Appends the bytes of a hexadecimal JSON string. */
static bool unhex(struct ml_buf *out, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = text == NULL ? 1 : strlen(text);
    if (len % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i += 2) {
        int high = nibble(text[i]);
        int low = nibble(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ml_buf_u8(out, (uint8_t)(high * 16 + low));
    }
    return out->err == ML_OK;
}

/* The field "init_<name>" or "resp_<name>"; NULL when absent. */
static const json_t *field(const json_t *vector, bool initiator, const char *name)
{
    char key[40];
    snprintf(key, sizeof(key), "%s_%s", initiator ? "init" : "resp", name);
    return json_object_get(vector, key);
}

static bool read_key(uint8_t out[KEY], const json_t *value)
{
    struct ml_buf bytes;
    ml_buf_init(&bytes, ml_env_system(), KEY);
    bool ok = unhex(&bytes, value) && bytes.len == KEY;
    if (ok) {
        memcpy(out, bytes.data, KEY);
    }
    ml_buf_free(&bytes);
    return ok;
}

static bool read_secret(struct ml_secret **out, const json_t *value)
{
    uint8_t bytes[KEY];
    return read_key(bytes, value) && ml_secret_from(out, bytes, KEY) == ML_OK;
}

static bool side_open(struct side *side, const json_t *vector, ml_noise_pattern pattern)
{
    struct ml_noise_args args = {.pattern = pattern, .initiator = side->initiator};
    struct ml_secret *local = NULL;
    struct ml_secret *psk = NULL;
    struct ml_box_pk remote;
    struct ml_buf prologue;
    const json_t *psks = field(vector, side->initiator, "psks");
    const json_t *known = field(vector, side->initiator, "remote_static");
    const json_t *opening = field(vector, side->initiator, "prologue");

    ml_buf_init(&prologue, ml_env_system(), MESSAGE_MAX);
    side->random.env = *ml_env_system();
    side->random.env.ctx = &side->random;
    side->random.env.random = vector_random;
    bool ok = read_secret(&local, field(vector, side->initiator, "static")) &&
              read_key(side->random.ephemeral, field(vector, side->initiator, "ephemeral")) &&
              (opening == NULL || unhex(&prologue, opening)) &&
              (known == NULL || read_key(remote.b, known)) &&
              (psks == NULL ||
               (json_array_size(psks) == 1 && read_secret(&psk, json_array_get(psks, 0))));
    args.local = local;
    args.psk = psk;
    args.remote = known != NULL ? &remote : NULL;
    args.prologue = ml_buf_slice(&prologue);
    ok = ok && ml_noise_new(&side->noise, &side->random.env, &args) == ML_OK;
    ml_secret_free(local);
    ml_secret_free(psk);
    ml_buf_free(&prologue);
    return ok;
}

static void side_close(struct side *side)
{
    ml_noise_free(side->noise);
    ml_noise_cipher_free(side->send);
    ml_noise_cipher_free(side->receive);
}

static const char *handshake_message(struct side *side, struct ml_slice payload,
                                     struct ml_slice ciphertext, struct ml_buf *out)
{
    if (ml_noise_writes(side->noise)) {
        return ml_noise_write(side->noise, out, payload) == ML_OK &&
                       ml_slice_equal(ml_buf_slice(out), ciphertext)
                   ? NULL
                   : "a handshake message written differs";
    }
    return ml_noise_read(side->noise, out, ciphertext) == ML_OK &&
                   ml_slice_equal(ml_buf_slice(out), payload)
               ? NULL
               : "a handshake message read differs";
}

static const char *transport_message(struct side *side, bool writes, const struct ml_slice pair[2])
{
    static uint8_t room[MESSAGE_MAX];
    if (side->send == NULL && ml_noise_split(side->noise, &side->send, &side->receive) != ML_OK) {
        return "the handshake does not end where the vector's does";
    }
    const struct ml_slice none = {NULL, 0};
    if (writes) {
        return ml_noise_seal(side->send, room, pair[0], none) == ML_OK &&
                       ml_slice_equal(ml_slice(room, pair[0].len + ML_NOISE_TAG_BYTES), pair[1])
                   ? NULL
                   : "a transport message written differs";
    }
    return ml_noise_open(side->receive, room, pair[1], none) == ML_OK &&
                   ml_slice_equal(ml_slice(room, pair[1].len - ML_NOISE_TAG_BYTES), pair[0])
               ? NULL
               : "a transport message read differs";
}

static const char *one_message(struct side *side, const json_t *message, size_t index)
{
    struct ml_buf payload;
    struct ml_buf ciphertext;
    struct ml_buf out;
    const char *why = "a message is not hexadecimal";
    ml_buf_init(&payload, ml_env_system(), MESSAGE_MAX);
    ml_buf_init(&ciphertext, ml_env_system(), MESSAGE_MAX);
    ml_buf_init(&out, ml_env_system(), MESSAGE_MAX);
    if (unhex(&payload, json_object_get(message, "payload")) &&
        unhex(&ciphertext, json_object_get(message, "ciphertext"))) {
        const struct ml_slice pair[2] = {ml_buf_slice(&payload), ml_buf_slice(&ciphertext)};
        bool writes = (index % 2 == 0) == side->initiator;
        why = ml_noise_done(side->noise) ? transport_message(side, writes, pair)
                                         : handshake_message(side, pair[0], pair[1], &out);
    }
    ml_buf_free(&payload);
    ml_buf_free(&ciphertext);
    ml_buf_free(&out);
    return why;
}

static const char *check_hash(const struct side *side, const json_t *vector)
{
    const json_t *expect = json_object_get(vector, "handshake_hash");
    uint8_t hash[ML_NOISE_HASH_BYTES];
    struct ml_buf bytes;
    if (!ml_noise_done(side->noise)) {
        return "the vector ends before the handshake";
    }
    ml_noise_hash(side->noise, hash);
    ml_buf_init(&bytes, ml_env_system(), sizeof(hash));
    bool ok =
        unhex(&bytes, expect) && ml_slice_equal(ml_buf_slice(&bytes), ml_slice(hash, sizeof(hash)));
    ml_buf_free(&bytes);
    return ok ? NULL : "the handshake hash differs";
}

static const char *run_side(const json_t *vector, ml_noise_pattern pattern, bool initiator)
{
    struct side side = {.initiator = initiator};
    const json_t *messages = json_object_get(vector, "messages");
    const char *why = "the keys do not fit the pattern";
    if (side_open(&side, vector, pattern)) {
        why = NULL;
        for (size_t i = 0; why == NULL && i < json_array_size(messages); i++) {
            why = one_message(&side, json_array_get(messages, i), i);
        }
        why = why == NULL ? check_hash(&side, vector) : why;
        why = why == NULL && side.random.draws != 1 ? "not one ephemeral key" : why;
    }
    side_close(&side);
    return why;
}

static void run_vector(const json_t *vector, struct counts *counts)
{
    const char *name = json_string_value(json_object_get(vector, "protocol_name"));
    ml_noise_pattern pattern;
    if (name != NULL && !ml_noise_find(&pattern, name)) {
        counts->skipped++;
        return;
    }
    const char *why = "no protocol name";
    for (int role = 1; name != NULL && role >= 0; role--) {
        why = run_side(vector, pattern, role == 1);
        if (why != NULL) {
            fprintf(stderr, "%s, %s: %s\n", name, role == 1 ? "initiator" : "responder", why);
            break;
        }
    }
    counts->passed += why == NULL;
    counts->failed += why != NULL;
}

static void run_file(const char *path, struct counts *counts)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    const json_t *vectors = json_object_get(root, "vectors");
    if (!json_is_array(vectors)) {
        fprintf(stderr, "%s: line %d: %s\n", path, error.line,
                root == NULL ? error.text : "no array of vectors");
        counts->failed++;
    }
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        run_vector(json_array_get(vectors, i), counts);
    }
    json_decref(root);
}

int main(int argc, char **argv)
{
    struct counts counts = {0, 0, 0};
    if (argc < 2) {
        fprintf(stderr, "usage: noise_vectors FILE.json...\n");
        return 2;
    }
    if (ml_crypto_init() != ML_OK) {
        fprintf(stderr, "libsodium does not start\n");
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        run_file(argv[i], &counts);
    }
    if (counts.skipped > 0) {
        printf("%u skipped: protocols that are not supported\n", counts.skipped);
    }
    printf("%u passed, %u failed\n", counts.passed, counts.failed);
    return counts.failed == 0 && counts.passed > 0 ? 0 : 1;
}
