/* core/record/say.c -- see say.h.
 *
 * Happy path: a rule is read from left to right; a part in brackets is written, then taken back if
 * one of its fields had nothing to say. Fields that were said are marked, so that ml_say_all can
 * add what no rule named. A rule is static text of the schema, proved well formed by a test.
 */
#include "core/record/say.h"

#include <string.h>

#include "core/codec/mp_read.h"
#include "core/codec/value.h"

struct saying {
    struct ml_buf *out;
    const struct ml_say_args *args;
    bool said[ML_SAY_FIELDS_MAX];
    bool all; /* also codes that go without saying */
    ml_err err;
};

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

static const struct ml_field *field_in(const struct ml_entity *entity, struct ml_slice name)
{
    for (size_t f = 0; f < entity->field_count && f < ML_SAY_FIELDS_MAX; f++) {
        if (ml_slice_equal(name, ml_slice_str(entity->fields[f].name))) {
            return &entity->fields[f];
        }
    }
    return NULL;
}

static struct ml_slice value_of(struct saying *s, const struct ml_field *field)
{
    struct ml_slice value = {NULL, 0};
    if (field != NULL && s->err == ML_OK) {
        s->err = s->args->value(s->args->user, field, &value);
    }
    bool emptied = value.len == 1 && value.data[0] == 0xc0; /* nil */
    return s->err == ML_OK && !emptied ? value : ml_slice(NULL, 0);
}

static void mark(struct saying *s, const struct ml_field *field)
{
    s->said[field - s->args->entity->fields] = true;
}

/* Appends what the field says; false when it says nothing. */
static bool say_field(struct saying *s, const struct ml_field *field, ml_when when)
{
    struct ml_slice value = value_of(s, field);
    size_t before = s->out->len;
    if (value.len == 0) {
        return false;
    }
    struct ml_text_args text = s->args->text;
    text.spoken = true;
    text.when = when;
    ml_value_text_fr(s->out, &text, field, value);
    mark(s, field);
    return s->out->len > before;
}

static bool say_if(struct saying *s, const struct ml_field *field, bool wanted,
                   struct ml_slice words)
{
    struct ml_slice value = value_of(s, field);
    bool is = false;
    if (value.len == 0 || ml_bool_decode(&is, value) != ML_OK || is != wanted) {
        return false;
    }
    ml_buf_append(s->out, words.data, words.len);
    mark(s, field);
    return true;
}

static bool say_unless(struct saying *s, const struct ml_field *field, struct ml_slice code)
{
    struct ml_slice value = value_of(s, field);
    struct ml_code has;
    bool usual =
        value.len > 0 && ml_code_decode(&has, value) == ML_OK && ml_slice_equal(has.code, code);
    return !(usual && !s->all) && say_field(s, field, ML_WHEN_BARE);
}

static bool say_uncoded(struct saying *s, const struct ml_field *field, struct ml_slice words)
{
    struct ml_slice value = value_of(s, field);
    struct ml_concept concept;
    if (value.len == 0 || ml_concept_decode(&concept, value) != ML_OK || concept.codes.count > 0 ||
        concept.text.len == 0) {
        return false;
    }
    ml_buf_append(s->out, words.data, words.len);
    return true;
}

static uint64_t whole_of(struct ml_slice value)
{
    int64_t n = 0;
    return value.len > 0 && ml_int_decode(&n, value) == ML_OK && n > 0 ? (uint64_t)n : 0;
}

/* "frequency/period/period_unit" */
static bool say_rhythm(struct saying *s, struct ml_slice names)
{
    const struct ml_field *field[3] = {NULL, NULL, NULL};
    struct ml_slice value[3];
    struct ml_slice period = {NULL, 0};
    struct ml_code unit = {.code = {NULL, 0}};
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *slash = memchr(names.data, '/', names.len);
        size_t len = slash == NULL ? names.len : (size_t)(slash - names.data);
        field[i] = field_in(s->args->entity, ml_slice(names.data, len));
        value[i] = value_of(s, field[i]);
        names = ml_slice(names.data + len + (slash != NULL), names.len - len - (slash != NULL));
    }
    if (value[1].len > 0 && ml_text_decode(&period, value[1]) != ML_OK) {
        return false;
    }
    if (value[2].len > 0 && ml_code_decode(&unit, value[2]) != ML_OK) {
        return false;
    }
    const struct ml_rhythm rhythm = {whole_of(value[0]), 0, period, unit.code, unit.display};
    size_t before = s->out->len;
    ml_words_rhythm(s->out, &rhythm);
    for (size_t i = 0; i < 3; i++) {
        if (field[i] != NULL && s->out->len > before) {
            mark(s, field[i]);
        }
    }
    return s->out->len > before;
}

static struct ml_instant day_said(struct saying *s, const struct ml_field *field)
{
    struct ml_instant at = {.precision = 0};
    struct ml_slice value = value_of(s, field);
    if (value.len > 0 && ml_instant_decode(&at, value) == ML_OK) {
        at.precision = at.precision > ML_PRECISION_DAY ? ML_PRECISION_DAY : at.precision;
        mark(s, field);
    }
    return at;
}

/* "onset>abatement" */
static bool say_span(struct saying *s, struct ml_slice from, struct ml_slice to)
{
    struct ml_instant start = day_said(s, field_in(s->args->entity, from));
    struct ml_instant end = day_said(s, field_in(s->args->entity, to));
    size_t before = s->out->len;
    ml_words_period(s->out, &start, &end, true);
    return s->out->len > before;
}

/* "a+b-words" */
static bool say_lack(struct saying *s, struct ml_slice names, struct ml_slice words)
{
    bool any = false;
    for (size_t at = 0; at < names.len;) {
        const uint8_t *plus = memchr(names.data + at, '+', names.len - at);
        size_t len = plus == NULL ? names.len - at : (size_t)(plus - names.data) - at;
        const struct ml_field *field = field_in(s->args->entity, ml_slice(names.data + at, len));
        any = any || value_of(s, field).len > 0;
        at += len + 1;
    }
    if (!any) {
        ml_buf_append(s->out, words.data, words.len);
    }
    return !any;
}

/* The names of a part in braces end at its sign. */
static size_t names_len(struct ml_slice place)
{
    size_t len = 0;
    while (len < place.len && strchr("?!~@#>-", place.data[len]) == NULL) {
        len++;
    }
    return len;
}

/* One part in braces, without them. */
static bool say_place(struct saying *s, struct ml_slice place)
{
    size_t len = names_len(place);
    struct ml_slice names = ml_slice(place.data, len);
    const struct ml_field *field = field_in(s->args->entity, names);
    int sign = len < place.len ? place.data[len] : 0;
    struct ml_slice rest =
        sign == 0 ? ml_slice(NULL, 0) : ml_slice(place.data + len + 1, place.len - len - 1);
    if (memchr(names.data, '/', len) != NULL) {
        return say_rhythm(s, names);
    }
    switch (sign) {
    case '>':
        return say_span(s, names, rest);
    case '-':
        return say_lack(s, names, rest);
    case '?':
    case '!':
        return say_if(s, field, sign == '?', rest);
    case '~':
        return say_unless(s, field, rest);
    case '#':
        return say_uncoded(s, field, rest);
    case '@':
        return say_field(s, field, ml_when_named(rest));
    default:
        return say_field(s, field, ML_WHEN_BARE);
    }
}

/* Text and parts in braces up to `end`; true when each of those said something. */
static bool say_run(struct saying *s, const char *at, const char *end)
{
    bool whole = true;
    while (at < end) {
        const char *brace = memchr(at, '{', (size_t)(end - at));
        const char *plain = brace == NULL ? end : brace;
        ml_buf_append(s->out, at, (size_t)(plain - at));
        at = plain;
        const char *close = brace == NULL ? NULL : memchr(at, '}', (size_t)(end - at));
        if (close != NULL) {
            whole = say_place(s, ml_slice(at + 1, (size_t)(close - at - 1))) && whole;
            at = close + 1;
        } else if (brace != NULL) {
            break;
        }
    }
    return whole;
}

static bool is_separator(uint8_t c)
{
    return c == ' ' || c == ',' || c == ';' || c == ':';
}

/* Drops the separators at both ends of what was said since `start`. */
static void trim(struct ml_buf *out, size_t start)
{
    size_t skip = start;
    while (skip < out->len && is_separator(out->data[skip])) {
        skip++;
    }
    while (out->len > skip && is_separator(out->data[out->len - 1])) {
        out->len--;
    }
    if (skip > start) {
        memmove(out->data + start, out->data + skip, out->len - skip);
        out->len -= skip - start;
    }
}

static void say_rule(struct saying *s, const char *rule)
{
    size_t start = s->out->len;
    const char *at = rule;
    while (*at != '\0') {
        size_t plain = strcspn(at, "[");
        say_run(s, at, at + plain);
        at += plain;
        const char *close = *at == '[' ? strchr(at, ']') : NULL;
        if (close == NULL) {
            break;
        }
        bool before[ML_SAY_FIELDS_MAX];
        size_t mark_len = s->out->len;
        memcpy(before, s->said, sizeof(before));
        if (!say_run(s, at + 1, close)) {
            s->out->len = mark_len;
            memcpy(s->said, before, sizeof(before));
        }
        at = close + 1;
    }
    trim(s->out, start);
}

/* ---- without a rule ---- */

static bool names_itself(const struct ml_field *field)
{
    return field->type == ML_TYPE_CODE || field->type == ML_TYPE_CONCEPT ||
           field->type == ML_TYPE_VALUE || field->type == ML_TYPE_COMPONENT ||
           field->type == ML_TYPE_PERIOD || field->type == ML_TYPE_DOSAGE;
}

/* A label inside a sentence: no capital, but for what is written in capitals. */
static void put_label(struct ml_buf *out, const char *label)
{
    bool word = label[0] >= 'A' && label[0] <= 'Z' && !(label[1] >= 'A' && label[1] <= 'Z');
    ml_buf_u8(out, (uint8_t)(word ? label[0] - 'A' + 'a' : label[0]));
    put(out, label + 1);
}

static void say_labelled(struct saying *s, const struct ml_field *field, size_t start)
{
    size_t before = s->out->len;
    put(s->out, before > start ? ", " : "");
    if (s->all || !names_itself(field)) {
        put_label(s->out, field->label_fr);
        put(s->out, " : ");
    }
    if (!say_field(s, field, ML_WHEN_BARE)) {
        s->out->len = before;
    }
}

static const struct ml_field *next_on_form(const struct ml_entity *entity, uint8_t after)
{
    const struct ml_field *next = NULL;
    for (size_t f = 0; f < entity->field_count; f++) {
        const struct ml_field *field = &entity->fields[f];
        if (field->form_order > after && (next == NULL || field->form_order < next->form_order)) {
            next = field;
        }
    }
    return next;
}

static bool heads_item(const struct ml_entity *entity, const struct ml_field *field)
{
    return (entity->title_field != NULL && strcmp(field->name, entity->title_field) == 0) ||
           (entity->effective_field != NULL && strcmp(field->name, entity->effective_field) == 0);
}

static void say_form(struct saying *s)
{
    const struct ml_entity *entity = s->args->entity;
    size_t start = s->out->len;
    const struct ml_field *field = NULL;
    for (uint8_t after = 0; (field = next_on_form(entity, after)) != NULL;) {
        after = field->form_order;
        if (!heads_item(entity, field)) {
            say_labelled(s, field, start);
        }
    }
}

/* ---- public ---- */

static ml_err finish(const struct saying *s)
{
    return s->err != ML_OK ? s->err : s->out->err;
}

static void say_title(struct saying *s)
{
    const struct ml_entity *entity = s->args->entity;
    if (entity->title_fr != NULL) {
        say_rule(s, entity->title_fr);
    } else if (entity->title_field != NULL) {
        say_field(s, field_in(entity, ml_slice_str(entity->title_field)), ML_WHEN_BARE);
    }
}

static void say_sentence(struct saying *s)
{
    if (s->args->entity->say_fr != NULL) {
        say_rule(s, s->args->entity->say_fr);
    } else {
        say_form(s);
    }
}

ml_err ml_say_title(struct ml_buf *out, const struct ml_say_args *args)
{
    struct saying s = {.out = out, .args = args};
    size_t before = out->len;
    say_title(&s);
    if (out->len == before) {
        put(out, args->entity->label_fr);
    }
    return finish(&s);
}

ml_err ml_say_sentence(struct ml_buf *out, const struct ml_say_args *args)
{
    struct saying s = {.out = out, .args = args};
    say_sentence(&s);
    return finish(&s);
}

ml_err ml_say_all(struct ml_buf *out, const struct ml_say_args *args)
{
    struct saying s = {.out = out, .args = args, .all = true};
    size_t start = out->len;
    say_title(&s);
    size_t title = out->len;
    put(out, title > start ? " : " : "");
    size_t sentence = out->len;
    say_sentence(&s);
    if (out->len == sentence) {
        out->len = title;
    }
    for (size_t f = 0; f < args->entity->field_count && f < ML_SAY_FIELDS_MAX; f++) {
        if (!s.said[f]) {
            say_labelled(&s, &args->entity->fields[f], start);
        }
    }
    return finish(&s);
}

/* ---- are the rules well formed? ---- */

static const char *place_fault(const struct ml_entity *entity, struct ml_slice place)
{
    size_t len = names_len(place);
    int sign = len < place.len ? place.data[len] : 0;
    size_t names = sign == '>' ? place.len : len;
    for (size_t at = 0; at < names;) {
        size_t part = 0;
        while (at + part < names && strchr("/+>", place.data[at + part]) == NULL) {
            part++;
        }
        const struct ml_field *field = field_in(entity, ml_slice(place.data + at, part));
        if (field == NULL) {
            return "a rule names a field that the entity lacks";
        }
        if ((sign == '?' || sign == '!') && field->type != ML_TYPE_BOOL) {
            return "words that depend on a field that is no boolean";
        }
        if (sign == '~' && (field->type != ML_TYPE_CODE || field->list)) {
            return "a code that goes without saying, of a field that is no code";
        }
        at += part + 1;
    }
    if (sign == '@' &&
        ml_when_named(ml_slice(place.data + len + 1, place.len - len - 1)) == ML_WHEN_BARE) {
        return "a date brought in by an unknown word";
    }
    return len == 0 ? "a rule with an empty field" : NULL;
}

/* Passes one part in braces, whose brace *at is on. */
static const char *brace_fault(const struct ml_entity *entity, const char **at)
{
    const char *open = *at + 1;
    const char *close = strchr(open, '}');
    if (close == NULL) {
        return "a brace that isn't closed";
    }
    *at = close;
    return place_fault(entity, ml_slice(open, (size_t)(close - open)));
}

static const char *rule_fault(const struct ml_entity *entity, const char *rule)
{
    bool open = false;
    const char *fault = NULL;
    for (const char *at = rule; *at != '\0' && fault == NULL; at++) {
        if (*at == '[' || *at == ']') {
            fault = open == (*at == '[') ? "brackets that don't match" : NULL;
            open = !open;
        } else if (*at == '}') {
            fault = "a brace that closes nothing";
        } else if (*at == '{') {
            fault = brace_fault(entity, &at);
        }
    }
    return fault == NULL && open ? "brackets that don't match" : fault;
}

const char *ml_say_fault(const struct ml_entity *entity)
{
    const char *fault = entity->field_count > ML_SAY_FIELDS_MAX ? "too many fields" : NULL;
    if (fault == NULL && entity->title_fr != NULL) {
        fault = rule_fault(entity, entity->title_fr);
    }
    if (fault == NULL && entity->say_fr != NULL) {
        fault = rule_fault(entity, entity->say_fr);
    }
    return fault;
}
