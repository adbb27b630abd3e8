/* support_shred.h -- a group of three, a stranger, a wrap and what replaces it: for the tests of
 * SHREDs. */
#ifndef ML_TESTS_SUPPORT_SHRED_H
#define ML_TESTS_SUPPORT_SHRED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/ids.h"
#include "core/codec/keyop.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "support_world.h"

enum { CHIEF, NURSE, COLLEAGUE, STUDENT }; /* actors; the student reads nothing of the group */
enum { NURSING = 60, LEARNING = 99, GROUP = ML_COMPARTMENT_VITAL };

#define DISK   "shred-disk"
#define SEALED "shred-sealed"

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct fixture {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *a;
    struct ml_version_id epoch; /* of the group of all but the student */
    struct ml_version_id wrap;
    struct ml_version_id slots;
};

static const struct ml_team_id team = {{0x71}};
static const struct ml_stream_id stream = {{0x51, 0x52, 0x53, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
static const struct ml_key_id dek = {{0xd1}};
static const struct ml_key_id kek = {{0xe1}};

/* Looked for in files: what the wrap is made of. */
static const char secret[] = "the DEK as the group's key wraps it: 48 bytes ..";

static inline struct ml_box_pk box_of(unsigned i)
{
    struct ml_box_pk pk = {{0}};
    memset(pk.b, i == CHIEF ? 0 : (int)(0xb0 + i), sizeof(pk.b)); /* the founder's is zeros */
    return pk;
}

/* ---- making ---- */

static inline struct ml_log_outcome say(struct fixture *f, unsigned by, struct ml_govop *op)
{
    struct ml_slice bytes = world_op(&f->w, op, NULL);
    const struct draft d = {.by = &f->w.actors[by], .ops = &bytes, .op_count = 1};
    return world_ingest(f->a, world_build(&f->w, f->a, &d));
}

static inline void admit(struct fixture *f, unsigned i, uint16_t role)
{
    const struct actor *a = &f->w.actors[i];
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD,
                          .u.member_add = {.member = a->member, .rank = 3, .role = role}};
    assert_int_equal(say(f, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    op = (struct ml_govop){
        .type = ML_GOVOP_NODE_ENROL,
        .u.node_enrol = {
            .member = a->member, .node = a->node, .mon_sign = a->mon_pk, .mon_box = box_of(i)}};
    memcpy(op.u.node_enrol.noise.b, a->mon_pk.b, sizeof(op.u.node_enrol.noise.b));
    assert_int_equal(say(f, CHIEF, &op).verdict, ML_VERDICT_ACCEPTED);
    struct ml_slice bytes = world_opening(&f->w, a);
    (void)world_append(&f->w, f->a, &(struct draft){.by = a, .ops = &bytes, .op_count = 1});
}

/* One bundle of lane 1 with up to four ops, built on `log` and given to it. */
static inline struct ml_hash16 keys_by(struct fixture *f, struct ml_log *log, unsigned by,
                                       const struct ml_keyop *ops, uint32_t count)
{
    struct ml_buf bufs[4];
    struct ml_slice bytes[4];
    for (uint32_t i = 0; i < count; i++) {
        ml_buf_init(&bufs[i], &f->w.fake.env, ML_BODY_BYTES_MAX);
        assert_int_equal(ml_keyop_encode(&bufs[i], &ops[i]), ML_OK);
        bytes[i] = ml_buf_slice(&bufs[i]);
    }
    const struct draft d = {
        .by = &f->w.actors[by], .lane = ML_LANE_KEYS, .ops = bytes, .op_count = count};
    assert_int_equal(world_ingest(log, world_build(&f->w, log, &d)).result, ML_LOG_STORED);
    for (uint32_t i = 0; i < count; i++) {
        ml_buf_free(&bufs[i]);
    }
    return f->w.made[f->w.made_count - 1].id.hash;
}

static inline int by_recipient(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_recipient_id));
}

static inline struct ml_keyop epoch_op(const struct ml_key_id *id)
{
    static struct ml_epoch_slot slots[3];
    struct ml_keyop op = {.type = ML_KEYOP_KEK_EPOCH};
    for (unsigned i = CHIEF; i <= COLLEAGUE; i++) {
        const struct ml_box_pk pk = box_of(i);
        slots[i] = (struct ml_epoch_slot){.recipient = ml_recipient_id_of(&pk)};
    }
    qsort(slots, 3, sizeof(slots[0]), by_recipient);
    op.u.kek_epoch = (struct ml_kek_epoch){.team = team,
                                           .compartment = GROUP,
                                           .epoch = 1,
                                           .kek = *id,
                                           .break_glass = {{0x99}},
                                           .slots = {.items = slots, .count = 3}};
    return op;
}

static inline struct ml_keyop wrap_op(void)
{
    struct ml_keyop op = {.type = ML_KEYOP_DEK_WRAP,
                          .u.dek_wrap = {.stream = stream, .dek = dek, .kek = kek}};
    memcpy(op.u.dek_wrap.ct, secret, sizeof(op.u.dek_wrap.ct));
    return op;
}

/* To the actors of these bits. */
static inline struct ml_keyop slots_op(unsigned actors)
{
    static struct ml_dek_slot slots[4];
    struct ml_keyop op = {.type = ML_KEYOP_DEK_SLOTS};
    uint32_t count = 0;
    for (unsigned i = CHIEF; i <= STUDENT; i++) {
        const struct ml_box_pk pk = box_of(i);
        if ((actors >> i & 1u) != 0) {
            slots[count++] = (struct ml_dek_slot){.recipient = ml_recipient_id_of(&pk)};
        }
    }
    qsort(slots, count, sizeof(slots[0]), by_recipient);
    op.u.dek_slots = (struct ml_dek_slots){
        .stream = stream, .dek = dek, .slots = {.items = slots, .count = count}};
    return op;
}

static inline struct ml_keyop shred_op(const struct fixture *f)
{
    static struct ml_shred_wrap one;
    one = (struct ml_shred_wrap){
        .wrap.id = f->wrap, .by.id = f->slots, .epoch.id = f->epoch, .dek = dek};
    return (struct ml_keyop){.type = ML_KEYOP_SHRED,
                             .u.shred = {.stream = stream, .wraps = {.items = &one, .count = 1}}};
}

static inline struct ml_version_id at(const struct ml_hash16 *bundle, uint8_t index)
{
    return (struct ml_version_id){.bundle = *bundle, .index = index};
}

/* The wrap is the second op of its bundle: what lies beside it stays. */
static inline void begin(struct fixture *f)
{
    const struct ml_keyop epoch = epoch_op(&kek);
    const struct ml_keyop both[] = {slots_op(1u << STUDENT), wrap_op()};
    struct ml_hash16 hash = keys_by(f, f->a, CHIEF, &epoch, 1);
    f->epoch = at(&hash, 0);
    hash = keys_by(f, f->a, CHIEF, both, 2);
    f->wrap = at(&hash, 1);
    const struct ml_keyop slots = slots_op(1u << CHIEF | 1u << NURSE);
    hash = keys_by(f, f->a, CHIEF, &slots, 1);
    f->slots = at(&hash, 0);
}

static inline struct ml_version_id shred_by(struct fixture *f, unsigned by,
                                            const struct ml_keyop *op)
{
    const struct ml_hash16 hash = keys_by(f, f->a, by, op, 1);
    return at(&hash, 0);
}

/* ---- seeing ---- */

static inline void take_outcome(void *user, const struct ml_log_outcome *o)
{
    *(struct ml_log_outcome *)user = *o;
}

static inline bool is_leaf(struct ml_log *log, const struct ml_version_id *id)
{
    struct ml_log_entry e;
    struct ml_body_walk walk;
    struct ml_body_op op;
    assert_int_equal(ml_log_get(log, &id->bundle, &e), ML_OK);
    assert_int_equal(e.body.absent, 0);
    ml_body_walk(&walk, e.body.bytes);
    while (ml_body_next(&walk, &op) && walk.index != id->index) {
        assert_false(op.shredded); /* nothing beside it */
    }
    assert_int_equal(walk.index, id->index);
    return op.shredded;
}

static inline void no_problem(void *user, const char *what)
{
    (void)user;
    fail_msg("%s", what);
}

static inline void hear(struct fixture *f, struct ml_log *log)
{
    for (size_t i = 0; i < f->w.made_count; i++) {
        assert_int_not_equal(world_ingest(log, f->w.made[i].wire).result, ML_LOG_REFUSED);
    }
}

static inline int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    world_init(&f.w, 91);
    f.disk = fault_disk_new(DISK, 91);
    assert_non_null(f.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    f.w.vfs = SEALED;
    world_found(&f.w);
    f.a = world_log(&f.w);
    assert_int_equal(world_ingest(f.a, f.w.made[0].wire).result, ML_LOG_STORED);
    admit(&f, NURSE, NURSING);
    admit(&f, COLLEAGUE, NURSING);
    admit(&f, STUDENT, LEARNING);
    struct ml_govop add = {.type = ML_GOVOP_TEAM_ADD, .u.team_add = {.team = team}};
    assert_int_equal(say(&f, CHIEF, &add).verdict, ML_VERDICT_ACCEPTED);
    struct ml_matrix m;
    ml_matrix_default(&m);
    struct ml_govop set = world_matrix(&f.w, &m);
    assert_int_equal(say(&f, CHIEF, &set).verdict, ML_VERDICT_ACCEPTED);
    begin(&f);
    *state = &f;
    return 0;
}

/* Whoever hears of all, in whatever order, has what `a` has. */
static inline int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->a != NULL) {
        const bool leaf = is_leaf(f->a, &f->wrap);
        struct ml_log *backwards = world_log(&f->w);
        for (size_t i = f->w.made_count; i > 0; i--) {
            (void)world_ingest(backwards, f->w.made[i - 1].wire);
        }
        hear(f, f->a);
        assert_int_equal(ml_log_verify(f->a, no_problem, NULL), ML_OK);
        assert_int_equal(ml_log_verify(backwards, no_problem, NULL), ML_OK);
        assert_true(world_same_state(f->a, backwards));
        assert_true(is_leaf(backwards, &f->wrap) == leaf);
        assert_true(is_leaf(f->a, &f->wrap) == leaf);
        ml_log_close(backwards);
        ml_log_close(f->a);
    }
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(f->disk);
    return world_free(&f->w);
}

#endif
