/* net/node/knock.c -- unlocks that failed while the structure was closed: its journal's key was not
 * there to seal them (SEC.4).
 *
 *   unlock.failed = record ...: member claimed 16, how often u32be, last time u64be
 *
 * In clear: who holds the disk sees that somebody tried, and may take the file away, as he may the
 * keystore. A crash between the entries and the end of the file tells them twice.
 */
#include <errno.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/fs.h"
#include "net/node/trace_inner.h"

enum { MEMBER_BYTES = 16, RECORD_BYTES = MEMBER_BYTES + 4 + 8 };
/* Far more than one of each member of a keystore: what is longer isn't ours. */
#define RECORDS_BYTES_MAX 65536u

static ml_err path_of(const struct ml_org *org, char path[ML_PATH_MAX])
{
    return ml_home_file(&org->node->home, path, &org->id, "unlock.failed");
}

/* What isn't made of records is as good as nothing: it counts no more. */
static ml_err records_read(const struct ml_org *org, struct ml_buf *out, const char *path)
{
    ml_err err = ml_file_read(out, org->node->env, path);
    if (err == ML_E_NOT_FOUND) {
        return ML_OK;
    }
    if (err == ML_E_LIMIT || (err == ML_OK && out->len % RECORD_BYTES != 0)) {
        ml_logf(org->node->env, ML_LOG_ERROR, "trace", "unlock.failed is damaged");
        ml_buf_clear(out);
        return ML_OK;
    }
    return err;
}

/* The record of this member, a new one when there is none yet. */
static ml_err record_of(struct ml_buf *records, const struct ml_member_id *claimed, uint8_t **out)
{
    for (size_t i = 0; i < records->len; i += RECORD_BYTES) {
        if (memcmp(records->data + i, claimed->b, MEMBER_BYTES) == 0) {
            *out = records->data + i;
            return ML_OK;
        }
    }
    uint8_t *at = ml_buf_extend(records, RECORD_BYTES);
    if (at == NULL) {
        return records->err;
    }
    memcpy(at, claimed->b, MEMBER_BYTES);
    ml_put_u32be(at + MEMBER_BYTES, 0);
    *out = at;
    return ML_OK;
}

ml_err ml_knock_add(struct ml_org *org, const struct ml_member_id *claimed)
{
    const struct ml_env *env = org->node->env;
    char path[ML_PATH_MAX];
    struct ml_buf records;
    uint8_t *at = NULL;
    ml_buf_init(&records, env, RECORDS_BYTES_MAX);
    ml_err err = path_of(org, path);
    if (err == ML_OK) {
        err = records_read(org, &records, path);
    }
    if (err == ML_OK) {
        err = record_of(&records, claimed, &at);
    }
    if (err == ML_OK && at != NULL) {
        const uint32_t count = ml_get_u32be(at + MEMBER_BYTES);
        ml_put_u32be(at + MEMBER_BYTES, count == UINT32_MAX ? count : count + 1);
        ml_put_u64be(at + MEMBER_BYTES + 4, env->wall_ms(env->ctx));
        err = ml_file_replace(env, path, ml_buf_slice(&records));
    }
    ml_buf_free(&records);
    return err;
}

static ml_err tell_one(struct ml_org *org, const uint8_t *record)
{
    uint64_t index = 0;
    struct ml_trace_of_node what = {.action = ML_TRACE_UNLOCK,
                                    .result = ML_TRACE_REFUSED,
                                    .context = ml_slice_str("session.unlock"),
                                    .count = ml_get_u32be(record + MEMBER_BYTES),
                                    .wall_ms = ml_get_u64be(record + MEMBER_BYTES + 4)};
    memcpy(what.claimed.b, record, sizeof(what.claimed.b));
    return ml_trace_of_node(org, &what, &index);
}

ml_err ml_knock_tell(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    struct ml_buf records;
    ml_buf_init(&records, org->node->env, RECORDS_BYTES_MAX);
    ml_err err = path_of(org, path);
    if (err == ML_OK) {
        err = records_read(org, &records, path);
    }
    for (size_t i = 0; err == ML_OK && i < records.len; i += RECORD_BYTES) {
        err = tell_one(org, records.data + i);
    }
    if (err == ML_OK) {
        const struct ml_fs *fs = org->node->env->fs;
        const int rc = fs->remove(fs->ctx, path);
        err = rc == ENOENT ? ML_OK : ml_file_err(rc);
    }
    ml_buf_free(&records);
    return err;
}
