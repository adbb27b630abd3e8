#!/bin/bash
# Breaks what the log bounds and counts of bundles that wait, one place at a time, and asks that a
# test sees each. Usage: tests/mutants/store.sh [--check]
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
mutants_end
