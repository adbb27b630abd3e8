/* tests/sim/sim_fault.c -- what goes wrong, and its end. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const int64_t year_ms = (int64_t)365 * 24 * 3600 * 1000;

static struct sim_node *node_any(struct sim *s)
{
    return &s->nodes[sim_below(s, SIM_NODES)];
}

/* ---- network ---- */

static void net_fault(struct sim *s)
{
    unsigned a = (unsigned)sim_below(s, SIM_NODES);
    unsigned b = (a + 1 + (unsigned)sim_below(s, SIM_NODES - 1)) % SIM_NODES;
    struct sim_path *p = &s->paths[a][b];
    switch (sim_below(s, 6)) {
    case 0:
        p->cut = s->paths[b][a].cut = true;
        s->count.of[SIM_NET_CUT]++;
        sim_say(s, "cut between %u and %u", a, b);
        break;
    case 1:
        p->cut = true;
        s->count.of[SIM_NET_CUT_ONE_WAY]++;
        sim_say(s, "cut from %u to %u", a, b);
        break;
    case 2:
        p->stalled_until_ms = s->now_ms + 1 + sim_below(s, 60000);
        s->count.of[SIM_NET_STALL]++;
        sim_say(s, "stalled from %u to %u", a, b);
        break;
    case 3:
        p->lost = (uint32_t)sim_below(s, 100);
        p->doubled = (uint32_t)sim_below(s, 100);
        p->reordered = (uint32_t)sim_below(s, 100);
        sim_say(s, "bad line from %u to %u", a, b);
        break;
    case 4:
        sim_links_drop(s, a);
        s->count.of[SIM_NET_RESET]++;
        sim_say(s, "links of %u reset", a);
        break;
    default: /* some of it gets well again */
        s->paths[a][b] = (struct sim_path){.delay_ms = p->delay_ms};
        s->paths[b][a] = (struct sim_path){.delay_ms = s->paths[b][a].delay_ms};
        sim_say(s, "line between %u and %u is well", a, b);
        break;
    }
}

/* ---- machines ---- */

static void crash(struct sim *s)
{
    static const struct {
        enum fault_keep keep;
        sim_count_of count;
    } ways[] = {{FAULT_KEEP_SYNCED, SIM_CRASH_SYNCED},
                {FAULT_KEEP_PREFIX, SIM_CRASH_PREFIX},
                {FAULT_KEEP_RANDOM, SIM_CRASH_RANDOM},
                {FAULT_KEEP_ALL, SIM_CRASH_KILL}};
    size_t way = (size_t)sim_below(s, 4);
    struct sim_node *n = node_any(s);
    if (n->node == NULL) {
        return;
    }
    if (sim_chance(s, 500)) { /* at some write to come */
        fault_disk_cut_at(n->disk, 1 + (long)sim_below(s, 60));
        sim_say(s, "node %u will crash in a write", n->index);
        return;
    }
    s->count.of[ways[way].count]++;
    sim_node_crash(s, n->index, ways[way].keep);
}

static void stop(struct sim *s)
{
    struct sim_node *n = node_any(s);
    if (n->node == NULL) {
        return;
    }
    sim_node_stop(s, n->index);
    n->start_at_ms = s->now_ms + 1000 + sim_below(s, 600000);
    s->count.of[SIM_STOPPED]++;
}

static void disk_fault(struct sim *s)
{
    struct sim_node *n = node_any(s);
    const bool full = sim_chance(s, 500);
    const struct fault_plan plan = {.ops =
                                        full ? FAULT_WRITE : FAULT_WRITE | FAULT_SYNC | FAULT_READ,
                                    .nth = 1 + (long)sim_below(s, 40),
                                    .forever = full,
                                    .full = full,
                                    .torn = sim_chance(s, 500)};
    fault_disk_plan(n->disk, &plan);
    n->ill = n->ill || !full;
    s->count.of[full ? SIM_DISK_FULL : SIM_DISK_ERROR]++;
    sim_say(s, "node %u: disk %s", n->index, full ? "full" : "error");
}

static void clock_fault(struct sim *s)
{
    struct sim_node *n = node_any(s);
    n->clock_moved = true;
    if (sim_chance(s, 500)) {
        n->wall_offset_ms = sim_chance(s, 500) ? year_ms : -year_ms;
        s->count.of[SIM_CLOCK_YEAR]++;
    } else {
        n->wall_offset_ms -= (int64_t)sim_below(s, 7200000);
        s->count.of[SIM_CLOCK_BACK]++;
    }
    sim_say(s, "node %u: clock off by %lld s", n->index, (long long)(n->wall_offset_ms / 1000));
}

/* A backup, later its return, as often as it comes; once a run an image that runs twice. */
static void image_fault(struct sim *s)
{
    struct sim_node *n = &s->nodes[sim_below(s, SIM_TWIN)];
    if (n->node == NULL || !n->joined || (s->forked && n->index == s->doubled)) {
        return;
    }
    if (!s->forked && sim_chance(s, 200) && !(s->replaced && n->index == SIM_ENROLLER)) {
        sim_node_double(s, n->index);
    } else if (n->backup == NULL || sim_chance(s, 200)) {
        sim_node_back_up(s, n->index);
    } else {
        sim_node_restore(s, n->index);
    }
}

static void unlock_all(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        struct sim_node *n = &s->nodes[i];
        if (n->node != NULL && n->joined && n->token_len == 0) {
            fault_disk_plan(n->disk, NULL); /* people make room, then type their passphrase */
            (void)sim_unlock(s, i);
        }
    }
}

void sim_fault(struct sim *s)
{
    switch (sim_below(s, 11)) {
    case 0:
    case 1:
    case 2:
        net_fault(s);
        break;
    case 3:
        crash(s);
        break;
    case 4:
        stop(s);
        break;
    case 5:
        disk_fault(s);
        break;
    case 6:
        clock_fault(s);
        break;
    case 7:
        image_fault(s);
        break;
    case 8:
    case 9:
        sim_damage(s);
        break;
    default:
        unlock_all(s);
        break;
    }
}

void sim_heal(struct sim *s)
{
    sim_say(s, "all is well again");
    for (unsigned i = 0; i < SIM_NODES; i++) {
        struct sim_node *n = &s->nodes[i];
        n->wall_offset_ms = 0;
        if (n->node != NULL) {
            fault_disk_cut_at(n->disk, 0);
        }
        fault_disk_plan(n->disk, NULL);
        fault_disk_slow(n->disk, 0);
        if (n->node == NULL && n->joined) {
            n->start_at_ms = s->now_ms + 1;
        }
        for (unsigned k = 0; k < SIM_NODES; k++) {
            s->paths[i][k] = (struct sim_path){.delay_ms = s->paths[i][k].delay_ms};
        }
    }
}
