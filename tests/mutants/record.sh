#!/bin/bash
# Breaks the rules of merging, keys, sealing and projection one at a time, and asks that a test sees
# each. Usage: tests/mutants/record.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

M=core/model/merge.c
mutant $M 's/if (member\[i\] && g->counts\[i\]) {/if (member[i]) {/' test_merge
mutant $M 's/g->reached\[to\] = true;/g->reached[to] = g->counts[to];/' test_merge
mutant $M 's/nodes\[i\].counts && !g->repeated\[i\]/nodes[i].counts/' test_merge
mutant $M 's/heads\[ML_ACT_ADD\] > 0 || edited_unseen/heads[ML_ACT_ADD] > 0 \&\& edited_unseen/' test_merge
mutant $M 's/heads\[ML_ACT_VOID\] > 0 ? ML_LIFE_VOIDED/heads[ML_ACT_VOID] > 1 ? ML_LIFE_VOIDED/' test_merge
mutant $M 's/return head->stance != ML_STANCE_REFUTE;/return head->stance == ML_STANCE_REFUTE;/' test_merge
mutant $M 's/return head->stance == ML_STANCE_DENY;/return 0;/' test_merge
mutant $M 's/return head->weight;/return 0;/' test_merge
mutant $M 's/out.shown = alone ? out.shown : ML_MERGE_NONE;//' test_merge
K=core/model/keyring.c
mutant core/model/keyring_sealing.c 's/return e->accepted && ml_keyring_is_of/return ml_keyring_is_of/' test_keyring
mutant core/model/keyring_sealing.c 's/return a->epoch > b->epoch;/return a->epoch < b->epoch;/' test_keyring
mutant $K 's/if (!key_ids_equal(&real, epoch_id(e, hist))) {/if (false) {/' test_keyring
mutant $K 's/return k->store->later_put(k->store->ctx, &in->sealed.key, op->raw);/return ML_OK;/' test_keyring
D=core/model/keyring_dek.c
mutant $D 's/if (w->seals && /if (/' test_keyring
mutant $D 's/|| memcmp(id.b, stream->b, sizeof(id.b)) < 0/|| memcmp(id.b, stream->b, sizeof(id.b)) > 0/' test_keyring
mutant $D 's/k->cache\[entry\].used = 0;//' test_keyring
S=core/model/seal.c
mutant $S 's/if (seen >= at) {/if (false) {/' test_seal
mutant $S 's/s->op_count < ML_BUNDLE_OPS_MAX \&\&/true \&\&/' test_seal
mutant $S 's/ml_slice(plain_hash, 32),/ml_slice(plain_hash, 0),/' test_seal
V=core/record
mutant $V/vault_project.c 's/if (err == ML_OK \&\& !held) {/if (err == ML_OK) {/' test_vault_order test_vault
mutant $V/vault_project.c 's/ml_log_op_counts(p->log, p->entry, (uint8_t)opened->index)/true/' test_vault_order
mutant $V/vault_project.c 's/err = write_conflicts(&scan, true);/err = write_conflicts(\&scan, false);/' test_vault test_vault_order
mutant $V/vault_proof.c 's/order_by_id(h->o, h->order);/for (uint32_t i = 0; i < h->o->count; i++) { h->order[i] = i; }/' test_vault_order
mutant $V/vault_keys.c 's/v->retry = true;/v->retry = v->retry;/' test_vault_order
mutant $V/vault.c 's/memcmp(past.b, m.past.b, sizeof(past.b)) == 0/true/' test_vault_order
mutant $V/vault.c 's/v->remap = v->remap || (known \&\& !same);/v->remap = v->remap || (marked \&\& !same);/' test_vault_order
mutant $V/vault.c 's/return known || err == ML_E_CORRUPT ? ML_OK : err;/return known ? ML_OK : err;/' test_vault_order
mutant $V/vault.c 's/    v->mark_checked = known;/    v->mark_checked = true;/' test_vault_order
mutant $V/vault.c 's/err = ml_vault_meta_put(v, mark_key, &m, sizeof(m));//' test_vault_order
mutant $V/content.c 's/return ML_GREY_FIELD;/return ML_GREY_NONE;/' test_views
mutant $V/vault_person.c 's/err = token_write(v, ST_TOKEN_DELETE, ml_buf_slice(&old), patient);//' test_search
mutant $V/person.c 's/? 0 : SCORE_PREFIX/? 0 : 0/' test_search
mutant $V/values_text.c "s/ml_buf_u8(out, decimal.data\[i\] == '.' ? ',' : decimal.data\[i\]);/ml_buf_u8(out, decimal.data[i]);/" test_values
mutants_end
