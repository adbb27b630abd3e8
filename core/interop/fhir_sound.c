/* core/interop/fhir_sound.c -- is a converted value one that every reader takes? */
#include "core/codec/value.h"
#include "core/interop/fhir_internal.h"

bool ml_fhir_value_is_sound(ml_field_type type, struct ml_slice v)
{
    union {
        struct ml_slice text;
        struct ml_quantity quantity;
        struct ml_code code;
        struct ml_concept concept;
        struct ml_period period;
        struct ml_identifier identifier;
        struct ml_person_name name;
        struct ml_address address;
        struct ml_contact contact;
        struct ml_dosage dosage;
        struct ml_component component;
        struct ml_attachment attachment;
        struct ml_instant instant;
    } u;
    switch (type) {
    case ML_TYPE_TEXT:
        return ml_text_decode(&u.text, v) == ML_OK;
    case ML_TYPE_QUANTITY:
        return ml_quantity_decode(&u.quantity, v) == ML_OK;
    case ML_TYPE_CODE:
        return ml_code_decode(&u.code, v) == ML_OK;
    case ML_TYPE_CONCEPT:
        return ml_concept_decode(&u.concept, v) == ML_OK;
    case ML_TYPE_INSTANT:
        return ml_instant_decode(&u.instant, v) == ML_OK;
    case ML_TYPE_PERIOD:
        return ml_period_decode(&u.period, v) == ML_OK;
    case ML_TYPE_IDENTIFIER:
        return ml_identifier_decode(&u.identifier, v) == ML_OK;
    case ML_TYPE_NAME:
        return ml_person_name_decode(&u.name, v) == ML_OK;
    case ML_TYPE_ADDRESS:
        return ml_address_decode(&u.address, v) == ML_OK;
    case ML_TYPE_CONTACT:
        return ml_contact_decode(&u.contact, v) == ML_OK;
    case ML_TYPE_DOSAGE:
        return ml_dosage_decode(&u.dosage, v) == ML_OK;
    case ML_TYPE_COMPONENT:
        return ml_component_decode(&u.component, v) == ML_OK;
    case ML_TYPE_ATTACHMENT:
        return ml_attachment_decode(&u.attachment, v) == ML_OK;
    case ML_TYPE_VALUE:
        return ml_value_shape(v) != ML_SHAPE_NONE;
    case ML_TYPE_BOOL:
    case ML_TYPE_INT:
    case ML_TYPE_DECIMAL:
    case ML_TYPE_DATE:
    case ML_TYPE_REF:
        break; /* as they are written, they can't be wrong */
    }
    return true;
}
