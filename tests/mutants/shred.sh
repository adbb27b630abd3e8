#!/bin/bash
# Breaks the rules of shreds one at a time and asks that a test sees each.
# Usage: tests/mutants/shred.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

S=core/store/log_shred.c L=test_log_shred N=test_node_shred K=core/model/keyring_except.c
# who may, and what of
mutant $S 's/err = ml_gov_author_reads(log->gov, good, \&in);/err = ML_OK;/' $L
mutant $S 's/err = ml_log_epoch_fits(log, \&f.entry.*/*good = true;/' $L
mutant $S 's/ \&\& SAME(by->member, j->author->member);/;/' $L
mutant $S 's/SAME(op->u.dek_wrap.kek, j->group.kek)/true/' $L
# never the last, nor before what replaces it
mutant $S 's/if (ml_version_id_compare(\&at, \&j->row->wrap) == 0) {/if (false) {/' $L
mutant $S 's/\*good = counts(log, \&f, \&at) \&\&/*good = f.here \&\&/; s/SAME(f.op.u.dek_slots.dek, j->row->dek) \&\&/true \&\&/' $L
mutant $S 's/(i > 0 || is_recipient(log, j, \&f.op.u.dek_slots))/true/' $L
# leaves of others
mutant $S 's/err = op.shredded ? leaf_check(log, \&id, good) : ML_OK;/err = ML_OK;/' $L
mutant core/store/log_ingest.c 's/one->leaves = .*/one->leaves = ml_slice(NULL, 0);/' $L
# no byte is left
mutant $S 's/log->erase = true;/log->erase = false;/' $L
mutant core/store/log.c 's/log->erase = log->tally.shreds > 0;/log->erase = false;/' $L
mutant core/record/vault_keys.c 's/^    ml_keyring_forget_stream(v->keyring, stream);//' test_vault_shred
mutant core/record/vault_keys.c 's/^    v->erase = true;//' test_vault_shred
# what seals, and who writes it
mutant $K 's/ || is_stale(k, \&one)) {/) {/' test_keyring_except
mutant net/node/keep.c 's/: follow_decided(org);/: ML_OK;/' $N
mutant net/node/shred.c 's/item->goes = stranger \&\& mine;/item->goes = false;/' $N
# what an earlier program stored
U=test_log_unread
mutant core/store/log.c 's/err = ml_log_shreds_upgrade(log);/err = ML_OK;/' $U
mutant core/store/log_sql.c "s/'shreds.unread', x'01'/'shreds.read', x'01'/" $U
mutant core/store/log_shred.c '/^ml_err ml_log_shreds_upgrade/,/^}/s/err = ml_log_shreds_retry(log);/err = ML_OK;/' $U
mutant core/store/log_shred.c '/^ml_err ml_log_shreds_upgrade/,/^}/s/err = ml_stmt_run(s);/err = ML_OK;/' $U
mutants_end
