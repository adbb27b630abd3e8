#!/bin/bash
# Breaks the rules of who may read one at a time, and asks that the oracle sees each.
# Usage: tests/mutants/readers.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

T=test_node_readers R=core/model/gov_right.c C=core/model/consent.c
# roles and teams
mutant $R 's/bool here = q->team == NULL || grant->teams.count == 0;/bool here = true;/' $T
mutant $R 's/!(f->role != 0 \&\& ml_gov_is_here(q, f) \&\& role_may/!(f->role != 0 \&\& role_may/' $T
mutant $R 's/!ml_gov_is_grant_replaced(q, f) \&\& ml_gov_is_in_force(q, f))) {/ml_gov_is_in_force(q, f))) {/' $T
# the matrix
mutant core/model/matrix.c 's/return role == ML_ROLE_ADMIN \&\& (class/return role == 1 \&\& (class/' $T
mutant core/model/gov_keys.c 's/e->q.reads == ML_COMPARTMENT_ANNUAIRE || ml_gov_member_may/e->q.reads != ML_COMPARTMENT_SENSITIVE || ml_gov_member_may/' $T
# what patients decide
mutant $C 's/return audience\[0\] >= audience\[1\] \&\& a->item >= b->item \&\&/return audience[0] >= audience[1] \&\&/' $T
mutant $C 's/\[ML_AUDIENCE_ALL_EXCEPT\] = 1,/[ML_AUDIENCE_ALL_EXCEPT] = 3,/' $T
mutant $C 's/return ml_class_compartment(class) == c->number;/return class == c->number;/' $T
# and keys act on it
mutant net/node/exclude.c 's/\*any = err == ML_OK \&\& exclusion.any;/*any = false;/' $T
mutant core/model/keyring_group.c 's/e->fits = e->fits \&\& (in || !e->holders\[i\].kek);/e->fits = true;/' $T
# the vault within what keys open
mutant core/record/vault_veil.c 's/ml_err err = veil->any ? objects_erase(v, veil) : ML_OK;/ml_err err = ML_OK;/' $T
mutants_end
