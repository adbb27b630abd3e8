/* test_record_fault.c -- vault and drafts over a disk that fails, sealed: the 1st, 2nd, 3rd ...
 * call of the disk fails until none is left, then the disk is full, then power goes. After each: a
 * clear error, the object goes on, and what is there is what was before or what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/drafts.h"
#include "core/record/vault_int.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_vault.h"

#define DISK   "record-disk"
#define SEALED "record-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "another key, also of 32 bytes..";

struct fixture {
    struct place p;
    struct fault_disk *disk;
    struct ml_drafts *drafts;
    struct ml_vault *vault;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    place_init(&f->p, 5);
    place_found(&f->p);
    f->disk = fault_disk_new(DISK, 3);
    assert_non_null(f->disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_drafts_close(f->drafts);
    ml_vault_close(f->vault);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    int rc = place_free(&f->p);
    free(f);
    return rc;
}

static bool is_clear(ml_err err)
{
    return err == ML_OK || err == ML_E_IO || err == ML_E_FULL || err == ML_E_CORRUPT ||
           err == ML_E_BUSY || err == ML_E_READONLY;
}

/* ---- drafts ---- */

static const struct ml_draft_key key = {.patient = {{1}}, .form = "observation"};

static ml_err drafts_open(struct fixture *f)
{
    const struct ml_drafts_args args = {
        .env = &f->p.fake.env, .path = "d.db", .vfs = SEALED, .create = true};
    return ml_drafts_open(&f->drafts, &args);
}

static ml_err draft_put(struct fixture *f, unsigned number)
{
    char text[2000]; /* some pages of WAL for each */
    memset(text, 'x', sizeof(text));
    snprintf(text, sizeof(text), "draft %u", number);
    return ml_drafts_put(f->drafts, &key, ml_slice(text, sizeof(text)));
}

/* 0: none is there. */
static unsigned draft_get(struct fixture *f)
{
    struct ml_buf bytes;
    unsigned number = 0;
    ml_buf_init(&bytes, &f->p.fake.env, ML_DRAFT_BYTES_MAX);
    ml_err err = ml_drafts_get(f->drafts, &key, &bytes, NULL);
    assert_true(err == ML_OK || err == ML_E_NOT_FOUND);
    if (err == ML_OK) {
        assert_memory_equal(bytes.data, "draft ", 6);
        number = (unsigned)strtoul((const char *)bytes.data + 6, NULL, 10);
    }
    ml_buf_free(&bytes);
    return number;
}

static void drafts_reopen(struct fixture *f)
{
    ml_drafts_close(f->drafts);
    f->drafts = NULL;
    assert_int_equal(drafts_open(f), ML_OK);
}

/* Opening and putting under one plan; *fired: the planned call was reached. */
static unsigned draft_try(struct fixture *f, const struct fault_plan *plan, unsigned number,
                          bool *fired)
{
    ml_drafts_close(f->drafts);
    f->drafts = NULL;
    fault_disk_plan(f->disk, plan);
    ml_err err = drafts_open(f);
    ml_err put = err == ML_OK ? draft_put(f, number) : err;
    *fired = fault_disk_fired(f->disk);
    fault_disk_plan(f->disk, NULL);
    assert_true(is_clear(put));
    assert_true(put == ML_OK || *fired);
    assert_true((f->drafts != NULL) == (err == ML_OK));
    return put == ML_OK ? number : 0;
}

static void a_draft_that_was_put_is_there_whatever_call_fails(void **state)
{
    struct fixture *f = *state;
    unsigned acked = 0;
    unsigned number = 0;
    for (unsigned mode = 0; mode < 3; mode++) {
        bool fired = true;
        for (long nth = 1; fired; nth++) {
            const struct fault_plan plan = {
                .ops = FAULT_ALL, .nth = nth, .torn = mode == 1, .full = mode == 2};
            const unsigned put = draft_try(f, &plan, ++number, &fired);
            acked = put > 0 ? put : acked;
            drafts_reopen(f);
            const unsigned there = draft_get(f);
            assert_true(there == acked || there == number);
            acked = there;
        }
    }
    assert_true(number > 60);
}

static void a_full_disk_keeps_the_drafts_that_are_there(void **state)
{
    struct fixture *f = *state;
    size_t len = 0;
    size_t wal = 0;
    unsigned number = 1;
    assert_int_equal(drafts_open(f), ML_OK);
    assert_int_equal(draft_put(f, number), ML_OK);
    (void)fault_disk_bytes(f->disk, "d.db", &len);
    (void)fault_disk_bytes(f->disk, "d.db-wal", &wal);
    fault_disk_quota(f->disk, len + wal + 30000);
    ml_err err = ML_OK;
    while (err == ML_OK && number < 100) {
        err = draft_put(f, number + 1);
        number += err == ML_OK;
    }
    assert_int_equal(err, ML_E_FULL);
    assert_int_equal(draft_get(f), number);
    fault_disk_quota(f->disk, 0);
    assert_int_equal(draft_put(f, 100), ML_OK); /* room again */
    drafts_reopen(f);
    assert_int_equal(draft_get(f), 100);
}

static void a_cut_of_power_loses_no_draft_that_was_put(void **state)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_ALL, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    struct fixture *f = *state;
    unsigned acked = 0;
    unsigned number = 0;
    for (long cut = 1; cut <= 48; cut++) {
        drafts_reopen(f);
        fault_disk_cut_at(f->disk, cut % 12 + 1);
        for (unsigned i = 0; i < 6 && !fault_disk_is_dead(f->disk); i++) {
            acked = draft_put(f, ++number) == ML_OK ? number : acked;
        }
        ml_drafts_close(f->drafts);
        f->drafts = NULL;
        fault_disk_cut_at(f->disk, 0);
        fault_disk_restart(f->disk, keeps[cut % 4]);
        drafts_reopen(f);
        const unsigned there = draft_get(f);
        assert_true(there >= acked && there <= number);
        acked = there;
    }
}

/* ---- vault ---- */

static ml_err vault_open(struct fixture *f)
{
    const struct ml_vault_args args = {.env = &f->p.fake.env,
                                       .path = "v.db",
                                       .vfs = SEALED,
                                       .org = f->p.org,
                                       .member = f->p.who[0].member,
                                       .mon_box = f->p.who[0].box,
                                       .schema = ml_schema_builtin(),
                                       .create = true};
    return ml_vault_open(&f->vault, &args);
}

static ml_err catch_up_all(struct fixture *f)
{
    bool done = false;
    ml_err err = ML_OK;
    while (err == ML_OK && !done) {
        err = ml_vault_catch_up(f->vault, &f->p.log, 3, &done);
    }
    return err;
}

static void view_hash(struct fixture *f, struct ml_hash *out)
{
    assert_int_equal(ml_vault_view_hash(f->vault, out), ML_OK);
}

static void write_some(struct fixture *f, struct ml_hash *whole)
{
    for (unsigned i = 0; i < 3; i++) {
        const size_t patient = place_open(&f->p);
        const struct identity who = {"MARTIN", "DURAND", "Camille", "1979-03-28"};
        (void)put_patient(&f->p, patient, &who);
    }
    place_catch_up(&f->p, f->p.vault, 100);
    assert_int_equal(ml_vault_view_hash(f->p.vault, whole), ML_OK);
}

/* Opens and follows under a plan, then goes on without: the same object where there is one. */
static bool vault_try(struct fixture *f, const struct fault_plan *plan)
{
    fault_disk_plan(f->disk, plan);
    ml_err err = vault_open(f);
    if (err == ML_OK) {
        err = catch_up_all(f);
    }
    const bool fired = fault_disk_fired(f->disk);
    fault_disk_plan(f->disk, NULL);
    assert_true(is_clear(err));
    assert_true(err == ML_OK || fired);
    if (f->vault == NULL) {
        assert_int_equal(vault_open(f), ML_OK);
    }
    return fired;
}

static void forget_vault(struct fixture *f)
{
    ml_vault_close(f->vault);
    f->vault = NULL;
    fault_disk_remove(f->disk, "v.db-wal");
    fault_disk_remove(f->disk, "v.db");
}

static void a_vault_projects_the_same_whatever_call_fails(void **state)
{
    struct fixture *f = *state;
    struct ml_hash whole;
    struct ml_vault_counts all;
    write_some(f, &whole);
    assert_int_equal(ml_vault_counts(f->p.vault, &all), ML_OK);
    for (unsigned mode = 0; mode < 3; mode++) {
        bool fired = true;
        long nth = 1;
        for (; fired; nth += mode == 0 || nth < 60 ? 1 : 5) {
            const struct fault_plan plan = {
                .ops = FAULT_ALL, .nth = nth, .torn = mode == 1, .full = mode == 2};
            struct ml_hash hash;
            struct ml_vault_counts counts;
            uint64_t problems = 0;
            fired = vault_try(f, &plan);
            assert_int_equal(catch_up_all(f), ML_OK); /* the same object goes on */
            view_hash(f, &hash);
            assert_memory_equal(hash.b, whole.b, sizeof(hash.b));
            assert_int_equal(ml_vault_counts(f->vault, &counts), ML_OK);
            assert_int_equal(counts.ops, all.ops); /* position and projection: one commit (I5) */
            assert_int_equal(ml_vault_check(f->vault, &problems), ML_OK);
            assert_int_equal(problems, 0);
            forget_vault(f);
        }
        assert_true(nth > 60);
    }
}

static void a_cut_of_power_leaves_a_vault_that_goes_on_or_is_made_again(void **state)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_ALL, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    struct fixture *f = *state;
    struct ml_hash whole;
    struct ml_hash hash;
    write_some(f, &whole);
    for (long cut = 1; cut <= 80; cut++) {
        fault_disk_cut_at(f->disk, cut);
        if (vault_open(f) == ML_OK) {
            (void)catch_up_all(f);
        }
        ml_vault_close(f->vault);
        f->vault = NULL;
        fault_disk_cut_at(f->disk, 0);
        fault_disk_restart(f->disk, keeps[cut % 4]);
        ml_err err = vault_open(f);
        err = err == ML_OK ? catch_up_all(f) : err;
        if (err != ML_OK) { /* synchronous is NORMAL: derived, so that it may */
            assert_int_equal(err, ML_E_CORRUPT);
            forget_vault(f);
            assert_int_equal(vault_open(f), ML_OK);
            assert_int_equal(catch_up_all(f), ML_OK);
        }
        view_hash(f, &hash);
        assert_memory_equal(hash.b, whole.b, sizeof(hash.b));
        forget_vault(f);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_draft_that_was_put_is_there_whatever_call_fails),
        T(a_full_disk_keeps_the_drafts_that_are_there),
        T(a_cut_of_power_loses_no_draft_that_was_put),
        T(a_vault_projects_the_same_whatever_call_fails),
        T(a_cut_of_power_leaves_a_vault_that_goes_on_or_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
