/* tests/fuzz/core_model/fuzz_matrix.c -- a matrix that decodes has one encoding, gives nobody more
 * by being merged with itself, and the administrator nothing clinical. */
#include <stdlib.h>

#include "core/model/matrix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ask(const struct ml_matrix *m)
{
    struct ml_matrix twice = *m;
    ml_matrix_restrict(&twice, m);
    for (size_t r = 0; r < m->count; r++) {
        if (ml_matrix_raises(&twice, m, m->roles[r])) {
            abort();
        }
    }
    for (unsigned class = 0; class < 40; class ++) {
        if (ml_class_is_clinical(class) &&
            ml_matrix_allows(m, ML_ROLE_ADMIN, class, ML_RIGHT_READ)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ml_matrix m;
    struct ml_buf out;
    if (ml_matrix_decode(&m, ml_slice(data, len), NULL) != ML_OK) {
        return 0;
    }
    ml_buf_init(&out, ml_env_system(), ML_MATRIX_BYTES_MAX);
    if (ml_matrix_encode(&out, &m) != ML_OK ||
        !ml_slice_equal(ml_buf_slice(&out), ml_slice(data, len))) {
        abort();
    }
    ml_buf_free(&out);
    ask(&m);
    return 0;
}
