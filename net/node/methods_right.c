/* net/node/methods_right.c -- what a member may do with a class of data, and why; adopting the
 * matrix that a structure begins with (docs/habilitation.md). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hlc.h"
#include "core/model/matrix.h"
#include "net/node/card.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"

static void member_put(struct ml_org *org, struct ml_args *out, const char *key,
                       const struct ml_member_id *member)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member->b, sizeof(of.id));
    ml_args_key(out, key);
    ml_args_map(out);
    ml_result_hex(out, "member", member->b, sizeof(member->b));
    ml_card_describe(org, out, &of);
    ml_args_end(out);
}

static void role_put(struct ml_args *out, uint16_t role)
{
    char number[16];
    const char *name = ml_matrix_role_name(role);
    snprintf(number, sizeof(number), "%u", role);
    ml_result_text(out, "role", name == NULL ? number : name);
}

static void fact_put(struct ml_org *org, struct ml_args *out, const struct ml_fact *f)
{
    const struct ml_fact *author = ml_gov_opening(ml_log_gov(org->log), &f->at.writer);
    ml_result_hex(out, "bundle", f->at.hash.b, sizeof(f->at.hash.b));
    ml_result_int(out, "recorded_ms", (int64_t)ml_hlc_ms(f->hlc));
    if (f->matrix != NULL) {
        ml_result_int(out, "version", f->matrix->version);
    }
    if (f->kind == ML_FACT_ROLE && f->until_ms != 0) {
        ml_result_int(out, "until_ms", (int64_t)f->until_ms);
    }
    if (author != NULL) {
        member_put(org, out, "by", &author->member);
    }
    if (!ml_is_zero(f->replaces.b, sizeof(f->replaces.b))) {
        member_put(org, out, "replaces", &f->replaces);
    }
}

static void step_put(void *user, const struct ml_step *step)
{
    const struct ml_call *call = user;
    char text[ML_CALL_TEXT_MAX];
    snprintf(text, sizeof(text), "right.%s", ml_step_name(step->kind));
    ml_args_map(call->result);
    ml_result_text(call->result, "text", text);
    if (step->role != 0) {
        role_put(call->result, step->role);
    }
    if (step->fact != NULL) {
        fact_put(call->org, call->result, step->fact);
    }
    ml_args_end(call->result);
}

/* By its number, or by how its French name begins. 0: none. */
static unsigned class_of(const char *text)
{
    if (isdigit((unsigned char)text[0])) {
        const unsigned long number = strtoul(text, NULL, 10);
        return number <= ML_CLASS_LAST ? (unsigned)number : 0;
    }
    for (unsigned class = 1; class <= ML_CLASS_LAST; class ++) {
        if (text[0] != '\0' && strncmp(ml_class_name(class), text, strlen(text)) == 0) {
            return class;
        }
    }
    return 0;
}

static ml_right right_of(const char *text)
{
    static const char *const names[] = {"create", "amend", "deposit", "see",
                                        "read",   "print", "export"};
    unsigned right = ML_RIGHT_LAST;
    while (right > 0 && strcmp(names[right - 1], text) != 0) {
        right--;
    }
    return (ml_right)right;
}

static void no_step(void *user, const struct ml_step *step)
{
    (void)user;
    (void)step;
}

ml_scope ml_right_of(const struct ml_org *org, const struct ml_member_id *member, unsigned class,
                     ml_right right)
{
    const struct ml_env *env = org->node->env;
    const struct ml_right_question q = {
        .member = *member, .class = class, .right = right, .ms = env->wall_ms(env->ctx)};
    return ml_right_explain(ml_log_gov(org->log), &q, no_step, NULL);
}

ml_scope ml_right_now(const struct ml_org *org, unsigned class, ml_right right)
{
    return ml_right_of(org, &org->session->member, class, right);
}

ml_err ml_call_may(struct ml_call *call, unsigned class, ml_right right)
{
    const struct ml_env *env = call->node->env;
    const struct ml_right_question q = {.member = call->session->member,
                                        .class = class,
                                        .right = right,
                                        .ms = env->wall_ms(env->ctx)};
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    /* Who is no member, is told so otherwise. */
    if (!ml_gov_wants_writes(gov, ML_LANE_RECORD) || ml_gov_member(gov, &q.member) == NULL ||
        ml_right_explain(gov, &q, no_step, NULL) != ML_SCOPE_NONE) {
        return ML_OK;
    }
    return ml_call_fail(call, ML_E_DENIED, "right.refused", "class", ml_class_name(class));
}

static ml_err right_explain(struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    struct ml_right_question q = {.ms = env->wall_ms(env->ctx)};
    struct ml_object_id patient;
    const bool named = ml_value_get(call->params, "patient") != NULL;
    const char *class = NULL;
    ml_err err = ml_call_id(call, q.member.b, sizeof(q.member.b), "member");
    if (err == ML_OK) {
        err = ml_call_text(call, &class, "class");
    }
    if (err == ML_OK && named) {
        err = ml_call_patient(call, &patient);
    }
    if (err != ML_OK) {
        return err;
    }
    q.class = class_of(class);
    q.right = right_of(ml_call_text_or(call, "action", "read"));
    if (q.class == 0) {
        return ml_call_fail(call, ML_E_INVALID, "right.class", "class", class);
    }
    if (q.right == 0) {
        return ml_call_fail(call, ML_E_INVALID, "right.action", NULL, NULL);
    }
    ml_result_text(call->result, "class", ml_class_name(q.class));
    ml_args_key(call->result, "steps");
    ml_args_list(call->result);
    const ml_scope scope = ml_right_explain(ml_log_gov(call->org->log), &q, step_put, call);
    ml_args_end(call->result);
    ml_result_bool(call->result, "allowed", scope != ML_SCOPE_NONE);
    ml_result_int(call->result, "scope", scope);
    return ml_call_note(call, ML_TRACE_READ, named ? &patient : NULL);
}

static ml_err matrix_append(struct ml_org *org, const struct ml_matrix *matrix)
{
    struct ml_govop op = {.type = ML_GOVOP_MATRIX, .must_understand = true};
    struct ml_author author;
    struct ml_buf table;
    struct ml_buf buf;
    ml_session_author(org, &author);
    ml_buf_init(&table, org->node->env, ML_MATRIX_BYTES_MAX);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_matrix_encode(&table, matrix);
    if (err == ML_OK) {
        op.u.matrix.table = ml_buf_slice(&table);
        err = ml_govop_encode(&buf, &op);
    }
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&buf);
        err = ml_org_append_plain(org, &author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&buf);
    ml_buf_free(&table);
    return err;
}

/* Once: what comes after is edited. */
static ml_err right_adopt(struct ml_call *call)
{
    struct ml_matrix matrix;
    if (ml_gov_matrix(ml_log_gov(call->org->log), &matrix)) {
        return ml_call_fail(call, ML_E_INVALID, "right.adopted", NULL, NULL);
    }
    ml_matrix_default(&matrix);
    ml_err err = matrix_append(call->org, &matrix);
    if (err != ML_OK) {
        return err;
    }
    ml_result_int(call->result, "version", matrix.version);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

const struct ml_method ml_methods_right[] = {
    {"right.explain", ML_NEEDS_SESSION, right_explain},
    {"right.adopt", ML_NEEDS_SESSION | ML_NEEDS_RANK_1, right_adopt},
    {NULL, 0, NULL},
};
