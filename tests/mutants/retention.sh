#!/bin/bash
# Breaks the rules of how long records are kept one at a time and asks that a test sees each.
# Usage: tests/mutants/retention.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

R=core/record/retention.c S=core/store/log_shred.c M=net/node/methods_retention.c
T=test_retention L=test_log_end N=test_node_retention
# the calendar
mutant $R 's/return facts->death.year != 0 \&\& /return facts->death.year != 0 || /' $T
mutant $R 's/d.day = (uint8_t)(d.day > last ? last : d.day);//' $T
mutant $R 's/if (ml_retention_compare(\&birthday, \&r.end) > 0) {/if (false) {/' $T
mutant $R 's/ml_retention_compare(today, \&r->end) > 0/ml_retention_compare(today, \&r->end) >= 0/' $T
mutant $R 's/d.month = MONTHS;/d.month = 1;/' $T
mutant $R 's/rule->total_years >= least.total_years \&\& //' $T
# who ends it
mutant $S 's/!SAME(other.author->member, j->author->member) \&\&/true \&\&/' $L
mutant $S 's/(j->leads || other.leads);/true;/' $L
mutant $S 's/found \&\& is_end(\&row) \&\&/found \&\&/' $L
mutant $S 's/            SAME(row.dek, j->row->dek)) {/            true) {/' $L
mutant $S 's/\*ended = !\*found \&\& /*ended = false \&\& /' $L
mutant core/record/vault_keys.c 's/ended = ended || (err == ML_OK \&\& one.ended);/ended = false;/' $N
# what refuses it
mutant $M 's/if (facts.held > 0) {/if (false) {/' $N
mutant $M 's/if (facts.doubtful) {/if (false) {/' $N
mutant $M 's/if (err == ML_OK \&\& (hides || /if (err == ML_OK \&\& (false || /' $N
mutant net/node/retention.c 's/l.second_ms < here ? l.second_ms : here;/here;/' $N
mutant net/node/card.c 's/good = good \&\& ml_retention_allowed(\&read);//' $N
# traces
P=core/store/log_prune.c K=test_node_kept G=test_log_prune
mutant core/store/log_sql.c 's/lane IS 2 AND hlc < ?1/hlc < ?1/' $G
mutant core/store/log_sql.c 's/lane IS 2 AND hlc < ?1/lane IS 2 AND ?1 > 0/' $G
mutant core/store/log_sql.c 's/FROM hole WHERE reason <> 2/FROM hole/' $G
mutant $P 's/2, ML_ABSENT_PRUNED);/2, ML_ABSENT_NOT_RECEIVED);/' $G
mutant $P 's/ \&\& count < max) {/) {/' $G
mutant net/node/retention.c 's/l.second_ms < here ? l.second_ms : here;/here;/' $K
mutant net/node/retention.c 's/        err = kept_from_put(org, from);/        err = ML_OK;/' $K
mutant $R 's/all - months : MONTHS;/all - months \/ 2 : MONTHS;/' $K
mutant net/node/trace_proof.c 's/(before == NULL ||/(false ||/; s/before->wall_ms < p->kept_from_ms);/(before != NULL \&\& before->wall_ms < p->kept_from_ms));/' test_node_audit
mutant net/node/trace_proof.c 's/before->wall_ms < p->kept_from_ms);/true);/' test_node_audit
mutants_end
