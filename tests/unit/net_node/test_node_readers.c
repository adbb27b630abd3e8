/* test_node_readers.c -- who can read what: for structures drawn from seeds (support_readers.h) the
 * pairs of a member and an entry that open by his keys, with the bytes of every node's log, and
 * those that his vault shows, are exactly those that an oracle tells from the documents.
 *
 * ML_READERS_SEED, ML_READERS_COUNT: other seeds, more of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/ids.h"
#include "core/model/seal.h"
#include "net/node/session.h"
#include "support_readers.h"
#include "support_request.h"

/* These meet each rule that tests/mutants/readers.sh breaks. */
enum { SEED_FIRST = 7, SEEDS = 6 };

/* What was seen over all seeds: a check that never met a case proves nothing of it. */
struct sums {
    unsigned long seeds, pairs, keys, vault, refused, moved, veiled, older, exact;
};
static struct sums sums;

static struct ml_org *org_of(struct readers *r, unsigned n)
{
    return r->c.nodes[n].node->orgs;
}

static void give_op(struct readers *r, unsigned to, const struct ml_body_op *op)
{
    struct ml_keyop key;
    struct ml_keyring_news news;
    if (!op->shredded) {
        assert_int_equal(ml_keyop_decode(&key, op->sealed, NULL), ML_OK);
        assert_int_equal(ml_keyring_apply(ml_session_keyring(org_of(r, to)), &key, true, &news),
                         ML_OK);
    }
}

/* Each key op that any node still has. */
static void give_keys(struct readers *r, unsigned from, unsigned to)
{
    struct ml_log_entry entry = {0};
    while (ml_log_after(org_of(r, from)->log, entry.n, ML_LOG_LANE(ML_LANE_KEYS), &entry) ==
           ML_OK) {
        struct ml_body_walk walk;
        struct ml_body_op op;
        ml_body_walk(&walk, entry.body.bytes);
        while (ml_body_next(&walk, &op)) {
            give_op(r, to, &op);
        }
    }
}

/* Which items opened. */
struct opened {
    struct readers *r;
    char bundle[40];
    bool item[READER_ITEMS];
    bool seen[READER_ITEMS];
};

static ml_err opened_take(void *user, const struct ml_opened *op)
{
    struct opened *o = user;
    char version[48];
    snprintf(version, sizeof(version), "%s:%u", o->bundle, op->index);
    for (unsigned i = 0; i < o->r->item_count; i++) {
        if (strcmp(o->r->items[i].version, version) == 0) {
            o->item[i] = op->result == ML_OPEN_OK;
            o->seen[i] = true;
        }
    }
    return ML_OK;
}

static void open_all(struct readers *r, unsigned by, struct opened *o)
{
    struct ml_log_entry entry = {0};
    memset(o, 0, sizeof(*o));
    o->r = r;
    for (unsigned n = 0; n < READERS; n++) {
        give_keys(r, n, by);
    }
    while (ml_log_after(org_of(r, 0)->log, entry.n, ML_LOG_LANE(ML_LANE_RECORD), &entry) == ML_OK) {
        const struct ml_open_args args = {.env = &r->c.fake.env,
                                          .org = org_of(r, by)->id,
                                          .keyring = ml_session_keyring(org_of(r, by)),
                                          .header = &entry.header,
                                          .body = entry.body.bytes};
        ml_hex_encode(o->bundle, entry.hash.b, 16);
        assert_int_equal(ml_open_bundle(&args, opened_take, o), ML_OK);
    }
}

static bool is_shown(struct readers *r, unsigned member, const struct reader_item *item)
{
    struct story_request q;
    story_ask(&q);
    story_put(&q, "patient", r->patients[item->patient].id);
    story_put(&q, "object", item->object);
    ml_err err = story_send(&q, &r->c, member, "record.show");
    assert_true(err == ML_OK || err == ML_E_NOT_FOUND || err == ML_E_DENIED);
    story_end(&q);
    return err == ML_OK;
}

static void member_tell(const struct readers *r, unsigned n)
{
    const struct reader *m = &r->members[n];
    print_error("  member %u: role %d", n, m->base);
    for (unsigned g = 0; g < m->grant_count; g++) {
        const struct reader_grant *one = &m->grants[g];
        print_error("%s %d in teams %x%s", g == 0 ? ", then" : ",", one->role, one->teams,
                    one->ended ? ", ended" : "");
    }
    print_error("\n");
}

static void patient_tell(const struct readers *r, unsigned n)
{
    static const char *const audiences[] = {"all but", "role", "team", "member"};
    static const char *const parts[] = {"all", "compartment", "class", "item"};
    const struct reader_patient *p = &r->patients[n];
    print_error("  patient %u: teams %x\n", n, p->teams);
    for (unsigned s = 0; s < p->said_count; s++) {
        const struct reader_said *one = &p->said[s];
        print_error("    %s %s %u: %s %u%s\n", one->opposes ? "refuses" : "lets",
                    audiences[one->audience], one->whom, parts[one->part], one->number,
                    one->holds ? "" : ", no longer");
    }
}

static void tell(const struct readers *r, unsigned member, unsigned item, const char *what)
{
    const struct reader_item *i = &r->items[item];
    print_error("round %u, member %u, item %u: %s of patient %u, by %u in round %u: %s\n", r->round,
                member, item, reader_kinds[i->kind].entity, i->patient, i->author, i->round, what);
    member_tell(r, member);
    member_tell(r, i->author);
    patient_tell(r, i->patient);
}

/* Of what this round wrote the oracle knows all; of what was written before, whom keys were for
 * ever since, and whom never. */
static unsigned by_keys(struct readers *r, unsigned member, const struct opened *o)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < r->item_count; i++) {
        const bool must = readers_must_open(r, member, i);
        const bool may = readers_may_open(r, member, i);
        assert_true(o->seen[i]);
        sums.older += r->items[i].round < r->round;
        assert_true(may || !must);
        sums.exact += may == must;
        if (o->item[i] ? !may : must) {
            tell(r, member, i, must ? "its key is lacking" : "opens by his keys");
            wrong++;
        }
    }
    return wrong;
}

/* Is this one shown that mustn't be, or the other way round? What keys opened before, for a moment
 * between two decisions even, is in the vault. */
static bool is_wrong(const struct readers *r, unsigned member, unsigned item,
                     const bool shown_opens[2])
{
    const unsigned patient = r->items[item].patient;
    const bool hears = readers_hears(r, member, patient);
    const bool may =
        readers_matrix(r, member, item) && (readers_consent(r, member, item) || !hears);
    const bool now = r->items[item].round == r->round;
    return shown_opens[0] ? !may || (now && !shown_opens[1]) : hears && may && shown_opens[1];
}

static unsigned by_vault(struct readers *r, unsigned member, const struct opened *o)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < r->item_count; i++) {
        const bool shown_opens[] = {is_shown(r, member, &r->items[i]), o->item[i]};
        sums.pairs++;
        sums.keys += o->item[i];
        sums.vault += shown_opens[0];
        sums.veiled +=
            o->item[i] && !(readers_matrix(r, member, i) && readers_consent(r, member, i));
        if (is_wrong(r, member, i, shown_opens)) {
            tell(r, member, i, shown_opens[0] ? "is shown" : "isn't shown");
            wrong++;
        }
    }
    return wrong;
}

static unsigned look(struct readers *r)
{
    unsigned wrong = 0;
    for (unsigned m = 0; m < READERS; m++) {
        struct opened o;
        open_all(r, m, &o);
        wrong += by_keys(r, m, &o);
        wrong += by_vault(r, m, &o);
    }
    return wrong;
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static void look_at(unsigned long seed)
{
    static struct readers r;
    readers_begin(&r, seed);
    unsigned wrong = look(&r);
    while (wrong == 0 && r.round + 1 < READER_ROUNDS) {
        readers_again(&r);
        wrong += look(&r);
    }
    sums.refused += r.refused;
    sums.moved += r.moved;
    sums.seeds++;
    if (wrong > 0) {
        fail_msg("seed %lu: %u pairs aren't as the oracle says", seed, wrong);
    }
    readers_end(&r);
}

static void who_can_read_is_who_may(void **state)
{
    const unsigned long first = number_of("ML_READERS_SEED", SEED_FIRST);
    const unsigned long count = number_of("ML_READERS_COUNT", SEEDS);
    (void)state;
    for (unsigned long seed = first; seed < first + count; seed++) {
        look_at(seed);
    }
    print_message("structures %lu, pairs %lu: keys open %lu, the vault shows %lu and veils %lu; "
                  "the oracle decides %lu of them alone, %lu are of earlier rounds; writes "
                  "refused %lu, roles given again for other teams %lu\n",
                  sums.seeds, sums.pairs, sums.keys, sums.vault, sums.veiled, sums.exact,
                  sums.older, sums.refused, sums.moved);
    if (count >= SEEDS) {
        assert_true(sums.keys > 0 && sums.keys < sums.pairs && sums.veiled > 0 && sums.refused > 0);
        assert_true(sums.exact > sums.pairs / 2 && sums.moved > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_can_read_is_who_may)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
