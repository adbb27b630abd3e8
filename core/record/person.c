/* core/record/person.c -- see person.h. */
#include "core/record/person.h"

#include <string.h>

#include "core/record/date.h"
#include "core/record/fold.h"

/* ---- tokens ---- */

bool ml_tokens_next(struct ml_slice tokens, size_t *at, uint8_t *rank, struct ml_slice *token)
{
    if (tokens.len - *at < 2 || tokens.len - *at - 2 < tokens.data[*at + 1]) {
        return false;
    }
    *rank = tokens.data[*at];
    *token = ml_slice(tokens.data + *at + 2, tokens.data[*at + 1]);
    *at += 2 + token->len;
    return true;
}

static void add_token(struct ml_buf *tokens, uint8_t rank, uint8_t kind, struct ml_slice text)
{
    uint8_t bytes[ML_TOKEN_MAX];
    struct ml_slice have;
    uint8_t have_rank = 0;
    size_t at = 0;
    size_t len = text.len < sizeof(bytes) - 1 ? text.len : sizeof(bytes) - 1;
    if (len == 0) {
        return;
    }
    bytes[0] = kind;
    memcpy(bytes + 1, text.data, len);
    while (ml_tokens_next(ml_buf_slice(tokens), &at, &have_rank, &have)) {
        if (have_rank == rank && ml_slice_equal(have, ml_slice(bytes, len + 1))) {
            return;
        }
    }
    ml_buf_u8(tokens, rank);
    ml_buf_u8(tokens, (uint8_t)(len + 1));
    ml_buf_append(tokens, bytes, len + 1);
}

/* The words from `from` on, run together: "de la tour" gives delatour, latour, tour. */
static void add_joined(struct ml_buf *tokens, uint8_t rank, struct ml_slice folded, size_t from)
{
    uint8_t joined[ML_TOKEN_MAX];
    size_t len = 0;
    for (size_t i = from; i < folded.len && len < sizeof(joined); i++) {
        if (folded.data[i] != ' ') {
            joined[len++] = folded.data[i];
        }
    }
    add_token(tokens, rank, 'n', ml_slice(joined, len));
}

void ml_tokens_name(struct ml_buf *tokens, uint8_t rank, struct ml_slice name)
{
    struct ml_buf folded;
    struct ml_slice word;
    size_t at = 0;
    size_t words = 0;
    ml_buf_init(&folded, tokens->env, 4096);
    ml_fold(&folded, name);
    if (folded.err == ML_E_NOMEM) {
        tokens->err = ML_E_NOMEM;
    }
    struct ml_slice text = ml_buf_slice(&folded);
    for (size_t start = 0; ml_fold_word(text, &at, &word); start = at) {
        bool last = at >= text.len;
        if (!ml_fold_particle(word) || (last && words == 0)) {
            add_token(tokens, rank, 'n', word);
            words++;
        }
        if (!last || start == 0) {
            add_joined(tokens, rank, text, start);
        }
        if (ml_slice_equal(word, ml_slice_str("saint"))) {
            add_token(tokens, rank, 'n', ml_slice_str("st"));
        } else if (ml_slice_equal(word, ml_slice_str("sainte"))) {
            add_token(tokens, rank, 'n', ml_slice_str("ste"));
        }
    }
    ml_buf_free(&folded);
}

void ml_tokens_date(struct ml_buf *tokens, struct ml_slice iso_date)
{
    struct ml_date date;
    uint8_t digits[8];
    size_t len = 0;
    if (!ml_date_parse(iso_date, &date)) {
        return;
    }
    for (size_t i = 0; i < iso_date.len && len < sizeof(digits); i++) {
        if (iso_date.data[i] != '-') {
            digits[len++] = iso_date.data[i];
        }
    }
    add_token(tokens, ML_RANK_OTHER, 'd', ml_slice(digits, len));
    if (len == 8) {
        const uint8_t said[8] = {digits[6], digits[7], digits[4], digits[5],
                                 digits[0], digits[1], digits[2], digits[3]};
        add_token(tokens, ML_RANK_OTHER, 'f', ml_slice(said, 8));
    }
}

/* Letters and digits only, lower case. */
static size_t squeeze(uint8_t *out, size_t max, struct ml_slice text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < max; i++) {
        uint8_t c = text.data[i];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '@') {
            out[len++] = c;
        }
    }
    return len;
}

void ml_tokens_identifier(struct ml_buf *tokens, struct ml_slice text)
{
    uint8_t bytes[ML_TOKEN_MAX];
    size_t len = squeeze(bytes, sizeof(bytes) - 1, text);
    add_token(tokens, ML_RANK_OTHER, 'i', ml_slice(bytes, len));
}

/* ---- queries ---- */

struct parsing {
    struct ml_query *out;
    struct ml_slice word[32];
    size_t count;
};

static void add_alt(struct ml_query_term *term, uint8_t kind, const void *text, size_t len)
{
    if (term->alt_count == ML_QUERY_ALTS_MAX || len > ML_TOKEN_MAX - 1) {
        return;
    }
    struct ml_query_alt *alt = &term->alt[term->alt_count++];
    alt->token[0] = kind;
    memcpy(alt->token + 1, text, len);
    alt->len = (uint8_t)(len + 1);
}

static struct ml_query_term *add_term(struct ml_query *q)
{
    if (q->count == ML_QUERY_TERMS_MAX) {
        return NULL;
    }
    struct ml_query_term *term = &q->term[q->count++];
    term->alt_count = 0;
    return term;
}

static bool all_digits(struct ml_slice s)
{
    bool digits = s.len > 0;
    for (size_t i = 0; i < s.len; i++) {
        digits = digits && s.data[i] >= '0' && s.data[i] <= '9';
    }
    return digits;
}

static unsigned month_of(struct ml_slice word)
{
    static const char *const names[] = {"janvier",   "fevrier", "mars",     "avril",
                                        "mai",       "juin",    "juillet",  "aout",
                                        "septembre", "octobre", "novembre", "decembre"};
    for (unsigned i = 0; i < 12 && word.len >= 3; i++) {
        bool whole = ml_slice_equal(word, ml_slice_str(names[i]));
        bool cut = word.len >= 4 && word.len < strlen(names[i]) &&
                   memcmp(names[i], word.data, word.len) == 0;
        if (whole || cut) {
            return i + 1;
        }
    }
    return 0;
}

/* Two digits of a number below 100. */
static void two(uint8_t *out, struct ml_slice digits)
{
    out[0] = digits.len > 1 ? digits.data[0] : '0';
    out[1] = digits.len > 1 ? digits.data[1] : digits.data[0];
}

static bool year_like(struct ml_slice s)
{
    return all_digits(s) && s.len == 4 && s.data[0] >= '1' && s.data[0] <= '2';
}

/* day, month and the year as far as it is typed: a beginning of f-tokens. */
static void add_day(struct ml_query *q, struct ml_slice day, unsigned month, struct ml_slice year)
{
    struct ml_query_term *term = add_term(q);
    uint8_t said[8];
    if (term == NULL) {
        return;
    }
    two(said, day);
    said[2] = (uint8_t)('0' + month / 10);
    said[3] = (uint8_t)('0' + month % 10);
    for (size_t i = 0; i < year.len; i++) {
        said[4 + i] = year.data[i];
    }
    add_alt(term, 'f', said, 4 + year.len);
    if (year.len == 2) { /* "79" may be 1979 */
        memcpy(said + 6, year.data, 2);
        said[4] = '1';
        said[5] = '9';
        add_alt(term, 'f', said, 8);
        said[4] = '2';
        said[5] = '0';
        add_alt(term, 'f', said, 8);
    }
}

static void add_month(struct ml_query *q, unsigned month, struct ml_slice year)
{
    struct ml_query_term *term = add_term(q);
    uint8_t iso[6];
    if (term == NULL) {
        return;
    }
    memcpy(iso, year.data, 4);
    iso[4] = (uint8_t)('0' + month / 10);
    iso[5] = (uint8_t)('0' + month % 10);
    add_alt(term, 'd', iso, 6);
}

static unsigned number_of(struct ml_slice s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s.len && i < 4; i++) {
        n = n * 10 + (unsigned)(s.data[i] - '0');
    }
    return n;
}

static unsigned month_word(struct ml_slice word)
{
    if (all_digits(word) && word.len <= 2) {
        unsigned n = number_of(word);
        return n <= 12 ? n : 0;
    }
    return month_of(word);
}

static void add_iso(struct ml_query *q, const struct ml_slice *w)
{
    struct ml_query_term *term = add_term(q);
    uint8_t iso[8];
    if (term == NULL) {
        return;
    }
    memcpy(iso, w[0].data, 4);
    two(iso + 4, w[1]);
    two(iso + 6, w[2]);
    add_alt(term, 'd', iso, 8);
}

/* Tries a date at word `i`; returns how many words it took. */
static size_t take_date(struct ml_query *q, const struct ml_slice *w, size_t left)
{
    if (left >= 3 && year_like(w[0]) && all_digits(w[1]) && w[1].len == 2 && all_digits(w[2]) &&
        w[2].len == 2) {
        add_iso(q, w);
        return 3;
    }
    bool day = left >= 2 && all_digits(w[0]) && w[0].len <= 2 && number_of(w[0]) >= 1 &&
               number_of(w[0]) <= 31;
    if (day && month_word(w[1]) != 0 && (left < 3 || (all_digits(w[2]) && w[2].len <= 4))) {
        add_day(q, w[0], month_word(w[1]), left < 3 ? ml_slice(NULL, 0) : w[2]);
        return left < 3 ? 2 : 3;
    }
    if (left >= 2 && month_word(w[0]) != 0 && year_like(w[1])) {
        add_month(q, month_word(w[0]), w[1]);
        return 2;
    }
    return 0;
}

static void take_digits(struct ml_query *q, struct ml_slice word)
{
    struct ml_query_term *term = add_term(q);
    if (term == NULL) {
        return;
    }
    if (word.len <= 8) {
        add_alt(term, 'd', word.data, word.len);
        add_alt(term, 'f', word.data, word.len);
    }
    add_alt(term, 'i', word.data, word.len);
}

static void take_word(struct ml_query *q, struct ml_slice word, bool alone)
{
    bool digit = false;
    for (size_t i = 0; i < word.len; i++) {
        digit = digit || (word.data[i] >= '0' && word.data[i] <= '9');
    }
    if (all_digits(word)) {
        take_digits(q, word);
        return;
    }
    if (ml_fold_particle(word) && !alone) {
        return;
    }
    struct ml_query_term *term = add_term(q);
    if (term != NULL) {
        add_alt(term, digit ? 'i' : 'n', word.data, word.len);
    }
}

/* "2 79 03 51 215 189 89": digits and spaces that are too many for a date. */
static bool take_number(struct ml_query *q, const struct parsing *p)
{
    uint8_t digits[ML_TOKEN_MAX];
    size_t len = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (!all_digits(p->word[i]) || len + p->word[i].len > sizeof(digits) - 1) {
            return false;
        }
        memcpy(digits + len, p->word[i].data, p->word[i].len);
        len += p->word[i].len;
    }
    struct ml_query_term *term = len > 8 ? add_term(q) : NULL;
    if (term != NULL) {
        add_alt(term, 'i', digits, len);
    }
    return term != NULL;
}

void ml_query_parse(struct ml_query *out, const char *text)
{
    static const struct ml_env no_env; /* the buffer is all there is: what is too long is cut */
    uint8_t room[2 * ML_QUERY_BYTES_MAX];
    struct ml_buf folded = {.env = &no_env, .data = room, .cap = sizeof(room), .max = sizeof(room)};
    struct parsing p = {.out = out};
    size_t len = strlen(text);
    ml_fold(&folded, ml_slice(text, len < ML_QUERY_BYTES_MAX ? len : ML_QUERY_BYTES_MAX));
    struct ml_slice all = ml_buf_slice(&folded);
    size_t at = 0;
    out->count = 0;
    while (p.count < 32 && ml_fold_word(all, &at, &p.word[p.count])) {
        p.count++;
    }
    if (take_number(out, &p)) {
        return;
    }
    for (size_t i = 0; i < p.count;) {
        size_t took = take_date(out, &p.word[i], p.count - i);
        if (took == 0) {
            take_word(out, p.word[i], p.count == 1);
            took = 1;
        }
        i += took;
    }
}

/* ---- matching ---- */

#define SCORE_PREFIX 16u /* above any rank: exact comes before the beginning of a word */

/* The best alternative that this token begins with: its score, or UINT32_MAX. */
static uint32_t token_score(const struct ml_query_term *term, uint8_t rank, struct ml_slice token)
{
    uint32_t best = UINT32_MAX;
    for (uint8_t a = 0; a < term->alt_count; a++) {
        const struct ml_query_alt *alt = &term->alt[a];
        bool begins = token.len >= alt->len && memcmp(token.data, alt->token, alt->len) == 0;
        uint32_t score = rank + (token.len == alt->len ? 0 : SCORE_PREFIX);
        best = begins && score < best ? score : best;
    }
    return best;
}

static bool term_match(const struct ml_query_term *term, struct ml_slice tokens, uint32_t *score)
{
    struct ml_slice token;
    uint8_t rank = 0;
    size_t at = 0;
    *score = UINT32_MAX;
    while (ml_tokens_next(tokens, &at, &rank, &token)) {
        uint32_t s = token_score(term, rank, token);
        *score = s < *score ? s : *score;
    }
    return *score != UINT32_MAX;
}

bool ml_query_match(const struct ml_query *query, struct ml_slice tokens, uint32_t *score)
{
    *score = 0;
    for (uint8_t i = 0; i < query->count; i++) {
        uint32_t s = 0;
        if (!term_match(&query->term[i], tokens, &s)) {
            return false;
        }
        *score += s;
    }
    return true;
}
