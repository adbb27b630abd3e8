/* net/cli/cmd_quarantine.c -- what was left out of the record, and taking it in after all. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static void show_list(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    if (ml_value_count(ml_value_get(v, "bundles")) == 0) {
        puts("Rien n'est en quarantaine.");
    }
    for (const struct ml_value *b = ml_value_at(ml_value_get(v, "bundles"), 0); b != NULL;
         b = ml_value_next(b)) {
        char why[200];
        (void)ml_text(why, sizeof(why), cli_text(b, "why"), NULL);
        cli_print_time(ml_value_int(ml_value_get(b, "recorded_ms"), 0));
        printf("  %s, %lld saisie(s) : %s\n    %s\n", cli_text(b, "name"),
               (long long)ml_value_int(ml_value_get(b, "ops"), 0), why, cli_text(b, "bundle"));
    }
    if (ml_value_count(ml_value_get(v, "bundles")) > 0) {
        puts("Un référent ou un coordinateur qui n'en est pas l'auteur les fait compter :\n"
             "  maille quarantine adopt EMPREINTE (ou reject, pour les laisser de côté)");
    }
    if (ml_value_bool(ml_value_get(v, "more"), false)) {
        printf("... la suite : --after %lld\n", (long long)ml_value_int(ml_value_get(v, "n"), 0));
    }
}

static int quarantine_list(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    if (!cli_param_number(c, params, "after", cli_option_value(c, "after"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "quarantine.list", params, show_list);
}

static void show_judged(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    puts(ml_value_bool(ml_value_get(v, "counts"), false) ? "Ces saisies comptent à présent."
                                                         : "Ces saisies restent en quarantaine.");
}

static int judge(struct cli *c, const char *method)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "bundle", c->operands[0]);
    return cli_run_call(c, method, params, show_judged);
}

static int quarantine_adopt(struct cli *c)
{
    return judge(c, "quarantine.adopt");
}

static int quarantine_reject(struct cli *c)
{
    return judge(c, "quarantine.reject");
}

static const struct cli_option list_options[] = {
    {"after", "N", "à partir de ce rang d'arrivée", false}, {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_quarantine[] = {
    {"quarantine list", NULL, "Montre les saisies qui ne comptent pas, et pourquoi",
     "Rien n'est effacé : un référent ou un coordinateur peut les adopter, là où elles sont.",
     "maille quarantine list", list_options, quarantine_list},
    {"quarantine adopt", "PAQUET", "Fait compter ces saisies (référent, coordinateur)", NULL,
     "maille quarantine adopt EMPREINTE", NULL, quarantine_adopt},
    {"quarantine reject", "PAQUET", "Les laisse de côté, même si un autre les adopte", NULL,
     "maille quarantine reject EMPREINTE", NULL, quarantine_reject},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
