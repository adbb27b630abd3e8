/* support_request.c -- see support_request.h. */
#include "support_request.h"

#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"

void story_ask(struct story_request *r)
{
    r->args = ml_args_new();
    r->answer = NULL;
    ml_args_map(r->args);
}

void story_put(struct story_request *r, const char *key, const char *value)
{
    ml_args_key(r->args, key);
    ml_args_text(r->args, value);
}

ml_err story_send(struct story_request *r, struct cluster *c, unsigned n, const char *method)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_slice document;
    ml_args_end(r->args);
    ml_err err = ml_args_encoded(r->args, &bytes, &len);
    ML_ASSERT(err == ML_OK);
    err = cluster_call(c, n, method, ml_slice(bytes, len), &document);
    ml_err parsed =
        document.len > 0 ? ml_tree_parse(&r->answer, document.data, document.len) : ML_OK;
    ML_ASSERT(parsed == ML_OK);
    return err;
}

void story_end(struct story_request *r)
{
    ml_args_free(r->args);
    ml_tree_free(r->answer);
}

const struct ml_value *story_get(const struct story_request *r, const char *key)
{
    return ml_value_get(ml_tree_root(r->answer), key);
}

void story_must(const struct story_request *r, ml_err err, const char *what)
{
    if (err != ML_OK) {
        fprintf(stderr, "%s: %s (%s)\n", what, ml_err_name(err),
                ml_value_text(story_get(r, "text"), "-"));
    }
    ML_ASSERT(err == ML_OK);
}
