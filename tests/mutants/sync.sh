#!/bin/bash
# Breaks the exchange engine one rule at a time and asks that a test sees each.
# Usage: tests/mutants/sync.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

X=test_sync_exchange F=test_sync_fork M=test_sync_sim S=(test_sync_session test_sync_waits)
# what may be offered, and what is acknowledged
mutant sync/sync.c 's/!own->waits \&\& bundle->id.seq <= own->anchored/true/' "${S[@]}"
mutant sync/sync.c 's/if (own->waits \&\& !own->failed) {/if (own->waits) {/' "${S[@]}"
mutant sync/sync.c 's/e->own\[i\].waits \&\& e->own\[i\].stamp <= append_mark/false/' "${S[@]}"
mutant sync/sync.c 's/memcmp(\&own->head.hash, \&bundle->prev, sizeof(bundle->prev)) != 0/false/' $M
mutant sync/outbound.c 's/!ml_sync_is_held_back(s->e, \&v->pair->writer/true || &/' $M
mutant sync/inbound.c 's/for (size_t i = 0; err == ML_OK \&\& i < count; i++) {/for (size_t i = 0; i + 1 < count; i++) {/' $X "${S[@]}"
# windows and limits
mutant sync/inbound.c 's/s->in_open_bytes + bytes > s->in_window_bytes/false/' "${S[@]}"
mutant sync/inbound.c 's/s->in_open_bundles + msg->items.count > s->in_window_bundles/false/' "${S[@]}"
mutant sync/inbound.c 's/msg->number != s->in_number + 1/false/' "${S[@]}"
mutant sync/outbound.c 's/s->load_bundles = s->window_bundles - s->open_bundles;/s->load_bundles = s->window_bundles;/' "${S[@]}"
mutant sync/outbound.c 's/return window < link ? window : link;/return link;/' $X "${S[@]}"
mutant sync/outbound.c 's/s->unsent >= ML_SYNC_UNSENT_BYTES ||/false ||/' "${S[@]}"
mutant sync/session.c 's/e->session_count == ML_SYNC_SESSIONS_MAX/false/; s/s->bye_len = sizeof(bye);//' "${S[@]}"
mutant sync/fork.c 's/s->place_query_count == ML_SYNC_FORKS_MAX ||//' "${S[@]}"
mutant sync/bodies.c 's/if (g->count > 0) {/if (false) {/' "${S[@]}"
mutant sync/inbound.c 's/e->drained || //' $X
mutant sync/inbound.c 's/e->now_ms - e->queue_first->at_ms >= ML_SYNC_BATCH_MS/false/' "${S[@]}"
mutant sync/inbound.c 's/s->e->queue_bytes + bytes > ML_SYNC_QUEUE_BYTES_MAX ? ML_E_BUSY : ML_OK/ML_OK/' "${S[@]}"
mutant sync/session.c 's/s->unsent + buf.len > ML_SYNC_UNSENT_BYTES_MAX/false/' "${S[@]}"
mutant sync/exchange.c 's/s->rounds_ms - now > /false \&\& &/' "${S[@]}"
# order
mutant sync/outbound.c 's/{ML_LANES_KEYS, ML_LANE_BIT/{ML_LANES_ALL, ML_LANE_BIT/' $X
mutant sync/outbound.c 's/bool lanes_first = s->e->order == ML_SYNC_ORDER_LANES;/bool lanes_first = true;/' $X
mutant sync/outbound.c 's/(!trace || (s->trace_known \&\& s->ride))/true/' $X
mutant sync/sync.c 's/        e->sessions\[i\]->ride = true;//' $X
# what the other has
mutant sync/outbound.c 's/v->missing \&\& !v->unsettled \&\& (!v->ahead || v->forked)/v->missing/' $F $M
mutant sync/outbound.c 's/v.missing = v.missing || !ml_chain_holds/v.missing = v.missing || ml_chain_holds/' $X
mutant sync/outbound.c 's/        err = ml_sess_peer_has(s, \&o->bundle, true);//; s/} else if (head->id.seq > top) {/} else if (head->id.seq + 1 > top) {/' $F $M
mutant sync/inbound.c 's/        err = ml_sess_peer_has(s, \&o->bundle, true);//' $X
mutant sync/exchange.c 's/memcmp(\&s->base_heads, \&msg->base, sizeof(msg->base)) == 0/true/' $X $M
mutant sync/exchange.c 's/if (s->e->version != s->hello_version) {/if (false) {/' $X $M
mutant sync/exchange.c 's/feeder == NULL || feeder == s || feeder->done_got ||/true ||/' $X
mutant sync/frontier.c 's/if ((id->lane == ML_LANE_TRACE) != trace) {/if (false) {/' $X
mutant sync/frontier.c 's/ml_sync_frontier_drop_lane(\&s->theirs, ML_LANE_TRACE);//; s/.seq = id->seq - 1, .hash = \*prev};/.seq = id->seq, .hash = *prev};/' $X
# branches and bodies
mutant sync/fork.c 's/if (f->hi == f->lo + 1) {/if (f->hi <= f->lo + 2) {/' $F
mutant sync/fork.c 's/head->shared = f->lo;/head->shared = 0;/' $F
mutant sync/fork.c 's/    return ml_sess_send(s, \&msg);/    return ML_OK;/' $F
mutant sync/outbound.c 's/lower ? r->first : head->from/1/' $F
mutant sync/bodies.c 's/w->last = count < ML_SYNC_BODIES_MAX;/w->last = true;/' $F
mutant sync/bodies.c 's/s->wants.finished = memcmp(.*/s->wants.finished = false;/' $F
# time and links
mutant sync/timing.c 's/bool silent = now - s->rx_ms >= ML_SYNC_SILENT_MS;/bool silent = false;/' "${S[@]}"
mutant sync/timing.c 's/now - s->progress_ms >= ML_SYNC_STALL_MS/false/' "${S[@]}"
mutant sync/timing.c 's/    if (owing \&\& !s->owing) {/    if (false) {/' "${S[@]}" $M
mutant sync/sync.c 's/return crossed \&\& old->initiator == we_are_smaller;/return crossed \&\& old->initiator != we_are_smaller;/' "${S[@]}"
mutant sync/sync.c 's/sync_close_all(e, ML_E_CANCELED, ML_BYE_PAUSED);//' "${S[@]}"
mutant sync/exchange.c 's/    return ml_sess_send(s, \&msg);/    return ML_OK;/' $X "${S[@]}"
# memory
mutant sync/inbound.c 's/        items_free(e, first);//' test_sync_faults "${S[@]}"
mutant sync/exchange.c 's/        ml_sync_frontier_free(\&fresh);//' test_sync_faults
mutant core/base/sm.c 's/ML_ASSERT(ml_sm_allows(sm, to));//' test_sm
mutants_end
