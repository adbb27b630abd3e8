/* core/model/matrix_default.c -- the matrix that a new structure begins with (domain 7.2), as one
 * table for people. docs/habilitation.md shows the same, and a test compares them.
 *
 *   W  creates, amends own lines, reads          w  creates and amends own lines, reads those
 *   R  reads, prints, exports                    r  reads and prints in the patient's care team
 *   o  own lines only                            p  reads and prints what is his own
 *   f  files without reading                     i  sees that something is there
 *   c  with somebody's co-signature              -  nothing
 *
 * Letters add up: "Ro" reads all and writes own lines.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/model/matrix.h"

#define COLUMNS 17u

static const struct column {
    const char *name;
    uint16_t roles[7]; /* ended by 0 */
} columns[COLUMNS] = {
    {"Médecin", {10}},
    {"Spécialiste", {ML_ROLE_SPECIALIST}},
    {"Sage-femme", {50}},
    {"Dentiste", {40}},
    {"IPA", {ML_ROLE_IPA}},
    {"Infirmier", {60, 69}},
    {"Kiné", {70}},
    {"Pharmacien", {21}},
    {"Rééducation", {80, 91, 92, 94, 95, 96}},
    {"Psychologue", {93}},
    {"Assistant social", {41}},
    {"Assistant médical", {332}},
    {"Secrétaire", {331}},
    {"Coordonnateur", {330}},
    {"Étudiant", {ML_ROLE_STUDENT}},
    {"Administrateur", {ML_ROLE_ADMIN}},
    {"DPO", {ML_ROLE_DPO}},
};

/* clang-format off */
static const char *const source[ML_CLASS_LAST][COLUMNS] = {
    /*       Méd  Spé  SF   Dent IPA  Inf  Kiné Phar Réed Psy  ASoc AMéd Secr Coor Étud Adm  DPO */
    /*  1 */ {"W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "R", "W", "-", "-"},
    /*  2 */ {"W", "W", "W", "W", "W", "W", "W", "W", "W", "R", "W", "W", "W", "-", "R", "-", "-"},
    /*  3 */ {"W", "W", "W", "W", "W", "W", "W", "W", "w", "w", "w", "W", "w", "-", "w", "-", "R"},
    /*  4 */ {"W", "W", "W", "W", "W", "W", "r", "W", "r", "r", "i", "w", "-", "-", "W", "-", "-"},
    /*  5 */ {"W", "W", "W", "r", "W", "r", "r", "r", "r", "r", "-", "w", "-", "-", "W", "-", "-"},
    /*  6 */ {"W", "r", "r", "-", "r", "-", "-", "-", "-", "o", "-", "-", "-", "-", "rc", "-", "-"},
    /*  7 */ {"W", "W", "w", "w", "w", "R", "r", "Rw", "r", "-", "-", "R", "-", "-", "wc", "-", "-"},
    /*  8 */ {"W", "W", "r", "r", "r", "r", "r", "r", "r", "-", "-", "f", "f", "-", "r", "-", "-"},
    /*  9 */ {"oR", "or", "or", "or", "oR", "r", "r", "i", "i", "i", "-", "w", "-", "-", "Wc", "-", "-"},
    /* 10 */ {"Ro", "ro", "ro", "i", "Ro", "W", "r", "r", "r", "r", "r", "W", "-", "-", "R", "-", "-"},
    /* 11 */ {"R", "r", "r", "i", "r", "r", "o", "-", "o", "r", "-", "-", "-", "-", "r", "-", "-"},
    /* 12 */ {"W", "W", "W", "w", "w", "R", "R", "r", "R", "-", "-", "R", "-", "-", "wc", "-", "-"},
    /* 13 */ {"Ro", "ro", "ro", "ro", "ro", "ro", "ro", "ro", "ro", "o", "ro", "f", "f", "-", "r", "-", "-"},
    /* 14 */ {"W", "r", "r", "-", "W", "W", "W", "r", "W", "r", "W", "w", "i", "r", "r", "-", "-"},
    /* 15 */ {"W", "r", "r", "r", "W", "W", "W", "W", "W", "W", "r", "w", "-", "r", "r", "-", "-"},
    /* 16 */ {"Ro", "Ro", "Ro", "Ro", "Ro", "Ro", "Ro", "Ro", "Ro", "Ro", "Ro", "W", "W", "W", "R", "-", "-"},
    /* 17 */ {"r", "-", "r", "-", "R", "W", "W", "-", "w", "-", "-", "w", "w", "r", "r", "-", "-"},
    /* 18 */ {"o", "o", "o", "o", "o", "o", "o", "o", "o", "o", "-", "w", "w", "-", "-", "-", "-"},
    /* 19 */ {"p", "p", "p", "p", "p", "p", "p", "-", "p", "-", "-", "-", "-", "-", "-", "-", "-"},
    /* 20 */ {"R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "R", "W", "R", "R", "R"},
    /* 21 */ {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "w", "-", "W", "R"},
    /* 22 */ {"p", "p", "p", "p", "p", "p", "p", "p", "p", "p", "p", "p", "p", "-", "p", "-", "R"},
    /* 23 */ {"R", "R", "R", "R", "R", "R", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "i"},
    /* 24 */ {"W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "W", "R"},
};

/* Scopes of: create, amend, deposit, see, read, print, export. */
static const struct {
    char letter;
    uint8_t scopes[ML_RIGHT_LAST];
} letters[] = {
    {'W', {3, 1, 3, 3, 3, 3, 3}},
    {'w', {1, 1, 1, 1, 1, 0, 0}},
    {'R', {0, 0, 0, 3, 3, 3, 3}},
    {'r', {0, 0, 0, 2, 2, 2, 0}},
    {'o', {1, 1, 1, 1, 1, 1, 1}},
    {'p', {0, 0, 0, 1, 1, 1, 0}},
    {'f', {1, 1, 1, 3, 0, 0, 0}},
    {'i', {0, 0, 0, 2, 0, 0, 0}},
};
/* clang-format on */
enum { LETTERS = sizeof(letters) / sizeof(letters[0]) };

static void add_letter(uint8_t scopes[ML_RIGHT_LAST], char letter)
{
    size_t i = 0;
    while (i < LETTERS && letters[i].letter != letter) {
        i++;
    }
    for (size_t r = 0; r < ML_RIGHT_LAST && i < LETTERS; r++) {
        scopes[r] = letters[i].scopes[r] > scopes[r] ? letters[i].scopes[r] : scopes[r];
    }
}

static uint16_t cell_of(const char *text)
{
    uint8_t scopes[ML_RIGHT_LAST] = {0};
    unsigned cell = 0;
    for (const char *c = text; *c != '\0'; c++) {
        add_letter(scopes, *c);
        cell |= *c == 'c' ? ML_CELL_COSIGN : 0;
    }
    for (unsigned r = 0; r < ML_RIGHT_LAST; r++) {
        cell |= (unsigned)scopes[r] << (2 * r);
    }
    return (uint16_t)cell;
}

bool ml_matrix_cell_of(uint16_t *cell, const char *letters_of_it)
{
    if (strcmp(letters_of_it, "-") == 0) {
        *cell = 0;
        return true;
    }
    const uint16_t found = cell_of(letters_of_it);
    if (letters_of_it[0] == '\0' || letters_of_it[strspn(letters_of_it, "WwRropfic")] != '\0' ||
        (found & ~ML_CELL_COSIGN) == 0) {
        return false;
    }
    *cell = found;
    return true;
}

static void role_add(struct ml_matrix *m, uint16_t role, size_t column)
{
    ml_err err = ML_OK;
    for (unsigned class = 1; class <= ML_CLASS_LAST && err == ML_OK; class ++) {
        err = ml_matrix_set(m, role, class, cell_of(source[class - 1][column]));
    }
    ML_ASSERT(err == ML_OK);
}

void ml_matrix_default(struct ml_matrix *out)
{
    memset(out, 0, sizeof(*out));
    out->version = 1;
    for (size_t c = 0; c < COLUMNS; c++) {
        for (const uint16_t *role = columns[c].roles; *role != 0; role++) {
            role_add(out, *role, c);
        }
    }
}

size_t ml_matrix_column_count(void)
{
    return COLUMNS;
}

const char *ml_matrix_column_name(size_t column)
{
    return column < COLUMNS ? columns[column].name : NULL;
}

const uint16_t *ml_matrix_column_roles(size_t column)
{
    return column < COLUMNS ? columns[column].roles : NULL;
}

const char *ml_matrix_source(unsigned class, size_t column)
{
    return class >= 1 && class <= ML_CLASS_LAST && column < COLUMNS ? source[class - 1][column]
                                                                    : NULL;
}

static bool has_role(const struct column *column, uint16_t role)
{
    const uint16_t *r = column->roles;
    while (*r != 0 && *r != role) {
        r++;
    }
    return *r != 0;
}

const char *ml_matrix_role_name(uint16_t role)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        if (has_role(&columns[c], role)) {
            return columns[c].name;
        }
    }
    return NULL;
}
