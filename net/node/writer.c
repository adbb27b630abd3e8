/* net/node/writer.c -- opening the member's writer of this store: op 0 of its own lane 0, signed by
 * itself and co-signed by the member-on-node key (rules B18). */
#include <string.h>

#include "net/node/session.h"

static bool is_enrolled(const struct ml_org *org)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (memcmp(&f->member, &org->session->member, sizeof(f->member)) == 0 &&
            memcmp(&f->node, &org->secrets.node, sizeof(f->node)) == 0) {
            return true;
        }
    }
    return false;
}

/* The heads of the writers that this member had on this node (a store that was lost or restored),
 * but for those whose own opening didn't count. */
struct heads {
    struct ml_org *org;
    const struct ml_gvec *covers; /* of the bundle that names them */
    struct ml_dep at[ML_HEADS_MAX];
    uint32_t count;
};

/* Nobody can tell who a writer was whose opening isn't known: of one that forked in lane 0 nothing
 * is cited, so that perhaps nothing covers it. */
static bool is_covered(const struct heads *h, const struct ml_fact *opening)
{
    return ml_gvec_seq(h->covers, &opening->writer) >= opening->at.seq;
}

static ml_err head_take(void *user, const struct ml_dep *head)
{
    struct heads *h = user;
    const struct ml_fact *f = ml_gov_opening(ml_log_gov(h->org->log), &head->writer);
    if (f == NULL || !f->counts || !is_covered(h, f) ||
        memcmp(&f->node, &h->org->secrets.node, sizeof(f->node)) != 0 ||
        memcmp(&f->member, &h->org->session->member, sizeof(f->member)) != 0) {
        return ML_OK;
    }
    if (h->count == ML_HEADS_MAX) {
        return ML_E_LIMIT;
    }
    h->at[h->count++] = *head;
    return ML_OK;
}

static ml_err writer_append(struct ml_org *org, const struct ml_author *author)
{
    struct heads heads = {.org = org};
    struct ml_govop op = {.type = ML_GOVOP_WRITER_OPEN, .must_understand = true};
    struct ml_buf buf;
    struct ml_log_next next;
    ml_err err = ml_log_next_own(org->log, &author->id, ML_LANE_GOVERNANCE, &next);
    if (err == ML_OK) {
        heads.covers = next.covers;
        err = ml_log_heads(org->log, head_take, &heads);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_sign_pk_of(&op.u.writer_open.writer, author->seed);
    op.u.writer_open.member = org->session->member;
    op.u.writer_open.node = org->secrets.node;
    op.u.writer_open.heads.items = heads.at;
    op.u.writer_open.heads.count = heads.count;
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    err = ml_govop_encode_cosigned(&buf, &op, &org->id, org->session->secrets.mon_sign);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&buf);
        err = ml_org_append_plain(org, author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&buf);
    return err;
}

ml_err ml_session_open_writers(struct ml_org *org, bool *opened)
{
    struct ml_author author;
    ml_err err = ML_OK;
    *opened = false;
    if (org->session == NULL) {
        return ML_OK;
    }
    org->session->writers_open = false;
    if (!is_enrolled(org)) { /* nor any more: what is written then counts nowhere, and stays */
        return ML_OK;
    }
    ml_session_author(org, &author);
    if (ml_log_is_frozen(org->log, &author.id)) {
        err = ml_session_renew_writer(org);
        if (err != ML_OK) {
            return err;
        }
        ml_session_author(org, &author);
    }
    if (ml_gov_opening(ml_log_gov(org->log), &author.id) == NULL) {
        err = writer_append(org, &author);
    }
    org->session->writers_open = err == ML_OK;
    *opened = org->session->writers_open;
    return err;
}
