/* tests/sim/sim_damage.c -- disks that give back something else than was written, machines that are
 * lost for ever; and what a node must then say (docs/storage/damage.md). */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/box.h"
#include "net/node/state.h"
#include "sim.h"

enum { DAMAGES_MAX = 3 /* a run */, SLOW_MS_MAX = 400, NAME_MAX_BYTES = 256 };

/* ---- which file ---- */

typedef enum target {
    TARGET_LOG,
    TARGET_WAL,
    TARGET_VAULT,
    TARGET_KEYSTORE,
    TARGET_ANCHOR,
    TARGET_JOURNAL,
    TARGET_DRAFTS,
    TARGETS
} target;

static const struct {
    const char *part;  /* of the name */
    const char * not ; /* not of it; NULL: any */
    sim_count_of count;
} targets[TARGETS] = {
    [TARGET_LOG] = {"/log.db", "-", SIM_ROT_LOG},
    [TARGET_WAL] = {"/log.db-wal", NULL, SIM_ROT_WAL},
    [TARGET_VAULT] = {"/vaults/", "-lock", SIM_ROT_VAULT},
    [TARGET_KEYSTORE] = {"/keystore", NULL, SIM_ROT_KEYSTORE},
    [TARGET_ANCHOR] = {"/anchor/", NULL, SIM_ROT_ANCHOR},
    [TARGET_JOURNAL] = {"/trace.journal", NULL, SIM_ROT_JOURNAL},
    [TARGET_DRAFTS] = {"/drafts/", "-lock", SIM_ROT_DRAFTS},
};

static bool name_fits(const char *name, target t)
{
    const char *at = strstr(name, targets[t].part);
    return at != NULL && strstr(name, "damaged") == NULL &&
           (targets[t].not == NULL || strstr(at, targets[t].not ) == NULL);
}

/* One of those that fit, by chance; NULL: there is none. */
static const char *file_any(struct sim *s, const struct sim_node *n, target t)
{
    const char *found = NULL;
    uint64_t seen = 0;
    for (const char *name = fault_disk_next_name(n->disk, NULL); name != NULL;
         name = fault_disk_next_name(n->disk, name)) {
        if (name_fits(name, t) && sim_below(s, ++seen) == 0) {
            found = name;
        }
    }
    return found;
}

/* ---- what is lost by it ---- */

bool sim_is_log(const char *name)
{
    return strstr(name, "/log") != NULL && strstr(name, "damaged") == NULL; /* a fresh one too */
}

/* The end of a WAL looks the same whether its last commits were cut by a power cut or eaten: of
 * those a node can't speak (rules C2). */
static void tail_may_go(struct sim *s, struct sim_node *n)
{
    n->ledger.tail_event = s->witness.event;
    n->ledger.tail_from = n->ledger.recent[1];
}

static void file_lost(struct sim *s, struct sim_node *n, const char *name)
{
    n->damaged = true;
    n->anchor_hit = n->anchor_hit || strstr(name, "/anchor/") != NULL;
    s->damages++;
    if (sim_is_log(name)) {
        sim_witness_loss(s, n->index, SIM_LOSS_DAMAGE);
    }
    if (sim_is_log(name) && strstr(name, "-wal") != NULL) {
        tail_may_go(s, n);
    }
}

void sim_damage_notice(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        struct sim_node *n = &s->nodes[i];
        const char *name = fault_disk_spoiled(n->disk);
        if (name != NULL) {
            s->count.of[n->strays ? SIM_WRITE_STRAY : SIM_WRITE_CHEAT]++;
            sim_say(s, "node %u: a write to %s %s", i, name,
                    n->strays ? "went elsewhere" : "was done in part");
            file_lost(s, n, name);
        }
    }
}

/* ---- the faults ---- */

/* How much of its log is nowhere else. */
static bool has_only_copy(const struct sim *s, unsigned node)
{
    for (size_t i = 0; i < s->witness.count; i++) {
        const struct sim_bundle *b = &s->witness.bundles[i];
        unsigned kept = 0;
        for (unsigned k = 0; k < SIM_MACHINES; k++) {
            kept += b->copy[k].here && b->copy[k].body;
        }
        if (kept == 1 && b->copy[node].here) {
            return true;
        }
    }
    return false;
}

/* Mostly one whose entries are elsewhere too. */
static struct sim_node *victim(struct sim *s)
{
    struct sim_node *n = &s->nodes[sim_below(s, SIM_NODES)];
    if (!n->joined || s->damages >= DAMAGES_MAX ||
        (has_only_copy(s, n->index) && sim_chance(s, 700))) {
        return NULL;
    }
    return n;
}

static fault_rot rot_any(struct sim *s, const struct sim_node *n, target t)
{
    static const sim_count_of counts[] = {[FAULT_ROT_BIT] = SIM_ROT_BIT,
                                          [FAULT_ROT_BLOCK] = SIM_ROT_BLOCK,
                                          [FAULT_ROT_SHORT] = SIM_ROT_SHORT,
                                          [FAULT_ROT_WASTE] = SIM_ROT_WASTE,
                                          [FAULT_ROT_GONE] = SIM_ROT_GONE};
    fault_rot how = sim_chance(s, 500) ? FAULT_ROT_BIT : (fault_rot)sim_below(s, 5);
    if (n->node != NULL) { /* under a running process: what a disk does, not what a person does */
        how = how == FAULT_ROT_BIT ? how : FAULT_ROT_BLOCK;
    }
    if (how == FAULT_ROT_GONE && t == TARGET_ANCHOR) {
        how = FAULT_ROT_WASTE; /* no record at all reads as one that nothing was offered yet */
    }
    s->count.of[counts[how]]++;
    return how;
}

static void rot(struct sim *s)
{
    static const target often[] = {TARGET_LOG,      TARGET_LOG,     TARGET_WAL,
                                   TARGET_WAL,      TARGET_VAULT,   TARGET_ANCHOR,
                                   TARGET_KEYSTORE, TARGET_JOURNAL, TARGET_DRAFTS};
    const target t = often[sim_below(s, sizeof(often) / sizeof(often[0]))];
    struct sim_node *n = victim(s);
    if (n == NULL || (t == TARGET_KEYSTORE && n->keystore_hit)) {
        return; /* a keystore and its twin: that person joins again, see replace() */
    }
    if (n->node != NULL && sim_chance(s, 500)) {
        sim_node_stop(s, n->index);
        n->start_at_ms = s->now_ms + 1 + sim_below(s, 20000);
    }
    const char *name = file_any(s, n, t);
    if (name == NULL) {
        return;
    }
    char kept[NAME_MAX_BYTES];
    snprintf(kept, sizeof(kept), "%s", name);
    const fault_rot how = rot_any(s, n, t);
    if (fault_disk_rot(n->disk, kept, how)) {
        n->keystore_hit = n->keystore_hit || t == TARGET_KEYSTORE;
        s->count.of[targets[t].count]++;
        sim_say(s, "node %u: %s rots, kind %d", n->index, kept, (int)how);
        file_lost(s, n, kept);
        if (t == TARGET_LOG && how == FAULT_ROT_GONE) {
            n->ledger.gone_event = s->witness.event;
        }
        if (t == TARGET_WAL && how >= FAULT_ROT_SHORT) {
            n->ledger.tail_from = 0; /* the log is sound without it, and older */
        }
    }
}

static void write_fault(struct sim *s)
{
    struct sim_node *n = victim(s);
    if (n == NULL || n->node == NULL || n->keystore_hit) {
        return;
    }
    n->strays = sim_chance(s, 500);
    const struct fault_plan plan = {.ops = FAULT_WRITE,
                                    .nth = 1 + (long)sim_below(s, 80),
                                    .stray = n->strays,
                                    .cheat = !n->strays};
    n->keystore_hit = true; /* it may be that one */
    fault_disk_plan(n->disk, &plan);
    sim_say(s, "node %u: a write to come %s", n->index, n->strays ? "will stray" : "will cheat");
}

static void slow(struct sim *s)
{
    struct sim_node *n = &s->nodes[sim_below(s, SIM_NODES)];
    const unsigned ms = sim_chance(s, 300) ? 0 : 1 + (unsigned)sim_below(s, SLOW_MS_MAX);
    fault_disk_slow(n->disk, ms);
    s->count.of[SIM_DISK_SLOW] += ms > 0;
    sim_say(s, "node %u: each write takes %u ms", n->index, ms);
}

/* ---- a machine is gone for ever ---- */

static void disk_empty(struct sim_node *n)
{
    const char *name = fault_disk_next_name(n->disk, NULL);
    while (name != NULL) {
        char gone[NAME_MAX_BYTES];
        snprintf(gone, sizeof(gone), "%s", name);
        fault_disk_remove(n->disk, gone);
        name = fault_disk_next_name(n->disk, NULL);
    }
    fault_image_free(n->backup);
    n->backup = NULL;
}

static void machine_replace(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    sim_node_stop(s, i);
    disk_empty(n);
    sim_witness_loss(s, i, SIM_LOSS_SET_BACK);
    n->joined = false;
    n->damaged = false;
    n->anchor_hit = false;
    n->keystore_hit = false;
    n->replacing = true;
    n->was_replaced = true;
    memset(&n->keys, 0, sizeof(n->keys));
    n->start_at_ms = 0;
    s->count.of[SIM_REPLACED]++;
    sim_say(s, "node %u is lost for ever; a new machine takes its place", i);
    sim_replaced_joins(s, i);
}

void sim_replaced_joins(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    if (!n->replacing || !sim_node_ready(s, SIM_ENROLLER)) {
        return;
    }
    sim_node_stop(s, i); /* whatever an earlier try has left, and written, is gone again */
    disk_empty(n);
    sim_witness_loss(s, i, SIM_LOSS_SET_BACK);
    n->draft = 0; /* drafts are of one machine */
    fault_disk_plan(n->disk, NULL);
    if (sim_join_as(s, SIM_ENROLLER, i, n->member)) {
        n->replacing = false;
        sim_introduce_new(s, i);
    }
}

static bool knows(const struct sim_node *n, const struct ml_box_pk *noise)
{
    const struct ml_org *org = n->node == NULL ? NULL : n->node->orgs;
    return org != NULL && org->open && ml_gov_noise(ml_log_gov(org->log), noise) != NULL;
}

bool sim_node_is_stranger(const struct sim *s, unsigned i)
{
    struct ml_box_pk noise;
    bool known = false;
    if (!sim_node_ready(s, i)) {
        return false;
    }
    ml_box_pk_of(&noise, s->nodes[i].node->orgs->secrets.noise);
    for (unsigned k = 0; k < SIM_NODES; k++) {
        const bool other = strcmp(s->nodes[k].id, s->nodes[i].id) != 0;
        known = known || (other && s->nodes[k].joined && knows(&s->nodes[k], &noise));
    }
    return !known;
}

/* One who enrols others is there, and isn't the one whose machine is gone. */
static void replace(struct sim *s)
{
    const unsigned i = 1 + (unsigned)sim_below(s, SIM_TWIN - 1);
    if (s->nodes[i].joined && !s->replaced && !sim_is_twin(s, i) && !sim_is_twin(s, SIM_ENROLLER) &&
        !s->nodes[SIM_ENROLLER].damaged && sim_node_ready(s, SIM_ENROLLER)) {
        s->replaced = true;
        machine_replace(s, i);
    }
}

/* ---- what is told ---- */

static void place_take(struct sim_told *t, const struct ml_value *place)
{
    const char *hex = ml_value_text(ml_value_get(place, "writer"), "");
    struct ml_dep *p = &t->places[t->place_count];
    if (t->place_count < SIM_PLACES &&
        ml_hex_decode(p->writer.b, sizeof(p->writer.b), hex, strlen(hex)) == ML_OK) {
        p->lane = (uint8_t)ml_value_int(ml_value_get(place, "lane"), 0);
        p->seq = (uint32_t)ml_value_int(ml_value_get(place, "seq"), 0);
        t->place_count++;
    }
}

static void damage_take(struct sim_told *t, const struct ml_value *d)
{
    const struct ml_value *places = ml_value_get(d, "places");
    t->count++;
    t->restored =
        t->restored || strcmp(ml_value_text(ml_value_get(d, "file"), ""), "restored") == 0;
    t->doubled = t->doubled || strcmp(ml_value_text(ml_value_get(d, "file"), ""), "doubled") == 0;
    if (strcmp(ml_value_text(ml_value_get(d, "file"), ""), "log") != 0) {
        return;
    }
    t->cut = ml_value_bool(ml_value_get(d, "cut"), false);
    t->unreadable = ml_value_bool(ml_value_get(d, "unreadable"), false);
    t->lost = ml_value_int(ml_value_get(d, "lost"), 0);
    t->missing = ml_value_int(ml_value_get(d, "missing"), 0);
    t->bodies = ml_value_int(ml_value_get(d, "bodies_lost"), 0);
    for (const struct ml_value *p = ml_value_at(places, 0); p != NULL; p = ml_value_next(p)) {
        place_take(t, p);
    }
}

ml_err sim_told_read(struct sim *s, unsigned i)
{
    struct sim_told *t = &s->nodes[i].told;
    struct sim_call c;
    memset(t, 0, sizeof(*t));
    sim_ask(&c);
    ml_err err = sim_send(&c, s, i, "node.status");
    const struct ml_value *org = ml_value_at(sim_get(&c, "orgs"), 0);
    const struct ml_value *damage = ml_value_get(org, "damage");
    t->forks = ml_value_int(ml_value_get(org, "forks"), -1);
    for (const struct ml_value *d = ml_value_at(damage, 0); d != NULL; d = ml_value_next(d)) {
        damage_take(t, d);
    }
    sim_call_end(&c);
    return err;
}

static bool place_is(const struct ml_dep *p, const struct sim_bundle *b)
{
    return p->seq == b->seq && p->lane == b->lane &&
           memcmp(&p->writer, &b->writer, sizeof(b->writer)) == 0;
}

/* Where no file was left to be set aside the loss is told for a week: over at once for whoever's
 * calendar jumps by a year. It was told as it was found. */
static bool was_told(const struct sim_node *n, const struct sim_bundle *b)
{
    const struct sim_ledger *w = &n->ledger;
    return n->clock_moved && b->copy[n->index].event <= w->gone_event &&
           w->gone_event <= w->told_event;
}

/* Whether this node says of a bundle that it had and that is nowhere any more: it is lost. */
static bool told_names(const struct sim_node *n, const struct sim_bundle *b)
{
    const struct sim_told *t = &n->told;
    const bool tail = n->ledger.tail_event > 0 && b->copy[n->index].n >= n->ledger.tail_from;
    bool named = t->cut || t->unreadable || tail || t->lost > (int64_t)t->place_count ||
                 was_told(n, b) || (b->copy[n->index].here && t->bodies > 0);
    for (size_t i = 0; i < t->place_count; i++) {
        /* What waits for a lost one waits in the new log until that is back. */
        named = named || place_is(&t->places[i], b) ||
                (t->missing > 0 && sim_witness_hangs_on(n->sim, b, &t->places[i]));
    }
    return named;
}

/* A place that a node calls missing is nowhere; one that is somewhere isn't called so. */
static void missing_check(struct sim *s, const struct sim_node *n)
{
    const struct sim_told *t = &n->told;
    int64_t missing = t->lost - (int64_t)t->place_count;
    for (size_t k = 0; k < t->place_count; k++) {
        bool kept = false;
        for (size_t i = 0; i < s->witness.count && !kept; i++) {
            const struct sim_bundle *b = &s->witness.bundles[i];
            kept = place_is(&t->places[k], b) && b->copy[n->index].here;
        }
        missing += !kept;
    }
    if (missing != t->missing) {
        sim_fail(s, "node %u calls %lld bundles missing, %lld are", n->index, (long long)t->missing,
                 (long long)missing);
    }
}

static void loss_check(struct sim *s, const struct sim_bundle *b)
{
    bool named = false;
    bool damaged = false;
    for (unsigned k = 0; k < SIM_MACHINES; k++) {
        const struct sim_node *n = &s->nodes[k];
        if (b->copy[k].event > 0) {
            damaged = damaged || n->ledger.loss == SIM_LOSS_DAMAGE;
            named = named || b->copy[k].event <= n->ledger.back_event || told_names(n, b);
        }
    }
    const bool explained = sim_witness_may_lack(s, b);
    if (!explained || (damaged && !named)) {
        sim_fail(s, "bundle %02x%02x%02x%02x %u:%u is nowhere, and %s", b->writer.b[0],
                 b->writer.b[1], b->writer.b[2], b->writer.b[3], b->lane, b->seq,
                 explained ? "nobody is told" : "no disk explains it");
    }
    s->count.of[SIM_LOST_TOLD] += damaged && named;
}

/* Each bundle that is nowhere any more was lost with every machine that had it, and one whose disk
 * lost it says so. */
void sim_check_losses(struct sim *s)
{
    for (size_t i = 0; i < s->witness.count; i++) {
        if (!sim_witness_is_kept(&s->witness.bundles[i])) {
            loss_check(s, &s->witness.bundles[i]);
        }
    }
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].joined && s->nodes[i].told.lost > 0) {
            missing_check(s, &s->nodes[i]);
        }
    }
}

/* What makes a disk hold something else than was written. */
static void spoil(struct sim *s, bool stored)
{
    if (s->options.sound) {
        slow(s);
    } else if (stored) {
        rot(s);
    } else {
        write_fault(s);
    }
}

void sim_damage(struct sim *s)
{
    switch (sim_below(s, 8)) {
    case 0:
    case 1:
    case 2:
        spoil(s, true);
        break;
    case 3:
        spoil(s, false);
        break;
    case 4:
        replace(s);
        break;
    default:
        slow(s);
        break;
    }
}
