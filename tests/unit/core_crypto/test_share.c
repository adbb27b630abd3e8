/* test_share.c -- a secret in shares: the field, what fewer than `need` tell, what a person is told
 * of a share that isn't right, and the bytes of tests/vectors/share.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/ids.h"
#include "core/crypto/gf256.h"
#include "core/crypto/hash.h"
#include "core/crypto/share.h"
#include "core/crypto/words.h"
#include "support_crypto.h"

enum { COUNT = 5, NEED = 3, LINE_MAX = 640 };

struct cutting {
    struct ml_secret *secret;
    struct ml_secret *shares[ML_SHARE_MAX];
    size_t count;
};

static struct ml_org_id org_of(uint8_t first)
{
    struct ml_org_id org = {{first, 2, 3, 4}};
    return org;
}

static void cut(struct cutting *c, const struct ml_env *env, uint8_t org, const uint8_t sizes[2])
{
    const struct ml_org_id id = org_of(org);
    const struct ml_share_plan plan = {
        .kind = ML_SHARE_STRUCTURE, .org = &id, .need = sizes[0], .count = sizes[1]};
    *c = (struct cutting){.count = sizes[1]};
    assert_int_equal(ml_secret_random(&c->secret, env, ML_SHARE_SECRET), ML_OK);
    assert_int_equal(ml_share_cut(c->shares, env, &plan, c->secret), ML_OK);
}

static void cut_default(struct cutting *c, const struct ml_env *env)
{
    static const uint8_t sizes[2] = {NEED, COUNT};
    cut(c, env, 1, sizes);
}

static void cutting_free(struct cutting *c)
{
    ml_secret_free(c->secret);
    for (size_t i = 0; i < c->count; i++) {
        ml_secret_free(c->shares[i]);
    }
}

/* Joins those that are given; the fault, or -1 when they give `c`'s secret. */
static int joined(const struct cutting *c, const struct ml_secret *const *shares, size_t count,
                  struct ml_share_error *error)
{
    struct ml_secret *secret = NULL;
    struct ml_share_head head;
    *error = (struct ml_share_error){.fault = (ml_share_fault)99};
    ml_err err = ml_share_join(&secret, &head, shares, count, error);
    if (err != ML_OK) {
        assert_null(secret);
        return (int)error->fault;
    }
    assert_true(ml_secret_equal(secret, c->secret));
    ml_secret_free(secret);
    return -1;
}

/* ---- the field ---- */

static void products_are_those_of_fips_197(void **state)
{
    (void)state;
    assert_int_equal(ml_gf256_mul(0x57, 0x83), 0xc1); /* FIPS 197, 4.2 */
    assert_int_equal(ml_gf256_mul(0x57, 0x13), 0xfe); /* 4.2.1 */
    assert_int_equal(ml_gf256_mul(0x57, 0x02), 0xae);
    assert_int_equal(ml_gf256_mul(0x57, 0x04), 0x47);
    assert_int_equal(ml_gf256_mul(0x57, 0x08), 0x8e);
    assert_int_equal(ml_gf256_mul(0x57, 0x10), 0x07);
}

static void it_is_a_field(void **state)
{
    (void)state;
    assert_int_equal(ml_gf256_inv(0), 0);
    for (unsigned a = 1; a < 256; a++) {
        assert_int_equal(ml_gf256_mul((uint8_t)a, ml_gf256_inv((uint8_t)a)), 1);
        assert_int_equal(ml_gf256_mul((uint8_t)a, 0), 0);
        for (unsigned b = 0; b < 256; b++) {
            const uint8_t ab = ml_gf256_mul((uint8_t)a, (uint8_t)b);
            assert_int_equal(ab, ml_gf256_mul((uint8_t)b, (uint8_t)a));
            assert_int_equal(ml_gf256_mul((uint8_t)a, (uint8_t)(b ^ 0x35)),
                             ab ^ ml_gf256_mul((uint8_t)a, 0x35));
        }
    }
}

/* draft-mcgrew-tss-03: the secret "test" and a NUL, two shares of two. */
static void the_example_of_the_ietf_draft_joins(void **state)
{
    (void)state;
    static const uint8_t one[] = {0xb9, 0xfa, 0x07, 0xe1, 0x85};
    static const uint8_t two[] = {0xf5, 0x40, 0x9b, 0x45, 0x11};
    const struct ml_gf256_point points[] = {{1, one}, {2, two}};
    char secret[5];
    ml_gf256_at((uint8_t *)secret, sizeof(secret), 0, points, 2);
    assert_string_equal(secret, "test");
}

/* ---- what fewer than `need` tell ---- */

/* Exact, not drawn: whatever the secret, each pair of values of two shares of three needed comes
 * from exactly one of the 65,536 draws. So two shares are as likely under any secret. */
static void two_of_three_needed_tell_nothing(void **state)
{
    (void)state;
    static const uint8_t secrets[] = {0x00, 0x01, 0x7f, 0xff};
    for (size_t s = 0; s < sizeof(secrets); s++) {
        static uint8_t seen[65536];
        memset(seen, 0, sizeof(seen));
        for (unsigned draw = 0; draw < 65536; draw++) {
            const uint8_t first = (uint8_t)(draw >> 8);
            const uint8_t second = (uint8_t)draw;
            const struct ml_gf256_point points[] = {{0, &secrets[s]}, {1, &first}, {2, &second}};
            uint8_t four = 0;
            uint8_t five = 0;
            ml_gf256_at(&four, 1, 4, points, 3);
            ml_gf256_at(&five, 1, 5, points, 3);
            seen[(unsigned)four << 8 | five]++;
        }
        for (unsigned pair = 0; pair < 65536; pair++) {
            assert_int_equal(seen[pair], 1);
        }
    }
}

/* The same of what is really cut, by chance: byte values of two shares, over 2,000 cuttings of one
 * secret, spread evenly (chi square with 255 degrees of freedom: 350 is passed once in 10,000). */
static void values_of_shares_spread_evenly(void **state)
{
    struct crypto_fixture *f = *state;
    enum { CUTTINGS = 2000, VALUE_AT = 8 };
    static unsigned seen[2][256];
    const struct ml_org_id org = org_of(1);
    const struct ml_share_plan plan = {ML_SHARE_STRUCTURE, &org, NEED, COUNT};
    struct ml_secret *secret = NULL;
    assert_int_equal(ml_secret_new(&secret, ML_SHARE_SECRET), ML_OK); /* zeros */
    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < CUTTINGS; i++) {
        struct ml_secret *shares[COUNT];
        assert_int_equal(ml_share_cut(shares, f->env, &plan, secret), ML_OK);
        for (size_t at = 0; at < ML_SHARE_SECRET; at++) {
            seen[0][ml_secret_bytes(shares[0])[VALUE_AT + at]]++;
            seen[1][ml_secret_bytes(shares[4])[VALUE_AT + at]]++;
        }
        for (size_t s = 0; s < COUNT; s++) {
            ml_secret_free(shares[s]);
        }
    }
    for (size_t s = 0; s < 2; s++) {
        const double expect = CUTTINGS * (double)ML_SHARE_SECRET / 256;
        double chi = 0;
        for (unsigned v = 0; v < 256; v++) {
            const double off = seen[s][v] - expect;
            chi += off * off / expect;
        }
        assert_true(chi > 160 && chi < 350);
    }
    ml_secret_free(secret);
}

/* ---- cutting and joining ---- */

/* Downwards: their order doesn't matter. */
static size_t chosen_of(const struct ml_secret *some[COUNT], const struct cutting *c,
                        unsigned chosen)
{
    size_t count = 0;
    for (size_t i = COUNT; i-- > 0;) {
        if ((chosen >> i & 1u) != 0) {
            some[count++] = c->shares[i];
        }
    }
    return count;
}

static void any_three_of_five_give_the_secret(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    struct ml_share_error error;
    cut_default(&c, f->env);
    for (unsigned chosen = 0; chosen < 1u << COUNT; chosen++) {
        const struct ml_secret *some[COUNT];
        const size_t count = chosen_of(some, &c, chosen);
        const int fault = joined(&c, some, count, &error);
        const bool enough = count >= NEED;
        assert_int_equal(fault, enough ? -1 : (int)ML_SHARE_TOO_FEW);
        assert_true(enough || count == 0 || error.need == NEED);
    }
    cutting_free(&c);
}

static void every_size_works(void **state)
{
    struct crypto_fixture *f = *state;
    for (uint8_t count = 2; count <= ML_SHARE_MAX; count++) {
        for (uint8_t need = 2; need <= count; need++) {
            const uint8_t sizes[2] = {need, count};
            struct cutting c;
            struct ml_share_error error;
            cut(&c, f->env, 1, sizes);
            const struct ml_secret *const *from_last =
                (const struct ml_secret *const *)c.shares + (count - need);
            assert_int_equal(joined(&c, from_last, need, &error), -1);
            assert_int_equal(joined(&c, from_last, need - 1u, &error), ML_SHARE_TOO_FEW);
            cutting_free(&c);
        }
    }
}

static void other_sizes_are_refused(void **state)
{
    struct crypto_fixture *f = *state;
    static const uint8_t sizes[][2] = {{0, 3}, {1, 3}, {4, 3}, {2, 16}, {16, 16}, {0, 0}};
    const struct ml_org_id org = org_of(1);
    struct ml_secret *shares[ML_SHARE_MAX + 1] = {NULL};
    struct ml_secret *secret = NULL;
    assert_int_equal(ml_secret_random(&secret, f->env, ML_SHARE_SECRET), ML_OK);
    struct ml_share_plan plan = {.kind = ML_SHARE_STRUCTURE, .org = &org};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        plan.need = sizes[i][0];
        plan.count = sizes[i][1];
        assert_int_equal(ml_share_cut(shares, f->env, &plan, secret), ML_E_INVALID);
    }
    plan = (struct ml_share_plan){(ml_share_kind)3, &org, 2, 3};
    assert_int_equal(ml_share_cut(shares, f->env, &plan, secret), ML_E_INVALID);
    ml_secret_free(secret);
    assert_int_equal(ml_secret_random(&secret, f->env, ML_SHARE_SECRET - 1), ML_OK);
    plan.kind = ML_SHARE_AUDITOR;
    assert_int_equal(ml_share_cut(shares, f->env, &plan, secret), ML_E_INVALID);
    assert_null(shares[0]);
    ml_secret_free(secret);
}

static void shares_of_different_sets_are_refused(void **state)
{
    struct crypto_fixture *f = *state;
    static const uint8_t sizes[2] = {NEED, COUNT};
    struct cutting a;
    struct cutting b;
    struct cutting c;
    struct ml_share_error error;
    cut_default(&a, f->env);
    cut_default(&b, f->env);
    cut(&c, f->env, 9, sizes);
    const struct ml_secret *of_two_sets[] = {a.shares[0], a.shares[1], b.shares[2]};
    assert_int_equal(joined(&a, of_two_sets, 3, &error), ML_SHARE_OTHER_SET);
    assert_int_equal(error.share, 3);
    const struct ml_secret *of_two_orgs[] = {a.shares[0], c.shares[1], a.shares[2]};
    assert_int_equal(joined(&a, of_two_orgs, 3, &error), ML_SHARE_OTHER_ORG);
    assert_int_equal(error.share, 2);
    const struct ml_secret *twice[] = {a.shares[0], a.shares[1], a.shares[0]};
    assert_int_equal(joined(&a, twice, 3, &error), ML_SHARE_TWICE);
    assert_int_equal(error.share, 3);
    cutting_free(&a);
    cutting_free(&b);
    cutting_free(&c);
}

/* Puts a right check under altered bytes, as a forger would. */
static void check_again(struct ml_secret *share)
{
    uint8_t *bytes = ml_secret_writable(share);
    struct ml_hash_state st;
    ml_hash_init(&st, 4, NULL, 0);
    ml_hash_update(&st, "maille/share/1", 14);
    ml_hash_update(&st, bytes, 40);
    ml_hash_final(&st, bytes + 40, 4);
}

static void a_share_too_many_that_lies_is_found(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    struct ml_share_error error;
    cut_default(&c, f->env);
    ml_secret_writable(c.shares[3])[20] ^= 1;
    check_again(c.shares[3]);
    assert_int_equal(joined(&c, (const struct ml_secret *const *)c.shares, 4, &error),
                     ML_SHARE_DISAGREE);
    assert_int_equal(error.share, 4);
    cutting_free(&c);
}

/* Its check holds, and it says to be of the same cutting: of another secret, or needing more. */
static void a_share_that_claims_the_set_is_of_its_kind(void **state)
{
    struct crypto_fixture *f = *state;
    static const struct {
        size_t at;
        uint8_t value;
    } other[] = {{0, 0x12}, {7, 0x22}};
    for (size_t i = 0; i < 2; i++) {
        struct cutting c;
        struct ml_share_error error;
        cut_default(&c, f->env);
        ml_secret_writable(c.shares[1])[other[i].at] = other[i].value;
        check_again(c.shares[1]);
        assert_int_equal(joined(&c, (const struct ml_secret *const *)c.shares, 3, &error),
                         ML_SHARE_OTHER_SET);
        assert_int_equal(error.share, 2);
        cutting_free(&c);
    }
}

static void what_a_later_version_made_is_told_apart(void **state)
{
    struct crypto_fixture *f = *state;
    static const struct {
        size_t at;
        uint8_t value;
    } later[] = {{0, 0x21}, {0, 0x13}, {0, 0x10}, {7, 0x11}, {7, 0x30}};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        struct cutting c;
        struct ml_share_error error;
        struct ml_share_head head;
        cut_default(&c, f->env);
        ml_secret_writable(c.shares[1])[later[i].at] = later[i].value;
        assert_int_equal(ml_share_head(&head, c.shares[1]), ML_E_INVALID);
        check_again(c.shares[1]);
        assert_int_equal(ml_share_head(&head, c.shares[1]), ML_E_UNSUPPORTED);
        assert_int_equal(joined(&c, (const struct ml_secret *const *)c.shares, 3, &error),
                         ML_SHARE_LATER);
        assert_int_equal(error.share, 2);
        cutting_free(&c);
    }
}

static void no_bit_of_a_share_can_change(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    struct ml_share_head head;
    cut_default(&c, f->env);
    assert_int_equal(ml_share_head(&head, c.shares[2]), ML_OK);
    assert_int_equal(head.index, 3);
    assert_int_equal(head.need, NEED);
    assert_int_equal(head.kind, ML_SHARE_STRUCTURE);
    assert_memory_equal(head.org, org_of(1).b, ML_SHARE_ORG_BYTES);
    for (size_t bit = 0; bit < (size_t)8 * ML_SHARE_BYTES; bit++) {
        ml_secret_writable(c.shares[2])[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(ml_share_head(&head, c.shares[2]), ML_E_INVALID);
        ml_secret_writable(c.shares[2])[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cutting_free(&c);
}

/* ---- on paper ---- */

static ml_err read_text(const char *text, struct ml_secret **out, struct ml_share_error *error)
{
    *out = NULL;
    *error = (struct ml_share_error){.fault = (ml_share_fault)99};
    return ml_share_read(out, ml_slice_str(text), error);
}

static void words_and_lines_are_read_back(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    cut_default(&c, f->env);
    for (size_t i = 0; i < COUNT; i++) {
        for (unsigned line = 0; line < 2; line++) {
            struct ml_secret *text = NULL;
            struct ml_secret *back = NULL;
            struct ml_share_error error;
            assert_int_equal(line == 1 ? ml_share_line(&text, c.shares[i])
                                       : ml_share_words(&text, c.shares[i]),
                             ML_OK);
            assert_int_equal(read_text((const char *)ml_secret_bytes(text), &back, &error), ML_OK);
            assert_true(ml_secret_equal(back, c.shares[i]));
            ml_secret_free(back);
            ml_secret_free(text);
        }
    }
    cutting_free(&c);
}

/* The words of a share, `count` of them, each in `words`. */
static size_t words_of(char words[ML_SHARE_WORDS][16], const struct ml_secret *share)
{
    struct ml_secret *text = NULL;
    size_t count = 0;
    size_t len = 0;
    assert_int_equal(ml_share_words(&text, share), ML_OK);
    for (const char *at = (const char *)ml_secret_bytes(text); *at != '\0'; at++) {
        if (*at == ' ') {
            words[count++][len] = '\0';
            len = 0;
        } else {
            words[count][len++] = *at;
        }
    }
    words[count++][len] = '\0';
    ml_secret_free(text);
    return count;
}

static void text_of(char out[LINE_MAX], char words[ML_SHARE_WORDS][16], size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(out + len, LINE_MAX - len, "%zu. %s ", i + 1, words[i]);
    }
}

static void a_fault_names_the_word(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    char words[ML_SHARE_WORDS][16];
    char text[LINE_MAX];
    struct ml_secret *back = NULL;
    struct ml_share_error error;
    cut_default(&c, f->env);
    for (size_t at = 0; at < ML_SHARE_WORDS; at++) {
        assert_int_equal(words_of(words, c.shares[0]), ML_SHARE_WORDS);
        const char *other = ml_words_french[(at * 61 + 7) % ML_WORDS_LIST];
        snprintf(words[at], sizeof(words[at]), "%s", other);
        text_of(text, words, ML_SHARE_WORDS);
        assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
        assert_int_equal(error.fault, ML_SHARE_WORD_WRONG);
        assert_int_equal(error.word, at + 1);
        snprintf(words[at], sizeof(words[at]), "zzz");
        text_of(text, words, ML_SHARE_WORDS);
        assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
        assert_int_equal(error.fault, ML_SHARE_WORD_UNKNOWN);
        assert_int_equal(error.word, at + 1);
    }
    cutting_free(&c);
}

static void other_faults_are_told_too(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    char words[ML_SHARE_WORDS][16];
    char kept[16];
    char text[LINE_MAX];
    struct ml_secret *back = NULL;
    struct ml_share_error error;
    cut_default(&c, f->env);
    words_of(words, c.shares[0]);
    text_of(text, words, ML_SHARE_WORDS - 1);
    assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
    assert_int_equal(error.fault, ML_SHARE_WORD_COUNT);
    assert_int_equal(error.word, ML_SHARE_WORDS - 1);
    memcpy(kept, words[4], sizeof(kept));
    memcpy(words[4], words[5], sizeof(kept));
    memcpy(words[5], kept, sizeof(kept));
    text_of(text, words, ML_SHARE_WORDS);
    assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
    assert_int_equal(error.fault, ML_SHARE_WORD_SWAPPED);
    assert_int_equal(error.word, 5);
    snprintf(words[20], sizeof(words[20]), "%s", ml_words_french[0]); /* and one more fault */
    snprintf(words[21], sizeof(words[21]), "%s", ml_words_french[1]);
    text_of(text, words, ML_SHARE_WORDS);
    assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
    assert_int_equal(error.fault, ML_SHARE_WORD_WRONG);
    assert_int_equal(error.word, 0);
    cutting_free(&c);
}

static void lines_are_forgiven_case_and_room_only(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    char text[LINE_MAX];
    struct ml_secret *line = NULL;
    struct ml_secret *back = NULL;
    struct ml_share_error error;
    cut_default(&c, f->env);
    assert_int_equal(ml_share_line(&line, c.shares[0]), ML_OK);
    const char *written = (const char *)ml_secret_bytes(line);
    snprintf(text, sizeof(text), "\n maille:%s\r\n", written + 7);
    assert_int_equal(read_text(text, &back, &error), ML_OK);
    ml_secret_free(back);
    snprintf(text, sizeof(text), "%s", written);
    text[20] = text[20] == '0' ? '1' : '0';
    assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
    assert_int_equal(error.fault, ML_SHARE_WORD_WRONG);
    assert_int_equal(error.word, 0);
    snprintf(text, sizeof(text), "%s0", written);
    assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
    snprintf(text, sizeof(text), "%.40s", written);
    assert_int_equal(read_text(text, &back, &error), ML_E_INVALID);
    assert_int_equal(read_text("MAILLE:", &back, &error), ML_E_INVALID);
    char *long_text = test_malloc(ML_WORDS_TEXT_MAX + 1);
    memset(long_text, ' ', ML_WORDS_TEXT_MAX + 1);
    assert_int_equal(ml_share_read(&back, ml_slice(long_text, ML_WORDS_TEXT_MAX + 1), &error),
                     ML_E_LIMIT);
    test_free(long_text);
    ml_secret_free(line);
    cutting_free(&c);
}

/* ---- vectors ---- */

static void counted(void *ctx, void *buf, size_t len)
{
    size_t *drawn = ctx;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = (uint8_t)(7 * (*drawn)++ + 1);
    }
}

/* "cut KIND NEED COUNT ORG SECRET" */
static void vector_cut(struct cutting *c, const char *line)
{
    uint8_t bytes[ML_SHARE_SECRET];
    struct ml_org_id org;
    char *at = NULL;
    char hex[65] = {0};
    size_t drawn = 0;
    struct ml_env env = *ml_env_system();
    env.random = counted;
    env.ctx = &drawn;
    struct ml_share_plan plan = {.org = &org};
    plan.kind = (ml_share_kind)strtoul(line + 4, &at, 10);
    plan.need = (uint8_t)strtoul(at, &at, 10);
    plan.count = (uint8_t)strtoul(at, &at, 10);
    memcpy(hex, at + 1, 64);
    assert_int_equal(unhex(org.b, sizeof(org.b), hex), sizeof(org.b));
    memcpy(hex, at + 66, 64);
    assert_int_equal(unhex(bytes, sizeof(bytes), hex), sizeof(bytes));
    *c = (struct cutting){.count = plan.count};
    assert_int_equal(ml_secret_from(&c->secret, bytes, sizeof(bytes)), ML_OK);
    assert_int_equal(ml_share_cut(c->shares, &env, &plan, c->secret), ML_OK);
}

static void vector_share(const struct ml_secret *share, const char *hex)
{
    uint8_t expect[ML_SHARE_BYTES];
    assert_int_equal(unhex(expect, sizeof(expect), hex), sizeof(expect));
    assert_memory_equal(ml_secret_bytes(share), expect, sizeof(expect));
}

static void vector_words(const struct ml_secret *share, const char *words)
{
    struct ml_secret *text = NULL;
    assert_int_equal(ml_share_words(&text, share), ML_OK);
    assert_string_equal((const char *)ml_secret_bytes(text), words);
    ml_secret_free(text);
}

static void shares_are_these_bytes(void **state)
{
    (void)state;
    char line[LINE_MAX];
    struct cutting c = {.secret = NULL};
    size_t at = 0;
    size_t cuts = 0;
    FILE *file = fopen(ML_TEST_VECTORS "/share.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "cut ", 4) == 0) {
            cutting_free(&c);
            vector_cut(&c, line);
            at = 0;
            cuts++;
        } else if (strncmp(line, "share ", 6) == 0) {
            assert_true(at < c.count);
            vector_share(c.shares[at], line + 6);
        } else if (strncmp(line, "words ", 6) == 0) {
            vector_words(c.shares[at++], line + 6);
        }
    }
    assert_int_equal(cuts, 4);
    assert_int_equal(at, c.count);
    cutting_free(&c);
    fclose(file);
}

/* ---- memory ---- */

static void cutting_survives_failed_allocs(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    const struct ml_org_id org = org_of(1);
    const struct ml_share_plan plan = {ML_SHARE_STRUCTURE, &org, NEED, COUNT};
    struct ml_secret *made[COUNT] = {NULL};
    cut_default(&c, f->env);
    long nth = 1;
    ml_err err = ML_E_NOMEM;
    while (err != ML_OK) {
        fail_nth(f, nth++);
        err = ml_share_cut(made, f->env, &plan, c.secret);
        assert_true(err == ML_OK || (err == ML_E_NOMEM && made[0] == NULL));
        assert_true(fake_spared(&f->fake) == (err == ML_OK));
    }
    assert_int_equal(nth, COUNT + 2);
    for (size_t i = 0; i < COUNT; i++) {
        ml_secret_free(made[i]);
    }
    cutting_free(&c);
}

static void the_others_survive_a_failed_alloc(void **state)
{
    struct crypto_fixture *f = *state;
    struct cutting c;
    struct ml_secret *text = NULL;
    struct ml_secret *out = NULL;
    struct ml_share_error error;
    cut_default(&c, f->env);
    fail_nth(f, 1);
    assert_int_equal(
        ml_share_join(&out, NULL, (const struct ml_secret *const *)c.shares, 3, &error),
        ML_E_NOMEM);
    fail_nth(f, 1);
    assert_int_equal(ml_share_line(&text, c.shares[0]), ML_E_NOMEM);
    assert_int_equal(ml_share_line(&text, c.shares[0]), ML_OK);
    fail_nth(f, 1);
    assert_int_equal(read_text((const char *)ml_secret_bytes(text), &out, &error), ML_E_NOMEM);
    assert_null(out);
    ml_secret_free(text);
    cutting_free(&c);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(products_are_those_of_fips_197),
        TEST(it_is_a_field),
        TEST(the_example_of_the_ietf_draft_joins),
        TEST(two_of_three_needed_tell_nothing),
        TEST(values_of_shares_spread_evenly),
        TEST(any_three_of_five_give_the_secret),
        TEST(every_size_works),
        TEST(other_sizes_are_refused),
        TEST(shares_of_different_sets_are_refused),
        TEST(a_share_too_many_that_lies_is_found),
        TEST(a_share_that_claims_the_set_is_of_its_kind),
        TEST(what_a_later_version_made_is_told_apart),
        TEST(no_bit_of_a_share_can_change),
        TEST(words_and_lines_are_read_back),
        TEST(a_fault_names_the_word),
        TEST(other_faults_are_told_too),
        TEST(lines_are_forgiven_case_and_room_only),
        TEST(shares_are_these_bytes),
        TEST(cutting_survives_failed_allocs),
        TEST(the_others_survive_a_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
