/* core/record/vault_person.c -- the patient index in the vault: kept as patients change, searched
 * at each keystroke.
 *
 * Happy path of a search: the term whose tokens are rarest drives; each of its patients is checked
 * against all terms on his packed tokens, scored, sorted. A single common term stops early: what it
 * shows is then a beginning, and the answer says `more`.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/mp_read.h"
#include "core/codec/value.h"
#include "core/crypto/hash.h"
#include "core/record/date.h"
#include "core/record/fold.h"
#include "core/record/person.h"
#include "core/record/values.h"
#include "core/record/vault_int.h"
#include "core/record/views_int.h"

enum {
    PROBE_MAX = 512,  /* tokens counted of a term to tell whether it is rare */
    VISIT_MAX = 4000, /* patients checked for one query */
    FOUND_MAX = 512,  /* matches kept to be sorted */
    CARD_FIELDS = 8,
};

/* ---- keeping ---- */

struct indexing {
    struct ml_vault *v;
    struct ml_object *o;
    struct ml_buf tokens;
    struct ml_buf card; /* texts separated by U+001F, in the order of `wanted` */
    ml_err err;
};

static uint8_t name_rank(const struct ml_field *field)
{
    if (strcmp(field->name, "birth_name") == 0) {
        return ML_RANK_BIRTH_NAME;
    }
    if (strcmp(field->name, "used_name") == 0) {
        return ML_RANK_USED_NAME;
    }
    return strstr(field->name, "given") != NULL ? ML_RANK_GIVEN : ML_RANK_OTHER;
}

static void index_name(struct indexing *x, const struct ml_field *field, struct ml_slice item)
{
    struct ml_slice text;
    struct ml_person_name name;
    struct ml_list_walk walk;
    if (field->type == ML_TYPE_TEXT && ml_text_decode(&text, item) == ML_OK) {
        ml_tokens_name(&x->tokens, name_rank(field), text);
        return;
    }
    if (field->type != ML_TYPE_NAME || ml_person_name_decode(&name, item) != ML_OK) {
        return;
    }
    ml_tokens_name(&x->tokens, ML_RANK_OTHER, name.family);
    ml_list_walk(&walk, &name.given);
    while (ml_line_next(&walk, &text)) {
        ml_tokens_name(&x->tokens, ML_RANK_OTHER, text);
    }
}

/* The second text of a tuple: value of an identifier or a contact. */
static void index_identifier(struct indexing *x, const struct ml_field *field, struct ml_slice item)
{
    struct ml_slice text;
    struct ml_identifier identifier;
    struct ml_contact contact;
    if (field->type == ML_TYPE_TEXT && ml_text_decode(&text, item) == ML_OK) {
        ml_tokens_identifier(&x->tokens, text);
    } else if (field->type == ML_TYPE_IDENTIFIER &&
               ml_identifier_decode(&identifier, item) == ML_OK) {
        ml_tokens_identifier(&x->tokens, identifier.value);
    } else if (field->type == ML_TYPE_CONTACT && ml_contact_decode(&contact, item) == ML_OK) {
        ml_tokens_identifier(&x->tokens, contact.value);
    }
}

static void index_item(struct indexing *x, const struct ml_field *field, struct ml_slice item)
{
    struct ml_slice text;
    if (field->search == ML_SEARCH_NAME) {
        index_name(x, field, item);
    } else if (field->search == ML_SEARCH_IDENTIFIER) {
        index_identifier(x, field, item);
    } else if (field->search == ML_SEARCH_BIRTH_DATE && ml_text_decode(&text, item) == ML_OK) {
        ml_tokens_date(&x->tokens, text);
    }
}

static void index_value(struct indexing *x, const struct ml_field *field, struct ml_slice value)
{
    struct ml_values_walk walk;
    struct ml_slice item;
    if (!field->list) {
        index_item(x, field, value);
        return;
    }
    if (ml_values_walk(&walk, value) == ML_OK) {
        while (ml_values_next(&walk, &item)) {
            index_item(x, field, item);
        }
    }
}

/* Every head: a patient is found by both of two names in conflict. */
static ml_err index_field(struct indexing *x, const struct ml_field *field)
{
    struct ml_register r;
    struct ml_slice value;
    ml_err err = ml_object_register(x->o, ml_field_slot(field), &r);
    if (err != ML_OK) {
        return err;
    }
    for (uint32_t h = 0; h < r.head_count; h++) {
        if (ml_object_value(x->o, r.head_versions[h], field, &value)) {
            index_value(x, field, value);
        }
    }
    ml_register_free(x->o, &r);
    return x->tokens.err;
}

/* Appends the shown value of a named field to the card; nothing when it has none. */
static ml_err card_field(struct indexing *x, const char *name)
{
    const struct ml_field *field = ml_entity_field_named(x->o->entity, name);
    struct ml_shown shown = {.found = false};
    const struct ml_text_args args = {.schema = x->v->schema};
    ml_err err = field == NULL ? ML_OK : ml_object_shown(x->o, field, &shown);
    if (err == ML_OK && shown.found && field->type == ML_TYPE_DATE) {
        struct ml_slice iso;
        if (ml_text_decode(&iso, shown.value) == ML_OK) {
            ml_buf_append(&x->card, iso.data, iso.len);
        }
    } else if (err == ML_OK && shown.found) {
        ml_value_text_fr(&x->card, &args, field, shown.value);
    }
    ml_buf_u8(&x->card, CARD_SEPARATOR);
    return err == ML_OK ? x->card.err : err;
}

static ml_err index_gather(struct indexing *x)
{
    static const char *const wanted[CARD_FIELDS] = {
        "birth_name", "used_name", "birth_given_names", "used_given_name", "birth_date",
        "sex",        "ins",       "deceased_at"};
    ml_err err = ML_OK;
    for (size_t i = 0; i < CARD_FIELDS && err == ML_OK; i++) {
        err = card_field(x, wanted[i]);
    }
    for (size_t f = 0; f < x->o->entity->field_count && err == ML_OK; f++) {
        const struct ml_field *field = &x->o->entity->fields[f];
        if (field->search == ML_SEARCH_NAME || field->search == ML_SEARCH_BIRTH_DATE ||
            field->search == ML_SEARCH_IDENTIFIER) {
            err = index_field(x, field);
        }
    }
    return err;
}

static ml_err token_write(struct ml_vault *v, enum vault_stmt st, struct ml_slice tokens,
                          int64_t patient)
{
    struct ml_slice token;
    uint8_t rank = 0;
    size_t at = 0;
    ml_err err = ML_OK;
    while (err == ML_OK && ml_tokens_next(tokens, &at, &rank, &token)) {
        ml_stmt_bind_blob(v->st[st], 1, token.data, token.len);
        ml_stmt_bind_int(v->st[st], 2, rank);
        ml_stmt_bind_int(v->st[st], 3, patient);
        err = ml_stmt_run(v->st[st]);
    }
    return err;
}

/* Removes the tokens that the patient had, but when they are the same. *same: nothing to do. */
static ml_err drop_tokens(struct ml_vault *v, int64_t patient, struct ml_slice now, bool *same)
{
    struct ml_buf old;
    bool row = false;
    ml_buf_init(&old, v->env, 1u << 20);
    ml_stmt_bind_int(v->st[ST_PATIENT_TOKENS], 1, patient);
    ml_err err = ml_vault_row(v, ST_PATIENT_TOKENS, &row);
    if (err == ML_OK && row) {
        struct ml_slice tokens = ml_stmt_blob(v->st[ST_PATIENT_TOKENS], 0);
        ml_buf_append(&old, tokens.data, tokens.len);
        err = old.err;
    }
    ml_stmt_reset(v->st[ST_PATIENT_TOKENS]);
    *same = ml_slice_equal(ml_buf_slice(&old), now);
    if (err == ML_OK && !*same) {
        err = token_write(v, ST_TOKEN_DELETE, ml_buf_slice(&old), patient);
    }
    ml_buf_free(&old);
    return err;
}

/* Patients of one folded birth name and first given name are homonyms: 63 bits of its hash. */
static ml_err homonym_key(const struct ml_env *env, struct ml_slice card, int64_t *key)
{
    struct ml_buf folded;
    uint8_t hash[8];
    struct ml_slice given = ml_card_text(card, CARD_GIVEN_NAMES);
    size_t first = 0;
    while (first < given.len && given.data[first] != ',') {
        first++;
    }
    ml_buf_init(&folded, env, 8192);
    ml_fold(&folded, ml_card_text(card, CARD_BIRTH_NAME));
    ml_buf_u8(&folded, CARD_SEPARATOR);
    ml_fold(&folded, ml_slice(given.data, first));
    const struct ml_slice part = ml_buf_slice(&folded);
    ml_err err = folded.err;
    ml_hash_parts(hash, sizeof(hash), ml_slice(NULL, 0), &part, 1);
    ml_buf_free(&folded);
    *key = (int64_t)(ml_get_u64be(hash) >> 1);
    return err == ML_E_LIMIT ? ML_OK : err; /* of a name beyond all measure, its beginning */
}

ml_err ml_vault_index_patient(struct ml_vault *v, int64_t patient, struct ml_object *o)
{
    struct indexing x = {.v = v, .o = o};
    bool same = false;
    ml_buf_init(&x.tokens, v->env, 1u << 20);
    ml_buf_init(&x.card, v->env, 1u << 20);
    ml_err err = index_gather(&x);
    if (err == ML_OK) {
        err = drop_tokens(v, patient, ml_buf_slice(&x.tokens), &same);
    }
    if (err == ML_OK && !same) {
        err = token_write(v, ST_TOKEN_PUT, ml_buf_slice(&x.tokens), patient);
    }
    int64_t hkey = 0;
    if (err == ML_OK) {
        err = homonym_key(v->env, ml_buf_slice(&x.card), &hkey);
    }
    if (err == ML_OK) {
        struct ml_stmt *st = v->st[ST_PATIENT_CARD];
        ml_stmt_bind_int(st, 1, patient);
        ml_stmt_bind_blob(st, 2, x.card.data, x.card.len);
        ml_stmt_bind_blob(st, 3, x.tokens.data, x.tokens.len);
        ml_stmt_bind_int(st, 4, hkey);
        err = ml_stmt_run(st);
    }
    ml_buf_free(&x.tokens);
    ml_buf_free(&x.card);
    return err;
}

/* ---- searching ---- */

struct found {
    int64_t patient;
    uint32_t score;
    uint32_t order; /* in which it was met: by token, so by name */
};

struct finding {
    struct ml_vault *v;
    struct ml_query query;
    struct found found[FOUND_MAX];
    uint32_t count;
    uint32_t visited;
    uint32_t wanted;
    bool more;
};

struct ml_slice ml_card_text(struct ml_slice card, unsigned field)
{
    size_t at = 0;
    for (unsigned i = 0; at < card.len; i++) {
        size_t end = at;
        while (end < card.len && card.data[end] != CARD_SEPARATOR) {
            end++;
        }
        if (i == field) {
            return ml_slice(card.data + at, end - at);
        }
        at = end + 1;
    }
    return ml_slice(NULL, 0);
}

/* Binds the range of tokens that begin with `alt`. */
static void bind_range(struct ml_stmt *st, const struct ml_query_alt *alt, uint8_t *upper)
{
    memcpy(upper, alt->token, alt->len);
    upper[alt->len] = 0xff; /* above any folded text */
    ml_stmt_bind_blob(st, 1, alt->token, alt->len);
    ml_stmt_bind_blob(st, 2, upper, alt->len + 1u);
}

static ml_err probe_term(struct finding *f, const struct ml_query_term *term, uint32_t *count)
{
    struct ml_stmt *st = f->v->st[ST_TOKEN_RANGE];
    uint8_t upper[ML_TOKEN_MAX + 1];
    ml_err err = ML_OK;
    *count = 0;
    for (uint8_t a = 0; a < term->alt_count && err == ML_OK; a++) {
        bool row = true;
        bind_range(st, &term->alt[a], upper);
        while (err == ML_OK && row && *count < PROBE_MAX) {
            err = ml_stmt_step(st, &row);
            *count += row;
        }
        ml_stmt_reset(st);
    }
    return err;
}

static ml_err choose_driver(struct finding *f, uint8_t *driver)
{
    uint32_t best = UINT32_MAX;
    ml_err err = ML_OK;
    *driver = 0;
    for (uint8_t i = 0; i < f->query.count && f->query.count > 1 && err == ML_OK; i++) {
        uint32_t count = 0;
        err = probe_term(f, &f->query.term[i], &count);
        if (count < best) {
            best = count;
            *driver = i;
        }
    }
    return err;
}

static bool met_before(const struct finding *f, int64_t patient)
{
    for (uint32_t i = 0; i < f->count; i++) {
        if (f->found[i].patient == patient) {
            return true;
        }
    }
    return false;
}

static ml_err visit(struct finding *f, int64_t patient)
{
    struct ml_stmt *st = f->v->st[ST_PATIENT_TOKENS];
    bool row = false;
    uint32_t score = 0;
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row && ml_query_match(&f->query, ml_stmt_blob(st, 0), &score) &&
        !met_before(f, patient)) {
        f->found[f->count] = (struct found){patient, score, f->count};
        f->count++;
    }
    ml_stmt_reset(st);
    return err;
}

/* Stops when enough are found for one page and some more, so that the best are among them. */
static bool enough(struct finding *f)
{
    uint32_t keep = f->wanted * 2 + 64 < FOUND_MAX ? f->wanted * 2 + 64 : FOUND_MAX;
    f->more = f->count >= keep || f->visited >= VISIT_MAX;
    return f->more;
}

static ml_err drive(struct finding *f, const struct ml_query_alt *alt)
{
    struct ml_stmt *st = f->v->st[ST_TOKEN_RANGE];
    uint8_t upper[ML_TOKEN_MAX + 1];
    ml_err err = ML_OK;
    bool row = true;
    bind_range(st, alt, upper);
    while (!enough(f)) {
        err = ml_stmt_step(st, &row);
        if (err != ML_OK || !row) {
            break;
        }
        f->visited++;
        err = visit(f, ml_stmt_int(st, 2));
        if (err != ML_OK) {
            break;
        }
    }
    ml_stmt_reset(st);
    return err;
}

static int found_order(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;
    if (x->score != y->score) {
        return x->score < y->score ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static ml_err run_query(struct finding *f)
{
    static const struct ml_query_alt any_name = {.len = 1, .token = {'n'}};
    uint8_t driver = 0;
    if (f->query.count == 0) {
        return drive(f, &any_name);
    }
    ml_err err = choose_driver(f, &driver);
    const struct ml_query_term *term = &f->query.term[driver];
    for (uint8_t a = 0; a < term->alt_count && err == ML_OK; a++) {
        err = drive(f, &term->alt[a]);
    }
    qsort(f->found, f->count, sizeof(f->found[0]), found_order);
    return err;
}

static ml_err is_homonym(struct ml_vault *v, struct ml_slice card, bool *homonym)
{
    struct ml_stmt *st = v->st[ST_PATIENT_HKEY];
    int64_t hkey = 0;
    bool row = false;
    ml_err err = homonym_key(v->env, card, &hkey);
    if (err == ML_OK) {
        ml_stmt_bind_int(st, 1, hkey);
        err = ml_stmt_step(st, &row);
    }
    *homonym = err == ML_OK && row && ml_stmt_int(st, 0) > 1;
    ml_stmt_reset(st);
    return err;
}

static ml_err write_found(struct finding *f, int64_t patient, struct ml_args *out)
{
    struct ml_stmt *st = f->v->st[ST_PATIENT_GET];
    bool row = false;
    ml_stmt_bind_int(st, 1, patient);
    ml_err err = ml_stmt_step(st, &row);
    if (err == ML_OK && row) {
        bool homonym = false;
        struct ml_slice card = ml_stmt_blob(st, 1);
        ml_args_map(out);
        ml_view_put_id(out, "patient", ml_stmt_blob(st, 0));
        ml_view_put_card(out, card);
        err = is_homonym(f->v, card, &homonym);
        ml_args_key(out, "homonym");
        ml_args_bool(out, homonym);
        ml_args_end(out);
    }
    ml_stmt_reset(st);
    return err;
}

ml_err ml_view_find(struct ml_vault *v, const char *query, uint32_t limit, struct ml_args *out)
{
    struct finding *f = ml_alloc(v->env, sizeof(*f));
    if (f == NULL || out == NULL) {
        ml_release(v->env, f);
        return ML_E_NOMEM;
    }
    f->v = v;
    f->wanted = limit == 0 ? 50 : limit;
    ml_query_parse(&f->query, query);
    ml_err err = run_query(f);
    uint32_t shown = f->count < f->wanted ? f->count : f->wanted;
    ml_args_map(out);
    ml_args_key(out, "complete");
    ml_args_bool(out, ml_vault_complete(v));
    ml_args_key(out, "more");
    ml_args_bool(out, f->more || f->count > shown);
    ml_args_key(out, "items");
    ml_args_list(out);
    for (uint32_t i = 0; i < shown && err == ML_OK; i++) {
        err = write_found(f, f->found[i].patient, out);
    }
    ml_args_end(out);
    ml_args_end(out);
    ml_release(v->env, f);
    return err;
}
