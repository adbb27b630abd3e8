/* net/node/damage.c -- see damage.h: notes of damage, and the log's repair.
 *
 * The log's repair: what can be read goes into log-fresh.db; there it is noted what is lost and who
 * must open a new writer; then log-fresh.db is renamed log-rebuilt.db: from there on the repair is
 * finished by whoever opens the log next. The old file and its WAL are renamed, log-rebuilt.db
 * becomes log.db. A cut before that name leaves the old log, and a fresh one that is thrown away.
 */
#include "net/node/damage.h"

#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "net/node/contacts.h"

enum { NOTE_VERSION = 1, NOTE_HEAD = 36, PLACE_BYTES = 21, NAME_MAX_BYTES = 64 };

#define NOTE_MAX (NOTE_HEAD + ML_ASIDE_NAME_MAX + 4u + ML_DAMAGE_PLACES_MAX * PLACE_BYTES)

static const char *const file_names[ML_DAMAGE_FILES] = {
    [ML_DAMAGE_LOG] = "log",           [ML_DAMAGE_VAULT] = "vault",
    [ML_DAMAGE_DRAFTS] = "drafts",     [ML_DAMAGE_TRACES] = "traces",
    [ML_DAMAGE_ANCHOR] = "anchor",     [ML_DAMAGE_KEYSTORE] = "keystore",
    [ML_DAMAGE_RESTORED] = "restored", [ML_DAMAGE_DOUBLED] = "doubled",
};

static ml_err org_file(const struct ml_org *org, char path[ML_PATH_MAX], const char *name)
{
    return ml_home_file(&org->node->home, path, &org->id, name);
}

/* ---- notes ---- */

static void setting_name(char name[NAME_MAX_BYTES], ml_damage_file file)
{
    snprintf(name, NAME_MAX_BYTES, "damage.%s", file_names[file]);
}

/* version 1, unreadable 1, cut 1, aside's length 1, wall 8, kept 8, bodies 8, lost 8, aside, count
 * 4, {writer 16, lane 1, seq 4} ... */
static void note_encode(struct ml_buf *out, const struct ml_damage *d)
{
    const size_t len = strlen(d->aside);
    ml_buf_u8(out, NOTE_VERSION);
    ml_buf_u8(out, d->found.unreadable);
    ml_buf_u8(out, d->cut);
    ml_buf_u8(out, (uint8_t)len);
    ml_buf_u64be(out, d->wall_ms);
    ml_buf_u64be(out, d->found.kept);
    ml_buf_u64be(out, d->found.bodies_lost);
    ml_buf_u64be(out, d->found.lost);
    ml_buf_append(out, d->aside, len);
    ml_buf_u32be(out, d->place_count);
    for (uint32_t i = 0; i < d->place_count; i++) {
        ml_buf_append(out, d->places[i].writer.b, sizeof(d->places[i].writer.b));
        ml_buf_u8(out, d->places[i].lane);
        ml_buf_u32be(out, d->places[i].seq);
    }
}

static bool note_decode(struct ml_damage *d, struct ml_slice in)
{
    const uint8_t *p = in.data;
    if (in.len < NOTE_HEAD || p[0] != NOTE_VERSION || p[3] >= ML_ASIDE_NAME_MAX ||
        in.len < NOTE_HEAD + (size_t)p[3] + 4) {
        return false;
    }
    const size_t len = p[3];
    const uint32_t count = ml_get_u32be(p + NOTE_HEAD + len);
    if (count > ML_DAMAGE_PLACES_MAX ||
        in.len != NOTE_HEAD + len + 4 + (size_t)count * PLACE_BYTES) {
        return false;
    }
    d->found.unreadable = p[1] != 0;
    d->cut = p[2] != 0;
    d->wall_ms = ml_get_u64be(p + 4);
    d->found.kept = ml_get_u64be(p + 12);
    d->found.bodies_lost = ml_get_u64be(p + 20);
    d->found.lost = ml_get_u64be(p + 28);
    memcpy(d->aside, p + NOTE_HEAD, len);
    d->aside[len] = '\0';
    d->place_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = p + NOTE_HEAD + len + 4 + (size_t)i * PLACE_BYTES;
        memcpy(d->places[i].writer.b, at, sizeof(d->places[i].writer.b));
        d->places[i].lane = at[16];
        d->places[i].seq = ml_get_u32be(at + 17);
    }
    return true;
}

static ml_err note_put(struct ml_org *org, struct ml_log *log, const struct ml_damage *d)
{
    char name[NAME_MAX_BYTES];
    struct ml_buf value;
    setting_name(name, d->file);
    ml_buf_init(&value, org->node->env, NOTE_MAX);
    note_encode(&value, d);
    ml_err err =
        value.err != ML_OK ? value.err : ml_log_setting_put(log, name, ml_buf_slice(&value));
    ml_buf_free(&value);
    return err;
}

/* False: none, or it can't be read. */
static bool note_read(const struct ml_env *env, struct ml_log *log, struct ml_damage *d,
                      ml_damage_file file)
{
    char name[NAME_MAX_BYTES];
    struct ml_buf value;
    setting_name(name, file);
    *d = (struct ml_damage){.file = file};
    ml_buf_init(&value, env, NOTE_MAX);
    bool there =
        ml_log_setting_get(log, name, &value) == ML_OK && note_decode(d, ml_buf_slice(&value));
    ml_buf_free(&value);
    return there;
}

static bool note_get(struct ml_org *org, struct ml_damage *d, ml_damage_file file)
{
    return note_read(org->node->env, org->log, d, file);
}

static void event_send(struct ml_org *org, const struct ml_damage *d)
{
    const struct ml_node_ports *ports = &org->node->ports;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_args *doc = ml_args_new();
    ml_args_map(doc);
    ml_result_hex(doc, "org", org->id.b, sizeof(org->id.b));
    ml_result_text(doc, "file", file_names[d->file]);
    ml_args_end(doc);
    if (ml_args_encoded(doc, &bytes, &len) == ML_OK) {
        ports->event(ports->ctx, "store.damaged", ml_slice(bytes, len));
    }
    ml_args_free(doc);
}

static void told(struct ml_org *org, const struct ml_damage *d)
{
    ml_logf(org->node->env, ML_LOG_ERROR, "damage",
            "%s: %llu read, %llu lost, %llu bodies lost, set aside as \"%s\"", file_names[d->file],
            (unsigned long long)d->found.kept, (unsigned long long)d->found.lost,
            (unsigned long long)d->found.bodies_lost, d->aside);
    event_send(org, d);
}

ml_err ml_damage_keep(struct ml_org *org, const struct ml_damage *damage)
{
    struct ml_damage d = *damage;
    const struct ml_env *env = org->node->env;
    d.wall_ms = env->wall_ms(env->ctx);
    ml_err err = note_put(org, org->log, &d);
    told(org, &d);
    return err;
}

void ml_damage_note(struct ml_org *org, const struct ml_damage *damage)
{
    ml_err err = ml_damage_keep(org, damage);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_ERROR, "damage", "not noted: %s", ml_err_name(err));
    }
}

/* ---- what is still missing ---- */

struct missing {
    const struct ml_damage *damage;
    bool back[ML_DAMAGE_PLACES_MAX];
};

/* A chain has no gaps: its head proves all that is below. */
static ml_err missing_head(void *user, const struct ml_dep *head)
{
    struct missing *m = user;
    for (uint32_t i = 0; i < m->damage->place_count; i++) {
        const struct ml_dep *p = &m->damage->places[i];
        if (p->lane == head->lane && p->seq <= head->seq &&
            memcmp(&p->writer, &head->writer, sizeof(p->writer)) == 0) {
            m->back[i] = true;
        }
    }
    return ML_OK;
}

static uint64_t still_missing(struct ml_org *org, const struct ml_damage *d)
{
    struct missing m = {.damage = d};
    uint64_t count = d->found.lost - d->place_count; /* without a place: nobody can tell */
    if (ml_log_heads(org->log, missing_head, &m) != ML_OK) {
        return d->found.lost;
    }
    for (uint32_t i = 0; i < d->place_count; i++) {
        count += !m.back[i];
    }
    return count;
}

static bool place_is_named(const struct ml_damage *d, const struct ml_dep *place)
{
    bool named = false;
    for (uint32_t i = 0; i < d->place_count && !named; i++) {
        named = d->places[i].lane == place->lane && d->places[i].seq == place->seq &&
                memcmp(&d->places[i].writer, &place->writer, sizeof(place->writer)) == 0;
    }
    return named;
}

/* A second repair doesn't make the first one's losses unsaid: what is missing since then, and isn't
 * in the new log either, stays named; of what had no place, and of bodies, the number stays. */
static void note_join(const struct ml_env *env, struct ml_log *fresh, struct ml_damage *d)
{
    struct ml_damage *old = ml_alloc(env, sizeof(*old));
    struct missing m = {.damage = old};
    struct ml_log_counts counts;
    if (old == NULL || !note_read(env, fresh, old, ML_DAMAGE_LOG) ||
        ml_log_heads(fresh, missing_head, &m) != ML_OK || ml_log_counts(fresh, &counts) != ML_OK) {
        ml_release(env, old);
        return;
    }
    const uint64_t bodies = d->found.bodies_lost + old->found.bodies_lost;
    const uint64_t holes = counts.bodies_missing + counts.pending; /* at most */
    d->found.bodies_lost = bodies < holes ? bodies : holes;
    d->found.lost += old->found.lost - old->place_count;
    d->found.unreadable = d->found.unreadable || old->found.unreadable;
    d->cut = d->cut || old->cut;
    for (uint32_t i = 0; i < old->place_count; i++) {
        const bool missing = !m.back[i] && !place_is_named(d, &old->places[i]);
        d->found.lost += missing;
        if (missing && d->place_count < ML_DAMAGE_PLACES_MAX) {
            d->places[d->place_count++] = old->places[i];
        }
    }
    ml_release(env, old);
}

static void place_put(struct ml_args *out, const struct ml_dep *p)
{
    ml_args_map(out);
    ml_result_hex(out, "writer", p->writer.b, sizeof(p->writer.b));
    ml_result_int(out, "lane", p->lane);
    ml_result_int(out, "seq", p->seq);
    ml_args_end(out);
}

static void damage_put(struct ml_org *org, struct ml_args *out, const struct ml_damage *d)
{
    const bool is_log = d->file == ML_DAMAGE_LOG;
    ml_args_map(out);
    ml_result_text(out, "file", file_names[d->file]);
    ml_result_int(out, "wall_ms", (int64_t)d->wall_ms);
    ml_result_text(out, "aside", d->aside);
    ml_result_int(out, "lost", (int64_t)d->found.lost);
    if (is_log) {
        ml_result_bool(out, "unreadable", d->found.unreadable);
        ml_result_bool(out, "cut", d->cut);
        ml_result_int(out, "kept", (int64_t)d->found.kept);
        ml_result_int(out, "bodies_lost", (int64_t)d->found.bodies_lost);
        ml_result_int(out, "missing", (int64_t)still_missing(org, d));
        ml_args_key(out, "places");
        ml_args_list(out);
        for (uint32_t i = 0; i < d->place_count; i++) {
            place_put(out, &d->places[i]);
        }
        ml_args_end(out);
    }
    ml_args_end(out);
}

/* Told until nothing is missing and whoever looks after this computer has deleted the old file;
 * what left none is told for a week. */
static bool still_told(struct ml_org *org, const struct ml_damage *d)
{
    enum { WEEK_MS = 604800000 };
    const struct ml_env *env = org->node->env;
    char path[ML_PATH_MAX];
    char name[ML_ASIDE_NAME_MAX + sizeof("drafts/")];
    if (d->aside[0] == '\0' || d->file == ML_DAMAGE_ANCHOR) {
        return env->wall_ms(env->ctx) < d->wall_ms + WEEK_MS;
    }
    snprintf(name, sizeof(name), "%s%s", d->file == ML_DAMAGE_DRAFTS ? "drafts/" : "", d->aside);
    return org_file(org, path, name) != ML_OK || ml_home_exists(org->node->env, path) ||
           (d->file == ML_DAMAGE_LOG && still_missing(org, d) > 0);
}

void ml_damage_describe(struct ml_org *org, struct ml_args *out)
{
    ml_args_key(out, "damage");
    ml_args_list(out);
    for (int file = 0; file < ML_DAMAGE_FILES; file++) {
        struct ml_damage d;
        if (note_get(org, &d, (ml_damage_file)file) && still_told(org, &d)) {
            damage_put(org, out, &d);
        }
    }
    ml_args_end(out);
}

/* ---- new writers ---- */

static void renew_name(char name[NAME_MAX_BYTES], const struct ml_member_id *member)
{
    char hex[ML_ID_HEX_SIZE];
    ml_hex_encode(hex, member->b, sizeof(member->b));
    snprintf(name, NAME_MAX_BYTES, "renew.%s", hex);
}

static ml_err renew_put(struct ml_log *log, const struct ml_member_id *member, uint8_t value)
{
    char name[NAME_MAX_BYTES];
    renew_name(name, member);
    return ml_log_setting_put(log, name, ml_slice(&value, 1));
}

static ml_err renew_all(struct ml_org *org, struct ml_log *log)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < ml_keystore_member_count(org->keystore) && err == ML_OK; i++) {
        err = renew_put(log, ml_keystore_member(org->keystore, i), 1);
    }
    return err;
}

ml_err ml_damage_renew_all(struct ml_org *org)
{
    return renew_all(org, org->log);
}

bool ml_damage_must_renew(struct ml_org *org, const struct ml_member_id *member)
{
    char name[NAME_MAX_BYTES];
    struct ml_buf value;
    renew_name(name, member);
    ml_buf_init(&value, org->node->env, 1);
    ml_err err = ml_log_setting_get(org->log, name, &value);
    const bool must = (err == ML_OK && value.len == 1 && value.data[0] != 0) ||
                      (err != ML_OK && err != ML_E_NOT_FOUND); /* it can't be told: it must */
    ml_buf_free(&value);
    return must;
}

ml_err ml_damage_renewed(struct ml_org *org, const struct ml_member_id *member)
{
    return renew_put(org->log, member, 0);
}

/* ---- the log ---- */

static void problem_log(void *user, const char *what)
{
    const struct ml_org *org = user;
    ml_logf(org->node->env, ML_LOG_WARN, "damage", "%s", what);
}

struct repair {
    struct ml_org *org;
    struct ml_damage damage;
};

static void repair_problem(void *user, const char *what)
{
    problem_log(((struct repair *)user)->org, what);
}

static void repair_lost(void *user, const struct ml_dep *place)
{
    struct repair *r = user;
    if (place->seq > 0 && r->damage.place_count < ML_DAMAGE_PLACES_MAX) {
        r->damage.places[r->damage.place_count++] = *place;
    }
}

/* Into the new log, before it takes the old one's place. */
static ml_err repair_notes(struct repair *r, const struct ml_log_args *args)
{
    struct ml_log *log = NULL;
    const struct ml_env *env = r->org->node->env;
    r->damage.file = ML_DAMAGE_LOG;
    r->damage.wall_ms = env->wall_ms(env->ctx);
    ml_err err = ml_log_open(&log, args);
    if (err == ML_OK) {
        err = ml_log_begin(log);
    }
    if (err == ML_OK) {
        note_join(env, log, &r->damage);
        err = note_put(r->org, log, &r->damage);
    }
    if (err == ML_OK) {
        err = renew_all(r->org, log);
    }
    if (err == ML_OK) {
        err = ml_contacts_restore(r->org, log);
    }
    if (err == ML_OK) {
        err = ml_log_commit(log);
    }
    if (err == ML_OK) {
        err = ml_log_settle(log);
    }
    ml_log_close(log);
    return err;
}

ml_err ml_damage_log_finish(struct ml_org *org)
{
    char rebuilt[ML_PATH_MAX];
    char path[ML_PATH_MAX];
    char aside[ML_ASIDE_NAME_MAX];
    ml_err err = org_file(org, rebuilt, "log-rebuilt.db");
    if (err == ML_OK) {
        err = org_file(org, path, "log.db");
    }
    if (err != ML_OK || !ml_home_exists(org->node->env, rebuilt)) {
        return err;
    }
    err = ml_home_set_aside(org->node->env, path, aside);
    return err == ML_OK ? ml_home_rename(org->node->env, rebuilt, path) : err;
}

bool ml_damage_log_is_bare(struct ml_org *org)
{
    struct ml_damage d;
    return ml_gov_next(ml_log_gov(org->log), ML_FACT_ORG, NULL) == NULL &&
           !note_get(org, &d, ML_DAMAGE_LOG);
}

/* The name that _finish will give: the first that is free. */
static ml_err repair_aside(struct repair *r)
{
    char path[ML_PATH_MAX];
    ml_err err = org_file(r->org, path, "log.db");
    const struct ml_env *env = r->org->node->env;
    return err == ML_OK && ml_home_exists(env, path)
               ? ml_home_aside_name(env, path, r->damage.aside)
               : err;
}

/* Reads the log, or else what stands before the destroyed frame of its WAL. */
static ml_err repair_read(struct repair *r, struct ml_log_rebuild *how)
{
    char part[ML_PATH_MAX];
    ml_err err = ml_log_rebuild(&r->damage.found, how);
    if (err != ML_OK || !r->damage.found.unreadable) {
        return err;
    }
    err = org_file(r->org, part, "log-part.db");
    if (err == ML_OK) {
        err = ml_damage_log_part(r->org, how->log.path, part);
    }
    if (err == ML_E_NOT_FOUND) {
        return ML_OK; /* there is no such part */
    }
    if (err == ML_OK) {
        err = ml_home_remove_db(r->org->node->env, how->fresh);
    }
    if (err == ML_OK) {
        how->log.path = part;
        err = ml_log_rebuild(&r->damage.found, how);
        r->damage.cut = !r->damage.found.unreadable;
    }
    ml_err removed = ml_home_remove_db(r->org->node->env, part);
    return err == ML_OK ? removed : err;
}

ml_err ml_damage_log(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    char fresh[ML_PATH_MAX];
    char rebuilt[ML_PATH_MAX];
    struct repair *r = ml_alloc(org->node->env, sizeof(*r));
    if (r == NULL) {
        return ML_E_NOMEM;
    }
    r->org = org;
    struct ml_log_rebuild how = {
        .log = {.env = org->node->env, .path = path, .vfs = org->log_vfs, .org = org->id},
        .fresh = fresh,
        .problem = repair_problem,
        .lost = repair_lost,
        .user = r};
    ml_err err = org_file(org, path, "log.db");
    err = err == ML_OK ? org_file(org, fresh, "log-fresh.db") : err;
    err = err == ML_OK ? org_file(org, rebuilt, "log-rebuilt.db") : err;
    err = err == ML_OK ? ml_home_remove_db(r->org->node->env, fresh)
                       : err; /* of a repair that was cut */
    err = err == ML_OK ? repair_aside(r) : err;
    err = err == ML_OK ? repair_read(r, &how) : err;
    if (err == ML_OK) {
        struct ml_log_args fresh_args = how.log;
        fresh_args.path = fresh;
        err = repair_notes(r, &fresh_args);
    }
    err = err == ML_OK ? ml_home_rename(r->org->node->env, fresh, rebuilt) : err;
    err = err == ML_OK ? ml_damage_log_finish(org) : err;
    if (err == ML_OK) {
        told(org, &r->damage);
    } else {
        ml_logf(org->node->env, ML_LOG_ERROR, "damage", "the log is damaged and not repaired: %s",
                ml_err_name(err));
    }
    ml_release(org->node->env, r);
    return err;
}
