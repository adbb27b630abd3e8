/* core/record/validate.h -- may a person enter this change? For forms and the command line. An
 * import keeps what it found, whatever a form would ask: its own reader says of each value whether
 * it is one (core/interop, docs/fhir-mapping.md) and counts what it leaves out. What arrives from
 * others is judged by its content verdict (docs/storage/vault.md). Pure; any thread. */
#ifndef ML_RECORD_VALIDATE_H
#define ML_RECORD_VALIDATE_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/codec/change.h"
#include "core/record/schema.h"
#include "maille/err.h"

/* X(NAME, text): the reason, French, said after the field's label. */
#define ML_VALIDATE_MAP(X)                                                                         \
    X(NONE, "")                                                                                    \
    X(ENTITY, "ce type d'élément n'existe pas")                                                    \
    X(OPERATION, "cette opération ne s'applique pas à cet élément")                                \
    X(FIELD, "ce champ n'existe pas")                                                              \
    X(TYPE, "la valeur n'est pas du bon type")                                                     \
    X(MISSING, "la valeur est obligatoire")                                                        \
    X(EMPTY, "le texte est vide")                                                                  \
    X(TOO_LONG, "la valeur est trop longue")                                                       \
    X(NUMBER, "le nombre n'est pas lisible")                                                       \
    X(UNIT, "l'unité n'est pas celle du champ")                                                    \
    X(CODE, "ce code n'est pas dans la liste")                                                     \
    X(PERIOD, "la fin est avant le début")                                                         \
    X(SEEN, "ce qui est remplacé n'est pas nommé")

typedef enum ml_validate_reason {
#define X(NAME, text) ML_VALIDATE_##NAME,
    ML_VALIDATE_MAP(X)
#undef X
} ml_validate_reason;

struct ml_validate_fault {
    ml_validate_reason reason;
    const struct ml_entity *entity; /* NULL: unknown */
    const struct ml_field *field;   /* NULL: the change itself */
    uint16_t field_id;              /* of an unknown field */
};

/** INVALID with the first fault, or ML_OK. An op that changes what is there (any but a create and
 * the first set of a register) names in change.seen what it replaces; that it names all of it is
 * the vault's to say. */
ml_err ml_validate_change(const struct ml_schema *schema, const struct ml_change *change,
                          struct ml_validate_fault *fault) ML_MUST_CHECK;

/** "treatment.dose : le nombre n'est pas lisible", always NUL-terminated; no record contents. */
void ml_validate_text(char *out, size_t size, const struct ml_validate_fault *fault);

#endif
