/* net/cli/cmd_team.c -- teams: who cares for the same patients. */
#include <stdio.h>

#include "net/cli/tables.h"

static void show_added(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Équipe « %s » créée : %s\n\nQui n'a pas de rôle limité à une équipe en est déjà ; "
           "« maille team list » le montre.\n",
           cli_text(v, "name"), cli_text(v, "team"));
}

static int team_add(struct cli *c)
{
    const int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "name", c->operands[0]);
    return cli_run_call(c, "team.add", params, show_added);
}

static void show_member(const struct ml_value *m)
{
    const char *between = " : ";
    const struct ml_value *role = ml_value_at(ml_value_get(m, "roles"), 0);
    printf("  %s", cli_text(m, "name")[0] != '\0' ? cli_text(m, "name") : cli_text(m, "member"));
    for (; role != NULL; role = ml_value_next(role)) {
        printf("%s%s", between, ml_value_text(role, ""));
        between = ", ";
    }
    puts(ml_value_bool(ml_value_get(m, "limited"), false) ? "  (limité à certaines équipes)" : "");
}

static void show_teams(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    for (const struct ml_value *t = ml_value_at(ml_value_get(v, "teams"), 0); t != NULL;
         t = ml_value_next(t)) {
        const struct ml_value *m = ml_value_at(ml_value_get(t, "members"), 0);
        const long long groups = (long long)ml_value_int(ml_value_get(t, "groups"), 0);
        const long long held = (long long)ml_value_int(ml_value_get(t, "held"), 0);
        printf("%s  %s\n", cli_text(t, "name"), cli_text(t, "team"));
        if (groups == 0) {
            puts("  (aucune de ses clés n'est pour vous)");
        } else {
            printf("  (%lld de ses clés sont pour vous, vous en tenez %lld)\n", groups, held);
        }
        for (; m != NULL; m = ml_value_next(m)) {
            show_member(m);
        }
    }
}

static int team_list(struct cli *c)
{
    return cli_run_call(c, "team.list", cli_params(c), show_teams);
}

static void show_joined(const struct cli *c, const struct ml_value *v)
{
    const bool already = ml_value_bool(ml_value_get(v, "already"), false);
    printf("L'équipe « %s » suit %s ce patient : ses membres ouvrent son dossier selon leurs "
           "rôles,\net ce à quoi il s'est opposé vaut pour eux aussi.\n",
           cli_option_value(c, "add"), already ? "déjà" : "maintenant");
}

static int patient_team(struct cli *c)
{
    const int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param(params, "add", cli_option_value(c, "add"));
    return cli_run_call(c, "patient.team", params, show_joined);
}

static const struct cli_option patient_options[] = {
    {"add", "NOM|ID", "l'équipe qui le suivra aussi", false}, {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_team[] = {
    {"patient team", "PATIENT", "Ajoute une équipe à celles qui suivent un patient",
     "Informez d'abord le patient : il peut s'y opposer (consent oppose). Il reste suivi par ses\n"
     "autres équipes ; aucune ne s'enlève, mais il peut s'opposer à l'une d'elles\n"
     "(consent oppose --team).",
     "maille patient team 0189... --add \"Soins à domicile\"", patient_options, patient_team},
    {"team add", "NOM", "Crée une équipe : un cercle de soins et ses clés (coordinateur)",
     "Un patient est de l'équipe où il est créé (record add patient --team). Un rôle vaut dans "
     "toutes\n"
     "les équipes, ou dans celles que « role grant --team » nomme.",
     "maille team add \"Soins à domicile\"", NULL, team_add},
    {"team list", NULL, "Liste les équipes, et qui en est par quels rôles", NULL,
     "maille team list", NULL, team_list},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
