/* net/cli/fields.c -- operands, numbers, and the fields of a record from options and JSON. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cli/tables.h"

enum { FIELD_NAME_MAX = 64, STDIN_BYTES_MAX = 1 << 20 };

int cli_operands(struct cli *c, int min, int max)
{
    if (c->operand_count < min) {
        return cli_usage(c, "il manque : %s", c->command->operands);
    }
    if (max >= 0 && c->operand_count > max) {
        return cli_usage(c, "« %s » est de trop", c->operands[max]);
    }
    return CLI_DONE;
}

bool cli_param_number(struct cli *c, struct ml_args *params, const char *key, const char *value)
{
    char *end = NULL;
    if (value == NULL) {
        return true;
    }
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0') {
        cli_usage(c, "« %s » n'est pas un nombre", value);
        return false;
    }
    ml_args_key(params, key);
    ml_args_int(params, n);
    return true;
}

const char *cli_text(const struct ml_value *map, const char *key)
{
    return ml_value_text(ml_value_get(map, key), "");
}

/* jansson refuses what is deeper than 2048. */
static void json_put(struct ml_args *a, json_t *v) // NOLINT(misc-no-recursion)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        ml_args_map(a);
        for (void *at = json_object_iter(v); at != NULL; at = json_object_iter_next(v, at)) {
            ml_args_key(a, json_object_iter_key(at));
            json_put(a, json_object_iter_value(at));
        }
        ml_args_end(a);
        break;
    case JSON_ARRAY:
        ml_args_list(a);
        for (size_t i = 0; i < json_array_size(v); i++) {
            json_put(a, json_array_get(v, i));
        }
        ml_args_end(a);
        break;
    case JSON_STRING:
        ml_args_text_len(a, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        ml_args_int(a, json_integer_value(v));
        break;
    case JSON_REAL:
        ml_args_float(a, json_real_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        ml_args_bool(a, json_is_true(v));
        break;
    case JSON_NULL:
    default:
        ml_args_nil(a);
        break;
    }
}

static int fields_stdin(struct cli *c, struct ml_args *params)
{
    json_error_t why;
    char *text = calloc(1, STDIN_BYTES_MAX + 1);
    if (text == NULL) {
        return CLI_FAILED;
    }
    size_t len = fread(text, 1, STDIN_BYTES_MAX + 1, stdin);
    json_t *fields =
        len > STDIN_BYTES_MAX ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (len > STDIN_BYTES_MAX) {
        return cli_usage(c, "plus d'un mégaoctet sur l'entrée");
    }
    if (!json_is_object(fields)) {
        json_decref(fields);
        return cli_usage(c, "l'entrée n'est pas un objet JSON : %s",
                         fields == NULL ? why.text : "");
    }
    for (void *at = json_object_iter(fields); at != NULL; at = json_object_iter_next(fields, at)) {
        ml_args_key(params, json_object_iter_key(at));
        json_put(params, json_object_iter_value(at));
    }
    json_decref(fields);
    return CLI_DONE;
}

int cli_fields(struct cli *c, struct ml_args *params)
{
    int rc = CLI_DONE;
    ml_args_key(params, "fields");
    ml_args_map(params);
    if (cli_option_value(c, "stdin") != NULL) {
        rc = fields_stdin(c, params);
    }
    for (size_t i = 0; i < c->repeated_count && rc == CLI_DONE; i++) {
        const char *equal = strchr(c->repeated[i], '=');
        size_t len = equal == NULL ? 0 : (size_t)(equal - c->repeated[i]);
        char name[FIELD_NAME_MAX];
        if (len == 0 || len >= sizeof(name)) {
            return cli_usage(c, "--set attend CHAMP=VALEUR, pas « %s »", c->repeated[i]);
        }
        memcpy(name, c->repeated[i], len);
        name[len] = '\0';
        ml_args_key(params, name);
        ml_args_text(params, equal + 1);
    }
    ml_args_end(params);
    return rc;
}
