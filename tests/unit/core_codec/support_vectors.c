/* tests/unit/core_codec/support_vectors.c -- see support_vectors.h. */
#include "support_vectors.h"

#include <stdio.h>
#include <string.h>

#include "core/codec/doc.h"
#include "core/crypto/key_id.h"
#include "support_codec.h"
#include "tests/fuzz/core_codec/roundtrip.h"

static void put_text(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

void vector_verdict(char *out, size_t size, const struct vector_file *file, struct ml_slice in)
{
    struct ml_fault fault = {ML_FAULT_NONE, 0, NULL};
    ml_err err = file->decode(in, &fault);
    if (err == ML_OK) {
        snprintf(out, size, "ok");
    } else if (err == ML_E_MALFORMED) {
        snprintf(out, size, "refused: %s at %zu%s%s", ml_fault_text(fault.reason), fault.offset,
                 fault.where == NULL ? "" : " in ", fault.where == NULL ? "" : fault.where);
    } else {
        snprintf(out, size, "refused: %s", ml_err_text(err));
    }
}

static const struct vector_file *current; /* the file that is being made */

static void line_put(struct ml_buf *out, const char *name, const char *variant, struct ml_slice in)
{
    char verdict[160];
    vector_verdict(verdict, sizeof(verdict), current, in);
    put_text(out, name);
    put_text(out, variant);
    put_text(out, " | ");
    put_text(out, verdict);
    put_text(out, " | ");
    put_text(out, hex_of(in));
    put_text(out, "\n");
}

static void hex_line(struct ml_buf *out, const char *name, const char *hex)
{
    line_put(out, name, "", bytes_of(hex));
}

/* ---- variants of one good encoding ---- */

static struct ml_slice one_value(struct ml_slice in)
{
    struct ml_mp c;
    ml_mp_init(&c, in, ML_MP_CANONICAL);
    ml_mp_type type = ml_mp_peek(&c);
    if (type == ML_MP_MAP) {
        (void)ml_mp_map(&c, 1, UINT32_MAX);
        (void)ml_mp_key(&c);
    } else {
        (void)ml_mp_array(&c, 1, UINT32_MAX);
    }
    size_t at = c.pos;
    (void)ml_mp_value(&c);
    must(ml_mp_ok(&c));
    return ml_slice(in.data + at, c.pos - at);
}

/* The good bytes with `put` in place of `cut` bytes at `at`. */
static void spliced(struct ml_buf *out, const char *names[2], struct ml_slice good,
                    const size_t at_and_cut[2], struct ml_slice put)
{
    struct ml_buf b;
    size_t end = at_and_cut[0] + at_and_cut[1];
    ml_buf_init(&b, ml_env_system(), 1u << 17);
    ml_buf_append(&b, good.data, at_and_cut[0]);
    ml_buf_append(&b, put.data, put.len);
    ml_buf_append(&b, good.data + end, good.len - end);
    line_put(out, names[0], names[1], ml_buf_slice(&b));
    ml_buf_free(&b);
}

#define SPLICE(variant, at, cut, hex)                                                              \
    spliced(out, (const char *[2]){name, variant}, good, (const size_t[2]){at, cut}, bytes_of(hex))

/* `good` begins, after `skip` bytes, with a map or a tuple of fewer than 14 entries. */
static void variants_put(struct ml_buf *out, const char *name, struct ml_slice good, size_t skip)
{
    char hex[16];
    uint8_t head = good.data[skip];
    size_t first =
        (size_t)(one_value(ml_slice(good.data + skip, good.len - skip)).data - good.data);
    size_t first_len = one_value(ml_slice(good.data + skip, good.len - skip)).len;
    line_put(out, name, "", good);
    SPLICE(", cut short", good.len - 1, 1, "");
    SPLICE(", bytes after the end", good.len, 0, "00");
    snprintf(hex, sizeof(hex), "%s00%02x", head < 0x90 ? "de" : "dc", head & 15u);
    SPLICE(", long head", skip, 1, hex);
    snprintf(hex, sizeof(hex), "%02x", head - 1u);
    SPLICE(", first field missing", skip, first + first_len - skip, hex);
    SPLICE(", float", first, first_len, "cb3ff0000000000000");
    SPLICE(", reserved byte", first, first_len, "c1");
    SPLICE(", extension", first, first_len, "d40000");
    SPLICE(", huge length", first, first_len, "c6ffffffff");
    if (head >= 0x90) {
        return;
    }
    SPLICE(", key out of order", first - 1, 1, "7f");
    SPLICE(", text key", first - 1, 1, "a101");
    struct ml_buf more;
    ml_buf_init(&more, ml_env_system(), 1u << 17);
    ml_buf_append(&more, good.data, good.len);
    more.data[skip]++;
    first += first_len; /* the end of the first entry: it is there a second time */
    ml_buf_append(&more, good.data + skip + 1, first - skip - 1);
    memmove(more.data + first + (first - skip - 1), more.data + first, good.len - first);
    memcpy(more.data + first, good.data + skip + 1, first - skip - 1);
    line_put(out, name, ", first key twice", ml_buf_slice(&more));
    more.len = 0;
    ml_buf_append(&more, good.data, good.len);
    more.data[skip]++;
    static const char *const tails[][2] = {
        {", later key", "7fa3666f6f"},
        {", too deep", "7f9191919191919190"},
        {", as deep as may be", "7f91919191919190"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct ml_slice tail = bytes_of(tails[i][1]);
        ml_buf_append(&more, tail.data, tail.len);
        line_put(out, name, tails[i][0], ml_buf_slice(&more));
        more.len = good.len;
    }
    ml_buf_free(&more);
}

/* All variants of what has many fields, but of one sample a format, and only where one byte is the
 * head's; else the good line alone. */
static void sample_put(struct ml_buf *out, const char *name, const struct ml_buf *good, size_t skip,
                       bool all)
{
    uint8_t head = good->len > skip ? good->data[skip] : 0;
    if (all && ((head > 0x80 && head < 0x8e) || (head > 0x90 && head < 0x9e))) {
        variants_put(out, name, ml_buf_slice(good), skip);
    } else {
        line_put(out, name, "", ml_buf_slice(good));
    }
}

/* ---- primitives ---- */

static ml_err mp_decode(struct ml_slice in, struct ml_fault *fault)
{
    return ml_mp_check(in, ML_MP_CANONICAL, fault);
}

static void mp_make(struct ml_buf *out)
{
    static const char *const rows[][2] = {
        {"0", "00"},
        {"127", "7f"},
        {"128", "cc80"},
        {"127 in two bytes", "cc7f"},
        {"256", "cd0100"},
        {"255 in three bytes", "cd00ff"},
        {"65536", "ce00010000"},
        {"65535 in five bytes", "ce0000ffff"},
        {"2^32", "cf0000000100000000"},
        {"2^32-1 in nine bytes", "cf00000000ffffffff"},
        {"-1", "ff"},
        {"-32", "e0"},
        {"-33", "d0df"},
        {"-32 in two bytes", "d0e0"},
        {"-129", "d1ff7f"},
        {"-128 in three bytes", "d1ff80"},
        {"-2^63", "d38000000000000000"},
        {"positive in a signed form", "d17fff"},
        {"nil", "c0"},
        {"true", "c3"},
        {"empty text", "a0"},
        {"text of 32 bytes",
         "d9206161616161616161616161616161616161616161616161616161616161616161"},
        {"text of one byte in a long form", "d90161"},
        {"text that is not UTF-8", "a2c328"},
        {"text with an overlong form", "a2c0af"},
        {"text with a surrogate", "a3eda080"},
        {"text with U+0000", "a100"},
        {"bytes", "c4020102"},
        {"bytes in a long form", "c500020102"},
        {"bytes beyond the end", "c4020101"},
        {"4 GiB of bytes in five", "c6ffffffff"},
        {"4 G entries in five bytes", "ddffffffff"},
        {"8 levels", "9191919191919190"},
        {"9 levels", "919191919191919190"},
        {"map", "8201a1610290"},
        {"map with keys out of order", "8202a1610190"},
        {"map with a key twice", "8201a1610190"},
        {"map with a text key", "81a16101"},
        {"map with a negative key", "81ff01"},
        {"map without its last value", "820101 02"},
        {"float32", "ca3f800000"},
        {"float64", "cb3ff0000000000000"},
        {"extension", "d40000"},
        {"reserved byte", "c1"},
        {"nothing", ""},
        {"two values", "0000"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hex_line(out, rows[i][0], rows[i][1]);
    }
}

/* ---- headers and bundles ---- */

static ml_err header_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_header h;
    return ml_header_decode(&h, in, fault);
}

static bool header_roundtrip(struct ml_slice in)
{
    struct ml_header h;
    if (ml_header_decode(&h, in, NULL) != ML_OK) {
        return false;
    }
    must_encode_to(&ml_format_header, &h, in);
    return true;
}

/* Homes hold headers of before the freeze, which nobody can sign anew. */
static void header_of_version_0(struct ml_buf *out)
{
    struct ml_header h;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_HEADER_BYTES_MAX);
    sample_header(&h, ML_LANE_RECORD, false);
    h.version = 0;
    const ml_err err = ml_header_encode(&b, &h);
    must(err == ML_OK);
    sample_put(out, "version 0", &b, 0, false);
    ml_buf_free(&b);
}

static void header_make(struct ml_buf *out)
{
    static const char *const lanes[] = {"governance", "keys", "trace", "record", "blob"};
    for (unsigned lane = 0; lane < ML_LANES; lane++) {
        for (int full = 0; full < 2; full++) {
            struct ml_header h;
            struct ml_buf b;
            char name[40];
            ml_buf_init(&b, ml_env_system(), ML_HEADER_BYTES_MAX);
            sample_header(&h, lane, full);
            ml_err err = ml_header_encode(&b, &h);
            must(err == ML_OK);
            snprintf(name, sizeof(name), "%s%s", lanes[lane], full ? ", seq 70001" : ", seq 1");
            sample_put(out, name, &b, 0, full);
            ml_buf_free(&b);
        }
    }
    header_of_version_0(out);
    hex_line(out, "a newer version, whatever follows", "820102 02a161");
}

static ml_err bundle_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_bundle b;
    return ml_bundle_decode(&b, in, fault);
}

static void bundle_make(struct ml_buf *out)
{
    static const char *const lanes[] = {"governance", "keys", "trace", "record", "blob"};
    struct ml_buf b;
    struct ml_hash hash;
    ml_buf_init(&b, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    sample_genesis(&b, &hash);
    variants_put(out, "genesis", ml_buf_slice(&b), 0);
    for (unsigned lane = 0; lane < ML_LANES; lane++) {
        ml_buf_clear(&b);
        sample_bundle(&b, &hash, lane, 2);
        line_put(out, lanes[lane], "", ml_buf_slice(&b));
    }
    ml_buf_clear(&b);
    sample_bundle(&b, &hash, ML_LANE_RECORD, 2);
    struct ml_bundle good;
    ml_err err = ml_bundle_decode(&good, ml_buf_slice(&b), NULL);
    must(err == ML_OK);
    struct ml_buf shredded;
    struct ml_buf wire;
    ml_buf_init(&shredded, ml_env_system(), ML_BODY_SHREDDED_MAX);
    ml_buf_init(&wire, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    err = ml_body_shred(&shredded, good.body.bytes, 0);
    must(err == ML_OK);
    struct ml_wire_body body = {.bytes = ml_buf_slice(&shredded)};
    err = ml_bundle_join(&wire, good.header_bytes, &good.sig, &body);
    must(err == ML_OK);
    line_put(out, "record, first op shredded", "", ml_buf_slice(&wire));
    ml_buf_clear(&wire);
    body = (struct ml_wire_body){.absent = ML_ABSENT_PRUNED};
    err = ml_bundle_join(&wire, good.header_bytes, &good.sig, &body);
    must(err == ML_OK);
    line_put(out, "record, body pruned", "", ml_buf_slice(&wire));
    /* bodies that contradict the header */
    size_t body_at = (size_t)(good.body.bytes.data - b.data);
    b.data[body_at] = 0x91;
    line_put(out, "record, one op less than n_ops", "", ml_buf_slice(&b));
    b.data[body_at] = 0x92;
    b.data[body_at + 2] = 2;
    line_put(out, "record, dictionary index beyond the dictionary", "", ml_buf_slice(&b));
    ml_buf_free(&shredded);
    ml_buf_free(&wire);
    ml_buf_free(&b);
}

/* ---- ops ---- */

static ml_err change_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_change c;
    return ml_change_decode(&c, in, fault);
}

static void change_make(struct ml_buf *out)
{
    for (int full = 0; full < 2; full++) {
        struct ml_change c;
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        sample_change(&c, full);
        ml_err err = ml_change_encode(&b, &c);
        must(err == ML_OK);
        variants_put(out, full ? "set, all fields" : "create, least", ml_buf_slice(&b), 0);
        ml_buf_free(&b);
    }
}

static ml_err govop_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_govop op;
    return ml_govop_decode(&op, in, fault);
}

static void govop_make(struct ml_buf *out)
{
    for (unsigned type = 1; type <= ML_GOVOP_ROOT_ROTATE; type++) {
        for (int full = 0; full < 2 && ml_govop_format((uint16_t)type) != NULL; full++) {
            struct ml_govop op;
            struct ml_buf b;
            char name[48];
            ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
            sample_govop(&op, (ml_govop_type)type, full);
            ml_err err = ml_govop_encode(&b, &op);
            must(err == ML_OK);
            snprintf(name, sizeof(name), "%s, %s", ml_govop_name((uint16_t)type),
                     full ? "all fields" : "least");
            sample_put(out, name, &b, 0, full);
            ml_buf_free(&b);
        }
    }
    hex_line(out, "unknown type, must be understood", "8301cd010002c30591a161");
}

static ml_err keyop_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_keyop op;
    return ml_keyop_decode(&op, in, fault);
}

static void keyop_make(struct ml_buf *out)
{
    for (unsigned type = 1; ml_keyop_format((uint16_t)type) != NULL; type++) {
        for (int full = 0; full < 2; full++) {
            struct ml_keyop op;
            struct ml_buf b;
            char name[48];
            ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
            sample_keyop(&op, (ml_keyop_type)type, full);
            ml_err err = ml_keyop_encode(&b, &op);
            must(err == ML_OK);
            snprintf(name, sizeof(name), "%s, %s", ml_keyop_name((uint16_t)type),
                     full ? "all fields" : "least");
            sample_put(out, name, &b, 0, full);
            ml_buf_free(&b);
        }
    }
    hex_line(out, "unknown type", "8201cd01000591a161");
}

static ml_err trace_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_trace_entry entry;
    return ml_trace_entry_decode(&entry, in, fault);
}

static void trace_make(struct ml_buf *out)
{
    for (int full = 0; full < 2; full++) {
        struct ml_trace_entry entry;
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        sample_trace(&entry, full);
        ml_err err = ml_trace_entry_encode(&b, &entry);
        must(err == ML_OK);
        variants_put(out, full ? "read, all fields" : "read, least", ml_buf_slice(&b), 0);
        ml_buf_free(&b);
    }
}

static ml_err deposit_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_trace_deposit deposit;
    return ml_trace_deposit_decode(&deposit, in, fault);
}

static void deposit_make(struct ml_buf *out)
{
    struct ml_trace_deposit deposit;
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
    fill(&deposit, sizeof(deposit), 3);
    ml_err err = ml_trace_deposit_encode(&b, &deposit);
    must(err == ML_OK);
    variants_put(out, "deposit", ml_buf_slice(&b), 0);
    ml_buf_free(&b);
}

static ml_err manifest_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_manifest manifest;
    return ml_manifest_decode(&manifest, in, fault);
}

static void manifest_make(struct ml_buf *out)
{
    for (int full = 0; full < 2; full++) {
        struct ml_manifest manifest;
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        sample_manifest(&manifest, full);
        ml_err err = ml_manifest_encode(&b, &manifest);
        must(err == ML_OK);
        sample_put(out, full ? "three chunks" : "one chunk", &b, 0, full);
        ml_buf_free(&b);
    }
}

static ml_err manifest_inner_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_manifest_inner inner;
    return ml_manifest_inner_decode(&inner, in, fault);
}

static void manifest_inner_make(struct ml_buf *out)
{
    for (int full = 0; full < 2; full++) {
        struct ml_manifest_inner inner;
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        sample_manifest_inner(&inner, full);
        ml_err err = ml_manifest_inner_encode(&b, &inner);
        must(err == ML_OK);
        sample_put(out, full ? "all fields" : "least", &b, 0, full);
        ml_buf_free(&b);
    }
}

static ml_err consent_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_consent consent;
    return ml_consent_decode(&consent, in, fault);
}

static void consent_make(struct ml_buf *out)
{
    for (int full = 0; full < 2; full++) {
        struct ml_consent consent;
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        sample_consent(&consent, full);
        ml_err err = ml_consent_encode(&b, &consent);
        must(err == ML_OK);
        sample_put(out, full ? "all fields" : "least", &b, 0, !full);
        ml_buf_free(&b);
    }
}

static ml_err glass_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_glass_say say;
    return ml_glass_decode(&say, in, fault);
}

static void glass_make(struct ml_buf *out)
{
    struct ml_glass_say say;
    const char *name = NULL;
    for (unsigned i = 0; (name = sample_glass_kind(&say, i)) != NULL; i++) {
        struct ml_buf b;
        ml_buf_init(&b, ml_env_system(), ML_BODY_BYTES_MAX);
        ml_err err = ml_glass_encode(&b, &say);
        must(err == ML_OK);
        sample_put(out, name, &b, 0, i == 0);
        ml_buf_free(&b);
    }
}

/* ---- messages ---- */

static ml_err msg_decode(struct ml_slice in, struct ml_fault *fault)
{
    struct ml_msg msg;
    return ml_msg_decode(&msg, in, fault);
}

static void msg_make(struct ml_buf *out)
{
    static const ml_msg_kind kinds[] = {ML_MSG_HELLO,
#define X(name, number, text) ML_MSG_##name,
                                        ML_MSG_MAP(X)
#undef X
    };
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (int full = 0; full < 2; full++) {
            struct ml_msg msg;
            struct ml_buf b;
            char name[48];
            ml_buf_init(&b, ml_env_system(), ML_MSG_BYTES_MAX);
            sample_msg(&msg, kinds[k], full);
            ml_err err = ml_msg_encode(&b, &msg);
            must(err == ML_OK);
            snprintf(name, sizeof(name), "%s, %s", ml_msg_name(kinds[k]),
                     full ? "all fields" : "least");
            sample_put(out, name, &b, 1, full && kinds[k] != ML_MSG_HELLO);
            ml_buf_free(&b);
        }
    }
    hex_line(out, "nothing", "");
    hex_line(out, "an unknown kind", "c880");
    hex_line(out, "HELLO of a later version", "0f");
    hex_line(out, "HELLO cut short", "0000");
}

/* ---- documents ---- */

static ml_err doc_decode(struct ml_slice in, struct ml_fault *fault)
{
    return ml_doc_check(in, fault);
}

static void doc_make(struct ml_buf *out)
{
    static const char *const rows[][2] = {
        {"nil", "c0"},
        {"map", "82a5717565727981a3746f7001a16100"},
        {"keys in any order", "82a16200a16100"},
        {"a key twice", "82a16101a16102"},
        {"a key twice, of different maps", "82a16181a16101a16202"},
        {"a key twice, around another map", "82a16181a16290a16101"},
        {"a number as key", "810102"},
        {"a key that is not UTF-8", "81a1ff02"},
        {"float64", "cb3fe0000000000000"},
        {"float32", "ca3f000000"},
        {"not the shortest form", "cc01"},
        {"bytes after the end", "8000"},
        {"16 levels", "91919191919191919191919191919190"},
        {"17 levels", "9191919191919191919191919191919190"},
        {"nothing", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hex_line(out, rows[i][0], rows[i][1]);
    }
}

const struct vector_file vector_files[] = {
    {"mp", NULL, mp_decode, NULL, mp_make},
    {"header", NULL, header_decode, header_roundtrip, header_make},
    {"bundle", "fuzz_bundle", bundle_decode, roundtrip_bundle, bundle_make},
    {"change", "fuzz_change", change_decode, roundtrip_change, change_make},
    {"govop", "fuzz_op", govop_decode, roundtrip_govop, govop_make},
    {"keyop", "fuzz_op", keyop_decode, roundtrip_keyop, keyop_make},
    {"trace", "fuzz_op", trace_decode, roundtrip_trace, trace_make},
    {"deposit", "fuzz_op", deposit_decode, roundtrip_deposit, deposit_make},
    {"manifest", "fuzz_op", manifest_decode, roundtrip_manifest, manifest_make},
    {"manifest_inner", "fuzz_op", manifest_inner_decode, roundtrip_manifest_inner,
     manifest_inner_make},
    {"consent", "fuzz_op", consent_decode, roundtrip_consent, consent_make},
    {"glass", "fuzz_op", glass_decode, roundtrip_glass, glass_make},
    {"msg", "fuzz_msg", msg_decode, roundtrip_msg, msg_make},
    {"doc", NULL, doc_decode, NULL, doc_make},
};
const size_t vector_file_count = sizeof(vector_files) / sizeof(vector_files[0]);

void vector_file_text(struct ml_buf *out, const struct vector_file *file)
{
    put_text(out, "# Golden vectors, format version 1: name | verdict | bytes. Written by\n"
                  "# build/debug/tests/test_vectors --regenerate (docs/protocol.md).\n");
    current = file;
    file->make(out);
}

/* ---- derived values ---- */

static void derived_put(struct ml_buf *out, const char *name, const void *bytes, size_t len)
{
    put_text(out, name);
    put_text(out, " = ");
    put_text(out, hex_of(ml_slice(bytes, len)));
    put_text(out, "\n");
}

static void derived_bundle(struct ml_buf *out)
{
    struct ml_buf b;
    struct ml_hash hash;
    struct ml_bundle bundle;
    struct ml_body_walk walk;
    struct ml_body_op op;
    struct ml_list_walk entries;
    struct ml_dict_entry entry;
    uint8_t ad[ML_OP_AD_BYTES];
    uint8_t nonce[ML_OP_NONCE_BYTES];
    const struct ml_org_id org = sample_org();
    ml_buf_init(&b, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    sample_genesis(&b, &hash);
    derived_put(out, "genesis: org_id", hash.b, 32);
    ml_buf_clear(&b);
    sample_bundle(&b, &hash, ML_LANE_RECORD, 2);
    ml_err err = ml_bundle_decode(&bundle, ml_buf_slice(&b), NULL);
    must(err == ML_OK);
    derived_put(out, "org_id of what follows", org.b, 32);
    derived_put(out, "record: header_hash", hash.b, 32);
    ml_body_walk(&walk, bundle.body.bytes);
    while (ml_body_next(&walk, &op)) {
        struct ml_hash leaf = ml_body_leaf(&op);
        derived_put(out, walk.index == 0 ? "record: leaf 0" : "record: leaf 1", leaf.b, 32);
    }
    hash = ml_body_root(bundle.body.bytes);
    derived_put(out, "record: body_root", hash.b, 32);
    ml_list_walk(&entries, &bundle.header.dictionary);
    bool found = ml_dict_next(&entries, &entry);
    must(found);
    ml_op_ad(ad, &org, &bundle.header, 1, &entry);
    derived_put(out, "record: associated data of op 1", ad, sizeof(ad));
    ml_op_nonce(nonce, &bundle.header.salt, 1);
    derived_put(out, "record: nonce of op 1", nonce, sizeof(nonce));
    struct ml_dep heads[2];
    struct ml_list_walk deps;
    ml_list_walk(&deps, &bundle.header.deps);
    for (size_t i = 0; i < 2; i++) {
        found = ml_dep_next(&deps, &heads[i]);
        must(found);
    }
    struct ml_hash16 gctx = ml_gctx_of(&org, heads, 2);
    derived_put(out, "gctx of the record's two deps", gctx.b, 16);
    ml_buf_free(&b);
}

static void derived_keys(struct ml_buf *out)
{
    const struct ml_org_id org = sample_org();
    uint8_t ad[ML_KEYOP_AD_MAX];
    uint8_t context[ML_TRACE_CONTEXT_BYTES];
    struct ml_keyop op;
    struct ml_sign_pk pk;
    struct ml_box_pk box;
    ml_secret_free(sample_seed(0x01, &pk));
    struct ml_writer_id writer = ml_writer_id_of(&pk);
    derived_put(out, "writer: public key", pk.b, 32);
    derived_put(out, "writer: writer16", writer.b, 16);
    fill(&box, sizeof(box), 0x42);
    struct ml_recipient_id recipient = ml_recipient_id_of(&box);
    derived_put(out, "recipient id of box key 42..61", recipient.b, 16);
    sample_keyop(&op, ML_KEYOP_DEK_WRAP, true);
    derived_put(out, "dek wrap: associated data", ad, ml_dek_wrap_ad(ad, &org, &op.u.dek_wrap));
    sample_keyop(&op, ML_KEYOP_PATIENT_OPEN, true);
    derived_put(out, "patient open: associated data", ad,
                ml_patient_open_ad(ad, &org, &op.u.patient_open));
    sample_keyop(&op, ML_KEYOP_BG_WRAP, true);
    derived_put(out, "break-glass wrap: context", ad, ml_bg_wrap_ad(ad, &org, &op.u.bg_wrap));
    derived_put(out, "share of a key: context", ad, ml_glass_share_ad(ad, &org, &op.u.bg_wrap));
    const struct ml_key_id dek = op.u.bg_wrap.dek;
    struct ml_glass_say say;
    sample_glass_answer(&say);
    derived_put(out, "answered share: context", ad, ml_glass_answer_ad(ad, &org, &say.glass, &dek));
    sample_keyop(&op, ML_KEYOP_CONSENT, true);
    derived_put(out, "consent: associated data", ad, ml_consent_op_ad(ad, &org, &op.u.consent));
    sample_keyop(&op, ML_KEYOP_GLASS, true);
    derived_put(out, "glass: associated data", ad, ml_glass_op_ad(ad, &org, &op.u.glass));
    sample_keyop(&op, ML_KEYOP_PAIR_GRANT, true);
    derived_put(out, "break-glass secret: context", ad,
                ml_break_glass_ad(ad, &org, &op.u.pair_grant.pair));
    sample_keyop(&op, ML_KEYOP_KEK_EPOCH, true);
    derived_put(out, "older key: associated data", ad,
                ml_older_key_ad(ad, &org, &op.u.kek_epoch, &op.u.kek_epoch.kek));
    derived_put(out, "card of a team: associated data", ad,
                ml_card_ad(ad, &org, ML_CARD_TEAM, recipient.b));
    ml_trace_context(context, &org, &op.u.kek_epoch.kek);
    derived_put(out, "trace deposit: context", context, sizeof(context));
}

void vector_derived_text(struct ml_buf *out)
{
    put_text(out, "# Hashes and associated data of the samples, format version 1. Written by\n"
                  "# build/debug/tests/test_vectors --regenerate (docs/protocol.md).\n");
    derived_bundle(out);
    derived_keys(out);
}
