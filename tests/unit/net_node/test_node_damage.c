/* test_node_damage.c -- files of a node that a disk destroys: told, set aside, made again from what
 * can be read, and the rest fetched from a peer (docs/storage/damage.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

/* ---- the whole file, and its WAL ---- */

/* As after kill -9: the files of a node that runs, its WAL with them. */
static void crash(struct cluster *c, unsigned n)
{
    cluster_copy_home(c, n, "crashed");
    cluster_stop(c, n);
    cluster_restore_home(c, n, "crashed");
}

static void comes_back(struct cluster *c)
{
    restart(c, B);
    (void)read_all(c, B);
    same_again(c);
    assert_true(read_all(c, B));
    cluster_stop(c, B);
}

static void a_log_of_any_length_comes_back(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    size_t len = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    uint8_t *bytes = damage_read(c, B, "log.db", &len);
    const size_t lengths[] = {0,    1,       100,     4095,    4096,
                              4097, len / 4, len / 2, len - 1, len - DAMAGE_PAGE};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        cluster_restore_home(c, B, "sound");
        damage_write(c, B, "log.db", bytes, lengths[i]);
        comes_back(c);
    }
    free(bytes);
}

static void a_log_that_is_gone_or_another_file_comes_back(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    size_t len = 0;
    struct damage_told told = {0};
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    uint8_t *bytes = damage_read(c, B, "log.db", &len);
    memset(bytes + 3 * DAMAGE_PAGE, 0, DAMAGE_PAGE);
    damage_write(c, B, "log.db", bytes, len); /* a page of zeros */
    comes_back(c);
    cluster_restore_home(c, B, "sound");
    memset(bytes, 0x5a, len);
    damage_write(c, B, "log.db", bytes, len);
    free(bytes);
    comes_back(c);
    cluster_restore_home(c, B, "sound");
    damage_remove(c, B, "log.db");
    comes_back(c);
    restart(c, B);
    assert_true(damage_told(c, B, "log", &told));
    assert_true(told.unreadable);
    cluster_stop(c, B);
}

static void any_destroyed_frame_of_the_wal_comes_back(void **state)
{
    enum { WAL_HEAD = 32, FRAME = 4120, FRAMES_MAX = 24 };
    struct cluster *c = *state;
    char patient[40];
    size_t len = 0;
    two_nodes(c, patient);
    crash(c, B);
    free(damage_read(c, B, "log.db-wal", &len));
    assert_true(len > WAL_HEAD + 10u * FRAME);
    cluster_copy_home(c, B, "sound");
    const size_t frames = (len - WAL_HEAD) / FRAME;
    for (size_t i = 0; i <= FRAMES_MAX; i++) {
        const size_t frame = i * (frames - 1) / FRAMES_MAX;
        cluster_restore_home(c, B, "sound");
        damage_flip(c, B, "log.db-wal", WAL_HEAD + frame * FRAME + 700);
        comes_back(c);
    }
    cluster_restore_home(c, B, "sound");
    damage_flip(c, B, "log.db-wal", 9); /* its header */
    comes_back(c);
    cluster_restore_home(c, B, "sound");
    damage_remove(c, B, "log.db");
    comes_back(c);
    cluster_restore_home(c, B, "sound");
    damage_remove(c, B, "log.db-wal"); /* older than what was offered */
    comes_back(c);
}

/* ---- nobody else ---- */

static void a_lone_node_keeps_what_can_be_read_and_says_what_is_lost(void **state)
{
    struct cluster *c = *state;
    struct story_proof before;
    struct story_proof after;
    char patient[40];
    char treatment[40];
    size_t len = 0;
    unsigned told_lost = 0;
    unsigned told_bodies = 0;
    story_found(c, A);
    story_patient(c, A, patient);
    for (unsigned i = 0; i < TREATMENTS; i++) {
        story_treatment(c, A, patient, drug("metformine", "500 mg"), treatment);
    }
    story_verify(c, A, &before);
    cluster_stop(c, A);
    cluster_copy_home(c, A, "sound");
    free(damage_read(c, A, "log.db", &len));
    for (size_t page = 2; page < len / DAMAGE_PAGE; page++) {
        struct damage_told told = {0};
        cluster_restore_home(c, A, "sound");
        damage_flip(c, A, "log.db", page * DAMAGE_PAGE + 1000);
        restart(c, A);
        (void)read_all(c, A);
        story_verify(c, A, &after);
        const bool is_told = damage_told(c, A, "log", &told) && !told.unreadable;
        /* nothing goes without being told */
        assert_true(is_told || after.ops == before.ops);
        assert_true(!is_told || told.lost + told.bodies_lost > 0 || after.ops == before.ops);
        assert_true(told.lost == told.missing);
        assert_true(after.bodies_missing <= told.bodies_lost); /* others wait with what is lost */
        assert_true(told.lost > 0 || after.bodies_missing == told.bodies_lost);
        told_lost += told.lost > 0;
        told_bodies += told.bodies_lost > 0;
        cluster_stop(c, A);
    }
    assert_true(told_lost > 0);
    assert_true(told_bodies > 0);
}

/* A WAL that one frame makes unreadable: what stands before that frame is kept. */
static void a_lone_node_keeps_what_stands_before_a_destroyed_frame(void **state)
{
    enum { WAL_HEAD = 32, FRAME = 4120 };
    struct cluster *c = *state;
    struct damage_told told = {0};
    struct story_proof after;
    char patient[40];
    char treatment[40];
    size_t len = 0;
    story_found(c, A);
    story_patient(c, A, patient);
    for (unsigned i = 0; i < TREATMENTS; i++) {
        story_treatment(c, A, patient, drug("metformine", "500 mg"), treatment);
    }
    crash(c, A);
    free(damage_read(c, A, "log.db-wal", &len));
    const size_t frames = (len - WAL_HEAD) / FRAME;
    damage_flip(c, A, "log.db-wal", WAL_HEAD + (frames - 20) * FRAME + 700);
    restart(c, A);
    assert_true(damage_told(c, A, "log", &told));
    assert_false(told.unreadable);
    story_verify(c, A, &after);
    assert_true(after.ops >= TREATMENTS / 2 && after.ops <= TREATMENTS);
    assert_int_equal(story_find(c, A, "martin"), 1);
    assert_false(damage_exists(c, A, "log-part.db"));
    story_treatment(c, A, patient, drug("ramipril", "5 mg"), treatment); /* and it goes on */
}

/* Frames behind a destroyed header are no longer told from each other: what was written back before
 * them is kept. */
static void a_lone_node_keeps_what_was_written_back_before_a_destroyed_wal(void **state)
{
    struct cluster *c = *state;
    struct damage_told told = {0};
    struct story_proof before;
    struct story_proof after;
    char patient[40];
    char treatment[40];
    story_found(c, A);
    story_patient(c, A, patient);
    story_treatment(c, A, patient, drug("metformine", "500 mg"), treatment);
    story_verify(c, A, &before);
    cluster_stop(c, A);
    restart(c, A);
    story_treatment(c, A, patient, drug("ramipril", "5 mg"), treatment);
    crash(c, A);
    damage_flip(c, A, "log.db-wal", 20);
    restart(c, A);
    assert_true(damage_told(c, A, "log", &told));
    assert_false(told.unreadable);
    story_verify(c, A, &after);
    assert_int_equal(after.ops, before.ops);
    assert_int_equal(story_find(c, A, "martin"), 1);
    assert_false(damage_exists(c, A, "log-part.db"));
    story_treatment(c, A, patient, drug("ramipril", "5 mg"), treatment);
}

/* Flips a byte of one page after the other, of a copy named `sound`, until its repair loses some.
 */
static void lose_some(struct cluster *c, const char *sound,
                      bool (*lost)(const struct damage_told *), struct damage_told *told)
{
    size_t len = 0;
    bool done = false;
    cluster_stop(c, A);
    cluster_copy_home(c, A, sound);
    free(damage_read(c, A, "log.db", &len));
    for (size_t page = 2; page < len / DAMAGE_PAGE && !done; page++) {
        cluster_restore_home(c, A, sound);
        damage_flip(c, A, "log.db", page * DAMAGE_PAGE + 1000);
        restart(c, A);
        (void)read_all(c, A);
        done = damage_told(c, A, "log", told) && lost(told);
        if (!done) {
            cluster_stop(c, A);
        }
    }
    assert_true(done);
}

static bool lost_bundles(const struct damage_told *told)
{
    return !told->unreadable && told->places > 0 && told->missing > 0;
}

static bool lost_bodies(const struct damage_told *told)
{
    return !told->unreadable && told->bodies_lost > 1;
}

/* After a first repair, whose copy is `once`: what each of some pages costs then. */
static void second_repairs(struct cluster *c, const struct damage_told *first)
{
    enum { PAGES = 10 };
    cluster_stop(c, A);
    cluster_copy_home(c, A, "once");
    for (size_t page = 2; page < PAGES; page++) {
        struct damage_told second = {0};
        cluster_restore_home(c, A, "once");
        damage_flip(c, A, "log.db", page * DAMAGE_PAGE + 1000);
        restart(c, A);
        (void)read_all(c, A);
        assert_true(damage_told(c, A, "log", &second));
        assert_true(second.unreadable || second.missing >= first->missing);
        assert_true(second.unreadable || second.places >= first->places);
        assert_true(second.unreadable || second.missing > first->missing ||
                    second.bodies_lost >= first->bodies_lost);
        assert_true(second.unreadable || !first->unreadable);
        cluster_stop(c, A);
    }
}

static void a_second_repair_leaves_named_what_the_first_one_lost(void **state)
{
    struct cluster *c = *state;
    struct damage_told first = {0};
    char patient[40];
    char treatment[40];
    story_found(c, A);
    story_patient(c, A, patient);
    for (unsigned i = 0; i < TREATMENTS; i++) {
        story_treatment(c, A, patient, drug("metformine", "500 mg"), treatment);
    }
    lose_some(c, "sound", lost_bundles, &first);
    second_repairs(c, &first);
    cluster_restore_home(c, A, "sound");
    cluster_start(c, A);
    lose_some(c, "sound", lost_bodies, &first);
    second_repairs(c, &first);
}

static void a_second_repair_leaves_said_that_nothing_could_be_read(void **state)
{
    struct cluster *c = *state;
    struct damage_told first = {0};
    char patient[40];
    two_nodes(c, patient);
    cluster_stop(c, A);
    damage_remove(c, A, "log.db");
    restart(c, A);
    same_again(c);
    assert_true(damage_told(c, A, "log", &first));
    assert_true(first.unreadable);
    cluster_stop(c, B);
    second_repairs(c, &first);
}

/* A newcomer gets headers whose bodies are destroyed where it gets them: they come later, over the
 * same link. */
static void bodies_that_were_missing_at_a_peer_come_when_it_has_them(void **state)
{
    enum { C = 2, MINUTES = 5 };
    struct cluster *c = *state;
    struct damage_told told = {0};
    struct story_proof proof;
    char patient[40];
    char treatment[40];
    story_found(c, A);
    story_patient(c, A, patient);
    story_join(c, A, B, "Inès Leroy", 60);
    story_join(c, A, C, "Paul Garnier", 60);
    story_synced(c, C);
    cluster_stop(c, C);
    for (unsigned i = 0; i < TREATMENTS; i++) {
        story_treatment(c, A, patient, drug("metformine", "500 mg"), treatment);
    }
    story_synced(c, B);
    cluster_stop(c, B);
    lose_some(c, "sound", lost_bodies, &told);
    restart(c, C);
    story_synced(c, C);
    story_verify(c, C, &proof);
    assert_true(proof.bodies_missing > 0);
    restart(c, B);
    story_synced(c, B);
    for (unsigned i = 0; i < MINUTES; i++) {
        cluster_run(c, 60000);
    }
    story_verify(c, A, &proof);
    assert_int_equal(proof.bodies_missing, 0);
    story_verify(c, C, &proof);
    assert_int_equal(proof.bodies_missing, 0);
}

/* ---- own entries ---- */

static void what_was_offered_is_never_signed_again(void **state)
{
    struct cluster *c = *state;
    struct story_proof a;
    struct story_proof b;
    char patient[40];
    char treatment[40];
    size_t len = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    free(damage_read(c, B, "log.db", &len));
    for (size_t page = 1; page < len / DAMAGE_PAGE; page++) {
        damage_flip(c, B, "log.db", page * DAMAGE_PAGE + 1000); /* all of it */
    }
    c->cut[A][B] = c->cut[B][A] = true; /* and nobody answers yet */
    restart(c, B);
    (void)read_all(c, B);
    story_treatment(c, A, patient, drug("ramipril", "5 mg"), treatment);
    c->cut[A][B] = c->cut[B][A] = false;
    cluster_run(c, 400000);
    same_again(c);
    story_treatment(c, B, patient, drug("aspirine", "75 mg"), treatment);
    same_again(c);
    story_verify(c, A, &a);
    story_verify(c, B, &b);
    assert_int_equal(b.ops, TREATMENTS + 3);
}

static void damage_under_a_session_is_repaired_and_the_session_stays(void **state)
{
    struct cluster *c = *state;
    struct damage_told told = {0};
    char patient[40];
    char treatment[40];
    size_t len = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    free(damage_read(c, B, "log.db", &len));
    restart(c, B);
    const uint64_t events = c->nodes[B].events;
    for (size_t page = 2; page < len / DAMAGE_PAGE; page++) {
        damage_flip(c, B, "log.db", page * DAMAGE_PAGE + 1000);
    }
    for (unsigned i = 0; i < 3 && !damage_told(c, B, "log", &told); i++) {
        (void)read_all(c, B); /* what is in memory is read without the disk */
    }
    if (told.aside[0] != '\0') {
        assert_true(c->nodes[B].events > events);
    }
    assert_int_equal(story_try_find(c, B), ML_OK);
    story_synced(c, B);
    story_treatment(c, B, patient, drug("ramipril", "5 mg"), treatment);
    same_again(c);
}

/* A repair that was cut after its commit point is finished by the next start. */
static void a_repair_that_was_cut_is_finished(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    size_t len = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    uint8_t *bytes = damage_read(c, B, "log.db", &len);
    damage_copy(c, B, "log.db", "log-rebuilt.db");
    damage_copy(c, B, "log.db", "log-fresh.db");
    damage_flip(c, B, "log.db", 5000);
    comes_back(c);
    assert_false(damage_exists(c, B, "log-rebuilt.db"));
    assert_true(damage_exists(c, B, "log.db.damaged-1"));
    damage_flip(c, B, "log.db", 1000); /* the old fresh one is thrown away */
    comes_back(c);
    assert_false(damage_exists(c, B, "log-fresh.db"));
    assert_true(damage_exists(c, B, "log.db.damaged-2"));
    free(bytes);
}

/* ---- the other files ---- */

static void a_damaged_vault_is_made_again(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char patient[40];
    size_t len = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    free(damage_read(c, B, "vaults/*.db", &len));
    for (size_t at = 0; at < len; at += 2 * DAMAGE_PAGE) {
        cluster_restore_home(c, B, "sound");
        damage_flip(c, B, "vaults/*.db", at + 1000);
        restart(c, B);
        (void)story_try_find(c, B);
        (void)read_all(c, B);
        same_again(c);
        assert_int_equal(story_find(c, B, "martin"), 1);
        assert_true(at > 0 || damage_told(c, B, "vault", &told));
        cluster_stop(c, B);
    }
}

static ml_err draft(struct cluster *c, const char *method, unsigned number)
{
    static uint8_t content[6000];
    char form[32];
    struct story_request r;
    story_ask(&r);
    snprintf(form, sizeof(form), "observation/%u", number);
    story_put(&r, "form", form);
    if (strcmp(method, "draft.put") == 0) {
        ml_args_key(r.args, "content");
        ml_args_bytes(r.args, content, sizeof(content));
    }
    ml_err err = story_send(&r, c, A, method);
    story_end(&r);
    cluster_run(c, 50);
    return err;
}

static void damaged_drafts_are_set_aside_and_what_can_be_read_stays(void **state)
{
    enum { DRAFTS = 60 };
    struct cluster *c = *state;
    struct damage_told told = {0};
    size_t len = 0;
    unsigned most = 0;
    story_found(c, A);
    for (unsigned i = 0; i < DRAFTS; i++) {
        assert_int_equal(draft(c, "draft.put", i), ML_OK);
    }
    cluster_stop(c, A);
    cluster_copy_home(c, A, "sound");
    free(damage_read(c, A, "drafts/*.db", &len));
    for (size_t page = 0; page < len / DAMAGE_PAGE; page += 7) {
        unsigned there = 0;
        cluster_restore_home(c, A, "sound");
        damage_flip(c, A, "drafts/*.db", page * DAMAGE_PAGE + 300);
        restart(c, A);
        for (unsigned i = 0; i < DRAFTS; i++) {
            ml_err err = draft(c, "draft.get", i);
            /* met by this very call: the next one finds what is left */
            err = err == ML_E_CORRUPT ? draft(c, "draft.get", i) : err;
            assert_true(err == ML_OK || err == ML_E_NOT_FOUND);
            there += err == ML_OK;
        }
        assert_true(there == DRAFTS || damage_told(c, A, "drafts", &told));
        assert_true(page == 0 || there > 0);
        most += there >= DRAFTS - 1;
        assert_int_equal(draft(c, "draft.put", DRAFTS), ML_OK);
        cluster_stop(c, A);
    }
    assert_true(told.aside[0] != '\0');
    assert_true(most > len / DAMAGE_PAGE / 7 / 2); /* half of the pages hold a part of one draft */
}

static void a_damaged_journal_of_traces_begins_anew(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char patient[40];
    story_found(c, A);
    story_patient(c, A, patient);
    crash(c, A);
    cluster_copy_home(c, A, "sound");
    for (size_t at = 0; at < 68; at += 11) { /* its header */
        cluster_restore_home(c, A, "sound");
        damage_flip(c, A, "trace.journal", at);
        restart(c, A);
        assert_int_equal(story_find(c, A, "martin"), 1);
        assert_true(damage_told(c, A, "traces", &told));
        assert_true(damage_exists(c, A, told.aside));
        cluster_stop(c, A);
    }
}

static void a_damaged_anchor_makes_new_writers(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    struct story_proof b;
    char patient[40];
    char treatment[40];
    two_nodes(c, patient);
    cluster_stop(c, B);
    damage_flip_anchor(c, B, 12);
    restart(c, B);
    assert_true(damage_told(c, B, "anchor", &told));
    story_treatment(c, B, patient, drug("ramipril", "5 mg"), treatment);
    same_again(c);
    story_verify(c, B, &b);
    assert_int_equal(b.ops, TREATMENTS + 2);
}

/* The backup's writer offered no more than the backup holds: what it lacks is the writer that was
 * drawn since. */
static void a_backup_older_than_a_new_writer_is_told_once(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char patient[40];
    char treatment[40];
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    damage_flip_anchor(c, B, 12);
    restart(c, B);
    story_treatment(c, B, patient, drug("ramipril", "5 mg"), treatment);
    story_synced(c, B);
    cluster_stop(c, B);
    cluster_stop(c, A);
    cluster_restore_home(c, B, "sound");
    cluster_start(c, B);
    assert_false(damage_told(c, B, "restored", &told));
    assert_true(story_unlock_restored(c, B));
    assert_true(damage_told(c, B, "restored", &told));
    assert_false(story_unlock_restored(c, B));
    restart(c, A);
    same_again(c);
}

/* The new record knows of the old chains what the log knows of them. */
static void a_backup_older_than_a_damaged_anchor_is_told(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char patient[40];
    char treatment[40];
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    restart(c, B);
    story_treatment(c, B, patient, drug("ramipril", "5 mg"), treatment);
    story_synced(c, B);
    cluster_stop(c, A);
    cluster_stop(c, B);
    damage_flip_anchor(c, B, 12);
    restart(c, B);
    cluster_stop(c, B);
    cluster_restore_home(c, B, "sound");
    cluster_start(c, B);
    assert_true(story_unlock_restored(c, B));
    assert_true(damage_told(c, B, "restored", &told));
    restart(c, A);
    same_again(c);
}

static void a_damaged_keystore_is_replaced_by_its_twin(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char patient[40];
    size_t len = 0;
    two_nodes(c, patient);
    cluster_stop(c, B);
    cluster_copy_home(c, B, "sound");
    free(damage_read(c, B, "keystore", &len));
    for (size_t at = 0; at < len; at += len / 12) {
        cluster_restore_home(c, B, "sound");
        damage_flip(c, B, "keystore", at);
        restart(c, B);
        same_again(c);
        assert_true(damage_told(c, B, "keystore", &told));
        cluster_stop(c, B);
    }
    cluster_restore_home(c, B, "sound");
    damage_remove(c, B, "keystore");
    restart(c, B);
    same_again(c);
}

static void without_a_keystore_the_remedy_is_told_and_works(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    struct story_proof a;
    struct story_proof b;
    char patient[40];
    two_nodes(c, patient);
    cluster_stop(c, B);
    damage_flip(c, B, "keystore", 20);
    damage_flip(c, B, "keystore.twin", 20);
    cluster_start(c, B);
    story_ask(&r);
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    assert_int_equal(story_send(&r, c, B, "session.unlock"), ML_E_CORRUPT);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "damage.keystore_lost");
    story_end(&r);
    story_ask(&r);
    assert_int_equal(story_send(&r, c, B, "node.status"), ML_OK);
    const struct ml_value *org = ml_value_at(story_get(&r, "orgs"), 0);
    assert_string_equal(ml_value_text(ml_value_get(org, "keystore"), ""), "CORRUPT");
    story_end(&r);
    cluster_stop(c, B);
    story_join(c, A, B, "Inès Leroy", 60); /* again */
    story_synced(c, B);
    story_verify(c, A, &a);
    story_verify(c, B, &b);
    assert_string_equal(a.state_hash, b.state_hash);
    assert_int_equal(b.ops, TREATMENTS + 1);
}

static void a_keystore_that_could_not_be_read_for_a_moment_is_read_again(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    two_nodes(c, patient);
    cluster_stop(c, B);
    damage_hide(c, B, "keystore", true);
    damage_hide(c, B, "keystore.twin", true);
    cluster_start(c, B);
    assert_int_equal(story_try_unlock(c, B, "une phrase de passe d'essai"), ML_E_IO);
    assert_int_equal(story_try_unlock(c, B, "une phrase de passe d'essai"), ML_E_IO);
    damage_hide(c, B, "keystore", false);
    damage_hide(c, B, "keystore.twin", false);
    assert_int_equal(story_try_unlock(c, B, "une phrase de passe d'essai"), ML_OK);
    same_again(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(any_destroyed_page_of_the_log_comes_back_from_a_peer),
        T(a_log_of_any_length_comes_back),
        T(a_log_that_is_gone_or_another_file_comes_back),
        T(any_destroyed_frame_of_the_wal_comes_back),
        T(a_lone_node_keeps_what_can_be_read_and_says_what_is_lost),
        T(a_lone_node_keeps_what_stands_before_a_destroyed_frame),
        T(a_lone_node_keeps_what_was_written_back_before_a_destroyed_wal),
        T(a_second_repair_leaves_named_what_the_first_one_lost),
        T(a_second_repair_leaves_said_that_nothing_could_be_read),
        T(bodies_that_were_missing_at_a_peer_come_when_it_has_them),
        T(what_was_offered_is_never_signed_again),
        T(damage_under_a_session_is_repaired_and_the_session_stays),
        T(a_repair_that_was_cut_is_finished),
        T(a_damaged_vault_is_made_again),
        T(damaged_drafts_are_set_aside_and_what_can_be_read_stays),
        T(a_damaged_journal_of_traces_begins_anew),
        T(a_damaged_anchor_makes_new_writers),
        T(a_backup_older_than_a_new_writer_is_told_once),
        T(a_backup_older_than_a_damaged_anchor_is_told),
        T(a_damaged_keystore_is_replaced_by_its_twin),
        T(without_a_keystore_the_remedy_is_told_and_works),
        T(a_keystore_that_could_not_be_read_for_a_moment_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
