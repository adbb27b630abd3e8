/* core/model/merge.c -- see merge.h.
 *
 * Happy path: resolve `seen` into indices once (a sorted index for larger objects), then answer
 * each register by one walk from its counting versions: what the walk reaches is replaced.
 *
 * Failures: NOMEM and LIMIT, when the graph is made; everything after it can't fail.
 *
 * Invariant: edges[] holds, for node i, the slice edge_start[i] .. edge_start[i+1]-1 of indices of
 * first occurrences; a repeated node has no edges and is in no register.
 */
#include "core/model/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"

struct sorted_id {
    struct ml_version_id id;
    uint32_t index;
};

struct ml_merge_graph {
    const struct ml_env *env;
    uint32_t count;
    uint32_t *edge_start; /* count + 1 */
    uint32_t *edges;
    uint32_t *stack; /* count: each node is pushed once a walk */
    bool *reached;   /* count: by the walk of now */
    bool *counts;    /* count: false also for a repeated node */
    bool *repeated;  /* count */
    bool *chosen;    /* count: members of the register of lives */
};

static int sorted_order(const void *a, const void *b)
{
    const struct sorted_id *x = a;
    const struct sorted_id *y = b;
    int order = ml_version_id_compare(&x->id, &y->id);
    if (order != 0) {
        return order;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The first of equal ids, which has the smallest index. */
static uint32_t sorted_find(const struct sorted_id *sorted, uint32_t count,
                            const struct ml_version_id *id)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (ml_version_id_compare(&sorted[mid].id, id) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    bool found = low < count && ml_version_id_compare(&sorted[low].id, id) == 0;
    return found ? sorted[low].index : ML_MERGE_NONE;
}

static ml_err graph_alloc(struct ml_merge_graph *g, size_t edge_count)
{
    g->edge_start = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(uint32_t));
    g->edges = ml_alloc_array(g->env, edge_count + 1, sizeof(uint32_t));
    g->stack = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(uint32_t));
    g->reached = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(bool));
    g->counts = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(bool));
    g->repeated = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(bool));
    g->chosen = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(bool));
    bool all = g->edge_start != NULL && g->edges != NULL && g->stack != NULL &&
               g->reached != NULL && g->counts != NULL && g->repeated != NULL && g->chosen != NULL;
    return all ? ML_OK : ML_E_NOMEM;
}

/* Writes node i's edges from `used` on; returns where they end. */
static uint32_t link_node(struct ml_merge_graph *g, uint32_t i, const struct ml_merge_node *node,
                          const struct sorted_id *sorted)
{
    uint32_t used = g->edge_start[i];
    for (uint32_t j = 0; j < node->seen_count; j++) {
        uint32_t to = sorted_find(sorted, g->count, &node->seen[j]);
        if (to != ML_MERGE_NONE && to != i) {
            g->edges[used++] = to;
        }
    }
    return used;
}

static void graph_link(struct ml_merge_graph *g, const struct ml_merge_node *nodes,
                       const struct sorted_id *sorted)
{
    for (uint32_t i = 0; i < g->count; i++) {
        g->repeated[i] = sorted_find(sorted, g->count, &nodes[i].id) != i;
        g->counts[i] = nodes[i].counts && !g->repeated[i];
        g->edge_start[i + 1] =
            g->repeated[i] ? g->edge_start[i] : link_node(g, i, &nodes[i], sorted);
    }
}

static ml_err graph_build(struct ml_merge_graph *g, const struct ml_merge_node *nodes)
{
    size_t edge_count = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        edge_count += nodes[i].seen_count;
    }
    struct sorted_id *sorted = ml_alloc_array(g->env, (size_t)g->count + 1, sizeof(*sorted));
    ml_err err = sorted == NULL ? ML_E_NOMEM : graph_alloc(g, edge_count);
    if (err == ML_OK) {
        for (uint32_t i = 0; i < g->count; i++) {
            sorted[i] = (struct sorted_id){nodes[i].id, i};
        }
        qsort(sorted, g->count, sizeof(*sorted), sorted_order);
        graph_link(g, nodes, sorted);
    }
    ml_release(g->env, sorted);
    return err;
}

ml_err ml_merge_graph_new(struct ml_merge_graph **out, const struct ml_env *env,
                          const struct ml_merge_node *nodes, size_t count)
{
    if (count > ML_MERGE_VERSIONS_MAX) {
        return ML_E_LIMIT;
    }
    struct ml_merge_graph *g = ml_alloc(env, sizeof(*g));
    if (g == NULL) {
        return ML_E_NOMEM;
    }
    g->env = env;
    g->count = (uint32_t)count;
    ml_err err = graph_build(g, nodes);
    if (err != ML_OK) {
        ml_merge_graph_free(g);
        return err;
    }
    *out = g;
    return ML_OK;
}

void ml_merge_graph_free(struct ml_merge_graph *g)
{
    if (g != NULL) {
        ml_release(g->env, g->edge_start);
        ml_release(g->env, g->edges);
        ml_release(g->env, g->stack);
        ml_release(g->env, g->reached);
        ml_release(g->env, g->counts);
        ml_release(g->env, g->repeated);
        ml_release(g->env, g->chosen);
        ml_release(g->env, g);
    }
}

/* Pushes what `at` names and was not reached yet; returns the new top. */
static uint32_t walk_step(struct ml_merge_graph *g, uint32_t at, uint32_t top)
{
    for (uint32_t e = g->edge_start[at]; e < g->edge_start[at + 1]; e++) {
        uint32_t to = g->edges[e];
        if (!g->reached[to]) {
            g->reached[to] = true;
            g->stack[top++] = to;
        }
    }
    return top;
}

/* Adds the past of node `from` to reached[]. */
static void walk(struct ml_merge_graph *g, uint32_t from)
{
    uint32_t top = walk_step(g, from, 0);
    while (top > 0) {
        uint32_t at = g->stack[--top];
        top = walk_step(g, at, top);
    }
}

void ml_merge_heads(struct ml_merge_graph *g, const bool *member, ml_version_rank *out)
{
    memset(g->reached, 0, g->count);
    for (uint32_t i = 0; i < g->count; i++) {
        if (member[i] && g->counts[i]) {
            walk(g, i);
        }
    }
    for (uint32_t i = 0; i < g->count; i++) {
        if (!member[i] || g->repeated[i]) {
            out[i] = ML_RANK_APART;
        } else if (g->reached[i]) {
            out[i] = ML_RANK_REPLACED;
        } else {
            out[i] = g->counts[i] ? ML_RANK_HEAD : ML_RANK_GREYED;
        }
    }
}

/* Is there an edit that no head among the removals had seen? */
static bool edited_unseen(struct ml_merge_graph *g, const ml_life_act *acts,
                          const ml_version_rank *ranks)
{
    memset(g->reached, 0, g->count);
    for (uint32_t i = 0; i < g->count; i++) {
        if (ranks[i] == ML_RANK_HEAD && acts[i] != ML_ACT_ADD) {
            walk(g, i);
        }
    }
    for (uint32_t i = 0; i < g->count; i++) {
        if (acts[i] == ML_ACT_EDIT && g->counts[i] && !g->reached[i]) {
            return true;
        }
    }
    return false;
}

/* Does anything of it count at all? */
static bool any_counts(const struct ml_merge_graph *g)
{
    bool any = false;
    for (uint32_t i = 0; i < g->count; i++) {
        any = any || g->counts[i];
    }
    return any;
}

struct ml_life_outcome ml_merge_life(struct ml_merge_graph *g, const ml_life_act *acts,
                                     ml_version_rank *ranks)
{
    uint32_t heads[ML_ACT_VOID + 1] = {0}; /* by act */
    for (uint32_t i = 0; i < g->count; i++) {
        g->chosen[i] = acts[i] != ML_ACT_EDIT;
    }
    ml_merge_heads(g, g->chosen, ranks);
    for (uint32_t i = 0; i < g->count; i++) {
        heads[acts[i]] += ranks[i] == ML_RANK_HEAD;
    }
    if (!any_counts(g)) {
        return (struct ml_life_outcome){ML_LIFE_GREYED, false};
    }
    if (heads[ML_ACT_ARCHIVE] + heads[ML_ACT_VOID] == 0) {
        return (struct ml_life_outcome){ML_LIFE_PRESENT, false};
    }
    if (heads[ML_ACT_ADD] > 0 || edited_unseen(g, acts, ranks)) {
        return (struct ml_life_outcome){ML_LIFE_PRESENT, true};
    }
    return (struct ml_life_outcome){heads[ML_ACT_VOID] > 0 ? ML_LIFE_VOIDED : ML_LIFE_ARCHIVED,
                                    heads[ML_ACT_VOID] > 0 && heads[ML_ACT_ARCHIVE] > 0};
}

/* How far a head stands above others; equal numbers stand side by side. */
static unsigned head_height(ml_merge_kind kind, const struct ml_merge_head *head)
{
    switch (kind) {
    case ML_KIND_ASSERT:
        return head->stance != ML_STANCE_REFUTE;
    case ML_KIND_DENY:
        return head->stance == ML_STANCE_DENY;
    case ML_KIND_STATE:
        return head->weight;
    case ML_KIND_SAME:
        break;
    }
    return 0;
}

struct ml_merge_outcome ml_merge_decide(ml_merge_kind kind, const struct ml_merge_head *heads,
                                        size_t count)
{
    struct ml_merge_outcome out = {ML_MERGE_NONE, false};
    unsigned top = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned height = head_height(kind, &heads[i]);
        top = height > top ? height : top;
        out.conflict = out.conflict || !ml_slice_equal(heads[i].value, heads[0].value);
    }
    bool alone = true; /* all heads at the top have one value */
    for (uint32_t i = 0; i < count; i++) {
        if (head_height(kind, &heads[i]) < top) {
            continue;
        }
        if (out.shown == ML_MERGE_NONE) {
            out.shown = i;
        }
        alone = alone && ml_slice_equal(heads[i].value, heads[out.shown].value);
        if (ml_version_id_compare(&heads[i].id, &heads[out.shown].id) < 0) {
            out.shown = i;
        }
    }
    out.shown = alone ? out.shown : ML_MERGE_NONE;
    return out;
}
