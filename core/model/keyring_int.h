/* core/model/keyring_int.h -- shared by the keyring's own files. */
#ifndef ML_MODEL_KEYRING_INT_H
#define ML_MODEL_KEYRING_INT_H

#include "core/model/keyring.h"

#define KEY_CHUNK_KEYS (ML_SECRET_MAX / ML_KEY_BYTES) /* keys in one guarded allocation */
#define CACHE_WAYS     8u

/* One KEK_EPOCH op. The secrets are NULL while they aren't held. */
struct key_epoch {
    struct ml_team_id team;
    struct ml_key_id kek;
    struct ml_key_id hist;
    struct ml_box_pk break_glass;
    uint32_t epoch;
    uint8_t compartment;
    bool accepted;
    bool has_break_glass;
    struct ml_secret *kek_key;
    struct ml_secret *wrap_key; /* derived from the KEK */
    struct ml_secret *hist_key;
    uint8_t *raw; /* the op, for the older keys inside */
    size_t raw_len;
};

struct cached_dek {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    struct ml_stream_info info;
    uint64_t used; /* 0: free */
};

struct ml_keyring {
    const struct ml_env *env;
    struct ml_org_id org;
    const struct ml_secret *mon_box;
    struct ml_box_pk mon_pk;
    struct ml_recipient_id mon_id;
    const struct ml_keyring_store *store;
    struct key_epoch **epochs; /* in order of arrival */
    size_t epoch_count;
    size_t epoch_cap;
    /* The cache: sets of CACHE_WAYS; entry i's key is bytes of chunk i / KEY_CHUNK_KEYS. */
    struct cached_dek *cache;
    struct ml_secret **chunks;
    uint32_t cache_count;
    uint32_t chunk_count;
    uint64_t clock;
};

/* keyring.c */
/* One that is held, where several claim the key id; NULL: none claims it. */
struct key_epoch *ml_keyring_epoch_of_kek(const struct ml_keyring *k, const struct ml_key_id *kek);
/* The epoch that seals for a group: of the accepted ones whose numbers follow on each other, a held
 * one, then the highest number, then the smallest key id; NULL. */
struct key_epoch *ml_keyring_sealing(const struct ml_keyring *k, const struct ml_team_id *team,
                                     uint8_t compartment);
/* Wipes and frees every epoch. */
void ml_keyring_drop_epochs(struct ml_keyring *k);
/* The group of a compartment in a team: org-wide ones have the zero team. */
struct ml_team_id ml_keyring_group(const struct ml_team_id *team, uint8_t compartment);

/* keyring_make.c: encodes and gives to `emit`. */
ml_err ml_keyring_emit(struct ml_keyring *k, const struct ml_keyop *op, ml_keyop_cb *emit,
                       void *user) ML_MUST_CHECK;

/* keyring_dek.c */
struct patient_links {
    struct ml_patient_link link[ML_KEYRING_LINKS_MAX];
    size_t count;
};
/* NOT_FOUND when there is none. Wipe with ml_keyring_links_wipe. */
ml_err ml_keyring_links(struct ml_keyring *k, const struct ml_object_id *patient,
                        struct patient_links *out) ML_MUST_CHECK;
void ml_keyring_links_wipe(struct patient_links *links);
/* Of the patient's link secrets the one whose stream id is smallest; its place in `links`. */
ml_err ml_keyring_stream_of(const struct patient_links *links, uint8_t compartment,
                            struct ml_stream_id *stream, size_t *chosen) ML_MUST_CHECK;
typedef enum ml_wrap_fate {
    ML_WRAP_OPENS = 1,
    ML_WRAP_UNKNOWN = 2, /* its KEK isn't held here */
    ML_WRAP_FORGED = 3,
} ml_wrap_fate;
ml_wrap_fate ml_keyring_wrap_fate(const struct ml_keyring *k, const struct ml_dek_wrap *wrap);
struct stream_wraps {
    struct ml_stored_wrap *wrap; /* owned */
    size_t count;
    size_t cap;
    size_t unknown; /* of these, whose KEK isn't held */
    const struct ml_keyring *k;
};
/* Those that open or might: forged ones are left out, and of what can't be told only some. */
ml_err ml_keyring_wraps(struct ml_keyring *k, const struct ml_stream_id *stream,
                        struct stream_wraps *out) ML_MUST_CHECK;
/* The teams that share one link secret of a patient, in one compartment. */
struct audience {
    const struct patient_links *links;
    size_t chosen; /* the link whose secret they share */
    uint8_t compartment;
};
/* Is link `i` of that audience? */
bool ml_keyring_in_audience(const struct audience *audience, size_t i);
/* Is `dek` wrapped, by ops that seal, for the sealing KEK of the whole audience? */

#endif
