/* core/codec/glass.c -- see glass.h. */
#include "core/codec/glass.h"

#include <string.h>

#include "core/base/ids.h"

#define G struct ml_glass_say

static bool has_patient(const struct ml_glass_say *g)
{
    return !ml_is_zero(g->patient.b, sizeof(g->patient.b));
}

/* Each part that its kind asks for, and no other; of a later kind any. */
static const char *glass_check(const void *object)
{
    const struct ml_glass_say *g = object;
    const bool asked = g->kind == ML_GLASS_ASKED;
    const bool begins = g->kind == ML_GLASS_OPENED || asked;
    const bool tells = g->kind == ML_GLASS_REVIEWED || g->kind == ML_GLASS_TOLD;
    const struct {
        bool has;
        bool needs;
        const char *name;
    } parts[] = {
        {has_patient(g), begins, "patient"},
        {g->tier != 0, begins, "tier"},
        {g->reason != 0, begins, "reason"},
        {g->until_ms != 0, begins, "until_ms"},
        {g->outcome != 0, g->kind == ML_GLASS_REVIEWED, "outcome"},
        {g->how != 0, g->kind == ML_GLASS_TOLD, "how"},
        {!ml_is_zero(g->reply.b, sizeof(g->reply.b)), asked, "reply"},
        {g->shares.count > 0, g->kind == ML_GLASS_ANSWER, "shares"},
        {g->text.len > 0, tells && g->text.len > 0, "text"},
    };
    for (size_t i = 0; g->kind <= ML_GLASS_ANSWER && i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].has != parts[i].needs) {
            return parts[i].name;
        }
    }
    return NULL;
}

static const struct ml_wire_field share_fields[] = {
    ML_WF_FIXED(struct ml_glass_share, 0, dek, "id of the DEK"),
    ML_WF_FIXED(struct ml_glass_share, 1, sealed, "a share of it, sealed to the request's key"),
};

const struct ml_wire_format ml_format_glass_share =
    ML_WIRE_FORMAT("glass share", ARRAY, struct ml_glass_share, ML_WIRE_CLOSED, share_fields, NULL,
                   "One share for who asked.");

bool ml_glass_share_next(struct ml_list_walk *walk, struct ml_glass_share *out)
{
    return ml_list_next(walk, &ml_format_glass_share, out);
}

static const struct ml_wire_field fields[] = {
    ML_WF_UINT(G, 1, kind, 1, UINT8_MAX,
               "1 opened, 2 given back, 3 reviewed, 4 told to the patient, 5 asked, "
               "6 answered"),
    ML_WF_FIXED(G, 2, glass, "random id of the opening"),
    ML_WF_OPT_FIXED(G, 3, patient, "object id of the patient"),
    ML_WF_OPT_UINT(G, 4, tier, 3, "1 emergency summary, 2 full, 3 sensitive too"),
    ML_WF_OPT_UINT(G, 5, reason, UINT8_MAX,
                   "1 vital danger, 2 can't say, 3 continuity of care, 4 other"),
    ML_WF_UINT(G, 6, wall_ms, 1, UINT64_MAX, "UTC milliseconds by the node's clock"),
    ML_WF_OPT_UINT(G, 7, until_ms, UINT64_MAX, "when it ends by itself"),
    ML_WF_OPT_UINT(G, 8, outcome, UINT8_MAX, "1 justified, 2 not justified, 3 unclear"),
    ML_WF_OPT_TEXT(G, 9, text, ML_GLASS_TEXT_MAX, "what its author adds, of 3 and 4"),
    ML_WF_OPT_UINT(G, 10, how, UINT8_MAX, "1 oral, 2 letter, 3 phone, 4 his representative"),
    ML_WF_OPT_FIXED(G, 11, reply, "X25519 public half that shares are sealed to"),
    ML_WF_OPT_SORTED(G, 12, shares, ML_GLASS_SHARES_MAX, &ml_format_glass_share,
                     "shares of who answers"),
};

const struct ml_wire_format ml_format_glass =
    ML_WIRE_FORMAT("glass", MAP, G, offsetof(G, extra), fields, glass_check,
                   "The sealed part of a GLASS; later keys are kept.");

ml_err ml_glass_decode(struct ml_glass_say *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_glass, out, in, fault);
}

ml_err ml_glass_encode(struct ml_buf *out, const struct ml_glass_say *say)
{
    return ml_wire_encode(&ml_format_glass, out, say);
}

#define NAME_OF(map)                                                                               \
    switch (number) {                                                                              \
        map(X) default : return "?";                                                               \
    }

#define X(upper, value, text)                                                                      \
    case (value):                                                                                  \
        return text;
const char *ml_glass_reason_name(uint8_t number)
{
    NAME_OF(ML_GLASS_REASON_MAP)
}

const char *ml_glass_outcome_name(uint8_t number)
{
    NAME_OF(ML_GLASS_OUTCOME_MAP)
}

const char *ml_glass_how_name(uint8_t number){NAME_OF(ML_GLASS_HOW_MAP)}
#undef X

#define X(upper, value, text)                                                                      \
    if (strcmp(name, text) == 0) {                                                                 \
        return (value);                                                                            \
    }
uint8_t ml_glass_reason_named(const char *name)
{
    ML_GLASS_REASON_MAP(X)
    return 0;
}

uint8_t ml_glass_outcome_named(const char *name)
{
    ML_GLASS_OUTCOME_MAP(X)
    return 0;
}

uint8_t ml_glass_how_named(const char *name)
{
    ML_GLASS_HOW_MAP(X)
    return 0;
}
#undef X
