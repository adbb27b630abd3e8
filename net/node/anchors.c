/* net/node/anchors.c -- see anchors.h. */
#include "net/node/anchors.h"

#include "core/store/anchor.h"
#include "net/node/damage.h"

ml_err ml_anchors_ahead(struct ml_org *org, const struct ml_writer_id *writer, bool *ahead)
{
    *ahead = false;
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        struct ml_log_next next;
        uint32_t offered = ml_anchor_get(org->anchor, writer, lane);
        if (offered == 0) {
            continue;
        }
        ml_err err = ml_log_next_own(org->log, writer, lane, &next);
        if (err != ML_OK && err != ML_E_ROLLED_BACK && err != ML_E_DENIED) {
            return err; /* a store that can't answer isn't called restored for it */
        }
        *ahead = *ahead || err != ML_OK || next.seq <= offered;
    }
    return ML_OK;
}

/* How far own chains were offered isn't known any more, so that none of them is signed on: noted
 * first, then the record begins anew. */
static ml_err anchor_replace(struct ml_org *org, const char *path)
{
    struct ml_damage damage = {.file = ML_DAMAGE_ANCHOR};
    ml_err err = ml_damage_renew_all(org);
    if (err == ML_OK) {
        err = ml_home_set_aside(org->node->env, path, damage.aside);
    }
    if (err == ML_OK) {
        err = ml_anchor_open(&org->anchor, org->node->env, path, org->anchor_key);
    }
    if (err == ML_OK) {
        ml_damage_note(org, &damage);
    }
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
    return err == ML_E_CORRUPT ? anchor_replace(org, path) : err;
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
