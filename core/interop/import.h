/* core/interop/import.h -- what importers and the generator hand out: objects to create.
 *
 * An importer is pure of stores: it reads bytes and calls back, always in the same order. Ids come
 * from the source's own identifiers, so that importing twice, or on two nodes, says the same
 * objects again and adds nothing; stopping anywhere and starting anew is how one resumes.
 */
#ifndef ML_INTEROP_IMPORT_H
#define ML_INTEROP_IMPORT_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/change.h"
#include "core/record/schema.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_IMPORT_KEY_BYTES 32u

/* Contents that are too large for an object's values: a large value of its own (rules D3). The 17
 * bytes at `manifest_at` of the values are the place of its manifest's version: 0xff until then. */
struct ml_import_blob {
    struct ml_slice plain;
    struct ml_slice media_type; /* empty: unknown, or nothing that a media type may be */
    size_t manifest_at;
    uint16_t slot; /* the field's id */
};

/* Everything is borrowed, until the callback returns. */
struct ml_import_object {
    const struct ml_entity *entity;
    struct ml_object_id id;
    struct ml_object_id patient; /* whose record; its own id for a patient; zero: the structure's */
    struct ml_object_id author;  /* a professional; zero: none is known */
    struct ml_instant effective; /* precision 0: none */
    struct ml_slice values;      /* canonical map of field id -> value: a create's value */
    const struct ml_import_blob *blobs;
    uint32_t blob_count;
    const char *origin; /* a create's origin: UTF-8, <= ML_CHANGE_ORIGIN_MAX bytes */
    uint32_t index;     /* this is number `index`, from 0 ... */
    uint32_t count;     /* ... of so many */
};

/** An error stops the import and is returned by it; what was handed out before stays. */
typedef ml_err (*ml_import_cb)(void *user, const struct ml_import_object *object);

/** Has this patient (zero: the structure) an object whose id ends with these bytes, from an earlier
 * import? NULL: ask nobody. True fills *out and *entity. */
typedef bool (*ml_import_find)(void *user, const struct ml_object_id *patient,
                               const uint8_t tail[10], struct ml_object_id *out, uint16_t *entity);

#endif
