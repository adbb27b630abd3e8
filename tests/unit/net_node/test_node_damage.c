/* test_node_damage.c -- files of a node that a disk destroys: told, set aside, made again from what
 * can be read, and the rest fetched from a peer (docs/storage/damage.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_damage.h"
#include "support_story.h"

enum { A, B, TREATMENTS = 12 };

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 11);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

/* A and B hold the same: a patient and what both wrote. */
static void two_nodes(struct cluster *c, char patient[40])
{
    char treatment[40];
    story_found(c, A);
    story_patient(c, A, patient);
    story_join(c, A, B, "Inès Leroy", 60);
    for (unsigned i = 0; i < TREATMENTS; i++) {
        story_treatment(c, i % 2, patient, drug("metformine", "500 mg"), treatment);
    }
    story_synced(c, B);
}

static void restart(struct cluster *c, unsigned n)
{
    cluster_start(c, n);
    story_unlock(c, n);
}

/* Both have the same, nothing is missing, no writer signed twice. */
static void same_again(struct cluster *c)
{
    struct story_proof a;
    struct story_proof b;
    story_synced(c, B);
    story_verify(c, A, &a);
    story_verify(c, B, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_string_equal(a.view_hash, b.view_hash);
    assert_int_equal(b.bodies_missing, 0);
    assert_int_equal(b.pending, 0);
    assert_int_equal(b.forks, 0);
    assert_int_equal(b.quarantined, 0);
    assert_true(b.ops >= TREATMENTS + 1);
    assert_int_equal(a.ops, b.ops);
}

/* Reads all of it, so that damage is met; what it answers doesn't matter. True: it is sound. */
static bool read_all(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    ml_err err = story_send(&r, c, n, "verify");
    const bool sound =
        err == ML_OK && strcmp(ml_value_text(story_get(&r, "integrity"), ""), "ok") == 0;
    story_end(&r);
    cluster_run(c, 1000);
    return sound;
}

static void any_destroyed_page_of_the_log_comes_back_from_a_peer(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    size_t len = 0;
    unsigned read_in_part = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    free(damage_read(c, B, "log.db", &len));
    assert_true(len > 20 * DAMAGE_PAGE);
    const size_t stride = len / DAMAGE_PAGE > 60 ? 2 : 1;
    for (size_t page = 0; page < len / DAMAGE_PAGE; page += page < 20 ? 1 : stride) {
        struct damage_told told = {0};
        cluster_restore_home(c, B, "sound");
        damage_flip(c, B, "log.db", page * DAMAGE_PAGE + 1000);
        restart(c, B);
        (void)read_all(c, B);
        same_again(c);
        if (damage_told(c, B, "log", &told)) {
            assert_true(damage_exists(c, B, told.aside));
            assert_int_equal(told.missing, 0);
            read_in_part += !told.unreadable;
        }
        cluster_stop(c, B);
    }
    assert_true(read_in_part > 5);
    restart(c, B);
    story_treatment(c, B, patient, drug("ramipril", "5 mg"), patient);
    same_again(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(any_destroyed_page_of_the_log_comes_back_from_a_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
