/* core/interop/json.h -- a strict, bounded JSON reader that keeps what FHIR must not lose.
 *
 * RFC 8259, UTF-8 only, no duplicate keys, no U+0000. Numbers stay text: "1.50" is not "1.5" in a
 * dose, and no float is ever made (docs/adr: why not jansson here). All nodes lie in one array, in
 * the order of the text; their place in the file is known, so that each refusal can name it.
 *
 * Nothing is built before the limits below are known to hold for it; the reader never recurses.
 * Memory: 40 bytes a node, plus a copy of the texts that hold escapes. One thread at a time.
 */
#ifndef ML_INTEROP_JSON_H
#define ML_INTEROP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/interop/fault.h"
#include "maille/err.h"

#define ML_JSON_BYTES_MAX   67108864u /* 64 MiB of uncompressed text */
#define ML_JSON_DEPTH_MAX   64u       /* containers inside each other */
#define ML_JSON_NODES_MAX   2000000u
#define ML_JSON_MEMBERS_MAX 256u /* of one object: FHIR R4's largest has 60 */

typedef enum ml_json_type {
    ML_JSON_NULL,
    ML_JSON_FALSE,
    ML_JSON_TRUE,
    ML_JSON_NUMBER, /* `text` is the number as written */
    ML_JSON_STRING, /* `text` is unescaped */
    ML_JSON_ARRAY,
    ML_JSON_OBJECT,
} ml_json_type;

#define ML_JSON_NO_NODE UINT32_MAX

/* Node 0 is the document's root. Read only. */
struct ml_json_node {
    const char *text; /* NUMBER, STRING; not NUL-terminated */
    const char *key;  /* in an object; unescaped, not NUL-terminated */
    uint32_t text_len;
    uint32_t key_len;
    uint32_t at;     /* byte offset of the value */
    uint32_t parent; /* ML_JSON_NO_NODE for the root */
    uint32_t next;   /* the next sibling, or ML_JSON_NO_NODE */
    uint32_t after;  /* first node that is not inside this one: node + 1 when it has no children */
    uint32_t index;  /* in its array */
    uint8_t type;    /* ml_json_type */
};

struct ml_json; /* opaque */

/**
 * Reads `text`, which must outlive the document. On ML_OK the caller owns *out. Errors: MALFORMED,
 * LIMIT (a named limit), NOMEM; `fault` (not NULL) then says where and why.
 */
ml_err ml_json_read(struct ml_json **out, const struct ml_env *env, struct ml_slice text,
                    struct ml_import_fault *fault) ML_MUST_CHECK;
void ml_json_free(struct ml_json *doc);

struct ml_json_reading; /* opaque: a document of which a part is read */

/** The same in steps: `text` must outlive the reading too. Errors: LIMIT, NOMEM, and MALFORMED for
 * an encoding that isn't UTF-8. */
ml_err ml_json_begin(struct ml_json_reading **out, const struct ml_env *env, struct ml_slice text,
                     struct ml_import_fault *fault) ML_MUST_CHECK;
/** Reads on for about `bytes` of text. PENDING: there is more; ML_OK: the caller owns *out; another
 * error as ml_json_read's. */
ml_err ml_json_read_some(struct ml_json_reading *reading, struct ml_json **out, size_t bytes,
                         struct ml_import_fault *fault) ML_MUST_CHECK;
void ml_json_reading_free(struct ml_json_reading *reading); /* NULL is allowed */

uint32_t ml_json_count(const struct ml_json *doc);
/** `node` < ml_json_count. */
const struct ml_json_node *ml_json_node(const struct ml_json *doc, uint32_t node);
/** The first child, or ML_JSON_NO_NODE. */
uint32_t ml_json_child(const struct ml_json *doc, uint32_t node);
/** The member of an object, or ML_JSON_NO_NODE (also when `node` is no object). */
uint32_t ml_json_get(const struct ml_json *doc, uint32_t node, struct ml_slice key);
/** As _get with a C string, and only a string value: its text; NULL data when it isn't there. */
struct ml_slice ml_json_str(const struct ml_json *doc, uint32_t node, const char *key);
bool ml_json_is_leaf(const struct ml_json_node *node);

/** Fills the place of a fault from a node: line, column, byte and JSON path. */
void ml_json_place(const struct ml_json *doc, uint32_t node, struct ml_import_fault *fault);

#endif
