/* core/codec/msg.c -- see msg.h.
 *
 *   HELLO, the first message each way              every other message
 *  +---------+-------+-----+--------------+--------+     +------+---------------------------+
 *  | version | flags | hlc | capabilities | digest |     | kind | map, ascending keys       |
 *  | 1       | 1     | 8   | 4            | 16, 16 |     | 1    | canonical MessagePack     |
 *  +---------+-------+-----+--------------+--------+     +------+---------------------------+
 *   big-endian
 */
#include "core/codec/msg.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/codec/mp_write.h"

static const struct ml_wire_field plan_lane_fields[] = {
    ML_WF_UINT(struct ml_plan_lane, 0, lane, 0, ML_LANES - 1, "lane"),
    ML_WF_UINT(struct ml_plan_lane, 1, bundles, 1, UINT32_MAX, "bundles that follow"),
    ML_WF_UINT(struct ml_plan_lane, 2, bytes, 1, UINT64_MAX, "their wire forms, in bytes"),
};

const struct ml_wire_format ml_format_plan_lane =
    ML_WIRE_FORMAT_("plan lane", ARRAY, struct ml_plan_lane, ML_WIRE_CLOSED, plan_lane_fields, NULL,
                    "What follows in one lane.");

static const struct ml_wire_field bundle_item_fields[] = {
    ML_WF_(struct ml_msg_bundle, 0, VALUE, 0, 1, ML_BUNDLE_BYTES_MAX, wire, NULL,
           "a bundle's wire form"),
};

const struct ml_wire_format ml_format_msg_bundle =
    ML_WIRE_FORMAT_("sent bundle", SCALAR, struct ml_msg_bundle, ML_WIRE_CLOSED, bundle_item_fields,
                    NULL, "One bundle.");

static const struct ml_wire_field seq_fields[] = {
    ML_WF_UINT(struct ml_msg_seq, 0, seq, 1, UINT32_MAX, "place in the chain"),
};

const struct ml_wire_format ml_format_msg_seq = ML_WIRE_FORMAT_(
    "place asked", SCALAR, struct ml_msg_seq, ML_WIRE_CLOSED, seq_fields, NULL, "One place.");

static const struct ml_wire_field place_fields[] = {
    ML_WF_UINT(struct ml_msg_place, 0, seq, 1, UINT32_MAX, "place in the chain"),
    ML_WF_FIXED(struct ml_msg_place, 1, hash, "first 16 bytes of the header_hash there"),
};

const struct ml_wire_format ml_format_msg_place =
    ML_WIRE_FORMAT_("place", ARRAY, struct ml_msg_place, ML_WIRE_CLOSED, place_fields, NULL,
                    "One bundle below a head.");

/* ---- one table a kind ---- */

static const struct ml_wire_field base_fields[] = {
    ML_WF_FIXED(struct ml_base_id, 0, heads, "digest of its lanes 0, 1, 3, 4"),
    ML_WF_FIXED(struct ml_base_id, 1, trace, "digest of its lane 2"),
};

static const struct ml_wire_format format_base =
    ML_WIRE_FORMAT_("base", ARRAY, struct ml_base_id, ML_WIRE_CLOSED, base_fields, NULL,
                    "The frontier that both kept from their last exchange.");

static const struct ml_wire_field frontier_fields[] = {
    ML_WF_OPT_TUPLE(struct ml_msg_frontier, 1, base, &format_base, "absent: the list is whole"),
    ML_WF_OPT_BOOL(struct ml_msg_frontier, 2, more, "another part follows"),
    ML_WF_UINT(struct ml_msg_frontier, 3, round, 1, ML_MSG_ROUND_MAX, "round of this session"),
    ML_WF_UINT(struct ml_msg_frontier, 4, credit_bytes, 0, UINT64_MAX,
               "bytes the receiver of this may send, in all"),
    ML_WF_UINT(struct ml_msg_frontier, 5, credit_bundles, 0, UINT32_MAX, "bundles, likewise"),
    ML_WF_OPT_SORTED(struct ml_msg_frontier, 6, heads, ML_MSG_HEADS_MAX, &ml_format_dep,
                     "all heads of each chain that moved since the base"),
};

static const struct ml_wire_field full_fields[] = {
    ML_WF_UINT(struct ml_msg_full, 1, round, 1, ML_MSG_ROUND_MAX, "round of this session"),
};

static const struct ml_wire_field plan_fields[] = {
    ML_WF_OPT_SORTED(struct ml_msg_plan, 1, lanes, ML_LANES, &ml_format_plan_lane,
                     "lanes of which something follows"),
};

static const struct ml_wire_field bundles_fields[] = {
    ML_WF_LIST(struct ml_msg_bundles, 1, bundles, 1, ML_MSG_BUNDLES_MAX, &ml_format_msg_bundle,
               "in (lane, causal) order"),
};

static const struct ml_wire_field digest_fields[] = {
    ML_WF_FIXED(struct ml_digest, 0, frontier, "of the heads of lanes 0, 1, 3, 4"),
    ML_WF_FIXED(struct ml_digest, 1, holes, "of the absent bodies with their reasons"),
};

static const struct ml_wire_format format_digest = ML_WIRE_FORMAT_(
    "digest", ARRAY, struct ml_digest, ML_WIRE_CLOSED, digest_fields, NULL, "What a node has.");

static const struct ml_wire_field commit_fields[] = {
    ML_WF_UINT(struct ml_msg_commit, 1, bundles, 0, UINT32_MAX, "settled here, in all"),
    ML_WF_UINT(struct ml_msg_commit, 2, bytes, 0, UINT64_MAX, "their bytes"),
    ML_WF_UINT(struct ml_msg_commit, 3, credit_bundles, 0, UINT32_MAX, "that may be sent, in all"),
    ML_WF_UINT(struct ml_msg_commit, 4, credit_bytes, 0, UINT64_MAX, "bytes, likewise"),
    ML_WF_(struct ml_msg_commit, 5, TUPLE, 0, 0, 0, digest, &format_digest, "what is here now"),
};

static const struct ml_wire_field have_fields[] = {
    ML_WF_SORTED(struct ml_msg_have, 1, heads, 1, ML_MSG_HEADS_MAX, &ml_format_dep,
                 "bundles that are here"),
};

static const char *fork_query_check(const void *object)
{
    const struct ml_msg_fork_query *q = object;
    return q->seqs.count < q->head.seq ? NULL : "seqs";
}

static const struct ml_wire_field fork_query_fields[] = {
    ML_WF_TUPLE(struct ml_msg_fork_query, 1, head, &ml_format_dep, "a head of the receiver's"),
    ML_WF_SORTED(struct ml_msg_fork_query, 2, seqs, 1, ML_MSG_SEQS_MAX, &ml_format_msg_seq,
                 "places below it"),
};

static const struct ml_wire_field headers_fields[] = {
    ML_WF_TUPLE(struct ml_msg_headers, 1, head, &ml_format_dep, "the head that was named"),
    ML_WF_OPT_SORTED(struct ml_msg_headers, 2, places, ML_MSG_SEQS_MAX, &ml_format_msg_place,
                     "of those asked, what lies below it"),
};

static const char *fork_base_check(const void *object)
{
    const struct ml_msg_fork_base *f = object;
    if (f->common.seq == 0) {
        return NULL;
    }
    bool same = memcmp(&f->common.writer, &f->head.writer, sizeof(f->head.writer)) == 0 &&
                f->common.lane == f->head.lane;
    return same && f->common.seq < f->head.seq ? NULL : "common";
}

static const struct ml_wire_field fork_base_fields[] = {
    ML_WF_TUPLE(struct ml_msg_fork_base, 1, head, &ml_format_dep, "a head of the receiver's"),
    ML_WF_OPT_TUPLE(struct ml_msg_fork_base, 2, common, &ml_format_dep,
                    "the last bundle below it that is here; absent: none"),
};

static const struct ml_wire_field body_request_fields[] = {
    ML_WF_UINT(struct ml_msg_body_request, 1, number, 1, UINT32_MAX, "of this session, ascending"),
    ML_WF_SORTED(struct ml_msg_body_request, 2, heads, 1, ML_MSG_HEADS_MAX, &ml_format_dep,
                 "bundles whose bodies are absent here"),
};

static const struct ml_wire_field body_end_fields[] = {
    ML_WF_UINT(struct ml_msg_body_end, 1, number, 1, UINT32_MAX, "of the request"),
    ML_WF_UINT(struct ml_msg_body_end, 2, sent, 0, ML_MSG_HEADS_MAX, "bundles sent for it"),
};

static const struct ml_wire_field done_fields[] = {
    ML_WF_(struct ml_msg_done, 1, TUPLE, 0, 0, 0, digest, &format_digest, "what is here now"),
};

static const struct ml_wire_field bye_fields[] = {
    ML_WF_UINT(struct ml_msg_bye, 1, reason, 1, UINT8_MAX, "why"),
};

#define MSG_FORMAT(id, table, rule)                                                                \
    [ML_MSG_##id] = ML_WIRE_FORMAT_(#id, MAP, struct ml_msg_##table, ML_WIRE_CLOSED,               \
                                    table##_fields, rule, NULL)

static const struct ml_wire_format msg_formats[ML_MSG_KIND_LAST + 1u] = {
    MSG_FORMAT(FRONTIER, frontier, NULL),
    MSG_FORMAT(FULL, full, NULL),
    MSG_FORMAT(PLAN, plan, NULL),
    MSG_FORMAT(BUNDLES, bundles, NULL),
    MSG_FORMAT(COMMIT, commit, NULL),
    MSG_FORMAT(HAVE, have, NULL),
    MSG_FORMAT(FORK_QUERY, fork_query, fork_query_check),
    MSG_FORMAT(HEADERS, headers, NULL),
    MSG_FORMAT(FORK_BASE, fork_base, fork_base_check),
    MSG_FORMAT(BODY_REQUEST, body_request, NULL),
    MSG_FORMAT(BODY_END, body_end, NULL),
    MSG_FORMAT(DONE, done, NULL),
    MSG_FORMAT(BYE, bye, NULL),
};

const struct ml_wire_format *ml_msg_format(unsigned kind)
{
    return kind >= 1 && kind <= ML_MSG_KIND_LAST ? &msg_formats[kind] : NULL;
}

const char *ml_msg_name(unsigned kind)
{
    const struct ml_wire_format *format = ml_msg_format(kind);
    return format != NULL ? format->name : "?";
}

ml_err ml_bye_err(uint8_t reason)
{
    static const ml_err errors[ML_BYE_LAST + 1u] = {
#define X(name, number, error) [number] = ML_E_##error,
        ML_BYE_MAP(X)
#undef X
    };
    return reason >= 1 && reason <= ML_BYE_LAST ? errors[reason] : ML_E_PROTOCOL;
}

/* ---- HELLO ---- */

enum { HELLO_HLC = 2, HELLO_CAPABILITIES = 10, HELLO_DIGEST = 14 };

_Static_assert(HELLO_DIGEST + sizeof(struct ml_digest) == ML_HELLO_BYTES, "46 bytes");

ml_err ml_hello_decode(struct ml_hello *out, struct ml_slice in)
{
    if (in.len != ML_HELLO_BYTES) {
        return ML_E_MALFORMED;
    }
    if (in.data[0] != ML_HELLO_VERSION) {
        return ML_E_VERSION;
    }
    struct ml_hello hello = {.version = in.data[0],
                             .flags = in.data[1],
                             .hlc = ml_get_u64be(in.data + HELLO_HLC),
                             .capabilities = ml_get_u32be(in.data + HELLO_CAPABILITIES)};
    memcpy(&hello.digest, in.data + HELLO_DIGEST, sizeof(hello.digest));
    *out = hello;
    return ML_OK;
}

void ml_hello_encode(uint8_t out[ML_HELLO_BYTES], const struct ml_hello *hello)
{
    out[0] = hello->version;
    out[1] = hello->flags;
    ml_put_u64be(out + HELLO_HLC, hello->hlc);
    ml_put_u32be(out + HELLO_CAPABILITIES, hello->capabilities);
    memcpy(out + HELLO_DIGEST, &hello->digest, sizeof(hello->digest));
}

/* ---- the others ---- */

ml_err ml_msg_decode(struct ml_msg *out, struct ml_slice in, struct ml_fault *fault)
{
    if (in.len > ML_MSG_BYTES_MAX) {
        return ML_E_LIMIT;
    }
    const struct ml_wire_format *format = in.len > 0 ? ml_msg_format(in.data[0]) : NULL;
    if (format == NULL) {
        if (fault != NULL) {
            *fault = (struct ml_fault){ML_FAULT_RANGE, 0, "kind"};
        }
        return ML_E_MALFORMED;
    }
    struct ml_msg msg = {.kind = (ml_msg_kind)in.data[0]};
    ml_err err = ml_wire_decode(format, &msg.u, (struct ml_slice){in.data + 1, in.len - 1}, fault);
    if (err != ML_OK) {
        if (fault != NULL) {
            fault->offset++;
        }
        return err;
    }
    *out = msg;
    return ML_OK;
}

ml_err ml_msg_encode(struct ml_buf *out, const struct ml_msg *msg)
{
    const struct ml_wire_format *format = ml_msg_format(msg->kind);
    ML_ASSERT(format != NULL);
    size_t start = out->len;
    ml_buf_u8(out, (uint8_t)msg->kind);
    ml_err err = out->err != ML_OK ? out->err : ml_wire_encode(format, out, &msg->u);
    if (err != ML_OK) {
        out->len = start;
    }
    return err;
}
