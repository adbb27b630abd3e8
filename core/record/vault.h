/* core/record/vault.h -- a member's decrypted, materialised view of the log
 * (docs/storage/vault.md).
 *
 * A vault is derived: it follows the log by ingest number, commits its projection with the last
 * number applied (rules B12), resumes there, and may be dropped and rebuilt. It also stores what
 * the member's keyring keeps (links, wraps). Queries that answer documents are in views.h.
 *
 * One thread. Errors of every call, beside its own: NOMEM, FULL, IO, READONLY, CORRUPT.
 */
#ifndef ML_RECORD_VAULT_H
#define ML_RECORD_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/codec/change.h"
#include "core/model/keyring.h"
#include "core/record/schema.h"
#include "core/store/log.h"
#include "maille/err.h"
#include "maille/types.h"

struct ml_vault; /* opaque; owned by who opened it */

struct ml_vault_args {
    const struct ml_env *env; /* borrowed */
    const char *path;
    const char *vfs; /* registered name, with the vault's key; NULL: stock SQLite (tests) */
    struct ml_org_id org;
    struct ml_member_id member;      /* whose it is; a vault of another's is INVALID */
    const struct ml_secret *mon_box; /* borrowed; outlives the vault */
    const struct ml_schema *schema;  /* borrowed */
    bool create;
};

/** WRONG_KEY, CORRUPT, UNSUPPORTED: the caller may delete the file and open again. A vault made
 * with another schema starts its projection again. */
ml_err ml_vault_open(struct ml_vault **out, const struct ml_vault_args *args) ML_MUST_CHECK;
void ml_vault_close(struct ml_vault *v); /* NULL is allowed */

/** Of this member on this node; valid until the vault is closed. Key ops reach it by catch_up. */
struct ml_keyring *ml_vault_keyring(struct ml_vault *v);

/** Projects up to `max_bundles` stored bundles that are new here, in one transaction: one at least,
 * and then as many as 16,384 ops and 250 ms allow (decisions 12); *done: no more are left. A log
 * whose verdicts or bodies changed since makes the projection start again. */
#define ML_VAULT_BATCH_BUNDLES 16384u /* `max_bundles` that leaves it to ops and time */
ml_err ml_vault_catch_up(struct ml_vault *v, struct ml_log *log, uint32_t max_bundles,
                         bool *done) ML_MUST_CHECK;

/** Forgets the projection; the next catch_up starts at the first bundle. */
ml_err ml_vault_reset(struct ml_vault *v) ML_MUST_CHECK;

/** Whether the last catch_up since the opening said done; until then lists say « liste incomplète
 * »: the log goes on while the vault is closed, and a power cut may take more from the vault. */
bool ml_vault_complete(const struct ml_vault *v);
/** A call met a block that can't be read: the file is to be deleted and projected again. */
bool ml_vault_damaged(const struct ml_vault *v);

/** Whose stream it is. NOT_FOUND: the patient isn't known here. */
ml_err ml_vault_stream(struct ml_vault *v, const struct ml_stream_id *stream,
                       struct ml_stream_info *info) ML_MUST_CHECK;

/* ---- what writing asks ---- */

/** Entity type of an object of this patient (zero: the structure). NOT_FOUND. */
ml_err ml_vault_has(struct ml_vault *v, const struct ml_object_id *patient,
                    const struct ml_object_id *object, uint16_t *entity) ML_MUST_CHECK;

/** Is there such an object, be it one that the member may not read: not to write it twice. Nothing
 * to be answered. NOT_FOUND. */
ml_err ml_vault_known(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_object_id *object) ML_MUST_CHECK;

typedef ml_err ml_object_cb(void *user, const struct ml_object_id *object, uint16_t entity);
/** Every object of this patient (zero: the structure) that is known so; none: ML_OK. `each`
 * asks nothing of the vault. An error of `each` as it is. */
ml_err ml_vault_each_object(struct ml_vault *v, const struct ml_object_id *patient,
                            ml_object_cb *each, void *user) ML_MUST_CHECK;

#define ML_SLOT_LIFE 0u /* the object's life; of an event also its whole value */
#define ML_SLOT_ALL  UINT16_MAX

typedef ml_err ml_version_cb(void *user, const struct ml_version_id *version);
/** The heads of one register, that an op which replaces them names in `seen`; of ML_SLOT_ALL: of
 * every register (what an archive, a void or a restore names). NOT_FOUND: no such object. */
ml_err ml_vault_heads(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_object_id *object, uint16_t slot, ml_version_cb *each,
                      void *user) ML_MUST_CHECK;

typedef ml_err ml_change_cb(void *user, const struct ml_change *change);
/** What one version of an object wrote, borrowed for the call of `each`: to write it again, kept in
 * a conflict. NOT_FOUND: no such object, or it has no such version. */
ml_err ml_vault_version(struct ml_vault *v, const struct ml_object_id *patient,
                        const struct ml_object_id *object, const struct ml_version_id *version,
                        ml_change_cb *each, void *user) ML_MUST_CHECK;

/* ---- proofs ---- */

struct ml_vault_counts {
    uint64_t cursor; /* ingest number projected up to */
    uint64_t patients;
    uint64_t objects;
    uint64_t ops;            /* projected */
    uint64_t ops_greyed;     /* of these: in quarantined bundles, or of a content not allowed */
    uint64_t ops_unknown;    /* with a part that only a later version knows: entity, type, field */
    uint64_t ops_unread;     /* damaged: forged, malformed, shredded */
    uint64_t bundles_no_key; /* with at least one op that no key here opens */
    uint64_t conflicts;      /* open */
    uint64_t work;           /* bundles projected since the vault was opened, again or not */
};
ml_err ml_vault_counts(struct ml_vault *v, struct ml_vault_counts *out) ML_MUST_CHECK;

/** Decisions 15: everything that is shown of the record but drafts, preferences and read marks; a
 * function of the set of bundles and of the keys held, not of their order nor of local numbers. */
ml_err ml_vault_view_hash(struct ml_vault *v, struct ml_hash *out) ML_MUST_CHECK;

/** SQLite's integrity check. *problems: their number. */
ml_err ml_vault_check(struct ml_vault *v, uint64_t *problems) ML_MUST_CHECK;

#endif
