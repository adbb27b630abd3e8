/* support_story.c -- see support_story.h. */
#include "support_story.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "maille/value.h"

static const char passphrase[] = "une phrase de passe d'essai";

struct request {
    struct ml_args *args;
    struct ml_tree *answer;
};

static void request_init(struct request *r)
{
    r->args = ml_args_new();
    r->answer = NULL;
    ml_args_map(r->args);
}

static void put(struct request *r, const char *key, const char *value)
{
    ml_args_key(r->args, key);
    ml_args_text(r->args, value);
}

static ml_err send(struct request *r, struct cluster *c, unsigned n, const char *method)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_slice document;
    ml_args_end(r->args);
    ml_err err = ml_args_encoded(r->args, &bytes, &len);
    ML_ASSERT(err == ML_OK);
    err = cluster_call(c, n, method, ml_slice(bytes, len), &document);
    ml_err parsed =
        document.len > 0 ? ml_tree_parse(&r->answer, document.data, document.len) : ML_OK;
    ML_ASSERT(parsed == ML_OK);
    return err;
}

static void request_free(struct request *r)
{
    ml_args_free(r->args);
    ml_tree_free(r->answer);
}

static const struct ml_value *get(const struct request *r, const char *key)
{
    return ml_value_get(ml_tree_root(r->answer), key);
}

static void must(const struct request *r, ml_err err, const char *what)
{
    if (err != ML_OK) {
        fprintf(stderr, "%s: %s (%s)\n", what, ml_err_name(err),
                ml_value_text(get(r, "text"), "-"));
    }
    ML_ASSERT(err == ML_OK);
}

static void token_keep(struct request *r, struct cluster *c, unsigned n)
{
    const char *hex = ml_value_text(get(r, "token"), "");
    uint8_t token[32];
    ml_err err = ml_hex_decode(token, sizeof(token), hex, strlen(hex));
    ML_ASSERT(err == ML_OK);
    cluster_keep_token(c, n, ml_slice(token, sizeof(token)));
}

void story_found(struct cluster *c, unsigned n)
{
    struct request r;
    cluster_start(c, n);
    request_init(&r);
    put(&r, "name", "Maison de santé des Tilleuls");
    put(&r, "member_name", "Dr Anne Morel");
    put(&r, "node_name", "bureau 1");
    put(&r, "passphrase", passphrase);
    must(&r, send(&r, c, n, "org.found"), "org.found");
    token_keep(&r, c, n);
    request_free(&r);
}

ml_err story_try_unlock(struct cluster *c, unsigned n, const char *phrase)
{
    struct request r;
    request_init(&r);
    put(&r, "passphrase", phrase);
    ml_err err = send(&r, c, n, "session.unlock");
    if (err == ML_OK) {
        token_keep(&r, c, n);
    }
    request_free(&r);
    return err;
}

void story_unlock(struct cluster *c, unsigned n)
{
    ml_err err = story_try_unlock(c, n, passphrase);
    ML_ASSERT(err == ML_OK);
    cluster_run(c, 100);
}

void story_join(struct cluster *c, unsigned by, unsigned n, const char *name, int role)
{
    struct request r;
    char member[40];
    char code[256];
    char address[32];
    request_init(&r);
    put(&r, "name", name);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, role);
    must(&r, send(&r, c, by, "member.add"), "member.add");
    snprintf(member, sizeof(member), "%s", ml_value_text(get(&r, "member"), ""));
    request_free(&r);

    request_init(&r);
    put(&r, "member", member);
    must(&r, send(&r, c, by, "enrol.code"), "enrol.code");
    snprintf(code, sizeof(code), "%s", ml_value_text(get(&r, "code"), ""));
    request_free(&r);

    cluster_start(c, n);
    snprintf(address, sizeof(address), "node:%u", by);
    request_init(&r);
    put(&r, "code", code);
    put(&r, "address", address);
    put(&r, "node_name", "portable");
    put(&r, "passphrase", passphrase);
    must(&r, send(&r, c, n, "enrol.join"), "enrol.join");
    token_keep(&r, c, n);
    request_free(&r);
}

static void object_keep(const struct request *r, char object[40])
{
    snprintf(object, 40, "%s", ml_value_text(get(r, "object"), ""));
}

void story_patient(struct cluster *c, unsigned n, char patient[40])
{
    struct request r;
    request_init(&r);
    put(&r, "entity", "patient");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    put(&r, "birth_name", "MARTIN");
    ml_args_key(r.args, "birth_given_names");
    ml_args_list(r.args);
    ml_args_text(r.args, "Camille");
    ml_args_end(r.args);
    put(&r, "birth_date", "1979-03-28");
    put(&r, "sex", "F");
    ml_args_end(r.args);
    must(&r, send(&r, c, n, "record.add"), "record.add patient");
    object_keep(&r, patient);
    request_free(&r);
}

static void dose_put(struct request *r, struct story_drug drug)
{
    ml_args_key(r->args, "fields");
    ml_args_map(r->args);
    put(r, "drug", drug.name);
    put(r, "posology", drug.dosage);
    ml_args_end(r->args);
}

void story_treatment(struct cluster *c, unsigned n, const char *patient, struct story_drug drug,
                     char treatment[40])
{
    struct request r;
    request_init(&r);
    put(&r, "entity", "treatment");
    put(&r, "patient", patient);
    dose_put(&r, drug);
    must(&r, send(&r, c, n, "record.add"), "record.add treatment");
    object_keep(&r, treatment);
    request_free(&r);
}

void story_dose(struct cluster *c, unsigned n, const char *patient, const char *treatment,
                struct story_drug drug)
{
    struct request r;
    request_init(&r);
    put(&r, "patient", patient);
    put(&r, "object", treatment);
    dose_put(&r, drug);
    must(&r, send(&r, c, n, "record.amend"), "record.amend");
    request_free(&r);
}

int story_find(struct cluster *c, unsigned n, const char *query)
{
    struct request r;
    request_init(&r);
    put(&r, "query", query);
    must(&r, send(&r, c, n, "patient.find"), "patient.find");
    int count = (int)ml_value_count(get(&r, "items"));
    request_free(&r);
    return count;
}

ml_err story_try_find(struct cluster *c, unsigned n)
{
    struct request r;
    request_init(&r);
    ml_err err = send(&r, c, n, "patient.find");
    request_free(&r);
    return err;
}

void story_synced(struct cluster *c, unsigned n)
{
    struct request r;
    request_init(&r);
    ml_args_key(r.args, "timeout_ms");
    ml_args_int(r.args, 100000);
    must(&r, send(&r, c, n, "sync.wait"), "sync.wait");
    request_free(&r);
    cluster_run(c, 100);
}

void story_pause(struct cluster *c, unsigned n, bool paused)
{
    struct request r;
    request_init(&r);
    must(&r, send(&r, c, n, paused ? "sync.pause" : "sync.resume"), "sync.pause");
    request_free(&r);
    cluster_run(c, 100);
}

void story_verify(struct cluster *c, unsigned n, struct story_proof *proof)
{
    struct request r;
    request_init(&r);
    must(&r, send(&r, c, n, "verify"), "verify");
    snprintf(proof->state_hash, sizeof(proof->state_hash), "%s",
             ml_value_text(get(&r, "state_hash"), ""));
    snprintf(proof->view_hash, sizeof(proof->view_hash), "%s",
             ml_value_text(get(&r, "view_hash"), ""));
    proof->patients = (int)ml_value_int(get(&r, "patients"), -1);
    proof->conflicts = (int)ml_value_int(get(&r, "conflicts"), -1);
    proof->bodies_missing = (int)ml_value_int(get(&r, "bodies_missing"), -1);
    proof->pending = (int)ml_value_int(get(&r, "pending"), -1);
    proof->forks = (int)ml_value_int(get(&r, "forks"), -1);
    proof->quarantined = (int)ml_value_int(get(&r, "quarantined"), -1);
    proof->ops = (int)ml_value_int(get(&r, "ops"), -1);
    ML_ASSERT(strcmp(ml_value_text(get(&r, "integrity"), ""), "ok") == 0);
    request_free(&r);
}
