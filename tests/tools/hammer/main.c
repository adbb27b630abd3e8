/* tests/tools/hammer/main.c -- hammer kill|cut|full|month --daemon MAILLED [--count N] [--seed S]
 * [--story]. Exit 0: nothing was lost. The last line says what happened, and the seed that repeats
 * what was drawn (moments are the machine's); after a failure the folder stays, with the nodes'
 * logs. */
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/assert.h"
#include "hammer.h"

enum { EXIT_DONE = 0, EXIT_LOST = 1, EXIT_USAGE = 2, COUNT_DEFAULT = 200 };

struct mode {
    const char *name;
    const char *what; /* is counted */
    bool (*run)(struct hammer *h);
    bool simulated_disk;
};

static const struct mode modes[] = {
    {"kill", "kills", run_kills, false},
    {"cut", "power cuts", run_cuts, true},
    {"full", "full disks", run_full, true},
    {"month", "days", run_month, false},
};

static int usage(void)
{
    fputs("hammer kill|cut|full|month --daemon MAILLED [--count N] [--seed S] [--story]\n", stderr);
    return EXIT_USAGE;
}

static bool options_parse(struct hammer *h, int argc, char **argv)
{
    static const struct option longs[] = {
        {"daemon", required_argument, NULL, 'd'},
        {"count", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},
        {"story", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int c = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread yet
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'd':
            h->daemon = optarg;
            break;
        case 'c':
            h->count = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            h->seed = strtoull(optarg, NULL, 10);
            break;
        case 'v':
            h->story = true;
            break;
        default:
            return false;
        }
    }
    return h->daemon != NULL;
}

static bool folder_make(struct hammer *h)
{
    const char *tmp = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): no other thread yet
    snprintf(h->folder, sizeof(h->folder), "%s/maille-hammer-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    return mkdtemp(h->folder) != NULL;
}

static int folder_remove_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)st;
    (void)what;
    (void)at;
    return remove(path);
}

static void nodes_make(struct hammer *h, const struct mode *mode)
{
    static const char *const names[NODES] = {"a", "b"};
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &h->nodes[i];
        n->name = names[i];
        n->daemon = h->daemon;
        n->clock_fd = -1;
        snprintf(n->home, sizeof(n->home), "%s/%s", h->folder, n->name);
        snprintf(n->state, sizeof(n->state), "%s/state-%s", h->folder, n->name);
        h->disks[i] = mode->simulated_disk ? disk_new(n->name, h->seed + i) : NULL;
        n->disk = h->disks[i];
    }
}

static void nodes_free(struct hammer *h)
{
    for (unsigned i = 0; i < NODES; i++) {
        node_kill(&h->nodes[i]);
        disk_free(h->disks[i]);
    }
}

int main(int argc, char **argv)
{
    struct hammer h = {.count = COUNT_DEFAULT, .seed = (uint64_t)time(NULL)};
    const struct mode *mode = NULL;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && argc > 1; i++) {
        mode = strcmp(argv[1], modes[i].name) == 0 ? &modes[i] : mode;
    }
    if (mode == NULL || !options_parse(&h, argc - 1, argv + 1)) {
        return usage();
    }
    unsetenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): no other thread yet
    h.rng = h.seed;
    if (!folder_make(&h)) {
        perror("hammer: no folder");
        return EXIT_LOST;
    }
    nodes_make(&h, mode);
    bool good = mode->run(&h);
    for (unsigned i = 0; i < NODES && good; i++) {
        good = node_stop(&h.nodes[i]) || fail(&h, "%s", h.nodes[i].error);
    }
    nodes_free(&h);
    if (good) {
        (void)nftw(h.folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    } else {
        fprintf(stderr, "hammer: %s\nhammer: logs in %s\n", h.error, h.folder);
    }
    printf("%s %u, acknowledged %zu, lost %s, manual steps %u, seed %llu\n", mode->what, h.kills,
           h.ledger.acked, good ? "0" : "see above", h.manual, (unsigned long long)h.seed);
    ledger_free(&h.ledger);
    return good ? EXIT_DONE : EXIT_LOST;
}
