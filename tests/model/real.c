/* real.c -- what log stores make of a history: the same bundles, with keys and signatures. See
 * model.h.
 *
 * Each of the three writes at a store of his own, which has heard of what he saw. In the end all
 * hear of everything, and one more hears of it backwards. Each writer has one record, of before the
 * history begins; an act of any member (M_OTHER) adopts the next one's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/hlc.h"
#include "core/crypto/hash.h"
#include "core/crypto/sign.h"
#include "core/store/vfs/vfs.h"
#include "fault_vfs.h"
#include "model.h"
#include "support_world.h"

#define DISK   "model-disk"
#define SEALED "model-sealed"

enum { STORES = M_WRITERS + 1, WIRES = M_ACTS + M_WRITERS };

static const uint8_t vfs_key[ML_VFS_KEY_BYTES] = "an unguessable key of 32 bytes.";

struct real {
    struct world w;
    struct fault_disk *disk;
    struct ml_log *logs[STORES];
    size_t wire[M_ACTS];      /* of each act, among those made */
    size_t record[M_WRITERS]; /* of each writer's record */
    struct ml_secret
        *roots[M_ROOTS]; /* keys that Root is given, ascending; none without rotations */
};

static void hear(struct real *r, unsigned log, size_t wire)
{
    assert_int_not_equal(world_ingest(r->logs[log], r->w.made[wire].wire).result, ML_LOG_REFUSED);
}

/* ---- ops ---- */

static int compare_deps(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

/* The bundle that a cut names. */
static size_t wire_of(const struct real *r, const struct m_history *h, const struct ml_cut *cut)
{
    size_t wire = r->record[cut->writer];
    for (unsigned i = 0; i < h->count && cut->lane == 0; i++) {
        const struct m_act *x = &h->acts[i];
        wire = x->writer == cut->writer && x->seq == cut->seq ? r->wire[i] : wire;
    }
    return wire;
}

static struct ml_list heads_of(struct real *r, const struct m_history *h, const struct m_act *x)
{
    static struct ml_dep deps[2 * M_WRITERS];
    uint32_t count = 0;
    for (size_t c = 0; c < x->say.cut_count; c++) {
        deps[count++] = r->w.made[wire_of(r, h, &x->cuts[c])].id;
    }
    qsort(deps, count, sizeof(deps[0]), compare_deps);
    return (struct ml_list){.items = deps, .count = count};
}

static struct ml_hash hash_of(struct real *r, size_t wire)
{
    struct ml_bundle bundle;
    assert_int_equal(ml_bundle_decode(&bundle, r->w.made[wire].wire, NULL), ML_OK);
    return ml_bundle_hash(&bundle, &r->w.org);
}

static bool takes_hands(const struct ml_say *say)
{
    return say->second_count > 0 || say->root;
}

/* ---- Root's keys ---- */

static int compare_roots(const void *a, const void *b)
{
    struct ml_sign_pk x;
    struct ml_sign_pk y;
    ml_sign_pk_of(&x, *(struct ml_secret *const *)a);
    ml_sign_pk_of(&y, *(struct ml_secret *const *)b);
    return memcmp(x.b, y.b, sizeof(x.b));
}

static void roots_make(struct real *r)
{
    struct ml_sign_pk pk;
    for (size_t i = 0; i < M_ROOTS; i++) {
        assert_int_equal(ml_sign_keypair(&pk, &r->roots[i], &r->w.fake.env), ML_OK);
    }
    qsort(r->roots, M_ROOTS, sizeof(struct ml_secret *), compare_roots);
}

static void roots_free(struct real *r)
{
    for (size_t i = 0; i < M_ROOTS; i++) {
        ml_secret_free(r->roots[i]);
    }
}

/* Of the Root in force by what this writer has seen. */
static struct ml_secret *root_of(const struct real *r, uint32_t writer)
{
    const struct ml_fact *in_force = ml_gov_root(ml_log_gov(r->logs[writer]));
    struct ml_sign_pk pk;
    for (size_t i = 0; i < M_ROOTS && r->roots[i] != NULL; i++) {
        ml_sign_pk_of(&pk, r->roots[i]);
        if (memcmp(&pk, &in_force->sign_pk, sizeof(pk)) == 0) {
            return r->roots[i];
        }
    }
    return r->w.root;
}

static struct ml_secret *rotation_fill(struct real *r, struct ml_govop *op, unsigned number)
{
    struct ml_secret *fresh = NULL;
    if (r->roots[0] == NULL) {
        roots_make(r);
    }
    fresh = r->roots[number];
    op->type = ML_GOVOP_ROOT_ROTATE;
    ml_sign_pk_of(&op->u.root_rotate.root_sign, fresh);
    return fresh;
}

static struct ml_slice op_of(struct real *r, const struct m_history *h, const struct m_act *x)
{
    struct world *w = &r->w;
    const struct ml_say *say = &x->say;
    const struct actor *who = &w->actors[say->member < M_WRITERS ? say->member : 0];
    struct ml_govop op = {.type = ML_GOVOP_CHECKPOINT};
    const struct ml_secret *cosigner = NULL;
    unsigned hands[ML_SECONDS];
    switch (say->kind) {
    case ML_SAY_MEMBER:
        if (say->garant) {
            op.type = ML_GOVOP_GARANT_NAME;
            op.u.garant_name.member = who->member;
            break;
        }
        op.type = ML_GOVOP_MEMBER_ADD;
        op.u.member_add =
            (struct ml_member_add){.member = who->member, .rank = say->rank, .role = 60};
        break;
    case ML_SAY_MON:
        op.type = ML_GOVOP_NODE_ENROL;
        op.u.node_enrol = (struct ml_node_enrol){
            .member = who->member, .node = who->node, .mon_sign = who->mon_pk};
        break;
    case ML_SAY_WRITER:
        return world_opening(w, who);
    case ML_SAY_DENIAL:
        op.type = ML_GOVOP_DENY;
        op.u.deny.member = who->member;
        op.u.deny.mode = (uint8_t)say->mode;
        op.u.deny.until_ms = say->until_ms;
        op.u.deny.cuts = heads_of(r, h, x);
        if (say->node != ML_NOBODY) {
            op.u.deny.node = who->node;
        }
        break;
    case ML_SAY_CHECKPOINT:
        op.u.checkpoint.heads = heads_of(r, h, x);
        break;
    case ML_SAY_ROLE:
        op.type = ML_GOVOP_ROLE_GRANT;
        op.u.role_grant = (struct ml_role_grant){.member = who->member, .role = 60};
        break;
    case ML_SAY_ROTATE:
        cosigner = rotation_fill(r, &op, say->order[0]);
        break;
    case ML_SAY_OTHER:
        op.type = ML_GOVOP_JUDGE;
        op.u.judge.bundle = hash_of(r, r->record[(x->writer + 1) % M_WRITERS]);
        break;
    }
    for (unsigned i = 0; i < say->second_count; i++) {
        hands[i] = say->seconds[i];
    }
    if (takes_hands(say)) {
        world_hands(w, &op, hands, say->second_count, say->root);
    }
    return world_op(w, &op, cosigner);
}

/* ---- bundles ---- */

static void write_act(struct real *r, const struct m_history *h, unsigned i)
{
    const struct m_act *x = &h->acts[i];
    for (unsigned k = 0; k < i; k++) {
        if (m_has(x->past, k)) {
            hear(r, x->writer, r->wire[k]);
        }
    }
    const struct ml_slice op = op_of(r, h, x);
    const struct draft d = {.by = &r->w.actors[x->writer],
                            .ops = &op,
                            .op_count = 1,
                            .hlc = ml_hlc_make(x->ms, (uint16_t)i)};
    struct ml_secret *founding = r->w.root;
    r->wire[i] = r->w.made_count;
    r->w.root = root_of(r, x->writer);
    (void)world_build(&r->w, r->logs[x->writer], &d);
    r->w.root = founding;
    hear(r, x->writer, r->wire[i]);
}

static void write_record(struct real *r, uint32_t writer)
{
    const struct ml_slice op = world_sealed(ML_LANE_RECORD);
    const struct draft d = {.by = &r->w.actors[writer],
                            .lane = ML_LANE_RECORD,
                            .ops = &op,
                            .op_count = 1,
                            .hlc = ml_hlc_make(M_NOW_MS, M_SETUP)};
    r->record[writer] = r->w.made_count;
    (void)world_build(&r->w, r->logs[writer], &d);
    hear(r, writer, r->record[writer]);
}

static void write_all(struct real *r, const struct m_history *h)
{
    world_found(&r->w);
    for (unsigned s = 0; s < STORES; s++) {
        r->logs[s] = world_log(&r->w);
    }
    r->wire[0] = 0;
    hear(r, 0, 0);
    for (unsigned i = 1; i < M_SETUP; i++) {
        write_act(r, h, i);
    }
    for (uint32_t w = 0; w < M_WRITERS; w++) {
        for (unsigned i = 0; i < M_SETUP; i++) {
            hear(r, w, r->wire[i]);
        }
        write_record(r, w);
    }
    for (unsigned i = M_SETUP; i < h->count; i++) {
        write_act(r, h, i);
    }
    for (size_t k = 0; k < r->w.made_count; k++) {
        for (unsigned s = 0; s < M_WRITERS; s++) {
            hear(r, s, k);
        }
        hear(r, M_WRITERS, r->w.made_count - 1 - k);
    }
}

/* ---- verdicts ---- */

/* By somebody of rank 2 or better, in an act that counts: nobody adopts what he wrote himself. */
static bool is_adopted(const struct m_history *h, const struct m_outcome *want, uint32_t writer)
{
    bool adopted = false;
    for (unsigned i = M_SETUP; i < h->count; i++) {
        const struct m_act *x = &h->acts[i];
        adopted = adopted || (x->saying == M_OTHER && (x->writer + 1) % M_WRITERS == writer &&
                              want->all[i] == ML_REASON_NONE && want->author[i] <= 2);
    }
    return adopted;
}

static ml_reason wanted_record(const struct m_history *h, const struct m_outcome *want, uint32_t w)
{
    const bool adopted = want->record[w] != ML_REASON_NONE && is_adopted(h, want, w);
    m_tally.adopted += adopted;
    return adopted ? ML_REASON_ADOPTED : (ml_reason)want->record[w];
}

static bool is_ruled(struct real *r, unsigned s, size_t wire, ml_reason reason)
{
    const struct ml_ruling got = world_ruling(r->logs[s], &r->w.made[wire].id);
    if (got.reason != reason) {
        printf("store %u, bundle %zu: %s, not %s\n", s, wire, ml_reason_text(got.reason),
               ml_reason_text(reason));
    }
    return got.reason == reason;
}

struct line {
    struct ml_hash hash;
    uint8_t verdict;
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    return memcmp(x->hash.b, y->hash.b, sizeof(x->hash.b));
}

/* state_hash, of the verdicts that are wanted (docs/storage/log.md). */
static struct ml_hash wanted_state(struct real *r, const ml_reason *reasons)
{
    struct line lines[WIRES];
    struct ml_hash out;
    struct ml_hash_state st;
    for (size_t i = 0; i < r->w.made_count; i++) {
        const bool counts = reasons[i] == ML_REASON_NONE || reasons[i] == ML_REASON_ADOPTED;
        lines[i].hash = hash_of(r, i);
        lines[i].verdict = counts ? ML_VERDICT_ACCEPTED : ML_VERDICT_QUARANTINED;
    }
    qsort(lines, r->w.made_count, sizeof(lines[0]), compare_lines);
    ml_hash_init(&st, sizeof(out.b), NULL, 0);
    for (size_t i = 0; i < r->w.made_count; i++) {
        ml_hash_update(&st, lines[i].hash.b, sizeof(lines[i].hash.b));
        ml_hash_update(&st, &lines[i].verdict, 1);
    }
    ml_hash_final(&st, out.b, sizeof(out.b));
    return out;
}

static bool is_as_wanted(struct real *r, const struct m_history *h, const struct m_outcome *want)
{
    ml_reason reasons[WIRES];
    bool good = true;
    for (unsigned i = 0; i < h->count; i++) {
        reasons[r->wire[i]] = (ml_reason)want->all[i];
    }
    for (uint32_t w = 0; w < M_WRITERS; w++) {
        reasons[r->record[w]] = wanted_record(h, want, w);
    }
    const struct ml_hash state = wanted_state(r, reasons);
    for (unsigned s = 0; s < STORES; s++) {
        struct ml_hash got;
        for (size_t i = 0; i < r->w.made_count; i++) {
            good = is_ruled(r, s, i, reasons[i]) && good;
        }
        assert_int_equal(ml_log_state_hash(r->logs[s], &got), ML_OK);
        if (memcmp(got.b, state.b, sizeof(got.b)) != 0) {
            printf("store %u: another state_hash\n", s);
            good = false;
        }
    }
    return good;
}

bool real_check(const struct m_history *h, const struct m_outcome *want, uint64_t seed)
{
    static struct real r;
    memset(&r, 0, sizeof(r));
    world_init(&r.w, seed);
    r.disk = fault_disk_new(DISK, seed);
    assert_non_null(r.disk);
    assert_int_equal(ml_vfs_register_over(SEALED, vfs_key, DISK, 0), ML_OK);
    r.w.vfs = SEALED;
    write_all(&r, h);
    const bool good = is_as_wanted(&r, h, want);
    for (unsigned s = 0; s < STORES; s++) {
        ml_log_close(r.logs[s]);
    }
    assert_int_equal(ml_vfs_unregister(SEALED), ML_OK);
    fault_disk_free(r.disk);
    roots_free(&r);
    assert_int_equal(world_free(&r.w), 0);
    m_tally.stores++;
    return good;
}
