/* tests/unit/core_record/test_object.c -- what an object says is a function of the set of its
 * versions (I2), down to what the view's hash doesn't hold: the value on the screen, the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/object.h"
#include "support_vault.h"

enum { VERSIONS = 3, ORDERS = 6 };

static const uint8_t orders[ORDERS][VERSIONS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                 {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static int setup(void **state)
{
    struct place *p = malloc(sizeof(*p));
    assert_non_null(p);
    place_init(p, 5);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    int rc = place_free(*state);
    free(*state);
    return rc;
}

/* A creation and two concurrent answers to it that came at one tick of two clocks. */
struct story {
    const struct ml_entity *entity;
    struct ml_obj_version version[VERSIONS];
    struct ml_buf plain[VERSIONS];
    struct ml_version_ref seen; /* the creation */
};

static void story_of(struct place *p, struct story *s, const char *entity)
{
    *s = (struct story){.entity = ml_schema_entity_named(ml_schema_builtin(), entity)};
    for (int i = 0; i < VERSIONS; i++) {
        struct ml_obj_version *v = &s->version[i];
        memset(v->id.bundle.b, i == 0 ? 7 : 9 - i, sizeof(v->id.bundle.b)); /* 7, 8, 7 */
        v->id.index = (uint8_t)i;
        v->hlc = i == 0 ? 100 : 200;
        v->change = (struct ml_change){.schema = ML_SCHEMA_VERSION, .entity = s->entity->id};
        v->change.type = ML_CHANGE_CREATE;
        ml_buf_init(&s->plain[i], &p->fake.env, ML_CHANGE_BYTES_MAX);
    }
    s->seen = (struct ml_version_ref){.id = s->version[0].id};
}

static void story_encode(struct story *s)
{
    for (int i = 0; i < VERSIONS; i++) {
        struct ml_change *change = &s->version[i].change;
        if (i > 0) {
            change->seen = (struct ml_list){.items = &s->seen, .count = 1};
        }
        assert_int_equal(ml_change_encode(&s->plain[i], change), ML_OK);
        s->version[i].plain = ml_buf_slice(&s->plain[i]);
    }
}

static struct ml_object *story_load(struct place *p, const struct story *s, struct ml_buf *packed,
                                    const uint8_t order[VERSIONS])
{
    struct ml_object *o = NULL;
    ml_buf_init(packed, &p->fake.env, ML_OBJECT_BYTES_MAX);
    for (size_t i = 0; i < VERSIONS; i++) {
        ml_object_pack(packed, &s->version[order[i]]);
    }
    assert_int_equal(
        ml_object_load(&o, &p->fake.env, ml_schema_builtin(), s->entity, ml_buf_slice(packed)),
        ML_OK);
    return o;
}

static void story_free(struct story *s)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        ml_buf_free(&s->plain[i]);
    }
}

static void of_concurrent_values_every_node_shows_the_same(void **state)
{
    struct place *p = *state;
    struct story s;
    story_of(p, &s, "allergy");
    const struct ml_field *agent = ml_entity_field_named(s.entity, "agent");
    assert_non_null(agent);
    for (int i = 1; i < VERSIONS; i++) {
        s.version[i].change.type = ML_CHANGE_SET;
        s.version[i].change.slot = ml_field_slot(agent);
        s.version[i].change.value = val_concept(p, i == 1 ? "latex" : "pollens");
    }
    story_encode(&s);
    for (size_t k = 0; k < ORDERS; k++) {
        struct ml_buf packed;
        struct ml_shown shown;
        struct ml_object *o = story_load(p, &s, &packed, orders[k]);
        assert_int_equal(ml_object_shown(o, agent, &shown), ML_OK);
        assert_true(shown.found && shown.conflict);
        assert_true(ml_slice_equal(shown.value, s.version[2].change.value)); /* smallest id */
        ml_object_free(o);
        ml_buf_free(&packed);
    }
    story_free(&s);
}

static void of_equal_clocks_every_node_takes_the_same_time_of_care(void **state)
{
    struct place *p = *state;
    struct story s;
    story_of(p, &s, "observation");
    const char *const names[] = {"code"};
    for (int i = 0; i < VERSIONS; i++) {
        const struct ml_slice code = val_concept(p, "Poids");
        s.version[i].change.type = i == 0 ? ML_CHANGE_CREATE : ML_CHANGE_AMEND;
        s.version[i].change.value = val_map(p, "observation", names, &code, 1);
        s.version[i].change.effective =
            (struct ml_instant){1000000000000 + (int64_t)i * 60000, 0, ML_PRECISION_MINUTE};
    }
    story_encode(&s);
    for (size_t k = 0; k < ORDERS; k++) {
        struct ml_buf packed;
        struct ml_instant at;
        struct ml_object *o = story_load(p, &s, &packed, orders[k]);
        assert_int_equal(ml_object_effective(o, &at), ML_OK);
        assert_int_equal(at.utc_ms, s.version[2].change.effective.utc_ms);
        ml_object_free(o);
        ml_buf_free(&packed);
    }
    story_free(&s);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(of_concurrent_values_every_node_shows_the_same),
        TEST(of_equal_clocks_every_node_takes_the_same_time_of_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
