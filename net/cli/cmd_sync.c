/* net/cli/cmd_sync.c -- peers and exchanges. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static void show_done(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("C'est fait.");
}

static int peer_add(struct cli *c)
{
    int rc = cli_operands(c, 2, 2);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "node", c->operands[0]);
    cli_param(params, "address", c->operands[1]);
    return cli_run_call(c, "peer.add", params, show_done);
}

static void show_peers(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {
        {"node", "POSTE"}, {"name", "NOM"}, {"address", "ADRESSE"}, {NULL, NULL}};
    (void)c;
    if (ml_value_count(ml_value_get(v, "peers")) == 0) {
        puts("Aucune adresse n'est notée ici : « maille peer add » en note une.");
        return;
    }
    cli_print_table(ml_value_get(v, "peers"), columns);
}

static int peer_list(struct cli *c)
{
    return cli_run_call(c, "peer.list", cli_params(c), show_peers);
}

static int sync_now(struct cli *c)
{
    return cli_run_call(c, "sync.now", cli_params(c), show_done);
}

static const char *state_text(const struct ml_value *peer)
{
    static const struct {
        const char *state;
        const char *text;
    } states[] = {{"offline", "hors ligne"},        {"start", "liaison en cours"},
                  {"hello", "comparaison"},         {"frontier", "comparaison"},
                  {"exchange", "échange en cours"}, {"live", "relié"},
                  {"closing", "fin de liaison"}};
    const char *state = cli_text(peer, "state");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].state, state) == 0) {
            return states[i].text;
        }
    }
    return state;
}

static void show_flow(const char *what, const struct ml_value *flow)
{
    int64_t planned = ml_value_int(ml_value_get(flow, "bundles_planned"), 0);
    int64_t done = ml_value_int(ml_value_get(flow, "bundles"), 0);
    int64_t chunks = ml_value_int(ml_value_get(flow, "chunks"), 0);
    if (planned == 0 && done == 0 && chunks == 0) {
        return;
    }
    printf("    %s : %lld", what, (long long)done);
    if (done < planned) { /* what is written meanwhile counts too, and stands in no plan */
        printf(" sur %lld", (long long)planned);
    }
    fputs(done > 1 || done < planned ? " paquets" : " paquet", stdout);
    if (chunks > 0) {
        printf(", %lld %s", (long long)chunks,
               chunks > 1 ? "morceaux de documents" : "morceau de document");
    }
    putchar('\n');
}

static void show_status(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    const struct ml_value *peers = ml_value_get(v, "peers");
    if (ml_value_bool(ml_value_get(v, "paused"), false)) {
        puts("Échanges en pause (« maille sync resume » les reprend).");
    }
    if (ml_value_count(peers) == 0) {
        puts("Aucun autre poste n'est connu (« maille peer add »).");
    }
    for (const struct ml_value *p = ml_value_at(peers, 0); p != NULL; p = ml_value_next(p)) {
        const bool same = ml_value_bool(ml_value_get(p, "synced"), false);
        printf("%.8s  %s : %s, %s\n", cli_text(p, "node"), cli_text(p, "name"), state_text(p),
               ml_value_bool(ml_value_get(p, "drains"), false)
                   ? "révoqué : ne reçoit que sa révocation"
               : same ? "même dossier"
                      : "pas encore le même dossier");
        if (strcmp(cli_text(p, "last_error"), "VERSION") == 0) {
            char text[300];
            (void)ml_text(text, sizeof(text), "peer.version", NULL);
            printf("    %s\n", text);
        }
        show_flow("reçu", ml_value_get(p, "in"));
        show_flow("envoyé", ml_value_get(p, "out"));
    }
}

static int sync_status(struct cli *c)
{
    return cli_run_call(c, "sync.status", cli_params(c), show_status);
}

static int sync_wait(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "until", cli_option_value(c, "until"));
    if (!cli_param_number(c, params, "timeout_ms", cli_option_value(c, "timeout-ms")) ||
        !cli_param_number(c, params, "peers", cli_option_value(c, "peers"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "sync.wait", params, show_done);
}

static int sync_pause(struct cli *c)
{
    return cli_run_call(c, "sync.pause", cli_params(c), show_done);
}

static int sync_resume(struct cli *c)
{
    return cli_run_call(c, "sync.resume", cli_params(c), show_done);
}

static const struct cli_option wait_options[] = {
    {"until", "synced|frontier=...",
     "synced (défaut) : la même chose sur tous les postes joints ; frontier= : ce poste a reçu "
     "jusque-là",
     false},
    {"peers", "N", "au moins N postes joints (défaut : 1 ; avec synced)", false},
    {"timeout-ms", "N", "n'attend pas plus longtemps (défaut : autant qu'il faut)", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_sync[] = {
    {"peer add", "POSTE HÔTE:PORT", "Dit où répond un autre poste de la structure", NULL,
     "maille peer add 3f2a... 192.168.1.12:7415", NULL, peer_add},
    {"peer list", NULL, "Liste les postes et leurs adresses", NULL, "maille peer list", NULL,
     peer_list},
    {"sync now", NULL, "Échange tout de suite avec tous les postes connus", NULL, "maille sync now",
     NULL, sync_now},
    {"sync status", NULL, "Dit où en sont les échanges, poste par poste", NULL,
     "maille sync status", NULL, sync_status},
    {"sync wait", NULL, "Attend que les postes joints aient le même dossier",
     "--until frontier=EMPREINTE attend que ce poste ait exactement ce que l'empreinte résume :\n"
     "frontier_digest de « verify --json » ou de « sync status --json » d'un autre poste.\n"
     "--until frontier=AUTEUR/VOIE/NUMÉRO,... attend qu'il ait au moins chacun de ces paquets,\n"
     "tels que « frontier » de « sync status --json » les liste. La voie 2 (traces) ne s'attend\n"
     "pas. Fin 1 quand --timeout-ms est passé.",
     "maille sync wait --until synced --timeout-ms 60000", wait_options, sync_wait},
    {"sync pause", NULL, "Suspend les échanges (mode avion)", NULL, "maille sync pause", NULL,
     sync_pause},
    {"sync resume", NULL, "Reprend les échanges", NULL, "maille sync resume", NULL, sync_resume},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
