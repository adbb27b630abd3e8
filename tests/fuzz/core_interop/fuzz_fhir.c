/* tests/fuzz/core_interop/fuzz_fhir.c -- any bytes as a FHIR file: no crash, no leak, and what is
 * handed out is canonical, of the schema, and the same the second time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/interop/fhir.h"
#include "core/interop/source.h"
#include "core/record/values.h"
#include "fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct count {
    uint64_t objects;
    uint64_t digest;
};

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static ml_err create(void *user, const struct ml_import_object *object)
{
    struct count *count = user;
    struct ml_fields_walk walk;
    struct ml_slice value;
    uint16_t id = 0;
    require(ml_mp_check(object->values, ML_MP_CANONICAL, NULL) == ML_OK);
    require(ml_fields_walk(&walk, object->values) == ML_OK);
    while (ml_fields_next(&walk, &id, &value)) {
        const struct ml_field *field = ml_entity_field(object->entity, id);
        require(field != NULL && ml_value_fits(field, value));
    }
    count->objects++;
    for (size_t i = 0; i < object->values.len; i++) {
        count->digest = count->digest * 31u + object->values.data[i];
    }
    for (size_t i = 0; i < sizeof(object->id.b); i++) {
        count->digest = count->digest * 31u + object->id.b[i];
    }
    return ML_OK;
}

static ml_err import(struct fake_env *fake, struct ml_slice text, struct count *count)
{
    static const uint8_t key[ML_IMPORT_KEY_BYTES] = {1};
    struct ml_import_fault fault = {.kind = ML_IMPORT_FAULT_NONE};
    struct ml_fhir_report *report = NULL;
    require(ml_fhir_report_new(&report, &fake->env) == ML_OK);
    const struct ml_fhir_args args = {.env = &fake->env,
                                      .schema = ml_schema_builtin(),
                                      .id_key = key,
                                      .create = create,
                                      .user = count,
                                      .report = report};
    ml_err err = ml_fhir_import(&args, text, &fault);
    require((err == ML_OK) == (fault.kind == ML_IMPORT_FAULT_NONE));
    require(err == ML_OK || count->objects == 0);
    ml_fhir_report_free(report);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fake_env fake;
    struct ml_import_fault fault;
    struct ml_buf text;
    struct count first = {0, 0};
    struct count second = {0, 0};
    fake_env_init(&fake, 1);
    ml_buf_init(&text, &fake.env, 1u << 20);
    if (ml_source_read_bytes(&text, ml_slice(data, len), &fault) == ML_OK) {
        ml_err err = import(&fake, ml_buf_slice(&text), &first);
        require(import(&fake, ml_buf_slice(&text), &second) == err);
        require(first.objects == second.objects && first.digest == second.digest);
    }
    ml_buf_free(&text);
    require(fake.live == 0);
    return 0;
}
