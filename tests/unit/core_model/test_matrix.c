/* test_matrix.c -- one rule of core/model/matrix.c per test, and the page that shows the default.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/model/matrix.h"
#include "fake_env.h"

enum { PAGE_MAX = 1 << 16, DOCTOR = 10, NURSE = 60, SECRETARY = 331 };

struct fixture {
    struct fake_env fake;
    struct ml_matrix m; /* the default */
    struct ml_buf buf;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 4);
    ml_matrix_default(&f.m);
    ml_buf_init(&f.buf, &f.fake.env, ML_MATRIX_BYTES_MAX);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->buf);
    return f->fake.live == 0 ? 0 : -1;
}

/* ---- bytes ---- */

static struct ml_slice encoded(struct fixture *f, const struct ml_matrix *m)
{
    ml_buf_clear(&f->buf);
    assert_int_equal(ml_matrix_encode(&f->buf, m), ML_OK);
    return ml_buf_slice(&f->buf);
}

/* Letters add up as on the page; roles stay ascending, however many are added. */
static void a_cell_is_set_by_its_letters(void **state)
{
    struct fixture *f = *state;
    uint16_t cell = 7;
    struct ml_matrix m = {.version = 1};
    assert_false(ml_matrix_cell_of(&cell, ""));
    assert_false(ml_matrix_cell_of(&cell, "x"));
    assert_false(ml_matrix_cell_of(&cell, "R-"));
    assert_false(ml_matrix_cell_of(&cell, "c")); /* a co-signature of nothing */
    assert_int_equal(cell, 7);
    assert_true(ml_matrix_cell_of(&cell, "wc"));
    assert_int_equal(cell, ml_matrix_cell(&f->m, 903, ML_CLASS_TREATMENTS));
    assert_int_equal(ml_matrix_set(&m, NURSE, 7, cell), ML_OK);
    assert_int_equal(ml_matrix_set(&m, DOCTOR, 7, 1), ML_OK);
    assert_int_equal(ml_matrix_set(&m, SECRETARY, 8, 2), ML_OK);
    assert_int_equal(m.count, 3);
    assert_true(m.roles[0] == DOCTOR && m.roles[1] == NURSE && m.roles[2] == SECRETARY);
    assert_int_equal(ml_matrix_cell(&m, NURSE, 7), cell);
    assert_int_equal(ml_matrix_cell(&m, SECRETARY, 8), 2);
    assert_true(ml_matrix_cell_of(&cell, "-"));
    assert_int_equal(ml_matrix_set(&m, NURSE, 7, cell), ML_OK);
    assert_int_equal(ml_matrix_cell(&m, NURSE, 7), 0);
    assert_int_equal(ml_matrix_set(&m, 0, 7, 1), ML_E_INVALID);
    assert_int_equal(ml_matrix_set(&m, 1, 0, 1), ML_E_INVALID);
    assert_int_equal(ml_matrix_set(&m, 1, ML_MATRIX_CLASS_MAX + 1, 1), ML_E_INVALID);
    assert_int_equal(ml_matrix_set(&m, 1, 1, ML_CELL_BITS + 1), ML_E_INVALID);
    for (uint16_t role = 1000; m.count < ML_MATRIX_ROLES_MAX; role++) {
        assert_int_equal(ml_matrix_set(&m, role, 1, 1), ML_OK);
    }
    assert_int_equal(ml_matrix_set(&m, 1, 1, 1), ML_E_LIMIT);
    assert_int_equal(ml_matrix_set(&m, DOCTOR, 1, 1), ML_OK);
}

static void what_was_encoded_decodes_to_the_same(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix back;
    assert_int_equal(ml_matrix_decode(&back, encoded(f, &f->m), NULL), ML_OK);
    assert_memory_equal(&back, &f->m, sizeof(back));
    assert_true(f->buf.len < 4000);
    const struct ml_matrix empty = {.version = 7};
    assert_int_equal(ml_matrix_decode(&back, encoded(f, &empty), NULL), ML_OK);
    assert_memory_equal(&back, &empty, sizeof(back));
}

static void a_full_matrix_fits(void **state)
{
    struct fixture *f = *state;
    static struct ml_matrix full;
    struct ml_matrix back;
    full.version = UINT32_MAX;
    full.count = ML_MATRIX_ROLES_MAX;
    for (unsigned r = 0; r < ML_MATRIX_ROLES_MAX; r++) {
        full.roles[r] = (uint16_t)(60000u + r);
        for (unsigned c = 1; c <= ML_MATRIX_CLASS_MAX; c++) {
            full.cells[r][c] = ML_CELL_BITS;
        }
    }
    assert_int_equal(ml_matrix_decode(&back, encoded(f, &full), NULL), ML_OK);
    assert_memory_equal(&back, &full, sizeof(back));
}

static void what_no_matrix_is_is_not_encoded(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix bad = f->m;
    bad.version = 0;
    assert_int_equal(ml_matrix_encode(&f->buf, &bad), ML_E_INVALID);
    bad = f->m;
    bad.roles[1] = bad.roles[0];
    assert_int_equal(ml_matrix_encode(&f->buf, &bad), ML_E_INVALID);
    bad = f->m;
    bad.cells[0][1] = ML_CELL_BITS + 1;
    assert_int_equal(ml_matrix_encode(&f->buf, &bad), ML_E_INVALID);
    bad = f->m;
    bad.count = ML_MATRIX_ROLES_MAX + 1;
    assert_int_equal(ml_matrix_encode(&f->buf, &bad), ML_E_INVALID);
    assert_int_equal(f->buf.len, 0);
}

static void refused(const char *bytes, size_t len)
{
    struct ml_matrix out = {.version = 99};
    assert_int_equal(ml_matrix_decode(&out, ml_slice(bytes, len), NULL), ML_E_MALFORMED);
    assert_int_equal(out.version, 99);
}
#define REFUSED(bytes) refused(bytes, sizeof(bytes) - 1)

static void bytes_that_are_not_the_one_encoding_are_refused(void **state)
{
    (void)state;
    struct ml_matrix out;
    static const char good[] = "\x82\x01\x01\x02\x92\x93\x0a\x01\x07\x93\x0a\x02\x07";
    assert_int_equal(ml_matrix_decode(&out, ml_slice(good, sizeof(good) - 1), NULL), ML_OK);
    assert_int_equal(ml_matrix_cell(&out, 10, 2), 7);
    REFUSED("");
    REFUSED("\x81\x02\x90");                                             /* no version */
    REFUSED("\x82\x01\x00\x02\x91\x93\x0a\x01\x07");                     /* version 0 */
    REFUSED("\x82\x01\x01\x02\x90");                                     /* an empty list */
    REFUSED("\x82\x01\x01\x02\x92\x93\x0a\x02\x07\x93\x0a\x01\x07");     /* out of order */
    REFUSED("\x82\x01\x01\x02\x92\x93\x0a\x01\x07\x93\x0a\x01\x08");     /* one place twice */
    REFUSED("\x82\x01\x01\x02\x91\x93\x0a\x01\x00");                     /* a cell of nothing */
    REFUSED("\x82\x01\x01\x02\x91\x93\x0a\x01\xcd\x80\x00");             /* a bit too many */
    REFUSED("\x82\x01\x01\x02\x91\x93\x0a\x20\x07");                     /* class 32 */
    REFUSED("\x82\x01\x01\x02\x91\x93\x00\x01\x07");                     /* role 0 */
    REFUSED("\x82\x01\x01\x02\x91\x93\xcc\x0a\x01\x07");                 /* a long number */
    REFUSED("\x83\x01\x01\x02\x91\x93\x0a\x01\x07\x03\x01");             /* an unknown key */
    REFUSED("\x82\x01\x01\x02\x92\x93\x0a\x01\x07\x93\x0a\x02\x07\x00"); /* more after it */
}

static void more_roles_than_fit_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[8 + 4 * (ML_MATRIX_ROLES_MAX + 1)] = {0x82, 1, 1, 2, 0xdc, 0, 0};
    struct ml_matrix out;
    for (unsigned count = ML_MATRIX_ROLES_MAX; count <= ML_MATRIX_ROLES_MAX + 1; count++) {
        bytes[6] = (uint8_t)count;
        for (unsigned i = 0; i < count; i++) {
            const uint8_t cell[] = {0x93, (uint8_t)(i + 1), 1, 1};
            memcpy(bytes + 7 + sizeof(cell) * i, cell, sizeof(cell));
        }
        assert_int_equal(ml_matrix_decode(&out, ml_slice(bytes, 7 + 4 * count), NULL),
                         count <= ML_MATRIX_ROLES_MAX ? ML_OK : ML_E_MALFORMED);
    }
}

static void no_memory_leaves_the_buffer_as_it_was(void **state)
{
    struct fixture *f = *state;
    ml_buf_free(&f->buf);
    ml_buf_init(&f->buf, &f->fake.env, ML_MATRIX_BYTES_MAX);
    f->fake.fail_alloc = 1;
    assert_int_equal(ml_matrix_encode(&f->buf, &f->m), ML_E_NOMEM);
    f->fake.fail_alloc = 0;
    assert_int_equal(f->buf.len, 0);
}

/* ---- questions ---- */

static void the_unknown_is_denied(void **state)
{
    struct fixture *f = *state;
    const struct ml_matrix none = {.version = 1};
    for (unsigned right = 0; right < 20; right++) {
        assert_false(ml_matrix_allows(&f->m, 12345, ML_CLASS_IDENTITY, (ml_right)right));
        assert_false(ml_matrix_allows(&f->m, DOCTOR, 0, (ml_right)right));
        assert_false(ml_matrix_allows(&f->m, DOCTOR, ML_CLASS_LAST + 1, (ml_right)right));
        assert_false(ml_matrix_allows(&f->m, DOCTOR, 4000, (ml_right)right));
        assert_false(ml_matrix_allows(&none, DOCTOR, ML_CLASS_IDENTITY, (ml_right)right));
        assert_int_equal(ml_matrix_allows(&f->m, DOCTOR, ML_CLASS_IDENTITY, (ml_right)right),
                         right >= ML_RIGHT_CREATE && right <= ML_RIGHT_LAST);
    }
    assert_false(ml_matrix_allows_in(&f->m, DOCTOR, 0, ML_RIGHT_READ));
    assert_false(ml_matrix_allows_in(&f->m, DOCTOR, 13, ML_RIGHT_READ));
}

/* Rule (a): also when a matrix says otherwise. */
static void the_administrator_reads_nothing_clinical(void **state)
{
    struct fixture *f = *state;
    for (size_t r = 0; r < f->m.count; r++) {
        for (unsigned c = 1; c <= ML_MATRIX_CLASS_MAX; c++) {
            f->m.cells[r][c] = ML_CELL_BITS & ~ML_CELL_COSIGN;
        }
    }
    for (unsigned c = 1; c <= ML_MATRIX_CLASS_MAX; c++) {
        const bool barred = c > ML_CLASS_LAST || ml_class_is_clinical(c);
        for (unsigned right = ML_RIGHT_CREATE; right <= ML_RIGHT_LAST; right++) {
            assert_int_equal(ml_matrix_allows(&f->m, ML_ROLE_ADMIN, c, (ml_right)right), !barred);
            assert_true(ml_matrix_allows(&f->m, DOCTOR, c, (ml_right)right));
        }
    }
    assert_false(ml_matrix_allows_in(&f->m, ML_ROLE_ADMIN, ML_COMPARTMENT_VITAL, ML_RIGHT_READ));
    assert_true(ml_matrix_allows_in(&f->m, ML_ROLE_ADMIN, ML_COMPARTMENT_ADMIN, ML_RIGHT_READ));
}

static void a_compartment_is_open_where_one_of_its_classes_is(void **state)
{
    struct fixture *f = *state;
    assert_true(ml_matrix_allows_in(&f->m, 70, ML_COMPARTMENT_CARE, ML_RIGHT_CREATE));
    assert_false(ml_matrix_allows(&f->m, 70, ML_CLASS_NURSING_NOTES, ML_RIGHT_CREATE));
    assert_true(ml_matrix_allows(&f->m, 70, ML_CLASS_PARAMEDICAL_NOTES, ML_RIGHT_CREATE));
    assert_false(ml_matrix_allows_in(&f->m, NURSE, ML_COMPARTMENT_MEDICAL, ML_RIGHT_CREATE));
    assert_true(ml_matrix_allows_in(&f->m, NURSE, ML_COMPARTMENT_MEDICAL, ML_RIGHT_READ));
    for (unsigned compartment = 1; compartment <= ML_COMPARTMENT_LAST; compartment++) {
        unsigned classes = 0;
        for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
            classes += ml_class_compartment(class) == compartment;
        }
        assert_true(classes > 0);
    }
}

static void what_a_bundle_writes_is_all_allowed_or_not(void **state)
{
    struct fixture *f = *state;
    const uint64_t care = ml_write_bit(ML_COMPARTMENT_CARE, ML_ACTION_CREATE);
    const uint64_t medical = ml_write_bit(ML_COMPARTMENT_MEDICAL, ML_ACTION_CREATE);
    const uint64_t last = ml_write_bit(ML_COMPARTMENT_ANNUAIRE, ML_ACTION_DEPOSIT);
    assert_true(ml_matrix_allows_writes(&f->m, NURSE, care));
    assert_false(ml_matrix_allows_writes(&f->m, NURSE, medical));
    assert_false(ml_matrix_allows_writes(&f->m, NURSE, care | medical));
    assert_true(ml_matrix_allows_writes(&f->m, NURSE, care | last));
    assert_false(ml_matrix_allows_writes(&f->m, ML_ROLE_DPO, last));
    assert_true(ml_matrix_allows_writes(&f->m, 12345, ML_WRITES_NONE));
    const struct ml_dict_entry entries[] = {
        {.compartment = ML_COMPARTMENT_CARE, .action = ML_ACTION_CREATE},
        {.compartment = ML_COMPARTMENT_MEDICAL, .action = ML_ACTION_AMEND}};
    struct ml_header h = {.dictionary = {.items = NULL}};
    assert_true(ml_writes_of(&h) == ML_WRITES_NONE);
    ml_buf_clear(&f->buf);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ml_wire_encode(&ml_format_dict_entry, &f->buf, &entries[i]), ML_OK);
    }
    h.dictionary = (struct ml_list){.raw = ml_buf_slice(&f->buf), .count = 2};
    assert_true(ml_writes_of(&h) == (care | ml_write_bit(ML_COMPARTMENT_MEDICAL, ML_ACTION_AMEND)));
}

static void the_default_says_what_domain_says(void **state)
{
    struct fixture *f = *state;
    const struct ml_matrix *m = &f->m;
    assert_int_equal(ml_matrix_scope(m, DOCTOR, ML_CLASS_MEDICAL_NOTES, ML_RIGHT_CREATE), 1);
    assert_int_equal(ml_matrix_scope(m, DOCTOR, ML_CLASS_MEDICAL_NOTES, ML_RIGHT_READ), 3);
    assert_int_equal(ml_matrix_scope(m, NURSE, ML_CLASS_MEDICAL_NOTES, ML_RIGHT_READ), 2);
    assert_false(ml_matrix_allows(m, NURSE, ML_CLASS_SENSITIVE, ML_RIGHT_SEE));
    /* (d): she files what she can't read */
    assert_true(ml_matrix_allows(m, SECRETARY, ML_CLASS_DOCUMENTS, ML_RIGHT_DEPOSIT));
    assert_true(ml_matrix_allows(m, SECRETARY, ML_CLASS_DOCUMENTS, ML_RIGHT_SEE));
    assert_false(ml_matrix_allows(m, SECRETARY, ML_CLASS_DOCUMENTS, ML_RIGHT_READ));
    assert_true(ml_matrix_cell(m, ML_ROLE_STUDENT, ML_CLASS_TREATMENTS) & ML_CELL_COSIGN);
    assert_false(ml_matrix_cell(m, DOCTOR, ML_CLASS_TREATMENTS) & ML_CELL_COSIGN);
    assert_true(ml_matrix_allows(m, DOCTOR, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ));
    assert_false(ml_matrix_allows(m, SECRETARY, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ));
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) { /* a coordinator has no chart */
        assert_false(class != ML_CLASS_SOCIAL && class != ML_CLASS_RCP &&
                     ml_class_is_clinical(class) && ml_matrix_allows(m, 330, class, ML_RIGHT_READ));
    }
}

/* ---- of two ---- */

static uint16_t draw(struct fixture *f)
{
    uint8_t b[2];
    f->fake.env.random(f->fake.env.ctx, b, sizeof(b));
    return (uint16_t)(ml_get_u16be(b) & ML_CELL_BITS);
}

static void draw_matrix(struct fixture *f, struct ml_matrix *m)
{
    memset(m, 0, sizeof(*m));
    m->version = 1u + draw(f) % 9;
    for (uint16_t role = 1; role <= 6; role++) {
        for (unsigned c = 1; c <= 4; c++) {
            m->cells[m->count][c] = draw(f) % 3 == 0 ? 0 : draw(f);
        }
        m->roles[m->count] = role;
        m->count = (uint16_t)(m->count + (draw(f) % 4 != 0));
    }
}

static void same_rights(const struct ml_matrix *a, const struct ml_matrix *b)
{
    assert_int_equal(a->version, b->version);
    for (uint16_t role = 0; role < 8; role++) {
        for (unsigned c = 0; c < 6; c++) {
            assert_int_equal(ml_matrix_cell(a, role, c), ml_matrix_cell(b, role, c));
        }
    }
}

/* Of each right the lowest scope of three. */
static void holds_the_least(const struct ml_matrix *one, const struct ml_matrix m[3], uint16_t role)
{
    for (unsigned right = 1; right <= ML_RIGHT_LAST; right++) {
        unsigned least = ML_SCOPE_ALL;
        for (size_t i = 0; i < 3; i++) {
            unsigned scope = ml_matrix_scope(&m[i], role, 2, (ml_right)right);
            least = scope < least ? scope : least;
        }
        assert_int_equal(ml_matrix_scope(one, role, 2, (ml_right)right), least);
    }
}

/* Deny wins, whatever the order: of three matrices, the lowest scope of each right. */
static void the_stricter_cell_wins_in_any_order(void **state)
{
    struct fixture *f = *state;
    for (unsigned round = 0; round < 300; round++) {
        struct ml_matrix m[3];
        struct ml_matrix one;
        struct ml_matrix two;
        for (size_t i = 0; i < 3; i++) {
            draw_matrix(f, &m[i]);
        }
        one = m[0];
        ml_matrix_restrict(&one, &m[1]);
        ml_matrix_restrict(&one, &m[2]);
        two = m[2];
        ml_matrix_restrict(&two, &m[0]);
        ml_matrix_restrict(&two, &m[1]);
        ml_matrix_restrict(&two, &m[2]);
        same_rights(&one, &two);
        for (uint16_t role = 0; role < 8; role++) {
            holds_the_least(&one, m, role);
            assert_false(ml_matrix_raises(&one, &m[0], role));
        }
    }
}

static void more_for_a_role_is_told_from_less(void **state)
{
    struct fixture *f = *state;
    struct ml_matrix more = f->m;
    assert_false(ml_matrix_raises(&more, &f->m, NURSE));
    for (size_t r = 0; r < more.count; r++) {
        if (more.roles[r] == NURSE) {
            more.cells[r][ML_CLASS_SENSITIVE] = 1u << 6;
        }
    }
    assert_true(ml_matrix_raises(&more, &f->m, NURSE));
    assert_false(ml_matrix_raises(&more, &f->m, DOCTOR));
    assert_false(ml_matrix_raises(&f->m, &more, NURSE)); /* less */
    const struct ml_matrix none = {.version = 1};
    assert_true(ml_matrix_raises(&f->m, &none, NURSE));
    more = f->m;
    for (size_t r = 0; r < more.count; r++) {
        more.cells[r][ML_CLASS_TREATMENTS] &= (uint16_t)~ML_CELL_COSIGN;
    }
    assert_true(ml_matrix_raises(&more, &f->m, ML_ROLE_STUDENT));
    assert_false(ml_matrix_raises(&more, &f->m, NURSE));
}

/* ---- the page ---- */

static const char *page(void)
{
    static char text[PAGE_MAX];
    FILE *file = fopen(ML_TEST_VECTORS "/../../docs/habilitation.md", "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

static void put(struct fixture *f, const char *text)
{
    ml_buf_append(&f->buf, text, strlen(text));
}

static void matrix_put(struct fixture *f)
{
    char cell[64];
    put(f, "| Classe |");
    for (size_t c = 0; c < ml_matrix_column_count(); c++) {
        put(f, " ");
        put(f, ml_matrix_column_name(c));
        put(f, " |");
    }
    put(f, "\n|---|");
    for (size_t c = 0; c < ml_matrix_column_count(); c++) {
        put(f, "---|");
    }
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
        snprintf(cell, sizeof(cell), "\n| %u ", class);
        put(f, cell);
        put(f, ml_class_name(class));
        put(f, " |");
        for (size_t c = 0; c < ml_matrix_column_count(); c++) {
            snprintf(cell, sizeof(cell), " %s |", ml_matrix_source(class, c));
            put(f, cell);
        }
    }
    put(f, "\n");
}

static void roles_put(struct fixture *f)
{
    char cell[64];
    put(f, "| Rôle | numéros |\n|---|---|\n");
    for (size_t c = 0; c < ml_matrix_column_count(); c++) {
        put(f, "| ");
        put(f, ml_matrix_column_name(c));
        put(f, " |");
        for (const uint16_t *role = ml_matrix_column_roles(c); *role != 0; role++) {
            snprintf(cell, sizeof(cell), "%s %u", role == ml_matrix_column_roles(c) ? "" : ",",
                     *role);
            put(f, cell);
        }
        put(f, " |\n");
    }
}

static void the_page_shows_the_default(void **state)
{
    struct fixture *f = *state;
    const char *text = page();
    ml_buf_clear(&f->buf);
    matrix_put(f);
    ml_buf_u8(&f->buf, 0);
    if (strstr(text, (const char *)f->buf.data) == NULL) {
        fail_msg("docs/habilitation.md should hold:\n%s", (const char *)f->buf.data);
    }
    ml_buf_clear(&f->buf);
    roles_put(f);
    ml_buf_u8(&f->buf, 0);
    if (strstr(text, (const char *)f->buf.data) == NULL) {
        fail_msg("docs/habilitation.md should hold:\n%s", (const char *)f->buf.data);
    }
}

static void is_read(const struct ml_matrix *m, unsigned class, size_t column)
{
    const char *text = ml_matrix_source(class, column);
    assert_int_equal(strspn(text, "WwRropfic-"), strlen(text));
    for (const uint16_t *role = ml_matrix_column_roles(column); *role != 0; role++) {
        assert_int_equal(ml_matrix_cell(m, *role, class) == 0, strcmp(text, "-") == 0);
        assert_string_equal(ml_matrix_role_name(*role), ml_matrix_column_name(column));
    }
}

/* Every letter of the source means something. */
static void every_cell_of_the_source_is_read(void **state)
{
    struct fixture *f = *state;
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
        for (size_t c = 0; c < ml_matrix_column_count(); c++) {
            is_read(&f->m, class, c);
        }
    }
    assert_null(ml_matrix_role_name(12345));
    assert_null(ml_matrix_source(0, 0));
    assert_null(ml_matrix_source(1, 99));
    assert_null(ml_matrix_column_name(99));
    assert_null(ml_matrix_column_roles(99));
    assert_null(ml_class_name(ML_CLASS_LAST + 1));
    assert_int_equal(ml_class_compartment(ML_CLASS_LAST + 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cell_is_set_by_its_letters),
        TEST(what_was_encoded_decodes_to_the_same),
        TEST(a_full_matrix_fits),
        TEST(what_no_matrix_is_is_not_encoded),
        TEST(bytes_that_are_not_the_one_encoding_are_refused),
        TEST(more_roles_than_fit_are_refused),
        TEST(no_memory_leaves_the_buffer_as_it_was),
        TEST(the_unknown_is_denied),
        TEST(the_administrator_reads_nothing_clinical),
        TEST(a_compartment_is_open_where_one_of_its_classes_is),
        TEST(what_a_bundle_writes_is_all_allowed_or_not),
        TEST(the_default_says_what_domain_says),
        TEST(the_stricter_cell_wins_in_any_order),
        TEST(more_for_a_role_is_told_from_less),
        TEST(the_page_shows_the_default),
        TEST(every_cell_of_the_source_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
