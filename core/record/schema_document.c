/* core/record/schema_document.c -- documents received, scanned or written (class 13). */
#include "core/record/schema_blocks.h"

static const struct ml_field document_fields[] = {
    {ID(1, "title"), FIXED(TEXT), REQUIRED, SEARCH(TEXT), FORM(1), LABELS("Titre", "Title"),
     FHIR("description | content[0].attachment.title")},
    {ID(2, "type"), FIXED(CONCEPT), CODES("document_type"), FORM(2), LABELS("Type", "Type"),
     FHIR("type")},
    {ID(3, "categories"), FIXED(CONCEPT), LIST, LABELS("Classe", "Categories"), FHIR("category[]")},
    {ID(4, "written_at"), FIXED(INSTANT), REQUIRED, FORM(3), LABELS("Date", "Written at"),
     FHIR("date | context.period.start")},
    {ID(5, "status"), FIXED(CODE), CODES("document_status"), LABELS("État", "Status"),
     FHIR("status")},
    {ID(6, "doc_status"), FIXED(CODE), CODES("document_state"), LABELS("Avancement", "Completion"),
     FHIR("docStatus")},
    {ID(7, "authors"), FIXED(REF), LIST, REFERS("professional|organisation|patient|contact"),
     FORM(4), LABELS("Auteurs", "Authors"), FHIR("author[]")},
    {ID(8, "author_text"), FIXED(TEXT), SEARCH(TEXT), FORM(5),
     LABELS("Auteur extérieur", "Outside author"), FHIR("author[0].display")},
    {ID(9, "files"), FIXED(ATTACHMENT), LIST, FORM(6), LABELS("Fichiers", "Files"),
     FHIR("content[].attachment")},
    {ID(10, "confidentiality"), FIXED(CONCEPT), LIST, CODES("confidentiality"), FORM(7),
     LABELS("Confidentialité", "Confidentiality"), FHIR("securityLabel[]")},
    {ID(11, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter"),
     FHIR("context.encounter[0]")},
    {ID(12, "replaces"), FIXED(REF), REFERS("document"), LABELS("Remplace", "Replaces"),
     FHIR("relatesTo[code=replaces].target")},
    {ID(13, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants", "Identifiers"),
     FHIR("identifier[]")},
    {ID(14, "master_identifier"), FIXED(IDENTIFIER),
     LABELS("Identifiant unique", "Master identifier"), FHIR("masterIdentifier")},
    {ID(15, "abnormal"), FIXED(BOOL), FORM(8), LABELS("Signalé anormal", "Abnormal")},
    {ID(16, "origin"), FIXED(CODE), CODES("document_origin"), FORM(9),
     LABELS("Reçu par", "Origin")},
};

static const struct ml_entity document = {
    .id = 14,
    .name = "document",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_DOCUMENT,
    .data_class = 13,
    .severity = ML_SEVERITY_LOW,
    .in_timeline = true,
    .effective_field = "written_at",
    .title_field = "title",
    .say_fr = "[{type}][, {abnormal?signalé anormal}][, auteur : {authors}]"
              "[, auteur extérieur : {author_text}][, confidentialité {confidentiality}]"
              "[, {origin}][, {status~current}][, {doc_status~final}][, {files}]",
    .label_fr = "Document",
    .label_en = "Document",
    .plural_fr = "Documents",
    .fhir_type = "DocumentReference",
    .fhir_patient = "subject",
    .fhir_author = "author[]",
    FIELDS(document_fields),
};

static const struct ml_value_set_item type_items[] = {
    {"11488-4", "Compte rendu ou fiche de consultation ou de visite", NULL, false},
    {"11506-3", "Compte rendu de soins par auxiliaire médical", NULL, false},
    {"34120-6", "Bilan par professionnel", NULL, false},
    {"60591-5", "Synthèse médicale", NULL, false},
    {"18776-5", "Plan personnalisé de soins", NULL, false},
    {"47420-5", "Bilan fonctionnel", NULL, false},
    {"34794-8", "Compte rendu de réunion de concertation", NULL, false},
    {"57833-6", "Prescription de produits de santé", NULL, false},
    {"57832-8", "Prescription de soins", NULL, false},
    {"55115-0", "Demande d'examen d'imagerie", NULL, false},
    {"11502-2", "Compte rendu de biologie", NULL, false},
    {"18748-4", "Compte rendu d'imagerie", NULL, false},
    {"87273-9", "Note de vaccination", NULL, false},
    {"11369-6", "Historique des vaccinations", NULL, false},
    {"29274-8", "Relevé de signes vitaux", NULL, false},
    {"59284-0", "Attestation de consentement", NULL, false},
    {"96349-6", "Lettre d'adressage", NULL, false},
    {"74207-2", "Fiche de liaison d'urgence", NULL, false},
    {"56445-0", "Bilan médicamenteux", NULL, false},
    {"61357-0", "Intervention pharmaceutique", NULL, false},
};
static const struct ml_value_set document_type = {
    .name = "document_type", .system_uri = "http://loinc.org", .open = true, ITEMS(type_items)};

static const struct ml_value_set_item status_items[] = {
    {"current", "en vigueur", NULL, false},
    {"superseded", "remplacé", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
};
static const struct ml_value_set document_status = {
    .name = "document_status",
    .system_uri = "http://hl7.org/fhir/document-reference-status",
    ITEMS(status_items)};

static const struct ml_value_set_item state_items[] = {
    {"preliminary", "brouillon", NULL, false},
    {"final", "définitif", NULL, false},
    {"amended", "modifié", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
};
static const struct ml_value_set document_state = {.name = "document_state",
                                                   .system_uri =
                                                       "http://hl7.org/fhir/composition-status",
                                                   ITEMS(state_items)};

static const struct ml_value_set_item confidentiality_items[] = {
    {"N", "normale", NULL, false},
    {"R", "restreinte", NULL, false},
    {"V", "très restreinte", NULL, false},
    {"MASQUE_PS", "masqué aux professionnels", NULL, false},
    {"INVISIBLE_PATIENT", "non visible par le patient", NULL, false},
    {"INVISIBLE_REPRESENTANTS_LEGAUX", "non visible par les représentants légaux", NULL, false},
};
static const struct ml_value_set confidentiality = {
    .name = "confidentiality",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    .open = true,
    ITEMS(confidentiality_items)};

static const struct ml_value_set_item origin_items[] = {
    {"local", "écrit ici", NULL, false},
    {"papier", "courrier papier numérisé", NULL, false},
    {"mss", "messagerie sécurisée", NULL, false},
    {"dmp", "dossier médical partagé", NULL, false},
    {"hprim", "message HPRIM", NULL, false},
    {"import", "reprise d'un autre logiciel", NULL, false},
};
static const struct ml_value_set document_origin = {
    .name = "document_origin", .system_uri = "urn:maille:document-origin", ITEMS(origin_items)};

static const struct ml_entity *const entities[] = {&document};
static const struct ml_value_set *const value_sets[] = {
    &document_type, &document_status, &document_state, &confidentiality, &document_origin,
};
const struct ml_schema_block ml_schema_block_document = {ENTITIES(entities), SETS(value_sets)};
