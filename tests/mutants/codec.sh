#!/bin/bash
# Breaks the codecs one rule at a time and asks that a test sees each.
# Usage: tests/mutants/codec.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

R=core/codec/mp_read.c
mutant $R 's/f->type == ML_MP_FLOAT || value >= f->least;/true;/' test_mp_read
mutant $R 's/return v < -32;/return v <= -32;/' test_mp_read
mutant $R 's/return v < INT16_MIN;/return v <= INT16_MIN;/' test_mp_read
mutant $R 's/return value > UINT32_MAX;/return value >= UINT32_MAX;/' test_mp_read
mutant $R 's/need = 2 \* h->value;/need = h->value;/' test_mp_read
mutant $R 's/if (need > rest) {/if (need > rest + 1) {/' test_mp_read
mutant $R 's/if (c->depth >= depth_max) {/if (c->depth > depth_max) {/' test_mp_read
mutant $R 's/if (h->value < f->next_key) {/if (h->value + 1 < f->next_key) {/' test_mp_read
mutant $R 's/c->mode != ML_MP_DOC)) {/false)) {/' test_mp_read
mutant $R 's/(!negative \&\& raw > INT64_MAX) ||//' test_mp_read
mutant $R 's/c->pos != c->len/false/' test_mp_read
mutant $R 's/ml_mp_ok(c) \&\& c->depth > 0/false/' test_mp_read
mutant core/base/utf8.c 's/first == 0xed ? 0x9f : 0xbf/0xbf/' test_mp_read
mutant core/base/utf8.c 's/first == 0xe0 ? 0xa0 : 0x80/0x80/' test_mp_read
W=core/codec/wire.c
mutant $W 's/f->flags \& ML_WIRE_OPTIONAL \&\& member_is_zero(f, member)/false/' test_wire
mutant $W 's/ml_slice_compare(last, raw) >= 0/ml_slice_compare(last, raw) > 0/' test_wire
mutant $W 's/    c.depth = 1;/    c.depth = 0;/' test_wire
mutant $W 's/if (format->extra_offset == ML_WIRE_CLOSED) {/if (false) {/' test_wire test_msg
mutant $W 's/(format->fields\[next\].flags \& ML_WIRE_OPTIONAL) == 0/false/' test_wire
mutant $W 's/    out->len = start;//' test_wire test_ops
B=core/codec/bundle.c
mutant $B 's/"maille\/bundle\/1"/"maille\/bundle\/2"/' test_bundle
mutant $B 's/(h->dictionary.count > 0) != sealed/false/' test_bundle
mutant $B 's/!= (h->seq == 1)/!= (h->seq == 0)/' test_bundle
mutant $B 's/if (op->dict >= entries) {/if (op->dict > entries) {/' test_bundle
mutant $B 's/return op->hlc_delta > UINT64_MAX - h->hlc/return op->hlc_delta > UINT64_MAX/' test_bundle
mutant $B 's/walk.left != header->n_ops/false/' test_bundle
mutant $B 's/!shredded \&\& body.len != header->body_len/false/' test_bundle
mutant $B 's/out->clear = ml_slice(c->data + clear, c->pos - clear);//' test_bundle
mutant $B 's/genesis \&\& memcmp(h.b, org->b, sizeof(h.b)) != 0/false/' test_bundle
mutant $B 's/memcmp(root.b, bundle->header.body_root.b, sizeof(root.b)) != 0/false/' test_bundle
mutant $B 's/memcmp(writer.b, bundle->header.writer.b, sizeof(writer.b)) != 0/false/' test_bundle
mutant $B 's/    p\[53\] = index;//' test_bundle
mutant $B 's/out->len - start > ML_HEADER_BYTES_MAX/false/' test_bundle
mutant $B 's/err != ML_OK \&\& version_is_newer(bytes)/false/' test_bundle
mutant core/codec/govop.c 's/type == ML_GOVOP_ORG_FOUND ? \&zero : org/org/' test_ops
mutant core/codec/govop.c 's/if (ml_mp_key(&c) >= key) {/if (ml_mp_key(\&c) >= key - 1) {/' test_ops
mutant core/codec/keyop.c 's/slot->hist.len == 0 || slot->hist.len == ML_SLOT_WIRE_BYTES/true/' test_ops
mutant core/codec/keyop.c 's/BYTES(wrap->stream), BYTES(wrap->dek), BYTES(wrap->kek)/BYTES(wrap->stream), BYTES(wrap->kek), BYTES(wrap->dek)/' test_ops
mutant core/codec/change.c 's/out->len - start > ML_CHANGE_BYTES_MAX/false/' test_ops
mutant core/codec/change.c 's/if (key == 0 || key > UINT16_MAX) {/if (key > UINT16_MAX) {/' test_ops
mutant core/codec/change.c 's/if (id >= field) {/if (false) {/' test_ops
mutant core/codec/change.c 's/if (id >= field) {/if (id > field) {/' test_ops
M=core/codec/msg.c
mutant $M 's/in.len > ML_MSG_BYTES_MAX/false/' test_msg
mutant $M 's/out->len - start > ML_MSG_BYTES_MAX/false/' test_msg
mutant $M 's/in.len < ML_HELLO_BYTES || (in.len > ML_HELLO_BYTES \&\& !newer)/in.len < ML_HELLO_BYTES/' test_msg
mutant $M 's/        fault->offset++;//' test_msg
mutant core/codec/wire.c 's/ml_mp_ok(c) \&\& ml_code_system_number(uri) != 0/false/' test_value
mutant core/codec/value.c "s/whole > 1 \&\& text.data\[at\] == '0'/false/" test_value
mutant core/codec/value.c 's/year % 100 != 0/true/' test_value
C=core/codec/doc.c
mutant $C 's/k->map == c->depth \&\& //' test_doc
mutant $C 's/s->keys\[s->count - 1\].map > depth/false/' test_doc
mutant $C 's/s->slots\[s->keys\[--s->count\].slot\] = 0;/s->count--;/' test_doc
mutant $C 's/s->count == ML_DOC_KEYS_MAX/s->count == ML_DOC_KEYS_MAX - 1/' test_doc
mutant $C 's/            return false;/            return true;/' test_doc test_tree
mutant $C 's/keys.slot_count < in.len \&\& keys.slot_count < SLOTS;/keys.slot_count < in.len;/' test_doc
mutant core/codec/tree.c 's/ml_doc_check(ml_slice(bytes, len), NULL)/ML_OK/' test_doc
F=net/client/rpc_frame.c
mutant $F 's/said > ML_RPC_BYTES_MAX/false/' test_rpc_frame
mutant $F 's/(f.kind == ML_RPC_NOTIFY) != (items == 3)/false/' test_rpc_frame
mutant $F 's/f.kind == ML_RPC_REQUEST \&\& ml_mp_peek(&c) != ML_MP_MAP/false/' test_rpc_frame
mutant $F 's/code > ML_E_ROLLED_BACK ? ML_E_UNSUPPORTED : (ml_err)code/(ml_err)code/' test_rpc_frame
mutant $F 's/len > ML_RPC_BYTES_MAX/false/' test_rpc_frame
mutant core/codec/explain.c 's/report(e, end - tag, NULL, "ciphertext", value);//' test_explain
mutant core/codec/explain_docs.c 's/return v <= UINT32_MAX ? 5 : 9;/return 5;/' test_explain test_docs
mutants_end
