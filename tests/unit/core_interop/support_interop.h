/* tests/unit/core_interop/support_interop.h -- what the tests of the importers share. */
#ifndef ML_TESTS_SUPPORT_INTEROP_H
#define ML_TESTS_SUPPORT_INTEROP_H

#include <stddef.h>

#include "core/codec/manifest.h"
#include "core/interop/fhir.h"
#include "core/interop/import.h"
#include "fake_env.h"

/* A copy of one object that was handed out. */
struct seen_object {
    const struct ml_entity *entity;
    struct ml_object_id id;
    struct ml_object_id patient;
    struct ml_object_id author;
    struct ml_instant effective;
    uint8_t *values;
    size_t values_len;
    struct seen_blob {
        uint8_t *bytes; /* owned */
        size_t len;
        size_t manifest_at;
        uint16_t slot;
        char media_type[ML_MEDIA_TYPE_MAX + 1];
    } blobs[8]; /* the first so many */
    uint32_t blob_count;
    char origin[ML_CHANGE_ORIGIN_MAX];
};

/* Collects what an importer hands out; `user` of the callback. Memory from malloc, not from the
 * env under test. */
struct sink {
    struct seen_object *objects;
    size_t count;
    size_t cap;
    size_t stop_after; /* refuse the object after so many; 0: never */
};

ml_err sink_create(void *sink, const struct ml_import_object *object);
void sink_clear(struct sink *sink);
/** The first object of an entity after `from`, or NULL. */
const struct seen_object *sink_find(const struct sink *sink, const char *entity, size_t nth);
/** The encoded value of a field by name; empty when it isn't there. */
struct ml_slice seen_value(const struct seen_object *object, const char *field);
/** A value as readable text, such as ["120","mm[Hg]"] or 1979-03-28; static buffer. */
const char *seen_text(const struct seen_object *object, const char *field);
size_t sink_entity_count(const struct sink *sink, const char *entity);

/* One import of FHIR, its objects in `sink`. */
struct import_fixture {
    struct fake_env fake;
    struct sink sink;
    struct sink other; /* of a second import: the test's own to aim at */
    struct ml_fhir_report *report;
    struct ml_fhir_args args;
    struct ml_import_fault fault;
};

int import_setup(void **state);
int import_teardown(void **state); /* fails on a leak */
/** How many values of a path were left out. */
uint64_t paths_left_out(const struct ml_fhir_report *report, const char *path);

/* An entry that other resources of a bundle speak of. */
#define PATIENT "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}"
#define SUBJECT "\"subject\":{\"reference\":\"Patient/p\"}"

#endif
