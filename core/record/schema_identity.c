/* core/record/schema_identity.c -- who the patient is, and whom to call (domain 4.1, 6).
 *
 * Each identity trait is a register of its own: two offices that correct it differently keep both
 * values until a person decides. The INS number and its OID only have a meaning together.
 */
#include "core/record/schema_blocks.h"

#define BIRTH_PLACE                                                                                \
    "extension[url=http://hl7.org/fhir/StructureDefinition/patient-birthPlace].valueAddress"
#define INSEE                                                                                      \
    "extension[url=https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code]"
#define IDENTITY_RELIABILITY                                                                       \
    "extension[url=https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability]"
#define POSITION                                                                                   \
    "address[0].extension[url=http://hl7.org/fhir/StructureDefinition/geolocation].extension"
/* INS-NIR, INS-NIA, and the test and demonstration series. */
#define INS_OIDS                                                                                   \
    "urn:oid:1.2.250.1.213.1.4.8|urn:oid:1.2.250.1.213.1.4.9|urn:oid:1.2.250.1.213.1.4.10|"        \
    "urn:oid:1.2.250.1.213.1.4.11"

static const struct ml_field patient_fields[] = {
    {ID(1, "birth_name"), REGISTER(TEXT), REQUIRED, SEVERITY(HIGH), SEARCH(NAME), FORM(1),
     LABELS("Nom de naissance", "Birth name"),
     HELP("Nom de famille de l'acte de naissance, sans abréviation."),
     FHIR("name[use=maiden].family | name[use=official].family | name[0].family")},
    {ID(2, "birth_given_names"), REGISTER(TEXT), LIST, REQUIRED, SEVERITY(HIGH), SEARCH(NAME),
     FORM(2), LABELS("Prénoms de naissance", "Birth given names"),
     HELP("Tous les prénoms de l'acte de naissance, dans l'ordre."),
     FHIR("name[use=maiden].given[] | name[use=official].given[] | name[0].given[]")},
    {ID(3, "first_birth_given_name"), REGISTER(TEXT), SEVERITY(HIGH), SEARCH(NAME), FORM(3),
     LABELS("Premier prénom de naissance", "First birth given name"),
     HELP("Un prénom composé s'écrit entier : « Anne-Marie », « Jean Pierre »."),
     FHIR("name[use=maiden].given[0] | name[use=official].given[0] | name[0].given[0]")},
    {ID(4, "used_name"), REGISTER(TEXT), SEVERITY(LOW), SEARCH(NAME), FORM(4),
     LABELS("Nom utilisé", "Used name"), HELP("Nom d'usage s'il diffère du nom de naissance."),
     FHIR("name[use=usual].family | name[use=official].family")},
    {ID(5, "used_given_name"), REGISTER(TEXT), SEVERITY(LOW), SEARCH(NAME), FORM(5),
     LABELS("Prénom utilisé", "Used given name"),
     FHIR("name[use=usual].given[0] | name[use=nickname].given[0]")},
    {ID(6, "sex"), REGISTER(CODE), REQUIRED, SEVERITY(HIGH), CODES("sex"), FORM(6),
     LABELS("Sexe", "Sex"), FHIR("gender")},
    {ID(7, "birth_date"), REGISTER(DATE), REQUIRED, SEVERITY(HIGH), SEARCH(BIRTH_DATE), FORM(7),
     LABELS("Date de naissance", "Birth date"),
     HELP("Peut être incomplète : « 1979 » ou « 03/1979 »."), FHIR("birthDate")},
    {ID(8, "birth_place"), REGISTER(CODE), SEVERITY(HIGH), CODES("insee_place"), FORM(8),
     LABELS("Lieu de naissance (code INSEE)", "Birth place (INSEE code)"),
     HELP("Commune, ou pays pour une naissance à l'étranger ; 99999 si inconnu."),
     FHIR(BIRTH_PLACE "." INSEE ".valueCoding")},
    {ID(9, "birth_place_address"), REGISTER(ADDRESS), SEVERITY(LOW),
     LABELS("Lieu de naissance (texte)", "Birth place (text)"), FHIR(BIRTH_PLACE)},
    {ID(10, "ins"), ATOMIC(TEXT, 10), SEVERITY(CRITICAL), SEARCH(IDENTIFIER), FORM(9),
     LABELS("Matricule INS", "INS number"),
     HELP("15 caractères, clé comprise. Ne référence des données que si l'identité est "
          "qualifiée."),
     FHIR("identifier[system=" INS_OIDS "].value")},
    {ID(11, "ins_oid"), ATOMIC(CODE, 10), SEVERITY(CRITICAL), CODES("ins_oid"), FORM(10),
     LABELS("Nature du matricule", "INS number's OID"),
     FHIR("identifier[system=" INS_OIDS "].system")},
    {ID(12, "identity_status"), REGISTER(CODE), SEVERITY(HIGH), CODES("identity_status"), FORM(11),
     LABELS("Statut de l'identité", "Identity status"),
     HELP("Provisoire, validée, récupérée ou qualifiée (RNIV)."),
     FHIR(IDENTITY_RELIABILITY ".extension[url=identityStatus].valueCoding")},
    {ID(13, "identity_comments"), REGISTER(CODE), LIST, SEVERITY(MEDIUM), CODES("identity_comment"),
     FORM(12), LABELS("Attributs de l'identité", "Identity attributes"),
     HELP("Homonyme, identité douteuse, fictive, doublon potentiel…")},
    {ID(14, "collection_method"), REGISTER(CODE), SEVERITY(LOW), CODES("identity_method"), FORM(13),
     LABELS("Mode de recueil de l'identité", "How the identity was collected")},
    {ID(15, "identity_document"), ATOMIC(CODE, 15), SEVERITY(MEDIUM), CODES("identity_document"),
     FORM(14), LABELS("Pièce d'identité vérifiée", "Identity paper checked"),
     FHIR(IDENTITY_RELIABILITY ".extension[url=validationMode].valueCoding")},
    {ID(16, "identity_checked_by"), ATOMIC(REF, 15), SEVERITY(MEDIUM), REFERS("professional"),
     FORM(15), LABELS("Vérifiée par", "Checked by")},
    {ID(17, "identity_checked_on"), ATOMIC(DATE, 15), SEVERITY(MEDIUM), FORM(16),
     LABELS("Vérifiée le", "Checked on"),
     FHIR(IDENTITY_RELIABILITY ".extension[url=validationDate].valueDate")},
    {ID(18, "deceased_at"), REGISTER(INSTANT), SEVERITY(CRITICAL), FORM(30),
     LABELS("Date de décès", "Date of death"), FHIR("deceasedDateTime")},
    {ID(19, "deceased"), REGISTER(BOOL), SEVERITY(CRITICAL), FORM(29), LABELS("Décédé", "Deceased"),
     FHIR("deceasedBoolean")},
    {ID(20, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW), SEARCH(IDENTIFIER),
     LABELS("Autres identifiants", "Other identifiers"),
     HELP("Numéros de dossier d'autres logiciels ou d'autres établissements."),
     FHIR("identifier[]")},
    {ID(21, "names"), REGISTER(NAME), LIST, SEVERITY(LOW), SEARCH(NAME),
     LABELS("Noms tels que reçus", "Names as received"), FHIR("name[]")},
    {ID(22, "addresses"), REGISTER(ADDRESS), LIST, SEVERITY(MEDIUM), FORM(17),
     LABELS("Adresses", "Addresses"), FHIR("address[]")},
    {ID(23, "telecoms"), REGISTER(CONTACT), LIST, SEVERITY(MEDIUM), SEARCH(IDENTIFIER), FORM(18),
     LABELS("Téléphones et courriels", "Phones and mail"), FHIR("telecom[]")},
    {ID(24, "access_notes"), REGISTER(TEXT), SEVERITY(MEDIUM), FORM(19),
     LABELS("Accès au domicile", "How to reach the home"),
     HELP("Digicode, étage, clé, chien : ce qu'il faut savoir devant la porte.")},
    {ID(25, "home_latitude"), ATOMIC(DECIMAL, 25), SEVERITY(LOW), UNIT("deg"),
     LABELS("Latitude du domicile", "Latitude of the home"),
     FHIR(POSITION "[url=latitude].valueDecimal")},
    {ID(26, "home_longitude"), ATOMIC(DECIMAL, 25), SEVERITY(LOW), UNIT("deg"),
     LABELS("Longitude du domicile", "Longitude of the home"),
     FHIR(POSITION "[url=longitude].valueDecimal")},
    {ID(27, "mssante"), REGISTER(TEXT), SEVERITY(LOW), FORM(20),
     LABELS("Messagerie Mon espace santé", "Patient's secure mailbox")},
    {ID(28, "languages"), REGISTER(CONCEPT), LIST, SEVERITY(LOW), CODES("language"), FORM(21),
     LABELS("Langues parlées", "Languages"), FHIR("communication[].language")},
    {ID(29, "needs_interpreter"), REGISTER(BOOL), SEVERITY(LOW), FORM(22),
     LABELS("Besoin d'un interprète", "Needs an interpreter"),
     FHIR("extension[url=http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired]"
          ".valueBoolean")},
    {ID(30, "marital_status"), REGISTER(CONCEPT), SEVERITY(LOW), CODES("marital_status"), FORM(23),
     LABELS("Situation familiale", "Marital status"), FHIR("maritalStatus")},
    {ID(31, "birth_order"), REGISTER(INT), SEVERITY(LOW), FORM(25),
     LABELS("Rang de naissance", "Birth order"),
     HELP("Jumeaux : 1 pour l'aîné. Évite de confondre deux dossiers proches."),
     FHIR("multipleBirthInteger")},
    {ID(32, "multiple_birth"), REGISTER(BOOL), SEVERITY(LOW), FORM(24),
     LABELS("Naissance multiple", "Multiple birth"), FHIR("multipleBirthBoolean")},
    {ID(33, "mother_birth_name"), REGISTER(TEXT), SEVERITY(LOW),
     LABELS("Nom de naissance de la mère", "Mother's birth name"),
     FHIR("extension[url=http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName]"
          ".valueString")},
    {ID(34, "birth_sex"), REGISTER(CODE), SEVERITY(LOW), CODES("birth_sex"),
     LABELS("Sexe à la naissance", "Sex at birth"),
     FHIR("extension[url=http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex]"
          ".valueCode")},
    {ID(35, "general_practitioner"), REGISTER(REF), SEVERITY(MEDIUM),
     REFERS("professional|organisation"), FORM(26),
     LABELS("Médecin traitant", "General practitioner"), FHIR("generalPractitioner[0]")},
    {ID(36, "managing_organisation"), REGISTER(REF), SEVERITY(LOW), REFERS("organisation"),
     LABELS("Structure d'origine", "Managing organisation"), FHIR("managingOrganization")},
    {ID(37, "active"), REGISTER(BOOL), SEVERITY(LOW), LABELS("Dossier actif", "Active"),
     FHIR("active")},
    {ID(38, "note"), REGISTER(TEXT), SEVERITY(LOW), FORM(28),
     LABELS("Remarque administrative", "Administrative remark")},
};

static const struct ml_fhir_drop patient_drops[] = {
    {"extension[url=http://hl7.org/fhir/us/core/StructureDefinition/us-core-race]*",
     "origine ethno-raciale : sa collecte est interdite en France (loi 78-17, art. 6)"},
    {"extension[url=http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity]*",
     "origine ethno-raciale : sa collecte est interdite en France (loi 78-17, art. 6)"},
    {"extension[url=http://synthetichealth.github.io/synthea/disability-adjusted-life-years]*",
     "résultat de la simulation qui a fabriqué le dossier, pas une donnée du patient"},
    {"extension[url=http://synthetichealth.github.io/synthea/quality-adjusted-life-years]*",
     "résultat de la simulation qui a fabriqué le dossier, pas une donnée du patient"},
};

static const struct ml_entity patient = {
    ID(1, "patient"),
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_ADMIN,
    .data_class = 1,
    SEVERITY(CRITICAL),
    .is_patient = true,
    .title_field = "birth_name",
    .title_fr = "{birth_name}[ {first_birth_given_name}]",
    .say_fr = "[{birth_date@le}][, {sex}][, INS {ins}][, {identity_status}]"
              "[, mort {deceased_at@le}][, {deceased?mort}][, parle {languages}]"
              "[, {needs_interpreter?besoin d'un interprète}]"
              "[, médecin traitant : {general_practitioner}][ ; {access_notes}]",
    LABELS("Patient", "Patient"),
    .plural_fr = "Patients",
    .fhir_type = "Patient",
    FIELDS(patient_fields),
    DROPS(patient_drops),
};

static const struct ml_field contact_fields[] = {
    {ID(1, "name"), REGISTER(TEXT), REQUIRED, SEVERITY(MEDIUM), SEARCH(TEXT), FORM(1),
     LABELS("Nom", "Name"), FHIR("name[0].text | name[0].family")},
    {ID(2, "relations"), REGISTER(CODE), LIST, SEVERITY(MEDIUM), CODES("relation"), FORM(2),
     LABELS("Lien avec le patient", "Relationship"), FHIR("relationship[].coding[]")},
    {ID(3, "kinds"), REGISTER(CODE), LIST, SEVERITY(HIGH), CODES("contact_kind"), FORM(3),
     LABELS("Qualité", "Kinds"),
     HELP("Personne à prévenir et personne de confiance sont deux choses différentes.")},
    {ID(4, "telecoms"), REGISTER(CONTACT), LIST, SEVERITY(MEDIUM), FORM(4),
     LABELS("Téléphones et courriels", "Phones and mail"), FHIR("telecom[]")},
    {ID(5, "addresses"), REGISTER(ADDRESS), LIST, SEVERITY(LOW), FORM(5),
     LABELS("Adresses", "Addresses"), FHIR("address[]")},
    {ID(6, "valid"), REGISTER(PERIOD), SEVERITY(LOW), FORM(6), LABELS("Valable", "Valid"),
     FHIR("period")},
    {ID(7, "proof"), REGISTER(REF), SEVERITY(LOW), REFERS("document"), FORM(7),
     LABELS("Justificatif", "Proof"),
     HELP("Désignation écrite de la personne de confiance, jugement de tutelle…")},
    {ID(8, "note"), REGISTER(TEXT), SEVERITY(LOW), FORM(8), LABELS("Remarque", "Remark")},
    {ID(9, "names"), REGISTER(NAME), LIST, SEVERITY(LOW),
     LABELS("Noms tels que reçus", "Names as received"), FHIR("name[]")},
    {ID(10, "identifiers"), REGISTER(IDENTIFIER), LIST, SEVERITY(LOW),
     LABELS("Identifiants", "Identifiers"), FHIR("identifier[]")},
    {ID(11, "active"), REGISTER(BOOL), SEVERITY(LOW), LABELS("Contact actif", "Active"),
     FHIR("active")},
};

static const struct ml_entity contact = {
    ID(16, "contact"),
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_ADMIN,
    .data_class = 1,
    SEVERITY(MEDIUM),
    .title_field = "name",
    .say_fr = "[{kinds}][, {relations}][, {telecoms}][, {addresses}][, {valid@le}][ ; {note}]",
    LABELS("Proche", "Contact"),
    .plural_fr = "Proches",
    .fhir_type = "RelatedPerson",
    .fhir_patient = "patient",
    FIELDS(contact_fields),
};

static const struct ml_value_set_item sex_items[] = {
    {"M", "masculin", "male|M", false},
    {"F", "féminin", "female|F", false},
    {"I", "indéterminé", "other|unknown|I", false},
};
static const struct ml_value_set sex = {
    .name = "sex", .system_uri = "urn:oid:1.2.250.1.213.1.1.5.1", ITEMS(sex_items)};

static const struct ml_value_set_item birth_sex_items[] = {
    {"M", "masculin", NULL, false},
    {"F", "féminin", NULL, false},
    {"UNK", "inconnu", "UNK|OTH", false},
};
static const struct ml_value_set birth_sex = {
    .name = "birth_sex",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender",
    ITEMS(birth_sex_items)};

static const struct ml_value_set_item insee_place_items[] = {
    {"99999", "lieu de naissance inconnu", NULL, false},
    {"99100", "France, commune inconnue", NULL, false},
};
static const struct ml_value_set insee_place = {
    .name = "insee_place",
    .system_uri = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM",
    .open = true,
    ITEMS(insee_place_items)};

static const struct ml_value_set_item ins_oid_items[] = {
    {"urn:oid:1.2.250.1.213.1.4.8", "INS-NIR", NULL, false},
    {"urn:oid:1.2.250.1.213.1.4.9", "INS-NIA (numéro d'attente)", NULL, false},
    {"urn:oid:1.2.250.1.213.1.4.10", "INS-NIR de test", NULL, false},
    {"urn:oid:1.2.250.1.213.1.4.11", "INS-NIR de démonstration", NULL, false},
};
static const struct ml_value_set ins_oid = {
    .name = "ins_oid", .system_uri = "urn:ietf:rfc:3986", ITEMS(ins_oid_items)};

static const struct ml_value_set_item identity_status_items[] = {
    {"PROV", "identité provisoire", NULL, false},
    {"VALI", "identité validée", NULL, false},
    {"RECUP", "identité récupérée", NULL, false},
    {"QUAL", "identité qualifiée", NULL, false},
};
static const struct ml_value_set identity_status = {
    .name = "identity_status",
    .system_uri = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445",
    ITEMS(identity_status_items)};

static const struct ml_value_set_item identity_comment_items[] = {
    {"HOMA", "homonyme avéré", NULL, false},
    {"HOMD", "homonyme détecté", NULL, false},
    {"DOUT", "identité douteuse", NULL, false},
    {"FICT", "identité fictive", NULL, false},
    {"DPOT", "doublon potentiel", NULL, false},
    {"DOUA", "doublon avéré", NULL, false},
    {"COLP", "collision potentielle", NULL, false},
    {"COLV", "collision avérée", NULL, false},
    {"USUR", "usurpation d'identité", NULL, false},
    {"CACH", "identité cachée", NULL, false},
    {"FILI", "filiation", NULL, false},
    {"ANOM", "anonyme", NULL, false},
    {"INVA", "identité invalidée", NULL, false},
};
static const struct ml_value_set identity_comment = {
    .name = "identity_comment",
    .system_uri = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445",
    ITEMS(identity_comment_items)};

static const struct ml_value_set_item identity_method_items[] = {
    {"SM", "saisie manuelle", NULL, false},    {"CV", "carte Vitale", NULL, false},
    {"INSI", "téléservice INSi", NULL, false}, {"CB", "code datamatrix INS", NULL, false},
    {"RFID", "puce RFID", NULL, false},        {"AV", "application carte Vitale", NULL, false},
};
static const struct ml_value_set identity_method = {
    .name = "identity_method",
    .system_uri = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-method-collection",
    ITEMS(identity_method_items)};

static const struct ml_value_set_item identity_document_items[] = {
    {"CN", "carte nationale d'identité", NULL, false},
    {"PA", "passeport", NULL, false},
    {"CS", "titre de séjour", NULL, false},
    {"LE", "livret de famille", NULL, false},
    {"AN", "extrait d'acte de naissance", NULL, false},
    {"CC", "carnet de circulation", NULL, false},
    {"IN", "identité numérique", NULL, false},
    {"CE", "carte européenne", NULL, false},
    {"AV", "application carte Vitale", NULL, false},
};
static const struct ml_value_set identity_document = {
    .name = "identity_document",
    .system_uri = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity",
    .open = true,
    ITEMS(identity_document_items)};

static const struct ml_value_set_item marital_items[] = {
    {"S", "célibataire", NULL, false},
    {"M", "marié(e)", NULL, false},
    {"T", "pacsé(e) ou en concubinage", NULL, false},
    {"D", "divorcé(e)", NULL, false},
    {"L", "séparé(e)", NULL, false},
    {"W", "veuf ou veuve", NULL, false},
    {"UNK", "inconnue", NULL, false},
};
static const struct ml_value_set marital_status = {
    .name = "marital_status",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    .open = true,
    ITEMS(marital_items)};

static const struct ml_value_set_item language_items[] = {
    {"fr-FR", "français", "fr-FR|fr", false},
    {"ar", "arabe", NULL, false},
    {"pt", "portugais", NULL, false},
    {"es", "espagnol", NULL, false},
    {"it", "italien", NULL, false},
    {"en", "anglais", "en|en-US|en-GB", false},
    {"tr", "turc", NULL, false},
    {"uk", "ukrainien", NULL, false},
    {"fsl", "langue des signes française", NULL, false},
};
static const struct ml_value_set language = {
    .name = "language", .system_uri = "urn:ietf:bcp:47", .open = true, ITEMS(language_items)};

static const struct ml_value_set_item relation_items[] = {
    {"MTH", "mère", NULL, false},
    {"FTH", "père", NULL, false},
    {"DAU", "fille", NULL, false},
    {"SON", "fils", NULL, false},
    {"SIS", "sœur", NULL, false},
    {"BRO", "frère", NULL, false},
    {"HUSB", "époux", NULL, false},
    {"WIFE", "épouse", NULL, false},
    {"DOMPART", "concubin(e), partenaire", NULL, false},
    {"NBOR", "voisin(e)", NULL, false},
    {"FRND", "ami(e)", NULL, false},
    {"TUTEUR", "tuteur, tutrice", NULL, false},
    {"CURATEUR", "curateur, curatrice", NULL, false},
    {"MSVG", "mandataire de sauvegarde", NULL, false},
};
static const struct ml_value_set relation = {
    .name = "relation",
    .system_uri = "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    .open = true,
    ITEMS(relation_items)};

static const struct ml_value_set_item contact_kind_items[] = {
    {"urgence", "personne à prévenir", NULL, false},
    {"confiance", "personne de confiance", NULL, false},
    {"representant", "représentant légal", NULL, false},
    {"aidant", "aidant", NULL, false},
    {"domicile", "détient une clé du domicile", NULL, false},
};
static const struct ml_value_set contact_kind = {
    .name = "contact_kind", .system_uri = "urn:maille:contact-kind", ITEMS(contact_kind_items)};

/* Not of care: it keeps a record from ending while somebody may have to prove something by it. */
static const struct ml_field hold_fields[] = {
    {ID(1, "reason"), REGISTER(TEXT), REQUIRED, SEVERITY(HIGH), FORM(1), LABELS("Motif", "Reason"),
     HELP("Contentieux, plainte, expertise, demande du patient : ce qui interdit de détruire.")},
    {ID(2, "released"), REGISTER(TEXT), SEVERITY(HIGH), FORM(2),
     LABELS("Levée : motif", "Released because")},
};

static const struct ml_entity hold = {
    ID(22, "retention_hold"),
    .merge = ML_MERGE_SET,
    .compartment = ML_COMPARTMENT_ADMIN,
    .data_class = 1,
    SEVERITY(HIGH),
    .title_field = "reason",
    .say_fr = "[levé : {released}]",
    LABELS("Gel de la conservation", "Retention hold"),
    .plural_fr = "Gels de la conservation",
    FIELDS(hold_fields),
};

static const struct ml_entity *const entities[] = {&patient, &contact, &hold};
static const struct ml_value_set *const value_sets[] = {
    &sex,
    &birth_sex,
    &insee_place,
    &ins_oid,
    &identity_status,
    &identity_comment,
    &identity_method,
    &identity_document,
    &marital_status,
    &language,
    &relation,
    &contact_kind,
};
const struct ml_schema_block ml_schema_block_identity = {ENTITIES(entities), SETS(value_sets)};
