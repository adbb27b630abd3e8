/* net/cli/print.c -- answers as JSON and as tables. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "net/cli/command.h"

enum { CELL_MAX = 512, COLUMNS_MAX = 16 };

static json_t *json_of(const struct ml_value *v);

static json_t *json_bytes(const struct ml_value *v)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    const uint8_t *bytes = ml_value_bytes(v, &len);
    char *hex = calloc(2, len + 1);
    if (hex == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    json_t *text = json_string(hex);
    free(hex);
    return text;
}

static json_t *json_list(const struct ml_value *v) /* NOLINT(misc-no-recursion) */
{
    json_t *list = json_array();
    for (const struct ml_value *at = ml_value_at(v, 0); at != NULL; at = ml_value_next(at)) {
        json_array_append_new(list, json_of(at));
    }
    return list;
}

static json_t *json_map(const struct ml_value *v) /* NOLINT(misc-no-recursion) */
{
    json_t *map = json_object();
    for (const struct ml_value *at = ml_value_at(v, 0); at != NULL; at = ml_value_next(at)) {
        json_object_set_new(map, ml_value_key(at), json_of(at));
    }
    return map;
}

/* The depth of an answer is bounded by the reader of documents. */
static json_t *json_of(const struct ml_value *v) /* NOLINT(misc-no-recursion) */
{
    switch (ml_value_kind_of(v)) {
    case ML_VALUE_BOOL:
        return json_boolean(ml_value_bool(v, false));
    case ML_VALUE_INT:
        return json_integer(ml_value_int(v, 0));
    case ML_VALUE_UINT:
        return json_integer((json_int_t)ml_value_uint(v, 0));
    case ML_VALUE_FLOAT:
        return json_real(ml_value_float(v, 0));
    case ML_VALUE_TEXT:
        return json_string(ml_value_text(v, ""));
    case ML_VALUE_BYTES:
        return json_bytes(v);
    case ML_VALUE_LIST:
        return json_list(v);
    case ML_VALUE_MAP:
        return json_map(v);
    case ML_VALUE_NIL:
        break;
    }
    return json_null();
}

void cli_print_json(const struct ml_value *v)
{
    json_t *json = json_of(v);
    if (json != NULL) {
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
        fputc('\n', stdout);
    }
    json_decref(json);
}

const char *cli_cell(const struct ml_value *v, char *buf, size_t size)
{
    switch (ml_value_kind_of(v)) {
    case ML_VALUE_BOOL:
        return ml_value_bool(v, false) ? "oui" : "non";
    case ML_VALUE_INT:
    case ML_VALUE_UINT:
        snprintf(buf, size, "%lld", (long long)ml_value_int(v, 0));
        return buf;
    case ML_VALUE_FLOAT:
        snprintf(buf, size, "%g", ml_value_float(v, 0));
        return buf;
    case ML_VALUE_TEXT:
        return ml_value_text(v, "");
    case ML_VALUE_LIST:
        snprintf(buf, size, "%zu", ml_value_count(v));
        return buf;
    case ML_VALUE_NIL:
    case ML_VALUE_BYTES:
    case ML_VALUE_MAP:
        break;
    }
    return "";
}

/* Columns of the terminal: accents are one each. */
static size_t width_of(const char *text)
{
    wchar_t wide[CELL_MAX];
    size_t n = mbstowcs(wide, text, CELL_MAX);
    if (n == (size_t)-1) { /* a C locale: count what begins a character */
        n = 0;
        for (const char *p = text; *p != '\0'; p++) {
            n += ((unsigned char)*p & 0xc0u) != 0x80u;
        }
        return n;
    }
    int width = wcswidth(wide, n < CELL_MAX ? n : CELL_MAX);
    return width < 0 ? n : (size_t)width;
}

static void cell_print(const char *text, size_t width, bool last)
{
    fputs(text, stdout);
    for (size_t i = width_of(text); !last && i < width + 2; i++) {
        fputc(' ', stdout);
    }
}

void cli_print_table(const struct ml_value *rows, const struct cli_column *columns)
{
    size_t widths[COLUMNS_MAX] = {0};
    char buf[CELL_MAX];
    size_t count = 0;
    for (; count < COLUMNS_MAX && columns[count].key != NULL; count++) {
        widths[count] = width_of(columns[count].title);
    }
    for (const struct ml_value *row = ml_value_at(rows, 0); row != NULL; row = ml_value_next(row)) {
        for (size_t i = 0; i < count; i++) {
            size_t w = width_of(cli_cell(ml_value_get(row, columns[i].key), buf, sizeof(buf)));
            widths[i] = w > widths[i] ? w : widths[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        cell_print(columns[i].title, widths[i], i + 1 == count);
    }
    fputc('\n', stdout);
    for (const struct ml_value *row = ml_value_at(rows, 0); row != NULL; row = ml_value_next(row)) {
        for (size_t i = 0; i < count; i++) {
            cell_print(cli_cell(ml_value_get(row, columns[i].key), buf, sizeof(buf)), widths[i],
                       i + 1 == count);
        }
        fputc('\n', stdout);
    }
}

void cli_print_map(const struct ml_value *map, const struct cli_column *columns)
{
    char buf[CELL_MAX];
    for (; columns->key != NULL; columns++) {
        const struct ml_value *v = ml_value_get(map, columns->key);
        bool empty = v == NULL || ml_value_kind_of(v) == ML_VALUE_NIL ||
                     (ml_value_kind_of(v) == ML_VALUE_TEXT && ml_value_text(v, "")[0] == '\0');
        if (!empty) {
            printf("%s : %s\n", columns->title, cli_cell(v, buf, sizeof(buf)));
        }
    }
}

void cli_print_time(int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32] = "?";
    if (localtime_r(&seconds, &tm) != NULL) {
        (void)strftime(text, sizeof(text), "%d/%m/%Y %H:%M", &tm);
    }
    printf("%s", text);
}
