/* tests/unit/core_model/support_keystore.h -- a keyring's store in arrays, and ops kept in a log.
 */
#ifndef ML_TESTS_SUPPORT_KEYSTORE_H
#define ML_TESTS_SUPPORT_KEYSTORE_H

#include "core/model/keyring.h"
#include "fake_env.h"

enum { MEM_STREAMS = 512, MEM_LINKS = 64, MEM_WRAPS = 1024, MEM_LATER = 64, MEM_OPS = 256 };

struct mem_store {
    struct ml_keyring_store store;
    struct {
        struct ml_stream_id id;
        struct ml_stream_info info;
    } streams[MEM_STREAMS];
    size_t stream_count;
    struct ml_patient_link links[MEM_LINKS];
    size_t link_count;
    struct ml_stored_wrap wraps[MEM_WRAPS];
    size_t wrap_count;
    struct ml_bg_wrap bgs[MEM_WRAPS];
    size_t bg_count;
    struct {
        struct ml_key_id kek;
        uint8_t op[256];
        size_t len;
    } later[MEM_LATER];
    size_t later_count;
    struct {
        struct ml_key_id kek;
        struct ml_key_id key;
    } heard[MEM_LATER];
    size_t heard_count;
    ml_err fail; /* every call fails with this, when it isn't ML_OK */
};

void mem_store_init(struct mem_store *m);

/* Encoded ops in the order in which they were made. */
struct key_log {
    struct {
        uint8_t *data;
        size_t len;
        bool accepted;
    } op[MEM_OPS];
    size_t count;
    bool accepted; /* of ops to come */
};

void key_log_init(struct key_log *log);
void key_log_free(struct key_log *log);
/* An ml_keyop_cb: user is the log. */
ml_err key_log_add(void *user, struct ml_slice op);
/* Applies one op; asserts that it succeeds. */
struct ml_keyring_news key_log_apply(struct ml_keyring *k, const struct key_log *log, size_t i);
void key_log_apply_from(struct ml_keyring *k, const struct key_log *log, size_t first);

#endif
