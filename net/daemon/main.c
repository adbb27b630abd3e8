/* net/daemon/main.c -- mailled: the node of one home behind its local socket and its links.
 *
 *   flags -> harden -> [background] -> lock -> sockets -> node -> org thread -> ready -> loop
 *   SIGTERM, SIGINT -> batch ends, node closes, byes -> exit 0
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "core/crypto/secret.h"
#include "maille/client.h"
#include "net/client/place.h"
#include "net/daemon/instance.h"
#include "net/link/driver.h"
#include "net/link/uv_err.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, LINE_BYTES = 512 };

struct options {
    const char *home;
    const char *listen;
    bool foreground;
    bool test_keys;
};

struct daemon {
    struct options options;
    struct ml_place place;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct ml_driver *driver;
    int ready_fd;
};

static const char usage[] =
    "Usage : mailled [options]\n"
    "Maille sur un poste : garde les dossiers chiffrés, échange avec les autres postes,\n"
    "répond aux programmes de ce compte. La commande « maille » le lance au besoin.\n\n"
    "  --home DOSSIER     données (défaut : $MAILLE_HOME, sinon $XDG_DATA_HOME/maille)\n"
    "  --listen ADR:PORT  accepte les autres postes à cette adresse ; port 0 : au choix du\n"
    "                     système, écrit en JSON sur la sortie\n"
    "  --foreground       reste au premier plan, journal sur la sortie d'erreur\n"
    "  --test-keys        clés d'essai, rapides et faibles : pour les tests et la démonstration\n"
    "  --version          version du programme\n"
    "  --help             cette aide\n\n"
    "SIGTERM ou SIGINT : finit l'écriture en cours, ferme les liaisons, s'arrête.\n"
    "Code de sortie : 0 arrêt demandé, 1 échec, 2 mauvais usage.\n";

/* -1: go on; else an exit code. */
static int options_parse(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"home", required_argument, NULL, 'h'},
        {"listen", required_argument, NULL, 'l'},
        {"foreground", no_argument, NULL, 'f'},
        {"test-keys", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, '?' + 128},
        {NULL, 0, NULL, 0},
    };
    int c = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread yet
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'h':
            o->home = optarg;
            break;
        case 'l':
            o->listen = optarg;
            break;
        case 'f':
            o->foreground = true;
            break;
        case 't':
            o->test_keys = true;
            break;
        case 'v':
            puts("mailled " ML_VERSION);
            return EXIT_DONE;
        case '?' + 128:
            fputs(usage, stdout);
            return EXIT_DONE;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return -1;
}

/* What, why in the user's language, and where, as far as that is known. */
static int fail(const struct daemon *d, const char *what, ml_err err)
{
    char why[LINE_BYTES];
    (void)ml_text_error(why, sizeof(why), err, NULL);
    fprintf(stderr, "mailled : %s (%s). %s\n", what, ml_err_name(err), why);
    if (d->place.home[0] != '\0') {
        fprintf(stderr, "          données : %s\n          état : %s\n", d->place.home,
                d->place.state);
    } else if (d->options.home != NULL) {
        fprintf(stderr, "          données : %s\n", d->options.home);
    }
    return EXIT_FAILED;
}

/* --- running --- */

static void on_signal_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void daemon_on_closed(void *user)
{
    struct daemon *d = user;
    d->driver = NULL;
    for (size_t i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&d->signals[i], on_signal_closed);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    (void)number;
    if (d->driver != NULL) {
        ml_instance_notify("STOPPING=1");
        ml_driver_stop(d->driver, daemon_on_closed, d);
    }
}

static void daemon_watch_signals(struct daemon *d)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 2; i++) {
        (void)uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        (void)uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
}

static void daemon_say_ready(struct daemon *d)
{
    char line[LINE_BYTES];
    char log_path[PATH_MAX + 16];
    uint16_t port = ml_driver_port(d->driver);
    if (port != 0) {
        const char *colon = strrchr(d->options.listen, ':');
        snprintf(line, sizeof(line), "{\"listen\": \"%.*s:%u\", \"pid\": %d}",
                 (int)(colon - d->options.listen), d->options.listen, port, (int)getpid());
    } else {
        snprintf(line, sizeof(line), "{\"listen\": null, \"pid\": %d}", (int)getpid());
    }
    snprintf(log_path, sizeof(log_path), "%s/mailled.log", d->place.home);
    ml_instance_ready(d->ready_fd, line, log_path);
    ml_instance_notify("READY=1");
}

static ml_err daemon_open_node(struct daemon *d)
{
    struct ml_node *node = NULL;
    const struct ml_node_args args = {.env = ml_env_system(),
                                      .home = d->place.home,
                                      .state_home = d->place.state,
                                      .ports = ml_driver_ports(d->driver),
                                      .test_keys = d->options.test_keys};
    ml_err err = ml_node_open(&node, &args);
    if (err != ML_OK) {
        return err;
    }
    err = ml_driver_start(d->driver, node);
    if (err != ML_OK) {
        ml_node_close(node);
    }
    return err;
}

static int daemon_run(struct daemon *d)
{
    const struct ml_driver_args args = {
        .env = ml_env_system(),
        .loop = &d->loop,
        .socket = d->place.socket,
        .listen = d->options.listen,
        .calls = {ml_node_call, ml_node_cancel, ml_node_link_up, ml_node_link_message,
                  ml_node_link_sent, ml_node_link_down, ml_node_dial_failed, ml_node_tick,
                  ml_node_close},
        .times = ML_LINK_TIMES_DEFAULT,
    };
    int code = EXIT_DONE;
    ml_err err = ml_driver_open(&d->driver, &args);
    if (err != ML_OK) {
        code = fail(d, "impossible d'ouvrir la prise locale ou l'adresse d'écoute", err);
        uv_run(&d->loop, UV_RUN_DEFAULT);
        return code;
    }
    daemon_watch_signals(d);
    err = daemon_open_node(d);
    if (err == ML_OK) {
        daemon_say_ready(d);
    } else {
        code = fail(d, "impossible d'ouvrir les données", err);
        ml_driver_stop(d->driver, daemon_on_closed, d);
    }
    uv_run(&d->loop, UV_RUN_DEFAULT);
    return code;
}

static int daemon_start(struct daemon *d)
{
    int lock = -1;
    int other = 0;
    ml_err err = ml_place_find(&d->place, d->options.home, true);
    if (err != ML_OK) {
        return fail(d, "le dossier des données n'est pas utilisable", err);
    }
    if (!d->options.foreground) {
        err = ml_instance_detach(&d->ready_fd);
        if (err != ML_OK) {
            return fail(d, "impossible de passer en arrière-plan", err);
        }
    }
    err = ml_instance_lock(&lock, &other, d->place.home);
    if (err == ML_E_BUSY) {
        fprintf(stderr, "mailled : un autre mailled (processus %d) tient déjà ce dossier\n", other);
        return EXIT_FAILED;
    }
    if (err == ML_OK) {
        err = ml_crypto_init();
    }
    if (err != ML_OK || uv_loop_init(&d->loop) != 0) {
        return fail(d, "démarrage impossible", err == ML_OK ? ML_E_NOMEM : err);
    }
    int code = daemon_run(d);
    (void)uv_loop_close(&d->loop);
    ml_place_free(&d->place);
    close(lock); /* last: from here another may open the home */
    return code;
}

int main(int argc, char **argv)
{
    static struct daemon d = {.ready_fd = -1, .place = {.run_fd = -1}};
    int code = options_parse(&d.options, argc, argv);
    if (code >= 0) {
        return code;
    }
    ml_instance_harden();
    return daemon_start(&d);
}
