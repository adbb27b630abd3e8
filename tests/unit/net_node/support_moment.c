/* support_moment.c -- see support_moment.h. */
#include "support_moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support_request.h"
#include "support_store.h"

enum { FOUNDER = 0 };

/* Who may write nothing keeps no draft either. */
void moment_draft(struct cluster *c, unsigned node)
{
    struct story_request q;
    story_ask(&q);
    story_put(&q, "form", STORE_DRAFT_FORM);
    ml_args_key(q.args, "content");
    ml_args_bytes(q.args, (const uint8_t *)STORE_DRAFT_TEXT, strlen(STORE_DRAFT_TEXT));
    const ml_err err = story_send(&q, c, node, "draft.put");
    assert_true(err == ML_OK || err == ML_E_DENIED);
    story_end(&q);
}

/* Of each patient whom the author knows, in each compartment that he can't read: what his role lets
 * him file he can't open again. */
static unsigned deposit(const struct moment *s, unsigned author)
{
    unsigned filed = 0;
    for (unsigned i = 0; i < s->r->patient_count * READER_SENSITIVE && filed < 2; i++) {
        const unsigned patient = i / READER_SENSITIVE;
        const unsigned kind = i % READER_SENSITIVE;
        const unsigned teams = s->r->patients[patient].teams;
        bool reads = false;
        for (unsigned t = 0; t < READER_TEAMS; t++) {
            reads = reads || ((teams >> t & 1u) != 0 &&
                              readers_entitled(s->r, author, t, reader_kinds[kind].compartment));
        }
        filed += !reads && readers_write(s->r, patient, kind, author);
    }
    return filed;
}

/* What is traced of a node itself: nobody's own. */
static void knock(const struct moment *s, unsigned node)
{
    assert_int_equal(story_try_unlock(&s->r->c, node, "une phrase qu'on devine"), ML_E_WRONG_KEY);
}

static ml_err glass_open(const struct moment *s, unsigned m, unsigned patient, int tier,
                         char glass[40])
{
    struct story_request q;
    story_ask(&q);
    story_put(&q, "patient", s->r->patients[patient].id);
    story_put(&q, "reason", "vital");
    story_put(&q, "text", "perte de connaissance");
    ml_args_key(q.args, "tier");
    ml_args_int(q.args, tier);
    ml_args_key(q.args, "minutes");
    ml_args_int(q.args, 60);
    const ml_err err = story_send(&q, &s->r->c, m, "breakglass.open");
    snprintf(glass, 40, "%s", ml_value_text(story_get(&q, "glass"), ""));
    story_end(&q);
    return err;
}

/* Somebody asks for sensitive data, the founder's device answers; and he has a glass open. */
static void glasses(const struct moment *s, unsigned m, unsigned patient)
{
    struct story_request q;
    char glass[40];
    if (glass_open(s, m, patient, 3, glass) == ML_OK) {
        cluster_run(&s->r->c, 5000);
        story_ask(&q);
        story_put(&q, "glass", glass);
        story_must(&q, story_send(&q, &s->r->c, FOUNDER, "breakglass.confirm"),
                   "breakglass.confirm");
        story_end(&q);
        cluster_run(&s->r->c, 5000);
    }
    (void)glass_open(s, m, patient, 2, glass);
}

/* Is somebody's passphrase what opens the session there? */
static bool is_there(const struct moment *s, unsigned m)
{
    return !s->r->members[m].absent && m != s->guest;
}

static void look(const struct moment *s, unsigned node)
{
    struct story_request q;
    story_ask(&q);
    story_put(&q, "patient", s->r->patients[0].id);
    (void)story_send(&q, &s->r->c, node, "patient.show");
    story_end(&q);
}

/* Killed before its journal is cut: what was traced and drafted lies there as it was. */
static void kill_one(const struct moment *s)
{
    const unsigned down = s->victim == READERS - 2 ? READERS - 3 : READERS - 2;
    moment_draft(&s->r->c, down);
    look(s, down);
    cluster_copy_home(&s->r->c, down, "killed");
    cluster_stop(&s->r->c, down);
    cluster_restore_home(&s->r->c, down, "killed");
}

unsigned moment_leave(const struct moment *s)
{
    unsigned filed = 0;
    for (unsigned p = 0; p < s->r->patient_count; p++) {
        (void)readers_write(s->r, p, READER_SENSITIVE, FOUNDER);
    }
    for (unsigned m = 1; m < READERS; m++) {
        filed += is_there(s, m) ? deposit(s, m) : 0;
    }
    knock(s, FOUNDER);
    readers_settle(s->r);
    for (unsigned i = 0; i < s->r->patient_count * READERS; i++) {
        const unsigned m = i % READERS;
        const unsigned patient = i / READERS;
        if (m != FOUNDER && is_there(s, m) && readers_breaks(s->r, m) &&
            !s->r->patients[patient].shut) {
            glasses(s, m, patient);
        }
    }
    look(s, FOUNDER);
    kill_one(s);
    return filed;
}
