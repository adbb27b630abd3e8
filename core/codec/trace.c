/* core/codec/trace.c -- see trace.h. */
#include "core/codec/trace.h"

#include <string.h>

#define E struct ml_trace_entry
static const struct ml_wire_field entry_fields[] = {
    ML_WF_OPT_FIXED(E, 1, actor, "member who acted; left out: the node itself"),
    ML_WF_OPT_FIXED(E, 2, patient, "patient's object id"),
    ML_WF_UINT(
        E, 3, action, 1, UINT8_MAX,
        "1 read, 2 write, 3 search, 4 list, 5 export, 6 import, 7 print, 8 unlock, 9 lock, "
        "10 break glass, 11 govern, 12 exchange, 13 audit (of traces), 14 review, 15 consent, "
        "16 merge"),
    ML_WF_OPT_FIXED(E, 4, object, "object id"),
    ML_WF_OPT_UINT(E, 5, entity, 4095, "the object's entity type"),
    ML_WF_UINT(E, 6, result, ML_TRACE_DONE, ML_TRACE_FAILED, "1 done, 2 refused, 3 failed"),
    ML_WF_UINT(E, 7, wall_ms, 0, UINT64_MAX, "UTC milliseconds by the node's clock"),
    ML_WF_UINT(E, 8, clock, ML_CLOCK_UNKNOWN, ML_CLOCK_SYNCED,
               "trust in it: 1 unknown, 2 local, 3 agrees with peers, 4 synchronised"),
    ML_WF_OPT_TEXT(E, 9, purpose, ML_TRACE_TEXT_MAX, "what for"),
    ML_WF_OPT_TEXT(E, 10, context, ML_TRACE_TEXT_MAX, "screen or command"),
    ML_WF_FIXED(E, 11, node, "node id"),
    ML_WF_OPT_TEXT(E, 12, device, ML_TRACE_TEXT_MAX, "kind of client"),
    ML_WF_OPT_UINT(E, 13, count, UINT32_MAX, "how many alike were summed up; left out: one"),
    ML_WF_OPT_UINT(E, 14, seq, UINT64_MAX, "place in the node's journal, from 1"),
};

const struct ml_wire_format ml_format_trace_entry =
    ML_WIRE_FORMAT("trace entry", MAP, E, offsetof(E, extra), entry_fields, NULL,
                   "Plaintext of an op of lane 2 from index 1 on; later keys are kept.");

#define D struct ml_trace_deposit
static const struct ml_wire_field deposit_fields[] = {
    ML_WF_FIXED(D, 1, audit, "content key sealed to the audit key"),
    ML_WF_FIXED(D, 2, author, "content key sealed to the author's box key"),
};

const struct ml_wire_format ml_format_trace_deposit =
    ML_WIRE_FORMAT("key deposit", MAP, D, ML_WIRE_CLOSED, deposit_fields, NULL,
                   "Op 0 of a bundle of lane 2, not sealed again.");

ml_err ml_trace_entry_decode(struct ml_trace_entry *out, struct ml_slice in, struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_trace_entry, out, in, fault);
}

ml_err ml_trace_entry_encode(struct ml_buf *out, const struct ml_trace_entry *entry)
{
    return ml_wire_encode(&ml_format_trace_entry, out, entry);
}

ml_err ml_trace_deposit_decode(struct ml_trace_deposit *out, struct ml_slice in,
                               struct ml_fault *fault)
{
    return ml_wire_decode(&ml_format_trace_deposit, out, in, fault);
}

ml_err ml_trace_deposit_encode(struct ml_buf *out, const struct ml_trace_deposit *deposit)
{
    return ml_wire_encode(&ml_format_trace_deposit, out, deposit);
}

const char *ml_trace_action_name(uint8_t action)
{
    switch (action) {
#define X(name, number, text)                                                                      \
    case (number):                                                                                 \
        return text;
        ML_TRACE_ACTION_MAP(X)
#undef X
    default:
        return "?";
    }
}

uint8_t ml_trace_action_named(const char *name)
{
#define X(upper, number, text)                                                                     \
    if (strcmp(name, text) == 0) {                                                                 \
        return (number);                                                                           \
    }
    ML_TRACE_ACTION_MAP(X)
#undef X
    return 0;
}

void ml_trace_context(uint8_t out[ML_TRACE_CONTEXT_BYTES], const struct ml_org_id *org,
                      const struct ml_key_id *key)
{
    static const char label[] = "maille/trace/1";
    memcpy(out, label, sizeof(label) - 1);
    memcpy(out + sizeof(label) - 1, org->b, sizeof(org->b));
    memcpy(out + sizeof(label) - 1 + sizeof(org->b), key->b, sizeof(key->b));
}
