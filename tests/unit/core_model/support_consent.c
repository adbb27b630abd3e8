/* tests/unit/core_model/support_consent.c -- see support_consent.h. */
#include "support_consent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct ml_member_id person_id(unsigned person)
{
    struct ml_member_id id = {{(uint8_t)person, 1}};
    return id;
}

static struct ml_object_id object_id(const char *name)
{
    struct ml_object_id id = {{0}};
    memcpy(id.b, name, strlen(name) < sizeof(id.b) ? strlen(name) : sizeof(id.b));
    return id;
}

void story_begin(struct story *s, const uint16_t *roles)
{
    memset(s, 0, sizeof(*s));
    fake_env_init(&s->fake, 1);
    s->roles = roles;
    s->now_ms = 100;
}

void story_end(struct story *s)
{
    for (size_t i = 0; i < s->count; i++) {
        ml_buf_free(&s->bytes[i]);
    }
    assert_int_equal(s->fake.live, 0);
}

/* ---- saying ---- */

static int id_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_consent_id));
}

struct names {
    struct ml_consent_id id[16];
    uint32_t count;
};

static void name_add(const struct story *s, struct names *names, char letter)
{
    for (size_t i = 0; i < s->count; i++) {
        bool there = false;
        for (uint32_t n = 0; n < names->count; n++) {
            there = there || memcmp(&names->id[n], &s->facts[i].id, sizeof(names->id[n])) == 0;
        }
        if (s->says[i].name == letter && !there) {
            names->id[names->count++] = s->facts[i].id;
        }
    }
    qsort(names->id, names->count, sizeof(names->id[0]), id_order);
}

static bool knows(const struct story *s, const struct says *says, size_t i)
{
    if (says->chosen) {
        return (says->knows >> i & 1u) != 0;
    }
    return !says->alone && i < s->count;
}

static void audience_put(struct ml_consent *c, const struct says *says, struct ml_member_id *except)
{
    if (says->person != 0) {
        c->audience = ML_AUDIENCE_PERSON;
        *except = person_id(says->person);
        memcpy(c->audience_id, except->b, sizeof(c->audience_id));
    } else if (says->team != 0) {
        c->audience = ML_AUDIENCE_TEAM;
        c->audience_id[0] = (uint8_t)says->team;
    } else if (says->role != 0) {
        c->audience = ML_AUDIENCE_PROFESSION;
        c->role = says->role;
    } else if (says->except != 0) {
        c->audience = ML_AUDIENCE_ALL_EXCEPT;
        *except = person_id(says->except);
        c->members = (struct ml_list){.items = except, .count = 1};
    }
}

static void item_put(struct ml_consent *c, const struct says *says)
{
    if (says->object != NULL) {
        c->item = ML_ITEM_OBJECT;
        c->object = object_id(says->object);
    } else if (says->class != 0) {
        c->item = ML_ITEM_CLASS;
        c->number = says->class;
    } else if (says->compartment != 0) {
        c->item = ML_ITEM_COMPARTMENT;
        c->number = says->compartment;
    }
}

void story_say(struct story *s, const struct says *says)
{
    struct ml_member_id except;
    struct names seen = {.count = 0};
    struct names ends = {.count = 0};
    struct ml_consent c = {.kind = says->kind, .source = says->source, .until_ms = says->until_ms};
    struct ml_consent_fact *f = &s->facts[s->count];
    c.source = says->source == 0 ? ML_CONSENT_BY_PATIENT : says->source;
    c.unique[0] = (uint8_t)says->name;
    c.unique[1] = (uint8_t)(s->count >> 8);
    c.unique[2] = (uint8_t)s->count;
    audience_put(&c, says, &except);
    item_put(&c, says);
    for (size_t i = 0; i < s->count && i < 16; i++) {
        if (knows(s, says, i)) {
            name_add(s, &seen, s->says[i].name);
        }
    }
    for (const char *l = says->ends; *l != '\0'; l++) {
        name_add(s, &ends, *l);
    }
    c.seen = (struct ml_list){.items = seen.id, .count = seen.count};
    c.ends = (struct ml_list){.items = ends.id, .count = ends.count};
    struct ml_buf *b = &s->bytes[s->count];
    ml_buf_init(b, &s->fake.env, 1u << 14);
    assert_int_equal(ml_consent_encode(b, &c), ML_OK);
    *f = (struct ml_consent_fact){.id = ml_consent_id_of(ml_buf_slice(b)),
                                  .author = person_id(says->by),
                                  .hlc = s->count,
                                  .counts = !says->grey};
    f->at.index = (uint8_t)says->name;
    assert_int_equal(ml_consent_decode(&f->said, ml_buf_slice(b), NULL), ML_OK);
    s->says[s->count++] = *says;
}

void story_fill(struct story *s, size_t count)
{
    while (s->count < count) {
        story_say(s, &(struct says){.name = '!', .kind = ML_CONSENT_INFORMED, .alone = true});
    }
}

/* The facts alone: the oracle reads what was said in the order in which it was. */
void story_shuffle(struct story *s, uint64_t seed)
{
    for (size_t i = s->count; i > 1; i--) {
        const size_t at = (size_t)((seed >> i % 13) % i);
        const struct ml_consent_fact f = s->facts[i - 1];
        s->facts[i - 1] = s->facts[at];
        s->facts[at] = f;
    }
}

/* ---- asking ---- */

static struct ml_consent_set *set_of(const struct story *s)
{
    struct ml_consent_set *set = NULL;
    assert_int_equal(ml_consent_set_new(&set, &s->fake.env, s->facts, s->count), ML_OK);
    return set;
}

static struct ml_consent_member member_of(const struct story *s, unsigned who,
                                          struct ml_team_id *team)
{
    *team = (struct ml_team_id){{(uint8_t)who}};
    return (struct ml_consent_member){.id = person_id(who),
                                      .roles = &s->roles[who],
                                      .role_count = 1,
                                      .teams = team,
                                      .team_count = 1,
                                      .in_care_team = who != s->outside};
}

static ml_consent_answer ask(const struct story *s, const struct asked *asked,
                             ml_consent_step_cb *each, void *user)
{
    struct ml_team_id team;
    struct ml_object_id object = object_id(asked->object == NULL ? "" : asked->object);
    struct ml_consent_set *set = set_of(s);
    const struct ml_consent_question q = {.viewer = asked->viewer,
                                          .member = member_of(s, asked->who, &team),
                                          .class = asked->class,
                                          .object = asked->object == NULL ? NULL : &object,
                                          .now_ms = s->now_ms,
                                          .emergency = asked->emergency};
    const ml_consent_answer answer = ml_consent_decide(set, &q, each, user);
    ml_consent_set_free(set);
    return answer;
}

ml_consent_answer consent_ask(const struct story *s, const struct asked *asked)
{
    return ask(s, asked, NULL, NULL);
}

struct telling {
    char *out;
    size_t size;
};

static void step_tell(void *user, const struct ml_consent_step *step)
{
    const struct telling *t = user;
    const size_t at = strlen(t->out);
    char fact[4] = "";
    char by[4] = "";
    if (step->fact != NULL) {
        snprintf(fact, sizeof(fact), ":%c", step->fact->at.index);
    }
    if (step->by != NULL) {
        snprintf(by, sizeof(by), "/%c", step->by->at.index);
    }
    snprintf(t->out + at, t->size - at, "%s%s%s ", ml_consent_step_name(step->kind), fact, by);
}

void consent_tell(const struct story *s, const struct asked *asked, char *out, size_t size)
{
    struct telling t = {out, size};
    out[0] = '\0';
    (void)ask(s, asked, step_tell, &t);
}

bool consent_closes(const struct story *s, unsigned who, unsigned compartment)
{
    struct ml_team_id team;
    const struct ml_consent_member m = member_of(s, who, &team);
    struct ml_consent_set *set = set_of(s);
    const bool closes = ml_consent_closes(set, &m, compartment, s->now_ms);
    ml_consent_set_free(set);
    return closes;
}

bool consent_closes_emergency(const struct story *s, unsigned compartment)
{
    struct ml_consent_set *set = set_of(s);
    const bool closes = ml_consent_closes_emergency(set, compartment, s->now_ms);
    ml_consent_set_free(set);
    return closes;
}

bool consent_opposes(const struct story *s)
{
    struct ml_consent_set *set = set_of(s);
    const bool opposes = ml_consent_opposes(set, s->now_ms);
    ml_consent_set_free(set);
    return opposes;
}

uint64_t consent_next(const struct story *s)
{
    struct ml_consent_set *set = set_of(s);
    const uint64_t next = ml_consent_next_ms(set, s->now_ms);
    ml_consent_set_free(set);
    return next;
}

void consent_fails_cleanly(struct story *s)
{
    const long live = s->fake.live;
    for (long n = 1;; n++) {
        struct ml_consent_set *set = NULL;
        s->fake.fail_alloc = n;
        ml_err err = ml_consent_set_new(&set, &s->fake.env, s->facts, s->count);
        if (fake_spared(&s->fake)) {
            assert_int_equal(err, ML_OK);
            ml_consent_set_free(set);
            break;
        }
        assert_int_equal(err, ML_E_NOMEM);
        assert_int_equal(s->fake.live, live);
    }
    assert_int_equal(s->fake.live, live);
}

/* ---- the oracle: what was said, read as sentences ---- */

struct reading {
    const struct story *s;
    const struct asked *a;
};

static bool over(const struct reading *r, size_t i)
{
    return r->s->says[i].until_ms != 0 && r->s->says[i].until_ms <= r->s->now_ms;
}

static bool names(const char *letters, char letter)
{
    return letter != '\0' && strchr(letters, letter) != NULL;
}

/* Nobody lifts against whom another took it down; representatives lift no secret. */
static bool may_lift(const struct reading *r, size_t by, size_t what, bool gains)
{
    const struct says *b = &r->s->says[by];
    const struct says *w = &r->s->says[what];
    const bool own_gain = gains && b->by == r->a->who && w->by != r->a->who;
    const bool unheard = w->kind == ML_CONSENT_SECRET && b->source == ML_CONSENT_BY_REPRESENTATIVE;
    return !over(r, by) && !own_gain && !unheard;
}

/* Was it ended: by one that counts, over others that needn't? They come later than what they end.
 */
static bool ends_any(const struct says *says, const char *gone)
{
    while (*gone != '\0' && !names(says->ends, *gone)) {
        gone++;
    }
    return *gone != '\0';
}

static bool lifted(const struct reading *r, size_t what, bool gains)
{
    char gone[32] = {r->s->says[what].name};
    for (size_t i = what + 1; i < r->s->count; i++) {
        const struct says *says = &r->s->says[i];
        if (!ends_any(says, gone) || !may_lift(r, i, what, gains)) {
            continue;
        }
        if (!says->grey) {
            return true;
        }
        gone[strlen(gone)] = says->name;
    }
    return false;
}

/* Is it about the one who asks, and about what he asks? */
static bool whom(const struct reading *r, const struct says *says)
{
    const unsigned who = r->a->who;
    if (says->person != 0) {
        return says->person == who;
    }
    if (says->team != 0) {
        return says->team == who;
    }
    if (says->role != 0) {
        return says->role == r->s->roles[who];
    }
    return says->except == 0 || says->except != who;
}

static bool what(const struct reading *r, const struct says *says)
{
    if (says->object != NULL) {
        return r->a->object != NULL && strcmp(r->a->object, says->object) == 0;
    }
    if (says->class != 0) {
        return says->class == r->a->class;
    }
    return says->compartment == 0 || says->compartment == ml_class_compartment(r->a->class);
}

static bool knew(const struct story *s, size_t later, size_t earlier)
{
    bool reached[32] = {false};
    reached[later] = true;
    for (size_t i = later + 1; i-- > 0;) {
        for (size_t k = 0; reached[i] && k < i; k++) {
            reached[k] = reached[k] || (s->says[i].chosen ? (s->says[i].knows >> k & 1u) != 0
                                                          : !s->says[i].alone);
            reached[k] = reached[k] || names(s->says[i].ends, s->says[k].name);
        }
    }
    return reached[earlier];
}

static int place(const struct says *says)
{
    return says->object != NULL ? 3 : says->class != 0 ? 2 : says->compartment != 0 ? 1 : 0;
}

static int audience(const struct says *says)
{
    return says->person != 0                    ? 3
           : says->team != 0 || says->role != 0 ? 2
           : says->except != 0                  ? 1
                                                : 0;
}

static bool stands(const struct reading *r, size_t i, uint8_t kind, bool gains)
{
    const struct says *says = &r->s->says[i];
    return says->kind == kind && !says->grey && !over(r, i) && !lifted(r, i, gains) &&
           what(r, says);
}

static bool agreed(const struct reading *r, size_t i)
{
    const struct says *says = &r->s->says[i];
    return stands(r, i, ML_CONSENT_AGREED, false) && whom(r, says) && says->by != r->a->who;
}

static bool outweighed(const struct reading *r, size_t opposed)
{
    const struct says *d = &r->s->says[opposed];
    for (size_t i = 0; i < r->s->count; i++) {
        const struct says *a = &r->s->says[i];
        const bool above = audience(a) >= audience(d) && place(a) >= place(d) &&
                           audience(a) + place(a) > audience(d) + place(d);
        const bool side_by_side = i < opposed ? !knew(r->s, opposed, i) : !knew(r->s, i, opposed);
        if (agreed(r, i) && above && !side_by_side) {
            return true;
        }
    }
    return false;
}

static bool representative_may(const struct reading *r)
{
    for (size_t i = 0; i < r->s->count; i++) {
        if (stands(r, i, ML_CONSENT_SECRET, false) &&
            r->s->says[i].source != ML_CONSENT_BY_REPRESENTATIVE) {
            return false;
        }
    }
    return true;
}

bool oracle_may(const struct story *s, const struct asked *asked)
{
    const struct reading r = {s, asked};
    bool any = false;
    if (asked->viewer == ML_VIEWER_REPRESENTATIVE) {
        return representative_may(&r);
    }
    for (size_t i = 0; i < s->count; i++) {
        any = any || agreed(&r, i);
        if (asked->emergency && stands(&r, i, ML_CONSENT_NO_EMERGENCY, true)) {
            return false;
        }
        if (stands(&r, i, ML_CONSENT_OPPOSED, true) && whom(&r, &s->says[i]) &&
            !(asked->emergency && s->says[i].object == NULL) && !outweighed(&r, i)) {
            return false;
        }
    }
    return any || asked->emergency || asked->who != s->outside;
}
