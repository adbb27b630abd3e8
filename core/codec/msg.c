/* core/codec/msg.c -- see msg.h.
 *
 *   HELLO:  | version 1 | flags 1 | hlc 8 | capabilities 4 | digest 32 |   big-endian
 *   others: | kind 1 | canonical map |
 */
#include "core/codec/msg.h"

#include <string.h>

#include "core/codec/mp_write.h"

static const struct ml_wire_field plan_lane_fields[] = {
    ML_WF_UINT(struct ml_plan_lane, 0, lane, 0, ML_LANES - 1, "lane"),
    ML_WF_UINT(struct ml_plan_lane, 1, bundles, 1, UINT32_MAX, "bundles to come"),
    ML_WF_UINT(struct ml_plan_lane, 2, bytes, 1, UINT64_MAX, "bytes of their wire forms"),
    ML_WF_UINT(struct ml_plan_lane, 3, ops, 1, UINT32_MAX, "ops in them"),
};

const struct ml_wire_format ml_format_plan_lane =
    ML_WIRE_FORMAT("lane plan", ARRAY, struct ml_plan_lane, ML_WIRE_CLOSED, plan_lane_fields, NULL,
                   "What comes of one lane.");

static const struct ml_wire_field wire_bundle_fields[] = {{
    .type = ML_WIRE_BIN,
    .size = sizeof(struct ml_slice),
    .min = 1,
    .max = ML_BUNDLE_BYTES_MAX,
    .name = "bundle",
    .meaning = "a bundle in wire form",
}};

const struct ml_wire_format ml_format_wire_bundle =
    ML_WIRE_FORMAT("wire bundle", SCALAR, struct ml_slice, ML_WIRE_CLOSED, wire_bundle_fields, NULL,
                   "A bundle in wire form.");

static const struct ml_wire_field hash16_fields[] = {{
    .type = ML_WIRE_FIXED,
    .size = sizeof(struct ml_hash16),
    .min = sizeof(struct ml_hash16),
    .max = sizeof(struct ml_hash16),
    .name = "hash",
    .meaning = "first 16 bytes of a header_hash",
}};

const struct ml_wire_format ml_format_hash16 =
    ML_WIRE_FORMAT("short hash", SCALAR, struct ml_hash16, ML_WIRE_CLOSED, hash16_fields, NULL,
                   "A bundle's name.");

static const struct ml_wire_field signed_header_fields[] = {
    ML_WF_BIN(struct ml_signed_header, 0, header, 1, ML_HEADER_BYTES_MAX, "the header"),
    ML_WF_FIXED(struct ml_signed_header, 1, sig, "its signature"),
};

const struct ml_wire_format ml_format_signed_header =
    ML_WIRE_FORMAT("signed header", ARRAY, struct ml_signed_header, ML_WIRE_CLOSED,
                   signed_header_fields, NULL, "A header without its body.");

static const struct ml_wire_field absent_body_fields[] = {
    ML_WF_FIXED(struct ml_absent_body, 0, hash, "the bundle"),
    ML_WF_UINT(struct ml_absent_body, 1, reason, 1, UINT8_MAX, "why its body is absent"),
};

const struct ml_wire_format ml_format_absent_body =
    ML_WIRE_FORMAT("absent body", ARRAY, struct ml_absent_body, ML_WIRE_CLOSED, absent_body_fields,
                   NULL, "A body that the sender can't give.");

static const char *range_check(const void *object)
{
    const struct ml_chain_range *r = object;
    return r->last >= r->first ? NULL : "last";
}

static const struct ml_wire_field chain_range_fields[] = {
    ML_WF_FIXED(struct ml_chain_range, 0, writer, "writer16"),
    ML_WF_UINT(struct ml_chain_range, 1, lane, 0, ML_LANES - 1, "lane"),
    ML_WF_UINT(struct ml_chain_range, 2, first, 1, UINT32_MAX, "first seq"),
    ML_WF_UINT(struct ml_chain_range, 3, last, 1, UINT32_MAX, "last seq"),
};

const struct ml_wire_format ml_format_chain_range =
    ML_WIRE_FORMAT("chain range", ARRAY, struct ml_chain_range, ML_WIRE_CLOSED, chain_range_fields,
                   range_check, "Part of a chain.");

static const struct ml_wire_field address_fields[] = {{
    .type = ML_WIRE_TEXT,
    .size = sizeof(struct ml_slice),
    .min = 1,
    .max = ML_MSG_NAME_MAX,
    .name = "address",
    .meaning = "host:port",
}};

const struct ml_wire_format ml_format_address =
    ML_WIRE_FORMAT("address", SCALAR, struct ml_slice, ML_WIRE_CLOSED, address_fields, NULL,
                   "Where a node can be called.");

#define M struct ml_msg_frontier
static const struct ml_wire_field frontier_fields[] = {
    ML_WF_OPT_FIXED(M, 1, base, "digest of the frontier that both kept; left out: a whole one"),
    ML_WF_OPT_SORTED(M, 2, heads, ML_MSG_HEADS_MAX, &ml_format_dep, "heads"),
    ML_WF_OPT_BOOL(M, 3, more, "others follow in the next FRONTIER"),
    ML_WF_OPT_BOOL(M, 4, unknown_base, "the peer's base is not kept here: send a whole one"),
    ML_WF_OPT_FIXED(M, 5, trace, "of the base's lane 2, which its digest leaves out"),
    ML_WF_OPT_BOOL(M, 6, reply, "a new comparison: send yours again"),
};
#undef M
#define M struct ml_msg_plan
static const struct ml_wire_field plan_fields[] = {
    ML_WF_OPT_SORTED(M, 1, lanes, ML_LANES, &ml_format_plan_lane, "what comes, by lane"),
};
#undef M
#define M struct ml_msg_bundles
static const struct ml_wire_field bundles_fields[] = {
    ML_WF_UINT(M, 1, number, 1, UINT64_MAX, "of this message in the exchange, from 1"),
    ML_WF_LIST(M, 2, items, 1, ML_MSG_BUNDLES_MAX, &ml_format_wire_bundle, "bundles"),
    ML_WF_OPT_BOOL(M, 3, live, "pushed, not part of a plan"),
};
#undef M
#define M struct ml_msg_credit
static const struct ml_wire_field credit_fields[] = {
    ML_WF_UINT(M, 1, bytes, 1, UINT32_MAX, "more bytes that the sender takes between COMMITs"),
    ML_WF_UINT(M, 2, bundles, 1, UINT32_MAX, "more bundles, likewise"),
};
#undef M
#define M struct ml_msg_commit
static const struct ml_wire_field commit_fields[] = {
    ML_WF_UINT(M, 1, number, 1, UINT64_MAX, "all BUNDLES up to this one are durable"),
    ML_WF_FIXED(M, 2, frontier, "digest of the receiver's frontier after them"),
};
#undef M
#define M struct ml_msg_fork_query
static const struct ml_wire_field fork_query_fields[] = {
    ML_WF_FIXED(M, 1, writer, "writer16"),
    ML_WF_UINT(M, 2, lane, 0, ML_LANES - 1, "lane"),
    ML_WF_UINT(M, 3, first, 1, UINT32_MAX, "first seq"),
    ML_WF_UINT(M, 4, last, 1, UINT32_MAX, "last seq"),
    ML_WF_UINT(M, 5, step, 1, UINT32_MAX, "every step-th seq"),
    ML_WF_UINT(M, 6, head_seq, 2, UINT32_MAX, "seq of the receiver's head whose branch is meant"),
    ML_WF_FIXED(M, 7, head, "its hash"),
};

static const char *fork_query_check(const void *object)
{
    const M *q = object;
    if (q->last < q->first || q->last >= q->head_seq) {
        return "last";
    }
    return (q->last - q->first) / q->step < ML_MSG_FORK_HASHES_MAX ? NULL : "step";
}
#undef M
#define M struct ml_msg_fork_answer
static const struct ml_wire_field fork_answer_fields[] = {
    ML_WF_FIXED(M, 1, writer, "writer16"),
    ML_WF_UINT(M, 2, lane, 0, ML_LANES - 1, "lane"),
    ML_WF_UINT(M, 3, first, 1, UINT32_MAX, "first seq"),
    ML_WF_UINT(M, 4, step, 1, UINT32_MAX, "every step-th seq"),
    ML_WF_OPT_LIST(M, 5, hashes, ML_MSG_FORK_HASHES_MAX, &ml_format_hash16,
                   "hashes of first, first + step ..."),
};
#undef M
#define M struct ml_msg_headers
static const struct ml_wire_field headers_fields[] = {
    ML_WF_LIST(M, 1, items, 1, ML_MSG_HEADERS_MAX, &ml_format_signed_header, "headers"),
};
#undef M
#define M struct ml_msg_body_request
static const struct ml_wire_field body_request_fields[] = {
    ML_WF_LIST(M, 1, hashes, 1, ML_MSG_HASHES_MAX, &ml_format_hash16, "bundles without body"),
};
#undef M
#define M struct ml_msg_absent
static const struct ml_wire_field absent_fields[] = {
    ML_WF_LIST(M, 1, items, 1, ML_MSG_HASHES_MAX, &ml_format_absent_body, "bodies and reasons"),
};
#undef M
#define M struct ml_msg_done
static const struct ml_wire_field done_fields[] = {
    ML_WF_FIXED(M, 1, frontier, "digest of the sender's frontier"),
    ML_WF_OPT_UINT(M, 2, number, UINT64_MAX, "of its last BUNDLES; left out: none"),
};
#undef M
#define M struct ml_msg_bye
static const struct ml_wire_field bye_fields[] = {
    ML_WF_UINT(M, 1, reason, 1, UINT8_MAX,
               "1 done, 2 stopping, 3 busy, 4 version, 5 protocol, 6 limit, 7 disk full, "
               "8 paused, 9 revoked, 10 duplicate, 11 timeout"),
    ML_WF_OPT_UINT(M, 2, retry_ms, UINT32_MAX, "come back after so many milliseconds"),
};
#undef M
#define M struct ml_msg_bundle_request
static const struct ml_wire_field bundle_request_fields[] = {
    ML_WF_SORTED(M, 1, ranges, 1, ML_MSG_HASHES_MAX, &ml_format_chain_range, "chains' parts"),
};
#undef M
#define M struct ml_msg_chunk_list
static const struct ml_wire_field chunk_list_fields[] = {
    ML_WF_LIST(M, 1, hashes, 1, ML_MSG_CHUNKS_MAX, &ml_format_chunk_hash, "chunks"),
};
#undef M
#define M struct ml_msg_chunk
static const struct ml_wire_field chunk_fields[] = {
    ML_WF_BIN(M, 1, bytes, ML_CHUNK_TAG_BYTES + 1, ML_CHUNK_SEALED_MAX, "ciphertext with its tag"),
};
#undef M
#define M struct ml_msg_chunk_have
static const struct ml_wire_field chunk_have_fields[] = {
    ML_WF_OPT_UINT(M, 1, missing, UINT64_MAX, "chunks that the sender lacks; left out: none"),
};
#undef M
#define M struct ml_msg_enrol_request
static const struct ml_wire_field enrol_request_fields[] = {
    ML_WF_FIXED(M, 1, proof, "binds the keys to the code and to this link"),
    ML_WF_FIXED(M, 2, noise, "Noise static key of the new node"),
    ML_WF_FIXED(M, 3, mon_sign, "Ed25519 key of the member on this node"),
    ML_WF_FIXED(M, 4, mon_box, "X25519 key of the member on this node"),
    ML_WF_FIXED(M, 5, node_writer, "Ed25519 key of the node's own writer"),
    ML_WF_TEXT(M, 6, node_name, 1, ML_MSG_NAME_MAX, "the node's name"),
    ML_WF_OPT_TEXT(M, 7, member_name, ML_MSG_NAME_MAX, "the newcomer's name"),
};
#undef M
#define M struct ml_msg_enrol_grant
static const char *enrol_grant_check(const void *object)
{
    const M *g = object;
    return g->import_secret.len == 0 || g->import_secret.len == 32 ? NULL : "import_secret";
}

static const struct ml_wire_field enrol_grant_fields[] = {
    ML_WF_FIXED(M, 1, org, "org_id"),
    ML_WF_BIN(M, 2, genesis, 1, ML_BUNDLE_BYTES_MAX, "the genesis bundle, wire form"),
    ML_WF_UINT(M, 3, network_epoch, 1, UINT32_MAX, "epoch of the network secret"),
    ML_WF_FIXED(M, 4, network_secret, "psk, mac and beacon keys derive from it"),
    ML_WF_FIXED(M, 5, member, "member id of the newcomer"),
    ML_WF_FIXED(M, 6, node, "node id of the new node"),
    ML_WF_FIXED(M, 7, responder, "node id of who grants"),
    ML_WF_FIXED(M, 8, responder_noise, "its Noise static key"),
    ML_WF_UINT(M, 9, rank, 1, 3, "rank of the newcomer"),
    ML_WF_UINT(M, 10, role, 1, UINT16_MAX, "role, number in TRE_G15"),
    ML_WF_OPT_TEXT(M, 11, org_name, ML_MSG_NAME_MAX, "the structure's name"),
    ML_WF_OPT_LIST(M, 12, addresses, 16, &ml_format_address, "where the responder can be called"),
    ML_WF_OPT_BIN(M, 13, import_secret, 1, 32, "keys the ids of imported objects; 32 bytes"),
};
#undef M
static const struct ml_wire_field enrol_refuse_fields[] = {
    ML_WF_UINT(struct ml_msg_enrol_refuse, 1, reason, 1, UINT8_MAX,
               "1 wrong code, 2 expired, 3 used, 4 denied, 5 nobody unlocked"),
};
static const struct ml_wire_field enrol_ready_fields[] = {
    ML_WF_FIXED(struct ml_msg_enrol_ready, 1, node, "node id of the new node"),
};

struct kind_row {
    ml_msg_kind kind;
    struct ml_wire_format format;
};

#define ROW(KIND, S, fields, rule, text)                                                           \
    {                                                                                              \
        ML_MSG_##KIND, ML_WIRE_FORMAT(#KIND, MAP, S, ML_WIRE_CLOSED, fields, rule, text)           \
    }

static const struct kind_row kinds[] = {
    ROW(FRONTIER, struct ml_msg_frontier, frontier_fields, NULL, "What the sender holds."),
    ROW(PLAN, struct ml_msg_plan, plan_fields, NULL, "What the sender is about to give."),
    ROW(BUNDLES, struct ml_msg_bundles, bundles_fields, NULL, "Bundles, in causal order."),
    ROW(CREDIT, struct ml_msg_credit, credit_fields, NULL, "Flow control."),
    ROW(COMMIT, struct ml_msg_commit, commit_fields, NULL, "What has become durable."),
    ROW(FORK_QUERY, struct ml_msg_fork_query, fork_query_fields, fork_query_check,
        "Where do our copies of this chain part?"),
    ROW(FORK_ANSWER, struct ml_msg_fork_answer, fork_answer_fields, NULL, "Hashes of a chain."),
    ROW(HEADERS, struct ml_msg_headers, headers_fields, NULL, "Headers without bodies."),
    ROW(BODY_REQUEST, struct ml_msg_body_request, body_request_fields, NULL, "Missing bodies."),
    ROW(ABSENT, struct ml_msg_absent, absent_fields, NULL, "Bodies that can't be given."),
    ROW(DONE, struct ml_msg_done, done_fields, NULL, "All that was announced is given."),
    ROW(BYE, struct ml_msg_bye, bye_fields, NULL, "The sender leaves."),
    ROW(BUNDLE_REQUEST, struct ml_msg_bundle_request, bundle_request_fields, NULL,
        "Bundles asked for by name."),
    ROW(CHUNK_WANT, struct ml_msg_chunk_list, chunk_list_fields, NULL,
        "Missing chunks: as many are taken."),
    ROW(CHUNK, struct ml_msg_chunk, chunk_fields, NULL, "A chunk that was asked for."),
    ROW(CHUNK_ABSENT, struct ml_msg_chunk_list, chunk_list_fields, NULL,
        "Chunks that aren't here at present."),
    ROW(CHUNK_HAVE, struct ml_msg_chunk_have, chunk_have_fields, NULL,
        "Chunks came since some were absent: ask again."),
    ROW(ENROL_REQUEST, struct ml_msg_enrol_request, enrol_request_fields, NULL,
        "A newcomer's keys."),
    ROW(ENROL_GRANT, struct ml_msg_enrol_grant, enrol_grant_fields, enrol_grant_check,
        "What a newcomer needs to begin."),
    ROW(ENROL_REFUSE, struct ml_msg_enrol_refuse, enrol_refuse_fields, NULL, "Why not."),
    ROW(ENROL_READY, struct ml_msg_enrol_ready, enrol_ready_fields, NULL,
        "The grant is stored: an exchange may begin."),
};

const struct ml_wire_format *ml_msg_format(ml_msg_kind kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].kind == kind) {
            return &kinds[i].format;
        }
    }
    return NULL;
}

const char *ml_msg_name(ml_msg_kind kind)
{
    const struct ml_wire_format *format = ml_msg_format(kind);
    if (kind == ML_MSG_HELLO) {
        return "HELLO";
    }
    return format == NULL ? "?" : format->name;
}

static ml_err refuse(struct ml_fault *fault, ml_fault_reason reason, size_t at, const char *where)
{
    if (fault != NULL) {
        *fault = (struct ml_fault){reason, at, where};
    }
    return ML_E_MALFORMED;
}

static ml_err hello_decode(struct ml_msg *out, struct ml_slice in, struct ml_fault *fault)
{
    const bool newer = in.data[0] > ML_MSG_VERSION; /* may say more behind these bytes */
    if (in.len < ML_HELLO_BYTES || (in.len > ML_HELLO_BYTES && !newer)) {
        return refuse(fault, in.len < ML_HELLO_BYTES ? ML_FAULT_TRUNCATED : ML_FAULT_TRAILING,
                      in.len, "hello");
    }
    const uint8_t *p = in.data;
    struct ml_msg msg = {.kind = ML_MSG_HELLO};
    msg.u.hello.version = p[0];
    msg.u.hello.flags = p[1];
    msg.u.hello.hlc = ml_get_u64be(p + 2);
    msg.u.hello.capabilities = ml_get_u32be(p + 10);
    memcpy(msg.u.hello.digest, p + 14, sizeof(msg.u.hello.digest));
    *out = msg;
    return ML_OK;
}

ml_err ml_msg_decode(struct ml_msg *out, struct ml_slice in, struct ml_fault *fault)
{
    struct ml_msg msg = {0};
    if (in.len == 0) {
        return refuse(fault, ML_FAULT_TRUNCATED, 0, "kind");
    }
    if (in.len > ML_MSG_BYTES_MAX) {
        return refuse(fault, ML_FAULT_RANGE, ML_MSG_BYTES_MAX, "message");
    }
    if (in.data[0] <= ML_MSG_VERSION_LAST) {
        return hello_decode(out, in, fault);
    }
    const struct ml_wire_format *format = ml_msg_format((ml_msg_kind)in.data[0]);
    if (format == NULL) {
        return refuse(fault, ML_FAULT_RANGE, 0, "kind");
    }
    ml_err err = ml_wire_decode(format, &msg.u, ml_slice(in.data + 1, in.len - 1), fault);
    if (err == ML_OK) {
        msg.kind = (ml_msg_kind)in.data[0];
        *out = msg;
    } else if (fault != NULL) {
        fault->offset++;
    }
    return err;
}

static ml_err hello_encode(struct ml_buf *out, const struct ml_msg_hello *hello)
{
    size_t start = out->len;
    if (hello->version > ML_MSG_VERSION) {
        return ML_E_INVALID;
    }
    ml_buf_u8(out, hello->version);
    ml_buf_u8(out, hello->flags);
    ml_buf_u64be(out, hello->hlc);
    ml_buf_u32be(out, hello->capabilities);
    ml_buf_append(out, hello->digest, sizeof(hello->digest));
    if (out->err != ML_OK) {
        out->len = start;
    }
    return out->err;
}

ml_err ml_msg_encode(struct ml_buf *out, const struct ml_msg *msg)
{
    size_t start = out->len;
    if (msg->kind == ML_MSG_HELLO) {
        return hello_encode(out, &msg->u.hello);
    }
    const struct ml_wire_format *format = ml_msg_format(msg->kind);
    if (format == NULL) {
        return ML_E_INVALID;
    }
    ml_buf_u8(out, (uint8_t)msg->kind);
    ml_err err = out->err == ML_OK ? ml_wire_encode(format, out, &msg->u) : out->err;
    if (err == ML_OK && out->len - start > ML_MSG_BYTES_MAX) {
        err = ML_E_LIMIT;
    }
    if (err != ML_OK) {
        out->len = start;
    }
    return err;
}
