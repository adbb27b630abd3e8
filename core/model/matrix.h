/* core/model/matrix.h -- the habilitation matrix: what each role may do with each class of data
 * (architecture 7, domain 7.2; docs/habilitation.md).
 *
 * A value: roles by their numbers, and of each role and data class one cell. A cell holds a scope
 * for each right, two bits each, so that the stricter of two cells is the lower scope of each
 * right: merging any matrices in any order gives the same. What isn't named is denied. Pure; any
 * thread.
 */
#ifndef ML_MODEL_MATRIX_H
#define ML_MODEL_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/govop.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_MATRIX_ROLES_MAX 64u
#define ML_MATRIX_CLASS_MAX 31u   /* room for classes of later versions */
#define ML_MATRIX_CELLS_MAX 1984u /* of all roles and classes */

/* Rows of domain 7.2 by their numbers there; 24: correspondents and places, which every member
 * writes. X(NAME, number, compartment or 0, clinical, French name). The numbers are on the wire. */
#define ML_CLASS_MAP(X)                                                                            \
    X(IDENTITY, 1, ADMIN, 0, "Identité, contacts")                                                 \
    X(COVERAGE, 2, ADMIN, 0, "Couverture, administratif")                                          \
    X(WISHES, 3, ADMIN, 0, "Droits, volontés, consentement, opposition")                           \
    X(ALERTS, 4, VITAL, 1, "Alertes, allergies, risques vitaux")                                   \
    X(PROBLEMS, 5, MEDICAL, 1, "Problèmes et antécédents")                                         \
    X(SENSITIVE, 6, SENSITIVE, 1, "Données sensibles")                                             \
    X(TREATMENTS, 7, MEDICAL, 1, "Traitements et prescriptions")                                   \
    X(RESULTS, 8, MEDICAL, 1, "Biologie, imagerie")                                                \
    X(MEDICAL_NOTES, 9, MEDICAL, 1, "Notes médicales")                                             \
    X(NURSING_NOTES, 10, CARE, 1, "Notes infirmières, transmissions, mesures")                     \
    X(PARAMEDICAL_NOTES, 11, CARE, 1, "Notes paramédicales")                                       \
    X(ORDERS, 12, MEDICAL, 1, "Demandes de soins")                                                 \
    X(DOCUMENTS, 13, DOCUMENT, 1, "Documents reçus")                                               \
    X(SOCIAL, 14, SOCIAL, 1, "Médico-social, autonomie")                                           \
    X(RCP, 15, RCP, 1, "RCP et PPS du patient")                                                    \
    X(AGENDA, 16, AGENDA, 0, "Agenda, sans motif")                                                 \
    X(TOURS, 17, AGENDA, 0, "Tournées")                                                            \
    X(BILLING, 18, BILLING, 0, "Actes et facturation")                                             \
    X(QUERIES, 19, NONE, 1, "Requêtes nominatives")                                                \
    X(INDICATORS, 20, NONE, 0, "Indicateurs anonymes")                                             \
    X(SETTINGS, 21, NONE, 0, "Utilisateurs, habilitations, paramètres")                            \
    X(TRACES, 22, AUDIT, 0, "Traces")                                                              \
    X(BREAK_GLASS, 23, NONE, 1, "Bris de glace")                                                   \
    X(DIRECTORY, 24, ANNUAIRE, 0, "Annuaire des correspondants")

typedef enum ml_class {
#define X(name, number, compartment, clinical, text) ML_CLASS_##name = (number),
    ML_CLASS_MAP(X)
#undef X
} ml_class;
#define ML_CLASS_LAST 24u

/* The first three are the action classes of the clear dictionary (ml_action). */
typedef enum ml_right {
    ML_RIGHT_CREATE = ML_ACTION_CREATE,
    ML_RIGHT_AMEND = ML_ACTION_AMEND,
    ML_RIGHT_DEPOSIT = ML_ACTION_DEPOSIT,
    ML_RIGHT_SEE = 4, /* that something is there */
    ML_RIGHT_READ = 5,
    ML_RIGHT_PRINT = 6,
    ML_RIGHT_EXPORT = 7,
} ml_right;
#define ML_RIGHT_LAST 7u

/* Of which patients and lines; each holds those before it. */
typedef enum ml_scope {
    ML_SCOPE_NONE = 0,
    ML_SCOPE_OWN = 1,  /* own lines */
    ML_SCOPE_TEAM = 2, /* of patients in whose care team he is, unless masked */
    ML_SCOPE_ALL = 3,
} ml_scope;

#define ML_CELL_COSIGN 0x4000u /* what he writes waits for somebody's signature beside his */
#define ML_CELL_BITS   0x7fffu

/* Roles beside the professions of TRE_G15 and the roles of J47, which carry their numbers there. */
#define ML_ROLE_SPECIALIST 901u
#define ML_ROLE_IPA        902u
#define ML_ROLE_STUDENT    903u
#define ML_ROLE_ADMIN      904u /* no clinical data, whatever a matrix says */
#define ML_ROLE_DPO        905u

struct ml_matrix {
    uint32_t version; /* for people: which matrix stands, the order of acts decides */
    uint16_t count;
    uint16_t roles[ML_MATRIX_ROLES_MAX];                          /* ascending */
    uint16_t cells[ML_MATRIX_ROLES_MAX][ML_MATRIX_CLASS_MAX + 1]; /* by class; [0] is 0 */
};

extern const struct ml_wire_format ml_format_matrix;
extern const struct ml_wire_format ml_format_matrix_cell;

/** MALFORMED (fault may be NULL; *out untouched): not the one encoding of a matrix. */
ml_err ml_matrix_decode(struct ml_matrix *out, struct ml_slice in,
                        struct ml_fault *fault) ML_MUST_CHECK;
/** Appends; cells of 0 are left out, and roles that have no other. NOMEM, LIMIT; INVALID: roles out
 * of order, a cell above ML_CELL_BITS, no version. */
ml_err ml_matrix_encode(struct ml_buf *out, const struct ml_matrix *matrix) ML_MUST_CHECK;
/** What a new structure begins with: docs/habilitation.md. */
void ml_matrix_default(struct ml_matrix *out);

/** 0 for a role or a class that it doesn't name. */
uint16_t ml_matrix_cell(const struct ml_matrix *matrix, uint16_t role, unsigned class);
/** NONE for what isn't named, and for clinical data of ML_ROLE_ADMIN. */
ml_scope ml_matrix_scope(const struct ml_matrix *matrix, uint16_t role, unsigned class,
                         ml_right right);
static inline bool ml_matrix_allows(const struct ml_matrix *matrix, uint16_t role, unsigned class,
                                    ml_right right)
{
    return ml_matrix_scope(matrix, role, class, right) != ML_SCOPE_NONE;
}
/** In any class of the compartment: what a node without keys can check. */
bool ml_matrix_allows_in(const struct ml_matrix *matrix, uint16_t role, unsigned compartment,
                         ml_right right);

/** Of each cell the stricter: every right's lower scope; a co-signature if either asks for it. The
 * higher version. */
void ml_matrix_restrict(struct ml_matrix *matrix, const struct ml_matrix *other);
/** Has the role in any class more than `before` gave it? */
bool ml_matrix_raises(const struct ml_matrix *matrix, const struct ml_matrix *before,
                      uint16_t role);

/* What a bundle of lane 3 or 4 does, by its clear dictionary: a bit for each compartment and action
 * class. */
#define ML_WRITES_NONE UINT64_C(0)
static inline uint64_t ml_write_bit(unsigned compartment, unsigned action)
{
    return UINT64_C(1) << (compartment * 4 + action);
}
uint64_t ml_writes_of(const struct ml_header *header);
/** All of them? */
bool ml_matrix_allows_writes(const struct ml_matrix *matrix, uint16_t role, uint64_t writes);

/* Words, static; NULL for a number that is none. */
const char *ml_class_name(unsigned class); /* French */
/** 0: in none of its own. */
unsigned ml_class_compartment(unsigned class);
bool ml_class_is_clinical(unsigned class);
const char *ml_matrix_role_name(uint16_t role); /* French */

/** A cell as the default's source writes it: letters that add up, "-" alone for nothing. False: a
 * letter that is none. */
bool ml_matrix_cell_of(uint16_t *cell, const char *letters);
/** Sets one cell; 0 takes the right away. LIMIT: too many roles. INVALID: no such class or role. */
ml_err ml_matrix_set(struct ml_matrix *matrix, uint16_t role, unsigned class,
                     uint16_t cell) ML_MUST_CHECK;

/* The source of the default, for the page that shows it. */
size_t ml_matrix_column_count(void);
const char *ml_matrix_column_name(size_t column);
/** Its role numbers, ended by 0. */
const uint16_t *ml_matrix_column_roles(size_t column);
/** As it stands in the source, such as "Ro". */
const char *ml_matrix_source(unsigned class, size_t column);

#endif
