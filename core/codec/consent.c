/* core/codec/consent.c -- see consent.h. */
#include "core/codec/consent.h"

#include "core/base/ids.h"
#include "core/crypto/hash.h"

#define C struct ml_consent

static const struct ml_wire_field member_fields[] = {{
    .type = ML_WIRE_FIXED,
    .size = sizeof(struct ml_member_id),
    .min = sizeof(struct ml_member_id),
    .max = sizeof(struct ml_member_id),
    .name = "member",
    .meaning = "member id",
}};
const struct ml_wire_format ml_format_consent_member =
    ML_WIRE_FORMAT("excepted member", SCALAR, struct ml_member_id, ML_WIRE_CLOSED, member_fields,
                   NULL, "A member whom it isn't about.");

static const struct ml_wire_field id_fields[] = {{
    .type = ML_WIRE_FIXED,
    .size = sizeof(struct ml_consent_id),
    .min = sizeof(struct ml_consent_id),
    .max = sizeof(struct ml_consent_id),
    .name = "statement",
    .meaning = "hash of a statement's bytes",
}};
const struct ml_wire_format ml_format_consent_id =
    ML_WIRE_FORMAT("statement id", SCALAR, struct ml_consent_id, ML_WIRE_CLOSED, id_fields, NULL,
                   "A statement's name.");

/* Each part that its kind asks for, and no other: one content has one encoding. */
static const char *audience_check(const struct ml_consent *c)
{
    const bool named = c->audience == ML_AUDIENCE_TEAM || c->audience == ML_AUDIENCE_PERSON;
    if ((c->role != 0) != (c->audience == ML_AUDIENCE_PROFESSION)) {
        return "role";
    }
    if (named == ml_is_zero(c->audience_id, sizeof(c->audience_id))) {
        return "audience_id";
    }
    return (c->members.count != 0) == (c->audience == ML_AUDIENCE_ALL_EXCEPT) ? NULL : "members";
}

static const char *item_check(const struct ml_consent *c)
{
    const bool numbered = c->item == ML_ITEM_COMPARTMENT || c->item == ML_ITEM_CLASS;
    if ((c->number != 0) != numbered) {
        return "number";
    }
    const bool named = !ml_is_zero(c->object.b, sizeof(c->object.b));
    return named == (c->item == ML_ITEM_OBJECT) ? NULL : "object";
}

static const char *consent_check(const void *object)
{
    const struct ml_consent *c = object;
    const char *fault = audience_check(c);
    return fault != NULL ? fault : item_check(c);
}

static const struct ml_wire_field fields[] = {
    ML_WF_UINT(C, 1, kind, 1, UINT8_MAX, "1 informed, 2 opposed, 3 agreed ..."),
    ML_WF_FIXED(C, 2, patient, "object id of the patient"),
    ML_WF_FIXED(C, 3, unique, "random"),
    ML_WF_UINT(C, 4, source, 1, 2, "who said it: 1 the patient, 2 a representative"),
    ML_WF_OPT_UINT(C, 5, audience, ML_AUDIENCE_LAST,
                   "1 all except, 2 a profession, 3 a team, 4 a person; left out: all"),
    ML_WF_OPT_UINT(C, 6, role, UINT16_MAX, "the profession, as in the matrix"),
    ML_WF_OPT_FIXED(C, 7, audience_id, "the team or the person"),
    ML_WF_OPT_SORTED(C, 8, members, ML_CONSENT_MEMBERS_MAX, &ml_format_consent_member,
                     "whom an « all except » isn't about"),
    ML_WF_OPT_UINT(
        C, 9, item, ML_ITEM_LAST,
        "1 a compartment, 2 a class, 3 one object; left out: all of the clinical record"),
    ML_WF_OPT_UINT(C, 10, number, UINT8_MAX, "of the compartment or the class"),
    ML_WF_OPT_FIXED(C, 11, object, "the object's id"),
    ML_WF_OPT_UINT(C, 12, said_ms, INT64_MAX, "when it was said, UTC; left out: when recorded"),
    ML_WF_OPT_UINT(C, 13, until_ms, INT64_MAX, "when it ends by itself; left out: never"),
    ML_WF_OPT_SORTED(C, 14, seen, ML_CONSENT_NAMES_MAX, &ml_format_consent_id,
                     "statements that its author knew: the last ones"),
    ML_WF_OPT_SORTED(C, 15, ends, ML_CONSENT_NAMES_MAX, &ml_format_consent_id,
                     "statements that no longer hold by this one"),
    ML_WF_OPT_TEXT(C, 16, means, ML_CONSENT_TEXT_MAX, "by word of mouth, on paper ..."),
    ML_WF_OPT_TEXT(C, 17, reason, ML_CONSENT_TEXT_MAX, "why, if it was said"),
};

const struct ml_wire_format ml_format_consent =
    ML_WIRE_FORMAT("consent", MAP, C, offsetof(C, extra), fields, consent_check,
                   "The sealed part of a CONSENT; later keys are kept.");

ml_err ml_consent_decode(struct ml_consent *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_consent, out, in, fault);
}

ml_err ml_consent_encode(struct ml_buf *out, const struct ml_consent *consent)
{
    return ml_wire_encode(&ml_format_consent, out, consent);
}

struct ml_consent_id ml_consent_id_of(struct ml_slice bytes)
{
    struct ml_consent_id id;
    const struct ml_slice parts[] = {ml_slice_str("maille/consent/1"), bytes};
    ml_hash_parts(id.b, sizeof(id.b), ml_slice(NULL, 0), parts, 2);
    return id;
}

const char *ml_consent_kind_name(uint8_t kind)
{
    switch (kind) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_CONSENT_KIND_MAP(X)
#undef X
    default:
        return "?";
    }
}
