/* core/interop/fhir_internal.h -- what the parts of the FHIR import share. Not for others.
 *
 *   fhir_run.c     a file from start to end, in steps
 *   fhir.c         its resources: entities, ids, order, objects
 *   fhir_walk.c    paths of the mapping over the document
 *   fhir_value.c   FHIR data types to canonical values
 *   fhir_content.c the contents of attachments
 *   fhir_sound.c   what a converted value must be
 *   fhir_time.c    FHIR dates to instants
 *   fhir_refs.c    identities and references
 *   fhir_report.c  what was kept and what was not
 */
#ifndef ML_INTEROP_FHIR_INTERNAL_H
#define ML_INTEROP_FHIR_INTERNAL_H

#include "core/interop/fhir.h"
#include "core/interop/json.h"

#define ML_FHIR_KEY_BYTES 16u /* a source identity, hashed */

/* One resource of the file. */
struct fhir_entry {
    const struct ml_entity *entity; /* NULL: not mapped */
    uint32_t node;                  /* the resource */
    uint32_t order;                 /* in the file */
    struct ml_object_id id;
    struct ml_instant effective;
    struct ml_slice base; /* of its fullUrl: "http://host/fhir/", or empty */
    uint8_t key[ML_FHIR_KEY_BYTES];
};

/* Contents of one attachment of the entry that is converted: they stand in fhir.contents. */
struct fhir_content {
    size_t at;
    size_t len;
    size_t manifest_at; /* in the field's item, then in the object's values */
    uint32_t type_node; /* of the media type, or NO_NODE */
    uint16_t slot;
};

struct fhir {
    const struct ml_fhir_args *args; /* borrowed */
    struct ml_import_fault *fault;   /* borrowed */
    struct ml_json *doc;             /* borrowed */
    struct ml_slice text;            /* borrowed */
    ml_err err;                      /* the first one sticks */

    struct fhir_entry *entries; /* owned; in the order of the file */
    uint32_t entry_count;
    uint32_t *by_key;                 /* owned; entry numbers sorted by key */
    uint32_t *order;                  /* owned; entry numbers as they are handed out */
    uint32_t mapped_count;            /* the first so many of `order` have an entity */
    struct ml_object_id patient;      /* of the entry that is converted */
    uint8_t space[ML_FHIR_KEY_BYTES]; /* tells apart ids that aren't unique in the world */

    uint8_t *kept;        /* owned; one bit a node */
    struct ml_buf marks;  /* u32 node numbers marked since the last commit */
    struct ml_buf set[2]; /* u32 node numbers: the two sets of a walk */
    struct ml_buf item;
    struct ml_buf list;
    struct ml_buf values;
    struct ml_buf object_values;
    struct ml_buf contents;     /* decoded, of one object */
    struct ml_buf content_list; /* of struct fhir_content */
    struct ml_buf blobs;        /* of struct ml_import_blob, when it is handed out */
    uint64_t refs_unresolved;
};

/** Sets the error once, with the place of `node`. Returns false, for `return ml_fhir_fail(...)`. */
bool ml_fhir_fail(struct fhir *f, ml_err err, ml_import_fault_kind kind, uint32_t node);
/** NOMEM or LIMIT of a buffer. */
bool ml_fhir_buf_ok(struct fhir *f, const struct ml_buf *buf, uint32_t node);

/* ---- fhir.c ---- */

/** Lists, identifies, dates and orders the resources of f->doc. False: an error is set. */
bool ml_fhir_list(struct fhir *f);
/** Begins a pass over them: nothing is kept, nothing unresolved yet. */
void ml_fhir_pass_begin(struct fhir *f);
/** Converts number `index` of the order, and hands it out in the second pass. False: an error is
 * set. */
bool ml_fhir_pass_entry(struct fhir *f, uint32_t index, bool hand_out);
/** Counts the file into the report, after the second pass. */
bool ml_fhir_report_file(struct fhir *f);

/* ---- fhir_walk.c ---- */

void ml_fhir_keep(struct fhir *f, uint32_t node);
bool ml_fhir_is_kept(const struct fhir *f, uint32_t node);
/** Unmarks what was marked since; or forgets that it could be. */
void ml_fhir_marks_undo(struct fhir *f);
/** Unmarks what was marked since `f->marks` had this length. */
void ml_fhir_marks_cut(struct fhir *f, size_t len);
void ml_fhir_marks_commit(struct fhir *f);
/** The nodes that `path` leads to from `node`, in order; the first alternative that finds any.
 * *out is borrowed until the next walk. False: an error is set. */
bool ml_fhir_walk(struct fhir *f, const struct fhir_entry *from, const char *path,
                  const uint32_t **out, size_t *count);
/** Does `when` ("path=a|b") hold for the resource? Marks nothing. */
bool ml_fhir_when(struct fhir *f, uint32_t node, const char *when);

/* ---- fhir_time.c ---- */

/** "1979", "1979-03", "1979-03-28" or with a time: false when it is none of them. */
bool ml_fhir_time_parse(struct ml_slice text, struct ml_instant *out);

/* ---- fhir_value.c ---- */

/** Appends one value of the field's type to `out`; false: nothing was appended (nothing there, or
 * an error is set). */
bool ml_fhir_value(struct fhir *f, const struct fhir_entry *from, const struct ml_field *field,
                   uint32_t node, struct ml_buf *out);
/** Will every reader take this value? What doesn't fit the limits of its type (a name of 2,000
 * characters) is left out of the object, and counted. */
bool ml_fhir_value_is_sound(ml_field_type type, struct ml_slice value);
/** The time that a node of type INSTANT, PERIOD or DATE says; false: none. */
bool ml_fhir_value_instant(struct fhir *f, uint32_t node, struct ml_instant *out);

/* ---- fhir_content.c ---- */

/* The contents of one attachment, decoded at the end of fhir.contents. */
struct fhir_attached {
    uint32_t node; /* NO_NODE: none, or none that is kept */
    size_t at;
    size_t len;
    struct ml_hash hash;
    bool in_place; /* they are small, and stand in the value itself */
};

/** Decodes the base64 of `data` (NO_NODE: none). `room`: bytes that the field's item has left. What
 * is empty or beyond ML_FHIR_CONTENT_MAX is none, and not marked. False: an error is set. */
bool ml_fhir_content_read(struct fhir *f, uint32_t data, size_t room, struct fhir_attached *out);
struct ml_slice ml_fhir_content_bytes(const struct fhir *f, const struct fhir_attached *in);
/** Is `size` the number of its bytes? */
bool ml_fhir_content_has_size(const struct fhir *f, uint32_t size, const struct fhir_attached *in);
/** The value is written: what stands in it is forgotten here, the rest becomes the contents of the
 * manifest whose place ends at `item_len`. `type`: node of the media type, or NO_NODE. False: an
 * error is set. */
bool ml_fhir_content_settle(struct fhir *f, const struct fhir_attached *in, uint32_t type,
                            size_t item_len);
/** Forgets the contents beyond the first `count`; their number. */
void ml_fhir_contents_cut(struct fhir *f, size_t count);
size_t ml_fhir_contents_count(const struct fhir *f);
/** Those from `from` on are of this field, whose item stands at `base` of the values. */
void ml_fhir_contents_place(struct fhir *f, size_t from, uint16_t slot, size_t base);
/** Gives them to the object; `head`: bytes before the values in what is handed out. False: an error
 * is set. */
bool ml_fhir_contents_give(struct fhir *f, struct ml_import_object *object, size_t head);

/* ---- fhir_refs.c ---- */

/** Fills the entry's key and base from its resource and fullUrl (empty: none). */
void ml_fhir_identify(struct fhir *f, struct fhir_entry *entry, struct ml_slice full_url);
/** Sorts the entries' keys; an identity used twice is a fault. */
bool ml_fhir_index(struct fhir *f);
/** The id made of a key (rules A9). */
struct ml_object_id ml_fhir_object_id(const struct fhir *f, const uint8_t *key, int64_t utc_ms);
/** The object that a Reference names. `entities`: names "a|b" that it may be of, or NULL. Marks the
 * reference when it resolves. False: it doesn't; counted. */
bool ml_fhir_resolve(struct fhir *f, const struct fhir_entry *from, uint32_t node,
                     const char *entities, struct ml_object_id *out);
/** The resource node that a Reference names, inside this file; ML_JSON_NO_NODE when it isn't. */
uint32_t ml_fhir_deref(struct fhir *f, const struct fhir_entry *from, uint32_t node);

/* ---- fhir_report.c ---- */

ml_err ml_fhir_report_add_type(struct ml_fhir_report *report, struct ml_slice type,
                               const char *entity);
/** Counts the leaves of one entry, kept or not. */
ml_err ml_fhir_report_add_leaves(struct ml_fhir_report *report, const struct fhir *f,
                                 const struct fhir_entry *entry);
void ml_fhir_report_add_file(struct ml_fhir_report *report, uint64_t objects, uint64_t unresolved);

#endif
