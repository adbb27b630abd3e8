/* core/record/schema_measure.c -- schema entries: observations and measures. */
#include "core/record/schema_blocks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct ml_field observation_fields[] = {
    {.id = 1,
     .name = "code",
     .type = ML_TYPE_CONCEPT,
     .merge = ML_MERGE_FIXED,
     .required = true,
     .form_order = 1,
     .label_fr = "Mesure",
     .label_en = "Measure",
     .fhir = "code"},
    {.id = 2,
     .name = "value",
     .type = ML_TYPE_VALUE,
     .merge = ML_MERGE_FIXED,
     .form_order = 2,
     .label_fr = "Valeur",
     .label_en = "Value"},
    {.id = 3,
     .name = "taken",
     .type = ML_TYPE_INSTANT,
     .merge = ML_MERGE_FIXED,
     .form_order = 3,
     .label_fr = "Prise le",
     .label_en = "Taken",
     .fhir = "effectiveDateTime"},
    {.id = 4,
     .name = "note",
     .type = ML_TYPE_TEXT,
     .merge = ML_MERGE_FIXED,
     .search = ML_SEARCH_TEXT,
     .form_order = 4,
     .label_fr = "Remarque",
     .label_en = "Note",
     .fhir = "note.text"},
};

static const struct ml_entity observation = {
    .id = 14,
    .name = "observation",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_CARE,
    .data_class = 10,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "taken",
    .title_field = "code",
    .label_fr = "Mesure",
    .label_en = "Observation",
    .plural_fr = "Mesures",
    .fhir_type = "Observation",
    .fields = observation_fields,
    .field_count = COUNT(observation_fields),
};

static const struct ml_entity *const entities[] = {&observation};

const struct ml_schema_block ml_schema_block_measure = {
    .entities = entities,
    .entity_count = COUNT(entities),
};
