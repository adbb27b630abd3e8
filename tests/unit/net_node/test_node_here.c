/* test_node_here.c -- several members on one computer: a second one gets a slot of his own with a
 * coordinator's code, one who forgot gets another, one who is revoked has none any more (rules C12,
 * D4; docs/operations.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fs.h"
#include "core/base/ids.h"
#include "net/node/state.h"
#include "support_story.h"

enum { OFFICE, SHARED }; /* Anne, the coordinator, at her desk; a computer that others share */

static const char first_phrase[] = "une phrase de passe d'essai"; /* of who founds, or joins */
static const char other_phrase[] = "une tout autre phrase de passe";

struct who {
    char member[40];
    char words[80]; /* of his enrolment */
};

static int setup(void **state)
{
    static struct cluster c;
    cluster_init(&c, 53);
    story_found(&c, OFFICE);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    struct cluster *c = *state;
    c->fake.fail_alloc = 0;
    c->fake.env.fs = ml_fs_system();
    cluster_free(c);
    return 0;
}

static void keep(char *out, size_t size, const struct story_request *r, const char *key)
{
    snprintf(out, size, "%s", ml_value_text(story_get(r, key), ""));
}

static void token_keep(struct cluster *c, unsigned n, const struct story_request *r)
{
    const char *hex = ml_value_text(story_get(r, "token"), "");
    uint8_t token[32];
    if (hex[0] != '\0') {
        assert_int_equal(ml_hex_decode(token, sizeof(token), hex, strlen(hex)), ML_OK);
        cluster_keep_token(c, n, ml_slice(token, sizeof(token)));
    }
}

static void member_add(struct cluster *c, const char *name, struct who *who)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "name", name);
    ml_args_key(r.args, "role");
    ml_args_int(r.args, 60);
    story_must(&r, story_send(&r, c, OFFICE, "member.add"), "member.add");
    keep(who->member, sizeof(who->member), &r, "member");
    story_end(&r);
}

static void code_for(struct cluster *c, const struct who *who, char code[256])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", who->member);
    story_must(&r, story_send(&r, c, OFFICE, "enrol.code"), "enrol.code");
    keep(code, 256, &r, "code");
    story_end(&r);
}

/* What is typed at a computer with a code; `address` NULL: the coordinator is at this one. */
static ml_err here(struct cluster *c, unsigned n, const char *const said[3], struct who *who,
                   char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "code", said[0]);
    story_put(&r, "passphrase", said[1]);
    if (said[2] != NULL) {
        story_put(&r, "address", said[2]);
    }
    ml_err err = story_send(&r, c, n, "enrol.here");
    text[0] = '\0';
    if (err == ML_OK) {
        keep(who->words, sizeof(who->words), &r, "words");
        token_keep(c, n, &r);
    } else {
        keep(text, 64, &r, "text");
    }
    story_end(&r);
    return err;
}

static void enrol(struct cluster *c, unsigned n, struct who *who)
{
    char code[256];
    char text[64];
    code_for(c, who, code);
    const char *const said[] = {code, other_phrase, n == OFFICE ? NULL : "node:0"};
    assert_int_equal(here(c, n, said, who, text), ML_OK);
}

static ml_err unlock(struct cluster *c, unsigned n, const char *member, const char *phrase,
                     char text[64])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", member);
    story_put(&r, "passphrase", phrase);
    ml_err err = story_send(&r, c, n, "session.unlock");
    text[0] = '\0';
    if (err == ML_OK) {
        token_keep(c, n, &r);
        assert_true(ml_value_bool(story_get(&r, "may_write"), false));
    } else {
        keep(text, 64, &r, "text");
    }
    story_end(&r);
    cluster_run(c, 100); /* his vault follows the log */
    return err;
}

static const struct ml_org *org_of(const struct cluster *c, unsigned n)
{
    return c->nodes[n].node->orgs;
}

static size_t slots(const struct cluster *c, unsigned n)
{
    return ml_keystore_member_count(org_of(c, n)->keystore);
}

static bool has_file(const struct cluster *c, unsigned n, const char *folder, const char *member)
{
    char path[600];
    char org[ML_HEX_SIZE(sizeof(struct ml_org_id))];
    ml_hex_encode(org, org_of(c, n)->id.b, sizeof(org_of(c, n)->id.b));
    snprintf(path, sizeof(path), "%s/%s/%s/%s.db", c->nodes[n].home, org, folder, member);
    return access(path, F_OK) == 0;
}

static void self_of(struct cluster *c, unsigned n, struct who *who)
{
    ml_hex_encode(who->member, org_of(c, n)->session->member.b, 16);
}

static void draft(struct cluster *c, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "form", "care_note");
    story_put(&r, "content", "une note commencée");
    story_must(&r, story_send(&r, c, n, "draft.put"), "draft.put");
    story_end(&r);
}

static void deny(struct cluster *c, const char *method, const struct who *who)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "member", who->member);
    story_must(&r, story_send(&r, c, OFFICE, method), method);
    story_end(&r);
}

/* ---- a second one ---- */

static void two_members_of_one_computer_have_a_vault_each(void **state)
{
    struct cluster *c = *state;
    struct who anne;
    struct who lea;
    char patient[40];
    char text[64];
    self_of(c, OFFICE, &anne);
    member_add(c, "Léa Morin", &lea);
    enrol(c, OFFICE, &lea);
    assert_int_equal(slots(c, OFFICE), 2);
    story_patient(c, OFFICE, patient); /* Anne's session goes on */
    assert_int_equal(unlock(c, OFFICE, lea.member, first_phrase, text), ML_E_WRONG_KEY);
    assert_int_equal(unlock(c, OFFICE, lea.member, other_phrase, text), ML_OK);
    assert_int_equal(story_find(c, OFFICE, "martin"), 1);
    story_patient(c, OFFICE, patient);
    assert_true(has_file(c, OFFICE, "vaults", anne.member));
    assert_true(has_file(c, OFFICE, "vaults", lea.member));
    assert_int_equal(unlock(c, OFFICE, anne.member, other_phrase, text), ML_E_WRONG_KEY);
    assert_int_equal(unlock(c, OFFICE, anne.member, first_phrase, text), ML_OK);
    assert_int_equal(story_find(c, OFFICE, "martin"), 2);
    cluster_stop(c, OFFICE); /* either opens the computer */
    cluster_start(c, OFFICE);
    assert_int_equal(unlock(c, OFFICE, lea.member, other_phrase, text), ML_OK);
    assert_int_equal(story_find(c, OFFICE, "martin"), 2);
}

/* The drafts of one are not the other's. */
static void a_switch_takes_nothing_over(void **state)
{
    struct cluster *c = *state;
    struct who lea;
    struct story_request r;
    char text[64];
    draft(c, OFFICE);
    const struct cluster_node anne = c->nodes[OFFICE]; /* her token */
    member_add(c, "Léa Morin", &lea);
    enrol(c, OFFICE, &lea);
    assert_int_equal(unlock(c, OFFICE, lea.member, other_phrase, text), ML_OK);
    story_ask(&r);
    story_must(&r, story_send(&r, c, OFFICE, "draft.list"), "draft.list");
    assert_int_equal(ml_value_count(story_get(&r, "drafts")), 0);
    story_end(&r);
    memcpy(c->nodes[OFFICE].token, anne.token, sizeof(anne.token));
    assert_int_equal(story_try_find(c, OFFICE), ML_E_LOCKED);
}

static void both_sides_show_the_same_words(void **state)
{
    struct cluster *c = *state;
    struct who hugo;
    struct who ines;
    struct story_request r;
    char words[80];
    char text[64];
    story_join(c, OFFICE, SHARED, "Inès Leroy", 60);
    story_synced(c, SHARED);
    self_of(c, SHARED, &ines);
    member_add(c, "Hugo Petit", &hugo);
    enrol(c, SHARED, &hugo);
    story_ask(&r);
    story_must(&r, story_send(&r, c, OFFICE, "enrol.last"), "enrol.last");
    keep(words, sizeof(words), &r, "words");
    story_end(&r);
    assert_string_equal(words, hugo.words);
    unsigned blanks = 0;
    for (const char *w = words; *w != '\0'; w++) {
        blanks += *w == ' ';
    }
    assert_int_equal(blanks, ML_FINGERPRINT_WORDS - 1);
    /* He is there, writes, and is heard; she comes back to the same computer. */
    char patient[40];
    story_patient(c, SHARED, patient);
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_OK);
    assert_int_equal(story_find(c, SHARED, "martin"), 1);
    story_synced(c, SHARED);
    assert_int_equal(story_find(c, OFFICE, "martin"), 1);
    assert_int_equal(slots(c, SHARED), 2);
}

static void a_wrong_code_ends_the_one_that_waits(void **state)
{
    struct cluster *c = *state;
    struct who lea;
    char code[256];
    char other[256];
    char text[64];
    member_add(c, "Léa Morin", &lea);
    code_for(c, &lea, other);
    code_for(c, &lea, code); /* takes the place of the one before */
    const char *const wrong[] = {other, other_phrase, NULL};
    assert_int_equal(here(c, OFFICE, wrong, &lea, text), ML_E_DENIED);
    assert_string_equal(text, "enrol.wrong_code");
    const char *const right[] = {code, other_phrase, NULL};
    assert_int_equal(here(c, OFFICE, right, &lea, text), ML_E_DENIED);
    assert_string_equal(text, "enrol.none_here");
    assert_int_equal(slots(c, OFFICE), 1);
}

static void a_code_is_used_once_and_not_for_oneself(void **state)
{
    struct cluster *c = *state;
    struct who anne;
    struct who lea;
    char code[256];
    char text[64];
    self_of(c, OFFICE, &anne);
    code_for(c, &anne, code);
    const char *const mine[] = {code, other_phrase, NULL};
    assert_int_equal(here(c, OFFICE, mine, &anne, text), ML_E_DENIED);
    assert_string_equal(text, "enrol.oneself");
    member_add(c, "Léa Morin", &lea);
    code_for(c, &lea, code);
    const char *const said[] = {code, other_phrase, NULL};
    assert_int_equal(here(c, OFFICE, said, &lea, text), ML_OK);
    assert_int_equal(here(c, OFFICE, said, &lea, text), ML_E_DENIED);
    code_for(c, &lea, code);
    c->fake.now_ms += 600001;
    assert_int_equal(here(c, OFFICE, said, &lea, text), ML_E_DENIED);
}

static void a_closed_computer_takes_nobody_in(void **state)
{
    struct cluster *c = *state;
    struct who lea;
    char text[64];
    member_add(c, "Léa Morin", &lea);
    cluster_stop(c, OFFICE);
    cluster_start(c, OFFICE);
    const char *const said[] = {"abaisser abandon", other_phrase, NULL};
    assert_int_equal(here(c, OFFICE, said, &lea, text), ML_E_LOCKED);
    assert_string_equal(text, "enrol.closed");
}

/* ---- the forgotten passphrase ---- */

static void who_forgot_is_enrolled_again_and_the_old_slot_opens_nothing(void **state)
{
    struct cluster *c = *state;
    struct who ines;
    struct who hugo;
    char patient[40];
    char text[64];
    story_join(c, OFFICE, SHARED, "Inès Leroy", 60);
    self_of(c, SHARED, &ines);
    story_patient(c, SHARED, patient);
    draft(c, SHARED);
    member_add(c, "Hugo Petit", &hugo);
    enrol(c, SHARED, &hugo); /* who opens the computer for her */
    assert_true(has_file(c, SHARED, "drafts", ines.member));
    enrol(c, SHARED, &ines);
    assert_int_equal(slots(c, SHARED), 2);
    assert_false(has_file(c, SHARED, "drafts", ines.member)); /* nothing opens them any more */
    assert_int_equal(story_find(c, SHARED, "martin"), 1);
    story_patient(c, SHARED, patient);
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_E_WRONG_KEY);
    assert_int_equal(unlock(c, SHARED, ines.member, other_phrase, text), ML_OK);
    story_synced(c, SHARED);
    assert_int_equal(story_find(c, OFFICE, "martin"), 2); /* before and after: all counts */
    cluster_stop(c, SHARED);
    cluster_start(c, SHARED);
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_E_WRONG_KEY);
    assert_int_equal(unlock(c, SHARED, ines.member, other_phrase, text), ML_OK);
}

/* ---- C12: who is revoked ---- */

static void a_revoked_members_vault_and_slot_are_deleted_unopened(void **state)
{
    struct cluster *c = *state;
    struct who hugo;
    struct who ines;
    char text[64];
    char patient[40];
    story_join(c, OFFICE, SHARED, "Inès Leroy", 60);
    self_of(c, SHARED, &ines);
    member_add(c, "Hugo Petit", &hugo);
    enrol(c, SHARED, &hugo);
    story_patient(c, SHARED, patient);
    draft(c, SHARED);
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_OK);
    story_synced(c, SHARED);
    deny(c, "member.suspend", &hugo); /* for some hours: what he has here waits */
    story_synced(c, SHARED);
    assert_int_equal(slots(c, SHARED), 2);
    assert_true(has_file(c, SHARED, "vaults", hugo.member));
    deny(c, "member.revoke", &hugo);
    story_synced(c, SHARED);
    cluster_run(c, 1000);
    assert_int_equal(slots(c, SHARED), 1);
    assert_false(has_file(c, SHARED, "vaults", hugo.member));
    assert_false(has_file(c, SHARED, "drafts", hugo.member));
    assert_int_equal(story_find(c, SHARED, "martin"), 1); /* Inès goes on */
    assert_int_equal(unlock(c, SHARED, hugo.member, other_phrase, text), ML_E_WRONG_KEY);
    cluster_stop(c, SHARED);
    cluster_start(c, SHARED);
    assert_int_equal(slots(c, SHARED), 1); /* on the disk too */
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_OK);
}

/* She alone opens the log that has to be given to the others: it opens, and no vault with it. */
static void the_last_one_who_is_revoked_opens_only_what_must_be_drained(void **state)
{
    struct cluster *c = *state;
    struct who ines;
    struct story_proof proof;
    char text[64];
    char patient[40];
    story_join(c, OFFICE, SHARED, "Inès Leroy", 60);
    story_synced(c, SHARED);
    self_of(c, SHARED, &ines);
    c->cut[OFFICE][SHARED] = c->cut[SHARED][OFFICE] = true;
    deny(c, "member.revoke", &ines);
    story_patient(c, SHARED, patient); /* she doesn't know */
    cluster_stop(c, SHARED);
    c->cut[OFFICE][SHARED] = c->cut[SHARED][OFFICE] = false;
    cluster_start(c, SHARED);
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_OK);
    cluster_run(c, 20000);
    struct story_request r; /* she is unlocked until she locks; her last trace counts no more */
    story_ask(&r);
    (void)story_send(&r, c, SHARED, "session.lock");
    story_end(&r);
    cluster_run(c, 100);
    assert_null(org_of(c, SHARED)->session);
    assert_false(has_file(c, SHARED, "vaults", ines.member));
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_E_DENIED);
    assert_string_equal(text, "unlock.gone");
    assert_null(org_of(c, SHARED)->session);
    assert_false(ml_keystore_is_unlocked(org_of(c, SHARED)->keystore,
                                         ml_keystore_member(org_of(c, SHARED)->keystore, 0)));
    assert_true(org_of(c, SHARED)->open);
    cluster_run(c, 20000);
    story_verify(c, OFFICE, &proof);
    assert_true(proof.quarantined > 0); /* what she wrote isn't lost */
    cluster_stop(c, SHARED);
    cluster_start(c, SHARED);
    assert_int_equal(unlock(c, SHARED, ines.member, first_phrase, text), ML_E_DENIED);
    assert_false(has_file(c, SHARED, "vaults", ines.member));
}

/* ---- faults ---- */

/* Each one early on, then fewer: every try that comes far leaves keys in the log. */
static void an_enrolment_that_fails_leaves_what_was(void **state)
{
    struct cluster *c = *state;
    struct who lea;
    struct who anne;
    char code[256];
    char text[64];
    bool done = false;
    self_of(c, OFFICE, &anne);
    member_add(c, "Léa Morin", &lea);
    for (long nth = 1; !done; nth += 1 + nth / 16) {
        code_for(c, &lea, code);
        const char *const said[] = {code, other_phrase, NULL};
        c->fake.fail_alloc = nth;
        const ml_err err = here(c, OFFICE, said, &lea, text);
        done = fake_spared(&c->fake);
        assert_true(err == ML_OK || err == ML_E_NOMEM);
        assert_true(!done || err == ML_OK);
        assert_true(slots(c, OFFICE) >= 1);
    }
    assert_int_equal(unlock(c, OFFICE, lea.member, other_phrase, text), ML_OK);
    assert_int_equal(unlock(c, OFFICE, anne.member, first_phrase, text), ML_OK);
}

/* A disk under the small files whose n-th write, sync or rename of a keystore fails. */
static long fail_io;

static bool io_fails(void)
{
    return fail_io > 0 && --fail_io == 0;
}

static int failing_write(void *ctx, intptr_t file, uint64_t at, const void *buf, size_t len)
{
    return io_fails() ? 5 : ml_fs_system()->write(ctx, file, at, buf, len);
}

static int failing_sync(void *ctx, intptr_t file)
{
    return io_fails() ? 5 : ml_fs_system()->sync(ctx, file);
}

static int failing_rename(void *ctx, const char *from, const char *to)
{
    return io_fails() ? 5 : ml_fs_system()->rename(ctx, from, to);
}

static int failing_sync_folder(void *ctx, const char *path)
{
    return io_fails() ? 5 : ml_fs_system()->sync_folder(ctx, path);
}

static ml_err passphrase_change(struct cluster *c, const char *old, const char *wanted)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "old", old);
    story_put(&r, "passphrase", wanted);
    ml_args_key(r.args, "new_words");
    ml_args_bool(r.args, true);
    ml_err err = story_send(&r, c, OFFICE, "session.passphrase");
    story_end(&r);
    return err;
}

/* In memory as on the disk: the answer says which passphrase opens. */
static void a_passphrase_that_is_not_saved_is_not_changed(void **state)
{
    struct cluster *c = *state;
    struct ml_fs failing = *ml_fs_system();
    char text[64];
    struct who anne;
    bool done = false;
    failing.write = failing_write;
    failing.sync = failing_sync;
    failing.rename = failing_rename;
    failing.sync_folder = failing_sync_folder;
    self_of(c, OFFICE, &anne);
    for (long nth = 1; !done; nth++) {
        c->fake.env.fs = &failing;
        fail_io = nth;
        const ml_err err = passphrase_change(c, first_phrase, other_phrase);
        done = fail_io > 0;
        fail_io = 0;
        c->fake.env.fs = ml_fs_system();
        assert_true(err == ML_OK || err == ML_E_IO);
        const char *opens = err == ML_OK ? other_phrase : first_phrase;
        const char *not = err == ML_OK ? first_phrase : other_phrase;
        assert_int_equal(unlock(c, OFFICE, anne.member, not, text), ML_E_WRONG_KEY);
        assert_int_equal(unlock(c, OFFICE, anne.member, opens, text), ML_OK);
        cluster_stop(c, OFFICE);
        cluster_start(c, OFFICE);
        assert_int_equal(unlock(c, OFFICE, anne.member, not, text), ML_E_WRONG_KEY);
        assert_int_equal(unlock(c, OFFICE, anne.member, opens, text), ML_OK);
        if (err == ML_OK) {
            assert_int_equal(passphrase_change(c, other_phrase, first_phrase), ML_OK);
        }
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_members_of_one_computer_have_a_vault_each),
        T(a_switch_takes_nothing_over),
        T(both_sides_show_the_same_words),
        T(a_wrong_code_ends_the_one_that_waits),
        T(a_code_is_used_once_and_not_for_oneself),
        T(a_closed_computer_takes_nobody_in),
        T(who_forgot_is_enrolled_again_and_the_old_slot_opens_nothing),
        T(a_revoked_members_vault_and_slot_are_deleted_unopened),
        T(the_last_one_who_is_revoked_opens_only_what_must_be_drained),
        T(an_enrolment_that_fails_leaves_what_was),
        T(a_passphrase_that_is_not_saved_is_not_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
