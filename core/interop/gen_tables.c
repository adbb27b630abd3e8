/* core/interop/gen_tables.c -- what the invented patients suffer from, take, and are done.
 *
 * Plausible for a demonstration, never to be read as a guide: doses are usual ones, texts are those
 * of any practice. Codes: CIM-10, CISP-2, ATC, EDQM.
 */
#include <string.h>

#include "core/interop/gen_internal.h"

#define ORAL   "20053000"
#define SC     "20066000"
#define INHALE "20020000"

/* The numbers of the rows are used below. */
static const struct gen_drug drugs[] = {
    /* 0 */ {"C08CA01", "amlodipine 5 mg", "1", "{comprimé}", ORAL, "MORN", 1,
             "1 comprimé le matin"},
    /* 1 */ {"C09AA05", "ramipril 5 mg", "1", "{gélule}", ORAL, "MORN", 1, "1 gélule le matin"},
    /* 2 */
    {"A10BA02", "metformine 1000 mg", "1", "{comprimé}", ORAL, "MORN|EVE", 2,
     "1 comprimé matin et soir au milieu du repas"},
    /* 3 */
    {"A10BB09", "gliclazide 60 mg LM", "1", "{comprimé}", ORAL, "MORN", 1,
     "1 comprimé au petit-déjeuner"},
    /* 4 */
    {"C10AA05", "atorvastatine 20 mg", "1", "{comprimé}", ORAL, "EVE", 1, "1 comprimé le soir"},
    /* 5 */
    {"B01AF02", "apixaban 5 mg", "1", "{comprimé}", ORAL, "MORN|EVE", 2,
     "1 comprimé matin et soir"},
    /* 6 */
    {"C07AB07", "bisoprolol 2,5 mg", "1", "{comprimé}", ORAL, "MORN", 1, "1 comprimé le matin"},
    /* 7 */
    {"C03CA01", "furosémide 40 mg", "1", "{comprimé}", ORAL, "MORN", 1,
     "1 comprimé le matin, surveiller le poids"},
    /* 8 */
    {"R03AC02", "salbutamol 100 µg", "2", "{bouffée}", INHALE, "", 1,
     "2 bouffées si gêne respiratoire, à renouveler une fois"},
    /* 9 */
    {"R03BB04", "tiotropium 18 µg", "1", "{inhalation}", INHALE, "MORN", 1,
     "1 inhalation le matin"},
    /* 10 */
    {"H03AA01", "lévothyroxine 75 µg", "1", "{comprimé}", ORAL, "WAKE", 1,
     "1 comprimé à jeun, 30 minutes avant le petit-déjeuner"},
    /* 11 */
    {"N02BE01", "paracétamol 1 g", "1", "{comprimé}", ORAL, "MORN|NOON|EVE", 3,
     "1 comprimé matin, midi et soir si douleur, 4 heures entre deux prises"},
    /* 12 */ {"N06AB06", "sertraline 50 mg", "1", "{gélule}", ORAL, "MORN", 1, "1 gélule le matin"},
    /* 13 */
    {"A11CC05", "colécalciférol 80 000 UI", "1", "{ampoule}", ORAL, "", 1,
     "1 ampoule tous les deux mois"},
    /* 14 */
    {"N04BA02", "lévodopa/bensérazide 100/25 mg", "1", "{gélule}", ORAL, "MORN|NOON|EVE", 3,
     "1 gélule à 8 h, 12 h et 18 h, à heures fixes"},
    /* 15 */
    {"N06DA02", "donépézil 10 mg", "1", "{comprimé}", ORAL, "HS", 1, "1 comprimé au coucher"},
    /* 16 */
    {"G04CA02", "tamsulosine LP 0,4 mg", "1", "{gélule}", ORAL, "EVE", 1,
     "1 gélule après le dîner"},
    /* 17 */
    {"A02BC01", "oméprazole 20 mg", "1", "{gélule}", ORAL, "MORN", 1,
     "1 gélule le matin avant le repas"},
    /* 18 */
    {"A10AE04", "insuline glargine 100 U/mL", "22", "[IU]", SC, "HS", 1,
     "22 unités au coucher, adapter à la glycémie du matin"},
    /* 19 */
    {"J01CA04", "amoxicilline 1 g", "1", "{comprimé}", ORAL, "MORN|EVE", 2,
     "1 comprimé matin et soir pendant 6 jours"},
    /* 20 */
    {"J01XX01", "fosfomycine 3 g", "1", "{sachet}", ORAL, "EVE", 1,
     "1 sachet en une prise, à distance du repas"},
    /* 21 */
    {"R06AE07", "cétirizine 10 mg", "1", "{comprimé}", ORAL, "EVE", 1,
     "1 comprimé le soir pendant 10 jours"},
    /* 22 */
    {"M01AE01", "ibuprofène 400 mg", "1", "{comprimé}", ORAL, "MORN|NOON|EVE", 3,
     "1 comprimé par prise au milieu du repas, 5 jours au plus"},
    /* 23 */
    {"A07DA03", "lopéramide 2 mg", "1", "{gélule}", ORAL, "", 1,
     "2 gélules d'abord, puis 1 après chaque selle liquide, 8 par jour au plus"},
    /* 24 */
    {"N05CF01", "zopiclone 3,75 mg", "1", "{comprimé}", ORAL, "HS", 1,
     "1 comprimé au coucher, pendant 2 semaines au plus"},
};

const struct gen_condition ml_gen_conditions[GEN_CONDITIONS] = {
    {"I10",
     45,
     42,
     0,
     {0, 1},
     false,
     "Pression artérielle à l'équilibre sous traitement bien toléré."},
    {"E11", 45, 15, 0, {2, 3}, true, "Diabète : pas d'hypoglycémie, examen des pieds normal."},
    {"E78", 45, 26, 0, {4, -1}, false, "Bilan lipidique demandé, pas de douleur musculaire."},
    {"I48", 68, 12, 0, {5, 6}, false, "Pas de palpitation ni de saignement sous anticoagulant."},
    {"I50", 70, 9, 0, {7, 1}, true, "Pas d'œdème ni d'orthopnée, poids stable."},
    {"J45", 5, 8, 0, {8, -1}, false, "Asthme contrôlé, moins de deux recours par semaine."},
    {"J44", 55, 7, 0, {9, 8}, false, "Dyspnée stable, pas d'exacerbation depuis trois mois."},
    {"E03", 35, 7, 0, {10, -1}, false, "Pas de signe de dysthyroïdie, TSH à contrôler."},
    {"M17", 60, 20, 0, {11, -1}, false, "Gonalgies à la marche, périmètre conservé."},
    {"F32", 25, 8, 0, {12, -1}, false, "Humeur meilleure, sommeil retrouvé, pas d'idée noire."},
    {"M81", 65, 14, 2, {13, -1}, false, "Pas de chute depuis la dernière fois."},
    {"G20", 70, 2, 0, {14, -1}, true, "Fluctuations en fin de dose, marche à petits pas."},
    {"G30", 78, 6, 0, {15, -1}, true, "Aidant épuisé, troubles du comportement le soir."},
    {"N40", 60, 16, 1, {16, -1}, false, "Deux levers la nuit, pas de brûlure."},
    {"K21", 40, 10, 0, {17, -1}, false, "Pyrosis calmé par le traitement."},
    {"L97", 75, 4, 0, {-1, -1}, false, "Ulcère de jambe en voie de bourgeonnement."},
    {"N18", 70, 9, 0, {-1, -1}, false, "Fonction rénale stable, pas d'anti-inflammatoire."},
    {"F17",
     18,
     20,
     0,
     {-1, -1},
     false,
     "Souhaite réduire : conseil minimal fait, substituts proposés."},
    {"E66", 30, 13, 0, {-1, -1}, false, "Objectifs alimentaires revus avec la diététicienne."},
    {"G43", 18, 8, 0, {22, -1}, false, "Deux crises par mois, agenda tenu."},
};

const struct gen_drug *ml_gen_drug(int number)
{
    return number < 0 ? NULL : &drugs[number];
}

static const struct gen_complaint complaints[] = {
    {"R05", "J20", "Toux grasse depuis cinq jours, pas de fièvre.",
     "Auscultation : quelques ronchi, SpO2 normale.", "Bronchite aiguë d'allure virale.",
     "Pas d'antibiotique. Reconsulter si fièvre ou essoufflement.", -1},
    {"R21", "J06", "Mal de gorge et fièvre depuis deux jours.",
     "Angine érythémateuse, adénopathies sous-maxillaires. TDR négatif.", "Angine virale.",
     "Antalgiques, hydratation.", 11},
    {"U01", "N39", "Brûlures mictionnelles depuis hier, pas de fièvre.",
     "Fosses lombaires libres. Bandelette : leucocytes et nitrites.", "Cystite aiguë simple.",
     "Antibiothérapie monodose, boire abondamment.", 20},
    {"H01", "H66", "Otalgie gauche depuis la nuit.", "Tympan gauche congestif et bombé.",
     "Otite moyenne aiguë.", "Antibiotique six jours, contrôle si fièvre à 48 heures.", 19},
    {"L03", "M54", "Lombalgie basse après un effort de jardinage.",
     "Contracture paravertébrale, Lasègue négatif, pas de déficit.", "Lombalgie commune.",
     "Rester actif, antalgiques, kinésithérapie si persistance à quatre semaines.", 22},
    {"D11", "A09", "Diarrhée et vomissements depuis la veille, entourage malade.",
     "Abdomen souple, pas de signe de déshydratation.", "Gastro-entérite aiguë.",
     "Réhydratation, régime, surveillance du poids chez le sujet fragile.", 23},
    {"P06", NULL, "Endormissement difficile depuis un deuil.", "Pas de ralentissement.",
     "Insomnie réactionnelle.", "Règles du sommeil ; traitement court, réévaluation à 15 jours.",
     24},
    {"A04", NULL, "Fatigue depuis un mois.", "Examen normal, poids stable.", "Asthénie à explorer.",
     "Bilan : NFS, TSH, ferritine, glycémie.", -1},
    {"N01", NULL, "Céphalées en casque le soir.", "Examen neurologique normal.",
     "Céphalées de tension.", "Hygiène de vie, paracétamol si besoin.", 11},
    {"L15", NULL, "Douleur du genou droit à la descente des escaliers.",
     "Genou sec, mobilité complète.", "Syndrome fémoro-patellaire.", "Kinésithérapie, dix séances.",
     -1},
    {"P01", NULL, "Anxiété liée au travail, ruminations.", "Contact bon, pas d'idée noire.",
     "Trouble de l'adaptation.", "Arrêt de travail cinq jours, psychologue proposé.", -1},
    {"R21", "J06", "Rhinite et éternuements au printemps.", "Muqueuse nasale pâle.",
     "Rhinite allergique.", "Antihistaminique, lavages de nez.", 21},
};

const struct gen_complaint *ml_gen_complaint(struct gen_rng *rng, int age)
{
    uint32_t count = sizeof(complaints) / sizeof(complaints[0]);
    const struct gen_complaint *c = &complaints[gen_below(rng, count)];
    /* The ages that a dose for adults doesn't fit. */
    return age < 15 ? &complaints[gen_below(rng, 2)] : c;
}

static const struct gen_session nurse[] = {
    {"Injection d'insuline", "Glycémie faite avant le repas.",
     "Insuline faite selon le protocole, rotation des sites.", "Pas de malaise."},
    {"Pansement d'ulcère de jambe", "Fond rouge, peu d'exsudat, berges souples.",
     "Nettoyage, hydrocellulaire, contention reposée.", "Douleur supportable pendant le soin."},
    {"Préparation du pilulier", "Semaine préparée, une boîte à renouveler.",
     "Pilulier vérifié avec la patiente, prises de la semaine passées en revue.",
     "Aucune prise oubliée."},
    {"Aide à la toilette", "Peau saine, talons surveillés.",
     "Toilette complète, effleurage, changement de protection.",
     "Levée avec aide, installée au fauteuil."},
    {"Surveillance de l'insuffisance cardiaque", "Œdèmes discrets des chevilles.",
     "Poids noté, conseils sur le sel repris.", "Pas d'essoufflement au repos."},
    {"Prise de sang à domicile", "À jeun depuis la veille.",
     "Prélèvement au pli du coude, tubes étiquetés devant le patient.", "Envoyé avant 9 heures."},
    {"Bas de contention", "Jambes lourdes le soir.", "Bas posés avant le lever.", "Bien tolérés."},
    {"Surveillance après sortie d'hôpital", "Cicatrice propre et sèche.",
     "Pansement sec, ordonnance de sortie relue.", "Rendez-vous de contrôle rappelé."},
};

static const struct gen_session physio[] = {
    {"Rééducation du genou", "Flexion 110°, extension complète.",
     "Mobilisations, renforcement du quadriceps, vélo.", "Douleur à 2 sur 10 en fin de séance."},
    {"Prévention des chutes", "Appui unipodal trois secondes.",
     "Équilibre, relevé du sol, marche dans l'escalier.", "Progrès, canne gardée dehors."},
    {"Kinésithérapie respiratoire", "Encombrement modéré.", "Désencombrement, spirométrie.",
     "Toux efficace."},
    {"Lombalgie", "Raideur matinale.", "Étirements, gainage, école du dos.",
     "Reprise de la marche quotidienne."},
};

static const struct gen_session others[] = {
    {"Bilan orthophonique", "Manque du mot en spontané.", "Dénomination, fluences.",
     "Séances deux fois par semaine."},
    {"Soin de pédicurie", "Hyperkératose plantaire, pouls perçus.", "Soin et semelles vérifiées.",
     "Revoir dans deux mois."},
    {"Entretien pharmaceutique", "Observance bonne, une interrogation sur les génériques.",
     "Plan de prise remis.", "Compris et redit par le patient."},
    {"Suivi diététique", "Relevé alimentaire apporté.",
     "Objectifs revus : légumes, fractionnement.", "Moins un kilo en un mois."},
};

const struct gen_session *ml_gen_session(struct gen_rng *rng, const char *profession)
{
    if (strcmp(profession, "60") == 0) {
        return &nurse[gen_below(rng, sizeof(nurse) / sizeof(nurse[0]))];
    }
    if (strcmp(profession, "70") == 0) {
        return &physio[gen_below(rng, sizeof(physio) / sizeof(physio[0]))];
    }
    return &others[gen_below(rng, sizeof(others) / sizeof(others[0]))];
}
