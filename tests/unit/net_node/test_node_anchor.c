/* test_node_anchor.c -- the anti-rollback record, when it can't be made anew at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_cluster.h"
#include "support_damage.h"
#include "support_story.h"

enum { A, B };

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 91);
    story_found(&c, A);
    story_join(&c, A, B, "Inès Leroy", 60);
    story_synced(&c, B);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

/* Afterwards both are stopped; "sound" is B's home of before what it offered. */
static void offer_beyond_the_backup(struct cluster *c)
{
    char patient[40];
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    cluster_start(c, B);
    story_unlock(c, B);
    story_patient(c, B, patient);
    story_synced(c, B);
    cluster_stop(c, A);
    cluster_stop(c, B);
}

/* The backup, put back, is found older than what was offered. */
static void assert_backup_is_told(struct cluster *c)
{
    struct damage_told told;
    cluster_restore_home(c, B, "sound");
    cluster_start(c, B);
    assert_true(story_unlock_restored(c, B));
    assert_true(damage_told(c, B, "restored", &told));
}

/* The disk refuses the new record the first time: the damaged one stays, so that a backup which is
 * put back then is still found older than what was offered. */
static void a_record_that_could_not_be_made_anew_is_tried_again(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char part[600];
    offer_beyond_the_backup(c);
    damage_flip_anchor(c, B, 12);
    damage_anchor_path(c, B, part, sizeof(part), ".part");
    assert_int_equal(mkdir(part, 0700), 0);
    cluster_start(c, B);
    assert_int_not_equal(story_try_unlock(c, B, "une phrase de passe d'essai"), ML_OK);
    cluster_stop(c, B);
    assert_int_equal(rmdir(part), 0);
    cluster_start(c, B);
    story_unlock(c, B);
    assert_true(damage_told(c, B, "anchor", &told));
    cluster_stop(c, B);
    assert_backup_is_told(c);
}

/* A cut between the two names: the new record takes its place at the next start. */
static void a_record_between_two_names_is_placed(void **state)
{
    struct cluster *c = *state;
    char path[600];
    char fresh[600];
    offer_beyond_the_backup(c);
    damage_anchor_path(c, B, path, sizeof(path), "");
    damage_anchor_path(c, B, fresh, sizeof(fresh), ".again");
    assert_int_equal(rename(path, fresh), 0);
    assert_backup_is_told(c);
    assert_int_equal(access(fresh, F_OK), -1);
}

/* A cut in the middle of a rise leaves the start of the next record beside a sound one. */
static void a_rise_that_was_cut_leaves_the_record_as_it_was(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char fresh[600];
    offer_beyond_the_backup(c);
    damage_anchor_path(c, B, fresh, sizeof(fresh), ".new");
    FILE *f = fopen(fresh, "wb");
    assert_non_null(f);
    assert_true(fputs("MLA1", f) >= 0);
    assert_int_equal(fclose(f), 0);
    cluster_start(c, B);
    story_unlock(c, B);
    assert_false(damage_told(c, B, "anchor", &told));
    cluster_stop(c, B);
    assert_backup_is_told(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_record_that_could_not_be_made_anew_is_tried_again),
        TEST(a_record_between_two_names_is_placed),
        TEST(a_rise_that_was_cut_leaves_the_record_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
