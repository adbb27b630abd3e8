/* core/model/keyring.h -- the keys of one member on one node (rules A2-A8).
 *
 *   KEK of a group's epoch   from KEK_EPOCH and KEK_GRANT slots sealed to this member-on-node
 *   link secret of a patient from PATIENT_OPEN, under the team's admin KEK; gives 12 stream ids
 *   DEK of a stream          from DEK_WRAP, under a KEK of the stream's compartment
 *
 * KEKs are few and stay open, in guarded memory. Links and wraps are many (a patient has several
 * DEKs): they stay wrapped in a store, and DEKs are opened when asked for, into a fixed guarded
 * cache. Pure but for the store's calls; one thread at a time.
 *
 * What depends on arrival order nowhere decides: concurrent epochs and DEKs all open, and the one
 * that seals is the smallest of those that may (rules A3, A8).
 */
#ifndef ML_MODEL_KEYRING_H
#define ML_MODEL_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/codec/keyop.h"
#include "core/crypto/box.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_KEYRING_EPOCHS_MAX     4096u  /* KEK epochs known, all groups */
#define ML_KEYRING_LINKS_MAX      32u    /* link secrets of one patient: teams, double openings */
#define ML_KEYRING_WRAPS_MAX      256u   /* wraps of one stream */
#define ML_KEYRING_CACHE_DEFAULT  4096u  /* open DEKs kept, when args say 0 */
#define ML_KEYRING_EXCEPTIONS_MAX 16384u /* DEK_SLOTS ops, all patients */
#define ML_LINK_BYTES             32u

/** Whose a stream is. */
struct ml_stream_info {
    struct ml_object_id patient; /* zero: the structure */
    uint64_t local;              /* the store's own number of that patient; 0: it has none */
    uint8_t compartment;
};

/** One opening of a patient in a team. `secret` is to be wiped by who holds a copy. */
struct ml_patient_link {
    struct ml_object_id patient;
    struct ml_team_id team;
    uint8_t secret[ML_LINK_BYTES];
};

/** A wrap as stored: `seals` is false when only quarantined ops brought it (rules B13). */
struct ml_stored_wrap {
    struct ml_dek_wrap wrap;
    bool seals;
};

typedef ml_err ml_link_cb(void *user, const struct ml_patient_link *link);
typedef ml_err ml_wrap_cb(void *user, const struct ml_stored_wrap *wrap);
typedef ml_err ml_bg_cb(void *user, const struct ml_bg_wrap *wrap);
typedef ml_err ml_keyop_cb(void *user, struct ml_slice op);

/* Where a keyring keeps what is many. Every put is idempotent. A callback calls back nothing of
 * the store or of the keyring; its error ends the walk and is returned. */
struct ml_keyring_store {
    void *ctx;
    /* A stream belongs to the smallest patient id that claims it. */
    ml_err (*stream_put)(void *ctx, const struct ml_stream_id *stream,
                         const struct ml_stream_info *info);
    ml_err (*stream_get)(void *ctx, const struct ml_stream_id *stream,
                         struct ml_stream_info *info); /* or NOT_FOUND */
    ml_err (*link_put)(void *ctx, const struct ml_patient_link *link);
    ml_err (*link_each)(void *ctx, const struct ml_object_id *patient, ml_link_cb *cb, void *user);
    ml_err (*wrap_put)(void *ctx, const struct ml_stored_wrap *wrap);
    ml_err (*wrap_each)(void *ctx, const struct ml_stream_id *stream, ml_wrap_cb *cb, void *user);
    /* Break-glass wraps: whose public half, and for emergency access what it sealed. */
    ml_err (*bg_put)(void *ctx, const struct ml_bg_wrap *wrap);
    ml_err (*bg_has)(void *ctx, const struct ml_bg_wrap *wrap, bool *has);
    ml_err (*bg_each)(void *ctx, const struct ml_stream_id *stream, ml_bg_cb *cb, void *user);
    /* A key of what was decided under this KEK, by its id, has opened a statement (ADR 0025). */
    ml_err (*heard_put)(void *ctx, const struct ml_key_id *kek, const struct ml_key_id *key);
    ml_err (*heard_has)(void *ctx, const struct ml_key_id *kek, const struct ml_key_id *key,
                        bool *has);
    /* Ops that wait for a KEK that isn't held: kept, then taken all at once. */
    ml_err (*later_put)(void *ctx, const struct ml_key_id *kek, struct ml_slice op);
    ml_err (*later_take)(void *ctx, const struct ml_key_id *kek, ml_keyop_cb *cb, void *user);
};

struct ml_keyring_args {
    const struct ml_env *env;             /* borrowed */
    struct ml_org_id org;                 /* copied */
    const struct ml_secret *mon_box;      /* borrowed; outlives the keyring */
    const struct ml_keyring_store *store; /* borrowed */
    uint32_t cache_deks;                  /* 0: ML_KEYRING_CACHE_DEFAULT */
};

struct ml_keyring; /* opaque; owned by who made it */

/** Errors: NOMEM. */
ml_err ml_keyring_new(struct ml_keyring **out, const struct ml_keyring_args *args) ML_MUST_CHECK;
/** Wipes every key. NULL is allowed. */
void ml_keyring_free(struct ml_keyring *k);

/** What an applied op has opened, so that what waited for it is tried again. */
struct ml_keyring_news {
    bool keks;    /* a KEK or HIST: anything may open now */
    bool streams; /* `patient` has streams that were unknown */
    bool dek;     /* `dek` of `stream` has a wrap more */
    bool faulty;  /* something in the op didn't open though it should have: it is ignored */
    struct ml_object_id patient;
    struct ml_stream_id stream;
    struct ml_key_id dek_id;
};

/** Takes one decoded op of lane 1, in log order; a repeat changes nothing. `accepted` false: it
 * opens but never seals. Unknown types are ignored. Errors: NOMEM, LIMIT, the store's. */
ml_err ml_keyring_apply(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                        struct ml_keyring_news *news) ML_MUST_CHECK;

/* ---- opening ---- */

/** *dek (32 bytes) is borrowed until the next call on `k`. NOT_FOUND: the stream isn't known.
 * NO_KEY: no wrap of it opens here. */
ml_err ml_keyring_dek(struct ml_keyring *k, const struct ml_stream_id *stream,
                      const struct ml_key_id *dek_id, struct ml_stream_info *info,
                      const uint8_t **dek) ML_MUST_CHECK;

/** Forgets every key and all that the store said, as if new: to be called when the store lost or
 * renumbered anything (a rollback, a reset). Apply the epochs and grants that it holds again. */
void ml_keyring_forget(struct ml_keyring *k);

/** Is the KEK that now seals for this group held? `team` is ignored for org-wide groups. */
bool ml_keyring_can_seal(const struct ml_keyring *k, const struct ml_team_id *team,
                         ml_compartment compartment);

/** Key for a label of the structure (KDF import-id of the structure's link; rules A9): *out is the
 * caller's. NOT_FOUND before the structure's PATIENT_OPEN. */
ml_err ml_keyring_import_key(struct ml_keyring *k, struct ml_secret **out) ML_MUST_CHECK;

/* ---- sealing ---- */

struct ml_seal_key {
    struct ml_stream_id stream;
    struct ml_key_id dek;
};

/** The stream and DEK for a new op of this patient (zero: the structure). NOT_FOUND: the patient
 * isn't open here; NO_KEY: none is wrapped for the whole audience yet, or a group's key is missing:
 * ml_keyring_make_dek. */
ml_err ml_keyring_seal_key(struct ml_keyring *k, const struct ml_object_id *patient,
                           ml_compartment compartment, struct ml_seal_key *out) ML_MUST_CHECK;

/* Making key ops (keyring_make.c). Each gives encoded ops to `emit`; they are appended to lane 1
 * and then applied like anyone's. */

struct ml_epoch_recipient {
    struct ml_box_pk pk;
    bool history; /* HIST too: may read and grant what came before */
};

struct ml_epoch_args {
    struct ml_team_id team; /* zero: org-wide */
    ml_compartment compartment;
    const struct ml_epoch_recipient *recipients;
    size_t recipient_count;
    const struct ml_box_pk *recovery; /* of break-glass; NULL: the group has none */
};

/** The next epoch of a group, wrapping the keys that are held of the one before. Errors: LIMIT,
 * INVALID (no recipient, or one twice), NOMEM, FORGED (a recipient's key is no key). */
ml_err ml_keyring_make_epoch(struct ml_keyring *k, const struct ml_epoch_args *args,
                             ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** Every KEK (with `history` also every HIST) that is held and current, to one newcomer. NO_KEY:
 * none is held. */
ml_err ml_keyring_make_grant(struct ml_keyring *k, const struct ml_box_pk *recipient, bool history,
                             ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** Opens a patient in a team. A patient that is open in another team keeps its link secret. EXISTS:
 * open in this team already. NO_KEY; of the zero patient always: its opening is still to come. */
ml_err ml_keyring_make_open(struct ml_keyring *k, const struct ml_object_id *patient,
                            const struct ml_team_id *team, ml_keyop_cb *emit,
                            void *user) ML_MUST_CHECK;

/** Seals what opens a patient (zero: the structure) to the keys that seal now, where only earlier
 * ones have it: who came since knows of him from then on. Nothing lacks: emits nothing. NOT_FOUND.
 */
ml_err ml_keyring_make_reopen(struct ml_keyring *k, const struct ml_object_id *patient,
                              ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** Opens the structure's own stream (the zero patient), org-wide: at founding, by the founder, once
 * and for all. Ids of imported objects hang on its link secret (ADR 0006): with a second one the
 * same file would make everything twice. EXISTS, NO_KEY. */
ml_err ml_keyring_make_structure(struct ml_keyring *k, ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** A new DEK of patient x compartment: its wraps for every team of the patient whose KEK is held,
 * deposits for the others, and for break-glass. NOT_FOUND, NO_KEY (no team's KEK is held, or one
 * has no epoch). */
ml_err ml_keyring_make_dek(struct ml_keyring *k, const struct ml_object_id *patient,
                           ml_compartment compartment, ml_keyop_cb *emit, void *user) ML_MUST_CHECK;

/** Wraps that the DEKs held here lack for the patient's teams (rules A8). None: emits nothing. */
ml_err ml_keyring_make_missing(struct ml_keyring *k, const struct ml_object_id *patient,
                               ml_compartment compartment, ml_keyop_cb *emit,
                               void *user) ML_MUST_CHECK;

/* ---- names in lanes 0 and 1 (rules A2) ---- */

/** What a card describes: bound, so that a name can't be moved to another. */
struct ml_card_place {
    ml_card_kind kind;
    uint8_t id[16]; /* zero for the org */
};

/** Seals a name, a label or a card under the `annuaire` KEK. sealed->ct is appended to `buf` and
 * borrows it: don't append more before the op is encoded. NO_KEY, NOMEM, LIMIT. */
ml_err ml_keyring_seal_card(struct ml_keyring *k, const struct ml_card_place *at,
                            struct ml_slice plain, struct ml_buf *buf,
                            struct ml_sealed *sealed) ML_MUST_CHECK;

/** The same of what is said of emergency access (struct ml_glass_op). */
ml_err ml_keyring_seal_glass(struct ml_keyring *k, struct ml_slice plain, struct ml_buf *buf,
                             struct ml_glass_op *op) ML_MUST_CHECK;
ml_err ml_keyring_open_said(struct ml_keyring *k, const struct ml_glass_op *op,
                            struct ml_buf *out) ML_MUST_CHECK;

/** Appends the plaintext. NO_KEY, FORGED, NOMEM, LIMIT; NOT_FOUND when `sealed` is absent. */
ml_err ml_keyring_open_card(struct ml_keyring *k, const struct ml_card_place *at,
                            const struct ml_sealed *sealed, struct ml_buf *out) ML_MUST_CHECK;

/* ---- what patients decided (keyring_consent.c; rules B21) ---- */

/** A CONSENT op with these bytes for each team of the patient whose admin KEK is held. NOT_FOUND:
 * he isn't open here; NO_KEY: of none of his teams; LIMIT. */
ml_err ml_keyring_make_consent(struct ml_keyring *k, const struct ml_object_id *patient,
                               struct ml_slice plain, ml_keyop_cb *emit, void *user) ML_MUST_CHECK;
/** The same for one team, of the patient's or not. */
ml_err ml_keyring_make_consent_in(struct ml_keyring *k, const struct ml_team_id *team,
                                  struct ml_slice plain, ml_keyop_cb *emit,
                                  void *user) ML_MUST_CHECK;

/** Appends the bytes. NO_KEY, FORGED, NOMEM, LIMIT. */
ml_err ml_keyring_open_consent(struct ml_keyring *k, const struct ml_consent_op *op,
                               struct ml_buf *out) ML_MUST_CHECK;

#endif
