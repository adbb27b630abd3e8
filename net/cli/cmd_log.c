/* net/cli/cmd_log.c -- proofs: verify, and any bundle byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cli/tables.h"

static bool is_sound(const struct ml_value *v)
{
    return strcmp(cli_text(v, "integrity"), "ok") == 0;
}

static void show_verify(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {
        {"ops", "Opérations"},
        {"bundles", "Paquets"},
        {"patients", "Patients"},
        {"conflicts", "À concilier"},
        {"bodies_missing", "Contenus pas encore reçus"},
        {"chunks_missing", "Parties de documents pas encore reçues"},
        {"pending", "En attente de ce qui précède"},
        {"ops_unknown", "Pas compris par cette version"},
        {"waits_version", "En attente d'une version plus récente"},
        {"quarantined", "En quarantaine"},
        {"forks", "Journaux dédoublés"},
        {"state_hash", "Empreinte du journal"},
        {"view_hash", "Empreinte du dossier"},
        {"trace_hash", "Empreinte des traces"},
        {"frontier_digest", "Empreinte de ce qui est tenu"},
        {NULL, NULL}};
    (void)c;
    cli_print_map(v, columns);
    const bool sound = is_sound(v);
    puts(sound ? "Intégrité : tout est intact" : "Intégrité : ABÎMÉE");
    for (const struct ml_value *p = ml_value_at(ml_value_get(v, "problems"), 0); p != NULL;
         p = ml_value_next(p)) {
        printf("  %s\n", ml_value_text(p, ""));
    }
    if (!sound) {
        puts("Ce qui se lit encore est remis en ordre, le reste est redemandé aux autres postes :\n"
             "« maille doctor » dit où en est la réparation, puis refaites « maille verify ».");
    }
}

static int verify(struct cli *c)
{
    return cli_run_check(c, "verify", cli_params(c), (struct cli_check){show_verify, is_sound});
}

static void show_ranges(const struct ml_value *ranges, size_t indent)
{
    for (const struct ml_value *r = ml_value_at(ranges, 0); r != NULL; r = ml_value_next(r)) {
        int64_t at = ml_value_int(ml_value_get(r, "offset"), 0);
        int64_t len = ml_value_int(ml_value_get(r, "bytes"), 0);
        int depth = (int)ml_value_int(ml_value_get(r, "depth"), 0);
        printf("%*s%6lld  %5lld  %*s%s", (int)indent, "", (long long)at, (long long)len, 2 * depth,
               "", cli_text(r, "name"));
        if (cli_text(r, "value")[0] != '\0') {
            printf(" = %s", cli_text(r, "value"));
        }
        if (cli_text(r, "meaning")[0] != '\0') {
            printf("   (%s)", cli_text(r, "meaning"));
        }
        putchar('\n');
    }
}

static const char *verdict_text(const struct ml_value *bundle)
{
    static const struct {
        const char *verdict;
        const char *text;
    } verdicts[] = {
        {"accepted", "accepté"}, {"pending", "en attente"}, {"quarantined", "en quarantaine"}};
    const char *verdict = cli_text(bundle, "verdict");
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (strcmp(verdicts[i].verdict, verdict) == 0) {
            return verdicts[i].text;
        }
    }
    return verdict;
}

static void show_bundle(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {
        {"hash", "Empreinte"}, {"n", "Rang d'arrivée"}, {"bytes", "Octets"}, {NULL, NULL}};
    static const struct cli_column why[] = {{"reason", "Raison"}, {NULL, NULL}};
    cli_print_map(v, columns);
    printf("Verdict : %s\n", verdict_text(v));
    cli_print_map(v, why);
    if (cli_option_value(c, "explain") == NULL) {
        return;
    }
    puts("\n place  octets  contenu");
    show_ranges(ml_value_get(v, "ranges"), 0);
    for (const struct ml_value *op = ml_value_at(ml_value_get(v, "ops"), 0); op != NULL;
         op = ml_value_next(op)) {
        printf("\nopération %lld%s\n", (long long)ml_value_int(ml_value_get(op, "index"), 0),
               ml_value_bool(ml_value_get(op, "opened"), false) ? "" : " (pas de clé ici)");
        show_ranges(ml_value_get(op, "ranges"), 2);
    }
}

static int log_show(struct cli *c)
{
    int rc = cli_operands(c, 0, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "bundle", c->operand_count == 1 ? c->operands[0] : NULL);
    if (!cli_param_number(c, params, "n", cli_option_value(c, "n"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "log.show", params, show_bundle);
}

static const struct cli_option show_options[] = {
    {"explain", NULL, "chaque plage d'octets, nommée", false},
    {"n", "N", "le N-ième paquet arrivé sur ce poste", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_log[] = {
    {"verify", NULL, "Recalcule et compare tout ce que ce poste tient",
     "Deux postes qui montrent les mêmes empreintes, sans contenu manquant, tiennent le même\n"
     "dossier. Finit par 1 si quelque chose est abîmé ; c'est alors réparé (« maille doctor »).",
     "maille verify --json", NULL, verify},
    {"log show", "[PAQUET]", "Montre un paquet du journal (défaut : le dernier)", NULL,
     "maille log show --n 12 --explain", show_options, log_show},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
