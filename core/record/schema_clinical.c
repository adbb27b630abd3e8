/* core/record/schema_clinical.c -- schema entries: allergies and treatments. */
#include "core/record/schema_blocks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct ml_value_set_item assertion_items[] = {
    {"known", "allergie connue"},
    {"refuted", "allergie écartée"},
    {"none-known", "aucune allergie connue"},
    {"not-asked", "non recherché"},
    {"unable", "recherche impossible"},
};
static const struct ml_value_set assertion_set = {
    .name = "allergy-assertion",
    .items = assertion_items,
    .item_count = COUNT(assertion_items),
};
static const struct ml_value_set_item treatment_status_items[] = {
    {"active", "en cours"},
    {"stopped", "arrêté"},
    {"completed", "terminé"},
};
static const struct ml_value_set treatment_status_set = {
    .name = "treatment-status",
    .items = treatment_status_items,
    .item_count = COUNT(treatment_status_items),
};

static const struct ml_field allergy_fields[] = {
    {.id = 1,
     .name = "agent",
     .type = ML_TYPE_CONCEPT,
     .merge = ML_MERGE_REGISTER,
     .required = true,
     .severity = ML_SEVERITY_CRITICAL,
     .search = ML_SEARCH_TEXT,
     .form_order = 1,
     .label_fr = "Substance",
     .label_en = "Agent",
     .fhir = "code"},
    {.id = 2,
     .name = "assertion",
     .type = ML_TYPE_CODE,
     .merge = ML_MERGE_ASSERT,
     .severity = ML_SEVERITY_CRITICAL,
     .value_set = "allergy-assertion",
     .form_order = 2,
     .label_fr = "Statut",
     .label_en = "Assertion"},
    {.id = 3,
     .name = "reaction",
     .type = ML_TYPE_CONCEPT,
     .merge = ML_MERGE_REGISTER,
     .list = true,
     .severity = ML_SEVERITY_MEDIUM,
     .search = ML_SEARCH_TEXT,
     .form_order = 3,
     .label_fr = "Réactions",
     .label_en = "Reactions"},
};

static const struct ml_entity allergy = {
    .id = 11,
    .name = "allergy",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_VITAL,
    .data_class = 4,
    .severity = ML_SEVERITY_CRITICAL,
    .in_timeline = true,
    .title_field = "agent",
    .label_fr = "Allergie",
    .label_en = "Allergy",
    .plural_fr = "Allergies",
    .fhir_type = "AllergyIntolerance",
    .fields = allergy_fields,
    .field_count = COUNT(allergy_fields),
};

static const struct ml_field treatment_fields[] = {
    {.id = 1,
     .name = "drug",
     .type = ML_TYPE_CONCEPT,
     .merge = ML_MERGE_ATOMIC,
     .group = 1,
     .required = true,
     .severity = ML_SEVERITY_CRITICAL,
     .search = ML_SEARCH_TEXT,
     .form_order = 1,
     .label_fr = "Médicament",
     .label_en = "Drug"},
    {.id = 2,
     .name = "dosage",
     .type = ML_TYPE_DOSAGE,
     .merge = ML_MERGE_ATOMIC,
     .group = 1,
     .list = true,
     .severity = ML_SEVERITY_CRITICAL,
     .form_order = 2,
     .label_fr = "Posologie",
     .label_en = "Dosage"},
    {.id = 3,
     .name = "status",
     .type = ML_TYPE_CODE,
     .merge = ML_MERGE_REGISTER,
     .severity = ML_SEVERITY_HIGH,
     .value_set = "treatment-status",
     .form_order = 3,
     .label_fr = "État",
     .label_en = "Status"},
    {.id = 4,
     .name = "started",
     .type = ML_TYPE_DATE,
     .merge = ML_MERGE_REGISTER,
     .severity = ML_SEVERITY_LOW,
     .form_order = 4,
     .label_fr = "Début",
     .label_en = "Start"},
};

static const struct ml_entity treatment = {
    .id = 12,
    .name = "treatment",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 7,
    .severity = ML_SEVERITY_HIGH,
    .in_timeline = true,
    .title_field = "drug",
    .label_fr = "Traitement",
    .label_en = "Treatment",
    .plural_fr = "Traitements",
    .fhir_type = "MedicationRequest",
    .fields = treatment_fields,
    .field_count = COUNT(treatment_fields),
};

static const struct ml_entity *const entities[] = {&allergy, &treatment};
static const struct ml_value_set *const value_sets[] = {&assertion_set, &treatment_status_set};

const struct ml_schema_block ml_schema_block_clinical = {
    .entities = entities,
    .entity_count = COUNT(entities),
    .value_sets = value_sets,
    .value_set_count = COUNT(value_sets),
};
