/* core/record/code_system.h -- short numbers for the code systems that records name all day.
 *
 * A code's value is [system, code, display]. `system` is an URI, or one of these numbers, or 0 for
 * "the system of this field's value set". The numbers are in ops for ever: append only.
 */
#ifndef ML_RECORD_CODE_SYSTEM_H
#define ML_RECORD_CODE_SYSTEM_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/record/schema.h"

/* X(number, URI, name shown) */
#define ML_CODE_SYSTEM_MAP(X)                                                                      \
    X(1, "http://loinc.org", "LOINC")                                                              \
    X(2, "http://snomed.info/sct", "SNOMED CT")                                                    \
    X(3, "http://unitsofmeasure.org", "UCUM")                                                      \
    X(4, "http://hl7.org/fhir/sid/icd-10", "CIM-10")                                               \
    X(5, "http://www.whocc.no/atc", "ATC")                                                         \
    X(6, "urn:oid:2.16.840.1.113883.6.139", "CISP-2")                                              \
    X(7, "http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm")                                  \
    X(8, "http://hl7.org/fhir/sid/cvx", "CVX")                                                     \
    X(9, "http://standardterms.edqm.eu", "EDQM")                                                   \
    X(10, "http://terminology.hl7.org/CodeSystem/observation-category", "HL7")                     \
    X(11, "http://terminology.hl7.org/CodeSystem/v2-0074", "HL7")                                  \
    X(12, "http://terminology.hl7.org/CodeSystem/v3-ActCode", "HL7")                               \
    X(13, "http://dicom.nema.org/resources/ontology/DCM", "DICOM")                                 \
    X(14, "urn:oid:1.2.250.1.213.2.12", "CCAM")                                                    \
    X(15, "urn:ietf:bcp:47", "BCP 47")

#define ML_CODE_SYSTEM_OF_FIELD 0u

/** 0 when the URI has no number. */
uint32_t ml_code_system_number(struct ml_slice uri);
/** Static; NULL when unknown. */
const char *ml_code_system_uri(uint32_t number);
const char *ml_code_system_name(uint32_t number);

/** The entry of a value set, or NULL. */
const struct ml_value_set_item *ml_value_set_find(const struct ml_value_set *set,
                                                  struct ml_slice code);

#endif
