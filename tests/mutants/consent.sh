#!/bin/bash
# Breaks the rules of consent one at a time, in the model, the vault and the node, and asks that a
# test sees each. Usage: tests/mutants/consent.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

C=core/model/consent.c
mutant $C 's/if (by->counts) {/if (true) {/' test_consent
mutant $C 's/return !is_over(by, now_ms) \&\& !selfish/return !is_over(by, now_ms)/' test_consent
mutant $C 's/return !is_over(by, now_ms) \&\& /return /' test_consent
mutant $C 's/!(secret \&\& by->said.source != ML_CONSENT_BY_PATIENT)/true/' test_consent
mutant $C 's/if (ordered \&\& lets(w, i)/if (lets(w, i)/' test_consent
mutant $C 's/(audience\[0\] > audience\[1\] || a->item > b->item)/true/' test_consent
mutant $C 's/audience\[0\] >= audience\[1\] \&\& a->item >= b->item/a->item >= b->item/' test_consent
mutant $C 's/!is_author(f, \&w->q->member.id) \&\& holds_for/holds_for/' test_consent
mutant $C 's/w->q->emergency \&\& f->said.item != ML_ITEM_OBJECT/w->q->emergency/' test_consent
mutant $C 's/\[ML_AUDIENCE_TEAM\] = 2/[ML_AUDIENCE_TEAM] = 3/' test_consent
mutant $C 's/past_close(set);//' test_consent
mutant $C 's/if (set->too_many \&\& is_clinical/if (false \&\& is_clinical/' test_consent
# What was decided before somebody came (ADR 0025).
K=core/model
mutant $K/keyring_make.c 's/emit_unheard_of(k, \&k->groups\[i\], emit, user)/ML_OK/' test_node_consent
mutant $K/keyring_make.c 's/!(holder->kek || holder->hears)/!holder->kek/' test_keyring_consent
mutant $K/keyring_make.c 's/(e->kek_key != NULL || e->consent_opens);/true;/' test_keyring_consent
mutant $K/keyring_consent.c 's/e->consent_opens = err == ML_OK;//' test_keyring_consent
mutant $K/keyring_consent.c 's/return k->store->heard_has(.*/return ML_OK;/' test_keyring_consent
mutant $K/keyring_make.c 's/(e->fits \&\& e->epoch == h->sealing)/false/' test_keyring_consent
mutant $K/keyring_consent.c 's/    news->keks = true;//' test_node_consent
mutant $K/keyring_group.c 's/holder->kek |= kind == ML_SLOT_KEK;/holder->kek |= kind != ML_SLOT_HIST;/' test_keyring_consent
V=core/record
mutant $V/vault_veil.c 's/if (err == ML_OK \&\& hides) {/if (false) {/' test_veil
mutant $V/vault_veil.c 's/err = ml_db_checkpoint(v->db);//' test_veil
mutant $V/vault_veil.c 's/v->retry = true;//' test_veil
mutant $V/vault_project.c 's/if (err == ML_OK \&\& hidden) {/if (false) {/' test_veil
mutant $V/vault_keys.c 's/if (err == ML_OK \&\& news.keks) {/if (false) {/' test_veil
mutant core/store/db.c 's/{"secure_delete", "1", "1"}/{"secure_delete", "0", "0"}/' test_veil
N=net/node
mutant $N/consent.c 's/err = say(org, \&receipt, \&id);//' test_node_consent
mutant $N/methods_draft.c 's/(shut \&\& of_one)/false/' test_node_consent
mutant $N/methods_draft.c 's/err = err == ML_OK ? refuse_shut(call, \&key) : err;//' test_node_consent
mutants_end
