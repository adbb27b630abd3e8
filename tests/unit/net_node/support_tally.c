/* tests/unit/net_node/support_tally.c -- see support_tally.h. */
#include "support_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/model/seal.h"
#include "net/node/session.h"
#include "net/node/state.h"

static void give_op(struct ml_keyring *to, const struct ml_body_op *op)
{
    struct ml_keyop key;
    struct ml_keyring_news news;
    if (!op->shredded) {
        assert_int_equal(ml_keyop_decode(&key, op->sealed, NULL), ML_OK);
        assert_int_equal(ml_keyring_apply(to, &key, true, &news), ML_OK);
    }
}

void tally_give_keys(const struct cluster *c, unsigned from, unsigned to)
{
    struct ml_log *log = cluster_org(c, from)->log;
    struct ml_log_entry entry = {0};
    while (ml_log_after(log, entry.n, ML_LOG_LANE(ML_LANE_KEYS), &entry) == ML_OK) {
        struct ml_body_walk walk;
        struct ml_body_op op;
        ml_body_walk(&walk, entry.body.bytes);
        while (ml_body_next(&walk, &op)) {
            give_op(ml_session_keyring(cluster_org(c, to)), &op);
        }
    }
}

static ml_err tally_one(void *user, const struct ml_opened *opened)
{
    struct tally *t = user;
    t->opened += opened->result == ML_OPEN_OK;
    t->closed += opened->result == ML_OPEN_NO_STREAM || opened->result == ML_OPEN_NO_KEY;
    return ML_OK;
}

struct tally tally_records(const struct cluster *c, unsigned from, unsigned by, uint64_t after)
{
    struct ml_log *log = cluster_org(c, from)->log;
    struct tally t = {0};
    struct ml_log_entry entry = {.n = after};
    while (ml_log_after(log, entry.n, ML_LOG_LANE(ML_LANE_RECORD), &entry) == ML_OK) {
        const struct ml_open_args args = {.env = &c->fake.env,
                                          .org = cluster_org(c, by)->id,
                                          .keyring = ml_session_keyring(cluster_org(c, by)),
                                          .header = &entry.header,
                                          .body = entry.body.bytes};
        assert_int_equal(ml_open_bundle(&args, tally_one, &t), ML_OK);
    }
    return t;
}
