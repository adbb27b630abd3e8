#!/bin/bash
# Breaks what keeps disks shut one rule at a time, and asks that the attack sees each.
# Usage: tests/mutants/disk.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

T=test_node_disk K=core/crypto/keystore.c
# files: under the node's key in place of the member's
mutant $K 's/return ml_kdf(id, out, ref.master, ml_slice(context, len));/return ml_kdf(id, out, id == ML_KDF_VAULT ? ks->nmk : ref.master, ml_slice(context, len));/' $T
mutant $K 's/return ml_kdf(id, out, ref.master, ml_slice(context, len));/return ml_kdf(id, out, id == ML_KDF_DRAFTS ? ks->nmk : ref.master, ml_slice(context, len));/' $T
# emergencies: who lost the right isn't told of to the keyring
mutant net/node/keys.c 's/err = err == ML_OK ? tell_breakers(org) : err;//' $T
# groups: who left has the key that seals on
mutant core/model/keyring_group.c 's/e->fits = e->fits \&\& (in || !e->holders\[i\].kek);/e->fits = true;/' $T
# patients: who is left out gets a slot
mutant net/node/exclude.c 's/err == ML_OK \&\& !exclusion.member/err == ML_OK/' $T
# traces: the node's are the auditor's alone
mutant net/node/trace_cut.c 's/if (is_node(&c->actor)) {/if (false) {/' $T
mutants_end
