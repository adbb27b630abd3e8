/* core/crypto/pwhash.c -- see pwhash.h. */
#include "core/crypto/pwhash.h"

#include <sodium.h>
#include <utf8proc.h>

#include "core/base/assert.h"

enum {
    TARGET_MS = 500,  /* the middle of decision 24's 0.4 to 0.6 s */
    TRIAL_PASSES = 8, /* enough that what doesn't grow with them counts little */
    DIFFERENT_MIN = 5,
};

_Static_assert(crypto_pwhash_argon2id_SALTBYTES == ML_PWHASH_SALT_BYTES, "salt");
_Static_assert(crypto_pwhash_argon2id_MEMLIMIT_MIN == ML_PWHASH_MEMORY_KIB_MIN * 1024u, "memory");
_Static_assert(crypto_pwhash_argon2id_OPSLIMIT_MIN == 1, "passes");

bool ml_pwhash_cost_fits(const struct ml_pwhash_cost *cost)
{
    return cost->passes >= 1 && cost->passes <= ML_PWHASH_PASSES_MAX &&
           cost->memory_kib >= ML_PWHASH_MEMORY_KIB_MIN &&
           cost->memory_kib <= ML_PWHASH_MEMORY_KIB_MAX;
}

bool ml_pwhash_is_test(const struct ml_pwhash_cost *cost)
{
    return cost->memory_kib < ML_PWHASH_MEMORY_KIB || cost->passes < ML_PWHASH_PASSES;
}

/* RFC 8265, OpaqueString: any space is U+0020, the rest is NFC, so that what one keyboard composes
 * and another doesn't is one passphrase. *len 0: no UTF-8, hashed as it is. Ends in sodium_free. */
static ml_err passphrase_points(utf8proc_int32_t **out, size_t *len, struct ml_slice utf8)
{
    const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    const utf8proc_ssize_t room = (utf8proc_ssize_t)utf8.len * 2; /* at most 3 points of 2 bytes */
    utf8proc_int32_t *points = sodium_malloc(((size_t)room + 1) * sizeof(*points));
    if (points == NULL) {
        return ML_E_NOMEM;
    }
    utf8proc_ssize_t count =
        utf8.len == 0
            ? 0
            : utf8proc_decompose(utf8.data, (utf8proc_ssize_t)utf8.len, points, room, form);
    count = count > room ? UTF8PROC_ERROR_OVERFLOW : count;
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        points[i] = utf8proc_category(points[i]) == UTF8PROC_CATEGORY_ZS ? ' ' : points[i];
    }
    count = count <= 0 ? count : utf8proc_reencode(points, count, form);
    *len = count < 0 ? 0 : (size_t)count;
    *out = points;
    return ML_OK;
}

ml_err ml_pwhash(struct ml_secret **out, struct ml_slice passphrase,
                 const uint8_t salt[ML_PWHASH_SALT_BYTES], const struct ml_pwhash_cost *cost)
{
    if (!ml_pwhash_cost_fits(cost) || passphrase.len > ML_PASSPHRASE_BYTES_MAX) {
        return ML_E_INVALID;
    }
    struct ml_secret *made = NULL;
    utf8proc_int32_t *points = NULL;
    size_t len = 0;
    ml_err err = ml_secret_new(&made, ML_KEY_BYTES);
    if (err == ML_OK) {
        err = passphrase_points(&points, &len, passphrase);
    }
    if (err != ML_OK) {
        ml_secret_free(made);
        return err;
    }
    const char *raw = passphrase.len == 0 ? "" : (const char *)passphrase.data;
    const char *bytes = len > 0 ? (const char *)points : raw;
    int rc = crypto_pwhash_argon2id(
        ml_secret_writable(made), ML_KEY_BYTES, bytes, len > 0 ? len : passphrase.len, salt,
        cost->passes, (size_t)cost->memory_kib * 1024u, crypto_pwhash_argon2id_ALG_ARGON2ID13);
    sodium_free(points);
    if (rc != 0) { /* the sizes are right, so it is Argon2's working memory */
        ml_secret_free(made);
        return ML_E_NOMEM;
    }
    *out = made;
    return ML_OK;
}

static ml_err trial_run(uint64_t *took_ms, const struct ml_env *env,
                        const struct ml_pwhash_cost *cost)
{
    static const uint8_t salt[ML_PWHASH_SALT_BYTES];
    struct ml_secret *unused = NULL;
    uint64_t start_ms = env->now_ms(env->ctx);
    ml_err err = ml_pwhash(&unused, ml_slice_str("calibration"), salt, cost);
    *took_ms = env->now_ms(env->ctx) - start_ms;
    ml_secret_free(unused);
    return err;
}

/* Of two trials the faster one counts: the first also pays for the memory's pages. */
ml_err ml_pwhash_calibrate(struct ml_pwhash_cost *cost, const struct ml_env *env)
{
    struct ml_pwhash_cost trial = {TRIAL_PASSES, ML_PWHASH_MEMORY_KIB};
    uint64_t took_ms[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        ml_err err = trial_run(&took_ms[i], env, &trial);
        if (err != ML_OK) {
            return err;
        }
    }
    uint64_t best_ms = took_ms[0] < took_ms[1] ? took_ms[0] : took_ms[1];
    uint64_t passes =
        best_ms == 0 ? ML_PWHASH_PASSES_MAX : (uint64_t)TRIAL_PASSES * TARGET_MS / best_ms;
    passes = passes > ML_PWHASH_PASSES_MAX ? ML_PWHASH_PASSES_MAX : passes;
    trial.passes = passes < ML_PWHASH_PASSES ? ML_PWHASH_PASSES : (uint32_t)passes;
    *cost = trial;
    return ML_OK;
}

/* Length of the UTF-8 sequence at `s`, 0 when there is none: shortest forms only, no surrogates,
 * nothing over U+10FFFF (RFC 3629). */
static size_t utf8_length(const uint8_t *s, size_t left)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max, len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t i = 0;
    while (i < sizeof(forms) / sizeof(forms[0]) &&
           (s[0] < forms[i].first_min || s[0] > forms[i].first_max)) {
        i++;
    }
    if (i == sizeof(forms) / sizeof(forms[0]) || forms[i].len > left) {
        return 0;
    }
    bool ok = forms[i].len == 1 || (s[1] >= forms[i].second_min && s[1] <= forms[i].second_max);
    for (size_t at = 2; at < forms[i].len; at++) {
        ok = ok && (s[at] & 0xc0) == 0x80;
    }
    return ok ? forms[i].len : 0;
}

ml_passphrase_verdict ml_passphrase_check(struct ml_slice utf8)
{
    bool seen[256] = {false}; /* last bytes tell characters apart well enough for a floor */
    size_t chars = 0;
    size_t different = 0;
    if (utf8.len > ML_PASSPHRASE_BYTES_MAX) {
        return ML_PASSPHRASE_LONG;
    }
    for (size_t at = 0; at < utf8.len;) {
        size_t len = utf8_length(utf8.data + at, utf8.len - at);
        if (len == 0 || utf8.data[at] < 0x20 || utf8.data[at] == 0x7f) {
            return ML_PASSPHRASE_NOT_TEXT;
        }
        at += len;
        uint8_t last = utf8.data[at - 1];
        different += !seen[last];
        seen[last] = true;
        chars++;
    }
    sodium_memzero(seen, sizeof(seen));
    if (chars < ML_PASSPHRASE_CHARS_MIN) {
        return ML_PASSPHRASE_SHORT;
    }
    return different < DIFFERENT_MIN ? ML_PASSPHRASE_REPEATS : ML_PASSPHRASE_GOOD;
}
