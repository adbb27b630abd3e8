/* core/crypto/noise.c -- see noise.h. Section numbers are those of the Noise Protocol Framework,
 * revision 34 (2018-07-11).
 *
 * Happy path: each message is a row of tokens in `patterns`; a token either carries a key (e, s) or
 * mixes one in (ee, es, se, psk); the payload follows, sealed as soon as there is a key.
 *
 * Failures: room for the output is made before any state moves, so that NOMEM and LIMIT change
 * nothing. What the peer can cause (FORGED, MALFORMED) ends the handshake: the secrets are wiped
 * and the output is cut back to what it was.
 *
 * Invariant: while RUNNING, `next` is the number of messages written and read so far; the initiator
 * writes the even ones. No (k, n) pair seals twice: n starts at 0 with each new k and only grows.
 */
#include "core/crypto/noise.h"

#include <sodium.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/box.h"
#include "core/crypto/hash.h"
#include "core/crypto/hkdf.h"

enum {
    PK_BYTES = 32,
    HASH_BYTES = ML_NOISE_HASH_BYTES,
    NONCE_BYTES = 12,
    MESSAGES_MAX = 3,
    TOKENS_MAX = 5, /* with the END that closes a row */
};

enum token { END, E, S, EE, ES, SE, PSK };

/* Adding a pattern is adding a row here and its name to ML_NOISE_MAP. */
static const struct pattern {
    const char *name;
    bool remote_known; /* pre-message "<- s": the initiator knows the responder's static key */
    bool psk;
    uint8_t tokens[MESSAGES_MAX][TOKENS_MAX];
} patterns[ML_NOISE_COUNT] = {
#define NAMED(text) .name = "Noise_" text "_25519_ChaChaPoly_BLAKE2b"
    [ML_NOISE_XX] = {NAMED("XX"), .tokens = {{E}, {E, EE, S, ES}, {S, SE}}},
    [ML_NOISE_XK] = {NAMED("XK"), .remote_known = true, .tokens = {{E, ES}, {E, EE}, {S, SE}}},
    [ML_NOISE_XXPSK3] = {NAMED("XXpsk3"), .psk = true,
                         .tokens = {{E}, {E, EE, S, ES}, {S, SE, PSK}}},
    [ML_NOISE_XKPSK3] = {NAMED("XKpsk3"), .remote_known = true, .psk = true,
                         .tokens = {{E, ES}, {E, EE}, {S, SE, PSK}}},
#undef NAMED
};

/* All that must not leak, in one guarded block; bytes only, since its alignment is 1. */
struct keys {
    uint8_t ck[HASH_BYTES];
    uint8_t k[ML_KEY_BYTES];
    uint8_t s[ML_BOX_SECRET_BYTES];
    uint8_t e[ML_BOX_SECRET_BYTES];
    uint8_t psk[ML_KEY_BYTES];
};
_Static_assert(_Alignof(struct keys) == 1, "stands in a secret");

enum phase { RUNNING, DONE, SPLIT, ENDED }; /* secrets are held in the first two only */

struct ml_noise {
    const struct ml_env *env;      /* borrowed */
    const struct pattern *pattern; /* static */
    struct ml_secret *guard;       /* owned: struct keys */
    uint8_t h[HASH_BYTES];
    struct ml_box_pk s_pk;
    struct ml_box_pk e_pk;
    struct ml_box_pk re;
    struct ml_box_pk rs;
    enum phase phase;
    bool initiator;
    bool has_k;
    bool has_rs; /* known beforehand, or carried by a message read whole */
    uint64_t n;
    size_t next;
};

static struct keys *keys_of(struct ml_noise *n)
{
    return (struct keys *)ml_secret_writable(n->guard);
}

/* SymmetricState, section 5.2. */

static void mix_hash(struct ml_noise *n, struct ml_slice data)
{
    const struct ml_slice parts[] = {ml_slice(n->h, sizeof(n->h)), data};
    ml_hash_parts(n->h, sizeof(n->h), ml_slice(NULL, 0), parts, 2);
}

static void take_key(struct ml_noise *n, const uint8_t *key)
{
    memcpy(keys_of(n)->k, key, ML_KEY_BYTES); /* section 4.3: the first 32 of HASHLEN bytes */
    n->has_k = true;
    n->n = 0;
}

static void mix_key(struct ml_noise *n, const uint8_t input[32])
{
    uint8_t out[2 * HASH_BYTES];
    ml_hkdf(out, 2, keys_of(n)->ck, ml_slice(input, 32));
    memcpy(keys_of(n)->ck, out, HASH_BYTES);
    take_key(n, out + HASH_BYTES);
    sodium_memzero(out, sizeof(out));
}

static void mix_psk(struct ml_noise *n)
{
    uint8_t out[3 * HASH_BYTES];
    ml_hkdf(out, 3, keys_of(n)->ck, ml_slice(keys_of(n)->psk, ML_KEY_BYTES));
    memcpy(keys_of(n)->ck, out, HASH_BYTES);
    mix_hash(n, ml_slice(out + HASH_BYTES, HASH_BYTES));
    take_key(n, out + (size_t)2 * HASH_BYTES);
    sodium_memzero(out, sizeof(out));
}

/* 4 zero bytes || n little-endian; a handshake never comes near the end of its numbers. */
static void next_nonce(struct ml_noise *n, uint8_t nonce[NONCE_BYTES])
{
    memset(nonce, 0, NONCE_BYTES);
    nonce[4] = (uint8_t)n->n++;
    ML_ASSERT(n->n < UINT8_MAX);
}

static size_t tag_bytes(const struct ml_noise *n)
{
    return n->has_k ? ML_NOISE_TAG_BYTES : 0;
}

/* EncryptAndHash: writes plain.len bytes, and a tag once there is a key. Binds h. */
static void seal_and_hash(struct ml_noise *n, uint8_t *out, struct ml_slice plain)
{
    size_t len = plain.len + tag_bytes(n);
    if (n->has_k) {
        uint8_t nonce[NONCE_BYTES];
        next_nonce(n, nonce);
        crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.len, n->h,
                                                  sizeof(n->h), NULL, nonce, keys_of(n)->k);
    } else if (plain.len > 0) {
        memcpy(out, plain.data, plain.len);
    }
    mix_hash(n, ml_slice(out, len));
}

/* DecryptAndHash: `sealed` holds the tag, where there is one. */
static ml_err open_and_hash(struct ml_noise *n, uint8_t *out, struct ml_slice sealed)
{
    if (n->has_k) {
        uint8_t nonce[NONCE_BYTES];
        next_nonce(n, nonce);
        if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.len,
                                                      n->h, sizeof(n->h), nonce,
                                                      keys_of(n)->k) != 0) {
            return ML_E_FORGED;
        }
    } else if (out != NULL) { /* NULL: nothing but keys in the message */
        memcpy(out, sealed.data, sealed.len);
    }
    mix_hash(n, sealed);
    return ML_OK;
}

/* HandshakeState, section 5.3. */

static ml_err mix_dh(struct ml_noise *n, const uint8_t *secret, const struct ml_box_pk *peer)
{
    uint8_t shared[32];
    if (crypto_scalarmult_curve25519(shared, secret, peer->b) != 0) {
        return ML_E_FORGED; /* section 12.1 allows all-zero outputs; we don't */
    }
    mix_key(n, shared);
    sodium_memzero(shared, sizeof(shared));
    return ML_OK;
}

/* The tokens that carry nothing; the same for writer and reader. The first letter of es and se is
 * the initiator's key. */
static ml_err mix_token(struct ml_noise *n, enum token token)
{
    struct keys *keys = keys_of(n);
    switch (token) {
    case EE:
        return mix_dh(n, keys->e, &n->re);
    case ES:
        return n->initiator ? mix_dh(n, keys->e, &n->rs) : mix_dh(n, keys->s, &n->re);
    case SE:
        return n->initiator ? mix_dh(n, keys->s, &n->re) : mix_dh(n, keys->e, &n->rs);
    case PSK:
        mix_psk(n);
        return ML_OK;
    case E:
    case S:
    case END:
        break;
    }
    ML_ASSERT(false); /* the table is ours */
    return ML_E_INVALID;
}

static void mix_ephemeral(struct ml_noise *n, const struct ml_box_pk *pk)
{
    mix_hash(n, ml_slice(pk->b, PK_BYTES));
    if (n->pattern->psk) {
        mix_key(n, pk->b); /* section 9.2 */
    }
}

static void write_ephemeral(struct ml_noise *n, uint8_t *out)
{
    struct keys *keys = keys_of(n);
    n->env->random(n->env->ctx, keys->e, sizeof(keys->e));
    int rc = crypto_scalarmult_curve25519_base(n->e_pk.b, keys->e);
    ML_ASSERT(rc == 0); /* the base point has no small order */
    memcpy(out, n->e_pk.b, PK_BYTES);
    mix_ephemeral(n, &n->e_pk);
}

/* Bytes that an e or s token has in the message. */
static size_t key_bytes(const struct ml_noise *n, enum token token)
{
    return token == E ? PK_BYTES : PK_BYTES + tag_bytes(n);
}

static void write_key(struct ml_noise *n, enum token token, uint8_t *out)
{
    if (token == E) {
        write_ephemeral(n, out);
    } else {
        seal_and_hash(n, out, ml_slice(n->s_pk.b, PK_BYTES));
    }
}

static bool is_key(enum token token)
{
    return token == E || token == S;
}

static ml_err write_tokens(struct ml_noise *n, uint8_t *out, struct ml_slice payload)
{
    ml_err err = ML_OK;
    for (const uint8_t *at = n->pattern->tokens[n->next]; *at != END && err == ML_OK; at++) {
        enum token token = (enum token) * at;
        if (is_key(token)) {
            size_t len = key_bytes(n, token);
            write_key(n, token, out);
            out += len;
        } else {
            err = mix_token(n, token);
        }
    }
    if (err == ML_OK) {
        seal_and_hash(n, out, payload);
    }
    return err;
}

/* Takes the bytes of an e or s token off the front of `msg`, whose length was checked. */
static ml_err read_key(struct ml_noise *n, enum token token, struct ml_slice *msg)
{
    size_t len = key_bytes(n, token);
    const struct ml_slice part = {msg->data, len};
    *msg = (struct ml_slice){msg->data + len, msg->len - len};
    if (token == S) {
        return open_and_hash(n, n->rs.b, part);
    }
    memcpy(n->re.b, part.data, PK_BYTES);
    mix_ephemeral(n, &n->re);
    return ML_OK;
}

static ml_err read_tokens(struct ml_noise *n, uint8_t *out, struct ml_slice msg)
{
    bool carries_static = false;
    for (const uint8_t *at = n->pattern->tokens[n->next]; *at != END; at++) {
        enum token token = (enum token) * at;
        ml_err err = is_key(token) ? read_key(n, token, &msg) : mix_token(n, token);
        if (err != ML_OK) {
            return err;
        }
        carries_static = carries_static || token == S;
    }
    ml_err err = open_and_hash(n, out, msg);
    n->has_rs = n->has_rs || carries_static; /* on an error, end() takes it back */
    return err;
}

static void wipe_keys(struct ml_noise *n)
{
    sodium_memzero(ml_secret_writable(n->guard), sizeof(struct keys));
}

static void advance(struct ml_noise *n)
{
    n->next++;
    if (n->next == MESSAGES_MAX || n->pattern->tokens[n->next][0] == END) {
        n->phase = DONE;
    }
}

static void end(struct ml_noise *n)
{
    n->phase = ENDED;
    n->has_rs = false;
    wipe_keys(n);
}

/* Public functions. */

const char *ml_noise_name(ml_noise_pattern pattern)
{
    ML_ASSERT((size_t)pattern < ML_NOISE_COUNT);
    return patterns[pattern].name;
}

bool ml_noise_find(ml_noise_pattern *out, const char *name)
{
    for (size_t i = 0; i < ML_NOISE_COUNT; i++) {
        if (strcmp(patterns[i].name, name) == 0) {
            *out = (ml_noise_pattern)i;
            return true;
        }
    }
    return false;
}

static bool args_fit(const struct ml_noise_args *args)
{
    if ((size_t)args->pattern >= ML_NOISE_COUNT || args->local == NULL ||
        ml_secret_len(args->local) != ML_BOX_SECRET_BYTES) {
        return false;
    }
    const struct pattern *p = &patterns[args->pattern];
    bool psk = args->psk != NULL;
    return psk == p->psk && (!psk || ml_secret_len(args->psk) == ML_KEY_BYTES) &&
           (args->remote != NULL) == (p->remote_known && args->initiator);
}

/* Initialize() of section 5.3. No name of the table is longer than HASHLEN: each is padded. */
static void initialize(struct ml_noise *n, const struct ml_noise_args *args)
{
    struct keys *keys = keys_of(n);
    const struct ml_slice name = ml_slice_str(n->pattern->name);
    ML_ASSERT(name.len <= HASH_BYTES);
    memcpy(n->h, name.data, name.len);
    memcpy(keys->ck, n->h, HASH_BYTES);
    memcpy(keys->s, ml_secret_bytes(args->local), ML_BOX_SECRET_BYTES);
    ml_box_pk_of(&n->s_pk, args->local);
    if (args->psk != NULL) {
        memcpy(keys->psk, ml_secret_bytes(args->psk), ML_KEY_BYTES);
    }
    if (args->remote != NULL) {
        n->rs = *args->remote;
        n->has_rs = true;
    }
    mix_hash(n, args->prologue);
    if (n->pattern->remote_known) {
        mix_hash(n, ml_slice(n->initiator ? n->rs.b : n->s_pk.b, PK_BYTES));
    }
}

ml_err ml_noise_new(struct ml_noise **out, const struct ml_env *env,
                    const struct ml_noise_args *args)
{
    if (!args_fit(args)) {
        return ML_E_INVALID;
    }
    struct ml_noise *n = ml_alloc(env, sizeof(*n));
    if (n == NULL) {
        return ML_E_NOMEM;
    }
    *n = (struct ml_noise){.env = env,
                           .pattern = &patterns[args->pattern],
                           .initiator = args->initiator,
                           .phase = RUNNING};
    ml_err err = ml_secret_new(&n->guard, sizeof(struct keys));
    if (err != ML_OK) {
        ml_release(env, n);
        return err;
    }
    initialize(n, args);
    *out = n;
    return ML_OK;
}

void ml_noise_free(struct ml_noise *n)
{
    if (n != NULL) {
        ml_secret_free(n->guard);
        ml_release(n->env, n);
    }
}

bool ml_noise_writes(const struct ml_noise *n)
{
    return n->phase == RUNNING && (n->next % 2 == 0) == n->initiator;
}

bool ml_noise_done(const struct ml_noise *n)
{
    return n->phase == DONE || n->phase == SPLIT;
}

size_t ml_noise_overhead(const struct ml_noise *n)
{
    if (n->phase != RUNNING) {
        return 0;
    }
    size_t bytes = 0;
    bool has_k = n->has_k;
    for (const uint8_t *token = n->pattern->tokens[n->next]; *token != END; token++) {
        if (*token == E || *token == S) {
            bytes += PK_BYTES + (*token == S && has_k ? ML_NOISE_TAG_BYTES : 0);
        }
        has_k = has_k || (*token == E ? n->pattern->psk : *token != S);
    }
    return bytes + (has_k ? ML_NOISE_TAG_BYTES : 0);
}

ml_err ml_noise_write(struct ml_noise *n, struct ml_buf *out, struct ml_slice payload)
{
    if (!ml_noise_writes(n)) {
        return ML_E_INVALID;
    }
    size_t overhead = ml_noise_overhead(n);
    if (payload.len > ML_NOISE_MSG_MAX - overhead) {
        return ML_E_LIMIT;
    }
    size_t before = out->len;
    uint8_t *at = ml_buf_extend(out, overhead + payload.len); /* never 0: each message has a key */
    if (at == NULL) {
        return out->err;
    }
    ml_err err = write_tokens(n, at, payload);
    if (err != ML_OK) {
        out->len = before;
        end(n);
        return err;
    }
    advance(n);
    return ML_OK;
}

ml_err ml_noise_read(struct ml_noise *n, struct ml_buf *out, struct ml_slice msg)
{
    if (n->phase != RUNNING || ml_noise_writes(n)) {
        return ML_E_INVALID;
    }
    size_t overhead = ml_noise_overhead(n);
    if (msg.len < overhead || msg.len > ML_NOISE_MSG_MAX) {
        end(n);
        return ML_E_MALFORMED;
    }
    size_t before = out->len;
    uint8_t *at = msg.len > overhead ? ml_buf_extend(out, msg.len - overhead) : NULL;
    if (out->err != ML_OK) {
        return out->err;
    }
    ml_err err = read_tokens(n, at, msg);
    if (err != ML_OK) {
        out->len = before;
        end(n);
        return err;
    }
    advance(n);
    return ML_OK;
}

void ml_noise_hash(const struct ml_noise *n, uint8_t hash[ML_NOISE_HASH_BYTES])
{
    memcpy(hash, n->h, sizeof(n->h));
}

const struct ml_box_pk *ml_noise_remote(const struct ml_noise *n)
{
    return n->has_rs ? &n->rs : NULL;
}

ml_err ml_noise_split(struct ml_noise *n, struct ml_noise_cipher **send,
                      struct ml_noise_cipher **receive)
{
    if (n->phase != DONE) {
        return ML_E_INVALID;
    }
    uint8_t out[2 * HASH_BYTES];
    struct ml_noise_cipher *first = NULL;
    struct ml_noise_cipher *second = NULL;
    ml_hkdf(out, 2, keys_of(n)->ck, ml_slice(NULL, 0));
    ml_err err = ml_noise_cipher_new(&first, n->env, out, 0);
    if (err == ML_OK) {
        err = ml_noise_cipher_new(&second, n->env, out + HASH_BYTES, 0);
    }
    sodium_memzero(out, sizeof(out));
    if (err != ML_OK) {
        ml_noise_cipher_free(first);
        return err;
    }
    *send = n->initiator ? first : second;
    *receive = n->initiator ? second : first;
    wipe_keys(n);
    n->phase = SPLIT;
    return ML_OK;
}
