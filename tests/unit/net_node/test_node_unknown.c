/* test_node_unknown.c -- a node that others know nothing of, because whoever let it in is gone
 * (rules B17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "maille/value.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

static void cut(struct cluster *c, unsigned a, unsigned b)
{
    c->cut[a][b] = c->cut[b][a] = true;
}

/* The founder lets in a second member, then, out of the first one's reach, a third; then nobody
 * reaches the founder any more. */
static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 47);
    story_found(&c, 0);
    story_join(&c, 0, 1, "Inès Leroy", 60);
    story_synced(&c, 1);
    cut(&c, 0, 1);
    story_join(&c, 0, 2, "Paul Petit", 70);
    story_synced(&c, 2);
    cut(&c, 0, 2);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static size_t peers_named(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_must(&r, story_send(&r, c, n, "sync.status"), "sync.status");
    const size_t count = ml_value_count(story_get(&r, "peers"));
    story_end(&r);
    return count;
}

/* It brings what says who let it in, comes back under its own name, and both are the same. */
static void who_was_let_in_by_somebody_gone_is_met(void **state)
{
    struct cluster *c = *state;
    char patient[40];
    struct story_proof one;
    struct story_proof two;
    story_patient(c, 2, patient);
    story_address(c, 2, 1, 1);
    cluster_run(c, 60000);
    story_verify(c, 1, &one);
    story_verify(c, 2, &two);
    assert_string_equal(one.state_hash, two.state_hash);
    assert_int_equal(one.patients, 1);
    assert_int_equal(peers_named(c, 1), 2); /* the founder, and it under its own name alone */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_was_let_in_by_somebody_gone_is_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
