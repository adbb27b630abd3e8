/* net/node/anchors.c -- see anchors.h. */
#include "net/node/anchors.h"

#include "core/store/anchor.h"

static ml_err head_take(void *user, const struct ml_dep *head)
{
    struct ml_buf *heads = user;
    ml_buf_append(heads, head, sizeof(*head));
    return heads->err;
}

static ml_err anchor_compare(struct ml_org *org)
{
    struct ml_buf heads;
    struct ml_dep where;
    ml_buf_init(&heads, org->node->env, SIZE_MAX);
    ml_err err = ml_log_heads(org->log, head_take, &heads);
    if (err == ML_OK) {
        err = ml_anchor_check(org->anchor, &where, (const void *)heads.data,
                              heads.len / sizeof(where));
    }
    ml_buf_free(&heads);
    return err;
}

ml_err ml_anchors_open(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    ml_err err = ml_keystore_derive(org->keystore, ML_KDF_ANCHOR_MAC, NULL, &org->anchor_key);
    if (err == ML_OK) {
        err = ml_home_anchor(&org->node->home, path, &org->id, &org->secrets.node);
    }
    if (err == ML_OK) {
        err = ml_anchor_open(&org->anchor, org->node->env, path, org->anchor_key);
    }
    return err == ML_OK ? anchor_compare(org) : err;
}

void ml_anchors_close(struct ml_org *org)
{
    ml_anchor_close(org->anchor);
    org->anchor = NULL;
    ml_secret_free(org->anchor_key);
    org->anchor_key = NULL;
}

uint32_t ml_anchors_get(const struct ml_org *org, const struct ml_writer_id *writer, uint8_t lane)
{
    return ml_anchor_get(org->anchor, writer, lane);
}

ml_err ml_anchors_raise(struct ml_org *org, const struct ml_sync_own *own)
{
    return ml_anchor_raise(org->anchor, &own->writer, own->lane, own->anchored);
}
