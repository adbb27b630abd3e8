/* net/cli/cmd_doctor.c -- what could keep this computer from working, in plain words with the
 * remedy. Looks from outside first, so that it works when the node does not. No patient data. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "net/cli/tables.h"
#include "net/client/place.h"

enum { TEXT_MAX = 300 };
#define DISK_LEAST_BYTES (200ull << 20)
#define DISK_LOW_BYTES   (2ull << 30)
#define YEAR_2026_S      1767225600

typedef enum finding {
    FINE,
    WARNING,
    BROKEN,
} finding;

struct doctor {
    struct cli *c;
    struct ml_args *out;
    struct ml_place place;
    bool has_place;
    unsigned counts[3];
};

static void say(struct doctor *d, finding what, const char *name, const char *text,
                const char *remedy)
{
    static const char *const marks[] = {"bon      ", "attention", "PANNE    "};
    static const char *const keys[] = {"ok", "warning", "broken"};
    d->counts[what]++;
    ml_args_map(d->out);
    cli_param(d->out, "check", name);
    cli_param(d->out, "state", keys[what]);
    cli_param(d->out, "text", text);
    cli_param(d->out, "remedy", remedy);
    ml_args_end(d->out);
    if (!d->c->json) {
        printf("%s  %s : %s\n", marks[what], name, text);
        if (remedy != NULL) {
            printf("           -> %s\n", remedy);
        }
    }
}

static void check_home(struct doctor *d)
{
    char meant[PATH_MAX] = "";
    char text[TEXT_MAX];
    struct stat st;
    ml_err err = ml_place_home(meant, d->c->home);
    if (err == ML_OK) {
        err = ml_place_find(&d->place, d->c->home, false);
    }
    d->has_place = err == ML_OK;
    if (err == ML_E_NOT_FOUND) {
        snprintf(text, sizeof(text), "%.200s n'existe pas encore", meant);
        say(d, WARNING, "dossier", text, "la première commande le crée");
        return;
    }
    if (err != ML_OK || stat(d->place.home, &st) != 0) {
        say(d, BROKEN, "dossier", "introuvable ou interdit",
            "vérifiez --home et les droits du dossier");
        return;
    }
    snprintf(text, sizeof(text), "%.200s", d->place.home);
    if (access(d->place.home, W_OK) != 0) { /* for root too where the disk is read-only */
        snprintf(text, sizeof(text), "%.200s : on ne peut pas y écrire", d->place.home);
        say(d, BROKEN, "dossier", text,
            "vérifiez son propriétaire, et que le disque n'est pas en lecture seule");
    } else if ((st.st_mode & 0077) != 0) {
        say(d, WARNING, "dossier", "d'autres comptes peuvent y entrer",
            "chmod 700 sur le dossier des données");
    } else {
        say(d, FINE, "dossier", text, NULL);
    }
}

static void check_disk(struct doctor *d)
{
    struct statvfs fs;
    char text[TEXT_MAX];
    if (!d->has_place || statvfs(d->place.home, &fs) != 0) {
        return;
    }
    unsigned long long bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
    snprintf(text, sizeof(text), "%.1f Go libres pour %.200s", (double)bytes / 1e9, d->place.home);
    if (bytes < DISK_LEAST_BYTES) {
        say(d, BROKEN, "disque", text, "faites de la place : rien ne peut plus être écrit");
    } else if (bytes < DISK_LOW_BYTES) {
        say(d, WARNING, "disque", text, "faites de la place bientôt");
    } else {
        say(d, FINE, "disque", text, NULL);
    }
}

static void check_clock(struct doctor *d)
{
    struct timex tx = {.modes = 0};
    char text[TEXT_MAX];
    struct tm tm;
    time_t now = time(NULL);
    int state = adjtimex(&tx);
    if (localtime_r(&now, &tm) == NULL ||
        strftime(text, sizeof(text), "%d/%m/%Y %H:%M", &tm) == 0) {
        text[0] = '\0';
    }
    if (now < YEAR_2026_S) {
        say(d, BROKEN, "horloge", text,
            "mettez la machine à l'heure : les soins seraient mal datés");
    } else if (state == TIME_ERROR || (tx.status & STA_UNSYNC) != 0) {
        say(d, WARNING, "horloge", text,
            "l'heure n'est pas réglée par le réseau : activez NTP (timedatectl set-ntp true)");
    } else {
        say(d, FINE, "horloge", text, NULL);
    }
}

static void check_memory(struct doctor *d)
{
    struct rlimit lock;
    if (getrlimit(RLIMIT_MEMLOCK, &lock) == 0 && lock.rlim_cur != RLIM_INFINITY &&
        lock.rlim_cur < (1u << 20)) {
        say(d, WARNING, "mémoire protégée", "moins d'un mégaoctet peut être tenu hors du disque",
            "augmentez la limite memlock du compte");
    } else {
        say(d, FINE, "mémoire protégée", "suffisante pour les clés", NULL);
    }
}

static void check_lock(struct doctor *d)
{
    char path[PATH_MAX + 8];
    char text[TEXT_MAX];
    char pid[16] = "";
    if (!d->has_place) {
        return;
    }
    snprintf(path, sizeof(path), "%s/lock", d->place.home);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
    if (held && pread(fd, pid, sizeof(pid) - 1, 0) > 0) {
        pid[strcspn(pid, "\n")] = '\0';
    }
    if (fd >= 0) {
        close(fd);
    }
    snprintf(text, sizeof(text), held ? "mailled tourne (processus %s)" : "mailled ne tourne pas",
             pid);
    say(d, FINE, "verrou", text, NULL);
}

static void check_socket(struct doctor *d)
{
    struct stat st;
    if (!d->has_place || stat(d->place.socket, &st) != 0) {
        say(d, FINE, "prise locale", "fermée (la prochaine commande lance mailled)", NULL);
        return;
    }
    if (st.st_uid != geteuid() || (st.st_mode & 0077) != 0) {
        say(d, BROKEN, "prise locale", "n'appartient pas qu'à vous",
            "arrêtez mailled et supprimez ce fichier");
    } else {
        say(d, FINE, "prise locale", "à vous seul", NULL);
    }
}

static void check_peers(struct doctor *d)
{
    struct ml_tree *tree = NULL;
    struct ml_args *params = cli_params(d->c);
    char text[TEXT_MAX];
    unsigned offline = 0;
    unsigned newer = 0;
    ml_args_end(params);
    ml_err err = ml_client_request(d->c->client, &tree, "sync.status", params, 0);
    ml_args_free(params);
    const struct ml_value *peers = ml_value_get(ml_tree_root(tree), "peers");
    if (err != ML_OK) {
        say(d, FINE, "liaisons", "non visibles : personne n'a déverrouillé", NULL);
        ml_tree_free(tree);
        return;
    }
    for (const struct ml_value *p = ml_value_at(peers, 0); p != NULL; p = ml_value_next(p)) {
        offline += strcmp(cli_text(p, "state"), "offline") == 0;
        newer += strcmp(cli_text(p, "last_error"), "VERSION") == 0;
    }
    if (newer > 0) {
        (void)ml_text(text, sizeof(text), "peer.version", NULL);
        say(d, WARNING, "version", text, "installez la plus récente sur ce poste");
    }
    snprintf(text, sizeof(text), "%zu postes connus, %u hors ligne", ml_value_count(peers),
             offline);
    say(d, offline > 0 ? WARNING : FINE, "liaisons", text,
        offline > 0 ? "vérifiez leur adresse (maille peer list), leur pare-feu, leur réseau"
                    : NULL);
    ml_tree_free(tree);
}

static const char *damage_remedy(const struct ml_value *damage)
{
    const char *file = cli_text(damage, "file");
    if (strcmp(file, "restored") == 0) {
        return "damage.link";
    }
    if (strcmp(file, "doubled") == 0) {
        return "damage.stop_one";
    }
    if (strcmp(file, "traces") == 0) { /* they aren't fsynced: decisions 16 */
        return "damage.traces_remedy";
    }
    const bool more = ml_value_int(ml_value_get(damage, "missing"), 0) > 0 ||
                      ml_value_bool(ml_value_get(damage, "unreadable"), false) ||
                      ml_value_bool(ml_value_get(damage, "cut"), false);
    return more ? "damage.wait" : "damage.disk";
}

/* What the node had to repair: until nothing is missing any more, a warning. */
static void say_damage(struct doctor *d, const struct ml_value *damage)
{
    enum { ID_MAX = 64 };
    char id[ID_MAX];
    char text[2 * TEXT_MAX];
    char remedy[2 * TEXT_MAX];
    const char *file = cli_text(damage, "file");
    const bool unreadable = ml_value_bool(ml_value_get(damage, "unreadable"), false);
    const bool cut = ml_value_bool(ml_value_get(damage, "cut"), false);
    const char *how = unreadable ? "_unreadable" : cut ? "_cut" : "";
    snprintf(id, sizeof(id), "damage.%s%s", file, how);
    size_t len = ml_text(text, sizeof(text), id, damage);
    if (cli_text(damage, "aside")[0] != '\0' && len + 2 < sizeof(text)) {
        text[len] = ' ';
        (void)ml_text(text + len + 1, sizeof(text) - len - 1, "damage.aside", damage);
    }
    (void)ml_text(remedy, sizeof(remedy), damage_remedy(damage), damage);
    const bool whole = strcmp(file, "restored") == 0 || strcmp(file, "doubled") == 0;
    say(d, WARNING, whole ? "copie de ce poste" : "fichier abîmé", text, remedy);
}

/* What a later program wrote, and this one keeps without showing it. */
static void say_unknown(struct doctor *d, const struct ml_value *org)
{
    static const struct {
        const char *count;
        const char *text;
    } kinds[] = {{"ops_unknown", "store.unknown"}, {"waits_version", "store.waits"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (ml_value_int(ml_value_get(org, kinds[i].count), 0) > 0) {
            char text[TEXT_MAX];
            (void)ml_text(text, sizeof(text), kinds[i].text, org);
            say(d, WARNING, "version", text, "installez la plus récente sur ce poste");
        }
    }
}

/* A writer of the structure signed two histories, here or on another computer. */
static void say_forks(struct doctor *d, const struct ml_value *org)
{
    if (ml_value_int(ml_value_get(org, "forks"), 0) > 0) {
        char text[2 * TEXT_MAX];
        char remedy[2 * TEXT_MAX];
        (void)ml_text(text, sizeof(text), "store.forked", org);
        (void)ml_text(remedy, sizeof(remedy), "store.forked_remedy", org);
        say(d, WARNING, "signatures", text, remedy);
    }
}

static void check_damage(struct doctor *d, const struct ml_value *status)
{
    const struct ml_value *org = ml_value_at(ml_value_get(status, "orgs"), 0);
    for (; org != NULL; org = ml_value_next(org)) {
        const char *keystore = cli_text(org, "keystore");
        if (keystore[0] != '\0') {
            char text[2 * TEXT_MAX];
            const bool newer = strcmp(keystore, "UNSUPPORTED") == 0;
            (void)ml_text(text, sizeof(text), newer ? "store.newer" : "damage.keystore_lost", NULL);
            say(d, BROKEN, "trousseau", keystore, text);
        }
        say_unknown(d, org);
        say_forks(d, org);
        const struct ml_value *damage = ml_value_at(ml_value_get(org, "damage"), 0);
        for (; damage != NULL; damage = ml_value_next(damage)) {
            say_damage(d, damage);
        }
    }
}

static void check_node(struct doctor *d)
{
    struct ml_tree *tree = NULL;
    const struct ml_client_options options = {
        .home = d->c->home, .start = false, .token_fd = d->c->token_fd};
    ml_err err = ml_client_open(&d->c->client, &options);
    if (err == ML_E_UNREACHABLE) {
        say(d, FINE, "version", "maille " ML_VERSION, NULL);
        return;
    }
    if (err == ML_OK) {
        err = ml_client_request(d->c->client, &tree, "node.status", NULL, 0);
    }
    const char *version = cli_text(ml_tree_root(tree), "version");
    if (err != ML_OK) {
        say(d, BROKEN, "mailled", ml_err_text(err),
            "arrêtez mailled ; la prochaine commande le relance");
    } else if (strcmp(version, ML_VERSION) != 0) {
        say(d, WARNING, "version", "mailled et maille n'ont pas la même",
            "arrêtez mailled ; la prochaine commande lance celle qui est installée");
    } else {
        say(d, FINE, "version", "maille " ML_VERSION ", mailled pareil", NULL);
    }
    check_damage(d, ml_tree_root(tree));
    ml_tree_free(tree);
    if (err == ML_OK) {
        check_peers(d);
    }
}

static int doctor(struct cli *c)
{
    struct doctor d = {.c = c, .out = ml_args_new(), .place = {.run_fd = -1}};
    struct ml_tree *tree = NULL;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_args_map(d.out);
    ml_args_key(d.out, "checks");
    ml_args_list(d.out);
    check_home(&d);
    check_disk(&d);
    check_clock(&d);
    check_memory(&d);
    check_lock(&d);
    check_socket(&d);
    check_node(&d);
    ml_args_end(d.out);
    ml_args_end(d.out);
    if (c->json && ml_args_encoded(d.out, &bytes, &len) == ML_OK &&
        ml_tree_parse(&tree, bytes, len) == ML_OK) {
        cli_print_json(ml_tree_root(tree));
    } else if (!c->json) {
        printf("\n%s\n", d.counts[BROKEN] > 0    ? "Il y a une panne à réparer."
                         : d.counts[WARNING] > 0 ? "Utilisable ; voir les points d'attention."
                                                 : "Tout est bon.");
    }
    ml_tree_free(tree);
    ml_args_free(d.out);
    ml_place_free(&d.place);
    return d.counts[BROKEN] > 0 ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cli_commands_doctor[] = {
    {"doctor", NULL, "Examine ce poste : horloge, disque, verrous, prise, liaisons, versions",
     "Chaque point dit ce qui va, ou ce qu'il faut faire. Aucune donnée de patient. Finit par 1\n"
     "s'il y a une panne.",
     "maille doctor", NULL, doctor},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
