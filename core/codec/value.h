/* core/codec/value.h -- the values of record fields, as ops and vaults hold them.
 *
 * One struct and one encoding a type; all are canonical MessagePack (docs/protocol: change values).
 * In a tuple, a text that isn't there is the empty text. Decoding borrows the input; a decoder
 * takes exactly one value and refuses all else (MALFORMED, *out untouched). Pure; any thread.
 *
 *   text str · bool bool · int int · ref bin 16 (object id) · decimal str "12.50" · date str
 * "1979", "1979-03", "1979-03-28" · instant [utc ms, offset, precision] · all else below
 */
#ifndef ML_CODEC_VALUE_H
#define ML_CODEC_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/change.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_TEXT_MAX          16384u /* above it: a chunk (rules D3) */
#define ML_LINE_MAX          1024u  /* texts inside structured values */
#define ML_DECIMAL_MAX       40u
#define ML_VALUE_LIST_MAX    64u
#define ML_ATTACHMENT_INLINE 16384u

/* X(number, system): code systems that are written as a number. Frozen with the format version: a
 * system of this list is never written as text, and none joins it later. */
#define ML_CODE_SYSTEM_MAP(X)                                                                      \
    X(1, "http://loinc.org")                                                                       \
    X(2, "http://unitsofmeasure.org")                                                              \
    X(3, "http://snomed.info/sct")                                                                 \
    X(4, "http://hl7.org/fhir/sid/icd-10")                                                         \
    X(5, "http://www.whocc.no/atc")                                                                \
    X(6, "http://hl7.org/fhir/sid/cvx")                                                            \
    X(7, "http://www.nlm.nih.gov/research/umls/rxnorm")                                            \
    X(8, "http://terminology.hl7.org/CodeSystem/condition-clinical")                               \
    X(9, "http://terminology.hl7.org/CodeSystem/condition-ver-status")                             \
    X(10, "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical")                     \
    X(11, "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification")                 \
    X(12, "http://terminology.hl7.org/CodeSystem/observation-category")                            \
    X(13, "http://terminology.hl7.org/CodeSystem/condition-category")                              \
    X(14, "http://terminology.hl7.org/CodeSystem/v3-ActCode")                                      \
    X(15, "http://terminology.hl7.org/CodeSystem/v2-0074")                                         \
    X(16, "http://terminology.hl7.org/CodeSystem/v2-0203")                                         \
    X(17, "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus")                                \
    X(18, "http://terminology.hl7.org/CodeSystem/goal-achievement")                                \
    X(19, "http://standardterms.edqm.eu")                                                          \
    X(20, "urn:ietf:bcp:47")                                                                       \
    X(21, "urn:oid:1.2.250.1.213.1.4.8")                                                           \
    X(22, "urn:oid:1.2.250.1.213.1.4.9")                                                           \
    X(23, "urn:oid:1.2.250.1.71.4.2.1")                                                            \
    X(24, "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante")

/** [decimal, unit]; unit is UCUM, or empty. */
struct ml_quantity {
    struct ml_slice number; /* decimal text, precision kept */
    struct ml_slice unit;
};

/** [scheme, code, display]. */
struct ml_code {
    struct ml_slice scheme; /* URI of the code system; a number on the wire for the known ones */
    struct ml_slice code;
    struct ml_slice display;
};

/** [text, [codes...]]. */
struct ml_concept {
    struct ml_slice text;
    struct ml_list codes; /* of ml_code */
};

/** [start or nil, end or nil]; precision 0: open on that side. */
struct ml_period {
    struct ml_instant start;
    struct ml_instant end;
};

/** [scheme, value, type code, use]. */
struct ml_identifier {
    struct ml_slice scheme; /* URI, as of a code */
    struct ml_slice value;
    struct ml_slice type;
    struct ml_slice use;
};

/** [use, family, [given...], [prefix...], [suffix...]]; the lists hold struct ml_slice. */
struct ml_person_name {
    struct ml_slice use;
    struct ml_slice family;
    struct ml_list given;
    struct ml_list prefix;
    struct ml_list suffix;
};

/** [use, [lines...], postal code, city, district, state, country]. */
struct ml_address {
    struct ml_slice use;
    struct ml_list lines;
    struct ml_slice postal_code;
    struct ml_slice city;
    struct ml_slice district;
    struct ml_slice state;
    struct ml_slice country;
};

/** [medium, value, use, rank]; rank 0: none. */
struct ml_contact {
    struct ml_slice medium; /* phone, email ...: FHIR calls it a system */
    struct ml_slice value;
    struct ml_slice use;
    uint8_t rank;
};

/** A map; every entry may be absent. */
struct ml_dosage {
    uint16_t sequence;
    struct ml_slice text;
    struct ml_quantity dose; /* of one taking; or the least of a range */
    uint16_t frequency;      /* takings in one period */
    struct ml_slice period;  /* decimal */
    struct ml_slice unit;    /* of the period: s, min, h, d, wk, mo, a */
    bool as_needed;
    struct ml_list when; /* of struct ml_slice: MORN, NOON, EVE, NIGHT, AC, PC ... or "08:00" */
    struct ml_code route;
    struct ml_quantity dose_high;
    uint16_t frequency_max;
    struct ml_code reason; /* of "as needed" */
    struct ml_code site;
    struct ml_quantity rate;
    struct ml_wire_extra extra;
};

/** [concept, value]: both encoded, to be read as ml_concept and by ml_value_shape. */
struct ml_component {
    struct ml_slice concept;
    struct ml_slice value;
};

/** A map; every entry may be absent. */
struct ml_attachment {
    struct ml_slice content_type;
    struct ml_slice title;
    struct ml_slice bytes; /* small contents in place */
    uint64_t size;
    struct ml_hash hash; /* of the plaintext: BLAKE2b-256; zero: none */
    struct ml_slice url;
    struct ml_slice language;
    struct ml_instant created;
    struct ml_version_id manifest; /* large contents: the op of lane 4 that names their chunks */
    struct ml_wire_extra extra;
};

extern const struct ml_wire_format ml_format_quantity;
extern const struct ml_wire_format ml_format_code;
extern const struct ml_wire_format ml_format_concept;
extern const struct ml_wire_format ml_format_period;
extern const struct ml_wire_format ml_format_identifier;
extern const struct ml_wire_format ml_format_person_name;
extern const struct ml_wire_format ml_format_address_value;
extern const struct ml_wire_format ml_format_contact;
extern const struct ml_wire_format ml_format_dosage;
extern const struct ml_wire_format ml_format_component;
extern const struct ml_wire_format ml_format_attachment;
extern const struct ml_wire_format ml_format_line; /* item: struct ml_slice, text */

/* Each pair: _decode MALFORMED; _encode NOMEM, LIMIT, INVALID. */
ml_err ml_quantity_decode(struct ml_quantity *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_quantity_encode(struct ml_buf *out, const struct ml_quantity *v) ML_MUST_CHECK;
ml_err ml_code_decode(struct ml_code *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_code_encode(struct ml_buf *out, const struct ml_code *v) ML_MUST_CHECK;
ml_err ml_concept_decode(struct ml_concept *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_concept_encode(struct ml_buf *out, const struct ml_concept *v) ML_MUST_CHECK;
ml_err ml_instant_decode(struct ml_instant *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_instant_encode(struct ml_buf *out, const struct ml_instant *v) ML_MUST_CHECK;
ml_err ml_period_decode(struct ml_period *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_period_encode(struct ml_buf *out, const struct ml_period *v) ML_MUST_CHECK;
ml_err ml_identifier_decode(struct ml_identifier *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_identifier_encode(struct ml_buf *out, const struct ml_identifier *v) ML_MUST_CHECK;
ml_err ml_person_name_decode(struct ml_person_name *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_person_name_encode(struct ml_buf *out, const struct ml_person_name *v) ML_MUST_CHECK;
ml_err ml_address_decode(struct ml_address *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_address_encode(struct ml_buf *out, const struct ml_address *v) ML_MUST_CHECK;
ml_err ml_contact_decode(struct ml_contact *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_contact_encode(struct ml_buf *out, const struct ml_contact *v) ML_MUST_CHECK;
ml_err ml_dosage_decode(struct ml_dosage *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_dosage_encode(struct ml_buf *out, const struct ml_dosage *v) ML_MUST_CHECK;
ml_err ml_component_decode(struct ml_component *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_component_encode(struct ml_buf *out, const struct ml_component *v) ML_MUST_CHECK;
ml_err ml_attachment_decode(struct ml_attachment *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_attachment_encode(struct ml_buf *out, const struct ml_attachment *v) ML_MUST_CHECK;

/* Plain values; to write: ml_mp_put_str, _bool, _int, _bin (mp_write.h). */
ml_err ml_text_decode(struct ml_slice *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_bool_decode(bool *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_int_decode(int64_t *out, struct ml_slice in) ML_MUST_CHECK;
ml_err ml_ref_decode(struct ml_object_id *out, struct ml_slice in) ML_MUST_CHECK;
void ml_ref_put(struct ml_buf *out, const struct ml_object_id *id);

/** -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?, at most 40 bytes. */
bool ml_decimal_valid(struct ml_slice text);
/** Year, year and month, or a day that exists (proleptic Gregorian), years 0001..9999. */
bool ml_date_valid(struct ml_slice text);

static inline bool ml_code_next(struct ml_list_walk *walk, struct ml_code *out)
{
    return ml_list_next(walk, &ml_format_code, out);
}

static inline bool ml_line_next(struct ml_list_walk *walk, struct ml_slice *out)
{
    return ml_list_next(walk, &ml_format_line, out);
}

/** Items of a field that is a list: an array of values of its type. */
struct ml_values_walk {
    struct ml_mp mp;
    uint32_t left;
};
/** MALFORMED unless `value` is one canonical array. */
ml_err ml_values_walk(struct ml_values_walk *walk, struct ml_slice value) ML_MUST_CHECK;
bool ml_values_next(struct ml_values_walk *walk, struct ml_slice *item);

/* What a value of type VALUE is, by its shape alone. */
typedef enum ml_shape {
    ML_SHAPE_NONE, /* none of these */
    ML_SHAPE_BOOL,
    ML_SHAPE_INT,
    ML_SHAPE_TEXT,
    ML_SHAPE_QUANTITY, /* [str, str] */
    ML_SHAPE_CONCEPT,  /* [str, array] */
    ML_SHAPE_CODE,     /* [str or uint, str, str] */
    ML_SHAPE_INSTANT,  /* [int, int, uint] */
    ML_SHAPE_PERIOD,   /* [array or nil, array or nil] */
    ML_SHAPE_REF,      /* bin 16 */
} ml_shape;

/** The shape, if the value then decodes as it; NONE if not. */
ml_shape ml_value_shape(struct ml_slice value);

#endif
