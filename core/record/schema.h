/* core/record/schema.h -- the health record's schema as data.
 *
 * An entity type is a table entry: storage, validation, RPC, forms, search, import and export read
 * it, so that adding an entity is adding an entry to one schema_<block>.c file. All tables are
 * static and immutable; any thread. Numbers (entity, field) are written into ops for ever: they
 * are never reused, and a field's merge rule never changes (rules D1).
 */
#ifndef ML_RECORD_SCHEMA_H
#define ML_RECORD_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maille/types.h"

#define ML_SCHEMA_VERSION 1u /* written into every op; raised when an entry is added */

/* How a value is encoded in an op (docs/protocol: change values). */
typedef enum ml_field_type {
    ML_TYPE_TEXT,       /* str, UTF-8 NFC */
    ML_TYPE_BOOL,       /* bool */
    ML_TYPE_INT,        /* int */
    ML_TYPE_DECIMAL,    /* str: decimal text, precision kept */
    ML_TYPE_QUANTITY,   /* [decimal text, UCUM unit] */
    ML_TYPE_CODE,       /* [system, code, display] */
    ML_TYPE_CONCEPT,    /* [text, [codes...]]: FHIR CodeableConcept */
    ML_TYPE_DATE,       /* str: "1979", "1979-03" or "1979-03-28" */
    ML_TYPE_INSTANT,    /* [utc ms, offset minutes, precision] (rules D8) */
    ML_TYPE_PERIOD,     /* [instant or nil, instant or nil] */
    ML_TYPE_REF,        /* bin16: object id */
    ML_TYPE_IDENTIFIER, /* [system, value, type code, use] */
    ML_TYPE_NAME,       /* [use, family, [given...], [prefix...], [suffix...]] */
    ML_TYPE_ADDRESS,    /* [use, [lines...], postal code, city, district, state, country] */
    ML_TYPE_CONTACT,    /* [system, value, use, rank] */
    ML_TYPE_DOSAGE,     /* map 1 sequence 2 text 3 dose 4 frequency 5 period 6 unit 7 prn ... */
    ML_TYPE_COMPONENT,  /* [concept, value]: one part of a compound observation */
    ML_TYPE_VALUE,      /* any of quantity, concept, text, bool, int, instant: tagged by shape */
    ML_TYPE_ATTACHMENT, /* map 1 content type 2 title 3 bytes 4 size 5 hash 6 url */
} ml_field_type;

/* What concurrent values of a field, or concurrent lives of an entity, become (architecture 6). */
typedef enum ml_merge {
    ML_MERGE_EVENT,    /* entity: immutable; corrections amend, "entered in error" marks */
    ML_MERGE_SET,      /* entity: member of an add-wins set, its fields are registers */
    ML_MERGE_REGISTER, /* field: multi-value register */
    ML_MERGE_ATOMIC,   /* field: part of the register of its `group`, never merged by a machine */
    ML_MERGE_ASSERT,   /* field: multi-value; a concurrent assertion beats a refutation */
    ML_MERGE_STATE,    /* field: state machine; done beats cancelled, flagged */
    ML_MERGE_DENY,     /* field: deny wins */
    ML_MERGE_FIXED,    /* field of an EVENT entity: lives in the event's own value */
} ml_merge;

typedef enum ml_severity {
    ML_SEVERITY_NONE,
    ML_SEVERITY_LOW,
    ML_SEVERITY_MEDIUM,
    ML_SEVERITY_HIGH,
    ML_SEVERITY_CRITICAL,
} ml_severity;

/* What the patient search or the search in a record does with a field. */
typedef enum ml_search {
    ML_SEARCH_NONE,
    ML_SEARCH_TEXT,       /* full text inside the record */
    ML_SEARCH_NAME,       /* patient search: names, accents and particles folded */
    ML_SEARCH_BIRTH_DATE, /* patient search */
    ML_SEARCH_IDENTIFIER, /* patient search: exact or prefix */
} ml_search;

struct ml_field {
    const char *name;      /* snake_case, as in JSON, RPC and --field */
    const char *unit;      /* UCUM, when the field fixes one; else NULL */
    const char *value_set; /* name in ml_value_sets; NULL: free */
    const char *ref;       /* REF: names of the entities it may point to, "a|b"; else NULL */
    const char *label_fr;
    const char *label_en;
    const char *help_fr; /* NULL: none */
    const char *fhir;    /* FHIR R4 path inside the resource, NULL: not mapped; see interop */
    ml_field_type type;
    ml_merge merge;
    ml_severity severity; /* of an open conflict on this field */
    ml_search search;
    uint16_t id;        /* unique in its entity, 1..199 */
    uint16_t group;     /* ATOMIC: id of the group's first field; else 0 */
    bool list;          /* an array of `type`, one register */
    bool required;      /* at creation from a form; imports may lack it */
    uint8_t form_order; /* 0: not on the form */
};

/* What an import leaves out on purpose, and the reason that was reviewed (docs/fhir-mapping.md). */
struct ml_fhir_drop {
    const char *path; /* inside the resource, arrays as "[]"; a trailing '*' covers what follows */
    const char *reason;
};

struct ml_entity {
    uint16_t id; /* on the wire; 1..4095 */
    const char *name;
    ml_merge merge; /* EVENT or SET */
    ml_compartment compartment;
    uint8_t data_class;   /* row of domain 7.2, 1..23 */
    ml_severity severity; /* of an open conflict on the entity's life (slot 0) */
    bool in_timeline;
    bool is_patient; /* the root of a stream: opening one creates its keys */
    bool
        is_shared; /* not of one patient (professional, organisation): the structure's own stream */
    const char *effective_field; /* name of the field that dates it in the timeline, or NULL */
    const char *title_field;     /* name of the field that heads it in lists */
    const char *title_fr;        /* rule that says the title instead (say.h); NULL: the field */
    const char *say_fr;          /* rule that says the rest in a sentence; NULL: the form's order */
    const char *label_fr;
    const char *label_en;
    const char *plural_fr;
    const char *fhir_type; /* resource type, NULL: not from FHIR */
    const char *fhir_when; /* "path=value|value": chooses between entities of one type, or NULL */
    const char *fhir_patient; /* path of the reference to the patient; NULL: patient or shared */
    const char *fhir_author;  /* path of the reference to the author; NULL: none known */
    const struct ml_fhir_drop *fhir_drops;
    size_t fhir_drop_count;
    const struct ml_field *fields;
    size_t field_count;
};

/* A coded list: what a form offers and what a validator accepts. */
struct ml_value_set_item {
    const char *code;
    const char *label_fr;
    const char *fhir; /* the FHIR codes it stands for, "a|b", "*": any other; NULL: the same code */
    bool refutes;     /* ASSERT fields: this value denies what the others assert */
};

struct ml_value_set {
    const char *name;
    const char *system_uri; /* canonical URI or OID */
    bool open;              /* other codes are accepted too */
    const struct ml_value_set_item *items;
    size_t item_count;
};

struct ml_schema {
    const struct ml_entity *const *entities; /* sorted by id */
    size_t entity_count;
    const struct ml_value_set *const *value_sets;
    size_t value_set_count;
};

/** The schema this program was built with. Static. */
const struct ml_schema *ml_schema_builtin(void);

/** NULL when unknown. */
const struct ml_entity *ml_schema_entity(const struct ml_schema *schema, uint16_t id);
const struct ml_entity *ml_schema_entity_named(const struct ml_schema *schema, const char *name);
const struct ml_field *ml_entity_field(const struct ml_entity *entity, uint16_t id);
const struct ml_field *ml_entity_field_named(const struct ml_entity *entity, const char *name);
const struct ml_value_set *ml_schema_value_set(const struct ml_schema *schema, const char *name);

/** The register a field lives in: its group's first field when atomic, 0 when FIXED, else itself.
 */
uint16_t ml_field_slot(const struct ml_field *field);

/* Names in answers and JSON, lower case ("code", "register", "high", "vital"); "?" for a number
 * that is none. */
const char *ml_field_type_name(ml_field_type type);
const char *ml_merge_name(ml_merge merge);
const char *ml_severity_name(ml_severity severity);
const char *ml_search_name(ml_search search);
const char *ml_compartment_name(ml_compartment compartment);

#endif
