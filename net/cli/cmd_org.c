/* net/cli/cmd_org.c -- the structure, its members, who is unlocked. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cli/sheets.h"
#include "net/cli/tables.h"

/* Professions by the numbers of TRE_G15, which the record keeps; then the matrix's other roles
 * (docs/habilitation.md). */
static const struct {
    int number;
    const char *name;
    const char *label;
} professions[] = {
    {10, "medecin", "médecin"},
    {21, "pharmacien", "pharmacien"},
    {40, "dentiste", "chirurgien-dentiste"},
    {50, "sage-femme", "sage-femme"},
    {60, "infirmier", "infirmier"},
    {70, "kine", "masseur-kinésithérapeute"},
    {80, "podologue", "pédicure-podologue"},
    {91, "orthophoniste", "orthophoniste"},
    {92, "orthoptiste", "orthoptiste"},
    {93, "psychologue", "psychologue"},
    {94, "ergotherapeute", "ergothérapeute"},
    {95, "dieteticien", "diététicien"},
    {96, "psychomotricien", "psychomotricien"},
    {41, "assistant-social", "assistant social"},
    {330, "coordonnateur", "coordonnateur"},
    {331, "secretaire", "secrétaire"},
    {332, "assistant-medical", "assistant médical"},
    {901, "specialiste", "médecin spécialiste"},
    {902, "ipa", "infirmier en pratique avancée"},
    {903, "etudiant", "étudiant"},
    {904, "administrateur", "administrateur"},
    {905, "dpo", "délégué à la protection des données"},
};
enum { PROFESSIONS = sizeof(professions) / sizeof(professions[0]) };

static const char *profession_label(int64_t number, char *buf, size_t size)
{
    for (size_t i = 0; i < PROFESSIONS; i++) {
        if (professions[i].number == number) {
            return professions[i].label;
        }
    }
    snprintf(buf, size, "profession %lld", (long long)number);
    return buf;
}

bool cli_param_role(struct cli *c, struct ml_args *params, const char *value)
{
    if (value == NULL || isdigit((unsigned char)value[0])) {
        return cli_param_number(c, params, "role", value);
    }
    for (size_t i = 0; i < PROFESSIONS; i++) {
        if (strcmp(professions[i].name, value) == 0) {
            ml_args_key(params, "role");
            ml_args_int(params, professions[i].number);
            return true;
        }
    }
    cli_usage(c,
              "profession inconnue : %s (medecin, infirmier, sage-femme, kine, secretaire... ou "
              "son numéro, TRE_G15 ou celui de la matrice)",
              value);
    return false;
}

static bool param_passphrase(struct cli *c, struct ml_args *params, const char *prompt, bool twice)
{
    char *passphrase = cli_passphrase(c, prompt, twice);
    if (passphrase == NULL) {
        return false;
    }
    cli_param(params, "passphrase", passphrase);
    cli_passphrase_free(passphrase);
    return true;
}

/* --- org --- */

static void show_whole(const struct ml_value *v)
{
    printf("LA FEUILLE DE LA STRUCTURE, en une seule. Dans un coffre, sous enveloppe scellée. Elle "
           "ne rouvre\naucun accès ; qui l'a peut tout dans la structure.\n\n  %s\n",
           cli_text(v, "structure_words"));
}

static void show_shares(const struct cli *c, const struct ml_value *v)
{
    const struct ml_value *list = ml_value_get(v, "shares");
    const int64_t need = ml_value_int(ml_value_get(ml_value_at(list, 0), "need"), 0);
    printf(
        "LES %zu FEUILLES DE LA STRUCTURE, chacune chez quelqu'un d'autre, sous enveloppe "
        "scellée.\n"
        "%lld d'entre elles refont ensemble la clé qui remplace un coordinateur, rouvre les clés "
        "d'un\ngroupe et lit les traces ; moins ne disent rien. Elles ne rouvrent aucun accès.\n\n",
        ml_value_count(list), (long long)need);
    cli_show_sheets(c, v);
    printf("\nAvant de vous en séparer, vérifiez-en %lld : maille org recover\n", (long long)need);
}

static void show_garants(const struct ml_value *v)
{
    const struct ml_value *g = ml_value_at(ml_value_get(v, "garants"), 0);
    if (g == NULL) {
        return;
    }
    puts("Garants : ils signent à côté d'un autre, et rien d'autre. Un poste pour chacun :");
    for (; g != NULL; g = ml_value_next(g)) {
        printf("  %s : maille enrol --member %s\n", cli_text(g, "name"), cli_text(g, "member"));
    }
    puts("");
}

static void show_found(const struct cli *c, const struct ml_value *v)
{
    printf("La structure est fondée.\n\n  structure  %s\n  membre     %s\n  poste      %s\n\n",
           cli_text(v, "org"), cli_text(v, "member"), cli_text(v, "node"));
    printf("Des feuilles à écrire à la main ou à imprimer, montrées cette seule fois.\n\n"
           "VOTRE FEUILLE - vos mots de secours, à vous seul. Chez vous, hors du cabinet. Ils "
           "rouvrent\n"
           "votre accès sur ce poste si votre phrase de passe est perdue (maille unlock "
           "--recovery).\n\n"
           "  %s\n\n",
           cli_text(v, "member_words"));
    show_garants(v);
    cli_wait_for_sheet();
    if (cli_option_value(c, "one-sheet") != NULL) {
        show_whole(v);
    } else {
        show_shares(c, v);
    }
}

static void param_garants(struct cli *c, struct ml_args *params)
{
    if (c->repeated_count == 0) {
        return;
    }
    ml_args_key(params, "garants");
    ml_args_list(params);
    for (size_t i = 0; i < c->repeated_count; i++) {
        ml_args_text(params, c->repeated[i]);
    }
    ml_args_end(params);
}

static int org_found(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    const char *name = cli_option_value(c, "name");
    const char *member = cli_option_value(c, "member-name");
    if (name == NULL || member == NULL) {
        ml_args_free(params);
        return cli_usage(c, "il faut --name et --member-name");
    }
    cli_param(params, "name", name);
    cli_param(params, "member_name", member);
    cli_param(params, "rpps", cli_option_value(c, "rpps"));
    cli_param(params, "team", cli_option_value(c, "team"));
    cli_param(params, "node_name", cli_option_value(c, "node-name"));
    if (cli_option_value(c, "no-matrix") == NULL) {
        cli_param(params, "matrix", "default");
    }
    ml_args_key(params, "alone");
    ml_args_bool(params, cli_option_value(c, "alone") != NULL);
    param_garants(c, params);
    if (!cli_param_role(c, params, cli_option_value(c, "profession")) ||
        !cli_param_plan(c, params, cli_option_value(c, "shares"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    if (!param_passphrase(c, params, "Phrase de passe (au moins 12 signes) : ", true)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "org.found", params, show_found);
}

static void show_orgs(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {{"org", "STRUCTURE"},
                                                {"name", "NOM"},
                                                {"open", "OUVERTE"},
                                                {"unlocked", "DÉVERROUILLÉE"},
                                                {NULL, NULL}};
    (void)c;
    cli_print_table(ml_value_get(v, "orgs"), columns);
}

static int org_list(struct cli *c)
{
    return cli_run_call(c, "org.list", cli_params(c), show_orgs);
}

/* --- node --- */

/* A copy of this store lives, or lived, elsewhere: never in silence. */
static void show_copies(const struct ml_value *org)
{
    enum { ID_MAX = 64, TEXT_MAX = 600 };
    char id[ID_MAX];
    char text[TEXT_MAX];
    const struct ml_value *d = ml_value_at(ml_value_get(org, "damage"), 0);
    for (; d != NULL; d = ml_value_next(d)) {
        const char *what = cli_text(d, "file");
        if (strcmp(what, "restored") == 0 || strcmp(what, "doubled") == 0) {
            snprintf(id, sizeof(id), "damage.%s", what);
            (void)ml_text(text, sizeof(text), id, d);
            printf("Attention : %s\n", text);
        }
    }
    if (ml_value_int(ml_value_get(org, "forks"), 0) > 0) {
        (void)ml_text(text, sizeof(text), "store.forked", org);
        printf("Attention : %s\n", text);
    }
}

static void show_status(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column node[] = {
        {"version", "Version"}, {"home", "Dossier"}, {NULL, NULL}};
    static const struct cli_column org[] = {
        {"org", "Structure"},
        {"node", "Poste"},
        {"open", "Journal ouvert"},
        {"unlocked", "Déverrouillé"},
        {"network_epoch", "Clé du réseau, n°"},
        {"name", "Membre"},
        {"may_write", "Peut écrire"},
        {"complete", "Liste complète"},
        {"followed", "Paquets relus"},
        {"patients", "Patients"},
        {"conflicts", "À concilier"},
        {"bundles", "Paquets"},
        {"ops", "Opérations"},
        {"bodies_missing", "Contenus pas encore reçus"},
        {"chunks_missing", "Parties de documents pas encore reçues"},
        {"pending", "En attente de ce qui précède"},
        {"ops_unknown", "Pas compris par cette version"},
        {"waits_version", "En attente d'une version plus récente"},
        {"quarantined", "En quarantaine"},
        {"judged_again", "Paquets jugés à nouveau depuis l'ouverture"},
        {"paused", "Échanges en pause"},
        {NULL, NULL}};
    (void)c;
    cli_print_map(v, node);
    for (const struct ml_value *o = ml_value_at(ml_value_get(v, "orgs"), 0); o != NULL;
         o = ml_value_next(o)) {
        putchar('\n');
        cli_print_map(o, org);
        show_copies(o);
        if (ml_value_bool(ml_value_get(o, "test_key"), false)) {
            puts("Attention : clé d'essai, à ne pas utiliser pour de vrais patients");
        }
    }
    if (ml_value_count(ml_value_get(v, "orgs")) == 0) {
        puts("\nAucune structure : « maille org found » en fonde une, « maille enrol » en rejoint "
             "une.");
    }
}

static int node_status(struct cli *c)
{
    return cli_run_call(c, "node.status", cli_params(c), show_status);
}

/* --- members --- */

static void show_member(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("%s est membre.\n\n  membre  %s\n\nPour son poste : maille enrol --member %s\n",
           cli_text(v, "name"), cli_text(v, "member"), cli_text(v, "member"));
}

static int member_add(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    const char *name = cli_option_value(c, "name");
    const char *profession = cli_option_value(c, "profession");
    if (name == NULL || profession == NULL) {
        ml_args_free(params);
        return cli_usage(c, "il faut --name et --profession");
    }
    cli_param(params, "name", name);
    cli_param(params, "rpps", cli_option_value(c, "rpps"));
    if (c->repeated_count > 0) {
        ml_args_key(params, "teams");
        ml_args_list(params);
        for (size_t i = 0; i < c->repeated_count; i++) {
            ml_args_text(params, c->repeated[i]);
        }
        ml_args_end(params);
    }
    if (!cli_param_role(c, params, profession) ||
        !cli_param_number(c, params, "rank", cli_option_value(c, "rank"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "member.add", params, show_member);
}

enum { RANK_GARANT = 4 };

static void show_members(const struct cli *c, const struct ml_value *v)
{
    static const char *const ranks[] = {"", "coordinateur", "référent", "membre", "garant"};
    (void)c;
    for (const struct ml_value *m = ml_value_at(ml_value_get(v, "members"), 0); m != NULL;
         m = ml_value_next(m)) {
        int64_t rank = ml_value_int(ml_value_get(m, "rank"), 0);
        printf("%s  %s", cli_text(m, "member"), cli_text(m, "name"));
        if (rank != RANK_GARANT) { /* who has no role */
            char buf[32];
            printf(", %s",
                   profession_label(ml_value_int(ml_value_get(m, "role"), 0), buf, sizeof(buf)));
        }
        printf(", %s\n", rank >= 1 && rank <= RANK_GARANT ? ranks[rank] : "?");
        for (const struct ml_value *n = ml_value_at(ml_value_get(m, "nodes"), 0); n != NULL;
             n = ml_value_next(n)) {
            printf("    poste %s  %s\n", cli_text(n, "node"), cli_text(n, "name"));
        }
    }
}

static int member_list(struct cli *c)
{
    return cli_run_call(c, "member.list", cli_params(c), show_members);
}

static void show_revoked(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    if (!ml_value_bool(ml_value_get(v, "counts"), true)) {
        printf(
            "Proposé : %s n'est pas encore révoqué. Un autre coordinateur ou référent signe par\n"
            "  maille governance proposals\n  maille governance cosign PROPOSITION\n",
            cli_text(v, "name"));
        return;
    }
    printf("%s n'a plus le droit d'écrire. Ce qui était reçu ici de lui reste et compte.\n",
           cli_text(v, "name"));
}

static int member_call(struct cli *c, const char *method, struct ml_args *params,
                       void (*show)(const struct cli *c, const struct ml_value *v))
{
    if (cli_option_value(c, "member") == NULL) {
        ml_args_free(params);
        return cli_usage(c, "il faut --member");
    }
    cli_param(params, "member", cli_option_value(c, "member"));
    cli_param(params, "node", cli_option_value(c, "node"));
    return cli_run_call(c, method, params, show);
}

static int member_revoke(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "mode",
              cli_option_value(c, "compromised") != NULL ? "compromise" : "departure");
    cli_param_flag(c, params, "propose");
    return member_call(c, "member.revoke", params, show_revoked);
}

static void show_suspended(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("%s est suspendu. La suspension finit d'elle-même à l'heure dite.\n",
           cli_text(v, "name"));
}

static int member_suspend(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    if (!cli_param_number(c, params, "hours", cli_option_value(c, "hours"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return member_call(c, "member.suspend", params, show_suspended);
}

static void show_promoted(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Proposé : %s n'est pas encore coordinateur.\n", cli_text(v, "name"));
    cli_show_lacking(v);
    puts("Chacun signe par\n  maille governance proposals\n"
         "  maille governance cosign PROPOSITION");
}

static int member_promote(struct cli *c)
{
    return member_call(c, "member.promote", cli_params(c), show_promoted);
}

static void show_rank(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf(ml_value_int(ml_value_get(v, "rank"), 0) == 2
               ? "%s est maintenant référent : il signe avec les coordinateurs.\n"
               : "%s est maintenant membre, sans voix dans ce que signent les référents.\n",
           cli_text(v, "name"));
}

static int member_rank(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    if (cli_option_value(c, "rank") == NULL) {
        ml_args_free(params);
        return cli_usage(c, "il faut --rank");
    }
    if (!cli_param_number(c, params, "rank", cli_option_value(c, "rank"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return member_call(c, "member.rank", params, show_rank);
}

static void show_history(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("%s reçoit aussi ce qui fut écrit avant son arrivée, pour ce que son rôle lit.\n",
           cli_text(v, "name"));
}

static int member_history(struct cli *c)
{
    return member_call(c, "member.history", cli_params(c), show_history);
}

/* --- enrol --- */

static void show_code(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Code d'adhésion, une seule fois, valable %lld minutes :\n\n  %s\n\n"
           "Sur l'autre poste :\n  maille enrol --address CE_POSTE:PORT --code \"...\"\n",
           (long long)ml_value_int(ml_value_get(v, "seconds"), 0) / 60, cli_text(v, "code"));
}

static void show_words(const struct ml_value *v)
{
    printf("\nLes deux postes montrent les mêmes six mots, sinon appelez le coordinateur :\n\n"
           "  %s\n",
           cli_text(v, "words"));
}

/* Of who enrolled here last, for the coordinator; or of who has a place on this computer now. */
static void show_enrolled(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("C'est fait.\n\n  membre     %s\n  poste      %s\n", cli_text(v, "member"),
           cli_text(v, "node"));
    show_words(v);
}

static void show_joined(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Ce poste est de la structure.\n\n  structure  %s\n  membre     %s\n  poste      %s\n",
           cli_text(v, "org"), cli_text(v, "member"), cli_text(v, "node"));
    show_words(v);
    if (!ml_value_bool(ml_value_get(v, "may_write"), true)) {
        puts("\nLa première copie continue ; écrire sera possible quand elle sera assez avancée.");
    }
}

static int enrol_join(struct cli *c, const char *code)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "code", code);
    cli_param(params, "address", cli_option_value(c, "address"));
    cli_param(params, "node_name", cli_option_value(c, "node-name"));
    if (!param_passphrase(c, params,
                          "Phrase de passe pour ce poste (au moins 12 signes) : ", true)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "enrol.join", params, show_joined);
}

/* On a computer that is in the structure already. */
static int enrol_here(struct cli *c, const char *code)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "code", code);
    cli_param(params, "address", cli_option_value(c, "address"));
    if (!param_passphrase(c, params,
                          "Votre phrase de passe pour ce poste (au moins 12 signes) : ", true)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "enrol.here", params, show_enrolled);
}

static int enrol(struct cli *c)
{
    if (cli_option_value(c, "last") != NULL) {
        return cli_run_call(c, "enrol.last", cli_params(c), show_enrolled);
    }
    if (cli_option_value(c, "here") != NULL && cli_option_value(c, "code") != NULL) {
        return enrol_here(c, cli_option_value(c, "code"));
    }
    const char *member = cli_option_value(c, "member");
    const char *code = cli_option_value(c, "code");
    bool address = cli_option_value(c, "address") != NULL;
    if ((member != NULL) == (code != NULL) || (code != NULL) != address) {
        return cli_usage(c, "soit --member (donner un code), soit --code et --address (rejoindre)");
    }
    if (code != NULL) {
        return enrol_join(c, code);
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "member", member);
    return cli_run_call(c, "enrol.code", params, show_code);
}

/* --- session --- */

static void show_unlocked(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    const char *name = cli_text(v, "name");
    printf("Déverrouillé%s%s.\n", name[0] == '\0' ? "" : " pour ", name);
    if (!ml_value_bool(ml_value_get(v, "complete"), true)) {
        puts("Liste incomplète : le dossier se met à jour.");
    }
    if (ml_value_bool(ml_value_get(v, "restored"), false)) {
        char text[600];
        (void)ml_text(text, sizeof(text), "unlock.renewed", NULL);
        printf("Attention : %s\n", text);
    }
    if (ml_value_bool(ml_value_get(v, "test_key"), false)) {
        puts("Attention : clé d'essai, à ne pas utiliser pour de vrais patients.");
    }
}

static int unlock(struct cli *c)
{
    bool recovery = cli_option_value(c, "recovery") != NULL;
    struct ml_args *params = cli_params(c);
    cli_param(params, "member", cli_option_value(c, "member"));
    const bool card = cli_option_value(c, "card") != NULL;
    char *secret = cli_passphrase(c,
                                  recovery ? "Mots de secours : "
                                  : card   ? "Code de la carte : "
                                           : "Phrase de passe : ",
                                  false);
    if (secret == NULL) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    cli_param(params, recovery ? "recovery" : card ? "pin" : "passphrase", secret);
    cli_passphrase_free(secret);
    return cli_run_call(c, "session.unlock", params, show_unlocked);
}

static void show_locked(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("Verrouillé.");
}

static int lock(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    ml_args_key(params, "all");
    ml_args_bool(params, cli_option_value(c, "all") != NULL);
    return cli_run_call(c, "session.lock", params, show_locked);
}

static const struct cli_option found_options[] = {
    {"name", "NOM", "nom de la structure", false},
    {"member-name", "NOM", "votre nom : vous serez le premier coordinateur", false},
    {"profession", "NOM|N", "votre profession : medecin (défaut), infirmier, ... ou N (TRE_G15)",
     false},
    {"rpps", "N", "votre numéro RPPS", false},
    {"team", "NOM", "nom de la première équipe (défaut : Équipe)", false},
    {"node-name", "NOM", "nom de ce poste (défaut : poste)", false},
    {"no-matrix", NULL, "sans matrice d'habilitation : tout membre peut tout écrire", false},
    {"garant", "NOM", "qui signe à côté d'un autre et rien d'autre (se répète ; huit au plus)",
     true},
    {"shares", "K/N", "N feuilles dont K suffisent (défaut : 3/5)", false},
    {"alone", NULL, "structure d'une seule personne : 2/3", false},
    {"one-sheet", NULL, "montre les mots de la structure en une seule feuille", false},
    {"qr", NULL, "montre aussi chaque feuille en code QR", false},
    {"print", "DOSSIER", "écrit les feuilles à imprimer (SVG, PNG) au lieu de les montrer", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option member_options[] = {
    {"name", "NOM", "nom du membre", false},
    {"profession", "NOM|N", "sa profession : infirmier, sage-femme, ... ou N (TRE_G15)", false},
    {"rank", "N", "2 référent, 3 membre (défaut)", false},
    {"rpps", "N", "son numéro RPPS", false},
    {"team", "NOM|ID", "dans cette équipe seulement (se répète ; sans rien : dans toutes)", true},
    {NULL, NULL, NULL, false}};

static const struct cli_option revoke_options[] = {
    {"member", "ID", "qui", false},
    {"node", "ID", "sur ce poste seulement (perdu, volé)", false},
    {"compromised", NULL, "clé ou poste volé : rien de ce qui n'est pas déjà reçu ne compte",
     false},
    {"propose", NULL, "un égal : propose aux autres de signer (maille governance cosign)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option suspend_options[] = {
    {"member", "ID", "qui", false},
    {"node", "ID", "sur ce poste seulement", false},
    {"hours", "N", "pour combien d'heures, 72 au plus (défaut)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option rank_options[] = {
    {"member", "ID", "qui", false},
    {"rank", "N", "2 : référent ; 3 : membre", false},
    {NULL, NULL, NULL, false},
};
static const struct cli_option promote_options[] = {{"member", "ID", "qui", false},
                                                    {NULL, NULL, NULL, false}};

static const struct cli_option history_options[] = {{"member", "ID", "à qui", false},
                                                    {NULL, NULL, NULL, false}};

static const struct cli_option enrol_options[] = {
    {"member", "ID", "donne un code pour un poste de ce membre (coordinateur)", false},
    {"code", "MOTS", "rejoint avec le code reçu", false},
    {"address", "HÔTE:PORT", "où répond le poste du coordinateur", false},
    {"node-name", "NOM", "nom de ce poste", false},
    {"here", NULL,
     "ce poste est déjà de la structure : donne un accès à un autre membre, ou à qui a "
     "oublié sa phrase",
     false},
    {"last", NULL, "montre les six mots de qui vient d'adhérer (coordinateur)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option unlock_options[] = {
    {"member", "ID", "quel membre, quand plusieurs utilisent ce poste", false},
    {"recovery", NULL, "avec les mots de secours à la place de la phrase de passe", false},
    {"card", NULL, "avec la carte et son code à la place de la phrase de passe", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option lock_options[] = {
    {"all", NULL, "ferme aussi le journal : plus aucun échange jusqu'au prochain unlock", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_org[] = {
    {"org found", NULL, "Fonde une structure sur ce poste",
     "Crée les clés, le premier coordinateur et la première équipe, et montre une seule fois les\n"
     "mots de secours et les feuilles de la structure.",
     "maille org found --name \"MSP des Tilleuls\" --member-name \"Dr Anne Roux\"", found_options,
     org_found},
    {"org list", NULL, "Liste les structures de ce poste", NULL, "maille org list", NULL, org_list},
    {"node status", NULL, "Dit ce que tient ce poste et où il en est",
     "Marche aussi verrouillé. Rien n'y est une donnée de patient.", "maille node status --json",
     NULL, node_status},
    {"member add", NULL, "Ajoute un membre (coordinateur)", NULL,
     "maille member add --name \"Léa Morin\" --profession infirmier", member_options, member_add},
    {"member list", NULL, "Liste les membres et leurs postes", NULL, "maille member list", NULL,
     member_list},
    {"member revoke", NULL, "Retire à un membre le droit d'écrire (rang plus élevé que le sien)",
     "Ce qui est reçu sur ce poste reste et compte. Au-delà, un départ garde ce que d'autres ont\n"
     "vu à temps ; après un vol (--compromised) rien ne compte, sauf ce qui est adopté ensuite.",
     "maille member revoke --member 0123456789abcdef0123456789abcdef", revoke_options,
     member_revoke},
    {"member suspend", NULL, "Suspend un membre, 72 heures au plus", NULL,
     "maille member suspend --member 0123456789abcdef0123456789abcdef --hours 24", suspend_options,
     member_suspend},
    {"member promote", NULL, "Propose de nommer coordinateur un membre",
     "Plus de la moitié des coordinateurs, référents et garants doivent signer, deux au moins ; "
     "lui ne signe\npas. Sans eux, les feuilles de la structure le font (maille org recover "
     "--promote).",
     "maille member promote --member 0123456789abcdef0123456789abcdef", promote_options,
     member_promote},
    {"member rank", NULL, "Fait d'un membre un référent, ou l'inverse",
     "Par un coordinateur, seul. Son métier et ses clés restent ce qu'ils sont. Un coordinateur\n"
     "est nommé par maille member promote ; un égal ne s'abaisse pas d'ici.",
     "maille member rank --member 0123456789abcdef0123456789abcdef --rank 2", rank_options,
     member_rank},
    {"member history", NULL, "Donne à un membre ce qui fut écrit avant son arrivée",
     "Sans cela il lit ce qui s'écrit depuis qu'il a ses clés. Chacun ne donne que les clés qu'il "
     "a.",
     "maille member history --member 0123456789abcdef0123456789abcdef", history_options,
     member_history},
    {"enrol", NULL, "Fait adhérer un poste : donne un code, ou rejoint avec un code",
     "Chez le coordinateur : --member donne un code à usage unique, valable dix minutes.\n"
     "Sur le nouveau poste : --code et --address rejoignent, puis la première copie arrive. Sur "
     "un\n"
     "poste partagé : --here et --code, avec --address si le coordinateur n'est pas à ce poste.\n"
     "Puis comparez les six mots : ici, et --last chez le coordinateur.",
     "maille enrol --code \"...\" --address 192.168.1.10:7415", enrol_options, enrol},
    {"unlock", NULL, "Déverrouille le dossier",
     "La phrase de passe se tape sans s'afficher, ou vient par --passphrase-fd. Reste ouvert pour\n"
     "les commandes de cette session jusqu'à « lock » ou dix minutes sans usage.",
     "maille unlock", unlock_options, unlock},
    {"lock", NULL, "Verrouille le dossier", NULL, "maille lock --all", lock_options, lock},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
