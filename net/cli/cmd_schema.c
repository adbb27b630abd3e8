/* net/cli/cmd_schema.c -- what a record may hold: entities, their fields, their coded lists. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static bool flag(const struct ml_value *v, const char *key)
{
    return ml_value_bool(ml_value_get(v, key), false);
}

static int64_t number(const struct ml_value *v, const char *key)
{
    return ml_value_int(ml_value_get(v, key), 0);
}

static void show_list(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {
        {"name", "NOM"},     {"label", "LIBELLÉ"}, {"compartment", "COMPARTIMENT"},
        {"merge", "FUSION"}, {"fields", "CHAMPS"}, {NULL, NULL}};
    (void)c;
    cli_print_table(ml_value_get(v, "entities"), columns);
    puts("\n« maille schema NOM » montre les champs d'un élément.");
}

static void show_codes(const struct ml_value *set)
{
    if (set == NULL) {
        return;
    }
    printf("      liste %s%s (%s)\n", cli_text(set, "name"),
           flag(set, "open") ? ", d'autres codes sont acceptés" : "", cli_text(set, "system"));
    const struct ml_value *item = ml_value_at(ml_value_get(set, "items"), 0);
    for (; item != NULL; item = ml_value_next(item)) {
        printf("        %-16s %s%s\n", cli_text(item, "code"), cli_text(item, "label"),
               flag(item, "refutes") ? " (dément)" : "");
    }
}

static void show_refers(const struct ml_value *refers)
{
    if (refers == NULL) {
        return;
    }
    fputs("      vers :", stdout);
    const struct ml_value *at = ml_value_at(refers, 0);
    for (; at != NULL; at = ml_value_next(at)) {
        printf(" %s", ml_value_text(at, ""));
    }
    putchar('\n');
}

static void show_field(const struct ml_value *f)
{
    const char *unit = cli_text(f, "unit");
    const char *help = cli_text(f, "help");
    printf("  %-22s %s%s%s%s%s\n", cli_text(f, "name"), cli_text(f, "type"),
           flag(f, "list") ? " (plusieurs)" : "", unit[0] == '\0' ? "" : " en ", unit,
           flag(f, "required") ? ", obligatoire" : "");
    printf("      %s", cli_text(f, "label"));
    if (number(f, "form_order") > 0) {
        printf(" ; formulaire : %lld", (long long)number(f, "form_order"));
    }
    printf(" ; fusion : %s", cli_text(f, "merge"));
    if (strcmp(cli_text(f, "severity"), "none") != 0) {
        printf(", gravité d'un conflit : %s", cli_text(f, "severity"));
    }
    putchar('\n');
    if (help[0] != '\0') {
        printf("      %s\n", help);
    }
    show_refers(ml_value_get(f, "refers"));
    show_codes(ml_value_get(f, "value_set"));
}

static void show_entity(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("%s (%s, n° %lld)\ncompartiment %s, fusion %s\n\n", cli_text(v, "label"),
           cli_text(v, "name"), (long long)number(v, "id"), cli_text(v, "compartment"),
           cli_text(v, "merge"));
    const struct ml_value *f = ml_value_at(ml_value_get(v, "fields"), 0);
    for (; f != NULL; f = ml_value_next(f)) {
        show_field(f);
    }
}

static int schema(struct cli *c)
{
    int rc = cli_operands(c, 0, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    if (c->operand_count == 0) {
        return cli_run_call(c, "schema.list", params, show_list);
    }
    cli_param(params, "entity", c->operands[0]);
    return cli_run_call(c, "schema.show", params, show_entity);
}

const struct cli_command cli_commands_schema[] = {
    {"schema", "[ÉLÉMENT]", "Montre ce qu'un dossier peut contenir",
     "Sans élément : tous. Avec un nom d'élément : ses champs, leurs types, unités et listes de\n"
     "codes, dans l'ordre du formulaire avec --json (form_order ; 0 : pas au formulaire).",
     "maille schema treatment", NULL, schema},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
