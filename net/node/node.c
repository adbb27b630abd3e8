/* net/node/node.c -- opening and closing a node, and the way of a call to its method.
 *
 * Happy path of a call: parse the parameters (bounded, strict), find the method's row, check what
 * it needs (structure, session, rank), run it, trace it, answer. A failure at any step answers with
 * a code and a text. Invariant: each call is answered once, by ml_call_finish.
 */
#include "net/node/node.h"

#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/schema.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "net/node/state.h"
#include "net/node/trace.h"

static const struct ml_method *const tables[] = {
    ml_methods_org,      ml_methods_card,       ml_methods_member, ml_methods_patient,
    ml_methods_record,   ml_methods_import,     ml_methods_gen,    ml_methods_draft,
    ml_methods_sync,     ml_methods_conflict,   ml_methods_log,    ml_methods_schema,
    ml_methods_document, ml_methods_quarantine, ml_methods_right,  ml_methods_trace,
    ml_methods_glass,    ml_methods_glass_list, ml_methods_govern, ml_methods_consent,
    ml_methods_key,      ml_methods_retention,  ml_methods_team,
};

const struct ml_method *ml_method_at(size_t i)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        const struct ml_method *m = tables[t];
        for (; m->name != NULL && i > 0; m++) {
            i--;
        }
        if (m->name != NULL) {
            return m;
        }
    }
    return NULL;
}

static const struct ml_method *method_find(struct ml_slice name)
{
    const struct ml_method *m = ml_method_at(0);
    for (size_t i = 1; m != NULL && !ml_slice_equal(ml_slice_str(m->name), name); i++) {
        m = ml_method_at(i);
    }
    return m;
}

/* One structure's damaged keystore keeps nobody from the others: it is told by every call to it. */
static ml_err unopened_add(struct ml_node *node, const struct ml_org_id *id, ml_err why)
{
    struct ml_unopened *u = ml_alloc(node->env, sizeof(*u));
    if (u == NULL) {
        return ML_E_NOMEM;
    }
    *u = (struct ml_unopened){.next = node->unopened, .id = *id, .err = why};
    node->unopened = u;
    return ML_OK;
}

static ml_err call_unopened(struct ml_call *call, const struct ml_unopened *u)
{
    const char *text = u->err == ML_E_CORRUPT       ? "damage.keystore_lost"
                       : u->err == ML_E_UNSUPPORTED ? "store.newer"
                                                    : "";
    return ml_call_fail(call, u->err, text, NULL, NULL);
}

static ml_err node_add_org(void *user, const struct ml_org_id *id)
{
    struct ml_node *node = user;
    struct ml_org *org = NULL;
    ml_err err = ml_org_load(&org, node, id);
    if (err == ML_E_NOT_FOUND) {
        return ML_OK; /* a folder without a keystore: a founding that was cut before its end */
    }
    if (err == ML_OK) {
        org->next = node->orgs;
        node->orgs = org;
        return ML_OK;
    }
    return err == ML_E_NOMEM ? err : unopened_add(node, id, err);
}

/* Those that a moment's failure of the disk kept from being read are looked at again by the next
 * call: nobody has to start the node anew. What is damaged, or a newer program's, stays as it is.
 */
static void unopened_again(struct ml_node *node)
{
    struct ml_unopened **at = &node->unopened;
    while (*at != NULL) {
        struct ml_unopened *u = *at;
        struct ml_org *org = NULL;
        const bool lasts = u->err == ML_E_CORRUPT || u->err == ML_E_UNSUPPORTED;
        u->err = lasts ? u->err : ml_org_load(&org, node, &u->id);
        if (u->err != ML_OK) {
            at = &u->next;
            continue;
        }
        ml_org_join(org);
        *at = u->next;
        ml_release(node->env, u);
    }
}

ml_err ml_node_open(struct ml_node **out, const struct ml_node_args *args)
{
    struct ml_node *node = ml_alloc(args->env, sizeof(*node));
    if (node == NULL) {
        return ML_E_NOMEM;
    }
    node->env = args->env;
    node->ports = *args->ports;
    node->schema = ml_schema_builtin();
    if (args->test_keys) {
        node->cost = (struct ml_pwhash_cost){1, ML_PWHASH_MEMORY_KIB_MIN};
    }
    ml_err err = ml_crypto_init();
    if (err == ML_OK) {
        err = ml_home_open(&node->home, args->env, args->home, args->state_home);
    }
    if (err == ML_OK) {
        err = ml_home_each_org(&node->home, node_add_org, node);
    }
    if (err != ML_OK) {
        ml_node_close(node);
        return err;
    }
    *out = node;
    return ML_OK;
}

void ml_node_close(struct ml_node *node)
{
    if (node == NULL) {
        return;
    }
    while (node->deferred != NULL) {
        ml_node_cancel(node, node->deferred->id);
    }
    while (node->orgs != NULL) {
        struct ml_org *org = node->orgs;
        node->orgs = org->next;
        ml_org_free(org);
    }
    while (node->unopened != NULL) {
        struct ml_unopened *u = node->unopened;
        node->unopened = u->next;
        ml_release(node->env, u);
    }
    ml_release(node->env, node);
}

/* Who comes with paper to a computer that holds nothing is told what paper can't do. */
static const char *call_no_org(const struct ml_call *call)
{
    const bool paper = ml_value_get(call->params, "shares") != NULL ||
                       ml_value_get(call->params, "recovery") != NULL;
    return paper ? "org.none_paper" : "org.none";
}

/* The structure that params.org names, or the only one of the home. */
static ml_err call_find_org(struct ml_call *call)
{
    const struct ml_value *named = ml_value_get(call->params, "org");
    struct ml_org_id id;
    unopened_again(call->node);
    if (named == NULL) {
        call->org = call->node->orgs;
        if (call->org == NULL) {
            return call->node->unopened != NULL
                       ? call_unopened(call, call->node->unopened)
                       : ml_call_fail(call, ML_E_NOT_FOUND, call_no_org(call), NULL, NULL);
        }
        return call->org->next == NULL
                   ? ML_OK
                   : ml_call_fail(call, ML_E_INVALID, "org.several", NULL, NULL);
    }
    ml_err err = ml_call_id(call, id.b, sizeof(id.b), "org");
    if (err != ML_OK) {
        return err;
    }
    for (call->org = call->node->orgs; call->org != NULL; call->org = call->org->next) {
        if (memcmp(&call->org->id, &id, sizeof(id)) == 0) {
            return ML_OK;
        }
    }
    for (const struct ml_unopened *u = call->node->unopened; u != NULL; u = u->next) {
        if (memcmp(&u->id, &id, sizeof(id)) == 0) {
            return call_unopened(call, u);
        }
    }
    return ml_call_fail(call, ML_E_NOT_FOUND, "org.unknown", NULL, NULL);
}

/* Proved by the token, or by being a process of the POSIX session that unlocked (decisions 5). */
static bool call_has_session(const struct ml_call *call)
{
    const struct ml_session *s = call->org->session;
    if (s == NULL) {
        return false;
    }
    if (call->token_len > 0) {
        return call->token_len == sizeof(s->token) &&
               ml_equal_ct(call->token, s->token, sizeof(s->token));
    }
    return call->posix_session != 0 && call->posix_session == s->posix_session;
}

/* A process whose session's leader lives in another PID namespace (a container's shell) has no
 * session that could be told from others': it needs the token, and is told so. */
static const char *call_no_session(const struct ml_call *call)
{
    bool unseen = call->token_len == 0 && call->posix_session == 0;
    return call->org->session != NULL && unseen ? "session.unseen" : "session.none";
}

static ml_err call_check(struct ml_call *call, unsigned needs)
{
    if ((needs & (ML_NEEDS_ORG | ML_NEEDS_SESSION | ML_NEEDS_RANK_1)) != 0) {
        ml_err err = call_find_org(call);
        if (err == ML_OK && call->org->open) {
            err = ml_log_refresh(call->org->log); /* rights are judged by all that is known */
        }
        if (err != ML_OK) {
            return err;
        }
    }
    if ((needs & (ML_NEEDS_SESSION | ML_NEEDS_RANK_1)) != 0) {
        ml_session_end_idle(call->org); /* after a long sleep a call comes before any timer */
        if (!call_has_session(call)) {
            return ml_call_fail(call, ML_E_LOCKED, call_no_session(call), NULL, NULL);
        }
        call->session = call->org->session;
        call->session->last_call_ms = call->node->env->now_ms(call->node->env->ctx);
        ml_err err = ml_session_denials(call->org);
        if (err != ML_OK) {
            return err;
        }
    }
    if ((needs & ML_NEEDS_RANK_1) != 0 && !ml_org_is_coordinator(call->org)) {
        return ml_call_fail(call, ML_E_DENIED, "rank.coordinator", NULL, NULL);
    }
    return ML_OK;
}

static ml_err call_run(struct ml_call *call, struct ml_slice method, struct ml_slice params)
{
    const struct ml_method *m = method_find(method);
    if (m == NULL) {
        return ml_call_fail(call, ML_E_UNSUPPORTED, "method.unknown", NULL, NULL);
    }
    snprintf(call->method, sizeof(call->method), "%s", m->name);
    if (params.len > 0) {
        ml_err err = ml_tree_parse(&call->tree, params.data, params.len);
        if (err != ML_OK) {
            return err;
        }
        call->params = ml_tree_root(call->tree);
    }
    ml_err err = call_check(call, m->needs);
    if (err == ML_OK) {
        err = m->run(call);
    }
    if (err != ML_OK) {
        ml_trace_refused(call, err);
    }
    return err;
}

void ml_node_call(struct ml_node *node, uint64_t id, const struct ml_node_caller *caller,
                  struct ml_slice method, struct ml_slice params)
{
    struct ml_call *call = ml_alloc(node->env, sizeof(*call));
    if (call == NULL || caller->token.len > sizeof(call->token)) {
        ml_release(node->env, call);
        node->ports.reply(node->ports.ctx, id, call == NULL ? ML_E_NOMEM : ML_E_LIMIT,
                          ml_slice(NULL, 0));
        return;
    }
    call->node = node;
    call->id = id;
    call->uid = caller->uid;
    call->posix_session = caller->session_id;
    call->token_len = caller->token.len;
    if (caller->token.len > 0) {
        memcpy(call->token, caller->token.data, caller->token.len);
    }
    call->result = ml_args_new();
    ml_args_map(call->result);
    ml_err err = call_run(call, method, params);
    if (call->org != NULL) {
        ml_org_after_call(call->org);
    }
    if (err != ML_E_PENDING || !call->deferred) {
        ml_call_finish(call, err);
    }
}

void ml_node_cancel(struct ml_node *node, uint64_t id)
{
    struct ml_call *call = node->deferred;
    while (call != NULL && call->id != id) {
        call = call->next;
    }
    if (call == NULL) {
        return;
    }
    if (call->canceled != NULL) {
        call->canceled(call);
    }
    ml_call_finish(call, ML_E_CANCELED);
}
