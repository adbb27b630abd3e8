/* core/record/schema_plan.c -- the personalised care plan and its goals (PPS, class 15). */
#include "core/record/schema_blocks.h"

static const struct ml_field care_plan_fields[] = {
    {ID(1, "title"), REGISTER(TEXT), SEVERITY(LOW), SEARCH(TEXT), FORM(1), LABELS("Titre", "Title"),
     FHIR("title")},
    {ID(2, "categories"), REGISTER(CONCEPT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(2),
     LABELS("Nature", "Categories"), FHIR("category[]")},
    {ID(3, "status"), REGISTER(CODE), REQUIRED, SEVERITY(MEDIUM), CODES("plan_status"), FORM(3),
     LABELS("État", "Status"), FHIR("status")},
    {ID(4, "intent"), REGISTER(CODE), SEVERITY(LOW), CODES("plan_intent"),
     LABELS("Intention", "Intent"), FHIR("intent")},
    {ID(5, "period"), REGISTER(PERIOD), SEVERITY(LOW), FORM(4), LABELS("Du … au …", "Period"),
     FHIR("period")},
    {ID(6, "activities"), REGISTER(COMPONENT), LIST, SEVERITY(MEDIUM), SEARCH(TEXT),
     CODES("activity_status"), FORM(5), LABELS("Actions prévues", "Activities"),
     HELP("Chaque action avec son état : à faire, en cours, faite…"), FHIR("activity[].detail")},
    {ID(8, "problems"), REGISTER(REF), LIST, SEVERITY(LOW), REFERS("problem"), FORM(7),
     LABELS("Problèmes visés", "Problems"), FHIR("addresses[]")},
    {ID(9, "goals"), REGISTER(REF), LIST, SEVERITY(LOW), REFERS("goal"), FORM(8),
     LABELS("Objectifs", "Goals"), FHIR("goal[]")},
    {ID(10, "encounter"), REGISTER(REF), SEVERITY(LOW), REFERS("encounter|visit"),
     LABELS("Lors de", "Encounter"), FHIR("encounter")},
    {ID(11, "description"), REGISTER(TEXT), SEVERITY(LOW), SEARCH(TEXT), FORM(9),
     LABELS("Description", "Description"), FHIR("description")},
    {ID(12, "coordinator"), REGISTER(REF), SEVERITY(LOW), REFERS("professional|organisation"),
     FORM(10), LABELS("Coordonné par", "Coordinator"), FHIR("author")},
    {ID(13, "contributors"), REGISTER(REF), LIST, SEVERITY(LOW),
     REFERS("professional|organisation|patient|contact"), FORM(11),
     LABELS("Participants", "Contributors"), FHIR("contributor[]")},
    {ID(14, "created_at"), REGISTER(INSTANT), SEVERITY(LOW), LABELS("Établi le", "Created at"),
     FHIR("created")},
    {ID(15, "notes"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(12),
     LABELS("Remarques", "Notes"), FHIR("note[].text")},
    {ID(16, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW),
     LABELS("Identifiants", "Identifiers"), FHIR("identifier[]")},
};

static const struct ml_entity care_plan = {
    .id = 12,
    .name = "care_plan",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_RCP,
    .data_class = 15,
    .severity = ML_SEVERITY_MEDIUM,
    .in_timeline = true,
    .effective_field = "period",
    .title_field = "categories",
    .title_fr = "[{categories}][, {title}]",
    .say_fr = "[{status}][, {period@le}][, {activities}][, pour : {problems}]"
              "[, objectifs : {goals}][, coordonné par {coordinator}][, avec {contributors}]"
              "[, {description}][ ; {notes}]",
    .label_fr = "Plan de soins",
    .label_en = "Care plan",
    .plural_fr = "Plans de soins",
    .fhir_type = "CarePlan",
    .fhir_patient = "subject",
    .fhir_author = "author",
    FIELDS(care_plan_fields),
};

static const struct ml_field goal_fields[] = {
    {ID(1, "description"), REGISTER(CONCEPT), REQUIRED, SEVERITY(LOW), SEARCH(TEXT), FORM(1),
     LABELS("Objectif", "Description"), FHIR("description")},
    {ID(2, "status"), REGISTER(CODE), REQUIRED, SEVERITY(MEDIUM), CODES("goal_status"), FORM(2),
     LABELS("État", "Status"), FHIR("lifecycleStatus")},
    {ID(3, "achievement"), REGISTER(CODE), SEVERITY(MEDIUM), CODES("goal_achievement"), FORM(3),
     LABELS("Atteinte", "Achievement"), FHIR("achievementStatus.coding[0]")},
    {ID(4, "start"), REGISTER(DATE), SEVERITY(LOW), FORM(4), LABELS("Début", "Start"),
     FHIR("startDate")},
    {ID(5, "due"), REGISTER(DATE), SEVERITY(LOW), FORM(5), LABELS("Échéance", "Due"),
     FHIR("target[0].dueDate")},
    {ID(6, "problems"), REGISTER(REF), LIST, SEVERITY(LOW), REFERS("problem|observation|treatment"),
     FORM(6), LABELS("Problèmes visés", "Problems"), FHIR("addresses[]")},
    {ID(7, "priority"), REGISTER(CONCEPT), SEVERITY(LOW), LABELS("Priorité", "Priority"),
     FHIR("priority")},
    {ID(8, "expressed_by"), REGISTER(REF), SEVERITY(LOW), REFERS("professional|patient|contact"),
     LABELS("Exprimé par", "Expressed by"), FHIR("expressedBy")},
    {ID(9, "notes"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(7),
     LABELS("Remarques", "Notes"), FHIR("note[].text")},
    {ID(10, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW),
     LABELS("Identifiants", "Identifiers"), FHIR("identifier[]")},
};

static const struct ml_entity goal = {
    .id = 13,
    .name = "goal",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_RCP,
    .data_class = 15,
    .severity = ML_SEVERITY_LOW,
    .in_timeline = false,
    .effective_field = "start",
    .title_field = "description",
    .say_fr = "[{status}][, {achievement}][, {start@depuis}][, échéance {due@le}]"
              "[, priorité {priority}][, pour : {problems}][ ; {notes}]",
    .label_fr = "Objectif de soins",
    .label_en = "Goal",
    .plural_fr = "Objectifs de soins",
    .fhir_type = "Goal",
    .fhir_patient = "subject",
    .fhir_author = "expressedBy",
    FIELDS(goal_fields),
};

static const struct ml_value_set_item plan_status_items[] = {
    {"active", "en cours", NULL, false},   {"draft", "projet", NULL, false},
    {"on-hold", "suspendu", NULL, false},  {"revoked", "abandonné", NULL, false},
    {"completed", "terminé", NULL, false}, {"entered-in-error", "saisi par erreur", NULL, false},
    {"unknown", "inconnu", NULL, false},
};
static const struct ml_value_set plan_status = {.name = "plan_status",
                                                .system_uri = "http://hl7.org/fhir/request-status",
                                                ITEMS(plan_status_items)};

static const struct ml_value_set_item plan_intent_items[] = {
    {"plan", "plan", NULL, false},
    {"order", "prescription", NULL, false},
    {"proposal", "proposition", NULL, false},
    {"option", "choix possible", NULL, false},
};
static const struct ml_value_set plan_intent = {.name = "plan_intent",
                                                .system_uri = "http://hl7.org/fhir/request-intent",
                                                ITEMS(plan_intent_items)};

static const struct ml_value_set_item activity_status_items[] = {
    {"not-started", "à faire", NULL, false},
    {"scheduled", "programmée", NULL, false},
    {"in-progress", "en cours", NULL, false},
    {"on-hold", "suspendue", NULL, false},
    {"completed", "faite", NULL, false},
    {"cancelled", "annulée", NULL, false},
    {"stopped", "interrompue", NULL, false},
    {"unknown", "inconnue", NULL, false},
    {"entered-in-error", "saisie par erreur", NULL, false},
};
static const struct ml_value_set activity_status = {
    .name = "activity_status",
    .system_uri = "http://hl7.org/fhir/care-plan-activity-status",
    ITEMS(activity_status_items)};

static const struct ml_value_set_item goal_status_items[] = {
    {"proposed", "proposé", NULL, false},
    {"planned", "prévu", NULL, false},
    {"accepted", "accepté", NULL, false},
    {"active", "en cours", NULL, false},
    {"on-hold", "suspendu", NULL, false},
    {"completed", "terminé", NULL, false},
    {"cancelled", "annulé", NULL, false},
    {"rejected", "refusé", NULL, false},
    {"entered-in-error", "saisi par erreur", NULL, false},
};
static const struct ml_value_set goal_status = {.name = "goal_status",
                                                .system_uri = "http://hl7.org/fhir/goal-status",
                                                ITEMS(goal_status_items)};

static const struct ml_value_set_item achievement_items[] = {
    {"in-progress", "en progrès", NULL, false},
    {"improving", "s'améliore", NULL, false},
    {"worsening", "s'aggrave", NULL, false},
    {"no-change", "sans changement", NULL, false},
    {"achieved", "atteint", NULL, false},
    {"sustaining", "maintenu", NULL, false},
    {"not-achieved", "non atteint", NULL, false},
    {"no-progress", "sans progrès", NULL, false},
    {"not-attainable", "hors d'atteinte", NULL, false},
};
static const struct ml_value_set goal_achievement = {
    .name = "goal_achievement",
    .system_uri = "http://terminology.hl7.org/CodeSystem/goal-achievement",
    .open = true,
    ITEMS(achievement_items)};

static const struct ml_entity *const entities[] = {&care_plan, &goal};
static const struct ml_value_set *const value_sets[] = {
    &plan_status, &plan_intent, &activity_status, &goal_status, &goal_achievement,
};
const struct ml_schema_block ml_schema_block_plan = {ENTITIES(entities), SETS(value_sets)};
