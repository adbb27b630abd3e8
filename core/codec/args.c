/* core/codec/args.c -- see maille/value.h: writing.
 *
 * MessagePack counts come before contents, which aren't known yet: a container is opened at an
 * offset, its entries are counted, and its head is put in front of them when it is closed.
 * Invariant: in the innermost open map `key_due` says whether a key or a value comes next; at the
 * top exactly one root is written. The first fault sticks (INVALID unless the buffer says else).
 */
#include <string.h>

#include "core/codec/mp_read.h"
#include "core/codec/mp_write.h"
#include "core/codec/rpc_limits.h"
#include "maille/value.h"

enum { HEAD_BYTES_MAX = 5 };

struct open_level {
    size_t at; /* offset of its first entry */
    uint32_t count;
    bool map;
    bool key_due;
};

struct ml_args {
    struct ml_buf out; /* owned */
    struct open_level levels[ML_DOC_DEPTH_MAX];
    size_t depth;
    bool rooted;
    ml_err err;
};

struct ml_args *ml_args_new(void)
{
    const struct ml_env *env = ml_env_system();
    struct ml_args *a = ml_alloc(env, sizeof(*a));
    if (a != NULL) {
        ml_buf_init_wiped(&a->out, env, ML_RPC_BYTES_MAX); /* passphrases come this way */
    }
    return a;
}

void ml_args_free(struct ml_args *a)
{
    if (a != NULL) {
        ml_buf_free(&a->out);
        ml_release(ml_env_system(), a);
    }
}

static bool args_fail(struct ml_args *a)
{
    ml_args_fail(a, ML_E_INVALID);
    return false;
}

/* Is a value in its place here? Counts it. */
static bool args_place(struct ml_args *a)
{
    if (a == NULL || a->err != ML_OK) {
        return false;
    }
    if (a->depth == 0) {
        if (a->rooted) {
            return args_fail(a);
        }
        a->rooted = true;
        return true;
    }
    struct open_level *level = &a->levels[a->depth - 1];
    if (level->map && level->key_due) {
        return args_fail(a);
    }
    level->key_due = level->map;
    level->count++;
    return true;
}

static void args_open(struct ml_args *a, bool map)
{
    if (!args_place(a)) {
        return;
    }
    if (a->depth == ML_DOC_DEPTH_MAX) {
        a->err = ML_E_LIMIT;
        return;
    }
    a->levels[a->depth++] = (struct open_level){.at = a->out.len, .map = map, .key_due = map};
}

void ml_args_map(struct ml_args *a)
{
    args_open(a, true);
}

void ml_args_list(struct ml_args *a)
{
    args_open(a, false);
}

void ml_args_end(struct ml_args *a)
{
    if (a == NULL || a->err != ML_OK) {
        return;
    }
    if (a->depth == 0 || a->levels[a->depth - 1].map != a->levels[a->depth - 1].key_due) {
        args_fail(a);
        return;
    }
    const struct open_level *level = &a->levels[--a->depth];
    size_t contents = a->out.len - level->at;
    size_t end = a->out.len;
    if (level->map) {
        ml_mp_put_map(&a->out, level->count);
    } else {
        ml_mp_put_array(&a->out, level->count);
    }
    size_t head_len = a->out.len - end;
    uint8_t head[HEAD_BYTES_MAX];
    if (a->out.err != ML_OK || head_len > sizeof(head)) {
        return;
    }
    memcpy(head, a->out.data + end, head_len);
    memmove(a->out.data + level->at + head_len, a->out.data + level->at, contents);
    memcpy(a->out.data + level->at, head, head_len);
}

void ml_args_key(struct ml_args *a, const char *key)
{
    if (a == NULL || a->err != ML_OK) {
        return;
    }
    if (a->depth == 0 || !a->levels[a->depth - 1].key_due) {
        args_fail(a);
        return;
    }
    a->levels[a->depth - 1].key_due = false;
    ml_mp_put_str(&a->out, ml_slice_str(key));
}

void ml_args_nil(struct ml_args *a)
{
    if (args_place(a)) {
        ml_mp_put_nil(&a->out);
    }
}

void ml_args_bool(struct ml_args *a, bool value)
{
    if (args_place(a)) {
        ml_mp_put_bool(&a->out, value);
    }
}

void ml_args_int(struct ml_args *a, int64_t value)
{
    if (args_place(a)) {
        ml_mp_put_int(&a->out, value);
    }
}

void ml_args_float(struct ml_args *a, double value)
{
    if (args_place(a)) {
        ml_mp_put_float(&a->out, value);
    }
}

void ml_args_text_len(struct ml_args *a, const char *text, size_t len)
{
    if (args_place(a)) {
        ml_mp_put_str(&a->out, ml_slice(text, len));
    }
}

void ml_args_text(struct ml_args *a, const char *text)
{
    if (text == NULL) {
        ml_args_nil(a);
        return;
    }
    ml_args_text_len(a, text, strlen(text));
}

void ml_args_bytes(struct ml_args *a, const void *bytes, size_t len)
{
    if (args_place(a)) {
        ml_mp_put_bin(&a->out, ml_slice(bytes, len));
    }
}

/* One value that is no container, or the head of one. */
static void args_copy_one(struct ml_args *a, const struct ml_value *v)
{
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(v, &len);
    switch (ml_value_kind_of(v)) {
    case ML_VALUE_BOOL:
        ml_args_bool(a, ml_value_bool(v, false));
        break;
    case ML_VALUE_INT:
        ml_args_int(a, ml_value_int(v, 0));
        break;
    case ML_VALUE_UINT:
        if (args_place(a)) {
            ml_mp_put_uint(&a->out, ml_value_uint(v, 0));
        }
        break;
    case ML_VALUE_FLOAT:
        ml_args_float(a, ml_value_float(v, 0));
        break;
    case ML_VALUE_TEXT:
        ml_args_text_len(a, (const char *)bytes, len);
        break;
    case ML_VALUE_BYTES:
        ml_args_bytes(a, bytes, len);
        break;
    case ML_VALUE_LIST:
        ml_args_list(a);
        break;
    case ML_VALUE_MAP:
        ml_args_map(a);
        break;
    case ML_VALUE_NIL:
    default:
        ml_args_nil(a);
        break;
    }
}

void ml_args_value(struct ml_args *a, const struct ml_value *v)
{
    const struct ml_value *parents[ML_DOC_DEPTH_MAX];
    size_t depth = 0;
    const struct ml_value *at = v;
    args_copy_one(a, at);
    bool container = ml_value_kind_of(at) == ML_VALUE_LIST || ml_value_kind_of(at) == ML_VALUE_MAP;
    while (container || depth > 0) {
        const struct ml_value *next = NULL;
        if (container && depth < ML_DOC_DEPTH_MAX) {
            parents[depth++] = at;
            next = ml_value_at(at, 0);
        } else {
            next = ml_value_next(at);
        }
        while (next == NULL && depth > 0) { /* the innermost is complete */
            ml_args_end(a);
            at = parents[--depth];
            next = depth > 0 ? ml_value_next(at) : NULL;
        }
        if (next == NULL) {
            return;
        }
        at = next;
        if (ml_value_kind_of(parents[depth - 1]) == ML_VALUE_MAP) {
            ml_args_key(a, ml_value_key(at));
        }
        args_copy_one(a, at);
        container = ml_value_kind_of(at) == ML_VALUE_LIST || ml_value_kind_of(at) == ML_VALUE_MAP;
    }
}

void ml_args_fail(struct ml_args *a, ml_err err)
{
    if (a != NULL && a->err == ML_OK) {
        a->err = err;
    }
}

ml_err ml_args_fault(const struct ml_args *a)
{
    if (a == NULL) {
        return ML_E_NOMEM;
    }
    return a->err != ML_OK ? a->err : a->out.err;
}

ml_err ml_args_encoded(struct ml_args *a, const uint8_t **bytes, size_t *len)
{
    ml_err err = ml_args_fault(a);
    if (err != ML_OK) {
        return err;
    }
    if (a->depth != 0 || !a->rooted) {
        return ML_E_INVALID;
    }
    *bytes = a->out.data;
    *len = a->out.len;
    return ML_OK;
}
