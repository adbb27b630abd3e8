/* core/interop/fhir_walk.c -- the mapping's paths over the document.
 *
 *   path  = alternative *( " | " alternative )       the first that finds something is taken
 *   alternative = step *( "." step | "->" step )
 *   step  = name [ "[x]" ] [ "[]" | "[" index "]" | "[" index ":]" | "[" filter "]" ]
 *   filter = name *( "." name ) "=" value *( "|" value )
 *
 * "[x]" is FHIR's choice (value[x]: valueQuantity, valueString, ...). "[]" takes all the elements
 * of an array, "[0]" the first, "[1:]" all from the second, a filter those that hold the value
 * at its path (of an array inside that path, the first element counts). "->" follows a reference
 * inside the file, then steps. Names hold no ' ', '.', '-', '[' nor '|'; a filter's value no ']'.
 *
 * Paths come from the schema, documents from outside: a malformed path is a fault of ours and stops
 * the program; a document that doesn't fit just isn't found. Breadth first, no recursion: two sets
 * of nodes, from one step to the next.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/interop/fhir_internal.h"

/* ---- marks ---- */

bool ml_fhir_is_kept(const struct fhir *f, uint32_t node)
{
    return ((unsigned)f->kept[node / 8] >> (node % 8) & 1u) != 0;
}

void ml_fhir_keep(struct fhir *f, uint32_t node)
{
    if (!ml_fhir_is_kept(f, node)) {
        f->kept[node / 8] |= (uint8_t)(1u << (node % 8));
        ml_buf_append(&f->marks, &node, sizeof(node));
        ml_fhir_buf_ok(f, &f->marks, node);
    }
}

void ml_fhir_marks_cut(struct fhir *f, size_t len)
{
    for (size_t i = len; i + sizeof(uint32_t) <= f->marks.len; i += sizeof(uint32_t)) {
        uint32_t node = 0;
        memcpy(&node, f->marks.data + i, sizeof(node));
        f->kept[node / 8] &= (uint8_t) ~(1u << (node % 8));
    }
    f->marks.len = len < f->marks.len ? len : f->marks.len;
}

void ml_fhir_marks_undo(struct fhir *f)
{
    ml_fhir_marks_cut(f, 0);
}

void ml_fhir_marks_commit(struct fhir *f)
{
    ml_buf_clear(&f->marks);
}

/* ---- steps ---- */

typedef enum step_take {
    TAKE_ONE, /* no array expected */
    TAKE_FROM,
    TAKE_INDEX,
    TAKE_FILTER,
} step_take;

struct step {
    struct ml_slice name;
    struct ml_slice filter_path;
    struct ml_slice filter_values;
    step_take take;
    uint32_t index;
    bool choice; /* name[x] */
    bool follow; /* "->" before it */
};

static struct ml_slice slice_until(const char *from, const char *to)
{
    return (struct ml_slice){(const uint8_t *)from, (size_t)(to - from)};
}

/* `p` is behind the '['. Returns what is behind the ']'. */
static const char *parse_brackets(const char *p, struct step *step)
{
    const char *end = strchr(p, ']');
    ML_ASSERT(end != NULL);
    if (*p == 'x' && end == p + 1) {
        step->choice = true;
        return end + 1;
    }
    if (end == p) {
        step->take = TAKE_FROM;
        return end + 1;
    }
    if (*p >= '0' && *p <= '9') {
        step->take = end[-1] == ':' ? TAKE_FROM : TAKE_INDEX;
        for (; *p >= '0' && *p <= '9'; p++) {
            step->index = step->index * 10 + (uint32_t)(*p - '0');
        }
        return end + 1;
    }
    const char *equal = memchr(p, '=', (size_t)(end - p));
    ML_ASSERT(equal != NULL);
    step->take = TAKE_FILTER;
    step->filter_path = slice_until(p, equal);
    step->filter_values = slice_until(equal + 1, end);
    return end + 1;
}

/* Reads one step; returns where the next one begins, or the end of the alternative. */
static const char *parse_step(const char *p, struct step *step)
{
    *step = (struct step){.take = TAKE_ONE};
    if (p[0] == '-' && p[1] == '>') {
        step->follow = true;
        p += 2;
    } else if (*p == '.') {
        p++;
    }
    size_t len = strcspn(p, ".[ |-");
    ML_ASSERT(len > 0);
    step->name = ml_slice(p, len);
    p += len;
    while (*p == '[') {
        p = parse_brackets(p + 1, step);
    }
    return p;
}

/* Is `text` one of "a|b|c"? */
static bool one_of(struct ml_slice list, const char *text, size_t len)
{
    const char *p = (const char *)list.data;
    const char *end = p + list.len;
    while (p <= end) {
        const char *bar = memchr(p, '|', (size_t)(end - p));
        const char *stop = bar != NULL ? bar : end;
        if ((size_t)(stop - p) == len && memcmp(p, text, len) == 0) {
            return true;
        }
        p = stop + 1;
    }
    return false;
}

static bool key_is(const struct ml_json_node *node, struct ml_slice name)
{
    return node->key_len == name.len && memcmp(node->key, name.data, name.len) == 0;
}

/* The leaf at `path` under `node` when it holds one of the values, or NO_NODE. */
static uint32_t find_leaf(const struct fhir *f, uint32_t node, struct ml_slice path,
                          struct ml_slice values)
{
    uint32_t at = node;
    const char *p = (const char *)path.data;
    const char *end = p + path.len;
    while (p < end) {
        const char *dot = memchr(p, '.', (size_t)(end - p));
        const char *stop = dot != NULL ? dot : end;
        at = ml_json_get(f->doc, at, slice_until(p, stop));
        if (at == ML_JSON_NO_NODE) {
            return ML_JSON_NO_NODE;
        }
        if (ml_json_node(f->doc, at)->type == ML_JSON_ARRAY &&
            ml_json_child(f->doc, at) != ML_JSON_NO_NODE) {
            at = ml_json_child(f->doc, at);
        }
        p = dot != NULL ? dot + 1 : end;
    }
    const struct ml_json_node *leaf = ml_json_node(f->doc, at);
    bool holds = leaf->type == ML_JSON_STRING && one_of(values, leaf->text, leaf->text_len);
    return holds ? at : ML_JSON_NO_NODE;
}

static void set_add(struct fhir *f, struct ml_buf *set, uint32_t node)
{
    ml_buf_append(set, &node, sizeof(node));
    ml_fhir_buf_ok(f, set, node);
}

static void take_element(struct fhir *f, const struct step *step, uint32_t node, struct ml_buf *out)
{
    if (step->take != TAKE_FILTER) {
        set_add(f, out, node);
        return;
    }
    uint32_t leaf = find_leaf(f, node, step->filter_path, step->filter_values);
    if (leaf != ML_JSON_NO_NODE) {
        ml_fhir_keep(f, leaf);
        set_add(f, out, node);
    }
}

static bool index_fits(const struct step *step, uint32_t index)
{
    switch (step->take) {
    case TAKE_INDEX:
        return index == step->index;
    case TAKE_FROM:
        return index >= step->index;
    case TAKE_FILTER:
    case TAKE_ONE:
        break;
    }
    return true;
}

static void take_child(struct fhir *f, const struct step *step, uint32_t child, struct ml_buf *out)
{
    const struct ml_json_node *node = ml_json_node(f->doc, child);
    if (step->take == TAKE_ONE || node->type != ML_JSON_ARRAY) {
        /* A single element where a list is allowed is read as a list of one. */
        if (index_fits(step, 0)) {
            take_element(f, step, child, out);
        }
        return;
    }
    uint32_t element = ml_json_child(f->doc, child);
    for (; element != ML_JSON_NO_NODE; element = ml_json_node(f->doc, element)->next) {
        if (index_fits(step, ml_json_node(f->doc, element)->index)) {
            take_element(f, step, element, out);
        }
    }
}

static bool is_choice_of(const struct ml_json_node *node, struct ml_slice name)
{
    return node->key_len > name.len && memcmp(node->key, name.data, name.len) == 0 &&
           node->key[name.len] >= 'A' && node->key[name.len] <= 'Z';
}

static void step_from(struct fhir *f, const struct step *step, uint32_t node, struct ml_buf *out)
{
    if (ml_json_node(f->doc, node)->type != ML_JSON_OBJECT) {
        return;
    }
    uint32_t child = ml_json_child(f->doc, node);
    for (; child != ML_JSON_NO_NODE; child = ml_json_node(f->doc, child)->next) {
        const struct ml_json_node *n = ml_json_node(f->doc, child);
        if (step->choice ? is_choice_of(n, step->name) : key_is(n, step->name)) {
            take_child(f, step, child, out);
        }
    }
}

static uint32_t set_at(const struct ml_buf *set, size_t i)
{
    uint32_t node = 0;
    memcpy(&node, set->data + i * sizeof(node), sizeof(node));
    return node;
}

/* One step from every node of the first set; the answer becomes the first set. */
static void walk_step(struct fhir *f, const struct fhir_entry *from, const struct step *step)
{
    ml_buf_clear(&f->set[1]);
    for (size_t i = 0; i < f->set[0].len / sizeof(uint32_t) && f->err == ML_OK; i++) {
        uint32_t at = set_at(&f->set[0], i);
        at = step->follow ? ml_fhir_deref(f, from, at) : at;
        if (at != ML_JSON_NO_NODE) {
            step_from(f, step, at, &f->set[1]);
        }
    }
    struct ml_buf swap = f->set[0];
    f->set[0] = f->set[1];
    f->set[1] = swap;
}

/* Walks one alternative; the answer lies in f->set[0]. Returns where it ends in the text. */
static const char *walk_alternative(struct fhir *f, const struct fhir_entry *from, uint32_t node,
                                    const char *p)
{
    ml_buf_clear(&f->set[0]);
    set_add(f, &f->set[0], node);
    while (*p != '\0' && *p != ' ') {
        struct step step;
        p = parse_step(p, &step);
        walk_step(f, from, &step);
    }
    return p;
}

bool ml_fhir_walk(struct fhir *f, const struct fhir_entry *from, const char *path,
                  const uint32_t **out, size_t *count)
{
    const char *p = path;
    *count = 0;
    while (f->err == ML_OK) {
        p = walk_alternative(f, from, from->node, p);
        *count = f->set[0].len / sizeof(uint32_t);
        if (*count > 0 || *p == '\0') {
            break;
        }
        ml_fhir_marks_undo(f);
        p += strspn(p, " |");
    }
    *out = (const uint32_t *)(const void *)f->set[0].data; /* from realloc: aligned for any type */
    return f->err == ML_OK;
}

bool ml_fhir_when(struct fhir *f, uint32_t node, const char *when)
{
    const char *equal = strrchr(when, '=');
    char path[256];
    bool holds = false;
    ML_ASSERT(equal != NULL && (size_t)(equal - when) < sizeof(path));
    memcpy(path, when, (size_t)(equal - when));
    path[equal - when] = '\0';
    struct fhir_entry from = {.node = node};
    const uint32_t *found = NULL;
    size_t count = 0;
    ml_fhir_walk(f, &from, path, &found, &count);
    for (size_t i = 0; i < count && f->err == ML_OK; i++) {
        const struct ml_json_node *n = ml_json_node(f->doc, found[i]);
        holds = holds || (n->type == ML_JSON_STRING &&
                          one_of(ml_slice_str(equal + 1), n->text, n->text_len));
    }
    ml_fhir_marks_undo(f);
    return holds;
}
