/* net/cli/cmd_patient.c -- reading: find, summary, timeline. « Liste incomplète » is never left
 * out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/cli/tables.h"

enum { QUERY_MAX = 512 };

void cli_param_use(const struct cli *c, struct ml_args *params)
{
    if (cli_option_value(c, "print") != NULL || cli_option_value(c, "export") != NULL) {
        cli_param(params, "use", cli_option_value(c, "print") != NULL ? "print" : "export");
    }
}

static void show_note(const char *id, const struct ml_value *v)
{
    char text[300];
    (void)ml_text(text, sizeof(text), id, v);
    printf("\n%s\n", text);
}

static void show_part(const char *id, const struct ml_value *v)
{
    char text[300];
    (void)ml_text(text, sizeof(text), id, v);
    fputs(text, stdout);
}

/* What is absent by right isn't taken for what isn't there. */
static void show_by_role(const struct ml_value *classes)
{
    const char *between = " ";
    if (ml_value_count(classes) == 0) {
        return;
    }
    puts("");
    show_part("right.by_role", classes);
    for (const struct ml_value *i = ml_value_at(classes, 0); i != NULL; i = ml_value_next(i)) {
        fputs(between, stdout);
        show_part("right.of_class", i);
        if (ml_value_bool(ml_value_get(i, "own"), false)) {
            show_part("right.own_lines", i);
        }
        if (ml_value_int(ml_value_get(i, "kept"), 0) > 0) {
            show_part("right.kept", i);
        }
        between = " ; ";
    }
    puts("");
}

/* A partial list never looks complete. */
static void show_completeness(const struct ml_value *v)
{
    if (!ml_value_bool(ml_value_get(v, "complete"), true)) {
        puts("\nListe incomplète : ce poste n'a pas encore tout reçu ou tout relu.");
    }
    if (ml_value_int(ml_value_get(v, "unknown"), 0) > 0) {
        show_note("chart.unknown", v);
    }
    if (ml_value_bool(ml_value_get(v, "hidden"), false)) { /* silence would read as "nothing" */
        show_note("consent.hidden", v);
    }
    show_by_role(ml_value_get(v, "by_role"));
    if (ml_value_bool(ml_value_get(v, "more"), false)) {
        long long total = (long long)ml_value_int(ml_value_get(v, "total"), 0);
        printf("\n%zu montrés sur %lld : « --limit %lld » les montre tous.\n",
               ml_value_count(ml_value_get(v, "items")), total, total);
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
        puts("Aucun patient ne correspond sur ce poste : essayez la date de naissance, moins de "
             "mots, ou « maille sync now ».");
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

static void show_lines(const struct ml_value *items)
{
    for (const struct ml_value *i = ml_value_at(items, 0); i != NULL; i = ml_value_next(i)) {
        const char *text = cli_text(i, "text");
        printf("  %s%s%s%s\n", cli_text(i, "title"), text[0] == '\0' ? "" : " : ", text,
               ml_value_bool(ml_value_get(i, "conflict"), false) ? "   [À CONCILIER]" : "");
    }
}

static void show_items(const char *title, const struct ml_value *items)
{
    if (ml_value_count(items) > 0) {
        printf("\n%s\n", title);
        show_lines(items);
    }
}

static void show_allergies(const struct ml_value *allergies)
{
    static const struct {
        const char *state;
        const char *text;
    } states[] = {{"none_known", "Aucune allergie connue"},
                  {"not_recorded", "Allergies : non renseignées (personne ne les a notées)"},
                  {"known", "ALLERGIES"}};
    const char *state = cli_text(allergies, "state");
    const char *text = "Allergies : pas encore reçues ou non visibles ici"; /* never silence */
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        text = strcmp(states[i].state, state) == 0 ? states[i].text : text;
    }
    printf("\n%s\n", text);
    show_lines(ml_value_get(allergies, "items"));
}

static void show_names(const struct ml_value *banner)
{
    const char *birth = cli_text(banner, "birth_name");
    const char *used = cli_text(banner, "used_name");
    printf("%s %s", birth, cli_text(banner, "given_names"));
    if (used[0] != '\0' && strcmp(used, birth) != 0) {
        printf(" (nom utilisé : %s)", used);
    }
}

/* Whole years between a day "1979-03-28" and today; -1 when the day isn't known. */
static int age_of(const char *iso)
{
    int year = 0;
    int month = 0;
    int day = 0;
    struct tm now;
    time_t t = time(NULL);
    if (sscanf(iso, "%4d-%2d-%2d", &year, &month, &day) != 3 || /* NOLINT(cert-err34-c) */
        localtime_r(&t, &now) == NULL) {
        return -1;
    }
    bool before = now.tm_mon + 1 < month || (now.tm_mon + 1 == month && now.tm_mday < day);
    return now.tm_year + 1900 - year - before;
}

static void show_birth(const struct ml_value *banner)
{
    const char *text = cli_text(banner, "birth_date_text");
    const char *iso = cli_text(banner, "birth_date");
    const char *sex = cli_text(banner, "sex");
    const char *born = strcmp(sex, "masculin") == 0  ? "né"
                       : strcmp(sex, "féminin") == 0 ? "née"
                                                     : "né(e)";
    bool dead = cli_text(banner, "deceased")[0] != '\0';
    int age = dead ? -1 : age_of(iso);
    if (text[0] == '\0') {
        printf("   date de naissance inconnue");
    } else {
        printf("   %s %s%s", born, strlen(iso) == 10 ? "le " : "en ", text);
    }
    if (age >= 0) {
        printf(" (%d an%s)", age, age > 1 ? "s" : "");
    }
    printf("   %s\n", sex[0] == '\0' ? "sexe inconnu" : sex);
    if (dead) {
        printf("DÉCÈS : %s\n", cli_text(banner, "deceased"));
    }
}

static void show_patient(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    const struct ml_value *banner = ml_value_get(v, "banner");
    show_names(banner);
    show_birth(banner);
    const char *ins = cli_text(banner, "ins");
    if (ins[0] != '\0') {
        printf("INS %s\n", ins);
    }
    show_allergies(ml_value_get(v, "allergies"));
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

static void show_untold(const struct cli *c, const struct ml_value *v)
{
    const long long total = (long long)ml_value_int(ml_value_get(v, "total"), 0);
    if (total > 0) {
        printf("\nACCÈS D'URGENCE dont ce patient est à informer : %lld (maille breakglass list "
               "--patient %s --untold)\n",
               total, c->operands[0]);
    }
}

/* And, at the next opening, that the patient is to be told who took emergency access. */
static int patient_show(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param_use(c, params);
    rc = cli_run_call(c, "patient.show", params, show_patient);
    if (rc != CLI_DONE || c->json) {
        return rc;
    }
    params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    ml_args_key(params, "untold");
    ml_args_bool(params, true);
    return cli_run_call(c, "breakglass.list", params, show_untold);
}

static const char *life_mark(const char *life)
{
    static const char *const marks[][2] = {{"voided", "   [SAISI PAR ERREUR]"},
                                           {"archived", "   [ARCHIVÉ]"},
                                           {"greyed", "   [EN ATTENTE D'ADMISSION]"}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strcmp(marks[i][0], life) == 0) {
            return marks[i][1];
        }
    }
    return "";
}

static void show_event(const struct ml_value *i)
{
    const char *author = cli_text(ml_value_get(i, "author"), "name");
    const char *label = cli_text(i, "label");
    const char *title = cli_text(i, "title");
    bool named = strcmp(label, title) != 0;
    printf("%-17s %s%s%s%s\n", cli_text(i, "effective_text"), label, named ? " : " : "",
           named ? title : "", life_mark(cli_text(i, "life")));
    if (cli_text(i, "text")[0] != '\0') {
        printf("                  %s\n", cli_text(i, "text"));
    }
    printf("                  %s%s%s%s%s\n", author, author[0] == '\0' ? "" : "   ",
           cli_text(i, "object"),
           ml_value_bool(ml_value_get(i, "conflict"), false) ? "   [À CONCILIER]" : "",
           ml_value_bool(ml_value_get(i, "awaits"), false) ? "   [À CONTRESIGNER]" : "");
}

static void show_timeline(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    for (const struct ml_value *i = ml_value_at(ml_value_get(v, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        show_event(i);
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
    cli_param_use(c, params);
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

static const struct cli_option show_options[] = {CLI_USE_OPTIONS, {NULL, NULL, NULL, false}};

static const struct cli_option timeline_options[] = {
    {"entity", "TYPE", "seulement ce type : observation, treatment, note...", true},
    {"from", "DATE", "depuis cette date de soin", false},
    {"to", "DATE", "jusqu'à cette date de soin", false},
    {"text", "MOTS", "seulement ce qui contient ces mots", false},
    {"limit", "N", "au plus N lignes (défaut : 50)", false},
    {"offset", "N", "à partir de la N-ième", false},
    {"voided", NULL, "aussi ce qui est archivé ou saisi par erreur", false},
    CLI_USE_OPTIONS,
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_patient[] = {
    {"patient find", "MOTS...", "Cherche un patient : noms, prénoms, naissance, identifiants",
     "Accents, tirets et particules sont indifférents ; la date s'écrit comme on la dit :\n"
     "28/03/1979, 28031979, 28 mars 1979, 03/1979, 1979.",
     "maille patient find lefevre 03/1979", find_options, patient_find},
    {"patient show", "PATIENT", "Montre le résumé d'un patient", NULL,
     "maille patient show 0197...", show_options, patient_show},
    {"timeline", "PATIENT", "Montre l'historique des soins, le plus récent d'abord", NULL,
     "maille timeline 0197... --entity observation --from 2026-01-01", timeline_options, timeline},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
