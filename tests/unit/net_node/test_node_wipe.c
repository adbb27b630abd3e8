/* test_node_wipe.c -- no block that is given back to the heap holds a passphrase or recovery words.
 *
 * free and realloc are this program's own: they look at all that is given back, by whichever
 * allocator of ours it came, and realloc always moves, as it may. Not under a sanitizer, which has
 * its own heap. The secrets themselves live in guarded memory, which is no heap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_story.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_HEAP 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_HEAP 0
#endif
#endif
#ifndef OWN_HEAP
#define OWN_HEAP 1
#endif

static struct {
    char text[512];
    size_t len; /* 0: nothing is looked for */
    unsigned found;
} canary;

#if OWN_HEAP
static void look(const void *block, size_t size)
{
    if (canary.len > 0 && memmem(block, size, canary.text, canary.len) != NULL) {
        canary.found++;
    }
}

/* glibc's own, under the names that it keeps for who replaces them. */
extern void __libc_free(void *ptr); // NOLINT

void free(void *ptr)
{
    if (ptr != NULL) {
        look(ptr, malloc_usable_size(ptr));
    }
    __libc_free(ptr);
}

void *realloc(void *ptr, size_t size)
{
    void *moved = malloc(size);
    if (moved != NULL && ptr != NULL) {
        const size_t had = malloc_usable_size(ptr);
        memcpy(moved, ptr, had < size ? had : size);
        free(ptr);
    }
    return moved;
}
#endif

static void look_for(const char *text)
{
    canary.found = 0;
    canary.len = 0;
    snprintf(canary.text, sizeof(canary.text), "%s", text);
    canary.len = strlen(canary.text);
}

static const char passphrase[] = "agrafe canari pile correcte zinc";

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 31);
    cluster_start(&c, 0);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    canary.len = 0;
    cluster_free(*state);
    return 0;
}

/* `words`: the member's, `sheets`: three of the structure's; NULL: not kept. */
static void found(struct cluster *c, char words[512], char sheets[3][512])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", passphrase);
    /* What makes the buffer of the call grow once the passphrase is in it. */
    for (unsigned i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof(key), "room%u", i);
        story_put(&r, key, "as much again as there was, and more");
    }
    story_must(&r, story_send(&r, c, 0, "org.found"), "org.found");
    if (words != NULL) {
        snprintf(words, 512, "%s", ml_value_text(story_get(&r, "member_words"), ""));
        assert_true(strlen(words) > 40);
    }
    for (size_t i = 0; i < 3 && sheets != NULL; i++) {
        const struct ml_value *sheet = ml_value_at(story_get(&r, "shares"), i);
        snprintf(sheets[i], 512, "%s", ml_value_text(ml_value_get(sheet, "words"), ""));
        assert_true(strlen(sheets[i]) > 100);
    }
    story_end(&r);
}

static void unlock_with(struct cluster *c, const char *key, const char *secret, ml_err want)
{
    struct story_request r;
    cluster_stop(c, 0);
    cluster_start(c, 0);
    story_ask(&r);
    story_put(&r, key, secret);
    assert_int_equal(story_send(&r, c, 0, "session.unlock"), want);
    story_end(&r);
}

static void the_heap_is_watched(void **state)
{
    (void)state;
    char *block = malloc(100);
    look_for(passphrase);
    assert_non_null(block);
    snprintf(block, 100, "x%s", passphrase);
    char *moved = realloc(block, 5000); // NOLINT(clang-analyzer-unix.Malloc)
    assert_non_null(moved);
    free(moved); // NOLINT(clang-analyzer-unix.Malloc)
    assert_int_equal(canary.found, OWN_HEAP ? 2 : 0);
}

static void no_copy_of_a_passphrase_is_given_back(void **state)
{
    struct cluster *c = *state;
    look_for(passphrase);
    found(c, NULL, NULL);
    unlock_with(c, "passphrase", passphrase, ML_OK);
    cluster_stop(c, 0);
    assert_int_equal(canary.found, 0);
}

static void nor_of_one_that_is_refused(void **state)
{
    struct cluster *c = *state;
    found(c, NULL, NULL);
    look_for("une autre phrase, au canari");
    unlock_with(c, "passphrase", "une autre phrase, au canari", ML_E_WRONG_KEY);
    unlock_with(c, "recovery", "une autre phrase, au canari", ML_E_INVALID);
    cluster_stop(c, 0);
    assert_int_equal(canary.found, 0);
}

static void no_copy_of_the_words_is_given_back(void **state)
{
    struct cluster *c = *state;
    char words[512];
    found(c, words, NULL);
    look_for(words);
    unlock_with(c, "recovery", words, ML_OK);
    cluster_stop(c, 0);
    assert_int_equal(canary.found, 0);
}

static void no_copy_of_a_sheet_is_given_back(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    static char sheets[3][512];
    found(c, NULL, sheets);
    look_for(sheets[1]);
    story_ask(&r);
    ml_args_key(r.args, "shares");
    ml_args_list(r.args);
    for (size_t i = 0; i < 3; i++) {
        ml_args_text(r.args, sheets[i]);
    }
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, 0, "org.recover"), "org.recover");
    story_end(&r);
    cluster_stop(c, 0);
    assert_int_equal(canary.found, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_heap_is_watched),
        T(no_copy_of_a_passphrase_is_given_back),
        T(nor_of_one_that_is_refused),
        T(no_copy_of_the_words_is_given_back),
        T(no_copy_of_a_sheet_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
