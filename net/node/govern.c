/* net/node/govern.c -- see govern.h. */
#include "net/node/govern.h"

#include <string.h>

#include "core/crypto/sign.h"
#include "net/node/session.h"

struct hands {
    struct ml_second at[ML_HANDS_MAX];
    uint32_t count;
};

static bool is_same(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

/* Each writer once, ascending; beyond the limit nobody more is asked. */
static void hand_add(struct hands *h, const struct ml_second *one)
{
    uint32_t at = 0;
    while (at < h->count && memcmp(&h->at[at].writer, &one->writer, sizeof(one->writer)) < 0) {
        at++;
    }
    const bool has = at < h->count && is_same(&h->at[at].writer, &one->writer, sizeof(one->writer));
    if (has || h->count == ML_HANDS_MAX) {
        return;
    }
    memmove(&h->at[at + 1], &h->at[at], (h->count - at) * sizeof(h->at[0]));
    h->at[at] = *one;
    h->count++;
}

/* In the author's next bundle, unless it was said elsewhere first. */
static ml_err sign(struct ml_org *org, struct hands *h, struct ml_slice raw,
                   const struct ml_author *author)
{
    struct ml_second mine = {.writer = author->id};
    struct ml_header next;
    struct ml_hash asked;
    ml_err err = ml_org_next_header(org, &next, author, ML_LANE_GOVERNANCE);
    if (err == ML_OK) {
        err = ml_govop_hands_hash(&asked, raw, &org->id, &next);
    }
    if (err == ML_OK) {
        ml_sign(mine.sig.b, ml_slice(asked.b, sizeof(asked.b)), author->seed);
        hand_add(h, &mine);
    }
    return err;
}

/* With these hands and one's own. */
static ml_err say(struct ml_org *org, struct ml_govop *op, struct hands *h, bool *counts)
{
    const struct ml_hands *given = ml_govop_hands(op);
    struct ml_hands all = {.first = given != NULL ? given->first : (struct ml_act_place){.seq = 0}};
    struct ml_author author;
    struct ml_buf buf;
    ml_session_author(org, &author);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_govop_encode(&buf, op);
    if (err == ML_OK && h != NULL) {
        err = sign(org, h, ml_buf_slice(&buf), &author);
        all.second = (struct ml_list){.items = h->at, .count = h->count};
        ml_govop_set_hands(op, &all);
        ml_buf_clear(&buf);
        err = err == ML_OK ? ml_govop_encode(&buf, op) : err;
    }
    if (err == ML_OK) {
        err = ml_org_append_act(org, &author, ml_buf_slice(&buf), h == NULL ? NULL : counts);
    }
    ml_buf_free(&buf);
    return err;
}

ml_err ml_govern_say(struct ml_org *org, struct ml_govop *op, bool propose, bool *counts)
{
    struct hands none = {.count = 0};
    *counts = true;
    return say(org, op, propose ? &none : NULL, counts);
}

/* ---- checkpoints ---- */

struct heads {
    struct ml_dep at[ML_CUTS_MAX];
    uint32_t count;
};

static ml_err head_take(void *user, const struct ml_dep *head)
{
    struct heads *h = user;
    if (h->count == ML_CUTS_MAX) {
        return ML_E_LIMIT;
    }
    h->at[h->count++] = *head;
    return ML_OK;
}

ml_err ml_govern_checkpoint(struct ml_org *org, uint32_t *chains)
{
    struct ml_govop op = {.type = ML_GOVOP_CHECKPOINT, .must_understand = true};
    struct heads *heads = ml_alloc(org->node->env, sizeof(*heads));
    bool counts = true;
    if (heads == NULL) {
        return ML_E_NOMEM;
    }
    heads->count = 0;
    ml_err err = ml_log_heads(org->log, head_take, heads);
    op.u.checkpoint.heads = (struct ml_list){.items = heads->at, .count = heads->count};
    err = err == ML_OK ? ml_govern_say(org, &op, false, &counts) : err;
    *chains = heads->count;
    ml_release(org->node->env, heads);
    return err;
}

/* ---- what was proposed ---- */

ml_err ml_govern_op_of(struct ml_org *org, uint64_t n, struct ml_govop *op,
                       struct ml_log_entry *entry)
{
    struct ml_body_walk walk;
    struct ml_body_op body_op;
    ml_err err = ml_log_after(org->log, n - 1, ML_LOG_LANE(ML_LANE_GOVERNANCE), entry);
    if (err != ML_OK) {
        return err;
    }
    if (entry->n != n || entry->body.absent != 0 || entry->header.n_ops != 1) {
        return ML_E_NOT_FOUND;
    }
    ml_body_walk(&walk, entry->body.bytes);
    const bool read = ml_body_next(&walk, &body_op) && !body_op.shredded &&
                      ml_govop_decode(op, body_op.sealed, NULL) == ML_OK && op->known;
    return read && ml_govop_hands(op) != NULL ? ML_OK : ML_E_NOT_FOUND;
}

/* Whoever proposes signs too: what was said without is a mistake, not a proposal. */
static bool is_signed_by(const struct ml_govop *op, const struct ml_writer_id *writer)
{
    struct ml_list_walk walk;
    struct ml_second second;
    ml_list_walk(&walk, &ml_govop_hands(op)->second);
    while (ml_second_next(&walk, &second)) {
        if (is_same(&second.writer, writer, sizeof(*writer))) {
            return true;
        }
    }
    return false;
}

/* Hands whose signature is right: a wrong one would take the place of others. */
static void collect(struct ml_org *org, struct hands *h, const struct ml_govop *op,
                    const struct ml_hash *asked)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    struct ml_list_walk walk;
    struct ml_second second;
    ml_list_walk(&walk, &ml_govop_hands(op)->second);
    while (ml_second_next(&walk, &second)) {
        const struct ml_fact *open = ml_gov_opening(gov, &second.writer);
        if (open != NULL && ml_sign_verify(&open->sign_pk, ml_slice(asked->b, sizeof(asked->b)),
                                           second.sig.b) == ML_OK) {
            hand_add(h, &second);
        }
    }
}

static void hand_keep(struct ml_proposal *p, const struct ml_writer_id *writer)
{
    uint32_t i = 0;
    while (i < p->hand_count && !is_same(&p->hands[i], writer, sizeof(*writer))) {
        i++;
    }
    if (i == p->hand_count && i < ML_HANDS_MAX) {
        p->hands[p->hand_count++] = *writer;
    }
}

/* Those of an earlier saying, then its own: each may have been said without knowing of the other.
 */
static void hands_keep(struct ml_proposal *p, const struct ml_proposal *earlier,
                       const struct hands *own)
{
    p->hand_count = 0;
    for (uint32_t i = 0; earlier != NULL && i < earlier->hand_count; i++) {
        hand_keep(p, &earlier->hands[i]);
    }
    for (uint32_t i = 0; i < own->count; i++) {
        hand_keep(p, &own->at[i].writer);
    }
}

static unsigned place_of(const struct ml_proposals *p, const struct ml_hash *asked)
{
    unsigned i = 0;
    while (i < p->count && !is_same(&p->at[i].asked, asked, sizeof(*asked))) {
        i++;
    }
    return i;
}

/* Said again it takes the place of the one before; done, it is none; the oldest makes room. */
static void take(struct ml_proposals *p, const struct ml_proposal *one, bool counts)
{
    unsigned at = place_of(p, &one->asked);
    if (at == p->count && counts) {
        return;
    }
    if (at == p->count && p->count == ML_PROPOSALS_MAX) {
        at = 0;
    }
    if (at < p->count) {
        p->count--;
        memmove(&p->at[at], &p->at[at + 1], (p->count - at) * sizeof(p->at[0]));
    }
    if (!counts) {
        p->at[p->count++] = *one;
    }
}

static ml_err look_at(struct ml_org *org, struct ml_proposals *out, size_t act)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_ruling ruling = ml_gov_act_ruling(gov, act);
    struct ml_log_entry entry;
    struct ml_govop op;
    struct hands hands = {.count = 0};
    struct ml_proposal one = {.n = ml_gov_act_n(gov, act)};
    const bool counts = ruling.verdict == ML_VERDICT_ACCEPTED;
    if (!counts && ruling.reason != ML_REASON_NO_AUTHORITY) {
        return ML_OK;
    }
    ml_err err = counts && out->count == 0 ? ML_E_NOT_FOUND : ML_OK;
    if (err == ML_OK) {
        err = ml_govern_op_of(org, one.n, &op, &entry);
    }
    if (err == ML_OK && (counts || is_signed_by(&op, &entry.header.writer))) {
        one.bundle = entry.hash;
        err = ml_govop_hands_hash(&one.asked, op.raw, &org->id, &entry.header);
        if (err == ML_OK && !counts) {
            const unsigned at = place_of(out, &one.asked);
            collect(org, &hands, &op, &one.asked);
            hands_keep(&one, at < out->count ? &out->at[at] : NULL, &hands);
        }
        if (err == ML_OK) {
            take(out, &one, counts);
        }
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

ml_err ml_govern_proposals(struct ml_org *org, struct ml_proposals *out)
{
    ml_err err = ML_OK;
    *out = (struct ml_proposals){.count = 0};
    for (size_t i = 0; i < ml_gov_acts(ml_log_gov(org->log)) && err == ML_OK; i++) {
        err = look_at(org, out, i);
    }
    return err;
}

/* ---- signing ---- */

/* Of all who said the same, each perhaps without knowing of the other. */
static ml_err collect_all(struct ml_org *org, struct hands *h, const struct ml_hash *asked)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    ml_err err = ML_OK;
    for (size_t i = 0; i < ml_gov_acts(gov) && err == ML_OK; i++) {
        struct ml_log_entry entry;
        struct ml_govop op;
        struct ml_hash hash;
        if (ml_gov_act_ruling(gov, i).reason != ML_REASON_NO_AUTHORITY) {
            continue;
        }
        err = ml_govern_op_of(org, ml_gov_act_n(gov, i), &op, &entry);
        if (err == ML_OK && ml_govop_hands_hash(&hash, op.raw, &org->id, &entry.header) == ML_OK &&
            is_same(&hash, asked, sizeof(hash))) {
            collect(org, h, &op, asked);
        }
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    return err;
}

ml_err ml_govern_cosign(struct ml_org *org, const struct ml_proposal *proposal, bool *counts)
{
    struct ml_log_entry entry;
    struct ml_govop op;
    struct ml_hands first = {.second = {.items = NULL}};
    struct hands h = {.count = 0};
    struct ml_buf raw;
    ml_buf_init(&raw, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = collect_all(org, &h, &proposal->asked);
    if (err == ML_OK) {
        err = ml_govern_op_of(org, proposal->n, &op, &entry);
    }
    if (err == ML_OK) { /* the log is read again while it is written */
        first.first = ml_govop_first(&op, &entry.header);
        ml_buf_append(&raw, op.raw.data, op.raw.len);
        err = raw.err;
    }
    if (err == ML_OK) {
        err = ml_govop_decode(&op, ml_buf_slice(&raw), NULL);
    }
    if (err == ML_OK) {
        ml_govop_set_hands(&op, &first);
        err = say(org, &op, &h, counts);
    }
    ml_buf_free(&raw);
    return err;
}
