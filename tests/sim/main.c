/* tests/sim/main.c -- runs seeds.
 *
 *   maille-sim [--seed N] [--seeds N | --ops N] [--events N] [--scale N] [--sound] [--story]
 *   maille-sim --replay FILE [--story]
 *   maille-sim --adversary NAME|all [--seed N] [--seeds N] [--story]
 *
 * Without --seed the first seed is drawn from the clock and printed. --ops: as many seeds as it
 * takes until so many ops were acknowledged. --sound: no disk rots, and no write goes astray.
 * --scale: patients of an import, at most. --replay: the seeds of a file (tests/sim/seeds).
 * --adversary: stories of another kind, one attack each (sim_adversary.h). A seed
 * that fails prints the line that runs it again and the line that keeps it. Exit 0: all held; 1:
 * one didn't, or something never happened in 100 seeds. */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"
#include "sim_adversary.h"

enum {
    EVENTS = 200,
    FAULTS_OF_1000 = 250,
    SEEDS_FOR_ALL = 100,
    RECOMPUTE_EVERY = 50,
    HUNG_S = 1200
};

struct total {
    struct sim_count count;
    uint64_t seeds;
    uint64_t failed;
    uint64_t lost;
    uint64_t diverged;
};

/* With a matrix, all are doctors, who read everything; without one, roles say nothing. */
static bool set_up(struct sim *s)
{
    static const int roles[SIM_TWIN] = {10, 10, 60, 60};
    const bool all = sim_chance(s, 500); /* else one joins in the middle of it all */
    const bool matrix = sim_chance(s, 200);
    for (unsigned i = 0; i < SIM_TWIN; i++) {
        s->roles[i] = matrix ? roles[0] : roles[i];
    }
    if (!sim_found(s, 0)) {
        return false;
    }
    sim_other_add(s, 0);
    if (matrix) {
        sim_matrix_begin(s);
    }
    for (unsigned i = 1; i < SIM_TWIN; i++) {
        if ((all || i != SIM_LATE) && !sim_join(s, 0, i)) {
            return false;
        }
    }
    return sim_introduce(s);
}

static void events(struct sim *s)
{
    for (unsigned i = 0; i < s->options.events && s->failure[0] == '\0'; i++) {
        s->witness.event++;
        if (sim_chance(s, FAULTS_OF_1000)) {
            sim_fault(s);
        } else {
            sim_work(s);
        }
        if (!sim_chance(s, 300)) { /* else the next one comes at once */
            sim_run(s, sim_below(s, sim_chance(s, 50) ? 60000 : 1500));
        }
        sim_check_now(s);
        if (i % RECOMPUTE_EVERY == RECOMPUTE_EVERY - 1) {
            sim_store_recompute(s, (unsigned)sim_below(s, SIM_NODES), false);
        }
    }
}

static char hung[80]; /* what is printed of a seed that never ends */

static void hung_say(int signal_number)
{
    (void)signal_number;
    ssize_t said = write(STDOUT_FILENO, hung, strlen(hung));
    _exit(said > 0 ? 1 : 2);
}

static void run(const struct sim_options *o, struct total *t)
{
    static struct sim s;
    snprintf(hung, sizeof(hung), "seed %" PRIu64 ": never ends, %d s\n", o->seed, HUNG_S);
    (void)alarm(HUNG_S);
    sim_init(&s, o);
    sim_watch(&s);
    if (!set_up(&s)) {
        sim_fail(&s, "no structure came about");
    }
    events(&s);
    s.witness.event++;
    sim_heal(&s);
    if (s.failure[0] == '\0') {
        sim_check_end(&s);
    }
    sim_free(&s);
    sim_count_add(&t->count, &s.count);
    t->seeds++;
    t->lost += s.lost;
    t->diverged += s.diverged;
    if (s.failure[0] != '\0') {
        t->failed++;
        printf("seed %" PRIu64 ": %s\n"
               "  again: maille-sim --seed %" PRIu64 " --events %u --scale %u%s --story\n"
               "  kept for ever by this line in tests/sim/seeds, once it is understood:\n"
               "  %" PRIu64 " %u %u %s%.60s\n",
               o->seed, s.failure, o->seed, o->events, o->scale, o->sound ? " --sound" : "",
               o->seed, o->events, o->scale, o->sound ? "sound " : "", s.failure);
    }
    (void)fflush(stdout);
}

/* One line: seed, events, scale, "sound" for sound disks, what it found. */
static bool replay(const char *path, struct sim_options o, struct total *t)
{
    char line[256];
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        perror(path);
        return false;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        char *at = NULL;
        o.seed = strtoull(line, &at, 10);
        if (line[0] == '#' || at == line) {
            continue;
        }
        o.events = (unsigned)strtoul(at, &at, 10);
        o.scale = (unsigned)strtoul(at, &at, 10);
        o.sound = strncmp(at, " sound ", 7) == 0;
        run(&o, t);
    }
    return fclose(f) == 0;
}

static void total_print(const struct total *t)
{
    printf("ops acknowledged %" PRIu64 ", ops lost %" PRIu64 ", divergences %" PRIu64 "\n",
           t->count.of[SIM_ACKED_OPS], t->lost, t->diverged);
}

struct asked {
    struct sim_options o;
    uint64_t seeds;
    uint64_t ops; /* 0: `seeds` say how long */
    const char *replay;
    const char *adversary;
};

static bool ask(struct asked *a, int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},      {"seeds", required_argument, NULL, 'n'},
        {"events", required_argument, NULL, 'e'},    {"scale", required_argument, NULL, 'c'},
        {"ops", required_argument, NULL, 'o'},       {"replay", required_argument, NULL, 'r'},
        {"story", no_argument, NULL, 't'},           {"sound", no_argument, NULL, 'd'},
        {"adversary", required_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
    int c = 0;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        const uint64_t number = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);
        switch (c) {
        case 's':
            a->o.seed = number;
            break;
        case 'n':
            a->seeds = number;
            break;
        case 'e':
            a->o.events = (unsigned)number;
            break;
        case 'c':
            a->o.scale = (unsigned)number;
            break;
        case 'o':
            a->ops = number;
            break;
        case 'r':
            a->replay = optarg;
            break;
        case 't':
            a->o.story = true;
            break;
        case 'd':
            a->o.sound = true;
            break;
        case 'a':
            a->adversary = optarg;
            break;
        default:
            return false;
        }
    }
    return a->o.scale > 0;
}

static volatile sig_atomic_t stop;

/* After the seed in hand the sums are printed: a soak may end early. */
static void stop_take(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

int main(int argc, char **argv)
{
    static struct total t;
    struct asked a = {
        .o = {.seed = (uint64_t)time(NULL) * 1000000u, .events = EVENTS, .scale = SIM_SCALE},
        .seeds = 1};
    if (!ask(&a, argc, argv)) {
        return 2;
    }
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30); /* disks grow by steps: no system call for each */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)signal(SIGALRM, hung_say);
    sim_fast_begin();
    if (a.adversary != NULL) {
        return sim_adversaries(a.adversary, &a.o, a.seeds) ? 0 : 1;
    }
    if (a.replay != NULL) {
        bool read = replay(a.replay, a.o, &t);
        total_print(&t);
        printf("%" PRIu64 " kept seeds: %" PRIu64 " failed\n", t.seeds, t.failed);
        return read && t.failed == 0 ? 0 : 1;
    }
    const uint64_t first = a.o.seed;
    printf("first seed %" PRIu64 "\n", first);
    (void)signal(SIGTERM, stop_take);
    while (!stop && (a.ops > 0 ? t.count.of[SIM_ACKED_OPS] < a.ops : t.seeds < a.seeds)) {
        a.o.seed = first + t.seeds;
        run(&a.o, &t);
    }
    bool all = sim_count_print(&t.count, a.o.sound);
    total_print(&t);
    printf("seeds %" PRIu64 " to %" PRIu64 ", %u events each: %" PRIu64 " failed\n", first,
           first + t.seeds - 1, a.o.events, t.failed);
    return t.failed == 0 && (all || t.seeds < SEEDS_FOR_ALL) ? 0 : 1;
}
