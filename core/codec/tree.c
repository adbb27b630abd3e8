/* core/codec/tree.c -- see maille/value.h: reading.
 *
 * Parsing runs twice over the bytes: once to check them and count, once to fill one block that
 * holds all nodes and one that holds all texts, NUL-terminated. No recursion: a stack of at most
 * ML_DOC_DEPTH_MAX open containers. Invariant of a parsed tree: the nodes of a container follow it
 * in reading order, each child names its next sibling, and a map's children are its values, each
 * with its key.
 */
#include "maille/value.h"

#include <string.h>

#include "core/base/env.h"
#include "core/codec/doc.h"
#include "core/codec/mp_read.h"
#include "core/codec/rpc_limits.h"
#include "core/crypto/secret.h"

struct ml_value {
    ml_value_kind kind;
    size_t len;                  /* of text and bytes; entries of a container */
    const struct ml_value *next; /* sibling */
    const char *key;             /* in a map; else "" */
    const struct ml_value *first;
    union {
        bool boolean;
        int64_t integer;
        uint64_t natural;
        double real;
        const char *text;
    } as;
};

struct ml_tree {
    struct ml_value *nodes; /* owned; [0] is the root */
    char *texts;            /* owned; wiped when freed: passphrases come this way */
    size_t text_bytes;
};

/* What the first pass counts and the second fills. */
struct fill {
    struct ml_value *nodes; /* NULL in the first pass */
    char *texts;
    size_t node_count;
    size_t text_bytes;
};

struct open_container {
    struct ml_value *container;
    struct ml_value *last; /* child, NULL before the first */
    size_t left;
    bool map;
};

struct walk {
    struct ml_mp in;
    struct fill fill;
    struct open_container stack[ML_DOC_DEPTH_MAX];
    size_t depth;
};

static const char *fill_text(struct fill *f, struct ml_slice text)
{
    char *at = f->texts == NULL ? NULL : f->texts + f->text_bytes;
    f->text_bytes += text.len + 1;
    if (at == NULL) {
        return "";
    }
    if (text.len > 0) {
        memcpy(at, text.data, text.len);
    }
    at[text.len] = '\0';
    return at;
}

static void value_set_text(struct ml_value *v, struct fill *f, ml_value_kind kind,
                           struct ml_slice text)
{
    v->kind = kind;
    v->len = text.len;
    v->as.text = fill_text(f, text);
}

static void value_set_uint(struct ml_value *v, uint64_t n)
{
    v->kind = n > INT64_MAX ? ML_VALUE_UINT : ML_VALUE_INT;
    v->as.natural = n;
}

static void walk_open(struct walk *w, struct ml_value *v, bool map)
{
    v->kind = map ? ML_VALUE_MAP : ML_VALUE_LIST;
    v->len = map ? ml_mp_map(&w->in, 0, UINT32_MAX) : ml_mp_array(&w->in, 0, UINT32_MAX);
    if (v->len > 0 && ml_mp_ok(&w->in)) {
        w->stack[w->depth++] = (struct open_container){.container = v, .left = v->len, .map = map};
    }
}

static void walk_read(struct walk *w, struct ml_value *v)
{
    struct ml_mp *in = &w->in;
    switch (ml_mp_peek(in)) {
    case ML_MP_NIL:
        ml_mp_nil(in);
        break;
    case ML_MP_BOOL:
        v->kind = ML_VALUE_BOOL;
        v->as.boolean = ml_mp_bool(in);
        break;
    case ML_MP_UINT:
        value_set_uint(v, ml_mp_uint(in, 0, UINT64_MAX));
        break;
    case ML_MP_NEGATIVE:
        v->kind = ML_VALUE_INT;
        v->as.integer = ml_mp_int(in, INT64_MIN, INT64_MAX);
        break;
    case ML_MP_FLOAT:
        v->kind = ML_VALUE_FLOAT;
        v->as.real = ml_mp_float(in);
        break;
    case ML_MP_STR:
        value_set_text(v, &w->fill, ML_VALUE_TEXT, ml_mp_str(in, 0, ML_RPC_BYTES_MAX));
        break;
    case ML_MP_BIN:
        value_set_text(v, &w->fill, ML_VALUE_BYTES, ml_mp_bin(in, 0, ML_RPC_BYTES_MAX));
        break;
    case ML_MP_ARRAY:
        walk_open(w, v, false);
        break;
    case ML_MP_MAP:
        walk_open(w, v, true);
        break;
    case ML_MP_NONE:
    default:
        ml_mp_fail(in, ML_FAULT_TRUNCATED, in->pos);
        break;
    }
}

/* The node for the next value, linked to the innermost open container. */
static struct ml_value *walk_node(struct walk *w, struct ml_value *spare)
{
    struct ml_value *v = w->fill.nodes == NULL ? spare : &w->fill.nodes[w->fill.node_count];
    w->fill.node_count++;
    *v = (struct ml_value){.kind = ML_VALUE_NIL, .key = ""};
    if (w->depth == 0) {
        return v;
    }
    struct open_container *top = &w->stack[w->depth - 1];
    if (top->map) {
        v->key = fill_text(&w->fill, ml_mp_key_str(&w->in));
    }
    if (w->fill.nodes != NULL && top->last != NULL) {
        top->last->next = v;
    } else if (w->fill.nodes != NULL) {
        top->container->first = v;
    }
    top->last = v;
    top->left--;
    if (top->left == 0) {
        w->depth--;
    }
    return v;
}

static ml_err walk_all(struct walk *w, struct ml_slice bytes)
{
    struct ml_value spare;
    ml_mp_init(&w->in, bytes, ML_MP_DOC);
    w->depth = 0;
    w->fill.node_count = 0;
    w->fill.text_bytes = 0;
    do {
        walk_read(w, walk_node(w, &spare));
    } while (w->depth > 0 && ml_mp_ok(&w->in) && w->fill.node_count <= ML_TREE_VALUES_MAX);
    return w->fill.node_count > ML_TREE_VALUES_MAX ? ML_E_LIMIT : ml_mp_end(&w->in);
}

ml_err ml_tree_parse(struct ml_tree **out, const uint8_t *bytes, size_t len)
{
    const struct ml_env *env = ml_env_system();
    struct walk w = {.depth = 0};
    if (len > ML_RPC_BYTES_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = ml_doc_check(ml_slice(bytes, len), NULL);
    if (err == ML_OK) {
        err = walk_all(&w, ml_slice(bytes, len));
    }
    if (err != ML_OK) {
        return err;
    }
    struct ml_tree *tree = ml_alloc(env, sizeof(*tree));
    if (tree == NULL) {
        return ML_E_NOMEM;
    }
    tree->nodes = ml_alloc_array(env, w.fill.node_count, sizeof(*tree->nodes));
    tree->text_bytes = w.fill.text_bytes;
    tree->texts = ml_alloc(env, tree->text_bytes + 1);
    if (tree->nodes == NULL || tree->texts == NULL) {
        ml_tree_free(tree);
        return ML_E_NOMEM;
    }
    w.fill.nodes = tree->nodes;
    w.fill.texts = tree->texts;
    err = walk_all(&w, ml_slice(bytes, len));
    if (err != ML_OK) {
        ml_tree_free(tree);
        return err;
    }
    *out = tree;
    return ML_OK;
}

void ml_tree_free(struct ml_tree *tree)
{
    const struct ml_env *env = ml_env_system();
    if (tree != NULL) {
        if (tree->texts != NULL) {
            ml_wipe(tree->texts, tree->text_bytes);
        }
        ml_release(env, tree->nodes);
        ml_release(env, tree->texts);
        ml_release(env, tree);
    }
}

const struct ml_value *ml_tree_root(const struct ml_tree *tree)
{
    return tree == NULL ? NULL : tree->nodes;
}

ml_value_kind ml_value_kind_of(const struct ml_value *v)
{
    return v == NULL ? ML_VALUE_NIL : v->kind;
}

static bool value_is_container(const struct ml_value *v)
{
    return v != NULL && (v->kind == ML_VALUE_LIST || v->kind == ML_VALUE_MAP);
}

size_t ml_value_count(const struct ml_value *v)
{
    return value_is_container(v) ? v->len : 0;
}

const struct ml_value *ml_value_at(const struct ml_value *list, size_t index)
{
    const struct ml_value *v = value_is_container(list) ? list->first : NULL;
    for (size_t i = 0; i < index && v != NULL; i++) {
        v = v->next;
    }
    return v;
}

const char *ml_value_key(const struct ml_value *v)
{
    return v == NULL ? "" : v->key;
}

const struct ml_value *ml_value_get(const struct ml_value *map, const char *key)
{
    if (ml_value_kind_of(map) != ML_VALUE_MAP) {
        return NULL;
    }
    const struct ml_value *v = map->first;
    while (v != NULL && strcmp(v->key, key) != 0) {
        v = v->next;
    }
    return v;
}

const struct ml_value *ml_value_next(const struct ml_value *v)
{
    return v == NULL ? NULL : v->next;
}

const char *ml_value_text(const struct ml_value *v, const char *fallback)
{
    return ml_value_kind_of(v) == ML_VALUE_TEXT ? v->as.text : fallback;
}

int64_t ml_value_int(const struct ml_value *v, int64_t fallback)
{
    return ml_value_kind_of(v) == ML_VALUE_INT ? v->as.integer : fallback;
}

uint64_t ml_value_uint(const struct ml_value *v, uint64_t fallback)
{
    bool fits = ml_value_kind_of(v) == ML_VALUE_UINT ||
                (ml_value_kind_of(v) == ML_VALUE_INT && v->as.integer >= 0);
    return fits ? v->as.natural : fallback;
}

double ml_value_float(const struct ml_value *v, double fallback)
{
    if (ml_value_kind_of(v) == ML_VALUE_INT) {
        return (double)v->as.integer;
    }
    return ml_value_kind_of(v) == ML_VALUE_FLOAT ? v->as.real : fallback;
}

bool ml_value_bool(const struct ml_value *v, bool fallback)
{
    return ml_value_kind_of(v) == ML_VALUE_BOOL ? v->as.boolean : fallback;
}

const uint8_t *ml_value_bytes(const struct ml_value *v, size_t *len)
{
    bool is = ml_value_kind_of(v) == ML_VALUE_BYTES || ml_value_kind_of(v) == ML_VALUE_TEXT;
    *len = is ? v->len : 0;
    return is ? (const uint8_t *)v->as.text : NULL;
}
