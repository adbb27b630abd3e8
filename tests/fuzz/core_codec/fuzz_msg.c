/* tests/fuzz/core_codec/fuzz_msg.c -- any bytes as a message of an exchange or an enrolment. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/core_codec/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void one_input(struct ml_slice in)
{
    (void)roundtrip_msg(in);
    must_tile_msg(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    one_input(ml_slice(data, len)); /* libFuzzer's block is exactly `len` bytes */
    return 0;
}
