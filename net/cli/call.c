/* net/cli/call.c -- calls of the node, their errors, passphrases. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "net/cli/command.h"

enum { TEXT_MAX = 1024, PASSPHRASE_MAX = 1024, CONNECT_MS = 20000 };

struct ml_args *cli_params(const struct cli *c)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    cli_param(a, "org", c->org);
    return a;
}

void cli_param(struct ml_args *a, const char *key, const char *value)
{
    if (value != NULL) {
        ml_args_key(a, key);
        ml_args_text(a, value);
    }
}

void cli_param_flag(const struct cli *c, struct ml_args *a, const char *name)
{
    if (cli_option_value(c, name) != NULL) {
        ml_args_key(a, name);
        ml_args_bool(a, true);
    }
}

/* {"error": {code, message, detail}} on standard output, as any other answer in JSON. */
static void error_json(ml_err err, const struct ml_value *detail, const char *message)
{
    struct ml_args *a = ml_args_new();
    struct ml_tree *tree = NULL;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_args_map(a);
    ml_args_key(a, "error");
    ml_args_map(a);
    cli_param(a, "code", ml_err_name(err));
    cli_param(a, "message", message);
    if (detail != NULL) {
        ml_args_key(a, "detail");
        ml_args_value(a, detail);
    }
    ml_args_end(a);
    ml_args_end(a);
    if (ml_args_encoded(a, &bytes, &len) == ML_OK && ml_tree_parse(&tree, bytes, len) == ML_OK) {
        cli_print_json(ml_tree_root(tree));
    }
    ml_tree_free(tree);
    ml_args_free(a);
}

static int error_print(const struct cli *c, ml_err err, const struct ml_value *detail)
{
    char text[TEXT_MAX];
    ml_text_error(text, sizeof(text), err, detail);
    if (c->json) {
        error_json(err, detail, text);
    }
    fprintf(stderr, "maille : %s\n", text);
    return CLI_FAILED;
}

bool cli_connect(struct cli *c)
{
    const struct ml_client_options options = {
        .home = c->home, .start = true, .timeout_ms = CONNECT_MS, .token_fd = c->token_fd};
    if (c->client != NULL) {
        return true;
    }
    ml_err err = ml_client_open(&c->client, &options);
    if (err != ML_OK) {
        error_print(c, err, NULL);
    }
    return err == ML_OK;
}

static volatile sig_atomic_t stopped;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

void cli_stoppable(struct cli *c)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) == 0) {
        ml_client_set_stop(c->client, &stopped);
    }
}

bool cli_stopped(void)
{
    return stopped != 0;
}

int cli_call(struct cli *c, const char *method, struct ml_args *params, struct ml_tree **answer)
{
    struct ml_tree *tree = NULL;
    *answer = NULL;
    ml_args_end(params);
    if (!cli_connect(c)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    ml_err err = ml_client_request(c->client, &tree, method, params, 0);
    ml_args_free(params);
    if (err != ML_OK) {
        error_print(c, err, ml_tree_root(tree));
        ml_tree_free(tree);
        return CLI_FAILED;
    }
    *answer = tree;
    return CLI_DONE;
}

static bool is_fine(const struct ml_value *answer)
{
    (void)answer;
    return true;
}

int cli_run_call(struct cli *c, const char *method, struct ml_args *params, cli_render *render)
{
    return cli_run_check(c, method, params, (struct cli_check){render, is_fine});
}

int cli_run_check(struct cli *c, const char *method, struct ml_args *params, struct cli_check check)
{
    struct ml_tree *answer = NULL;
    int rc = cli_call(c, method, params, &answer);
    if (rc == CLI_DONE && c->json) {
        cli_print_json(ml_tree_root(answer));
    } else if (rc == CLI_DONE) {
        check.render(c, ml_tree_root(answer));
    }
    if (rc == CLI_DONE && !check.is_sound(ml_tree_root(answer))) {
        rc = CLI_FAILED;
    }
    ml_tree_free(answer);
    return rc;
}

/* One line, without its end; false on an error, at the end of the input, when it is too long, or
 * at the byte `stop` (-1: none). */
static bool line_read(int fd, char line[PASSPHRASE_MAX], int stop)
{
    size_t len = 0;
    for (;;) {
        char byte = '\0';
        ssize_t n = read(fd, &byte, 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || byte == '\n') {
            line[len] = '\0';
            return n > 0 || len > 0;
        }
        if (len + 1 == PASSPHRASE_MAX || (unsigned char)byte == stop) {
            return false;
        }
        line[len++] = byte;
    }
}

static bool line_ask(const char *prompt, char line[PASSPHRASE_MAX])
{
    struct termios shown;
    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        fputs("maille : une phrase de passe se tape sur un terminal, ou vient par "
              "--passphrase-fd\n",
              stderr);
        return false;
    }
    struct termios hidden = shown;
    /* Ctrl-C must not leave a terminal that shows nothing: it ends the line, and is seen there. */
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    hidden.c_cc[VEOL] = shown.c_cc[VINTR];
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool read = line_read(STDIN_FILENO, line, shown.c_cc[VINTR]);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return read;
}

char *cli_passphrase(const struct cli *c, const char *prompt, bool twice)
{
    char *line = calloc(1, PASSPHRASE_MAX);
    char *again = calloc(1, PASSPHRASE_MAX);
    bool ok = line != NULL && again != NULL;
    if (ok && c->passphrase_fd >= 0) {
        ok = line_read(c->passphrase_fd, line, -1);
        if (!ok) {
            fputs("maille : pas de phrase de passe sur ce descripteur, ou trop longue\n", stderr);
        }
    } else if (ok) {
        ok = line_ask(prompt, line) && (!twice || line_ask("Encore une fois : ", again));
        if (ok && twice && strcmp(line, again) != 0) {
            fputs("maille : les deux saisies diffèrent\n", stderr);
            ok = false;
        }
    }
    cli_passphrase_free(again);
    if (!ok) {
        cli_passphrase_free(line);
        return NULL;
    }
    return line;
}

void cli_passphrase_free(char *passphrase)
{
    if (passphrase != NULL) {
        explicit_bzero(passphrase, PASSPHRASE_MAX);
        free(passphrase);
    }
}
