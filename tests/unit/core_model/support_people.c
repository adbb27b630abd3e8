/* tests/unit/core_model/support_people.c -- see support_people.h. */
#include "support_people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"

void person_again(struct people *w, struct person *p)
{
    ml_keyring_free(p->ring);
    p->ring = NULL;
    const struct ml_keyring_args args = {.env = &w->fake.env,
                                         .org = w->org,
                                         .mon_box = p->box,
                                         .store = &p->store.store,
                                         .cache_deks = 8};
    assert_int_equal(ml_keyring_new(&p->ring, &args), ML_OK);
}

void person_reset(struct people *w, struct person *p)
{
    mem_store_init(&p->store);
    person_again(w, p);
}

void people_init(struct people *w, uint64_t seed, size_t count)
{
    memset(w, 0, sizeof(*w));
    fake_env_init(&w->fake, seed);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_true(count <= PEOPLE_MAX);
    memset(w->org.b, 0xA1, sizeof(w->org.b));
    memset(w->team.b, 0x77, sizeof(w->team.b));
    w->patient = ml_object_id_new(&w->fake.env);
    w->count = count;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ml_box_keypair(&w->who[i].pk, &w->who[i].box, &w->fake.env), ML_OK);
        person_reset(w, &w->who[i]);
    }
    assert_int_equal(ml_box_keypair(&w->recovery_pk, &w->recovery, &w->fake.env), ML_OK);
    key_log_init(&w->log);
}

int people_free(struct people *w)
{
    for (size_t i = 0; i < w->count; i++) {
        ml_keyring_free(w->who[i].ring);
        ml_secret_free(w->who[i].box);
    }
    ml_secret_free(w->recovery);
    key_log_free(&w->log);
    return w->fake.live == 0 ? 0 : -1;
}

void people_hear(struct people *w, size_t first)
{
    for (size_t i = 0; i < w->count; i++) {
        key_log_apply_from(w->who[i].ring, &w->log, first);
    }
}

struct ml_keyop key_log_op(const struct key_log *log, size_t i)
{
    struct ml_keyop op;
    assert_int_equal(ml_keyop_decode(&op, ml_slice(log->op[i].data, log->op[i].len), NULL), ML_OK);
    return op;
}
