/* tests/unit/core_codec/test_vectors.c -- the golden vectors of tests/vectors.
 *
 * `test_vectors --regenerate` writes them anew, and the fuzzers' first inputs with them: only with
 * a new format, in the same commit as docs/protocol.md. `test_vectors --freeze` adds those that
 * tests/vectors/frozen.txt doesn't name yet; none that it names may change or go (docs/protocol.md,
 * "Version 1").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "support_codec.h"
#include "support_vectors.h"

enum { FILE_MAX = 1 << 22, SEED_MAX = 4096, FROZEN_MAX = 4096 };

static char *file_read(const char *name)
{
    static char text[FILE_MAX];
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.txt", ML_TEST_VECTORS, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("no %s", path);
    }
    size_t len = fread(text, 1, sizeof(text) - 1, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

/* The samples say what the files say: a change of format is seen here first. */
static void vectors_are_what_the_code_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i <= vector_file_count; i++) {
        struct ml_buf text;
        ml_buf_init(&text, ml_env_system(), FILE_MAX);
        if (i < vector_file_count) {
            vector_file_text(&text, &vector_files[i]);
        } else {
            vector_derived_text(&text);
        }
        ml_buf_u8(&text, 0);
        assert_int_equal(text.err, ML_OK);
        assert_string_equal(file_read(i < vector_file_count ? vector_files[i].name : "derived"),
                            (const char *)text.data);
        ml_buf_free(&text);
    }
}

/* One line "name | verdict | hex": cut in place. False for a comment. */
static bool line_split(char *line, char **verdict, char **hex)
{
    if (line[0] == '#' || line[0] == '\0') {
        return false;
    }
    char *first = strstr(line, " | ");
    char *second = first == NULL ? NULL : strstr(first + 3, " | ");
    if (second == NULL) {
        fail_msg("not a vector: %s", line);
        return false;
    }
    *first = '\0';
    *second = '\0';
    *verdict = first + 3;
    *hex = second + 3;
    return true;
}

static unsigned lines_check(const struct vector_file *file, unsigned counts[2])
{
    unsigned lines = 0;
    char *next = file_read(file->name);
    while (next != NULL && *next != '\0') {
        char *line = next;
        char *verdict = NULL;
        char *hex = NULL;
        char found[160];
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (!line_split(line, &verdict, &hex)) {
            continue;
        }
        struct ml_slice in = bytes_of(hex);
        vector_verdict(found, sizeof(found), file, in);
        assert_string_equal(found, verdict);
        bool good = strcmp(verdict, "ok") == 0;
        if (file->roundtrip != NULL) {
            assert_int_equal(file->roundtrip(in), good); /* good ones encode to themselves */
        }
        counts[good]++;
        lines++;
    }
    return lines;
}

static void every_vector_has_its_verdict(void **state)
{
    unsigned counts[2] = {0, 0};
    (void)state;
    for (size_t i = 0; i < vector_file_count; i++) {
        assert_true(lines_check(&vector_files[i], counts) >= 9);
    }
    print_message("vectors: %u accepted, %u refused\n", counts[1], counts[0]);
    assert_true(counts[0] > 400 && counts[1] > 80);
}

/* ---- what is frozen ---- */

/* A line of tests/vectors/frozen.txt: "file hash name". Of a vector the hash is of its bytes and of
 * whether they are accepted, not of its name nor of the words that refuse it; of any other line it
 * is of all. */
struct frozen {
    char file[24];
    char hash[33];
};

static struct frozen frozen[FROZEN_MAX];
static size_t frozen_count;

static void frozen_read(void)
{
    char *next = file_read("frozen");
    frozen_count = 0;
    while (next != NULL && *next != '\0') {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (line[0] == '#') {
            continue;
        }
        assert_true(frozen_count < FROZEN_MAX);
        struct frozen *f = &frozen[frozen_count++];
        assert_int_equal(sscanf(line, "%23s %32s", f->file, f->hash), 2);
    }
}

static void line_hash(char out[33], char *line)
{
    uint8_t hash[16];
    char *verdict = NULL;
    char *hex = NULL;
    struct ml_slice parts[2] = {ml_slice_str(line)};
    const bool vector = strstr(line, " | ") != NULL;
    if (vector && line_split(line, &verdict, &hex)) {
        parts[0] = ml_slice_str(strcmp(verdict, "ok") == 0 ? "ok " : "refused ");
        parts[1] = ml_slice_str(hex);
    }
    ml_hash_parts(hash, sizeof(hash), ml_slice(NULL, 0), parts, vector ? 2 : 1);
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    }
    if (!vector) { /* what remains names it */
        line[strcspn(line, "=0123456789\xc3")] = '\0';
    }
}

static size_t frozen_find(const char *file, const char *hash)
{
    size_t i = 0;
    while (i < frozen_count &&
           (strcmp(frozen[i].file, file) != 0 || strcmp(frozen[i].hash, hash) != 0)) {
        i++;
    }
    return i;
}

/* Takes each frozen vector that stands in this file out of `frozen`; appends the others to `news`,
 * one a line, as they are to be frozen. */
static void frozen_strike(const char *file, struct ml_buf *news)
{
    char *next = file_read(file);
    while (next != NULL && *next != '\0') {
        char hash[33];
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (line[0] == '#' || line[0] == '\0') {
            continue;
        }
        line_hash(hash, line);
        const size_t at = frozen_find(file, hash);
        if (at < frozen_count) {
            frozen[at] = frozen[--frozen_count];
        } else {
            char text[160];
            const int len = snprintf(text, sizeof(text), "%s %s %.60s\n", file, hash, line);
            ml_buf_append(news, text, (size_t)len);
        }
    }
}

/* Every file but the documents of the local socket, whose both ends are of one installation. */
static void frozen_strike_all(struct ml_buf *news)
{
    frozen_read();
    for (size_t i = 0; i < vector_file_count; i++) {
        if (strcmp(vector_files[i].name, "doc") != 0) {
            frozen_strike(vector_files[i].name, news);
        }
    }
    frozen_strike("derived", news);
    frozen_strike("share", news);
}

/* Rules D2: what version 1 says, it says for ever. */
static void what_is_frozen_stays(void **state)
{
    struct ml_buf news;
    (void)state;
    frozen_read();
    const size_t all = frozen_count;
    ml_buf_init(&news, ml_env_system(), FILE_MAX);
    frozen_strike_all(&news);
    for (size_t i = 0; i < frozen_count; i++) {
        print_error("changed or gone: %s %s\n", frozen[i].file, frozen[i].hash);
    }
    assert_int_equal(frozen_count, 0);
    assert_true(all > 900);
    print_message("frozen: %zu vectors; not yet: %zu bytes of names\n", all, news.len);
    ml_buf_free(&news);
}

/* ---- --regenerate, --freeze ---- */

static void file_write(const char *path, struct ml_slice bytes)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes.data, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
        fprintf(stderr, "can't write %s\n", path);
    }
}

/* The fuzzer of ops takes a byte that picks the format. */
static void seed_write(const struct vector_file *file, unsigned number, struct ml_slice in)
{
    char path[512];
    uint8_t seed[SEED_MAX];
    size_t prefix = strcmp(file->fuzzer, "fuzz_op") == 0;
    const char *const picks[] = {"govop",    "keyop",          "trace",   "deposit",
                                 "manifest", "manifest_inner", "consent", "glass"};
    if (in.len + 1 > sizeof(seed)) {
        return;
    }
    for (size_t i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
        if (strcmp(file->name, picks[i]) == 0) {
            seed[0] = (uint8_t)i;
        }
    }
    if (in.len > 0) {
        memcpy(seed + prefix, in.data, in.len);
    }
    snprintf(path, sizeof(path), "%s/../fuzz/corpus/%s/%s-%02u", ML_TEST_VECTORS, file->fuzzer,
             file->name, number);
    file_write(path, ml_slice(seed, in.len + prefix));
}

static void seeds_write(const struct vector_file *file)
{
    unsigned number = 0;
    char *next = file_read(file->name);
    while (next != NULL && *next != '\0') {
        char *line = next;
        char *verdict = NULL;
        char *hex = NULL;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (line_split(line, &verdict, &hex) && strcmp(verdict, "ok") == 0) {
            seed_write(file, number++, bytes_of(hex));
        }
    }
}

static int regenerate(void)
{
    for (size_t i = 0; i <= vector_file_count; i++) {
        char path[512];
        struct ml_buf text;
        const char *name = i < vector_file_count ? vector_files[i].name : "derived";
        ml_buf_init(&text, ml_env_system(), FILE_MAX);
        if (i < vector_file_count) {
            vector_file_text(&text, &vector_files[i]);
        } else {
            vector_derived_text(&text);
        }
        snprintf(path, sizeof(path), "%s/%s.txt", ML_TEST_VECTORS, name);
        file_write(path, ml_buf_slice(&text));
        ml_buf_free(&text);
        if (i < vector_file_count && vector_files[i].fuzzer != NULL) {
            seeds_write(&vector_files[i]);
        }
    }
    return 0;
}

static int freeze(void)
{
    struct ml_buf news;
    char path[512];
    snprintf(path, sizeof(path), "%s/frozen.txt", ML_TEST_VECTORS);
    ml_buf_init(&news, ml_env_system(), FILE_MAX);
    frozen_strike_all(&news);
    FILE *f = frozen_count == 0 ? fopen(path, "ab") : NULL;
    if (f == NULL || fwrite(news.data, 1, news.len, f) != news.len || fclose(f) != 0) {
        fprintf(stderr, "%zu frozen vectors changed: nothing is frozen\n", frozen_count);
        return 1;
    }
    ml_buf_free(&news);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_what_the_code_writes),
        cmocka_unit_test(every_vector_has_its_verdict),
        cmocka_unit_test(what_is_frozen_stays),
    };
    if (argc == 2 && strcmp(argv[1], "--regenerate") == 0) {
        return regenerate();
    }
    if (argc == 2 && strcmp(argv[1], "--freeze") == 0) {
        return freeze();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
