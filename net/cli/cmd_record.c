/* net/cli/cmd_record.c -- writing, and settling conflicts. A write names its patient, always. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cli/tables.h"

static void show_written(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Enregistré sur ce poste.\n\n  patient  %s\n  élément  %s  (%s)\n  version  %s\n",
           cli_text(v, "patient"), cli_text(v, "object"), cli_text(v, "entity"),
           cli_text(v, "version"));
}

static void param_circumstances(const struct cli *c, struct ml_args *params)
{
    cli_param(params, "effective", cli_option_value(c, "effective"));
    cli_param(params, "reason", cli_option_value(c, "reason"));
}

static int record_add(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "entity", c->operands[0]);
    cli_param(params, "patient", cli_option_value(c, "patient"));
    cli_param(params, "team", cli_option_value(c, "team"));
    param_circumstances(c, params);
    rc = cli_fields(c, params);
    if (rc != CLI_DONE) {
        ml_args_free(params);
        return rc;
    }
    return cli_run_call(c, "record.add", params, show_written);
}

static struct ml_args *params_object(const struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param(params, "object", c->operands[1]);
    return params;
}

static void param_seen(const struct cli *c, struct ml_args *params)
{
    const char *seen = cli_option_value(c, "seen");
    if (seen == NULL) {
        return;
    }
    ml_args_key(params, "seen");
    ml_args_list(params);
    while (*seen != '\0') {
        size_t len = strcspn(seen, ",");
        ml_args_text_len(params, seen, len);
        seen += len + (seen[len] == ',');
    }
    ml_args_end(params);
}

static int change_fields(struct cli *c, const char *method)
{
    int rc = cli_operands(c, 2, 2);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = params_object(c);
    param_circumstances(c, params);
    param_seen(c, params);
    rc = cli_fields(c, params);
    if (rc != CLI_DONE) {
        ml_args_free(params);
        return rc;
    }
    return cli_run_call(c, method, params, show_written);
}

static int record_amend(struct cli *c)
{
    return change_fields(c, "record.amend");
}

static int change_life(struct cli *c, const char *method)
{
    int rc = cli_operands(c, 2, 2);
    if (rc != CLI_DONE) {
        return rc;
    }
    if (cli_option_value(c, "reason") == NULL) {
        return cli_usage(c, "il faut --reason : pourquoi ?");
    }
    struct ml_args *params = params_object(c);
    param_circumstances(c, params);
    return cli_run_call(c, method, params, show_written);
}

static int record_void(struct cli *c)
{
    return change_life(c, "record.void");
}

static int record_archive(struct cli *c)
{
    return change_life(c, "record.archive");
}

static int record_restore(struct cli *c)
{
    return change_life(c, "record.restore");
}

/* --- beside a student --- */

static int record_cosign(struct cli *c)
{
    int rc = cli_operands(c, 2, 2);
    return rc != CLI_DONE ? rc : cli_run_call(c, "record.cosign", params_object(c), show_written);
}

static void show_to_cosign(const struct cli *c, const struct ml_value *v)
{
    const struct ml_value *i = ml_value_at(ml_value_get(v, "items"), 0);
    (void)c;
    if (i == NULL) {
        puts("Rien n'attend votre signature sur ce poste.");
    }
    for (; i != NULL; i = ml_value_next(i)) {
        const struct ml_value *item = ml_value_get(i, "item");
        printf("%s %s : %s, par %s, %s\n    maille record cosign %s %s\n",
               cli_text(i, "birth_name"), cli_text(i, "given_names"), cli_text(item, "title"),
               cli_text(ml_value_get(item, "author"), "name"), cli_text(item, "recorded_text"),
               cli_text(i, "patient"), cli_text(item, "object"));
    }
    if (ml_value_bool(ml_value_get(v, "more"), false) ||
        !ml_value_bool(ml_value_get(v, "complete"), true)) {
        puts("Liste incomplète : il peut y en avoir d'autres.");
    }
}

static int record_to_cosign(struct cli *c)
{
    return cli_run_call(c, "record.to_cosign", cli_params(c), show_to_cosign);
}

/* --- one object --- */

static void show_versions(const struct ml_value *versions)
{
    for (const struct ml_value *h = ml_value_at(versions, 0); h != NULL; h = ml_value_next(h)) {
        printf("    %s   %s, %s\n", cli_text(h, "text"),
               cli_text(ml_value_get(h, "author"), "name"), cli_text(h, "recorded_text"));
        printf("      version %s\n", cli_text(h, "version"));
        if (cli_text(h, "greyed")[0] != '\0') {
            printf("      grisé : %s\n", cli_text(h, "greyed"));
        }
    }
}

static void show_object(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("%s  %s%s\n", cli_text(v, "label"), cli_text(v, "object"),
           ml_value_bool(ml_value_get(v, "awaits"), false) ? "   [À CONTRESIGNER]" : "");
    for (const struct ml_value *f = ml_value_at(ml_value_get(v, "fields"), 0); f != NULL;
         f = ml_value_next(f)) {
        bool conflict = ml_value_bool(ml_value_get(f, "conflict"), false);
        printf("  %s (%s) : %s%s\n", cli_text(f, "label"), cli_text(f, "field"),
               cli_text(f, "text"), conflict ? "   [À CONCILIER]" : "");
        const size_t versions = ml_value_count(ml_value_get(f, "history"));
        const bool greyed = versions > 0 && ml_value_count(ml_value_get(f, "heads")) == 0;
        if (versions > 1 || greyed) { /* what counts for nothing is shown too */
            show_versions(ml_value_get(f, "history"));
        }
    }
}

static int record_show(struct cli *c)
{
    int rc = cli_operands(c, 2, 2);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = params_object(c);
    cli_param_use(c, params);
    return cli_run_call(c, "record.show", params, show_object);
}

/* --- conflicts --- */

static void show_conflict(const struct ml_value *i)
{
    printf("%s : %s, %s   (%s)\n", cli_text(i, "name"), cli_text(i, "title"), cli_text(i, "label"),
           cli_text(i, "severity"));
    size_t n = 0;
    for (const struct ml_value *h = ml_value_at(ml_value_get(i, "heads"), 0); h != NULL;
         h = ml_value_next(h)) {
        const char *recorded = cli_text(h, "recorded_text");
        printf("  %zu. %s   %s, %s\n", ++n, cli_text(h, "text"),
               cli_text(ml_value_get(h, "author"), "name"),
               recorded[0] == '\0' ? cli_text(h, "recorded") : recorded);
    }
    printf("  maille conflicts resolve %s %s --keep 1   (ou --set %s=...)\n\n",
           cli_text(i, "patient"), cli_text(i, "object"), cli_text(i, "field"));
}

static void show_conflicts(const struct cli *c, const struct ml_value *v)
{
    const struct ml_value *items = ml_value_get(v, "items");
    (void)c;
    for (const struct ml_value *i = ml_value_at(items, 0); i != NULL; i = ml_value_next(i)) {
        show_conflict(i);
    }
    if (ml_value_count(items) == 0) {
        puts("Rien à concilier.");
    }
    if (!ml_value_bool(ml_value_get(v, "complete"), true)) {
        puts("Liste incomplète : ce poste n'a pas encore tout reçu ou tout relu.");
    }
}

static int conflicts_list(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", cli_option_value(c, "patient"));
    if (!cli_param_number(c, params, "limit", cli_option_value(c, "limit"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "conflicts.list", params, show_conflicts);
}

static const struct ml_value *conflict_find(const struct cli *c, const struct ml_value *list)
{
    const char *field = cli_option_value(c, "field");
    const struct ml_value *found = NULL;
    for (const struct ml_value *i = ml_value_at(ml_value_get(list, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        bool same = strcmp(cli_text(i, "object"), c->operands[1]) == 0 &&
                    (field == NULL || strcmp(cli_text(i, "field"), field) == 0);
        if (same && found != NULL) {
            return NULL; /* several: --field says which */
        }
        found = same ? i : found;
    }
    return found;
}

/* The kept value again, as a new op that names every version that stands. */
static int resolve_with(struct cli *c, const struct ml_value *conflict, long keep)
{
    const struct ml_value *heads = ml_value_get(conflict, "heads");
    const struct ml_value *kept = keep < 1 ? NULL : ml_value_at(heads, (size_t)keep - 1);
    if (kept == NULL) {
        return cli_usage(c, "--keep : il y a %zu valeurs, numérotées par « conflicts list »",
                         ml_value_count(heads));
    }
    struct ml_args *params = params_object(c);
    param_circumstances(c, params);
    cli_param(params, "keep", cli_text(kept, "version"));
    cli_param(params, "field", cli_text(conflict, "field"));
    ml_args_key(params, "seen");
    ml_args_list(params);
    for (const struct ml_value *h = ml_value_at(heads, 0); h != NULL; h = ml_value_next(h)) {
        ml_args_text(params, cli_text(h, "version"));
    }
    ml_args_end(params);
    return cli_run_call(c, "conflicts.resolve", params, show_written);
}

static int resolve_keep(struct cli *c, const char *keep)
{
    struct ml_args *params = cli_params(c);
    struct ml_tree *answer = NULL;
    cli_param(params, "patient", c->operands[0]);
    int rc = cli_call(c, "conflicts.list", params, &answer);
    if (rc != CLI_DONE) {
        return rc;
    }
    const struct ml_value *conflict = conflict_find(c, ml_tree_root(answer));
    if (conflict == NULL) {
        fputs("maille : rien à concilier sur cet élément, ou plusieurs champs (--field)\n", stderr);
        rc = CLI_FAILED;
    } else {
        rc = resolve_with(c, conflict, strtol(keep, NULL, 10));
    }
    ml_tree_free(answer);
    return rc;
}

static int conflicts_resolve(struct cli *c)
{
    const char *keep = cli_option_value(c, "keep");
    int rc = cli_operands(c, 2, 2);
    if (rc != CLI_DONE) {
        return rc;
    }
    return keep != NULL ? resolve_keep(c, keep) : change_fields(c, "conflicts.resolve");
}

static const struct cli_option add_options[] = {
    {"patient", "ID", "à quel patient (pas pour un nouveau patient, ni un professionnel)", false},
    {"team", "NOM|ID", "d'un nouveau patient : son équipe (défaut : votre première)", false},
    {"set", "CHAMP=VALEUR", "un champ", true},
    {"stdin", NULL, "des champs en un objet JSON sur l'entrée", false},
    {"effective", "DATE", "moment du soin (défaut : maintenant)", false},
    {"reason", "TEXTE", "pourquoi", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option amend_options[] = {
    {"set", "CHAMP=VALEUR", "un champ", true},
    {"stdin", NULL, "des champs en un objet JSON sur l'entrée", false},
    {"seen", "VERSION,...", "les versions que vous remplacez (défaut : celles de ce poste)", false},
    {"effective", "DATE", "moment du soin (défaut : maintenant)", false},
    {"reason", "TEXTE", "pourquoi", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option life_options[] = {
    {"reason", "TEXTE", "pourquoi (obligatoire)", false},
    {"effective", "DATE", "à quel moment (défaut : maintenant)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option conflicts_options[] = {
    {"patient", "ID", "d'un seul patient", false},
    {"limit", "N", "au plus N (défaut : 100)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option resolve_options[] = {
    {"keep", "N", "garde la N-ième valeur de « conflicts list »", false},
    {"field", "CHAMP", "de ce champ, quand plusieurs sont à concilier", false},
    {"set", "CHAMP=VALEUR", "ou écrit une autre valeur", true},
    {"stdin", NULL, "des champs en un objet JSON sur l'entrée", false},
    {"seen", "VERSION,...", "les versions que vous avez vues (défaut : celles de ce poste)", false},
    {"reason", "TEXTE", "pourquoi", false},
    {"effective", "DATE", "moment (défaut : maintenant)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option show_options[] = {CLI_USE_OPTIONS, {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_record[] = {
    {"record add", "TYPE", "Écrit un nouvel élément",
     "TYPE : patient, observation, treatment, allergy, problem, immunisation, report...\n"
     "L'entrée est sur le disque quand la commande rend la main.",
     "maille record add observation --patient 0197... --set value=\"37,8 Cel\"", add_options,
     record_add},
    {"record amend", "PATIENT ÉLÉMENT", "Corrige un élément ; l'ancienne valeur reste lisible",
     NULL, "maille record amend 0197... 0198... --set dose=\"500 mg\"", amend_options,
     record_amend},
    {"record void", "PATIENT ÉLÉMENT", "Marque un élément « saisi par erreur »", NULL,
     "maille record void 0197... 0198... --reason \"autre patient\"", life_options, record_void},
    {"record archive", "PATIENT ÉLÉMENT", "Retire un élément de la vue courante", NULL,
     "maille record archive 0197... 0198... --reason \"arrêté\"", life_options, record_archive},
    {"record restore", "PATIENT ÉLÉMENT", "Remet un élément archivé", NULL,
     "maille record restore 0197... 0198... --reason \"repris\"", life_options, record_restore},
    {"record cosign", "PATIENT ÉLÉMENT", "Contresigne ce qu'un étudiant a écrit", NULL,
     "maille record cosign 0197... 0198...", NULL, record_cosign},
    {"record to-cosign", NULL, "Liste ce qui attend votre signature à côté de celle d'un étudiant",
     NULL, "maille record to-cosign", NULL, record_to_cosign},
    {"record show", "PATIENT ÉLÉMENT", "Montre un élément, champ par champ, avec son histoire",
     NULL, "maille record show 0197... 0198...", show_options, record_show},
    {"conflicts list", NULL, "Liste ce qui est à concilier, le plus grave d'abord", NULL,
     "maille conflicts list --patient 0197...", conflicts_options, conflicts_list},
    {"conflicts resolve", "PATIENT ÉLÉMENT", "Tranche : garde une valeur, ou en écrit une autre",
     "Toutes les valeurs restent dans l'histoire ; la décision porte votre nom.",
     "maille conflicts resolve 0197... 0198... --keep 2", resolve_options, conflicts_resolve},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
