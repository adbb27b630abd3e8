/* tests/fuzz/client/fuzz_rpc.c -- any bytes as a stream of frames of the local socket, and their
 * documents as values: what is accepted is written as the same bytes again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "maille/value.h"
#include "net/client/rpc_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void document_try(struct ml_slice body)
{
    struct ml_tree *tree = NULL;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    if (ml_tree_parse(&tree, body.data, body.len) != ML_OK) {
        return;
    }
    struct ml_args *args = ml_args_new();
    ml_args_value(args, ml_tree_root(tree));
    if (ml_args_encoded(args, &bytes, &len) != ML_OK ||
        !ml_slice_equal(ml_slice(bytes, len), body)) {
        abort();
    }
    ml_args_free(args);
    ml_tree_free(tree);
}

static void message_try(struct ml_slice message)
{
    struct ml_rpc_frame frame;
    struct ml_buf out;
    if (ml_rpc_frame_read(&frame, message) != ML_OK) {
        return;
    }
    document_try(frame.body);
    ml_buf_init(&out, ml_env_system(), message.len + 64);
    if (ml_rpc_frame_write(&out, &frame) != ML_OK) {
        abort();
    }
    struct ml_slice again = {out.data + ML_RPC_HEAD_BYTES, out.len - ML_RPC_HEAD_BYTES};
    /* An error is a map whose keys come in any order, with others: it alone may differ. */
    if (frame.err == ML_OK && !ml_slice_equal(again, message)) {
        abort();
    }
    ml_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t used = 0;
    document_try(ml_slice(data, len));
    message_try(ml_slice(data, len));
    while (len > 0 && ml_rpc_frame_length(&used, ml_slice(data, len)) == ML_OK && used > 0) {
        message_try(ml_slice(data + ML_RPC_HEAD_BYTES, used));
        data += ML_RPC_HEAD_BYTES + used;
        len -= ML_RPC_HEAD_BYTES + used;
    }
    return 0;
}
