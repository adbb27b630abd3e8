/* tests/sim/sim_adversary_time.c -- machines and clocks that go back. */
#include <stdio.h>
#include <string.h>

#include "core/model/verdict.h"
#include "core/record/date.h"
#include "sim_adversary.h"

enum { CHIEF, SECOND, COLLEAGUE, ROGUE };

/* ---- what comes back ---- */

/* A machine is put back to its backup, and its owner writes before it has met anybody. */
static void backup(struct adv *a)
{
    (void)adv_note(a, ROGUE);
    adv_meet(a, ADV_EVERYBODY);
    sim_node_back_up(a->s, ROGUE);
    (void)adv_note(a, ROGUE);
    adv_meet(a, ADV_EVERYBODY);
    adv_part(a, "012|3");
    sim_check_now(a->s);
    sim_node_restore(a->s, ROGUE);
    adv_awake(a, 1u << ROGUE);
    if (adv_verdict(a, ROGUE, &a->notes[1].bundle) != 0) {
        sim_fail(a->s, "its store isn't an older one");
    }
    (void)adv_note(a, ROGUE);
    (void)adv_note(a, CHIEF);
    a->attacks++;
}

static void backup_check(struct adv *a)
{
    adv_must_fork(a, 0);
    for (unsigned i = 0; i < a->count; i++) {
        adv_must_judge(a, &a->notes[i].bundle, ML_VERDICT_ACCEPTED);
    }
    const struct sim_bundle *before = sim_witness_find(a->s, a->notes[1].bundle.b);
    const struct sim_bundle *after = sim_witness_find(a->s, a->notes[2].bundle.b);
    if (before == NULL || after == NULL ||
        memcmp(&before->writer, &after->writer, sizeof(before->writer)) == 0) {
        sim_fail(a->s, "the machine that was put back signs on as the same writer");
    }
    if (a->s->count.of[SIM_RESTORE_TOLD] == 0) {
        sim_fail(a->s, "nobody was told that the store is an older one");
    }
}

/* ---- a substitute ---- */

#define MINUTE_MS UINT64_C(60000)

static uint64_t wall(const struct adv *a)
{
    const struct ml_env *env = &a->s->nodes[CHIEF].env;
    return env->wall_ms(env->ctx);
}

static void run_to(struct adv *a, uint64_t ms)
{
    const uint64_t now = wall(a);
    sim_run(a->s, ms > now ? ms - now : 0);
}

static void moment_say(char text[32], uint64_t ms)
{
    const struct ml_date day = ml_date_of_ms((int64_t)ms);
    const unsigned minute = (unsigned)(ms / MINUTE_MS % 1440);
    snprintf(text, 32, "%04u-%02u-%02uT%02u:%02uZ", day.year % 10000u, day.month % 100u,
             day.day % 100u, minute / 60, minute % 60);
}

/* From two minutes from now on, for five. */
static uint64_t replaced_for(struct adv *a)
{
    char from[32];
    char until[32];
    const uint64_t begins = (wall(a) / MINUTE_MS + 2) * MINUTE_MS;
    moment_say(from, begins);
    moment_say(until, begins + 5 * MINUTE_MS);
    const char *const texts[][2] = {{"member", a->s->nodes[ROGUE].member},
                                    {"replaces", a->s->nodes[CHIEF].member},
                                    {"from", from},
                                    {"until", until},
                                    {NULL, NULL}};
    adv_do(a, CHIEF, "role.grant", texts);
    run_to(a, begins + MINUTE_MS + MINUTE_MS / 2);
    return begins + 5 * MINUTE_MS;
}

/* Alone, he sets his clock back to when he might. */
static void substitute(struct adv *a)
{
    a->honest = ADV_BUT(ROGUE);
    adv_do(a, CHIEF, "right.adopt", NULL);
    adv_meet(a, a->honest);
    const uint64_t until = replaced_for(a);
    const unsigned in_time = adv_note(a, ROGUE);
    sim_run(a->s, 10000);
    adv_meet(a, a->honest);
    adv_must_show(a, COLLEAGUE, in_time, true);
    (void)adv_note(a, COLLEAGUE);
    adv_meet(a, a->honest);
    adv_part(a, "012|3");
    adv_clock(a, ROGUE, -5 * (int64_t)MINUTE_MS);
    run_to(a, until + MINUTE_MS);
    adv_checkpoint(a, CHIEF);
    adv_meet(a, a->honest);
    adv_checkpoint(a, SECOND);
    (void)adv_note(a, COLLEAGUE);
    adv_meet(a, a->honest);
    adv_checkpoint(a, CHIEF);
    const unsigned late = adv_note(a, ROGUE);
    if (wall(a) < until || adv_hlc_ms(a, ROGUE, &a->notes[late].bundle) >= until) {
        sim_fail(a->s, "what it signs isn't dated back into its time");
    }
    adv_falls(a, late);
    a->attacks++;
}

const struct adversary sim_adversaries_time[] = {
    {"backup",
     "a machine put back to its backup says so, writes as a new writer, and all that it ever "
     "acknowledged stands: no fork",
     {1, 2, 3, 3},
     0,
     backup,
     backup_check},
    {"substitute",
     "what a substitute wrote in his time stands; a clock set back gives him no more of it",
     {1, 2, 3, 3},
     904,
     substitute,
     NULL},
    {0},
};
