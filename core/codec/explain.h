/* core/codec/explain.h -- what each byte of a bundle, an op or a message is.
 *
 * Reads the same tables as the codecs (wire.h): `log show --explain` and the tables of
 * docs/protocol.md come from here, so that neither can differ from the program. Works on bytes that
 * don't decode too: what parses is named, the rest is one last range that says why it stops.
 * Pure; any thread; allocates nothing.
 */
#ifndef ML_CODEC_EXPLAIN_H
#define ML_CODEC_EXPLAIN_H

#include <stddef.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"
#include "maille/err.h"

/** Consecutive bytes of one meaning. Ranges come in order and tile the input, without gaps. */
struct ml_explain_range {
    size_t offset;
    size_t len;
    unsigned depth;      /* of containers around it: for indentation */
    const char *place;   /* "deps[3]", "header": valid for the call */
    const char *name;    /* of the field; "" for a container's head. Valid for the call */
    const char *value;   /* rendered, UTF-8 without control characters; valid for the call */
    const char *meaning; /* from the table; static, or NULL */
};

typedef void ml_explain_cb(void *user, const struct ml_explain_range *range);

/** A bundle in wire form, its ops too where they aren't sealed. Returns what ml_bundle_decode
 * returns, with its fault (which may be NULL). */
ml_err ml_explain_bundle(struct ml_slice wire, ml_explain_cb *cb, void *user,
                         struct ml_fault *fault);
/** An op's plaintext: of lane 0 or 1, a trace entry (or the deposit, index 0) of lane 2, a change
 * of lane 3, a manifest's sealed part of lane 4. Returns what its decoder returns. */
ml_err ml_explain_op(unsigned lane, unsigned index, struct ml_slice plain, ml_explain_cb *cb,
                     void *user);
/** One message of msg.h. */
ml_err ml_explain_msg(struct ml_slice msg, ml_explain_cb *cb, void *user, struct ml_fault *fault);

/* ---- the tables as documentation ---- */

/** Every format there is, in the order of the docs. */
const struct ml_wire_format *const *ml_explain_formats(size_t *count);
/** The format of this name, or NULL. */
const struct ml_wire_format *ml_explain_format_named(const char *name);
/** "uint 1..256", "bin 16", "str 1..512", "list of head, 1..220, ascending". */
void ml_explain_field_type(char *out, size_t size, const struct ml_wire_field *field);
/** Bytes that the value takes when encoded: "17..33"; "" where its parts say it. */
void ml_explain_field_size(char *out, size_t size, const struct ml_wire_field *field);

#endif
