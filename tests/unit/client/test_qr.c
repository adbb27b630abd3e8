/* test_qr.c -- a line as a QR code: terminal, SVG and PNG show the same modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "fake_env.h"
#include "net/client/qr.h"

enum { OUT_MAX = 1 << 20 };

static const char line[] =
    "MAILLE:11A0A1A201080F31161D242B323940474E555C636A71787F868D949BA2A9B0B7BEC5"
    "CCD3DAE1E8EF180F91F4";

struct fixture {
    struct fake_env fake;
    struct ml_qr qr;
    struct ml_buf out;
};

static int setup(void **state)
{
    static struct fixture f;
    fake_env_init(&f.fake, 1);
    assert_int_equal(ml_qr_make(&f.qr, &f.fake.env, line), ML_OK);
    ml_buf_init_wiped(&f.out, &f.fake.env, OUT_MAX);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_qr_free(&f->qr);
    ml_buf_free(&f->out);
    return f->fake.live == 0 ? 0 : -1;
}

/* Of the quiet zone too. */
static bool dark(const struct fixture *f, size_t x, size_t y)
{
    const size_t q = ML_QR_QUIET;
    return x >= q && y >= q && x < f->qr.side + q && y < f->qr.side + q &&
           f->qr.dark.data[(y - q) * f->qr.side + (x - q)] == 1;
}

/* Version 6 at level Q: what two people can hold before a camera. Three finder patterns. */
static void a_share_fits_41_modules(void **state)
{
    const struct fixture *f = *state;
    static const char finder[] = "1111111100000110111011011101101110110000011111111";
    assert_int_equal(f->qr.side, 41);
    for (size_t i = 0; i < 49; i++) {
        const size_t x = i % 7 + ML_QR_QUIET;
        const size_t y = i / 7 + ML_QR_QUIET;
        assert_int_equal(dark(f, x, y), finder[i] == '1');
        assert_int_equal(dark(f, x + 34, y), finder[i] == '1');
        assert_int_equal(dark(f, x, y + 34), finder[i] == '1');
    }
}

/* Whether the upper and the lower half of the next character are written; moves on. */
static unsigned halves(const char **at)
{
    const char *c = *at;
    *at += *c == ' ' ? 1 : 3;
    if (*c == ' ') {
        return 0;
    }
    assert_memory_equal(c, "\xe2\x96", 2);
    return c[2] == '\x80' ? 2 : c[2] == '\x84' ? 1 : 3;
}

/* Two rows of modules in one of text. */
static void row_shows(const struct fixture *f, const char **at, size_t y, bool colours)
{
    const size_t side = f->qr.side + (size_t)2 * ML_QR_QUIET;
    *at += colours ? strlen("\033[30;107m") : 0;
    for (size_t x = 0; x < side; x++) {
        const unsigned seen = halves(at);
        assert_int_equal(seen >> 1, dark(f, x, y) == colours);
        assert_true(y + 1 == side || (seen & 1) == (dark(f, x, y + 1) == colours));
    }
    *at += colours ? strlen("\033[0m") : 0;
    assert_int_equal(*(*at)++, '\n');
}

static void a_terminal_shows_the_modules(void **state)
{
    struct fixture *f = *state;
    for (unsigned colours = 0; colours < 2; colours++) {
        ml_buf_clear(&f->out);
        ml_qr_text(&f->qr, &f->out, colours == 1);
        ml_buf_u8(&f->out, 0);
        const char *at = (const char *)f->out.data;
        for (size_t y = 0; y < f->qr.side + (size_t)2 * ML_QR_QUIET; y += 2) {
            row_shows(f, &at, y, colours == 1);
        }
        assert_int_equal(*at, '\0');
    }
}

static void an_svg_draws_the_modules(void **state)
{
    struct fixture *f = *state;
    static uint8_t seen[64][64];
    const double place[3] = {1, 2, 98};
    memset(seen, 0, sizeof(seen));
    ml_qr_svg(&f->qr, &f->out, place);
    ml_buf_u8(&f->out, 0);
    assert_non_null(strstr((const char *)f->out.data, "translate(1.00 2.00) scale(2.0000)"));
    char *at = strstr((const char *)f->out.data, " d=\"");
    at += 4;
    while (*at == 'M') {
        const size_t x = strtoul(at + 1, &at, 10);
        const size_t y = strtoul(at, &at, 10);
        assert_true(x < 64 && y < 64);
        seen[y][x] = 1;
        assert_memory_equal(at, "h1v1h-1z", 8);
        at += 8;
    }
    assert_string_equal(at, "\"/>\n");
    for (size_t i = 0; i < (size_t)64 * 64; i++) {
        assert_int_equal(seen[i / 64][i % 64], dark(f, i % 64, i / 64));
    }
}

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The chunk at *at, its sum checked; moves on. */
static struct ml_slice chunk(const uint8_t **at, const char *type)
{
    const uint32_t len = u32(*at);
    const struct ml_slice data = {*at + 8, len};
    assert_memory_equal(*at + 4, type, 4);
    assert_int_equal(crc32(0, *at + 4, len + 4), u32(*at + 8 + len));
    *at += 12 + len;
    return data;
}

static void a_png_shows_the_modules(void **state)
{
    struct fixture *f = *state;
    static uint8_t rows[400 * 51];
    uLongf len = sizeof(rows);
    const size_t side = f->qr.side + (size_t)2 * ML_QR_QUIET;
    assert_int_equal(ml_qr_png(&f->qr, &f->out), ML_OK);
    const uint8_t *at = f->out.data;
    assert_memory_equal(at, "\x89PNG\r\n\x1a\n", 8);
    at += 8;
    const struct ml_slice header = chunk(&at, "IHDR");
    assert_int_equal(header.len, 13);
    assert_int_equal(u32(header.data), side * 8);
    assert_int_equal(u32(header.data + 4), side * 8);
    assert_memory_equal(header.data + 8, "\x01\0\0\0\0", 5);
    const struct ml_slice data = chunk(&at, "IDAT");
    assert_int_equal(uncompress(rows, &len, data.data, data.len), Z_OK);
    assert_int_equal(len, side * 8 * (side + 1));
    for (size_t y = 0; y < side * 8; y++) {
        assert_int_equal(rows[y * (side + 1)], 0);
        for (size_t x = 0; x < side; x++) {
            assert_int_equal(rows[y * (side + 1) + 1 + x], dark(f, x, y / 8) ? 0 : 0xff);
        }
    }
    assert_int_equal(chunk(&at, "IEND").len, 0);
    assert_ptr_equal(at, f->out.data + f->out.len);
}

static void texts_have_limits_on_both_sides(void **state)
{
    struct fixture *f = *state;
    struct ml_qr qr;
    char text[ML_QR_TEXT_MAX + 2];
    memset(text, 'z', sizeof(text)); /* bytes, the longest form */
    text[ML_QR_TEXT_MAX] = '\0';
    assert_int_equal(ml_qr_make(&qr, &f->fake.env, text), ML_OK);
    assert_int_equal(qr.side, ML_QR_SIDE_MAX);
    ml_qr_free(&qr);
    text[ML_QR_TEXT_MAX] = 'z';
    text[ML_QR_TEXT_MAX + 1] = '\0';
    assert_int_equal(ml_qr_make(&qr, &f->fake.env, text), ML_E_LIMIT);
    ml_qr_free(&qr);
    assert_int_equal(ml_qr_make(&qr, &f->fake.env, ""), ML_E_LIMIT);
    ml_qr_free(&qr);
}

static void failed_allocs_are_told(void **state)
{
    struct fixture *f = *state;
    ml_err err = ML_E_NOMEM;
    for (long nth = 1; err != ML_OK; nth++) {
        struct ml_qr qr;
        f->fake.fail_alloc = nth;
        err = ml_qr_make(&qr, &f->fake.env, line);
        ml_buf_clear(&f->out);
        err = err == ML_OK ? ml_qr_png(&qr, &f->out) : err;
        ml_qr_free(&qr);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(fake_spared(&f->fake) == (err == ML_OK));
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_share_fits_41_modules),         TEST(a_terminal_shows_the_modules),
        TEST(an_svg_draws_the_modules),        TEST(a_png_shows_the_modules),
        TEST(texts_have_limits_on_both_sides), TEST(failed_allocs_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
