/* core/interop/gen.h -- an invented French population and its care, by seed.
 *
 * The same seed gives the same objects, byte for byte, on every machine: our own generator of
 * chance, no floats, no clock. Objects come through the same callback as an import's, so that a
 * node writes them by its real path. Nobody in it exists: INS numbers bear the OID of the test
 * series, names are drawn from lists (docs/testing.md).
 *
 * What it holds on purpose: particles, hyphens, apostrophes, accents, ligatures; used names that
 * differ from birth names; twins; homonyms; birth dates without day or month; births in Corsica,
 * overseas, abroad or nobody knows where; the four statuses of identity.
 *
 * Any thread; one call at a time per `user`.
 */
#ifndef ML_INTEROP_GEN_H
#define ML_INTEROP_GEN_H

#include "core/base/env.h"
#include "core/interop/import.h"

#define ML_GEN_PATIENTS_MAX 1000000u
#define ML_GEN_VISITS_MAX   50u
#define ML_GEN_TEAM         45u /* professionals of the pôle */

struct ml_gen_args {
    const struct ml_env *env;
    const struct ml_schema *schema;
    uint64_t seed;
    uint32_t patients; /* 1 .. ML_GEN_PATIENTS_MAX: numbers 0 .. patients-1 */
    uint32_t visits;   /* past contacts of each patient, 0 .. ML_GEN_VISITS_MAX */
    uint32_t day;      /* "today", days since 1970-01-01; 0: Monday 2 March 2026 */
    ml_import_cb create;
    void *user;
};

/** The team, then each patient with what is known of him. `index` and `count` of an object count
 * patients. Errors: INVALID (an argument out of its limits), NOMEM, or the callback's. */
ml_err ml_gen_population(const struct ml_gen_args *args) ML_MUST_CHECK;

/** One working day of the pôle with those patients, in the order of the clock: consultations,
 * home visits, sessions, results; about 6,000 objects whatever `patients` is. `visits` is not
 * looked at. `index` and `count` count contacts. Errors as above. */
ml_err ml_gen_day(const struct ml_gen_args *args) ML_MUST_CHECK;

/** The control key of a 13-character NIR, Corsica included (2A counts as 19, 2B as 18): 1 .. 97;
 * 0 when it is no NIR. */
unsigned ml_nir_key(const char nir[13]);

#endif
