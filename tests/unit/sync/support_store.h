/* tests/unit/sync/support_store.h -- the model store's own operations, used by support_world.c. */
#ifndef ML_TESTS_SYNC_STORE_H
#define ML_TESTS_SYNC_STORE_H

#include "support_world.h"

/** Index of the bundle, or -1. */
int store_find(const struct world *w, const struct ml_dep *id);
int store_find_hash(const struct world *w, const struct ml_hash16 *hash);
int store_find_wire(const struct world *w, struct ml_slice wire);
bool store_is_ready(const struct world *w, unsigned node, int bundle);
void store_keep(struct world *w, unsigned node, int bundle);
/** Heads of what the node holds, sorted; the caller's to release from w->fake. */
struct ml_dep *store_heads(const struct world *w, unsigned node, size_t *count);
struct world_own *store_own(struct world *w, unsigned node, const struct ml_writer_id *writer,
                            uint8_t lane);
void store_require(const struct world *w, bool ok, const char *what);
/** False: an own bundle that no anchor covers. */
bool store_may_offer(const struct world *w, unsigned node, int bundle);
unsigned store_side(const struct world_link *l, unsigned node);
/** `node` sends these bytes. */
void store_tap(struct world *w, unsigned node, struct world_link *l, struct ml_slice bytes);
/** When a message that is sent now arrives. */
uint64_t store_arrival(struct world *w, struct world_pipe *p, size_t len);
/** The next report of sent bytes of this pipe, UINT64_MAX for none; _report makes it. */
uint64_t store_sent_ms(const struct world_pipe *p);
void store_sent_report(struct world *w, struct world_link *l, unsigned from);
void store_answer(struct world *w, struct world_job *job);
/** Grows the per-bundle arrays of every node. */
void store_grow(struct world *w);
int store_add(struct world *w, const struct world_bundle *bundle);
struct ml_sync_holes store_holes(const struct world *w, unsigned node);

/** Answers one of the actions about chunks. */
void store_act_chunks(struct world *w, unsigned node, const struct ml_sync_action *a);

#endif
