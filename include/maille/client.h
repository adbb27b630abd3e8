/* maille/client.h -- talk to mailled over its local socket: the border that the command line and
 * the desktop live on. Plain C, one descriptor to poll, no thread of its own.
 *
 * A client belongs to one thread. Callbacks run inside ml_client_work and nowhere else, each once,
 * and may call anything here but ml_client_close, _work and _request. Parameters are given as an
 * ml_args that the caller keeps (NULL: no parameters). Values in an answer are borrowed until its
 * callback returns. The language of texts is that of LC_ALL, LC_MESSAGES, LANG.
 */
#ifndef MAILLE_CLIENT_H
#define MAILLE_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maille/err.h"
#include "maille/value.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ML_RPC_VERSION      1u    /* of the local protocol; client and daemon must agree */
#define ML_CLIENT_CALLS_MAX 1024u /* unanswered calls of one client */

struct ml_client; /* owned by who opened it */

struct ml_client_options {
    const char *home;    /* NULL: $MAILLE_HOME, else $XDG_DATA_HOME/maille */
    bool start;          /* start mailled when none runs for this home */
    const char *daemon;  /* path of mailled; NULL: beside this program, else from PATH */
    uint32_t timeout_ms; /* to connect, start included; 0: 10 s */
    int token_fd;        /* read an unlock token (hex) from here first; -1: none */
};

/** What a call came to. */
struct ml_answer {
    ml_err err; /* ML_OK, the node's error, or CANCELED, UNREACHABLE: it hung up */
    const struct ml_value *result; /* of a call that succeeded */
    const struct ml_value *detail; /* of one that failed: which text, with which arguments */
};

typedef void ml_client_answer_cb(void *user, uint64_t ticket, const struct ml_answer *answer);
typedef void ml_client_event_cb(void *user, const char *name, const struct ml_value *params);

/** Errors: UNREACHABLE (no daemon, or it did not start), TIMEOUT, DENIED (the socket is another
 * user's), VERSION, LIMIT (a path too long), INVALID (token), IO, NOMEM. */
ML_API ml_err ml_client_open(struct ml_client **out,
                             const struct ml_client_options *options) ML_MUST_CHECK;
/** Calls from here on carry `token` (hexadecimal digits, as org.found, enrol.join and
 * session.unlock answer it): they belong to that session whatever process makes them. Without one,
 * a connection belongs to the session that its POSIX session unlocked. Waits for the answer.
 * Errors: INVALID (not such digits), else as ml_client_request. */
ML_API ml_err ml_client_present(struct ml_client *c, const char *token,
                                uint32_t timeout_ms) ML_MUST_CHECK;
/** Unanswered calls are forgotten, without a callback. NULL allowed. */
ML_API void ml_client_close(struct ml_client *c);

/** To poll for reading, and for writing while ml_client_wants_write says so. */
ML_API int ml_client_fd(const struct ml_client *c);
ML_API bool ml_client_wants_write(const struct ml_client *c);
/** Waits up to `timeout_ms` (0: not at all, -1: for ever), then reads, writes and runs callbacks.
 * Errors: TIMEOUT (nothing came); UNREACHABLE, MALFORMED, NOMEM, IO end the connection: every open
 * call is answered with that error first. */
ML_API ml_err ml_client_work(struct ml_client *c, int timeout_ms) ML_MUST_CHECK;

struct ml_ask {
    const char *method;
    struct ml_args *params; /* borrowed; NULL: none */
    ml_client_answer_cb *done;
    void *user;
};

/** `*ticket` (NULL allowed) names the call until its answer. Errors: LIMIT (calls, size), INVALID
 * (params), UNREACHABLE (the connection ended), NOMEM; `done` is then never called. */
ML_API ml_err ml_client_call(struct ml_client *c, uint64_t *ticket,
                             const struct ml_ask *call) ML_MUST_CHECK;
/** Asks the node to stop; the answer still comes, CANCELED or what it was already. */
ML_API ml_err ml_client_cancel(struct ml_client *c, uint64_t ticket) ML_MUST_CHECK;

/** Calls and waits. `*answer` receives the result, or on an error of the node its details (either
 * may be NULL: nothing was said); the caller frees it. `timeout_ms` 0: as long as it takes; when it
 * passes the call is cancelled and TIMEOUT returned. */
ML_API ml_err ml_client_request(struct ml_client *c, struct ml_tree **answer, const char *method,
                                struct ml_args *params, uint32_t timeout_ms) ML_MUST_CHECK;

/** While ml_client_request waits and `*stop` is not 0 (a signal handler sets it), its call is
 * cancelled and its answer, CANCELED or what it was already, still awaited. Borrowed; NULL: none.
 */
ML_API void ml_client_set_stop(struct ml_client *c, const volatile sig_atomic_t *stop);

/** From now on `on_event` hears of `name` ("*": of all). One callback per client and name; NULL
 * ends it. Errors: as ml_client_call, LIMIT (16 names). */
ML_API ml_err ml_client_subscribe(struct ml_client *c, const char *name,
                                  ml_client_event_cb *on_event, void *user) ML_MUST_CHECK;

/** A text of the client's table (docs/cli.md) in the user's language, `{name}` replaced from the
 * map `args`. The id itself when the table has none. Cut to `size`, always NUL-terminated; returns
 * the length it would have. */
ML_API size_t ml_text(char *out, size_t size, const char *id, const struct ml_value *args);
/** The sentence for a failed call: that of its details, else that of its code. */
ML_API size_t ml_text_error(char *out, size_t size, ml_err err, const struct ml_value *detail);
/** "fr" or "en". */
ML_API const char *ml_text_language(void);

#ifdef __cplusplus
}
#endif
#endif
