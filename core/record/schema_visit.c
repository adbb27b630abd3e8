/* core/record/schema_visit.c -- contacts with the patient, and what was written of them.
 *
 * A consultation is medical (class 9), a home visit by a nurse or a physiotherapist is care (class
 * 10): they have other readers, so they are two entities with the same fields.
 */
#include "core/record/schema_blocks.h"

#define CONTACT_FIELDS                                                                             \
    {ID(1, "reasons"),                                                                             \
     FIXED(CONCEPT),                                                                               \
     LIST,                                                                                         \
     SEARCH(TEXT),                                                                                 \
     CODES("contact_reason"),                                                                      \
     FORM(2),                                                                                      \
     LABELS("Motifs", "Reasons"),                                                                  \
     FHIR("reasonCode[]")},                                                                        \
        {ID(2, "types"), FIXED(CONCEPT), LIST, SEARCH(TEXT), FORM(3), LABELS("Nature", "Types"),   \
         FHIR("type[]")},                                                                          \
        {ID(3, "class"),           FIXED(CODE),  REQUIRED, CODES("encounter_class"), FORM(1),      \
         LABELS("Cadre", "Class"), FHIR("class")},                                                 \
        {ID(4, "status"), FIXED(CODE), CODES("encounter_status"), LABELS("État", "Status"),        \
         FHIR("status")},                                                                          \
        {ID(5, "period"), FIXED(PERIOD), REQUIRED, FORM(4), LABELS("Du … au …", "Period"),         \
         FHIR("period")},                                                                          \
        {ID(6, "participants"),           FIXED(REF), LIST,                                        \
         REFERS("professional|contact"),  FORM(5),    LABELS("Avec", "Participants"),              \
         FHIR("participant[].individual")},                                                        \
        {ID(7, "organisation"),                                                                    \
         FIXED(REF),                                                                               \
         REFERS("organisation"),                                                                   \
         FORM(6),                                                                                  \
         LABELS("Structure", "Organisation"),                                                      \
         FHIR("serviceProvider")},                                                                 \
        {ID(8, "place"), FIXED(TEXT), FORM(7), LABELS("Lieu", "Place"),                            \
         FHIR("location[0].location.display")},                                                    \
        {ID(9, "outcome"), FIXED(CONCEPT), FORM(8), LABELS("Issue", "Outcome"),                    \
         FHIR("hospitalization.dischargeDisposition")},                                            \
        {ID(10, "problems"),                                                                       \
         FIXED(REF),                                                                               \
         LIST,                                                                                     \
         REFERS("problem|procedure|observation"),                                                  \
         FORM(9),                                                                                  \
         LABELS("Problèmes abordés", "Problems"),                                                  \
         FHIR("reasonReference[] | diagnosis[].condition")},                                       \
        {ID(11, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants", "Identifiers"),    \
         FHIR("identifier[]")},                                                                    \
    {                                                                                              \
        ID(12, "part_of"), FIXED(REF), REFERS("encounter|visit"), LABELS("Partie de", "Part of"),  \
            FHIR("partOf")                                                                         \
    }

static const struct ml_field encounter_fields[] = {CONTACT_FIELDS};

static const struct ml_entity encounter = {
    .id = 4,
    .name = "encounter",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 9,
    .severity = ML_SEVERITY_LOW,
    .in_timeline = true,
    .effective_field = "period",
    .title_field = "types",
    .say_fr = "[{class}][, motif : {reasons}][, {problems}][, avec {participants}]"
              "[, {organisation}][, {place}][, issue : {outcome}][, {status~finished}]",
    .label_fr = "Consultation",
    .label_en = "Encounter",
    .plural_fr = "Consultations",
    .fhir_type = "Encounter",
    .fhir_patient = "subject",
    .fhir_author = "participant[].individual",
    FIELDS(encounter_fields),
};

static const struct ml_field visit_fields[] = {
    CONTACT_FIELDS,
    {ID(13, "not_done_reason"), FIXED(TEXT), FORM(10), LABELS("Motif si non fait", "Not done"),
     HELP("Patient absent, hospitalisé, refus…")},
};

static const struct ml_entity visit = {
    .id = 20,
    .name = "visit",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_CARE,
    .data_class = 10,
    .severity = ML_SEVERITY_LOW,
    .in_timeline = true,
    .effective_field = "period",
    .title_field = "types",
    .say_fr = "[{class}][, motif : {reasons}][, {problems}][, avec {participants}]"
              "[, {organisation}][, {place}][, issue : {outcome}]"
              "[, non fait : {not_done_reason}][, {status~finished}]",
    .label_fr = "Passage",
    .label_en = "Visit",
    .plural_fr = "Passages",
    .fhir_type = "Encounter",
    .fhir_when = "class.code=HH",
    .fhir_patient = "subject",
    .fhir_author = "participant[].individual",
    FIELDS(visit_fields),
};

static const struct ml_field note_fields[] = {
    {ID(1, "title"), FIXED(TEXT), SEARCH(TEXT), FORM(1), LABELS("Titre", "Title")},
    {ID(2, "written_at"), FIXED(INSTANT), REQUIRED, FORM(2), LABELS("Date", "Written at")},
    {ID(3, "text"), FIXED(TEXT), SEARCH(TEXT), FORM(3), LABELS("Texte libre", "Text")},
    {ID(4, "subjective"), FIXED(TEXT), SEARCH(TEXT), FORM(4),
     LABELS("Ce que dit le patient", "Subjective")},
    {ID(5, "objective"), FIXED(TEXT), SEARCH(TEXT), FORM(5), LABELS("Examen", "Objective")},
    {ID(6, "assessment"), FIXED(TEXT), SEARCH(TEXT), FORM(6), LABELS("Conclusion", "Assessment")},
    {ID(7, "plan"), FIXED(TEXT), SEARCH(TEXT), FORM(7), LABELS("Conduite à tenir", "Plan")},
    {ID(8, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter")},
    {ID(9, "problems"), FIXED(REF), LIST, REFERS("problem"), FORM(8),
     LABELS("Problèmes abordés", "Problems")},
    {ID(10, "authors"), FIXED(REF), LIST, REFERS("professional"), LABELS("Auteurs", "Authors")},
};

static const struct ml_entity note = {
    .id = 17,
    .name = "note",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 9,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "written_at",
    .title_field = "title",
    .say_fr = "[{text}][ ; dit : {subjective}][ ; examen : {objective}]"
              "[ ; conclusion : {assessment}][ ; conduite à tenir : {plan}]"
              "[ ; problèmes : {problems}]",
    .label_fr = "Note médicale",
    .label_en = "Medical note",
    .plural_fr = "Notes médicales",
    FIELDS(note_fields),
};

/* Psychiatry, addictions, sexual health, violence, a minor's secret: keys of their own. */
static const struct ml_entity sensitive_note = {
    .id = 21,
    .name = "sensitive_note",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_SENSITIVE,
    .data_class = 6,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "written_at",
    .title_field = "title",
    .say_fr = "[{text}][ ; dit : {subjective}][ ; examen : {objective}]"
              "[ ; conclusion : {assessment}][ ; conduite à tenir : {plan}]"
              "[ ; problèmes : {problems}]",
    .label_fr = "Note sensible",
    .label_en = "Sensitive note",
    .plural_fr = "Notes sensibles",
    FIELDS(note_fields),
};

static const struct ml_field care_note_fields[] = {
    {ID(1, "title"), FIXED(TEXT), SEARCH(TEXT), FORM(1), LABELS("Cible", "Target"),
     HELP("De quoi il s'agit : « plaie du talon gauche », « refus d'alimentation ».")},
    {ID(2, "written_at"), FIXED(INSTANT), REQUIRED, FORM(2), LABELS("Date", "Written at")},
    {ID(3, "data"), FIXED(TEXT), REQUIRED, SEARCH(TEXT), FORM(3), LABELS("Données", "Data")},
    {ID(4, "action"), FIXED(TEXT), SEARCH(TEXT), FORM(4), LABELS("Actions", "Action")},
    {ID(5, "result"), FIXED(TEXT), SEARCH(TEXT), FORM(5), LABELS("Résultats", "Result")},
    {ID(6, "urgent"), FIXED(BOOL), FORM(6), LABELS("Urgent", "Urgent")},
    {ID(7, "addressees"), FIXED(REF), LIST, REFERS("professional"), FORM(7),
     LABELS("À l'attention de", "Addressees")},
    {ID(8, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter")},
    {ID(9, "authors"), FIXED(REF), LIST, REFERS("professional"), LABELS("Auteurs", "Authors")},
};

static const struct ml_entity care_note = {
    .id = 18,
    .name = "care_note",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_CARE,
    .data_class = 10,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "written_at",
    .title_field = "title",
    .say_fr = "[{urgent?URGENT}][ ; {data}][ ; actions : {action}][ ; résultats : {result}]"
              "[ ; à l'attention de {addressees}]",
    .label_fr = "Transmission",
    .label_en = "Care note",
    .plural_fr = "Transmissions",
    FIELDS(care_note_fields),
};

static const struct ml_value_set_item class_items[] = {
    {"AMB", "consultation au cabinet", NULL, false},
    {"HH", "passage au domicile", NULL, false},
    {"VR", "téléconsultation", NULL, false},
    {"EMER", "urgences", NULL, false},
    {"IMP", "hospitalisation", NULL, false},
    {"ACUTE", "hospitalisation en soins aigus", NULL, false},
    {"SS", "hospitalisation de jour", NULL, false},
    {"OBSENC", "hospitalisation en observation", NULL, false},
    {"FLD", "soins hors les murs", NULL, false},
    {"VISITE", "visite du médecin à domicile", NULL, false},
    {"TEL", "appel téléphonique", NULL, false},
    {"RCP", "réunion de concertation", NULL, false},
};
static const struct ml_value_set encounter_class = {
    .name = "encounter_class",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    .open = true,
    ITEMS(class_items)};

static const struct ml_value_set_item status_items[] = {
    {"finished", "terminé", NULL, false},
    {"in-progress", "en cours", NULL, false},
    {"planned", "prévu", NULL, false},
    {"arrived", "patient arrivé", NULL, false},
    {"triaged", "patient orienté", NULL, false},
    {"onleave", "patient sorti un moment", NULL, false},
    {"cancelled", "annulé", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set encounter_status = {.name = "encounter_status",
                                                     .system_uri =
                                                         "http://hl7.org/fhir/encounter-status",
                                                     ITEMS(status_items)};

/* CISP-2: the reasons that a general practice meets most. */
static const struct ml_value_set_item reason_items[] = {
    {"A97", "Pas de maladie", NULL, false},
    {"A98", "Médecine préventive, vaccination", NULL, false},
    {"A03", "Fièvre", NULL, false},
    {"A04", "Fatigue", NULL, false},
    {"D01", "Douleur abdominale", NULL, false},
    {"D11", "Diarrhée", NULL, false},
    {"H01", "Douleur d'oreille", NULL, false},
    {"K86", "Hypertension artérielle", NULL, false},
    {"L03", "Douleur lombaire", NULL, false},
    {"L15", "Douleur du genou", NULL, false},
    {"N01", "Mal de tête", NULL, false},
    {"P01", "Anxiété, nervosité", NULL, false},
    {"P06", "Trouble du sommeil", NULL, false},
    {"R05", "Toux", NULL, false},
    {"R21", "Mal de gorge", NULL, false},
    {"S18", "Plaie", NULL, false},
    {"T90", "Diabète de type 2", NULL, false},
    {"U01", "Brûlures urinaires", NULL, false},
};
static const struct ml_value_set contact_reason = {.name = "contact_reason",
                                                   .system_uri = "urn:oid:2.16.840.1.113883.6.139",
                                                   .open = true,
                                                   ITEMS(reason_items)};

static const struct ml_entity *const entities[] = {&encounter, &visit, &note, &care_note,
                                                   &sensitive_note};
static const struct ml_value_set *const value_sets[] = {&encounter_class, &encounter_status,
                                                        &contact_reason};
const struct ml_schema_block ml_schema_block_visit = {ENTITIES(entities), SETS(value_sets)};
