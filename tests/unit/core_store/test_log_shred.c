/* test_log_shred.c -- wraps that an exclusion replaced are destroyed by every log that hears of it,
 * with or without keys (rules A5, B11, C12; docs/storage/log.md): what is destroyed, what isn't,
 * and that nothing is before what replaces it is here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/store/log_rebuild.h"
#include "support_shred.h"

/* ---- what is destroyed ---- */

static void a_wrap_that_was_replaced_is_destroyed(void **state)
{
    struct fixture *f = *state;
    struct ml_log_shredded told = {.number = 0};
    struct ml_log_entry e;
    const struct ml_keyop op = shred_op(f);
    assert_false(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shredded_after(f->a, 0, &told), ML_E_NOT_FOUND);
    const struct ml_version_id shred = shred_by(f, CHIEF, &op);
    assert_true(is_leaf(f->a, &f->wrap));
    assert_false(is_leaf(f->a, &f->slots));
    assert_int_equal(ml_log_shredded_after(f->a, 0, &told), ML_OK);
    assert_int_equal(told.number, 1);
    assert_int_equal(told.left, 0);
    assert_memory_equal(&told.stream, &stream, sizeof(stream));
    assert_int_equal(ml_version_id_compare(&told.shred, &shred), 0);
    assert_int_equal(ml_log_shredded_after(f->a, 1, &told), ML_E_NOT_FOUND);
    assert_int_equal(ml_log_shreds_wiped(f->a), ML_OK);
    /* It counts what its bodies weigh now. */
    f->a = world_reopen(&f->w, f->a);
    assert_int_equal(ml_log_shreds(f->a), 1);
    assert_int_equal(ml_log_get(f->a, &f->wrap.bundle, &e), ML_OK);
    struct ml_buf wire;
    ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_join(&wire, e.header_bytes, &e.sig, &e.body), ML_OK);
    assert_int_equal(wire.len, e.bytes);
    ml_buf_free(&wire);
    /* And said again, nothing more happens. */
    (void)shred_by(f, NURSE, &op);
    assert_int_equal(world_ingest(f->a, f->w.made[f->w.made_count - 1].wire).result,
                     ML_LOG_DUPLICATE);
    assert_true(is_leaf(f->a, &f->wrap));
}

/* What a file and its WAL hold: plain, as with stock SQLite. */
static bool file_has(const char *path, const char *suffix, const char *what)
{
    char name[400];
    static char bytes[1 << 22];
    snprintf(name, sizeof(name), "%s%s", path, suffix);
    FILE *file = fopen(name, "rb");
    const size_t len = file == NULL ? 0 : fread(bytes, 1, sizeof(bytes), file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return memmem(bytes, len, what, strlen(what)) != NULL;
}

static bool disk_has(const struct fixture *f)
{
    char path[300];
    world_path(&f->w, path, sizeof(path));
    return file_has(path, "", secret) || file_has(path, "-wal", secret);
}

/* Rules C12. With what the log is sealed in left out: whoever has its key reads pages. */
static void no_byte_of_it_is_left_on_disk(void **state)
{
    struct fixture *f = *state;
    struct ml_log *plain = NULL;
    const struct ml_keyop op = shred_op(f);
    f->w.vfs = NULL;
    plain = world_log(&f->w);
    hear(f, plain);
    assert_true(disk_has(f));
    (void)shred_by(f, CHIEF, &op);
    assert_int_equal(world_ingest(plain, f->w.made[f->w.made_count - 1].wire).result,
                     ML_LOG_STORED);
    assert_true(is_leaf(plain, &f->wrap));
    assert_false(disk_has(f));
    ml_log_close(plain);
    f->w.vfs = SEALED;
}

static size_t wal_length(struct fixture *f)
{
    char path[304];
    size_t len = 0;
    world_path(&f->w, path, 300);
    memcpy(path + strlen(path), "-wal", 5);
    (void)fault_disk_bytes(f->disk, path, &len);
    return len;
}

/* The disk goes away between the commit and the checkpoint: the next opening makes up for it. */
static void what_is_cut_before_it_is_erased_is_erased_later(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop op = shred_op(f);
    (void)shred_by(f, CHIEF, &op);
    const struct ml_slice wire = f->w.made[f->w.made_count - 1].wire;
    struct ml_log *b = world_log(&f->w);
    struct ml_log_outcome o;
    bool cut = false;
    for (size_t i = 0; i + 1 < f->w.made_count; i++) {
        (void)world_ingest(b, f->w.made[i].wire);
    }
    for (long nth = 1; !cut; nth++) {
        const struct fault_plan plan = {.ops = FAULT_ALL, .nth = nth, .forever = true};
        fault_disk_plan(f->disk, &plan);
        ml_err err = ml_log_ingest(b, &wire, 1, take_outcome, &o);
        cut = err == ML_OK;
        assert_true(fault_disk_fired(f->disk));
        if (cut) {
            assert_int_not_equal(ml_log_shreds_wiped(b), ML_OK);
            ml_log_close(b); /* nor now */
        }
        fault_disk_plan(f->disk, NULL);
    }
    assert_true(wal_length(f) > 0);
    assert_int_equal(world_try_open(&f->w, &b), ML_OK);
    assert_true(is_leaf(b, &f->wrap));
    assert_int_equal(ml_log_shreds_wiped(b), ML_OK);
    assert_int_equal(wal_length(f), 0);
    ml_log_close(b);
}

static int by_wrap(const void *a, const void *b)
{
    const struct ml_shred_wrap *x = a;
    const struct ml_shred_wrap *y = b;
    return ml_version_id_compare(&x->wrap.id, &y->wrap.id);
}

/* Slots that were given to somebody who is left out now, and wraps for emergencies. */
static void slots_and_break_glass_wraps_go_alike(void **state)
{
    struct fixture *f = *state;
    struct ml_keyop ops[2] = {
        {.type = ML_KEYOP_BG_WRAP,
         .u.bg_wrap = {.stream = stream, .dek = dek, .break_glass = {{0x99}}}},
        {.type = ML_KEYOP_DEPOSIT_WRAP,
         .u.deposit_wrap = {.stream = stream, .dek = dek, .kek = kek}}};
    struct ml_shred_wrap all[4];
    const struct ml_hash16 both = keys_by(f, f->a, NURSE, ops, 2);
    const struct ml_keyop wide = slots_op(1u << CHIEF | 1u << COLLEAGUE);
    const struct ml_hash16 slots = keys_by(f, f->a, NURSE, &wide, 1);
    const struct ml_version_id goes[] = {f->wrap, at(&both, 0), at(&both, 1), at(&slots, 0)};
    for (size_t i = 0; i < 4; i++) {
        all[i] = (struct ml_shred_wrap){
            .wrap.id = goes[i], .by.id = f->slots, .epoch.id = f->epoch, .dek = dek};
    }
    qsort(all, 4, sizeof(all[0]), by_wrap);
    const struct ml_keyop op = {.type = ML_KEYOP_SHRED,
                                .u.shred = {.stream = stream, .wraps = {.items = all, .count = 4}}};
    (void)shred_by(f, CHIEF, &op);
    assert_int_equal(ml_log_shreds(f->a), 4);
    assert_true(is_leaf(f->a, &goes[0]) && is_leaf(f->a, &goes[1]) && is_leaf(f->a, &goes[3]));
    assert_false(is_leaf(f->a, &f->slots));
}

/* ---- what isn't ---- */

static void stays(struct fixture *f, unsigned by, const struct ml_keyop *op)
{
    (void)shred_by(f, by, op);
    assert_false(is_leaf(f->a, &f->wrap));
    assert_int_equal(ml_log_shreds(f->a), 0);
}

static struct ml_keyop wrong(const struct fixture *f, struct ml_shred_wrap *one)
{
    struct ml_keyop op = shred_op(f);
    *one = *(const struct ml_shred_wrap *)op.u.shred.wraps.items;
    op.u.shred.wraps.items = one;
    return op;
}

static void only_who_was_entitled_in_the_group_destroys(void **state)
{
    struct fixture *f = *state;
    struct ml_keyop op = shred_op(f);
    stays(f, NURSE, &op); /* entitled, but the slots aren't hers: nobody answers for them */
    const struct ml_keyop slots = slots_op(1u << CHIEF | 1u << STUDENT);
    const struct ml_hash16 hash = keys_by(f, f->a, STUDENT, &slots, 1);
    const struct ml_version_id by = f->slots;
    f->slots = at(&hash, 0);
    op = shred_op(f);
    stays(f, STUDENT, &op); /* may read nothing there */
    f->slots = by;
}

/* Who is denied before he says it. */
static void who_was_revoked_destroys_nothing(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop slots = slots_op(1u << CHIEF | 1u << COLLEAGUE);
    const struct ml_hash16 hash = keys_by(f, f->a, COLLEAGUE, &slots, 1);
    const struct ml_version_id by = f->slots;
    f->slots = at(&hash, 0);
    const struct ml_keyop op = shred_op(f);
    f->slots = by;
    struct ml_log *laptop = world_log(&f->w);
    hear(f, laptop);
    struct ml_govop deny = {
        .type = ML_GOVOP_DENY,
        .u.deny = {.member = f->w.actors[COLLEAGUE].member, .mode = ML_DENY_DEPARTURE}};
    deny.u.deny.cuts = world_heads(f->a, &f->w.actors[COLLEAGUE].member);
    assert_int_equal(say(f, CHIEF, &deny).verdict, ML_VERDICT_ACCEPTED);
    (void)keys_by(f, laptop, COLLEAGUE, &op, 1); /* his own laptop obeys, until it hears */
    ml_log_close(laptop);
    hear(f, f->a);
    assert_false(is_leaf(f->a, &f->wrap));
}

static void what_replaces_it_must_be_of_the_same_key(void **state)
{
    struct fixture *f = *state;
    struct ml_shred_wrap one;
    struct ml_keyop slots = slots_op(1u << CHIEF);
    slots.u.dek_slots.dek.b[0] ^= 1;
    struct ml_hash16 hash = keys_by(f, f->a, CHIEF, &slots, 1);
    struct ml_keyop op = wrong(f, &one);
    one.by.id = at(&hash, 0);
    stays(f, CHIEF, &op); /* of another key */
    one.dek.b[0] ^= 1;
    stays(f, CHIEF, &op); /* and the wrap isn't of that one */
    slots = slots_op(1u << CHIEF);
    slots.u.dek_slots.stream.b[0] ^= 1;
    hash = keys_by(f, f->a, CHIEF, &slots, 1);
    op = wrong(f, &one);
    one.by.id = at(&hash, 0);
    stays(f, CHIEF, &op); /* of another stream */
    op.u.shred.stream.b[0] ^= 1;
    stays(f, CHIEF, &op);
    op = wrong(f, &one);
    one.by.id = f->wrap;
    stays(f, CHIEF, &op); /* by itself */
    one.by.id.index = 0;
    stays(f, CHIEF, &op); /* of another kind or member */
    one.by.id.index = 77;
    stays(f, CHIEF, &op); /* by nothing */
    one.by = (struct ml_version_ref){.same_bundle = true};
    stays(f, CHIEF, &op); /* by the shred */
}

static void the_group_must_be_the_wraps_own(void **state)
{
    struct fixture *f = *state;
    struct ml_shred_wrap one;
    static const struct ml_key_id other = {{0xe2}};
    struct ml_keyop epoch = epoch_op(&other);
    epoch.u.kek_epoch.epoch = 2;
    struct ml_hash16 hash = keys_by(f, f->a, CHIEF, &epoch, 1);
    struct ml_keyop op = wrong(f, &one);
    one.epoch.id = at(&hash, 0);
    stays(f, CHIEF, &op); /* another key of it */
    epoch = epoch_op(&kek);
    epoch.u.kek_epoch.slots.count = 2;
    hash = keys_by(f, f->a, CHIEF, &epoch, 1);
    one.epoch.id = at(&hash, 0);
    stays(f, CHIEF, &op); /* the same, said for some of its people: it may not seal either */
    one.epoch.id = f->slots;
    stays(f, CHIEF, &op);
}

/* Two who replace each other's slots at the same time: one of the two stays. */
static void the_last_one_is_never_destroyed(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop slots = slots_op(1u << CHIEF | 1u << NURSE | 1u << COLLEAGUE);
    const struct ml_hash16 hash = keys_by(f, f->a, NURSE, &slots, 1);
    const struct ml_version_id hers = at(&hash, 0);
    struct ml_log *b = world_log(&f->w);
    hear(f, b);
    struct ml_shred_wrap one;
    struct ml_keyop op = wrong(f, &one);
    one.wrap.id = f->slots; /* the chief's go for hers */
    one.by.id = hers;
    (void)keys_by(f, f->a, NURSE, &op, 1);
    assert_true(is_leaf(f->a, &f->slots));
    one.wrap.id = hers; /* and hers for the chief's */
    one.by.id = f->slots;
    (void)keys_by(f, b, CHIEF, &op, 1);
    assert_true(is_leaf(b, &hers));
    hear(f, f->a);
    hear(f, b);
    assert_true(is_leaf(f->a, &f->slots) && !is_leaf(f->a, &hers));
    assert_true(is_leaf(b, &hers) && !is_leaf(b, &f->slots));
    /* What was replaced by what is gone goes for what replaced that. */
    op = shred_op(f);
    (void)keys_by(f, f->a, CHIEF, &op, 1);
    assert_true(is_leaf(f->a, &f->wrap));
    hear(f, b);
    assert_true(is_leaf(b, &f->wrap));
    ml_log_close(b);
}

/* ---- in whatever order ---- */

static struct ml_slice without_body(struct fixture *f, struct ml_buf *out, size_t made)
{
    struct ml_bundle bundle;
    const struct ml_wire_body none = {.absent = ML_ABSENT_NOT_RECEIVED};
    assert_int_equal(ml_bundle_decode(&bundle, f->w.made[made].wire, NULL), ML_OK);
    ml_buf_init(out, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_join(out, bundle.header_bytes, &bundle.sig, &none), ML_OK);
    return ml_buf_slice(out);
}

static size_t place_of(const struct fixture *f, const struct ml_version_id *id)
{
    size_t i = 0;
    while (memcmp(&f->w.made[i].id.hash, &id->bundle, sizeof(id->bundle)) != 0) {
        i++;
    }
    return i;
}

enum { LATE = 4, ORDERS = 24 };

static void headers_come(struct fixture *f, struct ml_log *log, const size_t late[LATE])
{
    for (size_t i = 0; i < f->w.made_count; i++) {
        struct ml_buf bare;
        const bool is_late = i == late[0] || i == late[1] || i == late[2] || i == late[3];
        const struct ml_slice without = without_body(f, &bare, i);
        const struct ml_slice wire = is_late ? without : f->w.made[i].wire;
        const bool governs = f->w.made[i].id.lane == ML_LANE_GOVERNANCE;
        assert_int_equal(world_ingest(log, governs ? f->w.made[i].wire : wire).result,
                         ML_LOG_STORED);
        ml_buf_free(&bare);
    }
}

/* The one of those that aren't here yet which this order takes next. */
static unsigned next_of(bool here[LATE], unsigned nth)
{
    unsigned i = 0;
    for (; here[i] || nth > 0; i++) {
        nth -= !here[i];
    }
    here[i] = true;
    return i;
}

/* The bodies of the wrap, of what replaces it, of the epoch and of the SHRED come in each order,
 * when all headers are here: nothing goes before the last of the last three. */
static void nothing_goes_before_what_replaces_it_is_here(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop op = shred_op(f);
    const struct ml_version_id shred = shred_by(f, CHIEF, &op);
    const size_t late[LATE] = {place_of(f, &f->wrap), place_of(f, &f->slots),
                               place_of(f, &f->epoch), place_of(f, &shred)};
    for (unsigned order = 0; order < ORDERS; order++) {
        struct ml_log *b = world_log(&f->w);
        bool here[LATE] = {false};
        unsigned left = order;
        headers_come(f, b, late);
        for (unsigned k = LATE; k > 0; left /= k--) {
            const unsigned i = next_of(here, left % k);
            assert_int_equal(world_ingest(b, f->w.made[late[i]].wire).result, ML_LOG_BODY);
            const bool all = here[1] && here[2] && here[3];
            assert_true(!here[0] || is_leaf(b, &f->wrap) == all);
        }
        assert_int_equal(ml_log_verify(b, no_problem, NULL), ML_OK);
        assert_true(world_same_state(f->a, b));
        ml_log_close(b);
    }
}

/* The wire forms as a node has them that obeyed. */
static void give_from(struct fixture *f, struct ml_log *to, struct ml_log *from, bool shreds)
{
    struct ml_log_entry e = {.n = 0};
    while (ml_log_after(from, e.n, UINT32_MAX, &e) == ML_OK) {
        struct ml_buf wire;
        const struct ml_version_id made = {ml_hash16_of(&e.hash), 0};
        if (!shreds && place_of(f, &made) + 1 == f->w.made_count) {
            return; /* all but the last one made */
        }
        ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
        assert_int_equal(ml_bundle_join(&wire, e.header_bytes, &e.sig, &e.body), ML_OK);
        (void)world_ingest(to, ml_buf_slice(&wire));
        ml_buf_free(&wire);
    }
}

/* A late node: of a leaf it keeps the rest, which is its body once the SHRED is here. */
static void a_late_node_takes_the_leaf_with_the_shred(void **state)
{
    struct fixture *f = *state;
    struct ml_log_counts counts;
    struct ml_log *b = world_log(&f->w);
    const struct ml_keyop op = shred_op(f);
    (void)shred_by(f, CHIEF, &op);
    give_from(f, b, f->a, false);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 1); /* a relay may say so: it is asked for */
    assert_false(world_same_state(f->a, b));
    const uint64_t epoch = ml_log_epoch(b);
    give_from(f, b, f->a, true);
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 0);
    assert_true(is_leaf(b, &f->wrap));
    assert_int_equal(ml_log_shreds(b), 1);
    assert_true(ml_log_epoch(b) !=
                epoch); /* vaults look again: what lies beside the leaf is here */
    assert_true(world_same_state(f->a, b));
    assert_int_equal(ml_log_verify(b, no_problem, NULL), ML_OK);
    ml_log_close(b);
}

/* A SHRED accounts for the op that it names and for no other. */
static void a_relay_blanks_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct ml_bundle bundle;
    struct ml_buf body;
    struct ml_buf wire;
    struct ml_log_counts counts;
    const size_t made = place_of(f, &f->wrap);
    const struct ml_keyop op = shred_op(f);
    (void)shred_by(f, CHIEF, &op);
    assert_int_equal(ml_bundle_decode(&bundle, f->w.made[made].wire, NULL), ML_OK);
    ml_buf_init(&body, &f->w.fake.env, ML_BODY_SHREDDED_MAX);
    ml_buf_init(&wire, &f->w.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_body_shred(&body, bundle.body.bytes, 0), ML_OK);
    const struct ml_wire_body blanked = {.bytes = ml_buf_slice(&body)};
    assert_int_equal(ml_bundle_join(&wire, bundle.header_bytes, &bundle.sig, &blanked), ML_OK);
    struct ml_log *b = world_log(&f->w);
    for (size_t i = 0; i < f->w.made_count; i++) {
        const struct ml_slice one = i == made ? ml_buf_slice(&wire) : f->w.made[i].wire;
        assert_int_equal(world_ingest(b, one).result, ML_LOG_STORED);
    }
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 1);
    assert_int_equal(world_ingest(b, f->w.made[made].wire).result, ML_LOG_BODY);
    assert_true(is_leaf(b, &f->wrap));
    assert_true(world_same_state(f->a, b));
    ml_log_close(b);
    ml_buf_free(&wire);
    ml_buf_free(&body);
}

static void none_lost(void *user, const struct ml_dep *place)
{
    (void)user;
    (void)place;
    fail();
}

/* A log that is made anew from its own bytes has only the leaf to show. */
static void a_log_made_anew_has_lost_nothing(void **state)
{
    struct fixture *f = *state;
    struct ml_log_rebuilt found;
    struct ml_log *b = NULL;
    char old[300];
    char fresh[300];
    const struct ml_keyop op = shred_op(f);
    (void)shred_by(f, CHIEF, &op);
    world_path(&f->w, old, sizeof(old));
    ml_log_close(f->a);
    f->w.files++;
    world_path(&f->w, fresh, sizeof(fresh));
    const struct ml_log_rebuild how = {
        .log = {.env = &f->w.fake.env, .path = old, .vfs = SEALED, .org = f->w.org},
        .fresh = fresh,
        .problem = no_problem,
        .lost = none_lost};
    assert_int_equal(ml_log_rebuild(&found, &how), ML_OK);
    assert_int_equal(found.lost + found.bodies_lost, 0);
    assert_int_equal(world_try_open(&f->w, &b), ML_OK);
    struct ml_log_counts counts;
    assert_int_equal(ml_log_counts(b, &counts), ML_OK);
    assert_int_equal(counts.bodies_missing, 0);
    assert_true(is_leaf(b, &f->wrap));
    f->a = b;
}

/* ---- failures ---- */

/* With the nth call failing: all of it happened, or nothing. */
static bool tried(struct fixture *f, struct ml_log *log, bool disk, long nth)
{
    const struct fault_plan plan = {.ops = FAULT_ALL, .nth = nth};
    struct ml_log_outcome o;
    fault_disk_plan(f->disk, disk ? &plan : NULL);
    f->w.fake.fail_alloc = disk ? 0 : nth;
    ml_err err = ml_log_ingest(log, &f->w.made[f->w.made_count - 1].wire, 1, take_outcome, &o);
    fault_disk_plan(f->disk, NULL);
    f->w.fake.fail_alloc = 0;
    assert_true(is_leaf(log, &f->wrap) == (err == ML_OK));
    assert_int_equal(ml_log_shreds(log), err == ML_OK);
    return err == ML_OK;
}

static void it_is_done_or_done_again(void **state)
{
    struct fixture *f = *state;
    const struct ml_keyop op = shred_op(f);
    (void)shred_by(f, CHIEF, &op);
    for (int disk = 0; disk < 2; disk++) {
        long nth = 1;
        struct ml_log *b = world_log(&f->w);
        for (size_t i = 0; i + 1 < f->w.made_count; i++) {
            (void)world_ingest(b, f->w.made[i].wire);
        }
        while (!tried(f, b, disk != 0, nth)) {
            nth++;
        }
        assert_true(nth > 5);
        assert_int_equal(ml_log_shreds_wiped(b), ML_OK);
        assert_int_equal(ml_log_verify(b, no_problem, NULL), ML_OK);
        assert_true(world_same_state(f->a, b));
        ml_log_close(b);
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_wrap_that_was_replaced_is_destroyed),
        T(no_byte_of_it_is_left_on_disk),
        T(what_is_cut_before_it_is_erased_is_erased_later),
        T(slots_and_break_glass_wraps_go_alike),
        T(only_who_was_entitled_in_the_group_destroys),
        T(who_was_revoked_destroys_nothing),
        T(what_replaces_it_must_be_of_the_same_key),
        T(the_group_must_be_the_wraps_own),
        T(the_last_one_is_never_destroyed),
        T(nothing_goes_before_what_replaces_it_is_here),
        T(a_late_node_takes_the_leaf_with_the_shred),
        T(a_relay_blanks_nothing_else),
        T(a_log_made_anew_has_lost_nothing),
        T(it_is_done_or_done_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
