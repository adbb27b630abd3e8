/* core/codec/doc.h -- nested answers with text keys, written once and read by any client.
 *
 * The writer appends MessagePack to an ml_buf without knowing counts beforehand. The reader works
 * on the encoded bytes in place: a `struct ml_doc` is one checked value, borrowed. Text keys in any
 * order, none twice; depth <= 16; at most 256 keys a map (longer tables are arrays). Pure.
 */
#ifndef ML_CODEC_DOC_H
#define ML_CODEC_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/mp_read.h"
#include "maille/err.h"

#define ML_DOC_KEYS_MAX 256u
#define ML_DOC_HEX_MAX  64u /* bytes in one _hex */

/* ---- writing ---- */

struct ml_doc_frame {
    size_t head_at; /* offset of the container's head in the buffer */
    uint32_t count; /* pairs or items so far */
    bool map;
    bool key_due; /* a map: the next call must be _key */
};

/** Caller-allocated. A misuse (a value where a key is due, an end too many, too deep) is INVALID
 * and sticks; the buffer's own error sticks too. */
struct ml_doc_writer {
    struct ml_buf *out; /* borrowed */
    ml_err err;
    uint8_t depth;
    bool complete; /* one value is written at the top */
    struct ml_doc_frame frames[ML_DOC_DEPTH_MAX];
};

void ml_doc_begin(struct ml_doc_writer *w, struct ml_buf *out);
void ml_doc_map(struct ml_doc_writer *w);
void ml_doc_array(struct ml_doc_writer *w);
void ml_doc_end(struct ml_doc_writer *w); /* of the innermost map or array */
void ml_doc_key(struct ml_doc_writer *w, const char *key);
void ml_doc_key_slice(struct ml_doc_writer *w, struct ml_slice key);
void ml_doc_nil(struct ml_doc_writer *w);
void ml_doc_bool(struct ml_doc_writer *w, bool v);
void ml_doc_int(struct ml_doc_writer *w, int64_t v);
void ml_doc_uint(struct ml_doc_writer *w, uint64_t v);
void ml_doc_float(struct ml_doc_writer *w, double v);
void ml_doc_text(struct ml_doc_writer *w, struct ml_slice v);
void ml_doc_str(struct ml_doc_writer *w, const char *v); /* NULL: nil */
void ml_doc_bin(struct ml_doc_writer *w, struct ml_slice v);
/** Text of twice the length. */
void ml_doc_hex(struct ml_doc_writer *w, const void *bytes, size_t len);
/** Any value that is encoded already (a whole document). */
void ml_doc_raw(struct ml_doc_writer *w, struct ml_slice encoded);
/** Key and value in one call. */
void ml_doc_put_str(struct ml_doc_writer *w, const char *key, const char *v);
void ml_doc_put_text(struct ml_doc_writer *w, const char *key, struct ml_slice v);
void ml_doc_put_int(struct ml_doc_writer *w, const char *key, int64_t v);
void ml_doc_put_uint(struct ml_doc_writer *w, const char *key, uint64_t v);
void ml_doc_put_bool(struct ml_doc_writer *w, const char *key, bool v);
void ml_doc_put_hex(struct ml_doc_writer *w, const char *key, const void *bytes, size_t len);
void ml_doc_put_bin(struct ml_doc_writer *w, const char *key, struct ml_slice v);
/** ML_OK when one whole value was written; else INVALID, NOMEM, LIMIT. */
ml_err ml_doc_finish(struct ml_doc_writer *w) ML_MUST_CHECK;

/* ---- reading ---- */

/** One value of a document that ml_doc_open accepted; raw.len == 0: there is none. */
struct ml_doc {
    struct ml_slice raw;
};

/** MALFORMED with the fault (may be NULL). The bytes must outlive every ml_doc on them. */
ml_err ml_doc_open(struct ml_doc *out, struct ml_slice in, struct ml_fault *fault) ML_MUST_CHECK;
/** ML_MP_NONE when there is none. */
ml_mp_type ml_doc_type(struct ml_doc d);
bool ml_doc_is_nil(struct ml_doc d); /* also when there is none */
/** The value of a key of a map, an item of an array; none when it isn't there. */
struct ml_doc ml_doc_get(struct ml_doc d, const char *key);
struct ml_doc ml_doc_at(struct ml_doc d, uint32_t index);
uint32_t ml_doc_count(struct ml_doc d); /* items, or pairs; 0 for what is no container */
/* Each: false and *out untouched when it isn't of that type (or doesn't fit). */
bool ml_doc_as_bool(struct ml_doc d, bool *out);
bool ml_doc_as_int(struct ml_doc d, int64_t *out);
bool ml_doc_as_uint(struct ml_doc d, uint64_t *out);
bool ml_doc_as_float(struct ml_doc d, double *out); /* integers too */
bool ml_doc_as_text(struct ml_doc d, struct ml_slice *out);
bool ml_doc_as_bin(struct ml_doc d, struct ml_slice *out);
/** Bin of exactly `len` bytes, or text of 2 * len hex digits. */
bool ml_doc_as_bytes(struct ml_doc d, void *out, size_t len);
bool ml_doc_text_is(struct ml_doc d, const char *text);

/** Walks a map or an array; `key` is empty for an array. */
struct ml_doc_walk {
    struct ml_mp mp;
    uint32_t left;
    bool map;
};
void ml_doc_walk(struct ml_doc_walk *walk, struct ml_doc d);
bool ml_doc_next(struct ml_doc_walk *walk, struct ml_slice *key, struct ml_doc *value);

/** Appends JSON (UTF-8, RFC 8259): bin as hex text, floats that JSON has no form for as null.
 * `indent` 0: one line. NOMEM, LIMIT. */
ml_err ml_doc_to_json(struct ml_buf *out, struct ml_doc d, unsigned indent) ML_MUST_CHECK;

#endif
