/* tests/tools/hammer/month.c -- 31 days of two real nodes whose clocks are this program's: work in
 * the day, idle locks at noon and at night, the calendar wrong by a year for some days. Nothing
 * that should end grows: memory, journals, WALs, the daemon's log. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../powercut/wire.h"
#include "core/base/assert.h"
#include "hammer.h"

enum {
    DAYS = 31,
    NOTES_A_DAY = 8,
    VISIT_MS = 1200000,   /* twenty minutes a note */
    STEP_MS = 1800000,    /* at night somebody looks at the clock each half hour */
    IDLE_MS = 600000,     /* the session ends after it: decisions 5 */
    SETTLED_DAY = 2,      /* caches are warm: what is compared with the end */
    RSS_GROWTH_KB = 6144, /* of it for a month of entries */
    JOURNAL_MAX = 128 << 10,
    LOG_MAX = 64 << 10,
    WAL_MAX = 24 << 20,
};
#define DAY_MS  86400000
#define YEAR_MS ((int64_t)365 * DAY_MS)

struct month {
    struct hammer *h;
    struct wire_clock *clock;
    long rss_kb[NODES]; /* on the settled day */
    unsigned locks;     /* sessions that ended by themselves */
    unsigned day;
    char where[PATH_BYTES]; /* of the first file that is too large */
};

static struct wire_clock *clock_make(struct hammer *h)
{
    int fd = memfd_create("clock", MFD_CLOEXEC);
    ML_ASSERT(fd >= 0 && ftruncate(fd, sizeof(struct wire_clock)) == 0);
    void *page = mmap(NULL, sizeof(struct wire_clock), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ML_ASSERT(page != MAP_FAILED);
    for (unsigned i = 0; i < NODES; i++) {
        h->nodes[i].clock_fd = fd;
    }
    return page;
}

/* Time passes for both clocks; a call lets the node look at what is due. */
static bool pass(struct month *m, int64_t ms)
{
    atomic_fetch_add(&m->clock->now_ms, ms);
    atomic_fetch_add(&m->clock->wall_ms, ms);
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &m->h->nodes[i];
        if (node_call(n, "node.status", params_new()) == NULL) {
            return fail(m->h, "day %u: %s", m->day, n->error);
        }
    }
    return true;
}

static bool is_unlocked(struct node *n)
{
    const struct ml_value *v = node_call(n, "node.status", params_new());
    return ml_value_bool(ml_value_get(ml_value_at(ml_value_get(v, "orgs"), 0), "unlocked"), false);
}

static bool morning(struct month *m)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &m->h->nodes[i];
        if (is_unlocked(n)) {
            return fail(m->h, "day %u: %s was open all night", m->day, n->name);
        }
        m->locks++;
        if (!node_unlock(n)) {
            return fail(m->h, "day %u: %s", m->day, n->error);
        }
    }
    return true;
}

/* Whose visit lasted longer than a session unlocks again. */
static bool both_unlocked(struct month *m)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = &m->h->nodes[i];
        if (!is_unlocked(n) && !node_unlock(n)) {
            return fail(m->h, "day %u: %s", m->day, n->error);
        }
    }
    return true;
}

static bool work(struct month *m)
{
    for (unsigned k = 0; k < NOTES_A_DAY; k++) {
        if (!both_unlocked(m) || !ledger_send(m->h, 0) || !ledger_send(m->h, 1) ||
            !hammer_settle(m->h) || !pass(m, VISIT_MS)) {
            return fail(m->h, "day %u: a note was not sent", m->day);
        }
    }
    return true;
}

static bool evening(struct month *m)
{
    struct hammer *h = m->h;
    if (!both_unlocked(m) || !hammer_synced(h, 0) || !hammer_synced(h, 1) ||
        !ledger_check(h, 0, true) || !ledger_check(h, 1, true)) {
        return false;
    }
    int64_t night = DAY_MS - (int64_t)NOTES_A_DAY * VISIT_MS;
    bool good = true;
    for (; night > 0 && good; night -= STEP_MS) {
        good = pass(m, night < STEP_MS ? night : STEP_MS);
    }
    return good;
}

/* ---- what must not grow ---- */

static long rss_kb(const struct node *n)
{
    char line[256];
    long kb = -1;
    snprintf(line, sizeof(line), "/proc/%d/status", (int)n->pid);
    FILE *in = fopen(line, "r");
    while (in != NULL && kb < 0 && fgets(line, sizeof(line), in) != NULL) {
        kb = strncmp(line, "VmRSS:", 6) == 0 ? strtol(line + 6, NULL, 10) : -1;
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return kb;
}

static struct month *walked; /* nftw has no argument of its own */

static int size_check(const char *path, const struct stat *st, int what, struct FTW *at)
{
    static const struct {
        const char *end;
        long max;
    } limits[] = {{"trace.journal", JOURNAL_MAX}, {".log", LOG_MAX}, {"-wal", WAL_MAX}};
    size_t len = strlen(path);
    (void)at;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) && what == FTW_F; i++) {
        size_t end = strlen(limits[i].end);
        if (len > end && strcmp(path + len - end, limits[i].end) == 0 &&
            st->st_size > limits[i].max) {
            snprintf(walked->where, sizeof(walked->where), "%s: %lld bytes", path,
                     (long long)st->st_size);
        }
    }
    return 0;
}

static bool sizes_hold(struct month *m)
{
    walked = m;
    (void)nftw(m->h->folder, size_check, 16, FTW_PHYS);
    return m->where[0] == '\0' || fail(m->h, "day %u: %s", m->day, m->where);
}

static bool memory_holds(struct month *m)
{
    for (unsigned i = 0; i < NODES; i++) {
        long kb = rss_kb(&m->h->nodes[i]);
        if (m->day == SETTLED_DAY) {
            m->rss_kb[i] = kb;
        }
        if (m->day > SETTLED_DAY && kb > m->rss_kb[i] + RSS_GROWTH_KB) {
            return fail(m->h, "day %u: %s holds %ld KB, %ld on day %d", m->day, m->h->nodes[i].name,
                        kb, m->rss_kb[i], SETTLED_DAY);
        }
    }
    return true;
}

/* A battery that died, a hand that set the calendar: and back some days later. */
static void calendar_jumps(struct month *m)
{
    static const struct {
        unsigned day;
        int64_t by;
    } jumps[] = {{8, YEAR_MS}, {11, -YEAR_MS}, {18, -YEAR_MS}, {22, YEAR_MS}};
    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        if (jumps[i].day == m->day) {
            atomic_fetch_add(&m->clock->wall_ms, jumps[i].by);
        }
    }
}

bool run_month(struct hammer *h)
{
    struct month m = {.h = h, .clock = clock_make(h)};
    if (!hammer_found(h) || !pass(&m, (int64_t)2 * IDLE_MS)) {
        return false;
    }
    for (m.day = 1; m.day <= DAYS; m.day++) {
        calendar_jumps(&m);
        if (!morning(&m) || !work(&m) || !evening(&m) || !sizes_hold(&m) || !memory_holds(&m)) {
            return false;
        }
        h->kills = m.day;
        if (h->story) {
            fprintf(stderr, "day %u: %zu acknowledged, a %ld KB, b %ld KB\n", m.day,
                    h->ledger.acked, rss_kb(&h->nodes[0]), rss_kb(&h->nodes[1]));
        }
    }
    printf("a: %ld KB on day %d, %ld at the end; b: %ld, %ld; sessions that ended alone %u\n",
           m.rss_kb[0], SETTLED_DAY, rss_kb(&h->nodes[0]), m.rss_kb[1], rss_kb(&h->nodes[1]),
           m.locks);
    bool good = true;
    for (unsigned i = 0; i < NODES && good; i++) {
        good = node_unlock(&h->nodes[i]) || fail(h, "%s", h->nodes[i].error);
    }
    return good && hammer_equal(h);
}
