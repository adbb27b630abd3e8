/* net/cli/cmd_right.c -- who may do what, and why. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static void show_step(const struct ml_value *step)
{
    char text[300];
    const char *by = cli_text(ml_value_get(step, "by"), "name");
    const char *bundle = cli_text(step, "bundle");
    (void)ml_text(text, sizeof(text), cli_text(step, "text"), step);
    printf("  - %s", text);
    if (ml_value_get(step, "replaces") != NULL) {
        printf(" %s", cli_text(ml_value_get(step, "replaces"), "name"));
    }
    if (bundle[0] != '\0') {
        printf(" [%s%s%s]", by, by[0] == '\0' ? "" : ", ", bundle);
    }
    puts("");
}

static void show_explained(const struct cli *c, const struct ml_value *v)
{
    char text[100];
    const bool allowed = ml_value_bool(ml_value_get(v, "allowed"), false);
    (void)c;
    (void)ml_text(text, sizeof(text), allowed ? "right.yes" : "right.no", v);
    puts(text);
    for (const struct ml_value *s = ml_value_at(ml_value_get(v, "steps"), 0); s != NULL;
         s = ml_value_next(s)) {
        show_step(s);
    }
}

static int right_explain(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "member", cli_option_value(c, "member"));
    cli_param(params, "patient", cli_option_value(c, "patient"));
    cli_param(params, "class", cli_option_value(c, "class"));
    cli_param(params, "action", cli_option_value(c, "action"));
    return cli_run_call(c, "right.explain", params, show_explained);
}

static void show_adopted(const struct cli *c, const struct ml_value *v)
{
    char text[200];
    (void)c;
    (void)ml_text(text, sizeof(text), "right.now", v);
    puts(text);
}

static int right_adopt(struct cli *c)
{
    return cli_run_call(c, "right.adopt", cli_params(c), show_adopted);
}

static const struct cli_option explain_options[] = {
    {"member", "ID", "qui", false},
    {"patient", "ID", "pour quel patient", false},
    {"class", "N|NOM", "classe de données : son numéro ou le début de son nom", false},
    {"action", "ACTION", "read (défaut), create, amend, deposit, see, print, export", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_right[] = {
    {"right explain", NULL, "Dit si un membre peut, et pourquoi", NULL,
     "maille right explain --member ID --class 7", explain_options, right_explain},
    {"right adopt", NULL, "Adopte la matrice d'habilitation proposée (coordinateur)",
     "Sans matrice, tout membre peut tout écrire. Elle vaut pour ce qui est écrit ensuite.",
     "maille right adopt", NULL, right_adopt},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
