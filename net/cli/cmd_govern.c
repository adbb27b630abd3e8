/* net/cli/cmd_govern.c -- roles between two dates, checkpoints, and what takes two. */
#include <stdio.h>

#include "net/cli/tables.h"

/* --- roles --- */

static void show_role(const struct cli *c, const struct ml_value *v)
{
    const char *name = cli_text(ml_value_get(v, "of"), "name");
    (void)c;
    if (ml_value_bool(ml_value_get(v, "counts"), true)) {
        printf("C'est dit pour %s. Vaut sur chaque poste dès que ceci y arrive.\n", name);
    } else {
        printf("Proposé pour %s. Un autre coordinateur ou référent signe :\n"
               "  maille governance proposals\n",
               name);
    }
}

static int role_call(struct cli *c, const char *method)
{
    struct ml_args *params = cli_params(c);
    if (cli_option_value(c, "member") == NULL) {
        ml_args_free(params);
        return cli_usage(c, "il faut --member");
    }
    cli_param(params, "member", cli_option_value(c, "member"));
    cli_param(params, "replaces", cli_option_value(c, "replaces"));
    cli_param(params, "supervisor", cli_option_value(c, "supervisor"));
    cli_param(params, "from", cli_option_value(c, "from"));
    cli_param(params, "until", cli_option_value(c, "until"));
    cli_param_flag(c, params, "propose");
    if (c->repeated_count > 0) {
        ml_args_key(params, "teams");
        ml_args_list(params);
        for (size_t i = 0; i < c->repeated_count; i++) {
            ml_args_text(params, c->repeated[i]);
        }
        ml_args_end(params);
    }
    if (cli_option_value(c, "role") != NULL &&
        !cli_param_role(c, params, cli_option_value(c, "role"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, method, params, show_role);
}

static int role_grant(struct cli *c)
{
    return role_call(c, "role.grant");
}

static int role_end(struct cli *c)
{
    return role_call(c, "role.end");
}

/* --- checkpoints, proposals --- */

static void show_checkpoint(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Point d'arrêt signé : %lld chaînes telles qu'elles sont ici.\n",
           (long long)ml_value_int(ml_value_get(v, "chains"), 0));
}

static int checkpoint(struct cli *c)
{
    return cli_run_call(c, "governance.checkpoint", cli_params(c), show_checkpoint);
}

void cli_show_lacking(const struct ml_value *answer)
{
    const long long missing = (long long)ml_value_int(ml_value_get(answer, "missing"), 0);
    const struct ml_value *who = ml_value_at(ml_value_get(answer, "awaited"), 0);
    const char *comma = "";
    if (missing <= 0) {
        return;
    }
    printf("    Ce n'est pas encore la majorité des %lld coordinateurs, référents et garants : il "
           "manque %lld "
           "signature%s.\n    Peuvent signer : ",
           (long long)ml_value_int(ml_value_get(answer, "whole"), 0), missing,
           missing > 1 ? "s" : "");
    for (; who != NULL; who = ml_value_next(who)) {
        printf("%s%s", comma, cli_text(who, "name"));
        comma = ", ";
    }
    puts("");
}

static void show_proposals(const struct cli *c, const struct ml_value *v)
{
    char text[100];
    const struct ml_value *p = ml_value_at(ml_value_get(v, "proposals"), 0);
    (void)c;
    if (p == NULL) {
        puts("Rien n'attend de signature.");
    }
    for (; p != NULL; p = ml_value_next(p)) {
        const struct ml_value *hand = ml_value_at(ml_value_get(p, "hands"), 0);
        (void)ml_text(text, sizeof(text), cli_text(p, "text"), p);
        printf("%s\n    %s %s ; signé :", cli_text(p, "proposal"), text,
               cli_text(ml_value_get(p, "of"), "name"));
        for (; hand != NULL; hand = ml_value_next(hand)) {
            printf(" %s", cli_text(hand, "name"));
        }
        puts("");
        cli_show_lacking(p);
        if (ml_value_int(ml_value_get(p, "missing"), -1) == 0) {
            puts("    Les signatures suffisent : que l'un des signataires, coordinateur ou "
                 "référent, "
                 "signe encore\n    une fois.");
        }
    }
}

static int proposals(struct cli *c)
{
    return cli_run_call(c, "governance.proposals", cli_params(c), show_proposals);
}

static void show_cosigned(const struct cli *c, const struct ml_value *v)
{
    const bool counts = ml_value_bool(ml_value_get(v, "counts"), false);
    (void)c;
    if (!counts && ml_value_int(ml_value_get(v, "missing"), 0) > 0) {
        puts("Signé.");
        cli_show_lacking(v);
        return;
    }
    puts(
        counts
            ? "Signé : c'est fait."
            : "Signé. Il faut encore la signature de qui peut le faire : un coordinateur, ou celui "
              "qui l'a\nproposé, par la même commande.");
}

static int cosign(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "proposal", c->operands[0]);
    return cli_run_call(c, "governance.cosign", params, show_cosigned);
}

static const struct cli_option grant_options[] = {
    {"member", "ID", "à qui", false},
    {"role", "NOM|N", "quel rôle : medecin, infirmier, ... ou son numéro", false},
    {"replaces", "ID", "à la place de --role : les rôles de ce membre, qu'il remplace", false},
    {"from", "DATE", "à partir de (défaut : tout de suite)", false},
    {"until", "DATE", "jusqu'à, ce jour compris (un remplacement a une fin)", false},
    {"team", "NOM|ID", "dans cette équipe seulement (se répète ; sans rien : dans toutes)", true},
    {"supervisor", "ID", "qui contresigne ce que cet étudiant écrit", false},
    {"propose", NULL, "pour vous-même ou un égal : propose aux autres de signer", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option end_options[] = {
    {"member", "ID", "à qui", false},
    {"role", "NOM|N", "quel rôle", false},
    {"replaces", "ID", "à la place de --role : le remplacement de ce membre", false},
    {"propose", NULL, "pour vous-même ou un égal : propose aux autres de signer", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_govern[] = {
    {"role grant", NULL, "Donne un rôle à un membre, entre deux dates ou sans fin",
     "Qui a reçu des rôles ne travaille plus que par eux. Le même rôle donné de nouveau remplace\n"
     "le premier, dates et équipes comprises : nommez toutes ses équipes, une --team chacune. Une\n"
     "date s'écrit 2026-12-31, ou 2026-12-31T18:00+01:00 pour une heure.",
     "maille role grant --member 0123456789abcdef0123456789abcdef --role infirmier --until "
     "2026-12-31",
     grant_options, role_grant},
    {"role end", NULL, "Met fin à un rôle, maintenant",
     "Ce qui fut écrit sans savoir la fin et que personne n'avait vu à temps reste à part, et "
     "peut\n"
     "être adopté (maille quarantine).",
     "maille role end --member 0123456789abcdef0123456789abcdef --role infirmier", end_options,
     role_end},
    {"governance proposals", NULL, "Liste ce qui attend une seconde signature", NULL,
     "maille governance proposals", NULL, proposals},
    {"governance cosign", "PROPOSITION",
     "Signe ce qu'un autre propose (coordinateur, référent, garant)", NULL,
     "maille governance cosign PROPOSITION", NULL, cosign},
    {"governance checkpoint", NULL,
     "Signe ce que ce poste tient de chacun (coordinateur, référent)",
     "Scelle les révocations qu'il contient : ce qui viendrait après de qui est révoqué, et que\n"
     "personne n'a encore, ne comptera plus.",
     "maille governance checkpoint", NULL, checkpoint},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
