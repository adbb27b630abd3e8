/* maille/value.h -- the values that calls take and answers give: a tree of maps, lists, texts,
 * numbers and bytes (MessagePack on the socket, docs/protocol.md; JSON on a terminal).
 *
 * Reading: every reader takes NULL and gives its neutral answer (NULL, 0, false, the fallback), so
 * that a path is followed without a test at each step and asked once, at its end. What a reader
 * returns is borrowed from the document. A document never changes: any thread may read it.
 * Writing: a writer remembers its first error and is asked once, when it is given away.
 */
#ifndef MAILLE_VALUE_H
#define MAILLE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maille/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ml_value_kind {
    ML_VALUE_NIL,
    ML_VALUE_BOOL,
    ML_VALUE_INT,  /* fits an int64_t */
    ML_VALUE_UINT, /* above INT64_MAX */
    ML_VALUE_FLOAT,
    ML_VALUE_TEXT, /* UTF-8, checked */
    ML_VALUE_BYTES,
    ML_VALUE_LIST,
    ML_VALUE_MAP, /* keys are texts */
} ml_value_kind;

struct ml_tree;  /* owned by who received it */
struct ml_value; /* part of a document */

/** Errors: MALFORMED, LIMIT (over 4 MiB or 10^6 values), NOMEM. */
ML_API ml_err ml_tree_parse(struct ml_tree **out, const uint8_t *bytes, size_t len) ML_MUST_CHECK;
ML_API void ml_tree_free(struct ml_tree *tree); /* NULL allowed */
ML_API const struct ml_value *ml_tree_root(const struct ml_tree *tree);

/** NIL for NULL. */
ML_API ml_value_kind ml_value_kind_of(const struct ml_value *v);
/** Entries of a list or a map; 0 for all else. */
ML_API size_t ml_value_count(const struct ml_value *v);
/** NULL beyond the end, or when `list` is neither list nor map (a map gives its values). */
ML_API const struct ml_value *ml_value_at(const struct ml_value *list, size_t index);
/** The key that `v` has in its map; "" when it is in none. */
ML_API const char *ml_value_key(const struct ml_value *v);
/** NULL when there is no such key, or `map` is no map. */
ML_API const struct ml_value *ml_value_get(const struct ml_value *map, const char *key);
/** In constant time per step: NULL after the last, or when `v` is NULL. */
ML_API const struct ml_value *ml_value_next(const struct ml_value *v);

/** NUL-terminated; `fallback` when `v` is no text. */
ML_API const char *ml_value_text(const struct ml_value *v, const char *fallback);
ML_API int64_t ml_value_int(const struct ml_value *v, int64_t fallback);
ML_API uint64_t ml_value_uint(const struct ml_value *v, uint64_t fallback);
ML_API double ml_value_float(const struct ml_value *v, double fallback);
ML_API bool ml_value_bool(const struct ml_value *v, bool fallback);
/** Bytes or text, with its length; NULL and 0 for all else. */
ML_API const uint8_t *ml_value_bytes(const struct ml_value *v, size_t *len);

/* --- writing --- */

struct ml_args; /* owned by who made it */

/** NULL when out of memory: every writer function takes NULL and does nothing with it. */
ML_API struct ml_args *ml_args_new(void);
ML_API void ml_args_free(struct ml_args *a); /* NULL allowed */

/** Containers are closed by ml_args_end, innermost first; in a map each value follows a key. */
ML_API void ml_args_map(struct ml_args *a);
ML_API void ml_args_list(struct ml_args *a);
ML_API void ml_args_end(struct ml_args *a);
ML_API void ml_args_key(struct ml_args *a, const char *key);
ML_API void ml_args_nil(struct ml_args *a);
ML_API void ml_args_bool(struct ml_args *a, bool value);
ML_API void ml_args_int(struct ml_args *a, int64_t value);
ML_API void ml_args_float(struct ml_args *a, double value);
ML_API void ml_args_text(struct ml_args *a, const char *text); /* NULL: nil */
ML_API void ml_args_text_len(struct ml_args *a, const char *text, size_t len);
ML_API void ml_args_bytes(struct ml_args *a, const void *bytes, size_t len);
/** A copy of a value of another document, with all inside it. */
ML_API void ml_args_value(struct ml_args *a, const struct ml_value *v);

/** Gives the document up: ml_args_encoded fails with `err`, unless an earlier fault stands. */
ML_API void ml_args_fail(struct ml_args *a, ml_err err);
/** Of what was written so far; NULL: NOMEM. */
ML_API ml_err ml_args_fault(const struct ml_args *a) ML_MUST_CHECK;

/** The encoded document, borrowed until the next call on `a`. Errors: NOMEM, LIMIT, INVALID (an
 * open container, two roots, a key missing). NULL `a`: NOMEM. */
ML_API ml_err ml_args_encoded(struct ml_args *a, const uint8_t **bytes, size_t *len) ML_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
