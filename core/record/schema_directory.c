/* core/record/schema_directory.c -- who works here and elsewhere: professionals, organisations.
 *
 * These are no patient's: they live in the structure's own stream, which all members read. A
 * professional here is a card of the directory; members and their rights are governance's.
 */
#include "core/record/schema_blocks.h"

#define RPPS   "urn:oid:1.2.250.1.71.4.2.1|https://rpps.esante.gouv.fr"
#define FINESS "urn:oid:1.2.250.1.71.4.2.2|https://finess.esante.gouv.fr"
#define SIRET  "https://sirene.fr|urn:oid:1.2.250.1.71.4.2.2.1"

static const struct ml_field professional_fields[] = {
    {ID(1, "family_name"), REGISTER(TEXT), REQUIRED, SEVERITY(LOW), SEARCH(TEXT), FORM(1),
     LABELS("Nom d'exercice", "Family name"), FHIR("name[0].family")},
    {ID(2, "given_names"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT), FORM(2),
     LABELS("Prénom d'exercice", "Given names"), FHIR("name[0].given[]")},
    {ID(3, "titles"), REGISTER(TEXT), LIST, SEVERITY(LOW), FORM(3), LABELS("Civilité", "Titles"),
     FHIR("name[0].prefix[]")},
    {ID(4, "rpps"), REGISTER(TEXT), SEVERITY(MEDIUM), SEARCH(IDENTIFIER), FORM(4),
     LABELS("Numéro RPPS", "RPPS number"), HELP("Onze chiffres."),
     FHIR("identifier[system=" RPPS "].value")},
    {ID(5, "profession"), REGISTER(CODE), SEVERITY(LOW), CODES("profession"), FORM(5),
     LABELS("Profession", "Profession"), FHIR("qualification[0].code.coding[0]")},
    {ID(6, "specialties"), REGISTER(CONCEPT), LIST, SEVERITY(LOW), FORM(6),
     LABELS("Savoir-faire", "Specialties"), FHIR("qualification[].code")},
    {ID(7, "exercise_mode"), REGISTER(CODE), SEVERITY(LOW), CODES("exercise_mode"), FORM(7),
     LABELS("Mode d'exercice", "Mode of practice")},
    {ID(8, "organisations"), REGISTER(REF), LIST, SEVERITY(LOW), REFERS("organisation"), FORM(8),
     LABELS("Lieux d'exercice", "Organisations")},
    {ID(9, "telecoms"), REGISTER(CONTACT), LIST, SEVERITY(LOW), FORM(9),
     LABELS("Téléphones et courriels", "Phones and mail"), FHIR("telecom[]")},
    {ID(10, "mssante"), REGISTER(TEXT), LIST, SEVERITY(LOW), FORM(10),
     LABELS("Boîtes MSSanté", "Secure mailboxes")},
    {ID(11, "addresses"), REGISTER(ADDRESS), LIST, SEVERITY(LOW), FORM(11),
     LABELS("Adresses", "Addresses"), FHIR("address[]")},
    {ID(12, "sex"), REGISTER(CODE), SEVERITY(LOW), CODES("sex"), LABELS("Sexe", "Sex"),
     FHIR("gender")},
    {ID(13, "active"), REGISTER(BOOL), SEVERITY(LOW), LABELS("En exercice", "Active"),
     FHIR("active")},
    {ID(14, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW), SEARCH(IDENTIFIER),
     LABELS("Autres identifiants", "Other identifiers"), FHIR("identifier[]")},
    {ID(15, "names"), REGISTER(NAME), LIST, SEVERITY(LOW),
     LABELS("Noms tels que reçus", "Names as received"), FHIR("name[]")},
    {ID(16, "note"), REGISTER(TEXT), SEVERITY(LOW), FORM(12), LABELS("Remarque", "Remark")},
};

static const struct ml_entity professional = {
    .id = 2,
    .name = "professional",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_ANNUAIRE,
    .data_class = 21,
    .severity = ML_SEVERITY_LOW,
    .is_shared = true,
    .title_field = "family_name",
    .title_fr = "[{titles} ][{given_names} ]{family_name}",
    .say_fr = "[{profession}][, {specialties}][, {exercise_mode}][, RPPS {rpps}]"
              "[, {organisations}][, {telecoms}][, {mssante}][ ; {note}]",
    .label_fr = "Professionnel",
    .label_en = "Professional",
    .plural_fr = "Professionnels",
    .fhir_type = "Practitioner",
    FIELDS(professional_fields),
};

static const struct ml_field organisation_fields[] = {
    {ID(1, "name"), REGISTER(TEXT), REQUIRED, SEVERITY(LOW), SEARCH(TEXT), FORM(1),
     LABELS("Nom", "Name"), FHIR("name")},
    {ID(2, "types"), REGISTER(CONCEPT), LIST, SEVERITY(LOW), CODES("organisation_type"), FORM(2),
     LABELS("Nature", "Types"), FHIR("type[]")},
    {ID(3, "finess"), REGISTER(TEXT), SEVERITY(LOW), SEARCH(IDENTIFIER), FORM(3),
     LABELS("Numéro FINESS", "FINESS number"), FHIR("identifier[system=" FINESS "].value")},
    {ID(4, "siret"), REGISTER(TEXT), SEVERITY(LOW), SEARCH(IDENTIFIER), FORM(4),
     LABELS("Numéro SIRET", "SIRET number"), FHIR("identifier[system=" SIRET "].value")},
    {ID(5, "telecoms"), REGISTER(CONTACT), LIST, SEVERITY(LOW), FORM(5),
     LABELS("Téléphones et courriels", "Phones and mail"), FHIR("telecom[]")},
    {ID(6, "addresses"), REGISTER(ADDRESS), LIST, SEVERITY(LOW), FORM(6),
     LABELS("Adresses", "Addresses"), FHIR("address[]")},
    {ID(7, "mssante"), REGISTER(TEXT), LIST, SEVERITY(LOW), FORM(7),
     LABELS("Boîtes MSSanté", "Secure mailboxes")},
    {ID(8, "part_of"), REGISTER(REF), SEVERITY(LOW), REFERS("organisation"), FORM(8),
     LABELS("Rattachée à", "Part of"), FHIR("partOf")},
    {ID(9, "active"), REGISTER(BOOL), SEVERITY(LOW), LABELS("En activité", "Active"),
     FHIR("active")},
    {ID(10, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW), SEARCH(IDENTIFIER),
     LABELS("Autres identifiants", "Other identifiers"), FHIR("identifier[]")},
    {ID(11, "aliases"), REGISTER(TEXT), LIST, SEVERITY(LOW), SEARCH(TEXT),
     LABELS("Autres noms", "Aliases"), FHIR("alias[]")},
    {ID(12, "note"), REGISTER(TEXT), SEVERITY(LOW), FORM(9), LABELS("Remarque", "Remark")},
};

static const struct ml_entity organisation = {
    .id = 3,
    .name = "organisation",
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_ANNUAIRE,
    .data_class = 21,
    .severity = ML_SEVERITY_LOW,
    .is_shared = true,
    .title_field = "name",
    .say_fr = "[{types}][, {addresses}][, {telecoms}][, {mssante}][, FINESS {finess}]"
              "[, SIRET {siret}][, rattachée à {part_of}][ ; {note}]",
    .label_fr = "Structure",
    .label_en = "Organisation",
    .plural_fr = "Structures",
    .fhir_type = "Organization",
    FIELDS(organisation_fields),
};

/* TRE_G15, and the roles of people who are no health professionals. */
static const struct ml_value_set_item profession_items[] = {
    {"10", "médecin", NULL, false},
    {"21", "pharmacien", NULL, false},
    {"26", "audioprothésiste", NULL, false},
    {"28", "opticien-lunetier", NULL, false},
    {"40", "chirurgien-dentiste", NULL, false},
    {"50", "sage-femme", NULL, false},
    {"60", "infirmier", NULL, false},
    {"69", "infirmier psychiatrique", NULL, false},
    {"70", "masseur-kinésithérapeute", NULL, false},
    {"80", "pédicure-podologue", NULL, false},
    {"86", "technicien de laboratoire médical", NULL, false},
    {"91", "orthophoniste", NULL, false},
    {"92", "orthoptiste", NULL, false},
    {"93", "psychologue", NULL, false},
    {"94", "ergothérapeute", NULL, false},
    {"95", "diététicien", NULL, false},
    {"96", "psychomotricien", NULL, false},
    {"98", "manipulateur en électroradiologie", NULL, false},
    {"41", "assistant de service social", NULL, false},
    {"313", "aide-soignant", NULL, false},
    {"317", "préparateur en pharmacie", NULL, false},
    {"330", "coordonnateur de parcours", NULL, false},
    {"331", "secrétaire médical", NULL, false},
    {"332", "assistant médical", NULL, false},
    {"353", "membre de l'équipe de soins", NULL, false},
};
static const struct ml_value_set profession = {
    .name = "profession",
    .system_uri =
        "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
    .open = true,
    ITEMS(profession_items)};

static const struct ml_value_set_item exercise_items[] = {
    {"L", "libéral", NULL, false},
    {"S", "salarié", NULL, false},
    {"B", "bénévole", NULL, false},
    {"remplacant", "remplaçant", NULL, false},
    {"etudiant", "étudiant ou interne", NULL, false},
};
static const struct ml_value_set exercise_mode = {
    .name = "exercise_mode",
    .system_uri = "https://mos.esante.gouv.fr/NOS/TRE_R23-ModeExercice/FHIR/TRE-R23-ModeExercice",
    .open = true,
    ITEMS(exercise_items)};

static const struct ml_value_set_item organisation_items[] = {
    {"SA52", "maison ou pôle de santé", NULL, false},
    {"SA05", "centre de santé", NULL, false},
    {"SA07", "cabinet individuel", NULL, false},
    {"SA08", "cabinet de groupe", NULL, false},
    {"SA01", "établissement public de santé", NULL, false},
    {"SA25", "laboratoire de biologie médicale", NULL, false},
    {"SA33", "pharmacie d'officine", NULL, false},
    {"prov", "établissement de soins", NULL, false},
};
static const struct ml_value_set organisation_type = {
    .name = "organisation_type",
    .system_uri =
        "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite",
    .open = true,
    ITEMS(organisation_items)};

static const struct ml_entity *const entities[] = {&professional, &organisation};
static const struct ml_value_set *const value_sets[] = {&profession, &exercise_mode,
                                                        &organisation_type};
const struct ml_schema_block ml_schema_block_directory = {ENTITIES(entities), SETS(value_sets)};
