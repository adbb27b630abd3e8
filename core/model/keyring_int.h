/* core/model/keyring_int.h -- shared by the keyring's own files. */
#ifndef ML_MODEL_KEYRING_INT_H
#define ML_MODEL_KEYRING_INT_H

#include "core/model/keyring_except.h"
#include "core/model/keyring_group.h"
#include "core/model/keyring_pair.h"

#define KEY_CHUNK_KEYS (ML_SECRET_MAX / ML_KEY_BYTES) /* keys in one guarded allocation */
#define CACHE_WAYS     8u

/* Who was given an epoch's keys, as lane 1 says in clear: slots, and grants of accepted bundles. */
struct key_holder {
    struct ml_recipient_id id;
    bool kek;
    bool hist;
    bool hears;     /* was given the key of what was decided in this epoch, and no more */
    bool asks;      /* he said that what he was given doesn't open, and was given nothing since */
    uint8_t faults; /* how often he said so */
};

/* One KEK_EPOCH op. The secrets are NULL while they aren't held. */
struct key_epoch {
    struct ml_team_id team;
    struct ml_key_id kek;
    struct ml_key_id hist;
    struct ml_box_pk break_glass;
    struct ml_box_pk deposit; /* zero: none */
    uint32_t epoch;
    uint8_t compartment;
    bool accepted;
    bool fits; /* nobody holds its KEK who isn't entitled now */
    bool ends; /* somebody holds its HIST who isn't: he opens every epoch before it */
    bool has_break_glass;
    bool has_holders; /* its break-glass secret is sealed to an emergency pair */
    bool tried_opens; /* the emergency pair of `tried` opens that */
    uint64_t tried;   /* order of a pair; 0: none */
    uint64_t order;   /* of arrival, among pairs and epochs */
    struct ml_secret *kek_key;
    struct ml_secret *wrap_key; /* derived from the KEK */
    /* Of an admin group: derived from the KEK too, or what a grant said that it is. */
    struct ml_secret *consent_key;
    bool consent_opens; /* what was said of it has opened a statement */
    struct ml_secret *hist_key;
    uint8_t *raw; /* the op, for the older keys inside */
    size_t raw_len;
    struct key_holder *holders; /* owned */
    size_t holder_count;
    size_t holder_cap;
};

struct group_member {
    struct ml_recipient_id id;
    struct ml_group_member who;
};

/* Whom governance entitles. */
struct key_group {
    struct ml_team_id team;
    uint8_t compartment;
    struct group_member *members; /* owned; ids ascend */
    size_t count;
};

/* A pair as PAIR_GRANT ops hand it out. */
struct key_pair {
    uint8_t kind; /* ml_pair_kind */
    uint32_t number;
    struct ml_box_pk pk;
    bool accepted;
    uint64_t order;                 /* of arrival, among pairs and epochs: when it came to count */
    struct ml_secret *secret;       /* NULL: not held */
    struct ml_recipient_id *handed; /* owned: to whom, by accepted ops */
    size_t handed_count;
    size_t handed_cap;
};

/* A network epoch that is sealed to the pair of a later one, which isn't held yet. */
struct pair_lead {
    struct ml_box_pk to;
    struct ml_box_pk by;
    struct ml_box_pk ephemeral;
    uint8_t slot[ML_SLOT_BYTES];
};

struct cached_dek {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    struct ml_stream_info info;
    uint64_t used; /* 0: free */
};

/* One DEK_SLOTS op. */
struct dek_exception {
    struct ml_stream_id stream;
    struct ml_key_id dek;
    uint8_t *raw; /* owned: the op */
    size_t raw_len;
    bool accepted;
};

/* A DEK whose wraps a SHRED destroys: who was left out may have it yet. */
struct stale_dek {
    struct ml_stream_id stream;
    struct ml_key_id dek;
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
    struct key_group *groups; /* owned */
    size_t group_count;
    size_t group_cap;
    struct dek_exception *exceptions; /* owned; in order of arrival */
    size_t exception_count;
    size_t exception_cap;
    struct stale_dek *stale; /* owned; each once */
    size_t stale_count;
    size_t stale_cap;
    uint64_t faults; /* grows with each slot here, and each word of another's, that didn't open */
    /* The cache: sets of CACHE_WAYS; entry i's key is bytes of chunk i / KEY_CHUNK_KEYS. */
    struct cached_dek *cache;
    struct ml_secret **chunks;
    uint32_t cache_count;
    uint32_t chunk_count;
    uint64_t clock;
    struct key_pair **pairs; /* owned, in order of arrival */
    size_t pair_count;
    size_t pair_cap;
    struct pair_lead leads[ML_KEYRING_LEADS_MAX];
    size_t lead_count;
    uint64_t arrivals;                /* of pairs and epochs */
    struct ml_recipient_id *breakers; /* owned, sorted: who may break a glass */
    size_t breaker_count;
    bool breakers_told;
    bool pair_sound; /* the emergency pair of now was handed to nobody else, as far as is told */
    /* Data keys that a break-glass gave; the i-th is in glass_keys at i * ML_KEY_BYTES. */
    struct cached_dek glass[ML_KEYRING_GLASS_MAX];
    struct ml_secret *glass_keys; /* NULL: there is none */
    size_t glass_count;
};

/* keyring.c */
/* One that is held, where several claim the key id; NULL: none claims it. */
struct key_epoch *ml_keyring_epoch_of_kek(const struct ml_keyring *k, const struct ml_key_id *kek);
/* Wipes and frees every epoch. */
void ml_keyring_drop_epochs(struct ml_keyring *k);
/* The group of a compartment in a team: org-wide ones have the zero team. */
struct ml_team_id ml_keyring_group(const struct ml_team_id *team, uint8_t compartment);
/* Of one group? `group` as ml_keyring_group says. */
bool ml_keyring_is_of(const struct key_epoch *e, const struct ml_team_id *group,
                      uint8_t compartment);
/* Does the op of `x`, whose HIST is held, lead to this key of `e`? */
ml_err ml_keyring_leads_to(const struct ml_keyring *k, bool *leads, const struct key_epoch *x,
                           const struct key_epoch *e, bool hist) ML_MUST_CHECK;

/* keyring_sealing.c */
/* The epoch that seals for a group: of the accepted ones whose numbers follow on each other and
 * that nobody opens who isn't entitled, by its slots or by a later one's HIST, a held one, then the
 * highest number, then the smallest key id; NULL. */
struct key_epoch *ml_keyring_sealing(const struct ml_keyring *k, const struct ml_team_id *team,
                                     uint8_t compartment);
/* The highest accepted number that follows on 1 without a gap; 0: none. */
uint32_t ml_keyring_top(const struct ml_keyring *k, const struct ml_team_id *group,
                        uint8_t compartment);
/* The highest accepted number that is held; the highest there is where none is. */
uint32_t ml_keyring_last(const struct ml_keyring *k, const struct ml_team_id *group,
                         uint8_t compartment);

/* keyring_group.c */
const struct key_group *ml_keyring_find_group(const struct ml_keyring *k,
                                              const struct ml_team_id *group, uint8_t compartment);
const struct group_member *ml_keyring_find_member(const struct key_group *group,
                                                  const struct ml_recipient_id *id);
struct key_holder *ml_keyring_holder(const struct key_epoch *e, const struct ml_recipient_id *id);
/* Notes that somebody was given a key: SLOT_KEK, _HIST or _CONSENT. NOMEM. */
ml_err ml_keyring_hand(struct ml_keyring *k, struct key_epoch *e, const struct ml_recipient_id *id,
                       ml_slot_kind kind) ML_MUST_CHECK;
/* Was he given the KEK or HIST? */
bool ml_keyring_is_given(const struct key_epoch *e, const struct ml_recipient_id *id);
void ml_keyring_refit(const struct ml_keyring *k, struct key_epoch *e);

/* keyring_consent.c: a granted key of what was decided in an epoch, the op's slot `index`. */
ml_err ml_keyring_apply_hearing(struct ml_keyring *k, const struct ml_kek_grant *op,
                                const struct ml_grant_slot *slot, uint16_t index,
                                struct ml_keyring_news *news) ML_MUST_CHECK;

/* keyring_fault.c */
void ml_keyring_apply_fault(struct ml_keyring *k, const struct ml_key_fault *in);
void ml_keyring_drop_groups(struct ml_keyring *k);

/* A key of an epoch. */
struct key_ref {
    const struct key_epoch *e;
    bool hist;
};
struct key_refs {
    struct key_ref *ref; /* owned; freed by ml_release */
    size_t count;
};
/* All that is held of a group's epochs up to number `top`, but what these keys lead to: those of
 * `top` first. */
ml_err ml_keyring_held(const struct ml_keyring *k, struct key_refs *out,
                       const struct ml_group_place *group, uint32_t top) ML_MUST_CHECK;

/* keyring_open.c: notes that a link is sealed under this KEK too. */
ml_err ml_keyring_mark_open(struct ml_keyring *k, const struct ml_patient_link *link,
                            const struct ml_key_id *kek) ML_MUST_CHECK;

/* keyring_except.c */
ml_err ml_keyring_apply_slots(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                              struct ml_keyring_news *news) ML_MUST_CHECK;
/* Was it sealed to members one by one? Who is no longer entitled may have it then, though no group
 * gave it to him: it never seals for a group. */
bool ml_keyring_is_excepted(const struct ml_keyring *k, const struct ml_seal_key *key);
/* An accepted SHRED: the DEKs that it names never seal again. */
ml_err ml_keyring_apply_shred(struct ml_keyring *k, const struct ml_shred *op) ML_MUST_CHECK;
void ml_keyring_drop_exceptions(struct ml_keyring *k);
/* `what` but for its place in the cache: its 32 bytes into `key` where a slot of ours has them. */
ml_err ml_keyring_open_slots(struct ml_keyring *k, const struct cached_dek *what, uint8_t *key,
                             bool *found) ML_MUST_CHECK;

struct key_emitter {
    ml_keyop_cb *emit;
    void *user;
};
/* keyring_open.c: the break-glass wraps that a DEK lacks, for each team that shares its stream's
 * link. */
ml_err ml_keyring_emit_glass(struct ml_keyring *k, const struct ml_exception *who,
                             const struct ml_seal_key *key, const uint8_t *dek,
                             const struct key_emitter *to) ML_MUST_CHECK;

/* keyring_group.c: told, and nobody is entitled: a team that has no part in this compartment. */
bool ml_keyring_is_empty(const struct ml_keyring *k, const struct ml_team_id *team,
                         uint8_t compartment);

/* keyring_deposit.c */
ml_err ml_keyring_apply_deposit(struct ml_keyring *k, const struct ml_keyop *op, bool accepted,
                                struct ml_keyring_news *news) ML_MUST_CHECK;
/* Has somebody entitled given a DEK to a group whose KEK isn't held here? */
ml_err ml_keyring_is_deposited(const struct ml_keyring *k, const struct ml_seal_key *key,
                               const struct ml_key_id *kek, bool *is) ML_MUST_CHECK;
/* To the holders of a KEK that needn't be held here. NO_KEY: that epoch takes none. */
ml_err ml_keyring_emit_deposit(struct ml_keyring *k, const struct ml_seal_key *key,
                               const uint8_t *dek, const struct key_epoch *e,
                               const struct key_emitter *to) ML_MUST_CHECK;
/* The pair that a KEK gives for deposits. */
ml_err ml_keyring_deposit_pair(struct ml_box_pk *pk, struct ml_secret **secret,
                               const struct ml_secret *kek) ML_MUST_CHECK;
/* keyring_dek.c: into the cache, as if it had been opened. */
void ml_keyring_cache_put(struct ml_keyring *k, const struct ml_seal_key *key,
                          const struct ml_stream_info *info, const uint8_t *dek);
/* keyring_dek.c: wipes what is open of a stream. */
void ml_keyring_cache_drop(struct ml_keyring *k, const struct ml_stream_id *stream);
/* keyring_open.c: one DEK's wrap under the KEK of an epoch that is held. */
void ml_keyring_wrap(const struct ml_keyring *k, struct ml_dek_wrap *wrap, const uint8_t *dek,
                     const struct key_epoch *e);
/* keyring_except.c: to each of these who lacks it. */
ml_err ml_keyring_emit_slots(struct ml_keyring *k, const struct ml_exception *who,
                             const struct ml_seal_key *key, const struct ml_secret *dek,
                             const struct key_emitter *to) ML_MUST_CHECK;

/* keyring_pair.c */
ml_err ml_keyring_apply_pair(struct ml_keyring *k, const struct ml_pair_grant *in, bool accepted,
                             struct ml_keyring_news *news) ML_MUST_CHECK;
/* The pair of a kind that is used now; NULL. */
const struct key_pair *ml_keyring_pair_now(const struct ml_keyring *k, uint8_t kind);
/* The secret half of this epoch's break-glass pair by one emergency pair. NO_KEY: that doesn't open
 * it. */
ml_err ml_keyring_open_holders(const struct ml_keyring *k, const struct key_epoch *e,
                               const struct key_pair *pair, struct ml_secret **out) ML_MUST_CHECK;
/* Wipes and frees every pair, and what a break-glass gave. */
void ml_keyring_drop_pairs(struct ml_keyring *k);
/* NULL: none was taken. */
const uint8_t *ml_keyring_glass_dek(const struct ml_keyring *k, const struct ml_stream_id *stream,
                                    const struct ml_key_id *dek_id);

/* keyring_emergency.c */
void ml_keyring_pair_weigh(struct ml_keyring *k);
void ml_keyring_drop_breakers(struct ml_keyring *k);
/* To whom the next epoch's break-glass secret is sealed; NULL: to nobody yet. */
const struct ml_box_pk *ml_keyring_emergency(const struct ml_keyring *k);
/* May it seal, as to who opens it in an emergency? */
bool ml_keyring_glass_fits(const struct ml_keyring *k, struct key_epoch *e);
/* Is this for an epoch that doesn't fit any more, and that an emergency pair opens? */
bool ml_keyring_is_glass_of_old(const struct ml_keyring *k, const struct ml_bg_wrap *wrap);

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
/* keyring_except.c: is exception `i` of this stream the first with its DEK, and none of these wraps
 * has it? */
bool ml_keyring_excepts_first(const struct ml_keyring *k, size_t i,
                              const struct ml_stream_id *stream, const struct stream_wraps *wraps);

#endif
