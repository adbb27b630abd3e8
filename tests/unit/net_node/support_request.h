/* support_request.h -- one call of a cluster's node: parameters in, an answer to look into. */
#ifndef ML_TESTS_REQUEST_H
#define ML_TESTS_REQUEST_H

#include "maille/value.h"
#include "support_cluster.h"

struct story_request {
    struct ml_args *args; /* an open map */
    struct ml_tree *answer;
};

void story_ask(struct story_request *r);
void story_put(struct story_request *r, const char *key, const char *value);
ml_err story_send(struct story_request *r, struct cluster *c, unsigned n, const char *method);
/** Ends the test when `err` isn't OK, and says why. */
void story_must(const struct story_request *r, ml_err err, const char *what);
const struct ml_value *story_get(const struct story_request *r, const char *key);
void story_end(struct story_request *r);

#endif
