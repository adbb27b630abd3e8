/* tests/sim/sim_node.c -- the lives of a node: start, stop, crash. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "sim.h"

uint64_t sim_node_now(const struct sim_node *n)
{
    const uint64_t now = n->sim->now_ms;
    return (now > n->busy_until_ms ? now : n->busy_until_ms) + fault_disk_spent_ms(n->disk);
}

void sim_node_spent(struct sim_node *n)
{
    const uint64_t now = sim_node_now(n);
    if (fault_disk_take_spent_ms(n->disk) > 0) {
        n->busy_until_ms = now;
    }
}

/* A node that can't open its home says why and tries again: as a service manager would. */
enum { START_AGAIN_MS = 2000 };

void sim_node_start(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    struct ml_node_ports ports;
    sim_net_ports(n, &ports);
    const struct ml_node_args args = {.env = &n->env,
                                      .home = "/home",
                                      .state_home = "/state",
                                      .ports = &ports,
                                      .test_keys = true};
    ML_ASSERT(n->node == NULL);
    n->boot++;
    n->wake_at_ms = UINT64_MAX;
    n->start_at_ms = 0;
    n->token_len = 0;
    n->busy_until_ms = 0;
    n->ledger.again = n->ledger.again || n->ledger.loss != SIM_LOSS_NONE;
    ml_err err = ml_node_open(&n->node, &args);
    sim_node_spent(n);
    sim_say(s, "node %u starts: %s", i, ml_err_name(err));
    if (err != ML_OK) {
        n->node = NULL;
        n->start_at_ms = s->now_ms + START_AGAIN_MS;
    }
}

static void node_end(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    sim_links_drop(s, i);
    ml_node_close(n->node);
    n->node = NULL;
    n->has_identity = false;
    n->token_len = 0;
}

void sim_node_stop(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    if (n->node == NULL) {
        return;
    }
    node_end(s, i);
    if (fault_disk_is_dead(n->disk)) { /* the cut that was planned came in its last writes */
        s->count.of[SIM_CRASH_IN_WRITE]++;
        fault_disk_restart(n->disk, FAULT_KEEP_RANDOM);
    }
    fault_disk_cut_at(n->disk, 0);
    sim_say(s, "node %u stops", i);
}

void sim_node_crash(struct sim *s, unsigned i, enum fault_keep keep)
{
    struct sim_node *n = &s->nodes[i];
    if (n->node == NULL) {
        return;
    }
    if (!fault_disk_is_dead(n->disk)) {
        fault_disk_cut_at(n->disk, 1); /* nothing of what closing writes reaches it */
    }
    node_end(s, i);
    fault_disk_restart(n->disk, keep);
    sim_store_check(s, i);
    n->start_at_ms = s->now_ms + 100 + sim_below(s, 20000);
    sim_say(s, "node %u has crashed", i);
}

void sim_node_back_up(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    fault_image_free(n->backup);
    n->backup = fault_disk_image(n->disk, "/home");
    sim_say(s, "node %u is backed up", i);
}

void sim_node_restore(struct sim *s, unsigned i)
{
    struct sim_node *n = &s->nodes[i];
    sim_node_stop(s, i);
    fault_disk_put_image(n->disk, n->backup);
    sim_witness_loss(s, i, SIM_LOSS_SET_BACK);
    n->set_back = true;
    n->draft = 0;
    n->start_at_ms = s->now_ms + 1000;
    s->count.of[SIM_RESTORED]++;
    sim_say(s, "node %u is restored from its backup", i);
}

void sim_node_double(struct sim *s, unsigned i)
{
    struct sim_node *twin = &s->nodes[SIM_TWIN];
    sim_node_stop(s, i);
    sim_damage_notice(s); /* what its last writes met, its twin has too */
    struct fault_image *image = fault_disk_image(s->nodes[i].disk, "/");
    fault_disk_put_image(twin->disk, image);
    fault_image_free(image);
    memcpy(twin->id, s->nodes[i].id, sizeof(twin->id));
    memcpy(twin->member, s->nodes[i].member, sizeof(twin->member));
    twin->keys = s->nodes[i].keys;
    twin->damaged = s->nodes[i].damaged;
    twin->anchor_hit = s->nodes[i].anchor_hit;
    twin->keystore_hit = s->nodes[i].keystore_hit;
    twin->joined = true;
    s->nodes[i].start_at_ms = s->now_ms + 1;
    twin->draft = s->nodes[i].draft;
    twin->start_at_ms = s->now_ms + 2;
    s->forked = true;
    s->doubled = i;
    s->count.of[SIM_DOUBLED]++;
    sim_say(s, "node %u runs twice: its image is node %u too", i, SIM_TWIN);
}

void sim_nodes_reap(struct sim *s)
{
    static const enum fault_keep keeps[] = {FAULT_KEEP_SYNCED, FAULT_KEEP_PREFIX,
                                            FAULT_KEEP_RANDOM};
    for (unsigned i = 0; i < SIM_NODES; i++) {
        if (s->nodes[i].node != NULL && fault_disk_is_dead(s->nodes[i].disk)) {
            s->count.of[SIM_CRASH_IN_WRITE]++;
            sim_node_crash(s, i, keeps[sim_below(s, 3)]);
        }
    }
}

bool sim_node_ready(const struct sim *s, unsigned i)
{
    return s->nodes[i].node != NULL && s->nodes[i].joined && s->nodes[i].token_len > 0;
}

unsigned sim_node_any(struct sim *s)
{
    unsigned first = (unsigned)sim_below(s, SIM_NODES);
    for (unsigned k = 0; k < SIM_NODES; k++) {
        unsigned i = (first + k) % SIM_NODES;
        if (sim_node_ready(s, i)) {
            return i;
        }
    }
    return SIM_NODES;
}
