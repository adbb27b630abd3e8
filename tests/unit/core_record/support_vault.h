/* tests/unit/core_record/support_vault.h -- a structure of one team with real keys, a log in an
 * array (it stands for core/store's: same functions), and vaults over it. */
#ifndef ML_TESTS_SUPPORT_VAULT_H
#define ML_TESTS_SUPPORT_VAULT_H

#include "core/codec/consent.h"
#include "core/codec/value.h"
#include "core/model/seal.h"
#include "core/record/vault.h"
#include "core/record/views.h"
#include "fake_env.h"

enum { LOG_MAX = 2048, PEOPLE = 2, PATIENTS_MAX = 16 };

struct log_entry {
    uint8_t *wire;
    size_t len;
    struct ml_hash hash;
    ml_verdict verdict;
    uint8_t absent; /* ml_absent: give no body */
};

struct ml_log {
    struct log_entry entry[LOG_MAX]; /* ingest number is index + 1 */
    uint64_t count;
    uint64_t epoch;
    struct ml_bundle decoded; /* of the entry given last */
    ml_err fail;
    ml_err past_fail; /* of ml_log_past alone */
    uint32_t adopted; /* ops of quarantined bundles that count all the same, by index */
    uint64_t shreds;  /* wraps of `shredded` that were destroyed */
    struct ml_stream_id shredded;
};

struct person {
    struct ml_secret *box;
    struct ml_box_pk pk;
    struct ml_secret *seed;
    struct ml_sign_pk sign;
    struct ml_writer_id writer;
    struct ml_member_id member;
    uint32_t seq[5];
    struct ml_hash prev[5];
};

struct place {
    struct fake_env fake;
    struct ml_org_id org;
    struct ml_team_id team;
    struct ml_secret *node_salt;
    struct person who[PEOPLE];
    struct ml_log log;
    struct ml_vault *vault; /* of person 0: keys for writing */
    struct ml_object_id patient[PATIENTS_MAX];
    size_t patient_count;
    char dir[256];
    unsigned files;
    uint64_t hlc;
};

void place_init(struct place *p, uint64_t seed);
/* -1 when something leaked. */
int place_free(struct place *p);

/* A new vault of person `i` in a fresh file; *path may be NULL. */
struct ml_vault *place_vault(struct place *p, unsigned i, const char **path);
struct ml_vault *place_reopen(struct place *p, unsigned i, const char *path);
void place_catch_up(struct place *p, struct ml_vault *v, uint32_t batch);

/* Epochs of every compartment for person 0, and the structure's stream. */
void place_found(struct place *p);
/* Grants to person `i` by person 0. */
void place_grant(struct place *p, unsigned i);
/* Opens a new patient; returns his index. */
size_t place_open(struct place *p);

/* What a patient decided, taken down by person 0; its name. `unique` is filled in. */
struct ml_consent_id place_say(struct place *p, struct ml_consent *said);

/* Every DEK_WRAP of this stream is replaced by its leaf, as a SHRED does; how many. *wrap: one of
 * them, as it was. */
unsigned place_shred(struct place *p, const struct ml_stream_id *stream, struct ml_dek_wrap *wrap);

/* A text, code or map value under construction. */
struct value {
    struct ml_buf buf;
};

/* Seals items as person `i` (with person 0's keyring), appends the bundles to the log. */
void place_write(struct place *p, unsigned i, struct ml_seal_item *items, uint32_t count);
/* Fills an item but for value and seen: the key is found, or a DEK is made first. */
struct ml_seal_item place_item(struct place *p, size_t patient, const char *entity, uint8_t type,
                               const struct ml_object_id *object);
/* Of one field's value, encoded into static storage for the test. */
struct ml_slice val_text(struct place *p, const char *text);
struct ml_slice val_code(struct place *p, const char *code);
struct ml_slice val_concept(struct place *p, const char *text);
struct ml_slice val_quantity(struct place *p, const char *number, const char *unit);
struct ml_slice val_instant(struct place *p, int64_t utc_ms);
struct ml_slice val_list(struct place *p, const struct ml_slice *items, uint32_t count);
/* {field name: value} of an entity; fields in the order of their ids. */
struct ml_slice val_map(struct place *p, const char *entity, const char *const *names,
                        const struct ml_slice *values, uint32_t count);

/* One op, one bundle. */
struct put {
    size_t patient;
    unsigned by; /* person */
    const char *entity;
    const struct ml_object_id *object;
    uint8_t type;      /* 0: a set of `field` */
    const char *field; /* of a set: any of its register */
    struct ml_slice value;
    const struct ml_version_id *seen;
    uint32_t seen_count;
    int64_t effective_ms; /* 0: none */
};
struct ml_version_id put(struct place *p, const struct put *what);

struct identity {
    const char *birth_name, *used_name, *given, *birth_date;
};
struct ml_version_id put_patient(struct place *p, size_t patient, const struct identity *who);

/* Parses an answer; free it. */
struct ml_tree *answer(struct ml_args *args);

#endif
