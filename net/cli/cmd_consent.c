/* net/cli/cmd_consent.c -- what patients decided about who sees what. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static void say_text(const char *id, const struct ml_value *args)
{
    char text[400];
    (void)ml_text(text, sizeof(text), id, args);
    puts(text);
}

static void show_whom(const struct ml_value *s)
{
    const char *audience = cli_text(s, "audience");
    if (strcmp(audience, "person") == 0 || strcmp(audience, "team") == 0) {
        const struct ml_value *who = ml_value_get(s, audience);
        const char *name = cli_text(who, "name");
        printf(" | %s", name[0] != '\0' ? name : cli_text(who, "id"));
    } else if (strcmp(audience, "profession") == 0) {
        printf(" | %s", cli_text(s, "profession"));
    } else {
        char text[100];
        (void)ml_text(text, sizeof(text),
                      strcmp(audience, "all") == 0 ? "consent.all" : "consent.all_except", s);
        printf(" | %s", text);
    }
    for (const struct ml_value *e = ml_value_at(ml_value_get(s, "except"), 0); e != NULL;
         e = ml_value_next(e)) {
        const char *name = cli_text(e, "name");
        printf(" %s", name[0] != '\0' ? name : cli_text(e, "id"));
    }
}

static void show_what(const struct ml_value *s)
{
    const char *item = cli_text(s, "item");
    char text[100];
    (void)ml_text(text, sizeof(text), "consent.everything", s);
    printf(" | %s\n", strcmp(item, "all") == 0 ? text : cli_text(s, item));
}

static void show_statement(const struct ml_value *s)
{
    char text[200];
    char ended[60] = "";
    (void)ml_text(text, sizeof(text), cli_text(s, "text"), s);
    if (!ml_value_bool(ml_value_get(s, "holds"), false)) {
        (void)ml_text(ended, sizeof(ended), "consent.over", s);
    }
    printf("%s  %s%s", cli_text(s, "statement"), text, ended);
    show_whom(s);
    show_what(s);
}

static void show_all(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    say_text(ml_value_bool(ml_value_get(v, "informed"), false) ? "consent.informed_yes"
                                                               : "consent.informed_no",
             v);
    if (ml_value_bool(ml_value_get(v, "hidden"), false)) {
        say_text("consent.hidden", v);
    }
    for (const struct ml_value *s = ml_value_at(ml_value_get(v, "statements"), 0); s != NULL;
         s = ml_value_next(s)) {
        show_statement(s);
    }
}

static void show_said(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    say_text("consent.said", v);
}

static void show_nodes(const struct ml_value *list)
{
    for (const struct ml_value *n = ml_value_at(list, 0); n != NULL; n = ml_value_next(n)) {
        char text[100];
        (void)ml_text(text, sizeof(text), cli_text(n, "text"), n);
        printf("  - %s, %s : %s\n", cli_text(ml_value_get(n, "member"), "name"),
               cli_text(ml_value_get(n, "node"), "name"), text);
    }
}

static void show_shreds(const struct ml_value *v)
{
    if (ml_value_int(ml_value_get(v, "count"), 0) > 0) {
        say_text("shred.list", v);
        show_nodes(ml_value_get(v, "nodes"));
        say_text(ml_value_int(ml_value_get(v, "awaited"), 0) == 0 ? "shred.all" : "shred.some", v);
    }
}

static void show_receipts(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    for (const struct ml_value *s = ml_value_at(ml_value_get(v, "statements"), 0); s != NULL;
         s = ml_value_next(s)) {
        printf("%s", cli_text(s, "statement"));
        show_whom(s);
        show_what(s);
        show_nodes(ml_value_get(s, "nodes"));
    }
    say_text(ml_value_int(ml_value_get(v, "awaited"), 0) == 0 ? "consent.all_obey"
                                                              : "consent.some_wait",
             v);
    show_shreds(ml_value_get(v, "shreds"));
}

/* Options that are parameters by the same name. */
static bool params_put(struct cli *c, struct ml_args *params)
{
    static const char *const names[] = {"person", "team",  "object", "class", "compartment",
                                        "source", "until", "said",   "means", "reason"};
    static const char *const flags[] = {"informed", "emergency", "representatives", "myself"};
    const char *role = cli_option_value(c, "role");
    const char *except = cli_option_value(c, "except");
    cli_param(params, "patient", cli_option_value(c, "patient"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cli_param(params, names[i], cli_option_value(c, names[i]));
    }
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (cli_option_value(c, flags[i]) != NULL) {
            ml_args_key(params, flags[i]);
            ml_args_bool(params, true);
        }
    }
    if (except != NULL) {
        ml_args_key(params, "except");
        ml_args_list(params);
        for (size_t len = 0; *except != '\0'; except += len + (except[len] == ',')) {
            len = strcspn(except, ",");
            ml_args_text_len(params, except, len);
        }
        ml_args_end(params);
    }
    return role == NULL || cli_param_number(c, params, "role", role);
}

static int run(struct cli *c, const char *method, cli_render *show)
{
    struct ml_args *params = cli_params(c);
    return params_put(c, params) ? cli_run_call(c, method, params, show) : CLI_USAGE;
}

static int consent_show(struct cli *c)
{
    return run(c, "consent.show", show_all);
}

static int consent_give(struct cli *c)
{
    return run(c, "consent.give", show_said);
}

static int consent_oppose(struct cli *c)
{
    return run(c, "consent.oppose", show_said);
}

static int consent_mask(struct cli *c)
{
    return run(c, "consent.mask", show_said);
}

static int consent_receipts(struct cli *c)
{
    return run(c, "consent.receipts", show_receipts);
}

static int consent_withdraw(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "statement", cli_option_value(c, "statement"));
    return params_put(c, params) ? cli_run_call(c, "consent.withdraw", params, show_said)
                                 : CLI_USAGE;
}

#define PATIENT                                                                                    \
    {                                                                                              \
        "patient", "ID", "de quel patient", false                                                  \
    }
#define CIRCUMSTANCES                                                                              \
    {"source", "QUI", "patient (défaut) ou representative", false},                                \
        {"said", "DATE", "quand il l'a dit", false}, {"means", "TEXTE", "par quel moyen", false},  \
    {                                                                                              \
        "reason", "TEXTE", "pourquoi", false                                                       \
    }
#define AUDIENCE                                                                                   \
    {"person", "ID", "pour ou contre un membre", false}, {"team", "ID", "une équipe", false},      \
        {"role", "N", "une profession, par son numéro", false},                                    \
    {                                                                                              \
        "except", "ID,ID", "tous sauf ces membres", false                                          \
    }
#define ITEM                                                                                       \
    {"class", "N|NOM", "une classe de données ; sans rien : tout le dossier de soins", false},     \
        {"compartment", "NOM", "un compartiment", false},                                          \
    {                                                                                              \
        "object", "ID", "un seul élément ou document", false                                       \
    }
#define UNTIL                                                                                      \
    {                                                                                              \
        "until", "DATE", "jusqu'à quand", false                                                    \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL, false                                                                    \
    }

static const struct cli_option show_options[] = {PATIENT, END};
static const struct cli_option give_options[] = {
    PATIENT,
    AUDIENCE,
    ITEM,
    UNTIL,
    CIRCUMSTANCES,
    {"informed", NULL, "seulement : il a été informé de son droit de s'opposer", false},
    END};
static const struct cli_option oppose_options[] = {
    PATIENT,
    AUDIENCE,
    ITEM,
    UNTIL,
    CIRCUMSTANCES,
    {"emergency", NULL, "aussi en urgence : aucun bris de glace", false},
    {"representatives", NULL, "un mineur, envers ses représentants", false},
    {"myself", NULL, "même si cela m'écarte du dossier", false},
    END};
static const struct cli_option mask_options[] = {
    PATIENT,
    {"object", "ID", "l'élément à masquer", false},
    {"except", "ID,ID", "qui le voit encore, en plus de vous", false},
    CIRCUMSTANCES,
    END};
static const struct cli_option withdraw_options[] = {
    PATIENT,
    {"statement", "ID", "laquelle : « consent show » les montre", false},
    CIRCUMSTANCES,
    END};

const struct cli_command cli_commands_consent[] = {
    {"consent show", NULL, "Montre ce que le patient a décidé, et qui l'a noté", NULL,
     "maille consent show --patient ID", show_options, consent_show},
    {"consent give", NULL, "Note une information donnée ou un accord du patient", NULL,
     "maille consent give --patient ID --person ID --means oral", give_options, consent_give},
    {"consent oppose", NULL, "Note une opposition du patient : elle vaut aussitôt ici",
     "Les autres postes l'appliquent en la recevant : « consent receipts » dit lesquels.",
     "maille consent oppose --patient ID --except ID", oppose_options, consent_oppose},
    {"consent mask", NULL, "Masque un élément du dossier à tous, sauf à vous", NULL,
     "maille consent mask --patient ID --object ID", mask_options, consent_mask},
    {"consent withdraw", NULL, "Note que le patient retire ce qu'il avait décidé", NULL,
     "maille consent withdraw --patient ID --statement ID", withdraw_options, consent_withdraw},
    {"consent receipts", NULL, "Dit quels postes ont appliqué les oppositions", NULL,
     "maille consent receipts --patient ID", show_options, consent_receipts},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
