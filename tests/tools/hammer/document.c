/* tests/tools/hammer/document.c -- entries with a file, large enough for chunks of their own: what
 * was acknowledged has its file on that node, whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "hammer.h"

enum { BYTES_LEAST = 7000, BYTES_SPAN = 50000 };

static size_t contents(uint8_t *out, size_t k)
{
    size_t len = BYTES_LEAST + (k * 7919) % BYTES_SPAN;
    uint32_t x = (uint32_t)k * 2654435761u + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(x >> 24);
    }
    return len;
}

static void path_of(const struct hammer *h, char out[PATH_BYTES], size_t k)
{
    snprintf(out, PATH_BYTES, "%s/document-%zu", h->folder, k);
}

void document_put(const struct hammer *h, struct ml_args *a, size_t k)
{
    static uint8_t bytes[BYTES_LEAST + BYTES_SPAN];
    char path[PATH_BYTES];
    size_t len = contents(bytes, k);
    path_of(h, path, k);
    FILE *out = fopen(path, "w");
    ML_ASSERT(out != NULL && fwrite(bytes, 1, len, out) == len && fclose(out) == 0);
    ml_args_key(a, "files");
    ml_args_list(a);
    ml_args_map(a);
    param_text(a, "path", path);
    param_text(a, "title", "scan");
    param_text(a, "media_type", "application/pdf");
    ml_args_end(a);
    ml_args_end(a);
}

static bool document_check(struct hammer *h, unsigned node, size_t k)
{
    static uint8_t want[BYTES_LEAST + BYTES_SPAN];
    const struct entry *e = &h->ledger.entries[k];
    char path[PATH_BYTES];
    struct ml_args *a = params_new();
    param_text(a, "patient", h->ledger.patients[e->patient]);
    param_text(a, "object", e->object);
    const struct ml_value *v = node_call(&h->nodes[node], "document.get", a);
    size_t len = contents(want, k);
    size_t got = 0;
    const uint8_t *have = ml_value_bytes(ml_value_get(v, "bytes"), &got);
    if (have == NULL || got != len || memcmp(have, want, len) != 0) {
        return fail(h, "%s: the file of document %zu is lost: %s", h->nodes[node].name, k,
                    v == NULL ? h->nodes[node].error : "other bytes");
    }
    path_of(h, path, k);
    (void)unlink(path); /* it has its own now */
    return true;
}

bool documents_check(struct hammer *h, unsigned node, size_t most)
{
    bool good = true;
    for (size_t k = h->ledger.count; k > 0 && most > 0 && good; k--) {
        const struct entry *e = &h->ledger.entries[k - 1];
        if (e->kind == ENTRY_DOCUMENT && e->state == ENTRY_ACKED && e->node == node) {
            good = document_check(h, node, k - 1);
            most--;
        }
    }
    return good;
}
