/* net/node/call.c -- see call.h: parameters, results, answers. */
#include "net/node/call.h"

#include <string.h>

#include "core/base/ids.h"
#include "net/node/state.h"

void ml_call_detail(struct ml_call *call, const char *key, const char *value)
{
    if (call->detail == NULL) {
        call->detail = ml_args_new();
        ml_args_map(call->detail);
    }
    ml_args_key(call->detail, key);
    ml_args_text(call->detail, value);
}

ml_err ml_call_fail(struct ml_call *call, ml_err err, const char *text, const char *key,
                    const char *value)
{
    size_t len = strlen(text);
    len = len < sizeof(call->text) ? len : sizeof(call->text) - 1;
    memcpy(call->text, text, len);
    call->text[len] = '\0';
    if (key != NULL) {
        ml_call_detail(call, key, value);
    }
    return err;
}

const char *ml_call_text_or(const struct ml_call *call, const char *key, const char *fallback)
{
    return ml_value_text(ml_value_get(call->params, key), fallback);
}

ml_err ml_call_text(struct ml_call *call, const char **out, const char *key)
{
    const char *text = ml_call_text_or(call, key, NULL);
    if (text == NULL || text[0] == '\0') {
        return ml_call_fail(call, ML_E_INVALID, "param.missing", "param", key);
    }
    *out = text;
    return ML_OK;
}

bool ml_call_has_id(const struct ml_call *call, uint8_t *out, size_t len, const char *key)
{
    const struct ml_value *v = ml_value_get(call->params, key);
    size_t n = 0;
    const uint8_t *bytes = ml_value_bytes(v, &n);
    if (bytes != NULL && ml_value_kind_of(v) == ML_VALUE_BYTES && n == len) {
        memcpy(out, bytes, len);
        return true;
    }
    return bytes != NULL && ml_hex_decode(out, len, (const char *)bytes, n) == ML_OK;
}

ml_err ml_call_id(struct ml_call *call, uint8_t *out, size_t len, const char *key)
{
    if (ml_call_has_id(call, out, len, key)) {
        return ML_OK;
    }
    const bool given = ml_value_get(call->params, key) != NULL;
    return ml_call_fail(call, ML_E_INVALID, given ? "param.id" : "param.missing", "param", key);
}

void ml_result_hex(struct ml_args *a, const char *key, const void *bytes, size_t len)
{
    char hex[ML_HEX_SIZE(64)];
    size_t n = len <= 64 ? len : 64;
    ml_hex_encode(hex, bytes, n);
    ml_result_text(a, key, hex);
}

void ml_result_text(struct ml_args *a, const char *key, const char *text)
{
    ml_args_key(a, key);
    ml_args_text(a, text);
}

void ml_result_int(struct ml_args *a, const char *key, int64_t value)
{
    ml_args_key(a, key);
    ml_args_int(a, value);
}

void ml_result_bool(struct ml_args *a, const char *key, bool value)
{
    ml_args_key(a, key);
    ml_args_bool(a, value);
}

static void call_free(struct ml_call *call)
{
    if (call->job_free != NULL) {
        call->job_free(call);
    }
    ml_tree_free(call->tree);
    ml_args_free(call->result);
    ml_args_free(call->detail);
    ml_release(call->node->env, call);
}

/* {code, text, args}: what the client library renders. */
static struct ml_args *error_document(struct ml_call *call, ml_err err)
{
    struct ml_args *a = ml_args_new();
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_tree *detail = NULL;
    ml_args_map(a);
    ml_result_text(a, "code", ml_err_name(err));
    ml_result_text(a, "text", call->text);
    if (call->detail != NULL) {
        ml_args_end(call->detail);
        if (ml_args_encoded(call->detail, &bytes, &len) == ML_OK &&
            ml_tree_parse(&detail, bytes, len) == ML_OK) {
            ml_args_key(a, "args");
            ml_args_value(a, ml_tree_root(detail));
        }
    }
    ml_args_end(a);
    ml_tree_free(detail);
    return a;
}

struct ml_args *ml_call_document(struct ml_call *call)
{
    ml_args_free(call->result);
    call->result = ml_args_new();
    call->whole = true;
    return call->result;
}

void ml_call_defer(struct ml_call *call)
{
    call->deferred = true;
    call->next = call->node->deferred;
    call->node->deferred = call;
}

static void call_undefer(struct ml_call *call)
{
    for (struct ml_call **at = &call->node->deferred; *at != NULL; at = &(*at)->next) {
        if (*at == call) {
            *at = call->next;
            return;
        }
    }
}

/* An answer by which an act is refused; the others (a full disk, a peer that is silent) are
 * failures, which the code's own sentence tells. */
static bool is_undone(ml_err err)
{
    return err == ML_E_INVALID || err == ML_E_NOT_FOUND || err == ML_E_EXISTS ||
           err == ML_E_LIMIT || err == ML_E_LOCKED || err == ML_E_WRONG_KEY || err == ML_E_NO_KEY ||
           err == ML_E_STALE || err == ML_E_UNSUPPORTED;
}

void ml_call_finish(struct ml_call *call, ml_err err)
{
    const struct ml_node_ports *ports = &call->node->ports;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    err = err == ML_E_DENIED ? ml_call_refused(call) : err;
    if (is_undone(err)) {
        ml_call_detail(call, "act", call->method);
    }
    if (call->deferred) {
        call_undefer(call);
    }
    if (err == ML_OK) {
        if (!call->whole) {
            ml_args_end(call->result);
        }
        err = ml_args_encoded(call->result, &bytes, &len);
    }
    if (err == ML_OK) {
        ports->reply(ports->ctx, call->id, ML_OK, ml_slice(bytes, len));
        call_free(call);
        return;
    }
    struct ml_args *document = error_document(call, err);
    if (ml_args_encoded(document, &bytes, &len) != ML_OK) {
        len = 0; /* out of memory: the code alone */
    }
    ports->reply(ports->ctx, call->id, err, ml_slice(bytes, len));
    ml_args_free(document);
    call_free(call);
}
