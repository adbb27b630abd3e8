/* tests/sim/sim_count.c -- see sim_count.h. */
#include "sim_count.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/codec/change.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "core/model/verdict.h"
#include "core/record/object.h"
#include "core/record/schema.h"
#include "core/store/log.h"
#include "net/node/call.h"

struct row {
    sim_row kind;
    unsigned number;
    const char *name;
};

/* From the code's own lists where it has them: what is added there is asked for here. */
static const struct row rows[] = {
#define X(name, number, text) {SIM_ROW_CHANGE, number, text},
    ML_CHANGE_TYPE_MAP(X)
#undef X
#define X(name, number, text) {SIM_ROW_GOVOP, number, text},
        ML_GOVOP_MAP(X)
#undef X
#define X(name, number, text) {SIM_ROW_KEYOP, number, text},
            ML_KEYOP_MAP(X)
#undef X
#define X(name, number, text) {SIM_ROW_REASON, number, #name},
                ML_REASON_MAP(X)
#undef X
#define X(name, number, text) {SIM_ROW_GREY, number, #name},
                    ML_GREY_MAP(X)
#undef X
                        {SIM_ROW_VERDICT, ML_VERDICT_PENDING, "pending"},
    {SIM_ROW_VERDICT, ML_VERDICT_ACCEPTED, "accepted"},
    {SIM_ROW_VERDICT, ML_VERDICT_QUARANTINED, "quarantined"},
    {SIM_ROW_RESULT, ML_LOG_STORED, "stored"},
    {SIM_ROW_RESULT, ML_LOG_DUPLICATE, "duplicate"},
    {SIM_ROW_RESULT, ML_LOG_BODY, "body came"},
    {SIM_ROW_RESULT, ML_LOG_PENDING, "pending"},
    {SIM_ROW_RESULT, ML_LOG_STOPPED, "stopped"},
    {SIM_ROW_RESULT, ML_LOG_REFUSED, "refused"},
    {SIM_ROW_MERGE, ML_MERGE_EVENT, "event"},
    {SIM_ROW_MERGE, ML_MERGE_SET, "set"},
    {SIM_ROW_MERGE, ML_MERGE_REGISTER, "register"},
    {SIM_ROW_MERGE, ML_MERGE_ATOMIC, "atomic group"},
    {SIM_ROW_MERGE, ML_MERGE_ASSERT, "assertion"},
    {SIM_ROW_MERGE, ML_MERGE_STATE, "state"},
    {SIM_ROW_MERGE, ML_MERGE_DENY, "deny"},
    {SIM_ROW_MERGE, ML_MERGE_FIXED, "fixed"},
    {SIM_ROW_LANE, 0, "governance"},
    {SIM_ROW_LANE, 1, "keys"},
    {SIM_ROW_LANE, 2, "traces"},
    {SIM_ROW_LANE, 3, "record"},
    {SIM_ROW_LANE, 4, "manifests"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert((int)ROWS <= (int)SIM_ROWS_MAX, "room for a number of each");

/* What this version cannot do yet, or not through the doors that are tried here. */
static const struct {
    sim_row kind;
    unsigned number;
    const char *why;
} exempt[] = {
    {SIM_ROW_MERGE, ML_MERGE_FIXED, "a part of its event"},
    {SIM_ROW_GOVOP, ML_GOVOP_ROOT_ROTATE, "needs sheets of paper: test_node_rotate"},
    {SIM_ROW_CHANGE, ML_CHANGE_COSIGN, "nobody is a student there: test_node_cosign"},
    {SIM_ROW_GOVOP, ML_GOVOP_GARANT_NAME,
     "no founder names one there: test_node_garant, maille-model"},
    {SIM_ROW_KEYOP, ML_KEYOP_GLASS, "nobody breaks a glass there: test_node_glass"},
    {SIM_ROW_KEYOP, ML_KEYOP_KEY_FAULT, "no slot lies there: test_node_fault"},
    {SIM_ROW_KEYOP, ML_KEYOP_DEPOSIT_WRAP, "everybody reads there: test_node_keys"},
    {SIM_ROW_REASON, ML_REASON_COSIGNATURE, "a genesis is named by its hash: GENESIS comes first"},
    {SIM_ROW_REASON, ML_REASON_REVOKED, "nobody who writes there is denied: test_log_denial"},
    {SIM_ROW_REASON, ML_REASON_DEPARTED, "nobody who writes there is denied: test_log_denial"},
    {SIM_ROW_REASON, ML_REASON_SUSPENDED, "nobody who writes there is denied: test_log_denial"},
    {SIM_ROW_REASON, ML_REASON_GRANT_FELL, "nobody who writes there is denied: test_log_denial"},
    {SIM_ROW_REASON, ML_REASON_ROLE_ENDED, "nobody's who writes there ends: test_log_order"},
    {SIM_ROW_REASON, ML_REASON_NO_RIGHT, "refused before it is written: test_log_matrix"},
    {SIM_ROW_REASON, ML_REASON_LANE_FULL, "1,024 bundles of one writer must wait: test_log_order"},
    {SIM_ROW_REASON, ML_REASON_STORE_FULL, "256 strangers' writers must be kept: test_log_order"},
};

static bool merge_is_used(unsigned merge)
{
    const struct ml_schema *schema = ml_schema_builtin();
    bool used = false;
    for (size_t i = 0; i < schema->entity_count; i++) {
        const struct ml_entity *e = schema->entities[i];
        used = used || e->merge == (ml_merge)merge;
        for (size_t k = 0; k < e->field_count; k++) {
            used = used || e->fields[k].merge == (ml_merge)merge;
        }
    }
    return used;
}

static const char *why_never(const struct row *r)
{
    for (size_t i = 0; i < sizeof(exempt) / sizeof(exempt[0]); i++) {
        if (exempt[i].kind == r->kind && exempt[i].number == r->number) {
            return exempt[i].why;
        }
    }
    return r->kind == SIM_ROW_MERGE && !merge_is_used(r->number) ? "no field of the schema has it"
                                                                 : NULL;
}

void sim_count_row(struct sim_count *c, sim_row kind, unsigned number)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].kind == kind && rows[i].number == number) {
            c->rows[i]++;
            return;
        }
    }
    c->rows_unknown++;
}

void sim_count_method(struct sim_count *c, const char *name)
{
    size_t i = 0;
    while (ml_method_at(i) != NULL && strcmp(ml_method_at(i)->name, name) != 0) {
        i++;
    }
    bool room = i < SIM_METHODS_MAX;
    ML_ASSERT(room);
    c->methods[i]++;
}

void sim_count_add(struct sim_count *to, const struct sim_count *one)
{
    for (size_t i = 0; i < SIM_COUNT_OF; i++) {
        to->of[i] += one->of[i];
    }
    for (size_t i = 0; i < SIM_ROWS_MAX; i++) {
        to->rows[i] += one->rows[i];
    }
    for (size_t i = 0; i < SIM_METHODS_MAX; i++) {
        to->methods[i] += one->methods[i];
    }
    to->rows_unknown += one->rows_unknown;
}

static bool line(uint64_t count, const char *kind, const char *name, const char *why)
{
    const char *mark = count > 0 || why != NULL ? "" : "   <- never";
    const bool excused = count == 0 && why != NULL;
    printf("%12" PRIu64 "  %s%s%s%s%s%s\n", count, kind, name, mark, excused ? "   (" : "",
           excused ? why : "", excused ? ")" : "");
    return count > 0 || why != NULL;
}

static bool rows_print(const struct sim_count *c)
{
    static const char *const kinds[] = {
        "op: ",     "governance op: ", "key op: ", "result: ", "verdict: ",
        "reason: ", "greyed: ",        "merge: ",  "lane: "};
    bool all = true;
    for (size_t i = 0; i < ROWS; i++) {
        all = line(c->rows[i], kinds[rows[i].kind], rows[i].name, why_never(&rows[i])) && all;
    }
    return all;
}

/* Why no simulated person calls it; NULL: some must. */
static const char *why_not_called(const char *method)
{
    static const char *const calls[][2] = {
        {"card.add", "a driver of the machine's: test_node_card"},
        {"card.remove", "a driver of the machine's: test_node_card"},
        {"breakglass.open", "nobody breaks a glass there: test_node_glass"},
        {"breakglass.close", "nobody breaks a glass there: test_node_glass"},
        {"breakglass.list", "nobody breaks a glass there: test_node_glass"},
        {"breakglass.review", "nobody breaks a glass there: test_node_glass"},
        {"breakglass.told", "nobody breaks a glass there: test_node_glass"},
        {"breakglass.confirm", "nobody breaks a glass there: test_node_second"},
        {"record.cosign", "nobody is a student there: test_node_cosign"},
        {"record.to_cosign", "nobody is a student there: test_node_cosign"},
        {"key.list", "reads memory alone: test_node_fault"},
        {"member.promote", "one founder is the only coordinator: test_node_govern"},
        {"patient.team", "the founding's team is the only one: test_node_share"},
        {"member.rank", "ranks stay as they are there: test_node_govern"},
        {"team.add", "the founding's team is the only one: test_node_teams"},
        {"team.list", "the founding's team is the only one: test_node_teams"},
        {"retention.list", "no record is twenty years old there: test_node_retention"},
        {"retention.show", "no record is twenty years old there: test_node_retention"},
        {"retention.set", "no record is twenty years old there: test_node_retention"},
        {"retention.end", "no record is twenty years old there: test_node_retention"},
        {"trace.search", "reads lane 2 alone: test_node_audit"},
        {"trace.verify", "reads lane 2 alone: test_node_audit"},
        {"trace.grant", "an auditor's: test_node_audit"},
        {"enrol.here", "needs somebody who types a code at another's computer: test_node_here"},
        {"enrol.last", "reads what enrol.here left in memory: test_node_here"},
        {"org.rotate", "needs sheets of paper: test_node_rotate"},
        {"org.recover", "needs sheets of paper: test_node_recover, test_node_root"},
        {"session.passphrase", "writes the keystore alone: test_node_recover"},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i][0], method) == 0) {
            return calls[i][1];
        }
    }
    return NULL;
}

static bool methods_print(const struct sim_count *c)
{
    const struct ml_method *m = NULL;
    bool all = true;
    for (size_t i = 0; (m = ml_method_at(i)) != NULL; i++) {
        all = line(c->methods[i], "call: ", m->name, why_not_called(m->name)) && all;
    }
    return all;
}

/* What sound disks leave out. */
static const char *why_not(size_t count, bool sound)
{
    const bool spoilt =
        (count >= SIM_WRITE_STRAY && count <= SIM_ROT_DRAFTS) || count == SIM_LOST_TOLD;
    return sound && spoilt ? "sound disks" : NULL;
}

bool sim_count_print(const struct sim_count *c, bool sound)
{
    static const char *const texts[] = {
#define X(id, text) text,
        SIM_COUNTS(X)
#undef X
    };
    bool all = true;
    for (size_t i = 0; i < SIM_COUNT_OF; i++) {
        all = line(c->of[i], "", texts[i], why_not(i, sound)) && all;
    }
    all = rows_print(c) && all;
    all = methods_print(c) && all;
    return all;
}
