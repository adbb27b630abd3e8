/* net/cli/cmd_patient.c -- reading: find, summary, timeline. « Liste incomplète » is never left
 * out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cli/tables.h"

enum { QUERY_MAX = 512 };

/* A partial list never looks complete. */
static void show_completeness(const struct ml_value *v)
{
    if (!ml_value_bool(ml_value_get(v, "complete"), true)) {
        puts("\nListe incomplète : ce poste n'a pas encore tout reçu ou tout relu.");
    }
    if (ml_value_bool(ml_value_get(v, "more"), false)) {
        printf("\nIl y en a d'autres : %lld en tout (--limit).\n",
               (long long)ml_value_int(ml_value_get(v, "total"), 0));
    }
}

static void show_found(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {
        {"patient", "PATIENT"},           {"birth_name", "NOM DE NAISSANCE"},
        {"used_name", "NOM UTILISÉ"},     {"given_names", "PRÉNOMS"},
        {"birth_date_text", "NAISSANCE"}, {"sex", "SEXE"},
        {"homonym", "HOMONYME"},          {NULL, NULL}};
    (void)c;
    if (ml_value_count(ml_value_get(v, "items")) == 0) {
        puts("Aucun patient ne correspond sur ce poste.");
    } else {
        cli_print_table(ml_value_get(v, "items"), columns);
    }
    show_completeness(v);
}

/* All operands, as one line. */
static void query_join(const struct cli *c, char query[QUERY_MAX])
{
    size_t len = 0;
    query[0] = '\0';
    for (int i = 0; i < c->operand_count && len < QUERY_MAX; i++) {
        int n = snprintf(query + len, QUERY_MAX - len, "%s%s", i == 0 ? "" : " ", c->operands[i]);
        len += n > 0 ? (size_t)n : 0;
    }
}

static int patient_find(struct cli *c)
{
    char query[QUERY_MAX];
    struct ml_args *params = cli_params(c);
    query_join(c, query);
    cli_param(params, "query", query);
    if (!cli_param_number(c, params, "limit", cli_option_value(c, "limit"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "patient.find", params, show_found);
}

static void show_items(const char *title, const struct ml_value *items)
{
    if (ml_value_count(items) == 0) {
        return;
    }
    printf("\n%s\n", title);
    for (const struct ml_value *i = ml_value_at(items, 0); i != NULL; i = ml_value_next(i)) {
        const char *text = cli_text(i, "text");
        printf("  %s%s%s%s\n", cli_text(i, "title"), text[0] == '\0' ? "" : " : ", text,
               ml_value_bool(ml_value_get(i, "conflict"), false) ? "   [À CONCILIER]" : "");
    }
}

static void show_allergies(const struct ml_value *allergies)
{
    static const struct {
        const char *state;
        const char *text;
    } states[] = {{"none_known", "Aucune allergie connue"},
                  {"not_recorded", "Allergies : non renseignées"},
                  {"unavailable", "Allergies : pas encore reçues ou non visibles ici"}};
    const char *state = cli_text(allergies, "state");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].state, state) == 0) {
            printf("\n%s\n", states[i].text);
        }
    }
    show_items("ALLERGIES", ml_value_get(allergies, "items"));
}

static void show_names(const struct ml_value *names)
{
    if (ml_value_kind_of(names) == ML_VALUE_TEXT) {
        printf("%s", ml_value_text(names, ""));
        return;
    }
    printf("%s %s", cli_text(names, "birth_name"), cli_text(names, "given_names"));
    if (cli_text(names, "used_name")[0] != '\0') {
        printf(" (nom utilisé : %s)", cli_text(names, "used_name"));
    }
}

static void show_patient(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    const struct ml_value *banner = ml_value_get(v, "banner");
    const struct ml_value *names = ml_value_get(banner, "names");
    show_names(names == NULL ? banner : names);
    const char *birth = cli_text(banner, "birth_date_text");
    printf("   %s%s   %s\n", birth[0] == '\0' ? "" : "né(e) ",
           birth[0] == '\0' ? cli_text(banner, "birth_date") : birth, cli_text(banner, "sex"));
    const char *ins = cli_text(banner, "ins");
    if (ins[0] != '\0') {
        printf("INS %s   %s\n", ins, cli_text(banner, "identity_status"));
    }
    show_allergies(ml_value_get(banner, "allergies"));
    show_items("PROBLÈMES", ml_value_get(v, "problems"));
    show_items("TRAITEMENTS EN COURS", ml_value_get(ml_value_get(v, "treatments"), "current"));
    show_items("TRAITEMENTS PASSÉS", ml_value_get(ml_value_get(v, "treatments"), "past"));
    int64_t open = ml_value_int(ml_value_get(ml_value_get(v, "conflicts"), "open"), 0);
    if (open > 0) {
        printf("\nÀ concilier : %lld (maille conflicts list --patient %s)\n", (long long)open,
               cli_text(v, "patient"));
    }
    show_completeness(v);
}

static int patient_show(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    return cli_run_call(c, "patient.show", params, show_patient);
}

static void show_timeline(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    for (const struct ml_value *i = ml_value_at(ml_value_get(v, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        const char *life = cli_text(i, "life");
        const char *author = cli_text(ml_value_get(i, "author"), "name");
        printf("%-17s %s : %s%s%s\n", cli_text(i, "effective_text"), cli_text(i, "label"),
               cli_text(i, "title"), strcmp(life, "present") == 0 ? "" : "   ",
               strcmp(life, "voided") == 0     ? "[SAISI PAR ERREUR]"
               : strcmp(life, "archived") == 0 ? "[ARCHIVÉ]"
               : strcmp(life, "greyed") == 0   ? "[EN ATTENTE D'ADMISSION]"
                                               : "");
        if (cli_text(i, "text")[0] != '\0') {
            printf("                  %s\n", cli_text(i, "text"));
        }
        printf("                  %s%s%s%s\n", author, author[0] == '\0' ? "" : "   ",
               cli_text(i, "object"),
               ml_value_bool(ml_value_get(i, "conflict"), false) ? "   [À CONCILIER]" : "");
    }
    if (ml_value_count(ml_value_get(v, "items")) == 0) {
        puts("Rien dans ce dossier sur ce poste pour cette demande.");
    }
    show_completeness(v);
}

static int timeline(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param(params, "from", cli_option_value(c, "from"));
    cli_param(params, "to", cli_option_value(c, "to"));
    cli_param(params, "text", cli_option_value(c, "text"));
    if (c->repeated_count > 0) {
        ml_args_key(params, "entities");
        ml_args_list(params);
        for (size_t i = 0; i < c->repeated_count; i++) {
            ml_args_text(params, c->repeated[i]);
        }
        ml_args_end(params);
    }
    ml_args_key(params, "voided");
    ml_args_bool(params, cli_option_value(c, "voided") != NULL);
    if (!cli_param_number(c, params, "limit", cli_option_value(c, "limit")) ||
        !cli_param_number(c, params, "offset", cli_option_value(c, "offset"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "timeline.list", params, show_timeline);
}

static const struct cli_option find_options[] = {
    {"limit", "N", "au plus N patients (défaut : 20)", false}, {NULL, NULL, NULL, false}};

static const struct cli_option timeline_options[] = {
    {"entity", "TYPE", "seulement ce type : observation, treatment, note...", true},
    {"from", "DATE", "depuis cette date de soin", false},
    {"to", "DATE", "jusqu'à cette date de soin", false},
    {"text", "MOTS", "seulement ce qui contient ces mots", false},
    {"limit", "N", "au plus N lignes (défaut : 50)", false},
    {"offset", "N", "à partir de la N-ième", false},
    {"voided", NULL, "aussi ce qui est archivé ou saisi par erreur", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_patient[] = {
    {"patient find", "MOTS...", "Cherche un patient : noms, prénoms, naissance, identifiants",
     "Accents, tirets et particules sont indifférents ; la date s'écrit comme on la dit :\n"
     "28/03/1979, 28031979, 28 mars 1979, 03/1979, 1979.",
     "maille patient find lefevre 03/1979", find_options, patient_find},
    {"patient show", "PATIENT", "Montre le résumé d'un patient", NULL,
     "maille patient show 0197...", NULL, patient_show},
    {"timeline", "PATIENT", "Montre l'historique des soins, le plus récent d'abord", NULL,
     "maille timeline 0197... --entity observation --from 2026-01-01", timeline_options, timeline},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
