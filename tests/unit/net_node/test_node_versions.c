/* test_node_versions.c -- earlier and later programs (docs/storage/versions.md): homes that they
 * left behind, opened by this one; and entries that this one doesn't know, kept, passed on, told,
 * and shown once it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/crypto/hash.h"
#include "core/record/schema.h"
#include "core/record/vault.h"
#include "core/store/db.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "support_damage.h"
#include "support_store.h"
#include "support_story.h"

#define STORES ML_TEST_DATA "/stores"

enum { OLD, RELAY, NEW, TEXT_BYTES = 2000, LAYOUT_BYTES = 32000, STORES_MAX = 100 };

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 77); /* not the seed of the kept stores: chance would repeat their keys */
    c.fake.wall_ms += 86400000;
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

/* ---- kept stores ---- */

static int is_version(const struct dirent *e)
{
    return e->d_name[0] == 'v';
}

/* Each store in turn, v1 first. */
static unsigned stores_list(char names[STORES_MAX][64])
{
    struct dirent **found = NULL;
    int count = scandir(STORES, &found, is_version, versionsort);
    assert_in_range(count, 1, STORES_MAX);
    for (int i = 0; i < count; i++) {
        snprintf(names[i], 64, "%.60s", found[i]->d_name);
        free(found[i]);
    }
    free(found);
    return (unsigned)count;
}

/* What a store holds from the line that begins with `from` on. */
static void expected_read(char out[TEXT_BYTES], const char *store)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/expected", store);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t len = fread(out, 1, TEXT_BYTES - 1, file);
    out[len] = '\0';
    fclose(file);
}

static void described(struct cluster *c, unsigned n, char out[TEXT_BYTES])
{
    FILE *file = fmemopen(out, TEXT_BYTES, "w");
    assert_non_null(file);
    store_describe(c, n, file);
    fclose(file);
}

static const char *contents(const char *described)
{
    const char *at = strstr(described, "state_hash ");
    assert_non_null(at);
    return at;
}

static void store_open(struct cluster *c, const char *store)
{
    store_put(c, OLD, store);
    cluster_start(c, OLD);
    story_unlock(c, OLD);
    cluster_run(c, 1000);
}

static void same_as(struct cluster *c, unsigned a, unsigned b)
{
    struct story_proof x;
    struct story_proof y;
    story_verify(c, a, &x);
    story_verify(c, b, &y);
    assert_string_equal(x.state_hash, y.state_hash);
    assert_string_equal(x.view_hash, y.view_hash);
    assert_int_equal(y.bodies_missing + y.pending + y.chunks_missing, 0);
}

/* An old file brought up to date is what a new one is: no released step was ever changed. */
static void same_layout(struct cluster *c, unsigned a, unsigned b)
{
    static char texts[2][LAYOUT_BYTES];
    const unsigned nodes[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fmemopen(texts[i], LAYOUT_BYTES, "w");
        assert_non_null(file);
        store_layout(c, nodes[i], file);
        assert_int_equal(fclose(file), 0);
    }
    assert_true(strlen(texts[0]) > 1000);
    assert_string_equal(texts[0], texts[1]);
}

/* All of it: proofs, draft, a write, and a node that has never seen any of it. */
static void live_on(struct cluster *c, const char *store)
{
    char want[TEXT_BYTES];
    char is[TEXT_BYTES];
    char patient[40];
    expected_read(want, store);
    store_open(c, store);
    described(c, OLD, is);
    assert_string_equal(contents(is), contents(want));
    assert_int_equal(story_find(c, OLD, "martin"), 1);
    story_patient(c, OLD, patient);
    story_join(c, OLD, NEW, "Hugo Blanc", 60);
    story_synced(c, NEW);
    assert_int_equal(story_find(c, NEW, "martin"), 2);
    story_patient(c, NEW, patient);
    story_synced(c, NEW);
    assert_int_equal(story_find(c, OLD, "martin"), 3);
    same_as(c, OLD, NEW);
    store_draft_put(c, NEW);
    same_layout(c, OLD, NEW);
}

static void a_store_of_each_earlier_program_lives_on(void **state)
{
    static char names[STORES_MAX][64];
    const unsigned count = stores_list(names);
    for (unsigned i = 0; i < count; i++) {
        char store[300];
        snprintf(store, sizeof(store), STORES "/%s", names[i]);
        live_on(*state, store);
        teardown(state);
        setup(state);
    }
}

static void latest_store(char store[300])
{
    static char names[STORES_MAX][64];
    const unsigned count = stores_list(names);
    snprintf(store, 300, STORES "/%s", names[count - 1]);
}

/* Whoever raises the version of a file keeps a store of the one before (docs/storage/versions.md),
 * and then one of the new. */
static void the_latest_kept_store_has_the_present_versions(void **state)
{
    struct cluster *c = *state;
    char store[300];
    char want[TEXT_BYTES];
    char is[TEXT_BYTES];
    char patient[40];
    latest_store(store);
    expected_read(want, store);
    story_found(c, OLD);
    story_patient(c, OLD, patient);
    store_draft_put(c, OLD);
    story_join(c, OLD, NEW, "Hugo Blanc", 60);
    story_synced(c, NEW);
    described(c, OLD, is);
    const size_t len = (size_t)(contents(want) - want);
    assert_int_equal((size_t)(contents(is) - is), len);
    assert_memory_equal(is, want, len);
}

static void a_vault_made_again_from_the_log_is_the_same(void **state)
{
    struct cluster *c = *state;
    char store[300];
    char want[TEXT_BYTES];
    char is[TEXT_BYTES];
    latest_store(store);
    expected_read(want, store);
    store_put(c, OLD, store);
    damage_remove(c, OLD, "vaults/*.db");
    cluster_start(c, OLD);
    story_unlock(c, OLD);
    described(c, OLD, is);
    assert_string_equal(is, want);
}

/* ---- files of a later program ---- */

struct kept {
    uint8_t *bytes;
    size_t len;
};

static struct kept keep(struct cluster *c, const char *name)
{
    struct kept k;
    k.bytes = damage_read(c, OLD, name, &k.len);
    return k;
}

static void untouched(struct cluster *c, const char *name, struct kept *before)
{
    struct kept now = keep(c, name);
    assert_int_equal(now.len, before->len);
    assert_memory_equal(now.bytes, before->bytes, now.len);
    free(now.bytes);
    free(before->bytes);
    before->bytes = NULL;
}

/* A database of the unlocked node says another version, and the node stops. */
static void later_version(struct cluster *c, const char *vfs, const char *path)
{
    struct ml_db *db = NULL;
    const struct ml_db_args args = {.env = &c->fake.env, .path = path, .vfs = vfs};
    assert_int_equal(ml_db_open(&db, &args), ML_OK);
    assert_int_equal(ml_db_exec(db, "PRAGMA user_version = 1000"), ML_OK);
    ml_db_close(db);
    cluster_stop(c, OLD);
}

static void refused_as_later(struct cluster *c)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    assert_int_equal(story_send(&r, c, OLD, "session.unlock"), ML_E_UNSUPPORTED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "store.newer");
    story_end(&r);
}

static void a_later_log_is_refused_and_nothing_is_touched(void **state)
{
    static const char *const names[] = {"log.db", "vaults/*.db", "drafts/*.db", "keystore",
                                        "trace.journal"};
    struct cluster *c = *state;
    struct kept before[5];
    char store[300];
    char path[ML_PATH_MAX];
    latest_store(store);
    store_open(c, store);
    const struct ml_org *org = cluster_org(c, OLD);
    assert_int_equal(ml_home_file(&org->node->home, path, &org->id, "log.db"), ML_OK);
    later_version(c, org->log_vfs, path);
    for (size_t i = 0; i < 5; i++) {
        before[i] = keep(c, names[i]);
    }
    cluster_start(c, OLD);
    refused_as_later(c);
    refused_as_later(c); /* and again, whatever is open by then */
    cluster_stop(c, OLD);
    for (size_t i = 0; i < 5; i++) {
        untouched(c, names[i], &before[i]);
    }
    assert_false(damage_exists(c, OLD, "*damaged*"));
}

/* The keystore of the stopped node says a later version, and its sum holds. */
static struct kept later_keystore(struct cluster *c)
{
    struct kept ks = keep(c, "keystore");
    const struct ml_slice above = ml_slice(ks.bytes, ks.len - 32);
    const struct ml_slice parts[] = {ml_slice_str("maille/keystore-sum/1"), above};
    ks.bytes[9] = 3; /* 2 is a file with a card slot */
    ml_hash_parts(ks.bytes + above.len, 32, ml_slice(NULL, 0), parts, 2);
    damage_write(c, OLD, "keystore", ks.bytes, ks.len);
    return ks;
}

/* The keystore is the gate for what older programs can't tell from damage (ADR 0013). */
static void a_later_keystore_closes_the_structure_untouched(void **state)
{
    struct cluster *c = *state;
    char store[300];
    latest_store(store);
    store_put(c, OLD, store);
    struct kept ks = later_keystore(c);
    struct kept log = keep(c, "log.db");
    cluster_start(c, OLD);
    refused_as_later(c);
    cluster_stop(c, OLD);
    untouched(c, "keystore", &ks);
    untouched(c, "log.db", &log);
    assert_false(damage_exists(c, OLD, "*damaged*"));
}

/* Joining anew takes the place of what is damaged, never of what a later program wrote. */
static void who_joins_again_displaces_nothing_of_a_later_program(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    char code[256];
    char member[40];
    story_found(c, NEW);
    story_join(c, NEW, OLD, "Hugo Blanc", 60);
    story_synced(c, OLD);
    cluster_stop(c, OLD);
    struct kept ks = later_keystore(c);
    struct kept log = keep(c, "log.db");
    story_ask(&r);
    story_put(&r, "name", "Hugo Blanc");
    ml_args_key(r.args, "role");
    ml_args_int(r.args, 60);
    story_must(&r, story_send(&r, c, NEW, "member.add"), "member.add");
    snprintf(member, sizeof(member), "%s", ml_value_text(story_get(&r, "member"), ""));
    story_end(&r);
    story_ask(&r);
    story_put(&r, "member", member);
    story_must(&r, story_send(&r, c, NEW, "enrol.code"), "enrol.code");
    snprintf(code, sizeof(code), "%s", ml_value_text(story_get(&r, "code"), ""));
    story_end(&r);
    cluster_start(c, OLD);
    story_ask(&r);
    story_put(&r, "code", code);
    story_put(&r, "address", "node:2");
    story_put(&r, "node_name", "portable");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    assert_int_equal(story_send(&r, c, OLD, "enrol.join"), ML_E_UNSUPPORTED);
    story_end(&r);
    refused_as_later(c);
    cluster_stop(c, OLD);
    untouched(c, "keystore", &ks);
    untouched(c, "log.db", &log);
    assert_false(damage_exists(c, OLD, "*damaged*"));
}

/* Sealed, so that another first byte is no damage. */
static void secrets_of_a_later_program_are_told_from_damage(void **state)
{
    struct cluster *c = *state;
    struct ml_secret *node = NULL;
    struct ml_secret *member = NULL;
    struct ml_node_secrets n = {.contact_count = 0};
    struct ml_member_secrets m = {NULL, NULL, NULL};
    story_found(c, OLD);
    struct ml_org *org = cluster_org(c, OLD);
    assert_int_equal(ml_node_secrets_encode(&node, &org->secrets), ML_OK);
    assert_int_equal(ml_member_secrets_encode(&member, &org->session->secrets), ML_OK);
    for (int by = -1; by <= 1; by += 2) {
        ml_secret_writable(node)[0] = (uint8_t)(ml_secret_bytes(node)[0] + by);
        ml_secret_writable(member)[0] = (uint8_t)(ml_secret_bytes(member)[0] + by);
        const ml_err expect = by < 0 ? ML_E_CORRUPT : ML_E_UNSUPPORTED;
        assert_int_equal(ml_node_secrets_decode(&n, node), expect);
        assert_int_equal(ml_member_secrets_decode(&m, member), expect);
        ml_secret_writable(node)[0] = (uint8_t)(ml_secret_bytes(node)[0] - by);
        ml_secret_writable(member)[0] = (uint8_t)(ml_secret_bytes(member)[0] - by);
    }
    ml_secret_free(node);
    ml_secret_free(member);
}

/* Derived: an earlier program makes its own again, says nothing of damage, keeps the drafts. */
static void a_later_vault_is_made_again_without_a_word_of_damage(void **state)
{
    struct cluster *c = *state;
    struct damage_told told;
    char store[300];
    char want[TEXT_BYTES];
    char is[TEXT_BYTES];
    char path[ML_PATH_MAX];
    latest_store(store);
    expected_read(want, store);
    store_open(c, store);
    const struct ml_org *org = cluster_org(c, OLD);
    assert_int_equal(
        ml_home_member_file(&org->node->home, path, &org->id, "vaults", &org->session->member),
        ML_OK);
    later_version(c, org->session->vault_vfs, path);
    cluster_start(c, OLD);
    story_unlock(c, OLD);
    described(c, OLD, is);
    assert_string_equal(is, want);
    assert_false(damage_told(c, OLD, "vault", &told));
}

static void later_drafts_are_refused_untouched_and_the_rest_works(void **state)
{
    struct cluster *c = *state;
    struct kept drafts;
    char store[300];
    char path[ML_PATH_MAX];
    latest_store(store);
    store_open(c, store);
    assert_true(store_draft_is_there(c, OLD));
    const struct ml_org *org = cluster_org(c, OLD);
    assert_int_equal(
        ml_home_member_file(&org->node->home, path, &org->id, "drafts", &org->session->member),
        ML_OK);
    later_version(c, org->session->drafts_vfs, path);
    drafts = keep(c, "drafts/*.db");
    cluster_start(c, OLD);
    story_unlock(c, OLD);
    assert_false(store_draft_is_there(c, OLD));
    assert_int_equal(story_find(c, OLD, "martin"), 1);
    cluster_stop(c, OLD);
    untouched(c, "drafts/*.db", &drafts);
}

/* ---- entries of a later program ---- */

static const struct ml_field device_fields[] = {{.id = 1,
                                                 .name = "serial",
                                                 .type = ML_TYPE_TEXT,
                                                 .merge = ML_MERGE_REGISTER,
                                                 .form_order = 1,
                                                 .label_fr = "Numéro de série",
                                                 .label_en = "Serial number"}};
static const struct ml_entity device = {.id = 4000,
                                        .name = "device",
                                        .merge = ML_MERGE_SET,
                                        .compartment = ML_COMPARTMENT_CARE,
                                        .data_class = ML_CLASS_NURSING_NOTES,
                                        .in_timeline = true,
                                        .title_field = "serial",
                                        .label_fr = "Dispositif médical",
                                        .label_en = "Device",
                                        .plural_fr = "Dispositifs médicaux",
                                        .fields = device_fields,
                                        .field_count = 1};

enum { NOTE_FIELD = 190, FIELDS_MAX = 200, ENTITIES_MAX = 600 };

/* What this program knows, one entity more, and one field more of a treatment. */
static const struct ml_schema *later_schema(void)
{
    static const struct ml_entity *entities[ENTITIES_MAX];
    static struct ml_field fields[FIELDS_MAX];
    static struct ml_entity treatment;
    static struct ml_schema schema;
    schema = *ml_schema_builtin();
    memcpy(entities, schema.entities, schema.entity_count * sizeof(struct ml_entity *));
    for (size_t i = 0; i < schema.entity_count; i++) {
        if (strcmp(entities[i]->name, "treatment") == 0) {
            treatment = *entities[i];
            memcpy(fields, treatment.fields, treatment.field_count * sizeof(fields[0]));
            fields[treatment.field_count++] = (struct ml_field){.id = NOTE_FIELD,
                                                                .name = "later_note",
                                                                .type = ML_TYPE_TEXT,
                                                                .merge = ML_MERGE_REGISTER,
                                                                .form_order = 90,
                                                                .label_fr = "Note",
                                                                .label_en = "Note"};
            treatment.fields = fields;
            treatment.say_fr = "[{later_note}]";
            entities[i] = &treatment;
        }
    }
    entities[schema.entity_count++] = &device;
    schema.entities = entities;
    return &schema;
}

static void learn(struct cluster *c, unsigned n)
{
    cluster_stop(c, n);
    cluster_start(c, n);
    c->nodes[n].node->schema = later_schema();
    story_unlock(c, n);
    cluster_run(c, 1000);
}

static void write_later(struct cluster *c, const char *patient)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "entity", "device");
    story_put(&r, "patient", patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "serial", "SN-42");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, NEW, "record.add"), "record.add device");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "entity", "treatment");
    story_put(&r, "patient", patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "drug", "metformine");
    story_put(&r, "later_note", "le soir seulement");
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, NEW, "record.add"), "record.add treatment");
    story_end(&r);
}

static int64_t status_of(struct cluster *c, unsigned n, const char *key)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "node.status"), "node.status");
    const struct ml_value *org = ml_value_at(story_get(&r, "orgs"), 0);
    const struct ml_value *v = ml_value_get(org, key);
    const int64_t answer =
        ml_value_kind_of(v) == ML_VALUE_BOOL ? ml_value_bool(v, false) : ml_value_int(v, -1);
    story_end(&r);
    return answer;
}

static bool timeline_says(struct cluster *c, unsigned n, const char *patient, const char *text)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", patient);
    story_must(&r, story_send(&r, c, n, "timeline.list"), "timeline.list");
    const struct ml_slice document = ml_buf_slice(&c->answer.document);
    const bool says = memmem(document.data, document.len, text, strlen(text)) != NULL;
    story_end(&r);
    return says;
}

/* Of patient.show and of timeline.list: entries that only a later program shows whole. */
static int chart_unknown(struct cluster *c, unsigned n, const char *patient)
{
    static const char *const methods[] = {"patient.show", "timeline.list"};
    int unknown[2];
    for (size_t i = 0; i < 2; i++) {
        struct story_request r;
        story_ask(&r);
        story_put(&r, "patient", patient);
        story_must(&r, story_send(&r, c, n, methods[i]), methods[i]);
        unknown[i] = (int)ml_value_int(story_get(&r, "unknown"), -1);
        story_end(&r);
    }
    assert_int_equal(unknown[0], unknown[1]);
    return unknown[0];
}

/* Every bundle of the record that a has, b has, byte for byte. */
static void same_bytes(struct cluster *c, unsigned a, unsigned b)
{
    struct ml_log_entry x;
    struct ml_log_entry y;
    unsigned count = 0;
    for (uint64_t n = 0;
         ml_log_after(cluster_org(c, a)->log, n, ML_LOG_LANE(ML_LANE_RECORD), &x) == ML_OK;
         n = x.n) {
        const struct ml_hash16 hash = ml_hash16_of(&x.hash);
        assert_int_equal(ml_log_get(cluster_org(c, b)->log, &hash, &y), ML_OK);
        assert_true(ml_slice_equal(x.header_bytes, y.header_bytes));
        assert_true(ml_slice_equal(x.body.bytes, y.body.bytes));
        assert_memory_equal(&x.sig, &y.sig, sizeof(x.sig));
        count++;
    }
    assert_true(count >= 3);
}

/* The new program's entries reach a third node through one that doesn't know what they are. */
static void
what_a_later_program_wrote_is_kept_passed_on_told_and_shown_after_the_upgrade(void **state)
{
    struct cluster *c = *state;
    char other[40];
    char patient[40];
    story_found(c, OLD);
    story_patient(c, OLD, other);
    story_patient(c, OLD, patient);
    story_join(c, OLD, RELAY, "Hugo Blanc", 60);
    story_join(c, OLD, NEW, "Léa Morin", 60);
    story_synced(c, RELAY);
    story_synced(c, NEW);
    c->cut[RELAY][NEW] = c->cut[NEW][RELAY] = true;
    learn(c, NEW);
    learn(c, RELAY);
    write_later(c, patient);
    story_synced(c, NEW);
    story_synced(c, RELAY);
    same_bytes(c, NEW, RELAY);
    assert_true(timeline_says(c, RELAY, patient, "SN-42"));
    assert_true(timeline_says(c, NEW, patient, "le soir seulement"));
    assert_int_equal(status_of(c, RELAY, "ops_unknown"), 0);
    /* The one between shows what it knows of them, and says that there is more. */
    assert_false(timeline_says(c, OLD, patient, "SN-42"));
    assert_true(timeline_says(c, OLD, patient, "metformine"));
    assert_int_equal(status_of(c, OLD, "ops_unknown"), 2);
    assert_int_equal(chart_unknown(c, OLD, patient), 2);
    assert_int_equal(chart_unknown(c, OLD, other), 0);
    learn(c, OLD);
    assert_true(timeline_says(c, OLD, patient, "SN-42"));
    assert_true(timeline_says(c, OLD, patient, "le soir seulement"));
    assert_int_equal(status_of(c, OLD, "ops_unknown"), 0);
    assert_int_equal(chart_unknown(c, OLD, patient), 0);
    story_synced(c, RELAY);
    same_as(c, OLD, RELAY);
}

/* Another schema makes the vault project again: seen from the unlock on, and drafts stay. */
static void another_schema_projects_again_with_progress_and_keeps_drafts(void **state)
{
    struct cluster *c = *state;
    char store[300];
    struct ml_vault_counts counts;
    latest_store(store);
    store_open(c, store);
    const int64_t followed = status_of(c, OLD, "followed");
    assert_true(followed > 0);
    cluster_stop(c, OLD);
    cluster_start(c, OLD);
    c->nodes[OLD].node->schema = later_schema();
    assert_int_equal(story_try_unlock(c, OLD, "une phrase de passe d'essai"), ML_OK);
    assert_int_equal(status_of(c, OLD, "complete"), false);
    assert_int_equal(status_of(c, OLD, "followed"), 0);
    assert_true(status_of(c, OLD, "bundles") >= followed);
    cluster_run(c, 1000);
    assert_int_equal(status_of(c, OLD, "complete"), true);
    assert_true(status_of(c, OLD, "followed") >=
                followed); /* up to the log's end, which may lie later */
    assert_true(store_draft_is_there(c, OLD));
    assert_int_equal(ml_vault_counts(cluster_org(c, OLD)->session->vault, &counts), ML_OK);
    assert_true(counts.work > 0);
}

static void a_method_of_a_later_program_is_told_and_changes_nothing(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_found(c, OLD);
    story_ask(&r);
    assert_int_equal(story_send(&r, c, OLD, "record.teleport"), ML_E_UNSUPPORTED);
    assert_string_equal(ml_value_text(story_get(&r, "text"), ""), "method.unknown");
    story_end(&r);
    story_ask(&r);
    story_put(&r, "query", "martin");
    story_put(&r, "later_parameter", "oui"); /* of a later client: what is known is answered */
    story_must(&r, story_send(&r, c, OLD, "patient.find"), "patient.find");
    story_end(&r);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_store_of_each_earlier_program_lives_on),
        TEST(the_latest_kept_store_has_the_present_versions),
        TEST(a_vault_made_again_from_the_log_is_the_same),
        TEST(a_later_log_is_refused_and_nothing_is_touched),
        TEST(a_later_keystore_closes_the_structure_untouched),
        TEST(who_joins_again_displaces_nothing_of_a_later_program),
        TEST(secrets_of_a_later_program_are_told_from_damage),
        TEST(a_later_vault_is_made_again_without_a_word_of_damage),
        TEST(later_drafts_are_refused_untouched_and_the_rest_works),
        TEST(what_a_later_program_wrote_is_kept_passed_on_told_and_shown_after_the_upgrade),
        TEST(another_schema_projects_again_with_progress_and_keeps_drafts),
        TEST(a_method_of_a_later_program_is_told_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
