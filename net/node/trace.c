/* net/node/trace.c -- see trace.h: entries, in the journal and, encoded, in memory. */
#include "net/node/trace.h"

#include <string.h>

#include "core/base/ids.h"
#include "net/node/damage.h"
#include "net/node/trace_inner.h"

enum { ENTRY_BYTES_MAX = 8192 };

static void note_name(char name[64], const struct ml_member_id *member)
{
    char hex[ML_ID_HEX_SIZE];
    ml_hex_encode(hex, member->b, sizeof(member->b));
    snprintf(name, 64, "trace.cut.%s", hex);
}

uint64_t ml_trace_noted(struct ml_org *org, const struct ml_member_id *member)
{
    char name[64];
    struct ml_buf value;
    note_name(name, member);
    ml_buf_init(&value, org->node->env, 8);
    ml_err err = ml_log_setting_get(org->log, name, &value);
    uint64_t index = err == ML_OK && value.len == 8 ? ml_get_u64be(value.data) : 0;
    ml_buf_free(&value);
    return index;
}

ml_err ml_trace_note_cut(struct ml_org *org, const struct ml_member_id *member, uint64_t index)
{
    char name[64];
    uint8_t value[8];
    note_name(name, member);
    ml_put_u64be(value, index);
    return ml_log_setting_put(org->log, name, ml_slice(value, sizeof(value)));
}

static ml_err pending_add(struct ml_org *org, uint64_t index, struct ml_slice plain)
{
    struct ml_traces *t = org->traces;
    struct ml_trace_entry entry;
    ml_err err = ml_trace_entry_decode(&entry, plain, NULL);
    if (err != ML_OK) {
        return err;
    }
    struct ml_trace_pending *p = ml_alloc(org->node->env, sizeof(*p) + plain.len);
    if (p == NULL) {
        return ML_E_NOMEM;
    }
    p->index = index;
    p->actor = entry.actor;
    p->len = plain.len;
    memcpy(p->plain, plain.data, plain.len);
    *t->last = p;
    t->last = &p->next;
    t->count++;
    return ML_OK;
}

static ml_err journal_found(void *user, uint64_t index, struct ml_slice plain)
{
    struct ml_org *org = user;
    struct ml_trace_entry entry;
    ml_err err = ml_trace_entry_decode(&entry, plain, NULL);
    if (err != ML_OK || index <= ml_trace_noted(org, &entry.actor)) {
        return err;
    }
    return pending_add(org, index, plain);
}

/* Above every index that is noted as cut, so that entries of a new journal aren't taken for those.
 */
static uint64_t journal_first(struct ml_org *org)
{
    static const struct ml_member_id node_itself;
    uint64_t first = ml_trace_noted(org, &node_itself) + 1;
    for (size_t i = 0; i < ml_keystore_member_count(org->keystore); i++) {
        const uint64_t cut = ml_trace_noted(org, ml_keystore_member(org->keystore, i));
        first = cut >= first ? cut + 1 : first;
    }
    return first;
}

/* The log knows that there was a journal: somebody took it away. What it held beyond its last cut
 * nobody has any more. The new one's places begin far above, so that the auditor sees a gap. */
#define JOURNAL_KNOWN "trace.journal"
#define JOURNAL_GAP   (UINT64_C(1) << 20)

static ml_err journal_known(struct ml_org *org, bool *known)
{
    struct ml_buf value;
    ml_buf_init(&value, org->node->env, 8);
    ml_err err = ml_log_setting_get(org->log, JOURNAL_KNOWN, &value);
    *known = err == ML_OK;
    ml_buf_free(&value);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err journal_lost(struct ml_org *org)
{
    const struct ml_damage damage = {.file = ML_DAMAGE_TRACES};
    const struct ml_trace_of_node what = {.action = ML_TRACE_AUDIT,
                                          .result = ML_TRACE_FAILED,
                                          .context = ml_slice_str("journal.lost")};
    uint64_t index = 0;
    ml_damage_note(org, &damage);
    return ml_trace_of_node(org, &what, &index);
}

/* A journal whose header doesn't open is set aside, a new one begins. */
static ml_err journal_open(struct ml_org *org, const char *path)
{
    struct ml_damage damage = {.file = ML_DAMAGE_TRACES};
    struct ml_traces *t = org->traces;
    uint32_t destroyed = 0;
    bool known = false;
    ml_err err = journal_known(org, &known);
    const bool lost = known && !ml_home_exists(org->node->env, path);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_tracejournal_args args = {.env = org->node->env,
                                              .path = path,
                                              .key = t->key,
                                              .first =
                                                  journal_first(org) + (lost ? JOURNAL_GAP : 0),
                                              .each = journal_found,
                                              .user = org};
    err = ml_tracejournal_open(&t->journal, &destroyed, &args);
    const bool unreadable = err == ML_E_CORRUPT || err == ML_E_WRONG_KEY;
    if (unreadable) {
        err = ml_home_set_aside(org->node->env, path, damage.aside);
        err = err == ML_OK ? ml_tracejournal_open(&t->journal, &destroyed, &args) : err;
    }
    damage.found.lost = destroyed;
    if (err == ML_OK && (unreadable || destroyed > 0)) {
        ml_damage_note(org, &damage);
    }
    if (err == ML_OK && !known) {
        err = ml_log_setting_put(org->log, JOURNAL_KNOWN, ml_slice_str("1"));
    }
    return err == ML_OK && lost ? journal_lost(org) : err;
}

ml_err ml_traces_open(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    struct ml_traces *t = ml_alloc(org->node->env, sizeof(*t));
    if (t == NULL) {
        return ML_E_NOMEM;
    }
    t->last = &t->first;
    org->traces = t;
    ml_err err = ml_keystore_derive(org->keystore, ML_KDF_TRACE_JOURNAL, NULL, &t->key);
    if (err == ML_OK) {
        err = ml_home_file(&org->node->home, path, &org->id, "trace.journal");
    }
    return err == ML_OK ? journal_open(org, path) : err;
}

void ml_traces_close(struct ml_org *org)
{
    struct ml_traces *t = org->traces;
    if (t == NULL) {
        return;
    }
    while (t->first != NULL) {
        struct ml_trace_pending *next = t->first->next;
        ml_release(org->node->env, t->first);
        t->first = next;
    }
    ml_tracejournal_close(t->journal);
    ml_secret_free(t->key);
    ml_release(org->node->env, t);
    org->traces = NULL;
}

static ml_err entry_keep(struct ml_org *org, struct ml_trace_entry *entry, bool at_once,
                         uint64_t *index)
{
    const struct ml_env *env = org->node->env;
    struct ml_buf plain;
    ml_buf_init(&plain, env, ENTRY_BYTES_MAX);
    entry->seq = ml_tracejournal_last(org->traces->journal) + 1;
    ml_err err = ml_trace_entry_encode(&plain, entry);
    if (err == ML_OK) {
        err = ml_tracejournal_append(org->traces->journal, index, ml_buf_slice(&plain), at_once);
    }
    if (err == ML_OK) {
        err = pending_add(org, *index, ml_buf_slice(&plain));
    }
    ml_buf_free(&plain);
    if (err == ML_OK && org->traces->cut_at_ms == 0) {
        org->traces->cut_at_ms = env->now_ms(env->ctx) + ML_TRACE_CUT_MS;
    }
    if (err == ML_OK && (at_once || org->traces->count >= ML_TRACE_CUT_ENTRIES)) {
        org->traces->cut_at_ms = 1; /* at the next turn */
    }
    return err;
}

/* What every entry of this node says of itself. */
static struct ml_trace_entry entry_of(const struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    return (struct ml_trace_entry){.result = ML_TRACE_DONE,
                                   .wall_ms = env->wall_ms(env->ctx),
                                   .clock = ML_CLOCK_LOCAL,
                                   .node = org->secrets.node};
}

ml_err ml_trace_note(struct ml_call *call, const struct ml_trace_note *note)
{
    uint64_t index = 0;
    struct ml_trace_entry entry = entry_of(call->org);
    entry.actor = call->session->member;
    entry.patient = note->patient;
    entry.action = (uint8_t)note->action;
    entry.object = note->object;
    entry.entity = note->entity;
    entry.result = (uint8_t)note->result;
    entry.purpose = ml_slice_str(note->purpose != NULL ? note->purpose
                                                       : ml_call_text_or(call, "purpose", "soin"));
    entry.context = ml_slice_str(call->method);
    entry.device = ml_slice_str(ml_call_text_or(call, "device", "cli"));
    entry.count = note->count;
    const bool at_once = note->action == ML_TRACE_BREAK_GLASS || note->result == ML_TRACE_REFUSED;
    return entry_keep(call->org, &entry, at_once, &index);
}

ml_err ml_trace_of_node(struct ml_org *org, const struct ml_trace_of_node *what, uint64_t *index)
{
    struct ml_trace_entry entry = entry_of(org);
    entry.action = (uint8_t)what->action;
    entry.result = (uint8_t)what->result;
    entry.context = what->context;
    entry.count = what->count;
    entry.wall_ms = what->wall_ms != 0 ? what->wall_ms : entry.wall_ms;
    memcpy(entry.object.b, what->claimed.b, sizeof(entry.object.b));
    return entry_keep(org, &entry, true, index);
}

/* What a method does, as far as a refusal has to say it. */
static ml_trace_action action_of(const char *method)
{
    static const struct {
        const char *prefix;
        ml_trace_action action;
    } actions[] = {{"session.", ML_TRACE_UNLOCK},     {"org.", ML_TRACE_GOVERN},
                   {"member.", ML_TRACE_GOVERN},      {"enrol.", ML_TRACE_GOVERN},
                   {"peer.", ML_TRACE_GOVERN},        {"sync.", ML_TRACE_EXCHANGE},
                   {"import.", ML_TRACE_IMPORT},      {"gen.", ML_TRACE_IMPORT},
                   {"record.", ML_TRACE_WRITE},       {"draft.", ML_TRACE_WRITE},
                   {"retention.", ML_TRACE_WRITE},    {"conflicts.", ML_TRACE_WRITE},
                   {"trace.", ML_TRACE_AUDIT},        {"breakglass.", ML_TRACE_BREAK_GLASS},
                   {"right.", ML_TRACE_GOVERN},       {"role.", ML_TRACE_GOVERN},
                   {"matrix.", ML_TRACE_GOVERN},      {"governance.", ML_TRACE_GOVERN},
                   {"card.", ML_TRACE_GOVERN},        {"key.", ML_TRACE_GOVERN},
                   {"quarantine.", ML_TRACE_GOVERN},  {"consent.", ML_TRACE_CONSENT},
                   {"patient.team", ML_TRACE_CONSENT}};
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strncmp(method, actions[i].prefix, strlen(actions[i].prefix)) == 0) {
            return actions[i].action;
        }
    }
    return ML_TRACE_READ;
}

void ml_trace_refused(struct ml_call *call, ml_err why)
{
    struct ml_org *org = call->org;
    const struct ml_env *env = call->node->env;
    uint64_t index = 0;
    ml_err err = ML_OK;
    if (org == NULL || org->traces == NULL) {
        return;
    }
    if (why == ML_E_DENIED && call->session != NULL) {
        struct ml_trace_note note = {.action = action_of(call->method), .result = ML_TRACE_REFUSED};
        (void)ml_call_has_id(call, note.patient.b, sizeof(note.patient.b), "patient");
        err = ml_trace_note(call, &note);
    } else if (why == ML_E_DENIED || (why == ML_E_LOCKED && org->session != NULL)) {
        /* Someone who isn't the one that unlocked. */
        const struct ml_trace_of_node what = {.action = action_of(call->method),
                                              .result = ML_TRACE_REFUSED,
                                              .context = ml_slice_str(call->method)};
        err = ml_trace_of_node(org, &what, &index);
    }
    if (err != ML_OK) { /* refused all the same */
        ml_logf(env, ML_LOG_ERROR, "trace", "a refusal is not traced: %s", ml_err_name(err));
    }
}

void ml_trace_unlock_failed(struct ml_call *call, const struct ml_member_id *claimed)
{
    struct ml_trace_of_node what = {.action = ML_TRACE_UNLOCK,
                                    .result = ML_TRACE_REFUSED,
                                    .context = ml_slice_str(call->method)};
    uint64_t index = 0;
    if (ml_keystore_has_slot(call->org->keystore, claimed, ML_SLOT_TYPE_PASSPHRASE)) {
        what.claimed = *claimed; /* what else is claimed may be anything */
    }
    ml_err err = call->org->traces != NULL ? ml_trace_of_node(call->org, &what, &index)
                                           : ml_knock_add(call->org, &what.claimed);
    if (err != ML_OK) {
        ml_logf(call->node->env, ML_LOG_ERROR, "trace", "a failed unlock is not traced: %s",
                ml_err_name(err));
    }
}

uint64_t ml_trace_next_ms(const struct ml_org *org)
{
    const struct ml_traces *t = org->traces;
    return t == NULL || t->cut_at_ms == 0 || !ml_trace_may_cut(org) ? UINT64_MAX : t->cut_at_ms;
}

void ml_trace_tick(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    if (ml_trace_next_ms(org) > env->now_ms(env->ctx)) {
        return;
    }
    ml_err err = ml_trace_cut(org);
    if (err != ML_OK) { /* the journal has them: later */
        org->traces->cut_at_ms = env->now_ms(env->ctx) + ML_TRACE_CUT_MS;
        ml_logf(env, ML_LOG_WARN, "trace", "not cut yet: %s", ml_err_name(err));
    }
}
