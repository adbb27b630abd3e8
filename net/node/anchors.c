/* net/node/anchors.c -- see anchors.h. */
#include "net/node/anchors.h"

#include <stdio.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/fs.h"
#include "core/store/anchor.h"
#include "net/node/damage.h"

/* ---- what was offered and isn't here ---- */

static const char told_setting[] = "anchor.told"; /* {writer 16, lane 1, seq 4} ... */

enum { PLACE_BYTES = 21 };

struct lacking {
    struct ml_dep *chains; /* owned; up to where each was offered */
    size_t count;
};

static ml_err lacking_head(void *user, const struct ml_dep *head)
{
    struct lacking *l = user;
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct ml_dep *c = &l->chains[i];
        const bool here = c->lane == head->lane && c->seq <= head->seq &&
                          memcmp(&c->writer, &head->writer, sizeof(c->writer)) == 0;
        if (!here) {
            l->chains[kept++] = *c;
        }
    }
    l->count = kept;
    return ML_OK;
}

/* Of all writers that this node ever had; a release is due whatever is returned. */
static ml_err lacking_find(struct ml_org *org, struct lacking *l)
{
    *l = (struct lacking){
        .chains = ml_alloc_array(org->node->env, ML_ANCHOR_CHAINS_MAX, sizeof(*l->chains))};
    if (l->chains == NULL) {
        return ML_E_NOMEM;
    }
    while (l->count < ML_ANCHOR_CHAINS_MAX &&
           ml_anchor_at(org->anchor, l->count, &l->chains[l->count])) {
        l->count++;
    }
    return ml_log_heads(org->log, lacking_head, l);
}

static bool is_told(struct ml_slice told, const struct ml_dep *chain)
{
    bool is = false;
    for (size_t at = 0; at + PLACE_BYTES <= told.len && !is; at += PLACE_BYTES) {
        const uint8_t *p = told.data + at;
        is = memcmp(p, chain->writer.b, sizeof(chain->writer.b)) == 0 && p[16] == chain->lane &&
             ml_get_u32be(p + 17) >= chain->seq;
    }
    return is;
}

static ml_err lacking_untold(struct ml_org *org, bool *untold)
{
    struct lacking l;
    struct ml_buf told;
    ml_buf_init(&told, org->node->env, (size_t)ML_ANCHOR_CHAINS_MAX * PLACE_BYTES);
    ml_err err = lacking_find(org, &l);
    *untold = false;
    if (err == ML_OK && l.count > 0) {
        err = ml_log_setting_get(org->log, told_setting, &told);
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    for (size_t i = 0; i < l.count && err == ML_OK; i++) {
        *untold = *untold || !is_told(ml_buf_slice(&told), &l.chains[i]);
    }
    ml_buf_free(&told);
    ml_release(org->node->env, l.chains);
    return err;
}

ml_err ml_anchors_told(struct ml_org *org)
{
    struct lacking l;
    struct ml_buf told;
    ml_buf_init(&told, org->node->env, (size_t)ML_ANCHOR_CHAINS_MAX * PLACE_BYTES);
    ml_err err = lacking_find(org, &l);
    for (size_t i = 0; i < l.count && err == ML_OK; i++) {
        ml_buf_append(&told, l.chains[i].writer.b, sizeof(l.chains[i].writer.b));
        ml_buf_u8(&told, l.chains[i].lane);
        ml_buf_u32be(&told, l.chains[i].seq);
        err = told.err;
    }
    if (err == ML_OK) {
        err = ml_log_setting_put(org->log, told_setting, ml_buf_slice(&told));
    }
    ml_buf_free(&told);
    ml_release(org->node->env, l.chains);
    return err;
}

ml_err ml_anchors_ahead(struct ml_org *org, const struct ml_writer_id *writer, bool *ahead)
{
    ml_err err = lacking_untold(org, ahead);
    if (err != ML_OK || *ahead) {
        return err;
    }
    for (uint8_t lane = 0; lane < ML_LANES; lane++) {
        struct ml_log_next next;
        uint32_t offered = ml_anchor_get(org->anchor, writer, lane);
        if (offered == 0) {
            continue;
        }
        err = ml_log_next_own(org->log, writer, lane, &next);
        if (err == ML_E_ROLLED_BACK) {
            return ML_OK; /* nothing is lacking, but its key forked: who opens a new one tells that
                           */
        }
        if (err != ML_OK && err != ML_E_DENIED) {
            return err; /* a store that can't answer isn't called restored for it */
        }
        *ahead = *ahead || err != ML_OK || next.seq <= offered;
    }
    return ML_OK;
}

/* All that is here of chains of this node may have been offered. */
static ml_err raise_own(void *user, const struct ml_dep *head)
{
    const struct ml_org *org = user;
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), &head->writer);
    const bool own =
        opening != NULL && memcmp(&opening->node, &org->secrets.node, sizeof(opening->node)) == 0;
    return own ? ml_anchor_raise(org->anchor, &head->writer, head->lane, head->seq) : ML_OK;
}

static ml_err beside(char out[ML_PATH_MAX], const char *path, const char *suffix)
{
    const int len = snprintf(out, ML_PATH_MAX, "%s%s", path, suffix);
    return len > 0 && len < (int)ML_PATH_MAX ? ML_OK : ML_E_LIMIT;
}

/* A name that no other writing of the record uses: ml_file_replace cut short leaves "NAME.new",
 * which may be torn, beside a sound record. */
static const char again[] = ".again";

/* The new record, whole, as "NAME.again". Where nothing of this node is here there is none. */
static ml_err record_make(struct ml_org *org, const char *path)
{
    const struct ml_env *env = org->node->env;
    char part[ML_PATH_MAX];
    char fresh[ML_PATH_MAX];
    ml_err err = beside(part, path, ".part");
    if (err == ML_OK) {
        err = beside(fresh, path, again);
    }
    if (err == ML_OK && ml_home_exists(env, part)) {
        err = ml_file_err(env->fs->remove(env->fs->ctx, part));
    }
    if (err == ML_OK) {
        err = ml_anchor_open(&org->anchor, env, part, org->anchor_key);
    }
    if (err == ML_OK) {
        err = ml_log_heads(org->log, raise_own, org);
    }
    ml_anchor_close(org->anchor);
    org->anchor = NULL;
    return err == ML_OK && ml_home_exists(env, part) ? ml_home_rename(env, part, fresh) : err;
}

/* A record that was made anew takes the place of the damaged one: also after a cut between. */
static ml_err record_place(struct ml_org *org, const char *path, struct ml_damage *damage)
{
    const struct ml_env *env = org->node->env;
    char fresh[ML_PATH_MAX];
    ml_err err = beside(fresh, path, again);
    if (err == ML_OK && ml_home_exists(env, path)) {
        err = ml_home_set_aside(env, path, damage->aside);
    }
    return err == ML_OK && ml_home_exists(env, fresh) ? ml_home_rename(env, fresh, path) : err;
}

/* How far own chains were offered isn't known any more, so that none of them is signed on: noted
 * first, then the record begins anew, with all that the log holds: an older copy of it that is put
 * back later is still found behind. Until it is whole the damaged one stays where it is. */
static ml_err anchor_replace(struct ml_org *org, const char *path)
{
    struct ml_damage damage = {.file = ML_DAMAGE_ANCHOR};
    ml_err err = ml_damage_renew_all(org);
    if (err == ML_OK) {
        err = record_make(org, path);
    }
    if (err == ML_OK) {
        err = record_place(org, path, &damage);
    }
    if (err == ML_OK) {
        err = ml_anchor_open(&org->anchor, org->node->env, path, org->anchor_key);
    }
    if (err == ML_OK) {
        ml_damage_note(org, &damage);
    }
    return err;
}

/* What a cut left between the two names. */
static ml_err anchor_finish(struct ml_org *org, const char *path)
{
    struct ml_damage damage = {.file = ML_DAMAGE_ANCHOR};
    char fresh[ML_PATH_MAX];
    ml_err err = beside(fresh, path, again);
    if (err != ML_OK || !ml_home_exists(org->node->env, fresh)) {
        return err;
    }
    err = record_place(org, path, &damage);
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
        err = anchor_finish(org, path);
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
