/* tests/bench/bench_revoke.c -- revoke.s, revoke.bytes: somebody is denied in a structure of 100
 * members on nodes and three teams, from the call to its answer: governance judged again, every
 * group that he held renewed for those who stay, fsynced. The bytes are what peers get of it, in
 * lanes 0 and 1. A team has eleven groups and the structure one, so that no number of teams makes
 * 30: with three all 34 are renewed and timed, and the next keys of the first 30 are counted with
 * all else. On a structure of its own: no size changes it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "core/base/ids.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "fixture_seal.h"
#include "net/node/keys.h"
#include "net/node/session.h"
#include "node.h"

enum { GROUPS_OF_A_TEAM = ML_COMPARTMENT_LAST - 1 }; /* the annuaire's is everybody's */
enum { MONS = 100, TEAMS = 3, GROUPS = TEAMS * GROUPS_OF_A_TEAM + 1, GOAL_GROUPS = 30 };
enum { ROUNDS = 10, HEX = 40 };

static bool found(struct bench_node *n)
{
    struct ml_args *a = bench_params();
    bench_text(a, "name", "Pôle du banc");
    bench_text(a, "member_name", "Dr Anne Morel");
    bench_text(a, "node_name", "banc");
    bench_text(a, "passphrase", bench_passphrase);
    return bench_node_call(n, "org.found", a) != NULL;
}

/* A team and the first keys of its groups, held by the founder alone. */
static ml_err team_add(struct ml_org *org)
{
    struct ml_govop op = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    const struct ml_env *env = org->node->env;
    struct ml_epoch_recipient me = {.history = true};
    struct ml_author author;
    struct ml_keys keys;
    struct ml_buf bytes;
    env->random(env->ctx, op.u.team_add.team.b, sizeof(op.u.team_add.team.b));
    ml_session_author(org, &author);
    ml_box_pk_of(&me.pk, org->session->secrets.mon_box);
    ml_buf_init(&bytes, env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_govop_encode(&bytes, &op);
    const struct ml_slice one = ml_buf_slice(&bytes);
    err = err == ML_OK ? ml_org_append_plain(org, &author, ML_LANE_GOVERNANCE, &one, 1) : err;
    ml_keys_init(&keys, env);
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        const struct ml_epoch_args args = {.team = op.u.team_add.team,
                                           .compartment = (ml_compartment)c,
                                           .recipients = &me,
                                           .recipient_count = 1};
        if (c != ML_COMPARTMENT_ANNUAIRE) {
            err = ml_keyring_make_epoch(ml_session_keyring(org), &args, ml_keys_emit, &keys);
        }
    }
    err = err == ML_OK ? ml_keys_append(org, &keys) : err;
    ml_keys_free(&keys);
    ml_buf_free(&bytes);
    return err;
}

/* The founder, his team and its groups, the annuaire's among them, are there. */
static bool people(struct bench *b, struct bench_node *n)
{
    static struct seal seal;
    struct ml_org *org = bench_node_org(n);
    for (unsigned i = 1; i < TEAMS && !b->failed; i++) {
        bench_good(b, team_add(org), "teams");
    }
    for (unsigned mons = 1; mons < MONS && !b->failed;) {
        const unsigned more = MONS - mons < FIXTURE_WRITERS ? MONS - mons : FIXTURE_WRITERS;
        seal = (struct seal){.b = b, .org = org};
        seal_enrol(&seal, more);
        seal_end(&seal);
        mons += more;
    }
    return bench_good(b, ml_keys_ready(org, ML_KEYS_ALL), "keys");
}

static size_t others(struct ml_org *org, char ids[ROUNDS][HEX])
{
    const struct ml_fact *mon = NULL;
    size_t count = 0;
    while (count < ROUNDS && (mon = ml_gov_next(ml_log_gov(org->log), ML_FACT_MON, mon)) != NULL) {
        if (memcmp(&mon->member, &org->session->member, sizeof(mon->member)) != 0) {
            ml_hex_encode(ids[count++], mon->member.b, sizeof(mon->member.b));
        }
    }
    return count;
}

struct wrote {
    double bytes;    /* on the wire */
    double beyond;   /* of these: next keys of groups beyond the goal's */
    unsigned groups; /* renewed */
};

static void epochs_in(struct wrote *w, struct ml_slice body)
{
    struct ml_body_walk walk;
    struct ml_body_op op;
    struct ml_keyop key;
    ml_body_walk(&walk, body);
    while (ml_body_next(&walk, &op)) {
        if (ml_keyop_decode(&key, op.sealed, NULL) == ML_OK && key.type == ML_KEYOP_KEK_EPOCH) {
            w->groups++;
            w->beyond += w->groups > GOAL_GROUPS ? (double)op.sealed.len : 0;
        }
    }
}

static struct wrote wrote_after(struct ml_org *org, uint64_t n)
{
    const unsigned lanes = ML_LOG_LANE(ML_LANE_GOVERNANCE) | ML_LOG_LANE(ML_LANE_KEYS);
    struct ml_log_entry entry = {.n = n};
    struct wrote wrote = {0};
    while (ml_log_after(org->log, entry.n, lanes, &entry) == ML_OK) {
        wrote.bytes += entry.bytes;
        if (entry.header.lane == ML_LANE_KEYS) {
            epochs_in(&wrote, entry.body.bytes);
        }
    }
    return wrote;
}

static void revoke_all(struct bench *b, struct bench_node *n, struct bench_samples *s)
{
    static char ids[ROUNDS][HEX];
    struct ml_org *org = bench_node_org(n);
    const size_t count = others(org, ids);
    double most = 0;
    double all = 0;
    double slowest = 0;
    double again = 0;
    s->count = 0;
    for (size_t i = 0; i < count && i < (b->quick ? 1 : ROUNDS) && !b->failed; i++) {
        const uint64_t before = ml_log_last(org->log);
        const uint64_t judged = ml_log_judged_again(org->log).judged;
        struct ml_args *a = bench_params();
        bench_text(a, "member", ids[i]);
        const struct bench_took took = bench_node_time(n, "member.revoke", a);
        const struct wrote wrote = wrote_after(org, before);
        bench_good(b, wrote.groups == GROUPS ? ML_OK : ML_E_INVALID, "groups renewed");
        bench_sample(s, took.ms, took.cpu_ms);
        most = wrote.bytes - wrote.beyond > most ? wrote.bytes - wrote.beyond : most;
        all = wrote.bytes > all ? wrote.bytes : all;
        slowest = took.ms > slowest ? took.ms : slowest;
        again += (double)(ml_log_judged_again(org->log).judged - judged);
    }
    if (s->count == 0 || b->failed) {
        return;
    }
    bench_value(b, "revoke.s", slowest / 1e3, 1, false);
    bench_also(b, "revoke.s", "p50", bench_median(s->ms, s->count) / 1e3);
    bench_also(b, "revoke.s", "cpu_p50", bench_median(s->cpu_ms, s->count) / 1e3);
    bench_also(b, "revoke.s", "count", (double)s->count);
    bench_also(b, "revoke.s", "judged_again", again / (double)s->count);
    bench_value(b, "revoke.bytes", most, 250000, false);
    bench_also(b, "revoke.bytes", "members", MONS);
    bench_also(b, "revoke.bytes", "groups", GOAL_GROUPS);
    bench_also(b, "revoke.bytes", "of_34_groups", all);
}

void ml_bench_revoke(struct bench *b)
{
    static struct bench_samples samples;
    char folder[BENCH_PATH];
    struct bench_node n;
    if (!b->first_size) {
        return;
    }
    snprintf(folder, sizeof(folder), "%.400s/revoke", b->folder);
    (void)mkdir(b->folder, 0700);
    bench_remove_folder(folder);
    bench_say(b, "a structure of 100 members on nodes");
    if (!bench_node_open(&n, b, folder)) {
        return;
    }
    if (found(&n) && people(b, &n)) {
        bench_say(b, "revoking");
        revoke_all(b, &n, &samples);
    }
    bench_node_close(&n);
    bench_remove_folder(folder);
}
