/* net/demo.h -- the main job as a story: three nodes, three processes, real FHIR records. */
#ifndef ML_NET_DEMO_H
#define ML_NET_DEMO_H

#include <stdbool.h>

struct ml_demo_options {
    const char *program; /* argv[0]: mailled lies beside it */
    const char *fhir;    /* folder of *.json, *.json.gz; NULL: tests/data/fhir-r4 from here */
    const char *keep;    /* leave live nodes in this folder; NULL: all is removed at the end */
    bool json;           /* the steps and what they showed as JSON, no story */
};

/** 0: every step showed what it must; 1: one did not (it says which). */
int ml_demo_run(const struct ml_demo_options *options);

#endif
