/* tests/unit/core_crypto/test_ctime.c -- no branch and no index depends on a secret.
 *
 * Under valgrind each secret is marked undefined before a call and what it made is marked defined
 * after it: memcheck then reports any jump or address that a secret decides (tests/tools/ctime.sh).
 * Without valgrind the marks do nothing, and this checks only that the calls work.
 *
 * Three answers are public and do decide a branch: that a tag or a check doesn't match, that a
 * share isn't of the others' polynomial, and that a peer's point is of small order.
 * tests/tools/ctime.supp names the functions where they do. Not here: Argon2id (its second half
 * reads memory by the passphrase, by design) and words.c.
 *
 * With the argument "leak" one secret decides one branch on purpose: valgrind must then fail.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/aead.h"
#include "core/crypto/box.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_id.h"
#include "core/crypto/keystore_inner.h"
#include "core/crypto/noise.h"
#include "core/crypto/share.h"
#include "core/crypto/sign.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#endif
#endif
#ifndef HAVE_MEMCHECK
#define VALGRIND_MAKE_MEM_UNDEFINED(at, len) ((void)(at), (void)(len))
#define VALGRIND_MAKE_MEM_DEFINED(at, len)   ((void)(at), (void)(len))
#define RUNNING_ON_VALGRIND                  0
#endif

static unsigned checked;

static void hide(struct ml_secret *s)
{
    VALGRIND_MAKE_MEM_UNDEFINED(ml_secret_writable(s), ml_secret_len(s));
}

static void show(void *bytes, size_t len)
{
    VALGRIND_MAKE_MEM_DEFINED(bytes, len);
    checked++;
}

static struct ml_secret *hidden(size_t len)
{
    struct ml_secret *s = NULL;
    ml_err err = ml_secret_random(&s, ml_env_system(), len);
    ML_ASSERT(err == ML_OK);
    hide(s);
    return s;
}

static void must(ml_err err)
{
    ML_ASSERT(err == ML_OK);
}

static void check_comparisons(void)
{
    struct ml_secret *a = hidden(32);
    struct ml_secret *b = hidden(32);
    bool same = ml_equal_ct(ml_secret_bytes(a), ml_secret_bytes(b), 32);
    show(&same, sizeof(same));
    ML_ASSERT(!same);
    same = ml_secret_equal(a, a);
    show(&same, sizeof(same));
    ML_ASSERT(same);
    ml_secret_free(a);
    ml_secret_free(b);
}

static void check_derivations(void)
{
    struct ml_secret *in = hidden(32);
    struct ml_secret *out = NULL;
    must(ml_kdf(ML_KDF_KEK_WRAP, &out, in, ml_slice(NULL, 0)));
    show(ml_secret_writable(out), 32);
    ml_secret_free(out);
    uint8_t chunk_key[ML_KEY_BYTES];
    ml_chunk_key(chunk_key, ml_secret_bytes(in), ml_slice_str("chunk"));
    show(chunk_key, sizeof(chunk_key));
    struct ml_key_id id = ml_key_id_of(in);
    show(&id, sizeof(id));
    struct ml_stream_id stream = ml_stream_id_derive(in, ML_COMPARTMENT_CARE);
    show(&stream, sizeof(stream));
    ml_secret_free(in);
}

static void check_signatures(void)
{
    struct ml_secret *seed = hidden(ML_SIGN_SEED_BYTES);
    struct ml_sign_pk pk;
    uint8_t sig[ML_SIGN_BYTES];
    ml_sign_pk_of(&pk, seed);
    show(&pk, sizeof(pk));
    ml_sign(sig, ml_slice_str("message"), seed);
    show(sig, sizeof(sig));
    must(ml_sign_verify(&pk, ml_slice_str("message"), sig));
    ml_secret_free(seed);
}

static void check_aead(void)
{
    static const uint8_t nonce[ML_AEAD_NONCE_BYTES];
    struct ml_secret *key = hidden(ML_KEY_BYTES);
    struct ml_secret *plain = hidden(100);
    uint8_t sealed[116];
    uint8_t drawn[ML_AEAD_NONCE_BYTES];
    const struct ml_slice ad = ml_slice_str("ad");
    const struct ml_slice in = {ml_secret_bytes(plain), 100};
    ml_aead_nonce(drawn, ml_env_system(), in, ad, ml_secret_bytes(key));
    show(drawn, sizeof(drawn));
    ml_aead_seal(sealed, in, ad, nonce, ml_secret_bytes(key));
    show(sealed, sizeof(sealed));
    must(ml_aead_open(ml_secret_writable(plain), ml_slice(sealed, sizeof(sealed)), ad, nonce,
                      ml_secret_bytes(key)));
    show(ml_secret_writable(plain), 100);
    ml_secret_free(key);
    ml_secret_free(plain);
}

static void check_boxes(void)
{
    struct ml_slot_at at = {.kind = ML_SLOT_KEK};
    struct ml_secret *mine = hidden(ML_BOX_SECRET_BYTES);
    struct ml_secret *kek = hidden(ML_KEY_BYTES);
    struct ml_secret *ephemeral = NULL;
    struct ml_secret *opened = NULL;
    uint8_t slot[ML_SLOT_BYTES];
    uint8_t box[5 + ML_ANON_EXTRA_BYTES];
    uint8_t plain[5];
    ml_box_pk_of(&at.recipient, mine);
    show(&at.recipient, sizeof(at.recipient));
    must(ml_slot_ephemeral(&at.ephemeral, &ephemeral, ml_env_system(), kek));
    show(&at.ephemeral, sizeof(at.ephemeral));
    must(ml_slot_seal(slot, &at, ephemeral, kek));
    show(slot, sizeof(slot));
    must(ml_slot_open(&opened, slot, &at, mine));
    show(ml_secret_writable(opened), ML_KEY_BYTES);
    ml_secret_free(opened);
    must(ml_seal_anon(box, ml_slice_str("plain"), &at.recipient, ml_slice_str("c"),
                      ml_env_system()));
    must(ml_open_anon(plain, ml_slice(box, sizeof(box)), mine, ml_slice_str("c")));
    show(plain, sizeof(plain));
    must(ml_box_dh(&opened, mine, &at.ephemeral));
    show(ml_secret_writable(opened), 32);
    ml_secret_free(opened);
    ml_secret_free(ephemeral);
    ml_secret_free(kek);
    ml_secret_free(mine);
}

static void check_keystore(void)
{
    static const struct ml_org_id org;
    struct ml_keystore *ks = NULL;
    struct ks_wrap wrap;
    struct ml_secret *key = hidden(ML_KEY_BYTES);
    struct ml_secret *under = hidden(ML_KEY_BYTES);
    struct ml_secret *opened = NULL;
    must(ml_keystore_new(&ks, ml_env_system(), &org));
    const struct ks_ad ad = ml_ks_ad(ks, ML_SLOT_TYPE_RECOVERY, NULL, NULL);
    ml_ks_wrap_seal(&wrap, ml_env_system(), &ad, key, under);
    show(&wrap, sizeof(wrap));
    must(ml_ks_wrap_open(&opened, &wrap, &ad, under));
    show(ml_secret_writable(opened), ML_KEY_BYTES);
    ml_secret_free(opened);
    ml_secret_free(key);
    ml_secret_free(under);
    ml_keystore_free(ks);
}

/* All secrets of both ends are hidden but the ephemerals, which the library draws itself. */
static void check_noise(void)
{
    struct ml_noise *end[2] = {NULL, NULL};
    struct ml_secret *psk = hidden(ML_KEY_BYTES);
    struct ml_noise_cipher *c[2][2];
    struct ml_buf msg;
    struct ml_buf payload;
    uint8_t sealed[16 + 4];
    ml_buf_init(&msg, ml_env_system(), ML_NOISE_MSG_MAX);
    ml_buf_init(&payload, ml_env_system(), ML_NOISE_MSG_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct ml_secret *local = hidden(ML_BOX_SECRET_BYTES);
        const struct ml_noise_args args = {
            .pattern = ML_NOISE_XXPSK3, .initiator = i == 0, .local = local, .psk = psk};
        must(ml_noise_new(&end[i], ml_env_system(), &args));
        ml_secret_free(local);
    }
    for (size_t i = 0; i < 3; i++) {
        ml_buf_clear(&msg);
        must(ml_noise_write(end[i % 2], &msg, ml_slice_str("text")));
        show(msg.data, msg.len); /* it goes on the wire */
        must(ml_noise_read(end[1 - i % 2], &payload, ml_buf_slice(&msg)));
    }
    for (size_t i = 0; i < 2; i++) {
        must(ml_noise_split(end[i], &c[i][0], &c[i][1]));
    }
    must(ml_noise_seal(c[0][0], sealed, ml_slice_str("text"), ml_slice(NULL, 0)));
    show(sealed, sizeof(sealed));
    must(ml_noise_open(c[1][1], sealed, ml_slice(sealed, sizeof(sealed)), ml_slice(NULL, 0)));
    ml_noise_rekey(c[0][0]);
    for (size_t i = 0; i < 4; i++) {
        ml_noise_cipher_free(c[i / 2][i % 2]);
    }
    ml_noise_free(end[0]);
    ml_noise_free(end[1]);
    ml_buf_free(&msg);
    ml_buf_free(&payload);
    ml_secret_free(psk);
}

static int leak(void)
{
    struct ml_secret *s = hidden(1);
    int branch = ml_secret_bytes(s)[0] > 100 ? 1 : 2; /* on purpose */
    int odd = branch == 1 ? 3 : 5;
    VALGRIND_MAKE_MEM_DEFINED(&odd, sizeof(odd));
    ml_secret_free(s);
    return odd > 0 ? 0 : 1;
}

/* What is cut, each share's value, its line and what is joined; its head is public. */
static void check_shares(void)
{
    enum { HEAD_BYTES = 8 };
    static const struct ml_org_id org = {{1}};
    const struct ml_share_plan plan = {ML_SHARE_STRUCTURE, &org, 2, 3};
    struct ml_secret *secret = hidden(ML_SHARE_SECRET);
    struct ml_secret *shares[3];
    struct ml_secret *line = NULL;
    struct ml_secret *joined = NULL;
    struct ml_share_error error;
    must(ml_share_cut(shares, ml_env_system(), &plan, secret));
    for (size_t i = 0; i < 3; i++) { /* the check is public, once a share is made */
        show(ml_secret_writable(shares[i]), HEAD_BYTES);
        show(ml_secret_writable(shares[i]) + HEAD_BYTES + ML_SHARE_SECRET,
             ML_SHARE_BYTES - HEAD_BYTES - ML_SHARE_SECRET);
    }
    must(ml_share_line(&line, shares[2]));
    show(ml_secret_writable(line), ml_secret_len(line));
    must(ml_share_join(&joined, NULL, (const struct ml_secret *const *)shares, 3, &error));
    show(ml_secret_writable(joined), ml_secret_len(joined));
    show(ml_secret_writable(secret), ml_secret_len(secret));
    ML_ASSERT(ml_secret_equal(joined, secret));
    for (size_t i = 0; i < 3; i++) {
        ml_secret_free(shares[i]);
    }
    ml_secret_free(secret);
    ml_secret_free(line);
    ml_secret_free(joined);
}

int main(int argc, char **argv)
{
    must(ml_crypto_init());
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        return leak();
    }
    check_comparisons();
    check_derivations();
    check_signatures();
    check_aead();
    check_boxes();
    check_keystore();
    check_noise();
    check_shares();
    printf("%u results, %s\n", checked,
           RUNNING_ON_VALGRIND ? "checked by valgrind" : "not under valgrind: calls only");
    return 0;
}
