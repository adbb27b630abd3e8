/* net/cli/cmd_import.c -- what comes in: FHIR files, an invented population, the demonstration. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/cli/tables.h"
#include "net/demo.h"

struct totals {
    int64_t files, refused, created, known, patients, not_kept;
    struct ml_args *json; /* a list of what each file gave; NULL: said as text */
    char job[32];         /* names our imports among the events */
    bool shown;           /* a line of progress stands on the terminal */
};

static int64_t number(const struct ml_value *v, const char *key)
{
    return ml_value_int(ml_value_get(v, key), 0);
}

static void totals_add(struct totals *t, const struct ml_value *v)
{
    t->files++;
    t->created += number(v, "created");
    t->known += number(v, "known");
    t->patients += number(v, "patients");
    t->not_kept += number(v, "leaves") - number(v, "leaves_kept");
}

/* ---- progress, on a terminal ---- */

static void progress_wipe(struct totals *t)
{
    if (t->shown) {
        fputs("\r\033[K", stderr);
        t->shown = false;
    }
}

static void on_progress(void *user, const char *name, const struct ml_value *v)
{
    struct totals *t = user;
    const char *stage = cli_text(v, "stage");
    (void)name;
    if (strcmp(cli_text(v, "job"), t->job) != 0) {
        return; /* of another window */
    }
    progress_wipe(t);
    if (strcmp(stage, "read") == 0) {
        fputs("lecture...\r", stderr);
    } else {
        fprintf(stderr, "%s : %lld sur %lld\r", /* an error is written over it */
                strcmp(stage, "check") == 0 ? "vérification" : "écriture",
                (long long)number(v, "done"), (long long)number(v, "total"));
    }
    t->shown = true;
    fflush(stderr);
}

/* False: nobody to talk to (said). */
static bool import_connect(struct cli *c, struct totals *t)
{
    if (!cli_connect(c)) {
        return false;
    }
    snprintf(t->job, sizeof(t->job), "maille-%ld", (long)getpid());
    cli_stoppable(c);
    if (!c->json && isatty(STDERR_FILENO)) {
        ml_err err = ml_client_subscribe(c->client, "progress", on_progress, t);
        (void)err; /* without progress the import is the same */
    }
    return true;
}

/* ---- files ---- */

/* One call a file: what came before a refused one stays, and an import that is cut goes on from the
 * file where it stopped (what is known already is not written twice). */
static int import_one(struct cli *c, const char *file, struct totals *t)
{
    char path[PATH_MAX];
    struct ml_tree *answer = NULL;
    if (realpath(file, path) == NULL) {
        fprintf(stderr, "maille : %s : %s\n", file,
                errno == ENOENT ? "ce fichier n'existe pas" : "ce fichier ne peut pas être lu");
        t->refused++;
        return CLI_FAILED;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "path", path);
    cli_param(params, "source", cli_option_value(c, "source"));
    cli_param(params, "team", cli_option_value(c, "team"));
    cli_param(params, "job", t->job);
    c->json = false; /* a refused file is said on stderr, the answer stays one document */
    int rc = cli_call(c, "import.fhir", params, &answer);
    c->json = t->json != NULL;
    progress_wipe(t);
    if (rc != CLI_DONE) {
        t->refused += !cli_stopped();
        return rc;
    }
    const struct ml_value *v = ml_tree_root(answer);
    totals_add(t, v);
    if (t->json != NULL) {
        ml_args_value(t->json, v);
    } else {
        printf("%s : %lld nouveaux, %lld déjà là\n", file, (long long)number(v, "created"),
               (long long)number(v, "known"));
    }
    ml_tree_free(answer);
    return CLI_DONE;
}

static void import_end(struct totals *t)
{
    struct ml_tree *tree = NULL;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_args_end(t->json);
    ml_args_key(t->json, "created");
    ml_args_int(t->json, t->created);
    ml_args_key(t->json, "known");
    ml_args_int(t->json, t->known);
    ml_args_key(t->json, "patients");
    ml_args_int(t->json, t->patients);
    ml_args_key(t->json, "refused");
    ml_args_int(t->json, t->refused);
    ml_args_key(t->json, "canceled");
    ml_args_bool(t->json, cli_stopped());
    ml_args_end(t->json);
    if (ml_args_encoded(t->json, &bytes, &len) == ML_OK &&
        ml_tree_parse(&tree, bytes, len) == ML_OK) {
        cli_print_json(ml_tree_root(tree));
    }
    ml_tree_free(tree);
    ml_args_free(t->json);
}

static void import_sum(const struct totals *t)
{
    printf("\n%lld fichiers, %lld patients, %lld éléments nouveaux, %lld déjà là",
           (long long)t->files, (long long)t->patients, (long long)t->created, (long long)t->known);
    if (t->refused > 0) {
        printf(", %lld fichiers refusés", (long long)t->refused);
    }
    putchar('\n');
}

static int import_fhir(struct cli *c)
{
    struct totals t = {0};
    int rc = cli_operands(c, 1, -1);
    if (rc != CLI_DONE) {
        return rc;
    }
    if (!import_connect(c, &t)) {
        return CLI_FAILED;
    }
    if (c->json) {
        t.json = ml_args_new();
        ml_args_map(t.json);
        ml_args_key(t.json, "files");
        ml_args_list(t.json);
    }
    for (int i = 0; i < c->operand_count; i++) {
        if (!c->json && c->operand_count > 1) {
            printf("[%d/%d] ", i + 1, c->operand_count);
            fflush(stdout);
        }
        int one = import_one(c, c->operands[i], &t);
        rc = one == CLI_DONE ? rc : one;
        if (cli_stopped()) {
            break;
        }
    }
    if (c->json) {
        import_end(&t);
    } else if (c->operand_count > 1) {
        import_sum(&t);
    }
    return rc;
}

static void show_generated(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("%lld patients, %lld éléments écrits (population inventée, graine %lld)\n",
           (long long)number(v, "patients"), (long long)number(v, "created"),
           (long long)number(v, "seed"));
}

static int gen(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    if (!cli_param_number(c, params, "seed", cli_option_value(c, "seed")) ||
        !cli_param_number(c, params, "patients", cli_option_value(c, "patients")) ||
        !cli_param_number(c, params, "visits", cli_option_value(c, "visits"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    ml_args_key(params, "day");
    ml_args_bool(params, cli_option_value(c, "day") != NULL);
    return cli_run_call(c, "gen.population", params, show_generated);
}

#ifdef ML_HAVE_DEMO
static int demo(struct cli *c)
{
    const struct ml_demo_options options = {.program = c->program,
                                            .fhir = cli_option_value(c, "fhir"),
                                            .keep = cli_option_value(c, "keep"),
                                            .json = c->json};
    if (cli_option_value(c, "desktop") != NULL) {
        fputs("maille : le bureau (maille-desktop) n'est pas encore de cette version ; sans "
              "--desktop, la démonstration se lit ici\n",
              stderr);
        return CLI_FAILED;
    }
    return ml_demo_run(&options) == 0 ? CLI_DONE : CLI_FAILED;
}

#endif

static const struct cli_option import_options[] = {
    {"source", "NOM", "d'où viennent les fichiers, gardé dans chaque élément", false},
    {"team", "NOM|ID", "équipe des nouveaux patients (défaut : votre première)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option gen_options[] = {
    {"seed", "N", "même graine, même population (défaut : 1)", false},
    {"patients", "N", "combien (défaut : 100)", false},
    {"visits", "N", "contacts passés de chacun (défaut : 3)", false},
    {"day", NULL, "une journée de travail du pôle avec ces patients, à la place", false},
    {NULL, NULL, NULL, false}};

#ifdef ML_HAVE_DEMO
static const struct cli_option demo_options[] = {
    {"fhir", "DOSSIER", "dossiers FHIR à importer (défaut : ceux du projet)", false},
    {"keep", "DOSSIER", "laisse trois postes en marche dans ce dossier", false},
    {"desktop", NULL, "ouvre aussi le bureau", false},
    {NULL, NULL, NULL, false}};

#endif

const struct cli_command cli_commands_import[] = {
    {"import fhir", "FICHIERS...", "Importe des dossiers FHIR R4 (.json, .json.gz)",
     "Un fichier refusé est nommé avec la place et la raison ; les autres entrent. Importer deux\n"
     "fois n'ajoute rien : un import interrompu se relance tel quel. Ctrl-C l'arrête proprement "
     "et\n"
     "dit où il en était ; ce qui est écrit reste. Avec la même --source, ce que des fichiers\n"
     "importés plus tôt ont apporté se retrouve par ses références.",
     "maille import fhir dossiers/*.json.gz", import_options, import_fhir},
    {"gen", NULL, "Invente une population française pour essayer", NULL,
     "maille gen --patients 200 --visits 5 --seed 1", gen_options, gen},
#ifdef ML_HAVE_DEMO
    {"demo", NULL, "Raconte le cœur de Maille avec trois postes sur cette machine", NULL,
     "maille demo --keep /tmp/maille-demo", demo_options, demo},
#endif
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
