/* tests/sim/sim_bad.c -- requests that must be refused: malformed, not the user's to make, or of
 * what isn't there. Each by the error that belongs to it, and nothing is written. */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "net/node/state.h"
#include "sim.h"

struct bad {
    const char *what;
    const char *method;
    ml_err expected;
    void (*ask)(struct sim *s, struct sim_call *c);
};

static const char nobody[] = "00112233445566778899aabbccddeeff";

static const struct sim_object *object_any(struct sim *s)
{
    return &s->model.objects[sim_below(s, s->model.object_count)];
}

static void of_object(struct sim *s, struct sim_call *c, const struct sim_object *o)
{
    sim_put(c, "patient", s->model.patients[o->patient]);
    sim_put(c, "object", o->id);
}

static void field_put(struct sim_call *c, const char *name, const char *value)
{
    ml_args_key(c->args, "fields");
    ml_args_map(c->args);
    sim_put(c, name, value);
    ml_args_end(c->args);
}

static void entity_unknown(struct sim *s, struct sim_call *c)
{
    sim_put(c, "entity", "licorne");
    sim_put(c, "patient", s->model.patients[0]);
}

static void field_unknown(struct sim *s, struct sim_call *c)
{
    sim_put(c, "entity", "allergy");
    sim_put(c, "patient", s->model.patients[0]);
    field_put(c, "corne", "une");
}

static void field_missing(struct sim *s, struct sim_call *c)
{
    sim_put(c, "entity", "allergy");
    sim_put(c, "patient", s->model.patients[0]);
    ml_args_key(c->args, "fields");
    ml_args_map(c->args);
    ml_args_end(c->args);
}

static void patient_unknown(struct sim *s, struct sim_call *c)
{
    (void)s;
    sim_put(c, "entity", "allergy");
    sim_put(c, "patient", nobody);
    field_put(c, "substance", "pollen");
}

static void object_unknown(struct sim *s, struct sim_call *c)
{
    sim_put(c, "patient", s->model.patients[0]);
    sim_put(c, "object", nobody);
    field_put(c, "note", "x");
}

static void version_malformed(struct sim *s, struct sim_call *c)
{
    of_object(s, c, object_any(s));
    sim_put(c, "reason", "x");
    ml_args_key(c->args, "seen");
    ml_args_list(c->args);
    ml_args_text(c->args, "pas une version");
    ml_args_end(c->args);
}

static void reason_missing(struct sim *s, struct sim_call *c)
{
    of_object(s, c, object_any(s));
}

static void id_malformed(struct sim *s, struct sim_call *c)
{
    (void)s;
    sim_put(c, "patient", "zz");
}

static void member_unknown(struct sim *s, struct sim_call *c)
{
    (void)s;
    sim_put(c, "member", nobody);
}

static void nothing(struct sim *s, struct sim_call *c)
{
    (void)s;
    (void)c;
}

static void passphrase_wrong(struct sim *s, struct sim_call *c)
{
    (void)s;
    sim_put(c, "passphrase", "une autre phrase de passe");
}

static void file_malformed(struct sim *s, struct sim_call *c)
{
    static const char *const names[] = {"cut.json",        "damaged.json.gz", "duplicate-key.json",
                                        "empty.json",      "not-fhir.json",   "truncated.json.gz",
                                        "wrong-type.json", "two-values.json"};
    char path[200];
    snprintf(path, sizeof(path), "%s/malformed/%s", ML_TEST_DATA, names[sim_below(s, 8)]);
    sim_put(c, "path", path);
}

static void file_absent(struct sim *s, struct sim_call *c)
{
    (void)s;
    sim_put(c, "path", "/nulle/part.json");
}

static void range_wrong(struct sim *s, struct sim_call *c)
{
    (void)s;
    ml_args_key(c->args, "patients");
    ml_args_int(c->args, -1);
}

static void until_wrong(struct sim *s, struct sim_call *c)
{
    (void)s;
    sim_put(c, "until", "demain");
}

static const struct bad bads[] = {
    {"an unknown entity", "record.add", ML_E_INVALID, entity_unknown},
    {"an unknown field", "record.add", ML_E_INVALID, field_unknown},
    {"a missing field", "record.add", ML_E_INVALID, field_missing},
    {"an unknown patient", "record.add", ML_E_NOT_FOUND, patient_unknown},
    {"an unknown object", "record.amend", ML_E_NOT_FOUND, object_unknown},
    {"a version that is none", "record.archive", ML_E_INVALID, version_malformed},
    {"no reason", "record.void", ML_E_INVALID, reason_missing},
    {"no object", "record.restore", ML_E_INVALID, id_malformed},
    {"an unknown member", "enrol.code", ML_E_NOT_FOUND, member_unknown},
    {"no name", "member.add", ML_E_INVALID, nothing},
    {"a wrong passphrase", "session.unlock", ML_E_WRONG_KEY, passphrase_wrong},
    {"a malformed file", "import.fhir", ML_E_MALFORMED, file_malformed},
    {"no file", "import.fhir", ML_E_NOT_FOUND, file_absent},
    {"a wrong range", "gen.population", ML_E_INVALID, range_wrong},
    {"a wrong until", "sync.wait", ML_E_INVALID, until_wrong},
    {"no method of ours", "record.forget", ML_E_UNSUPPORTED, nothing},
};

/* Where its log ends. False: it can't be read now. */
static bool log_end(const struct sim *s, unsigned node, uint64_t *n, uint64_t *epoch)
{
    const struct ml_org *org = s->nodes[node].node == NULL ? NULL : s->nodes[node].node->orgs;
    if (org == NULL || !org->open || org->log == NULL || ml_log_damaged(org->log)) {
        return false;
    }
    *n = ml_log_last(org->log);
    *epoch = ml_log_epoch(org->log);
    return true;
}

/* Whether the node has signed something for the record since then. What is refused is traced, which
 * is no op of the record; what comes from others in the meantime isn't its own, or was seen before.
 */
static bool has_written(struct sim *s, unsigned node, uint64_t after)
{
    struct sim_node *n = &s->nodes[node];
    struct ml_log_entry e;
    bool written = false;
    fault_disk_hold(n->disk, true);
    while (ml_log_after(n->node->orgs->log, after, 1u << ML_LANE_RECORD, &e) == ML_OK) {
        const struct sim_bundle b = {.writer = e.header.writer};
        after = e.n;
        written =
            written || (sim_witness_is_own(s, node, &b) && sim_witness_find(s, e.hash.b) == NULL);
    }
    fault_disk_hold(n->disk, false);
    return written;
}

/* Of the node itself: full or failing disks, locked in the meantime. */
static bool is_local(ml_err err)
{
    return err == ML_E_IO || err == ML_E_FULL || err == ML_E_READONLY || err == ML_E_LOCKED ||
           err == ML_E_CORRUPT || err == ML_E_BUSY ||
           err == ML_E_NOT_FOUND; /* what it is about hasn't come here yet */
}

void sim_bad(struct sim *s, unsigned node)
{
    const struct bad *b = &bads[sim_below(s, sizeof(bads) / sizeof(bads[0]))];
    const bool needs_rank =
        strncmp(b->method, "member", 6) == 0 || strncmp(b->method, "enrol", 5) == 0;
    const ml_err expected = b->expected;
    uint64_t end = 0;
    uint64_t epoch = 0;
    uint64_t end_now = 0;
    uint64_t epoch_now = 0;
    struct sim_call c;
    if (!log_end(s, node, &end, &epoch)) {
        return;
    }
    sim_ask(&c);
    b->ask(s, &c);
    ml_err err = sim_send(&c, s, node, b->method);
    sim_say(s, "node %u asks with %s: %s", node, b->what, ml_err_name(err));
    const bool denied = needs_rank && err == ML_E_DENIED;
    if (!c.lost && err != expected && !denied && !is_local(err)) {
        sim_fail(s, "node %u asked %s with %s: %s", node, b->method, b->what, ml_err_name(err));
    }
    const bool refused = !c.lost && err == expected;
    sim_call_end(&c);
    s->count.of[SIM_BAD_REQUEST] += refused;
    const bool works_on = s->nodes[node].works_on == s->nodes[node].boot + 1;
    if (refused && !works_on && log_end(s, node, &end_now, &epoch_now) && epoch_now == epoch &&
        has_written(s, node, end)) {
        sim_fail(s, "node %u: a request with %s left something in the record", node, b->what);
    }
}
