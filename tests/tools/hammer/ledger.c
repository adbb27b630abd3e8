/* tests/tools/hammer/ledger.c -- what was sent, what was acknowledged, and whether a node has it.
 *
 * Entry k says k: a note's text and a patient's traits are functions of its number, so that a half
 * entry, one that nobody sent and one that came twice are seen without asking who wrote it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "hammer.h"

enum { PAGE = 2000, PATIENT_EVERY = 24, DOCUMENT_EVERY = 16, DOCUMENTS_LOOKED_AT = 3 };

uint64_t draw(struct hammer *h, uint64_t bound)
{
    uint64_t z = (h->rng += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
}

bool fail(struct hammer *h, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (h->error[0] == '\0') { /* the first one says why */
        // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
        vsnprintf(h->error, sizeof(h->error), format, args);
    }
    va_end(args);
    return false;
}

/* ---- what entry k says ---- */

static void note_text(char out[TEXT_BYTES], size_t k)
{
    size_t len = (size_t)snprintf(out, TEXT_BYTES, "marteau %zu ", k);
    size_t filler = (k * 7919) % 400;
    for (size_t i = 0; i < filler; i++) {
        out[len + i] = (char)('a' + (k + i) % 26);
    }
    snprintf(out + len + filler, TEXT_BYTES - len - filler, ".");
}

static void note_time(char out[32], size_t k)
{
    snprintf(out, 32, "2026-03-%02zuT%02zu:%02zu", 1 + k % 28, 8 + k % 10, k % 60);
}

/* How the node's texts write it. */
static void note_time_text(char out[32], size_t k)
{
    snprintf(out, 32, "%02zu/03/2026", 1 + k % 28);
}

static void patient_name(char out[32], size_t k)
{
    size_t len = (size_t)snprintf(out, 32, "Marteau-");
    for (int i = 0; i < 6; i++, k /= 26) {
        out[len++] = (char)('A' + k % 26);
    }
    out[len] = '\0';
}

/* SIZE_MAX: not one of ours. */
static size_t patient_number(const char *name)
{
    size_t k = 0;
    if (strncmp(name, "Marteau-", 8) != 0 || strlen(name) != 14) {
        return SIZE_MAX;
    }
    for (int i = 13; i >= 8; i--) {
        k = k * 26 + (size_t)(name[i] - 'A');
    }
    return k;
}

static void patient_birth(char out[32], size_t k)
{
    snprintf(out, 32, "19%02zu-%02zu-%02zu", 30 + k % 60, 1 + k % 12, 1 + k % 28);
}

/* ---- sending ---- */

struct ticket {
    struct hammer *h;
    size_t entry;
};

static void ledger_answered(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    struct ticket *t = user;
    struct ledger *l = &t->h->ledger;
    struct entry *e = &l->entries[t->entry];
    (void)ticket;
    t->h->nodes[e->node].open_calls--;
    if (answer->err == ML_OK) {
        e->state = ENTRY_ACKED;
        l->acked++;
        snprintf(e->object, sizeof(e->object), "%s",
                 ml_value_text(ml_value_get(answer->result, "object"), ""));
    } else if (answer->err == ML_E_UNREACHABLE || answer->err == ML_E_CANCELED ||
               answer->err == ML_E_IO || answer->err == ML_E_MALFORMED) {
        e->state = ENTRY_UNKNOWN;
    } else {
        e->state = ENTRY_REFUSED;
    }
    if (answer->err != ML_OK) {
        l->last_refusal = answer->err;
        ml_text_error(l->refusal, sizeof(l->refusal), answer->err, answer->detail);
    }
    free(t);
}

static void note_title(char out[TEXT_BYTES], size_t k)
{
    snprintf(out, TEXT_BYTES, "marteau %zu .", k);
}

static struct ml_args *entry_params(const struct hammer *h, size_t k)
{
    const struct entry *e = &h->ledger.entries[k];
    char text[TEXT_BYTES];
    struct ml_args *a = params_new();
    static const char *const entities[] = {"care_note", "patient", "document"};
    param_text(a, "entity", entities[e->kind]);
    if (e->kind != ENTRY_PATIENT) {
        param_text(a, "patient", h->ledger.patients[e->patient]);
    }
    if (e->kind == ENTRY_DOCUMENT) {
        document_put(h, a, k);
    }
    ml_args_key(a, "fields");
    ml_args_map(a);
    if (e->kind == ENTRY_PATIENT) {
        patient_name(text, k);
        param_text(a, "birth_name", text);
        param_text(a, "birth_given_names", "Zoé");
        patient_birth(text, k);
        param_text(a, "birth_date", text);
        param_text(a, "sex", "F");
    } else {
        const bool file = e->kind == ENTRY_DOCUMENT;
        (file ? note_title : note_text)(text, k);
        param_text(a, file ? "title" : "data", text);
        note_time(text, k);
        param_text(a, "written_at", text);
    }
    ml_args_end(a);
    ml_args_end(a);
    return a;
}

static struct entry *ledger_add(struct ledger *l)
{
    l->entries = realloc(l->entries, (l->count + 1) * sizeof(*l->entries));
    ML_ASSERT(l->entries != NULL);
    struct entry *e = &l->entries[l->count++];
    *e = (struct entry){.state = ENTRY_SENT};
    return e;
}

bool ledger_send(struct hammer *h, unsigned node)
{
    struct node *n = &h->nodes[node];
    struct ledger *l = &h->ledger;
    size_t k = l->count;
    struct entry *e = ledger_add(l);
    struct ticket *t = malloc(sizeof(*t));
    ML_ASSERT(t != NULL);
    *t = (struct ticket){.h = h, .entry = k};
    e->node = node;
    e->kind = l->patient_count == 0 || draw(h, PATIENT_EVERY) == 0 ? ENTRY_PATIENT
              : draw(h, DOCUMENT_EVERY) == 0                       ? ENTRY_DOCUMENT
                                                                   : ENTRY_NOTE;
    e->patient = l->patient_count == 0 ? 0 : (unsigned)draw(h, l->patient_count);
    struct ml_args *params = entry_params(h, k);
    const struct ml_ask ask = {
        .method = "record.add", .params = params, .done = ledger_answered, .user = t};
    ml_err err = ml_client_call(n->client, NULL, &ask);
    ml_args_free(params);
    if (err != ML_OK) {
        e->state = ENTRY_UNKNOWN;
        free(t);
        return false;
    }
    n->open_calls++;
    return true;
}

/* ---- what a node holds ---- */

struct census {
    struct hammer *h;
    unsigned node;
    uint8_t *seen; /* how often each entry was there */
    bool complete; /* every list said that it was */
};

static bool census_bad(struct census *c, size_t k, const char *what)
{
    static const char *const kinds[] = {"a note", "a patient", "a document"};
    const struct entry *e = &c->h->ledger.entries[k < c->h->ledger.count ? k : 0];
    return fail(c->h, "%s: entry %zu (%s written on %s, seen on a %d, on b %d) %s",
                c->h->nodes[c->node].name, k, kinds[e->kind], c->h->nodes[e->node].name, e->on[0],
                e->on[1], what);
}

/* Entry k is here as `object`; `whole`: all that it says is. */
static bool census_meet(struct census *c, size_t k, const char *object, bool whole)
{
    struct ledger *l = &c->h->ledger;
    if (k >= l->count) {
        return census_bad(c, k, "was never sent");
    }
    struct entry *e = &l->entries[k];
    l->checks++;
    if (c->seen[k]++ != 0) {
        return census_bad(c, k, "is there twice");
    }
    if (!whole) {
        return census_bad(c, k, "is there in part");
    }
    if (e->state == ENTRY_REFUSED) {
        return census_bad(c, k, "was refused, and is there");
    }
    if (e->object[0] != '\0' && strcmp(e->object, object) != 0) {
        return census_bad(c, k, "has another id");
    }
    e->on[c->node] = true;
    return true;
}

static bool census_note(struct census *c, const struct ml_value *row, const char *patient)
{
    char text[TEXT_BYTES];
    char when[32];
    const bool file = strcmp(ml_value_text(ml_value_get(row, "entity"), ""), "document") == 0;
    const char *said = ml_value_text(ml_value_get(row, file ? "title" : "text"), "");
    size_t k = 0;
    if (sscanf(said, "marteau %zu ", &k) != 1) { // NOLINT(cert-err34-c): a wrong one is met below
        return fail(c->h, "%s: a note that nobody sent: %.80s", c->h->nodes[c->node].name, said);
    }
    (file ? note_title : note_text)(text, k);
    note_time_text(when, k);
    const char *effective = ml_value_text(ml_value_get(row, "effective_text"), "");
    bool whole = k < c->h->ledger.count && strcmp(said, text) == 0 &&
                 strncmp(effective, when, strlen(when)) == 0 &&
                 strcmp(c->h->ledger.patients[c->h->ledger.entries[k].patient], patient) == 0;
    return census_meet(c, k, ml_value_text(ml_value_get(row, "object"), ""), whole);
}

static struct ml_args *page_params(const char *patient, int64_t offset)
{
    struct ml_args *a = params_new();
    param_text(a, "patient", patient);
    param_int(a, "offset", offset);
    param_int(a, "limit", PAGE);
    ml_args_key(a, "entities");
    ml_args_list(a);
    ml_args_text(a, "care_note");
    ml_args_text(a, "document");
    ml_args_end(a);
    return a;
}

static bool census_notes(struct census *c, const char *patient)
{
    bool more = true;
    for (int64_t offset = 0; more; offset += PAGE) {
        struct ml_args *a = page_params(patient, offset);
        const struct ml_value *v = node_call(&c->h->nodes[c->node], "timeline.list", a);
        if (v == NULL) {
            return fail(c->h, "%s", c->h->nodes[c->node].error);
        }
        more = ml_value_bool(ml_value_get(v, "more"), false);
        c->complete = c->complete && ml_value_bool(ml_value_get(v, "complete"), false);
        bool good = true;
        v = ml_value_at(ml_value_get(v, "items"), 0);
        for (; v != NULL && good; v = ml_value_next(v)) {
            good = census_note(c, v, patient);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool census_patients(struct census *c)
{
    char birth[32];
    struct ml_args *a = params_new();
    param_text(a, "query", "");
    param_int(a, "limit", PAGE);
    const struct ml_value *v = node_call(&c->h->nodes[c->node], "patient.find", a);
    if (v == NULL) {
        return fail(c->h, "%s", c->h->nodes[c->node].error);
    }
    c->complete = ml_value_bool(ml_value_get(v, "complete"), false);
    v = ml_value_at(ml_value_get(v, "items"), 0);
    for (; v != NULL; v = ml_value_next(v)) {
        size_t k = patient_number(ml_value_text(ml_value_get(v, "birth_name"), ""));
        patient_birth(birth, k);
        bool whole = strcmp(ml_value_text(ml_value_get(v, "birth_date"), ""), birth) == 0 &&
                     strcmp(ml_value_text(ml_value_get(v, "given_names"), ""), "Zoé") == 0 &&
                     strcmp(ml_value_text(ml_value_get(v, "sex"), ""), "féminin") == 0;
        if (!census_meet(c, k, ml_value_text(ml_value_get(v, "patient"), ""), whole)) {
            return false;
        }
    }
    return true;
}

/* An unlocked vault may still follow its log, and says so (« liste incomplète »): waits until the
 * views hold what the log holds now. */
static bool views_follow(struct hammer *h, unsigned node)
{
    enum { UNTIL_BYTES = 16384 };
    char until[UNTIL_BYTES] = "frontier=";
    size_t len = strlen(until);
    struct node *n = &h->nodes[node];
    const struct ml_value *v = node_call(n, "sync.status", params_new());
    v = ml_value_at(ml_value_get(v, "frontier"), 0);
    for (; v != NULL && len < sizeof(until); v = ml_value_next(v)) {
        const char *head = ml_value_text(v, "");
        const bool trace = strstr(head, "/2/") != NULL; /* never waited for */
        len += trace ? 0 : (size_t)snprintf(until + len, sizeof(until) - len, "%s,", head);
    }
    if (len >= sizeof(until) || until[len - 1] != ',') {
        return fail(h, "%s: no frontier: %s", n->name, n->error);
    }
    until[len - 1] = '\0';
    struct ml_args *a = params_new();
    param_text(a, "until", until);
    param_int(a, "timeout_ms", GUARD_MS);
    return node_call(n, "sync.wait", a) != NULL || fail(h, "%s", n->error);
}

/* SIZE_MAX: all that is owed was there. */
static size_t census_missing(const struct census *c, bool all)
{
    const struct ledger *l = &c->h->ledger;
    for (size_t k = 0; k < l->count; k++) {
        const struct entry *e = &l->entries[k];
        const bool acked = e->state == ENTRY_ACKED && (all || e->node == c->node);
        if ((acked || e->on[c->node]) && c->seen[k] == 0) {
            return k;
        }
    }
    return SIZE_MAX;
}

static bool census_take(struct census *c, bool all, size_t *missing)
{
    const struct ledger *l = &c->h->ledger;
    memset(c->seen, 0, l->count + 1);
    bool good = census_patients(c);
    for (size_t i = 0; i < l->patient_count && good; i++) {
        good = census_notes(c, l->patients[i]);
    }
    *missing = census_missing(c, all);
    return good;
}

bool ledger_check(struct hammer *h, unsigned node, bool all)
{
    struct census c = {.h = h, .node = node, .seen = calloc(h->ledger.count + 1, 1)};
    size_t missing = SIZE_MAX;
    ML_ASSERT(c.seen != NULL);
    bool good = census_take(&c, all, &missing);
    if (good && missing != SIZE_MAX && c.complete) {
        good = census_bad(&c, missing, "isn't in a list that says it is complete");
    } else if (good && missing != SIZE_MAX) {
        h->ledger.followed++;
        good = views_follow(h, node) && census_take(&c, all, &missing);
    }
    if (good && missing != SIZE_MAX) {
        good = census_bad(&c, missing, "was acknowledged, and is lost");
    }
    free(c.seen);
    return good && documents_check(h, node, DOCUMENTS_LOOKED_AT);
}

void ledger_free(struct ledger *l)
{
    free(l->entries);
    free(l->patients);
}
