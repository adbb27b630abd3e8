/* maille/err.h -- the one error type of the whole node. */
#ifndef MAILLE_ERR_H
#define MAILLE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

#define ML_MUST_CHECK __attribute__((warn_unused_result))
#define ML_API        __attribute__((visibility("default")))

/* X(name, class, text). Append only: the numbers travel in RPC answers and are written to logs. */
#define ML_ERR_MAP(X)                                                                              \
    X(NOMEM, LOCAL, "out of memory")                                                               \
    X(LIMIT, LOCAL, "a named limit was reached")                                                   \
    X(IO, LOCAL, "storage or network I/O failed")                                                  \
    X(FULL, LOCAL, "the disk is full")                                                             \
    X(READONLY, LOCAL, "the folder or the disk cannot be written")                                 \
    X(INVALID, LOCAL, "the request is not valid")                                                  \
    X(NOT_FOUND, LOCAL, "there is no such thing here")                                             \
    X(EXISTS, LOCAL, "it exists already")                                                          \
    X(DENIED, LOCAL, "this is not allowed")                                                        \
    X(LOCKED, LOCAL, "the store is locked: a passphrase is needed")                                \
    X(WRONG_KEY, LOCAL, "the key or the passphrase does not open this")                            \
    X(NO_KEY, LOCAL, "no key for this is held here")                                               \
    X(STALE, LOCAL, "the state has changed since it was read")                                     \
    X(UNSUPPORTED, LOCAL, "this version does not support it")                                      \
    X(UNREACHABLE, RETRY, "the peer cannot be reached")                                            \
    X(TIMEOUT, RETRY, "the deadline passed")                                                       \
    X(CANCELED, RETRY, "the operation was cancelled")                                              \
    X(BUSY, RETRY, "the resource is in use")                                                       \
    X(PENDING, RETRY, "what this depends on has not been received yet")                            \
    X(MALFORMED, PEER, "the bytes do not parse")                                                   \
    X(FORGED, PEER, "a signature or authentication tag is wrong")                                  \
    X(PROTOCOL, PEER, "the peer broke the protocol")                                               \
    X(VERSION, PEER, "no common version of the protocol")                                          \
    X(CORRUPT, FATAL, "stored data failed its own check")                                          \
    X(ROLLED_BACK, FATAL, "the store is older than what it has already offered")

typedef enum ml_err {
    ML_OK = 0,
#define X(name, class, text) ML_E_##name,
    ML_ERR_MAP(X)
#undef X
} ml_err;

/** What the caller should do about an error; a policy decides on this, never on single codes. */
typedef enum ml_err_class {
    ML_CLASS_NONE,  /* success */
    ML_CLASS_LOCAL, /* this operation failed here: report it upwards */
    ML_CLASS_RETRY, /* try again later, with backoff */
    ML_CLASS_PEER,  /* the bytes or the peer are at fault: drop it and count it */
    ML_CLASS_FATAL, /* our own data is damaged: stop writing and tell the user */
} ml_err_class;

/** FATAL for a number that is no code. */
ML_API ml_err_class ml_err_class_of(ml_err err);

/** Static text, English, never NULL, safe to show: it holds no data from peers or records. */
ML_API const char *ml_err_text(ml_err err);

/** Static name such as "NOMEM", for logs and --json; "OK" for ML_OK, "CORRUPT" for no code. */
ML_API const char *ml_err_name(ml_err err);

#ifdef __cplusplus
}
#endif
#endif
