/* core/store/log_meta.c -- settings and peers of this node, beside the log in its database. */
#include <string.h>

#include "core/store/log_impl.h"

#define KEY_MAX   64u
#define VALUE_MAX 1048576u

static ml_err append_row(struct ml_log *log, enum ml_log_sql sql, struct ml_buf *out)
{
    bool found = false;
    ml_err err = ml_log_row(log, sql, &found);
    if (err == ML_OK && found) {
        struct ml_slice value = ml_stmt_blob(log->st[sql], 0);
        ml_buf_append(out, value.data, value.len);
        err = out->err;
    }
    ml_stmt_reset(log->st[sql]);
    return err == ML_OK && !found ? ML_E_NOT_FOUND : err;
}

ml_err ml_log_setting_get(struct ml_log *log, const char *key, struct ml_buf *out)
{
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK) {
        return err;
    }
    ml_stmt_bind_text(log->st[ML_SQL_SETTING_GET], 1, key, strlen(key));
    return append_row(log, ML_SQL_SETTING_GET, out);
}

ml_err ml_log_setting_put(struct ml_log *log, const char *key, struct ml_slice value)
{
    size_t key_len = strlen(key);
    if (key_len == 0 || key_len > KEY_MAX || value.len > VALUE_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stmt *s = log->st[ML_SQL_SETTING_PUT];
    ml_stmt_bind_text(s, 1, key, key_len);
    ml_stmt_bind_blob(s, 2, value.data, value.len);
    return ml_log_done(log, ml_stmt_run(s));
}

ml_err ml_log_peer_put(struct ml_log *log, const struct ml_log_peer *peer)
{
    size_t len = strnlen(peer->address, sizeof(peer->address));
    if (len == sizeof(peer->address)) {
        return ML_E_LIMIT;
    }
    ml_err err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stmt *s = log->st[ML_SQL_PEER_PUT];
    ml_stmt_bind_blob(s, 1, peer->node.b, sizeof(peer->node.b));
    ml_stmt_bind_text(s, 2, peer->address, len);
    ml_stmt_bind_int(s, 3, (int64_t)peer->last_seen_ms);
    ml_stmt_bind_int(s, 4, peer->last_err);
    return ml_log_done(log, ml_stmt_run(s));
}

static ml_err peer_read(struct ml_stmt *s, struct ml_log_peer *out)
{
    struct ml_slice node = ml_stmt_blob(s, 0);
    struct ml_slice address = ml_stmt_text(s, 1);
    if (node.len != sizeof(out->node.b) || address.len >= sizeof(out->address)) {
        return ML_E_CORRUPT;
    }
    memset(out, 0, sizeof(*out));
    memcpy(out->node.b, node.data, node.len);
    if (address.len > 0) {
        memcpy(out->address, address.data, address.len);
    }
    out->last_seen_ms = (uint64_t)ml_stmt_int(s, 2);
    out->last_err = (ml_err)ml_stmt_int(s, 3);
    return ML_OK;
}

ml_err ml_log_peers(struct ml_log *log, ml_log_peer_cb *each, void *user)
{
    struct ml_stmt *s = log->st[ML_SQL_PEERS];
    ml_err err = ml_log_fresh(log);
    for (bool row = true; row && err == ML_OK;) {
        struct ml_log_peer peer;
        err = ml_log_row(log, ML_SQL_PEERS, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        err = peer_read(s, &peer);
        if (err == ML_OK) {
            err = each(user, &peer);
        }
    }
    ml_stmt_reset(s);
    return err;
}

ml_err ml_log_base_get(struct ml_log *log, const struct ml_node_id *peer, struct ml_buf *out)
{
    ml_err err = ml_log_fresh(log);
    if (err != ML_OK) {
        return err;
    }
    ml_stmt_bind_blob(log->st[ML_SQL_BASE_GET], 1, peer->b, sizeof(peer->b));
    return append_row(log, ML_SQL_BASE_GET, out);
}

ml_err ml_log_base_put(struct ml_log *log, const struct ml_node_id *peer, struct ml_slice base)
{
    if (base.len > ML_LOG_BASE_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = ml_log_write(log);
    if (err != ML_OK) {
        return err;
    }
    struct ml_stmt *s = log->st[ML_SQL_BASE_PUT];
    ml_stmt_bind_blob(s, 1, peer->b, sizeof(peer->b));
    ml_stmt_bind_blob(s, 2, base.data, base.len);
    return ml_log_done(log, ml_stmt_run(s));
}
