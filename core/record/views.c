/* core/record/views.c -- what all answers share: ids, values, authors, titles. */
#include "core/record/views.h"

#include <stdio.h>
#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/codec/mp_read.h"
#include "core/record/consents.h"
#include "core/record/date.h"
#include "core/record/say.h"
#include "core/record/values.h"
#include "core/record/views_int.h"

enum { TITLE_MAX = 1u << 16 };

void ml_view_put_text(struct ml_args *out, const char *key, struct ml_slice text)
{
    ml_args_key(out, key);
    ml_args_text_len(out, text.len == 0 ? "" : (const char *)text.data, text.len);
}

void ml_view_put_id(struct ml_args *out, const char *key, struct ml_slice id)
{
    char hex[ML_HEX_SIZE(64)];
    size_t len = id.len <= 64 ? id.len : 64;
    ml_hex_encode(hex, id.data, len);
    ml_args_key(out, key);
    ml_args_text(out, hex);
}

void ml_view_put_version(struct ml_args *out, const struct ml_version_id *id)
{
    uint8_t bytes[17];
    memcpy(bytes, id->bundle.b, 16);
    bytes[16] = id->index;
    ml_view_put_id(out, "version", ml_slice(bytes, sizeof(bytes)));
}

void ml_view_put_card(struct ml_args *out, struct ml_slice card)
{
    static const char *const keys[] = {"birth_name", "used_name", "given_names", "used_given_name",
                                       "birth_date", "sex",       "ins",         "deceased"};
    struct ml_date date;
    uint8_t text[16];
    const struct ml_env no_env = {.ctx = NULL};
    struct ml_buf buf = {.env = &no_env, .data = text, .cap = sizeof(text), .max = sizeof(text)};
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ml_view_put_text(out, keys[i], ml_card_text(card, i));
    }
    if (ml_date_parse(ml_card_text(card, CARD_BIRTH_DATE), &date)) {
        ml_date_text(&buf, &date);
    }
    ml_view_put_text(out, "birth_date_text", ml_buf_slice(&buf));
}

static void put_instant_text(struct ml_args *out, const char *key, const struct ml_instant *instant)
{
    uint8_t text[64];
    const struct ml_env no_env = {.ctx = NULL};
    struct ml_buf buf = {.env = &no_env, .data = text, .cap = sizeof(text), .max = sizeof(text)};
    ml_instant_text(&buf, instant);
    ml_view_put_text(out, key, ml_buf_slice(&buf));
}

void ml_view_put_recorded(struct ml_args *out, uint64_t hlc)
{
    const struct ml_instant at = {.utc_ms = (int64_t)ml_hlc_ms(hlc),
                                  .precision = ML_PRECISION_MINUTE};
    ml_args_key(out, "recorded");
    ml_args_int(out, at.utc_ms);
    put_instant_text(out, "recorded_text", &at);
}

void ml_view_put_effective(struct ml_args *out, const struct ml_instant *at)
{
    ml_args_key(out, "effective");
    ml_args_int(out, at->utc_ms);
    put_instant_text(out, "effective_text", at);
}

static ml_err put_author(struct ml_vault *v, struct ml_args *out, const struct vault_author *author,
                         uint32_t seq)
{
    struct ml_buf name;
    ml_buf_init(&name, v->env, 4096);
    if (v->names != NULL && v->names->member != NULL) {
        v->names->member(v->names->ctx, &author->member, &name);
    }
    ml_args_key(out, "author");
    ml_args_map(out);
    ml_view_put_id(out, "member", ml_slice(author->member.b, sizeof(author->member.b)));
    ml_view_put_text(out, "name", ml_buf_slice(&name));
    ml_args_key(out, "role");
    ml_args_int(out, author->role);
    ml_view_put_id(out, "node", ml_slice(author->node.b, sizeof(author->node.b)));
    ml_view_put_id(out, "writer", ml_slice(author->writer.b, sizeof(author->writer.b)));
    ml_args_key(out, "seq");
    ml_args_int(out, seq);
    ml_args_end(out);
    if (v->names != NULL && v->names->sync != NULL) {
        ml_args_key(out, "sync");
        ml_args_text(out, v->names->sync(v->names->ctx, &author->writer, seq));
    }
    ml_err err = name.err;
    ml_buf_free(&name);
    return err;
}

ml_err ml_view_put_author(struct ml_vault *v, struct ml_args *out, uint64_t n)
{
    struct ml_stmt *st = v->st[ST_BUNDLE_GET];
    bool row = false;
    ml_stmt_bind_int(st, 1, (int64_t)n);
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row) {
        const struct vault_author *author = ml_vault_author_of(v, ml_stmt_int(st, 0));
        if (author != NULL) {
            err = put_author(v, out, author, (uint32_t)ml_stmt_int(st, 1));
        }
    }
    ml_stmt_reset(st);
    return err;
}

ml_err ml_view_put_hidden(struct ml_vault *v, struct ml_args *out,
                          const struct ml_object_id *patient)
{
    bool hidden = false;
    ml_err err = ml_vault_hides_any(v, patient, &hidden);
    ml_args_key(out, "hidden");
    ml_args_bool(out, hidden);
    return err;
}

/* What of each class is kept from the member by the matrix. */
static ml_err kept_count(struct ml_vault *v, int64_t patient, int64_t kept[ML_MATRIX_CLASS_MAX + 1])
{
    struct ml_stmt *st = v->st[ST_KEPT_COUNT];
    bool row = false;
    ml_err err = ML_OK;
    ml_stmt_bind_int(st, 1, patient);
    while ((err = ml_stmt_step(st, &row)) == ML_OK && row) {
        const struct ml_entity *e = ml_schema_entity(v->schema, (uint16_t)ml_stmt_int(st, 0));
        if (e != NULL) {
            kept[e->data_class] += ml_stmt_int(st, 1);
        }
    }
    return err;
}

/* Is there anything of this class that a record may hold? */
static bool is_held(const struct ml_schema *schema, unsigned class)
{
    size_t i = 0;
    while (i < schema->entity_count &&
           (schema->entities[i]->is_shared || schema->entities[i]->data_class != class)) {
        i++;
    }
    return i < schema->entity_count;
}

ml_err ml_view_put_by_role(struct ml_vault *v, struct ml_args *out,
                           const struct ml_object_id *patient, int64_t row)
{
    int64_t kept[ML_MATRIX_CLASS_MAX + 1] = {0};
    struct vault_reads may;
    ml_err err = ml_vault_reads_of(v, row, patient, &may);
    err = err == ML_OK ? kept_count(v, row, kept) : err;
    ml_args_key(out, "by_role");
    ml_args_list(out);
    for (unsigned class = 1; class <= ML_CLASS_LAST && err == ML_OK; class ++) {
        if ((may.all >> class & 1u) != 0 || !is_held(v->schema, class)) {
            continue;
        }
        ml_args_map(out);
        ml_args_key(out, "class_number");
        ml_args_int(out, class);
        ml_args_key(out, "class");
        ml_args_text(out, ml_class_name(class));
        ml_args_key(out, "own");
        ml_args_bool(out, (may.own >> class & 1u) != 0);
        if ((may.see >> class & 1u) != 0) {
            ml_args_key(out, "kept");
            ml_args_int(out, kept[class]);
        }
        ml_args_end(out);
    }
    ml_args_end(out);
    return err;
}

/* ---- values ---- */

struct ref_text {
    struct ml_vault *v;
    int64_t patient;
};

/* Appends what the object of this row is called. Its own references aren't followed. */
static void row_title(struct ml_vault *v, int64_t row, struct ml_buf *out)
{
    struct ml_object *o = NULL;
    struct ml_buf packed;
    ml_buf_init(&packed, v->env, ML_OBJECT_BYTES_MAX);
    ml_err err = ml_view_load(v, row, &o, &packed);
    if (err == ML_OK) {
        o->patient = 0;
        err = ml_view_title(v, o, out);
    }
    if (err != ML_OK && err != ML_E_NOT_FOUND && out->err == ML_OK) {
        out->err = err;
    }
    ml_object_free(o);
    ml_buf_free(&packed);
}

/* What an object of the same patient, or else of the structure, is called. */
static void ref_title(void *user, const struct ml_object_id *id, struct ml_buf *out)
{
    struct ref_text *ref = user;
    static const struct ml_object_id structure;
    struct ml_vault *v = ref->v;
    int64_t places[2] = {ref->patient, 0};
    if (ref->patient == 0 || ml_vault_patient(v, &structure, false, &places[1]) != ML_OK) {
        places[1] = 0;
    }
    for (size_t i = 0; i < 2; i++) {
        struct ml_stmt *st = v->st[ST_OBJECT_SEEK];
        bool row = false;
        if (places[i] == 0) {
            continue;
        }
        ml_stmt_bind_int(st, 1, places[i]);
        ml_stmt_bind_blob(st, 2, id->b, sizeof(id->b));
        bool found = ml_stmt_step(st, &row) == ML_OK && row;
        int64_t object = found ? ml_stmt_int(st, 0) : 0;
        ml_stmt_reset(st);
        if (found) {
            row_title(v, object, out);
            return;
        }
    }
}

ml_err ml_view_value_text(struct ml_vault *v, const struct ml_object *o,
                          const struct ml_field *field, struct ml_slice value, struct ml_buf *out)
{
    struct ref_text ref = {.v = v, .patient = o->patient};
    const struct ml_text_args args = {.schema = v->schema, .ref = ref_title, .user = &ref};
    ml_value_text_fr(out, &args, field, value);
    return out->err;
}

enum { VALUE_DEPTH = 10 };

static void put_scalar(struct ml_args *out, struct ml_mp *mp)
{
    struct ml_slice s;
    switch (ml_mp_peek(mp)) {
    case ML_MP_BOOL:
        ml_args_bool(out, ml_mp_bool(mp));
        break;
    case ML_MP_UINT:
    case ML_MP_NEGATIVE:
        ml_args_int(out, ml_mp_int(mp, INT64_MIN, INT64_MAX));
        break;
    case ML_MP_STR:
        s = ml_mp_str(mp, 0, SIZE_MAX);
        ml_args_text_len(out, s.len == 0 ? "" : (const char *)s.data, s.len);
        break;
    case ML_MP_BIN:
        s = ml_mp_bin(mp, 0, SIZE_MAX);
        if (s.len <= 64) {
            char hex[ML_HEX_SIZE(64)];
            ml_hex_encode(hex, s.data, s.len);
            ml_args_text(out, hex);
        } else {
            ml_args_bytes(out, s.data, s.len);
        }
        break;
    case ML_MP_NONE:
    case ML_MP_NIL:
    case ML_MP_ARRAY:
    case ML_MP_MAP:
    case ML_MP_FLOAT:
        ml_mp_value(mp);
        ml_args_nil(out);
        break;
    }
}

/* A canonical value as a document: maps get their numbers as text keys. */
static void put_document(struct ml_args *out, struct ml_slice value)
{
    struct ml_mp mp;
    struct {
        uint32_t left;
        bool map;
    } open[VALUE_DEPTH];
    size_t depth = 0;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    do {
        while (depth > 0 && open[depth - 1].left == 0) {
            ml_args_end(out);
            depth--;
        }
        if (depth > 0) {
            open[depth - 1].left--;
        } else if (mp.pos > 0) {
            break;
        }
        if (depth > 0 && open[depth - 1].map) {
            char key[24];
            snprintf(key, sizeof(key), "%llu", (unsigned long long)ml_mp_key(&mp));
            ml_args_key(out, key);
        }
        ml_mp_type type = ml_mp_peek(&mp);
        bool container = (type == ML_MP_ARRAY || type == ML_MP_MAP) && depth < VALUE_DEPTH;
        if (!container) {
            put_scalar(out, &mp);
        } else if (type == ML_MP_MAP) {
            ml_args_map(out);
            open[depth].map = true;
            open[depth++].left = ml_mp_map(&mp, 0, UINT32_MAX);
        } else {
            ml_args_list(out);
            open[depth].map = false;
            open[depth++].left = ml_mp_array(&mp, 0, UINT32_MAX);
        }
    } while (depth > 0 && ml_mp_ok(&mp));
    for (; depth > 0; depth--) {
        ml_args_end(out);
    }
}

ml_err ml_view_put_value(struct ml_vault *v, struct ml_args *out, const struct ml_object *o,
                         const struct ml_field *field, struct ml_slice value)
{
    struct ml_buf text;
    ml_buf_init(&text, v->env, TITLE_MAX);
    ml_err err = ml_view_value_text(v, o, field, value, &text);
    ml_view_put_text(out, "text", ml_buf_slice(&text));
    ml_buf_free(&text);
    ml_args_key(out, "value");
    put_document(out, value);
    return err == ML_E_LIMIT ? ML_OK : err;
}

/* ---- objects ---- */

ml_err ml_view_load(struct ml_vault *v, int64_t row_id, struct ml_object **out,
                    struct ml_buf *packed)
{
    struct ml_stmt *st = v->st[ST_OBJECT_BY_ID];
    bool row = false;
    ml_stmt_bind_int(st, 1, row_id);
    ml_err err = ml_stmt_step(st, &row);
    if (err != ML_OK || !row) {
        ml_stmt_reset(st);
        return err == ML_OK ? ML_E_NOT_FOUND : err;
    }
    const struct ml_entity *entity = ml_schema_entity(v->schema, (uint16_t)ml_stmt_int(st, 1));
    int64_t patient = ml_stmt_int(st, 0);
    struct ml_slice bytes = ml_stmt_blob(st, 3);
    ml_buf_clear(packed);
    ml_buf_append(packed, bytes.data, bytes.len);
    ml_stmt_reset(st);
    if (packed->err != ML_OK || entity == NULL) {
        return packed->err != ML_OK ? packed->err : ML_E_CORRUPT;
    }
    err = ml_object_load(out, v->env, v->schema, entity, ml_buf_slice(packed));
    if (err == ML_OK) {
        (*out)->patient = patient;
    }
    return err;
}

struct shown_fields {
    struct ml_object *o;
    const uint32_t *version; /* NULL: what is shown of all; else what this version says */
    uint16_t slot;           /* of it, this register */
};

static ml_err shown_value(void *user, const struct ml_field *field, struct ml_slice *value)
{
    const struct shown_fields *f = user;
    struct ml_shown shown = {.found = false};
    if (f->version != NULL) {
        if (ml_field_slot(field) != f->slot || !ml_object_value(f->o, *f->version, field, value)) {
            *value = ml_slice(NULL, 0);
        }
        return ML_OK;
    }
    ml_err err = ml_object_shown(f->o, field, &shown);
    *value = err == ML_OK && shown.found ? shown.value : ml_slice(NULL, 0);
    return err;
}

typedef ml_err say_fn(struct ml_buf *out, const struct ml_say_args *args);

static ml_err say(struct ml_vault *v, const struct shown_fields *fields, say_fn *how,
                  struct ml_buf *out)
{
    struct ref_text ref = {.v = v, .patient = fields->o->patient};
    struct shown_fields of = *fields;
    const struct ml_say_args args = {
        .text = {.schema = v->schema, .ref = ref_title, .user = &ref},
        .entity = fields->o->entity,
        .value = shown_value,
        .user = &of,
    };
    return how(out, &args);
}

ml_err ml_view_title(struct ml_vault *v, struct ml_object *o, struct ml_buf *out)
{
    const struct shown_fields all = {.o = o};
    return say(v, &all, ml_say_title, out);
}

ml_err ml_view_summary(struct ml_vault *v, struct ml_object *o, struct ml_buf *out)
{
    const struct shown_fields all = {.o = o};
    return say(v, &all, ml_say_sentence, out);
}

ml_err ml_view_register(struct ml_vault *v, struct ml_object *o, uint16_t slot, uint32_t version,
                        struct ml_buf *out)
{
    const struct shown_fields one = {.o = o, .version = &version, .slot = slot};
    return say(v, &one, ml_say_all, out);
}
