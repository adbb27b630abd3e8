/* core/record/views.h -- what a vault answers, written as a document (docs/storage/vault.md).
 *
 * Each call appends one map to `out` (borrowed). Every value is given as `text`, French and ready
 * to be shown, and as `value`. Every answer says `complete`: false until the vault has caught up;
 * those about one patient `hidden`: he keeps something from this member, perhaps nothing that is
 * there (consents.h). The summary and the timeline say `by_role`: the classes that the matrix
 * doesn't let him read, [{class_number, class, own: he reads what he wrote, kept: how many entries
 * that hides, where he may know}]; an entry of these is in no answer and in no count.
 * Ids are lower-case hexadecimal. NULL `out` is NOMEM.
 */
#ifndef ML_RECORD_VIEWS_H
#define ML_RECORD_VIEWS_H

#include "core/codec/value.h"
#include "core/record/vault.h"
#include "maille/value.h"

/* Who wrote: the vault knows members by id, governance by name. */
struct ml_view_names {
    void *ctx;
    /* Appends the member's name (UTF-8) to `out`; nothing when it isn't known. May be NULL. */
    void (*member)(void *ctx, const struct ml_member_id *member, struct ml_buf *out);
    /* Of a bundle of ours or others': "local", "sent" ...; NULL: not said. May be NULL. */
    const char *(*sync)(void *ctx, const struct ml_writer_id *writer, uint32_t seq);
    /* Whose entries wait for a second signature, it tells (cosign.h). NULL: nobody's. */
    const struct ml_gov *(*gov)(void *ctx);
};

/** Borrowed until replaced or the vault is closed. */
void ml_vault_set_names(struct ml_vault *v, const struct ml_view_names *names);

/**
 * {complete, total, more, items: [{patient, birth_name, used_name, given_names, birth_date,
 * birth_date_text, sex, ins, deceased, matched, homonym}]}. `query`: names, birth dates in any
 * French form, identifiers, in any order; "" lists by name.
 */
ml_err ml_view_find(struct ml_vault *v, const char *query, uint32_t limit,
                    struct ml_args *out) ML_MUST_CHECK;

/**
 * {complete, unknown (entries that only a later version shows whole), patient, banner {birth_name,
 * used_name, given_names, birth_date, sex, ins, deceased}, allergies {state:
 * known|none_known|not_recorded|unavailable, items}, conflicts {open, worst}, counts by entity,
 * problems, treatments {current, past}, last}. NOT_FOUND.
 */
ml_err ml_view_patient(struct ml_vault *v, const struct ml_object_id *patient,
                       struct ml_args *out) ML_MUST_CHECK;

struct ml_timeline_query {
    struct ml_object_id patient;
    const char *const *entities; /* names; NULL: all that are in the timeline */
    size_t entity_count;
    int64_t from_ms; /* effective; 0 and 0: all */
    int64_t to_ms;
    uint32_t offset;
    uint32_t limit;   /* 0: 50 */
    const char *text; /* only items with these words; NULL: all */
    bool voided;      /* also what was entered in error or archived */
};

/** {complete, unknown, total, more, items: [{object, entity, label, title, text, effective,
 * effective_text, recorded, author {...}, life, conflict, greyed, awaits (a second signature),
 * sync, code}]}, latest first. NOT_FOUND. */
ml_err ml_view_timeline(struct ml_vault *v, const struct ml_timeline_query *query,
                        struct ml_args *out) ML_MUST_CHECK;

/** One object with every register, its heads and its whole history: {object, entity, label, awaits,
 * life, fields: [{field, label, slot, text, value, conflict, heads: [...], history: [{version,
 * text, author, recorded, effective, op, rank, reason, origin}]}]}. NOT_FOUND. */
ml_err ml_view_object(struct ml_vault *v, const struct ml_object_id *patient,
                      const struct ml_object_id *object, struct ml_args *out) ML_MUST_CHECK;

/** Open conflicts, gravest first; of one patient or (NULL) of all. {complete, total, items:
 * [{patient, name, object, entity, slot, field, label, severity, title, heads: [{version, text,
 * value, author, recorded}]}]}. */
ml_err ml_view_conflicts(struct ml_vault *v, const struct ml_object_id *patient, uint32_t limit,
                         struct ml_args *out) ML_MUST_CHECK;

/** What of an object waits for a signature beside its author's. */
struct ml_view_unsigned {
    bool waits;
    struct ml_member_id author;
    struct ml_member_id supervisor; /* zero: nobody is named */
};
/** Of what stands in it: what was replaced waits for nobody. NOT_FOUND. */
ml_err ml_view_unsigned(struct ml_vault *v, const struct ml_object_id *patient,
                        const struct ml_object_id *object,
                        struct ml_view_unsigned *out) ML_MUST_CHECK;
/** Whether this member's signature would do for all of it. */
bool ml_view_may_cosign(const struct ml_vault *v, const struct ml_entity *entity,
                        const struct ml_view_unsigned *what, const struct ml_member_id *signer);
/** Into an open list: {patient, birth_name ..., item: as in a timeline}. NOT_FOUND. */
ml_err ml_view_item(struct ml_vault *v, const struct ml_object_id *patient,
                    const struct ml_object_id *object, struct ml_args *out) ML_MUST_CHECK;

/** One file of an object, as it is shown; borrowed for the call. */
struct ml_view_file {
    const struct ml_field *field;
    uint32_t number; /* among all files of the object, from 0 */
    struct ml_attachment file;
};
typedef ml_err ml_view_file_cb(void *user, const struct ml_view_file *file);

/** Every attachment of an object, field by field; an error of `each` ends the walk and is returned.
 * Attachments that don't decode are passed over but keep their number. NOT_FOUND. */
ml_err ml_view_files(struct ml_vault *v, const struct ml_object_id *patient,
                     const struct ml_object_id *object, ml_view_file_cb *each,
                     void *user) ML_MUST_CHECK;

#endif
