/* net/cli/cmd_retention.c -- how long records are kept: who is past his time, holds, the end. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static const char *state_of(const char *state)
{
    static const char *const words[][2] = {
        {"active", "actif"},
        {"archive", "archive intermédiaire"},
        {"over", "DÉLAI PASSÉ"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], state) == 0) {
            return words[i][1];
        }
    }
    return state;
}

/* "2046-03-28" as 28/03/2046. */
static void show_day(const char *iso)
{
    if (strlen(iso) == 10) {
        printf("%.2s/%.2s/%.4s", iso + 8, iso + 5, iso);
    }
}

static void show_item(const struct ml_value *i)
{
    printf("%s  %s, né(e) le %s : %s\n    dernier contact le ", cli_text(i, "patient"),
           cli_text(i, "birth_name"), cli_text(i, "birth_date_text"),
           state_of(cli_text(i, "state")));
    show_day(cli_text(i, "contact"));
    printf(" ; actif jusqu'au ");
    show_day(cli_text(i, "active_end"));
    printf(" ; à conserver jusqu'au ");
    show_day(cli_text(i, "end"));
    printf(" (%s)\n", cli_text(i, "text"));
    if (ml_value_int(ml_value_get(i, "held"), 0) > 0) {
        puts("    GELÉ : rien n'en est détruit (« maille retention show »).");
    }
    if (ml_value_bool(ml_value_get(i, "doubtful"), false)) {
        puts("    naissance ou décès en conflit : durée incertaine.");
    }
}

static void show_list(const struct cli *c, const struct ml_value *v)
{
    const struct ml_value *items = ml_value_get(v, "items");
    (void)c;
    printf("Au ");
    show_day(cli_text(v, "on"));
    printf(", %llu dossier(s) hors du temps actif.\n", (unsigned long long)ml_value_count(items));
    for (const struct ml_value *i = ml_value_at(items, 0); i != NULL; i = ml_value_next(i)) {
        show_item(i);
    }
    if (!ml_value_bool(ml_value_get(v, "complete"), true)) {
        puts("Liste incomplète : ce poste n'a pas encore tout lu.");
    }
}

static int retention_list(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "until", cli_option_value(c, "until"));
    return cli_run_call(c, "retention.list", params, show_list);
}

static void show_signed(const struct ml_value *v)
{
    const struct ml_value *all = ml_value_get(v, "signed");
    const long long wraps = (long long)ml_value_int(ml_value_get(v, "wraps"), 0);
    const long long closed = (long long)ml_value_int(ml_value_get(v, "wraps_unsigned"), 0);
    if (wraps == 0) {
        puts("Toutes les clés de ce dossier sont détruites ici : plus personne ne le lit. « maille "
             "consent receipts » dit quels postes l'ont signé.");
        return;
    }
    printf("Fin demandée par :");
    for (const struct ml_value *m = ml_value_at(all, 0); m != NULL; m = ml_value_next(m)) {
        printf(" %s", cli_text(m, "name"));
    }
    printf("%s\n%lld clé(s) scellée(s) restent", ml_value_count(all) == 0 ? " personne" : "",
           wraps);
    if (closed > 0) {
        printf(", dont %lld que vous n'avez pas signées", closed);
    }
    puts(". Il faut la demande de deux membres, dont un coordinateur ou un référent : « maille "
         "retention end » sur le poste de l'autre.");
}

static void show_one(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    show_item(v);
    const struct ml_value *holds = ml_value_get(v, "holds");
    for (const struct ml_value *h = ml_value_at(holds, 0); h != NULL; h = ml_value_next(h)) {
        printf("    gelé le ");
        cli_print_time(ml_value_int(ml_value_get(h, "recorded_ms"), 0));
        printf(" : %s  %s\n", cli_text(h, "reason"), cli_text(h, "object"));
    }
    if (ml_value_count(ml_value_get(v, "signed")) > 0) {
        show_signed(v);
    }
}

static void show_end(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    show_signed(v);
}

static struct ml_args *patient_params(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", cli_option_value(c, "patient"));
    return params;
}

static int retention_show(struct cli *c)
{
    return cli_run_call(c, "retention.show", patient_params(c), show_one);
}

static int retention_end(struct cli *c)
{
    return cli_run_call(c, "retention.end", patient_params(c), show_end);
}

/* One field of a hold, as a record's fields are given. */
static void field_put(struct ml_args *params, const char *field, const char *value)
{
    ml_args_key(params, "fields");
    ml_args_map(params);
    ml_args_key(params, field);
    ml_args_text(params, value);
    ml_args_end(params);
}

static void show_held(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Dossier gelé : rien n'en sera détruit tant que ce gel n'est pas levé.  %s\n",
           cli_text(v, "object"));
}

static int retention_hold(struct cli *c)
{
    const char *reason = cli_option_value(c, "reason");
    if (reason == NULL) {
        return cli_usage(c, "dites pourquoi (--reason)");
    }
    struct ml_args *params = patient_params(c);
    cli_param(params, "entity", "retention_hold");
    field_put(params, "reason", reason);
    return cli_run_call(c, "record.add", params, show_held);
}

/* Each hold that stands, one after the other. */
static int holds_release(struct cli *c, const struct ml_value *holds, const char *reason)
{
    int rc = CLI_DONE;
    for (const struct ml_value *h = ml_value_at(holds, 0); h != NULL && rc == CLI_DONE;
         h = ml_value_next(h)) {
        struct ml_tree *answer = NULL;
        struct ml_args *params = patient_params(c);
        cli_param(params, "object", cli_text(h, "object"));
        cli_param(params, "reason", reason);
        field_put(params, "released", reason);
        rc = cli_call(c, "record.amend", params, &answer);
        ml_tree_free(answer);
    }
    return rc;
}

static int retention_release(struct cli *c)
{
    const char *reason = cli_option_value(c, "reason");
    struct ml_tree *answer = NULL;
    if (reason == NULL) {
        return cli_usage(c, "dites pourquoi (--reason)");
    }
    int rc = cli_call(c, "retention.show", patient_params(c), &answer);
    const struct ml_value *holds = ml_value_get(ml_tree_root(answer), "holds");
    const unsigned long long count = (unsigned long long)ml_value_count(holds);
    if (rc == CLI_DONE) {
        rc = holds_release(c, holds, reason);
    }
    ml_tree_free(answer);
    if (rc == CLI_DONE && c->json) {
        printf("{\"released\": %llu}\n", count);
    } else if (rc == CLI_DONE) {
        printf("%llu gel(s) levé(s).\n", count);
    }
    return rc;
}

static void show_rule(const struct cli *c, const struct ml_value *v)
{
    const struct ml_value *r = ml_value_get(v, "retention");
    (void)c;
    printf("Dossiers : actifs %lld ans après le dernier contact, conservés %lld ans, au moins "
           "jusqu'au %llde anniversaire, %lld ans après un décès. Traces : %lld mois.\n",
           (long long)ml_value_int(ml_value_get(r, "active_years"), 0),
           (long long)ml_value_int(ml_value_get(r, "total_years"), 0),
           (long long)ml_value_int(ml_value_get(r, "minor_age"), 0),
           (long long)ml_value_int(ml_value_get(r, "death_years"), 0),
           (long long)ml_value_int(ml_value_get(r, "trace_months"), 0));
}

static int retention_set(struct cli *c)
{
    static const char *const names[][2] = {
        {"active", "active_years"}, {"total", "total_years"},   {"minor", "minor_age"},
        {"death", "death_years"},   {"traces", "trace_months"},
    };
    struct ml_args *params = cli_params(c);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!cli_param_number(c, params, names[i][1], cli_option_value(c, names[i][0]))) {
            ml_args_free(params);
            return CLI_USAGE;
        }
    }
    return cli_run_call(c, "retention.set", params, show_rule);
}

#define OPTION_PATIENT                                                                             \
    {                                                                                              \
        "patient", "ID", "le patient", false                                                       \
    }
#define OPTIONS_END                                                                                \
    {                                                                                              \
        NULL, NULL, NULL, false                                                                    \
    }

static const struct cli_option list_options[] = {
    {"until", "DATE", "au lieu d'aujourd'hui, pour prévoir : 2046-03-28", false}, OPTIONS_END};
static const struct cli_option patient_options[] = {OPTION_PATIENT, OPTIONS_END};
static const struct cli_option hold_options[] = {
    OPTION_PATIENT, {"reason", "TEXTE", "pourquoi", false}, OPTIONS_END};
static const struct cli_option set_options[] = {
    {"active", "ANS", "temps actif après le dernier contact (5)", false},
    {"total", "ANS", "conservation après le dernier contact (20 au moins)", false},
    {"minor", "ÂGE", "jamais avant cet anniversaire (28 au moins)", false},
    {"death", "ANS", "après un décès (10 au moins)", false},
    {"traces", "MOIS", "traces (12 ; 6 au moins)", false},
    OPTIONS_END};

const struct cli_command cli_commands_retention[] = {
    {"retention list", NULL, "Liste les dossiers dont le temps actif ou de conservation est passé",
     NULL, "maille retention list --until 2046-12-31", list_options, retention_list},
    {"retention show", NULL,
     "Dit jusqu'à quand un dossier est conservé, pourquoi, et ce qui le gèle", NULL,
     "maille retention show --patient 0192f3…", patient_options, retention_show},
    {"retention hold", NULL, "Gèle un dossier : rien n'en sera détruit (contentieux, expertise)",
     NULL, "maille retention hold --patient 0192f3… --reason 'expertise en cours'", hold_options,
     retention_hold},
    {"retention release", NULL, "Lève les gels d'un dossier", NULL,
     "maille retention release --patient 0192f3… --reason 'jugement définitif'", hold_options,
     retention_release},
    {"retention end", NULL, "Détruit les clés d'un dossier dont le délai est passé, à deux membres",
     "Chacun des deux donne la commande sur son poste ; l'un est coordinateur ou référent. Refusé "
     "avant la date (celle que ce poste et deux membres ont atteinte), si le dossier est gelé, ou "
     "à "
     "qui ne le lit pas en entier. Sans retour.",
     "maille retention end --patient 0192f3…", patient_options, retention_end},
    {"retention set", NULL, "Fixe les durées de conservation de la structure (coordinateur)",
     "Elles allongent ce que la règle demande, jamais ne la raccourcissent.",
     "maille retention set --total 25 --traces 24", set_options, retention_set},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
