/* support_story.c -- see support_story.h. */
#include "support_story.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "maille/value.h"

static const char passphrase[] = "une phrase de passe d'essai";

static void token_keep(struct story_request *r, struct cluster *c, unsigned n)
{
    const char *hex = ml_value_text(story_get(r, "token"), "");
    uint8_t token[32];
    ml_err err = ml_hex_decode(token, sizeof(token), hex, strlen(hex));
    ML_ASSERT(err == ML_OK);
    cluster_keep_token(c, n, ml_slice(token, sizeof(token)));
}

void story_found(struct cluster *c, unsigned n)
{
    struct story_request r;
    cluster_start(c, n);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "node_name", "bureau 1");
    story_put(&r, "passphrase", passphrase);
    story_must(&r, story_send(&r, c, n, "org.found"), "org.found");
    token_keep(&r, c, n);
    story_end(&r);
}

static ml_err unlock(struct cluster *c, unsigned n, const char *phrase, bool *restored)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "passphrase", phrase);
    ml_err err = story_send(&r, c, n, "session.unlock");
    if (err == ML_OK) {
        token_keep(&r, c, n);
        *restored = ml_value_bool(story_get(&r, "restored"), false);
    }
    story_end(&r);
    return err;
}

ml_err story_try_unlock(struct cluster *c, unsigned n, const char *phrase)
{
    bool restored = false;
    return unlock(c, n, phrase, &restored);
}

bool story_unlock_restored(struct cluster *c, unsigned n)
{
    bool restored = false;
    ml_err err = unlock(c, n, passphrase, &restored);
    ML_ASSERT(err == ML_OK);
    cluster_run(c, 100);
    return restored;
}

void story_unlock(struct cluster *c, unsigned n)
{
    ml_err err = story_try_unlock(c, n, passphrase);
    ML_ASSERT(err == ML_OK);
    cluster_run(c, 100);
}

void story_member(struct cluster *c, unsigned by, const char *name, const int job[2],
                  char member[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "name", name);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, job[0]);
    ml_args_key(r.args, "rank");
    ml_args_int(r.args, job[1]);
    story_must(&r, story_send(&r, c, by, "member.add"), "member.add");
    snprintf(member, 40, "%s", ml_value_text(story_get(&r, "member"), ""));
    story_end(&r);
}

void story_enrol(struct cluster *c, unsigned by, unsigned n, const char *member)
{
    struct story_request r;
    char code[256];
    char address[32];
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, c, by, "enrol.code"), "enrol.code");
    snprintf(code, sizeof(code), "%s", ml_value_text(story_get(&r, "code"), ""));
    story_end(&r);

    cluster_start(c, n);
    snprintf(address, sizeof(address), "node:%u", by);
    story_ask(&r);
    story_put(&r, "code", code);
    story_put(&r, "address", address);
    story_put(&r, "node_name", "portable");
    story_put(&r, "passphrase", passphrase);
    story_must(&r, story_send(&r, c, n, "enrol.join"), "enrol.join");
    token_keep(&r, c, n);
    story_end(&r);
}

static void join(struct cluster *c, unsigned by, unsigned n, const char *name, const int job[2])
{
    char member[40];
    story_member(c, by, name, job, member);
    story_enrol(c, by, n, member);
}

void story_join(struct cluster *c, unsigned by, unsigned n, const char *name, int role)
{
    join(c, by, n, name, (const int[]){role, 3});
}

void story_join_ranked(struct cluster *c, unsigned by, unsigned n, const char *name, int rank)
{
    join(c, by, n, name, (const int[]){10, rank});
}

static void object_keep(const struct story_request *r, char object[40])
{
    snprintf(object, 40, "%s", ml_value_text(story_get(r, "object"), ""));
}

void story_patient(struct cluster *c, unsigned n, char patient[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", "patient");
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "birth_name", "MARTIN");
    ml_args_key(r.args, "birth_given_names");
    ml_args_list(r.args);
    ml_args_text(r.args, "Camille");
    ml_args_end(r.args);
    story_put(&r, "birth_date", "1979-03-28");
    story_put(&r, "sex", "F");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, n, "record.add"), "record.add patient");
    object_keep(&r, patient);
    story_end(&r);
}

static void dose_put(struct story_request *r, struct story_drug drug)
{
    ml_args_key(r->args, "fields");
    ml_args_map(r->args);
    story_put(r, "drug", drug.name);
    story_put(r, "posology", drug.dosage);
    ml_args_end(r->args);
}

void story_treatment(struct cluster *c, unsigned n, const char *patient, struct story_drug drug,
                     char treatment[40])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", "treatment");
    story_put(&r, "patient", patient);
    dose_put(&r, drug);
    story_must(&r, story_send(&r, c, n, "record.add"), "record.add treatment");
    object_keep(&r, treatment);
    story_end(&r);
}

void story_dose(struct cluster *c, unsigned n, const char *patient, const char *treatment,
                struct story_drug drug)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_put(&r, "object", treatment);
    dose_put(&r, drug);
    story_must(&r, story_send(&r, c, n, "record.amend"), "record.amend");
    story_end(&r);
}

int story_find(struct cluster *c, unsigned n, const char *query)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "query", query);
    story_must(&r, story_send(&r, c, n, "patient.find"), "patient.find");
    int count = (int)ml_value_count(story_get(&r, "items"));
    story_end(&r);
    return count;
}

ml_err story_try_find(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    ml_err err = story_send(&r, c, n, "patient.find");
    story_end(&r);
    return err;
}

void story_synced(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    ml_args_key(r.args, "timeout_ms");
    ml_args_int(r.args, 100000);
    story_must(&r, story_send(&r, c, n, "sync.wait"), "sync.wait");
    story_end(&r);
    cluster_run(c, 100);
}

void story_pause(struct cluster *c, unsigned n, bool paused)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, paused ? "sync.pause" : "sync.resume"), "sync.pause");
    story_end(&r);
    cluster_run(c, 100);
}

void story_verify(struct cluster *c, unsigned n, struct story_proof *proof)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "verify"), "verify");
    snprintf(proof->state_hash, sizeof(proof->state_hash), "%s",
             ml_value_text(story_get(&r, "state_hash"), ""));
    snprintf(proof->view_hash, sizeof(proof->view_hash), "%s",
             ml_value_text(story_get(&r, "view_hash"), ""));
    proof->patients = (int)ml_value_int(story_get(&r, "patients"), -1);
    proof->conflicts = (int)ml_value_int(story_get(&r, "conflicts"), -1);
    proof->chunks = (int)ml_value_int(story_get(&r, "chunks"), -1);
    proof->chunks_missing = (int)ml_value_int(story_get(&r, "chunks_missing"), -1);
    proof->bodies_missing = (int)ml_value_int(story_get(&r, "bodies_missing"), -1);
    proof->pending = (int)ml_value_int(story_get(&r, "pending"), -1);
    proof->forks = (int)ml_value_int(story_get(&r, "forks"), -1);
    proof->quarantined = (int)ml_value_int(story_get(&r, "quarantined"), -1);
    proof->ops = (int)ml_value_int(story_get(&r, "ops"), -1);
    ML_ASSERT(strcmp(ml_value_text(story_get(&r, "integrity"), ""), "ok") == 0);
    story_end(&r);
}

void story_address(struct cluster *c, unsigned to, unsigned of, unsigned at)
{
    struct story_request r;
    char node[40];
    char address[32];
    story_ask(&r);
    story_must(&r, story_send(&r, c, of, "node.status"), "node.status");
    const struct ml_value *org = ml_value_at(story_get(&r, "orgs"), 0);
    snprintf(node, sizeof(node), "%s", ml_value_text(ml_value_get(org, "node"), ""));
    story_end(&r);
    snprintf(address, sizeof(address), "node:%u", at);
    story_ask(&r);
    story_put(&r, "node", node);
    story_put(&r, "address", address);
    story_must(&r, story_send(&r, c, to, "peer.add"), "peer.add");
    story_end(&r);
}

static void id_keep(char out[40], const struct ml_value *v, const char *key)
{
    snprintf(out, 40, "%s", ml_value_text(ml_value_get(v, key), ""));
}

bool story_find_member(struct cluster *c, unsigned n, const char *name, char member[40],
                       char node[40])
{
    struct story_request r;
    bool found = false;
    member[0] = '\0';
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "member.list"), "member.list");
    const struct ml_value *m = ml_value_at(story_get(&r, "members"), 0);
    for (; m != NULL; m = ml_value_next(m)) {
        if (strcmp(ml_value_text(ml_value_get(m, "name"), ""), name) != 0) {
            continue;
        }
        found = true;
        id_keep(member, m, "member");
        if (node != NULL) {
            id_keep(node, ml_value_at(ml_value_get(m, "nodes"), 0), "node");
        }
    }
    story_end(&r);
    return found;
}

void story_member_of(struct cluster *c, unsigned n, const char *name, char member[40])
{
    ML_ASSERT(story_find_member(c, n, name, member, NULL));
}
