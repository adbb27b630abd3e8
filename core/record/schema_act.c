/* core/record/schema_act.c -- acts done, reports of examinations, imaging studies. */
#include "core/record/schema_blocks.h"

static const struct ml_field procedure_fields[] = {
    {ID(1, "code"), FIXED(CONCEPT), REQUIRED, SEARCH(TEXT), FORM(1), LABELS("Acte", "Code"),
     FHIR("code")},
    {ID(2, "status"), FIXED(CODE), CODES("procedure_status"), FORM(3), LABELS("État", "Status"),
     FHIR("status")},
    {ID(3, "performed"), FIXED(PERIOD), REQUIRED, FORM(2), LABELS("Date", "Performed"),
     FHIR("performedPeriod | performedDateTime")},
    {ID(4, "performers"), FIXED(REF), LIST, REFERS("professional|organisation"), FORM(4),
     LABELS("Fait par", "Performers"), FHIR("performer[].actor")},
    {ID(5, "reasons"), FIXED(REF), LIST, REFERS("problem|observation|procedure|report"), FORM(5),
     LABELS("Pour quel problème", "Reasons"), FHIR("reasonReference[]")},
    {ID(6, "reason_texts"), FIXED(CONCEPT), LIST, LABELS("Motifs (texte)", "Reasons (text)"),
     FHIR("reasonCode[]")},
    {ID(7, "body_sites"), FIXED(CONCEPT), LIST, FORM(6), LABELS("Siège, côté", "Body sites"),
     FHIR("bodySite[]")},
    {ID(8, "outcome"), FIXED(CONCEPT), FORM(7), LABELS("Résultat", "Outcome"), FHIR("outcome")},
    {ID(9, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter"),
     FHIR("encounter")},
    {ID(10, "notes"), FIXED(TEXT), LIST, SEARCH(TEXT), FORM(8), LABELS("Remarques", "Notes"),
     FHIR("note[].text")},
    {ID(11, "category"), FIXED(CONCEPT), LABELS("Famille", "Category"), FHIR("category")},
    {ID(12, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants", "Identifiers"),
     FHIR("identifier[]")},
    {ID(13, "outside_performer"), FIXED(TEXT), FORM(9),
     LABELS("Intervenant extérieur", "Outside performer"),
     HELP("Chirurgien ou spécialiste qui n'est pas dans l'annuaire.")},
};

static const struct ml_entity procedure = {
    .id = 10,
    .name = "procedure",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 5,
    .severity = ML_SEVERITY_LOW,
    .in_timeline = true,
    .effective_field = "performed",
    .title_field = "code",
    .say_fr = "[{status~completed}][, siège : {body_sites}][, résultat : {outcome}]"
              "[, fait par {performers}][, intervenant extérieur : {outside_performer}]"
              "[, pour : {reasons}][, motif : {reason_texts}][ ; {notes}]",
    .label_fr = "Acte",
    .label_en = "Procedure",
    .plural_fr = "Actes",
    .fhir_type = "Procedure",
    .fhir_patient = "subject",
    .fhir_author = "performer[].actor",
    FIELDS(procedure_fields),
};

static const struct ml_field report_fields[] = {
    {ID(1, "code"), FIXED(CONCEPT), REQUIRED, SEARCH(TEXT), FORM(1), LABELS("Examen", "Code"),
     FHIR("code")},
    {ID(2, "status"), FIXED(CODE), CODES("report_status"), FORM(3), LABELS("État", "Status"),
     FHIR("status")},
    {ID(3, "categories"), FIXED(CONCEPT), LIST, CODES("report_category"), FORM(4),
     LABELS("Famille", "Categories"), FHIR("category[]")},
    {ID(4, "examined_at"), FIXED(INSTANT), REQUIRED, FORM(2),
     LABELS("Date de l'examen", "Examined at"), FHIR("effectiveDateTime | effectivePeriod.start")},
    {ID(5, "issued_at"), FIXED(INSTANT), LABELS("Rendu le", "Issued at"), FHIR("issued")},
    {ID(6, "results"), FIXED(REF), LIST, REFERS("observation|lab_result"),
     LABELS("Résultats", "Results"), FHIR("result[]")},
    {ID(7, "conclusion"), FIXED(TEXT), SEARCH(TEXT), FORM(5), LABELS("Conclusion", "Conclusion"),
     FHIR("conclusion")},
    {ID(8, "conclusion_codes"), FIXED(CONCEPT), LIST,
     LABELS("Conclusion codée", "Conclusion codes"), FHIR("conclusionCode[]")},
    {ID(9, "performers"), FIXED(REF), LIST, REFERS("professional|organisation"), FORM(6),
     LABELS("Rendu par", "Performers"), FHIR("performer[]")},
    {ID(10, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter"),
     FHIR("encounter")},
    {ID(11, "imaging"), FIXED(REF), LIST, REFERS("imaging_study"), LABELS("Images", "Imaging"),
     FHIR("imagingStudy[]")},
    {ID(12, "files"), FIXED(ATTACHMENT), LIST, LABELS("Fichiers", "Files"),
     FHIR("presentedForm[]")},
    {ID(13, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants", "Identifiers"),
     FHIR("identifier[]")},
};

static const struct ml_entity report = {
    .id = 11,
    .name = "report",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 8,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "examined_at",
    .title_field = "code",
    .say_fr = "[{categories}][, {status~final}][, conclusion : {conclusion}]"
              "[, {conclusion_codes}][, rendu par {performers}]",
    .label_fr = "Compte rendu d'examen",
    .label_en = "Report",
    .plural_fr = "Comptes rendus d'examens",
    .fhir_type = "DiagnosticReport",
    .fhir_patient = "subject",
    .fhir_author = "performer[] | resultsInterpreter[]",
    FIELDS(report_fields),
};

#define SERIES "series[]."

static const struct ml_field imaging_fields[] = {
    {ID(1, "description"), FIXED(TEXT), SEARCH(TEXT), FORM(1), LABELS("Examen", "Description"),
     FHIR("description")},
    {ID(2, "status"), FIXED(CODE), CODES("imaging_status"), FORM(3), LABELS("État", "Status"),
     FHIR("status")},
    {ID(3, "started_at"), FIXED(INSTANT), REQUIRED, FORM(2), LABELS("Date", "Started at"),
     FHIR("started")},
    {ID(4, "modalities"), FIXED(CODE), LIST, CODES("modality"), FORM(4),
     LABELS("Technique", "Modalities"), FHIR("modality[] | " SERIES "modality")},
    {ID(5, "body_sites"), FIXED(CODE), LIST, FORM(5), LABELS("Régions", "Body sites"),
     FHIR(SERIES "bodySite")},
    {ID(6, "series_count"), FIXED(INT), LABELS("Nombre de séries", "Series"),
     FHIR("numberOfSeries")},
    {ID(7, "image_count"), FIXED(INT), LABELS("Nombre d'images", "Images"),
     FHIR("numberOfInstances")},
    {ID(8, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants DICOM", "Identifiers"),
     FHIR("identifier[]")},
    {ID(9, "series_uids"), FIXED(TEXT), LIST, LABELS("Séries", "Series UIDs"), FHIR(SERIES "uid")},
    {ID(10, "image_uids"), FIXED(TEXT), LIST, LABELS("Images", "Image UIDs"),
     FHIR(SERIES "instance[].uid")},
    {ID(11, "image_titles"), FIXED(TEXT), LIST, SEARCH(TEXT), LABELS("Titres", "Image titles"),
     FHIR(SERIES "instance[].title")},
    {ID(12, "sop_classes"), FIXED(CODE), LIST, LABELS("Formats DICOM", "SOP classes"),
     FHIR(SERIES "instance[].sopClass")},
    {ID(13, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter"),
     FHIR("encounter")},
    {ID(14, "procedure"), FIXED(REF), REFERS("procedure"), LABELS("Acte", "Procedure"),
     FHIR("procedureReference")},
    {ID(15, "reasons"), FIXED(CONCEPT), LIST, FORM(6), LABELS("Indications", "Reasons"),
     FHIR("reasonCode[]")},
    {ID(16, "notes"), FIXED(TEXT), LIST, SEARCH(TEXT), FORM(7), LABELS("Remarques", "Notes"),
     FHIR("note[].text")},
    {ID(17, "series_image_counts"), FIXED(INT), LIST,
     LABELS("Images par série", "Images per series"), FHIR(SERIES "numberOfInstances")},
};

static const struct ml_fhir_drop imaging_drops[] = {
    {"series[].number", "rang de la série, que l'ordre de la liste garde"},
    {"series[].started", "répète la date de l'examen"},
    {"series[].instance[].number", "rang de l'image, que l'ordre de la liste garde"},
};

static const struct ml_entity imaging_study = {
    .id = 15,
    .name = "imaging_study",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 8,
    .severity = ML_SEVERITY_LOW,
    .in_timeline = true,
    .effective_field = "started_at",
    .title_field = "description",
    .say_fr = "[{modalities}][, {body_sites}][, {status~available}]"
              "[, séries : {series_count}][, images : {image_count}][, motif : {reasons}]"
              "[ ; {notes}]",
    .label_fr = "Examen d'imagerie",
    .label_en = "Imaging study",
    .plural_fr = "Examens d'imagerie",
    .fhir_type = "ImagingStudy",
    .fhir_patient = "subject",
    .fhir_author = "interpreter[]",
    FIELDS(imaging_fields),
    DROPS(imaging_drops),
};

static const struct ml_value_set_item procedure_status_items[] = {
    {"completed", "fait", NULL, false},
    {"in-progress", "en cours", NULL, false},
    {"preparation", "en préparation", NULL, false},
    {"not-done", "non fait", NULL, false},
    {"on-hold", "suspendu", NULL, false},
    {"stopped", "interrompu", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set procedure_status = {.name = "procedure_status",
                                                     .system_uri =
                                                         "http://hl7.org/fhir/event-status",
                                                     ITEMS(procedure_status_items)};

static const struct ml_value_set_item report_status_items[] = {
    {"final", "définitif", NULL, false},
    {"registered", "attendu", NULL, false},
    {"partial", "partiel", NULL, false},
    {"preliminary", "provisoire", NULL, false},
    {"amended", "modifié", NULL, false},
    {"corrected", "corrigé", NULL, false},
    {"appended", "complété", NULL, false},
    {"cancelled", "annulé", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set report_status = {
    .name = "report_status",
    .system_uri = "http://hl7.org/fhir/diagnostic-report-status",
    ITEMS(report_status_items)};

static const struct ml_value_set_item report_category_items[] = {
    {"LAB", "biologie", NULL, false},
    {"RAD", "radiologie", NULL, false},
    {"CT", "scanner", NULL, false},
    {"NMR", "IRM", NULL, false},
    {"US", "échographie", NULL, false},
    {"CUS", "échographie cardiaque", NULL, false},
    {"EC", "électrocardiogramme", NULL, false},
    {"PF", "exploration respiratoire", NULL, false},
    {"SP", "anatomopathologie", NULL, false},
    {"OTH", "autre", NULL, false},
};
static const struct ml_value_set report_category = {
    .name = "report_category",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v2-0074",
    .open = true,
    ITEMS(report_category_items)};

static const struct ml_value_set_item imaging_status_items[] = {
    {"available", "disponible", NULL, false}, {"registered", "attendu", NULL, false},
    {"cancelled", "annulé", NULL, false},     {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set imaging_status = {.name = "imaging_status",
                                                   .system_uri =
                                                       "http://hl7.org/fhir/imagingstudy-status",
                                                   ITEMS(imaging_status_items)};

static const struct ml_value_set_item modality_items[] = {
    {"DX", "radiographie numérique", NULL, false},
    {"CR", "radiographie", NULL, false},
    {"CT", "scanner", NULL, false},
    {"MR", "IRM", NULL, false},
    {"US", "échographie", NULL, false},
    {"MG", "mammographie", NULL, false},
    {"NM", "médecine nucléaire", NULL, false},
    {"PT", "TEP", NULL, false},
    {"XA", "angiographie", NULL, false},
    {"XC", "photographie", NULL, false},
};
static const struct ml_value_set modality = {.name = "modality",
                                             .system_uri =
                                                 "http://dicom.nema.org/resources/ontology/DCM",
                                             .open = true,
                                             ITEMS(modality_items)};

static const struct ml_entity *const entities[] = {&procedure, &report, &imaging_study};
static const struct ml_value_set *const value_sets[] = {
    &procedure_status, &report_status, &report_category, &imaging_status, &modality,
};
const struct ml_schema_block ml_schema_block_act = {ENTITIES(entities), SETS(value_sets)};
