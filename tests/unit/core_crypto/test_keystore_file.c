/* tests/unit/core_crypto/test_keystore_file.c -- the keystore's bytes are strict, its seals bound
 * to their place, its file never half written. The calls that save makes are replaced here by ones
 * that fail on command. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/crypto/hash.h"
#include "core/crypto/keystore_inner.h"
#include "support_keystore.h"

/* Faults: the nth of these calls from now fails with `fault_errno`; 0 = none. */
static long fault_nth;
static int fault_errno;

static int faulty(void)
{
    if (fault_nth > 0 && --fault_nth == 0) {
        errno = fault_errno;
        return 1;
    }
    return 0;
}

static void *next(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    assert_non_null(symbol);
    return symbol;
}

int fsync(int fd)
{
    int (*real)(int) = NULL;
    void *symbol = next("fsync");
    memcpy((void *)&real, (void *)&symbol, sizeof(real));
    return faulty() ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = NULL;
    void *symbol = next("rename");
    memcpy((void *)&real, (void *)&symbol, sizeof(real));
    return faulty() ? -1 : real(from, to);
}

int fchmod(int fd, mode_t mode)
{
    int (*real)(int, mode_t) = NULL;
    void *symbol = next("fchmod");
    memcpy((void *)&real, (void *)&symbol, sizeof(real));
    return faulty() ? -1 : real(fd, mode);
}

static void encode(struct ml_buf *out, struct crypto_fixture *f, const struct ml_keystore *ks)
{
    ml_buf_init(out, f->env, ML_KEYSTORE_FILE_MAX);
    assert_int_equal(ml_keystore_encode(ks, out), ML_OK);
}

static ml_err decode(struct crypto_fixture *f, struct ml_slice bytes,
                     struct ml_keystore_damage *damage)
{
    struct ml_keystore *ks = NULL;
    *damage = (struct ml_keystore_damage){NULL, 0};
    ml_err err = ml_keystore_decode(&ks, f->env, bytes, damage);
    assert_int_equal(err == ML_OK, ks != NULL);
    ml_keystore_free(ks);
    return err;
}

/* Makes the sum at the end right again. */
static void mend_sum(struct ml_buf *bytes)
{
    const struct ml_slice parts[] = {ml_slice_str("maille/keystore-sum/1"),
                                     ml_slice(bytes->data, bytes->len - 32)};
    ml_hash_parts(bytes->data + bytes->len - 32, 32, ml_slice(NULL, 0), parts, 2);
}

static void decode_then_encode_gives_the_same_bytes(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_secret *key = ks_secret(1);
    for (int unattended = 0; unattended < 2; unattended++) {
        struct ml_buf bytes;
        struct ml_buf again;
        assert_int_equal(ml_keystore_set_unattended(ks, unattended ? key : NULL), ML_OK);
        struct ml_keystore *copy = ks_reopened(f, ks);
        encode(&bytes, f, ks);
        encode(&again, f, copy);
        assert_true(ml_slice_equal(ml_buf_slice(&bytes), ml_buf_slice(&again)));
        ml_buf_free(&bytes);
        ml_buf_free(&again);
        ml_keystore_free(copy);
    }
    ml_secret_free(key);
    ml_keystore_free(ks);
}

/* Bob's, of so many sealed bytes; its secret is 32 bytes of 7. */
static ml_err add_card(struct ml_keystore *ks, size_t sealed_len)
{
    struct ml_card_lock lock = {.sealed_len = sealed_len};
    struct ml_secret *secret = ks_secret(7);
    memset(lock.key, 0xca, sizeof(lock.key));
    memset(lock.sealed, 0x5e, sealed_len < sizeof(lock.sealed) ? sealed_len : sizeof(lock.sealed));
    ml_err err = ml_keystore_set_card(ks, &ks_bob, &lock, secret);
    ml_secret_free(secret);
    return err;
}

static void a_card_slot_has_limits_on_both_sides(void **state)
{
    struct crypto_fixture *f = *state;
    static const size_t lengths[] = {1, ML_CARD_SEALED_MAX};
    for (size_t i = 0; i < 2; i++) {
        struct ml_keystore *ks = ks_make(f);
        struct ml_keystore_damage damage;
        struct ml_buf bytes;
        assert_int_equal(add_card(ks, 0), ML_E_INVALID);
        assert_int_equal(add_card(ks, ML_CARD_SEALED_MAX + 1), ML_E_INVALID);
        assert_int_equal(add_card(ks, lengths[i]), ML_OK);
        encode(&bytes, f, ks);
        assert_int_equal(bytes.data[9], 2);
        struct ml_keystore *copy = ks_reopened(f, ks);
        const struct ml_card_lock *card = ml_keystore_card(copy, &ks_bob);
        assert_non_null(card);
        assert_int_equal(card->sealed_len, lengths[i]);
        assert_int_equal(card->sealed[lengths[i] - 1], 0x5e);
        assert_null(ml_keystore_card(copy, &ks_anne));
        ml_keystore_free(copy);
        const size_t at = bytes.len - 32 - 88 - lengths[i] - 2;
        bytes.data[at] = 2; /* 512 and more */
        bytes.data[at + 1] = 1;
        mend_sum(&bytes);
        assert_int_equal(decode(f, ml_buf_slice(&bytes), &damage), ML_E_CORRUPT);
        assert_string_equal(damage.what, "sealed secret of a card slot");
        bytes.data[at] = bytes.data[at + 1] = 0;
        mend_sum(&bytes);
        assert_int_equal(decode(f, ml_buf_slice(&bytes), &damage), ML_E_CORRUPT);
        bytes.data[9] = 1; /* a card in a file of version 1 */
        mend_sum(&bytes);
        assert_int_equal(decode(f, ml_buf_slice(&bytes), &damage), ML_E_CORRUPT);
        assert_string_equal(damage.what, "type of a slot");
        ml_buf_free(&bytes);
        ml_keystore_free(ks);
    }
}

static void a_card_opens_its_member_and_nobody_else(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    assert_int_equal(add_card(ks, 256), ML_OK);
    struct ml_keystore *copy = ks_reopened(f, ks);
    struct ml_secret *right = ks_secret(7);
    struct ml_secret *wrong = ks_secret(8);
    assert_int_equal(ml_keystore_unlock_card(copy, &ks_bob, wrong), ML_E_WRONG_KEY);
    assert_int_equal(ml_keystore_unlock_card(copy, &ks_anne, right), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_unlock_recovery(copy, &ks_bob, right), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_unlock_card(copy, &ks_bob, right), ML_OK);
    ks_expect_section(copy, &ks_bob, "bob");
    assert_true(ml_keystore_node_is_open(copy));
    assert_int_equal(ml_keystore_remove_slot(copy, &ks_bob, ML_SLOT_TYPE_PASSPHRASE), ML_OK);
    assert_int_equal(ml_keystore_remove_slot(copy, &ks_bob, ML_SLOT_TYPE_CARD), ML_E_DENIED);
    assert_int_equal(ml_keystore_remove_slot(ks, &ks_bob, ML_SLOT_TYPE_CARD), ML_OK);
    assert_null(ml_keystore_card(ks, &ks_bob));
    struct ml_buf bytes;
    encode(&bytes, f, ks);
    assert_int_equal(bytes.data[9], 1); /* a program without cards reads it again */
    ml_buf_free(&bytes);
    ml_secret_free(right);
    ml_secret_free(wrong);
    ml_keystore_free(copy);
    ml_keystore_free(ks);
}

static void any_flipped_bit_is_named(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore_damage damage;
    struct ml_buf bytes;
    encode(&bytes, f, ks);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= (uint8_t)(1u << (i % 8));
        ml_err err = decode(f, ml_buf_slice(&bytes), &damage);
        assert_int_equal(err, ML_E_CORRUPT); /* the version's too: its twin is to be read */
        assert_non_null(damage.what);
        assert_true(damage.offset <= bytes.len);
        bytes.data[i] ^= (uint8_t)(1u << (i % 8));
    }
    ml_buf_free(&bytes);
    ml_keystore_free(ks);
}

static void any_other_length_is_corrupt(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore_damage damage;
    struct ml_buf bytes;
    encode(&bytes, f, ks);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(decode(f, ml_slice(bytes.data, len), &damage), ML_E_CORRUPT);
        assert_true(damage.offset <= len);
    }
    ml_buf_u8(&bytes, 0);
    assert_int_equal(decode(f, ml_buf_slice(&bytes), &damage), ML_E_CORRUPT);
    assert_string_equal(damage.what, "bytes after the end");
    ml_buf_free(&bytes);
    ml_keystore_free(ks);
}

/* Offsets in the file that ks_make's keystore gives: see keystore_codec.c. */
enum {
    AT_UNATTENDED = 58,
    AT_NODE_LEN = 59,
    NODE_SECTION = 4 + 40,
    AT_COUNT = AT_NODE_LEN + 2 + NODE_SECTION,
    AT_ANNE = AT_COUNT + 1,
    AT_ANNE_WRAP = AT_ANNE + 16,
    AT_ANNE_LEN = AT_ANNE_WRAP + 88,
    ANNE_SECTION = 4 + 40,
    AT_ANNE_SLOTS = AT_ANNE_LEN + 2 + ANNE_SECTION,
    AT_ANNE_PASS = AT_ANNE_SLOTS + 1,
    AT_ANNE_KIT = AT_ANNE_PASS + 1 + 24 + 88,
    AT_BOB = AT_ANNE_KIT + 1 + 88,
    BOB_SECTION = 3 + 40,
    AT_BOB_SLOTS = AT_BOB + 16 + 88 + 2 + BOB_SECTION,
    AT_END = AT_BOB_SLOTS + 1 + 1 + 24 + 88,
};

struct change {
    size_t at;
    uint8_t value;
    ml_err expect;
    const char *what;
};

static void only_the_one_form_is_read(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    static const struct change changes[] = {
        {0, 'm', ML_E_CORRUPT, "magic"},
        {9, 3, ML_E_UNSUPPORTED, "version"},
        {9, 2, ML_E_CORRUPT, "version"}, /* of a file without a card */
        {9, 0, ML_E_UNSUPPORTED, "version"},
        {AT_UNATTENDED, 2, ML_E_CORRUPT, "unattended mark"},
        {AT_NODE_LEN + 1, 40, ML_E_CORRUPT, "node section"},
        {AT_NODE_LEN, 0x11, ML_E_CORRUPT, "node section"},
        {AT_COUNT, ML_KEYSTORE_MEMBERS_MAX + 1, ML_E_CORRUPT, "number of members"},
        {AT_BOB, 'a' - 1, ML_E_CORRUPT, "order of the members"},
        {AT_ANNE_LEN + 1, 40, ML_E_CORRUPT, "section of a member"},
        {AT_ANNE_SLOTS, 0, ML_E_CORRUPT, "slots of a member"},
        {AT_ANNE_SLOTS, 3, ML_E_CORRUPT, "slots of a member"},
        {AT_ANNE_PASS, 0, ML_E_CORRUPT, "type of a slot"},
        {AT_ANNE_PASS, 3, ML_E_CORRUPT, "type of a slot"},
        {AT_ANNE_PASS, 4, ML_E_CORRUPT, "type of a slot"},
        {AT_ANNE_KIT, 1, ML_E_CORRUPT, "type of a slot"},
        {AT_ANNE_PASS + 4, 0, ML_E_CORRUPT, "cost of a passphrase slot"},
        {AT_ANNE_PASS + 3, 1, ML_E_CORRUPT, "cost of a passphrase slot"},
        {AT_ANNE_PASS + 8, 7, ML_E_CORRUPT, "cost of a passphrase slot"},
        {AT_ANNE_PASS + 5, 1, ML_E_CORRUPT, "cost of a passphrase slot"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct ml_keystore_damage damage;
        struct ml_buf bytes;
        encode(&bytes, f, ks);
        assert_int_equal(bytes.len, AT_END + 32);
        assert_int_not_equal(bytes.data[changes[i].at], changes[i].value);
        bytes.data[changes[i].at] = changes[i].value;
        mend_sum(&bytes);
        assert_int_equal(decode(f, ml_buf_slice(&bytes), &damage), changes[i].expect);
        assert_string_equal(damage.what, changes[i].what);
        ml_buf_free(&bytes);
    }
    ml_keystore_free(ks);
}

/* A file with anne's section `len` bytes long, of zeros; and one with anne twice. */
static void sections_and_members_are_held_to_their_limits(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore_damage damage;
    static const uint8_t zeros[40 + ML_KEYSTORE_SECTION_MAX + 1];
    static const struct {
        size_t len;
        ml_err expect;
    } cases[] = {{40, ML_E_CORRUPT},
                 {41, ML_OK},
                 {40 + ML_KEYSTORE_SECTION_MAX, ML_OK},
                 {40 + ML_KEYSTORE_SECTION_MAX + 1, ML_E_CORRUPT}};
    struct ml_buf bytes;
    struct ml_buf changed;
    encode(&bytes, f, ks);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ml_buf_init(&changed, f->env, ML_KEYSTORE_FILE_MAX);
        ml_buf_append(&changed, bytes.data, AT_ANNE_LEN);
        ml_buf_u16be(&changed, (uint16_t)cases[i].len);
        ml_buf_append(&changed, zeros, cases[i].len);
        ml_buf_append(&changed, bytes.data + AT_ANNE_SLOTS, bytes.len - AT_ANNE_SLOTS);
        mend_sum(&changed);
        assert_int_equal(decode(f, ml_buf_slice(&changed), &damage), cases[i].expect);
        ml_buf_free(&changed);
    }
    memcpy(bytes.data + AT_BOB, bytes.data + AT_ANNE, 16);
    mend_sum(&bytes);
    assert_int_equal(decode(f, ml_buf_slice(&bytes), &damage), ML_E_CORRUPT);
    assert_string_equal(damage.what, "order of the members");
    ml_buf_free(&bytes);
    ml_keystore_free(ks);
}

/* What the seals bind is in the docs byte for byte, so it is written out here again. */
static void associated_data_is_what_the_docs_say(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    const struct ks_slot slot = {.cost = {0x01020304, 0x05060708}, .salt = {9, 10}};
    struct ml_buf file;
    uint8_t expect[106] = "maille/keystore/1";
    encode(&file, f, ks);
    memcpy(expect + 17, file.data + 10, 48); /* org id and keystore id, as in the file */
    expect[65] = 18;
    memcpy(expect + 66, ks_anne.b, 16);
    struct ks_ad ad = ml_ks_ad(ks, 18, &ks_anne, NULL);
    assert_int_equal(sizeof(ad), sizeof(expect));
    assert_memory_equal(ad.b, expect, sizeof(expect));
    for (uint8_t i = 0; i < 10; i++) {
        expect[82 + i] = (uint8_t)(i + 1);
    }
    ad = ml_ks_ad(ks, 18, &ks_anne, &slot);
    assert_memory_equal(ad.b, expect, sizeof(expect));
    ml_buf_free(&file);
    ml_keystore_free(ks);
}

/* Decodes bytes whose sum is right and opens anne and all that is hers; the first error. */
static ml_err open_anne(struct crypto_fixture *f, struct ml_buf *bytes)
{
    struct ml_keystore *ks = NULL;
    struct ml_secret *out = NULL;
    mend_sum(bytes);
    ml_err err = ml_keystore_decode(&ks, f->env, ml_buf_slice(bytes), NULL);
    if (err != ML_OK) {
        return err;
    }
    err = ml_keystore_unlock(ks, &ks_anne, ml_slice_str("anne's passphrase"));
    if (err == ML_OK) {
        err = ml_keystore_get_section(ks, &ks_anne, &out);
        ml_secret_free(out);
    }
    if (err == ML_OK) {
        out = NULL;
        err = ml_keystore_get_section(ks, NULL, &out);
        ml_secret_free(out);
    }
    ml_keystore_free(ks);
    return err;
}

/* An attacker can mend the sum; the seals still hold, whatever byte is changed. */
static void a_changed_byte_with_a_mended_sum_opens_nothing(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_buf bytes;
    encode(&bytes, f, ks);
    for (size_t at = 0; at < AT_BOB; at++) {
        bool kit = at >= AT_ANNE_KIT + 1; /* the recovery slot isn't what opens here */
        bytes.data[at] ^= 0x10;
        ml_err err = open_anne(f, &bytes);
        assert_int_equal(err == ML_OK, kit);
        bytes.data[at] ^= 0x10;
    }
    assert_int_equal(open_anne(f, &bytes), ML_OK);
    ml_buf_free(&bytes);
    ml_keystore_free(ks);
}

static void parts_of_one_place_do_not_open_in_another(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *one = ks_make(f);
    struct ml_keystore *two = ks_make(f); /* same structure, members and words */
    struct ml_buf a;
    struct ml_buf b;
    static const struct {
        size_t at;
        size_t len;
        ml_err expect;
    } parts[] = {
        {AT_NODE_LEN + 2, NODE_SECTION, ML_E_CORRUPT},
        {AT_ANNE_WRAP, 88, ML_E_CORRUPT},
        {AT_ANNE_LEN + 2, ANNE_SECTION, ML_E_CORRUPT},
        {AT_ANNE_PASS, 1 + 24 + 88, ML_E_WRONG_KEY},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        encode(&a, f, one);
        encode(&b, f, two);
        memcpy(a.data + parts[i].at, b.data + parts[i].at, parts[i].len);
        assert_int_equal(open_anne(f, &a), parts[i].expect);
        ml_buf_free(&a);
        ml_buf_free(&b);
    }
    /* bob's slot in anne's place, with bob's words: his MMK must not pass for hers */
    encode(&a, f, one);
    memcpy(a.data + AT_ANNE_PASS, a.data + AT_BOB_SLOTS + 1, 1 + 24 + 88);
    mend_sum(&a);
    struct ml_keystore *ks = NULL;
    assert_int_equal(ml_keystore_decode(&ks, f->env, ml_buf_slice(&a), NULL), ML_OK);
    assert_int_equal(ml_keystore_unlock(ks, &ks_anne, ml_slice_str("bob's passphrase")),
                     ML_E_WRONG_KEY);
    ml_keystore_free(ks);
    ml_buf_free(&a);
    ml_keystore_free(one);
    ml_keystore_free(two);
}

/* Files. */

struct place {
    char folder[64];
    char path[96];
    char next[128];
};

static void place_make(struct place *p)
{
    char base[] = "/tmp/ml-keystore-XXXXXX";
    assert_non_null(mkdtemp(base));
    snprintf(p->folder, sizeof(p->folder), "%s/org", base);
    snprintf(p->path, sizeof(p->path), "%s/keystore", p->folder);
    snprintf(p->next, sizeof(p->next), "%s.new", p->path);
}

static void place_remove(const struct place *p)
{
    char base[64];
    snprintf(base, sizeof(base), "%.*s", (int)(strlen(p->folder) - 4), p->folder);
    unlink(p->next);
    unlink(p->path);
    rmdir(p->folder);
    assert_int_equal(rmdir(base), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_saved_keystore_loads_and_is_private(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore *loaded = NULL;
    struct place p;
    place_make(&p);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, NULL), ML_E_NOT_FOUND);
    mode_t mask = umask(0);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_OK);
    umask(mask);
    assert_int_equal(mode_of(p.folder), 0700);
    assert_int_equal(mode_of(p.path), 0600);
    assert_int_equal(access(p.next, F_OK), -1);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, NULL), ML_OK);
    assert_int_equal(ml_keystore_unlock(loaded, &ks_bob, ml_slice_str("bob's passphrase")), ML_OK);
    ks_expect_section(loaded, &ks_bob, "bob");
    ml_keystore_free(loaded);
    place_remove(&p);
    ml_keystore_free(ks);
}

static void a_damaged_file_is_corrupt_and_stays(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore *loaded = NULL;
    struct ml_keystore_damage damage = {NULL, 0};
    struct place p;
    place_make(&p);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_OK);
    assert_int_equal(truncate(p.path, 100), 0);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, &damage), ML_E_CORRUPT);
    assert_string_equal(damage.what, "node section");
    assert_int_equal(truncate(p.path, 0), 0);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, &damage), ML_E_CORRUPT);
    assert_int_equal(truncate(p.path, ML_KEYSTORE_FILE_MAX + 1), 0);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, &damage), ML_E_CORRUPT);
    assert_string_equal(damage.what, "length");
    assert_int_equal(truncate(p.path, ML_KEYSTORE_FILE_MAX), 0);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, &damage), ML_E_CORRUPT);
    assert_string_equal(damage.what, "magic");
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.folder, &damage), ML_E_IO); /* EISDIR */
    assert_null(loaded);
    place_remove(&p);
    ml_keystore_free(ks);
}

/* Each system call of a save is failed in turn; the old file must load, whole, every time. */
static void a_failed_save_leaves_the_old_file(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *old = ks_make(f);
    struct place p;
    place_make(&p);
    assert_int_equal(ml_keystore_save(old, f->env, p.path), ML_OK);
    struct ml_keystore *changed = ks_reopened(f, old);
    assert_int_equal(ml_keystore_remove_member(changed, &ks_bob), ML_OK);
    static const struct {
        int code;
        ml_err expect;
    } codes[] = {{ENOSPC, ML_E_FULL}, {EROFS, ML_E_READONLY}, {EIO, ML_E_IO}, {EDQUOT, ML_E_FULL}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        for (long nth = 1; nth <= 4; nth++) { /* fchmod, fsync, rename, fsync of the folder */
            struct ml_keystore *loaded = NULL;
            fault_nth = nth;
            fault_errno = codes[i].code;
            assert_int_equal(ml_keystore_save(changed, f->env, p.path), codes[i].expect);
            assert_int_equal(fault_nth, 0);
            assert_int_equal(access(p.next, F_OK), -1);
            assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, NULL), ML_OK);
            assert_int_equal(ml_keystore_member_count(loaded), nth == 4 ? 1 : 2);
            ml_keystore_free(loaded);
            assert_int_equal(ml_keystore_save(old, f->env, p.path), ML_OK);
        }
    }
    ml_keystore_free(changed);
    place_remove(&p);
    ml_keystore_free(old);
}

static void a_stale_next_file_is_in_nobodys_way(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore *loaded = NULL;
    struct place p;
    place_make(&p);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_OK);
    int fd = open(p.next, O_WRONLY | O_CREAT, 0644); /* longer than a keystore, and readable */
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 100000), 0);
    close(fd);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_OK);
    assert_int_equal(mode_of(p.path), 0600);
    assert_int_equal(ml_keystore_load(&loaded, f->env, p.path, NULL), ML_OK);
    ml_keystore_free(loaded);
    char other[96];
    snprintf(other, sizeof(other), "%s/other", p.folder);
    assert_int_equal(rename(p.path, other), 0);
    assert_int_equal(truncate(other, 5), 0);
    assert_int_equal(symlink(other, p.next), 0);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_E_IO); /* ELOOP: not followed */
    struct stat st;
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, 5);
    unlink(other);
    place_remove(&p);
    ml_keystore_free(ks);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    assert_int_equal(ml_keystore_save(ks, f->env, "/nonexistent/a/keystore"), ML_E_NOT_FOUND);
    assert_int_equal(ml_keystore_save(ks, f->env, "/proc/a/keystore"), ML_E_NOT_FOUND);
    ml_keystore_free(ks);
}

static void names_without_a_folder_are_in_the_current_one(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct place p;
    place_make(&p);
    char *back = getcwd(NULL, 0);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_OK);
    assert_int_equal(unlink(p.path), 0);
    assert_int_equal(chdir(p.folder), 0);
    assert_int_equal(ml_keystore_save(ks, f->env, "keystore"), ML_OK);
    assert_int_equal(chdir(back), 0);
    assert_int_equal(access(p.path, F_OK), 0);
    free(back);
    place_remove(&p);
    ml_keystore_free(ks);
}

static void encode_save_and_load_survive_failed_allocations(void **state)
{
    struct crypto_fixture *f = *state;
    struct ml_keystore *ks = ks_make(f);
    struct ml_keystore *loaded = NULL;
    struct place p;
    long nth = 0;
    place_make(&p);
    assert_int_equal(ml_keystore_save(ks, f->env, p.path), ML_OK);
    do {
        fail_nth(f, ++nth);
    } while (ml_keystore_save(ks, f->env, p.path) == ML_E_NOMEM);
    assert_true(fake_spared(&f->fake));
    assert_true(nth > 2);
    nth = 0;
    do {
        fail_nth(f, ++nth);
        assert_null(loaded);
    } while (ml_keystore_load(&loaded, f->env, p.path, NULL) == ML_E_NOMEM);
    assert_non_null(loaded);
    assert_true(fake_spared(&f->fake));
    assert_true(nth > 6); /* the buffer, the object, two members, three sections */
    fail_nth(f, 0);
    ml_keystore_free(loaded);
    place_remove(&p);
    ml_keystore_free(ks);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, crypto_setup, crypto_teardown)
    const struct CMUnitTest tests[] = {
        TEST(decode_then_encode_gives_the_same_bytes),
        TEST(a_card_slot_has_limits_on_both_sides),
        TEST(a_card_opens_its_member_and_nobody_else),
        TEST(any_flipped_bit_is_named),
        TEST(any_other_length_is_corrupt),
        TEST(only_the_one_form_is_read),
        TEST(sections_and_members_are_held_to_their_limits),
        TEST(associated_data_is_what_the_docs_say),
        TEST(a_changed_byte_with_a_mended_sum_opens_nothing),
        TEST(parts_of_one_place_do_not_open_in_another),
        TEST(a_saved_keystore_loads_and_is_private),
        TEST(a_damaged_file_is_corrupt_and_stays),
        TEST(a_failed_save_leaves_the_old_file),
        TEST(a_stale_next_file_is_in_nobodys_way),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(names_without_a_folder_are_in_the_current_one),
        TEST(encode_save_and_load_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
