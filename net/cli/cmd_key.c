/* net/cli/cmd_key.c -- which keys this member holds, and what he waits for. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

static const char *state_of(const char *state)
{
    static const char *const words[][2] = {
        {"held", "détenue"},
        {"stale", "à renouveler à la prochaine écriture"},
        {"awaited", "ATTENDUE d'un collègue qui la détient"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], state) == 0) {
            return words[i][1];
        }
    }
    return state;
}

static void show_keys(const struct cli *c, const struct ml_value *v)
{
    const long long faulty = (long long)ml_value_int(ml_value_get(v, "faulty"), 0);
    const long long given_up = (long long)ml_value_int(ml_value_get(v, "given_up"), 0);
    (void)c;
    for (const struct ml_value *g = ml_value_at(ml_value_get(v, "groups"), 0); g != NULL;
         g = ml_value_next(g)) {
        printf("  %s%s%s : %s\n", cli_text(g, "name"), cli_text(g, "name")[0] != '\0' ? ", " : "",
               cli_text(g, "compartment"), state_of(cli_text(g, "state")));
    }
    if (faulty > given_up) {
        printf("%lld clé(s) reçue(s) ne s'ouvrent pas ; elles sont redemandées, sans rien faire.\n",
               faulty - given_up);
    }
    if (given_up > 0) {
        printf("%lld clé(s) reçue(s) ne s'ouvrent toujours pas après trois demandes : un "
               "coordinateur doit inscrire ce poste à nouveau.\n",
               given_up);
    }
}

static int key_list(struct cli *c)
{
    return cli_run_call(c, "key.list", cli_params(c), show_keys);
}

const struct cli_command cli_commands_key[] = {
    {"key list", NULL, "Dit quelles clés de groupe vous détenez et lesquelles vous attendez", NULL,
     "maille key list", NULL, key_list},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
