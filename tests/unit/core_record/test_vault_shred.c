/* test_vault_shred.c -- a vault drops its copies of keys that were destroyed in the log (rules A5,
 * C12): none opens any more, no byte is left, and what was left in the log stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/record/consents.h"
#include "support_vault.h"

static struct ml_object_id object;

static int setup(void **state)
{
    static struct place p;
    place_init(&p, 61);
    place_found(&p);
    place_grant(&p, 1);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    return place_free(*state);
}

/* An entry on each of two patients; the keys that they are sealed under. */
static void begin(struct place *p, struct ml_seal_key key[2])
{
    for (size_t i = 0; i < 2; i++) {
        const size_t patient = place_open(p);
        struct ml_seal_item item;
        memset(object.b, (int)(0x31 + i), sizeof(object.b));
        item = place_item(p, patient, "treatment", ML_CHANGE_CREATE, &object);
        key[i] = item.key;
    }
    place_grant(p, 1);
}

static bool opens(struct ml_vault *v, const struct ml_seal_key *key)
{
    struct ml_stream_info info;
    const uint8_t *dek = NULL;
    ml_err err = ml_keyring_dek(ml_vault_keyring(v), &key->stream, &key->dek, &info, &dek);
    assert_true(err == ML_OK || err == ML_E_NO_KEY);
    return err == ML_OK;
}

/* The files of a test aren't sealed: each byte can be looked at. */
static bool file_has(const char *path, const void *what, size_t len)
{
    static uint8_t bytes[1 << 22];
    bool found = false;
    static const char *const ends[] = {"", "-wal"};
    for (size_t i = 0; i < 2; i++) {
        char name[512];
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        FILE *f = fopen(name, "rb");
        const size_t size = f == NULL ? 0 : fread(bytes, 1, sizeof(bytes), f);
        found = found || memmem(bytes, size, what, len) != NULL;
        if (f != NULL) {
            (void)fclose(f);
        }
    }
    return found;
}

static void what_was_destroyed_opens_nowhere(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    struct ml_seal_key key[2];
    struct ml_dek_wrap wrap;
    begin(p, key);
    struct ml_vault *v = place_vault(p, 1, &path);
    place_catch_up(p, v, 1000);
    assert_true(opens(v, &key[0]) && opens(v, &key[1]));
    assert_int_equal(ml_vault_wiped(v, &p->log), ML_OK); /* of what was before */
    assert_int_equal(place_shred(p, &key[0].stream, &wrap), 1);
    assert_int_equal(ml_vault_wiped(v, &p->log), ML_E_BUSY);
    assert_true(file_has(path, wrap.ct, sizeof(wrap.ct)));
    place_catch_up(p, v, 1000);
    assert_true(!opens(v, &key[0]) && opens(v, &key[1]));
    assert_int_equal(ml_vault_wiped(v, &p->log), ML_OK);
    assert_false(file_has(path, wrap.ct, sizeof(wrap.ct)));
    ml_vault_close(v);
    v = place_reopen(p, 1, path);
    place_catch_up(p, v, 1000);
    assert_true(!opens(v, &key[0]) && opens(v, &key[1]));
    assert_int_equal(ml_vault_wiped(v, &p->log), ML_OK);
    ml_vault_close(v);
}

/* One that was closed meanwhile, one that begins anew, and one that is of another log. */
static void whenever_it_was_heard_of(void **state)
{
    struct place *p = *state;
    const char *path = NULL;
    struct ml_seal_key key[2];
    struct ml_dek_wrap wrap;
    begin(p, key);
    struct ml_vault *v = place_vault(p, 1, &path);
    place_catch_up(p, v, 1000);
    ml_vault_close(v);
    (void)place_shred(p, &key[1].stream, &wrap);
    v = place_reopen(p, 1, path);
    assert_true(opens(v, &key[1])); /* it hasn't looked yet, and answers nothing */
    place_catch_up(p, v, 1);
    assert_true(opens(v, &key[0]) && !opens(v, &key[1]));
    ml_vault_close(v);
    v = place_vault(p, 1, &path);
    place_catch_up(p, v, 1);
    assert_true(opens(v, &key[0]) && !opens(v, &key[1]));
    assert_int_equal(ml_vault_wiped(v, &p->log), ML_OK);
    assert_int_equal(ml_vault_shreds_tell(v, 1), ML_OK);
    p->log.shreds = 0; /* a log that was made anew, and has destroyed nothing yet */
    place_catch_up(p, v, 1);
    p->log.shreds = 1;
    place_catch_up(p, v, 1);
    assert_true(opens(v, &key[0]) && !opens(v, &key[1]));
    ml_vault_close(v);
}

static void no_failed_alloc_leaves_it_half_followed(void **state)
{
    struct place *p = *state;
    struct ml_seal_key key[2];
    struct ml_dek_wrap wrap;
    begin(p, key);
    struct ml_vault *v = place_vault(p, 1, NULL);
    place_catch_up(p, v, 1000);
    (void)place_shred(p, &key[0].stream, &wrap);
    ml_err err = ML_E_NOMEM;
    long nth = 0;
    for (; err != ML_OK; nth++) {
        bool done = false;
        p->fake.fail_alloc = nth + 1;
        err = ml_vault_catch_up(v, &p->log, 1000, &done);
        p->fake.fail_alloc = 0;
        assert_true(err == ML_OK || err == ML_E_NOMEM);
    }
    assert_true(!opens(v, &key[0]) && opens(v, &key[1]));
    assert_int_equal(ml_vault_wiped(v, &p->log), ML_OK);
    ml_vault_close(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_destroyed_opens_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(whenever_it_was_heard_of, setup, teardown),
        cmocka_unit_test_setup_teardown(no_failed_alloc_leaves_it_half_followed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
