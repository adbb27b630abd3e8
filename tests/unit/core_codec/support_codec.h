/* tests/unit/core_codec/support_codec.h -- bytes from hex, and one filled sample of every format.
 *
 * Samples are the same at each run: ids and keys are a byte that counts up from a seed.
 */
#ifndef ML_TESTS_SUPPORT_CODEC_H
#define ML_TESTS_SUPPORT_CODEC_H

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/change.h"
#include "core/codec/consent.h"
#include "core/codec/glass.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "core/codec/manifest.h"
#include "core/codec/msg.h"
#include "core/codec/trace.h"
#include "core/codec/value.h"
#include "core/crypto/secret.h"

/** Hex digits, blanks allowed; at most 64 KiB; valid until four calls later. */
struct ml_slice bytes_of(const char *hex);
/** Lower-case hex in a static buffer, as above. */
const char *hex_of(struct ml_slice bytes);
/** Ends the program when a sample can't be made: not for what a test proves. */
void must(bool made);
/** `b` is accepted as it is; no prefix of it is; with any bit changed it is refused, or accepted as
 * the canonical form of something else. */
void check_form(struct ml_buf *b, bool (*roundtrip)(struct ml_slice in));
/** `len` bytes: seed, seed + 1, ... */
void fill(void *out, size_t len, unsigned seed);
#define FILL(member, seed) fill(&(member), sizeof(member), seed)
/** A NUL-terminated text as a slice. */
#define TEXT(s) ml_slice_str(s)

/** The key pair of a seed; the secret is the caller's to free. */
struct ml_secret *sample_seed(unsigned seed, struct ml_sign_pk *pk);
struct ml_org_id sample_org(void);
/** Three of them, ascending. */
const struct ml_dep *sample_heads(void);
struct ml_list list_of(const void *items, uint32_t count);
/** At most 128 bytes that count up from `seed`, below 256; valid until seven others. */
struct ml_slice sample_ct(size_t len, unsigned seed);
struct ml_sealed sample_sealed(size_t len, unsigned seed);

/* Filled samples; lists point to static items. `full`: every optional field too. */
void sample_header(struct ml_header *out, unsigned lane, bool full);
void sample_change(struct ml_change *out, bool full);
void sample_govop(struct ml_govop *out, ml_govop_type type, bool full);
void sample_keyop(struct ml_keyop *out, ml_keyop_type type, bool full);
void sample_trace(struct ml_trace_entry *out, bool full);
void sample_manifest(struct ml_manifest *out, bool full);
void sample_pair_grant(struct ml_pair_grant *out, bool full);
/* Of BG_WRAP, PAIR_GRANT, DEK_SLOTS or DEPOSIT_WRAP. */
void sample_slots(struct ml_keyop *out, bool full);
void sample_glass(struct ml_glass_say *out, bool full);
void sample_glass_review(struct ml_glass_say *out);
void sample_glass_told(struct ml_glass_say *out);
void sample_glass_asked(struct ml_glass_say *out);
void sample_glass_answer(struct ml_glass_say *out);
/* The i-th of all kinds, and its name; NULL: after the last. */
const char *sample_glass_kind(struct ml_glass_say *out, unsigned i);
void sample_consent(struct ml_consent *out, bool full);
void sample_manifest_inner(struct ml_manifest_inner *out, bool full);
void sample_msg(struct ml_msg *out, ml_msg_kind kind, bool full);

/** A signed bundle of `ops` ops of that lane, with two streams and two deps where the lane has
 * them; lanes 0 and 1 hold real ops. Appends to `out`. */
void sample_bundle(struct ml_buf *out, struct ml_hash *hash, unsigned lane, unsigned ops);
/** The genesis: its hash is the org_id. */
void sample_genesis(struct ml_buf *out, struct ml_hash *hash);

#endif
