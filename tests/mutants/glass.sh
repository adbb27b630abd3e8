#!/bin/bash
# Breaks the rules of emergency access one at a time and asks that a test sees each.
# Usage: tests/mutants/glass.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

G=test_node_glass S=test_node_second K=test_keyring_share V=core/record/vault_veil.c
# the pair: nobody seals under one that somebody has who may no longer (ADR 0030)
E=test_keyring_emergency P=core/model/keyring_emergency.c
mutant $P 's/k->pair_sound = k->pair_sound \&\& is_breaker(k, \&now->handed\[i\]);//' $E
mutant $P 's/e->has_holders != k->pair_sound || //' $E
mutant $P 's/(now != NULL \&\& e->order < now->order)/false/' $E
mutant $P 's/return !e->has_holders || now == NULL || now->secret == NULL || opens_by(k, e, now);/return true;/' $E
mutant $P 's/e->compartment == ML_COMPARTMENT_SENSITIVE) {/false) {/' $E
mutant $P 's/return k->pair_sound ? ml_keyring_pair(k, ML_PAIR_EMERGENCY) : NULL;/return ml_keyring_pair(k, ML_PAIR_EMERGENCY);/' $E
mutant core/model/keyring_sealing.c 's/ \&\& ml_keyring_glass_fits(k, e)) {/) {/' $E
mutant core/model/keyring_except.c 's/if (err != ML_OK || old) {/if (err != ML_OK) {/' $E
mutant net/node/keys.c 's/^    ml_glass_tend(org);//' $G
# what the patient masked, and what an emergency sets aside
mutant core/record/vault_glass.c 's/err = ml_vault_veil_glass(glass, .*/err = ML_OK;/' $G
mutant $V 's/v->emergency = true;/v->emergency = false;/' $G
mutant $V 's/\&\& memcmp(\&now, \&before, sizeof(now)) != 0 ? ML_E_STALE : err;/? ML_OK : err;/' $G
mutant net/node/consent.c 's/out->any = closed || out->emergency;/out->any = closed;/' $S
# telling him
mutant net/node/methods_glass_list.c 's/(!w->untold || (opened \&\& k->told_ms == 0))/true/' $G
mutant net/node/methods_glass_list.c 's/if (say.how == 0) {/if (false) {/' $G
# one share opens nothing, nor do two of one member
mutant core/model/keyring_share.c 's/const struct ml_gf128 rise = ml_gf128_mul(ml_gf128_of(slope + at), x);/const struct ml_gf128 rise = {0, 0 * x.lo * slope[0]};/' $K
mutant core/model/keyring_share.c 's/if ((run.lo | run.hi) == 0) {/if (false) {/' $K
mutant core/model/keyring_share.c 's/if (memcmp(is.b, id->b, sizeof(is.b)) != 0) {/if (false) {/' $K
mutant core/model/keyring_share.c 's/if (ml_is_zero(holder->member.b, sizeof(holder->member.b))) {/if (false) {/' $K
mutant core/model/keyring_share.c 's/if (err != ML_OK || has) {/if (err != ML_OK) {/' $K
mutant core/codec/keyop.c '/^size_t ml_glass_share_ad/,/^}/s/BYTES(wrap->stream), //; /^size_t ml_glass_share_ad/,/^}/s/parts, 4/parts, 3/' $K
mutant core/codec/keyop.c '/^size_t ml_glass_answer_ad/,/^}/s/BYTES(\*glass), //; /^size_t ml_glass_answer_ad/,/^}/s/parts, 4/parts, 3/' $K
mutant core/crypto/gf128.c 's/POLYNOMIAL = 0x87/POLYNOMIAL = 0x86/' test_gf128
# who answers, what, and until when
mutant net/node/methods_glass_list.c '/"glass.own_second"/s/return "glass.own_second"/return NULL/' $S
mutant net/node/methods_glass_list.c '/^static const char \*answer_refusal/,/^}/s/return "glass.right"/return NULL/' $S
mutant net/node/methods_glass_list.c 's/ || k->waits_ms <= wall_of(call) ?/ ?/' $S
mutant net/node/methods_glass_list.c '/^static ml_err answer_one/,/^}/s/err == ML_OK \&\& shut.emergency/false/' $S
mutant net/node/glass_second.c 's/return err == ML_OK \&\& !shut.emergency ?/return err == ML_OK ?/' $S
mutant net/node/glass.c 's/^    ml_glass_asks_drop(org, s);//' $S
mutant net/node/glass_second.c 's/if (a->end_ms <= now_of(org)) {/if (false) {/' $S
mutant net/node/keep.c 's/err = ml_glass_share_all(org);/err = ML_OK;/' $S
mutant net/node/write.c 's/err = ml_glass_share(org, patient);/err = ML_OK;/' $S
# destroyed with the rest
mutant core/store/log_shred.c 's/j->group.compartment == ML_COMPARTMENT_SENSITIVE); .*/false);/' $S
mutant net/node/shred.c 's/if (g->who->compartment != ML_COMPARTMENT_SENSITIVE) {.*/if (true) {/' $S
mutants_end
