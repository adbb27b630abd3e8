/* net/demo.c -- see demo.h: a table of steps, each a sentence and what proves it.
 *
 * Two desks, A (the founder, a physician) and B (a second physician), and C, the nurse's laptop.
 * All calls go through client.h, as any other program's. A step that doesn't show what it must ends
 * the story; nothing is retried, nothing sleeps: what takes time is waited for (sync.wait).
 */
#include "net/demo.h"

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/demo_nodes.h"

enum { FILES_MAX = 64, BURST = 120, BURST_ACKED = 40, SAY_MAX = 1024, FILES_LATER = 6 };

struct demo {
    const struct ml_demo_options *options;
    struct demo_node nodes[DEMO_NODES];
    char folder[DEMO_PATH];
    char fhir[DEMO_PATH];
    char *files[FILES_MAX];
    size_t file_count;
    char patient[DEMO_ID];
    char patient_name[160];
    char treatment[DEMO_ID];
    char say[SAY_MAX]; /* what the step showed */
    size_t steps_done;
};

enum { A, B, C };

struct proof {
    char state[72];
    char view[72];
    int64_t ops;
    int64_t patients;
    int64_t conflicts;
    int64_t missing;
};

static bool say(struct demo *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool say(struct demo *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    vsnprintf(d->say, sizeof(d->say), format, args);
    va_end(args);
    return true;
}

static bool wrong(struct demo *d, const char *why)
{
    snprintf(d->say, sizeof(d->say), "%s", why);
    return false;
}

static bool failed(struct demo *d, const struct demo_node *n)
{
    return wrong(d, n->error);
}

static void keep_text(const struct ml_value *v, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", ml_value_text(ml_value_get(v, key), ""));
}

/* ---- files ---- */

static int file_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_fhir(const char *name)
{
    size_t len = strlen(name);
    return (len > 5 && strcmp(name + len - 5, ".json") == 0) ||
           (len > 8 && strcmp(name + len - 8, ".json.gz") == 0);
}

static bool files_list(struct demo *d)
{
    DIR *dir = opendir(d->fhir);
    struct dirent *entry = NULL;
    while (dir != NULL && d->file_count < FILES_MAX && (entry = readdir(dir)) != NULL) {
        char path[DEMO_PATH * 2];
        snprintf(path, sizeof(path), "%s/%s", d->fhir, entry->d_name);
        if (is_fhir(entry->d_name)) {
            d->files[d->file_count] = realpath(path, NULL);
            d->file_count += d->files[d->file_count] != NULL;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    qsort(d->files, d->file_count, sizeof(d->files[0]), file_compare);
    return d->file_count >= (size_t)2 * FILES_LATER ||
           wrong(d, "il faut au moins douze fichiers FHIR");
}

/* ---- calls with a meaning ---- */

static bool import_one(struct demo *d, struct demo_node *n, const char *file, int64_t *created)
{
    struct ml_args *a = demo_params();
    demo_text(a, "path", file);
    const struct ml_value *answer = demo_call(n, "import.fhir", a);
    if (answer == NULL) {
        return failed(d, n);
    }
    *created += ml_value_int(ml_value_get(answer, "created"), 0);
    return true;
}

static bool synced(struct demo *d, struct demo_node *n)
{
    struct ml_args *a = demo_params();
    demo_text(a, "until", "synced");
    ml_args_key(a, "timeout_ms");
    ml_args_int(a, 300000); /* a guard against hanging, far above what is expected */
    return demo_call(n, "sync.wait", a) != NULL || failed(d, n);
}

static bool pause_set(struct demo *d, struct demo_node *n, bool paused)
{
    return demo_call(n, paused ? "sync.pause" : "sync.resume", demo_params()) != NULL ||
           failed(d, n);
}

static bool verify(struct demo *d, struct demo_node *n, struct proof *p)
{
    const struct ml_value *v = demo_call(n, "verify", demo_params());
    if (v == NULL) {
        return failed(d, n);
    }
    keep_text(v, "state_hash", p->state, sizeof(p->state));
    keep_text(v, "view_hash", p->view, sizeof(p->view));
    p->ops = ml_value_int(ml_value_get(v, "ops"), -1);
    p->patients = ml_value_int(ml_value_get(v, "patients"), -1);
    p->conflicts = ml_value_int(ml_value_get(v, "conflicts"), -1);
    p->missing = ml_value_int(ml_value_get(v, "bodies_missing"), -1) +
                 ml_value_int(ml_value_get(v, "chunks_missing"), -1) +
                 ml_value_int(ml_value_get(v, "pending"), -1);
    return strcmp(ml_value_text(ml_value_get(v, "integrity"), ""), "ok") == 0 ||
           wrong(d, "la vérification trouve un dommage");
}

/* The three nodes hold the same record, whole. */
static bool all_equal(struct demo *d, struct proof *p)
{
    struct proof other;
    if (!verify(d, &d->nodes[A], p)) {
        return false;
    }
    for (int i = B; i <= C; i++) {
        if (!verify(d, &d->nodes[i], &other)) {
            return false;
        }
        if (strcmp(p->state, other.state) != 0 || strcmp(p->view, other.view) != 0) {
            return wrong(d, "les empreintes des postes diffèrent");
        }
        if (p->missing + other.missing != 0) {
            return wrong(d, "il manque des entrées sur un poste");
        }
    }
    return true;
}

static bool settle_all(struct demo *d)
{
    return synced(d, &d->nodes[B]) && synced(d, &d->nodes[C]) && synced(d, &d->nodes[A]);
}

/* ---- steps ---- */

static bool step_found(struct demo *d)
{
    struct demo_node *a = &d->nodes[A];
    struct ml_args *p = demo_params();
    demo_text(p, "name", "Maison de santé des Tilleuls");
    demo_text(p, "member_name", "Dr Anne Morel");
    demo_text(p, "node_name", "bureau A");
    demo_text(p, "passphrase", demo_passphrase);
    if (!demo_start(a)) {
        return failed(d, a);
    }
    const struct ml_value *v = demo_enter(a, "org.found", p);
    if (v == NULL) {
        return failed(d, a);
    }
    keep_text(v, "member", a->member, sizeof(a->member));
    keep_text(v, "node", a->node, sizeof(a->node));
    return say(d, "le Dr Morel fonde la structure sur le bureau A ; il reçoit ses mots de secours "
                  "et, à part, "
                  "ceux de la structure");
}

static bool step_import(struct demo *d)
{
    int64_t created = 0;
    size_t count = d->file_count - FILES_LATER;
    struct proof p;
    for (size_t i = 0; i < count; i++) {
        if (!import_one(d, &d->nodes[A], d->files[i], &created)) {
            return false;
        }
    }
    int64_t again = 0;
    if (!import_one(d, &d->nodes[A], d->files[0], &again) || !verify(d, &d->nodes[A], &p)) {
        return false;
    }
    if (again != 0) {
        return wrong(d, "importer deux fois a ajouté quelque chose");
    }
    return say(d,
               "%zu fichiers FHIR importés sur A : %lld patients, %lld entrées ; importer deux "
               "fois le premier n'ajoute rien",
               count, (long long)p.patients, (long long)created);
}

static bool join(struct demo *d, int which, const char *name, int role, const char *place)
{
    struct demo_node *a = &d->nodes[A];
    struct demo_node *n = &d->nodes[which];
    char code[256];
    char member[DEMO_ID];
    char address[64];
    struct ml_args *p = demo_params();
    demo_text(p, "name", name);
    ml_args_key(p, "role");
    ml_args_int(p, role);
    const struct ml_value *v = demo_call(a, "member.add", p);
    if (v == NULL) {
        return failed(d, a);
    }
    keep_text(v, "member", member, sizeof(member));
    p = demo_params();
    demo_text(p, "member", member);
    v = demo_call(a, "enrol.code", p);
    if (v == NULL) {
        return failed(d, a);
    }
    keep_text(v, "code", code, sizeof(code));
    if (!demo_start(n)) {
        return failed(d, n);
    }
    snprintf(address, sizeof(address), "127.0.0.1:%u", a->port);
    p = demo_params();
    demo_text(p, "code", code);
    demo_text(p, "address", address);
    demo_text(p, "node_name", place);
    demo_text(p, "passphrase", demo_passphrase);
    v = demo_enter(n, "enrol.join", p);
    if (v == NULL) {
        return failed(d, n);
    }
    keep_text(v, "member", n->member, sizeof(n->member));
    keep_text(v, "node", n->node, sizeof(n->node));
    return synced(d, n);
}

static bool step_join(struct demo *d)
{
    struct proof p;
    if (!join(d, B, "Dr Paul Nguyen", 10, "bureau B") ||
        !join(d, C, "Inès Leroy, infirmière", 60, "portable C") || !all_equal(d, &p)) {
        return false;
    }
    return say(d,
               "le Dr Nguyen (bureau B) et Inès Leroy (portable C) entrent avec un code à usage "
               "unique et copient tout : %lld patients chacun, empreintes égales",
               (long long)p.patients);
}

/* A patient with a treatment under way. */
static bool choose_patient(struct demo *d)
{
    struct demo_node *a = &d->nodes[A];
    struct ml_args *p = demo_params();
    char ids[FILES_MAX][DEMO_ID];
    size_t count = 0;
    ml_args_key(p, "limit");
    ml_args_int(p, FILES_MAX);
    const struct ml_value *v = ml_value_get(demo_call(a, "patient.find", p), "items");
    for (v = ml_value_at(v, 0); v != NULL && count < FILES_MAX; v = ml_value_next(v)) {
        keep_text(v, "patient", ids[count++], DEMO_ID);
    }
    for (size_t i = 0; i < count; i++) {
        p = demo_params();
        demo_text(p, "patient", ids[i]);
        ml_args_key(p, "entities");
        ml_args_list(p);
        ml_args_text(p, "treatment");
        ml_args_end(p);
        v = ml_value_at(ml_value_get(demo_call(a, "timeline.list", p), "items"), 0);
        if (v != NULL) {
            memcpy(d->patient, ids[i], DEMO_ID);
            keep_text(v, "object", d->treatment, sizeof(d->treatment));
            keep_text(v, "title", d->patient_name, sizeof(d->patient_name));
            return true;
        }
    }
    return wrong(d, "aucun patient n'a de traitement");
}

/* Fields of one entry: name, value, name, value ... NULL. */
static bool add(struct demo *d, struct demo_node *n, const char *entity, const char *const *fields)
{
    struct ml_args *p = demo_params();
    demo_text(p, "entity", entity);
    demo_text(p, "patient", d->patient);
    ml_args_key(p, "fields");
    ml_args_map(p);
    for (; fields[0] != NULL; fields += 2) {
        demo_text(p, fields[0], fields[1]);
    }
    ml_args_end(p);
    return demo_call(n, "record.add", p) != NULL || failed(d, n);
}

static bool dose_set(struct demo *d, struct demo_node *n, const char *posology)
{
    struct ml_args *p = demo_params();
    demo_text(p, "patient", d->patient);
    demo_text(p, "object", d->treatment);
    demo_text(p, "reason", "adaptation de la dose");
    ml_args_key(p, "fields");
    ml_args_map(p);
    demo_text(p, "drug", d->patient_name);
    demo_text(p, "posology", posology);
    ml_args_end(p);
    return demo_call(n, "record.amend", p) != NULL || failed(d, n);
}

static bool step_offline(struct demo *d)
{
    static const char *const measure[] = {"code",     "8867-4",           "value", "72 /min",
                                          "taken_at", "2026-03-02T09:10", NULL};
    static const char *const vaccine[] = {
        "vaccine", "J07BB", "status", "completed", "given_at", "2026-03-02T09:20", NULL};
    static const char *const note[] = {"data", "Passage à domicile : patient stable, bon moral.",
                                       "written_at", "2026-03-02T09:25", NULL};
    struct demo_node *c = &d->nodes[C];
    if (!choose_patient(d) || !pause_set(d, c, true) || !add(d, c, "observation", measure) ||
        !add(d, c, "immunisation", vaccine) || !add(d, c, "care_note", note) ||
        !dose_set(d, c, "1 comprimé matin et soir")) {
        return false;
    }
    return say(d,
               "le portable C est coupé du réseau ; Inès y note une visite : une mesure, une "
               "vaccination, une transmission, et change la dose de « %s »",
               d->patient_name);
}

static bool step_meanwhile(struct demo *d)
{
    if (!dose_set(d, &d->nodes[A], "2 comprimés le matin") || !synced(d, &d->nodes[B])) {
        return false;
    }
    return say(d, "pendant ce temps le Dr Morel change la même dose sur A ; B la reçoit aussitôt");
}

static bool conflicts_count(struct demo *d, struct demo_node *n, size_t *count)
{
    struct ml_args *p = demo_params();
    demo_text(p, "patient", d->patient);
    const struct ml_value *v = demo_call(n, "conflicts.list", p);
    if (v == NULL) {
        return failed(d, n);
    }
    *count = ml_value_count(ml_value_get(v, "items"));
    return true;
}

/* Both values, each with author and time, of the conflict that node `n` shows. */
static bool conflict_describe(struct demo *d, struct demo_node *n, char *out, size_t size)
{
    struct ml_args *p = demo_params();
    size_t len = 0;
    demo_text(p, "patient", d->patient);
    const struct ml_value *v = demo_call(n, "conflicts.list", p);
    v = ml_value_get(ml_value_at(ml_value_get(v, "items"), 0), "heads");
    size_t heads = ml_value_count(v);
    out[0] = '\0';
    for (v = ml_value_at(v, 0); v != NULL && len < size; v = ml_value_next(v)) {
        const struct ml_value *author = ml_value_get(v, "author");
        int put = snprintf(out + len, size - len, "\n        · %s\n          %s, %s",
                           ml_value_text(ml_value_get(v, "text"), "?"),
                           ml_value_text(ml_value_get(author, "name"), "auteur inconnu"),
                           ml_value_text(ml_value_get(v, "recorded_text"), ""));
        len += put > 0 ? (size_t)put : 0;
    }
    return heads == 2 || wrong(d, "le conflit ne montre pas les deux valeurs");
}

static bool step_return(struct demo *d)
{
    struct proof p;
    char heads[700];
    size_t count = 0;
    if (!pause_set(d, &d->nodes[C], false) || !settle_all(d) || !all_equal(d, &p)) {
        return false;
    }
    for (int i = A; i <= C; i++) {
        if (!conflicts_count(d, &d->nodes[i], &count)) {
            return false;
        }
        if (count != 1) {
            return wrong(d, "le conflit de dose n'est pas sur chaque poste");
        }
    }
    if (!conflict_describe(d, &d->nodes[B], heads, sizeof(heads))) {
        return false;
    }
    return say(d,
               "C revient : les trois postes ont le même dossier (empreintes égales), et la dose "
               "est « à concilier » sur chacun :%s",
               heads);
}

static bool step_resolve(struct demo *d)
{
    struct proof p;
    size_t left = 0;
    if (!dose_set(d, &d->nodes[B], "1 comprimé matin et soir") || !settle_all(d)) {
        return false;
    }
    for (int i = A; i <= C; i++) {
        size_t count = 0;
        if (!conflicts_count(d, &d->nodes[i], &count)) {
            return false;
        }
        left += count;
    }
    if (left != 0 || !all_equal(d, &p)) {
        return left != 0 ? wrong(d, "le conflit réglé reste affiché") : false;
    }
    return say(d, "le Dr Nguyen tranche sur B ; le conflit disparaît de tous les postes");
}

static bool restart(struct demo *d, struct demo_node *n)
{
    return (demo_start(n) && demo_unlock(n)) || failed(d, n);
}

/* Killed while it imports: what was acknowledged is there; importing again adds the rest. */
static bool step_kill_import(struct demo *d)
{
    struct demo_node *c = &d->nodes[C];
    size_t first = d->file_count - FILES_LATER;
    int64_t acked = 0;
    int64_t rest = 0;
    struct proof before;
    struct proof after;
    uint64_t ticket = 0;
    if (!verify(d, c, &before) || !import_one(d, c, d->files[first], &acked)) {
        return false;
    }
    struct ml_args *p = demo_params();
    demo_text(p, "path", d->files[first + 1]);
    ml_args_end(p);
    const struct ml_ask ask = {.method = "import.fhir", .params = p};
    ml_err err = ml_client_call(c->client, &ticket, &ask);
    if (err == ML_OK) {
        err = ml_client_work(c->client, 0); /* the call is on its way; nothing is waited for */
    }
    ml_args_free(p);
    demo_kill(c);
    if ((err != ML_OK && err != ML_E_TIMEOUT) || !restart(d, c) || !verify(d, c, &after)) {
        return err != ML_OK && err != ML_E_TIMEOUT ? wrong(d, ml_err_text(err)) : false;
    }
    if (after.ops < before.ops + acked) {
        return wrong(d, "une entrée acquittée manque après l'arrêt brutal");
    }
    for (size_t i = first; i < first + 3; i++) {
        if (!import_one(d, c, d->files[i], &rest)) {
            return false;
        }
    }
    return say(
        d,
        "kill -9 de C au milieu d'un import : les %lld entrées acquittées sont là, reprendre "
        "l'import ajoute les %lld autres",
        (long long)acked, (long long)rest);
}

struct burst {
    struct demo *d;
    char objects[BURST][DEMO_ID];
    size_t acked;
};

static void burst_answer(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    struct burst *b = user;
    (void)ticket;
    if (answer->err == ML_OK && b->acked < BURST) {
        keep_text(answer->result, "object", b->objects[b->acked++], DEMO_ID);
    }
}

static bool burst_send(struct demo *d, struct burst *b, int i)
{
    char value[32];
    uint64_t ticket = 0;
    struct ml_args *p = demo_params();
    snprintf(value, sizeof(value), "%d /min", 60 + i % 40);
    demo_text(p, "entity", "observation");
    demo_text(p, "patient", d->patient);
    ml_args_key(p, "fields");
    ml_args_map(p);
    demo_text(p, "code", "8867-4");
    demo_text(p, "value", value);
    demo_text(p, "taken_at", "2026-03-02T10:00");
    ml_args_end(p);
    ml_args_end(p);
    const struct ml_ask ask = {
        .method = "record.add", .params = p, .done = burst_answer, .user = b};
    ml_err err = ml_client_call(d->nodes[C].client, &ticket, &ask);
    ml_args_free(p);
    return err == ML_OK || wrong(d, ml_err_text(err));
}

/* Killed in a burst of writes: each acknowledged entry is in the record afterwards. */
static bool step_kill_burst(struct demo *d)
{
    struct demo_node *c = &d->nodes[C];
    struct burst *b = calloc(1, sizeof(*b));
    bool ok = b != NULL;
    for (int i = 0; ok && i < BURST; i++) {
        ok = burst_send(d, b, i);
    }
    while (ok && b->acked < BURST_ACKED) {
        ml_err err = ml_client_work(c->client, -1);
        ok = err == ML_OK || wrong(d, ml_err_text(err));
    }
    demo_kill(c);
    ok = ok && restart(d, c);
    for (size_t i = 0; ok && i < b->acked; i++) {
        struct ml_args *p = demo_params();
        demo_text(p, "patient", d->patient);
        demo_text(p, "object", b->objects[i]);
        ok = demo_call(c, "record.show", p) != NULL || failed(d, c);
    }
    if (ok) {
        say(d, "kill -9 de C dans une rafale d'écritures : les %zu acquittées sont toutes là",
            b->acked);
    }
    free(b);
    return ok;
}

static void on_sync_changed(void *user, const char *name, const struct ml_value *params)
{
    (void)name;
    (void)params;
    *(bool *)user = true;
}

/* Killed in the middle of an exchange: it goes on by itself, and all meet. */
static bool step_kill_sync(struct demo *d)
{
    struct demo_node *c = &d->nodes[C];
    bool moving = false;
    int64_t created = 0;
    struct proof p;
    if (!pause_set(d, c, true)) {
        return false;
    }
    for (size_t i = d->file_count - 3; i < d->file_count; i++) {
        if (!import_one(d, &d->nodes[A], d->files[i], &created)) {
            return false;
        }
    }
    ml_err err = ml_client_subscribe(c->client, "sync.changed", on_sync_changed, &moving);
    if (err != ML_OK || !pause_set(d, c, false)) {
        return false;
    }
    while (!moving && err == ML_OK) {
        err = ml_client_work(c->client, -1);
    }
    demo_kill(c);
    if (!restart(d, c) || !settle_all(d) || !all_equal(d, &p)) {
        return false;
    }
    return say(d,
               "kill -9 de C au milieu d'un échange : il reprend seul ; %lld patients, %lld "
               "entrées, empreintes égales sur les trois postes",
               (long long)p.patients, (long long)p.ops);
}

struct step {
    const char *title;
    bool (*run)(struct demo *d);
};

static const struct step steps[] = {
    {"Fonder", step_found},
    {"Reprendre les dossiers", step_import},
    {"Deux collègues arrivent", step_join},
    {"Une visite sans réseau", step_offline},
    {"Pendant ce temps", step_meanwhile},
    {"Le retour", step_return},
    {"Concilier", step_resolve},
    {"Panne pendant un import", step_kill_import},
    {"Panne pendant l'écriture", step_kill_burst},
    {"Panne pendant un échange", step_kill_sync},
};

/* ---- the frame ---- */

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A sentence of ours inside JSON: quotes and line ends escaped. */
static void json_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            putchar('\\');
        }
        if (*p == '\n') {
            fputs("\\n", stdout);
        } else {
            putchar(*p);
        }
    }
}

static void step_print(const struct demo *d, size_t i, bool ok, double seconds)
{
    if (d->options->json) {
        printf(
            "%s\n  {\"step\": %zu, \"title\": \"%s\", \"ok\": %s, \"seconds\": %.2f, \"shown\": \"",
            i == 0 ? "" : ",", i + 1, steps[i].title, ok ? "true" : "false", seconds);
        json_text(d->say);
        fputs("\"}", stdout);
    } else {
        printf("%s %2zu. %s (%.1f s)\n      %s\n", ok ? "✓" : "✗", i + 1, steps[i].title, seconds,
               d->say);
    }
    fflush(stdout);
}

static bool steps_run(struct demo *d)
{
    const size_t count = sizeof(steps) / sizeof(steps[0]);
    for (size_t i = 0; i < count; i++) {
        double start = now_s();
        bool ok = steps[i].run(d);
        step_print(d, i, ok, now_s() - start);
        if (!ok) {
            return false;
        }
        d->steps_done++;
    }
    return true;
}

static bool demo_open(struct demo *d)
{
    static const char *const names[] = {"bureau A", "bureau B", "portable C"};
    const char *slash = strrchr(d->options->program, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - d->options->program) + 1;
    if (d->options->keep != NULL) {
        snprintf(d->folder, sizeof(d->folder), "%s", d->options->keep);
    } else {
        const char *tmp = getenv("TMPDIR");
        snprintf(d->folder, sizeof(d->folder), "%s/maille-demo-XXXXXX", tmp == NULL ? "/tmp" : tmp);
        if (mkdtemp(d->folder) == NULL) {
            return wrong(d, "pas de dossier temporaire");
        }
    }
    snprintf(d->fhir, sizeof(d->fhir), "%s",
             d->options->fhir == NULL ? "tests/data/fhir-r4" : d->options->fhir);
    for (int i = A; i <= C; i++) {
        struct demo_node *n = &d->nodes[i];
        n->name = names[i];
        snprintf(n->daemon, sizeof(n->daemon), "%.*smailled", (int)len, d->options->program);
        snprintf(n->home, sizeof(n->home), "%.400s/%c", d->folder, 'a' + i);
    }
    return files_list(d);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Five commands to try on the nodes that stay. */
static void keep_print(const struct demo *d)
{
    const char *maille = d->options->program;
    const char *a = d->nodes[A].home;
    printf("\nLes trois postes tournent. Phrase de passe : « %s ».\nÀ essayer :\n",
           demo_passphrase);
    printf("  %s unlock --home %s\n", maille, a);
    printf("  %s patient show --home %s %s\n", maille, a, d->patient);
    printf("  %s timeline --home %s %s\n", maille, a, d->patient);
    printf("  %s sync status --home %s\n", maille, a);
    printf("  %s verify --json --home %s\n", maille, d->nodes[C].home);
    printf("Pour les arrêter :");
    for (int i = A; i <= C; i++) {
        printf("%s%d", i == A ? " kill " : " ", (int)d->nodes[i].pid);
    }
    putchar('\n');
}

static bool demo_close(struct demo *d, bool keep)
{
    bool ok = true;
    for (int i = A; i <= C; i++) {
        if (keep) {
            demo_forget(&d->nodes[i]);
        } else {
            ok = demo_stop(&d->nodes[i]) && ok;
        }
    }
    for (size_t i = 0; i < d->file_count; i++) {
        free(d->files[i]);
    }
    if (d->options->keep == NULL) {
        nftw(d->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    return ok;
}

int ml_demo_run(const struct ml_demo_options *options)
{
    struct demo *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        return 1;
    }
    d->options = options;
    double start = now_s();
    if (options->json) {
        fputs("{\"steps\": [", stdout);
    } else {
        puts("Maille : une journée à la maison de santé des Tilleuls\n");
    }
    bool ok = demo_open(d) && steps_run(d);
    if (options->json) {
        printf("\n], \"ok\": %s, \"seconds\": %.2f}\n", ok ? "true" : "false", now_s() - start);
    } else if (ok) {
        printf("\n%zu étapes en %.1f s : rien n'est perdu, tout se retrouve.\n", d->steps_done,
               now_s() - start);
    } else {
        printf("\nArrêt : %s\n", d->say);
    }
    const bool keep = ok && options->keep != NULL;
    if (keep && !options->json) {
        keep_print(d);
    }
    ok = demo_close(d, keep) && ok;
    free(d);
    return ok ? 0 : 1;
}
