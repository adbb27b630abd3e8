/* tests/fuzz/core_codec/fuzz_change.c -- any bytes as a record op's plaintext, and its value as
 * every type. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/value.h"
#include "tests/fuzz/core_codec/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Whatever type the bytes decode as, they encode to themselves. */
#define TRY(name)                                                                                  \
    do {                                                                                           \
        struct ml_##name v_##name;                                                                 \
        ml_buf_clear(&out);                                                                        \
        if (ml_##name##_decode(&v_##name, in) == ML_OK &&                                          \
            (ml_##name##_encode(&out, &v_##name) != ML_OK ||                                       \
             !ml_slice_equal(ml_buf_slice(&out), in))) {                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void value_try(struct ml_slice in)
{
    struct ml_buf out;
    struct ml_values_walk walk;
    struct ml_slice item;
    ml_buf_init(&out, ml_env_system(), in.len + 64);
    TRY(quantity);
    TRY(code);
    TRY(concept);
    TRY(instant);
    TRY(period);
    TRY(identifier);
    TRY(person_name);
    TRY(address);
    TRY(contact);
    TRY(dosage);
    TRY(component);
    TRY(attachment);
    (void)ml_value_shape(in);
    if (ml_values_walk(&walk, in) == ML_OK) {
        while (ml_values_next(&walk, &item)) {
            (void)ml_value_shape(item);
        }
    }
    ml_buf_free(&out);
}

static void one_input(struct ml_slice in)
{
    if (roundtrip_change(in)) {
        struct ml_change change;
        if (ml_change_decode(&change, in, NULL) == ML_OK) {
            value_try(change.value);
        }
    }
    value_try(in);
    must_tile_op(ML_LANE_RECORD, 0, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    one_input(ml_slice(data, len)); /* libFuzzer's block is exactly `len` bytes */
    return 0;
}
