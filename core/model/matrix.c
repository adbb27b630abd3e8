/* core/model/matrix.c -- see matrix.h.
 *
 *   matrix = map { 1 version, 2 cells: list of [role, class, cell], ascending }
 *
 * Invariant: rows ascend by role, and cells of classes up to ML_MATRIX_CLASS_MAX are at most
 * ML_CELL_BITS, so that encoding what was decoded gives the same bytes.
 */
#include "core/model/matrix.h"

#include <string.h>

struct cell {
    uint16_t role;
    uint8_t class;
    uint16_t cell;
};

_Static_assert(ML_MATRIX_CELLS_MAX == ML_MATRIX_ROLES_MAX * ML_MATRIX_CLASS_MAX, "every cell");

struct table {
    uint32_t version;
    struct ml_list cells; /* of struct cell */
};

static const struct ml_wire_field cell_fields[] = {
    ML_WF_UINT(struct cell, 0, role, 1, UINT16_MAX, "role, number in TRE_G15, J47 or from 901"),
    ML_WF_UINT(struct cell, 1, class, 1, ML_MATRIX_CLASS_MAX, "data class"),
    ML_WF_UINT(struct cell, 2, cell, 1, ML_CELL_BITS,
               "scope of each right, two bits each; bit 14: co-signed"),
};

const struct ml_wire_format ml_format_matrix_cell =
    ML_WIRE_FORMAT("cell", ARRAY, struct cell, ML_WIRE_CLOSED, cell_fields, NULL,
                   "What a role may do with a data class.");

/* The order of the list leaves one thing open: two cells of one place. */
static const char *table_check(const void *object)
{
    const struct table *t = object;
    struct ml_list_walk walk;
    struct cell cell;
    uint16_t role = 0;
    uint8_t class = 0;
    unsigned roles = 0;
    ml_list_walk(&walk, &t->cells);
    while (ml_list_next(&walk, &ml_format_matrix_cell, &cell)) {
        if (cell.role == role && cell.class == class) {
            return "cells";
        }
        roles += cell.role != role;
        role = cell.role;
        class = cell.class;
    }
    return roles > ML_MATRIX_ROLES_MAX ? "cells" : NULL;
}

static const struct ml_wire_field table_fields[] = {
    ML_WF_UINT(struct table, 1, version, 1, UINT32_MAX, "for people: from 1"),
    ML_WF_OPT_SORTED(struct table, 2, cells, ML_MATRIX_CELLS_MAX, &ml_format_matrix_cell,
                     "what isn't named is denied"),
};

const struct ml_wire_format ml_format_matrix =
    ML_WIRE_FORMAT("matrix", MAP, struct table, ML_WIRE_CLOSED, table_fields, table_check,
                   "Who may do what with which data.");

/* ---- bytes ---- */

ml_err ml_matrix_decode(struct ml_matrix *out, struct ml_slice in, struct ml_fault *fault)
{
    struct table t;
    struct ml_list_walk walk;
    struct cell cell;
    if (in.len > ML_MATRIX_BYTES_MAX) {
        return ML_E_MALFORMED;
    }
    ml_err err = ml_wire_decode(&ml_format_matrix, &t, in, fault);
    if (err != ML_OK) {
        return err;
    }
    memset(out, 0, sizeof(*out));
    out->version = t.version;
    ml_list_walk(&walk, &t.cells);
    while (ml_list_next(&walk, &ml_format_matrix_cell, &cell)) {
        if (out->count == 0 || out->roles[out->count - 1] != cell.role) {
            out->roles[out->count++] = cell.role;
        }
        out->cells[out->count - 1][cell.class] = cell.cell;
    }
    return ML_OK;
}

static uint32_t cells_of(struct cell *out, uint16_t role, const uint16_t *row)
{
    uint32_t count = 0;
    for (uint8_t class = 1; class <= ML_MATRIX_CLASS_MAX; class ++) {
        if (row[class] != 0) {
            out[count++] = (struct cell){role, class, row[class]};
        }
    }
    return count;
}

ml_err ml_matrix_encode(struct ml_buf *out, const struct ml_matrix *matrix)
{
    struct cell cells[ML_MATRIX_CELLS_MAX];
    uint32_t count = 0;
    if (matrix->count > ML_MATRIX_ROLES_MAX) {
        return ML_E_INVALID;
    }
    for (size_t r = 0; r < matrix->count; r++) {
        count += cells_of(cells + count, matrix->roles[r], matrix->cells[r]);
    }
    const struct table t = {.version = matrix->version,
                            .cells = {.items = count == 0 ? NULL : cells, .count = count}};
    return ml_wire_encode(&ml_format_matrix, out, &t);
}

/* ---- questions ---- */

static const uint16_t *row_of(const struct ml_matrix *matrix, uint16_t role)
{
    size_t low = 0;
    size_t high = matrix->count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (matrix->roles[middle] == role) {
            return matrix->cells[middle];
        }
        if (matrix->roles[middle] < role) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

uint16_t ml_matrix_cell(const struct ml_matrix *matrix, uint16_t role, unsigned class)
{
    const uint16_t *row = row_of(matrix, role);
    return row == NULL || class > ML_MATRIX_CLASS_MAX ? 0 : row[class];
}

static ml_scope scope_in(uint16_t cell, unsigned right)
{
    return (ml_scope)(cell >> (2 * (right - 1)) & 3u);
}

/* A class of a later version may be clinical: the administrator gets nothing of it. */
static bool is_barred(uint16_t role, unsigned class)
{
    return role == ML_ROLE_ADMIN && (class > ML_CLASS_LAST || ml_class_is_clinical(class));
}

ml_scope ml_matrix_scope(const struct ml_matrix *matrix, uint16_t role, unsigned class,
                         ml_right right)
{
    if (right < ML_RIGHT_CREATE || right > ML_RIGHT_LAST || is_barred(role, class)) {
        return ML_SCOPE_NONE;
    }
    return scope_in(ml_matrix_cell(matrix, role, class), right);
}

bool ml_matrix_allows_in(const struct ml_matrix *matrix, uint16_t role, unsigned compartment,
                         ml_right right)
{
    for (unsigned class = 1; class <= ML_CLASS_LAST && compartment != 0; class ++) {
        if (ml_class_compartment(class) == compartment &&
            ml_matrix_allows(matrix, role, class, right)) {
            return true;
        }
    }
    return false;
}

uint64_t ml_writes_of(const struct ml_header *header)
{
    struct ml_list_walk walk;
    struct ml_dict_entry entry;
    uint64_t writes = ML_WRITES_NONE;
    ml_list_walk(&walk, &header->dictionary);
    while (ml_dict_next(&walk, &entry)) {
        writes |= ml_write_bit(entry.compartment, entry.action);
    }
    return writes;
}

bool ml_matrix_allows_writes(const struct ml_matrix *matrix, uint16_t role, uint64_t writes)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((writes >> bit & 1u) != 0 &&
            !ml_matrix_allows_in(matrix, role, bit / 4, (ml_right)(bit % 4))) {
            return false;
        }
    }
    return true;
}

/* Rows stay in the order of roles. */
ml_err ml_matrix_set(struct ml_matrix *matrix, uint16_t role, unsigned class, uint16_t cell)
{
    size_t at = 0;
    if (role == 0 || class == 0 || class > ML_MATRIX_CLASS_MAX || cell > ML_CELL_BITS) {
        return ML_E_INVALID;
    }
    while (at < matrix->count && matrix->roles[at] < role) {
        at++;
    }
    if (at == matrix->count || matrix->roles[at] != role) {
        if (matrix->count == ML_MATRIX_ROLES_MAX) {
            return ML_E_LIMIT;
        }
        const size_t rest = matrix->count++ - at;
        memmove(&matrix->roles[at + 1], &matrix->roles[at], rest * sizeof(matrix->roles[0]));
        memmove(&matrix->cells[at + 1], &matrix->cells[at], rest * sizeof(matrix->cells[0]));
        matrix->roles[at] = role;
        memset(matrix->cells[at], 0, sizeof(matrix->cells[at]));
    }
    matrix->cells[at][class] = cell;
    return ML_OK;
}

/* ---- of two ---- */

static uint16_t stricter(uint16_t a, uint16_t b)
{
    unsigned cell = (a | b) & ML_CELL_COSIGN;
    unsigned rights = 0;
    for (unsigned right = 1; right <= ML_RIGHT_LAST; right++) {
        const unsigned x = scope_in(a, right);
        const unsigned y = scope_in(b, right);
        rights |= (x < y ? x : y) << (2 * (right - 1));
    }
    return (uint16_t)(rights == 0 ? 0 : cell | rights);
}

void ml_matrix_restrict(struct ml_matrix *matrix, const struct ml_matrix *other)
{
    if (other->version > matrix->version) {
        matrix->version = other->version;
    }
    for (size_t r = 0; r < matrix->count; r++) {
        for (unsigned class = 1; class <= ML_MATRIX_CLASS_MAX; class ++) {
            matrix->cells[r][class] =
                stricter(matrix->cells[r][class], ml_matrix_cell(other, matrix->roles[r], class));
        }
    }
}

/* To be rid of a co-signature is more, too. */
static bool cell_raises(uint16_t now, uint16_t before)
{
    const uint16_t both = stricter(now, before);
    return (both & ~ML_CELL_COSIGN) != (now & ~ML_CELL_COSIGN) ||
           (now != 0 && (before & ML_CELL_COSIGN) != 0 && (now & ML_CELL_COSIGN) == 0);
}

bool ml_matrix_raises(const struct ml_matrix *matrix, const struct ml_matrix *before, uint16_t role)
{
    for (unsigned class = 1; class <= ML_MATRIX_CLASS_MAX; class ++) {
        if (cell_raises(ml_matrix_cell(matrix, role, class), ml_matrix_cell(before, role, class))) {
            return true;
        }
    }
    return false;
}

/* ---- classes ---- */

#define ML_COMPARTMENT_NONE 0

static const struct {
    const char *name;
    uint8_t compartment;
    bool clinical;
} classes[ML_CLASS_LAST + 1] = {
#define X(name, number, compartment, clinical, text)                                               \
    [number] = {text, ML_COMPARTMENT_##compartment, (clinical) != 0},
    ML_CLASS_MAP(X)
#undef X
};

const char *ml_class_name(unsigned class)
{
    return class <= ML_CLASS_LAST ? classes[class].name : NULL;
}

unsigned ml_class_compartment(unsigned class)
{
    return class <= ML_CLASS_LAST ? classes[class].compartment : 0;
}

bool ml_class_is_clinical(unsigned class)
{
    return class <= ML_CLASS_LAST && classes[class].clinical;
}
