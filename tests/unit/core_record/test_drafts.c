/* tests/unit/core_record/test_drafts.c -- one rule of drafts.h per test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/record/drafts.h"
#include "core/store/db.h"
#include "fake_env.h"

struct fixture {
    struct fake_env fake;
    char dir[64];
    char path[96];
    struct ml_drafts *drafts;
};

static struct ml_drafts *open_drafts(struct fixture *f)
{
    struct ml_drafts *d = NULL;
    const struct ml_drafts_args args = {.env = &f->fake.env, .path = f->path, .create = true};
    assert_int_equal(ml_drafts_open(&d, &args), ML_OK);
    return d;
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 3);
    snprintf(f.dir, sizeof(f.dir), "/tmp/ml_drafts_XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.path, sizeof(f.path), "%s/d.db", f.dir);
    f.drafts = open_drafts(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];
    ml_drafts_close(f->drafts);
    unlink(f->path);
    snprintf(path, sizeof(path), "%s-wal", f->path);
    unlink(path);
    snprintf(path, sizeof(path), "%s-shm", f->path);
    unlink(path);
    rmdir(f->dir);
    return f->fake.live == 0 ? 0 : -1;
}

static const struct ml_draft_key key_a = {.patient = {{1}}, .form = "observation"};
static const struct ml_draft_key key_b = {.patient = {{1}}, .form = "treatment"};
static const struct ml_draft_key key_c = {.patient = {{2}}, .form = "observation"};

static void put(struct fixture *f, const struct ml_draft_key *key, const char *text)
{
    f->fake.wall_ms++;
    assert_int_equal(ml_drafts_put(f->drafts, key, ml_slice_str(text)), ML_OK);
}

static void expect(struct fixture *f, const struct ml_draft_key *key, const char *text)
{
    struct ml_buf out;
    uint64_t saved = 0;
    ml_buf_init(&out, &f->fake.env, 1000);
    assert_int_equal(ml_drafts_get(f->drafts, key, &out, &saved), ML_OK);
    assert_true(ml_slice_equal(ml_buf_slice(&out), ml_slice_str(text)));
    assert_true(saved > 0 && saved <= f->fake.wall_ms);
    ml_buf_free(&out);
}

static void a_draft_belongs_to_one_patient_and_form(void **state)
{
    struct fixture *f = *state;
    put(f, &key_a, "poids");
    put(f, &key_b, "dose");
    put(f, &key_c, "taille");
    put(f, &key_a, "poids 72");
    expect(f, &key_a, "poids 72");
    expect(f, &key_b, "dose");
    expect(f, &key_c, "taille");
}

static void a_draft_outlives_its_connection(void **state)
{
    struct fixture *f = *state;
    put(f, &key_a, "à finir");
    ml_drafts_close(f->drafts);
    f->drafts = open_drafts(f);
    expect(f, &key_a, "à finir");
}

static void a_deleted_draft_is_gone(void **state)
{
    struct fixture *f = *state;
    struct ml_buf out;
    ml_buf_init(&out, &f->fake.env, 1000);
    put(f, &key_a, "x");
    assert_int_equal(ml_drafts_delete(f->drafts, &key_a), ML_OK);
    assert_int_equal(ml_drafts_delete(f->drafts, &key_a), ML_E_NOT_FOUND);
    assert_int_equal(ml_drafts_get(f->drafts, &key_a, &out, NULL), ML_E_NOT_FOUND);
}

static ml_err put_number(struct fixture *f, unsigned n)
{
    const struct ml_draft_key key = {.patient = {{(uint8_t)(n >> 8), (uint8_t)n}},
                                     .form = "visite"};
    return ml_drafts_put(f->drafts, &key, ml_slice_str("x"));
}

/* Each put is a commit of its own: nearly all are written at once. */
static void drafts_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    struct ml_db *db = NULL;
    const struct ml_db_args args = {.env = &f->fake.env, .path = f->path};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    char sql[300];
    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
             "INSERT INTO draft SELECT CAST('0123456789abcdef' AS BLOB), 'f' || i, 1, x'00' FROM n",
             ML_DRAFTS_MAX - 1);
    assert_int_equal(ml_db_exec(db, sql), ML_OK);
    ml_db_close(db);
    assert_int_equal(put_number(f, 1), ML_OK);
    assert_int_equal(put_number(f, 2), ML_E_LIMIT);
    assert_int_equal(put_number(f, 1), ML_OK); /* what is there can be saved again */
}

struct listed {
    char text[256];
    ml_err fail;
};

static ml_err note(void *user, const struct ml_draft_key *key, uint64_t saved_ms, size_t bytes)
{
    struct listed *l = user;
    size_t len = strlen(l->text);
    assert_true(saved_ms > 0);
    snprintf(l->text + len, sizeof(l->text) - len, "%d/%s:%zu ", key->patient.b[0], key->form,
             bytes);
    return l->fail;
}

static void lists_are_latest_first(void **state)
{
    struct fixture *f = *state;
    struct listed all = {.fail = ML_OK}, one = {.fail = ML_OK}, cut = {.fail = ML_E_CANCELED};
    put(f, &key_a, "a");
    put(f, &key_c, "cc");
    put(f, &key_b, "bbb");
    assert_int_equal(ml_drafts_list(f->drafts, NULL, note, &all), ML_OK);
    assert_string_equal(all.text, "1/treatment:3 2/observation:2 1/observation:1 ");
    assert_int_equal(ml_drafts_list(f->drafts, &key_a.patient, note, &one), ML_OK);
    assert_string_equal(one.text, "1/treatment:3 1/observation:1 ");
    assert_int_equal(ml_drafts_list(f->drafts, NULL, note, &cut), ML_E_CANCELED);
    assert_string_equal(cut.text, "1/treatment:3 ");
}

static void limits_are_kept_on_both_sides(void **state)
{
    struct fixture *f = *state;
    char form[ML_DRAFT_FORM_MAX + 2];
    struct ml_draft_key key = {.form = form};
    uint8_t *big = calloc(1, ML_DRAFT_BYTES_MAX + 1u);
    assert_non_null(big);
    memset(form, 'f', sizeof(form));
    form[ML_DRAFT_FORM_MAX] = '\0';
    assert_int_equal(ml_drafts_put(f->drafts, &key, ml_slice(big, ML_DRAFT_BYTES_MAX)), ML_OK);
    assert_int_equal(ml_drafts_put(f->drafts, &key, ml_slice(big, ML_DRAFT_BYTES_MAX + 1u)),
                     ML_E_LIMIT);
    form[ML_DRAFT_FORM_MAX] = 'f';
    form[ML_DRAFT_FORM_MAX + 1] = '\0';
    assert_int_equal(ml_drafts_put(f->drafts, &key, ml_slice(big, 1)), ML_E_LIMIT);
    form[0] = '\0';
    assert_int_equal(ml_drafts_put(f->drafts, &key, ml_slice(big, 1)), ML_E_LIMIT);
    free(big);
}

static void opening_survives_any_failed_alloc(void **state)
{
    struct fixture *f = *state;
    for (long nth = 1;; nth++) {
        struct ml_drafts *d = NULL;
        const struct ml_drafts_args args = {.env = &f->fake.env, .path = f->path};
        long live = f->fake.live;
        f->fake.fail_alloc = nth;
        ml_err err = ml_drafts_open(&d, &args);
        bool over = f->fake.fail_alloc > 0;
        f->fake.fail_alloc = 0;
        ml_drafts_close(d);
        assert_int_equal(f->fake.live, live);
        if (over) {
            assert_int_equal(err, ML_OK);
            return;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_null(d);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_draft_belongs_to_one_patient_and_form),
        TEST(a_draft_outlives_its_connection),
        TEST(a_deleted_draft_is_gone),
        TEST(lists_are_latest_first),
        TEST(drafts_end_at_their_limit),
        TEST(limits_are_kept_on_both_sides),
        TEST(opening_survives_any_failed_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
