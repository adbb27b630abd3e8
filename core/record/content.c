/* core/record/content.c -- the content verdict: does the plaintext fit what its header says in
 * clear (rules A1)? Holders of the key alone can tell; what doesn't fit is greyed, never dropped.
 */
#include "core/base/ids.h"
#include "core/model/seal.h"
#include "core/record/values.h"
#include "core/record/vault_int.h"

static bool fields_fit(const struct ml_entity *entity, struct ml_slice map)
{
    struct ml_fields_walk walk;
    struct ml_slice value;
    uint16_t id = 0;
    bool fit = ml_fields_walk(&walk, map) == ML_OK;
    while (fit && ml_fields_next(&walk, &id, &value)) {
        const struct ml_field *field = ml_entity_field(entity, id);
        fit = field == NULL || ml_value_fits(field, value); /* unknown fields are kept */
    }
    return fit;
}

bool ml_change_is_known(const struct ml_entity *entity, const struct ml_change *change)
{
    struct ml_fields_walk walk;
    struct ml_slice value;
    uint16_t id = 0;
    const struct ml_field *slot = ml_entity_field(entity, change->slot);
    const bool fields = change->slot == 0 || (slot != NULL && slot->merge == ML_MERGE_ATOMIC);
    bool known = change->extra.pairs == 0 && (change->slot == 0 || slot != NULL);
    if (known && fields && ml_value_is_map(change->value) &&
        ml_fields_walk(&walk, change->value) == ML_OK) {
        while (known && ml_fields_next(&walk, &id, &value)) {
            known = ml_entity_field(entity, id) != NULL;
        }
    }
    return known;
}

static uint8_t set_verdict(const struct ml_entity *entity, const struct ml_change *change)
{
    const struct ml_field *field = ml_entity_field(entity, change->slot);
    if (entity->merge == ML_MERGE_EVENT) {
        return ML_GREY_FIELD;
    }
    if (field == NULL) {
        return ML_GREY_NONE;
    }
    if (field->merge == ML_MERGE_ATOMIC) {
        return ml_value_is_map(change->value) && fields_fit(entity, change->value) ? ML_GREY_NONE
                                                                                   : ML_GREY_VALUE;
    }
    return change->value.len == 0 || ml_value_fits(field, change->value) ? ML_GREY_NONE
                                                                         : ML_GREY_VALUE;
}

uint8_t ml_content_verdict(const struct ml_entity *entity, const struct ml_change *change,
                           const struct ml_dict_entry *entry, const struct ml_stream_info *stream)
{
    if (entry->compartment != entity->compartment || stream->compartment != entry->compartment) {
        return ML_GREY_COMPARTMENT;
    }
    if (entry->action != ml_action_of(change->type) &&
        !(entry->action == ML_ACTION_DEPOSIT && change->type == ML_CHANGE_CREATE)) {
        return ML_GREY_ACTION;
    }
    if (ml_object_id_is_zero(&stream->patient) != entity->is_shared ||
        (entity->is_patient && !ml_object_id_equal(&change->object, &stream->patient))) {
        return ML_GREY_PATIENT;
    }
    switch (change->type) {
    case ML_CHANGE_CREATE:
    case ML_CHANGE_AMEND:
        return change->value.len == 0 || fields_fit(entity, change->value) ? ML_GREY_NONE
                                                                           : ML_GREY_VALUE;
    case ML_CHANGE_SET:
    case ML_CHANGE_MOVE:
        return set_verdict(entity, change);
    default:
        return ML_GREY_NONE;
    }
}
