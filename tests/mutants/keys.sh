#!/bin/bash
# Breaks the rules of keys one at a time and asks that a test sees each.
# Usage: tests/mutants/keys.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

G=test_keyring_group E=test_keyring_except D=test_keyring_deposit N=test_node_keys
# whom a group is for
mutant core/model/gov_keys.c 's/return e->q.reads == ML_COMPARTMENT_ANNUAIRE ||/return true ||/' $N test_gov
mutant core/model/gov_keys.c 's/ \&\& is_entitled(\&s.e, \&s.open->member) \&\&$/ \&\&/' test_gov
mutant core/model/keyring_group.c 's/e->fits = e->fits \&\& .*/e->fits = true;/' $G $N
mutant core/model/keyring_group.c 's/e->ends = e->ends || .*/e->ends = false;/' $G
mutant net/node/write.c 's/ml_err err = ml_keys_ready(org, need.*/ml_err err = ML_OK;/' $N
# the next epoch, and what it leads to
mutant core/model/keyring_group.c 's/(m->who.keeper \&\& has_all(\&refs, \&m->id))/m->who.keeper/' $G
mutant core/model/keyring_group.c 's/(m->who.keeper \&\& has_all(\&refs, \&m->id))/has_all(\&refs, \&m->id)/' $G
mutant core/model/keyring_group.c 's/number > 0 \&\& err == ML_OK; number--/number == top \&\& &/' $G
mutant core/model/keyring_group.c 's/if (g->led\[2 \* i + 1\]) {/if (!g->led[2 * i + 1]) {/' $G
mutant core/model/keyring_group.c 's/awaits = awaits || is_held_by_other/awaits = awaits \&\& is_held_by_other/' $G
mutant core/model/keyring_sealing.c 's/memcmp(a->kek.b, b->kek.b, sizeof(a->kek.b)) < 0/memcmp(a->kek.b, b->kek.b, sizeof(a->kek.b)) > 0/' $G
mutant core/model/keyring_make.c 's/if (e->epoch == sealing->epoch \&\& e->accepted/if (e == sealing \&\& e->accepted/' $G
mutant net/node/history.c 's/actor->rank > ML_RANK_REFERENT/false/' $N
# who is left out
mutant core/model/keyring_except.c 's/is_wrapped(wraps, \&e->dek) || is_stained(k, \&one, who)/is_wrapped(wraps, \&e->dek)/' $E
mutant core/model/keyring_except.c 's/is_wrapped(wraps, \&e->dek) || is_stained(k, \&one, who)/is_stained(k, \&one, who)/' $E
mutant core/model/keyring_except.c 's/if (is_new_wrap(\&wraps, i)) {/if (false) {/' $E
mutant core/model/keyring_except.c 's/if (err == ML_OK \&\& !who->emergency) {/if (err == ML_OK) {/' $E
mutant net/node/exclude.c 's/err == ML_OK \&\& !exclusion.member/err == ML_OK/' $N
# teams
T=test_node_teams
mutant core/model/gov_right.c 's/here = ml_gov_same(team.b, q->team->b, sizeof(team.b));/here = true;/' $T
mutant net/node/keys.c 's/closed = ml_keyring_group_state(k, \&at->teams\[i\], c) == ML_GROUP_CLOSED;/closed = false;/' $T
mutant net/node/team.c 's/ml_right_here(org, act->class, act->right, act->teams, act->count)/ml_right_now(org, act->class, act->right)/' $T
mutant net/node/team.c 's/while (f != NULL \&\& !may_make_patients(org, \&f->team)) {/while (false) {/' $T
mutant net/node/methods_govern.c 's/grant->teams = .*/grant->teams = (struct ml_list){.count = 0};/' $T
mutant net/node/methods_right.c 's/err == ML_OK \&\& patient != NULL \&\& c.team_count == 0/false/' $T
mutant net/node/methods_member.c 's/return teams->count == 0 ? ML_OK : .*/return ML_OK;/' $T
# a patient's second team
S=test_node_share K=test_keyring
mutant net/node/share.c '/weighed > /,/make_open/s/err = pass_to(\&p, team);/err = ML_OK;/' $S
mutant net/node/share.c 's/return !is_for(p, f, \&f->author) \&\& !lifts_own(p, f);/return !lifts_own(p, f);/' $S
mutant net/node/share.c 's/        if (err == ML_OK \&\& !any) {/        if (err == ML_OK) {/' $S
mutant net/node/keep.c 's/keep->heard == ml_vault_heard(org->session->vault);/true;/' $S
mutant net/node/keep.c 's/err = ml_share_keep(org);/err = ML_OK;/' $S
mutant net/node/methods_team.c 's/return err == ML_OK \&\& opposed$/return false/' $S
mutant net/node/methods_team.c 's/ML_RIGHT_CREATE, \&j->team, 1}/ML_RIGHT_CREATE, j->his, j->count}/' $S
mutant core/model/keyring_open.c 's/err = first ? reopen_one/err = first \&\& i % links.count == i \/ links.count ? reopen_one/' $K $S
mutant core/model/keyring_open.c '/reopen_one/,/^}/s/if (e == NULL || e->wrap_key == NULL) {$/if (e == NULL || e->wrap_key == NULL || (link->team.b[0] == team->b[0] \&\& e->epoch == 1)) {/' $K
mutant core/model/keyring_open.c 's/err = ml_keyring_emit_deposit(k, key, dek, e, \&job->to);/err = ML_OK;/' $K $S
mutant core/model/keyring_dek.c 's/: ml_keyring_is_deposited(k, key, \&e->kek, yes);/: ML_OK;/' $K $S
# what is sealed to Root
R=test_node_rotate
mutant net/node/keys.c 's/(renew \&\& state == ML_GROUP_SEALS)/(renew \&\& state == ML_GROUP_CLOSED)/' $R
mutant net/node/recover.c 's/^    if (same) {/    if (same || call != NULL) {/' $R
mutant net/node/rotate.c 's/t->present == NULL \&\& is_lone(call->org)/false/' $R
mutant net/node/rotate.c 's/    if (set->root == NULL) {/    if (t->fresh == NULL) {/' $R
mutant net/node/glass.c 's/anew = renew || ml_keyring/anew = (renew \&\& count == 0) || ml_keyring/' $R
# deposits
mutant core/model/keyring_deposit.c 's/struct ml_stored_wrap wrap = {/&.seals = true, /' $D
mutant core/model/keyring_deposit.c 's/return err == ML_OK ? k->store->later_put(.*/return err;/' $D
mutant net/node/write.c 's/^    deposits_drop(org, \&deposits);//' $N
# who came meanwhile
mutant net/node/keep.c 's/err = ml_exclude_keep(org);/err = ML_OK;/' test_node_consent
# the canary
F=test_node_fault
mutant core/model/keyring_make.c 's/(has == NULL || !has->kek || has->asks)/(has == NULL || !has->kek)/' $G $F
mutant core/model/keyring_fault.c 's/h->asks = h->faults <= ML_KEYRING_FAULTS_MAX;/h->asks = true;/' $G
mutant core/model/keyring_fault.c 's/h->asks = h->faults <= ML_KEYRING_FAULTS_MAX;/h->kek = false; &/' $G
mutant core/model/keyring_fault.c 's/!h->asks \&\& h->faults < ML_KEYRING_FAULTS_MAX/!h->asks/' $G
mutant core/model/keyring_fault.c 's/!h->asks \&\& h->faults < ML_KEYRING_FAULTS_MAX/h->faults < ML_KEYRING_FAULTS_MAX/' $G
mutant core/model/keyring_group.c 's/    holder->asks = holder->asks \&\& kind != ML_SLOT_KEK;//' $G
mutant core/model/keyring.c '/case ML_KEYOP_KEY_FAULT/,/return/s/if (accepted)/if (true)/' $G
mutant core/record/vault_keys.c 's/(op->type != ML_KEYOP_KEY_FAULT || is_own_fault([^)]*))/true/' $F
mutant core/record/vault_keys.c 's/ || op->type == ML_KEYOP_KEY_FAULT;/;/' $F
mutant net/node/keep.c 's/err = ml_keys_ask(org);/err = ML_OK;/' $F
mutant net/node/keep.c 's/keep->faults == ml_keyring_faults(ml_session_keyring(org)) \&\&/true \&\&/' $F
mutant net/node/keys.c 's/last->looked = last->looked \&\& .*/last->looked = last->looked;/' $F
# the network's epochs
W=test_node_network
mutant net/node/network.c 's/if (fell.count > 0) {/if (false) {/' $W
mutant net/node/network.c 's/err = hand(h, \&h->lacking, org->secrets.network, 1);/err = ML_OK;/' $W
mutant net/node/network.c 's/err = comes_with(k, held, i) ? ML_OK : /err = /' $W
P=test_keyring_pair
mutant core/model/keyring_pair.c 's/return err == ML_OK ? leads_follow(k, news) : err;/return err;/' $P $W
mutant core/model/keyring_pair.c 's/ \&\& p->number > in->number \&\&$/ \&\&/' $P
mutant core/model/keyring_pair.c 's/if (by == NULL || (!accepted \&\& by->secret == NULL)) {/if (by == NULL) {/' $P
mutant net/node/network.c 's/if (fell.count > 0 \&\& !has_turn(h->org, me, \&due_ms)) {/if (false) {/' $W
# ranks 2 and 3
R=test_node_govern
mutant net/node/promote.c 's/if (rank != ML_RANK_REFERENT \&\& rank != ML_RANK_LAST) {/if (false) {/' $R
mutant net/node/promote.c 's/    if (now->rank == ML_RANK_COORDINATOR) {/    if (false) {/' $R
mutant net/node/methods_member.c 's/{"member.rank", ML_NEEDS_SESSION | ML_NEEDS_RANK_1/{"member.rank", ML_NEEDS_SESSION/' $R
mutants_end
