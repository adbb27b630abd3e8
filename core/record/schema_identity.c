/* core/record/schema_identity.c -- schema entries: who the patient is. */
#include "core/record/schema_blocks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct ml_value_set_item sex_items[] = {
    {"female", "féminin"},
    {"male", "masculin"},
    {"unknown", "indéterminé"},
};
static const struct ml_value_set sex_set = {
    .name = "sex",
    .system_uri = "http://hl7.org/fhir/administrative-gender",
    .items = sex_items,
    .item_count = COUNT(sex_items),
};

static const struct ml_field patient_fields[] = {
    {.id = 1,
     .name = "name",
     .type = ML_TYPE_NAME,
     .merge = ML_MERGE_REGISTER,
     .list = true,
     .required = true,
     .severity = ML_SEVERITY_HIGH,
     .search = ML_SEARCH_NAME,
     .form_order = 1,
     .label_fr = "Noms",
     .label_en = "Names",
     .fhir = "name"},
    {.id = 2,
     .name = "birth_date",
     .type = ML_TYPE_DATE,
     .merge = ML_MERGE_REGISTER,
     .required = true,
     .severity = ML_SEVERITY_HIGH,
     .search = ML_SEARCH_BIRTH_DATE,
     .form_order = 2,
     .label_fr = "Date de naissance",
     .label_en = "Birth date",
     .fhir = "birthDate"},
    {.id = 3,
     .name = "sex",
     .type = ML_TYPE_CODE,
     .merge = ML_MERGE_REGISTER,
     .required = true,
     .severity = ML_SEVERITY_HIGH,
     .value_set = "sex",
     .form_order = 3,
     .label_fr = "Sexe",
     .label_en = "Sex",
     .fhir = "gender"},
    {.id = 4,
     .name = "identifier",
     .type = ML_TYPE_IDENTIFIER,
     .merge = ML_MERGE_REGISTER,
     .list = true,
     .severity = ML_SEVERITY_HIGH,
     .search = ML_SEARCH_IDENTIFIER,
     .label_fr = "Identifiants",
     .label_en = "Identifiers",
     .fhir = "identifier"},
    {.id = 5,
     .name = "deceased_at",
     .type = ML_TYPE_DATE,
     .merge = ML_MERGE_REGISTER,
     .severity = ML_SEVERITY_HIGH,
     .form_order = 5,
     .label_fr = "Date de décès",
     .label_en = "Date of death"},
};

static const struct ml_entity patient = {
    .id = 1,
    .name = "patient",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_ADMIN,
    .data_class = 1,
    .severity = ML_SEVERITY_HIGH,
    .is_patient = true,
    .title_field = "name",
    .label_fr = "Patient",
    .label_en = "Patient",
    .plural_fr = "Patients",
    .fhir_type = "Patient",
    .fields = patient_fields,
    .field_count = COUNT(patient_fields),
};

static const struct ml_entity *const entities[] = {&patient};
static const struct ml_value_set *const value_sets[] = {&sex_set};

const struct ml_schema_block ml_schema_block_identity = {
    .entities = entities,
    .entity_count = COUNT(entities),
    .value_sets = value_sets,
    .value_set_count = COUNT(value_sets),
};
