/* tests/tools/rpc_call/main.c -- rpc_call METHOD [KEY=VALUE...]: one call of the node of
 * $MAILLE_HOME, texts only, for what the command line has no word for. Exit 0 done, 1 refused or
 * failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maille/client.h"

static struct ml_args *params_of(char **pairs)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    for (; *pairs != NULL; pairs++) {
        char *equal = strchr(*pairs, '=');
        if (equal != NULL) {
            *equal = '\0';
            ml_args_key(a, *pairs);
            ml_args_text(a, equal + 1);
        }
    }
    ml_args_end(a);
    return a;
}

int main(int argc, char **argv)
{
    const struct ml_client_options options = {.timeout_ms = 20000, .token_fd = -1};
    struct ml_client *client = NULL;
    struct ml_tree *answer = NULL;
    if (argc < 2) {
        fputs("rpc_call METHOD [KEY=VALUE...]\n", stderr);
        return 2;
    }
    struct ml_args *params = params_of(argv + 2);
    ml_err err = ml_client_open(&client, &options);
    if (err == ML_OK) {
        err = ml_client_request(client, &answer, argv[1], params, 0);
    }
    if (err != ML_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], ml_err_name(err));
    }
    ml_args_free(params);
    ml_tree_free(answer);
    ml_client_close(client);
    return err == ML_OK ? 0 : 1;
}
