/* tests/sim/sim_adversary_forge.c -- adversaries whose programs sign what no honest one would. */
#include "sim_adversary.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/codec/msg.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "net/node/state.h"

enum { CHIEF, SECOND, COLLEAGUE, ROGUE };

static void must(ml_err err)
{
    ML_ASSERT(err == ML_OK);
}

/* ---- on the wire ---- */

static void message_change(struct sim *s, struct ml_msg *msg, struct ml_buf *out,
                           const unsigned ends[2])
{
    struct ml_slice *wires = calloc(msg->u.bundles.items.count + 1, sizeof(*wires));
    struct ml_list_walk walk;
    uint32_t count = 0;
    ML_ASSERT(wires != NULL);
    ml_list_walk(&walk, &msg->u.bundles.items);
    while (ml_list_next(&walk, &ml_format_wire_bundle, &wires[count])) {
        count += s->wire.lets == NULL || s->wire.lets(s->wire.user, ends[0], ends[1], wires[count]);
    }
    if (s->wire.len > 0 && s->wire.from == ends[0]) {
        wires[count++] = ml_slice(s->wire.bytes, s->wire.len);
        s->wire.given++; /* and again in the next message: lines lose what is said once */
        sim_say(s, "node %u gives node %u a forged bundle", ends[0], ends[1]);
    }
    msg->u.bundles.items = (struct ml_list){.count = count, .items = wires};
    ml_err err = count > 0 ? ml_msg_encode(out, msg) : ML_OK;
    ML_ASSERT(err == ML_OK);
    free(wires);
}

bool sim_adversary_changes(struct sim *s, const unsigned ends[2], struct ml_slice bytes,
                           struct ml_buf *out)
{
    struct ml_msg msg;
    if ((s->wire.lets == NULL && s->wire.len == 0) || ml_msg_decode(&msg, bytes, NULL) != ML_OK ||
        msg.kind != ML_MSG_BUNDLES) {
        return false;
    }
    message_change(s, &msg, out, ends);
    return true;
}

/* ---- bundles made of others ---- */

/* A stored one taken apart, to be signed as another. */
struct forged {
    struct ml_buf from; /* its wire form */
    struct ml_header header;
    struct ml_dep deps[ML_BUNDLE_DEPS_MAX + 1];
    struct ml_dict_entry dict[4];
    struct ml_op_draft ops[4];
    uint32_t op_count;
    struct ml_hash hash; /* of what was signed */
};

static void deps_take(struct forged *f, const struct ml_list *deps)
{
    struct ml_list_walk walk;
    uint32_t count = 0;
    ml_list_walk(&walk, deps);
    while (ml_dep_next(&walk, &f->deps[count])) {
        count++;
    }
    f->header.deps = (struct ml_list){.items = f->deps, .count = count};
}

static void ops_take(struct forged *f, const struct ml_bundle *bundle)
{
    struct ml_list_walk walk;
    struct ml_body_walk body;
    struct ml_body_op op;
    uint32_t count = 0;
    bool room = bundle->header.dictionary.count <= 4 && bundle->header.n_ops <= 4;
    ML_ASSERT(room);
    ml_list_walk(&walk, &bundle->header.dictionary);
    while (ml_dict_next(&walk, &f->dict[count])) {
        count++;
    }
    f->header.dictionary = (struct ml_list){.items = f->dict, .count = count};
    ml_body_walk(&body, bundle->body.bytes);
    while (ml_body_next(&body, &op)) {
        f->ops[f->op_count++] =
            (struct ml_op_draft){.dict = op.dict, .hlc_delta = op.hlc_delta, .sealed = op.sealed};
    }
}

/* False: that node doesn't hold it. */
static bool forged_begin(struct forged *f, struct ml_org *org, const struct ml_hash16 *of)
{
    struct ml_log_entry e;
    struct ml_bundle bundle;
    memset(f, 0, sizeof(*f));
    ml_buf_init(&f->from, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    if (org == NULL || ml_log_get(org->log, of, &e) != ML_OK) {
        return false;
    }
    must(ml_bundle_join(&f->from, e.header_bytes, &e.sig, &e.body));
    must(ml_bundle_decode(&bundle, ml_buf_slice(&f->from), NULL));
    f->header = bundle.header;
    deps_take(f, &bundle.header.deps);
    ops_take(f, &bundle);
    return true;
}

static void forged_end(struct forged *f)
{
    ml_buf_free(&f->from);
}

/* In the author's next place of its lane: the ops stay sealed as they were. */
static void place_next(struct forged *f, struct ml_org *org)
{
    struct ml_author author;
    const struct ml_header from = f->header;
    ml_session_author(org, &author);
    must(ml_org_next_header(org, &f->header, &author, from.lane));
    deps_take(f, &f->header.deps);
    f->header.dictionary = from.dictionary;
    f->header.salt = from.salt;
}

static int dep_compare(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

static void cite(struct forged *f, const struct ml_dep *dep)
{
    f->deps[f->header.deps.count++] = *dep;
    qsort(f->deps, f->header.deps.count, sizeof(f->deps[0]), dep_compare);
}

/* Signed by whoever is at that node; goes to the others with what its program sends next. */
static void send(struct adv *a, struct forged *f, const struct ml_org_id *of)
{
    struct ml_author author;
    struct ml_buf wire;
    struct ml_bundle_draft draft = {.header = f->header, .ops = f->ops, .op_count = f->op_count};
    ml_session_author(adv_org(a, ROGUE), &author);
    ml_buf_init(&wire, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    must(ml_bundle_build(&wire, &f->hash, &draft, of, author.seed));
    ML_ASSERT(wire.len <= sizeof(a->s->wire.bytes));
    memcpy(a->s->wire.bytes, wire.data, wire.len);
    a->s->wire.len = wire.len;
    a->s->wire.from = ROGUE;
    ml_buf_free(&wire);
}

/* How many bundles stand at that place, as nodes' logs showed them. */
static unsigned at_place(const struct adv *a, const struct ml_header *place)
{
    unsigned count = 0;
    for (size_t i = 0; i < a->s->witness.count; i++) {
        const struct sim_bundle *b = &a->s->witness.bundles[i];
        count += b->seq == place->seq && b->lane == place->lane &&
                 memcmp(&b->writer, &place->writer, sizeof(b->writer)) == 0;
    }
    return count;
}

/* ---- two histories ---- */

static bool but_first(void *user, unsigned from, unsigned to, struct ml_slice wire)
{
    const struct adv *a = user;
    struct ml_bundle bundle;
    return from != ROGUE || to != COLLEAGUE || ml_bundle_decode(&bundle, wire, NULL) != ML_OK ||
           bundle.header.lane != ML_LANE_RECORD || bundle.header.seq != a->place.seq ||
           memcmp(&bundle.header.writer, &a->place.writer, sizeof(a->place.writer)) != 0;
}

static bool is_twin_met(struct adv *a)
{
    return adv_verdict(a, COLLEAGUE, &a->twin) != 0;
}

/* One colleague gets another history than the others do. */
static void equivocation(struct adv *a)
{
    struct forged f;
    (void)adv_note(a, ROGUE);
    adv_meet(a, ADV_EVERYBODY);
    adv_part(a, "013|2");
    const unsigned note = adv_note(a, ROGUE);
    adv_meet(a, ADV_BUT(COLLEAGUE));
    adv_must_show(a, CHIEF, note, true);
    adv_falls(a, note);
    struct ml_org *org = adv_org(a, ROGUE);
    if (!forged_begin(&f, org, &a->notes[note].bundle)) {
        sim_fail(a->s, "it doesn't hold its own note");
        return;
    }
    a->s->rogue.acts = 1; /* from here on somebody signs two at one place */
    a->place = f.header;
    f.header.hlc++;
    send(a, &f, &org->id);
    a->twin = ml_hash16_of(&f.hash);
    forged_end(&f);
    a->s->wire.lets = but_first;
    a->s->wire.user = a;
    adv_part(a, "01|23");
    a->forks = true;
    adv_until(a, is_twin_met, "that the colleague holds the other history");
    if (adv_verdict(a, COLLEAGUE, &a->notes[note].bundle) != 0 ||
        adv_verdict(a, CHIEF, &a->twin) != 0) {
        sim_fail(a->s, "somebody has both histories before they meet");
    }
    (void)adv_note(a, COLLEAGUE);
    a->s->wire.lets = NULL;
    a->honest = ADV_BUT(ROGUE);
}

static void equivocation_check(struct adv *a)
{
    adv_must_judge(a, &a->notes[1].bundle, ML_VERDICT_QUARANTINED);
    adv_must_judge(a, &a->twin, ML_VERDICT_QUARANTINED);
    adv_must_fork(a, 1);
}

/* ---- what was said elsewhere ---- */

/* The same key works in two structures: what it says in one is carried into the other. */
static void replay(struct adv *a)
{
    struct forged f;
    struct ml_org_id other = {{0}};
    const unsigned note = adv_note(a, ROGUE);
    struct ml_org *org = adv_org(a, ROGUE);
    if (!forged_begin(&f, org, &a->notes[note].bundle)) {
        sim_fail(a->s, "it doesn't hold its own note");
        return;
    }
    place_next(&f, org);
    a->place = f.header;
    other.b[0] = (uint8_t)(1 + sim_below(a->s, 255));
    send(a, &f, &other);
    forged_end(&f);
    adv_reach(a);
    adv_meet(a, ADV_EVERYBODY);
    (void)adv_note(a, COLLEAGUE);
}

static void replay_check(struct adv *a)
{
    const unsigned there = at_place(a, &a->place);
    if (there != 0) {
        sim_fail(a->s, "what was said in another structure is stored");
    }
    adv_must_be(a, ML_LOG_REFUSED);
    adv_must_fork(a, 0);
}

/* ---- what was said in another place ---- */

/* A colleague's sealed words in a bundle of one's own, with all that they were sealed under. */
static void transplant(struct adv *a)
{
    struct forged f;
    const unsigned note = adv_note(a, COLLEAGUE);
    adv_meet(a, ADV_EVERYBODY);
    (void)adv_note(a, ROGUE);
    struct ml_org *org = adv_org(a, ROGUE);
    if (!forged_begin(&f, org, &a->notes[note].bundle)) {
        sim_fail(a->s, "it doesn't hold its colleague's note");
        return;
    }
    place_next(&f, org);
    a->place = f.header;
    a->forks = true; /* the rogue's own node writes at that place too, where it writes on */
    send(a, &f, &org->id);
    a->twin = ml_hash16_of(&f.hash);
    forged_end(&f);
    adv_reach(a);
    a->honest = ADV_BUT(ROGUE);
    adv_meet(a, a->honest);
    (void)adv_note(a, CHIEF);
    (void)adv_note(a, COLLEAGUE); /* whose words were moved: nothing of it is held against him */
}

/* Whatever is shown of that note is its author's, and everybody holds the other one too. */
static void transplant_check(struct adv *a)
{
    char name[33];
    ml_hex_encode(name, a->twin.b, sizeof(a->twin.b));
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        struct sim_call c;
        const char *const texts[][2] = {
            {"patient", a->patient}, {"object", a->notes[0].object}, {NULL, NULL}};
        if ((a->honest >> i & 1u) == 0) {
            continue;
        }
        (void)adv_send(a, i, "record.show", texts, &c);
        const uint8_t *at = a->s->answer.document.data;
        const size_t len = a->s->answer.document.len;
        if (len == 0 || memmem(at, len, name, 32) != NULL) {
            sim_fail(a->s, "node %u shows what was moved out of its place", i);
        }
        if (adv_verdict(a, i, &a->twin) == 0) {
            sim_fail(a->s, "node %u doesn't hold what was moved: nothing was tried", i);
        }
        sim_call_end(&c);
    }
}

/* ---- what doesn't exist ---- */

/* The name of a bundle that a colleague hasn't signed, of the number that he signs next. */
static void citation(struct adv *a)
{
    struct forged f;
    const unsigned last = adv_note(a, COLLEAGUE);
    adv_meet(a, ADV_EVERYBODY);
    const unsigned note = adv_note(a, ROGUE);
    struct ml_org *org = adv_org(a, ROGUE);
    const struct sim_bundle *b = sim_witness_find(a->s, a->notes[last].bundle.b);
    if (b == NULL || !forged_begin(&f, org, &a->notes[note].bundle)) {
        sim_fail(a->s, "it doesn't hold these notes");
        return;
    }
    struct ml_dep invented = {.writer = b->writer, .lane = b->lane, .seq = b->seq + 1};
    invented.hash.b[0] = (uint8_t)sim_below(a->s, 256);
    place_next(&f, org);
    cite(&f, &invented);
    a->place = f.header;
    send(a, &f, &org->id);
    a->twin = ml_hash16_of(&f.hash);
    forged_end(&f);
    adv_reach(a);
    a->honest = ADV_BUT(ROGUE);
    adv_meet(a, a->honest);
    (void)adv_note(a, COLLEAGUE);
    (void)adv_note(a, CHIEF);
}

static void citation_check(struct adv *a)
{
    int64_t waiting = 0;
    adv_must_be(a, ML_LOG_PENDING);
    adv_must_judge(a, &a->twin, ML_VERDICT_PENDING);
    adv_must_fork(a, 0);
    if (at_place(a, &a->place) != 0) {
        sim_fail(a->s, "what cites nothing that there is was judged");
    }
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        struct sim_call c;
        if ((a->honest >> i & 1u) != 0) {
            (void)adv_send(a, i, "verify", NULL, &c);
            waiting += ml_value_int(sim_get(&c, "pending"), 0);
            sim_call_end(&c);
        }
    }
    if (waiting == 0) {
        sim_fail(a->s, "it waits nowhere");
    }
}

const struct adversary sim_adversaries_forge[] = {
    {"equivocation",
     "of two histories of one chain each node holds both, counts one fork, and takes neither "
     "beyond "
     "where they part",
     {1, 2, 3, 3},
     0,
     equivocation,
     equivocation_check},
    {"replay",
     "what a key signed in another structure is refused: nothing stands in its place",
     {1, 2, 3, 3},
     0,
     replay,
     replay_check},
    {"transplant",
     "a colleague's sealed op in a bundle of one's own opens for nobody: what is shown is its "
     "author's",
     {1, 2, 3, 3},
     0,
     transplant,
     transplant_check},
    {"citation",
     "what cites a bundle that there isn't waits, is judged nowhere and stops nobody: what its "
     "colleague signs at that number stands",
     {1, 2, 3, 3},
     0,
     citation,
     citation_check},
    {0},
};
