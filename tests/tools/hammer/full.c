/* tests/tools/hammer/full.c -- the simulated disk fills up under load, again and again, a little
 * later each time: what is refused says so, what was acknowledged is there, and with room all goes
 * on by itself. Now and then the node is killed while there is no room. */
#include <stdio.h>
#include <string.h>

#include "hammer.h"

enum { ROUNDS = 8, ROOM_BYTES = 400000, ENTRIES_MAX = 2000 };

static bool write_until_refused(struct hammer *h)
{
    size_t before = h->ledger.count;
    h->ledger.last_refusal = ML_OK;
    while (h->ledger.last_refusal == ML_OK) {
        if (h->ledger.count > before + ENTRIES_MAX) {
            return fail(h, "the disk never fills");
        }
        (void)ledger_send(h, 0);
        if (!hammer_settle(h)) {
            return false;
        }
    }
    return h->ledger.last_refusal == ML_E_FULL ||
           fail(h, "a full disk is told as: %s", h->ledger.refusal);
}

static bool writes_again(struct hammer *h)
{
    size_t k = h->ledger.count;
    (void)ledger_send(h, 0);
    return hammer_settle(h) && (h->ledger.entries[k].state == ENTRY_ACKED ||
                                fail(h, "refused with room: %s", h->ledger.refusal));
}

static bool killed_without_room(struct hammer *h)
{
    struct node *a = &h->nodes[0];
    node_kill(a);
    (void)disk_restart(a->disk, FAULT_KEEP_ALL);
    if (!node_start(a)) {
        return fail(h, "%s", a->error);
    }
    (void)node_unlock(a); /* it may be refused for want of room: no more than that */
    return true;
}

bool run_full(struct hammer *h)
{
    struct node *a = &h->nodes[0];
    if (!hammer_found(h)) {
        return false;
    }
    for (; h->kills < ROUNDS; h->kills++) {
        disk_room(a->disk, 1 + draw(h, ROOM_BYTES));
        bool killed = h->kills % 3 == 2;
        if (!write_until_refused(h) || (killed && !killed_without_room(h))) {
            return false;
        }
        disk_room(a->disk, 0);
        if ((killed && !node_unlock(a)) || !writes_again(h)) {
            return fail(h, "%s", a->error);
        }
        if (!ledger_check(h, 0, false) || !hammer_synced(h, 0) || !hammer_synced(h, 1) ||
            !ledger_check(h, 1, true)) {
            return false;
        }
        if (h->story) {
            fprintf(stderr, "%u: full, %zu acknowledged\n", h->kills + 1, h->ledger.acked);
        }
    }
    return hammer_equal(h);
}
