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
    cli_param(params, "team", cli_option_value(c, "team"));
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

/* --- the matrix --- */

static void show_cell(const struct ml_value *cell)
{
    static const struct {
        const char *key;
        const char *word;
    } rights[] = {{"create", "crée"}, {"amend", "corrige"}, {"deposit", "dépose"}, {"see", "voit"},
                  {"read", "lit"},    {"print", "imprime"}, {"export", "exporte"}};
    static const char *const scopes[] = {"", " (siens)", " (équipe)", ""};
    printf("%lld:%lld  %s, %s :", (long long)ml_value_int(ml_value_get(cell, "role_number"), 0),
           (long long)ml_value_int(ml_value_get(cell, "class_number"), 0), cli_text(cell, "role"),
           cli_text(cell, "class"));
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        const int64_t scope = ml_value_int(ml_value_get(cell, rights[i].key), 0);
        if (scope > 0 && scope < 4) {
            printf(" %s%s", rights[i].word, scopes[scope]);
        }
    }
    puts(ml_value_bool(ml_value_get(cell, "cosigned"), false) ? " (à contresigner)" : "");
}

static void show_cells(const struct cli *c, const struct ml_value *v)
{
    const long long version = (long long)ml_value_int(ml_value_get(v, "version"), 0);
    const struct ml_value *cell = ml_value_at(ml_value_get(v, "cells"), 0);
    (void)c;
    if (version == 0) {
        puts("Pas de matrice : tout membre peut tout écrire. « maille right adopt » adopte celle "
             "qui "
             "est proposée.");
        return;
    }
    printf("Matrice d'habilitation, version %lld\n", version);
    for (; cell != NULL; cell = ml_value_next(cell)) {
        show_cell(cell);
    }
}

static int matrix_show(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    if (cli_option_value(c, "role") != NULL &&
        !cli_param_role(c, params, cli_option_value(c, "role"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "matrix.show", params, show_cells);
}

static void show_set(const struct cli *c, const struct ml_value *v)
{
    char text[200];
    (void)c;
    if (!ml_value_bool(ml_value_get(v, "counts"), true)) {
        puts("Proposé. Un autre coordinateur ou référent signe : maille governance proposals");
        return;
    }
    (void)ml_text(text, sizeof(text), "matrix.now", v);
    puts(text);
}

static int matrix_set(struct cli *c)
{
    int rc = cli_operands(c, 1, -1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    ml_args_key(params, "set");
    ml_args_list(params);
    for (int i = 0; i < c->operand_count; i++) {
        ml_args_text(params, c->operands[i]);
    }
    ml_args_end(params);
    cli_param_flag(c, params, "propose");
    return cli_run_call(c, "matrix.set", params, show_set);
}

static const struct cli_option show_options[] = {{"role", "NOM|N", "d'un seul rôle", false},
                                                 {NULL, NULL, NULL, false}};

static const struct cli_option set_options[] = {
    {"propose", NULL, "si votre propre rôle y gagne : propose aux autres de signer", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option explain_options[] = {
    {"member", "ID", "qui", false},
    {"patient", "ID", "pour quel patient", false},
    {"team", "NOM|ID", "au lieu de --patient : pour les patients de cette équipe", false},
    {"class", "N|NOM", "classe de données : son numéro ou le début de son nom", false},
    {"action", "ACTION", "read (défaut), create, amend, deposit, see, print, export", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_right[] = {
    {"right explain", NULL, "Dit si un membre peut, et pourquoi", NULL,
     "maille right explain --member ID --class 7", explain_options, right_explain},
    {"right adopt", NULL, "Adopte la matrice d'habilitation proposée (coordinateur)",
     "Sans matrice, tout membre peut tout écrire. Elle vaut pour ce qui est écrit ensuite.",
     "maille right adopt", NULL, right_adopt},
    {"matrix show", NULL, "Montre la matrice d'habilitation en vigueur", NULL,
     "maille matrix show --role infirmier", show_options, matrix_show},
    {"matrix set", "CASE...", "Change des cases de la matrice (coordinateur)",
     "Une case est RÔLE:CLASSE=LETTRES : W tout, w les siennes, R lit, r lit pour son équipe, o et "
     "p\n"
     "les siennes, f dépose, i voit que c'est là, c à contresigner, - rien. Elle vaut pour ce qui\n"
     "est écrit ensuite.",
     "maille matrix set 60:7=w 60:8=r", set_options, matrix_set},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
