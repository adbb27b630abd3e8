/* tests/fuzz/core_codec/fuzz_op.c -- the first byte picks a lane; the rest is the plaintext of one
 * of its ops. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/core_codec/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void one_input(struct ml_slice in)
{
    unsigned pick = in.len == 0 ? 0 : in.data[0] % 8u;
    struct ml_slice plain = in.len == 0 ? in : ml_slice(in.data + 1, in.len - 1);
    if (pick == 0) {
        (void)roundtrip_govop(plain);
    } else if (pick == 1) {
        (void)roundtrip_keyop(plain);
    } else if (pick == 2) {
        (void)roundtrip_trace(plain);
    } else if (pick == 3) {
        (void)roundtrip_deposit(plain);
    } else if (pick == 4) {
        (void)roundtrip_manifest(plain);
        return; /* it is no plaintext: explained inside of a bundle */
    } else if (pick == 5) {
        (void)roundtrip_manifest_inner(plain);
    } else if (pick == 6) {
        (void)roundtrip_consent(plain);
        return; /* the sealed part of an op of lane 1 */
    } else {
        (void)roundtrip_glass(plain);
        return; /* the sealed part of an op of lane 1 */
    }
    static const uint8_t lanes[] = {ML_LANE_GOVERNANCE, ML_LANE_KEYS, ML_LANE_TRACE,
                                    ML_LANE_TRACE,      ML_LANE_BLOB, ML_LANE_BLOB};
    must_tile_op(lanes[pick], pick == 3 ? 0 : 1, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    one_input(ml_slice(data, len)); /* libFuzzer's block is exactly `len` bytes */
    return 0;
}
