/* support_store.h -- kept homes of earlier programs (tests/data/stores): what they hold, told the
 * same way by the tool that makes them and by the test that opens them. */
#ifndef ML_TESTS_STORE_H
#define ML_TESTS_STORE_H

#include <stdio.h>

#include "support_cluster.h"

#define STORE_DRAFT_FORM "observation"
#define STORE_DRAFT_TEXT "Toux depuis trois jours, pas de fièvre."

/** Keeps a draft of no patient. */
void store_draft_put(struct cluster *c, unsigned n);
/** Is it there as it was put? */
bool store_draft_is_there(struct cluster *c, unsigned n);

/** Lines "name value": the versions of node n's files, and what it holds. Unlocked. */
void store_describe(struct cluster *c, unsigned n, FILE *out);

/** Every table and index of node n's databases, as text. Unlocked; it has kept a draft. */
void store_layout(struct cluster *c, unsigned n, FILE *out);

/** A folder with all in it; `to` must not be there. */
void store_copy(const char *from, const char *to);
/** The kept home in the place of that of node n, which is down. */
void store_put(struct cluster *c, unsigned n, const char *store);

#endif
