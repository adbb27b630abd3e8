/* tests/sim/main.c -- runs seeds: maille-sim [--seed N] [--seeds N] [--events N] [--story].
 *
 * Without --seed the first seed is drawn from the clock and printed. A seed that fails prints the
 * line that runs it again. Exit 0: all held; 1: one didn't, or something never happened. */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim.h"

enum { EVENTS = 200, FAULTS_OF_1000 = 250 };

static bool set_up(struct sim *s)
{
    static const int roles[SIM_TWIN] = {10, 10, 60, 60};
    if (!sim_found(s, 0)) {
        return false;
    }
    for (unsigned i = 1; i < SIM_TWIN; i++) {
        if (!sim_join(s, 0, i, roles[i])) {
            return false;
        }
    }
    return sim_introduce(s);
}

static bool run(const struct sim_options *options, struct sim_count *sum)
{
    static struct sim s;
    sim_init(&s, options);
    if (!set_up(&s)) {
        sim_fail(&s, "no structure came about");
    }
    for (unsigned i = 0; i < options->events && s.failure[0] == '\0'; i++) {
        if (sim_chance(&s, FAULTS_OF_1000)) {
            sim_fault(&s);
        } else {
            sim_work(&s);
        }
        if (!sim_chance(&s, 300)) { /* else the next one comes at once */
            sim_run(&s, sim_below(&s, sim_chance(&s, 50) ? 60000 : 1500));
        }
        sim_check_now(&s);
    }
    sim_heal(&s);
    if (s.failure[0] == '\0') {
        sim_check_end(&s);
    }
    sim_free(&s);
    sim_count_add(sum, &s.count);
    if (s.failure[0] != '\0') {
        printf("seed %" PRIu64 ": %s\n  again: maille-sim --seed %" PRIu64 " --events %u --story\n",
               options->seed, s.failure, options->seed, options->events);
    }
    return s.failure[0] == '\0';
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                          {"seeds", required_argument, NULL, 'n'},
                                          {"events", required_argument, NULL, 'e'},
                                          {"story", no_argument, NULL, 't'},
                                          {NULL, 0, NULL, 0}};
    struct sim_options o = {.seed = (uint64_t)time(NULL) * 1000000u, .events = EVENTS};
    struct sim_count sum = {{0}};
    uint64_t seeds = 1;
    uint64_t failed = 0;
    int c = 0;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 's':
            o.seed = strtoull(optarg, NULL, 10);
            break;
        case 'n':
            seeds = strtoull(optarg, NULL, 10);
            break;
        case 'e':
            o.events = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 't':
            o.story = true;
            break;
        default:
            return 2;
        }
    }
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30); /* disks grow by steps: no system call for each */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    const uint64_t first = o.seed;
    for (uint64_t i = 0; i < seeds; i++) {
        o.seed = first + i;
        failed += !run(&o, &sum);
    }
    bool all = sim_count_print(&sum);
    printf("seeds %" PRIu64 " to %" PRIu64 ", %u events each: %" PRIu64 " failed\n", first,
           first + seeds - 1, o.events, failed);
    return failed == 0 && (all || seeds < 100) ? 0 : 1;
}
