/* core/record/schema_measure.c -- what is measured: vital signs and scores, laboratory results. */
#include "core/record/schema_blocks.h"

/* Both entities come from FHIR Observations and hold the same fields under the same numbers. */
#define OBSERVATION_FIELDS(codes, answers)                                                         \
    {ID(1, "code"), FIXED(CONCEPT),           REQUIRED,    SEARCH(TEXT), CODES(codes),             \
     FORM(1),       LABELS("Mesure", "Code"), FHIR("code")},                                       \
        {ID(2, "value"),  FIXED(VALUE), CODES(answers), FORM(2), LABELS("Valeur", "Value"),        \
         FHIR("value[x]")},                                                                        \
        {ID(3, "components"),                                                                      \
         CODES(codes),                                                                             \
         FIXED(COMPONENT),                                                                         \
         LIST,                                                                                     \
         FORM(3),                                                                                  \
         LABELS("Composantes", "Components"),                                                      \
         HELP("Pression artérielle : systolique et diastolique."),                                 \
         FHIR("component[]")},                                                                     \
        {ID(4, "status"),          FIXED(CODE),   CODES("observation_status"), FORM(9),            \
         LABELS("État", "Status"), FHIR("status")},                                                \
        {ID(5, "categories"),                                                                      \
         FIXED(CONCEPT),                                                                           \
         LIST,                                                                                     \
         CODES("observation_category"),                                                            \
         LABELS("Famille", "Categories"),                                                          \
         FHIR("category[]")},                                                                      \
        {ID(6, "taken_at"),                                                                        \
         FIXED(INSTANT),                                                                           \
         REQUIRED,                                                                                 \
         FORM(4),                                                                                  \
         LABELS("Date de la mesure", "Taken at"),                                                  \
         HELP("Moment de la mesure, pas de la saisie."),                                           \
         FHIR("effectiveDateTime | effectiveInstant | effectivePeriod.start")},                    \
        {ID(7, "issued_at"), FIXED(INSTANT), LABELS("Rendu le", "Issued at"), FHIR("issued")},     \
        {ID(8, "performers"),                                                                      \
         FIXED(REF),                                                                               \
         LIST,                                                                                     \
         REFERS("professional|organisation|patient|contact"),                                      \
         FORM(8),                                                                                  \
         LABELS("Mesuré par", "Performers"),                                                       \
         FHIR("performer[]")},                                                                     \
        {ID(9, "encounter"), FIXED(REF), REFERS("encounter|visit"),                                \
         LABELS("Lors de", "Encounter"), FHIR("encounter")},                                       \
        {ID(10, "interpretations"), FIXED(CONCEPT), LIST,                                          \
         CODES("interpretation"),   FORM(7),        LABELS("Interprétation", "Interpretations"),   \
         FHIR("interpretation[]")},                                                                \
        {ID(11, "notes"),    FIXED(TEXT), LIST,                                                    \
         SEARCH(TEXT),       FORM(10),    LABELS("Remarques", "Notes"),                            \
         FHIR("note[].text")},                                                                     \
        {ID(12, "method"), FIXED(CONCEPT), LABELS("Méthode", "Method"), FHIR("method")},           \
        {ID(13, "body_site"), FIXED(CONCEPT), FORM(6), LABELS("Siège", "Body site"),               \
         FHIR("bodySite")},                                                                        \
        {ID(14, "device"), FIXED(TEXT), LABELS("Appareil", "Device"), FHIR("device.display")},     \
        {ID(15, "range_low"), FIXED(QUANTITY), LABELS("Borne basse", "Low"),                       \
         FHIR("referenceRange[0].low")},                                                           \
        {ID(16, "range_high"), FIXED(QUANTITY), LABELS("Borne haute", "High"),                     \
         FHIR("referenceRange[0].high")},                                                          \
        {ID(17, "range_text"), FIXED(TEXT), LABELS("Valeurs de référence", "Reference range"),     \
         FHIR("referenceRange[0].text")},                                                          \
        {ID(18, "absent_reason"), FIXED(CONCEPT), FORM(11), LABELS("Mesure impossible", "Absent"), \
         FHIR("dataAbsentReason")},                                                                \
        {ID(19, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants", "Identifiers"),    \
         FHIR("identifier[]")},                                                                    \
    {                                                                                              \
        ID(20, "members"), FIXED(REF), LIST, REFERS("observation|lab_result"),                     \
            LABELS("Mesures liées", "Members"), FHIR("hasMember[]")                                \
    }

static const struct ml_field observation_fields[] = {
    OBSERVATION_FIELDS("measure", "tobacco"),
    {ID(21, "posture"), FIXED(CODE), CODES("posture"), FORM(5), LABELS("Position", "Posture")},
};

static const struct ml_entity observation = {
    .id = 9,
    .name = "observation",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_CARE,
    .data_class = 10,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "taken_at",
    .title_field = "code",
    .say_fr = "[{value}][, {components}][, {interpretations}][, siège : {body_site}]"
              "[, {posture}][, mesure impossible : {absent_reason}]"
              "[, valeurs usuelles de {range_low} à {range_high}]"
              "[, valeurs usuelles : {range_text}][, {method}][, {device}][, {status~final}]"
              "[ ; {notes}]",
    .label_fr = "Mesure",
    .label_en = "Observation",
    .plural_fr = "Mesures",
    .fhir_type = "Observation",
    .fhir_patient = "subject",
    .fhir_author = "performer[]",
    FIELDS(observation_fields),
};

static const struct ml_field lab_result_fields[] = {
    OBSERVATION_FIELDS("laboratory", NULL),
    {ID(21, "specimen"), FIXED(TEXT), FORM(5), LABELS("Prélèvement", "Specimen"),
     FHIR("specimen.display")},
};

static const struct ml_entity lab_result = {
    .id = 19,
    .name = "lab_result",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 8,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "taken_at",
    .title_field = "code",
    .say_fr = "[{value}][, {components}][, {interpretations}]"
              "[, valeurs usuelles de {range_low} à {range_high}]"
              "[, valeurs usuelles : {range_text}][, {specimen}][, {method}]"
              "[, résultat absent : {absent_reason}][, {status~final}][ ; {notes}]",
    .label_fr = "Résultat de biologie",
    .label_en = "Laboratory result",
    .plural_fr = "Résultats de biologie",
    .fhir_type = "Observation",
    .fhir_when = "category[].coding[].code=laboratory|imaging",
    .fhir_patient = "subject",
    .fhir_author = "performer[]",
    FIELDS(lab_result_fields),
};

static const struct ml_value_set_item measure_items[] = {
    {"85354-9", "Pression artérielle", "85354-9|55284-4", false},
    {"8480-6", "Pression artérielle systolique", NULL, false},
    {"8462-4", "Pression artérielle diastolique", NULL, false},
    {"8867-4", "Fréquence cardiaque", NULL, false},
    {"9279-1", "Fréquence respiratoire", NULL, false},
    {"8310-5", "Température corporelle", NULL, false},
    {"8331-1", "Température buccale", NULL, false},
    {"20564-1", "Saturation en oxygène (SpO2)", NULL, false},
    {"29463-7", "Poids", NULL, false},
    {"8302-2", "Taille", NULL, false},
    {"8306-3", "Taille couchée", NULL, false},
    {"39156-5", "Indice de masse corporelle", NULL, false},
    {"59576-9", "Percentile d'indice de masse corporelle", NULL, false},
    {"8280-0", "Périmètre abdominal", NULL, false},
    {"8287-5", "Périmètre crânien", NULL, false},
    {"9843-4", "Périmètre crânien", NULL, false},
    {"41653-7", "Glycémie capillaire", "41653-7|14743-9", false},
    {"72514-3", "Douleur (échelle numérique de 0 à 10)", NULL, false},
    {"38227-5", "Score de Braden", NULL, false},
    {"72166-2", "Statut tabagique", NULL, false},
    {"74011-8", "Tabac, paquets-années", NULL, false},
    {"74013-4", "Consommation d'alcool", NULL, false},
    {"73985-4", "Activité physique", NULL, false},
    {"72106-8", "Score MMSE", NULL, false},
};
static const struct ml_value_set measure = {
    .name = "measure", .system_uri = "http://loinc.org", .open = true, ITEMS(measure_items)};

static const struct ml_value_set_item laboratory_items[] = {
    {"4548-4", "Hémoglobine glyquée (HbA1c)", NULL, false},
    {"2339-0", "Glucose", NULL, false},
    {"2345-7", "Glucose", NULL, false},
    {"2160-0", "Créatinine", NULL, false},
    {"38483-4", "Créatinine", NULL, false},
    {"33914-3", "Débit de filtration glomérulaire estimé", "33914-3|62238-1|98979-8", false},
    {"2093-3", "Cholestérol total", NULL, false},
    {"18262-6", "Cholestérol LDL", "18262-6|13457-7", false},
    {"2085-9", "Cholestérol HDL", NULL, false},
    {"2571-8", "Triglycérides", NULL, false},
    {"6298-4", "Potassium", "6298-4|2823-3", false},
    {"2947-0", "Sodium", "2947-0|2951-2", false},
    {"2069-3", "Chlorure", "2069-3|2075-0", false},
    {"20565-8", "Dioxyde de carbone total", NULL, false},
    {"49765-1", "Calcium", "49765-1|17861-6", false},
    {"6299-2", "Azote uréique", "6299-2|3094-0", false}, /* not urea: its nitrogen */
    {"718-7", "Hémoglobine", NULL, false},
    {"4544-3", "Hématocrite", NULL, false},
    {"6690-2", "Leucocytes", NULL, false},
    {"789-8", "Hématies", NULL, false},
    {"777-3", "Plaquettes", NULL, false},
    {"787-2", "Volume globulaire moyen", NULL, false},
    {"785-6", "Teneur corpusculaire moyenne en hémoglobine", NULL, false},
    {"786-4", "Concentration corpusculaire moyenne en hémoglobine", NULL, false},
    {"14959-1", "Rapport albumine/créatinine urinaire", NULL, false},
    {"6301-6", "INR", NULL, false},
    {"1988-5", "Protéine C réactive", NULL, false},
    {"3016-3", "TSH", NULL, false},
    {"2857-1", "PSA", NULL, false},
};
static const struct ml_value_set laboratory = {
    .name = "laboratory", .system_uri = "http://loinc.org", .open = true, ITEMS(laboratory_items)};

static const struct ml_value_set_item status_items[] = {
    {"final", "définitif", NULL, false},
    {"preliminary", "provisoire", NULL, false},
    {"amended", "modifié", NULL, false},
    {"corrected", "corrigé", NULL, false},
    {"registered", "attendu", NULL, false},
    {"cancelled", "annulé", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set observation_status = {.name = "observation_status",
                                                       .system_uri =
                                                           "http://hl7.org/fhir/observation-status",
                                                       ITEMS(status_items)};

static const struct ml_value_set_item category_items[] = {
    {"vital-signs", "constantes", NULL, false},
    {"laboratory", "biologie", NULL, false},
    {"social-history", "mode de vie", NULL, false},
    {"survey", "questionnaire, échelle", NULL, false},
    {"exam", "examen clinique", NULL, false},
    {"imaging", "imagerie", NULL, false},
    {"procedure", "acte", NULL, false},
    {"therapy", "thérapie", NULL, false},
    {"activity", "activité", NULL, false},
};
static const struct ml_value_set observation_category = {
    .name = "observation_category",
    .system_uri = "http://terminology.hl7.org/CodeSystem/observation-category",
    .open = true,
    ITEMS(category_items)};

static const struct ml_value_set_item interpretation_items[] = {
    {"N", "normal", NULL, false},     {"A", "anormal", NULL, false},
    {"AA", "critique", NULL, false},  {"H", "haut", NULL, false},
    {"HH", "très haut", NULL, false}, {"L", "bas", NULL, false},
    {"LL", "très bas", NULL, false},  {"POS", "positif", NULL, false},
    {"NEG", "négatif", NULL, false},  {"IND", "indéterminé", NULL, false},
};
static const struct ml_value_set interpretation = {
    .name = "interpretation",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    .open = true,
    ITEMS(interpretation_items)};

static const struct ml_value_set_item posture_items[] = {
    {"assis", "assis", NULL, false},
    {"couche", "couché", NULL, false},
    {"debout", "debout", NULL, false},
};
static const struct ml_value_set posture = {
    .name = "posture", .system_uri = "urn:maille:posture", ITEMS(posture_items)};

static const struct ml_value_set_item tobacco_items[] = {
    {"449868002", "fume tous les jours", NULL, false},
    {"428041000124106", "fume à l'occasion", NULL, false},
    {"8517006", "ancien fumeur", NULL, false},
    {"266919005", "n'a jamais fumé", NULL, false},
    {"266927001", "statut tabagique inconnu", NULL, false},
    {"56771006", "plus de 20 cigarettes par jour", NULL, false},
    {"56578002", "20 cigarettes par jour ou moins", NULL, false},
};
static const struct ml_value_set tobacco = {
    .name = "tobacco", .system_uri = "http://snomed.info/sct", .open = true, ITEMS(tobacco_items)};

static const struct ml_entity *const entities[] = {&observation, &lab_result};
static const struct ml_value_set *const value_sets[] = {
    &measure, &laboratory, &observation_status, &observation_category, &interpretation,
    &posture, &tobacco,
};
const struct ml_schema_block ml_schema_block_measure = {ENTITIES(entities), SETS(value_sets)};
