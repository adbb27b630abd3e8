/* tests/sim/sim_import.c -- many ops at once: FHIR files and invented populations through the real
 * calls, cut by crashes and cancelled at times, taken up again by anyone.
 *
 * Ids of imported objects come from their source (rules A9). That nothing of an import is lost is
 * therefore asked of the code under test itself: at the end it is done once more on one node, which
 * must know every object already and create none. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "net/node/session.h"
#include "sim.h"

enum { IMPORTS_MAX = 6, FHIR_FILES = 20 };

static char folder[64];

static void folder_remove(void)
{
    char path[400];
    DIR *dir = opendir(folder);
    const struct dirent *e = NULL;
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        (void)unlink(path);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    (void)rmdir(folder);
}

const char *sim_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    if (folder[0] != '\0') {
        return folder;
    }
    snprintf(folder, sizeof(folder), "%.40s/maille-sim-XXXXXX", tmp != NULL ? tmp : "/tmp");
    bool made = mkdtemp(folder) != NULL && atexit(folder_remove) == 0;
    ML_ASSERT(made);
    return folder;
}

/* ---- a FHIR file of our own ---- */

static void patient_write(FILE *f, const struct sim_import *m, unsigned i)
{
    static const char *const families[] = {"ROUX", "LEFÈVRE", "d'Hérouville", "N'Guyen"};
    const unsigned long long id = (unsigned long long)m->seed * 1000 + i;
    fprintf(f,
            "%s{\"resource\":{\"resourceType\":\"Patient\","
            "\"id\":\"p%llu\",\"name\":[{\"use\":\"official\",\"family\":\"%s\",\"given\":"
            "[\"Lina %llu\"]}],\"gender\":\"female\",\"birthDate\":\"19%02u-02-03\"}}",
            i == 0 ? "" : ",", id, families[i % 4], id, (unsigned)(id % 90) + 10);
    for (unsigned k = 0; k < m->visits; k++) {
        fprintf(f,
                ",{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o%llu-%u\","
                "\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\","
                "\"code\":\"8480-6\"}],\"text\":\"mesure %u\"},\"subject\":{\"reference\":"
                "\"Patient/p%llu\"},\"effectiveDateTime\":\"2025-%02u-11\",\"valueQuantity\":"
                "{\"value\":%u,\"unit\":\"mm[Hg]\",\"system\":\"http://unitsofmeasure.org\","
                "\"code\":\"mm[Hg]\"}}}",
                id, k, k, id, 1 + k % 12, 100 + k % 60);
        fprintf(f,
                ",{\"resource\":{\"resourceType\":\"AllergyIntolerance\",\"id\":\"a%llu-%u\","
                "\"patient\":{\"reference\":\"Patient/p%llu\"},\"code\":{\"text\":\"pollen %u\"}}"
                "}",
                id, k, id, k);
    }
}

static void file_make(struct sim_import *m)
{
    snprintf(m->path, sizeof(m->path), "%s/fhir-%llu.json", sim_folder(),
             (unsigned long long)m->seed);
    FILE *f = fopen(m->path, "w");
    ML_ASSERT(f != NULL);
    fputs("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[", f);
    for (unsigned i = 0; i < m->patients; i++) {
        patient_write(f, m, i);
    }
    fputs("]}", f);
    int closed = fclose(f);
    ML_ASSERT(closed == 0);
}

/* One of the twenty real files. */
static void file_choose(struct sim_import *m)
{
    static const uint8_t numbers[FHIR_FILES] = {3,  4,  5,  6,  10, 11, 15, 16, 19, 23,
                                                26, 29, 33, 35, 36, 41, 42, 43, 45, 47};
    snprintf(m->path, sizeof(m->path), "%s/fhir-r4/bundle-%02u.json.gz", ML_TEST_DATA,
             numbers[m->seed % FHIR_FILES]);
}

static struct sim_import *import_new(struct sim *s)
{
    struct sim_model *mo = &s->model;
    const unsigned scale = s->options.scale;
    mo->imports = realloc(mo->imports, (mo->import_count + 1) * sizeof(*mo->imports));
    ML_ASSERT(mo->imports != NULL);
    struct sim_import *m = &mo->imports[mo->import_count++];
    *m = (struct sim_import){.seed = 1 + sim_below(s, 1000000000),
                             .patients = 1 + (unsigned)sim_below(s, scale),
                             .visits = 1 + (unsigned)sim_below(s, 8)};
    if (sim_chance(s, 500)) {
        file_make(m);
    } else if (sim_chance(s, 200)) {
        file_choose(m);
    } else {
        m->visits = (unsigned)sim_below(s, 4);
    }
    return m;
}

/* ---- doing it ---- */

struct imported {
    ml_err err;
    bool lost; /* no answer came */
    int64_t created;
    int64_t known;
};

static struct imported import_run(struct sim *s, unsigned node, const struct sim_import *m,
                                  unsigned cancel_after)
{
    struct sim_call c;
    const bool file = m->path[0] != '\0';
    sim_ask(&c);
    c.cancel_after = cancel_after;
    if (file) {
        sim_put(&c, "path", m->path);
        sim_put(&c, "source", "maille-sim");
    } else {
        ml_args_key(c.args, "seed");
        ml_args_int(c.args, (int64_t)m->seed);
        ml_args_key(c.args, "patients");
        ml_args_int(c.args, m->patients);
        ml_args_key(c.args, "visits");
        ml_args_int(c.args, m->visits);
    }
    struct imported i = {.err = sim_send(&c, s, node, file ? "import.fhir" : "gen.population"),
                         .lost = c.lost,
                         .created = ml_value_int(sim_get(&c, "created"), 0),
                         .known = ml_value_int(sim_get(&c, "known"), 0)};
    sim_say(s, "node %u imports %s %llu: %s%s, %lld created, %lld known", node,
            file ? "a file" : "a population", (unsigned long long)m->seed,
            i.lost ? "no answer" : ml_err_name(i.err),
            ml_value_text(ml_value_get(sim_get(&c, "args"), "reason"), ""), (long long)i.created,
            (long long)i.known);
    sim_call_end(&c);
    return i;
}

static void import_end(struct sim *s, unsigned node, struct sim_import *m, const struct imported *i)
{
    struct sim_count *c = &s->count;
    if (i->err == ML_OK) {
        m->node = node;
        m->number = ++s->model.last_reason;
        m->acked = true;
        c->of[SIM_IMPORTED]++;
        c->of[SIM_ACKED_OPS] += (uint64_t)i->created;
    } else if (i->lost) {
        c->of[SIM_IMPORT_CUT]++;
    } else if (i->err == ML_E_CANCELED) {
        c->of[SIM_IMPORT_CANCELED]++;
    }
}

/* Ids of what is imported come from the same key for ever, whatever was imported where. */
static void key_check(struct sim *s, unsigned node)
{
    struct ml_secret *key = NULL;
    const struct ml_org *org = sim_node_ready(s, node) ? s->nodes[node].node->orgs : NULL;
    if (org == NULL || org->session == NULL || org->behind ||
        ml_keyring_import_key(ml_session_keyring(org), &key) != ML_OK) {
        return;
    }
    if (!s->has_import_key) {
        memcpy(s->import_key, ml_secret_bytes(key), sizeof(s->import_key));
        s->has_import_key = true;
    } else if (memcmp(s->import_key, ml_secret_bytes(key), sizeof(s->import_key)) != 0) {
        sim_fail(s, "node %u would give other ids to what it imports", node);
    }
    ml_secret_free(key);
}

void sim_import(struct sim *s, unsigned node)
{
    struct sim_model *mo = &s->model;
    struct sim_import *m = NULL;
    key_check(s, node);
    if (mo->import_count > 0 && (mo->import_count == IMPORTS_MAX || sim_chance(s, 400))) {
        m = &mo->imports[sim_below(s, mo->import_count)];
        s->count.of[SIM_IMPORT_AGAIN]++;
    } else {
        m = import_new(s);
    }
    const bool cancel = m->path[0] != '\0' && sim_chance(s, 250);
    /* A long thing to do is often what a failing machine dies of. Not in the check at the end: by
     * then nothing goes wrong any more. */
    if (sim_chance(s, 60)) {
        fault_disk_cut_at(s->nodes[node].disk, 1 + (long)sim_below(s, 200));
    }
    const struct imported i = import_run(s, node, m, cancel ? 1 + (unsigned)sim_below(s, 8) : 0);
    import_end(s, node, m, &i);
}

void sim_imports_check(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES; i++) {
        key_check(s, i);
    }
    for (size_t i = 0; i < s->model.import_count; i++) {
        const struct sim_import *m = &s->model.imports[i];
        const unsigned node = sim_node_any(s);
        if (!m->acked || sim_is_twin(s, m->node) || node == SIM_NODES ||
            sim_witness_has_lost(s, m->node)) {
            continue;
        }
        const struct imported again = import_run(s, node, m, 0);
        if (again.err != ML_OK || again.created != 0) {
            s->lost += again.err == ML_OK ? (uint64_t)again.created : 1;
            sim_fail(s, "node %u: import %llu of node %u isn't whole: %s, %lld of %lld missing",
                     node, (unsigned long long)m->seed, m->node, ml_err_name(again.err),
                     (long long)again.created, (long long)again.created + (long long)again.known);
        }
        s->count.of[SIM_IMPORT_CHECKED]++;
    }
}
