/* tests/sim/sim_model.h -- what the record must hold, from what users said and what they had before
 * them: an independent reading of docs/merge.md that shares no code with core/model. */
#ifndef ML_TESTS_SIM_MODEL_H
#define ML_TESTS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record/schema.h"

#define SIM_VERSION      36 /* 34 hexadecimal digits, and NUL */
#define SIM_SEEN_MAX     24
#define SIM_VERSIONS_MAX 96 /* of one object */
#define SIM_SLOT_ALL     UINT16_MAX

struct sim_version {
    char reason[24];      /* each write gives its own: how an unanswered one is found again */
    char id[SIM_VERSION]; /* empty: not answered, and not found yet */
    uint16_t slot;        /* SIM_SLOT_ALL: an op on the whole object's life */
    bool creates;         /* writes every register that it has a value for */
    bool acked;
    uint64_t number; /* of the reason */
    unsigned node;
    char seen[SIM_SEEN_MAX][SIM_VERSION];
    size_t seen_count;
};

struct sim_object {
    char id[40];
    size_t patient; /* index in the model */
    const struct ml_entity *entity;
    struct sim_version *versions; /* owned */
    size_t version_count;
    uint32_t file_bytes; /* of the file that came with it; 0: none */
    uint32_t file_seed;
};

/** A file or an invented population that was imported, perhaps in part. */
struct sim_import {
    char path[160]; /* empty: a population, of `seed` */
    uint64_t seed;
    unsigned patients;
    unsigned visits;
    unsigned node;   /* who acknowledged it last */
    uint64_t number; /* among the reasons */
    bool acked;
};

struct sim_model {
    char (*patients)[40]; /* owned */
    size_t patient_count;
    struct sim_object *objects; /* owned; the patient's own object is one of them */
    size_t object_count;
    struct sim_import *imports; /* owned */
    size_t import_count;
    uint64_t last_reason;
};

void sim_model_free(struct sim_model *m);
size_t sim_model_patient(struct sim_model *m, const char *id);
struct sim_object *sim_model_object(struct sim_model *m, const char *id, size_t patient,
                                    const struct ml_entity *entity);
/** Byte `i` of the file that came with it. */
static inline uint8_t sim_file_byte(const struct sim_object *o, uint32_t i)
{
    return (uint8_t)(i * 31 + i / 251 + o->file_seed);
}
/** A new version; the caller fills it. NULL: this object has enough of them. */
struct sim_version *sim_model_version(struct sim_model *m, struct sim_object *o);
/** "<32 hex>:<index>" or 34 hex digits, as 34 hex digits. */
void sim_version_name(char out[SIM_VERSION], const char *text);
/** Which of the versions with writes[i] stand: those in the past of no other of them. Of one that
 * isn't `there` any more nobody knows what it replaced. */
void sim_model_heads(const struct sim_object *o, const bool *writes, const bool *there,
                     bool *heads);

#endif
