#!/bin/bash
# Breaks what the log bounds and counts of bundles that wait, and what it says of its past, one place
# at a time, and asks that a test sees each. Usage: tests/mutants/store.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

P=core/store/log_pending.c T=(test_log_pending test_log_limit)
mutant $P 's/log->tally.pending_bytes + (int64_t)one->wire.len > ML_LOG_PENDING_BYTES/false/' "${T[@]}"
mutant $P 's/log->tally.pending_strange + (int64_t)one->wire.len > ML_LOG_PENDING_STRANGE/false/' "${T[@]}"
mutant $P 's/ml_stmt_int(s, 0) >= (int64_t)ML_LOG_PENDING_WRITER_MAX/false/' "${T[@]}"
mutant $P 's/ml_stmt_int(s, 1) + (int64_t)one->wire.len > ML_LOG_PENDING_WRITER_BYTES/false/' "${T[@]}"
mutant $P 's/log->tally.pending_bytes += (int64_t)one->wire.len;//' "${T[@]}"
mutant $P 's/log->tally.pending_bytes -= (int64_t)wire->len;//' "${T[@]}"
mutant $P 's/log->tally.pending_strange += (int64_t)one->wire.len;//' "${T[@]}"
mutant $P 's/log->tally.pending_strange -= strange ? (int64_t)wire->len : 0;//' "${T[@]}"
mutant $P 's/        log->tally.pending--;//' "${T[@]}"
C=core/store/log_cache.c
mutant $C 's/t->pending_bytes = ml_stmt_int(s, 1);//' "${T[@]}"
mutant $C 's/t->pending_strange = ml_stmt_int(s, 2);//' "${T[@]}"
A=core/store/log_past.c T=(test_log_past)
mutant $A 's/ml_slice(past->b, sizeof(past->b)),/ml_slice(past->b, 0),/' "${T[@]}"
mutant $A 's/ml_slice(bundle->b, sizeof(bundle->b))}/ml_slice(bundle->b, 0)}/' "${T[@]}"
mutant $A 's/if (n % ML_LOG_PAST_STEP != 0) {/if (n != ML_LOG_PAST_STEP) {/' "${T[@]}"
mutant $A 's/err = row == 0 ? ML_OK : ml_log_past_row(log, &past, row);//' "${T[@]}"
mutant $A 's/if (log->has_past) {/if (true) {/' "${T[@]}"
mutant $A 's/log->tally.epoch = ml_get_u64be(out) >> 1;/log->tally.epoch++;/' "${T[@]}"
mutant $A 's/log->tally.past.b)), body};/log->tally.past.b)), {0}};/' "${T[@]}"
mutant $A 's/ml_put_u64be(words, log->tally.epoch);/ml_put_u64be(words, 0);/' "${T[@]}"
mutant $A 's/ml_put_u64be(words + sizeof(uint64_t), n);/ml_put_u64be(words + sizeof(uint64_t), 0);/' "${T[@]}"
mutant $A 's/return err == ML_OK \&\& n > log->tally.last_n ? ML_E_NOT_FOUND : err;/return err;/' "${T[@]}"
mutant core/store/log_put.c 's/err = ml_log_past_add(log, one->self.n, &one->hash);//' "${T[@]}"
mutant $C 's/memcpy(t->past.b, past.data, past.len);//' "${T[@]}"
mutant core/store/log_verify.c 's/memcmp(stored.b, v->found.past.b, sizeof(stored.b)) != 0/false/' "${T[@]}"
mutant core/store/log_verify.c 's/if (v->rolled == t->last_n \&\&/if (false \&\&/' "${T[@]}"
mutants_end
