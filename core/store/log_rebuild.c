/* core/store/log_rebuild.c -- see log_rebuild.h.
 *
 * Happy path: each number up to the last is read on its own, joined to its wire form and ingested,
 * in batches; then what waited, settings and peers. A page that doesn't open costs the rows on it
 * and nothing else. The rows of an index aren't used but to find a number's row.
 */
#include "core/store/log_rebuild.h"

#include <stdio.h>

#include "core/store/log_impl.h"

#define BATCH 256u

struct rebuild {
    struct ml_log *old;
    struct ml_log *fresh;
    ml_log_problem_cb *problem;
    void *user;
    uint64_t in_batch;
};

static bool is_damage(ml_err err)
{
    return err == ML_E_CORRUPT || err == ML_E_IO || err == ML_E_NOT_FOUND;
}

static void tell(struct rebuild *r, uint64_t n, const char *what)
{
    char text[120];
    snprintf(text, sizeof(text), "bundle %llu: %s", (unsigned long long)n, what);
    r->problem(r->user, text);
}

static void tell_refused(void *user, const struct ml_log_outcome *o)
{
    struct rebuild *r = user;
    if (o->result == ML_LOG_REFUSED) {
        r->problem(r->user, ml_reason_text(o->reason));
    }
}

/* A commit now and then: a log of a million bundles is no single transaction. */
static ml_err give(struct rebuild *r, struct ml_slice wire)
{
    ml_err err = r->in_batch == 0 ? ml_log_begin(r->fresh) : ML_OK;
    if (err == ML_OK) {
        err = ml_log_ingest(r->fresh, &wire, 1, tell_refused, r);
    }
    r->in_batch++;
    if (err == ML_OK && r->in_batch == BATCH) {
        r->in_batch = 0;
        err = ml_log_commit(r->fresh);
    }
    return err;
}

static ml_err copy_bundle(struct rebuild *r, struct ml_buf *wire, uint64_t n)
{
    struct ml_log_entry e;
    int64_t flags = 0;
    ml_err err = ml_log_header_of(r->old, &e, &flags, n);
    if (is_damage(err)) {
        tell(r, n, "it cannot be read");
        return ML_OK;
    }
    if (err == ML_OK) {
        err = ml_log_body_read(r->old, &e, flags);
    }
    if (is_damage(err) ||
        (err == ML_OK && e.body.absent == 0 && ml_body_check(&e.header, e.body.bytes, NULL))) {
        tell(r, n, "its body is destroyed; it will be fetched again");
        e.body = (struct ml_wire_body){.absent = ML_ABSENT_NOT_RECEIVED};
        err = ML_OK;
    }
    ml_buf_clear(wire);
    if (err == ML_OK) {
        err = ml_bundle_join(wire, e.header_bytes, &e.sig, &e.body);
    }
    ml_log_entry_done(r->old);
    return err == ML_OK ? give(r, ml_buf_slice(wire)) : err;
}

static ml_err last_number(struct rebuild *r, uint64_t *last)
{
    bool row = false;
    ml_err err = ml_log_row(r->old, ML_SQL_LAST, &row);
    if (err == ML_OK && row) {
        *last = (uint64_t)ml_stmt_int(r->old->st[ML_SQL_LAST], 0);
    }
    ml_stmt_reset(r->old->st[ML_SQL_LAST]);
    return err;
}

static ml_err copy_bundles(struct rebuild *r, struct ml_buf *wire)
{
    uint64_t last = 0;
    ml_err err = last_number(r, &last);
    for (uint64_t n = 1; n <= last && err == ML_OK; n++) {
        err = copy_bundle(r, wire, n);
    }
    return err;
}

static ml_err copy_pending(struct rebuild *r, struct ml_buf *wire)
{
    struct ml_stmt *s = r->old->st[ML_SQL_PENDING_WIRES];
    int64_t id = 0;
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK;) {
        ml_stmt_bind_int(s, 1, id);
        err = ml_log_row(r->old, ML_SQL_PENDING_WIRES, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_slice bytes = ml_stmt_blob(s, 1);
        id = ml_stmt_int(s, 0);
        ml_buf_clear(wire);
        ml_buf_append(wire, bytes.data, bytes.len);
        ml_stmt_reset(s);
        err = wire->err != ML_OK ? wire->err : give(r, ml_buf_slice(wire));
    }
    if (is_damage(err)) {
        r->problem(r->user, "what had waited cannot be read; it will be sent again");
        err = ML_OK;
    }
    ml_stmt_reset(s);
    return err;
}

static ml_err put_peer(void *user, const struct ml_log_peer *peer)
{
    struct rebuild *r = user;
    return ml_log_peer_put(r->fresh, peer);
}

static ml_err copy_settings(struct rebuild *r)
{
    struct ml_stmt *s = r->old->st[ML_SQL_SETTINGS];
    ml_err err = ML_OK;
    for (bool row = true; row && err == ML_OK;) {
        char key[128];
        err = ml_log_row(r->old, ML_SQL_SETTINGS, &row);
        if (err != ML_OK || !row) {
            continue;
        }
        struct ml_slice name = ml_stmt_text(s, 0);
        snprintf(key, sizeof(key), "%.*s", (int)name.len, (const char *)name.data);
        err = ml_log_setting_put(r->fresh, key, ml_stmt_blob(s, 1));
    }
    ml_stmt_reset(s);
    if (err == ML_OK) {
        err = ml_log_peers(r->old, put_peer, r);
    }
    if (is_damage(err)) {
        r->problem(r->user, "settings or peers cannot be read");
        err = ML_OK;
    }
    return err;
}

static ml_err rebuild_all(struct rebuild *r, const struct ml_env *env)
{
    struct ml_buf wire;
    ml_buf_init(&wire, env, ML_BUNDLE_BYTES_MAX);
    ml_err err = copy_bundles(r, &wire);
    if (err == ML_OK) {
        err = copy_pending(r, &wire);
    }
    if (err == ML_OK && r->in_batch > 0) {
        err = ml_log_commit(r->fresh);
    }
    ml_buf_free(&wire);
    return err == ML_OK ? copy_settings(r) : err;
}

ml_err ml_log_rebuild(const struct ml_log_args *args, const char *fresh, ml_log_problem_cb *problem,
                      void *user)
{
    struct rebuild r = {.problem = problem, .user = user};
    struct ml_log_args fresh_args = *args;
    fresh_args.path = fresh;
    fresh_args.create = false;
    ml_err err = ml_log_open(&r.fresh, &fresh_args);
    if (err != ML_E_NOT_FOUND) {
        ml_log_close(r.fresh);
        return err == ML_OK ? ML_E_EXISTS : err;
    }
    struct ml_log_args old_args = *args;
    old_args.create = false;
    err = ml_log_open_raw(&r.old, &old_args);
    if (err != ML_OK) {
        return err;
    }
    fresh_args.create = true;
    err = ml_log_open(&r.fresh, &fresh_args);
    if (err == ML_OK) {
        r.fresh->unbounded = true;
        err = rebuild_all(&r, args->env);
    }
    ml_log_close(r.fresh);
    ml_log_close(r.old);
    return err;
}
