/* core/interop/fault.h -- why a file from outside was refused, and where. Pure; any thread. */
#ifndef ML_INTEROP_FAULT_H
#define ML_INTEROP_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "maille/err.h"

/* X(NAME, text in French). A place holds no record contents: keys and numbers only. */
#define ML_IMPORT_FAULT_MAP(X)                                                                     \
    X(NONE, "aucune erreur")                                                                       \
    X(OPEN, "le fichier ne peut pas être lu")                                                      \
    X(GZIP, "la compression gzip est abîmée")                                                      \
    X(GZIP_CUT, "le fichier compressé est coupé avant sa fin")                                     \
    X(TOO_BIG, "le fichier dépasse la taille permise")                                             \
    X(TOO_DEEP, "les données sont imbriquées trop profondément")                                   \
    X(TOO_MANY, "le fichier a trop d'éléments")                                                    \
    X(UTF16, "le texte est en UTF-16 ; UTF-8 est attendu")                                         \
    X(UTF8, "le texte n'est pas en UTF-8")                                                         \
    X(CUT, "le fichier s'arrête avant la fin")                                                     \
    X(SYNTAX, "ce n'est pas du JSON")                                                              \
    X(NUMBER, "ce n'est pas un nombre JSON")                                                       \
    X(ESCAPE, "un caractère n'est pas permis dans un texte")                                       \
    X(DUPLICATE_KEY, "une clé figure deux fois dans le même objet")                                \
    X(TRAILING, "des données suivent la fin du document")                                          \
    X(NOT_FHIR, "ce n'est pas une ressource FHIR R4")                                              \
    X(TYPE, "une valeur n'est pas du type attendu")                                                \
    X(DATE, "une date n'est pas lisible")                                                          \
    X(CODE, "un code n'est pas de la liste attendue")                                              \
    X(RANGE, "un nombre est hors des limites")                                                     \
    X(NO_PATIENT, "le patient de cette donnée n'est pas dans le fichier")                          \
    X(TWO_RESOURCES, "une même identité source désigne deux ressources")                           \
    X(VALUE_TOO_BIG, "une ressource est trop grande pour le dossier")                              \
    X(NOMEM, "la mémoire manque")                                                                  \
    X(REFUSED, "l'enregistrement a été refusé")

typedef enum ml_import_fault_kind {
#define X(name, text) ML_IMPORT_FAULT_##name,
    ML_IMPORT_FAULT_MAP(X)
#undef X
} ml_import_fault_kind;

#define ML_IMPORT_PLACE_SIZE 192u

struct ml_import_fault {
    ml_import_fault_kind kind;
    uint64_t byte;                    /* from the start of the (uncompressed) text; first 0 */
    uint32_t line;                    /* first 1; 0: no place in the text */
    uint32_t column;                  /* in bytes, first 1 */
    char place[ML_IMPORT_PLACE_SIZE]; /* JSON path such as "$.entry[3].resource.birthDate", or "" */
};

/** Static French text, never NULL. */
const char *ml_import_fault_text(ml_import_fault_kind kind);
/** Static name such as "TOO_DEEP", for --json. */
const char *ml_import_fault_name(ml_import_fault_kind kind);
/** "ligne 3, colonne 14, $.entry[0].resource : une date n'est pas lisible", NUL-terminated. */
void ml_import_fault_describe(char *out, size_t size, const struct ml_import_fault *fault);

#endif
