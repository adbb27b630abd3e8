/* core/record/values_text.c -- values in French (see values.h; peers 4.3: leading zero, decimal
 * comma, no trailing zero in a dose, nothing truncated). */
#include <stdio.h>
#include <string.h>

#include "core/codec/change.h"
#include "core/codec/mp_read.h"
#include "core/codec/value.h"
#include "core/record/date.h"
#include "core/record/units.h"
#include "core/record/values.h"

struct text {
    struct ml_buf *out;
    const struct ml_text_args *args;
    const struct ml_field *field;
    const struct ml_value_set *set;
};

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

static void put_slice(struct ml_buf *out, struct ml_slice s)
{
    ml_buf_append(out, s.data, s.len);
}

static void unreadable(const struct text *t)
{
    put(t->out, "(illisible)");
}

void ml_decimal_text(struct ml_buf *out, struct ml_slice decimal, bool keep_zeros)
{
    size_t len = decimal.len;
    bool fraction = len > 0 && memchr(decimal.data, '.', len) != NULL &&
                    memchr(decimal.data, 'e', len) == NULL &&
                    memchr(decimal.data, 'E', len) == NULL;
    while (fraction && !keep_zeros && len > 1 && decimal.data[len - 1] == '0') {
        len--;
    }
    if (fraction && len > 1 && decimal.data[len - 1] == '.') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        bool bare = decimal.data[i] == '.' && (i == 0 || decimal.data[i - 1] == '-');
        if (bare) {
            put(out, "0");
        }
        ml_buf_u8(out, decimal.data[i] == '.' ? ',' : decimal.data[i]);
    }
}

static struct ml_slice opt_str(struct ml_mp *mp)
{
    if (ml_mp_peek(mp) != ML_MP_STR) {
        ml_mp_value(mp);
        return ml_slice(NULL, 0);
    }
    return ml_mp_str(mp, 0, ML_CHANGE_VALUE_MAX);
}

/* How many decimals a computer's number keeps in a sentence; 0: all. One below 0,01 stays whole. */
static size_t decimals_kept(struct ml_slice number, size_t sign, size_t whole)
{
    const uint8_t *decimals = number.data + whole + 1;
    size_t count = number.len - whole - 1;
    bool small = whole == sign + 1 && number.data[sign] == '0';
    size_t kept = !small ? 2 : count >= 2 && (decimals[0] != '0' || decimals[1] != '0') ? 4 : 0;
    bool plain = number.len <= ML_DECIMAL_MAX;
    for (size_t i = sign; i < number.len; i++) {
        plain = plain && (i == whole || (number.data[i] >= '0' && number.data[i] <= '9'));
    }
    return plain && count > kept + 1 ? kept : 0;
}

/* A number with decimals that nobody measured is a computer's: in a sentence it reads « ≈ 81,95 »,
 * the value beside it is whole. False: it reads as it is. */
static bool rounded(struct ml_buf *out, struct ml_slice number)
{
    uint8_t digits[ML_DECIMAL_MAX + 2] = {'0'}; /* the leading zero takes the carry */
    const uint8_t *dot = memchr(number.data, '.', number.len);
    size_t whole = dot == NULL ? 0 : (size_t)(dot - number.data);
    size_t sign = whole > 0 && number.data[0] == '-';
    size_t kept = whole > sign ? decimals_kept(number, sign, whole) : 0;
    if (kept == 0) {
        return false;
    }
    size_t len = 1;
    for (size_t i = sign; i < whole + 1 + kept; i++) {
        if (i != whole) {
            digits[len++] = number.data[i];
        }
    }
    bool carry = dot[kept + 1] >= '5';
    for (size_t i = len; carry && i-- > 0;) {
        carry = digits[i] == '9';
        digits[i] = carry ? '0' : (uint8_t)(digits[i] + 1u);
    }
    const uint8_t *first = digits[0] == '0' ? digits + 1 : digits;
    size_t units = len - kept - (size_t)(first - digits);
    put(out, sign != 0 ? "≈ -" : "≈ ");
    ml_buf_append(out, first, units);
    put(out, ",");
    ml_buf_append(out, first + units, kept);
    return true;
}

/* A dose without a unit is a hazard of its own: it says so. */
static void amount_text(const struct text *t, struct ml_slice number, struct ml_slice ucum,
                        bool dose)
{
    struct ml_slice unit = ml_unit_fr(ucum, ml_words_plural(number));
    if (dose || !t->args->spoken || !rounded(t->out, number)) {
        ml_decimal_text(t->out, number, !dose);
    }
    put(t->out, unit.len > 0 && unit.data[0] != '/' ? " " : "");
    put_slice(t->out, unit);
    if (dose && ucum.len == 0 && number.len > 0) {
        put(t->out, " (unité non précisée)");
    }
}

static void quantity_text(const struct text *t, struct ml_mp *mp, bool dose)
{
    uint32_t count = ml_mp_array(mp, 2, 6);
    struct ml_slice number = opt_str(mp);
    struct ml_slice unit = opt_str(mp);
    if (count > 2) {
        struct ml_slice comparator = opt_str(mp);
        put_slice(t->out, comparator);
        put(t->out, comparator.len > 0 ? " " : "");
    }
    for (uint32_t i = 3; i < count; i++) {
        ml_mp_value(mp);
    }
    amount_text(t, number, unit, dose);
}

/* Is `code` one of "a|b|c"? */
static bool one_of(const char *list, struct ml_slice code)
{
    for (const char *p = list; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, "|");
        if (ml_slice_equal(ml_slice(p, len), code)) {
            return true;
        }
        p += len + (p[len] == '|');
    }
    return false;
}

static const char *code_label(const struct text *t, struct ml_slice code)
{
    for (size_t i = 0; t->set != NULL && i < t->set->item_count; i++) {
        const struct ml_value_set_item *item = &t->set->items[i];
        if (ml_slice_equal(ml_slice_str(item->code), code) || one_of(item->fhir, code)) {
            return item->label_fr;
        }
    }
    return NULL;
}

static void code_named(const struct text *t, struct ml_slice code, struct ml_slice display)
{
    const char *label = code_label(t, code);
    if (label != NULL) {
        put(t->out, label);
    } else {
        put_slice(t->out, display.len > 0 ? display : code);
    }
}

static void code_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 3, 3);
    ml_mp_value(mp);
    struct ml_slice code = opt_str(mp);
    code_named(t, code, opt_str(mp));
}

/* Codes that practitioners read as such stand in parentheses behind the words. */
static bool code_is_read(struct ml_slice scheme)
{
    static const char *const schemes[] = {
        "http://hl7.org/fhir/sid/icd-10",
        "urn:oid:2.16.840.1.113883.6.139", /* CISP-2 */
        "http://www.whocc.no/atc",
    };
    bool read = false;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        read = read || ml_slice_equal(scheme, ml_slice_str(schemes[i]));
    }
    return read;
}

/* The label in the field's list of a code of the list's own system; NULL when it has none. */
static const char *listed_label(const struct text *t, const struct ml_code *code)
{
    bool ours = t->set != NULL && ml_slice_equal(code->scheme, ml_slice_str(t->set->system_uri));
    return ours ? code_label(t, code->code) : NULL;
}

/* What the codes of a concept call it. */
struct called {
    const char *label;     /* in the field's list; NULL: in none */
    struct ml_slice first; /* the first that says anything */
    struct ml_slice read;  /* the first that practitioners read */
};

static void call_code(const struct text *t, struct ml_slice own, const struct ml_code *code,
                      struct called *c)
{
    bool repeats = own.len == 0 || ml_slice_equal(own, code->display);
    c->label = c->label == NULL && repeats ? listed_label(t, code) : c->label;
    if (c->first.len == 0) {
        c->first = code->display.len > 0 ? code->display : code->code;
    }
    c->read = c->read.len == 0 && code_is_read(code->scheme) ? code->code : c->read;
}

/* What a person wrote; where the text only repeats what a code is called, its French label. */
static void concept_text(const struct text *t, struct ml_mp *mp)
{
    ml_mp_array(mp, 2, 2);
    struct called called = {.label = NULL};
    struct ml_slice own = opt_str(mp);
    uint32_t count = ml_mp_array(mp, 0, 64);
    for (uint32_t i = 0; i < count; i++) {
        struct ml_code code;
        if (ml_code_decode(&code, ml_mp_value(mp)) == ML_OK) {
            call_code(t, own, &code, &called);
        }
    }
    struct ml_slice words = called.label != NULL ? ml_slice_str(called.label)
                            : own.len > 0        ? own
                                                 : called.first;
    put_slice(t->out, words);
    if (called.read.len > 0 && !ml_slice_equal(called.read, words)) {
        put(t->out, " (");
        put_slice(t->out, called.read);
        put(t->out, ")");
    }
}

static void instant_text(const struct text *t, struct ml_slice value)
{
    struct ml_instant instant;
    if (ml_instant_decode(&instant, value) != ML_OK) {
        unreadable(t);
        return;
    }
    if (t->args->when != ML_WHEN_BARE && instant.precision > ML_PRECISION_DAY) {
        instant.precision = ML_PRECISION_DAY; /* « depuis le 3 mars », whatever the hour */
    }
    ml_words_instant(t->out, &instant, t->args->when, t->args->spoken);
}

static void period_text(const struct text *t, struct ml_slice value)
{
    struct ml_instant ends[2] = {{.precision = 0}, {.precision = 0}};
    struct ml_mp mp;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    ml_mp_array(&mp, 2, 2);
    for (size_t i = 0; i < 2; i++) {
        struct ml_slice end = ml_mp_value(&mp);
        if (end.len > 1 && ml_instant_decode(&ends[i], end) != ML_OK) {
            unreadable(t);
            return;
        }
        if (t->args->when != ML_WHEN_BARE && ends[i].precision > ML_PRECISION_DAY) {
            ends[i].precision = ML_PRECISION_DAY;
        }
    }
    ml_words_period(t->out, &ends[0], &ends[1], t->args->spoken);
}

static void date_text(const struct text *t, struct ml_mp *mp)
{
    struct ml_date date;
    if (ml_date_parse(opt_str(mp), &date)) {
        ml_words_date(t->out, &date, t->args->when, t->args->spoken);
    } else {
        unreadable(t);
    }
}

/* « (structure non disponible ici) »: what the field would lead to, when it isn't here. */
static void absent_text(const struct text *t)
{
    const char *names = t->field->ref == NULL ? "" : t->field->ref;
    struct ml_slice first = ml_slice(names, strcspn(names, "|"));
    const char *label = NULL;
    for (size_t i = 0; i < t->args->schema->entity_count && label == NULL; i++) {
        const struct ml_entity *entity = t->args->schema->entities[i];
        label = ml_slice_equal(first, ml_slice_str(entity->name)) ? entity->label_fr : NULL;
    }
    put(t->out, "(");
    if (label == NULL) {
        put(t->out, "élément");
    } else {
        bool upper = label[0] >= 'A' && label[0] <= 'Z';
        ml_buf_u8(t->out, (uint8_t)(upper ? label[0] - 'A' + 'a' : label[0]));
        put(t->out, label + 1);
    }
    put(t->out, " non disponible ici)");
}

static void ref_text(const struct text *t, struct ml_mp *mp)
{
    struct ml_slice bytes = ml_mp_bin(mp, 16, 16);
    struct ml_object_id id;
    size_t before = t->out->len;
    if (bytes.len == sizeof(id.b) && t->args->ref != NULL) {
        memcpy(id.b, bytes.data, sizeof(id.b));
        t->args->ref(t->args->user, &id, t->out);
    }
    if (t->out->len == before) {
        absent_text(t);
    }
}

/* FHIR's words for what a contact, an address or a name is for. */
static void use_text(const struct text *t, struct ml_slice word)
{
    static const struct {
        const char *use;
        const char *fr;
    } uses[] = {
        {"home", "domicile"},
        {"work", "travail"},
        {"mobile", "portable"},
        {"old", "ancien"},
        {"temp", "temporaire"},
        {"fax", "télécopie"},
        {"official", ""},
        {"usual", "nom utilisé"},
        {"maiden", "nom de naissance"},
        {"nickname", "surnom"},
        {"anonymous", "anonyme"},
        {"billing", "facturation"},
        {"phone", ""},
        {"email", ""},
        {"secondary", "secondaire"},
    };
    const char *fr = NULL;
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]) && fr == NULL; i++) {
        fr = ml_slice_equal(word, ml_slice_str(uses[i].use)) ? uses[i].fr : NULL;
    }
    if (word.len == 0 || (fr != NULL && fr[0] == '\0')) {
        return;
    }
    put(t->out, " (");
    put_slice(t->out, fr == NULL ? word : ml_slice_str(fr));
    put(t->out, ")");
}

static void lines_text(const struct text *t, struct ml_list list, const char *separator,
                       size_t start)
{
    struct ml_list_walk walk;
    struct ml_slice line;
    ml_list_walk(&walk, &list);
    while (ml_line_next(&walk, &line)) {
        put(t->out, line.len > 0 && t->out->len > start ? separator : "");
        put_slice(t->out, line);
    }
}

static void part_text(const struct text *t, struct ml_slice part, const char *separator,
                      size_t start)
{
    put(t->out, part.len > 0 && t->out->len > start ? separator : "");
    put_slice(t->out, part);
}

/* Parts that the strict reader refuses: each text that is there, in order. */
static void loose_text(const struct text *t, struct ml_slice value)
{
    size_t start = t->out->len;
    struct ml_mp mp;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    uint32_t count = ml_mp_array(&mp, 0, 256);
    for (uint32_t i = 0; i < count; i++) {
        bool list = ml_mp_peek(&mp) == ML_MP_ARRAY;
        uint32_t parts = list ? ml_mp_array(&mp, 0, 256) : 1;
        for (uint32_t p = 0; p < parts; p++) {
            part_text(t, opt_str(&mp), " ", start);
        }
    }
    if (t->out->len == start) {
        unreadable(t);
    }
}

static void identifier_text(const struct text *t, struct ml_slice value)
{
    struct ml_identifier id;
    if (ml_identifier_decode(&id, value) != ML_OK) {
        loose_text(t, value);
        return;
    }
    put_slice(t->out, id.value);
    if (id.type.len > 0) {
        put(t->out, " (");
        put_slice(t->out, id.type);
        put(t->out, ")");
    }
    use_text(t, id.use);
}

static void contact_text(const struct text *t, struct ml_slice value)
{
    struct ml_contact contact;
    if (ml_contact_decode(&contact, value) != ML_OK) {
        loose_text(t, value);
        return;
    }
    put_slice(t->out, contact.value);
    use_text(t, contact.medium);
    use_text(t, contact.use);
}

static void name_text(const struct text *t, struct ml_slice value)
{
    struct ml_person_name name;
    size_t start = t->out->len;
    if (ml_person_name_decode(&name, value) != ML_OK) {
        loose_text(t, value);
        return;
    }
    lines_text(t, name.prefix, " ", start);
    part_text(t, name.family, " ", start);
    lines_text(t, name.given, " ", start);
    lines_text(t, name.suffix, " ", start);
    use_text(t, name.use);
}

static void address_text(const struct text *t, struct ml_slice value)
{
    struct ml_address a;
    size_t start = t->out->len;
    if (ml_address_decode(&a, value) != ML_OK) {
        loose_text(t, value);
        return;
    }
    lines_text(t, a.lines, ", ", start);
    part_text(t, a.postal_code, ", ", start);
    part_text(t, a.city, a.postal_code.len > 0 ? " " : ", ", start);
    part_text(t, a.district, ", ", start);
    part_text(t, a.state, ", ", start);
    if (!ml_slice_equal(a.country, ml_slice_str("FR"))) {
        part_text(t, a.country, ", ", start);
    }
    use_text(t, a.use);
}

/* ---- dosages ---- */

/* The same text with another list of codes, for a part of a structured value. */
static struct text with_set(const struct text *t, const char *name)
{
    struct text part = *t;
    part.set = ml_schema_value_set(t->args->schema, name);
    return part;
}

static void dosage_amount(const struct text *t, const struct ml_dosage *d)
{
    if (d->dose.number.len > 0) {
        amount_text(t, d->dose.number, d->dose.unit, d->dose_high.number.len == 0);
    }
    if (d->dose_high.number.len > 0) {
        put(t->out, d->dose.number.len > 0 ? " à " : "");
        amount_text(t, d->dose_high.number, d->dose_high.unit, true);
    }
}

static void dosage_moments(const struct text *t, const struct ml_dosage *d, size_t start)
{
    const struct text moment = with_set(t, "intake_moment");
    struct ml_list_walk walk;
    struct ml_slice when;
    ml_list_walk(&walk, &d->when);
    while (ml_line_next(&walk, &when)) {
        put(t->out, t->out->len > start ? ", " : "");
        code_named(&moment, when, ml_slice(NULL, 0));
    }
}

static void dosage_code(const struct text *t, const struct ml_code *code, const char *set,
                        const char *before)
{
    const struct text part = with_set(t, set);
    if (code->code.len > 0 || code->display.len > 0) {
        put(t->out, before);
        code_named(&part, code->code, code->display);
    }
}

/* « 1 comprimé 2 fois par jour, matin, soir, si besoin : douleur, voie orale ». */
static void dosage_text(const struct text *t, struct ml_slice value)
{
    struct ml_dosage d;
    size_t start = t->out->len;
    if (ml_dosage_decode(&d, value) != ML_OK) {
        unreadable(t);
        return;
    }
    const struct ml_rhythm rhythm = {
        .times = d.frequency, .times_max = d.frequency_max, .period = d.period, .unit = d.unit};
    dosage_amount(t, &d);
    bool paced = d.frequency > 0 || d.frequency_max > 0 || d.period.len > 0 || d.unit.len > 0;
    put(t->out, paced && t->out->len > start ? " " : "");
    ml_words_rhythm(t->out, &rhythm);
    dosage_moments(t, &d, start);
    if (d.as_needed) {
        put(t->out, t->out->len > start ? ", si besoin" : "si besoin");
        dosage_code(t, &d.reason, "", " : ");
    }
    dosage_code(t, &d.route, "route", t->out->len > start ? ", " : "");
    dosage_code(t, &d.site, "injection_site", t->out->len > start ? ", " : "");
    if (d.rate.number.len > 0) {
        put(t->out, t->out->len > start ? ", débit " : "débit ");
        amount_text(t, d.rate.number, d.rate.unit, true);
    }
    if (d.text.len > 0) {
        bool alone = t->out->len == start;
        put(t->out, alone ? "" : ", « ");
        put_slice(t->out, d.text);
        put(t->out, alone ? "" : " »");
    }
    if (t->out->len == start) {
        put(t->out, "(posologie non précisée)");
    }
}

static void attachment_text(const struct text *t, struct ml_slice value)
{
    struct ml_attachment a;
    if (ml_attachment_decode(&a, value) != ML_OK) {
        unreadable(t);
        return;
    }
    ml_file_text(t->out, &a);
    part_text(t, a.url, ", ", 0);
}

static void number_text(const struct text *t, struct ml_mp *mp)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%lld", (long long)ml_mp_int(mp, INT64_MIN, INT64_MAX));
    ml_buf_append(t->out, text, (size_t)len);
}

/* An array of a VALUE: what it is shows in its shape. */
static void array_text(const struct text *t, struct ml_mp *mp)
{
    struct ml_slice value = ml_mp_value(mp);
    struct ml_mp in;
    ml_mp_init(&in, value, ML_MP_CANONICAL);
    ml_field_type shape = ml_value_shape_of(value);
    if (shape == ML_TYPE_INSTANT) {
        instant_text(t, value);
    } else if (shape == ML_TYPE_CONCEPT) {
        concept_text(t, &in);
    } else if (shape == ML_TYPE_PERIOD) {
        period_text(t, value);
    } else if (shape == ML_TYPE_QUANTITY) {
        quantity_text(t, &in, false);
    } else if (shape == ML_TYPE_CODE) {
        code_text(t, &in);
    } else {
        unreadable(t);
    }
}

static void value_text(const struct text *t, struct ml_mp *mp)
{
    switch (ml_mp_peek(mp)) {
    case ML_MP_BOOL:
        put(t->out, ml_mp_bool(mp) ? "oui" : "non");
        break;
    case ML_MP_UINT:
    case ML_MP_NEGATIVE:
        number_text(t, mp);
        break;
    case ML_MP_STR:
        put_slice(t->out, opt_str(mp));
        break;
    case ML_MP_ARRAY:
        array_text(t, mp);
        break;
    case ML_MP_NIL:
        ml_mp_nil(mp);
        break;
    case ML_MP_NONE:
    case ML_MP_BIN:
    case ML_MP_MAP:
    case ML_MP_FLOAT:
        ml_mp_value(mp);
        unreadable(t);
        break;
    }
}

static void component_text(const struct text *t, struct ml_mp *mp)
{
    uint32_t count = ml_mp_array(mp, 2, 4);
    concept_text(t, mp);
    put(t->out, " : ");
    if (ml_mp_peek(mp) == ML_MP_STR) { /* the state of an action, of the field's list */
        code_named(t, opt_str(mp), ml_slice(NULL, 0));
    } else {
        value_text(t, mp);
    }
    for (uint32_t i = 2; i < count; i++) {
        ml_mp_value(mp);
    }
}

static void item_text(const struct text *t, struct ml_mp *mp)
{
    switch (t->field->type) {
    case ML_TYPE_QUANTITY:
        quantity_text(t, mp, t->field->merge == ML_MERGE_ATOMIC); /* doses are in groups */
        break;
    case ML_TYPE_DECIMAL:
        ml_decimal_text(t->out, opt_str(mp), false);
        break;
    case ML_TYPE_CODE:
        code_text(t, mp);
        break;
    case ML_TYPE_CONCEPT:
        concept_text(t, mp);
        break;
    case ML_TYPE_DATE:
        date_text(t, mp);
        break;
    case ML_TYPE_INSTANT:
        instant_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_PERIOD:
        period_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_REF:
        ref_text(t, mp);
        break;
    case ML_TYPE_IDENTIFIER:
        identifier_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_CONTACT:
        contact_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_NAME:
        name_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_ADDRESS:
        address_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_COMPONENT:
        component_text(t, mp);
        break;
    case ML_TYPE_DOSAGE:
        dosage_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_ATTACHMENT:
        attachment_text(t, ml_mp_value(mp));
        break;
    case ML_TYPE_TEXT:
    case ML_TYPE_BOOL:
    case ML_TYPE_INT:
    case ML_TYPE_VALUE:
        value_text(t, mp);
        break;
    }
}

void ml_value_text_fr(struct ml_buf *out, const struct ml_text_args *args,
                      const struct ml_field *field, struct ml_slice value)
{
    const struct text t = {.out = out,
                           .args = args,
                           .field = field,
                           .set = field->value_set == NULL
                                      ? NULL
                                      : ml_schema_value_set(args->schema, field->value_set)};
    struct ml_mp mp;
    ml_mp_init(&mp, value, ML_MP_CANONICAL);
    if (!ml_value_fits(field, value)) {
        unreadable(&t);
        return;
    }
    if (ml_mp_peek(&mp) == ML_MP_NIL) {
        return;
    }
    uint32_t count = field->list ? ml_mp_array(&mp, 0, 1024) : 1;
    bool commas = field->type == ML_TYPE_ADDRESS || field->type == ML_TYPE_DOSAGE ||
                  field->type == ML_TYPE_COMPONENT;
    const char *separator = field->type == ML_TYPE_DOSAGE ? ", puis " : commas ? " ; " : ", ";
    bool with_and = args->spoken && !commas;
    for (uint32_t i = 0; i < count; i++) {
        put(out, i == 0 ? "" : with_and && i + 1 == count ? " et " : separator);
        item_text(&t, &mp);
    }
}
