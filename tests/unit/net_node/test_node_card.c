/* test_node_card.c -- a card opens its member; a wrong PIN, another card and none are told.
 *
 * The card is SoftHSM's, found as p11-kit finds it on any machine that has it installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto/keystore.h"
#include "net/node/state.h"
#include "net/node/token.h"
#include "support_card.h"
#include "support_story.h"

enum { PATH_SIZE = 256 };
static const char passphrase[] = "une phrase de passe d'essai";

struct reader {
    struct cluster c;
    char folder[PATH_SIZE];
};

static struct reader reader;

static void insert(const char *tokens)
{
    card_insert(reader.folder, tokens);
}

static int cards_make(void **state)
{
    (void)state;
    snprintf(reader.folder, sizeof(reader.folder), "/tmp/maille-card-XXXXXX");
    assert_non_null(mkdtemp(reader.folder));
    card_make(reader.folder, "mine", true);
    card_make(reader.folder, "other", true);
    card_make(reader.folder, "keyless", false);
    return 0;
}

static int cards_free(void **state)
{
    const char *const argv[] = {"rm", "-rf", reader.folder, NULL};
    (void)state;
    cluster_spawn(argv);
    return 0;
}

static int setup(void **state)
{
    struct story_request r;
    cluster_init(&reader.c, 23);
    cluster_start(&reader.c, 0);
    story_ask(&r);
    story_put(&r, "name", "Maison de santé des Tilleuls");
    story_put(&r, "member_name", "Dr Anne Morel");
    story_put(&r, "passphrase", passphrase);
    story_must(&r, story_send(&r, &reader.c, 0, "org.found"), "org.found");
    story_end(&r);
    insert("mine");
    *state = &reader;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_free(&reader.c);
    return 0;
}

static ml_err call_with(const char *method, const char *pin, char text[64], char tries[8])
{
    struct story_request r;
    story_ask(&r);
    if (pin != NULL) {
        story_put(&r, "pin", pin);
    }
    ml_err err = story_send(&r, &reader.c, 0, method);
    snprintf(text, 64, "%s", ml_value_text(story_get(&r, "text"), ""));
    snprintf(tries, 8, "%s", ml_value_text(ml_value_get(story_get(&r, "args"), "tries"), ""));
    story_end(&r);
    return err;
}

static void restart(void)
{
    cluster_stop(&reader.c, 0);
    cluster_start(&reader.c, 0);
}

static void a_card_opens_its_member(void **state)
{
    (void)state;
    char text[64];
    char tries[8];
    assert_int_equal(call_with("card.add", "1234", text, tries), ML_OK);
    restart();
    assert_int_equal(call_with("session.unlock", "1234", text, tries), ML_OK);
    restart();
    assert_int_equal(story_try_unlock(&reader.c, 0, passphrase), ML_OK); /* as before */
    assert_int_equal(call_with("card.remove", NULL, text, tries), ML_OK);
    restart();
    assert_int_equal(call_with("session.unlock", "1234", text, tries), ML_E_NOT_FOUND);
    assert_string_equal(text, "card.none");
}

static void a_wrong_pin_is_counted_and_told(void **state)
{
    (void)state;
    char text[64];
    char tries[8];
    assert_int_equal(call_with("card.add", "0000", text, tries), ML_E_WRONG_KEY);
    assert_null(ml_keystore_card(reader.c.nodes[0].node->orgs->keystore,
                                 &reader.c.nodes[0].node->orgs->session->member));
    assert_int_equal(call_with("card.add", "1234", text, tries), ML_OK);
    restart();
    for (unsigned i = 1; i <= 3; i++) {
        char expect[8];
        snprintf(expect, sizeof(expect), "%u", i);
        assert_int_equal(call_with("session.unlock", "4321", text, tries), ML_E_WRONG_KEY);
        assert_int_equal(strncmp(text, "card.pin_", 9), 0);
        assert_string_equal(tries, expect);
    }
    assert_int_equal(call_with("session.unlock", "1234", text, tries), ML_OK);
    assert_int_equal(call_with("session.unlock", "4321", text, tries), ML_E_WRONG_KEY);
    assert_string_equal(tries, "1"); /* the right one ended the count */
}

static void no_card_and_another_card_are_told(void **state)
{
    (void)state;
    char text[64];
    char tries[8];
    assert_int_equal(call_with("card.add", "1234", text, tries), ML_OK);
    restart();
    insert("none");
    assert_int_equal(call_with("session.unlock", "1234", text, tries), ML_E_NOT_FOUND);
    assert_string_equal(text, "card.absent");
    insert("other");
    assert_int_equal(call_with("session.unlock", "1234", text, tries), ML_E_NOT_FOUND);
    assert_string_equal(text, "card.other");
    insert("keyless");
    assert_int_equal(call_with("session.unlock", "1234", text, tries), ML_E_NOT_FOUND);
    assert_string_equal(text, "card.other");
    assert_int_equal(story_try_unlock(&reader.c, 0, passphrase), ML_OK);
    assert_int_equal(call_with("card.add", "1234", text, tries), ML_E_NOT_FOUND);
    assert_string_equal(text, "card.other");
}

/* The PIN of the one in the reader goes to no other card: it would be counted there. */
static void a_pin_is_asked_of_no_other_card(void **state)
{
    (void)state;
    struct ml_card_lock lock;
    struct ml_secret *secret = NULL;
    ml_token_fault fault = ML_TOKEN_BROKEN;
    const struct ml_slice pin = ml_slice_str("1234");
    const struct ml_slice wrong = ml_slice_str("4321");
    const struct ml_env *env = ml_env_system();
    assert_int_equal(ml_token_seal(&lock, &secret, env, pin, &fault), ML_OK);
    insert("other");
    struct ml_secret *opened = NULL;
    assert_int_equal(ml_token_open(&opened, &lock, wrong, &fault), ML_E_NOT_FOUND);
    assert_int_equal(fault, ML_TOKEN_OTHER); /* not: a wrong PIN */
    insert("mine");
    assert_int_equal(ml_token_open(&opened, &lock, pin, &fault), ML_OK);
    assert_true(ml_secret_equal(opened, secret));
    ml_secret_free(opened);
    opened = NULL;
    lock.sealed[17] ^= 1;
    assert_int_equal(ml_token_open(&opened, &lock, pin, &fault), ML_E_IO);
    assert_int_equal(fault, ML_TOKEN_BROKEN);
    assert_int_equal(ml_token_open(&opened, &lock, ml_slice(NULL, 0), &fault), ML_E_WRONG_KEY);
    uint8_t longest[ML_TOKEN_PIN_MAX + 1];
    memset(longest, '1', sizeof(longest));
    assert_int_equal(ml_token_open(&opened, &lock, ml_slice(longest, sizeof(longest)), &fault),
                     ML_E_WRONG_KEY);
    assert_int_equal(fault, ML_TOKEN_PIN_WRONG); /* none of the card's own words */
    assert_int_equal(ml_token_open(&opened, &lock, ml_slice(longest, ML_TOKEN_PIN_MAX), &fault),
                     ML_E_WRONG_KEY);
    assert_null(opened);
    ml_secret_free(secret);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_card_opens_its_member),
        T(a_wrong_pin_is_counted_and_told),
        T(no_card_and_another_card_are_told),
        T(a_pin_is_asked_of_no_other_card),
    };
    return cmocka_run_group_tests(tests, cards_make, cards_free);
}
