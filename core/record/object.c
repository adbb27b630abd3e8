/* core/record/object.c -- see object.h.
 *
 * Happy path: unpack, decode each change, resolve same-bundle references, build the graph once,
 * merge lives; each register is then asked for in turn.
 *
 * Invariant: versions[i].change borrows versions[i].plain, which borrows the packed bytes.
 */
#include "core/record/object.h"

#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/codec/mp_read.h"
#include "core/codec/value.h"
#include "core/record/date.h"

enum { PACK_HEAD = 16 + 1 + 1 + 8 + 8 + 4 };

const char *ml_grey_text(uint8_t grey)
{
    switch (grey) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_GREY_MAP(X)
#undef X
    default:
        return "";
    }
}

void ml_object_pack(struct ml_buf *out, const struct ml_obj_version *version)
{
    ml_buf_append(out, version->id.bundle.b, sizeof(version->id.bundle.b));
    ml_buf_u8(out, version->id.index);
    ml_buf_u8(out, version->grey);
    ml_buf_u64be(out, version->n);
    ml_buf_u64be(out, version->hlc);
    ml_buf_u32be(out, (uint32_t)version->plain.len);
    ml_buf_append(out, version->plain.data, version->plain.len);
}

/* The next packed version; false at the end, or when the bytes are cut (then *at isn't the end). */
static bool unpack(struct ml_slice packed, size_t *at, struct ml_obj_version *out)
{
    if (packed.len - *at < PACK_HEAD) {
        return false;
    }
    const uint8_t *p = packed.data + *at;
    uint32_t len = ml_get_u32be(p + 34);
    if (packed.len - *at - PACK_HEAD < len) {
        return false;
    }
    memcpy(out->id.bundle.b, p, sizeof(out->id.bundle.b));
    out->id.index = p[16];
    out->grey = p[17];
    out->n = ml_get_u64be(p + 18);
    out->hlc = ml_get_u64be(p + 26);
    out->plain = ml_slice(p + PACK_HEAD, len);
    *at += PACK_HEAD + len;
    return true;
}

bool ml_object_holds(struct ml_slice packed, const struct ml_version_id *id)
{
    struct ml_obj_version v = {.n = 0};
    size_t at = 0;
    bool holds = false;
    while (!holds && unpack(packed, &at, &v)) {
        holds = ml_version_id_compare(&v.id, id) == 0;
    }
    return holds;
}

bool ml_life_act_of(const struct ml_entity *entity, uint8_t change_type, ml_life_act *act)
{
    switch (change_type) {
    case ML_CHANGE_CREATE:
    case ML_CHANGE_RESTORE:
        *act = ML_ACT_ADD;
        return true;
    case ML_CHANGE_AMEND:
        *act = entity->merge == ML_MERGE_EVENT ? ML_ACT_ADD : ML_ACT_EDIT;
        return true;
    case ML_CHANGE_SET:
    case ML_CHANGE_MOVE:
    case ML_CHANGE_COSIGN: /* who signs what another archives meanwhile is told of it */
        *act = ML_ACT_EDIT;
        return true;
    case ML_CHANGE_ARCHIVE:
        *act = ML_ACT_ARCHIVE;
        return true;
    case ML_CHANGE_VOID:
        *act = ML_ACT_VOID;
        return true;
    default:
        return false;
    }
}

/* ---- loading ---- */

static ml_err count_versions(struct ml_slice packed, uint32_t *count)
{
    struct ml_obj_version v;
    size_t at = 0;
    *count = 0;
    while (unpack(packed, &at, &v)) {
        (*count)++;
    }
    if (at != packed.len) {
        return ML_E_CORRUPT;
    }
    return *count > ML_MERGE_VERSIONS_MAX ? ML_E_LIMIT : ML_OK;
}

static ml_err load_versions(struct ml_object *o, struct ml_slice packed, size_t *seen_total)
{
    size_t at = 0;
    *seen_total = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        struct ml_obj_version *v = &o->versions[i];
        if (!unpack(packed, &at, v) || ml_change_decode(&v->change, v->plain, NULL) != ML_OK ||
            !ml_life_act_of(o->entity, v->change.type, &o->acts[i])) {
            return ML_E_CORRUPT;
        }
        *seen_total += v->change.seen.count;
    }
    return ML_OK;
}

static void resolve_seen(struct ml_object *o)
{
    struct ml_version_id *next = o->seen;
    for (uint32_t i = 0; i < o->count; i++) {
        struct ml_obj_version *v = &o->versions[i];
        struct ml_list_walk walk;
        struct ml_version_ref ref;
        v->seen = next;
        ml_list_walk(&walk, &v->change.seen);
        while (ml_seen_next(&walk, &ref)) {
            *next = ref.id;
            next->bundle = ref.same_bundle ? v->id.bundle : ref.id.bundle;
            next++;
        }
        v->seen_count = (uint32_t)(next - v->seen);
    }
}

static ml_err load_graph(struct ml_object *o)
{
    struct ml_merge_node *nodes = ml_alloc_array(o->env, o->count + 1u, sizeof(*nodes));
    if (nodes == NULL) {
        return ML_E_NOMEM;
    }
    for (uint32_t i = 0; i < o->count; i++) {
        const struct ml_obj_version *v = &o->versions[i];
        nodes[i] = (struct ml_merge_node){
            .seen = v->seen, .seen_count = v->seen_count, .id = v->id, .counts = v->grey == 0};
    }
    ml_err err = ml_merge_graph_new(&o->graph, o->env, nodes, o->count);
    ml_release(o->env, nodes);
    if (err == ML_OK) {
        o->life = ml_merge_life(o->graph, o->acts, o->lives);
    }
    return err;
}

static ml_err versions_alloc(struct ml_object *o)
{
    o->versions = ml_alloc_array(o->env, o->count + 1u, sizeof(*o->versions));
    o->member = ml_alloc_array(o->env, o->count + 1u, sizeof(*o->member));
    o->acts = ml_alloc_array(o->env, o->count + 1u, sizeof(*o->acts));
    o->lives = ml_alloc_array(o->env, o->count + 1u, sizeof(*o->lives));
    if (o->versions == NULL || o->member == NULL || o->acts == NULL || o->lives == NULL) {
        return ML_E_NOMEM;
    }
    return ML_OK;
}

static ml_err merge_all(struct ml_object *o, size_t seen_total)
{
    o->seen = ml_alloc_array(o->env, seen_total + 1, sizeof(*o->seen));
    if (o->seen == NULL) {
        return ML_E_NOMEM;
    }
    resolve_seen(o);
    return load_graph(o);
}

static ml_err load(struct ml_object *o, struct ml_slice packed)
{
    size_t seen_total = 0;
    ml_err err = count_versions(packed, &o->count);
    if (err == ML_OK) {
        err = versions_alloc(o);
    }
    if (err == ML_OK) {
        err = load_versions(o, packed, &seen_total);
    }
    return err == ML_OK ? merge_all(o, seen_total) : err;
}

static ml_err begin(struct ml_object *o, const struct ml_obj_version *version)
{
    o->count = 1;
    ml_err err = versions_alloc(o);
    if (err != ML_OK) {
        return err;
    }
    o->versions[0] = *version;
    bool known = ml_life_act_of(o->entity, version->change.type, &o->acts[0]);
    return known ? merge_all(o, version->change.seen.count) : ML_E_CORRUPT;
}

static struct ml_object *object_new(const struct ml_env *env, const struct ml_schema *schema,
                                    const struct ml_entity *entity)
{
    struct ml_object *o = ml_alloc(env, sizeof(*o));
    if (o != NULL) {
        o->env = env;
        o->schema = schema;
        o->entity = entity;
    }
    return o;
}

ml_err ml_object_begin(struct ml_object **out, const struct ml_env *env,
                       const struct ml_schema *schema, const struct ml_entity *entity,
                       const struct ml_obj_version *version)
{
    struct ml_object *o = object_new(env, schema, entity);
    if (o == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = begin(o, version);
    if (err != ML_OK) {
        ml_object_free(o);
        return err;
    }
    *out = o;
    return ML_OK;
}

ml_err ml_object_load(struct ml_object **out, const struct ml_env *env,
                      const struct ml_schema *schema, const struct ml_entity *entity,
                      struct ml_slice packed)
{
    struct ml_object *o = object_new(env, schema, entity);
    if (o == NULL) {
        return ML_E_NOMEM;
    }
    ml_err err = load(o, packed);
    if (err != ML_OK) {
        ml_object_free(o);
        return err;
    }
    *out = o;
    return ML_OK;
}

void ml_object_free(struct ml_object *o)
{
    if (o != NULL) {
        ml_merge_graph_free(o->graph);
        ml_release(o->env, o->versions);
        ml_release(o->env, o->member);
        ml_release(o->env, o->acts);
        ml_release(o->env, o->lives);
        ml_release(o->env, o->seen);
        ml_release(o->env, o);
    }
}

/* ---- registers ---- */

static bool holds_map(const struct ml_change *change)
{
    return (change->type == ML_CHANGE_CREATE || change->type == ML_CHANGE_AMEND) &&
           change->value.len > 0;
}

/* The map in which a version says the fields of its slots; false: it says one value, or none. */
static bool version_map(const struct ml_object *o, uint32_t i, struct ml_slice *map)
{
    const struct ml_change *change = &o->versions[i].change;
    *map = change->value;
    if (holds_map(change)) {
        return true;
    }
    const struct ml_field *field = ml_entity_field(o->entity, change->slot);
    return (change->type == ML_CHANGE_SET || change->type == ML_CHANGE_MOVE) && field != NULL &&
           field->merge == ML_MERGE_ATOMIC && ml_value_is_map(change->value);
}

bool ml_object_value(const struct ml_object *o, uint32_t i, const struct ml_field *field,
                     struct ml_slice *value)
{
    const struct ml_change *change = &o->versions[i].change;
    struct ml_slice map;
    if (version_map(o, i, &map)) {
        return ml_fields_find(map, field->id, value);
    }
    if ((change->type == ML_CHANGE_SET || change->type == ML_CHANGE_MOVE) &&
        change->slot == field->id && change->value.len > 0) {
        *value = change->value;
        return true;
    }
    return false;
}

/* Does a version write this register? A set of it does even when it empties it. */
static bool writes_slot(const struct ml_object *o, uint32_t i, uint16_t slot)
{
    const struct ml_change *change = &o->versions[i].change;
    if (slot == 0) {
        return o->entity->merge == ML_MERGE_EVENT && holds_map(change);
    }
    if (change->type == ML_CHANGE_SET || change->type == ML_CHANGE_MOVE) {
        const struct ml_field *field = ml_entity_field(o->entity, change->slot);
        return field != NULL && ml_field_slot(field) == slot;
    }
    struct ml_slice value;
    bool writes = false;
    const struct ml_field *first = ml_entity_field(o->entity, slot);
    if (first != NULL && first->merge != ML_MERGE_ATOMIC) {
        return ml_object_value(o, i, first, &value);
    }
    for (size_t f = 0; f < o->entity->field_count && !writes; f++) {
        const struct ml_field *field = &o->entity->fields[f];
        writes = ml_field_slot(field) == slot && ml_object_value(o, i, field, &value);
    }
    return writes;
}

static bool has_files(const struct ml_entity *entity)
{
    bool has = false;
    for (size_t f = 0; f < entity->field_count && !has; f++) {
        has = entity->fields[f].type == ML_TYPE_ATTACHMENT;
    }
    return has;
}

/* Blanks the manifests that the files of one field name, in a copy of the event's value. */
static void manifests_blank(const struct ml_field *field, struct ml_slice files,
                            struct ml_slice copy)
{
    struct ml_values_walk walk;
    struct ml_slice item;
    struct ml_attachment a;
    if (!field->list || ml_values_walk(&walk, files) != ML_OK) {
        return;
    }
    while (ml_values_next(&walk, &item)) {
        const bool large =
            ml_attachment_decode(&a, item) == ML_OK && !ml_is_zero(&a.manifest, sizeof(a.manifest));
        void *at = large ? memmem(copy.data, copy.len, &a.manifest, sizeof(a.manifest)) : NULL;
        if (at != NULL) {
            memset(at, 0, sizeof(a.manifest));
        }
    }
}

/* Where its contents stand is no part of what an event says: two nodes that import one file write
 * the same contents, by hash, under manifests of their own (rules A9), and nothing is to settle. */
static struct ml_slice event_value(const struct ml_object *o, uint32_t i, struct ml_buf *groups)
{
    struct ml_slice value = o->versions[i].change.value;
    size_t start = groups->len;
    if (value.len == 0 || !has_files(o->entity)) {
        return value;
    }
    ml_buf_append(groups, value.data, value.len);
    for (size_t f = 0; f < o->entity->field_count && groups->err == ML_OK; f++) {
        const struct ml_field *field = &o->entity->fields[f];
        struct ml_slice files;
        if (field->type == ML_TYPE_ATTACHMENT && ml_object_value(o, i, field, &files)) {
            manifests_blank(field, files, ml_slice(groups->data + start, value.len));
        }
    }
    return (struct ml_slice){NULL, value.len}; /* placed when the buffer is still */
}

/* The register's value in version `i`; of a group: each field's id and value, one after another. */
static struct ml_slice slot_value(const struct ml_object *o, uint32_t i, uint16_t slot,
                                  struct ml_buf *groups)
{
    struct ml_slice value = {NULL, 0};
    const struct ml_field *first = ml_entity_field(o->entity, slot);
    if (slot == 0) {
        return event_value(o, i, groups);
    }
    if (first == NULL || first->merge != ML_MERGE_ATOMIC) {
        bool says = first != NULL && ml_object_value(o, i, first, &value);
        return says ? value : ml_slice(NULL, 0);
    }
    size_t start = groups->len;
    for (size_t f = 0; f < o->entity->field_count; f++) {
        const struct ml_field *field = &o->entity->fields[f];
        if (ml_field_slot(field) == slot && ml_object_value(o, i, field, &value)) {
            ml_buf_u16be(groups, field->id);
            ml_buf_u32be(groups, (uint32_t)value.len);
            ml_buf_append(groups, value.data, value.len);
        }
    }
    return (struct ml_slice){NULL, groups->len - start}; /* placed when the buffer is still */
}

static bool refutes(const struct ml_value_set *set, struct ml_slice value)
{
    struct ml_mp mp;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (set == NULL || ml_mp_peek(&mp) != ML_MP_ARRAY || ml_mp_array(&mp, 3, 3) != 3) {
        return false;
    }
    ml_mp_value(&mp);
    struct ml_slice code = ml_mp_str(&mp, 0, ML_CHANGE_VALUE_MAX);
    bool found = false;
    for (size_t i = 0; i < set->item_count && ml_mp_ok(&mp); i++) {
        found = found ||
                (set->items[i].refutes && ml_slice_equal(ml_slice_str(set->items[i].code), code));
    }
    return found;
}

/* A state's weight is its place in the value set: what is listed later overrules. */
static uint8_t state_weight(const struct ml_value_set *set, struct ml_slice value)
{
    struct ml_mp mp;
    uint8_t weight = 0;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (set == NULL || ml_mp_peek(&mp) != ML_MP_ARRAY || ml_mp_array(&mp, 3, 3) != 3) {
        return 0;
    }
    ml_mp_value(&mp);
    struct ml_slice code = ml_mp_str(&mp, 0, ML_CHANGE_VALUE_MAX);
    for (size_t i = 0; i < set->item_count && i < UINT8_MAX && ml_mp_ok(&mp); i++) {
        weight = ml_slice_equal(ml_slice_str(set->items[i].code), code) ? (uint8_t)(i + 1) : weight;
    }
    return weight;
}

static ml_merge_kind kind_of(const struct ml_field *first)
{
    if (first == NULL) {
        return ML_KIND_SAME;
    }
    if (first->merge == ML_MERGE_ASSERT) {
        return ML_KIND_ASSERT;
    }
    if (first->merge == ML_MERGE_DENY) {
        return ML_KIND_DENY;
    }
    return first->merge == ML_MERGE_STATE ? ML_KIND_STATE : ML_KIND_SAME;
}

static void take_side(struct ml_merge_head *head, ml_merge_kind kind,
                      const struct ml_schema *schema, const struct ml_field *first)
{
    const struct ml_value_set *set = first == NULL || first->value_set == NULL
                                         ? NULL
                                         : ml_schema_value_set(schema, first->value_set);
    bool no = kind != ML_KIND_SAME && refutes(set, head->value);
    if (kind == ML_KIND_ASSERT) {
        head->stance = no ? ML_STANCE_REFUTE : ML_STANCE_ASSERT;
    } else if (kind == ML_KIND_DENY) {
        head->stance = no ? ML_STANCE_DENY : ML_STANCE_PLAIN;
    } else if (kind == ML_KIND_STATE) {
        head->weight = state_weight(set, head->value);
    }
}

static ml_severity slot_severity(const struct ml_entity *entity, uint16_t slot)
{
    ml_severity worst = slot == 0 ? entity->severity : ML_SEVERITY_NONE;
    for (size_t f = 0; f < entity->field_count; f++) {
        const struct ml_field *field = &entity->fields[f];
        if (slot != 0 && ml_field_slot(field) == slot && field->severity > worst) {
            worst = field->severity;
        }
    }
    return worst;
}

static void place_groups(struct ml_register *r)
{
    size_t at = 0;
    for (uint32_t h = 0; h < r->head_count; h++) {
        if (r->heads[h].value.data == NULL && r->heads[h].value.len > 0) {
            r->heads[h].value.data = r->groups.data + at;
            at += r->heads[h].value.len;
        }
    }
}

ml_err ml_object_register(struct ml_object *o, uint16_t slot, struct ml_register *out)
{
    struct ml_register r = {.slot = slot, .severity = slot_severity(o->entity, slot)};
    const struct ml_field *first = slot == 0 ? NULL : ml_entity_field(o->entity, slot);
    ml_buf_init(&r.groups, o->env, ML_OBJECT_BYTES_MAX);
    r.ranks = ml_alloc_array(o->env, o->count + 1u, sizeof(*r.ranks));
    r.heads = ml_alloc_array(o->env, o->count + 1u, sizeof(*r.heads));
    r.head_versions = ml_alloc_array(o->env, o->count + 1u, sizeof(*r.head_versions));
    if (r.ranks == NULL || r.heads == NULL || r.head_versions == NULL) {
        ml_register_free(o, &r);
        return ML_E_NOMEM;
    }
    for (uint32_t i = 0; i < o->count; i++) {
        o->member[i] = writes_slot(o, i, slot);
    }
    ml_merge_heads(o->graph, o->member, r.ranks);
    for (uint32_t i = 0; i < o->count; i++) {
        if (r.ranks[i] == ML_RANK_HEAD) {
            r.heads[r.head_count].id = o->versions[i].id;
            r.heads[r.head_count].value = slot_value(o, i, slot, &r.groups);
            r.head_versions[r.head_count++] = i;
        }
    }
    if (r.groups.err != ML_OK) {
        ml_err err = r.groups.err;
        ml_register_free(o, &r);
        return err;
    }
    place_groups(&r);
    ml_merge_kind kind = kind_of(first);
    for (uint32_t h = 0; h < r.head_count; h++) {
        take_side(&r.heads[h], kind, o->schema, first);
    }
    r.outcome = ml_merge_decide(kind, r.heads, r.head_count);
    *out = r;
    return ML_OK;
}

void ml_register_free(const struct ml_object *o, struct ml_register *r)
{
    ml_release(o->env, r->ranks);
    ml_release(o->env, r->heads);
    ml_release(o->env, r->head_versions);
    ml_buf_free(&r->groups);
}

ml_err ml_entity_slots(const struct ml_entity *entity, ml_slot_cb *each, void *user)
{
    if (entity->merge == ML_MERGE_EVENT) {
        return each(user, 0, NULL);
    }
    ml_err err = ML_OK;
    for (size_t f = 0; f < entity->field_count && err == ML_OK; f++) {
        const struct ml_field *field = &entity->fields[f];
        if (ml_field_slot(field) == field->id) {
            err = each(user, field->id, field);
        }
    }
    return err;
}

bool ml_object_contested(const struct ml_object *o, uint16_t slot)
{
    uint32_t writers = 0;
    for (uint32_t i = 0; i < o->count && writers < 2; i++) {
        writers += writes_slot(o, i, slot);
    }
    return writers > 1;
}

/* Of an object that nobody changed there is nothing to merge: most are such. What a field says is
 * shown if its version counts; of what is fixed, if it is an event's own value. */
static void shown_alone(const struct ml_object *o, const struct ml_field *field,
                        struct ml_shown *out)
{
    bool writes = ml_field_slot(field) != 0 || writes_slot(o, 0, 0);
    out->found = o->versions[0].grey == 0 && writes && ml_object_value(o, 0, field, &out->value);
}

ml_err ml_object_shown(struct ml_object *o, const struct ml_field *field, struct ml_shown *out)
{
    struct ml_register r;
    *out = (struct ml_shown){.found = false};
    if (o->count == 1) {
        shown_alone(o, field, out);
        return ML_OK;
    }
    ml_err err = ml_object_register(o, ml_field_slot(field), &r);
    if (err != ML_OK) {
        return err;
    }
    uint32_t best = r.outcome.shown;
    for (uint32_t h = 0; h < r.head_count && r.outcome.shown == ML_MERGE_NONE; h++) {
        if (best == ML_MERGE_NONE || ml_version_id_compare(&r.heads[h].id, &r.heads[best].id) < 0) {
            best = h;
        }
    }
    if (best != ML_MERGE_NONE) {
        out->version = r.head_versions[best];
        out->conflict = r.outcome.conflict;
        out->found = ml_object_value(o, out->version, field, &out->value);
    }
    ml_register_free(o, &r);
    return ML_OK;
}

static bool date_instant(struct ml_slice value, struct ml_instant *out)
{
    struct ml_mp mp;
    struct ml_date date;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (!ml_date_parse(ml_mp_str(&mp, 0, 32), &date) || !ml_mp_ok(&mp)) {
        return false;
    }
    *out = (struct ml_instant){.utc_ms = ml_date_ms(&date), .precision = date.precision};
    return true;
}

/* An instant, a period's start or end, or a date. */
static bool value_instant(struct ml_slice value, struct ml_instant *out)
{
    struct ml_mp mp;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (ml_mp_peek(&mp) == ML_MP_STR) {
        return date_instant(value, out);
    }
    if (ml_wire_decode(&ml_format_instant, out, value, NULL) == ML_OK) {
        return true;
    }
    if (ml_mp_array(&mp, 2, 2) != 2) {
        return false;
    }
    struct ml_slice start = ml_mp_value(&mp);
    struct ml_slice end = ml_mp_value(&mp);
    return ml_mp_ok(&mp) && (ml_wire_decode(&ml_format_instant, out, start, NULL) == ML_OK ||
                             ml_wire_decode(&ml_format_instant, out, end, NULL) == ML_OK);
}

/* The latest counting version that carries a time of care; of equals the smallest id. */
static bool change_effective(const struct ml_object *o, struct ml_instant *out)
{
    const struct ml_obj_version *best = NULL;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct ml_obj_version *v = &o->versions[i];
        bool carries = v->change.effective.precision != 0 && (v->grey == 0 || o->count == 1);
        if (carries && (best == NULL || v->hlc > best->hlc ||
                        (v->hlc == best->hlc && ml_version_id_compare(&v->id, &best->id) < 0))) {
            best = v;
        }
    }
    if (best != NULL) {
        *out = best->change.effective;
    }
    return best != NULL;
}

ml_err ml_object_effective(struct ml_object *o, struct ml_instant *out)
{
    const struct ml_field *field =
        o->entity->effective_field == NULL
            ? NULL
            : ml_entity_field_named(o->entity, o->entity->effective_field);
    struct ml_shown shown = {.found = false};
    ml_err err = field == NULL ? ML_OK : ml_object_shown(o, field, &shown);
    if (err != ML_OK) {
        return err;
    }
    if ((shown.found && value_instant(shown.value, out)) || change_effective(o, out)) {
        return ML_OK;
    }
    uint64_t first = UINT64_MAX;
    for (uint32_t i = 0; i < o->count; i++) {
        first = o->versions[i].hlc < first ? o->versions[i].hlc : first;
    }
    *out = (struct ml_instant){.utc_ms = (int64_t)ml_hlc_ms(first),
                               .precision = ML_PRECISION_MILLISECOND};
    return ML_OK;
}
