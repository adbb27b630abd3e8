/* test_node_words.c -- the two sheets of a founding: what each opens, and what it doesn't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/crypto/box.h"
#include "core/crypto/keystore.h"
#include "core/crypto/sign.h"
#include "core/crypto/words.h"
#include "net/node/org.h"
#include "net/node/root.h"
#include "net/node/state.h"
#include "support_story.h"

struct sheets {
    struct cluster c;
    char member[512];
    char structure[512];
};

static int setup(void **state)
{
    static struct sheets s;
    struct story_request r;
    memset(&s, 0, sizeof(s));
    cluster_init(&s.c, 17);
    cluster_start(&s.c, 0);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", "une phrase de passe d'essai");
    story_must(&r, story_send(&r, &s.c, 0, "org.found"), "org.found");
    snprintf(s.member, sizeof(s.member), "%s", ml_value_text(story_get(&r, "member_words"), ""));
    snprintf(s.structure, sizeof(s.structure), "%s",
             ml_value_text(story_get(&r, "structure_words"), ""));
    assert_null(story_get(&r, "recovery"));
    story_end(&r);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct sheets *s = *state;
    cluster_free(&s->c);
    return 0;
}

static struct ml_secret *read_sheet(const char *words)
{
    struct ml_secret *secret = NULL;
    struct ml_words_error wrong;
    assert_int_equal(
        ml_words_decode(&secret, ML_STRUCTURE_SECRET_BYTES, ml_slice_str(words), &wrong), ML_OK);
    return secret;
}

static ml_err unlock_with(struct sheets *s, const char *words)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "recovery", words);
    ml_err err = story_send(&r, &s->c, 0, "session.unlock");
    story_end(&r);
    return err;
}

static void the_members_words_open_his_slot(void **state)
{
    struct sheets *s = *state;
    cluster_stop(&s->c, 0);
    cluster_start(&s->c, 0);
    assert_int_equal(unlock_with(s, s->member), ML_OK);
}

static void the_structures_words_open_no_slot(void **state)
{
    struct sheets *s = *state;
    cluster_stop(&s->c, 0);
    cluster_start(&s->c, 0);
    assert_int_equal(unlock_with(s, s->structure), ML_E_WRONG_KEY);
    assert_false(ml_keystore_node_is_open(s->c.nodes[0].node->orgs->keystore));
}

/* Do these words lead to what the genesis says of Root and of the auditor? */
static int public_halves(struct sheets *s, const char *words)
{
    const struct ml_org *org = s->c.nodes[0].node->orgs;
    const struct ml_fact *root = ml_gov_next(ml_log_gov(org->log), ML_FACT_ORG, NULL);
    struct ml_secret *secret = read_sheet(words);
    struct ml_root_keys keys;
    struct ml_sign_pk sign;
    struct ml_box_pk box;
    struct ml_box_pk audit;
    assert_int_equal(ml_root_open(&keys, secret), ML_OK);
    ml_sign_pk_of(&sign, keys.sign);
    ml_box_pk_of(&box, keys.box);
    ml_box_pk_of(&audit, keys.audit);
    ml_root_close(&keys);
    ml_secret_free(secret);
    return (memcmp(sign.b, root->sign_pk.b, sizeof(sign.b)) == 0) +
           (memcmp(box.b, root->box_pk.b, sizeof(box.b)) == 0) +
           (memcmp(audit.b, root->audit.b, sizeof(audit.b)) == 0);
}

static void roots_keys_hang_on_the_structures_words_alone(void **state)
{
    struct sheets *s = *state;
    assert_string_not_equal(s->member, s->structure);
    assert_int_equal(public_halves(s, s->structure), 3);
    assert_int_equal(public_halves(s, s->member), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_members_words_open_his_slot),
        T(the_structures_words_open_no_slot),
        T(roots_keys_hang_on_the_structures_words_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
