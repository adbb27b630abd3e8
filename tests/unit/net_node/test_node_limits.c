/* tests/unit/net_node/test_node_limits.c -- what a node keeps of many, and the names of its files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/ids.h"
#include "core/store/log.h"
#include "net/node/contacts.h"
#include "net/node/exchange_inner.h"
#include "net/node/home.h"
#include "net/node/state.h"
#include "support_cluster.h"
#include "support_request.h"
#include "support_story.h"

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 11);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    cluster_free(*state);
    return 0;
}

static struct ml_node_id node_no(unsigned i)
{
    return (struct ml_node_id){{0xaa, (uint8_t)(i >> 8), (uint8_t)i}};
}

/* A long address: `len` bytes, of nobody. */
static void address_of(char *out, size_t len)
{
    memset(out, 'a', len);
    out[len] = '\0';
}

/* ---- peers ---- */

static void addresses_of_peers_are_limited(void **state)
{
    struct cluster *c = *state;
    char address[ML_PEER_ADDRESS_MAX + 1];
    char node[40];
    story_found(c, 0);
    ml_hex_encode(node, cluster_org(c, 0)->secrets.node.b, 16);
    for (unsigned over = 0; over < 2; over++) {
        struct story_request r;
        address_of(address, ML_PEER_ADDRESS_MAX - 1 + over);
        story_ask(&r);
        story_put(&r, "node", node);
        story_put(&r, "address", address);
        assert_int_equal(story_send(&r, c, 0, "peer.add"), over ? ML_E_LIMIT : ML_OK);
        story_end(&r);
    }
}

static void so_many_peers_are_dialled(void **state)
{
    struct cluster *c = *state;
    story_found(c, 0);
    struct ml_org *org = cluster_org(c, 0);
    for (unsigned i = 0; i < ML_EXCHANGE_DIALS_MAX; i++) {
        const struct ml_log_peer peer = {.node = node_no(i), .address = "node:3"};
        assert_int_equal(ml_log_peer_put(org->log, &peer), ML_OK);
        if (i + 2 == ML_EXCHANGE_DIALS_MAX) {
            ml_exchange_dial_all(org);
            assert_int_equal(org->exchange->peer_count, ML_EXCHANGE_DIALS_MAX - 1);
        }
    }
    const struct ml_log_peer over = {.node = node_no(ML_EXCHANGE_DIALS_MAX), .address = "node:3"};
    assert_int_equal(ml_log_peer_put(org->log, &over), ML_OK);
    ml_exchange_dial_all(org);
    assert_int_equal(org->exchange->peer_count, ML_EXCHANGE_DIALS_MAX); /* no error: it dials us */
}

/* Links that nobody here knows the other end of. */
static void so_many_unknown_nodes_have_a_link(void **state)
{
    struct cluster *c = *state;
    story_found(c, 0);
    struct ml_exchange *x = cluster_org(c, 0)->exchange;
    for (unsigned i = 0; i <= ML_EXCHANGE_UNKNOWN_MAX; i++) {
        struct ml_link_peer peer = {.org = cluster_org(c, 0)->id};
        peer.remote_static.b[0] = (uint8_t)(i + 1);
        ml_exchange_link_up(cluster_org(c, 0), 1000 + i, &peer);
    }
    unsigned links = 0;
    for (size_t i = 0; i < ML_EXCHANGE_LINKS_MAX; i++) {
        links += x->links[i].link != 0 && x->links[i].unknown;
    }
    assert_int_equal(links, ML_EXCHANGE_UNKNOWN_MAX);
}

static void a_failed_dial_waits_longer_up_to_a_limit(void **state)
{
    struct cluster *c = *state;
    uint64_t longest = 0;
    bool doubled = false;
    story_found(c, 0);
    story_join(c, 0, 1, "Camille Petit", 2);
    cluster_run(c, 1000);
    cluster_stop(c, 0); /* nobody answers any more */
    struct ml_exchange *x = cluster_org(c, 1)->exchange;
    assert_int_equal(x->peer_count, 1);
    for (unsigned i = 0; i < 2000; i++) {
        cluster_run(c, 1000);
        doubled = doubled || x->peers[0].wait_ms == UINT64_C(2) * ML_EXCHANGE_REDIAL_MS ||
                  x->peers[0].wait_ms == UINT64_C(4) * ML_EXCHANGE_REDIAL_MS;
        longest = x->peers[0].wait_ms > longest ? x->peers[0].wait_ms : longest;
    }
    assert_int_equal(longest, ML_EXCHANGE_REDIAL_MAX_MS);
    assert_true(doubled);
}

/* The latest are kept, outside of the log. */
static void so_many_nodes_are_known_without_the_log(void **state)
{
    struct cluster *c = *state;
    const struct ml_box_pk noise = {{9}};
    char address[ML_CONTACT_ADDRESS_MAX + 1];
    story_found(c, 0);
    struct ml_org *org = cluster_org(c, 0);
    const struct ml_node_secrets *s = &org->secrets;
    address_of(address, ML_CONTACT_ADDRESS_MAX - 1);
    for (unsigned i = 1; i <= ML_CONTACTS_MAX; i++) {
        const struct ml_node_id node = node_no(i);
        assert_int_equal(ml_contacts_keep(org, &node, &noise, address), ML_OK);
        assert_int_equal(s->contact_count, i);
    }
    const struct ml_node_id last = node_no(1000);
    assert_string_equal(s->contacts[0].address, address);
    address_of(address, ML_CONTACT_ADDRESS_MAX); /* longer than one can be: known without it */
    assert_int_equal(ml_contacts_keep(org, &last, &noise, address), ML_OK);
    assert_int_equal(s->contact_count, ML_CONTACTS_MAX);
    assert_memory_equal(&s->contacts[0].node, &last, sizeof(last));
    assert_string_equal(s->contacts[0].address, "");
    const struct ml_node_id second = node_no(2); /* the first one went */
    assert_memory_equal(&s->contacts[ML_CONTACTS_MAX - 1].node, &second, sizeof(second));
    cluster_stop(c, 0);
    cluster_start(c, 0);
    story_unlock(c, 0);
    assert_int_equal(cluster_org(c, 0)->secrets.contact_count, ML_CONTACTS_MAX);
}

/* ---- paths ---- */

/* `<folder>/././...`: so long, and one that the system takes. */
static void long_path(char *out, const char *folder, size_t len)
{
    size_t at = strlen(folder);
    memcpy(out, folder, at);
    for (; at < len; at++) {
        out[at] = (len - at) % 2 == 1 ? '/' : '.';
    }
    out[len] = '\0';
}

static void a_home_has_a_path_of_so_many_bytes(void **state)
{
    struct cluster *c = *state;
    struct ml_home home;
    char path[ML_PATH_MAX + 8];
    memset(&home, 0, sizeof(home));
    long_path(path, c->folder, ML_PATH_MAX - 2); /* a '/' and the NUL come after */
    assert_int_equal(ml_home_open(&home, &c->fake.env, path, c->folder), ML_OK);
    assert_int_equal(strlen(home.root), ML_PATH_MAX - 1);
    long_path(path, c->folder, ML_PATH_MAX - 1);
    assert_int_equal(ml_home_open(&home, &c->fake.env, path, c->folder), ML_E_LIMIT);
    assert_int_equal(ml_home_open(&home, &c->fake.env, c->folder, path), ML_E_LIMIT);
    assert_int_equal(strlen(home.root), ML_PATH_MAX - 1); /* as it was */
}

static void a_file_set_aside_has_a_name_of_so_many_bytes(void **state)
{
    enum { MOST = ML_ASIDE_NAME_MAX - sizeof(".damaged-1") };
    struct cluster *c = *state;
    char name[ML_ASIDE_NAME_MAX] = "as it was";
    char path[400];
    char last[MOST + 2];
    memset(last, 'f', sizeof(last));
    snprintf(path, sizeof(path), "%s/%.*s", c->folder, (int)MOST + 1, last);
    assert_int_equal(ml_home_aside_name(&c->fake.env, path, name), ML_E_LIMIT);
    assert_string_equal(name, "as it was");
    snprintf(path, sizeof(path), "%s/%.*s", c->folder, (int)MOST, last);
    assert_int_equal(ml_home_aside_name(&c->fake.env, path, name), ML_OK);
    assert_int_equal(strlen(name), ML_ASIDE_NAME_MAX - 1);
}

/* ---- calls ---- */

static void a_call_with_a_longer_token_than_any_is_refused(void **state)
{
    struct cluster *c = *state;
    struct story_request r;
    story_found(c, 0);
    c->nodes[0].token_len = 64; /* of no session */
    story_ask(&r);
    assert_int_equal(story_send(&r, c, 0, "node.status"), ML_OK);
    story_end(&r);
    c->nodes[0].token_len = 65;
    story_ask(&r);
    assert_int_equal(story_send(&r, c, 0, "node.status"), ML_E_LIMIT);
    story_end(&r);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(addresses_of_peers_are_limited),
        TEST(so_many_peers_are_dialled),
        TEST(so_many_unknown_nodes_have_a_link),
        TEST(a_failed_dial_waits_longer_up_to_a_limit),
        TEST(so_many_nodes_are_known_without_the_log),
        TEST(a_home_has_a_path_of_so_many_bytes),
        TEST(a_file_set_aside_has_a_name_of_so_many_bytes),
        TEST(a_call_with_a_longer_token_than_any_is_refused),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
