/* tests/unit/core_codec/support_consent.c -- a statement with few fields, and one with many. */
#include <string.h>

#include "support_codec.h"

void sample_consent(struct ml_consent *out, bool full)
{
    static struct ml_member_id members[2];
    static struct ml_consent_id names[3];
    memset(out, 0, sizeof(*out));
    out->kind = full ? ML_CONSENT_OPPOSED : ML_CONSENT_INFORMED;
    fill(&out->patient, sizeof(out->patient), 0x72);
    fill(&out->unique, sizeof(out->unique), 0x60);
    out->source = full ? ML_CONSENT_BY_REPRESENTATIVE : ML_CONSENT_BY_PATIENT;
    if (!full) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        fill(&members[i % 2], sizeof(members[i % 2]), 0x40 + i % 2);
        fill(&names[i], sizeof(names[i]), 0x50 + i);
    }
    out->audience = ML_AUDIENCE_ALL_EXCEPT;
    out->members = (struct ml_list){.items = members, .count = 2};
    out->item = ML_ITEM_OBJECT;
    fill(&out->object, sizeof(out->object), 0x73);
    out->said_ms = 1700000000000u;
    out->until_ms = 1800000000000u;
    out->seen = (struct ml_list){.items = names, .count = 2};
    out->ends = (struct ml_list){.items = names + 1, .count = 2};
    out->means = ml_slice_str("oral");
    out->reason = ml_slice_str("à sa demande");
}
