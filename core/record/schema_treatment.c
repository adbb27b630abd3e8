/* core/record/schema_treatment.c -- the lines of treatment.
 *
 * Drug, dose, route and rhythm are one register: two offices that change the same line stand side
 * by side « à concilier », never mixed into a dose that nobody prescribed (architecture 6).
 */
#include "core/record/schema_blocks.h"

#define FIRST "dosageInstruction[0]."
#define LINE  1 /* the register that all of the prescribed line lives in */

static const struct ml_field treatment_fields[] = {
    {ID(1, "drug"), ATOMIC(CONCEPT, LINE), REQUIRED, SEVERITY(CRITICAL), SEARCH(TEXT), FORM(1),
     LABELS("Médicament", "Drug"), HELP("Dénomination commune d'abord, nom de marque ensuite."),
     FHIR("medicationCodeableConcept | medicationReference->code | medicationReference.display")},
    {ID(2, "dose"), ATOMIC(QUANTITY, LINE), SEVERITY(CRITICAL), FORM(2),
     LABELS("Dose par prise", "Dose"), HELP("Un nombre et son unité : « 0,5 mg », « 1 comprimé »."),
     FHIR(FIRST "doseAndRate[0].doseQuantity")},
    {ID(3, "route"), ATOMIC(CODE, LINE), SEVERITY(CRITICAL), CODES("route"), FORM(3),
     LABELS("Voie d'administration", "Route"), FHIR(FIRST "route.coding[0]")},
    {ID(4, "frequency"), ATOMIC(INT, LINE), SEVERITY(CRITICAL), FORM(4),
     LABELS("Nombre de prises", "Times per period"), FHIR(FIRST "timing.repeat.frequency")},
    {ID(5, "period"), ATOMIC(DECIMAL, LINE), SEVERITY(CRITICAL), FORM(5),
     LABELS("Par période de", "Period"),
     HELP("« 3 prises par 1 jour », « 1 prise par 2 semaines »."),
     FHIR(FIRST "timing.repeat.period")},
    {ID(6, "period_unit"), ATOMIC(CODE, LINE), SEVERITY(CRITICAL), CODES("period_unit"), FORM(6),
     LABELS("Unité de la période", "Period's unit"), FHIR(FIRST "timing.repeat.periodUnit")},
    {ID(7, "moments"), ATOMIC(CODE, LINE), LIST, SEVERITY(CRITICAL), CODES("intake_moment"),
     FORM(7), LABELS("Moments de prise", "Moments"), FHIR(FIRST "timing.repeat.when[]")},
    {ID(8, "as_needed"), ATOMIC(BOOL, LINE), SEVERITY(CRITICAL), FORM(8),
     LABELS("Si besoin", "As needed"), FHIR(FIRST "asNeededBoolean")},
    {ID(9, "posology"), ATOMIC(TEXT, LINE), SEVERITY(CRITICAL), SEARCH(TEXT), FORM(9),
     LABELS("Posologie en clair", "Posology"),
     HELP("Comme sur l'ordonnance : « 1 matin et soir au milieu du repas »."), FHIR(FIRST "text")},
    {ID(10, "intake_advice"), ATOMIC(CONCEPT, LINE), LIST, SEVERITY(HIGH), FORM(10),
     LABELS("Consignes de prise", "Additional instructions"),
     FHIR(FIRST "additionalInstruction[]")},
    {ID(11, "dose_kind"), ATOMIC(CONCEPT, LINE), SEVERITY(LOW),
     LABELS("Origine de la dose", "Kind of dose"), HELP("Dose prescrite ou dose calculée."),
     FHIR(FIRST "doseAndRate[0].type")},
    {ID(12, "other_dosages"), ATOMIC(DOSAGE, LINE), LIST, SEVERITY(CRITICAL),
     LABELS("Posologies suivantes", "Further dosages"),
     HELP("Paliers d'une posologie qui change dans le temps."), FHIR("dosageInstruction[1:]")},
    {ID(20, "status"), ATOMIC(CODE, 20), SEVERITY(CRITICAL), CODES("treatment_status"), FORM(11),
     LABELS("État du traitement", "Status"), FHIR("status")},
    {ID(21, "stop_reason"), ATOMIC(CONCEPT, 20), SEVERITY(HIGH), FORM(12),
     LABELS("Motif d'arrêt", "Reason of the status"), FHIR("statusReason")},
    {ID(22, "prescribed_at"), REGISTER(INSTANT), SEVERITY(LOW), FORM(13),
     LABELS("Prescrit le", "Prescribed at"), FHIR("authoredOn")},
    {ID(23, "valid"), REGISTER(PERIOD), SEVERITY(MEDIUM), FORM(14),
     LABELS("Du … au …", "From … to …"), FHIR("dispenseRequest.validityPeriod")},
    {ID(24, "prescriber"), REGISTER(REF), SEVERITY(LOW), REFERS("professional|organisation"),
     FORM(15), LABELS("Prescripteur", "Prescriber"), FHIR("requester")},
    {ID(25, "indications"), REGISTER(REF), LIST, SEVERITY(LOW), REFERS("problem|observation"),
     FORM(16), LABELS("Pour quel problème", "Indications"), FHIR("reasonReference[]")},
    {ID(26, "indication_texts"), REGISTER(CONCEPT), LIST, SEVERITY(LOW),
     LABELS("Indications (texte)", "Indications (text)"), FHIR("reasonCode[]")},
    {ID(27, "encounter"), REGISTER(REF), SEVERITY(LOW), REFERS("encounter|visit"),
     LABELS("Lors de", "Encounter"), FHIR("encounter")},
    {ID(28, "intent"), REGISTER(CODE), SEVERITY(LOW), CODES("treatment_intent"),
     LABELS("Nature", "Intent"), FHIR("intent")},
    {ID(29, "renewals"), REGISTER(INT), SEVERITY(MEDIUM), FORM(17),
     LABELS("Renouvellements", "Renewals"), FHIR("dispenseRequest.numberOfRepeatsAllowed")},
    {ID(30, "duration"), REGISTER(QUANTITY), SEVERITY(MEDIUM), FORM(18),
     LABELS("Durée", "Duration"), FHIR("dispenseRequest.expectedSupplyDuration")},
    {ID(31, "long_term_illness"), REGISTER(BOOL), SEVERITY(LOW), FORM(19),
     LABELS("En rapport avec une ALD", "For a long-term illness")},
    {ID(32, "substitution"), REGISTER(BOOL), SEVERITY(LOW), FORM(20),
     LABELS("Substituable", "May be substituted"), FHIR("substitution.allowedBoolean")},
    {ID(33, "self_medication"), REGISTER(BOOL), SEVERITY(MEDIUM), FORM(21),
     LABELS("Automédication", "Self-medication"),
     HELP("Pris sans ordonnance, ou rapporté par le patient."), FHIR("reportedBoolean")},
    {ID(34, "notes"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(22),
     LABELS("Remarques", "Notes"), FHIR("note[].text")},
    {ID(35, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW),
     LABELS("Identifiants", "Identifiers"), FHIR("identifier[]")},
    {ID(36, "categories"), REGISTER(CONCEPT), LIST, SEVERITY(LOW), LABELS("Cadre", "Categories"),
     FHIR("category[]")},
};

static const struct ml_fhir_drop treatment_drops[] = {
    {"dosageInstruction[].sequence",
     "rang d'une posologie unique ; les suivantes gardent l'ordre du fichier"},
};

static const struct ml_entity treatment = {
    .id = 7,
    .name = "treatment",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_MEDICAL,
    .data_class = 7,
    .severity = ML_SEVERITY_CRITICAL,
    .in_timeline = true,
    .effective_field = "prescribed_at",
    .title_field = "drug",
    .say_fr =
        "[{dose+frequency+period+moments+posology+other_dosages-posologie non précisée}]"
        "[{dose}][ {frequency/period/period_unit}][, {moments}]"
        "[, {as_needed?si besoin}][, {route}][, « {posology} »][, consigne : « {intake_advice} »]"
        "[, puis {other_dosages}][, pendant {duration}][, {valid@le}]"
        "[, à renouveler {renewals} fois][, {substitution!non substituable}]"
        "[, {self_medication?automédication}]"
        "[, {long_term_illness?en rapport avec une ALD}][, {status~active}]"
        "[ ({stop_reason})][, prescrit {prescribed_at@le}]"
        "[, prescripteur : {prescriber}][, pour : {indications}]"
        "[, pour : {indication_texts}][ ; {notes}]",
    .label_fr = "Traitement",
    .label_en = "Treatment",
    .plural_fr = "Traitements",
    .fhir_type = "MedicationRequest",
    .fhir_patient = "subject",
    .fhir_author = "requester",
    FIELDS(treatment_fields),
    DROPS(treatment_drops),
};

static const struct ml_value_set_item route_items[] = {
    {"20053000", "voie orale", NULL, false},
    {"20066000", "voie sous-cutanée", NULL, false},
    {"20035000", "voie intramusculaire", NULL, false},
    {"20045000", "voie intraveineuse", NULL, false},
    {"20030000", "voie intradermique", NULL, false},
    {"20020000", "voie inhalée", NULL, false},
    {"20003000", "voie cutanée", NULL, false},
    {"20070000", "voie transdermique", NULL, false},
    {"20067000", "voie sublinguale", NULL, false},
    {"20049000", "voie nasale", NULL, false},
    {"20051000", "voie ophtalmique", NULL, false},
    {"20001000", "voie auriculaire", NULL, false},
    {"20061000", "voie rectale", NULL, false},
    {"20072000", "voie vaginale", NULL, false},
};
static const struct ml_value_set route = {.name = "route",
                                          .system_uri = "http://standardterms.edqm.eu",
                                          .open = true,
                                          ITEMS(route_items)};

static const struct ml_value_set_item period_unit_items[] = {
    {"h", "heure", NULL, false},   {"d", "jour", NULL, false}, {"wk", "semaine", NULL, false},
    {"mo", "mois", NULL, false},   {"a", "an", NULL, false},   {"min", "minute", NULL, false},
    {"s", "seconde", NULL, false},
};
static const struct ml_value_set period_unit = {
    .name = "period_unit", .system_uri = "http://unitsofmeasure.org", ITEMS(period_unit_items)};

static const struct ml_value_set_item intake_moment_items[] = {
    {"MORN", "matin", NULL, false},
    {"NOON", "midi", NULL, false},
    {"EVE", "soir", NULL, false},
    {"HS", "coucher", NULL, false},
    {"WAKE", "lever", NULL, false},
    {"AFT", "après-midi", NULL, false},
    {"NIGHT", "nuit", NULL, false},
    {"AC", "avant le repas", NULL, false},
    {"PC", "après le repas", NULL, false},
    {"C", "pendant le repas", NULL, false},
    {"CM", "au petit-déjeuner", NULL, false},
    {"CD", "au déjeuner", NULL, false},
    {"CV", "au dîner", NULL, false},
    {"ACM", "avant le petit-déjeuner", NULL, false},
    {"ACD", "avant le déjeuner", NULL, false},
    {"ACV", "avant le dîner", NULL, false},
};
static const struct ml_value_set intake_moment = {.name = "intake_moment",
                                                  .system_uri = "http://hl7.org/fhir/event-timing",
                                                  .open = true,
                                                  ITEMS(intake_moment_items)};

static const struct ml_value_set_item treatment_status_items[] = {
    {"active", "en cours", NULL, false},
    {"on-hold", "suspendu", NULL, false},
    {"stopped", "arrêté", NULL, false},
    {"completed", "terminé", NULL, false},
    {"cancelled", "annulé avant toute prise", NULL, false},
    {"draft", "projet d'ordonnance", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set treatment_status = {
    .name = "treatment_status",
    .system_uri = "http://hl7.org/fhir/CodeSystem/medicationrequest-status",
    ITEMS(treatment_status_items)};

static const struct ml_value_set_item treatment_intent_items[] = {
    {"order", "prescription", NULL, false},
    {"original-order", "prescription initiale", NULL, false},
    {"reflex-order", "prescription automatique", NULL, false},
    {"filler-order", "prescription transformée à la dispensation", NULL, false},
    {"instance-order", "administration prévue", NULL, false},
    {"proposal", "proposition", NULL, false},
    {"plan", "intention", NULL, false},
    {"option", "choix possible", NULL, false},
};
static const struct ml_value_set treatment_intent = {
    .name = "treatment_intent",
    .system_uri = "http://hl7.org/fhir/CodeSystem/medicationrequest-intent",
    ITEMS(treatment_intent_items)};

static const struct ml_entity *const entities[] = {&treatment};
static const struct ml_value_set *const value_sets[] = {
    &route, &period_unit, &intake_moment, &treatment_status, &treatment_intent,
};
const struct ml_schema_block ml_schema_block_treatment = {ENTITIES(entities), SETS(value_sets)};
