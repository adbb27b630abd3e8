/* core/record/views_int.h -- shared by the files that write answers. */
#ifndef ML_RECORD_VIEWS_INT_H
#define ML_RECORD_VIEWS_INT_H

#include "core/record/vault_int.h"

/* The patient's card: texts of these fields, each followed by the separator. */
#define CARD_SEPARATOR 0x1f
enum card_place {
    CARD_BIRTH_NAME,
    CARD_USED_NAME,
    CARD_GIVEN_NAMES,
    CARD_USED_GIVEN,
    CARD_BIRTH_DATE, /* ISO, as far as it is known */
    CARD_SEX,
    CARD_INS,
    CARD_DECEASED,
};

/* views_object.c: the row of an object of this patient. NOT_FOUND. */
ml_err ml_vault_find_object(struct ml_vault *v, const struct ml_object_id *patient,
                            const struct ml_object_id *object, int64_t *row,
                            uint16_t *entity) ML_MUST_CHECK;

/* vault_person.c */
struct ml_slice ml_card_text(struct ml_slice card, unsigned field);

/* views_object.c: "patient" and what his card says. */
ml_err ml_view_put_patient(struct ml_vault *v, int64_t patient, struct ml_args *out) ML_MUST_CHECK;
/* views_cosign.c */
ml_err ml_view_weigh_unsigned(struct ml_vault *v, struct ml_object *o,
                              struct ml_view_unsigned *out) ML_MUST_CHECK;

/* views.c: key and value into an open map. */
void ml_view_put_id(struct ml_args *out, const char *key, struct ml_slice id);
void ml_view_put_text(struct ml_args *out, const char *key, struct ml_slice text);
void ml_view_put_card(struct ml_args *out, struct ml_slice card);
void ml_view_put_version(struct ml_args *out, const struct ml_version_id *id);
void ml_view_put_recorded(struct ml_args *out, uint64_t hlc);
void ml_view_put_effective(struct ml_args *out, const struct ml_instant *at);
/* "hidden": does this patient (NULL: any) keep anything from the vault's member? */
ml_err ml_view_put_hidden(struct ml_vault *v, struct ml_args *out,
                          const struct ml_object_id *patient) ML_MUST_CHECK;
/* "by_role": the classes that the matrix doesn't let the vault's member read, or only what he wrote
 * himself; and where he may know of it, how many entries that keeps from him. */
ml_err ml_view_put_by_role(struct ml_vault *v, struct ml_args *out,
                           const struct ml_object_id *patient, int64_t row) ML_MUST_CHECK;
/* "author": {member, name, role, node, writer, seq} of a bundle. */
ml_err ml_view_put_author(struct ml_vault *v, struct ml_args *out, uint64_t n) ML_MUST_CHECK;
/* "text" and "value" of a field's value. */
ml_err ml_view_put_value(struct ml_vault *v, struct ml_args *out, const struct ml_object *o,
                         const struct ml_field *field, struct ml_slice value) ML_MUST_CHECK;
ml_err ml_view_value_text(struct ml_vault *v, const struct ml_object *o,
                          const struct ml_field *field, struct ml_slice value,
                          struct ml_buf *out) ML_MUST_CHECK;
/* What one version says of a register, nothing left out. */
ml_err ml_view_register(struct ml_vault *v, struct ml_object *o, uint16_t slot, uint32_t version,
                        struct ml_buf *out) ML_MUST_CHECK;
/* All but the title, in a sentence (say.h). */
ml_err ml_view_summary(struct ml_vault *v, struct ml_object *o, struct ml_buf *out) ML_MUST_CHECK;
/* Appends the title of an object, French, to `out`. */
ml_err ml_view_title(struct ml_vault *v, struct ml_object *o, struct ml_buf *out) ML_MUST_CHECK;
/* Loads the object of a row; free it, then *packed. */
ml_err ml_view_load(struct ml_vault *v, int64_t row, struct ml_object **out,
                    struct ml_buf *packed) ML_MUST_CHECK;

#endif
