/* net/client/text_find.c -- a sentence by its id, in the language of the environment, with its
 * arguments (maille/client.h). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maille/client.h"
#include "net/client/text.h"

/* The first that is set and not empty says it all (decisions 9). */
static bool language_is_english(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]); // NOLINT(concurrency-mt-unsafe)
        if (value != NULL && value[0] != '\0') {
            return strncmp(value, "en", 2) == 0;
        }
    }
    return false;
}

const char *ml_text_language(void)
{
    return language_is_english() ? "en" : "fr";
}

static const struct ml_text_row *row_in(const struct ml_text_row *rows, size_t count,
                                        const char *id)
{
    size_t i = 0;
    while (i < count && strcmp(rows[i].id, id) != 0) {
        i++;
    }
    return i < count ? &rows[i] : NULL;
}

static const struct ml_text_row *row_find(const char *id)
{
    size_t count = 0;
    const struct ml_text_row *row = NULL;
    const struct ml_text_row *rows = ml_text_table(0, &count);
    for (size_t part = 1; rows != NULL && row == NULL; part++) {
        row = row_in(rows, count, id);
        rows = ml_text_table(part, &count);
    }
    return row;
}

struct rendering {
    char *out;
    size_t size;
    size_t len; /* as if there were room */
};

static void render(struct rendering *r, const char *text, size_t len)
{
    if (r->size > 0 && r->len < r->size - 1) {
        size_t room = r->size - 1 - r->len;
        memcpy(r->out + r->len, text, len < room ? len : room);
    }
    r->len += len;
}

static void render_argument(struct rendering *r, const char *name, size_t len,
                            const struct ml_value *args)
{
    char key[32];
    if (len >= sizeof(key)) {
        return;
    }
    memcpy(key, name, len);
    key[len] = '\0';
    const struct ml_value *v = ml_value_get(args, key);
    if (ml_value_kind_of(v) == ML_VALUE_INT) {
        char number[24];
        int n = snprintf(number, sizeof(number), "%lld", (long long)ml_value_int(v, 0));
        render(r, number, (size_t)n);
        return;
    }
    const char *text = ml_value_text(v, "?");
    if (strcmp(key, "param") == 0) {
        char asked[48];
        snprintf(asked, sizeof(asked), "asked.%s", text);
        const struct ml_text_row *row = row_find(asked);
        text = row == NULL ? text : language_is_english() ? row->en : row->fr;
    }
    render(r, text, strlen(text));
}

static void render_template(struct rendering *r, const char *template, const struct ml_value *args)
{
    const char *at = template;
    while (*at != '\0') {
        size_t plain = strcspn(at, "{");
        render(r, at, plain);
        at += plain;
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end != NULL) {
            render_argument(r, at + 1, (size_t)(end - at - 1), args);
            at = end + 1;
        } else if (*at == '{') {
            render(r, at, 1);
            at++;
        }
    }
}

static void render_row(struct rendering *r, const char *id, const struct ml_value *args)
{
    const struct ml_text_row *row = row_find(id);
    if (row == NULL) {
        render(r, id, strlen(id));
    } else {
        render_template(r, language_is_english() ? row->en : row->fr, args);
    }
}

static size_t render_end(char *out, const struct rendering *r)
{
    if (r->size > 0) {
        out[r->len < r->size - 1 ? r->len : r->size - 1] = '\0';
    }
    return r->len;
}

size_t ml_text(char *out, size_t size, const char *id, const struct ml_value *args)
{
    struct rendering r = {.out = out, .size = size};
    render_row(&r, id, args);
    return render_end(out, &r);
}

/* To whom and what, of what was refused: the sentence that follows says why, and what to do. What
 * can't be done for another reason than rights isn't said of anybody: he alone reads it. */
static void render_refused(struct rendering *r, ml_err err, const struct ml_value *args)
{
    char id[64];
    snprintf(id, sizeof(id), "act.%s", ml_value_text(ml_value_get(args, "act"), ""));
    if (row_find(id) != NULL) {
        const bool named = ml_value_text(ml_value_get(args, "who"), "")[0] != '\0';
        render_row(r, err != ML_E_DENIED ? "undone" : named ? "refused.to" : "refused", args);
        render_row(r, id, NULL);
        render(r, ". ", 2);
    }
}

size_t ml_text_error(char *out, size_t size, ml_err err, const struct ml_value *detail)
{
    struct rendering r = {.out = out, .size = size};
    const char *text = ml_value_text(ml_value_get(detail, "text"), "");
    const struct ml_value *args = ml_value_get(detail, "args");
    render_refused(&r, err, args);
    if (text[0] != '\0' && row_find(text) != NULL) {
        render_row(&r, text, args);
    } else {
        char id[32];
        snprintf(id, sizeof(id), "err.%s", ml_err_name(err));
        render_row(&r, id, NULL);
    }
    return render_end(out, &r);
}
