/* core/interop/fhir_refs.c -- who is who: identities of resources, and references to them.
 *
 * A resource is known by its source identity, hashed to a key:
 *
 *   a UUID (its id, else its fullUrl)     "urn:uuid:" lower case     unique in the world
 *   an absolute fullUrl                   the URL                    unique in the world
 *   else                                  space | Type/id            unique in its space
 *
 * The space is the name of the source system when the caller knows it, else the hash of the file's
 * text: "Patient/1" of two hospitals must never become one patient. The object id is the date and
 * BLAKE2b-10 of the key, keyed by the org (rules A9).
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/hash.h"
#include "core/interop/fhir_internal.h"

#define UUID_LEN 36u
#define URN_UUID "urn:uuid:"

static bool has_prefix(struct ml_slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static struct ml_slice behind(struct ml_slice text, size_t n)
{
    return (struct ml_slice){text.data + n, text.len - n};
}

static bool is_uuid(struct ml_slice text)
{
    if (text.len != UUID_LEN) {
        return false;
    }
    for (size_t i = 0; i < UUID_LEN; i++) {
        uint8_t c = text.data[i];
        uint8_t lower = c | 0x20u;
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

static void key_of(uint8_t *key, const char *kind, struct ml_slice a, struct ml_slice b)
{
    struct ml_slice parts[] = {ml_slice_str("maille/import/1"), ml_slice(kind, strlen(kind) + 1), a,
                               ml_slice("", 1), b};
    ml_hash_parts(key, ML_FHIR_KEY_BYTES, (struct ml_slice){NULL, 0}, parts,
                  sizeof(parts) / sizeof(parts[0]));
}

static void key_of_uuid(uint8_t *key, struct ml_slice uuid)
{
    uint8_t lower[UUID_LEN];
    for (size_t i = 0; i < UUID_LEN; i++) {
        uint8_t c = uuid.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20u) : c;
    }
    key_of(key, "uuid", ml_slice(lower, UUID_LEN), ml_slice_str(""));
}

/* Cuts "/_history/3" off a URL or a relative reference. */
static struct ml_slice without_version(struct ml_slice url)
{
    static const char mark[] = "/_history/";
    const uint8_t *found = url.len == 0 ? NULL : memmem(url.data, url.len, mark, sizeof(mark) - 1);
    return found == NULL ? url : (struct ml_slice){url.data, (size_t)(found - url.data)};
}

/* "http://host/fhir/Patient/1" -> "http://host/fhir/" and "Patient/1"; false when it has no two
 * last parts. */
static bool split_url(struct ml_slice url, struct ml_slice *base, struct ml_slice *relative)
{
    size_t slashes = 0;
    for (size_t i = url.len; i > 0; i--) {
        slashes += url.data[i - 1] == '/';
        if (slashes == 2) {
            *base = (struct ml_slice){url.data, i};
            *relative = behind(url, i);
            return true;
        }
    }
    return false;
}

static bool is_absolute(struct ml_slice url)
{
    return has_prefix(url, "http://") || has_prefix(url, "https://");
}

/* The part behind the last '/'. */
static struct ml_slice last_part(struct ml_slice url)
{
    size_t i = url.len;
    while (i > 0 && url.data[i - 1] != '/') {
        i--;
    }
    return behind(url, i);
}

void ml_fhir_identify(struct fhir *f, struct fhir_entry *entry, struct ml_slice full_url)
{
    struct ml_slice id = ml_json_str(f->doc, entry->node, "id");
    struct ml_slice type = ml_json_str(f->doc, entry->node, "resourceType");
    struct ml_slice relative;
    if (is_absolute(full_url)) {
        split_url(without_version(full_url), &entry->base, &relative);
    }
    if (is_uuid(id)) {
        key_of_uuid(entry->key, id);
    } else if (has_prefix(full_url, URN_UUID) && is_uuid(behind(full_url, strlen(URN_UUID)))) {
        key_of_uuid(entry->key, behind(full_url, strlen(URN_UUID)));
    } else if (is_absolute(full_url)) {
        key_of(entry->key, "url", without_version(full_url), ml_slice_str(""));
    } else if (id.len > 0) {
        uint8_t local[ML_FHIR_KEY_BYTES];
        key_of(local, "local", type, id);
        key_of(entry->key, "space", ml_slice(f->space, sizeof(f->space)),
               ml_slice(local, sizeof(local)));
    } else { /* nothing names it: its own bytes do */
        const struct ml_json_node *n = ml_json_node(f->doc, entry->node);
        uint32_t after = n->after < ml_json_count(f->doc) ? ml_json_node(f->doc, n->after)->at
                                                          : (uint32_t)f->text.len;
        key_of(entry->key, "bytes", ml_slice(f->text.data + n->at, after - n->at), full_url);
    }
}

struct ml_object_id ml_fhir_object_id(const struct fhir *f, const uint8_t *key, int64_t utc_ms)
{
    uint8_t tail[ML_OBJECT_ID_TAIL];
    struct ml_slice part = ml_slice(key, ML_FHIR_KEY_BYTES);
    ml_hash_parts(tail, sizeof(tail), ml_slice(f->args->id_key, ML_IMPORT_KEY_BYTES), &part, 1);
    return ml_object_id_at(utc_ms, tail);
}

/* ---- the index ---- */

static int key_order(const void *a, const void *b, void *entries)
{
    const struct fhir_entry *e = entries;
    const uint32_t *x = a;
    const uint32_t *y = b;
    return memcmp(e[*x].key, e[*y].key, ML_FHIR_KEY_BYTES);
}

bool ml_fhir_index(struct fhir *f)
{
    qsort_r(f->by_key, f->entry_count, sizeof(uint32_t), key_order, f->entries);
    for (uint32_t i = 1; i < f->entry_count; i++) {
        const struct fhir_entry *a = &f->entries[f->by_key[i - 1]];
        const struct fhir_entry *b = &f->entries[f->by_key[i]];
        if (memcmp(a->key, b->key, ML_FHIR_KEY_BYTES) == 0) {
            return ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_TWO_RESOURCES,
                                a->node > b->node ? a->node : b->node);
        }
    }
    return true;
}

static struct fhir_entry *find_entry(struct fhir *f, const uint8_t *key)
{
    uint32_t low = 0;
    uint32_t high = f->entry_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = memcmp(f->entries[f->by_key[mid]].key, key, ML_FHIR_KEY_BYTES);
        if (order == 0) {
            return &f->entries[f->by_key[mid]];
        }
        low = order < 0 ? mid + 1 : low;
        high = order < 0 ? high : mid;
    }
    return NULL;
}

/* ---- references ---- */

/* What a reference's text names. */
typedef enum ref_reach {
    REF_NOTHING,
    REF_FILE,  /* of this file, or of nobody: its space is the file's own */
    REF_WORLD, /* the same thing in every file */
} ref_reach;

/* The key that a reference text means, seen from `from`. */
static ref_reach key_of_reference(const struct fhir *f, const struct fhir_entry *from,
                                  struct ml_slice text, uint8_t *key)
{
    struct ml_slice url = without_version(text);
    struct ml_slice base = from->base;
    struct ml_slice relative = url;
    if (has_prefix(url, URN_UUID)) {
        struct ml_slice uuid = behind(url, strlen(URN_UUID));
        if (is_uuid(uuid)) {
            key_of_uuid(key, uuid);
        }
        return is_uuid(uuid) ? REF_WORLD : REF_NOTHING;
    }
    if (is_uuid(last_part(url))) {
        key_of_uuid(key, last_part(url));
        return REF_WORLD;
    }
    if (is_absolute(url)) {
        key_of(key, "url", url, ml_slice_str(""));
        return REF_WORLD;
    }
    const uint8_t *slash = url.len == 0 ? NULL : memchr(url.data, '/', url.len);
    if (slash == NULL) {
        return REF_NOTHING;
    }
    if (base.len > 0) { /* a relative reference of an entry with an absolute fullUrl */
        struct ml_slice parts[] = {ml_slice_str("maille/import/1"), ml_slice("url", 4), base,
                                   relative, ml_slice("", 1)};
        ml_hash_parts(key, ML_FHIR_KEY_BYTES, (struct ml_slice){NULL, 0}, parts, 5);
        return REF_WORLD;
    }
    uint8_t local[ML_FHIR_KEY_BYTES];
    size_t type_len = (size_t)(slash - url.data);
    key_of(local, "local", ml_slice(url.data, type_len), behind(url, type_len + 1));
    key_of(key, "space", ml_slice(f->space, sizeof(f->space)), ml_slice(local, sizeof(local)));
    return f->args->source != NULL ? REF_WORLD : REF_FILE;
}

/* May an object of these entities be named without having been seen? Only when its id holds no
 * date: patients, professionals, organisations. */
static bool all_undated(const struct fhir *f, const char *entities)
{
    const char *p = entities;
    while (p != NULL && *p != '\0') {
        size_t len = strcspn(p, "|");
        char name[64];
        if (len >= sizeof(name)) {
            return false;
        }
        memcpy(name, p, len);
        name[len] = '\0';
        const struct ml_entity *entity = ml_schema_entity_named(f->args->schema, name);
        if (entity == NULL || entity->effective_field != NULL) {
            return false;
        }
        p += len + (p[len] == '|');
    }
    return entities != NULL;
}

static bool entity_allowed(const struct ml_entity *entity, const char *entities)
{
    size_t len = strlen(entity->name);
    const char *p = entities;
    while (p != NULL && *p != '\0') {
        size_t part = strcspn(p, "|");
        if (part == len && memcmp(p, entity->name, len) == 0) {
            return true;
        }
        p += part + (p[part] == '|');
    }
    return entities == NULL;
}

static bool resolve_key(struct fhir *f, const uint8_t *key, ref_reach reach, const char *entities,
                        struct ml_object_id *out)
{
    const struct fhir_entry *entry = find_entry(f, key);
    if (entry != NULL && entry->entity != NULL) {
        *out = entry->id;
        return entity_allowed(entry->entity, entities);
    }
    if (reach != REF_WORLD) {
        return false;
    }
    struct ml_object_id id = ml_fhir_object_id(f, key, 0);
    if (all_undated(f, entities)) {
        *out = id;
        return true;
    }
    const struct ml_fhir_args *args = f->args;
    const uint8_t *tail = id.b + sizeof(id.b) - ML_OBJECT_ID_TAIL;
    uint16_t number = 0;
    if (args->find == NULL || !args->find(args->user, &f->patient, tail, out, &number)) {
        return false;
    }
    const struct ml_entity *entity = ml_schema_entity(args->schema, number);
    return entity != NULL && entity_allowed(entity, entities);
}

bool ml_fhir_resolve(struct fhir *f, const struct fhir_entry *from, uint32_t node,
                     const char *entities, struct ml_object_id *out)
{
    uint32_t ref = ml_json_get(f->doc, node, ml_slice_str("reference"));
    uint8_t key[ML_FHIR_KEY_BYTES];
    if (ref == ML_JSON_NO_NODE) {
        return false;
    }
    const struct ml_json_node *n = ml_json_node(f->doc, ref);
    if (n->type != ML_JSON_STRING) {
        return ml_fhir_fail(f, ML_E_MALFORMED, ML_IMPORT_FAULT_TYPE, ref);
    }
    struct ml_object_id id;
    ref_reach reach = key_of_reference(f, from, ml_slice(n->text, n->text_len), key);
    if (reach == REF_NOTHING || !resolve_key(f, key, reach, entities, &id)) {
        f->refs_unresolved++;
        return false;
    }
    ml_fhir_keep(f, ref);
    *out = id;
    return true;
}

/* "#x": the contained resource of that id. */
static uint32_t find_contained(const struct fhir *f, uint32_t resource, struct ml_slice id)
{
    uint32_t list = ml_json_get(f->doc, resource, ml_slice_str("contained"));
    uint32_t at = list == ML_JSON_NO_NODE ? list : ml_json_child(f->doc, list);
    while (at != ML_JSON_NO_NODE && !ml_slice_equal(ml_json_str(f->doc, at, "id"), id)) {
        at = ml_json_node(f->doc, at)->next;
    }
    return at;
}

uint32_t ml_fhir_deref(struct fhir *f, const struct fhir_entry *from, uint32_t node)
{
    struct ml_slice text = ml_json_str(f->doc, node, "reference");
    uint8_t key[ML_FHIR_KEY_BYTES];
    uint32_t target = ML_JSON_NO_NODE;
    if (text.len > 0 && text.data[0] == '#') {
        target = find_contained(f, from->node, behind(text, 1));
    } else if (key_of_reference(f, from, text, key) != REF_NOTHING) {
        struct fhir_entry *entry = find_entry(f, key);
        target = entry != NULL ? entry->node : target;
    }
    if (target != ML_JSON_NO_NODE) {
        ml_fhir_keep(f, ml_json_get(f->doc, node, ml_slice_str("reference")));
    }
    return target;
}
