/* tests/fuzz/core_codec/fuzz_bundle.c -- any bytes as a bundle: no crash; accepted ones encode to
 * themselves; explain names every byte of any input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/core_codec/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void one_input(struct ml_slice in)
{
    (void)roundtrip_bundle(in);
    must_tile_bundle(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    one_input(ml_slice(data, len)); /* libFuzzer's block is exactly `len` bytes */
    return 0;
}
