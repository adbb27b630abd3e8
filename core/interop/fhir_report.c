/* core/interop/fhir_report.c -- what became of each resource and of each leaf.
 *
 * A leaf that wasn't kept is counted under its path, arrays as "[]", extensions by their URL:
 * "Patient.extension[url=http://...].valueString". The reason comes from the entity's reviewed list
 * or from the rows here that hold for all resources; the first that fits.
 */
#include <stdio.h>
#include <string.h>

#include "core/interop/fhir_internal.h"

#define PATH_SIZE 256u
#define TYPE_SIZE 48u

struct type_row {
    char type[TYPE_SIZE];
    const char *entity;
    uint64_t count;
};

struct path_row {
    char *path; /* owned */
    const char *reason;
    uint64_t count;
};

struct ml_fhir_report {
    const struct ml_env *env;
    struct type_row *types; /* owned, ML_FHIR_REPORT_TYPES_MAX */
    size_t type_count;
    struct path_row *paths; /* owned, ML_FHIR_REPORT_PATHS_MAX, sorted */
    size_t path_count;
    struct path_row others; /* when the table is full */
    struct ml_fhir_totals totals;
};

static const struct ml_fhir_drop common_drops[] = {
    {"text.*", "résumé lisible, fait des mêmes données"},
    {"meta.*", "étiquettes du logiciel d'origine"},
    {"implicitRules", "règle du logiciel d'origine"},
    {"language", "langue du résumé, pas du patient"},
    {"contained[]*", "repris à travers la donnée qui le cite"},
    {"identifier[].type.*", "le code du type d'identifiant est gardé, pas ses libellés"},
    {"content[].attachment.data", "contenu vide, ou de plus de 32 Mio"},
    {"presentedForm[].data", "contenu vide, ou de plus de 32 Mio"},
    {"content[].attachment.size", "taille annoncée, fausse : celle du contenu est gardée"},
    {"presentedForm[].size", "taille annoncée, fausse : celle du contenu est gardée"},
    {"content[].attachment.hash", "somme SHA-1 du contenu ; la nôtre est une autre"},
    {"presentedForm[].hash", "somme SHA-1 du contenu ; la nôtre est une autre"},
    {"*Quantity.unit", "affichage de l'unité ; son code UCUM est gardé"},
    {"*Range[].low.unit", "affichage de l'unité ; son code UCUM est gardé"},
    {"*Range[].high.unit", "affichage de l'unité ; son code UCUM est gardé"},
};

#define COMMON_COUNT (sizeof(common_drops) / sizeof(common_drops[0]))

static const char link_reason[] = "libellé d'un lien : l'objet lié le porte";
static char others_path[] = "(autres chemins)";

ml_err ml_fhir_report_new(struct ml_fhir_report **out, const struct ml_env *env)
{
    struct ml_fhir_report *r = ml_alloc(env, sizeof(*r));
    if (r == NULL) {
        return ML_E_NOMEM;
    }
    r->env = env;
    r->types = ml_alloc_array(env, ML_FHIR_REPORT_TYPES_MAX, sizeof(*r->types));
    r->paths = ml_alloc_array(env, ML_FHIR_REPORT_PATHS_MAX, sizeof(*r->paths));
    r->others.path = others_path;
    if (r->types == NULL || r->paths == NULL) {
        ml_release(env, r->types);
        ml_release(env, r->paths);
        ml_release(env, r);
        return ML_E_NOMEM;
    }
    *out = r;
    return ML_OK;
}

void ml_fhir_report_free(struct ml_fhir_report *report)
{
    if (report == NULL) {
        return;
    }
    for (size_t i = 0; i < report->path_count; i++) {
        ml_release(report->env, report->paths[i].path);
    }
    ml_release(report->env, report->paths);
    ml_release(report->env, report->types);
    ml_release(report->env, report);
}

struct ml_fhir_totals ml_fhir_report_totals(const struct ml_fhir_report *report)
{
    return report->totals;
}

bool ml_fhir_report_type(const struct ml_fhir_report *report, size_t i,
                         struct ml_fhir_type_row *out)
{
    if (i >= report->type_count) {
        return false;
    }
    const struct type_row *row = &report->types[i];
    *out = (struct ml_fhir_type_row){row->type, row->entity, row->count};
    return true;
}

bool ml_fhir_report_path(const struct ml_fhir_report *report, size_t i,
                         struct ml_fhir_path_row *out)
{
    bool others = i == report->path_count && report->others.count > 0;
    if (i >= report->path_count && !others) {
        return false;
    }
    const struct path_row *row = others ? &report->others : &report->paths[i];
    *out = (struct ml_fhir_path_row){row->path, row->reason, row->count};
    return true;
}

size_t ml_fhir_common_drops(const struct ml_fhir_drop **out)
{
    *out = common_drops;
    return COMMON_COUNT;
}

/* ---- types ---- */

static bool same_entity(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

ml_err ml_fhir_report_add_type(struct ml_fhir_report *report, struct ml_slice type,
                               const char *entity)
{
    char name[TYPE_SIZE];
    size_t i = 0;
    if (report == NULL) {
        return ML_OK;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(type.len < TYPE_SIZE ? type.len : TYPE_SIZE - 1),
             (const char *)type.data);
    while (i < report->type_count && (strcmp(report->types[i].type, name) != 0 ||
                                      !same_entity(report->types[i].entity, entity))) {
        i++;
    }
    if (i == ML_FHIR_REPORT_TYPES_MAX) {
        i--; /* the last row takes the rest: no such file has that many types */
    } else if (i == report->type_count) {
        memcpy(report->types[i].type, name, sizeof(name));
        report->types[i].entity = entity;
        report->type_count++;
    }
    report->types[i].count++;
    report->totals.resources++;
    return ML_OK;
}

void ml_fhir_report_add_file(struct ml_fhir_report *report, uint64_t objects, uint64_t unresolved)
{
    if (report != NULL) {
        report->totals.files++;
        report->totals.objects += objects;
        report->totals.refs_unresolved += unresolved;
    }
}

/* ---- paths ---- */

/* `pattern` holds at most one '*', which stands for any text. */
static bool pattern_fits(const char *pattern, const char *path)
{
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(pattern, path) == 0;
    }
    size_t head = (size_t)(star - pattern);
    size_t tail = strlen(star + 1);
    size_t len = strlen(path);
    return len >= head + tail && memcmp(pattern, path, head) == 0 &&
           memcmp(star + 1, path + len - tail, tail) == 0;
}

static const char *reason_in(const struct ml_fhir_drop *drops, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (pattern_fits(drops[i].path, path)) {
            return drops[i].reason;
        }
    }
    return NULL;
}

/* What stands beside a reference that was followed only repeats what it leads to. */
static bool is_beside_kept_link(const struct fhir *f, uint32_t node)
{
    const struct ml_json_node *n = ml_json_node(f->doc, node);
    uint32_t link = n->parent == ML_JSON_NO_NODE
                        ? ML_JSON_NO_NODE
                        : ml_json_get(f->doc, n->parent, ml_slice_str("reference"));
    return link != ML_JSON_NO_NODE && ml_fhir_is_kept(f, link);
}

static void append(char *path, size_t *len, const char *text, size_t text_len)
{
    for (size_t i = 0; i < text_len && *len + 1 < PATH_SIZE; i++) {
        path[(*len)++] = text[i];
    }
    path[*len] = '\0';
}

/* The nodes from the resource (excluded) down to `node`. */
static size_t chain_of(const struct fhir *f, uint32_t resource, uint32_t node, uint32_t *chain)
{
    size_t n = 0;
    for (; node != resource && n < ML_JSON_DEPTH_MAX; node = ml_json_node(f->doc, node)->parent) {
        chain[n++] = node;
    }
    return n;
}

/* ".name", "[]" or "[url=...]" of one node. */
static void path_step(const struct fhir *f, uint32_t node, char *path, size_t *len)
{
    const struct ml_json_node *n = ml_json_node(f->doc, node);
    const struct ml_json_node *parent = ml_json_node(f->doc, n->parent);
    if (parent->type == ML_JSON_OBJECT) {
        append(path, len, ".", *len > 0);
        append(path, len, n->key, n->key_len);
        return;
    }
    struct ml_slice url = ml_json_str(f->doc, node, "url");
    bool extension = parent->key_len == 9 && memcmp(parent->key, "extension", 9) == 0;
    if (!extension || url.len == 0) {
        append(path, len, "[]", 2);
        return;
    }
    append(path, len, "[url=", 5);
    append(path, len, (const char *)url.data, url.len);
    append(path, len, "]", 1);
}

static void path_of(const struct fhir *f, uint32_t resource, uint32_t node, char *path)
{
    uint32_t chain[ML_JSON_DEPTH_MAX];
    size_t n = chain_of(f, resource, node, chain);
    size_t len = 0;
    path[0] = '\0';
    while (n > 0) {
        path_step(f, chain[--n], path, &len);
    }
}

/* The row of a path, made if need be; NULL when there is no memory for it. */
static struct path_row *path_row(struct ml_fhir_report *report, const char *path)
{
    size_t low = 0;
    size_t high = report->path_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(report->paths[mid].path, path);
        if (order == 0) {
            return &report->paths[mid];
        }
        low = order < 0 ? mid + 1 : low;
        high = order < 0 ? high : mid;
    }
    if (report->path_count == ML_FHIR_REPORT_PATHS_MAX) {
        return &report->others;
    }
    char *copy = ml_copy(report->env, path, strlen(path));
    if (copy != NULL) {
        memmove(&report->paths[low + 1], &report->paths[low],
                (report->path_count - low) * sizeof(*report->paths));
        report->paths[low] = (struct path_row){.path = copy};
        report->path_count++;
    }
    return copy != NULL ? &report->paths[low] : NULL;
}

/* The path stands behind its resource type: "Patient.name[].text". */
static ml_err count_left_out(struct ml_fhir_report *report, const struct fhir *f,
                             const struct fhir_entry *entry, uint32_t node)
{
    const struct ml_entity *entity = entry->entity;
    char full[PATH_SIZE + TYPE_SIZE];
    char path[PATH_SIZE];
    path_of(f, entry->node, node, path);
    snprintf(full, sizeof(full), "%.*s.%s", (int)TYPE_SIZE - 2, entity->fhir_type, path);
    struct path_row *row = path_row(report, full);
    if (row == NULL) {
        return ML_E_NOMEM;
    }
    const char *reason = reason_in(entity->fhir_drops, entity->fhir_drop_count, path);
    if (reason == NULL) {
        reason = reason_in(common_drops, COMMON_COUNT, path);
    }
    if (reason == NULL && is_beside_kept_link(f, node)) {
        reason = link_reason;
    }
    /* A path that was once left out without a reason stays to be looked at. */
    row->reason = row->count == 0 || row->reason != NULL ? reason : NULL;
    row->count++;
    return ML_OK;
}

ml_err ml_fhir_report_add_leaves(struct ml_fhir_report *report, const struct fhir *f,
                                 const struct fhir_entry *entry)
{
    ml_err err = ML_OK;
    uint32_t after = ml_json_node(f->doc, entry->node)->after;
    for (uint32_t at = entry->node; report != NULL && at < after && err == ML_OK; at++) {
        if (!ml_json_is_leaf(ml_json_node(f->doc, at))) {
            continue;
        }
        report->totals.leaves++;
        if (ml_fhir_is_kept(f, at)) {
            report->totals.leaves_kept++;
        } else {
            err = count_left_out(report, f, entry, at);
        }
    }
    return err;
}
