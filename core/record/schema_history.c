/* core/record/schema_history.c -- problems and history, allergies, vaccinations.
 *
 * Four states of allergies must never be mixed: known, none known, not asked, not received yet. The
 * first three are the field `assertion`; the fourth is the screen's (domain 4.1, peers 4.1).
 */
#include "core/record/schema_blocks.h"

static const struct ml_field problem_fields[] = {
    {ID(1, "code"), REGISTER(CONCEPT), REQUIRED, SEVERITY(MEDIUM), SEARCH(TEXT), CODES("problem"),
     FORM(1), LABELS("Problème", "Problem"),
     HELP("Texte libre accepté ; un code CIM-10 ou CISP-2 aide les recherches."), FHIR("code")},
    {ID(2, "kind"), REGISTER(CODE), SEVERITY(LOW), CODES("problem_kind"), FORM(2),
     LABELS("Nature", "Kind")},
    {ID(3, "clinical_status"), REGISTER(CODE), SEVERITY(MEDIUM), CODES("clinical_status"), FORM(3),
     LABELS("Évolution", "Clinical status"), FHIR("clinicalStatus.coding[0]")},
    {ID(4, "verification"), ASSERT(CODE), SEVERITY(MEDIUM), CODES("verification"), FORM(4),
     LABELS("Certitude", "Verification"),
     HELP("« Écarté » note un négatif pertinent : il reste visible."),
     FHIR("verificationStatus.coding[0]")},
    {ID(5, "onset"), REGISTER(INSTANT), SEVERITY(LOW), FORM(5), LABELS("Début", "Onset"),
     FHIR("onsetDateTime | onsetPeriod.start")},
    {ID(6, "abatement"), REGISTER(INSTANT), SEVERITY(LOW), FORM(6), LABELS("Fin", "Abatement"),
     FHIR("abatementDateTime | abatementPeriod.end | onsetPeriod.end")},
    {ID(7, "severity"), REGISTER(CONCEPT), SEVERITY(LOW), CODES("severity"), FORM(7),
     LABELS("Gravité", "Severity"), FHIR("severity")},
    {ID(8, "chronicity"), REGISTER(CODE), SEVERITY(LOW), CODES("chronicity"), FORM(8),
     LABELS("Chronicité", "Chronicity")},
    {ID(9, "body_sites"), REGISTER(CONCEPT), LIST, SEVERITY(MEDIUM), FORM(9),
     LABELS("Siège, côté", "Body sites"), FHIR("bodySite[]")},
    {ID(10, "kin"), REGISTER(CODE), SEVERITY(LOW), CODES("relation"), FORM(10),
     LABELS("Parent concerné", "Kin"), HELP("Pour un antécédent familial seulement.")},
    {ID(11, "recorded_at"), REGISTER(INSTANT), SEVERITY(LOW), LABELS("Noté le", "Recorded at"),
     FHIR("recordedDate")},
    {ID(12, "encounter"), REGISTER(REF), SEVERITY(LOW), REFERS("encounter|visit"),
     LABELS("Lors de", "Encounter"), FHIR("encounter")},
    {ID(13, "performers"), REGISTER(TEXT), LIST, SEVERITY(LOW), FORM(11),
     LABELS("Professionnels concernés", "Clinicians involved"),
     HELP("Chirurgien, spécialiste, même extérieurs à la structure.")},
    {ID(14, "notes"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(12),
     LABELS("Remarques", "Notes"), FHIR("note[].text")},
    {ID(15, "categories"), REGISTER(CONCEPT), LIST, SEVERITY(LOW),
     LABELS("Rubriques", "Categories"), FHIR("category[]")},
    {ID(16, "recorder"), REGISTER(REF), SEVERITY(LOW), REFERS("professional"),
     LABELS("Noté par", "Recorder"), FHIR("recorder")},
    {ID(17, "asserter"), REGISTER(REF), SEVERITY(LOW), REFERS("professional|patient|contact"),
     LABELS("Affirmé par", "Asserter"), FHIR("asserter")},
    {ID(18, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW),
     LABELS("Identifiants", "Identifiers"), FHIR("identifier[]")},
    {ID(19, "long_term_illness"), REGISTER(BOOL), SEVERITY(LOW), FORM(13),
     LABELS("Reconnu en ALD", "Recognised long-term illness")},
};

static const struct ml_entity problem = {
    .id = 5,
    .name = "problem",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 5,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "onset",
    .title_field = "code",
    .say_fr = "[{clinical_status}][, {verification~confirmed}][, {kind~actif}]"
              "[, {chronicity}][, gravité {severity}][, siège : {body_sites}]"
              "[, chez : {kin}][, {onset>abatement}]"
              "[, {long_term_illness?reconnu en ALD}][, suivi : {performers}][ ; {notes}]",
    .label_fr = "Problème ou antécédent",
    .label_en = "Problem",
    .plural_fr = "Problèmes et antécédents",
    .fhir_type = "Condition",
    .fhir_patient = "subject",
    .fhir_author = "recorder | asserter",
    FIELDS(problem_fields),
};

static const struct ml_field allergy_fields[] = {
    {ID(1, "agent"), REGISTER(CONCEPT), SEVERITY(HIGH), SEARCH(TEXT), FORM(2),
     LABELS("Allergène", "Agent"),
     HELP("Un agent par ligne. Sans code, aucune alerte ne peut être déclenchée."), FHIR("code")},
    {ID(2, "assertion"), ASSERT(CODE), REQUIRED, SEVERITY(CRITICAL), CODES("allergy_assertion"),
     FORM(1), LABELS("Constat", "Assertion"),
     HELP("« Aucune allergie connue » n'est pas « non recherché »."),
     FHIR("code.coding[system=http://snomed.info/sct]")},
    {ID(3, "verification"), ASSERT(CODE), SEVERITY(CRITICAL), CODES("verification"), FORM(6),
     LABELS("Certitude", "Verification"), FHIR("verificationStatus.coding[0]")},
    {ID(4, "status"), ATOMIC(CODE, 4), SEVERITY(HIGH), CODES("allergy_status"), FORM(7),
     LABELS("État", "Status"), FHIR("clinicalStatus.coding[0]")},
    {ID(5, "status_reason"), ATOMIC(TEXT, 4), SEVERITY(MEDIUM), FORM(8),
     LABELS("Motif de désactivation", "Reason of the status")},
    {ID(6, "type"), REGISTER(CODE), SEVERITY(MEDIUM), CODES("allergy_type"), FORM(3),
     LABELS("Mécanisme", "Type"), FHIR("type")},
    {ID(7, "categories"), REGISTER(CODE), LIST, SEVERITY(LOW), CODES("allergy_category"), FORM(4),
     LABELS("Catégories", "Categories"), FHIR("category[]")},
    {ID(8, "criticality"), REGISTER(CODE), SEVERITY(HIGH), CODES("criticality"), FORM(5),
     LABELS("Risque en cas d'exposition", "Criticality"), FHIR("criticality")},
    {ID(9, "reactions"), REGISTER(CONCEPT), LIST, SEVERITY(MEDIUM), SEARCH(TEXT), FORM(9),
     LABELS("Réactions observées", "Reactions"), FHIR("reaction[].manifestation[]")},
    {ID(10, "reaction_severity"), REGISTER(CODE), SEVERITY(HIGH), CODES("reaction_severity"),
     FORM(10), LABELS("Gravité de la réaction", "Reaction severity"), FHIR("reaction[0].severity")},
    {ID(11, "onset"), REGISTER(INSTANT), SEVERITY(LOW), FORM(11), LABELS("Depuis", "Onset"),
     FHIR("onsetDateTime | onsetPeriod.start")},
    {ID(12, "recorded_at"), REGISTER(INSTANT), SEVERITY(LOW), LABELS("Noté le", "Recorded at"),
     FHIR("recordedDate")},
    {ID(13, "reviewed_on"), ATOMIC(DATE, 13), SEVERITY(LOW), FORM(12),
     LABELS("Liste revue le", "Reviewed on")},
    {ID(14, "reviewed_by"), ATOMIC(REF, 13), SEVERITY(LOW), REFERS("professional"), FORM(13),
     LABELS("Liste revue par", "Reviewed by")},
    {ID(15, "last_occurrence"), REGISTER(INSTANT), SEVERITY(LOW), FORM(14),
     LABELS("Dernier épisode", "Last occurrence"), FHIR("lastOccurrence")},
    {ID(16, "encounter"), REGISTER(REF), SEVERITY(LOW), REFERS("encounter|visit"),
     LABELS("Lors de", "Encounter"), FHIR("encounter")},
    {ID(17, "notes"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(15),
     LABELS("Remarques", "Notes"), FHIR("note[].text")},
    {ID(18, "recorder"), REGISTER(REF), SEVERITY(LOW), REFERS("professional"),
     LABELS("Noté par", "Recorder"), FHIR("recorder")},
    {ID(19, "asserter"), REGISTER(REF), SEVERITY(LOW), REFERS("professional|patient|contact"),
     LABELS("Affirmé par", "Asserter"), FHIR("asserter")},
    {ID(20, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW),
     LABELS("Identifiants", "Identifiers"), FHIR("identifier[]")},
};

static const struct ml_entity allergy = {
    .id = 6,
    .name = "allergy",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_VITAL,
    .data_class = 4,
    .severity = ML_SEVERITY_CRITICAL,
    .in_timeline = true,
    .effective_field = "recorded_at",
    .title_field = "agent",
    .say_fr = "[{assertion~known}][, {type}][ ({categories})]"
              "[, {agent#texte libre : aucune alerte automatique}][, risque {criticality}]"
              "[, réaction : {reactions}][, gravité {reaction_severity}]"
              "[, {verification~confirmed}][, {status~active}][ ({status_reason})]"
              "[, {onset@depuis}][, dernier épisode {last_occurrence@le}]"
              "[, liste revue {reviewed_on@le}][, revue par {reviewed_by}][ ; {notes}]",
    .label_fr = "Allergie ou intolérance",
    .label_en = "Allergy",
    .plural_fr = "Allergies et intolérances",
    .fhir_type = "AllergyIntolerance",
    .fhir_patient = "patient",
    .fhir_author = "recorder | asserter",
    FIELDS(allergy_fields),
};

static const struct ml_field immunisation_fields[] = {
    {ID(1, "vaccine"), FIXED(CONCEPT), REQUIRED, SEARCH(TEXT), CODES("vaccine"), FORM(1),
     LABELS("Vaccin", "Vaccine"), FHIR("vaccineCode")},
    {ID(2, "status"), FIXED(CODE), REQUIRED, CODES("immunisation_status"), FORM(2),
     LABELS("Fait ou non", "Status"), FHIR("status")},
    {ID(3, "given_at"), FIXED(INSTANT), REQUIRED, FORM(3), LABELS("Date", "Given at"),
     FHIR("occurrenceDateTime")},
    {ID(4, "lot"), FIXED(TEXT), SEARCH(TEXT), FORM(4), LABELS("Numéro de lot", "Lot"),
     FHIR("lotNumber")},
    {ID(5, "expiry"), FIXED(DATE), FORM(5), LABELS("Péremption", "Expiry"), FHIR("expirationDate")},
    {ID(6, "site"), FIXED(CODE), CODES("injection_site"), FORM(6),
     LABELS("Site d'injection", "Site"), FHIR("site.coding[0]")},
    {ID(7, "route"), FIXED(CODE), CODES("route"), FORM(7), LABELS("Voie", "Route"),
     FHIR("route.coding[0]")},
    {ID(8, "dose"), FIXED(QUANTITY), FORM(8), LABELS("Dose", "Dose"), FHIR("doseQuantity")},
    {ID(9, "dose_number"), FIXED(INT), FORM(9), LABELS("Rang de la dose", "Dose number"),
     FHIR("protocolApplied[0].doseNumberPositiveInt")},
    {ID(10, "next_due"), FIXED(DATE), FORM(10), LABELS("Prochain rappel", "Next due")},
    {ID(11, "not_given_reason"), FIXED(CONCEPT), CODES("not_given_reason"), FORM(11),
     LABELS("Motif si non fait", "Reason not given"), FHIR("statusReason")},
    {ID(12, "performers"), FIXED(REF), LIST, REFERS("professional|organisation"), FORM(12),
     LABELS("Vaccinateur", "Performers"), FHIR("performer[].actor")},
    {ID(13, "primary_source"), FIXED(BOOL), LABELS("Noté par le vaccinateur", "Primary source"),
     HELP("Faux : repris d'un carnet ou du récit du patient."), FHIR("primarySource")},
    {ID(14, "encounter"), FIXED(REF), REFERS("encounter|visit"), LABELS("Lors de", "Encounter"),
     FHIR("encounter")},
    {ID(15, "notes"), FIXED(TEXT), LIST, SEARCH(TEXT), FORM(13), LABELS("Remarques", "Notes"),
     FHIR("note[].text")},
    {ID(16, "recorded_at"), FIXED(INSTANT), LABELS("Noté le", "Recorded at"), FHIR("recorded")},
    {ID(17, "identifiers"), FIXED(IDENTIFIER), LIST, LABELS("Identifiants", "Identifiers"),
     FHIR("identifier[]")},
    {ID(18, "reasons"), FIXED(CONCEPT), LIST, LABELS("Indications", "Reasons"),
     FHIR("reasonCode[]")},
};

static const struct ml_entity immunisation = {
    .id = 8,
    .name = "immunisation",
    .merge = ML_MERGE_EVENT,
    .compartment = ML_COMPARTMENT_VITAL,
    .data_class = 4,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "given_at",
    .title_field = "vaccine",
    .say_fr = "[{status}][, motif : {not_given_reason}][, dose n° {dose_number}][, {dose}]"
              "[, lot {lot}][, péremption {expiry}][, {site}][, {route}][, par {performers}]"
              "[, prochain rappel {next_due@le}][ ; {notes}]",
    .label_fr = "Vaccination",
    .label_en = "Immunisation",
    .plural_fr = "Vaccinations",
    .fhir_type = "Immunization",
    .fhir_patient = "patient",
    .fhir_author = "performer[].actor",
    FIELDS(immunisation_fields),
};

static const struct ml_value_set_item problem_items[] = {
    {"I10", "Hypertension essentielle (primitive)", NULL, false},
    {"E11", "Diabète sucré de type 2", NULL, false},
    {"E10", "Diabète sucré de type 1", NULL, false},
    {"E78", "Anomalies du métabolisme des lipoprotéines", NULL, false},
    {"E66", "Obésité", NULL, false},
    {"E03", "Hypothyroïdie", NULL, false},
    {"J45", "Asthme", NULL, false},
    {"J44", "Bronchopneumopathie chronique obstructive", NULL, false},
    {"I48", "Fibrillation et flutter auriculaires", NULL, false},
    {"I50", "Insuffisance cardiaque", NULL, false},
    {"I25", "Cardiopathie ischémique chronique", NULL, false},
    {"I63", "Infarctus cérébral", NULL, false},
    {"N18", "Maladie rénale chronique", NULL, false},
    {"M17", "Gonarthrose", NULL, false},
    {"M16", "Coxarthrose", NULL, false},
    {"M54", "Dorsalgies", NULL, false},
    {"M81", "Ostéoporose", NULL, false},
    {"F32", "Épisodes dépressifs", NULL, false},
    {"F41", "Autres troubles anxieux", NULL, false},
    {"F17", "Troubles liés à l'utilisation de tabac", NULL, false},
    {"G20", "Maladie de Parkinson", NULL, false},
    {"G30", "Maladie d'Alzheimer", NULL, false},
    {"G43", "Migraine", NULL, false},
    {"K21", "Reflux gastro-œsophagien", NULL, false},
    {"L89", "Ulcère de décubitus et zone de pression", NULL, false},
    {"L97", "Ulcère d'un membre inférieur", NULL, false},
    {"N40", "Hyperplasie de la prostate", NULL, false},
    {"C50", "Tumeur maligne du sein", NULL, false},
    {"J06", "Infections aiguës des voies respiratoires supérieures", NULL, false},
    {"J20", "Bronchite aiguë", NULL, false},
    {"N39", "Infection des voies urinaires", NULL, false},
    {"H66", "Otite moyenne suppurée", NULL, false},
    {"A09", "Gastroentérite d'origine infectieuse", NULL, false},
};
static const struct ml_value_set problem_codes = {.name = "problem",
                                                  .system_uri = "http://hl7.org/fhir/sid/icd-10",
                                                  .open = true,
                                                  ITEMS(problem_items)};

static const struct ml_value_set_item problem_kind_items[] = {
    {"actif", "problème actif", NULL, false},
    {"atcd-medical", "antécédent médical", NULL, false},
    {"atcd-chirurgical", "antécédent chirurgical", NULL, false},
    {"atcd-familial", "antécédent familial", NULL, false},
    {"facteur", "facteur de risque", NULL, false},
};
static const struct ml_value_set problem_kind = {
    .name = "problem_kind", .system_uri = "urn:maille:problem-kind", ITEMS(problem_kind_items)};

static const struct ml_value_set_item clinical_status_items[] = {
    {"active", "actif", NULL, false},        {"recurrence", "récidive", NULL, false},
    {"relapse", "rechute", NULL, false},     {"inactive", "inactif", NULL, false},
    {"remission", "rémission", NULL, false}, {"resolved", "résolu", NULL, false},
};
static const struct ml_value_set clinical_status = {
    .name = "clinical_status",
    .system_uri = "http://terminology.hl7.org/CodeSystem/condition-clinical",
    ITEMS(clinical_status_items)};

static const struct ml_value_set_item verification_items[] = {
    {"confirmed", "confirmé", NULL, false},
    {"provisional", "probable", NULL, false},
    {"differential", "diagnostic différentiel", NULL, false},
    {"unconfirmed", "non confirmé", NULL, false},
    {"refuted", "écarté", NULL, true},
    {"entered-in-error", "saisi par erreur", NULL, true},
};
static const struct ml_value_set verification = {
    .name = "verification",
    .system_uri = "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    ITEMS(verification_items)};

static const struct ml_value_set_item severity_items[] = {
    {"255604002", "légère", NULL, false},
    {"6736007", "modérée", NULL, false},
    {"24484000", "sévère", NULL, false},
};
static const struct ml_value_set severity = {.name = "severity",
                                             .system_uri = "http://snomed.info/sct",
                                             .open = true,
                                             ITEMS(severity_items)};

static const struct ml_value_set_item chronicity_items[] = {
    {"aigu", "aigu", NULL, false},
    {"chronique", "chronique", NULL, false},
    {"recurrent", "récurrent", NULL, false},
};
static const struct ml_value_set chronicity = {
    .name = "chronicity", .system_uri = "urn:maille:chronicity", ITEMS(chronicity_items)};

static const struct ml_value_set_item assertion_items[] = {
    {"known", "allergie connue", "*", false},
    {"none-known", "aucune allergie connue",
     "716186003|409137002|428607008|429625007|428197003|1003774007", true},
    {"not-asked", "non recherchée", NULL, true},
    {"unable", "recherche impossible", NULL, true},
};
static const struct ml_value_set allergy_assertion = {.name = "allergy_assertion",
                                                      .system_uri = "urn:maille:allergy-assertion",
                                                      ITEMS(assertion_items)};

static const struct ml_value_set_item allergy_status_items[] = {
    {"active", "active", NULL, false},
    {"inactive", "désactivée", NULL, false},
    {"resolved", "résolue", NULL, false},
};
static const struct ml_value_set allergy_status = {
    .name = "allergy_status",
    .system_uri = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
    ITEMS(allergy_status_items)};

static const struct ml_value_set_item allergy_type_items[] = {
    {"allergy", "allergie", NULL, false},
    {"intolerance", "intolérance", NULL, false},
};
static const struct ml_value_set allergy_type = {.name = "allergy_type",
                                                 .system_uri =
                                                     "http://hl7.org/fhir/allergy-intolerance-type",
                                                 ITEMS(allergy_type_items)};

static const struct ml_value_set_item allergy_category_items[] = {
    {"medication", "médicament", NULL, false},
    {"food", "aliment", NULL, false},
    {"environment", "environnement", NULL, false},
    {"biologic", "produit biologique", NULL, false},
};
static const struct ml_value_set allergy_category = {
    .name = "allergy_category",
    .system_uri = "http://hl7.org/fhir/allergy-intolerance-category",
    ITEMS(allergy_category_items)};

static const struct ml_value_set_item criticality_items[] = {
    {"low", "faible", NULL, false},
    {"high", "élevé", NULL, false},
    {"unable-to-assess", "non évaluable", NULL, false},
};
static const struct ml_value_set criticality = {
    .name = "criticality",
    .system_uri = "http://hl7.org/fhir/allergy-intolerance-criticality",
    ITEMS(criticality_items)};

static const struct ml_value_set_item reaction_severity_items[] = {
    {"mild", "légère", NULL, false},
    {"moderate", "modérée", NULL, false},
    {"severe", "sévère", NULL, false},
};
static const struct ml_value_set reaction_severity = {
    .name = "reaction_severity",
    .system_uri = "http://hl7.org/fhir/reaction-event-severity",
    ITEMS(reaction_severity_items)};

static const struct ml_value_set_item vaccine_items[] = {
    {"J07BB", "Grippe saisonnière", NULL, false},
    {"J07BN", "Covid-19", NULL, false},
    {"J07CA02", "Diphtérie, tétanos, coqueluche, poliomyélite", NULL, false},
    {"J07CA01", "Diphtérie, tétanos, poliomyélite", NULL, false},
    {"J07CA09", "Hexavalent du nourrisson", NULL, false},
    {"J07AL", "Pneumocoque", NULL, false},
    {"J07AH", "Méningocoque", NULL, false},
    {"J07BD52", "Rougeole, oreillons, rubéole", NULL, false},
    {"J07BM", "Papillomavirus humains", NULL, false},
    {"J07BK03", "Zona (recombinant)", NULL, false},
    {"J07BC01", "Hépatite B", NULL, false},
};
static const struct ml_value_set vaccine = {
    .name = "vaccine", .system_uri = "http://www.whocc.no/atc", .open = true, ITEMS(vaccine_items)};

static const struct ml_value_set_item immunisation_status_items[] = {
    {"completed", "vaccin fait", NULL, false},
    {"not-done", "vaccin non fait", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
};
static const struct ml_value_set immunisation_status = {.name = "immunisation_status",
                                                        .system_uri =
                                                            "http://hl7.org/fhir/event-status",
                                                        ITEMS(immunisation_status_items)};

static const struct ml_value_set_item injection_site_items[] = {
    {"LA", "bras gauche", NULL, false},
    {"RA", "bras droit", NULL, false},
    {"LT", "cuisse gauche", NULL, false},
    {"RT", "cuisse droite", NULL, false},
};
static const struct ml_value_set injection_site = {
    .name = "injection_site",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-ActSite",
    .open = true,
    ITEMS(injection_site_items)};

static const struct ml_value_set_item not_given_items[] = {
    {"PATOBJ", "refus du patient", NULL, false},
    {"MEDPREC", "contre-indication médicale", NULL, false},
    {"OSTOCK", "rupture de stock", NULL, false},
    {"IMMUNE", "déjà immunisé", NULL, false},
};
static const struct ml_value_set not_given = {
    .name = "not_given_reason",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    .open = true,
    ITEMS(not_given_items)};

static const struct ml_entity *const entities[] = {&problem, &allergy, &immunisation};
static const struct ml_value_set *const value_sets[] = {
    &problem_codes, &problem_kind,     &clinical_status,     &verification,
    &severity,      &chronicity,       &allergy_assertion,   &allergy_status,
    &allergy_type,  &allergy_category, &criticality,         &reaction_severity,
    &vaccine,       &not_given,        &immunisation_status, &injection_site,
};
const struct ml_schema_block ml_schema_block_history = {ENTITIES(entities), SETS(value_sets)};
