/* test_log_adversary.c -- what an entitled member does with others' words (docs/threat-model.md):
 * he says them again, carries them to another structure, cites what there isn't.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

enum { CHIEF, NURSE, REFERENT, OTHER }; /* actors */

#define DISK   "adversary-disk" /* in memory */
#define SEALED "adversary-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *log;
};

static struct ml_log_outcome say(struct fixture *f, unsigned by, struct ml_slice op)
{
    const struct draft d = {.by = &f->w.actors[by], .ops = &op, .op_count = 1};
    return world_ingest(f->log, world_build(&f->w, f->log, &d));
}

static struct ml_govop membership(struct fixture *f, unsigned who, uint8_t rank)
{
    return (struct ml_govop){
        .type = ML_GOVOP_MEMBER_ADD,
        .u.member_add = {.member = f->w.actors[who].member, .rank = rank, .role = 60}};
}

static int setup(void **state)
{
    static struct fixture f;
    world_init(&f.w, 79);
    f.disk = fault_disk_new(DISK, 79);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    world_found(&f.w);
    f.log = world_log(&f.w);
    assert_int_equal(world_ingest(f.log, f.w.made[0].wire).result, ML_LOG_STORED);
    for (unsigned i = NURSE; i <= OTHER; i++) {
        world_enrol(&f.w, f.log, i);
    }
    struct ml_govop op = membership(&f, REFERENT, 2);
    assert_int_equal(say(&f, CHIEF, world_op(&f.w, &op, NULL)).reason, ML_REASON_NONE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ml_log_close(f->log);
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

/* Rules B11: the same people, the same keys, another founding. */
static void what_was_said_in_another_structure_is_refused(void **state)
{
    struct fixture *f = *state;
    static struct world there;
    world_init(&there, 79);
    there.vfs = SEALED;
    there.fake.wall_ms += 1;
    world_found(&there);
    assert_memory_equal(&there.actors[CHIEF].id, &f->w.actors[CHIEF].id,
                        sizeof(there.actors[0].id));
    assert_memory_not_equal(&there.org, &f->w.org, sizeof(there.org));
    struct ml_log *log = world_log(&there);
    assert_int_equal(world_ingest(log, there.made[0].wire).result, ML_LOG_STORED);
    world_enrol(&there, log, NURSE);
    (void)world_record(&there, log, NURSE, 1);
    struct ml_log_counts before;
    struct ml_log_counts after;
    assert_int_equal(ml_log_counts(f->log, &before), ML_OK);
    for (size_t i = 0; i < there.made_count; i++) {
        const struct ml_log_outcome o = world_ingest(f->log, there.made[i].wire);
        assert_int_not_equal(o.result, ML_LOG_STORED);
        assert_int_not_equal(o.result, ML_LOG_PENDING);
    }
    assert_int_equal(ml_log_counts(f->log, &after), ML_OK);
    assert_memory_equal(&before, &after, sizeof(before));
    ml_log_close(log);
    assert_int_equal(world_free(&there), 0);
}

/* Rules B10, B24: it waits for what never comes, and nobody else does; not even whom it names. */
static void a_citation_of_what_there_is_not_stops_its_author_alone(void **state)
{
    struct fixture *f = *state;
    struct ml_dep deps[16];
    struct ml_log_next next;
    assert_int_equal(ml_log_next_own(f->log, &f->w.actors[NURSE].id, ML_LANE_RECORD, &next), ML_OK);
    assert_true(next.dep_count < 16);
    memcpy(deps, next.deps, next.dep_count * sizeof(deps[0]));
    struct ml_dep none = {.writer = f->w.actors[OTHER].id, .lane = ML_LANE_RECORD, .seq = 1};
    memset(none.hash.b, 0x5a, sizeof(none.hash.b));
    size_t at = next.dep_count;
    for (; at > 0 && ml_dep_compare(&deps[at - 1], &none) > 0; at--) {
        deps[at] = deps[at - 1];
    }
    deps[at] = none;
    next.deps = deps;
    next.dep_count++;
    const struct ml_slice op = world_sealed(ML_LANE_RECORD);
    const struct draft d = {.by = &f->w.actors[NURSE],
                            .lane = ML_LANE_RECORD,
                            .ops = &op,
                            .op_count = 1,
                            .next = &next};
    assert_int_equal(world_ingest(f->log, world_build(&f->w, f->log, &d)).result, ML_LOG_PENDING);
    (void)world_record(&f->w, f->log, OTHER, 1); /* another bundle in the place that it names */
    (void)world_record(&f->w, f->log, REFERENT, 1);
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(f->log, &counts), ML_OK);
    assert_int_equal(counts.pending, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_said_in_another_structure_is_refused),
        TEST(a_citation_of_what_there_is_not_stops_its_author_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
