/* tests/fuzz/core_codec/fuzz_rpc.c -- any bytes as a stream of frames of the local socket. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/core_codec/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void one_input(struct ml_slice in)
{
    struct ml_slice message;
    size_t used = 0;
    (void)roundtrip_rpc(in);
    while (in.len > 0 && ml_rpc_split(&message, &used, in) == ML_OK) {
        (void)roundtrip_rpc(message);
        in = ml_slice(in.data + used, in.len - used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    one_input(ml_slice(data, len)); /* libFuzzer's block is exactly `len` bytes */
    return 0;
}
