/* test_node_project.c -- what makes a vault project again, counted in bundles
 * (docs/storage/vault.md): the life of a structure doesn't; another verdict or another body does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/record/vault.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "support_story.h"

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 29);
    story_found(&c, 0);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static struct ml_org *org_of(struct cluster *c)
{
    return c->nodes[0].node->orgs;
}

static uint64_t work_of(struct cluster *c)
{
    struct ml_vault_counts counts;
    assert_int_equal(ml_session_catch_up_all(org_of(c)), ML_OK);
    assert_int_equal(ml_vault_counts(org_of(c)->session->vault, &counts), ML_OK);
    return counts.work;
}

/* Bundles of the record in the log; *some: the body of one of them. */
static uint64_t records(struct cluster *c, struct ml_hash16 *some)
{
    struct ml_log_entry e;
    uint64_t count = 0;
    for (uint64_t n = 0; ml_log_after(org_of(c)->log, n, ML_LOG_LANE(ML_LANE_RECORD), &e) == ML_OK;
         n = e.n) {
        count++;
        *some = ml_hash16_of(&e.hash);
    }
    return count;
}

static void members_nodes_and_traces_project_nothing_again(void **state)
{
    struct cluster *c = *state;
    struct ml_hash16 some;
    char patient[40];
    char treatment[40];
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("Kardégic", "75 mg"), treatment);
    const uint64_t epoch = ml_log_epoch(org_of(c)->log);
    story_join(c, 0, 1, "Léa Morin", 60);
    story_join(c, 0, 2, "Hugo Blanc", 60);
    story_synced(c, 1);
    story_dose(c, 1, patient, treatment, drug("Kardégic", "160 mg"));
    story_synced(c, 1);
    story_synced(c, 2);
    cluster_run(c, 31000);
    assert_int_equal(ml_log_epoch(org_of(c)->log), epoch);
    assert_int_equal(work_of(c), records(c, &some)); /* each once since the founding */
}

static void nothing(void *user, const struct ml_log_outcome *o)
{
    (void)user;
    (void)o;
}

/* A second bundle in a place that is taken: what its writer's key proves must be judged anew. */
static void a_fork_projects_all_once_more(void **state)
{
    struct cluster *c = *state;
    struct ml_org *org = org_of(c);
    struct ml_hash16 some;
    struct ml_header header;
    struct ml_author author;
    struct ml_hash hash;
    struct ml_buf wire;
    char patient[40];
    static const struct ml_dict_entry dict = {.compartment = ML_COMPARTMENT_VITAL,
                                              .action = ML_ACTION_CREATE};
    const struct ml_op_draft op = {.sealed = ml_slice("sealed bytes, sealed bytes", 26)};
    ml_session_author(org, &author);
    assert_int_equal(ml_org_next_header(org, &header, &author, ML_LANE_RECORD), ML_OK);
    struct ml_dep deps[8];
    assert_in_range(header.deps.count, 0, 8);
    if (header.deps.count > 0) {
        memcpy(deps, header.deps.items, header.deps.count * sizeof(deps[0]));
        header.deps.items = deps;
    }
    story_patient(c, 0, patient); /* takes that place */
    const uint64_t before = work_of(c);
    const uint64_t epoch = ml_log_epoch(org->log);
    header.dictionary = (struct ml_list){.items = &dict, .count = 1};
    struct ml_bundle_draft draft = {.header = header, .ops = &op, .op_count = 1};
    ml_buf_init(&wire, &c->fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_build(&wire, &hash, &draft, &org->id, author.seed), ML_OK);
    const struct ml_slice one = ml_buf_slice(&wire);
    assert_int_equal(ml_log_ingest(org->log, &one, 1, nothing, NULL), ML_OK);
    ml_buf_free(&wire);
    assert_true(ml_log_epoch(org->log) != epoch);
    assert_int_equal(work_of(c), before + records(c, &some));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(members_nodes_and_traces_project_nothing_again),
        T(a_fork_projects_all_once_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
