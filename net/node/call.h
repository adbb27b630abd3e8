/* net/node/call.h -- one RPC call while the node serves it: who, on what, and its answer.
 *
 * A method reads call->params, writes call->result (an open map) and returns. An error goes with a
 * text id and arguments that the client renders; ml_call_fail sets both. A method that can't answer
 * yet returns ML_E_PENDING after ml_call_defer: the call is then owned by its job, which ends it
 * with ml_call_finish.
 */
#ifndef ML_NODE_CALL_H
#define ML_NODE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/env.h"
#include "maille/err.h"
#include "maille/types.h"
#include "maille/value.h"
#include "net/node/node.h"

struct ml_org;
struct ml_session;

enum { ML_CALL_TEXT_MAX = 48, ML_CALL_TOKEN_MAX = 64, ML_CALL_METHOD_MAX = 48 };

struct ml_call {
    struct ml_node *node;            /* borrowed */
    struct ml_call *next;            /* of the deferred ones */
    uint64_t id;                     /* the driver's */
    char method[ML_CALL_METHOD_MAX]; /* of the table; "" for an unknown one */
    uint32_t uid;                    /* of the caller */
    uint32_t posix_session;          /* of the caller's process */
    uint8_t token[ML_CALL_TOKEN_MAX];
    size_t token_len;
    struct ml_tree *tree;          /* owned; params below borrow it */
    const struct ml_value *params; /* NULL: none were given */
    struct ml_org *org;            /* borrowed; NULL when the method needs none */
    struct ml_session *session;    /* borrowed; NULL when the method needs none */
    struct ml_args *result;        /* owned; an open map that the method fills */
    bool whole;                    /* the result is a document of its own: see ml_call_document */
    struct ml_args *detail;        /* owned; arguments of the error's text, a map */
    char text[ML_CALL_TEXT_MAX];   /* id of the error's text, "" for the code's own */
    bool deferred;
    /* Of a deferred call: one turn of its work, PENDING when another is needed. Called at each turn
     * of the node while `busy`, else when something changed or the deadline has passed. */
    ml_err (*step)(struct ml_call *call);
    /* Says how far a deferred call came before it is answered CANCELED; NULL: the code alone. */
    void (*canceled)(struct ml_call *call);
    bool busy;
    bool due;             /* in this turn */
    uint64_t deadline_ms; /* monotonic; 0: none */
    void *job;            /* the method's own; freed by job_free */
    void (*job_free)(struct ml_call *call);
};

/* What a method needs before it runs. */
#define ML_NEEDS_ORG     1u /* params.org, or the only structure of the home */
#define ML_NEEDS_SESSION 2u /* an unlocked member, proved by token or POSIX session */
#define ML_NEEDS_RANK_1  4u /* the member is a coordinator */

struct ml_method {
    const char *name;
    unsigned needs;
    ml_err (*run)(struct ml_call *call);
};

/** Sets the error's text and, when `key` isn't NULL, one argument of it; returns `err`. */
ml_err ml_call_fail(struct ml_call *call, ml_err err, const char *text, const char *key,
                    const char *value);
/** Of a call that ends with DENIED: adds to whom (`who`, a name) and what (`act`, the method) was
 * refused, and that his rights were taken away where that is why. DENIED, or NOMEM in its place. */
ml_err ml_call_refused(struct ml_call *call) ML_MUST_CHECK;
/** Another argument of the error's text. */
void ml_call_detail(struct ml_call *call, const char *key, const char *value);

/* Parameters; `text` names the parameter in the error. Errors: INVALID. */
ml_err ml_call_text(struct ml_call *call, const char **out, const char *key) ML_MUST_CHECK;
const char *ml_call_text_or(const struct ml_call *call, const char *key, const char *fallback);
/** Is there an id of `len` bytes under the key, raw or as hex? Else `out` is as it was, and no text
 * set. */
bool ml_call_has_id(const struct ml_call *call, uint8_t *out, size_t len, const char *key);
/** Exactly `len` bytes, as bytes or as hexadecimal text. */
ml_err ml_call_id(struct ml_call *call, uint8_t *out, size_t len, const char *key) ML_MUST_CHECK;

/** A key of the result with bytes as hexadecimal text. */
void ml_result_hex(struct ml_args *a, const char *key, const void *bytes, size_t len);
void ml_result_text(struct ml_args *a, const char *key, const char *text);
void ml_result_int(struct ml_args *a, const char *key, int64_t value);
void ml_result_bool(struct ml_args *a, const char *key, bool value);

/** The answer is one document that a view writes: an empty writer for it. */
struct ml_args *ml_call_document(struct ml_call *call);

void ml_call_defer(struct ml_call *call);
/** Answers through the ports and frees. */
void ml_call_finish(struct ml_call *call, ml_err err);

/* Tables of methods, one file a block; each ends with a row whose name is NULL. */
extern const struct ml_method ml_methods_org[];
extern const struct ml_method ml_methods_card[];
extern const struct ml_method ml_methods_member[];
extern const struct ml_method ml_methods_patient[];
extern const struct ml_method ml_methods_record[];
extern const struct ml_method ml_methods_import[];
extern const struct ml_method ml_methods_gen[];
extern const struct ml_method ml_methods_conflict[];
extern const struct ml_method ml_methods_draft[];
extern const struct ml_method ml_methods_sync[];
extern const struct ml_method ml_methods_log[];
extern const struct ml_method ml_methods_schema[];
extern const struct ml_method ml_methods_document[];
extern const struct ml_method ml_methods_quarantine[];
extern const struct ml_method ml_methods_right[];
extern const struct ml_method ml_methods_trace[];
extern const struct ml_method ml_methods_glass[];
extern const struct ml_method ml_methods_glass_list[];

extern const struct ml_method ml_methods_govern[];
extern const struct ml_method ml_methods_consent[];
extern const struct ml_method ml_methods_key[];
extern const struct ml_method ml_methods_team[];
extern const struct ml_method ml_methods_retention[];
/** The i-th row of all tables; NULL when there is none. */
const struct ml_method *ml_method_at(size_t i);

#endif
